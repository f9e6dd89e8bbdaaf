use super::*;
use crate::workload::Kind;
use serde_json::json;

#[test]
fn only_what_nothing_probes_is_looked_at_twice() {
    let probe = json!({"httpGet": {"port": 80}});
    let cases = [
        (
            "no probe",
            json!({"containers": [{"name": "a"}]}),
            json!({}),
            true,
        ),
        (
            "a readiness probe",
            json!({"containers": [{"name": "a", "readinessProbe": probe}]}),
            json!({}),
            false,
        ),
        (
            "a startup probe: it is not ready before that has passed",
            json!({"containers": [{"name": "a", "startupProbe": probe}]}),
            json!({}),
            false,
        ),
        (
            "a liveness probe holds nothing up",
            json!({"containers": [{"name": "a", "livenessProbe": probe}]}),
            json!({}),
            true,
        ),
        (
            "one of two",
            json!({"containers": [{"name": "a", "readinessProbe": probe}, {"name": "b"}]}),
            json!({}),
            true,
        ),
        (
            "a sidecar",
            json!({"containers": [{"name": "a", "readinessProbe": probe}],
                "initContainers": [{"name": "b", "restartPolicy": "Always"}]}),
            json!({}),
            true,
        ),
        (
            "an init container ends before the pod is ready",
            json!({"containers": [{"name": "a", "readinessProbe": probe}],
                "initContainers": [{"name": "b"}]}),
            json!({}),
            false,
        ),
        (
            "minReadySeconds",
            json!({"containers": [{"name": "a"}]}),
            json!({"minReadySeconds": 5}),
            false,
        ),
        (
            "scaled to zero",
            json!({"containers": [{"name": "a"}]}),
            json!({"replicas": 0}),
            false,
        ),
    ];
    for (name, pod, more, expected) in cases {
        let mut spec = json!({"replicas": 1, "template": {"spec": pod}});
        spec.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        let live = Workload::new(Kind::Deployment, json!({"spec": spec}));
        assert_eq!(is_untested(&live), expected, "{name}");
    }
}

#[test]
fn a_restart_and_another_pod_are_told_from_the_same_again() {
    let named = |uid: &str, restarts: i64, set: &str| {
        json!({"metadata": {"uid": uid, "ownerReferences": [{"name": set}]},
            "status": {"containerStatuses": [{"restartCount": 0}, {"restartCount": restarts}]}})
    };
    let roster = |pods: &[Value]| summed(pods.iter().filter_map(|one| pod(one, "web-2")));
    let first = roster(&[named("a", 0, "web-2"), named("b", 0, "web-2")]);
    let mut ending = named("c", 0, "web-2");
    ending["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    let cases = [
        (
            "another order",
            vec![named("b", 0, "web-2"), named("a", 0, "web-2")],
            true,
        ),
        (
            "an old pod beside",
            vec![
                named("a", 0, "web-2"),
                named("b", 0, "web-2"),
                named("x", 3, "web-1"),
            ],
            true,
        ),
        (
            "an ending one beside",
            vec![named("a", 0, "web-2"), named("b", 0, "web-2"), ending],
            true,
        ),
        (
            "started again",
            vec![named("a", 1, "web-2"), named("b", 0, "web-2")],
            false,
        ),
        (
            "replaced",
            vec![named("a", 0, "web-2"), named("c", 0, "web-2")],
            false,
        ),
        ("gone", vec![named("a", 0, "web-2")], false),
    ];
    for (name, pods, same) in cases {
        assert_eq!(roster(&pods) == first, same, "{name}");
    }
}
