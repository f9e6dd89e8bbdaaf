//! What a release would change, from what was tried.

use super::item::Tried;
use super::model::ReleaseEngine;
use crate::release::{LeftReason, ObjectChange, ObjectPlan, ReleasePlan};
use crate::state::release::history::next_revision;

impl ReleaseEngine {
    /// The plan, in the order in which the objects would be written.
    pub(super) fn plan(&mut self) -> ReleasePlan {
        let places = self.steps.iter().flat_map(|step| step.members.clone());
        let objects = places.map(|place| {
            let item = &self.items[place];
            let change = match &item.tried {
                _ if item.recreate => ObjectChange::Recreated,
                Tried::Unable(_) if item.live.is_none() => ObjectChange::New,
                Tried::Unable(why) => ObjectChange::Untried(*why),
                Tried::Not | Tried::Same => ObjectChange::Unchanged,
                Tried::Differs(None) => ObjectChange::New,
                Tried::Differs(Some(difference)) if difference.count() == 0 => {
                    ObjectChange::TakenOver
                }
                Tried::Differs(Some(difference)) => ObjectChange::Changed((**difference).clone()),
            };
            ObjectPlan {
                id: item.id.clone(),
                change,
            }
        });
        let olds = self.olds.iter().filter(|old| !old.gone).map(|old| {
            let change = match &old.fate {
                Some(Ok(_)) => ObjectChange::Deleted,
                Some(Err(reason)) => ObjectChange::Kept(reason.clone()),
                None => ObjectChange::Kept(LeftReason::NotAsked),
            };
            ObjectPlan {
                id: old.object.id.clone(),
                change,
            }
        });
        let objects = objects.chain(olds).collect::<Vec<_>>();
        let numbers = self.records.iter().map(|it| it.heading.revision);
        let revision = next_revision(self.parent.revision, numbers);
        ReleasePlan {
            revision: (!self.is_as_it_should_be()).then_some(revision),
            newest: self.newest().map_or(0, |record| record.heading.revision),
            objects,
            notes: std::mem::take(&mut self.said),
            warnings: self.continuation.warnings.clone(),
        }
    }
}
