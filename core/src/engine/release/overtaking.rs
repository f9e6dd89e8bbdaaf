//! Two executions at one release: the parent is written by who holds the lock, and who finds that
//! another one has taken it over writes nothing more.

use super::super::model::Note;
use super::super::trouble::{CONFLICTS, conflict_pause};
use super::model::{ReleaseEngine, Stage, Task};
use crate::release::{ReleaseCause, ReleaseFailure, WayBack};
use crate::state::continuation::Phase;

impl ReleaseEngine {
    /// Somebody else wrote the parent in between. Before the lock everything is read again; after
    /// it only the unlocking is tried again.
    pub(super) fn lost_race(&mut self) {
        self.conflicts += 1;
        self.notes.push(Note::LostRace(self.conflicts));
        if self.stage != Stage::Record {
            // Nobody else writes a parent that is locked: it was unlocked, taken over or deleted.
            self.is_race_lost = true;
            return self.push_after_race(self.conflicts, Task::Parent);
        }
        self.begin_anew();
    }

    /// Does a task once those had their turn who write the same object.
    pub(super) fn push_after_race(&mut self, races: u32, task: Task) {
        self.push_at(self.now + conflict_pause(races), task);
    }

    /// Reads everything again, unless that was in vain too often.
    pub(super) fn begin_anew(&mut self) {
        if self.conflicts > CONFLICTS {
            let by = self.parent.lock.as_ref().map(|lock| lock.execution.clone());
            let wrote = self.continuation.has_begun();
            return self.fail(ReleaseFailure::OutOfSync { by, wrote });
        }
        let mut fresh = ReleaseEngine::new(
            self.request.clone(),
            self.continuation.clone(),
            self.now,
            self.until,
            self.mask,
        );
        fresh.conflicts = self.conflicts;
        fresh.remember(std::mem::take(&mut self.kinds));
        fresh.notes = std::mem::take(&mut self.notes);
        fresh.tickets = self.tickets;
        fresh.locked_out = self.locked_out.take();
        fresh.push_after_race(self.conflicts, Task::Wake);
        *self = fresh;
    }

    /// Another execution has released since. Where this one had failed before, that counts first.
    pub(super) fn out_of_sync(&mut self, by: Option<String>, wrote: bool) {
        let failed = match &self.continuation.phase {
            Phase::Release(phase) => phase.way_back.as_ref().map(|(failure, _)| failure.clone()),
            _ => None,
        };
        self.fail(match failed {
            Some(failure) => ReleaseFailure::Ended {
                cause: Box::new(ReleaseCause::Recorded(failure)),
                others: Vec::new(),
                way_back: WayBack {
                    overtaken: true,
                    overtaken_by: by,
                    ..WayBack::default()
                },
            },
            None => ReleaseFailure::OutOfSync { by, wrote },
        });
    }

    /// Whether another execution has taken the release over since this one locked it, and which.
    pub(super) fn overtaken_by(&self) -> Option<Option<String>> {
        let own = self.record.as_ref()?.heading.revision;
        let lock = self.parent.lock.as_ref();
        let other = lock.filter(|lock| lock.job != self.continuation.job);
        match other {
            Some(lock) => Some(Some(lock.execution.clone())),
            None => (self.parent.revision > own).then_some(None),
        }
    }

    /// Somebody wrote the parent before it was unlocked: it is unlocked again, unless the release
    /// is theirs now. Whether there is anything left to do.
    pub(super) fn unlocks_again(&mut self) -> bool {
        let again = std::mem::take(&mut self.is_race_lost)
            && self.overtaken_by().is_none()
            && self.conflicts <= CONFLICTS;
        if again {
            self.unlock();
        }
        again
    }
}
