//! The way back of a release that took over from deploys that died: what they have left, and what
//! they have pruned.

use super::item::{Back, BackTo};
use super::model::ReleaseEngine;
use super::undoing::{back, back_to};
use crate::kubernetes::object_id::ObjectId;
use crate::state::release::history::{before_of, left_by_dead};
use crate::state::release::{Kept, RecordedObject, Status};

impl ReleaseEngine {
    /// Adds what deploys that died have left, and this revision does not have; and what one of them
    /// has deleted of the last good revision.
    pub(super) fn find_leftovers(&self, good: &[RecordedObject], backs: &mut Vec<Back>) {
        for mut object in left_by_dead(&self.records) {
            if backs.iter().any(|back| back.id == object.id) || self.has_item(&object.id) {
                continue;
            }
            let former = good.iter().find(|former| former.id == object.id);
            object.before = before_of(&object.id, &self.records).clone();
            let to = back_to(&object, former);
            backs.extend(to.map(|to| back(object, former, to, true)));
        }
        for former in good {
            let once = former.id.is_job() || former.id.is_definition();
            if once || backs.iter().any(|back| back.id == former.id) {
                continue;
            }
            if let Kept::Whole(manifest) = &former.manifest {
                let to = BackTo::Again(manifest.clone());
                backs.push(back(former.clone(), Some(former), to, true));
            }
        }
    }

    /// What deploys that died have applied of an object.
    pub(super) fn applied_by_dead<'a>(&'a self, id: &'a ObjectId) -> impl Iterator<Item = &'a str> {
        let dead = self.records.iter();
        let dead = dead.filter(|record| record.heading.status == Status::Pending);
        let objects = dead.flat_map(|record| &record.objects);
        let texts = objects.filter(move |object| object.id == *id);
        texts.filter_map(|object| object.manifest.text())
    }

    /// Whether the manifests have it. Where the way back is resumed, their namespaces are not
    /// known.
    fn has_item(&self, id: &ObjectId) -> bool {
        self.items
            .iter()
            .any(|item| item.id.is_but_for_namespace(id))
    }
}
