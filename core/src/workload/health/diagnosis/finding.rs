//! What is wrong with one pod, and what it was found in.

use crate::kubernetes::object::ReplicaSet;
use crate::kubernetes::pod::{Event, Gate, Pod, Pods};
use crate::outcome::Cause;
use jiff::Timestamp;
use serde_json::Value;

/// Ends of a container that make a crash loop: a dependency that comes up late costs one or two.
pub(super) const CRASHES: u64 = 3;

/// The same for what says itself that it waits for another: an init container, a connection that
/// is refused. The kubelet's fourth start is some 75 s after the first.
pub(super) const CRASHES_OF_WAITING: u64 = 4;

/// A look at the pods of the newest ReplicaSet.
#[derive(Clone, Debug, PartialEq)]
pub struct PodSnapshot {
    /// When it was taken.
    pub at: Timestamp,
    /// The ReplicaSet at that time.
    pub set: ReplicaSet,
    /// Its pods; an error where they could not be read, which stops nothing.
    pub pods: Result<Pods, String>,
}

/// What was read to explain a finding. `None` has not been asked for; an error stops nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// Events about the pod, or about the ReplicaSet that cannot create any.
    pub events: Option<Result<Vec<Event>, String>>,
    /// The last lines of the container's log.
    pub log: Option<Result<Vec<String>, String>>,
}

/// What is wrong with one pod, or with the making of pods.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Why it does not serve.
    pub cause: Cause,
    /// The pod; empty where none can be created.
    pub pod: String,
    /// Its ReplicaSet.
    pub set: String,
    /// The container; empty where the pod as a whole is meant.
    pub container: String,
    /// Whether that is an init container.
    pub(super) init: bool,
    pub(super) node: String,
    pub(super) since: Option<Timestamp>,
    /// How often the container has ended, and with which exit code.
    pub(super) ends: u64,
    pub(super) code: i64,
    /// Whether an earlier life of the container has the log.
    pub previous: bool,
    /// Kubernetes' own words, and its word for programs where a pod as a whole failed.
    pub(super) said: String,
    pub(super) reason: String,
    /// Its image, and its probes and limits, as the pod has them.
    pub(super) image: String,
    pub(super) spec: Value,
    /// The readiness gate that is meant.
    pub(super) gate: Option<Gate>,
    /// Of pods that are gone already: how many nodes they were on.
    pub(super) nodes: Option<usize>,
    /// Whether its startup probe is meant.
    pub(super) starting: bool,
    /// Whether it may be of before our write.
    pub(super) stale: bool,
    /// Whether it lasts longer than its grace.
    pub(super) is_final: bool,
}

/// What is said of an init container that has not ended.
pub(super) const STILL_RUNS: &str = "still runs";

impl Finding {
    pub(super) fn new(cause: Cause, pod: &Pod, sight: &PodSnapshot) -> Finding {
        Finding {
            cause,
            pod: pod.name.clone(),
            set: sight.set.name.clone(),
            container: String::new(),
            init: false,
            node: pod.node.clone(),
            since: None,
            ends: 0,
            code: 0,
            previous: false,
            said: String::new(),
            reason: String::new(),
            image: String::new(),
            spec: Value::Null,
            gate: None,
            nodes: None,
            starting: false,
            stale: false,
            is_final: false,
        }
    }

    /// Whether the container's log may say more.
    pub fn has_log(&self) -> bool {
        self.cause.ran() && !self.container.is_empty()
    }

    pub(super) fn who(&self) -> String {
        let kind = if self.init { "init container " } else { "" };
        match (self.container.as_str(), self.pod.as_str()) {
            ("", pod) => format!("pod `{pod}`"),
            (container, pod) => format!("{kind}`{container}` in pod `{pod}`"),
        }
    }
}
