//! Why a release failed, in a sentence that names the object. The continuation keeps it, too.

use super::super::cause::{self, NEW};
use super::super::model::who;
use super::super::rollout_failed::what_failed;
use super::super::{alarms, odd, refusal, unreachable};
use super::naming::{object, some_of};
use super::{permissions, refused};
use crate::alarm::Judgement;
use crate::change::apply::{FieldConflict, OtherWriter};
use crate::kubernetes::CallError;
use crate::outcome::{FailureCode, FailureType};
use crate::problem::Fault;
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
    recorded.kind = kind(cause);
    recorded.reason = reason(cause);
    recorded.evidence = evidence(cause);
    recorded
}

/// What is wrong with the pods, if that is the cause.
fn kind(cause: &ReleaseCause) -> Option<Kind> {
    if let ReleaseCause::Recorded(recorded) = cause {
        return recorded.kind;
    }
    rollout(cause)?.kind
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
        ReleaseCause::Broken {
            error: CallError::Refused(refusal),
            ..
        } => Some(refusal::reason(refusal)),
        ReleaseCause::Broken { .. } => Some(Reason::Refused(503)),
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
    let Failure::Rollout { failure, .. } = &**failure else {
        return None;
    };
    Some(failure)
}

/// Section and type of a cause.
pub(super) fn class(cause: &ReleaseCause) -> (FailureCode, FailureType) {
    if let ReleaseCause::Refused(fault) = cause {
        return refused::class(&fault.trouble);
    }
    what_failed(kind(cause), reason(cause))
}

/// What was seen of the workload that failed.
pub fn evidence(cause: &ReleaseCause) -> Evidence {
    if let ReleaseCause::Recorded(recorded) = cause {
        return recorded.evidence.clone();
    }
    let failure = rollout(cause);
    let mut evidence = failure.map_or_else(Evidence::default, |it| it.evidence.clone());
    if let ReleaseCause::Alarms(judgement) = cause {
        evidence.pods.extend(alarms::graph_of_judgement(judgement));
    }
    evidence
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
            let call = call.permission().to_string();
            let why = brief(error, &call);
            format!("the call for {what} failed ({call}): {why}")
        }
        ReleaseCause::Workload {
            id,
            failure,
            is_new,
            ..
        } => {
            // Pods of one that the release has not changed were there before.
            let told = workload(failure, if *is_new { NEW } else { "" });
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
        ReleaseCause::Overwritten { id, by } => overwritten(&object(id, namespace), by),
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

fn overwritten(what: &str, by: &OtherWriter) -> String {
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

/// What a workload failed of, in a clause about it.
fn workload(failed: &Failure, which: &str) -> String {
    let text = match failed {
        Failure::Rollout { failure, .. } => return cause::cause(&failure.cause, which),
        Failure::Faults(faults) => {
            return some_of(faults.iter().map(Fault::to_string).collect());
        }
        Failure::OutOfSync { by, .. } => {
            let who = who(by.as_deref(), None);
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
