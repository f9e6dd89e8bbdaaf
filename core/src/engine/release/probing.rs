//! Objects that are probably new are tried before they are read: the dry run of one that is not
//! there tells so, and the read is saved.

use super::super::trouble::CONFLICTS;
use super::item::Tried;
use super::model::{ReleaseEngine, Task};
use super::trouble::is_forbidden;
use crate::change::apply::{self, ApplyRefusal, FieldConflict, Mark};
use crate::kubernetes::call::{Call, Permission};
use crate::kubernetes::object::{held_by, is_true};
use crate::kubernetes::{CallError, Refusal};
use crate::release::{ObjectTrouble, ReleaseFailure, ReleaseNote};
use crate::snapshot::{Reply, Response};
use serde_json::Value;
use std::borrow::Cow;
use std::collections::BTreeSet;

impl ReleaseEngine {
    /// Tries to apply an object, unless it was read, and says that nothing would change.
    pub(super) fn push_try(&mut self, place: usize) {
        if let Some(live) = self.items[place].live() {
            if let Some(finalizers) = held_by(&live).filter(|_| self.record.is_none()) {
                return self.found_going(place, finalizers);
            }
            let manifest = self.request.manifests[place].object();
            let body = self.body(&manifest, &self.items[place].id, Some(&live));
            // A Job that failed is made anew, which admission is asked about before it is deleted.
            let is_job = self.items[place].id.is_job();
            let is_taken = !self.marks_of_others(place, &live).is_empty();
            if !is_job && !is_taken && apply::is_repetition(&body, &live) {
                return self.is_same(place, &live);
            }
        }
        self.push(Task::Try(place));
    }

    /// An object was read after its dry run: it is tried as what it is.
    pub(super) fn try_read(&mut self, place: usize) {
        self.check_owner(place);
        self.push_try(place);
    }

    /// Whether an object is read first after all: most of those that were tried unread were there,
    /// as where a folder of `kubectl apply` becomes a release.
    pub(super) fn is_rather_read(&mut self, place: usize) -> bool {
        let (new, there) = self.probed;
        let reads = self.items[place].is_unread && there > new;
        self.items[place].is_unread &= !reads;
        reads
    }

    /// Takes the answer to the dry run of an object that was not read. `false` where it tells the
    /// same as of one that was.
    pub(super) fn probed(&mut self, place: usize, result: &Reply) -> bool {
        let is_there = match result {
            Ok(Response::Object(tried)) if is_created(tried) => {
                self.items[place].is_unread = false;
                self.items[place].tried = Tried::Differs(None);
                self.probed.0 += 1;
                self.check_time(place, None, tried);
                return true;
            }
            Ok(_) => true,
            Err(error) if error.is_not_served() => return false,
            Err(CallError::Refused(refusal)) if is_forbidden(refusal) || refusal.may_pass() => {
                return false;
            }
            Err(CallError::Refused(refusal)) => refusal.code == 409,
            Err(_) => return false,
        };
        self.items[place].is_unread = false;
        self.probed.1 += usize::from(is_there);
        self.push(Task::Get(place));
        true
    }

    /// Somebody changed an object during its dry run.
    pub(super) fn read_and_try(&mut self, place: usize) -> bool {
        let item = &mut self.items[place];
        item.conflicts += 1;
        let races = item.conflicts;
        let again = races <= CONFLICTS;
        if again {
            self.push_after_race(races, Task::Get(place));
        }
        again
    }

    /// A Job that failed runs again, whether it would change or not.
    pub(super) fn runs_again(&mut self, place: usize, live: &Value) -> bool {
        let has_failed = is_true(live, "Failed") || is_true(live, "FailureTarget");
        let runs = self.items[place].id.is_job() && has_failed;
        if runs {
            self.items[place].recreate = self.record.is_none();
        }
        runs
    }

    /// What belongs to another release or tool is not taken over without `force`.
    pub(super) fn check_owners(&mut self) {
        for place in 0..self.items.len() {
            self.check_owner(place);
        }
    }

    fn check_owner(&mut self, place: usize) {
        let Some(live) = self.items[place].live() else {
            return;
        };
        let foreign = apply::owners(&live, &self.owner);
        if foreign.is_empty() {
            return;
        }
        if !self.request.force {
            return self.fault(place, ObjectTrouble::Foreign(foreign));
        }
        let note = ReleaseNote::TakenFrom(self.items[place].id.clone(), foreign);
        if !self.said.contains(&note) {
            self.said.push(note);
        }
    }

