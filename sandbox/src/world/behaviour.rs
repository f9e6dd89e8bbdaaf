//! What the pods of an image do, and what the kubelet remembers of each.

use crate::world::script::Script;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// What pods do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// They become ready.
    Ready {
        /// From their scheduling.
        after: SignedDuration,
    },
    /// Their container ends at once, each time.
    CrashLoop {
        /// Its exit code.
        exit_code: i32,
        /// What it writes before.
        log: String,
        /// `OOMKilled`; None is `Error`.
        reason: Option<String>,
    },
    /// Their image does not exist.
    ImagePull,
    /// Their image has a name that is none.
    InvalidImageName,
    /// They run, but their readiness probe fails.
    NeverReady,
    /// Their container cannot be made.
    ConfigError {
        /// `secret "web" not found`.
        message: String,
    },
    /// No node takes them.
    Unschedulable {
        /// `0/3 nodes are available: 3 Insufficient cpu.`
        message: String,
    },
    /// They cannot be created: the namespace's quota is used up.
    Quota,
    /// They show what somebody wrote down.
    Scripted(Arc<Script>),
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        Behaviour::Ready {
            after: SignedDuration::from_secs(1),
        }
    }
}

/// Where a pod stands in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    #[default]
    Created,
    Scheduled,
    /// The image could not be pulled, or the container could not be made.
    Waiting,
    /// The container runs and is not ready.
    Running,
    Ready,
    /// The container ended.
    Crashed,
}

/// What the kubelet remembers of a pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    pub(crate) stage: Stage,
    /// Tries of what does not succeed; the back-off grows with them.
    pub(crate) tries: u32,
    pub(crate) restarts: u32,
    pub(crate) started: Option<Timestamp>,
    /// Of a scripted pod: which one it is, its first moment, and whether that was.
    pub(crate) number: usize,
    pub(crate) born: Option<Timestamp>,
    pub(crate) scripted: bool,
}

/// What pods with such an image say.
#[derive(Clone, Debug)]
pub(crate) struct Says {
    pub(crate) image: String,
    pub(crate) status: u16,
    pub(crate) body: String,
}
