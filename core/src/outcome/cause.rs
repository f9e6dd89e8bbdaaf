//! The causes of unhealthy pods, and how long each may last.

use serde::{Deserialize, Serialize};

/// How many times `patience` others get to supply something: quota that becomes free, a webhook
/// that restarts, a Secret that is copied from a vault.
pub const SUPPLY: u32 = 4;
/// How many times `patience` infrastructure gets: a new node, a registry that recovers.
const MACHINES: u32 = 10;

/// Why a pod is not ready, the most specific cause first. Each has a section in
/// `docs/operations.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The image name is invalid.
    ImageName,
    /// The registry does not have the image.
    ImageNotFound,
    /// The registry does not have the image for the platform of the nodes.
    ImagePlatform,
    /// The container runtime does not accept the image: its signature, its short name, its format
    /// or the registry's protocol.
    ImageRefused,
    /// The registry denies access to the image.
    ImageDenied,
    /// The pull policy forbids pulling, and the node does not have the image.
    ImageNeverPulled,
    /// The container needs more memory than its limit.
    OutOfMemory,
    /// The container repeatedly ends with an error.
    Crash,
    /// The container repeatedly ends without an error.
    Ends,
    /// A ConfigMap, a Secret or one of its keys is missing.
    ConfigMissing,
    /// The runtime cannot create the container.
    ContainerNotCreated,
    /// The runtime cannot start the command.
    ContainerNotStarted,
    /// Pods are repeatedly evicted or refused because of what they request or use.
    PodFails,
    /// No pod can be created: quota, admission, a missing ServiceAccount.
    PodNotCreated,
    /// No pod can be created because an admission webhook does not respond.
    WebhookAway,
    /// No node accepts the pod.
    Unschedulable,
    /// No scheduler has looked at the pod.
    NoScheduler,
    /// The pull fails for a reason that may be temporary.
    PullFails,
    /// The containers are ready, but a readiness gate is not.
    ReadinessGate,
    /// The container runs but is not ready.
    NotReady,
    /// The node has a problem, not the pod.
    NodeTrouble,
    /// A pod has ended and is being deleted, and finalizers keep it.
    PodKept,
    /// The pod has not started yet.
    #[default]
    NotStarted,
}

/// How long a state must last before it counts as final.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Grace {
    /// The state is final at once.
    None,
    /// This many times `patience`.
    Times(u32),
    /// Only the progress deadline and `timeout` end it.
    Deadline,
}

impl Cause {
    /// The section in `docs/operations.md`.
    pub fn anchor(self) -> &'static str {
        match self {
            Cause::ImageName => "image-name",
            Cause::ImageNotFound => "image-not-found",
            Cause::ImagePlatform => "image-platform",
            Cause::ImageRefused => "image-refused",
            Cause::ImageDenied => "image-denied",
            Cause::ImageNeverPulled => "image-never-pulled",
            Cause::OutOfMemory => "out-of-memory",
            Cause::Crash => "crash",
            Cause::Ends => "ends",
            Cause::ConfigMissing => "config-missing",
            Cause::ContainerNotCreated => "container-not-created",
            Cause::ContainerNotStarted => "container-not-started",
            Cause::PodFails => "pod-fails",
            Cause::PodNotCreated => "pod-not-created",
            Cause::WebhookAway => "webhook",
            Cause::Unschedulable => "unschedulable",
            Cause::NoScheduler => "no-scheduler",
            Cause::PullFails => "pull-fails",
            Cause::ReadinessGate => "readiness-gate",
            Cause::NotReady => "not-ready",
            Cause::NodeTrouble => "node-trouble",
            Cause::PodKept => "pod-kept",
            Cause::NotStarted => "not-started",
        }
    }

    /// How long the state may last before it counts as final.
    pub fn grace(self) -> Grace {
        match self {
            Cause::ImageName => Grace::None,
            // A registry may need a moment to show a pushed image.
            Cause::ImageNotFound
            | Cause::ImagePlatform
            | Cause::ImageRefused
            | Cause::ImageNeverPulled
            | Cause::OutOfMemory
            | Cause::Crash
            | Cause::Ends
            | Cause::ContainerNotCreated
            | Cause::ContainerNotStarted
            | Cause::PodFails => Grace::Times(1),
            // Other controllers supply Secrets, ConfigMaps and pull secrets.
            Cause::ConfigMissing
            | Cause::ImageDenied
            | Cause::PodNotCreated
            | Cause::WebhookAway
            | Cause::NoScheduler => Grace::Times(SUPPLY),
            Cause::Unschedulable | Cause::PullFails => Grace::Times(MACHINES),
            Cause::ReadinessGate
            | Cause::NotReady
            | Cause::NodeTrouble
            | Cause::PodKept
            | Cause::NotStarted => Grace::Deadline,
        }
    }

    /// Whether every healthy pod passes through the state.
    pub fn is_usual(self) -> bool {
        matches!(
            self,
            Cause::ReadinessGate | Cause::NotReady | Cause::NotStarted | Cause::NoScheduler
        )
    }

    /// Whether the container ran, so its log may show the cause.
    pub fn ran(self) -> bool {
        matches!(
            self,
            Cause::OutOfMemory | Cause::Crash | Cause::Ends | Cause::NotReady
        )
    }

    /// Whether the cause counts only after several ends of the container.
    pub fn repeats(self) -> bool {
        matches!(
            self,
            Cause::OutOfMemory
                | Cause::Crash
                | Cause::Ends
                | Cause::ContainerNotStarted
                | Cause::PodFails
        )
    }

    /// Why a controller cannot create pods, from the API server's message to it.
    pub fn of_creation(message: &str) -> Cause {
        match message.contains("failed calling webhook") {
            true => Cause::WebhookAway,
            false => Cause::PodNotCreated,
        }
    }

    /// Whether the cause prevents the creation of pods.
    pub fn is_of_creation(self) -> bool {
        matches!(self, Cause::PodNotCreated | Cause::WebhookAway)
    }

    /// Whether the cluster has no place for a pod. A version whose other pods are available is not
    /// at fault then.
    pub fn is_of_room(self) -> bool {
        matches!(self, Cause::Unschedulable | Cause::NoScheduler) || self.is_of_creation()
    }

    /// Whether a pod shows it of which other pods of its version are available, and yet it speaks
    /// against the version.
    pub fn speaks_against(self) -> bool {
        let is_passing = matches!(self.grace(), Grace::Deadline | Grace::Times(MACHINES));
        !is_passing && !self.is_of_room()
    }

    /// Whether the cause is the container's image.
    pub fn is_of_image(self) -> bool {
        matches!(
            self,
            Cause::ImageNotFound
                | Cause::ImagePlatform
                | Cause::ImageRefused
                | Cause::ImageDenied
                | Cause::PullFails
        )
    }
}
