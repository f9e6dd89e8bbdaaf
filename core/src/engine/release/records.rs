//! Reading the parent and the records of a release.

use super::super::model::Note;
use super::model::{ReleaseEngine, Stage, Task};
use super::reading::{Found, found};
use crate::kubernetes::call::Call;
use crate::release::model::RecordTrouble;
use crate::release::{ReleaseFailure, ReleaseNote};
use crate::snapshot::Reply;
use crate::state::release::{Heading, Parent, Record};
use jiff::SignedDuration;

/// How often a lock of another execution is looked at.
pub(super) const LOCK_PAUSE: SignedDuration = SignedDuration::from_secs(3);

/// What must be left of the timeout, as its part, when the lock of another execution is gone: the
/// time that was waited for it is not the release's.
const LEFT_PART: u32 = 3;

/// How many records are read: as many releases may have failed in a row, and a longer history of
/// failures is of no use for a way back.
const WALK: usize = 20;

impl ReleaseEngine {
    pub(super) fn took_parent(&mut self, call: Call, result: Reply) {
        match found(result) {
            Ok(Found::Object(object)) => match Parent::read(&object) {
                Ok(parent) => {
                    self.parent = parent;
                    self.parent_live = Some(object);
                }
                // On the way back the first cause counts.
                Err(_) if self.failure.is_some() => {}
                Err(fault) => {
                    let trouble = RecordTrouble::Parent(fault);
                    self.fail(ReleaseFailure::Record(self.parent.name(), trouble));
                }
            },
            Ok(Found::Nothing | Found::NotServed) => self.parent_live = None,
            Err(error) => self.unreadable(Task::Parent, call, error),
        }
    }

    /// The parent is read: waits for the lock of another execution, or reads the records.
    pub(super) fn read_records(&mut self) {
        if self.end_forbidden() {
            return;
        }
        let job = self.continuation.job.clone();
        let held = self.parent.held_by_other(&job, self.now);
        // A stage is only retried once its action is over: the deploy before it is dead.
        let held = held.filter(|lock| lock.execution != self.request.execution);
        match held.filter(|_| !self.request.mode.is_plan()).cloned() {
            Some(lock) if self.continuation.has_begun() => {
                return self.out_of_sync(Some(lock.execution), true);
            }
            Some(lock) => {
                let (execution, until) = (lock.execution.clone(), lock.expires());
                let reserve = self.request.timeout / LEFT_PART;
                if self.now + reserve >= self.continuation.deadline {
                    return self.fail(ReleaseFailure::Locked { execution, until });
                }
                self.locked_by = Some(execution);
                if !self.notes_waiting(lock.job) {
                    self.push_at(self.now + LOCK_PAUSE, Task::Parent);
                }
                return;
            }
            None => self.locked_by = None,
        }
        if self.parent.revision == 0 && !self.returning.looked {
            // Somebody may have deleted the parent alone, and its records tell how far they came.
            self.returning.looked = true;
            return self.push(Task::Revisions);
        }
        let headings = std::mem::take(&mut self.returning.headings);
        let numbers = headings.iter().map(|heading| heading.revision);
        self.parent.revision = numbers.fold(self.parent.revision, u64::max);
        if self.parent.revision > 0 {
            self.push(Task::Recorded(self.parent.revision));
        }
        self.stage = Stage::Look;
    }

    /// Takes a record, and reads the one before until one is found that was deployed as a whole.
    pub(super) fn took_record(&mut self, revision: u64, call: Call, result: Reply) {
        match found(result) {
            Ok(Found::Object(object)) => match Record::read(&object) {
                Ok(record) => {
                    let is_good = record.heading.status.was_good();
                    self.records.push(record);
                    if is_good {
                        return;
                    }
                }
                Err(_) => {
                    let name = Heading::name_for(&self.request.name, revision);
                    self.notes
                        .push(Note::Left(name, "it cannot be read".to_owned()));
                    self.said.push(ReleaseNote::RecordLost(revision));
                }
            },
            Ok(Found::Nothing | Found::NotServed) => {
                let is_newest = revision == self.parent.revision;
                self.is_unrecorded |= is_newest;
                // A deploy that died before it had a record has left its lock, and nothing else.
                if is_newest && self.parent.lock.is_none() {
                    self.said.push(ReleaseNote::RecordLost(revision));
                }
            }
            Err(error) => return self.unreadable(Task::Recorded(revision), call, error),
        }
        let walked = self.parent.revision.saturating_sub(revision);
        if revision > 1 && usize::try_from(walked).is_ok_and(|walked| walked < WALK) {
            self.push(Task::Recorded(revision - 1));
        }
    }
}
