use super::*;
use crate::request::Request;
use crate::snapshot::{Answer, Snapshot};
use crate::state::continuation::{Continuation, RecordedFailure};
use crate::strategy::{Action, rolling};
use crate::tests::{at, overlay, request};
use crate::workload::Kind;
use crate::workload::health::rollout::WriteReceipt;
use crate::workload::replica_set::ReplicaSet;
use serde_json::{Value, json};

/// Version `a` is back, the status says so, and the third pod is still the one that failed.
fn live(changes: Value) -> Workload {
    let mut object = json!({
        "metadata": {"name": "db", "uid": "u1", "generation": 3},
        "spec": {"replicas": 3, "selector": {"matchLabels": {"app": "db"}},
            "template": {"spec": {"containers": [{"name": "app", "image": "db:1"}]}}},
        "status": {"observedGeneration": 3, "replicas": 3, "readyReplicas": 2,
            "updatedReplicas": 2, "currentRevision": "db-a", "updateRevision": "db-a"},
    });
    overlay(&mut object, &changes);
    Workload::new(Kind::StatefulSet, object)
}

fn blocking() -> Query {
    Query::Blocking {
        selector: "app=db,controller-revision-hash notin (db-a)".into(),
        owner: "db".into(),
    }
}

/// What is next in a rollback, with these pods in the way where they were read.
fn next(live: &Workload, stuck: Option<&[&str]>, left: &[&str]) -> Decision {
    let request: Request = request(
        "job-2",
        &json!({"workload": "sts/db", "images": {"app": "x:2"}}),
    );
    let phase = Phase::Rollback(Rollback {
        written: WriteReceipt::new(None, live, at(100)),
        revision: 3,
        failure: RecordedFailure::of("it crashes"),
        deadline: at(500),
    });
    let continuation = Continuation {
        phase,
        ..Continuation::begin("job-2", at(0), request.timeout)
    };
    let mut snapshot = Snapshot::default();
    snapshot.set(Query::deployment("db"), Some(live.clone()));
    let set = |name: &str, revision| ReplicaSet {
        name: name.into(),
        template_hash: name.into(),
        revision,
        owner: "u1".into(),
        keeper: "db".into(),
        ..ReplicaSet::default()
    };
    let sets = vec![set("db-b", 2), set("db-a", 3)];
    snapshot.set(Query::replica_sets("app=db"), sets);
    if let Some(stuck) = stuck {
        let stuck = stuck
            .iter()
            .map(|name| ((*name).to_owned(), format!("uid-{name}")));
        snapshot.set(blocking(), Answer::Blocking(stuck.collect()));
    }
    let left = left
        .iter()
        .map(|name| ((*name).to_owned(), "refused".to_owned()));
    snapshot.left = left.collect();
    rolling::decide(&Context {
        request: &request,
        continuation: &continuation,
        snapshot: &snapshot,
        now: at(120),
    })
}

#[test]
fn a_pod_of_the_version_that_failed_is_deleted_by_its_uid() {
    let live = live(json!({}));
    assert_eq!(next(&live, None, &[]), Decision::Read(blocking()));
    let deleted = |decision: Decision| {
        let Decision::Act(Action::Step(step)) = decision else {
            panic!("{decision:?}");
        };
        assert!(matches!(step.then, Phase::Rollback(_)));
        let uid = &step.call.body.as_ref().unwrap()["preconditions"]["uid"];
        (step.call.path.to_string(), uid.as_str().unwrap().to_owned())
    };
    let expected = (
        "/api/v1/namespaces/default/pods/db-2".to_owned(),
        "uid-db-2".to_owned(),
    );
    assert_eq!(deleted(next(&live, Some(&["db-2"]), &[])), expected);
    // One that may not be deleted does not keep the next from being.
    let others = next(&live, Some(&["db-1", "db-2"]), &["db-1"]);
    assert_eq!(deleted(others), expected);
    for (stuck, left) in [(&[][..], &[][..]), (&["db-2"][..], &["db-2"][..])] {
        assert!(matches!(next(&live, Some(stuck), left), Decision::Wait(_)));
    }
}

#[test]
fn nothing_is_deleted_where_the_controller_goes_on_by_itself() {
    for (what, changes) in [
        (
            "it has not seen the template that is back",
            json!({"status": {"observedGeneration": 2}}),
        ),
        (
            "it still means the version that failed",
            json!({"status": {"updateRevision": "db-b"}}),
        ),
        (
            "it replaces pods whether they are ready or not",
            json!({"spec": {"podManagementPolicy": "Parallel"}}),
        ),
        (
            "all pods are ready",
            json!({"status": {"readyReplicas": 3}}),
        ),
    ] {
        let decision = next(&live(changes), Some(&["db-2"]), &[]);
        assert!(
            matches!(decision, Decision::Wait(_)),
            "{what}: {decision:?}"
        );
    }
}
