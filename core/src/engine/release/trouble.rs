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
use jiff::Timestamp;

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
        let since = match self.silent_since(&error) {
            Some(since) => since,
            None => *self.continuation.unreachable_since.get_or_insert(self.now),
        };
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

    /// A call was answered. What a webhook lets through after all ends its silence.
    pub(super) fn came_through(&mut self, call: &Call) {
        self.continuation.unreachable_since = None;
        let silent = &mut self.silent;
        silent.retain(|_, (_, verb, path)| *verb != call.verb || *path != *call.path);
    }

    /// Notes a webhook that does not answer, since its first call was sent. It is waited for once,
    /// and not once more for each object that it is to admit.
    pub(super) fn note_silence(&mut self, call: &Call, error: &CallError, since: Timestamp) {
        if let Some(name) = webhook(error) {
            let path = call.path.to_string();
            let first = (since, call.verb, path);
            self.silent.entry(name).or_insert(first);
        }
    }

    /// Since when the webhook has been silent for which a call failed.
    pub(super) fn silent_since(&self, error: &CallError) -> Option<Timestamp> {
        let (since, ..) = self.silent.get(&webhook(error)?)?;
        Some(*since)
    }

    /// Whether a webhook has been silent for as long as it is waited for once something is written.
    pub(super) fn is_given_up_on(&self, error: &CallError) -> bool {
        let since = self.silent_since(error);
        since.is_some_and(|since| is_given_up(since, false, self.continuation.deadline, self.now))
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

/// The webhook that did not answer, where a call failed for that.
fn webhook(error: &CallError) -> Option<String> {
    let CallError::Refused(refusal) = error else {
        return None;
    };
    match refusal.cause() {
        RefusalCause::Webhook { name, .. } => Some(name),
        _ => None,
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