    /// The marks of other tools that an object loses, because it is taken over by force.
    pub(super) fn marks_of_others(&self, place: usize, live: &Value) -> Vec<Mark> {
        match self.request.force {
            true => {
                let manifest = || self.request.manifests[place].object();
                apply::marks_of_others(live, manifest, &self.owner)
            }
            false => Vec::new(),
        }
    }

    /// The answer to a dry run, as it is without them.
    pub(super) fn without_marks<'v>(
        &self,
        place: usize,
        live: &Value,
        tried: &'v Value,
    ) -> Cow<'v, Value> {
        let mut tried = Cow::Borrowed(tried);
        for (list, name) in self.marks_of_others(place, live) {
            let texts = tried.to_mut().pointer_mut(&format!("/metadata/{list}"));
            if let Some(texts) = texts.and_then(Value::as_object_mut) {
                texts.remove(name);
            }
        }
        tried
    }

    /// Whether all these managers give their fields to us when an object is taken over.
    pub(super) fn are_taken_over(&self, place: usize, fields: &[FieldConflict]) -> bool {
        let item = &self.items[place];
        let is_scaled = self.scaled_by(&item.id).is_some();
        let mut others = fields.to_vec();
        others.retain(|field| is_scaled || !apply::is_of_autoscaler(field));
        let live = item.live();
        live.is_some_and(|live| apply::are_of_predecessors(&live, &others))
    }

    /// A refusal without the conflicts that are none: fields that are taken over anyway.
    pub(super) fn in_the_way(&self, place: usize, meaning: ApplyRefusal) -> ApplyRefusal {
        match meaning {
            ApplyRefusal::Conflict(mut fields) => {
                fields.retain(|field| !self.are_taken_over(place, std::slice::from_ref(field)));
                ApplyRefusal::Conflict(fields)
            }
            meaning => meaning,
        }
    }

    /// Tries in a plan what would be the first write of a first release, where no object has shown
    /// that the namespace of its records is there.
    pub(super) fn try_parent(&mut self) {
        let home = &self.request.namespace;
        let mut items = self.items.iter();
        let is_seen = items.any(|item| {
            let is_tried = matches!(item.tried, Tried::Same | Tried::Differs(_));
            item.id.namespace.as_ref() == Some(home) && is_tried
        });
        if self.request.mode.is_plan() && self.parent_live.is_none() && !is_seen {
            self.push(Task::TryParent);
        }
    }

    /// Takes the answer to that. Who only plans need not be allowed to write it.
    pub(super) fn tried_parent(&mut self, call: Call, result: Reply) {
        match result {
            Ok(_) => {}
            Err(CallError::Refused(refusal)) if is_home_missing(&refusal) => {
                self.fail(ReleaseFailure::NoNamespace);
            }
            Err(CallError::Refused(refusal)) if is_forbidden(&refusal) => {}
            Err(CallError::Refused(refusal)) if is_untriable(&refusal) => {}
            Err(error) => self.trouble(Task::TryParent, call, error),
        }
    }

    /// The right to read what was not read so far, and is read once it is there.
    pub(super) fn need_reads(&self, needed: &mut BTreeSet<(Permission, Option<String>)>) {
        let new = self.items.iter().filter(|item| item.live.is_none());
        for item in new.filter(|item| item.id.namespace.is_some()) {
            if let Some(resource) = &item.resource {
                let namespace = item.id.namespace.clone();
                needed.insert((Permission::of("get", resource), namespace));
            }
        }
    }
}

/// Whether a webhook cannot be asked without its effects.
pub(super) fn is_untriable(refusal: &Refusal) -> bool {
    refusal.code == 400 && refusal.message.contains("dry run")
}

/// Whether a Secret of the release is refused because its namespace does not exist.
pub(super) fn is_home_missing(refusal: &Refusal) -> bool {
    apply::refused(refusal) == ApplyRefusal::NamespaceMissing
}

/// Whether the answer to a dry run is that of an object which would be created: it has no version
/// yet.
fn is_created(tried: &Value) -> bool {
    let version = &tried["metadata"]["resourceVersion"];
    version.as_str().unwrap_or_default().is_empty()
}
