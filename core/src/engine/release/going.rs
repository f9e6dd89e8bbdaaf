//! Objects that are being deleted, by this release or by others: what is applied to them goes with
//! them, and they are there until their finalizers are removed.

use super::item::{Anew, BackTo, State, Tried, uid_of};
use super::model::{ReleaseEngine, Task};
use super::reading::{Found, found};
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::kubernetes::object::held_by;
use crate::release::{LeftReason, ObjectTrouble};
use crate::snapshot::Reply;
use crate::workload::health::object::ObjectWait;
use jiff::SignedDuration;
use serde_json::Value;

/// How long objects that are being deleted are waited for, whose controller is deleted next, or
/// which are made anew on the way back.
const REMOVAL: SignedDuration = SignedDuration::from_secs(60);

/// The pause between two looks at one of them.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

impl ReleaseEngine {
    /// An object that is to be applied is being deleted: one that is made anew is waited for once
    /// the release has begun.
    pub(super) fn found_going(&mut self, place: usize, finalizers: Vec<String>) {
        if self.may_recreate(place) {
            self.items[place].recreate = true;
            self.items[place].tried = Tried::Differs(None);
        } else {
            self.fault(place, ObjectTrouble::BeingDeleted(finalizers));
        }
    }

    /// Waits until an object is gone that is made anew.
    pub(super) fn is_gone(&mut self, place: usize, call: Call, result: Reply) {
        let old = self.items[place].live();
        let old = old.map(|live| uid_of(&live));
        match found(result) {
            Ok(Found::Object(object)) if Some(uid_of(&object)) == old => {
                let item = &mut self.items[place];
                item.is_waited_for = true;
                let finalizers = held_by(&object).unwrap_or_default();
                item.state = State::Waiting(ObjectWait::Removal(finalizers));
                if self.now >= self.continuation.deadline {
                    return self.time_out();
                }
                self.push_at(self.now + PAUSE, Task::Gone(place));
            }
            Ok(Found::Nothing | Found::NotServed | Found::Object(_)) => {
                self.items[place].state = State::Pending;
                self.items[place].removed = true;
                self.push(Task::Apply(place));
            }
            Err(error) => self.trouble(Task::Gone(place), call, error),
        }
    }

    /// Takes a look at an object that was deleted because the release has it no more.
    pub(super) fn pruned_yet(&mut self, place: usize, call: Call, result: Reply) {
        let uid = match &self.olds[place].fate {
            Some(Ok((uid, _))) => uid.clone(),
            _ => return,
        };
        match found(result) {
            Ok(found) if is_still(&found, Some(&uid)) => {
                self.look_later(Task::Pruned(place));
            }
            Ok(_) => self.olds[place].held.clear(),
            Err(error) => self.trouble(Task::Pruned(place), call, error),
        }
    }

    /// Takes a look at an object that was deleted on the way back.
    pub(super) fn gone_back(&mut self, place: usize, call: Call, result: Reply) {
        let old = self.backs[place].live();
        let old = old.map(|live| uid_of(&live));
        match found(result) {
            Ok(found) if is_still(&found, old.as_deref()) => {
                self.look_later(Task::GoneBack(place));
            }
            Ok(_) => self.backs[place].held.clear(),
            // It was deleted, which is what counts.
            Err(CallError::Refused(_)) => {}
            Err(error) => self.trouble(Task::GoneBack(place), call, error),
        }
    }

    /// An object that is to be put back is being deleted: what this release has deleted itself is
    /// waited for, and made anew. `false` where the object is not, or is to go.
    pub(super) fn waits_to_put_back(&mut self, place: usize, live: Option<&Value>) -> bool {
        let back = &self.backs[place];
        let returns = match &back.to {
            BackTo::Manifest(_) | BackTo::Again(_) | BackTo::Object(_) => true,
            BackTo::Nothing | BackTo::NothingUnlessRan | BackTo::Stay(_) => false,
        };
        let Some(finalizers) = live.filter(|_| returns).and_then(held_by) else {
            return false;
        };
        match back.may_be_removed && self.waits_until_gone() {
            true => self.push_at(self.now + PAUSE, Task::GetBack(place)),
            false => self.backs[place].result = Some(Err(LeftReason::Held(finalizers))),
        }
        true
    }

    /// Whether an object that cannot be put back otherwise is deleted first, as the failed revision
    /// did.
    pub(super) fn makes_anew(&mut self, place: usize) -> bool {
        let back = &mut self.backs[place];
        let is_asked = back.may_be_removed && back.anew == Anew::No && back.live.is_some();
        if is_asked {
            back.anew = Anew::Asked;
            self.push(Task::PutBack(place));
        }
        is_asked
    }

    /// Looks again at what is still there, as long as that may be waited for.
    fn look_later(&mut self, task: Task) {
        if self.waits_until_gone() {
            self.push_at(self.now + PAUSE, task);
        }
    }

    /// Whether an object that is being deleted may be waited for: its controller removes its
    /// finalizers, and what has none to do so is not waited for for ever.
    fn waits_until_gone(&mut self) -> bool {
        let until = self.gone_until.get_or_insert(self.now + REMOVAL);
        self.now < *until && self.now < self.continuation.deadline + self.way_back_limit()
    }
}

/// Whether the object of this uid is still there.
fn is_still(found: &Found, uid: Option<&str>) -> bool {
    matches!(found, Found::Object(live) if Some(&*uid_of(live)) == uid)
}
