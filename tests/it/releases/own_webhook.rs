//! A webhook of the release itself that does not answer: it refuses what would repair it.

use super::{GOOD, image, object, release, settings, web};
use crate::stage::Stage;
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::world::Refusal;
use serde_json::json;

const HOOK: &str = "apiVersion: admissionregistration.k8s.io/v1\n\
    kind: ValidatingWebhookConfiguration\nmetadata: {name: policy}\nwebhooks:\n\
    - {name: policy.example.com, admissionReviewVersions: [v1], sideEffects: None,\n  \
    clientConfig: {service: {name: web, namespace: default}},\n  rules: [{apiGroups: [''], \
    apiVersions: [v1], operations: ['*'], resources: [configmaps]}]}\n";

const NEWER: &str = "registry.example.com/web:2.1.0";

/// A release with a webhook, which does not answer for what has this text until that time.
async fn away(resource: &str, having: &str, until: Option<Timestamp>) -> Stage {
    let stage = Stage::in_sandbox(|_, _| {}).await;
    let (config, web) = (settings("info"), web("web", GOOD));
    let files = [
        ("k8s/hook.yaml", HOOK),
        ("k8s/config.yaml", &*config),
        ("k8s/web.yaml", &*web),
    ];
    release(&stage, &files, json!({"execution": "run-1"}))
        .await
        .released();
    stage.sandbox().world(|world, _| {
        world.refuse(Refusal {
            resource: resource.to_owned(),
            having: having.to_owned(),
            until,
            status: 500,
            reason: "InternalError".to_owned(),
            message: "Internal error occurred: failed calling webhook \"policy.example.com\": \
                failed to call webhook: Post \"https://web.default.svc:443/?timeout=10s\": no \
                endpoints available for service \"web\""
                .to_owned(),
            ..Refusal::default()
        });
    });
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_checks_is_told_as_not_tried_and_written_after_its_repair() {
    let until = Timestamp::now() + SignedDuration::from_secs(25);
    let stage = away("configmaps", "debug", Some(until)).await;
    let (config, web) = (settings("debug"), web("web", NEWER));
    let files = [
        ("k8s/hook.yaml", HOOK),
        ("k8s/config.yaml", &*config),
        ("k8s/web.yaml", &*web),
    ];
    let plan = json!({"execution": "run-2", "mode": "plan"});
    let (summary, _) = release(&stage, &files, plan).await.released();
    for said in [
        "ConfigMap/settings: not tried, because a webhook of this release does not answer",
        "so what it checks could not be tried before: `ValidatingWebhookConfiguration/policy`",
    ] {
        assert!(summary.contains(said), "{said}: {summary}");
    }
    let (summary, _) = release(&stage, &files, json!({"execution": "run-2"}))
        .await
        .released();
    assert!(
        Timestamp::now() > until,
        "it was to be away meanwhile: {summary}"
    );
    assert_eq!(image(&stage, "web").await, NEWER, "{summary}");
    let live = object(&stage, "configmaps", "settings").await.unwrap();
    assert_eq!(live["data"]["LEVEL"], "debug", "{summary}");
    // The configuration comes before the workloads, but for this.
    let writes = stage.writes().unwrap();
    let place = |name: &str| {
        let is_it =
            |seen: &landfall_sandbox::world::Seen| seen.path.contains(name) && seen.status == 200;
        writes.iter().rposition(is_it)
    };
    assert!(
        place("/configmaps/settings") > place("/deployments/web"),
        "{summary}"
    );
}

/// In one invocation and in several. What was refused is as it was, and is not waited for on the way
/// back, which the webhook refuses as well.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_stays_away_is_named_with_what_to_do() {
    let stage = away("deployments", "", None).await;
    let (config, web) = (settings("debug"), web("web", NEWER));
    let files = [
        ("k8s/hook.yaml", HOOK),
        ("k8s/config.yaml", &*config),
        ("k8s/web.yaml", &*web),
    ];
    for (execution, timeout) in [("run-2", "12s"), ("run-3", "25s")] {
        let more = json!({"execution": execution, "timeout": timeout});
        let (kind, message) = release(&stage, &files, more).await.failure();
        assert_eq!(kind, "SystemUnavailable", "{message}");
        for said in [
            "`Deployment/web`",
            "`policy.example.com` does not answer",
            "`ValidatingWebhookConfiguration/policy`, k8s/hook.yaml:1",
            "kubectl delete validatingwebhookconfiguration policy",
            "rolled back to revision 1",
        ] {
            assert!(message.contains(said), "{said}: {message}");
        }
        assert!(!message.contains("Not taken back"), "{message}");
        let live = object(&stage, "configmaps", "settings").await.unwrap();
        assert_eq!(live["data"]["LEVEL"], "info", "{message}");
    }
}

/// Of a webhook that the release does not have nothing is known: it is not written to in its sight.
#[tokio::test(flavor = "multi_thread")]
async fn anothers_webhook_still_keeps_everything_from_being_written() {
    let stage = away("configmaps", "debug", None).await;
    let other = HOOK.replace("policy.example.com", "other.example.com");
    let (config, web) = (settings("debug"), web("web", NEWER));
    release(
        &stage,
        &[("k8s/hook.yaml", &*other), ("k8s/web.yaml", &*web)],
        json!({}),
    )
    .await
    .released();
    let before = stage.writes().map(|writes| writes.len());
    let files = [
        ("k8s/hook.yaml", &*other),
        ("k8s/config.yaml", &*config),
        ("k8s/web.yaml", &*web),
    ];
    let more = json!({"execution": "run-3", "timeout": "5s"});
    let (kind, message) = release(&stage, &files, more).await.failure();
    assert_eq!(kind, "SystemUnavailable", "{message}");
    assert!(message.contains("was not changed"), "{message}");
    assert_eq!(
        stage.writes().map(|writes| writes.len()),
        before,
        "{message}"
    );
}
