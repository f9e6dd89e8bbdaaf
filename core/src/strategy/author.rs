//! Who deploys, and who did before.

use crate::change::Author;
use crate::request::Request;
use crate::state::continuation::Continuation;
use crate::state::marks;
use crate::workload::Workload;
use jiff::Timestamp;

/// Who this deploy is on the objects that it writes.
pub fn author<'a>(
    request: &'a Request,
    continuation: &'a Continuation,
    now: Timestamp,
) -> Author<'a> {
    Author {
        execution: &request.execution,
        job: &continuation.job,
        now,
    }
}

/// Who made the last change, if it was another deploy of ours.
pub(super) fn other_author(deployment: &Workload, continuation: &Continuation) -> Option<String> {
    let job = deployment.annotation(marks::JOB)?;
    let execution = deployment.annotation(marks::EXECUTION)?;
    (job != continuation.job).then(|| execution.to_owned())
}
