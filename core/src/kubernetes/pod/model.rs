//! What counts of pods and their events.

use jiff::Timestamp;
use serde_json::Value;

/// How much of Kubernetes' sentences is kept. A runtime tells the cause at the very end, and what a
/// container leaves has at most so many bytes.
/// <https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/>
pub(super) const TEXT_LIMIT: usize = 4096;

/// Pods that are over and whose reasons are kept: an eviction storm leaves thousands behind.
pub const FAILED_LIMIT: usize = 200;

/// The pods of one ReplicaSet, as far as they count for its rollout.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pods {
    /// How many are ready.
    pub ready: usize,
    /// The others.
    pub others: Vec<Pod>,
    /// Those that are over and were replaced, as evictions leave them; no more than
    /// [`FAILED_LIMIT`].
    pub failed: Vec<Failed>,
    /// When the last of all pods on the list that are ending, of whatever ReplicaSet, will be gone
    /// by its own grace period.
    pub ending: Option<Timestamp>,
    /// Whether there are more than were read.
    pub cut: bool,
}

/// A pod in the phase `Failed`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failed {
    /// `metadata.name`.
    pub name: String,
    /// The node; empty where none has taken it.
    pub node: String,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Why, as `status` has it: `Evicted`, `UnexpectedAdmissionError`, …
    pub why: Said,
}

/// A word for programs and a sentence for people.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Said {
    /// `Evicted`, `ReadinessGatesNotReady`, …
    pub reason: String,
    /// The sentence; possibly empty.
    pub message: String,
}

/// A readiness gate that is not `True`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gate {
    /// The type of its condition.
    pub name: String,
    /// The condition's status; empty where nothing has written the condition.
    pub status: String,
    /// Why, by whoever writes it.
    pub why: Said,
}

/// A pod that is not ready.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pod {
    /// `metadata.name`.
    pub name: String,
    /// `metadata.uid`.
    pub uid: String,
    /// `status.phase`.
    pub phase: String,
    /// The node; empty where none has taken it.
    pub node: String,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// When a node took it.
    pub scheduled: Option<Timestamp>,
    /// Why no node takes it.
    pub unscheduled: Option<Unscheduled>,
    /// Whether its node is lost, or is about to end it (eviction, preemption).
    pub disrupted: bool,
    /// Why it is not ready as a whole: what disrupts it, else its condition `Ready`, else `status`.
    pub why: Said,
    /// Whether the kubelet says that all its containers are ready.
    pub containers_ready: bool,
    /// Its readiness gates that are not `True`.
    pub gates: Vec<Gate>,
    /// Its init containers, then its containers.
    pub containers: Vec<Container>,
}

/// A pod's condition `PodScheduled` that is `False`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unscheduled {
    /// `Unschedulable`, `SchedulingGated`.
    pub reason: String,
    /// The scheduler's own words.
    pub message: String,
    /// Since when.
    pub since: Option<Timestamp>,
}

/// A container of a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// Its name.
    pub name: String,
    /// Whether it has to end before the others begin.
    pub init: bool,
    /// Whether it is ready.
    pub ready: bool,
    /// Whether its startup probe has passed; `None` where the kubelet has not said.
    pub started: Option<bool>,
    /// Its image, as the pod has it.
    pub image: String,
    /// Its probes and limits, as the pod has them: webhooks add containers, and change others.
    pub spec: Value,
    /// How often it was started again.
    pub restarts: u64,
    /// What it does.
    pub state: State,
    /// How it ended the last time before.
    pub last: Option<Ended>,
}

/// What a container does.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    /// The kubelet has not said.
    #[default]
    Unknown,
    /// It waits to be started.
    Waiting {
        /// `ContainerCreating`, `CrashLoopBackOff`, …
        reason: String,
        /// The kubelet's sentence, possibly empty.
        message: String,
    },
    /// It runs.
    Running,
    /// It is over.
    Ended(Ended),
}

/// The end of a container.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ended {
    /// Its exit code.
    pub code: i64,
    /// `Error`, `OOMKilled`, `StartError`, `Completed`, …
    pub reason: String,
    /// What the container left, or the runtime says.
    pub message: String,
    /// When.
    pub finished: Option<Timestamp>,
}

/// An event about a pod or a ReplicaSet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// `Normal` or `Warning`.
    pub kind: String,
    /// `BackOff`, `Unhealthy`, …
    pub reason: String,
    /// The sentence.
    pub message: String,
    /// How often it happened.
    pub count: u64,
    /// When it happened last.
    pub last: Option<Timestamp>,
}
