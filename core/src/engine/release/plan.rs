//! What a release would change, from what was tried.

use super::item::Tried;
use super::model::ReleaseEngine;
use crate::change::difference::{Difference, difference};
use crate::kubernetes::object_id::ObjectId;
use crate::release::{LeftReason, ObjectChange, ObjectPlan, ReleasePlan};
use crate::state::release::RecordedObject;
use crate::state::release::history::next_revision;

impl ReleaseEngine {
    /// The plan, in the order in which the objects would be written.
    pub(super) fn plan(&mut self) -> ReleasePlan {
        let places = self.steps.iter().flat_map(|step| step.members.clone());
        let objects = places.map(|place| {
            let item = &self.items[place];
            let change = match &item.tried {
                _ if item.recreate => ObjectChange::Recreated(self.change_of_manifest(place)),
                Tried::Unable(why) if item.live.is_none() => ObjectChange::NewUntried(*why),
                Tried::Unable(why) => ObjectChange::Untried(*why),
                Tried::Not | Tried::Same => ObjectChange::Unchanged,
                Tried::Differs(None) => match self.last_good(&item.id) {
                    Some((revision, _)) => ObjectChange::Again(revision),
                    None => ObjectChange::New,
                },
                Tried::Differs(Some(difference)) if difference.count() == 0 => {
                    match self.last_good(&item.id) {
                        Some(_) => ObjectChange::Noted,
                        None => ObjectChange::TakenOver,
                    }
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
            back_to: self.returning.to,
            served_before: self.returns_from().is_some(),
            from: self.returning.from,
            newest: self.current().map_or(0, |record| record.heading.revision),
            objects,
            notes: std::mem::take(&mut self.said),
            warnings: self.continuation.warnings.clone(),
        }
    }

    /// What the last good revision had of an object, and its number.
    fn last_good(&self, id: &ObjectId) -> Option<(u64, &RecordedObject)> {
        let good = self.good()?;
        Some((good.heading.revision, good.find(id)?))
    }

    /// What changes in a manifest since the last good revision.
    fn change_of_manifest(&self, place: usize) -> Option<Difference> {
        let (_, former) = self.last_good(&self.items[place].id)?;
        let former = serde_json::from_str(former.manifest.text()?).ok()?;
        let change = difference(&former, &self.request.manifests[place].object());
        Some(change).filter(|change| change.count() > 0)
    }
}
