//! The words of a release.

use super::access;
use super::model::{Report, fail};
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::outcome::{CredentialSource, CredentialsError, FailureCode, FailureType};
use crate::release::{ReleaseCause, ReleaseFailure, ReleasePlan, ReleaseSuccess, ReleaseWait};
use crate::request::release::ReleaseRequest;
use crate::state::continuation::{Continuation, Phase, RecordedFailure};
use crate::workload::health::object::ObjectWait;
use jiff::Timestamp;

/// Everything serves.
pub fn success(
    request: &ReleaseRequest,
    success: &ReleaseSuccess,
    _warnings: &[String],
    _started: Timestamp,
    _now: Timestamp,
) -> Report {
    Report::Success {
        summary: format!("{success:?}"),
        external_id: format!(
            "{}/{}@{}",
            request.namespace, request.name, success.revision
        ),
        variables: Vec::new(),
    }
}

/// What a release would change.
pub fn planned(request: &ReleaseRequest, plan: &ReleasePlan) -> Report {
    Report::Success {
        summary: format!("{plan:?}"),
        external_id: format!("{}/{}", request.namespace, request.name),
        variables: Vec::new(),
    }
}

/// Why a release failed.
pub fn failure(
    _request: &ReleaseRequest,
    failure: &ReleaseFailure,
    _source: &CredentialSource,
) -> Report {
    fail(
        FailureCode::NoProgress,
        FailureType::JobFailed,
        &format!("{failure:?}"),
        &[],
        "Retry the stage.",
    )
}

/// A call failed for good before anything was written.
pub fn broken(
    _request: &ReleaseRequest,
    _continuation: &Continuation,
    call: &Call,
    error: &CallError,
    _source: &CredentialSource,
) -> Report {
    fail(
        FailureCode::Unreachable,
        FailureType::SystemUnavailable,
        &format!("{} {}: {error:?}", call.verb.rbac(), call.resource),
        &[],
        "Retry the stage.",
    )
}

/// There is no access to the cluster.
pub fn access_lost(
    _request: &ReleaseRequest,
    _phase: &Phase,
    error: &CredentialsError,
    source: &CredentialSource,
) -> Report {
    let headline = format!("There is no access to the cluster: {error}.");
    fail(
        error.code(),
        error.kind(),
        &headline,
        &[access::kept(source)],
        &access::next(error, source),
    )
}

/// The cluster did not answer for too long.
pub fn lost_sight(
    request: &ReleaseRequest,
    _continuation: &Continuation,
    since: Timestamp,
    why: &str,
) -> Report {
    fail(
        FailureCode::OutOfSight,
        FailureType::SystemUnavailable,
        &format!(
            "Lost contact with the cluster during release `{}`: no response since {since:.0} ({why}).",
            request.name
        ),
        &[],
        "Retry the stage when the cluster answers.",
    )
}

/// The next invocation goes on.
pub fn handed_over(continuation: &Continuation, bound_to: &str, wait: &ReleaseWait) -> Report {
    Report::Progress {
        token: continuation.encode(bound_to),
        summary: format!("{} of {} objects applied", wait.applied, wait.objects),
        percent: 0,
    }
}

/// A cause in the form in which it is kept.
pub fn recorded(cause: &ReleaseCause) -> RecordedFailure {
    RecordedFailure::of(&format!("{cause:?}"))
}

/// What an object waits for.
pub fn waiting(wait: &ObjectWait) -> String {
    format!("{wait:?}")
}
