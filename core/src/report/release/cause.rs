//! Why a release failed, in a sentence that names the object. The continuation keeps it, too.

use super::super::cause::{self, NEW};
use super::super::rollout_failed::what_failed;
use super::super::{alarms, odd, refusal, unreachable};
use super::naming::{object, some_of};
use super::{permissions, refused};
use crate::alarm::Judgement;
use crate::change::apply::{FieldConflict, OtherWriter};
use crate::kubernetes::CallError;
use crate::outcome::{FailureCode, FailureType};
use crate::release::{ObjectFault, ReleaseCause};
use crate::state::continuation::{Reason, RecordedFailure};
use crate::strategy::Failure;
use crate::strategy::causes::{RolloutCause, RolloutFailure, Stop};
use crate::text::{clip, quote, words};
use crate::workload::health::diagnosis::{Cause as Kind, Evidence};
use crate::workload::health::object::ObjectCause;

/// How much of what an object says of itself is told.
const SAID_LIMIT: usize = 300;

/// A failure as it is kept while the release is taken back.
pub fn recorded(cause: &ReleaseCause) -> RecordedFailure {
    if let ReleaseCause::Recorded(recorded) = cause {
        return recorded.clone();
    }
    let mut recorded = RecordedFailure::of(&sentence(cause, ""));
    recorded.reason = reason(cause);
    recorded.evidence = evidence(cause);
    if let Some(failure) = rollout(cause) {
        recorded.kind = failure.kind;
    }
    recorded
}

/// What failed, for a later invocation.
fn reason(cause: &ReleaseCause) -> Option<Reason> {
    match cause {
        ReleaseCause::Recorded(recorded) => recorded.reason,
        ReleaseCause::Object {
            cause: ObjectCause::Replaced,
            ..
        }
        | ReleaseCause::Overwritten { .. } => Some(Reason::Overtaken),
        ReleaseCause::Object { .. } => Some(Reason::NotReady),
        ReleaseCause::Forbidden(_) => Some(Reason::Refused(403)),
        ReleaseCause::Gone(_) => Some(Reason::Deleted),
        ReleaseCause::TimedOut { .. } => Some(Reason::Timeout),
        ReleaseCause::Alarms(Judgement::Rang(_)) => Some(Reason::Alarm),
        ReleaseCause::Alarms(Judgement::Unreadable(..)) => Some(Reason::AlarmsUnreadable),
        ReleaseCause::Refused(fault) => Some(refused::reason(&fault.trouble)),
        ReleaseCause::Broken { error, .. } => match error {
            CallError::Refused(refusal) => Some(refusal::reason(refusal)),
            CallError::Unreachable(_)
            | CallError::Untrusted(_)
            | CallError::NotKubernetes(_)
            | CallError::Kept(_)
            | CallError::OutOfTime => Some(Reason::Refused(503)),
        },
        ReleaseCause::Workload { id, failure, .. } => match rollout(cause) {
            Some(failure) if id.is_job() => of_job(failure),
            Some(failure) => failure.reason,
            None => Some(of_workload(failure)),
        },
    }
}

/// What a Job failed of: what its pods need in order to start has sections of its own, and one that
/// ran out of time while it ran has not failed.
fn of_job(failure: &RolloutFailure) -> Option<Reason> {
    let mut stopped = None;
    if let RolloutCause::Pods { stopped: stop, .. } = &failure.cause {
        stopped = stop.as_ref();
    }
    let timed_out = matches!(stopped, Some(Stop::TimedOut { .. }));
    // One that Kubernetes has given up was seen by it, whatever was read of it last.
    let given_up = matches!(stopped, Some(Stop::JobFailed(_) | Stop::JobGone(_)));
    match (failure.reason.filter(|_| !given_up), failure.kind) {
        // One that is suspended waits for its manifest, or for a queue.
        (Some(Reason::Paused), _) => Some(Reason::Job),
        (Some(reason), _) => Some(reason),
        (None, None | Some(Kind::NotReady)) if timed_out => Some(Reason::Timeout),
        (None, None) => Some(Reason::Job),
        (None, Some(kind)) => kind.ran().then_some(Reason::Job),
    }
}

