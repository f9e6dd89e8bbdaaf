//! A rollback on demand: its objects are those of an earlier revision, which is chosen and read
//! before anything else. From then on it is a release like any other.
//!
//! The revision that was chosen is noted in the record that the rollback makes, so that whoever
//! goes on with it, or repeats it, goes back to the same.

use super::item::Item;
use super::model::{ReleaseEngine, Stage, Task};
use super::reading::{Found, found};
use super::records::LOCK_PAUSE;
use super::served::Served;
use super::trouble::is_forbidden;
use super::twin::recorded;
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::kubernetes::object_id::ObjectId;
use crate::release::{NoRevision, ReleaseFailure, ReleaseNote};
use crate::request::release::Recalled;
use crate::snapshot::Reply;
use crate::state::awaited::Awaited;
use crate::state::marks::AWAITED;
use crate::state::release::history::{base, former, good_revisions};
use crate::state::release::{Heading, Record, RecordedObject, Status};
use serde_json::{Value, json};

impl ReleaseEngine {
    /// What no text may show, once it is known: the values in the objects of a rollback.
    pub fn to_hide(&mut self) -> Option<Vec<String>> {
        let hides = std::mem::take(&mut self.returning.hides);
        hides.then(|| self.request.secrets().map(str::to_owned).collect())
    }

    /// What this revision has: its objects, and the Jobs that a rollback neither runs nor deletes.
    pub(super) fn ids(&self) -> Vec<ObjectId> {
        let held = self.returning.held.iter().map(|held| &held.id);
        let ids = self.items.iter().map(|item| &item.id).chain(held);
        ids.cloned().collect()
    }

    /// Whether the objects of the release are known. Those of a rollback are looked for first.
    pub(super) fn knows_objects(&mut self) -> bool {
        if !self.request.mode.is_rollback() || self.returning.has_objects {
            return true;
        }
        if self.parent.revision == 0 {
            // One that has written already, and is to end as what it is, knows its revision.
            if self.resume() {
                self.fail(ReleaseFailure::NoRevision(NoRevision::NoRelease));
            }
            return false;
        }
        let own = self.own_return();
        let own = own.map(|own| (own.heading.back_to, own.heading.previous));
        match own {
            Some((to, from)) => self.read_target(to.unwrap_or_default(), from),
            // Whoever comes too late goes nowhere.
            None if !self.resume() => {}
            None => {
                self.push(Task::Revisions);
                self.stage = Stage::Choose;
            }
        }
        false
    }

    /// Whether this rollback on demand notes first that it waits for the deploy of that job: a
    /// retry of it would go one revision further, once that deploy has failed by itself.
    pub(super) fn notes_waiting(&mut self, job: String) -> bool {
        let asked = self.request.mode.is_rollback() && self.request.to.is_none();
        let noted = self.parent.waits_for.as_ref();
        let is_noted = noted.is_some_and(|noted| noted.has(&self.request.execution, &job));
        let is_tried = self.returning.waits_for.as_ref() == Some(&job);
        if !asked || is_noted || is_tried {
            return false;
        }
        match Awaited::with(noted.cloned(), &self.request.execution, &job, self.now) {
            Some(_) => {
                self.returning.waits_for = Some(job);
                self.push(Task::Await);
            }
            None => self.fail(ReleaseFailure::NoRevision(NoRevision::Crowded)),
        }
        true
    }

    /// The parent with that note, as a write that leaves everything else.
    pub(super) fn note_of_waiting(&self) -> Option<Value> {
        let job = self.returning.waits_for.as_deref()?;
        let noted = self.parent.waits_for.clone();
        let awaited = Awaited::with(noted, &self.request.execution, job, self.now)?;
        let version = &self.parent_live.as_ref()?["metadata"]["resourceVersion"];
        Some(json!({"metadata": {"resourceVersion": version,
            "annotations": {AWAITED: awaited.text()}}}))
    }

    /// Takes the answer to it. Where somebody else wrote the parent, it is read and noted again;
    /// what keeps it from being noted keeps nothing from being waited for.
    pub(super) fn noted_waiting(&mut self, call: Call, result: Reply) {
        match result {
            Err(CallError::Refused(refusal)) => {
                if refusal.code == 409 {
                    self.returning.waits_for = None;
                }
                self.push_at(self.now + LOCK_PAUSE, Task::Parent);
            }
            other => self.took_parent(call, other),
        }
    }

