//! A rollout or a switch that failed: the cause, what was done about it, what is to be done.

use super::cause::{self, CAUSE_QUOTE_LIMIT};
use super::model::{HEADLINE_LIMIT, MESSAGE_LIMIT, NEXT_LIMIT, PARAGRAPH, Report, fail, target};
use super::{again, handbook, outage, present};
use crate::outcome::{FailureCode, FailureType};
use crate::request::Request;
use crate::state::continuation::Reason;
use crate::strategy::causes::RolloutFailure;
use crate::strategy::{CandidateState, RollbackResult};
use crate::text::clip;
use crate::workload::health::diagnosis::{Cause, Evidence};

/// What a rollout or a switch failed of.
pub(super) fn what_failed(
    cause: Option<Cause>,
    reason: Option<Reason>,
) -> (FailureCode, FailureType) {
    let Some(reason) = reason else {
        return (FailureCode::of(cause), FailureType::JobFailed);
    };
    match reason {
        Reason::Refused(401) => (FailureCode::TokenRefused, FailureType::PermissionError),
        Reason::Refused(403) => (FailureCode::Forbidden, FailureType::PermissionError),
        Reason::Refused(400 | 422) => (FailureCode::ObjectRefused, FailureType::ConfigurationError),
        Reason::Refused(_) => (FailureCode::ClusterUnavailable, FailureType::JobFailed),
        Reason::TokenLost => (FailureCode::TokenLost, FailureType::PermissionError),
        Reason::Quota => (FailureCode::Quota, FailureType::ConfigurationError),
        Reason::Policy => (FailureCode::Policy, FailureType::ConfigurationError),
        Reason::Webhook => (FailureCode::Webhook, FailureType::SystemUnavailable),
        Reason::NamespaceEnding => (FailureCode::BeingDeleted, FailureType::ConfigurationError),
        Reason::Object => (FailureCode::ObjectRefused, FailureType::ConfigurationError),
        Reason::Smoke => (FailureCode::Smoke, FailureType::JobFailed),
        Reason::Endpoints => (FailureCode::Endpoints, FailureType::JobFailed),
        Reason::Time => (FailureCode::NoProgress, FailureType::JobFailed),
        Reason::Changed => (FailureCode::OutOfSync, FailureType::JobFailed),
        Reason::Selector => (FailureCode::OutOfSync, FailureType::RevisionOutOfSync),
        Reason::Unobserved => (
            FailureCode::ControllerSilent,
            FailureType::SystemUnavailable,
        ),
        Reason::Paused => (FailureCode::Paused, FailureType::JobFailed),
    }
}

/// The files that have all verbs which the request needs.
pub(super) fn roles(request: &Request) -> &'static str {
    match request.strategy.switch() {
        Some(_) => "deploy/rbac.yaml and deploy/rbac-switching.yaml have",
        None => "deploy/rbac.yaml has",
    }
}

pub(super) fn rollout_failed(
    request: &Request,
    failure: &RolloutFailure,
    rollback_result: &RollbackResult,
) -> Report {
    let (failure_code, kind) = what_failed(failure.kind, failure.reason);
    let cause = cause::cause(&failure.cause, cause::NEW);
    let evidence = &failure.evidence;
    let done = done_about(request, evidence, rollback_result);
    let next = next_after(request, failure_code, rollback_result);
    let headline = match failure_code == FailureCode::ControllerSilent {
        true => format!(
            "The new version of {} was not rolled out: {cause}.",
            target(request)
        ),
        false => headline(&target(request), &cause, rollback_result),
    };
    let headline = outage::first(request, headline, evidence, rollback_result);
    failed_rollout(
        (failure_code, kind),
        &headline,
        "",
        evidence,
        &format!("{done}\n{next}"),
    )
}

/// What was done about it.
pub(super) fn done_about(
    request: &Request,
    evidence: &Evidence,
    rollback_result: &RollbackResult,
) -> String {
    match rollback_result {
        RollbackResult::RollbackDisabled => {
            "It was left as it is, as `rollback` is false.".to_owned()
        }
        RollbackResult::NothingWritten => {
            "It ran this version before the job began, so nothing was changed or taken back."
                .to_owned()
        }
        RollbackResult::NothingToRollBackTo => {
            "No other version served before, so there is none to return to; it was left as it is."
                .to_owned()
        }
        RollbackResult::NothingServed => {
            "It was left as it is: the version before did not serve either.".to_owned()
        }
        RollbackResult::PreviousGone(set) => format!(
            "It was left as it is: ReplicaSet `{set}`, which served before, is gone \
             (revisionHistoryLimit)."
        ),
        RollbackResult::NotRolledBack(revision, why) => format!(
            "It was left as it is: the version of revision {revision} could not be brought back: \
             {}.",
            clip(why, CAUSE_QUOTE_LIMIT)
        ),
        RollbackResult::RolledBack(version) => {
            format!("Rolled back: {} serves again.", outage::named(version))
        }
        RollbackResult::RollbackFailed(version, why) => {
            outage::rollback_failed(version, why, evidence.serving)
        }
        RollbackResult::Paused => {
            "It was left as it is: somebody paused it, and a rollback would go \
                              over that."
                .to_owned()
        }
        RollbackResult::OvertakenBy(by) => match by {
            Some(execution) => format!("Execution `{execution}` has deployed since."),
            None => "Someone else has changed it since, so that it was left as it is.".to_owned(),
        },
        RollbackResult::Deleted => {
            "It was deleted while the previous version was brought back.".to_owned()
        }
        RollbackResult::ServiceGone => present::SERVICE_GONE.to_owned(),
        RollbackResult::Unswitched(_)
        | RollbackResult::SwitchedBack(..)
        | RollbackResult::LeftSwitched
        | RollbackResult::NoWayBack
        | RollbackResult::SwitchRollbackFailed(_) => of_switch(request, rollback_result),
    }
}

