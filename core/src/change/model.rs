//! The author of a change, and the resulting write.

use jiff::Timestamp;
use serde_json::Value;

/// Who deploys, and when: stored on the Deployment by every write.
#[derive(Clone, Debug, PartialEq)]
pub struct Author<'a> {
    /// The pipeline's execution.
    pub execution: &'a str,
    /// The first job of this deploy.
    pub job: &'a str,
    /// The time of the write.
    pub now: Timestamp,
}

/// The write for a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The Deployment already matches the request.
    Nothing,
    /// A strategic merge patch.
    Patch(Value),
    /// The whole object.
    Put(Value),
}
