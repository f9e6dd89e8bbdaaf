//! An alarm rings before the first write: what a deploy of another execution has left is judged by
//! it, and what served before may come back all the same.

use super::super::action::Action;
use super::super::causes::{RolloutCause, RolloutFailure};
use super::super::decision::{Decision, Undo};
use super::super::result::Failure;
use super::context::Context;
use crate::snapshot::{DryRun, Query};
use crate::state::baseline::Previous;
use crate::state::marks;
use crate::workload::Workload;
use crate::workload::replica_set::own;
use serde_json::{Value, json};

impl Context<'_> {
    /// A rolling deploy of another execution died before the end of its watch, and an alarm rings
    /// since: what served before it is brought back.
    pub(super) fn judge_dead_rollout(&self, live: &Workload) -> Result<Option<Decision>, Query> {
        if self.rang_in_dead_rollout(live).is_none() {
            return Ok(None);
        }
        let Some(cause) = self.alarm_cause() else {
            return Ok(None);
        };
        if let Some(previous) = Previous::recorded(live)
            && let Ok(Some(template)) = self.previous_template(&previous.name, live)?
            && !live.has_template(&template)
        {
            let execution = live.annotation(marks::EXECUTION).unwrap_or_default();
            let failure = RolloutFailure::of(RolloutCause::OfAnother {
                execution: execution.to_owned(),
                cause: Box::new(cause),
            });
            return Ok(Some(Decision::RollBack(Box::new(Undo {
                live: live.clone(),
                template,
                revision: previous.revision,
                failure,
                is_of_another: true,
            }))));
        }
        let ring = self.continuation.guard.rang_before();
        Ok(ring.map(|ring| Decision::GiveUp(Failure::Ringing(Box::new(ring), None))))
    }

    /// The same write; where it brings back what served before while an alarm rings, it says so.
    /// That is known by the whole template, as the API server would store it: another version may
    /// have the same image.
    pub(super) fn as_return(&self, live: &Workload, action: Action) -> Result<Action, Query> {
        let left = live
            .annotation(marks::RETURNED_FROM)
            .and_then(Previous::read);
        let is_left = |one: &Previous| left.as_ref().is_some_and(|left| left.name == one.name);
        let mut former = Previous::all_recorded(live);
        former.retain(|one| !is_left(one));
        if former.is_empty() || !self.is_held_up() {
            return Ok(action);
        }
        let after = match self.snapshot.dry_run() {
            Some(DryRun::Would(after)) => after,
            Some(DryRun::Unable) => return Ok(action),
            None => {
                let call = action.call(self.request).dry_run();
                return Err(Query::DryRun(Box::new(call)));
            }
        };
        for one in &former {
            if let Ok(Some(template)) = self.previous_template(&one.name, live)?
                && after.has_template(&template)
            {
                let sets = self.snapshot.replica_sets(live)?;
                let from = own(live, sets)
                    .find(|set| set.is_live(live))
                    .map(Previous::of);
                return Ok(marked(action, from.as_ref()));
            }
        }
        Ok(action)
    }
}

fn marked(action: Action, from: Option<&Previous>) -> Action {
    let mark = |mut body: Value| {
        let from = from.map_or(String::new(), Previous::text);
        body["metadata"]["annotations"][marks::RETURNED_FROM] = json!(from);
        body
    };
    match action {
        Action::Patch(body) => Action::Patch(mark(body)),
        Action::Put(body) => Action::Put(mark(body)),
        other @ (Action::Create(_) | Action::Undo { .. } | Action::Step(_)) => other,
    }
}
