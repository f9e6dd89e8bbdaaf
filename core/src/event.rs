//! What invokes the function: a job of CodePipeline, somebody who waits for the answer, or the
//! schedule that renews the token.

mod call;
mod job;

pub use call::Call;
pub use job::{Artifact, Caller, Job, Keys, Output, secrets};

use crate::problem::Fault;
use crate::rotation::{self, RotationRequest};
use serde_json::Value;

/// What invokes the function.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A job of CodePipeline.
    Deploy(Job),
    /// A deploy whose caller waits for the answer; or what is wrong with the event.
    Call(Result<Call, Vec<Fault>>),
    /// The cluster's token is to be renewed; or what is wrong with the event that requests it.
    Rotate(Result<RotationRequest, Vec<Fault>>),
    /// Neither.
    Unknown,
}

impl Event {
    /// Reads an event. Whatever has a job with an id can be reported to CodePipeline.
    pub fn read(event: &Value) -> Event {
        if let Some(job) = Job::read(event) {
            return Event::Deploy(job);
        }
        match (event.get(rotation::ROTATE), event.get(call::DEPLOY)) {
            (Some(_), _) => Event::Rotate(RotationRequest::read(event)),
            (None, Some(_)) => Event::Call(Call::read(event)),
            (None, None) => Event::Unknown,
        }
    }
}

#[cfg(test)]
mod tests;