    /// Whether this is another rollback on demand that went back since this one began, or while it
    /// waited.
    fn came_first(&self, other: &Heading, headings: &[Heading]) -> bool {
        let is_return = other.back_to.is_some() && other.status.was_good();
        let left = other.previous;
        let left = headings.iter().find(|it| Some(it.revision) == left);
        let noted = self.parent.waits_for.as_ref();
        let waited_for =
            |it: &Heading| noted.is_some_and(|noted| noted.has(&self.request.execution, &it.job));
        let is_since = other.at > self.continuation.started
            || waited_for(other)
            || left.is_some_and(waited_for);
        let is_other = other.execution != self.request.execution;
        self.request.to.is_none() && is_return && is_other && is_since
    }

    /// The newest record, if it is of a rollback by this execution.
    fn own_return(&self) -> Option<&Record> {
        self.newest().filter(|it| self.is_own_return(&it.heading))
    }

    fn is_own_return(&self, heading: &Heading) -> bool {
        heading.back_to.is_some() && heading.execution == self.request.execution
    }

    fn read_target(&mut self, to: u64, from: Option<u64>) {
        self.returning.to = Some(to);
        self.returning.from = from.filter(|from| *from != to);
        self.push(Task::Target(to));
        self.stage = Stage::Recall;
    }

    /// Takes the list of all revisions, or the record of the one that comes back.
    pub(super) fn took_revision(&mut self, task: Task, call: Call, result: Reply) {
        match (&task, result) {
            (Task::Revisions, Ok(list)) => {
                let items = list.items();
                self.returning.headings = items.iter().filter_map(Heading::read).collect();
            }
            // Where there is no parent, they are looked for in case that there are any; and while
            // an alarm rings, what is not known to have served before did not.
            (Task::Revisions, Err(CallError::Refused(refusal)))
                if (self.stage == Stage::Read || self.served == Served::Listed)
                    && is_forbidden(&refusal) => {}
            (_, result) => match found(result) {
                Ok(Found::Object(object)) => self.returning.target = Some(Record::read(&object)),
                Ok(Found::Nothing | Found::NotServed) => self.returning.target = None,
                Err(error) => self.unreadable(task, call, error),
            },
        }
    }

    /// Chooses the revision that comes back.
    pub(super) fn choose(&mut self) {
        if self.end_forbidden() {
            return;
        }
        let headings = std::mem::take(&mut self.returning.headings);
        let newest = headings.iter().max_by_key(|it| it.revision);
        // Its record cannot be read, or it would have been found.
        if let Some(own) = newest.filter(|it| self.is_own_return(it)) {
            return self.read_target(own.back_to.unwrap_or_default(), own.previous);
        }
        let went_back = headings.iter().any(|it| self.is_own_return(it));
        let later = newest.filter(|it| it.execution != self.request.execution);
        if let Some(later) = later.filter(|_| went_back && !self.request.mode.is_plan()) {
            return self.out_of_sync(Some(later.execution.clone()), true);
        }
        // Another rollback came first: it is the same that comes back, and nothing older.
        if let Some(other) = newest.filter(|it| self.came_first(it, &headings)) {
            return self.read_target(other.back_to.unwrap_or_default(), other.previous);
        }
        // One that failed while this one, or the try before it, waited for its lock was there when
        // this was asked for.
        let noted = self.parent.waits_for.as_ref();
        let waited_for = |it: &Heading| {
            let failed_at = it.failed_at;
            failed_at.is_some_and(|at| at > self.continuation.started)
                || noted.is_some_and(|noted| noted.has(&self.request.execution, &it.job))
        };
        let chosen = former(&headings, |it| !is_back(it) || waited_for(it));
        let good = good_revisions(&headings);
        match (self.request.to, chosen) {
            (Some(to), (from, _)) if good.contains(&to) => self.read_target(to, from),
            (Some(to), _) => {
                let named = headings.iter().find(|it| it.revision == to);
                let status = named.map(|it| it.status);
                self.fail(ReleaseFailure::NoRevision(NoRevision::NotOne {
                    to,
                    status,
                    good,
                }));
            }
            (None, (from, Some(to))) => self.read_target(to, from),
            (None, (from, None)) => {
                self.fail(ReleaseFailure::NoRevision(NoRevision::NoneBefore(from)));
            }
        }
    }

