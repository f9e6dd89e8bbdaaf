//! Where a release stands by its records, the lock, and the record of this revision.

use super::super::brief::in_short;
use super::super::model::Note;
use super::following::workload_kind;
use super::model::{ReleaseEngine, Stage, Task};
use super::probing::is_home_missing;
use super::returning::is_back;
use super::twin::{failure_of, recorded};
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::kubernetes::object_id::ObjectId;
use crate::release::model::RecordTrouble;
use crate::release::{ReleaseCause, ReleaseFailure, ReleaseNote};
use crate::request::release::{Manifest, PrunePolicy};
use crate::snapshot::{Reply, Response};
use crate::state::continuation::{Phase, ReleasePhase};
use crate::state::release::history::{found_as, last_good, next_revision};
use crate::state::release::{Heading, Kept, Lock, Record, RecordedObject, Status};
use crate::workload::health::rollout;
use crate::workload::{Kind, Workload};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

/// The text of a release that a record always has room for: it is packed.
const ROOM: usize = 512 * 1024;

/// How long the way back may take at the most, and with it how long the lock counts after the
/// deadline.
const WAY_BACK_LIMIT: Duration = Duration::from_secs(15 * 60);

impl ReleaseEngine {
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
        let Some(good) = self.there() else {
            return false;
        };
        let has = |id: &ObjectId| good.objects.iter().any(|it| !it.left && it.id == *id);
        let deletes = self.request.prune && self.olds.iter().any(|old| !old.gone);
        let mut items = self.items.iter();
        !deletes && items.all(|item| !item.differs() && has(&item.id))
    }

    /// The revision that is there as a whole: what failed since was taken back. A rollback on
    /// demand notes all the same what it has waited for.
    pub(super) fn there(&self) -> Option<&Record> {
        let good = last_good(&self.records)?;
        let revision = good.heading.revision;
        let mut since = self.records.iter().map(|record| &record.heading);
        let is_whole = since
            .all(|it| it.revision <= revision || !self.request.mode.is_rollback() && is_back(it));
        is_whole.then_some(good)
    }

    /// The revision that is there; where none is as a whole, the newest one.
    pub(super) fn current(&self) -> Option<&Record> {
        self.there().or_else(|| self.newest())
    }

    /// Locks the parent, which from now on covers what this revision has.
    pub(super) fn hold(&mut self) {
        let numbers = self.records.iter().map(|it| it.heading.revision);
        let lock = self.parent.lock.as_ref();
        let is_ours = lock.is_some_and(|lock| lock.job == self.continuation.job);
        let is_other = lock.is_none_or(|lock| lock.execution != self.request.execution);
        // The same call may be at work beside this one, between its lock and its record: with the
        // same number only one of both creates the record, and the other one finds it.
        let revision = match is_ours && self.is_unrecorded {
            true => self.parent.revision,
            false => next_revision(self.parent.revision, numbers),
        };
        self.parent.cover(&self.ids());
        self.parent.revision = revision;
        let waiting = self.parent.waits_for.clone();
        self.parent = self.parent.locked(Lock {
            execution: self.request.execution.clone(),
            job: self.continuation.job.clone(),
            since: self.now.min(self.continuation.started),
            until: self.continuation.deadline + self.request.bake + self.way_back_limit(),
        });
        // What others waited for may be what a rollback takes back.
        let is_kept = is_other || self.parent.waits_for.is_none();
        if self.request.mode.is_rollback() && is_kept {
            self.parent.waits_for = waiting;
        }
    }

    /// How long the way back of this release may take.
    pub(super) fn way_back_limit(&self) -> Duration {
        WAY_BACK_LIMIT.min(self.request.timeout)
    }

    /// The parent was written.
    pub(super) fn parented(&mut self, call: Call, result: Reply) {
        match result {
            Ok(Response::Object(object)) => self.parent_live = Some(Arc::unwrap_or_clone(object)),
            Ok(_) => {}
            Err(CallError::Refused(refusal)) if refusal.code == 409 => self.lost_race(),
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
            Err(error) => self.trouble(Task::Parented, call, error),
        }
    }

    /// Makes the record of this revision.
    pub(super) fn begin_record(&mut self) {
        // A deploy that died has left what it wrote, and that is taken back with ours.
        let is_dead = |record: &Record| record.heading.status == Status::Pending;
        self.is_resumed |= self.records.iter().any(is_dead);
        let record = self.new_record();
        let Some(secret) = self.packed(&record) else {
            return;
        };
        self.record_secret = Some(secret);
        self.record = Some(record);
        self.push(Task::Record);
        self.stage = Stage::Apply(0);
    }

    /// Whether this revision can be recorded, for a plan, which tells what the record would have no
    /// room for. A small one is not packed for that.
    pub(super) fn can_record(&mut self) -> bool {
        let is_small = self.size() < ROOM || self.is_as_it_should_be();
        is_small || {
            let record = self.new_record();
            self.packed(&record).is_some()
        }
    }

    /// The Secret of a record. `None` where it would be too large, which ends the release.
    fn packed(&mut self, record: &Record) -> Option<Value> {
        match record.object() {
            Ok((secret, left_out)) => {
                if self.size() >= ROOM && !left_out.is_empty() {
                    self.said.push(ReleaseNote::NotRecorded(left_out));
                }
                Some(secret)
            }
            Err(size) => {
                let trouble = RecordTrouble::TooLarge(size);
                self.fail(ReleaseFailure::Record(record.heading.name(), trouble));
                None
            }
        }
    }

    /// How much text its manifests are.
    fn size(&self) -> usize {
        let manifests = self.request.manifests.iter();
        manifests.map(|manifest| manifest.text().len()).sum()
    }

    fn new_record(&self) -> Record {
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
                had: had(&item.id, live.as_ref(), manifest),
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
        let newest = self.newest();
        Record {
            heading: Heading {
                release: self.request.name.clone(),
                namespace: self.request.namespace.clone(),
                revision: self.parent.revision,
                status: Status::Pending,
                execution: self.request.execution.clone(),
                job: self.continuation.job.clone(),
                at: self.now,
                commit: self.request.commit.clone(),
                committed: newest
                    .and_then(|it| it.heading.committed)
                    .max(self.request.committed),
                previous: self.returning.from.or(good),
                back_to: self.returning.to,
                returned_from: self.returns_from(),
                failed_at: None,
                cause: None,
                way_back: None,
                version: None,
            },
            objects,
        }
    }

    /// The record was created: from now on the release can be taken up and taken back.
    pub(super) fn recorded(&mut self, call: Call, result: Reply) {
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
                self.begin_anew();
            }
            Err(error) => self.trouble(Task::Record, call, error),
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

/// How many pods a DaemonSet has whose manifest chooses its nodes otherwise: an invocation that
/// goes on finds them gone where no node matches any more.
fn had(id: &ObjectId, live: Option<&Value>, manifest: &Manifest) -> i64 {
    let kind = workload_kind(id).filter(|kind| *kind == Kind::DaemonSet);
    let (Some(kind), Some(live)) = (kind, live) else {
        return 0;
    };
    let live = Workload::new(kind, live.clone());
    let manifest = manifest.object();
    match rollout::choose_alike(live.template(), &manifest["spec"]["template"]) {
        true => 0,
        false => live.replicas(),
    }
}

/// Whether a revision failed, and all that it had written was taken back, so that nothing of it is
/// overwritten.
fn was_taken_back(heading: &Heading) -> bool {
    heading.status == Status::Failed && recorded(heading).is_some_and(|account| account.tried)
}
