use super::*;
use crate::tests::overlay;
use crate::workload::Kind;
use serde_json::{Value, json};

/// Three pods of the newest version, all of them ready; the test changes some of it.
fn live(changes: Value) -> Workload {
    let mut object = json!({
        "metadata": {"name": "db", "uid": "u1", "generation": 4},
        "spec": {"replicas": 3},
        "status": {"observedGeneration": 4, "replicas": 3, "readyReplicas": 3,
            "updatedReplicas": 3, "currentRevision": "db-b", "updateRevision": "db-b"},
    });
    overlay(&mut object, &changes);
    Workload::new(Kind::StatefulSet, object)
}

fn written() -> WriteReceipt {
    WriteReceipt {
        uid: "u1".into(),
        generation: 4,
        template: String::new(),
        at: "2026-01-01T00:00:00Z".parse().unwrap(),
        stale_deadline: None,
        selector: String::new(),
        wanted: None,
        had: 0,
        gone: None,
    }
}

#[test]
fn a_rollout_is_done_when_its_own_counters_say_so() {
    let partitioned = |updated: i64| {
        json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 2}}},
            "status": {"updatedReplicas": updated, "currentRevision": "db-a"}})
    };
    for (what, changes) in [
        ("all pods are ready", json!({})),
        (
            "nobody wants a pod",
            json!({"spec": {"replicas": 0}, "status": {"replicas": null, "readyReplicas": null,
                "updatedReplicas": null}}),
        ),
        ("the pods from the partition on", partitioned(1)),
        (
            "a partition above all pods",
            json!({"spec": {"updateStrategy": {"rollingUpdate": {"partition": 9}}},
                "status": {"updatedReplicas": 0, "currentRevision": "db-a"}}),
        ),
        (
            "OnDelete with no new pod",
            json!({"spec": {"updateStrategy": {"type": "OnDelete"}},
                "status": {"updatedReplicas": 0, "currentRevision": "db-a"}}),
        ),
        (
            "available for minReadySeconds",
            json!({"spec": {"minReadySeconds": 5}, "status": {"availableReplicas": 3}}),
        ),
        (
            "the counter of an older server",
            json!({"status": {"availableReplicas": null}}),
        ),
        (
            "a default of one",
            json!({"spec": {"replicas": null}, "status": {"replicas": 1,
            "readyReplicas": 1, "updatedReplicas": 1}}),
        ),
    ] {
        assert_eq!(
            verdict(&live(changes), &written()),
            Verdict::Complete,
            "{what}"
        );
    }
    let waits = |what: &str, changes: Value, expected: WaitsFor, available: i64, wanted: i64| {
        let Verdict::Progressing(progress) = verdict(&live(changes), &written()) else {
            panic!("{what} is done");
        };
        let found = (progress.waits_for, progress.available, progress.wanted);
        assert_eq!(found, (expected, available, wanted), "{what}");
    };
    let new = WaitsFor::NewPods;
    let old = |status: Value| json!({"status": status});
    waits(
        "an older status",
        old(json!({"observedGeneration": 3})),
        WaitsFor::Observation,
        0,
        3,
    );
    waits(
        "a status of no generation",
        old(json!({"observedGeneration": null})),
        WaitsFor::Observation,
        0,
        3,
    );
    waits(
        "an older status with OnDelete",
        json!({"spec": {"updateStrategy": {"type": "OnDelete"}},
            "status": {"observedGeneration": 3}}),
        WaitsFor::Observation,
        0,
        3,
    );
    let on_delete =
        |status: Value| json!({"spec": {"updateStrategy": {"type": "OnDelete"}}, "status": status});
    waits(
        "a pod that is not there with OnDelete",
        on_delete(json!({"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2})),
        new,
        2,
        3,
    );
    waits(
        "new pods that are not ready with OnDelete",
        on_delete(json!({"readyReplicas": 1, "updatedReplicas": 3})),
        WaitsFor::Availability,
        1,
        3,
    );
    waits("an old pod", old(json!({"updatedReplicas": 2})), new, 2, 3);
    waits(
        "a pod that is not there",
        old(json!({"replicas": 2, "readyReplicas": 2, "updatedReplicas": 2})),
        new,
        2,
        3,
    );
    waits(
        "a pod too many",
        old(json!({"replicas": 4, "readyReplicas": 4, "updatedReplicas": 4})),
        WaitsFor::OldPods(1),
        3,
        3,
    );
    waits(
        "a pod that is not ready",
        old(json!({"readyReplicas": 2})),
        WaitsFor::Availability,
        2,
        3,
    );
    waits(
        "ready for too short a time",
        json!({"spec": {"minReadySeconds": 5}, "status": {"availableReplicas": 1}}),
        WaitsFor::Availability,
        1,
        3,
    );
    waits(
        "an old revision that is still current",
        old(json!({"currentRevision": "db-a"})),
        WaitsFor::Availability,
        3,
        3,
    );
    waits("an old pod above the partition", partitioned(0), new, 0, 1);
}

#[test]
fn the_newest_revision_is_the_one_that_is_counted() {
    let set = |name: &str, revision| ReplicaSet {
        name: name.into(),
        revision,
        owner: "u1".into(),
        ..ReplicaSet::default()
    };
    let live = live(json!({}));
    assert!(holds_the_pods(&live, &[]));
    assert!(holds_the_pods(&live, &[set("db-a", 1), set("db-b", 2)]));
    assert!(!holds_the_pods(&live, &[set("db-b", 2), set("db-c", 3)]));
}
