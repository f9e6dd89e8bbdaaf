use super::*;
use crate::kubernetes::pod::{Event, Pod};
use crate::workload::health::diagnosis::PodSnapshot;

fn finding(cause: Cause, said: &str) -> Finding {
    let sight = PodSnapshot {
        at: "2026-01-01T00:00:00Z".parse().unwrap(),
        set: crate::workload::replica_set::ReplicaSet::default(),
        pods: Err(String::new()),
    };
    Finding {
        said: said.into(),
        ..Finding::new(cause, &Pod::default(), &sight)
    }
}

/// The words are Kubernetes' own: the admission of ServiceAccounts, the kubelet's of environment,
/// volumes and pull secrets, the scheduler's of claims.
#[test]
fn what_the_file_has_is_told_where_it_is_missing() {
    const ACCOUNT: &str = "pods \"web-1-\" is forbidden: error looking up service account \
        shop/web: serviceaccount \"web\" not found";
    for (cause, said, event, skipped, expected) in [
        (
            Cause::PodNotCreated,
            ACCOUNT,
            "",
            "Service/web,ServiceAccount/web",
            "ServiceAccount/web",
        ),
        (
            Cause::ConfigMissing,
            "configmap \"web\" not found",
            "",
            "ConfigMap/web,Service/web",
            "ConfigMap/web",
        ),
        (
            Cause::ConfigMissing,
            "couldn't find key A in Secret shop/web-env",
            "",
            "Secret/web-env",
            "Secret/web-env",
        ),
        (
            Cause::ConfigMissing,
            "secret \"web-env\" not found",
            "",
            "ExternalSecret/web-env",
            "ExternalSecret/web-env",
        ),
        (
            Cause::Unschedulable,
            "0/3 nodes are available: persistentvolumeclaim \"data\" not found.",
            "",
            "PersistentVolumeClaim/data",
            "PersistentVolumeClaim/data",
        ),
        (
            Cause::NotStarted,
            "",
            "MountVolume.SetUp failed for volume \"tls\" : secret \"tls\" not found",
            "Secret/tls,Secret/other",
            "Secret/tls",
        ),
        (
            Cause::ImageDenied,
            "pull access denied",
            "Unable to retrieve some image pull secrets (regcred); \
            attempting to pull the image may not succeed.",
            "Secret/regcred",
            "Secret/regcred",
        ),
        // Others of the file, and others of the name.
        (
            Cause::PodNotCreated,
            ACCOUNT,
            "",
            "Service/web,Ingress/web,Secret/web",
            "",
        ),
        (
            Cause::PodNotCreated,
            "exceeded quota: web",
            "",
            "ServiceAccount/web",
            "",
        ),
        (
            Cause::ConfigMissing,
            "secret \"web-env\" not found",
            "",
            "Secret/web",
            "",
        ),
        (Cause::ConfigMissing, "secret \"web\" not found", "", "", ""),
        (
            Cause::Crash,
            "secret \"web\" not found",
            "",
            "Secret/web",
            "",
        ),
        (
            Cause::ConfigMissing,
            "secret \"web\" not found",
            "",
            "nonsense",
            "",
        ),
    ] {
        let skipped = skipped.split(',').filter(|one| !one.is_empty());
        let skipped = skipped.map(str::to_owned).collect::<Vec<_>>();
        let event = Event {
            kind: "Warning".into(),
            message: event.into(),
            ..Event::default()
        };
        let explanation = Explanation {
            events: Some(Ok(vec![event])),
            log: None,
        };
        let told = finding(cause, said).skipped(Kind::Deployment, &skipped, &explanation);
        let expected = match expected {
            "" => String::new(),
            name => format!(
                "; `{name}` from the manifest's file was not applied: Landfall applies only the Deployment"
            ),
        };
        assert_eq!(told, expected, "{said} {skipped:?}");
    }
}
