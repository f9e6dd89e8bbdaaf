//! Who changes a Deployment, and the write that it comes down to.

use jiff::Timestamp;
use serde_json::Value;

/// Who deploys, and when: what every write leaves on the Deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Author<'a> {
    /// The pipeline's execution.
    pub execution: &'a str,
    /// The first job of this deploy.
    pub job: &'a str,
    /// The time of the write.
    pub now: Timestamp,
}

/// The write that a request comes down to.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The Deployment is already as the request wants it.
    Nothing,
    /// A strategic merge patch.
    Patch(Value),
    /// The whole object.
    Put(Value),
}
