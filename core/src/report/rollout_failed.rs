//! A rollout or a switch that failed: the cause, what was done about it, what is to be done.

use super::cause::{self, CAUSE_QUOTE_LIMIT};
use super::client::{Client, placed};
use super::model::{HEADLINE_LIMIT, MESSAGE_LIMIT, NEXT_LIMIT, PARAGRAPH, Report, fail, target};
use super::{again, alarms, handbook, outage, present, route};
use crate::outcome::{CredentialSource, FailureCode, FailureType};
use crate::request::Request;
use crate::state::continuation::Reason;
use crate::strategy::causes::{RolloutCause, RolloutFailure};
use crate::strategy::{CandidateState, RollbackResult, TrafficState};
use crate::text::clip;
use crate::workload::Kind;
use crate::workload::health::diagnosis::{Cause, Evidence};
use crate::workload::health::rollout::serving::Serving;

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
        Reason::Route => (FailureCode::Route, FailureType::JobFailed),
        Reason::Time => (FailureCode::NoProgress, FailureType::JobFailed),
        Reason::Changed => (FailureCode::OutOfSync, FailureType::JobFailed),
        Reason::Selector | Reason::Overtaken => {
            (FailureCode::OutOfSync, FailureType::RevisionOutOfSync)
        }
        Reason::Unobserved => (
            FailureCode::ControllerSilent,
            FailureType::SystemUnavailable,
        ),
        Reason::Paused => (FailureCode::Paused, FailureType::JobFailed),
        Reason::NoNode => (FailureCode::NoNode, FailureType::JobFailed),
        Reason::Alarm => (FailureCode::Alarm, FailureType::JobFailed),
        Reason::AlarmsUnreadable => (
            FailureCode::AlarmsUnreadable,
            FailureType::SystemUnavailable,
        ),
        Reason::Job => (FailureCode::JobFailed, FailureType::JobFailed),
        Reason::NotReady => (FailureCode::ObjectNotReady, FailureType::JobFailed),
        Reason::Deleted => (FailureCode::Deleted, FailureType::JobFailed),
        Reason::Conflict => (FailureCode::Conflict, FailureType::ConfigurationError),
        Reason::Timeout => (FailureCode::ReleaseTimedOut, FailureType::JobFailed),
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
    source: &CredentialSource,
) -> Report {
    let (code, failure_type) = what_failed(failure.kind, failure.reason);
    let code = Client::of(source).code(code);
    let cause = cause::cause(&failure.cause, cause::NEW);
    let mut evidence = failure.evidence.clone();
    let traffic = failure.traffic.as_ref().map(TrafficState::sentence);
    evidence.pods.extend(traffic);
    evidence.pods.extend(alarms::graph(&failure.cause));
    let evidence = &evidence;
    let done = done_about(request, evidence, rollback_result);
    let next = match (&failure.cause, rollback_result) {
        (RolloutCause::ScaledToZero(name), RollbackResult::NothingWritten) => format!(
            "Scale it up again (`kubectl --namespace {} scale deployment/{name} --replicas 1`), \
             then retry the stage.",
            request.namespace
        ),
        (_, RollbackResult::Unswitched(..)) if failure.kind.is_some_and(Cause::is_of_room) => {
            let next = next_after(request, code, rollback_result);
            format!("{next} The new version needs room beside the one that serves.")
        }
        _ => next_after(request, code, rollback_result),
    };
    let next = placed(&next, source);
    let headline = match code == FailureCode::ControllerSilent {
        true => format!(
            "The new version of {} was not rolled out: {cause}.",
            target(request)
        ),
        false if has_failed_as_canary(request, rollback_result) => {
            format!("The canary of {} failed: {cause}.", target(request))
        }
        false if matches!(code, FailureCode::Alarm | FailureCode::AlarmsUnreadable) => {
            format!("The deploy of {} failed: {cause}.", target(request))
        }
        false if request.kind.ends() => format!("{} failed: {cause}.", target(request)),
        false if evidence.ready > 0 && is_of_rolling(rollback_result) => {
            format!(
                "The rollout of {} was not completed: {cause}.",
                target(request)
            )
        }
        false => headline(&target(request), &cause, rollback_result),
    };
    let headline = outage::first(request, headline, evidence, rollback_result);
    failed_rollout(
        (code, failure_type),
        &headline,
        "",
        evidence,
        &format!("{done}\n{next}"),
    )
}

/// Whether a canary failed before its Service was switched.
fn has_failed_as_canary(request: &Request, rollback_result: &RollbackResult) -> bool {
    let is_one = matches!(
        rollback_result,
        RollbackResult::Unswitched(..)
            | RollbackResult::ShareUnconfirmed(..)
            | RollbackResult::NoWayBack
            | RollbackResult::ServiceGone(Some(_), _)
    );
    request.strategy.canary().is_some() && is_one
}

