//! Before the first write: whose the objects are, what each apply would change, and whether the
//! token may do what cannot be tried.

use super::following::workload_kind;
use super::item::{Old, Tried, resource_of};
use super::model::{ReleaseEngine, Task};
use super::probing::is_untriable;
use super::reading::Found;
use super::trouble::is_forbidden;
use super::undoing::is_deleted_on_the_way_back;
use crate::change;
use crate::change::apply::{self, ApplyRefusal};
use crate::kubernetes::CallError;
use crate::kubernetes::Refusal;
use crate::kubernetes::call::{Call, Permission};
use crate::kubernetes::object::is_true;
use crate::kubernetes::object_id::ObjectId;
use crate::kubernetes::resource::PODS;
use crate::release::prune::{self, Prune, candidates};
use crate::release::{LeftReason, ObjectFault, ObjectTrouble, ReleaseNote, Untried};
use crate::snapshot::{Reply, Response};
use crate::state::release::history::base;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Releases that come after each other within a day are usual.
const SHORT_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

impl ReleaseEngine {
    /// Takes an object as it is before it is applied.
    pub(super) fn took_item(&mut self, place: usize, found: Found) {
        match found {
            Found::Object(object) => {
                self.items[place].uid = Some(super::item::uid_of(&object));
                self.items[place].live = Some(object.to_string().into_boxed_str());
            }
            Found::Nothing => {
                self.items[place].live = None;
                self.items[place].uid = None;
            }
            Found::NotServed => {
                let item = &self.items[place];
                match self.brings_kind(&item.id.group, &item.id.kind) {
                    true => self.items[place].tried = Tried::Unable(Untried::NewKind),
                    false => {
                        let version = self.request.manifests[place].api_version.clone();
                        self.fault(place, ObjectTrouble::UnknownKind(version));
                    }
                }
            }
        }
    }

    /// Tries to apply every object that can be tried.
    pub(super) fn try_all(&mut self) {
        let own = namespace(&self.request.namespace);
        // What could not be read is not absent; that is told instead.
        if self.forbidden.is_empty()
            && self.is_absent(&own)
            && let Some(place) = self.items.iter().position(|item| item.id == own)
        {
            self.fault(place, ObjectTrouble::OwnNamespace);
        }
        for place in 0..self.items.len() {
            self.note_short_life(place);
            let item = &self.items[place];
            let is_new_there = item.live.is_none()
                && item.id.namespace.as_deref().is_some_and(|name| {
                    self.brings_namespace(name) && self.is_absent(&namespace(name))
                });
            if is_new_there {
                self.items[place].tried = Tried::Unable(Untried::NewNamespace);
            } else if item.resource.is_some() && item.tried == Tried::Not {
                self.push_try(place);
            }
        }
    }

    /// A Job that Kubernetes deletes after its end is not there any more when the next release
    /// looks whether it is to run.
    fn note_short_life(&mut self, place: usize) {
        let id = &self.items[place].id;
        if !id.is_job() {
            return;
        }
        let manifest = self.request.manifests[place].object();
        let seconds = manifest["spec"]["ttlSecondsAfterFinished"].as_u64();
        let life = seconds.map(Duration::from_secs);
        if let Some(life) = life.filter(|life| *life < SHORT_LIFE) {
            let note = ReleaseNote::ShortLived(id.clone(), life);
            self.said.push(note);
        }
    }

    fn is_absent(&self, id: &ObjectId) -> bool {
        let mut items = self.items.iter();
        items.any(|item| item.id == *id && item.live.is_none())
    }

