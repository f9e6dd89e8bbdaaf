//! The parent and the records of a release: reading them, the lock, and the record of this
//! revision.

use super::super::brief::in_short;
use super::super::model::Note;
use super::model::{ReleaseEngine, Stage, Task};
use super::probing::is_home_missing;
use super::reading::{Found, found};
use super::twin::{failure_of, recorded};
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::kubernetes::object_id::ObjectId;
use crate::release::model::RecordTrouble;
use crate::release::{ReleaseCause, ReleaseFailure, ReleaseNote};
use crate::request::release::PrunePolicy;
use crate::snapshot::Response;
use crate::state::continuation::{Phase, ReleasePhase};
use crate::state::release::history::{found_as, last_good, next_revision};
use crate::state::release::{Heading, Kept, Lock, Parent, Record, RecordedObject, Status};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How often a lock of another execution is looked at.
const LOCK_PAUSE: SignedDuration = SignedDuration::from_secs(3);

/// What must be left of the timeout, as its part, when the lock of another execution is gone: the
/// time that was waited for it is not the release's.
const LEFT_PART: u32 = 3;

/// How many records are read: as many releases may have failed in a row, and a longer history of
/// failures is of no use for a way back.
const WALK: usize = 20;

/// The text of a release that a record always has room for: it is packed.
const ROOM: usize = 512 * 1024;

/// How long the way back may take at the most, and with it how long the lock counts after the
/// deadline.
const WAY_BACK_LIMIT: Duration = Duration::from_secs(15 * 60);

