//! A list that is kept, or a single object, and what its watch tells of it.

use super::items::{Form, Item, answer};
use super::stream::Told;
use super::trust::Trust;
use crate::kubernetes::WatchEnd;
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::call::{Call, Verb};
use landfall_core::kubernetes::resource::DEPLOYMENTS;
use landfall_core::kubernetes::service::Selector;
use landfall_core::snapshot::{MOMENT, Reading, Response};
use landfall_core::state::marks::VERSION;
use serde_json::Value;
use std::collections::BTreeMap;
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// Objects of a list of which each change is told at once.
const FEW: usize = 50;

/// A list that is kept.
pub(super) struct List {
    pub(super) call: Call,
    pub(super) form: Form,
    pub(super) items: BTreeMap<String, Item>,
    /// From where it is followed.
    pub(super) version: String,
    pub(super) trust: Trust,
    pub(super) watch: Option<(u64, AbortHandle)>,
    /// Whether it is to be read before it is believed again, whatever a watch tells.
    pub(super) is_outdated: bool,
    /// Whether it has changed since it was asked for the last time.
    pub(super) is_changed: bool,
    /// What was written, by name and version: until it is told, what is kept is older.
    pub(super) awaited: Option<(String, String)>,
    /// When it was read, if nothing was waited for since.
    read_at: Option<Instant>,
    /// How often it was asked for; in a switch, between how many waits.
    asked: u32,
    /// Whether it was asked for since the last wait.
    is_asked: bool,
    /// Whether that was after the last write of a Deployment: the next look asks the same.
    is_asked_lately: bool,
    /// Whether it was so before the last wait.
    is_needed: bool,
    /// Whether it was asked for before that: what nobody asks for any more ends no wait.
    pub(super) is_current: bool,
    is_of_switch: bool,
    /// Whether it was asked what is wrong with its pods.
    has_told_pods: bool,
    /// The labels that are selected; empty where it is not by these alone.
    selector: Selector,
}

/// The labels that a list selects, where it is by these alone.
pub(super) fn selected(call: &Call) -> Option<Selector> {
    let mut query = call.query.iter();
    let (_, text) = query.find(|(name, _)| *name == "labelSelector")?;
    let is_plain = |term: &str| !term.contains([' ', '!', '(']);
    let terms = text.split(',').map(|term| {
        let (label, value) = term.split_once('=').filter(|_| is_plain(term))?;
        Some((label.to_owned(), value.to_owned()))
    });
    terms.collect()
}

impl List {
    /// One that is to be read.
    pub(super) fn new(call: &Call, form: Form, is_of_switch: bool) -> List {
        List {
            call: call.clone(),
            form,
            items: BTreeMap::new(),
            version: String::new(),
            trust: Trust::new(Instant::now()),
            watch: None,
            is_outdated: false,
            is_changed: false,
            awaited: None,
            read_at: None,
            asked: 0,
            is_asked: false,
            is_asked_lately: false,
            is_needed: false,
            is_current: true,
            is_of_switch,
            has_told_pods: false,
            selector: selected(call).unwrap_or_default(),
        }
    }

    /// Whether it has all that another list of a switch has, and tells as much of it.
    pub(super) fn covers(&self, call: &Call, form: Form) -> bool {
        let tells = match self.form {
            Form::Versions => form == Form::Versions,
            Form::ServicePods => matches!(form, Form::Pods | Form::ServicePods),
            Form::Pods | Form::Whole | Form::Single => false,
        };
        if !tells || !self.is_of_switch || self.call.path != call.path || self.is(call, form) {
            return false;
        }
        let wanted = selected(call).unwrap_or_default();
        let mut own = self.selector.iter();
        !self.selector.is_empty() && own.all(|(label, value)| wanted.get(label) == Some(value))
    }

    /// What another list has, of which this one has all.
    pub(super) fn part(&self, call: &Call) -> impl Iterator<Item = &Item> + Clone {
        let wanted = selected(call).unwrap_or_default();
        let items = self.items.values();
        items.filter(move |item| item.has(&wanted))
    }