    /// Takes the answer to a dry run.
    pub(super) fn tried(&mut self, place: usize, call: Call, result: Reply) {
        if self.items[place].is_unread && self.probed(place, &result) {
            return;
        }
        let refusal = match result {
            Ok(Response::Object(tried)) => return self.compare(place, &tried),
            Ok(_) => return,
            Err(error) if error.is_not_served() => return self.took_item(place, Found::NotServed),
            Err(CallError::Refused(refusal)) => refusal,
            Err(error) => return self.trouble(Task::Try(place), call, error),
        };
        if is_forbidden(&refusal) {
            let creates = refusal.message.contains("cannot create");
            return self.forbid(&call, if creates { "create" } else { "patch" });
        }
        let live = self.items[place].live();
        if is_untriable(&refusal) {
            self.items[place].tried = Tried::Unable(Untried::Webhook);
            if let Some(live) = live {
                self.runs_again(place, &live);
            }
            return;
        }
        let sent = call.body.clone().unwrap_or_default();
        let meaning = apply::refused(&refusal).named(live.as_ref(), &sent);
        match &meaning {
            ApplyRefusal::Conflict(fields)
                if !self.items[place].force && self.are_taken_over(place, fields) =>
            {
                self.items[place].force = true;
                self.push(Task::Try(place));
            }
            // Whose the whole object is was said, and with it whose its fields are.
            ApplyRefusal::Conflict(_) if self.is_foreign(place) => {}
            ApplyRefusal::Immutable(_) if self.may_recreate(place) => {
                self.items[place].recreate = true;
                self.items[place].tried = Tried::Differs(None);
            }
            ApplyRefusal::NamespaceMissing if self.namespace_comes(place) => {
                self.items[place].tried = Tried::Unable(Untried::NewNamespace);
            }
            ApplyRefusal::RoleMissing(_) => {
                self.items[place].tried = Tried::Unable(Untried::NewKind);
            }
            ApplyRefusal::OtherVersion if self.items[place].live.is_some() => {
                self.items[place].other_version = true;
                self.items[place].tried = Tried::Unable(Untried::OtherVersion);
            }
            ApplyRefusal::Stale if self.read_and_try(place) => {}
            _ if meaning.may_pass() => {
                self.trouble(Task::Try(place), call, CallError::Refused(refusal));
            }
            _ => {
                let meaning = self.in_the_way(place, meaning);
                self.refuse(place, meaning, refusal);
            }
        }
    }

    fn refuse(&mut self, place: usize, meaning: ApplyRefusal, refusal: Refusal) {
        self.fault(place, ObjectTrouble::Refused(meaning, Box::new(refusal)));
    }

    fn is_foreign(&self, place: usize) -> bool {
        let id = &self.items[place].id;
        let mut faults = self.faults.iter().filter(|fault| fault.id == *id);
        faults.any(|fault| matches!(fault.trouble, ObjectTrouble::Foreign(_)))
    }

    fn namespace_comes(&self, place: usize) -> bool {
        let namespace = self.items[place].id.namespace.as_deref();
        namespace.is_some_and(|namespace| self.brings_namespace(namespace))
    }

    /// Whether an object may be deleted and made anew: a Job, which runs once, or what asks for it.
    pub(super) fn may_recreate(&self, place: usize) -> bool {
        self.items[place].id.is_job() || self.request.manifests[place].recreate
    }

    /// Compares the answer to a dry run with the object as it is.
    fn compare(&mut self, place: usize, tried: &Value) {
        let item = &self.items[place];
        let Some(live) = item.live() else {
            self.items[place].tried = Tried::Differs(None);
            return self.check_time(place, None, tried);
        };
        let tried = &*self.without_marks(place, &live, tried);
        if !apply::needs_write(&live, tried) {
            return self.is_same(place, &live);
        }
        let difference = apply::change(Some(&live), tried);
        self.items[place].tried = Tried::Differs(Some(Box::new(difference)));
        self.check_time(place, Some(&live), tried);
    }

    /// A workload whose pods are replaced must be able to be available in time.
    pub(super) fn check_time(&mut self, place: usize, live: Option<&Value>, tried: &Value) {
        let id = &self.items[place].id;
        let Some(kind) = workload_kind(id) else {
            return;
        };
        let template = |object: &Value| object.pointer("/spec/template").cloned();
        let is_new = live.is_none_or(|live| template(live) != template(tried));
        let request = self.request_for(kind, id);
        let fault = change::fault_of_time(&request, tried).filter(|_| is_new);
        if let Some(fault) = fault {
            self.fault(place, ObjectTrouble::Fault(fault));
        }
    }

    /// Nothing would change.
    pub(super) fn is_same(&mut self, place: usize, live: &Value) {
        self.items[place].tried = Tried::Same;
        let id = self.items[place].id.clone();
        if !self.runs_again(place, live) && id.is_job() && is_true(live, "Complete") {
            self.said.push(ReleaseNote::AlreadyComplete(id));
        }
    }

    pub(super) fn fault(&mut self, place: usize, trouble: ObjectTrouble) {
        let fault = self.fault_of(place, trouble);
        self.faults.push(fault);
    }

    /// What is wrong with an object, and where it is written.
    pub(super) fn fault_of(&self, place: usize, trouble: ObjectTrouble) -> ObjectFault {
        ObjectFault {
            id: self.items[place].id.clone(),
            place: self.request.manifests[place].place.to_string(),
            trouble,
        }
    }

