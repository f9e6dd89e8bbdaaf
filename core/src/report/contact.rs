//! Calls that failed for good, a cluster out of sight, and access that was lost.

use super::client::{Client, placed};
use super::model::{Explanation, NEXT_LIMIT, Report, fail, target};
use super::rollout_failed::{failed_rollout, roles, what_failed};
use super::{access, handbook, kubeconfig, odd, outage, refusal, unreachable};
use crate::kubernetes::call::Call;
use crate::kubernetes::{CallError, Refusal};
use crate::outcome::{CredentialSource, CredentialsError, FailureCode, FailureType};
use crate::request::{Request, located};
use crate::state::continuation::{Continuation, Phase, ReleasePhase};
use crate::state::marks;
use crate::strategy::TrafficState;
use crate::text::quote;
use crate::workload::health::diagnosis::Evidence;
use jiff::Timestamp;

/// A call to the cluster failed for good.
pub fn call_failed(
    request: &Request,
    continuation: &Continuation,
    call: &Call,
    error: &CallError,
    present: Option<&TrafficState>,
    source: &CredentialSource,
) -> Report {
    let phase = &continuation.phase;
    let target = target(request);
    let first = |headline| outage::told(request, present.map(TrafficState::serving), headline);
    let now = present.map(TrafficState::sentence);
    let done = done_at(&target, continuation, call, error);
    let mut explained = explained(request, call, error, source);
    let client = Client::of(source);
    complete(&mut explained, continuation, error, source);
    let also = format!("{done}: {}.", explained.reason);
    let told = access::evidence(error, source);
    let beside = told.into_iter().chain(now).collect::<Vec<_>>();
    match first_cause(&target, phase, call.body.as_ref()) {
        // The rollout failed before the call did, and that is what the deploy failed of.
        Some(cause) => {
            let (failed, seen) = match phase {
                Phase::Rollback(rollback) => (
                    what_failed(rollback.failure.kind, None),
                    rollback.failure.evidence.clone(),
                ),
                Phase::SwitchRollback(back) => {
                    (what_failed(back.kind, back.reason), back.evidence.clone())
                }
                Phase::Release(ReleasePhase {
                    way_back: Some((back, _)),
                    ..
                }) => (what_failed(back.kind, back.reason), back.evidence.clone()),
                Phase::Start | Phase::Rollout(_) | Phase::Switch | Phase::Release(_) => {
                    (what_failed(None, None), Evidence::default())
                }
            };
            let failed = (client.code(failed.0), failed.1);
            let also = [also].into_iter().chain(beside);
            failed_before(failed, &first(cause), also.collect(), &seen, &explained)
        }
        None => fail(
            explained.code,
            explained.failure_type,
            &first(also),
            &beside,
            &explained.next_step,
        ),
    }
}

/// The deploy failed before the call did, whose refusal comes with the section that helps there.
pub(super) fn failed_before(
    failed: (FailureCode, FailureType),
    headline: &str,
    also: Vec<String>,
    seen: &Evidence,
    call: &Explanation,
) -> Report {
    let next = handbook::with_two_sections(&call.next_step, call.code, failed.0, NEXT_LIMIT);
    failed_rollout(failed, headline, &also.join("\n"), seen, &next)
}

/// Adds to an explanation since when the cluster has been unreachable, and how another token is
/// stored where this one was refused.
pub(super) fn complete(
    explained: &mut Explanation,
    continuation: &Continuation,
    error: &CallError,
    source: &CredentialSource,
) {
    if let (CallError::Unreachable(_), Some(since)) = (error, continuation.unreachable_since) {
        explained.reason += &format!(", repeatedly since {since:.0}");
    }
    if let CallError::Refused(refusal) = error
        && explained.code == Client::of(source).code(FailureCode::TokenRefused)
    {
        let life = refusal.token.as_ref().map(|token| token.life);
        explained.next_step = access::store_another(source, life);
    }
}

/// Why a call of a deploy failed. A fault of the manifest is shown where it stands there.
fn explained(
    request: &Request,
    call: &Call,
    error: &CallError,
    source: &CredentialSource,
) -> Explanation {
    let what = call.permission().to_string();
    explanation(error, &what, source).unwrap_or_else(|refusal| {
        let namespace = &request.namespace;
        let told = refusal::told(refusal, call, &what, namespace, roles(request), source);
        match &request.manifest {
            Some(manifest) if refusal.cause() == refusal::RefusalCause::Object => {
                match located(&refusal.message, manifest) {
                    Some(place) => Explanation {
                        next_step: format!("{place} Correct it, then release the change again."),
                        ..told
                    },
                    None => told,
                }
            }
            Some(_) | None => told,
        }
    })
}

/// What the failed call leaves undone.
fn done_at(target: &str, continuation: &Continuation, call: &Call, error: &CallError) -> String {
    let lost = continuation.unsure || call.changes() && error.may_have_been_done();
    match &continuation.phase {
        // A write whose answer was lost may have been performed.
        Phase::Start if lost => {
            format!("It is not known whether {target} was changed")
        }
        Phase::Start => format!("{target} was not changed"),
        Phase::Rollout(_) if call.verb.writes() => format!("{target} could not be rolled back"),
        Phase::Rollout(_) => format!("The rollout of {target} could not be followed to its end"),
        Phase::Rollback(_) => format!("The rollback of {target} could not be followed to its end"),
        Phase::Switch => format!("The switch to the new version of {target} was not completed"),
        Phase::SwitchRollback(_) => {
            format!("The failed switch of {target} could not be rolled back")
        }
        Phase::Release(_) => format!("The release of {target} was not completed"),
    }
}