/// What to do next.
pub(super) fn next_after(
    request: &Request,
    failure_code: FailureCode,
    rollback_result: &RollbackResult,
) -> String {
    let (namespace, name) = (&request.namespace, &request.deployment);
    let help = again::after(failure_code);
    if failure_code == FailureCode::ControllerSilent {
        return help.to_owned();
    }
    match rollback_result {
        RollbackResult::RolledBack(_)
        | RollbackResult::NothingWritten
        | RollbackResult::Unswitched(_)
        | RollbackResult::SwitchedBack(..) => help.to_owned(),
        RollbackResult::Paused => format!(
            "Find out who paused it and why; then `kubectl --namespace {namespace} rollout \
             resume deployment/{name}` lets the new version go on, and `kubectl --namespace \
             {namespace} rollout undo deployment/{name}` after that brings the one before back."
        ),
        RollbackResult::RollbackDisabled
        | RollbackResult::NothingToRollBackTo
        | RollbackResult::NothingServed
        | RollbackResult::PreviousGone(_)
        | RollbackResult::NotRolledBack(..)
        | RollbackResult::RollbackFailed(..)
        | RollbackResult::OvertakenBy(_)
        | RollbackResult::Deleted
        | RollbackResult::ServiceGone
        | RollbackResult::LeftSwitched
        | RollbackResult::NoWayBack
        | RollbackResult::SwitchRollbackFailed(_) => match request.strategy.switch() {
            Some(switch) => format!(
                "{help} See what runs with \
                 `kubectl --namespace {namespace} get deployment,pod`, and what is served \
                 with `kubectl --namespace {namespace} describe service/{}`.",
                switch.service
            ),
            None => format!(
                "{help} See what runs with `kubectl --namespace {namespace} get \
                 deployment,replicaset,pod`, and `kubectl --namespace {namespace} rollout history \
                 deployment/{name}`."
            ),
        },
    }
}

/// What happened to what, and why.
pub(super) fn headline(target: &str, cause: &str, rollback_result: &RollbackResult) -> String {
    match rollback_result {
        RollbackResult::Unswitched(_) | RollbackResult::ServiceGone => {
            format!("The new version of {target} was not put into service: {cause}.")
        }
        RollbackResult::SwitchedBack(..) => {
            format!("The new version of {target} was taken out of service again: {cause}.")
        }
        RollbackResult::LeftSwitched | RollbackResult::NoWayBack => {
            format!("The deploy of {target} failed after its Service was switched: {cause}.")
        }
        RollbackResult::Paused => format!("The rollout of {target} was not completed: {cause}."),
        RollbackResult::RollbackDisabled
        | RollbackResult::NothingWritten
        | RollbackResult::NothingToRollBackTo
        | RollbackResult::NothingServed
        | RollbackResult::PreviousGone(_)
        | RollbackResult::NotRolledBack(..)
        | RollbackResult::RolledBack(_)
        | RollbackResult::RollbackFailed(..)
        | RollbackResult::OvertakenBy(_)
        | RollbackResult::Deleted
        | RollbackResult::SwitchRollbackFailed(_) => {
            format!("The new version of {target} does not serve: {cause}.")
        }
    }
}

/// What became of a Service and of the candidate.
pub(super) fn of_switch(request: &Request, rollback_result: &RollbackResult) -> String {
    let service = request
        .strategy
        .switch()
        .map_or("", |switch| &*switch.service);
    let fate = |fate: &CandidateState| match fate {
        CandidateState::Gone => "No pod of the new version is left.".to_owned(),
        CandidateState::ScaledDown(name) => format!("`{name}` was scaled to zero."),
        CandidateState::Left(name) if request.rollback => format!("`{name}` was left as it is."),
        CandidateState::Left(name) => {
            format!("`{name}` was left as it is, as `rollback` is false.")
        }
    };
    if let RollbackResult::Unswitched(end) = rollback_result {
        let end = fate(end);
        return format!("Service `{service}` sends to the version before, as all along. {end}");
    }
    if let RollbackResult::SwitchedBack(old, end) = rollback_result {
        return format!("Service `{service}` sends to `{old}` again. {}", fate(end));
    }
    if let RollbackResult::SwitchRollbackFailed(name) = rollback_result {
        return format!(
            "Service `{service}` sends to the version before, but `{name}` could not be cleared \
             away in time."
        );
    }
    let why = match request.rollback {
        false => "as `rollback` is false",
        true => "as the version before has fewer pods available and cannot take over again",
    };
    format!("Service `{service}` was left sending to the new version, {why}.")
}

/// A failure with what came of it and as much evidence as there is room for.
pub(super) fn failed_rollout(
    (failure_code, kind): (FailureCode, FailureType),
    headline: &str,
    also: &str,
    evidence: &Evidence,
    next: &str,
) -> Report {
    let also = clip(also, HEADLINE_LIMIT);
    let next = &handbook::with_section(next, failure_code, NEXT_LIMIT);
    let taken = [
        headline.len().min(HEADLINE_LIMIT),
        also.len(),
        next.len().min(NEXT_LIMIT),
        3 * PARAGRAPH.len(),
    ];
    let text = evidence.text(MESSAGE_LIMIT - taken.iter().sum::<usize>());
    let parts = [also, text].into_iter().filter(|part| !part.is_empty());
    let lines = parts.collect::<Vec<_>>().join(PARAGRAPH);
    let lines = Some(lines).filter(|lines| !lines.is_empty());
    fail(failure_code, kind, headline, lines.as_slice(), next)
}
