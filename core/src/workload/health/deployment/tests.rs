use super::*;
use crate::tests::overlay;
use crate::workload::Kind;
use serde_json::{Value, json};

const WRITTEN_AT: &str = "2026-01-01T00:00:10Z";

fn now() -> Timestamp {
    "2026-01-01T00:01:00Z".parse().expect("a time")
}

fn written() -> WriteReceipt {
    WriteReceipt {
        uid: "u".into(),
        generation: 4,
        template: String::new(),
        at: WRITTEN_AT.parse().expect("a time"),
        stale_deadline: Some("2026-01-01T00:00:00Z".into()),
        selector: String::new(),
        wanted: None,
        had: 0,
        gone: None,
    }
}

/// Three pods wanted, all new and available, observed.
fn done() -> Value {
    json!({
        "metadata": {"uid": "u", "generation": 4,
            "annotations": {"deployment.kubernetes.io/revision": "7"}},
        "spec": {"replicas": 3, "progressDeadlineSeconds": 120},
        "status": {"observedGeneration": 4, "replicas": 3, "updatedReplicas": 3,
            "readyReplicas": 3, "availableReplicas": 3, "conditions": [
            {"type": "Progressing", "status": "True", "reason": "NewReplicaSetAvailable"}]}
    })
}

fn merged(changes: Value) -> Workload {
    let mut object = done();
    overlay(&mut object, &changes);
    Workload::new(Kind::Deployment, object)
}

fn exceeded(time: &str) -> Value {
    json!([{"type": "Progressing", "status": "False",
            "reason": "ProgressDeadlineExceeded", "lastUpdateTime": time}])
}

#[test]
fn a_verdict_for_each_state() {
    use WaitsFor::*;
    let progressing = |waits_for, available| {
        Verdict::Progressing(Progress {
            waits_for,
            available,
            wanted: 3,
            obstacle: None,
        })
    };
    let failed = |waits_for, available| {
        Verdict::Failed(Progress {
            waits_for,
            available,
            wanted: 3,
            obstacle: None,
        })
    };
    let short = json!({"updatedReplicas": 3, "replicas": 3, "availableReplicas": 1});
    let with = |changes: Value, conditions: Value| {
        let mut status = changes;
        status["conditions"] = conditions;
        json!({"status": status})
    };
    let cases = [
        ("all new and available", json!({}), Verdict::Complete),
        (
            "a status older than our write, however good",
            json!({"status": {"observedGeneration": 3}}),
            progressing(Observation, 0),
        ),
        (
            "an object older than our write, consistent in itself",
            json!({"metadata": {"generation": 3}, "status": {"observedGeneration": 3}}),
            progressing(Observation, 0),
        ),
        (
            "a later change (an HPA) that is not observed yet",
            json!({"metadata": {"generation": 5}}),
            progressing(Observation, 0),
        ),
        (
            "no status at all",
            json!({"status": null}),
            progressing(Observation, 0),
        ),
        (
            "the deadline of an older generation",
            json!({"status": {"observedGeneration": 3,
                    "conditions": exceeded("2026-01-01T00:00:30Z")}}),
            progressing(Observation, 0),
        ),
        (
            "new pods missing; the available ones are old",
            json!({"status": {"updatedReplicas": 1, "replicas": 4, "availableReplicas": 3}}),
            progressing(NewPods, 0),
        ),
        (
            "old pods left",
            json!({"status": {"replicas": 4, "availableReplicas": 4}}),
            progressing(OldPods(1), 3),
        ),
        (
            "not all available",
            json!({"status": short}),
            progressing(Availability, 1),
        ),
        (
            "scaled to zero",
            json!({"spec": {"replicas": 0}, "status": {"replicas": null,
                    "updatedReplicas": null, "availableReplicas": null}}),
            Verdict::Complete,
        ),
        (
            "Recreate: an old pod takes its time to end",
            json!({"status": {"replicas": null, "updatedReplicas": null,
                    "availableReplicas": null, "terminatingReplicas": 1}}),
            progressing(EndingPods(1), 0),
        ),
        (
            "old pods that end beside new ones hold nothing up",
            json!({"status": {"terminatingReplicas": 2}}),
            Verdict::Complete,
        ),
        (
            "paused by somebody meanwhile",
            json!({"spec": {"paused": true}, "status": short}),
            progressing(Resumption, 1),
        ),
        (
            "the deadline passed after our write",
            with(short.clone(), exceeded("2026-01-01T00:00:30Z")),
            failed(Availability, 1),
        ),
        (
            "the deadline that was there before our write",
            with(short.clone(), exceeded("2026-01-01T00:00:00Z")),
            progressing(Availability, 1),
        ),
        (
            "done, with the deadline's condition not yet cleared",
            json!({"status": {"conditions": exceeded("2026-01-01T00:00:30Z")}}),
            Verdict::Complete,
        ),
        (
            "no pods at all, the right counters absent",
            json!({"status": {"replicas": null, "updatedReplicas": null,
                    "availableReplicas": null}}),
            progressing(NewPods, 0),
        ),
    ];
    for (name, changes, expected) in cases {
        assert_eq!(
            verdict(&merged(changes), &written(), now()),
            expected,
            "{name}"
        );
    }
}

