//! Writing: what becomes of a write that was done, lost a race, or was refused.

use super::brief::brief;
use super::model::{Engine, Note, Outcome, Pending};
use super::trouble::{CONFLICTS, conflict_pause};
use crate::change::{self, kept};
use crate::kubernetes::call::Call;
use crate::kubernetes::contact::Kept;
use crate::kubernetes::refusal::RefusalCause;
use crate::kubernetes::{CallError, Refusal};
use crate::snapshot::{ROLLBACK, Reading, Reply, Snapshot, object};
use crate::strategy::{self, Action, Failure, RollbackResult};
use crate::workload::Workload;

/// Lost races of an undo after which it is bound to the generation alone, and to no status.
const RESTLESS: u32 = 2;

/// What the deletion of a leftover that is not granted would give.
const CLEARED: &str = "have it cleared away";

impl Engine {
    pub(super) fn act(&mut self, mut action: Action) {
        self.checks_at = None;
        self.unmarked = false;
        // Whatever was lost before, what was read since has shown that it was not done.
        self.continuation.unsure = false;
        if let Action::Undo { operations, .. } = &mut action
            && self.conflicts >= RESTLESS
        {
            *operations = change::undo_of_generation(operations);
        }
        let call = action.call(&self.request);
        // What a switch writes to other objects changes nothing of the Deployment that is watched.
        let workload = &*self.request.kind.row().resource.name;
        self.stale_watch |= !matches!(action, Action::Step(_)) || call.resource == workload;
        self.write(action, call);
    }

    fn write(&mut self, action: Action, call: Call) {
        self.ask(call, Reading::Object, self.until, Pending::Act(action));
    }

    pub(super) fn acted(&mut self, action: Action, call: Call, result: Reply) {
        let error = match object(result).map(|object| Workload::new(self.request.kind, object)) {
            Ok(after) => match self.kept(&action, &call, &after) {
                None => return self.written(&action, after),
                Some(kept) => CallError::Kept(Box::new(kept)),
            },
            Err(error) => error,
        };
        if let Some(call) = self.without_marks(&action, &call, &error) {
            return self.write(action, call);
        }
        if let (Action::Step(step), CallError::Refused(refusal)) = (&action, &error)
            && let Some(name) = &step.clears
            && ([400, 403, 405, 422].contains(&refusal.code)
                || matches!(refusal.cause(), RefusalCause::Policy(_)))
        {
            let why = brief(&call, &error, CLEARED);
            self.notes.push(Note::Left(name.clone(), why.clone()));
            self.snapshot.left.push((name.clone(), why));
            return;
        }
        if self.conflicts < CONFLICTS && lost_a_race(&action, &error) {
            return self.lost_race();
        }
        if let Action::Undo {
            revision, failure, ..
        } = action
            && self.locked_out.is_none()
            && !self.may_pass(&error)
        {
            let why = brief(&call, &error, ROLLBACK);
            return self.end(Outcome::Failed(Failure::Rollout {
                failure: failure.into(),
                rollback_result: RollbackResult::NotRolledBack(revision, why),
            }));
        }
        self.trouble(call, error);
    }

    /// What a write left as it was, though it was answered as done.
    fn kept(&self, action: &Action, call: &Call, after: &Workload) -> Option<Kept> {
        let before = self.snapshot.seen_deployment(&self.request.deployment);
        match action {
            Action::Patch(_) if self.request.mode.is_rollback() => {
                kept::returned(&self.continuation.job, before, after)
            }
            Action::Patch(_) | Action::Put(_) => {
                kept::version(&self.request, &self.continuation.job, before, after)
            }
            Action::Undo { revision, .. } => kept::undo(*revision, before, after),
            Action::Step(_) => kept::fields(call, after.value()),
            Action::Create(_) => None,
        }
    }

    fn written(&mut self, action: &Action, after: Workload) {
        let phase = strategy::acted(&self.context(), action, &after);
        self.enter(phase);
        strategy::seen_after(&mut self.snapshot, action, after, self.now);
        self.continuation.unreachable_since = None;
        self.conflicts = 0;
        self.just_written = true;
        self.looks_again = false;
    }

    /// The same undo without our own annotations, once: they must not stop the way back, and may be
    /// what does not fit.
    fn without_marks(&mut self, action: &Action, call: &Call, error: &CallError) -> Option<Call> {
        let (Action::Undo { operations, .. }, CallError::Refused(refusal)) = (action, error) else {
            return None;
        };
        let may_be_marks = [400, 403, 413, 422].contains(&refusal.code);
        if self.unmarked || !may_be_marks || lost_a_race(action, error) {
            return None;
        }
        self.unmarked = true;
        self.notes.push(Note::WithoutMarks(refusal.message.clone()));
        Some(Call {
            body: Some(change::undo_of_template(operations)),
            ..call.clone()
        })
    }

    /// Whether a trial is to be made again, of what is there by then: a controller wrote the status
    /// between the look and the trial.
    pub(super) fn looks_again_after(&self, error: &CallError) -> bool {
        let is_conflict = |refusal: &Refusal| refusal.code == 409 && !is_denied(refusal);
        let lost = matches!(error, CallError::Refused(refusal) if is_conflict(refusal));
        lost && self.conflicts < CONFLICTS
    }

    /// Another write came before ours: everything is to be looked at again.
    pub(super) fn lost_race(&mut self) {
        self.conflicts += 1;
        self.notes.push(Note::LostRace(self.conflicts));
        self.snapshot = Snapshot::default();
        // What watches tell may be what was too old for the write.
        self.looks_again = true;
        self.steps = 0;
        self.pause(conflict_pause(self.conflicts));
    }
}

/// Whether a policy or a webhook has refused it, with whatever status.
fn is_denied(refusal: &Refusal) -> bool {
    let cause = refusal.cause();
    matches!(
        cause,
        RefusalCause::Policy(_) | RefusalCause::Webhook { .. }
    )
}

/// 409 is a lost race by its name; JSON patch says 422 where a `test` fails, and 404 is a
/// Deployment that went away after it was read.
pub(super) fn lost_a_race(action: &Action, error: &CallError) -> bool {
    let refusal = match error {
        CallError::Refused(refusal) => refusal,
        // What answered may be a proxy behind which the write was done: the object tells.
        CallError::NotKubernetes(_) => return true,
        CallError::Kept(kept) => return !kept.is_in_part,
        CallError::Unreachable(_) | CallError::Untrusted(_) | CallError::OutOfTime => return false,
    };
    if is_denied(refusal) {
        return false;
    }
    match refusal.code {
        409 => true,
        404 => refusal.is_status && !matches!(action, Action::Create(_)),
        // Its own faults are told by name: https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/handlers/patch.go
        422 => {
            let failed_test = "the server rejected our request due to an error in our request";
            matches!(action, Action::Undo { .. }) && refusal.message == failed_test
        }
        _ => false,
    }
}
