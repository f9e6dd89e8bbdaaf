//! The causes that are told apart, and how long each may last.

use serde::{Deserialize, Serialize};

/// How many times `patience` is given to what another controller or a person may supply: quota that
/// others free, a webhook that is restarted, a Secret that is copied from a vault.
pub const SUPPLY: u32 = 4;
/// The same for what machines may supply: a new node, a registry that is back.
const MACHINES: u32 = 10;

/// Why a pod does not serve, the most telling first. Each has a heading in `docs/operations.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The image's name is none.
    ImageName,
    /// The registry does not have the image.
    ImageNotFound,
    /// It has the image, and not for the platform of the nodes.
    ImagePlatform,
    /// The registry does not let the cluster have it.
    ImageDenied,
    /// It may not be pulled, and the node does not have it.
    ImageNeverPulled,
    /// The container needs more memory than its limit.
    OutOfMemory,
    /// The container ends with an error again and again.
    Crash,
    /// The container ends by itself again and again.
    Ends,
    /// A ConfigMap, a Secret or a key of one is missing.
    ConfigMissing,
    /// The runtime cannot make the container.
    ContainerNotCreated,
    /// The runtime cannot start its command.
    ContainerNotStarted,
    /// Pods are evicted or refused again and again, for what they ask for or use themselves.
    PodFails,
    /// Not one pod can be created: quota, admission, a missing ServiceAccount.
    PodNotCreated,
    /// No node takes the pod.
    Unschedulable,
    /// The image cannot be pulled for a reason that may pass.
    PullFails,
    /// Its containers are ready, and what somebody else has to say of it is missing.
    ReadinessGate,
    /// It runs and is not ready.
    NotReady,
    /// Its node, not the pod, is in trouble.
    NodeTrouble,
    /// It has not started yet.
    NotStarted,
}

/// How long a state must last before it is taken for final.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Grace {
    /// It cannot pass.
    None,
    /// So many times `patience`.
    Times(u32),
    /// Only the progress deadline and `timeout` can tell.
    Deadline,
}

impl Cause {
    /// The heading in `docs/operations.md`.
    pub fn anchor(self) -> &'static str {
        match self {
            Cause::ImageName => "image-name",
            Cause::ImageNotFound => "image-not-found",
            Cause::ImagePlatform => "image-platform",
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
            Cause::Unschedulable => "unschedulable",
            Cause::PullFails => "pull-fails",
            Cause::ReadinessGate => "readiness-gate",
            Cause::NotReady => "not-ready",
            Cause::NodeTrouble => "node-trouble",
            Cause::NotStarted => "not-started",
        }
    }

    /// How long it may last before it is taken for final.
    pub fn grace(self) -> Grace {
        match self {
            Cause::ImageName => Grace::None,
            // A registry may need a moment to show what was just pushed.
            Cause::ImageNotFound
            | Cause::ImagePlatform
            | Cause::ImageNeverPulled
            | Cause::OutOfMemory
            | Cause::Crash
            | Cause::Ends
            | Cause::ContainerNotCreated
            | Cause::ContainerNotStarted
            | Cause::PodFails => Grace::Times(1),
            // Secrets and ConfigMaps come from other controllers, and so do pull secrets.
            Cause::ConfigMissing | Cause::ImageDenied | Cause::PodNotCreated => {
                Grace::Times(SUPPLY)
            }
            Cause::Unschedulable | Cause::PullFails => Grace::Times(MACHINES),
            Cause::ReadinessGate | Cause::NotReady | Cause::NodeTrouble | Cause::NotStarted => {
                Grace::Deadline
            }
        }
    }

    /// Whether the container ran, so that its log may say why.
    pub fn ran(self) -> bool {
        matches!(
            self,
            Cause::OutOfMemory | Cause::Crash | Cause::Ends | Cause::NotReady
        )
    }

    /// Whether it takes several ends to be sure.
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

    /// Whether it is about the image that a container waits for.
    pub fn is_of_image(self) -> bool {
        matches!(
            self,
            Cause::ImageNotFound | Cause::ImagePlatform | Cause::ImageDenied | Cause::PullFails
        )
    }
}