#[test]
fn a_stale_deadline_counts_once_we_have_waited_as_long_ourselves() {
    let deployment = merged(json!({"status": {"availableReplicas": 1,
            "conditions": exceeded("2026-01-01T00:00:00Z")}}));
    let at = |seconds| written().at + SignedDuration::from_secs(seconds);
    let failed = |now| matches!(verdict(&deployment, &written(), now), Verdict::Failed(_));
    assert!(!failed(at(119)));
    assert!(failed(at(120)));
}

#[test]
fn an_obstacle_is_told_in_kubernetes_words() {
    let quota = "pods \"web-1\" is forbidden: exceeded quota";
    let deployment = merged(json!({"status": {"updatedReplicas": 0, "conditions": [
            {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                "message": quota}]}}));
    let Verdict::Progressing(progress) = verdict(&deployment, &written(), now()) else {
        panic!("a quota is no verdict");
    };
    assert_eq!(progress.obstacle, Some(Obstacle::Told(quota.to_owned())));
}

#[test]
fn a_refused_replica_set_is_told_though_the_generation_is_not_observed() {
    let quota = "exceeded quota: sets";
    let condition = |reason: &str| {
        json!({"status": {"observedGeneration": 3, "conditions": [
                {"type": "Progressing", "status": "False", "reason": reason, "message": quota}]}})
    };
    for (reason, told) in [
        ("ReplicaSetCreateError", Some(quota)),
        ("ProgressDeadlineExceeded", None),
    ] {
        let Verdict::Progressing(progress) = verdict(&merged(condition(reason)), &written(), now())
        else {
            panic!("what is not observed is no verdict");
        };
        assert_eq!(progress.waits_for, WaitsFor::Observation);
        let told = told.map(|told: &str| Obstacle::Told(told.to_owned()));
        assert_eq!(progress.obstacle, told, "{reason}");
    }
}

#[test]
fn the_newest_replica_set_must_hold_the_pods() {
    let deployment = merged(json!({}));
    let set = |revision, available, owner: &str| ReplicaSet {
        revision,
        available,
        owner: owner.into(),
        ..ReplicaSet::default()
    };
    let cases = [
        ("it does", vec![set(6, 0, "u"), set(7, 3, "u")], true),
        (
            "none to be seen: the Deployment's own counters stand",
            vec![],
            true,
        ),
        ("not all available", vec![set(7, 2, "u")], false),
        (
            "the pods are the old one's",
            vec![set(6, 3, "u"), set(7, 0, "u")],
            false,
        ),
        (
            "a newer one than the Deployment says",
            vec![set(8, 3, "u")],
            false,
        ),
        (
            "someone else's do not count",
            vec![set(7, 0, "u"), set(8, 3, "other")],
            false,
        ),
    ];
    for (name, sets, expected) in cases {
        assert_eq!(holds_the_pods(&deployment, &sets), expected, "{name}");
    }
}

#[test]
fn an_adopted_version_keeps_only_an_older_deadline_as_stale() {
    let at = written().at;
    let old = merged(json!({"status": {"conditions": exceeded("2026-01-01T00:00:00Z")}}));
    let new = merged(json!({"status": {"conditions": exceeded("2026-01-01T00:00:30Z")}}));
    assert!(WriteReceipt::adopted(&old, at).stale_deadline.is_some());
    assert_eq!(WriteReceipt::adopted(&new, at).stale_deadline, None);
    assert_eq!(
        WriteReceipt::adopted(&merged(json!({})), at).stale_deadline,
        None
    );
}