    /// Whether it is followed, and what it tells is believed.
    pub(super) fn is_followed(&self, now: Instant) -> bool {
        let is_settled = !self.is_outdated && self.awaited.is_none();
        is_settled && self.watch.is_some() && self.trust.is_believed(now)
    }

    /// A part of it was read now; `is_same`: as it has it. If not, its watch is behind.
    pub(super) fn checked(&mut self, is_same: bool, fresh: bool, now: Instant) {
        if is_same {
            return self.trust.confirmed(now);
        }
        self.close();
        self.trust.corrected(!self.is_outdated && !fresh, now);
        self.is_outdated = true;
    }

    pub(super) fn is(&self, call: &Call, form: Form) -> bool {
        self.form == form && self.call == *call
    }

    pub(super) fn is_of(&self, id: u64) -> bool {
        self.watch.as_ref().is_some_and(|(own, _)| *own == id)
    }

    /// Whether what is wrong with pods is answered from it.
    pub(super) fn is_of_pods(&self) -> bool {
        self.form == Form::Pods || self.has_told_pods
    }

    /// Whether a change is told not at once, because there may be thousands of them.
    pub(super) fn is_busy(&self) -> bool {
        match self.form {
            Form::Pods => true,
            Form::ServicePods => self.has_told_pods || self.items.len() > FEW,
            Form::Versions | Form::Whole | Form::Single => false,
        }
    }

    /// Whether it is to be followed. What is asked for once may not be asked for again. The pods of
    /// a rollout are, and there may be many; so are the objects that a switch is about.
    pub(super) fn is_wanted(&self) -> bool {
        let again = match self.form {
            Form::Pods | Form::Single | Form::Whole => true,
            Form::Versions | Form::ServicePods if !self.is_of_switch => self.asked > 1,
            // Where they are not held to one version, those of the next will be among them.
            Form::Versions | Form::ServicePods => {
                self.asked > 1 || self.is_needed || !self.selector.contains_key(VERSION)
            }
        };
        again && self.watch.is_none() && !self.is_outdated && self.form.may_follow(&self.call)
    }

    pub(super) fn is_believed(&self, now: Instant) -> bool {
        if self.is_outdated || self.awaited.is_some() {
            return false;
        }
        let is_told = self.is_followed(now);
        let is_new = |read| self.is_of_switch && now < read + MOMENT;
        is_told || self.read_at.is_some_and(is_new)
    }

    /// Something is waited for: what is not followed may be another then.
    pub(super) fn wait(&mut self) {
        self.read_at = None;
        self.is_current = self.is_asked || !self.is_of_switch;
        self.is_asked = false;
        self.is_needed = std::mem::take(&mut self.is_asked_lately);
    }

    /// Whether it has changed, and that is to be looked at.
    pub(super) fn wakes(&self) -> bool {
        self.is_changed && self.is_current && !self.is_outdated && self.watch.is_some()
    }

    /// From where its watch is to begin. That of a single object begins with the object, however
    /// old it is: so it is known to tell something, and whether it was deleted before it began.
    pub(super) fn begins_at(&mut self) -> String {
        if self.form != Form::Single {
            return self.version.clone();
        }
        let first = self.items.iter().next();
        self.awaited = first.map(|(name, item)| (name.clone(), item.version().to_owned()));
        String::new()
    }

    /// A write has returned this object. A deletion may return a `Status` in its place.
    pub(super) fn written(&mut self, call: &Call, object: &Value) {
        self.is_asked_lately &= DEPLOYMENTS.name != call.resource;
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or_default();
        let is_deleted = call.verb == Verb::Delete;
        let name = match is_deleted {
            true => call.path.parent().1.to_owned(),
            false => text("name").to_owned(),
        };
        let (collection, is_own) = match self.form {
            Form::Single => {
                let (collection, own) = self.call.path.parent();
                (collection, own == name)
            }
            Form::Pods | Form::Versions | Form::ServicePods | Form::Whole => {
                (self.call.path.clone(), true)
            }
        };
        let is_here = self.items.contains_key(&name) || !is_deleted && self.selects(object);
        if *collection != *call.collection() || !is_own || !is_here {
            return;
        }
        if !is_deleted && self.watch.is_some() {
            self.awaited = Some((name, text("resourceVersion").to_owned()));
        } else if !is_deleted && self.form == Form::Single {
            // What comes back is as good as read.
            let version = text("resourceVersion").to_owned();
            let items = BTreeMap::from([(name, Item::Object(object.clone()))]);
            self.read(items, version, true, Instant::now());
        } else {
            self.is_outdated = true;
        }
    }