/// What was done about it.
pub(super) fn done_about(
    request: &Request,
    evidence: &Evidence,
    rollback_result: &RollbackResult,
) -> String {
    match rollback_result {
        RollbackResult::RollbackDisabled => format!(
            "It was left as it is, because `rollback` is false{}.",
            outage::still_serving(evidence.serving)
        ),
        RollbackResult::NothingWritten => {
            "It already ran this version before the job began, so nothing was changed or rolled \
             back."
                .to_owned()
        }
        RollbackResult::NothingToRollBackTo => {
            "No earlier version served, so there is none to roll back to; it was left as it is."
                .to_owned()
        }
        RollbackResult::NothingServed => {
            "It was left as it is: the previous version did not serve either.".to_owned()
        }
        RollbackResult::PreviousGone(set) => format!(
            "It was left as it is: {} `{set}` of the previous version no longer exists \
             (revisionHistoryLimit).",
            request.kind.row().versions.resource.kind
        ),
        RollbackResult::NotRolledBack(revision, why) => format!(
            "It was left as it is: revision {revision} could not be restored: {}.",
            clip(why, CAUSE_QUOTE_LIMIT)
        ),
        RollbackResult::RolledBack(version) => {
            format!("Rolled back: {} serves again.", outage::named(version))
        }
        RollbackResult::RollbackFailed(version, why) => {
            outage::rollback_failed(version, why, evidence.serving)
        }
        RollbackResult::Paused => {
            "It was left as it is: someone paused it, and a rollback would override that."
                .to_owned()
        }
        RollbackResult::Outgrown(wanted) => outage::outgrown(request.kind, *wanted),
        RollbackResult::OvertakenBy(by) => match by {
            Some(execution) => format!("Execution `{execution}` has deployed since."),
            None => format!(
                "Someone else has changed it since, so it was left as it is{}.",
                outage::still_serving(evidence.serving)
            ),
        },
        RollbackResult::Deleted => "It was deleted during the rollback.".to_owned(),
        RollbackResult::ServiceGone(share, candidate) => {
            present::service_gone(request, *share, &fate(request, candidate))
        }
        RollbackResult::Unswitched(..)
        | RollbackResult::SwitchedBack(..)
        | RollbackResult::LeftSwitched
        | RollbackResult::NoWayBack
        | RollbackResult::ShareUnconfirmed(..)
        | RollbackResult::SwitchRollbackFailed(_) => {
            of_switch(request, evidence.serving, rollback_result)
        }
    }
}

/// What to do next.
pub(super) fn next_after(
    request: &Request,
    code: FailureCode,
    rollback_result: &RollbackResult,
) -> String {
    let (namespace, name) = (&request.namespace, &request.deployment);
    let row = request.kind.row();
    let (kind, versions) = (row.names[0], row.versions.resource.kind.to_lowercase());
    let help = again::after(code);
    if code == FailureCode::ControllerSilent {
        return help.to_owned();
    }
    match rollback_result {
        RollbackResult::RolledBack(_)
        | RollbackResult::NothingWritten
        | RollbackResult::Unswitched(..)
        | RollbackResult::SwitchedBack(..) => help.to_owned(),
        RollbackResult::ServiceGone(Some(share), _) => {
            present::make_anew(request, *share, code, help)
        }
        RollbackResult::Outgrown(_) => format!(
            "Provide room{}: Kubernetes then completes the rollout by itself. \
             Retry the stage to see that it did. To go back instead: `kubectl --namespace \
             {namespace} rollout undo {kind}/{name}`.",
            match request.kind {
                Kind::DaemonSet => "",
                Kind::Deployment | Kind::StatefulSet | Kind::Job => ", or scale it down",
            }
        ),
        RollbackResult::Paused => format!(
            "Find out who paused it and why; then `kubectl --namespace {namespace} rollout \
             resume deployment/{name}` continues the rollout of the new version; `kubectl \
             --namespace {namespace} rollout undo deployment/{name}` after that restores the \
             previous version."
        ),
        RollbackResult::ShareUnconfirmed(name, _) => {
            let see = route::see(request);
            format!("{help} {see} `{name}` goes with the next canary.")
        }
        RollbackResult::RollbackDisabled
        | RollbackResult::NothingToRollBackTo
        | RollbackResult::NothingServed
        | RollbackResult::PreviousGone(_)
        | RollbackResult::NotRolledBack(..)
        | RollbackResult::RollbackFailed(..)
        | RollbackResult::OvertakenBy(_)
        | RollbackResult::Deleted
        | RollbackResult::ServiceGone(None, _)
        | RollbackResult::LeftSwitched
        | RollbackResult::NoWayBack
        | RollbackResult::SwitchRollbackFailed(_) => match request.strategy.switch() {
            Some(switch) => format!(
                "{help} See what runs with \
                 `kubectl --namespace {namespace} get deployment,pod`, and what is served \
                 with `kubectl --namespace {namespace} describe service/{}`.",
                switch.service
            ),
            None if request.kind.ends() => format!(
                "{help} See what it says of itself with `kubectl --namespace {namespace} describe \
                 job/{name}`."
            ),
            None => format!(
                "{help} See what runs with `kubectl --namespace {namespace} get {kind},{versions},\
                 pod`, and `kubectl --namespace {namespace} rollout history {kind}/{name}`."
            ),
        },
    }
}