    /// The record of the revision that comes back was read: its objects are those of the release.
    pub(super) fn recall(&mut self) {
        if self.end_forbidden() {
            return;
        }
        let to = self.returning.to.unwrap_or_default();
        // What the rollback itself has recorded is the same, if the other one is gone by now.
        let own = self.own_return().cloned();
        let record = match (self.returning.target.take(), own) {
            (Some(Ok(record)), _) | (_, Some(record)) => record,
            (Some(Err(_)), None) => {
                return self.fail(ReleaseFailure::NoRevision(NoRevision::Damaged(to)));
            }
            (None, None) => {
                return self.fail(ReleaseFailure::NoRevision(NoRevision::Deleted(to)));
            }
        };
        let base = base(&self.records);
        let mut recalled = Recall::default();
        for object in record.objects.iter().filter(|object| !object.left) {
            recalled.take(object, base.iter().find(|it| it.id == object.id));
        }
        let Recall {
            objects,
            mut jobs,
            stays,
            missing,
        } = recalled;
        if !missing.is_empty() {
            let incomplete = NoRevision::Incomplete(to, missing);
            return self.fail(ReleaseFailure::NoRevision(incomplete));
        }
        if objects.is_empty() {
            return self.fail(ReleaseFailure::NoRevision(NoRevision::OnlyJobs(to)));
        }
        let held = base.into_iter().filter(|it| it.id.is_job());
        let held = held.map(|job| RecordedObject { left: true, ..job });
        self.returning.held = held.collect();
        for held in &self.returning.held {
            if !jobs.contains(&held.id) {
                jobs.push(held.id.clone());
            }
        }
        self.said
            .extend(jobs.into_iter().map(ReleaseNote::JobNotRun));
        self.said
            .extend(stays.into_iter().map(ReleaseNote::NotTakenBack));
        self.request.recall(to, objects);
        self.request.commit.clone_from(&record.heading.commit);
        self.items = self.request.manifests.iter().map(Item::new).collect();
        self.returning.has_objects = true;
        self.returning.hides = true;
        self.stage = Stage::Look;
    }
}

/// What a revision had, sorted by what becomes of it.
#[derive(Default)]
struct Recall {
    /// What is applied.
    objects: Vec<Recalled>,
    /// The Jobs, which are not run again.
    jobs: Vec<ObjectId>,
    /// What is different by now, and stays so.
    stays: Vec<ObjectId>,
    /// What should be applied, and of which the record has no manifest.
    missing: Vec<ObjectId>,
}

impl Recall {
    /// Takes an object of the revision. `now` is what the release has of it since.
    fn take(&mut self, object: &RecordedObject, now: Option<&RecordedObject>) {
        if object.id.is_job() {
            return self.jobs.push(object.id.clone());
        }
        let there = now.filter(|_| stays_as_it_is(&object.id));
        if let Some(there) = there
            && (there.manifest != object.manifest || there.manifest.text().is_none())
        {
            self.stays.push(object.id.clone());
        }
        let kept = there.unwrap_or(object);
        match kept.manifest.shared() {
            Some(text) => self.objects.push(Recalled {
                api_version: kept.api_version.clone(),
                kind: kept.id.kind.clone(),
                name: kept.id.name.clone(),
                namespace: kept.id.namespace.clone(),
                text,
                now: now.and_then(|now| now.manifest.shared()),
            }),
            // It is there, and its record had no room for it.
            None if there.is_some() => {}
            None => self.missing.push(object.id.clone()),
        }
    }
}

/// Whether an object never goes back to what it was: others' objects or data depend on what it is.
fn stays_as_it_is(id: &ObjectId) -> bool {
    id.is_definition() || id.is("", "PersistentVolumeClaim") || id.is("", "PersistentVolume")
}

/// Whether a revision failed, and everything is again as it was before it.
pub(super) fn is_back(heading: &Heading) -> bool {
    let account = recorded(heading).filter(|_| heading.status == Status::Failed);
    account.is_some_and(|account| {
        let mut left = account.left.iter();
        account.tried && account.unserved.is_empty() && left.all(|(_, why)| why.is_by_rule())
    })
}
