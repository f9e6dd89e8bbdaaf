//! A rollout or a switch that failed: the cause, what was done about it, what is to be done.

use super::model::{HEADLINE_LIMIT, MESSAGE_LIMIT, NEXT_LIMIT, PARAGRAPH, Report, fail, target};
use super::{again, handbook, outage, present};
use crate::outcome::{Kind, Topic};
use crate::request::Request;
use crate::state::continuation::Reason;
use crate::strategy::causes::CAUSE_QUOTE_LIMIT;
use crate::strategy::{Aftermath, Fate};
use crate::text::clip;
use crate::workload::health::diagnosis::{Cause, Evidence};

/// What a rollout or a switch failed of.
pub(super) fn what_failed(cause: Option<Cause>, reason: Option<Reason>) -> (Topic, Kind) {
    let Some(reason) = reason else {
        return (Topic::of(cause), Kind::JobFailed);
    };
    match reason {
        Reason::Refused(401) => (Topic::TokenRefused, Kind::PermissionError),
        Reason::Refused(403) => (Topic::Forbidden, Kind::PermissionError),
        Reason::Refused(400 | 422) => (Topic::ObjectRefused, Kind::ConfigurationError),
        Reason::Refused(_) => (Topic::ClusterUnavailable, Kind::JobFailed),
        Reason::TokenLost => (Topic::TokenLost, Kind::PermissionError),
        Reason::Quota => (Topic::Quota, Kind::ConfigurationError),
        Reason::Policy => (Topic::Policy, Kind::ConfigurationError),
        Reason::Webhook => (Topic::Webhook, Kind::SystemUnavailable),
        Reason::NamespaceEnding => (Topic::BeingDeleted, Kind::ConfigurationError),
        Reason::Object => (Topic::ObjectRefused, Kind::ConfigurationError),
        Reason::Smoke => (Topic::Smoke, Kind::JobFailed),
        Reason::Endpoints => (Topic::Endpoints, Kind::JobFailed),
        Reason::Time => (Topic::NoProgress, Kind::JobFailed),
        Reason::Changed => (Topic::OutOfSync, Kind::JobFailed),
        Reason::Selector => (Topic::OutOfSync, Kind::RevisionOutOfSync),
        Reason::Unobserved => (Topic::ControllerSilent, Kind::SystemUnavailable),
        Reason::Paused => (Topic::Paused, Kind::JobFailed),
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
    cause: &str,
    (topic, kind): (Topic, Kind),
    evidence: &Evidence,
    aftermath: &Aftermath,
) -> Report {
    let done = done_about(request, evidence, aftermath);
    let next = next_after(request, topic, aftermath);
    let headline = match topic == Topic::ControllerSilent {
        true => format!(
            "The new version of {} was not rolled out: {cause}.",
            target(request)
        ),
        false => headline(&target(request), cause, aftermath),
    };
    let headline = outage::first(request, headline, evidence, aftermath);
    failed_rollout(
        (topic, kind),
        &headline,
        "",
        evidence,
        &format!("{done}\n{next}"),
    )
}

/// What was done about it.
pub(super) fn done_about(request: &Request, evidence: &Evidence, aftermath: &Aftermath) -> String {
    match aftermath {
        Aftermath::RollbackDisabled => "It was left as it is, as `rollback` is false.".to_owned(),
        Aftermath::NothingWritten => {
            "It ran this version before the job began, so nothing was changed or taken back."
                .to_owned()
        }
        Aftermath::NothingToReturnTo => {
            "No other version served before, so there is none to return to; it was left as it is."
                .to_owned()
        }
        Aftermath::NothingServed => {
            "It was left as it is: the version before did not serve either.".to_owned()
        }
        Aftermath::PreviousGone(set) => format!(
            "It was left as it is: ReplicaSet `{set}`, which served before, is gone \
             (revisionHistoryLimit)."
        ),
        Aftermath::NotReturned(revision, why) => format!(
            "It was left as it is: the version of revision {revision} could not be brought back: \
             {}.",
            clip(why, CAUSE_QUOTE_LIMIT)
        ),
        Aftermath::RolledBack(version) => {
            format!("Rolled back: {} serves again.", outage::named(version))
        }
        Aftermath::RollbackFailed(version, why) => {
            outage::rollback_failed(version, why, evidence.serving)
        }
        Aftermath::Paused => "It was left as it is: somebody paused it, and a rollback would go \
                              over that."
            .to_owned(),
        Aftermath::OvertakenBy(by) => match by {
            Some(execution) => format!("Execution `{execution}` has deployed since."),
            None => "Someone else has changed it since, so that it was left as it is.".to_owned(),
        },
        Aftermath::Deleted => {
            "It was deleted while the previous version was brought back.".to_owned()
        }
        Aftermath::ServiceGone => present::SERVICE_GONE.to_owned(),
        Aftermath::Unswitched(_)
        | Aftermath::SwitchedBack(..)
        | Aftermath::LeftSwitched
        | Aftermath::NoWayBack
        | Aftermath::ReturnFailed(_) => of_switch(request, aftermath),
    }
}

/// What to do next.
pub(super) fn next_after(request: &Request, topic: Topic, aftermath: &Aftermath) -> String {
    let (namespace, name) = (&request.namespace, &request.deployment);
    let help = again::after(topic);
    if topic == Topic::ControllerSilent {
        return help.to_owned();
    }
    match aftermath {
        Aftermath::RolledBack(_)
        | Aftermath::NothingWritten
        | Aftermath::Unswitched(_)
        | Aftermath::SwitchedBack(..) => help.to_owned(),
        Aftermath::Paused => format!(
            "Find out who paused it and why; then `kubectl --namespace {namespace} rollout \
             resume deployment/{name}` lets the new version go on, and `kubectl --namespace \
             {namespace} rollout undo deployment/{name}` after that brings the one before back."
        ),
        Aftermath::RollbackDisabled
        | Aftermath::NothingToReturnTo
        | Aftermath::NothingServed
        | Aftermath::PreviousGone(_)
        | Aftermath::NotReturned(..)
        | Aftermath::RollbackFailed(..)
        | Aftermath::OvertakenBy(_)
        | Aftermath::Deleted
        | Aftermath::ServiceGone
        | Aftermath::LeftSwitched
        | Aftermath::NoWayBack
        | Aftermath::ReturnFailed(_) => match request.strategy.switch() {
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
pub(super) fn headline(target: &str, cause: &str, aftermath: &Aftermath) -> String {
    match aftermath {
        Aftermath::Unswitched(_) | Aftermath::ServiceGone => {
            format!("The new version of {target} was not put into service: {cause}.")
        }
        Aftermath::SwitchedBack(..) => {
            format!("The new version of {target} was taken out of service again: {cause}.")
        }
        Aftermath::LeftSwitched | Aftermath::NoWayBack => {
            format!("The deploy of {target} failed after its Service was switched: {cause}.")
        }
        Aftermath::Paused => format!("The rollout of {target} was not completed: {cause}."),
        Aftermath::RollbackDisabled
        | Aftermath::NothingWritten
        | Aftermath::NothingToReturnTo
        | Aftermath::NothingServed
        | Aftermath::PreviousGone(_)
        | Aftermath::NotReturned(..)
        | Aftermath::RolledBack(_)
        | Aftermath::RollbackFailed(..)
        | Aftermath::OvertakenBy(_)
        | Aftermath::Deleted
        | Aftermath::ReturnFailed(_) => {
            format!("The new version of {target} does not serve: {cause}.")
        }
    }
}

/// What became of a Service and of the newcomer.
pub(super) fn of_switch(request: &Request, aftermath: &Aftermath) -> String {
    let service = request
        .strategy
        .switch()
        .map_or("", |switch| &*switch.service);
    let fate = |fate: &Fate| match fate {
        Fate::Gone => "No pod of the new version is left.".to_owned(),
        Fate::ScaledDown(name) => format!("`{name}` was scaled to zero."),
        Fate::Left(name) if request.rollback => format!("`{name}` was left as it is."),
        Fate::Left(name) => format!("`{name}` was left as it is, as `rollback` is false."),
    };
    if let Aftermath::Unswitched(end) = aftermath {
        let end = fate(end);
        return format!("Service `{service}` sends to the version before, as all along. {end}");
    }
    if let Aftermath::SwitchedBack(old, end) = aftermath {
        return format!("Service `{service}` sends to `{old}` again. {}", fate(end));
    }
    if let Aftermath::ReturnFailed(name) = aftermath {
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
    (topic, kind): (Topic, Kind),
    headline: &str,
    also: &str,
    evidence: &Evidence,
    next: &str,
) -> Report {
    let also = clip(also, HEADLINE_LIMIT);
    let next = &handbook::with_section(next, topic, NEXT_LIMIT);
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
    fail(topic, kind, headline, lines.as_slice(), next)
}