    /// Finds what the release had and has no more; it is read where it may be deleted.
    pub(super) fn find_olds(&mut self) {
        let base = base(&self.records);
        let olds = candidates(&base, &self.ids())
            .into_iter()
            .map(|object| Old {
                object: object.clone(),
                resource: resource_of(object),
                fate: None,
                gone: false,
                held: Vec::new(),
                conflicts: 0,
            });
        self.olds = olds.collect();
        for old in 0..self.olds.len() {
            self.push(Task::GetOld(old));
        }
    }

    pub(super) fn took_old(&mut self, place: usize, found: Found) {
        let live = match found {
            Found::Object(live) => Some(live),
            Found::Nothing => None,
            Found::NotServed => return self.not_served(place),
        };
        // Uids of this release are known once it is applied; what was applied before counts now.
        let uids = self.items.iter().filter_map(|item| item.uid.clone());
        let uids = uids.collect::<BTreeSet<_>>();
        let force = self.request.force;
        let old = &mut self.olds[place];
        match prune::prune(&old.object, live.as_ref(), &self.owner, &uids, force) {
            Prune::Delete {
                uid,
                resource_version,
            } => old.fate = Some(Ok((uid, resource_version))),
            Prune::Keep(reason) => old.fate = Some(Err(LeftReason::Keep(reason))),
            Prune::Gone => old.gone = true,
        }
    }

    /// The version in which the release had an object is gone from the cluster. Whether the object
    /// is gone as well, or there in another version, is not known.
    pub(super) fn not_served(&mut self, place: usize) {
        let old = &mut self.olds[place];
        let version = old.object.api_version.clone();
        old.fate = Some(Err(LeftReason::NotServed(version)));
    }

    /// What becomes of the objects that the release has no more.
    pub(super) fn judge_olds(&mut self) {
        if self.request.prune {
            return;
        }
        for old in &mut self.olds {
            old.fate = Some(Err(LeftReason::NotAsked));
        }
    }

    /// Asks for the permissions that no dry run needs: to read what is new, to delete, and to read
    /// what explains a failure.
    pub(super) fn ask_permissions(&mut self) {
        let mut needed = BTreeSet::new();
        self.need_reads(&mut needed);
        if !self.request.mode.is_plan() {
            self.need_changes(&mut needed);
        }
        for (permission, namespace) in needed {
            self.push(Task::Permission(permission, namespace));
        }
    }

    fn need_changes(&self, needed: &mut BTreeSet<(Permission, Option<String>)>) {
        for item in self.items.iter().filter(|item| item.differs()) {
            let Some(resource) = &item.resource else {
                continue;
            };
            let namespace = item.id.namespace.clone();
            let is_new = item.live.is_none() && self.request.rollback;
            if item.recreate || is_new && is_deleted_on_the_way_back(&item.id) {
                needed.insert((Permission::of("delete", resource), namespace.clone()));
            }
            if let Some(kind) = workload_kind(&item.id) {
                let versions = kind.row().versions.resource;
                if versions.name != resource.name {
                    needed.insert((Permission::of("list", versions), namespace.clone()));
                }
                needed.insert((Permission::of("list", &PODS), namespace));
            }
        }
        if self.request.prune {
            let doomed = self
                .olds
                .iter()
                .filter(|old| matches!(old.fate, None | Some(Ok(_))));
            for old in doomed.filter(|old| !old.gone) {
                let namespace = old.object.id.namespace.clone();
                needed.insert((Permission::of("delete", &old.resource), namespace));
            }
        }
    }

    pub(super) fn took_permission(&mut self, task: Task, call: Call, result: Reply) {
        let Task::Permission(permission, namespace) = &task else {
            return;
        };
        match result {
            Ok(Response::Object(review)) => {
                if review.pointer("/status/allowed") == Some(&Value::Bool(false)) {
                    self.forbidden
                        .insert((permission.clone(), namespace.clone()));
                }
            }
            Ok(_) => {}
            // A token may be denied to ask what it may.
            Err(CallError::Refused(refusal)) if refusal.code == 403 => {}
            Err(error) => self.trouble(task, call, error),
        }
    }
}

/// The id of a namespace.
fn namespace(name: &str) -> ObjectId {
    ObjectId {
        kind: "Namespace".to_owned(),
        name: name.to_owned(),
        ..ObjectId::default()
    }
}
