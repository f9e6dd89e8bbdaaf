//! Writing the objects, one step after the other.

use super::super::trouble::CONFLICTS;
use super::item::{State, receipt};
use super::model::{ReleaseEngine, Task};
use super::reading::found;
use crate::change::apply::{self, ApplyRefusal};
use crate::kubernetes::call::Call;
use crate::kubernetes::{CallError, Refusal};
use crate::release::{ObjectTrouble, ReleaseCause, prune};
use crate::snapshot::{Reply, Response};
use crate::state::release::Record;
use crate::workload::health::object::{self, ObjectHealth};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// How long something is waited for that passes by itself: a new kind that is not served yet, a
/// webhook whose pods come with the release, a quota that others count against.
const GRACE: SignedDuration = SignedDuration::from_secs(120);

/// The pause before it is tried again.
const PAUSE: SignedDuration = SignedDuration::from_secs(1);

impl ReleaseEngine {
    /// Begins to write an object, or takes it as it is.
    pub(super) fn push_apply(&mut self, place: usize) {
        let item = &self.items[place];
        if item.applied.is_some() {
            return;
        }
        if !item.differs() {
            // What the newest revision left as it is has had its time to get ready.
            let newest = self.newest_good().filter(|_| !self.is_written(place));
            let has = |record: &&Record| record.find(&item.id).is_some();
            let at = newest.filter(has).map(|record| record.heading.at);
            let at = at.unwrap_or(self.continuation.started);
            let applied = item.live().map(|live| receipt(&live, at));
            self.items[place].applied = applied;
            return;
        }
        let task = if item.recreate && item.live.is_some() {
            Task::Remove(place)
        } else if self.takeover(place).is_some() {
            Task::TakeOver(place)
        } else {
            Task::Apply(place)
        };
        self.push(task);
    }

    /// The write that makes the fields of former managers ours, or our own ones be noted in the
    /// manifest's version.
    pub(super) fn takeover(&self, place: usize) -> Option<Value> {
        let item = &self.items[place];
        let live = item.live()?;
        let patch = match item.other_version {
            true => apply::takeover_into(&live, &self.request.manifests[place].api_version),
            false => apply::takeover(&live),
        };
        // Until our own label is on it, the way back would take it for never taken over.
        let marks = match prune::not_ours(&live, &self.owner) {
            None => self.marks_of_others(place, &live),
            Some(_) => Vec::new(),
        };
        apply::without_marks(patch, &live, &marks)
    }

    pub(super) fn took_over(&mut self, place: usize, call: Call, result: Reply) {
        match result {
            Ok(Response::Object(object)) => {
                self.items[place].live = Some(object.to_string().into_boxed_str());
                self.push(Task::Apply(place));
            }
            Ok(_) => {}
            Err(CallError::Refused(refusal)) if matches!(refusal.code, 409 | 404) => {
                self.read_again(place, refusal);
            }
            Err(error) => self.trouble(Task::TakeOver(place), call, error),
        }
    }

    /// Somebody else changed the object in between: it is read, tried and written again.
    fn read_again(&mut self, place: usize, refusal: Refusal) {
        let item = &mut self.items[place];
        item.conflicts += 1;
        if item.conflicts > CONFLICTS {
            let trouble = ObjectTrouble::Refused(ApplyRefusal::Stale, Box::new(refusal));
            return self.doom(ReleaseCause::Refused(self.fault_of(place, trouble)));
        }
        let races = item.conflicts;
        self.push_after_race(races, Task::Get(place));
    }

    /// Takes the answer to an apply.
    pub(super) fn applied(&mut self, place: usize, call: Call, result: Reply) {
        let error = match result {
            Ok(Response::Object(object)) => return self.wrote(place, &object),
            Ok(_) => return,
            Err(error) => error,
        };
        let silent = self.silent_since(&error);
        if error.is_not_served() {
            // A definition is established, and its path is not served yet.
            if !self.pauses(place, silent) {
                self.trouble(Task::Apply(place), call, error);
            }
            return;
        }
        let CallError::Refused(refusal) = error else {
            return self.trouble(Task::Apply(place), call, error);
        };
        let meaning = apply::refused(&refusal);
        match &meaning {
            ApplyRefusal::Stale => self.read_again(place, refusal),
            ApplyRefusal::Conflict(fields)
                if !self.items[place].pressed && self.are_taken_over(place, fields) =>
            {
                self.items[place].pressed = true;
                self.push(Task::Apply(place));
            }
            ApplyRefusal::Immutable(_)
                if self.may_recreate(place) && !self.items[place].removed =>
            {
                self.items[place].recreate = true;
                self.push(Task::Get(place));
            }
            ApplyRefusal::OtherVersion if !self.items[place].other_version => {
                self.items[place].other_version = true;
                self.push(Task::Get(place));
            }
            ApplyRefusal::WebhookAway { .. }
            | ApplyRefusal::QuotaRace
            | ApplyRefusal::NamespaceMissing
            | ApplyRefusal::RoleMissing(_)
            | ApplyRefusal::KindMissing
                if self.pauses(place, silent) => {}
            ApplyRefusal::Other(_) => {
                self.trouble(Task::Apply(place), call, CallError::Refused(refusal));
            }
            _ => {
                let trouble = ObjectTrouble::Refused(meaning, Box::new(refusal));
                self.doom(ReleaseCause::Refused(self.fault_of(place, trouble)));
            }
        }
    }

    /// Tries again in a while what may pass by itself; `false` once that was waited for long
    /// enough.
    fn pauses(&mut self, place: usize, silent: Option<Timestamp>) -> bool {
        let waited = *self.items[place].waited.get_or_insert(self.now);
        let since = silent.unwrap_or(waited);
        let waits = self.now.duration_since(since) < GRACE && self.now < self.continuation.deadline;
        if waits {
            self.push_at(self.now + PAUSE, Task::Apply(place));
        }
        waits
    }

    fn wrote(&mut self, place: usize, object: &Value) {
        self.items[place].wrote = true;
        let item = &self.items[place];
        let may_take_over = !item.removed && item.conflicts < CONFLICTS;
        // The server invents a manager for an object that had none.
        let is_invented = || apply::takeover(object).is_some();
        let is_marked = || !self.marks_of_others(place, object).is_empty();
        let takes_over = may_take_over && (is_invented() || is_marked());
        let item = &mut self.items[place];
        if takes_over {
            item.conflicts += 1;
            item.live = Some(object.to_string().into_boxed_str());
            return self.push(Task::TakeOver(place));
        }
        let applied = receipt(object, self.now);
        let is_ready = object::health(object, &applied, self.now) == ObjectHealth::Ready;
        item.applied = Some(applied);
        item.state = State::Pending;
        // The answer is a look at the object, too.
        if is_ready && self.is_looked_at_last(place) {
            self.items[place].state = State::Ready;
            self.items[place].looked = Some(self.now);
        }
        self.keep_for_follower(place, object);
    }

    /// An object that is made anew was deleted.
    pub(super) fn removed(&mut self, place: usize, call: Call, result: Reply) {
        match found(result) {
            Ok(_) => self.push(Task::Gone(place)),
            Err(CallError::Refused(refusal)) if refusal.code == 409 => {
                self.read_again(place, refusal);
            }
            Err(error) => self.trouble(Task::Remove(place), call, error),
        }
    }
}
