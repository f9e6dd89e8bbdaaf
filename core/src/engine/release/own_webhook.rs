//! A webhook of the release itself that does not answer refuses what the release would repair it
//! with. What it checks cannot be tried, and is written once what it needs is there: its workload
//! comes before it in most releases anyway, and what comes before that is put to the end of its
//! wave. The configuration is never deleted: without it anybody's objects would pass unchecked.

use super::item::Tried;
use super::model::{ReleaseEngine, Stage};
use crate::change::apply::{self, ApplyRefusal};
use crate::kubernetes::Refusal;
use crate::kubernetes::object_id::ObjectId;
use crate::release::order::{self, Rank};
use crate::release::{ObjectFault, ObjectTrouble, ReleaseNote, Untried};
use serde_json::Value;

impl ReleaseEngine {
    /// The configuration of this release that is in the cluster and names this webhook.
    fn own_webhook(&self, name: &str) -> Option<&ObjectId> {
        let has = |live: &Value| {
            let mut webhooks = live["webhooks"].as_array().into_iter().flatten();
            webhooks.any(|webhook| webhook["name"] == name)
        };
        let mut items = self.items.iter();
        let item = items.find(|item| {
            item.id.group == "admissionregistration.k8s.io"
                && item.live().is_some_and(|live| has(&live))
        });
        item.map(|item| &item.id)
    }

    /// Leaves an object untried that only a webhook of this release keeps from being tried.
    pub(super) fn is_untried_for(&mut self, place: usize, refusal: &Refusal) -> bool {
        let meaning = apply::refused(refusal);
        let ApplyRefusal::WebhookAway { name, .. } = &meaning else {
            return false;
        };
        let Some(id) = self.own_webhook(name) else {
            return false;
        };
        let note = ReleaseNote::WebhookAway(id.clone());
        if !self.said.contains(&note) {
            self.said.push(note);
        }
        // An earlier invocation may have waited for it until its time was over.
        if self.is_resumed {
            self.note_postponed(place, meaning, refusal);
        }
        self.items[place].tried = Tried::Unable(Untried::OwnWebhook);
        true
    }

    /// Puts an object to the end of its wave that a webhook of this release keeps from being
    /// written, once, where nothing in between has to wait for it.
    pub(super) fn postpones(&mut self, place: usize, refusal: &Refusal) -> bool {
        let meaning = apply::refused(refusal);
        let (ApplyRefusal::WebhookAway { name, .. }, Stage::Ready(step)) = (&meaning, self.stage)
        else {
            return false;
        };
        let wave = self.steps[step].wave;
        let last = self.steps.iter().rposition(|step| step.wave == wave);
        let last = last.unwrap_or(step);
        let mut between = self.steps[step..=last].iter();
        let is_waited_for =
            order::waits(self.steps[step].rank) || between.any(|step| step.rank == Rank::Job);
        if step == last || is_waited_for || self.own_webhook(name).is_none() {
            return false;
        }
        self.steps[step].members.retain(|member| *member != place);
        self.steps[last].members.push(place);
        self.note_postponed(place, meaning, refusal);
        true
    }

    fn note_postponed(&mut self, place: usize, meaning: ApplyRefusal, refusal: &Refusal) {
        let trouble = ObjectTrouble::Refused(meaning, Box::new(refusal.clone()));
        self.items[place].postponed = Some(Box::new(self.fault_of(place, trouble)));
    }

    /// What such a webhook keeps from being written until the time is over.
    pub(super) fn still_postponed(&self) -> Option<ObjectFault> {
        let mut items = self.items.iter().filter(|item| item.applied.is_none());
        items.find_map(|item| item.postponed.as_deref().cloned())
    }
}
