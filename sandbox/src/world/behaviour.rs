//! What the pods of an image do, and the kubelet's state of each.

use crate::world::script::Script;
use jiff::{SignedDuration, Timestamp};
use std::sync::Arc;

/// What pods do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Behaviour {
    /// They become ready.
    Ready {
        /// The time after they are scheduled.
        after: SignedDuration,
    },
    /// They end with success.
    Completes {
        /// The time after they are scheduled.
        after: SignedDuration,
        /// Their log.
        log: String,
    },
    /// Their container exits at once, each time.
    CrashLoop {
        /// Its exit code.
        exit_code: i32,
        /// The log before the exit.
        log: String,
        /// `OOMKilled`; `None` means `Error`.
        reason: Option<String>,
    },
    /// Their image does not exist.
    ImagePull,
    /// The name of their image is invalid.
    InvalidImageName,
    /// They run, but their readiness probe fails.
    NeverReady,
    /// Their container cannot be created.
    ConfigError {
        /// `secret "web" not found`.
        message: String,
    },
    /// No node accepts them.
    Unschedulable {
        /// `0/3 nodes are available: 3 Insufficient cpu.`
        message: String,
    },
    /// They cannot be created: the namespace's quota is used up.
    Quota,
    /// They show what a script says.
    Scripted(Arc<Script>),
}

impl Default for Behaviour {
    fn default() -> Behaviour {
        Behaviour::Ready {
            after: SignedDuration::from_secs(1),
        }
    }
}

impl Behaviour {
    /// The script that such pods follow.
    pub(crate) fn script(self) -> Option<Arc<Script>> {
        if let Behaviour::Scripted(script) = self {
            Some(script)
        } else {
            None
        }
    }

    /// The log that this behaviour gives its container.
    pub(crate) fn log(self) -> Option<String> {
        if let Behaviour::CrashLoop { log, .. } | Behaviour::Completes { log, .. } = self {
            Some(log)
        } else {
            None
        }
    }
}

/// The stage of a pod's life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    #[default]
    Created,
    Scheduled,
    /// The image could not be pulled, or the container could not be created.
    Waiting,
    /// The container runs and is not ready.
    Running,
    Ready,
    /// The container has exited and is started again.
    Crashed,
    /// All containers have exited for good.
    Ended,
}

/// The kubelet's state of a pod.
#[derive(Clone, Debug, Default)]
pub(crate) struct Life {
    pub(crate) stage: Stage,
    /// Failed attempts; the back-off grows with them.
    pub(crate) tries: u32,
    pub(crate) restarts: u32,
    pub(crate) started: Option<Timestamp>,
    /// For a scripted pod: its number, its first moment, and whether that has passed.
    pub(crate) number: usize,
    pub(crate) born: Option<Timestamp>,
    pub(crate) scripted: bool,
    /// How often the event that comes again and again has been written again.
    pub(crate) repeated: i64,
}

/// The HTTP response of pods with such an image.
#[derive(Clone, Debug)]
pub(crate) struct Says {
    pub(crate) image: String,
    pub(crate) status: u16,
    pub(crate) body: String,
}
