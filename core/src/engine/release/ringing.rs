//! An alarm rings before the first write: what served before may come back all the same, as a
//! rollback of the stage brings it. It is known by the records of the last revisions, object by
//! object.

use super::model::{ReleaseEngine, Task};
use super::returning::is_back;
use super::served::Served;
use crate::kubernetes::object_id::ObjectId;
use crate::state::release::Record;
use crate::state::release::history::{former, good_revisions};
use std::collections::BTreeMap;

impl ReleaseEngine {
    /// Whether the objects of the release are those of a revision that served before the current
    /// one, without the one that such a return has left. `None` while that is read.
    pub(super) fn served_before(&mut self) -> Option<bool> {
        let (mut rest, from) = match std::mem::take(&mut self.served) {
            Served::Unasked => {
                self.push(Task::Revisions);
                self.served = Served::Listed;
                return None;
            }
            Served::Listed => {
                let headings = std::mem::take(&mut self.returning.headings);
                let (from, _) = former(&headings, |it| !is_back(it));
                let current = headings.iter().find(|it| Some(it.revision) == from);
                let left = current.and_then(|it| it.returned_from);
                let mut good = good_revisions(&headings);
                good.retain(|number| Some(*number) != from && Some(*number) != left);
                good.reverse();
                (good, from)
            }
            Served::Read(rest, from) => {
                let read = self.returning.target.take().and_then(Result::ok);
                if read.is_some_and(|record| self.is_as(&record)) {
                    self.served = Served::Known(true, from);
                    return Some(true);
                }
                (rest, from)
            }
            Served::Known(served, from) => {
                self.served = Served::Known(served, from);
                return Some(served);
            }
        };
        match rest.pop() {
            Some(revision) => {
                self.push(Task::Target(revision));
                self.served = Served::Read(rest, from);
                None
            }
            None => {
                self.served = Served::Known(false, from);
                Some(false)
            }
        }
    }

    /// The revision from which the release goes back although an alarm rings. A retry is let
    /// without being asked, and goes back as the dead job of its execution did.
    pub(super) fn returns_from(&self) -> Option<u64> {
        match self.served {
            Served::Known(true, from) => from,
            Served::Unasked | Served::Listed | Served::Read(..) | Served::Known(false, _) => {
                self.dead().find_map(|it| it.returned_from)
            }
        }
    }

    /// Whether a revision had the same objects, each by the same manifest.
    fn is_as(&self, record: &Record) -> bool {
        let had = record.objects.iter().filter(|object| !object.left);
        let had: BTreeMap<&ObjectId, Option<&str>> =
            had.map(|it| (&it.id, it.manifest.text())).collect();
        let mut items = self.items.iter().zip(&self.request.manifests);
        had.len() == self.items.len()
            && items.all(|(item, manifest)| had.get(&item.id) == Some(&Some(manifest.text())))
    }
}
