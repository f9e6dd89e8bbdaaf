//! Calls of a release that failed for good, a cluster out of sight, and access that was lost.

use super::super::contact::{complete, explanation, failed_before, no_access, out_of_sight};
use super::super::model::{Explanation, Report, fail};
use super::super::rollout_failed::what_failed;
use super::super::{access, refusal};
use super::failure::ROLES;
use super::naming::the_release;
use super::own_webhook;
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::outcome::{CredentialSource, CredentialsError, FailureCode};
use crate::request::release::ReleaseRequest;
use crate::state::continuation::{Continuation, Phase, RecordedFailure};
use jiff::Timestamp;

/// A call to the cluster failed for good.
pub fn broken(
    request: &ReleaseRequest,
    continuation: &Continuation,
    call: &Call,
    error: &CallError,
    source: &CredentialSource,
) -> Report {
    let mut explained = explained(request, call, error, source);
    complete(&mut explained, continuation, error, source);
    if explained.code == FailureCode::Webhook
        && let Some(next) = own_webhook::next(request, &explained.reason)
    {
        explained.next_step = next;
    }
    let lost = continuation.unsure || call.changes() && error.may_have_been_done();
    let release = the_release(request);
    let done = match (&continuation.phase, lost) {
        (Phase::Start, false) => format!("{release} was not changed"),
        (Phase::Start, true) => format!("It is not known whether {} was changed", lower(&release)),
        (_, _) => format!("{release} was not completed"),
    };
    let told = access::evidence(error, source);
    let why = &explained.reason;
    match first_failure(&continuation.phase) {
        Some(first) => {
            let headline = format!("{release} failed: {}.", first.cause);
            let failed = what_failed(first.kind, first.reason);
            let also = format!("Its rollback was not completed: {why}.");
            let also = [also].into_iter().chain(told).collect();
            failed_before(failed, &headline, also, &first.evidence, &explained)
        }
        None => {
            let evidence = told.into_iter().chain(unfinished(&continuation.phase));
            fail(
                explained.code,
                explained.failure_type,
                &format!("{done}: {why}."),
                &evidence.collect::<Vec<_>>(),
                &explained.next_step,
            )
        }
    }
}

fn unfinished(phase: &Phase) -> Option<String> {
    let begun = *phase != Phase::Start;
    begun.then(|| {
        "What was written stays in the cluster and is no longer followed; nothing was taken back."
            .to_owned()
    })
}

fn lower(release: &str) -> String {
    release.replacen('R', "r", 1)
}

/// Why the release failed, where something went wrong with its way back.
fn first_failure(phase: &Phase) -> Option<&RecordedFailure> {
    let Phase::Release(release) = phase else {
        return None;
    };
    release.way_back.as_ref().map(|(failure, _)| failure)
}

fn explained(
    request: &ReleaseRequest,
    call: &Call,
    error: &CallError,
    source: &CredentialSource,
) -> Explanation {
    let what = match call.name() {
        Some(name) => format!("{} `{name}`", call.permission()),
        None => call.permission().to_string(),
    };
    explanation(error, &what, source).unwrap_or_else(|refused| {
        refusal::told(refused, call, &what, &request.namespace, ROLES, source)
    })
}

/// The cluster did not answer for too long.
pub fn lost_sight(
    request: &ReleaseRequest,
    continuation: &Continuation,
    since: Timestamp,
    why: &str,
) -> Report {
    let release = the_release(request);
    let first = first_failure(&continuation.phase);
    let first = first.map(|first| format!("The release had failed before: {}.", first.cause));
    let told = [&*release, &lower(&release), "what is already there"];
    out_of_sight(continuation, (since, why), told, first)
}

/// There is no access to the cluster. `source` is where it should come from.
pub fn access_lost(
    request: &ReleaseRequest,
    phase: &Phase,
    error: &CredentialsError,
    source: &CredentialSource,
) -> Report {
    let release = the_release(request);
    let cause = match (first_failure(phase), phase) {
        (Some(first), _) => Some(format!(
            "{release} failed: {}. Its rollback was not completed; a retry of the stage starts \
             from what is there.",
            first.cause
        )),
        (None, Phase::Start) => None,
        (None, _) => Some(format!(
            "{release} was begun. What was written continues, but is no longer followed."
        )),
    };
    no_access(error, source, cause)
}
