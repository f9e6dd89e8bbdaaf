use super::*;
use serde_json::json;

fn spec(kind: &str, spec: Value) -> Value {
    json!({"kind": kind, "spec": spec})
}

#[test]
fn the_changed_fields_of_a_spec_are_named() {
    let template = |size: &str| {
        json!([{"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": size}}}}])
    };
    // The server adds to what it keeps.
    let mut kept = template("1Gi");
    kept[0]["status"] = json!({"phase": "Pending"});
    kept[0]["spec"]["volumeMode"] = json!("Filesystem");
    let live = json!({"serviceName": "db", "replicas": 1, "podManagementPolicy": "OrderedReady",
        "volumeClaimTemplates": kept});
    let claim = json!({"accessModes": ["ReadWriteOnce"], "volumeName": "pv-1"});
    for (kind, live, sent, expected) in [
        (
            "StatefulSet",
            &live,
            json!({"serviceName": "other", "replicas": 3, "volumeClaimTemplates": template("2Gi")}),
            &["spec.serviceName", "spec.volumeClaimTemplates"][..],
        ),
        (
            "StatefulSet",
            &live,
            json!({"podManagementPolicy": "Parallel", "volumeClaimTemplates": template("1024Mi")}),
            &["spec.podManagementPolicy"],
        ),
        (
            "PersistentVolumeClaim",
            &claim,
            json!({"accessModes": ["ReadWriteMany"], "storageClassName": "fast",
                "resources": {"requests": {"storage": "1Gi"}}}),
            &["spec.accessModes", "spec.storageClassName"],
        ),
        // A field that left cannot be seen.
        (
            "StatefulSet",
            &live,
            json!({"serviceName": "db"}),
            &["spec"],
        ),
    ] {
        let refusal = ApplyRefusal::Immutable(vec!["spec".to_owned()]);
        let live = spec(kind, live.clone());
        let fields = expected.iter().map(|field| (*field).to_owned());
        assert_eq!(
            refusal.named(Some(&live), &spec(kind, sent)),
            ApplyRefusal::Immutable(fields.collect())
        );
    }
}

#[test]
fn other_refusals_stay() {
    let sent = spec("StatefulSet", json!({"serviceName": "x"}));
    let live = spec("StatefulSet", json!({}));
    for refusal in [
        ApplyRefusal::Stale,
        ApplyRefusal::Immutable(vec!["spec.selector".to_owned()]),
    ] {
        assert_eq!(refusal.clone().named(Some(&live), &sent), refusal);
    }
    let refusal = ApplyRefusal::Immutable(vec!["spec".to_owned()]);
    assert_eq!(refusal.clone().named(None, &sent), refusal);
}