/// What ended a rollout that did not fail by itself. A later change is told as for a workload that
/// is deployed alone.
fn of_workload(failure: &Failure) -> Reason {
    match failure {
        Failure::OutOfSync { .. } | Failure::Overwritten { .. } | Failure::SetAside { .. } => {
            Reason::Overtaken
        }
        Failure::Missing | Failure::BeingDeleted | Failure::Deleted(_) | Failure::EndUnseen => {
            Reason::Deleted
        }
        Failure::Paused => Reason::Paused,
        Failure::Faults(_)
        | Failure::TooLate
        | Failure::Ringing(..)
        | Failure::AlarmsUnreadable(_)
        | Failure::Forbidden(_)
        | Failure::Locked { .. }
        | Failure::Rollout { .. } => Reason::Changed,
    }
}

/// How the rollout failed, if that is the cause.
fn rollout(cause: &ReleaseCause) -> Option<&RolloutFailure> {
    let ReleaseCause::Workload { failure, .. } = cause else {
        return None;
    };
    match &**failure {
        Failure::Rollout { failure, .. } => Some(failure),
        Failure::Faults(_)
        | Failure::Missing
        | Failure::BeingDeleted
        | Failure::Paused
        | Failure::TooLate
        | Failure::Forbidden(_)
        | Failure::Locked { .. }
        | Failure::Ringing(..)
        | Failure::AlarmsUnreadable(_)
        | Failure::Deleted(_)
        | Failure::EndUnseen
        | Failure::OutOfSync { .. }
        | Failure::Overwritten { .. }
        | Failure::SetAside { .. } => None,
    }
}

/// Section and type of a cause.
pub(super) fn class(cause: &ReleaseCause) -> (FailureCode, FailureType) {
    match cause {
        ReleaseCause::Refused(fault) => refused::class(&fault.trouble),
        ReleaseCause::Workload { .. } => {
            let kind = rollout(cause).and_then(|failure| failure.kind);
            what_failed(kind, reason(cause))
        }
        ReleaseCause::Recorded(recorded) => what_failed(recorded.kind, recorded.reason),
        ReleaseCause::Broken { .. }
        | ReleaseCause::Object { .. }
        | ReleaseCause::Overwritten { .. }
        | ReleaseCause::Forbidden(_)
        | ReleaseCause::Gone(_)
        | ReleaseCause::Alarms(_)
        | ReleaseCause::TimedOut { .. } => what_failed(None, reason(cause)),
    }
}

/// What was seen of the workload that failed.
pub fn evidence(cause: &ReleaseCause) -> Evidence {
    match cause {
        ReleaseCause::Recorded(recorded) => recorded.evidence.clone(),
        ReleaseCause::Workload { .. } => {
            let failure = rollout(cause);
            failure.map_or_else(Evidence::default, |failure| failure.evidence.clone())
        }
        ReleaseCause::Alarms(judgement) => {
            let mut evidence = Evidence::default();
            evidence.pods.extend(alarms::graph_of_judgement(judgement));
            evidence
        }
        ReleaseCause::Refused(_)
        | ReleaseCause::Broken { .. }
        | ReleaseCause::Object { .. }
        | ReleaseCause::Overwritten { .. }
        | ReleaseCause::Forbidden(_)
        | ReleaseCause::Gone(_)
        | ReleaseCause::TimedOut { .. } => Evidence::default(),
    }
}