impl ReleaseEngine {
    pub(super) fn took_parent(
        &mut self,
        call: Call,
        result: Result<Response, CallError>,
        now: Timestamp,
    ) {
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
            Err(error) => self.unreadable(Task::Parent, call, error, now),
        }
    }

    /// The parent is read: waits for the lock of another execution, or reads the records.
    pub(super) fn read_records(&mut self, now: Timestamp) {
        if self.end_forbidden() {
            return;
        }
        let job = self.continuation.job.clone();
        let held = self.parent.held_by_other(&job, now);
        // A stage is only retried once its action is over: the deploy before it is dead.
        let held = held.filter(|lock| lock.execution != self.request.execution);
        let held = held.map(|lock| (lock.execution.clone(), lock.expires()));
        match held.filter(|_| !self.request.mode.is_plan()) {
            Some((execution, _)) if self.continuation.has_begun() => {
                return self.out_of_sync(Some(execution), true);
            }
            Some((execution, until)) => {
                let reserve = self.request.timeout / LEFT_PART;
                if now + reserve >= self.continuation.deadline {
                    return self.fail(ReleaseFailure::Locked { execution, until });
                }
                self.locked_by = Some(execution);
                return self.push_at(now + LOCK_PAUSE, Task::Parent);
            }
            None => self.locked_by = None,
        }
        if self.parent.revision > 0 && self.parent_live.is_some() {
            self.push(Task::Recorded(self.parent.revision));
        }
        self.stage = Stage::Look;
    }

    /// Takes a record, and reads the one before until one is found that was deployed as a whole.
    pub(super) fn took_record(
        &mut self,
        revision: u64,
        call: Call,
        result: Result<Response, CallError>,
        now: Timestamp,
    ) {
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
                }
            },
            Ok(Found::Nothing | Found::NotServed) => {
                self.is_unrecorded |= revision == self.parent.revision;
            }
            Err(error) => return self.unreadable(Task::Recorded(revision), call, error, now),
        }
        let walked = self.parent.revision.saturating_sub(revision);
        if revision > 1 && usize::try_from(walked).is_ok_and(|walked| walked < WALK) {
            self.push(Task::Recorded(revision - 1));
        }
    }

    /// Finds where this release stands, by its records. `false` if it is over, or goes back.
    pub(super) fn resume(&mut self) -> bool {
        let ours = |record: &&Record| record.heading.job == self.continuation.job;
        let newest = self.newest();
        let own = self.records.iter().filter(ours);
        let own = own.max_by_key(|it| it.heading.revision).cloned();
        let by = newest.map(|it| (it.heading.revision, it.heading.execution.clone()));
        let phase = match &self.continuation.phase {
            Phase::Release(phase) => Some(phase.clone()),
            _ => None,
        };
        let Some(own) = own else {
            // Its record may be deleted, if it is an event that comes once more long after its
            // time.
            let has_passed =
                self.parent.has_passed(&self.continuation.job) && !self.request.mode.is_plan();
            let wrote = has_passed || phase.is_some_and(|phase| phase.revision > 0);
            // Whoever released while we waited is later than us, and is not overwritten.
            let is_late = newest.is_some_and(|it| {
                it.heading.at > self.continuation.started && !was_taken_back(&it.heading)
            });
            if wrote || is_late && !self.request.mode.is_plan() {
                let by = by.map(|(_, execution)| execution);
                self.out_of_sync(by, wrote);
                return false;
            }
            return true;
        };
        if let Some((revision, execution)) = by
            && revision > own.heading.revision
        {
            self.out_of_sync(Some(execution), true);
            return false;
        }
        let is_plan = self.request.mode.is_plan();
        if own.heading.status == Status::Pending {
            let revision = own.heading.revision;
            self.success.revision = revision;
            self.success.wrote = true;
            self.is_resumed = true;
            self.twin.may_live = true;
            let way_back = phase.and_then(|phase| phase.way_back);
            let failed = way_back.as_ref().map(|(failure, _)| failure.clone());
            // An invocation that knows nothing of the one before has what its record says.
            let recorded = (own.heading.has_failed() && !is_plan).then(|| failure_of(&own.heading));
            self.record = Some(own);
            self.enter(ReleasePhase { revision, way_back });
            if let Some(failure) = failed.or(recorded) {
                self.failure = Some(ReleaseCause::Recorded(failure));
                self.stage = Stage::WayBack;
                return false;
            }
        } else if own.heading.status == Status::Failed && !is_plan {
            let heading = own.heading.clone();
            self.record = Some(own);
            self.fails_as(heading);
            return false;
        }
        true
    }

    /// Whether nothing has to be written at all: no object, and no record.
    pub(super) fn is_as_it_should_be(&self) -> bool {
        let Some(good) = self
            .newest()
            .filter(|record| record.heading.status.was_good())
        else {
            return false;
        };
        let has = |id: &ObjectId| good.objects.iter().any(|it| !it.left && it.id == *id);
        let deletes = self.request.prune && self.olds.iter().any(|old| !old.gone);
        !deletes
            && self
                .items
                .iter()
                .all(|item| !item.differs() && has(&item.id))
    }

    /// Locks the parent, which from now on covers what this revision has.
    pub(super) fn hold(&mut self, now: Timestamp) {
        let numbers = self.records.iter().map(|it| it.heading.revision);
        let lock = self.parent.lock.as_ref();
        let is_ours = lock.is_some_and(|lock| lock.job == self.continuation.job);
        // The same call may be at work beside this one, between its lock and its record: with the
        // same number only one of both creates the record, and the other one finds it.
        let revision = match is_ours && self.is_unrecorded {
            true => self.parent.revision,
            false => next_revision(self.parent.revision, numbers),
        };
        self.parent.cover(&self.ids());
        self.parent.revision = revision;
        self.parent = self.parent.locked(Lock {
            execution: self.request.execution.clone(),
            job: self.continuation.job.clone(),
            since: now.min(self.continuation.started),
            until: self.continuation.deadline + self.request.bake + self.way_back_limit(),
        });
    }

    /// How long the way back of this release may take.
    pub(super) fn way_back_limit(&self) -> Duration {
        WAY_BACK_LIMIT.min(self.request.timeout)
    }

    /// The parent was written.
    pub(super) fn parented(
        &mut self,
        call: Call,
        result: Result<Response, CallError>,
        now: Timestamp,
    ) {
        match result {
            Ok(Response::Object(object)) => self.parent_live = Some(object),
            Ok(_) => {}
            Err(CallError::Refused(refusal)) if refusal.code == 409 => self.lost_race(now),
            Err(CallError::Refused(refusal))
                if self.stage == Stage::Record && is_home_missing(&refusal) =>
            {
                self.fail(ReleaseFailure::NoNamespace);
            }
            Err(CallError::Refused(refusal)) if super::trouble::is_forbidden(&refusal) => {
                if self.stage == Stage::Record {
                    self.forbid(&call, call.verb.rbac());
                    self.end_forbidden();
                } else {
                    // All is done but the unlocking, and the lock expires.
                    let why = in_short(&CallError::Refused(refusal));
                    self.notes.push(Note::Left(self.parent.name(), why));
                }
            }
            Err(error) => self.trouble(Task::Parented, call, error, now),
        }
    }

    /// Makes the record of this revision.
    pub(super) fn begin_record(&mut self, now: Timestamp) {
        // A deploy that died has left what it wrote, and that is taken back with ours.
        let is_dead = |record: &Record| record.heading.status == Status::Pending;
        self.is_resumed |= self.records.iter().any(is_dead);
        let mut objects = Vec::new();
        for (item, manifest) in self.items.iter().zip(&self.request.manifests) {
            let Some(resource) = &item.resource else {
                continue;
            };
            let live = item.live();
            let before = found_as(&item.id, live.as_ref(), &self.owner.id, &self.records);
            objects.push(RecordedObject {
                id: item.id.clone(),
                api_version: manifest.api_version.clone(),
                plural: resource.plural().to_owned(),
                wave: manifest.wave,
                stays: manifest.prune == PrunePolicy::Never,
                follow: manifest.follow,
                left: false,
                uid: None,
                manifest: Kept::Whole(manifest.shared_text()),
                before,
            });
        }
        if !self.request.prune {
            let olds = self.olds.iter().filter(|it| !it.gone);
            objects.extend(olds.map(|old| RecordedObject {
                left: true,
                ..old.object.clone()
            }));
        }
        objects.extend(self.returning.held.iter().cloned());
        let good = self.good().map(|good| good.heading.revision);
        let record = Record {
            heading: Heading {
                release: self.request.name.clone(),
                namespace: self.request.namespace.clone(),
                revision: self.parent.revision,
                status: Status::Pending,
                execution: self.request.execution.clone(),
                job: self.continuation.job.clone(),
                at: now,
                commit: self.request.commit.clone(),
                committed: self
                    .newest()
                    .and_then(|it| it.heading.committed)
                    .max(self.request.committed),
                previous: self.returning.from.or(good),
                back_to: self.returning.to,
                failed_at: None,
                cause: None,
                way_back: None,
                version: None,
            },
            objects,
        };
        match record.object() {
            Ok((secret, left_out)) => {
                self.note_unrecorded(left_out);
                self.record_secret = Some(secret);
            }
            Err(size) => {
                let trouble = RecordTrouble::TooLarge(size);
                return self.fail(ReleaseFailure::Record(record.heading.name(), trouble));
            }
        }
        self.record = Some(record);
        self.push(Task::Record);
        self.stage = Stage::Apply(0);
    }

    /// Tells what the record has no room for.
    fn note_unrecorded(&mut self, left_out: Vec<ObjectId>) {
        let size = self.request.manifests.iter().map(|it| it.text().len());
        if size.sum::<usize>() >= ROOM && !left_out.is_empty() {
            self.said.push(ReleaseNote::NotRecorded(left_out));
        }
    }

    /// The record was created: from now on the release can be taken up and taken back.
    pub(super) fn recorded(
        &mut self,
        call: Call,
        result: Result<Response, CallError>,
        now: Timestamp,
    ) {
        match result {
            Ok(response) => {
                if let Some(secret) = response.object() {
                    self.keep_version(&secret);
                }
                let revision = self.parent.revision;
                self.record_secret = None;
                self.success.revision = revision;
                self.success.wrote = true;
                self.enter(ReleasePhase {
                    revision,
                    way_back: None,
                });
            }
            // Its own answer was lost, or the same call came twice at once: what the record says
            // counts, not what was read here since.
            Err(CallError::Refused(refusal)) if refusal.reason == "AlreadyExists" => {
                self.conflicts += 1;
                self.begin_anew(now);
            }
            Err(error) => self.trouble(Task::Record, call, error, now),
        }
    }

    pub(super) fn enter(&mut self, phase: ReleasePhase) {
        let phase = Phase::Release(phase).hide(self.mask);
        if self.continuation.enter(phase) {
            self.notes.push(Note::Phase("release"));
        }
    }

    /// The last revision that was deployed as a whole, without this one.
    pub(super) fn good(&self) -> Option<&Record> {
        let own = self.record.as_ref().map(|record| record.heading.revision);
        let good = last_good(&self.records)?;
        (Some(good.heading.revision) != own).then_some(good)
    }

    /// The newest record.
    pub(super) fn newest(&self) -> Option<&Record> {
        self.records.iter().max_by_key(|it| it.heading.revision)
    }
}

/// Whether a revision failed, and all that it had written was taken back, so that nothing of it is
/// overwritten.
fn was_taken_back(heading: &Heading) -> bool {
    heading.status == Status::Failed && recorded(heading).is_some_and(|account| account.tried)
}
