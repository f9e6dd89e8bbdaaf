//! Calls of a release that failed for good, a cluster out of sight, and access that was lost.

use super::super::contact::{complete, explanation, no_access, out_of_sight, silence};
use super::super::model::{Explanation, NEXT_LIMIT, Report, fail};
use super::super::rollout_failed::{failed_rollout, what_failed};
use super::super::{access, handbook, refusal};
use super::failure::ROLES;
use super::naming::the_release;
use super::own_webhook;
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::outcome::{CredentialSource, CredentialsError, FailureCode};
use crate::request::release::ReleaseRequest;
use crate::state::continuation::{Continuation, Phase, RecordedFailure, ReleasePhase};
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
            let (code, failure_type) = what_failed(first.kind, first.reason);
            let also = format!("Its rollback was not completed: {why}.");
            let also = [also].into_iter().chain(told).collect::<Vec<_>>();
            let Explanation {
                code: of_call,
                next_step,
                ..
            } = &explained;
            let next = handbook::with_two_sections(next_step, *of_call, code, NEXT_LIMIT);
            failed_rollout(
                (code, failure_type),
                &headline,
                &also.join("\n"),
                &first.evidence,
                &next,
            )
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

/// What is said of a way back that was cut off.
const LEFT: &str = "Its rollback was not completed; a retry of the stage starts from what is \
    there.";

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
    match phase {
        Phase::Release(ReleasePhase {
            way_back: Some((failure, _)),
            ..
        }) => Some(failure),
        Phase::Start
        | Phase::Rollout(_)
        | Phase::Rollback(_)
        | Phase::Switch
        | Phase::SwitchRollback(_)
        | Phase::Release(_) => None,
    }
}

fn explained(
    request: &ReleaseRequest,
    call: &Call,
    error: &CallError,
    source: &CredentialSource,
) -> Explanation {
    let what = match call.name() {
        Some(name) => format!("{} {} `{name}`", call.verb.rbac(), call.resource),
        None => format!("{} {}", call.verb.rbac(), call.resource),
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
    let phase = &continuation.phase;
    let release = the_release(request);
    let said = silence(since, why);
    let first = first_failure(phase);
    let first = first.map(|first| format!("The release had failed before: {}.", first.cause));
    let (headline, next) = match phase {
        Phase::Start if !continuation.unsure => (
            format!("{release} was not changed: {said}."),
            "Nothing was written. Retry the stage when the cluster answers.",
        ),
        Phase::Start
        | Phase::Rollout(_)
        | Phase::Rollback(_)
        | Phase::Switch
        | Phase::SwitchRollback(_)
        | Phase::Release(_) => (
            format!(
                "Lost contact with the cluster during {}: {said}.",
                lower(&release)
            ),
            "What was written continues in the cluster. Retry the stage when the cluster answers: \
             what is already there is not written again.",
        ),
    };
    out_of_sight(&headline, first, next)
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
        (Some(first), _) => Some(format!("{release} failed: {}. {LEFT}", first.cause)),
        (None, Phase::Start) => None,
        (None, _) => Some(format!(
            "{release} was begun. What was written continues, but is no longer followed."
        )),
    };
    no_access(error, source, cause)
}
