use super::*;
use crate::engine::{Heard, Next, Outcome};
use crate::kubernetes::pod::{self, Pods};
use crate::kubernetes::{CallError, Refusal};
use crate::snapshot::{Reading, Response};
use crate::strategy::causes::{RolloutCause, Stop};
use crate::strategy::{Failure, RollbackResult, SuccessNote};
use crate::tests::{at, overlay};
use crate::workload::health::diagnosis::Cause;
use crate::workload::health::rollout::serving::Serving;
use crate::workload::replica_set::ReplicaSet;
use crate::workload::{Kind, Workload};
use serde_json::{Value, json};
use std::time::Duration;

/// What a cluster answers: the workload (`null`: it is gone), its versions, its pods and a log.
#[derive(Default)]
struct World {
    kind: Option<Kind>,
    live: Value,
    versions: Vec<Value>,
    pods: Value,
    log: &'static str,
    /// The workload as a watch tells it, which is held back on its way.
    told: Option<Value>,
    /// What was asked of the cluster before.
    calls: u64,
    asked: Vec<String>,
}

impl World {
    fn answer(&mut self, path: &str, reading: &Reading) -> Result<Response, CallError> {
        self.asked.push(path.to_owned());
        Ok(match reading {
            Reading::Object | Reading::Whole if self.live.is_null() => {
                return Err(CallError::Refused(Refusal {
                    code: 404,
                    is_status: true,
                    ..Refusal::default()
                }));
            }
            Reading::Object | Reading::Whole => Response::Object(self.live.clone().into()),
            Reading::ReplicaSets => {
                Response::ReplicaSets(self.versions.iter().map(ReplicaSet::read).collect())
            }
            Reading::Pods(owner) => {
                let page = json!({"metadata": {}, "items": self.pods}).to_string();
                let (pods, _) = Pods::read(page.as_bytes(), owner).unwrap();
                Response::Pods(Box::new(pods))
            }
            Reading::Events => Response::Events(pod::events(br#"{"items": []}"#).unwrap()),
            Reading::Text => Response::Text(self.log.to_owned()),
            Reading::List => Response::List(Vec::new()),
            Reading::ServicePods => Response::ServicePods(Vec::new()),
            Reading::Roster(_) => Response::Roster(Vec::new()),
        })
    }

    /// Follows the write that `live` shows, changing the world at each wait, to the end.
    fn follow(&mut self, mut change: impl FnMut(&mut Value, u64)) -> Outcome {
        let written = Workload::new(self.kind.unwrap(), self.live.clone());
        let limits = (Duration::from_secs(600), Duration::from_secs(30));
        let request = Request::following(self.kind.unwrap(), "it", "shop", limits, "run-1");
        let written = WriteReceipt::new(None, &written, at(0));
        let continuation = Continuation::begin("run-1", at(0), limits.0);
        let following = Following {
            request,
            written,
            continuation: &continuation,
            deadline: at(600),
            now: at(0),
            until: at(800),
            mask: str::to_owned,
            pause: SignedDuration::from_secs(4),
            bake_pause: SignedDuration::from_secs(4),
        };
        let mut engine = following.forward(true, false);
        let mut now = 0;
        loop {
            engine.spent(self.calls, 0);
            match engine.next(at(now)) {
                Next::Ask(ask)
                    if !ask.fresh && ask.reading == Reading::Object && self.told.is_some() =>
                {
                    let told = self.told.clone().unwrap();
                    engine.told(Response::Object(told.into()), at(now));
                }
                Next::Ask(ask) => {
                    let answer = self.answer(&ask.call.path.to_string(), &ask.reading);
                    assert!(!ask.call.changes(), "{:?}", ask.call);
                    engine.answered(answer, at(now));
                }
                Next::Watch(_) => {
                    now += 4;
                    change(&mut self.live, now);
                    engine.heard(Heard::Nothing, true, at(now));
                }
                Next::Sleep(until) => {
                    now = until
                        .duration_since(at(0))
                        .as_secs()
                        .unsigned_abs()
                        .max(now + 1);
                    change(&mut self.live, now);
                }
                Next::Alarms(asked) => panic!("{asked:?}"),
                Next::Done(outcome) => return *outcome,
            }
        }
    }
}

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "it"}}, "spec": {"containers": [
        {"name": "app", "image": image, "readinessProbe": {}}]}})
}

