//! What is said of an object's health, as facts; the report turns them into words.

use crate::kubernetes::object::Condition;
use crate::text::{clip, quote};
use jiff::Timestamp;

/// The longest reason: the API allows 1,024 characters, and a word has fewer.
const REASON_LIMIT: usize = 128;

/// What was applied, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied {
    /// The generation after the write; 0 where the kind has none.
    pub generation: i64,
    /// The uid; empty if it is not known.
    pub uid: String,
    /// When.
    pub at: Timestamp,
}

/// Whether an object is ready.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectHealth {
    /// It is ready, or of a kind that is ready once it is there.
    Ready,
    /// It is not waited for any longer, but people should know this of it.
    Noted(ObjectNote),
    /// It has no status that tells whether it works, and is not waited for.
    NoStatus,
    /// It is not ready yet.
    Waiting(ObjectWait),
    /// It will not get ready.
    Failed(ObjectCause),
    /// Somebody is deleting it.
    Deleted,
}

/// What people should know of an object that is not waited for.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectNote {
    /// A Service has no address of its load balancer yet.
    AddressPending,
    /// A claim has no volume yet. Whether it gets one before a pod uses it depends on its class, so
    /// the workloads that use it are waited for instead.
    ClaimPending,
}

/// What an object waits for.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectWait {
    /// Its controller has not seen the change yet.
    Observation,
    /// It has no status yet.
    Status,
    /// A condition is not as it should be.
    Condition(Reported),
    /// Its pods.
    Pods {
        /// How many are available.
        available: i64,
        /// How many are wanted.
        wanted: i64,
        /// Why they cannot be created.
        obstacle: Option<Reported>,
    },
    /// It is in this phase.
    Phase(String),
    /// It is being deleted to be made anew, and these finalizers keep it.
    Removal(Vec<String>),
}

/// Why an object will not get ready.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectCause {
    /// Somebody deleted it and made another of the same name.
    Replaced,
    /// A condition says so.
    Condition(Reported),
    /// A claim has lost its volume.
    ClaimLost,
    /// A Pod that no controller replaces has failed: the reason and the message, which may be
    /// empty.
    PodFailed(String, String),
    /// A Namespace is being deleted, so nothing can be created in it: why it is still there.
    NamespaceEnding(Vec<Reported>),
}

/// A condition, as its controller reported it.
#[derive(Clone, Debug, PartialEq)]
pub struct Reported {
    /// Its type: `Ready`.
    pub condition: String,
    /// `True`, `False` or `Unknown`.
    pub status: String,
    /// A word for programs, which may be empty.
    pub reason: String,
    /// A sentence for people, which may be empty.
    pub message: String,
}

impl Reported {
    /// Keeps a condition, with a limited length.
    pub(super) fn new(condition: &str, it: &Condition<'_>) -> Reported {
        Reported {
            condition: clip(condition, REASON_LIMIT),
            status: clip(it.status, REASON_LIMIT),
            reason: clip(it.reason, REASON_LIMIT),
            message: quote(it.message),
        }
    }
}