    /// The name of the only object, where there is only one.
    pub(super) fn only(&self) -> &str {
        match self.form {
            Form::Single => self.call.path.parent().1,
            Form::Pods | Form::Versions | Form::ServicePods | Form::Whole => "",
        }
    }

    /// Whether the labels of an object may be those that are selected.
    fn selects(&self, object: &Value) -> bool {
        let mut query = self.call.query.iter();
        let selector = query.find(|(name, _)| *name == "labelSelector");
        let mut terms = selector.into_iter().flat_map(|(_, text)| text.split(','));
        let labels = &object["metadata"]["labels"];
        terms.all(|term| match term.split_once('=') {
            Some((label, value)) => labels[label] == value,
            None => true,
        })
    }

    pub(super) fn answer(&mut self, call: &Call, reading: &Reading) -> Response {
        self.has_told_pods |= matches!(reading, Reading::Pods(_));
        let is_again = self.is_of_switch && self.is_asked;
        self.asked += u32::from(!is_again);
        self.is_asked = true;
        self.is_asked_lately = true;
        self.is_changed = false;
        match self.call == *call {
            true => answer(self.items.values(), reading),
            false => answer(self.part(call), reading),
        }
    }

    /// Takes the list as it was read now. A last look may be `fresh`er than a watch that is well.
    pub(super) fn read(
        &mut self,
        items: BTreeMap<String, Item>,
        version: String,
        fresh: bool,
        now: Instant,
    ) {
        let is_same = self.items == items;
        if self.watch.is_some() && !is_same {
            // A watch that was opened before goes on from before, and would undo what was read.
            self.close();
            let is_late = !self.is_outdated && !fresh && self.awaited.is_none();
            self.trust.corrected(is_late, now);
        } else {
            self.trust.confirmed(now);
        }
        self.items = items;
        self.version = version;
        self.is_outdated = false;
        self.is_changed = false;
        self.awaited = None;
        self.read_at = Some(now);
    }

    /// Takes what its watch has told.
    pub(super) fn take(&mut self, told: Told, now: Instant) {
        match told {
            Told::Opened => self.trust.opened(now),
            Told::Bookmark(version) => self.advance(version, now),
            Told::Put(name, item, version) => {
                let awaited = self.awaited.as_ref();
                if awaited.is_some_and(|(of, written)| (of, written) == (&name, &version)) {
                    self.awaited = None;
                }
                self.advance(version, now);
                self.is_changed |= self.items.get(&name) != Some(&item);
                self.items.insert(name, item);
            }
            Told::Gone(name, version) => {
                self.advance(version, now);
                self.is_changed |= self.items.remove(&name).is_some();
            }
            Told::Over(end) => {
                self.close();
                self.trust.ended(end == WatchEnd::Ended, now);
            }
            Told::Expired | Told::Garbled => {
                self.close();
                self.is_outdated = true;
                self.trust.ended(false, now);
            }
            Told::Refused(error) => {
                self.close();
                let (mut is_final, mut pause) = (false, Duration::ZERO);
                if let CallError::Refused(refusal) = &error {
                    is_final = !refusal.may_pass();
                    pause = refusal.wait.unwrap_or_default();
                }
                self.trust.refused(is_final, pause, now);
            }
        }
    }

    fn advance(&mut self, version: String, now: Instant) {
        self.version = version;
        self.trust.told(now);
    }

    fn close(&mut self) {
        if let Some((_, task)) = self.watch.take() {
            task.abort();
        }
    }
}

impl Drop for List {
    fn drop(&mut self) {
        self.close();
    }
}