fn object(spec: Value, status: Value) -> Value {
    let mut object = json!({"metadata": {"name": "it", "uid": "u1", "generation": 1,
            "creationTimestamp": "2026-01-01T00:00:00Z"},
        "spec": {"selector": {"matchLabels": {"app": "it"}}, "template": template("app:2")},
        "status": status});
    overlay(&mut object["spec"], &spec);
    object
}

fn revision(name: &str, number: u64) -> Value {
    json!({"metadata": {"name": name, "creationTimestamp": "2026-01-01T00:00:01Z",
            "ownerReferences": [{"uid": "u1", "name": "it", "controller": true}]},
        "revision": number, "data": {"spec": {"template": template("app:2")}}})
}

/// A pod whose image is not there.
fn without_image(kind: &str) -> Value {
    json!({"metadata": {"name": "it-0", "uid": "p1", "creationTimestamp": "2026-01-01T00:00:02Z",
            "ownerReferences": [{"kind": kind, "name": "it", "controller": true}]},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": "app:2"}]},
        "status": {"phase": "Pending", "conditions": [
                {"type": "PodScheduled", "status": "True"}],
            "containerStatuses": [{"name": "app", "state": {"waiting": {
                "reason": "ErrImagePull", "message": "manifest unknown"}}}]}})
}

#[test]
fn a_stateful_set_a_daemon_set_and_a_job_are_followed_to_their_end() {
    let stateful = json!({"observedGeneration": 1, "replicas": 2, "readyReplicas": 2,
        "updatedReplicas": 2, "currentRevision": "it-b", "updateRevision": "it-b"});
    let daemon = json!({"observedGeneration": 1, "desiredNumberScheduled": 2,
        "currentNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": 2});
    let job = json!({"startTime": "2026-01-01T00:00:01Z", "succeeded": 1,
        "conditions": [{"type": "Complete", "status": "True"}]});
    let on_delete = || json!({"replicas": 2, "updateStrategy": {"type": "OnDelete"}});
    for (kind, spec, done, note) in [
        (Kind::StatefulSet, json!({"replicas": 2}), stateful, None),
        (
            Kind::StatefulSet,
            on_delete(),
            json!({"observedGeneration": 1, "replicas": 2}),
            Some(SuccessNote::OnDelete),
        ),
        (Kind::DaemonSet, json!({}), daemon, None),
        (Kind::Job, json!({}), job, None),
    ] {
        let mut world = World {
            kind: Some(kind),
            live: object(spec, json!({})),
            versions: vec![revision("it-a", 1), revision("it-b", 2)],
            ..World::default()
        };
        let outcome = world.follow(|live, now| {
            if now >= 20 {
                live["status"] = done.clone();
            }
        });
        let Outcome::Finished(success) = outcome else {
            panic!("{kind:?}: {outcome:?}");
        };
        assert_eq!(success.note, note, "{kind:?}");
        let number = (kind != Kind::Job).then_some(2);
        assert_eq!(success.revision, number, "{kind:?}");
    }
}