/// The cause, without a full stop.
pub(super) fn sentence(cause: &ReleaseCause, namespace: &str) -> String {
    match cause {
        ReleaseCause::Recorded(recorded) => recorded.cause.clone(),
        ReleaseCause::Alarms(judgement) => alarms::judged(judgement),
        ReleaseCause::Refused(ObjectFault { id, place, trouble }) => format!(
            "{} ({place}) could not be applied: {}",
            object(id, namespace),
            refused::wrong(id, trouble)
        ),
        ReleaseCause::Broken { id, call, error } => {
            let what = match id {
                Some(id) => object(id, namespace),
                None => "the record of the release".to_owned(),
            };
            let call = format!("{} {}", call.verb.rbac(), call.resource);
            format!(
                "the call for {what} failed ({call}): {}",
                brief(error, &call)
            )
        }
        ReleaseCause::Workload { id, failure, .. } => {
            let told = workload(failure, which(cause));
            format!("{}: {told}", object(id, namespace))
        }
        ReleaseCause::Object { id, cause } => {
            format!("{}: {}", object(id, namespace), super::object::cause(cause))
        }
        ReleaseCause::Forbidden(missing) => permissions::taken_away(missing),
        ReleaseCause::Gone(id) => format!(
            "someone else deleted {}, or replaced it, while it was followed",
            object(id, namespace)
        ),
        ReleaseCause::Overwritten { id, by } => {
            let what = object(id, namespace);
            match by {
                OtherWriter::Manager(FieldConflict { field, manager }) => format!(
                    "`{}` changed `{}` of {what} after this release had applied it",
                    quote(manager),
                    quote(field)
                ),
                OtherWriter::Release(release) => {
                    format!("{what} was taken over by release `{}`", quote(release))
                }
                OtherWriter::Removed(field) => format!(
                    "someone else removed `{}` of {what} after this release had applied it",
                    quote(field)
                ),
            }
        }
        ReleaseCause::TimedOut { timeout, waiting } => {
            let waiting = waiting.iter().map(|(id, said)| match said.as_str() {
                "" => object(id, namespace),
                said => format!(
                    "{} ({})",
                    object(id, namespace),
                    clip(&quote(said), SAID_LIMIT)
                ),
            });
            let waiting = match some_of(waiting.collect()) {
                waiting if waiting.is_empty() => String::new(),
                waiting => format!("; it still waited for {waiting}"),
            };
            format!(
                "it was not complete within {} (timeout){waiting}",
                words(*timeout)
            )
        }
    }
}

/// Which pods of a workload were followed: those of one that the release has not changed were there
/// before.
fn which(cause: &ReleaseCause) -> &'static str {
    match cause {
        ReleaseCause::Workload { is_new: false, .. } => "",
        ReleaseCause::Workload { .. }
        | ReleaseCause::Recorded(_)
        | ReleaseCause::Refused(_)
        | ReleaseCause::Broken { .. }
        | ReleaseCause::Object { .. }
        | ReleaseCause::Overwritten { .. }
        | ReleaseCause::Forbidden(_)
        | ReleaseCause::Gone(_)
        | ReleaseCause::Alarms(_)
        | ReleaseCause::TimedOut { .. } => NEW,
    }
}

/// What a workload failed of, in a clause about it.
fn workload(failed: &Failure, which: &str) -> String {
    let text = match failed {
        Failure::Rollout { failure, .. } => return cause::cause(&failure.cause, which),
        Failure::Faults(faults) => {
            let faults = faults.iter();
            let faults = faults.map(|fault| format!("`{}` {}", fault.field, fault.problem));
            return some_of(faults.collect());
        }
        Failure::OutOfSync { by, .. } => {
            let who = match by {
                Some(execution) => format!("execution `{execution}`"),
                None => "someone else".to_owned(),
            };
            return format!("{who} changed it after this release wrote its version");
        }
        Failure::Overwritten { lost, editor } => {
            let who = match editor {
                Some(editor) => format!("`{}`", quote(&editor.manager)),
                None => "someone else".to_owned(),
            };
            return format!(
                "{who} changed it after this release wrote its version: `{}` {}",
                lost.field,
                lost.problem()
            );
        }
        Failure::Missing | Failure::Deleted(_) => "someone else deleted it during its rollout",
        Failure::EndUnseen => {
            "someone deleted it before its end was seen, so whether it completed is unknown"
        }
        Failure::BeingDeleted => "it is being deleted",
        Failure::Paused => "it is paused: somebody stopped its rollouts",
        Failure::SetAside { .. } => "someone else changed it during its rollout",
        Failure::TooLate
        | Failure::Forbidden(_)
        | Failure::Ringing(..)
        | Failure::AlarmsUnreadable(_)
        | Failure::Locked { .. } => "it could not be followed",
    };
    text.to_owned()
}

fn brief(error: &CallError, call: &str) -> String {
    match error {
        CallError::Refused(refused) => refusal::why(refused, call),
        CallError::Unreachable(unreached) => unreachable::what(unreached),
        CallError::Untrusted(untrusted) => unreachable::untrusted(untrusted),
        CallError::NotKubernetes(what) => odd::what(what),
        CallError::Kept(kept) => odd::kept(kept),
        CallError::OutOfTime => "there was no time left for it".to_owned(),
    }
}