/// What happened to what, and why.
pub(super) fn headline(target: &str, cause: &str, rollback_result: &RollbackResult) -> String {
    match rollback_result {
        RollbackResult::Unswitched(..) | RollbackResult::ShareUnconfirmed(..) => {
            format!("The new version of {target} was not put into service: {cause}.")
        }
        RollbackResult::SwitchedBack(..) => {
            format!("The new version of {target} was taken out of service again: {cause}.")
        }
        RollbackResult::LeftSwitched | RollbackResult::NoWayBack => {
            format!("The deploy of {target} failed after its Service was switched: {cause}.")
        }
        RollbackResult::Paused | RollbackResult::Outgrown(_) => {
            format!("The rollout of {target} was not completed: {cause}.")
        }
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
        | RollbackResult::ServiceGone(..)
        | RollbackResult::SwitchRollbackFailed(_) => {
            format!("The new version of {target} does not serve: {cause}.")
        }
    }
}

/// Whether some pods of the new version may serve: it was not switched, and not put away since.
fn is_of_rolling(rollback_result: &RollbackResult) -> bool {
    !matches!(
        rollback_result,
        RollbackResult::Unswitched(..)
            | RollbackResult::ShareUnconfirmed(..)
            | RollbackResult::ServiceGone(..)
            | RollbackResult::SwitchedBack(..)
            | RollbackResult::LeftSwitched
            | RollbackResult::NoWayBack
            | RollbackResult::SwitchRollbackFailed(_)
    )
}

/// What became of the candidate.
fn fate(request: &Request, candidate: &CandidateState) -> String {
    match candidate {
        CandidateState::Gone => "No pod of the new version is left.".to_owned(),
        CandidateState::ScaledDown(name) => format!("`{name}` was scaled to zero."),
        CandidateState::Left(name) if request.rollback => format!("`{name}` was left as it is."),
        CandidateState::Left(name) => {
            format!("`{name}` was left as it is, because `rollback` is false.")
        }
    }
}

/// What became of a Service and of the candidate.
fn of_switch(
    request: &Request,
    serving: Option<Serving>,
    rollback_result: &RollbackResult,
) -> String {
    let switch = request.strategy.switch();
    let service = switch.map_or("", |switch| &*switch.service);
    let is_outage = serving.is_some_and(|serving| serving.is_outage());
    let leads_to = match is_outage {
        true => "selects",
        false => "routes to",
    };
    if let RollbackResult::Unswitched(end, ..) = rollback_result {
        let end = fate(request, end);
        if is_outage {
            return format!("Service `{service}` was not switched. {end}");
        }
        let route = route::unweighted(request);
        return format!("Service `{service}` still routes to the previous version{route}. {end}");
    }
    if let RollbackResult::SwitchedBack(old, end) = rollback_result {
        let end = fate(request, end);
        return format!("Service `{service}` {leads_to} `{old}` again. {end}");
    }
    if let RollbackResult::ShareUnconfirmed(name, waited) = rollback_result {
        let unconfirmed = route::unconfirmed(request, *waited);
        return format!(
            "Service `{service}` still routes to the previous version. {unconfirmed}, so `{name}` \
             may still get a share, and was left up."
        );
    }
    if let RollbackResult::SwitchRollbackFailed(name) = rollback_result {
        return format!(
            "Service `{service}` {leads_to} the previous version, but `{name}` could not be \
             cleaned up in time."
        );
    }
    let why = match request.rollback {
        false => "because `rollback` is false",
        true => "because the previous version has fewer pods available and cannot take over again",
    };
    format!("Service `{service}` still {leads_to} the new version, {why}.")
}

/// A failure with what came of it and as much evidence as there is room for.
pub(super) fn failed_rollout(
    (code, failure_type): (FailureCode, FailureType),
    headline: &str,
    also: &str,
    evidence: &Evidence,
    next: &str,
) -> Report {
    let also = clip(also, HEADLINE_LIMIT);
    let next = &handbook::with_section(next, code, NEXT_LIMIT);
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
    fail(code, failure_type, headline, lines.as_slice(), next)
}
