//! What every decision depends on.

use crate::change::Author;
use crate::request::Request;
use crate::snapshot::Snapshot;
use crate::state::continuation::Continuation;
use crate::state::marks;
use crate::workload::Workload;
use jiff::Timestamp;
use std::time::Duration;

/// All that a decision may depend on.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What is asked for.
    pub request: &'a Request,
    /// What earlier decisions have left.
    pub continuation: &'a Continuation,
    /// What was read.
    pub snapshot: &'a Snapshot,
    /// The time.
    pub now: Timestamp,
}

impl<'a> Context<'a> {
    /// Who this deploy is on the objects that it writes.
    pub fn author(&self) -> Author<'a> {
        Author {
            execution: &self.request.execution,
            job: &self.continuation.job,
            now: self.now,
        }
    }

    /// The time until then.
    pub(super) fn left(&self, until: Timestamp) -> Duration {
        until.duration_since(self.now).unsigned_abs()
    }

    /// Who made the last change, if it was another deploy of ours.
    pub(super) fn other_author(&self, deployment: &Workload) -> Option<String> {
        other_author(deployment, self.continuation)
    }
}

/// Who made the last change, if it was another deploy of ours.
pub(super) fn other_author(deployment: &Workload, continuation: &Continuation) -> Option<String> {
    let job = deployment.annotation(marks::JOB)?;
    let execution = deployment.annotation(marks::EXECUTION)?;
    (job != continuation.job).then(|| execution.to_owned())
}