/// A new pod must serve, and an old one that does not is nobody's concern.
#[test]
fn what_rolls_on_delete_is_judged_by_its_new_pods() {
    let ready = json!({"metadata": {"name": "it-1", "uid": "p2",
            "ownerReferences": [{"kind": "StatefulSet", "name": "it", "controller": true}]},
        "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": "app:2"}]},
        "status": {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}});
    let follow = |pods: Value| {
        let spec = json!({"replicas": 2, "updateStrategy": {"type": "OnDelete"}});
        let status = json!({"observedGeneration": 1, "replicas": 2, "readyReplicas": 1,
            "updatedReplicas": 1, "currentRevision": "it-a", "updateRevision": "it-b"});
        let mut world = World {
            kind: Some(Kind::StatefulSet),
            live: object(spec, status),
            versions: vec![revision("it-a", 1), revision("it-b", 2)],
            pods,
            ..World::default()
        };
        world.follow(|_, _| {})
    };
    let Outcome::Finished(success) = follow(json!([ready])) else {
        panic!("the new pod serves");
    };
    assert_eq!(success.note, Some(SuccessNote::OnDelete));
    let outcome = follow(json!([without_image("StatefulSet")]));
    let Outcome::Failed(Failure::Rollout { failure, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    assert_eq!(failure.kind, Some(Cause::ImageNotFound));
}

#[test]
fn a_pod_that_cannot_start_ends_it_early() {
    let stateful = json!({"observedGeneration": 1, "replicas": 2, "readyReplicas": 1,
        "updatedReplicas": 1, "currentReplicas": 1, "currentRevision": "it-a",
        "updateRevision": "it-b"});
    let daemon = json!({"observedGeneration": 1, "desiredNumberScheduled": 2,
        "currentNumberScheduled": 2, "updatedNumberScheduled": 1, "numberAvailable": 1});
    let job = json!({"startTime": "2026-01-01T00:00:01Z", "active": 1});
    for (kind, status) in [
        (Kind::StatefulSet, stateful),
        (Kind::DaemonSet, daemon),
        (Kind::Job, job),
    ] {
        let mut world = World {
            kind: Some(kind),
            live: object(json!({"replicas": 2}), status),
            versions: vec![revision("it-a", 1), revision("it-b", 2)],
            pods: json!([without_image(kind.word())]),
            ..World::default()
        };
        let mut last = 0;
        let outcome = world.follow(|_, now| last = now);
        let Outcome::Failed(Failure::Rollout {
            failure,
            rollback_result,
        }) = outcome
        else {
            panic!("{kind:?}: {outcome:?}");
        };
        assert_eq!(failure.kind, Some(Cause::ImageNotFound), "{kind:?}");
        assert_eq!(rollback_result, RollbackResult::RollbackDisabled);
        assert!(last < 60, "{kind:?} after {last} s");
    }
}

#[test]
fn a_job_that_failed_says_why_with_its_log() {
    let failed_pod = |name: &str| {
        json!({"metadata": {"name": name, "uid": name,
                "creationTimestamp": "2026-01-01T00:00:02Z",
                "ownerReferences": [{"kind": "Job", "name": "it", "controller": true}]},
            "spec": {"nodeName": "n1", "containers": [{"name": "app", "image": "app:2"}]},
            "status": {"phase": "Failed", "containerStatuses": [{"name": "app", "state": {
                "terminated": {"exitCode": 1, "reason": "Error"}}}]}})
    };
    let mut world = World {
        kind: Some(Kind::Job),
        live: object(
            json!({}),
            json!({"startTime": "2026-01-01T00:00:01Z", "active": 1}),
        ),
        pods: json!([failed_pod("it-x"), failed_pod("it-y")]),
        log: "migrating\nERROR: relation exists\n",
        ..World::default()
    };
    let outcome = world.follow(|live, now| {
        if now >= 40 {
            live["status"] = json!({"failed": 2, "conditions": [{"type": "FailureTarget",
                "status": "True", "reason": "BackoffLimitExceeded", "message": "too often"}]});
        }
    });
    let Outcome::Failed(Failure::Rollout { failure, .. }) = outcome else {
        panic!("{outcome:?}");
    };
    let RolloutCause::Pods { told, stopped } = &failure.cause else {
        panic!("{failure:?}");
    };
    let told = told.as_deref().unwrap();
    assert_eq!(
        told,
        "`app` in pod `it-x` exits with code 1, once: `ERROR: relation exists`"
    );
    let Some(Stop::JobFailed(reason)) = stopped else {
        panic!("{stopped:?}");
    };
    assert_eq!(reason.reason, "BackoffLimitExceeded");
    assert_eq!(failure.kind, Some(Cause::Crash));
    assert_eq!(failure.evidence.log.len(), 3, "{:?}", failure.evidence);
    assert_eq!(failure.evidence.serving, None);
}

#[test]
fn what_is_gone_or_of_another_template_is_no_success() {
    let ended = json!({"startTime": "2026-01-01T00:00:01Z", "active": 1});
    let set = json!({"observedGeneration": 1, "replicas": 1, "readyReplicas": 1,
        "updatedReplicas": 1, "currentRevision": "it-a", "updateRevision": "it-a"});
    let done = |generation: i64| {
        let mut status = set.clone();
        status["observedGeneration"] = generation.into();
        status
    };
    let follow = |kind, status: Value, change: &dyn Fn(&mut Value)| {
        let mut world = World {
            kind: Some(kind),
            live: object(json!({}), status),
            ..World::default()
        };
        world.follow(|_, _| {});
        let mut world = World {
            live: object(json!({}), json!({})),
            ..world
        };
        world.follow(|live, _| change(live))
    };
    let gone = |live: &mut Value| *live = Value::Null;
    assert_eq!(
        follow(Kind::Job, ended, &gone),
        Outcome::Failed(Failure::EndUnseen)
    );
    assert_eq!(
        follow(Kind::StatefulSet, done(1), &gone),
        Outcome::Failed(Failure::Deleted(Some(Serving {
            available: 0,
            wanted: 0,
        })))
    );
    let anew = |live: &mut Value| {
        live["metadata"]["uid"] = "u2".into();
        live["status"] = done(1);
    };
    let theirs = |live: &mut Value| {
        live["spec"]["template"] = template("app:3");
        live["metadata"]["generation"] = 2.into();
        live["status"] = done(2);
    };
    let out_of_sync = || {
        let wrote = true;
        Outcome::Failed(Failure::OutOfSync { by: None, wrote })
    };
    assert_eq!(follow(Kind::StatefulSet, done(1), &anew), out_of_sync());
    assert_eq!(follow(Kind::StatefulSet, done(1), &theirs), out_of_sync());
    assert_eq!(follow(Kind::DaemonSet, done(1), &theirs), out_of_sync());
    assert_eq!(follow(Kind::Deployment, done(1), &theirs), out_of_sync());
}

/// A DaemonSet with pods, of which so many are available.
fn daemon_set(available: u64) -> Value {
    let status = json!({"observedGeneration": 1, "desiredNumberScheduled": 2,
        "currentNumberScheduled": 2, "updatedNumberScheduled": 2, "numberAvailable": available});
    object(json!({}), status)
}

/// Follows a DaemonSet that is complete after so many seconds; when it ended, after how many looks.
fn complete_after(seconds: u64, told: Option<Value>, calls: u64) -> (Outcome, u64, u32) {
    let mut world = World {
        kind: Some(Kind::DaemonSet),
        live: daemon_set(1),
        versions: vec![revision("it-a", 1), revision("it-b", 2)],
        told,
        calls,
        ..World::default()
    };
    let (mut ended, mut looks) = (0, 0);
    let outcome = world.follow(|live, now| {
        (ended, looks) = (now, looks + 1);
        if now >= seconds {
            *live = daemon_set(2);
        }
    });
    (outcome, ended, looks)
}

#[test]
fn no_verdict_is_reached_by_what_a_watch_tells_alone() {
    // It is complete, says the watch, and is not.
    let (outcome, ended, _) = complete_after(100, Some(daemon_set(2)), 0);
    assert!(matches!(outcome, Outcome::Finished(_)), "{outcome:?}");
    assert!((100..110).contains(&ended), "{ended}");
    // It is not, says the watch, until the time is over, and is.
    let (outcome, ended, _) = complete_after(100, Some(daemon_set(1)), 0);
    assert!(matches!(outcome, Outcome::Finished(_)), "{outcome:?}");
    assert_eq!(ended, 600);
}

#[test]
fn whoever_has_asked_for_too_much_asks_less_often_and_judges_the_same() {
    let (outcome, ended, looks) = complete_after(100, None, 999);
    assert!(matches!(outcome, Outcome::Finished(_)), "{outcome:?}");
    assert!(ended < 110 && looks >= 20, "{ended}, {looks}");
    let (outcome, ended, looks) = complete_after(100, None, 1_000);
    assert!(matches!(outcome, Outcome::Finished(_)), "{outcome:?}");
    assert!(ended < 120 && looks <= 10, "{ended}, {looks}");
    // The deadline is not overslept.
    let (outcome, ended, _) = complete_after(u64::MAX, None, 1_000);
    assert!(matches!(outcome, Outcome::Failed(_)), "{outcome:?}");
    assert_eq!(ended, 600);
}
