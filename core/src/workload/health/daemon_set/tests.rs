use super::*;
use crate::workload::Kind;
use serde_json::{Value, json};

fn verdict_of(spec: Value, status: Value) -> Verdict {
    let mut object = json!({"metadata": {"uid": "u1", "generation": 4}, "spec": spec,
        "status": {"observedGeneration": 4}});
    for (name, value) in status.as_object().unwrap() {
        object["status"][name] = value.clone();
    }
    let written = WriteReceipt {
        uid: "u1".into(),
        generation: 4,
        template: String::new(),
        at: "2026-01-01T00:00:00Z".parse().unwrap(),
        stale_deadline: None,
        selector: String::new(),
        wanted: None,
        had: 0,
        gone: None,
    };
    verdict(&Workload::new(Kind::DaemonSet, object), &written)
}

fn nodes(desired: i64, current: i64, updated: i64, available: i64) -> Value {
    json!({"desiredNumberScheduled": desired, "currentNumberScheduled": current,
        "updatedNumberScheduled": updated, "numberAvailable": available})
}

#[test]
fn a_rollout_is_done_when_every_node_has_it() {
    let on_delete = || json!({"updateStrategy": {"type": "OnDelete"}});
    for (spec, status) in [
        (json!({}), nodes(3, 3, 3, 3)),
        // No node wants it.
        (json!({}), nodes(0, 0, 0, 0)),
        (json!({}), json!({})),
        // A node has gone, and its pod is still counted.
        (json!({}), nodes(2, 3, 3, 3)),
        (on_delete(), nodes(3, 3, 0, 3)),
        (on_delete(), nodes(3, 3, 0, 0)),
        (on_delete(), nodes(3, 3, 3, 3)),
    ] {
        assert_eq!(
            verdict_of(spec, status.clone()),
            Verdict::Complete,
            "{status}"
        );
    }
    for (spec, status, expected, available, wanted) in [
        (json!({}), nodes(3, 3, 2, 3), WaitsFor::NewPods, 2, 3),
        (on_delete(), nodes(3, 2, 2, 2), WaitsFor::NewPods, 2, 3),
        (on_delete(), nodes(3, 3, 3, 1), WaitsFor::Availability, 1, 3),
        // Of these it may be an old one or a new one.
        (on_delete(), nodes(3, 3, 1, 2), WaitsFor::Availability, 0, 3),
        (json!({}), nodes(3, 3, 0, 3), WaitsFor::NewPods, 0, 3),
        (json!({}), nodes(3, 2, 2, 2), WaitsFor::NewPods, 2, 3),
        (json!({}), nodes(3, 3, 3, 2), WaitsFor::Availability, 2, 3),
        // A node has come.
        (json!({}), nodes(4, 4, 4, 3), WaitsFor::Availability, 3, 4),
        (
            json!({}),
            json!({"observedGeneration": 3, "desiredNumberScheduled": 3,
                "updatedNumberScheduled": 3, "numberAvailable": 3}),
            WaitsFor::Observation,
            0,
            3,
        ),
        (
            on_delete(),
            json!({"observedGeneration": 3}),
            WaitsFor::Observation,
            0,
            0,
        ),
    ] {
        let Verdict::Progressing(progress) = verdict_of(spec, status.clone()) else {
            panic!("{status} is done");
        };
        let found = (progress.waits_for, progress.available, progress.wanted);
        assert_eq!(found, (expected, available, wanted), "{status}");
    }
}

#[test]
fn how_many_pods_a_written_version_needs() {
    let live = |generation: i64, tolerations: Value, image: &str| {
        let spec = json!({"containers": [{"name": "web", "image": image}],
            "tolerations": tolerations});
        let mut status = nodes(3, 3, 3, 3);
        status["observedGeneration"] = json!(4);
        Workload::new(
            Kind::DaemonSet,
            json!({"metadata": {"uid": "u1", "generation": generation},
                "spec": {"template": {"spec": spec}}, "status": status}),
        )
    };
    let at = "2026-01-01T00:00:00Z".parse().unwrap();
    let after = live(5, json!([]), "web:2");
    for (before, expected) in [
        (Some(live(4, json!([]), "web:1")), Some(3)),
        // Other nodes.
        (
            Some(live(4, json!([{"operator": "Exists"}]), "web:1")),
            None,
        ),
        // Its controller had not seen it.
        (Some(live(5, json!([]), "web:1")), None),
        (None, None),
    ] {
        let written = WriteReceipt::new(before.as_ref(), &after, at);
        assert_eq!(written.wanted, expected, "{before:?}");
    }
    assert_eq!(WriteReceipt::adopted(&after, at).wanted, None);
    let seen = live(4, json!([]), "web:2");
    assert_eq!(WriteReceipt::adopted(&seen, at).wanted, Some(3));
}

#[test]
fn a_set_that_no_node_matches_any_more_is_not_complete() {
    let live = |generation: i64, selector: Value, status: Value| {
        let mut status = status;
        status["observedGeneration"] = json!(generation);
        Workload::new(
            Kind::DaemonSet,
            json!({"metadata": {"uid": "u1", "generation": generation},
                "spec": {"template": {"spec": {"nodeSelector": selector}}}, "status": status}),
        )
    };
    let at = "2026-01-01T00:00:00Z".parse().unwrap();
    let none = || nodes(0, 0, 0, 0);
    for (before, selector, now, expected) in [
        (nodes(3, 3, 3, 3), json!({"gpu": "yes"}), none(), Some(3)),
        // Nodes have left.
        (nodes(3, 3, 3, 3), json!(null), none(), None),
        (none(), json!({"gpu": "yes"}), none(), None),
        (
            nodes(3, 3, 3, 3),
            json!({"gpu": "yes"}),
            nodes(1, 1, 1, 1),
            None,
        ),
    ] {
        let before = live(4, json!(null), before);
        let now = live(5, selector, now);
        let written = WriteReceipt::new(Some(&before), &now, at);
        let expected = expected.map_or(Verdict::Complete, |wanted| {
            let asked = "nodeSelector `gpu=yes`, no tolerations";
            Verdict::Progressing(Progress {
                waits_for: WaitsFor::Nodes,
                available: 0,
                wanted,
                obstacle: Some(Obstacle::Told(asked.into())),
            })
        });
        assert_eq!(verdict(&now, &written), expected, "{now:?}");
        // That it had pods may be known from elsewhere, where the invocation that wrote it is lost.
        let adopted = WriteReceipt::adopted(&now, at);
        assert_eq!(verdict(&now, &adopted), Verdict::Complete);
        let lacks = verdict(&now, &adopted.after_pods(&now)) != Verdict::Complete;
        assert_eq!(lacks, now.replicas() == 0);
    }
}
