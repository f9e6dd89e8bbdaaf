//! Pods over time, looked at every four seconds, as a rollout that is followed does it.

use super::super::finding::Explanation;
use super::*;
use crate::kubernetes::pod::{Event, Pods};
use crate::state::continuation::Rollout;
use crate::workload::health::diagnosis::{Diagnosis, diagnose, explain};
use crate::workload::health::rollout::WriteReceipt;
use crate::workload::replica_set::ReplicaSet;
use crate::workload::{Kind, Workload};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);
const NOT_FOUND: &str = "rpc error: code = NotFound desc = failed to pull and unpack image \
    \"r.example/web:2\": failed to resolve reference \"r.example/web:2\": r.example/web:2: not found";
const REFUSED: &str = "dial tcp 127.0.0.1:15001: connect: connection refused";

/// What a pod shows from which second on.
type States = Vec<(i64, Value)>;

/// A story: what the pods show from which second on.
struct Story {
    replicas: i64,
    /// Of each pod: its node, when it is created, and its states.
    pods: Vec<(&'static str, i64, States)>,
    /// Why no pod can be created, until when, and when the old pods that are ending are gone.
    failure: Option<(&'static str, i64, Option<i64>)>,
    events: Vec<Event>,
    /// Whether the ReplicaSet was there before.
    returned: bool,
    /// How far the cluster's clock is ahead of ours.
    ahead: i64,
}

impl Default for Story {
    fn default() -> Story {
        Story {
            replicas: 2,
            pods: Vec::new(),
            failure: None,
            events: Vec::new(),
            returned: false,
            ahead: 0,
        }
    }
}

fn at(seconds: i64) -> Timestamp {
    let start: Timestamp = "2026-01-01T12:00:00Z".parse().unwrap();
    start + jiff::SignedDuration::from_secs(seconds)
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({"state": {"waiting": {"reason": reason, "message": message}}})
}

fn creating() -> Value {
    waiting("ContainerCreating", "")
}

fn pulling() -> Value {
    waiting(
        "ImagePullBackOff",
        "Back-off pulling image \"r.example/web:2\"",
    )
}

fn no_secret() -> Value {
    waiting("CreateContainerConfigError", "secret \"web-env\" not found")
}

fn running(restarts: u64) -> Value {
    json!({"state": {"running": {}}, "restartCount": restarts})
}

/// In back-off after an end at a second of our clock.
fn crashed(restarts: u64, code: i64, message: &str, ended: i64) -> Value {
    json!({"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
        "restartCount": restarts, "ended": ended,
        "lastState": {"terminated": {"exitCode": code, "message": message,
            "reason": if code == 128 { "StartError" } else { "Error" }}}})
}

fn failed(reason: &str, message: &str) -> Value {
    json!({"phase": "Failed", "reason": reason, "message": message})
}

fn evicted() -> Value {
    failed(
        "Evicted",
        "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ",
    )
}

fn ready() -> Value {
    json!("ready")
}

impl Story {
    fn time(&self, second: i64) -> String {
        at(second + self.ahead).to_string()
    }

    fn pod(&self, number: usize, second: i64) -> Option<Value> {
        let (node, created, states) = &self.pods[number];
        let mut states = states.iter().rev();
        let mut state = states.find(|(from, _)| *from <= second)?.1.clone();
        let mut status = json!({"phase": "Pending", "conditions": [{"type": "PodScheduled",
            "status": "True", "lastTransitionTime": self.time(*created)}]});
        if state == ready() {
            let ready = json!({"type": "Ready", "status": "True"});
            status["conditions"].as_array_mut().unwrap().push(ready);
        } else if let Some(phase) = state.get("phase") {
            let is_running = phase == "Running";
            status = state.clone();
            if is_running {
                status["containerStatuses"] = json!([{"name": "web", "ready": true,
                    "state": {"running": {}}}]);
            }
        } else {
            if let Some(ended) = state.get("ended").and_then(Value::as_i64) {
                state["lastState"]["terminated"]["finishedAt"] = json!(self.time(ended));
            }
            state["name"] = json!("web");
            state["image"] = json!("r.example/web:2");
            status["containerStatuses"] = json!([state]);
        }
        let name = format!("web-2-{number}");
        Some(
            json!({"metadata": {"name": name, "uid": format!("uid-{number}"),
            "creationTimestamp": self.time(*created),
            "ownerReferences": [{"name": "web-2", "controller": true}]},
            "spec": {"nodeName": node, "readinessGates": [{"conditionType": "alb/web"}]},
            "status": status}),
        )
    }

    fn sight(&self, second: i64) -> PodSnapshot {
        let mut items = (0..self.pods.len())
            .filter_map(|number| self.pod(number, second))
            .collect::<Vec<_>>();
        let mut failure = None;
        if let Some((message, until, old_pods)) = self.failure {
            failure = (second < until).then(|| {
                let since = self.time(1).parse().ok();
                (message.to_owned(), since)
            });
            if let Some(gone) = old_pods.filter(|gone| second < *gone) {
                items.push(json!({"metadata": {"name": "web-1-x",
                    "deletionTimestamp": self.time(gone)}}));
            }
        }
        let page = json!({"items": items}).to_string();
        let created = if self.returned { -3000 } else { 1 };
        PodSnapshot {
            at: at(second),
            set: ReplicaSet {
                name: "web-2".into(),
                failure,
                created: self.time(created).parse().ok(),
                returned: self.returned,
                ..ReplicaSet::default()
            },
            pods: Ok(Pods::read(page.as_bytes(), "web-2").unwrap().0),
        }
    }

    /// The cause for which it is given up and when, within ten minutes; else what explains it then.
    fn end(&self) -> (Option<i64>, String) {
        let live = Workload::new(
            Kind::Deployment,
            json!({"spec": {"replicas": self.replicas}}),
        );
        let rollout = Rollout {
            written: WriteReceipt::adopted(&live, at(0)),
            wrote: true,
            changed_since: false,
            previous: Some(crate::state::baseline::Previous {
                name: "web-1".into(),
                revision: 1,
            }),
        };
        let mut sights = SymptomHistory::default();
        let mut told = String::new();
        for second in (4..600).step_by(4) {
            let sight = self.sight(second);
            let mut explanation = Explanation::default();
            let since = Since::of_rollout(
                &rollout.written,
                rollout.wrote,
                rollout.previous.is_some(),
                &live,
                &sights,
                &explanation,
            );
            sights = sights.with(&sight, &since);
            let mut read = |events: bool| {
                if events {
                    explanation.events = Some(Ok(self.events.clone()));
                }
                let since = Since::of_rollout(
                    &rollout.written,
                    rollout.wrote,
                    rollout.previous.is_some(),
                    &live,
                    &sights,
                    &explanation,
                );
                let found = explain(&sight, since.clone(), PATIENCE);
                told = found.map_or_else(String::new, |found| {
                    format!(
                        "{}: {}",
                        found.cause.anchor(),
                        found.sentence(&live, &explanation)
                    )
                });
                (
                    diagnose(&live, &sight, since.clone(), PATIENCE),
                    since.is_new(&sight.set),
                )
            };
            let mut found = read(false);
            if let (Diagnosis::Suspicious(finding), _) = &found {
                let none = Explanation::default();
                let since = Since::of_rollout(
                    &rollout.written,
                    rollout.wrote,
                    rollout.previous.is_some(),
                    &live,
                    &sights,
                    &none,
                );
                let look = Look {
                    sight: &sight,
                    since: &since,
                    patience: PATIENCE,
                };
                if finding.wants_events(&look) {
                    found = read(true);
                }
            }
            assert_eq!(found.1, !self.returned);
            if let (Diagnosis::Doomed(_), _) = found {
                return (Some(second), told);
            }
            // Nothing that is remembered is lost on the way through a continuation.
            let text = serde_json::to_string(&sights).unwrap();
            sights = serde_json::from_str(&text).unwrap();
        }
        (None, told)
    }
}

fn one(states: States) -> Story {
    Story {
        pods: vec![("n1", 1, states)],
        ..Story::default()
    }
}

fn ending_loop(code: i64, message: &str) -> States {
    vec![
        (0, creating()),
        (2, crashed(0, code, message, 2)),
        (12, crashed(1, code, message, 12)),
        (33, crashed(2, code, message, 33)),
        (74, crashed(3, code, message, 74)),
    ]
}

const MOUNT: &str = "failed to create containerd task: failed to create shim task: OCI runtime \
    create failed: runc create failed: unable to start container process: error during container \
    init: error mounting \"/var/lib/kubelet/pods/0a1b/volume-subpaths/config/web/0\" to rootfs at \
    \"/app/config\": mount src=/var/lib/kubelet/pods/0a1b/volume-subpaths/config/web/0, \
    dst=/app/config, dstFd=/proc/thread-self/fd/8, flags=MS_BIND|MS_REC: not a directory: Are you \
    trying to mount a directory onto a file (or vice-versa)? Check if the specified host path \
    exists and is the expected type: unknown";

/// What never serves is known by a second, and for what it is.
#[test]
fn what_never_serves_is_given_up_in_time() {
    let at_glance = |from: i64| {
        vec![
            (from, waiting("ErrImagePull", NOT_FOUND)),
            (from + 1, pulling()),
        ]
    };
    let mut glimpsed = vec![(0, creating()), (1, pulling())];
    glimpsed.extend(at_glance(16));
    let pull_event = Event {
        kind: "Warning".into(),
        reason: "Failed".into(),
        message: format!("Failed to pull image \"r.example/web:2\": {NOT_FOUND}"),
        count: 3,
        last: Some(at(14)),
        ..Event::default()
    };
    let storm = |reason: &str, message: &str| {
        let pod = |number: i64| {
            (
                "n1",
                1 + 2 * number,
                vec![(1 + 2 * number, failed(reason, message))],
            )
        };
        let mut pods = (0..13).map(pod).collect::<Vec<_>>();
        pods.push(("n2", 30, vec![(0, creating())]));
        pods
    };
    let evictions = "Pod ephemeral local storage usage exceeds the total limit of containers 1Gi. ";
    let platform = "Back-off pulling image \"r.example/web:2\": ErrImagePull: failed to pull and \
        unpack image \"r.example/web:2\": no match for platform in manifest: not found";
    let root =
        "container has runAsNonRoot and image will run as root (pod: \"web\", container: web)";
    for (name, story, latest, expected) in [
        ("glimpsed once", one(glimpsed), 40, "image-not-found: "),
        (
            "by events alone",
            Story {
                events: vec![pull_event.clone()],
                ..one(vec![(0, creating()), (1, pulling())])
            },
            40,
            "image-not-found: ",
        ),
        (
            "platform",
            one(vec![(1, waiting("ImagePullBackOff", platform))]),
            36,
            "image-platform: ",
        ),
        (
            "platform, by Docker",
            one(vec![(
                1,
                waiting(
                    "ErrImagePull",
                    "no matching manifest for linux/arm64/v8 in the manifest list entries",
                ),
            )]),
            36,
            "image-platform: ",
        ),
        (
            "root",
            one(vec![(1, waiting("CreateContainerConfigError", root))]),
            36,
            "container-not-created: `web` in pod `web-2-0` cannot be created: container has runAsNonRoot",
        ),
        (
            "a mount that does not fit",
            one(ending_loop(128, MOUNT)),
            40,
            "container-not-started: ",
        ),
        (
            "an unknown word of a runtime",
            one(ending_loop(128, "OCI runtime create failed: something new")),
            40,
            "container-not-started: ",
        ),
        (
            "evicted for its own use",
            Story {
                pods: storm("Evicted", evictions),
                ..Story::default()
            },
            44,
            "pod-fails: 13 pods of ReplicaSet `web-2` were evicted: Pod ephemeral local storage",
        ),
        (
            "refused by the kubelet",
            Story {
                pods: storm(
                    "UnexpectedAdmissionError",
                    "Allocate failed due to no devices",
                ),
                ..Story::default()
            },
            44,
            "pod-fails: 13 pods of ReplicaSet `web-2` failed (UnexpectedAdmissionError): Allocate",
        ),
        (
            "evicted a minute after each start",
            Story {
                pods: (0..6)
                    .map(|number| {
                        let from = 1 + 60 * number;
                        ("n1", from, vec![(from, creating()), (from + 60, evicted())])
                    })
                    .collect(),
                ..Story::default()
            },
            190,
            "pod-fails: 3 pods",
        ),
        (
            "no Secret ever",
            one(vec![(0, no_secret())]),
            132,
            "config-missing: ",
        ),
        (
            "refused for ever",
            one(ending_loop(1, REFUSED)),
            80,
            "crash: ",
        ),
        (
            "crashes",
            one(ending_loop(1, "no DATABASE_URL")),
            40,
            "crash: ",
        ),
        (
            "no room, and nobody makes any",
            Story {
                failure: Some(("exceeded quota", 600, None)),
                ..Story::default()
            },
            132,
            "pod-not-created: no new pod can be created: exceeded quota",
        ),
        (
            "no room after the old pods are gone",
            Story {
                failure: Some(("exceeded quota", 600, Some(150))),
                ..Story::default()
            },
            290,
            "pod-not-created: ",
        ),
    ] {
        let (given_up, told) = story.end();
        let given_up = given_up.unwrap_or(i64::MAX);
        assert!(told.starts_with(expected), "{name}: {told}");
        assert!(given_up <= latest, "{name}: {given_up}");
        // With the cluster's clock minutes away the same is said at the same time.
        for ahead in [-600, -180, 180, 600] {
            let (skewed, told) = Story {
                ahead,
                ..story.copy()
            }
            .end();
            let skewed = skewed.unwrap_or(i64::MAX);
            assert!(
                told.starts_with(expected),
                "{name}, {ahead} s ahead: {told}"
            );
            assert!(skewed <= latest, "{name}, {ahead} s ahead: {skewed}");
        }
    }
}

impl Story {
    fn copy(&self) -> Story {
        Story {
            pods: self.pods.clone(),
            events: self.events.clone(),
            ..*self
        }
    }
}

/// What serves in the end, or may, is not given up before.
#[test]
fn what_may_still_serve_is_not_given_up() {
    let healed =
        |from: i64, state: Value, at: i64| one(vec![(0, creating()), (from, state), (at, ready())]);
    let slow = "Back-off pulling image \"r.example/web:2\": ErrImagePull: dial tcp: i/o timeout";
    let mut refused = ending_loop(1, REFUSED);
    refused.pop();
    refused.extend([(73, running(3)), (76, ready())]);
    let mut pressed = (0..6)
        .map(|number| {
            let message = "Node didn't have enough resource: cpu, requested: 1000";
            (
                "n1",
                number,
                vec![
                    (number, failed("OutOfcpu", message)),
                    (40, failed("OutOfcpu", message)),
                ],
            )
        })
        .collect::<Vec<_>>();
    pressed.push(("n2", 60, vec![(60, creating()), (64, ready())]));
    let low = || {
        failed(
            "Evicted",
            "The node was low on resource: memory. Container web was using 2Gi",
        )
    };
    let ten = |sick: Value| {
        let mut pods = (0..8)
            .map(|_| ("n2", 1, vec![(3, ready())]))
            .collect::<Vec<_>>();
        pods.extend((0..2).map(|_| ("n1", 1, vec![(2, sick.clone())])));
        Story {
            replicas: 10,
            pods,
            ..Story::default()
        }
    };
    for (name, story) in [
        (
            "a slow start",
            one(vec![(0, creating()), (9, running(0)), (300, ready())]),
        ),
        ("a Secret after 45 s", healed(0, no_secret(), 48)),
        (
            "a ConfigMap after 100 s",
            healed(
                1,
                waiting("CreateContainerConfigError", "configmap \"a\" not found"),
                104,
            ),
        ),
        (
            "a pull secret that is renewed",
            healed(1, waiting("ErrImagePull", "401 Unauthorized"), 100),
        ),
        (
            "an image that is shown after 20 s",
            healed(1, waiting("ErrImagePull", NOT_FOUND), 24),
        ),
        (
            "a registry that is slow",
            healed(1, waiting("ImagePullBackOff", slow), 200),
        ),
        ("a pull without a word", healed(1, pulling(), 200)),
        ("refused three times", one(refused)),
        (
            "two evicted, the third runs",
            Story {
                pods: vec![
                    ("n1", 1, vec![(1, evicted())]),
                    ("n1", 5, vec![(5, evicted())]),
                    ("n2", 9, vec![(9, creating()), (60, ready())]),
                ],
                ..Story::default()
            },
        ),
        (
            "three refused while the device's driver starts, the fourth starts slowly",
            Story {
                pods: vec![
                    (
                        "n1",
                        1,
                        vec![(1, failed("UnexpectedAdmissionError", "no devices"))],
                    ),
                    (
                        "n1",
                        3,
                        vec![(3, failed("UnexpectedAdmissionError", "no devices"))],
                    ),
                    (
                        "n1",
                        5,
                        vec![(5, failed("UnexpectedAdmissionError", "no devices"))],
                    ),
                    (
                        "n1",
                        6,
                        vec![(6, creating()), (90, running(0)), (120, ready())],
                    ),
                ],
                ..Story::default()
            },
        ),
        (
            "no room on a node, then another",
            Story {
                pods: pressed,
                ..Story::default()
            },
        ),
        (
            "nodes under pressure",
            Story {
                pods: vec![
                    ("n1", 1, vec![(1, low())]),
                    ("n2", 5, vec![(5, low())]),
                    ("n3", 9, vec![(9, low())]),
                    ("n4", 13, vec![(13, creating()), (100, ready())]),
                ],
                ..Story::default()
            },
        ),
        ("two bad pods of ten on one node", ten(crashed(6, 1, "", 2))),
        (
            "two of ten whose node cannot start them",
            ten(crashed(6, 128, "no space left on device", 2)),
        ),
        (
            "two of ten that a node does not pull",
            ten(waiting("ErrImagePull", NOT_FOUND)),
        ),
        (
            "room when the old pods have ended",
            Story {
                failure: Some(("exceeded quota", 155, Some(150))),
                pods: vec![("n1", 155, vec![(155, creating()), (157, ready())])],
                ..Story::default()
            },
        ),
        (
            "an old pod of the same version, mended",
            Story {
                returned: true,
                pods: vec![(
                    "n1",
                    -900,
                    vec![(0, crashed(9, 1, "", -200)), (100, ready())],
                )],
                ..Story::default()
            },
        ),
        (
            "old evicted pods of the same version",
            Story {
                returned: true,
                pods: vec![
                    ("n1", -900, vec![(0, evicted())]),
                    ("n1", -890, vec![(0, evicted())]),
                    ("n1", -880, vec![(0, evicted())]),
                    ("n1", 2, vec![(2, creating()), (90, ready())]),
                ],
                ..Story::default()
            },
        ),
    ] {
        for ahead in [0, -600, -180, 180, 600] {
            // An old pod of before is known by its age alone where nothing was restarted yet.
            if story.returned && ahead > 0 && name.contains("evicted") {
                continue;
            }
            let (given_up, told) = Story {
                ahead,
                ..story.copy()
            }
            .end();
            assert_eq!(given_up, None, "{name}, {ahead} s ahead: {told}");
        }
    }
}

/// A version that is deployed again and fails again: its old pods are tried anew.
#[test]
fn an_old_pod_that_fails_again_is_known_by_its_restarts() {
    for ahead in [0, -600, 600] {
        let story = Story {
            returned: true,
            pods: vec![(
                "n1",
                -900,
                vec![(0, crashed(9, 1, "", -200)), (100, crashed(10, 1, "", 100))],
            )],
            ahead,
            ..Story::default()
        };
        let (given_up, told) = story.end();
        assert_eq!(given_up, Some(100), "{ahead}: {told}");
    }
}

/// The words for what no container says, from what is true of the pod.
#[test]
fn pods_that_are_not_ready_as_a_whole() {
    let whole = |conditions: Value| {
        one(vec![(
            0,
            json!({"phase": "Running", "conditions": conditions}),
        )])
    };
    let ready = |status: &str, reason: &str, message: &str| json!({"type": "Ready", "status": status, "reason": reason, "message": message});
    let gate = json!({"type": "alb/web", "status": "False", "reason": "Target.FailedHealthChecks",
        "message": "Health checks failed with these codes: [404]"});
    let passed = json!({"type": "alb/web", "status": "True"});
    let target = json!({"type": "DisruptionTarget", "status": "True",
        "reason": "PreemptionByScheduler", "message": "preempted by a more important pod"});
    for (name, conditions, expected) in [
        (
            "a gate that says no",
            json!([ready("False", "ReadinessGatesNotReady", ""), gate]),
            "readiness-gate: pod `web-2-0` is not ready: its containers are, and its readiness gate \
             `alb/web` is False (Target.FailedHealthChecks): Health checks failed with these codes: [404]",
        ),
        (
            "a gate that nobody writes",
            json!([ready("False", "ReadinessGatesNotReady", "")]),
            "readiness-gate: pod `web-2-0` is not ready: its containers are, and nothing has written \
             the condition of its readiness gate `alb/web`",
        ),
        (
            "a lost node",
            json!([
                passed,
                ready(
                    "Unknown",
                    "NodeStatusUnknown",
                    "Kubelet stopped posting node status."
                )
            ]),
            "node-trouble: pod `web-2-0` has a problem with its node `n1`: NodeStatusUnknown: Kubelet \
             stopped posting node status",
        ),
        (
            "a node that is not ready",
            json!([passed, ready("False", "NodeNotReady", "")]),
            "node-trouble: pod `web-2-0` has a problem with its node `n1`: NodeNotReady",
        ),
        (
            "preempted",
            json!([passed, target]),
            "node-trouble: pod `web-2-0` was taken off its node `n1`: PreemptionByScheduler: \
             preempted by a more important pod",
        ),
        (
            "an unknown reason",
            json!([
                passed,
                ready("False", "SomethingNew", "in somebody's words")
            ]),
            "not-ready: pod `web-2-0` runs and is not ready: SomethingNew: in somebody's words",
        ),
        (
            "no reason at all",
            json!([passed]),
            "not-ready: pod `web-2-0` runs and is not ready",
        ),
    ] {
        let (given_up, told) = whole(conditions).end();
        assert_eq!((given_up, &*told), (None, expected), "{name}");
    }
}

#[test]
fn what_is_remembered_is_bounded() {
    let pods = (0..40)
        .map(|_| {
            (
                "n1",
                -900,
                vec![(0, waiting("ErrImagePull", &"x ".repeat(900)))],
            )
        })
        .collect();
    let story = Story {
        pods,
        returned: true,
        ..Story::default()
    };
    let sights = SymptomHistory::default().with(&story.sight(4), &at(0).into());
    assert_eq!((sights.first.clone(), sights.words.len()), (None, 1));
    assert!(sights.words[0].1.len() < 200);
    let few = Story {
        pods: story.pods[..3].to_vec(),
        returned: true,
        ..Story::default()
    };
    let mut sights = SymptomHistory::default().with(&few.sight(4), &at(0).into());
    assert_eq!(sights.first.as_ref().map(Vec::len), Some(3));
    // The format of a version that knew less.
    let old = r#"{"last":"2026-01-01T12:00:04Z","seen":[["crash","2026-01-01T12:00:00Z"]]}"#;
    let read: SymptomHistory = serde_json::from_str(old).unwrap();
    assert_eq!(read.seen, [(Cause::Crash, at(0))]);
    let mut steps = 0;
    while sights.shrink() {
        steps += 1;
    }
    assert_eq!(steps, 3, "{sights:?}");
}
