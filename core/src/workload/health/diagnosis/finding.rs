//! A problem of a pod, and the data in which it was found.

use super::quotes::last_warning;
use crate::kubernetes::pod::{Event, Gate, Pod, Pods};
use crate::outcome::Cause;
use crate::workload::replica_set::ReplicaSet;
use jiff::Timestamp;
use std::time::Duration;

/// How many exits of a container make a crash loop: a dependency that starts late causes one or
/// two.
pub(super) const CRASHES: u64 = 3;

/// The same for containers that wait for a dependency: an init container, or a refused connection.
/// The kubelet's fourth start is about 75 s after the first.
pub(super) const CRASHES_OF_WAITING: u64 = 4;

/// A snapshot of the pods of the newest version.
#[derive(Clone, Debug, PartialEq)]
pub struct PodSnapshot {
    /// When it was taken.
    pub at: Timestamp,
    /// The version at that time.
    pub set: ReplicaSet,
    /// Its pods; an error if they could not be read, which does not stop the deploy.
    pub pods: Result<Pods, String>,
}

/// How old the last event of a pod that could not be created may be: a controller tries again after
/// pauses that double, and then the next try is due.
const CREATION: Duration = Duration::from_secs(150);

impl PodSnapshot {
    /// Takes from events why no pod can be created, where the pods belong to the workload itself:
    /// it has no condition that says so, as a ReplicaSet has.
    pub fn learn_of_creation(&mut self, events: &[Event]) {
        let none = self.pods.as_ref().is_ok_and(|pods| pods.count() == 0);
        if self.set.keeper.is_empty() || !none {
            return;
        }
        let failed = events.iter().filter(|event| event.reason == "FailedCreate");
        let last = failed.max_by_key(|event| event.last);
        let last = last.filter(|event| event.last.is_some_and(|last| last + CREATION >= self.at));
        let began = self.set.failure.take().and_then(|(_, began)| began);
        self.set.failure = last.map(|event| (event.message.clone(), began.or(event.last)));
    }
}

/// The data that explains a finding. `None` was not requested; an error does not stop the deploy.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// Events of the pod, or of what cannot create pods.
    pub events: Option<Result<Vec<Event>, String>>,
    /// The last lines of the container's log.
    pub log: Option<Result<Vec<String>, String>>,
}

/// A problem of a pod, or of creating pods.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Finding {
    /// Why the pod is not ready.
    pub cause: Cause,
    /// The pod; empty if none can be created.
    pub pod: String,
    /// The name of what controls the pod: its ReplicaSet, or the workload itself.
    pub set: String,
    /// The container; empty for a problem of the pod as a whole.
    pub container: String,
    /// Whether the container is an init container.
    pub(super) init: bool,
    pub(super) node: String,
    pub(super) since: Option<Timestamp>,
    /// How often the container has exited, and with which exit code.
    pub(super) ends: u64,
    /// How often its pod had ended before its version began to serve.
    pub(super) before: u64,
    /// How often the pods have ended together since then, where that is the problem.
    pub(super) together: Option<u64>,
    pub(super) code: i64,
    /// Whether the log belongs to the container's previous run.
    pub previous: bool,
    /// Kubernetes' message, and its reason if a pod failed as a whole.
    pub(super) said: String,
    pub(super) reason: String,
    /// The container's image, probes and limits in the pod.
    pub(super) image: String,
    pub(super) spec: String,
    /// In a pod of a Job: the other containers, those that still run beside one that has ended, or
    /// those that have ended beside one that still runs.
    pub(super) beside: Vec<String>,
    /// The readiness gate, if it is the problem.
    pub(super) gate: Option<Gate>,
    /// For pods that no longer exist: the number of their nodes.
    pub(super) nodes: Option<usize>,
    /// Whether there may be more of them than were read.
    pub(super) is_cut: bool,
    /// What the pod's node has not reported, and for how long.
    pub(super) silent: Option<(Silent, Duration)>,
    /// Whether the startup probe is the problem.
    pub(super) starting: bool,
    /// Whether the problem may be older than our write.
    pub(super) stale: bool,
    /// Whether it lasts longer than its grace time.
    pub(super) is_final: bool,
}

/// What a node does not report of a pod.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Silent {
    /// That its kubelet has taken it up.
    Start,
    /// That it has ended.
    End,
    /// Nothing: it has ended, and these finalizers, in words, or else its node keep it.
    Kept(String),
}

/// The text about a container that others wait for, and that has not ended: an init container, or
/// one of a Job.
pub(super) const STILL_RUNS: &str = "still runs";

impl Finding {
    pub(super) fn new(cause: Cause, pod: &Pod, sight: &PodSnapshot) -> Finding {
        Finding {
            cause,
            pod: pod.name.clone(),
            set: sight.set.pod_owner().to_owned(),
            node: pod.node.clone(),
            ..Finding::default()
        }
    }

    /// Whether it is a pod that is being deleted and does not end.
    pub fn hangs(&self) -> bool {
        matches!(self.silent, Some((Silent::End | Silent::Kept(_), _)))
    }

    /// Whether the container's log may say more.
    pub fn has_log(&self) -> bool {
        (self.cause.ran() || self.said == STILL_RUNS) && !self.container.is_empty()
    }

    /// The events about it: those of its pod, but for other containers of it, the newest last.
    pub(super) fn events<'a>(&self, explanation: &'a Explanation) -> Vec<&'a Event> {
        let events = explanation.events.iter().flatten().flatten();
        let others = |event: &&Event| {
            let names = [&event.container, &self.container];
            event.container == self.container || names.iter().any(|name| name.is_empty())
        };
        let mut own = events.filter(others).collect::<Vec<_>>();
        own.sort_by_key(|event| event.last);
        own
    }

    /// The newest warning that can hold it up.
    pub(super) fn last_warning<'a>(&self, explanation: &'a Explanation) -> Option<&'a Event> {
        let mut events = self.events(explanation);
        // A pod that has a node waited for it before.
        events.retain(|event| self.node.is_empty() || event.reason != "FailedScheduling");
        last_warning(events)
    }

    /// Whether its image is being pulled, by its newest event about that.
    pub(super) fn is_pulling(&self, explanation: &Explanation) -> bool {
        let events = self.events(explanation).into_iter();
        let mut pulls = events.filter(|event| event.container == self.container);
        let last = pulls.rfind(|event| ["Pulling", "Pulled", "Failed"].contains(&&*event.reason));
        last.is_some_and(|last| last.reason == "Pulling")
    }

    pub(super) fn who(&self) -> String {
        let kind = if self.init { "init container " } else { "" };
        match (self.container.as_str(), self.pod.as_str()) {
            ("", pod) => format!("pod `{pod}`"),
            (container, pod) => format!("{kind}`{container}` in pod `{pod}`"),
        }
    }
}
