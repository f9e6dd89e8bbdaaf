//! The writes of the way back: each object is read, and put back or deleted.

use super::super::brief::in_short;
use super::item::{BackTo, uid_of};
use super::model::{ReleaseEngine, Task};
use super::reading::{Found, found};
use crate::change::apply::{self, ApplyRefusal};
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::release::LeftReason;
use crate::release::prune::KeepReason;
use crate::snapshot::{Reading, Response};
use crate::state::marks::PART_OF;
use jiff::Timestamp;
use serde_json::Value;

/// How often an object is read again because somebody else changed it in between.
const CONFLICTS: u32 = 5;

impl ReleaseEngine {
    pub(super) fn call_of_back(&self, task: &Task, place: usize) -> Option<(Call, Reading)> {
        let back = &self.backs[place];
        let (namespace, name) = (back.namespace(), &back.id.name);
        if back.result.is_some() {
            return None;
        }
        if let Task::GetBack(_) = task {
            return Some((Call::get(&back.resource, namespace, name), Reading::Whole));
        }
        let live = back.live();
        match &back.to {
            BackTo::Manifest(manifest) => {
                let manifest = serde_json::from_str(manifest).ok()?;
                let body = self.body(&manifest, &back.id, live.as_ref());
                let call = Call::apply(&back.resource, namespace, name, body, true);
                Some((call, Reading::Whole))
            }
            BackTo::Object(object) => {
                let object = &serde_json::from_str(object).ok()?;
                let call = match live {
                    Some(live) => {
                        let object = replaced(object, &live, self.scaled_by(&back.id).is_some());
                        Call::replace(&back.resource, namespace, name, object)
                    }
                    None => Call::create(&back.resource, namespace, anew(object)),
                };
                Some((call, Reading::Whole))
            }
            BackTo::Nothing => {
                let uid = uid_of(&live?);
                Some((
                    Call::delete(&back.resource, namespace, name, &uid),
                    Reading::Object,
                ))
            }
            BackTo::Stay(_) => None,
        }
    }

    /// Takes an object as it is before it is put back.
    pub(super) fn took_back(
        &mut self,
        place: usize,
        call: Call,
        result: Result<Response, CallError>,
        now: Timestamp,
    ) {
        let live = match found(result) {
            Ok(Found::Object(live)) => Some(live),
            Ok(Found::Nothing | Found::NotServed) => None,
            Err(error) => return self.back_trouble(place, Task::GetBack(place), call, error, now),
        };
        let owner = &self.owner.id;
        let back = &mut self.backs[place];
        let is_ours = live
            .as_ref()
            .is_some_and(|live| live["metadata"]["labels"][PART_OF] == **owner);
        match (&back.to, &live) {
            (BackTo::Nothing, None) => back.result = Some(Ok(())),
            (BackTo::Nothing, Some(_)) if !is_ours => {
                back.result = Some(Err(LeftReason::Keep(KeepReason::NotInRelease)));
            }
            // It was never taken over.
            (BackTo::Object(_), Some(_)) if !is_ours => back.result = Some(Ok(())),
            _ => {}
        }
        let again = back.conflicts > 0 && back.result.is_none();
        back.live = live.map(|live| live.to_string().into_boxed_str());
        if again {
            self.push(Task::PutBack(place));
        }
    }

    /// Takes the answer to a write of the way back.
    pub(super) fn put_back(
        &mut self,
        place: usize,
        call: Call,
        result: Result<Response, CallError>,
        now: Timestamp,
    ) {
        let refusal = match result {
            Ok(response) => {
                self.backs[place].result = Some(Ok(()));
                let is_deleted = self.backs[place].to == BackTo::Nothing;
                let id = self.backs[place].id.clone();
                match is_deleted {
                    true => self.way_back.deleted.push(id),
                    false => self.way_back.restored.push(id),
                }
                if let Some(object) = response.object().filter(|_| !is_deleted) {
                    self.follow_back(place, object, now);
                }
                return;
            }
            Err(CallError::Refused(refusal)) => refusal,
            Err(error) => return self.back_trouble(place, Task::PutBack(place), call, error, now),
        };
        let back = &mut self.backs[place];
        let is_stale = matches!(apply::refused(&refusal), ApplyRefusal::Stale);
        if (is_stale || matches!(refusal.code, 404 | 409)) && back.conflicts < CONFLICTS {
            back.conflicts += 1;
            return self.push(Task::GetBack(place));
        }
        let error = CallError::Refused(refusal);
        self.back_trouble(place, Task::PutBack(place), call, error, now);
    }

    /// A call of the way back failed: what may pass is tried again until its time is over, and what
    /// is refused stays.
    fn back_trouble(
        &mut self,
        place: usize,
        task: Task,
        call: Call,
        error: CallError,
        now: Timestamp,
    ) {
        let is_final = match &error {
            CallError::Refused(refusal) => !refusal.may_pass(),
            CallError::Untrusted(_) | CallError::Kept(_) => true,
            CallError::NotKubernetes(_) | CallError::Unreachable(_) | CallError::OutOfTime => false,
        };
        match is_final && self.locked_out.is_none() {
            true => {
                let why = (self.mask)(&in_short(&error));
                self.backs[place].result = Some(Err(LeftReason::Refused(why)));
            }
            false => self.trouble(task, call, error, now),
        }
    }
}

/// The object as it was, as a write that replaces the one that is there now.
fn replaced(object: &Value, live: &Value, is_scaled: bool) -> Value {
    let mut object = object.clone();
    for field in ["resourceVersion", "uid"] {
        object["metadata"][field] = live["metadata"][field].clone();
    }
    if is_scaled && let Some(replicas) = live.pointer("/spec/replicas") {
        object["spec"]["replicas"] = replicas.clone();
    }
    object
}

/// The object as it was, as a write that creates it.
fn anew(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object["metadata"].as_object_mut() {
        for field in ["resourceVersion", "uid", "creationTimestamp", "generation"] {
            metadata.remove(field);
        }
    }
    object
}
