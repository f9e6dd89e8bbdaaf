//! The parts of pods and events that Landfall uses.

use super::raw_object::{clipped, null, time};
use jiff::Timestamp;
use serde::Deserialize;

/// How many failed pods are kept with their reasons: an eviction storm leaves thousands behind.
pub const FAILED_LIMIT: usize = 200;

/// How many ready pods that have ended before are kept, those that did most often: what the others
/// did is not counted, so that a verdict on them comes later rather than too early.
pub const RESTARTED_LIMIT: usize = 200;

/// How many pods that are being deleted are kept, those that should be gone first: they are named,
/// and a sentence names few.
pub const ENDING_LIMIT: usize = 20;

/// How many finalizers of a pod that is being deleted are kept: they are named.
pub(super) const FINALIZERS_LIMIT: usize = 3;

/// The pods of a version that count for its rollout; of a Job also those that have failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Pods {
    /// The number of ready pods.
    pub ready: usize,
    /// The number of pods whose containers have all ended well.
    pub completed: usize,
    /// The pods that are not ready.
    pub others: Vec<Pod>,
    /// The ready pods of which a container has ended before, and of these the containers that have;
    /// at most [`RESTARTED_LIMIT`].
    pub restarted: Vec<Pod>,
    /// Failed and replaced pods, for example after evictions; at most [`FAILED_LIMIT`].
    pub failed: Vec<Failed>,
    /// When the last terminating pod in the list, of any version, will be gone by its own grace
    /// period.
    pub ending: Option<Timestamp>,
    /// The pods that are being deleted; at most [`ENDING_LIMIT`].
    pub endings: Vec<Ending>,
    /// Whether there are more pods than were read.
    pub cut: bool,
}

/// A pod that is being deleted.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// `metadata.name`.
    pub name: String,
    /// The node; empty if no node has accepted the pod.
    pub node: String,
    /// When it will be gone, by its own grace period.
    pub until: Timestamp,
    /// Whether its node has reported that its containers have ended.
    pub is_over: bool,
    /// Its first finalizers: as long as it has one, it stays.
    pub finalizers: Vec<String>,
}

/// A pod in the phase `Failed`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Failed {
    /// `metadata.name`.
    pub name: String,
    /// The node; empty if no node has accepted the pod.
    pub node: String,
    /// When the pod was created.
    pub created: Option<Timestamp>,
    /// The reason in `status`, else that of a disruption: `Evicted`, `UnexpectedAdmissionError`,
    /// `DeletionByPodGC`, …
    pub why: Said,
}

/// A reason for programs and a message for people.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Said {
    /// `Evicted`, `ReadinessGatesNotReady`, …
    #[serde(deserialize_with = "null")]
    pub reason: String,
    /// The message; possibly empty.
    #[serde(deserialize_with = "clipped")]
    pub message: String,
}

/// A readiness gate that is not `True`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Gate {
    /// The type of the gate's condition.
    pub name: String,
    /// The condition's status; empty if nothing has set the condition.
    pub status: String,
    /// The reason, from whoever set the condition.
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
    /// The node; empty if no node has accepted the pod.
    pub node: String,
    /// When the pod was created.
    pub created: Option<Timestamp>,
    /// When a node accepted the pod.
    pub scheduled: Option<Timestamp>,
    /// Why no node accepts the pod.
    pub unscheduled: Option<Unscheduled>,
    /// Whether the pod's node is lost, or is about to end the pod (eviction, preemption).
    pub disrupted: bool,
    /// Why the pod as a whole is not ready: the disruption, else the condition `Ready`, else
    /// `status`.
    pub why: Said,
    /// Whether the kubelet reports all containers as ready.
    pub containers_ready: bool,
    /// The readiness gates that are not `True`.
    pub gates: Vec<Gate>,
    /// Whether none of its containers is started again once it has ended (`restartPolicy`).
    pub ends_once: bool,
    /// The init containers, then the other containers.
    pub containers: Vec<Container>,
}

impl Pod {
    /// How often its containers were restarted.
    pub fn restarts(&self) -> u64 {
        self.containers.iter().map(|it| it.restarts).sum()
    }
}

/// The reason of a pod that no scheduler has looked at: Kubernetes has no word for it.
pub const NO_SCHEDULER: &str = "NoScheduler";

/// A condition `PodScheduled` that is `False` or missing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unscheduled {
    /// `Unschedulable`, `SchedulingGated`, or [`NO_SCHEDULER`].
    pub reason: String,
    /// The scheduler's message, or the name of the scheduler that has not looked at the pod.
    pub message: String,
    /// When the condition began.
    pub since: Option<Timestamp>,
}

/// A container of a pod.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Container {
    /// The container's name.
    pub name: String,
    /// Whether the container must end before the others begin.
    pub init: bool,
    /// Whether the container is ready.
    pub ready: bool,
    /// Whether the startup probe has passed; `None` if the kubelet has not reported it.
    pub started: Option<bool>,
    /// The image in the pod's spec.
    pub image: String,
    /// The probes and limits in the pod's spec: webhooks add containers and change others. It is a
    /// text of JSON, because maps of it take ten times the memory, and there may be thousands of
    /// pods; empty if the spec is not known.
    pub spec: String,
    /// How often the container was restarted.
    pub restarts: u64,
    /// The container's current state.
    pub state: State,
    /// The container's previous end.
    pub last: Option<Ended>,
}

/// The state of a container.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum State {
    /// The kubelet has not reported it.
    #[default]
    Unknown,
    /// The container waits to be started.
    Waiting {
        /// `ContainerCreating`, `CrashLoopBackOff`, …
        reason: String,
        /// The kubelet's message; possibly empty.
        message: String,
    },
    /// The container runs.
    Running,
    /// The container has ended.
    Ended(Ended),
}

/// The end of a container.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Ended {
    /// The exit code.
    #[serde(rename = "exitCode", deserialize_with = "null")]
    pub code: i64,
    /// `Error`, `OOMKilled`, `StartError`, `Completed`, …
    #[serde(deserialize_with = "null")]
    pub reason: String,
    /// The termination message, or the runtime's message.
    #[serde(deserialize_with = "clipped")]
    pub message: String,
    /// When the container ended.
    #[serde(rename = "finishedAt", deserialize_with = "time")]
    pub finished: Option<Timestamp>,
}

/// An event about a pod or a ReplicaSet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Event {
    /// `Normal` or `Warning`.
    pub kind: String,
    /// `BackOff`, `Unhealthy`, …
    pub reason: String,
    /// The event's message.
    pub message: String,
    /// The container that the event is about; empty for one about the whole object.
    pub container: String,
    /// How often the event occurred.
    pub count: u64,
    /// When the event last occurred.
    pub last: Option<Timestamp>,
}
