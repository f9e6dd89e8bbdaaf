//! Failed calls: what may pass is tried again for a while, everything else ends the release.

use super::super::brief::in_short;
use super::super::model::Note;
use super::super::trouble::{OUTAGE_PAUSE, is_given_up, is_out_of_sight, may_pass};
use super::model::{ReleaseEngine, ReleaseOutcome, Stage, Task};
use crate::kubernetes::call::{Call, Permission};
use crate::kubernetes::refusal::RefusalCause;
use crate::kubernetes::{CallError, Refusal};
use crate::release::{ReleaseCause, ReleaseWait};
use crate::state::continuation::Phase;

/// How many objects a wait names.
const NAMED: usize = 5;

impl ReleaseEngine {
    /// Handles a failed call: tries the task again where that may help, and ends otherwise.
    pub(super) fn trouble(&mut self, task: Task, call: Call, error: CallError) {
        if let Some(error) = self.locked_out.take() {
            return self.end(ReleaseOutcome::LockedOut(error));
        }
        let is_first = !self.continuation.has_begun();
        if !may_pass(&error, is_first) {
            return self.broken(&task, call, error);
        }
        if is_first && call.changes() && error.may_have_been_done() {
            self.continuation.unsure = true;
        }
        let since = *self.continuation.unreachable_since.get_or_insert(self.now);
        if is_given_up(since, is_first, self.continuation.deadline, self.now) {
            return match is_out_of_sight(&error, is_first) {
                true => self.end(ReleaseOutcome::LostSight(since, in_short(&error))),
                false => self.broken(&task, call, error),
            };
        }
        if error == CallError::OutOfTime {
            return self.hand_over();
        }
        self.notes.push(Note::OutOfSight {
            error: in_short(&error),
            nothing_written: is_first && !self.continuation.unsure,
        });
        self.push_at(self.until.min(self.now + OUTAGE_PAUSE), task);
    }

    /// A read that is needed: a missing permission is told together with all others.
    pub(super) fn unreadable(&mut self, task: Task, call: Call, error: CallError) {
        match &error {
            CallError::Refused(refusal) if is_forbidden(refusal) => {
                self.forbid(&call, call.verb.rbac());
            }
            _ => self.trouble(task, call, error),
        }
    }

    /// Notes a missing permission for a call.
    pub(super) fn forbid(&mut self, call: &Call, verb: &'static str) {
        let permission = Permission {
            verb,
            resource: call.resource.clone(),
        };
        self.forbidden.insert((permission, namespace_in(call)));
    }

    /// A call failed for good.
    fn broken(&mut self, task: &Task, call: Call, error: CallError) {
        let id = match task {
            Task::TakeOver(item)
            | Task::Apply(item)
            | Task::Remove(item)
            | Task::Gone(item)
            | Task::Check(item) => Some(self.items[*item].id.clone()),
            _ => None,
        };
        let writes = matches!(
            self.stage,
            Stage::Apply(_)
                | Stage::Ready(_)
                | Stage::Follow
                | Stage::Bake
                | Stage::LookAgain
                | Stage::Close
        );
        if writes && self.continuation.has_begun() {
            return self.doom(ReleaseCause::Broken {
                id,
                call: Box::new(call),
                error,
            });
        }
        self.end(ReleaseOutcome::Broken(Box::new(call), error));
    }

    /// The release has failed: the first cause counts, and what is under way comes to its end.
    pub(super) fn doom(&mut self, cause: ReleaseCause) {
        if self.failure.is_some() {
            return;
        }
        self.failure = Some(cause);
        self.queue.clear();
        self.later.clear();
        self.stage = Stage::WayBack;
    }

    /// The time of this invocation is over.
    pub(super) fn hand_over(&mut self) {
        self.remember_served();
        let wait = ReleaseWait {
            applied: self.items.iter().filter(|it| it.applied.is_some()).count(),
            objects: self.items.len(),
            ready: self.items.iter().filter(|it| it.is_done()).count(),
            waiting: self.waiting_for(NAMED),
            is_way_back: self.is_way_back(),
            locked_by: self.locked_by.clone(),
            watched_until: self.baked_at().filter(|_| self.stage == Stage::Bake),
        };
        self.end(ReleaseOutcome::HandedOver(Box::new(wait)));
    }

    fn is_way_back(&self) -> bool {
        matches!(&self.continuation.phase, Phase::Release(phase) if phase.way_back.is_some())
    }
}

/// Whether the authorizer denies a call.
pub(super) fn is_forbidden(refusal: &Refusal) -> bool {
    matches!(
        refusal.cause(),
        RefusalCause::Permission(_) | RefusalCause::Unexplained
    )
}

/// The namespace in the path of a call.
fn namespace_in(call: &Call) -> Option<String> {
    let (_, rest) = call.path.split_once("/namespaces/")?;
    let (namespace, _) = rest.split_once('/')?;
    Some(namespace.to_owned())
}