/// Why a call failed that was to do `what`, where the access comes from `source`; a refusal is
/// given back.
pub fn explanation<'a>(
    error: &'a CallError,
    what: &str,
    source: &CredentialSource,
) -> Result<Explanation, &'a Refusal> {
    let (code, failure_type, reason, next_step) = match error {
        CallError::Refused(refusal) => return Err(refusal),
        CallError::Unreachable(unreached) => {
            return Ok(unreachable::explained(unreached, source));
        }
        CallError::Untrusted(untrusted) => {
            return Ok(unreachable::not_trusted(untrusted, source));
        }
        CallError::NotKubernetes(odd) => (
            FailureCode::NotKubernetes,
            FailureType::ConfigurationError,
            format!(
                "{}: {}",
                placed(
                    "the answer at K8S_CLUSTER is not a Kubernetes API server's",
                    source
                ),
                odd::what(odd)
            ),
            odd::next(odd),
        ),
        CallError::Kept(kept) => (
            FailureCode::ObjectRefused,
            FailureType::ConfigurationError,
            odd::kept(kept),
            odd::UNKEPT,
        ),
        CallError::OutOfTime => (
            FailureCode::OutOfTime,
            FailureType::SystemUnavailable,
            format!("there was no time left to {what}"),
            "Retry the stage; if this happens again, raise the function's timeout.",
        ),
    };
    Ok(Explanation {
        code,
        failure_type,
        reason,
        next_step: placed(next_step, source),
    })
}

/// Why the new version failed, where the trouble came with its rollback or the writing of that.
fn first_cause(target: &str, phase: &Phase, written: Option<&serde_json::Value>) -> Option<String> {
    let cause = match phase {
        Phase::Start | Phase::Switch => return None,
        Phase::Release(release) => &release.way_back.as_ref()?.0.cause,
        Phase::Rollback(rollback) => &rollback.failure.cause,
        Phase::SwitchRollback(back) => &back.cause,
        Phase::Rollout(_) => {
            let mut operations = written?.as_array()?.iter();
            operations.find(|operation| operation["path"] == marks::CAUSE_PATH)?["value"]
                .as_str()?
        }
    };
    // A version that was switched to may serve, and fail of what comes after that.
    Some(match matches!(phase, Phase::SwitchRollback(_)) {
        true => format!("The switch to the new version of {target} failed: {cause}."),
        false => format!("The new version of {target} does not serve: {cause}."),
    })
}

/// The cluster did not answer for too long.
pub fn lost_sight(
    request: &Request,
    continuation: &Continuation,
    since: Timestamp,
    why: &str,
) -> Report {
    let target = target(request);
    let cause = first_cause(&target, &continuation.phase, None);
    let deploy = format!("the deploy of {target}");
    let told = [&*target, &deploy, "a version that is already there"];
    out_of_sight(continuation, (since, why), told, cause)
}

/// The cluster has been silent for too long: what is deployed, by what, and what is not written
/// again. `cause` is why the deploy had failed before that.
pub(super) fn out_of_sight(
    continuation: &Continuation,
    (since, why): (Timestamp, &str),
    [target, deploy, there]: [&str; 3],
    cause: Option<String>,
) -> Report {
    let why = quote(why);
    let said = format!("the cluster has not answered since {since:.0} ({why})");
    let (headline, next) = match continuation.has_begun() {
        false => (
            format!("{target} was not changed: {said}."),
            "Nothing was written. Retry the stage when the cluster answers.".to_owned(),
        ),
        true => (
            format!("Lost contact with the cluster during {deploy}: {said}."),
            format!(
                "What was written continues in the cluster. Retry the stage when the cluster \
                 answers: {there} is not written again."
            ),
        ),
    };
    let (code, failure_type) = (FailureCode::OutOfSight, FailureType::SystemUnavailable);
    fail(code, failure_type, &headline, cause.as_slice(), &next)
}

/// There is no access to the cluster. `source` is where it should come from. In the middle of a
/// deploy its first cause, if there is one, is told as well.
pub fn access_lost(
    request: &Request,
    phase: &Phase,
    error: &CredentialsError,
    source: &CredentialSource,
) -> Report {
    let target = target(request);
    let cause = first_cause(&target, phase, None).or_else(|| {
        (*phase != Phase::Start).then(|| {
            format!(
                "The new version of {target} was written. Its rollout continues, but is no longer \
                 followed."
            )
        })
    });
    no_access(error, source, cause)
}

/// There is no access to the cluster, and what became of the deploy.
pub(super) fn no_access(
    error: &CredentialsError,
    source: &CredentialSource,
    cause: Option<String>,
) -> Report {
    if let CredentialsError::Kubeconfig(error) = error {
        return kubeconfig::unusable(error, source, cause);
    }
    let headline = format!("There is no access to the cluster: {error}.");
    let kept = access::kept(source);
    let evidence = cause.into_iter().chain([kept]).collect::<Vec<_>>();
    fail(
        error.code(),
        error.kind(),
        &headline,
        &evidence,
        &access::next(error, source),
    )
}
