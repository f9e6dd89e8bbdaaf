//! What the records of a release say together.

use super::heading::{Heading, Status};
use super::record::Record;
use super::recorded::{Before, RecordedObject};
use crate::kubernetes::object_id::ObjectId;
use serde_json::Value;
use std::collections::BTreeMap;

/// How many revisions that were deployed are kept. A rollback needs one; the others show people
/// what was there.
const KEPT: usize = 5;

/// The number for the next revision: no record has it, nor had one that the parent knows of.
pub fn next_revision(newest: u64, numbers: impl IntoIterator<Item = u64>) -> u64 {
    let newest = numbers.into_iter().fold(newest, u64::max);
    newest.saturating_add(1)
}

/// The revisions that were deployed as a whole, the newest first.
pub fn good_revisions(headings: &[Heading]) -> Vec<u64> {
    let good = headings.iter().filter(|heading| heading.status.was_good());
    let mut good = good.map(|heading| heading.revision).collect::<Vec<_>>();
    good.sort_unstable_by(|one, other| other.cmp(one));
    good
}

/// The revisions whose records are to be deleted: all but the newest that were deployed, what came
/// after the last of these, and what that one brought back: whoever repeats the rollback needs it.
pub fn outdated(headings: &[Heading]) -> Vec<u64> {
    let mut good = good_revisions(headings);
    let Some(last) = good.first().copied() else {
        return Vec::new();
    };
    good.truncate(KEPT);
    let newest = headings.iter().find(|heading| heading.revision == last);
    good.extend(newest.and_then(|newest| newest.back_to));
    let numbers = headings.iter().map(|heading| heading.revision);
    let mut outdated: Vec<u64> = numbers
        .filter(|number| *number < last && !good.contains(number))
        .collect();
    outdated.sort_unstable();
    outdated
}

/// The revision that is there now, and the one that served before it. `is_there` says of a revision
/// that was not deployed as a whole whether anything of it is left.
pub fn former(
    headings: &[Heading],
    is_there: impl Fn(&Heading) -> bool,
) -> (Option<u64>, Option<u64>) {
    let newest = headings.iter().max_by_key(|heading| heading.revision);
    let left = newest.filter(|it| !it.status.was_good() && is_there(it));
    let mut good = good_revisions(headings).into_iter();
    if let Some(left) = left {
        return (Some(left.revision), good.next());
    }
    let now = good.next();
    // A rollback that found everything in its place has the objects of the revision before it.
    let same = now.map(|now| origin(headings, now));
    let former = good.find(|revision| Some(origin(headings, *revision)) != same);
    (now, former)
}

/// The revision whose objects a rollback brought back, from rollback to rollback; of one that
/// brought nothing back its own number.
fn origin(headings: &[Heading], revision: u64) -> u64 {
    let heading = headings.iter().find(|it| it.revision == revision);
    let back_to = heading.and_then(|heading| heading.back_to);
    // Numbers only get smaller, whatever was written into a record.
    match back_to.filter(|to| *to < revision) {
        Some(to) => origin(headings, to),
        None => revision,
    }
}

/// The last revision that was deployed as a whole.
pub fn last_good(records: &[Record]) -> Option<&Record> {
    let good = records
        .iter()
        .filter(|record| record.heading.status.was_good());
    good.max_by_key(|record| record.heading.revision)
}

/// The records since the last good one, without it, the oldest first.
fn since_good(records: &[Record]) -> Vec<&Record> {
    let good = last_good(records).map_or(0, |good| good.heading.revision);
    let mut since: Vec<_> = records
        .iter()
        .filter(|record| record.heading.revision > good)
        .collect();
    since.sort_by_key(|record| record.heading.revision);
    since
}

/// Everything that was applied since the last good revision, and what that one had: each object as
/// the newest of these revisions has it, with the newest uid that is known. Deploys that died may
/// have left any of it.
pub fn base(records: &[Record]) -> Vec<RecordedObject> {
    let mut all = BTreeMap::<&ObjectId, RecordedObject>::new();
    for record in last_good(records).into_iter().chain(since_good(records)) {
        for object in &record.objects {
            let older = all.remove(&object.id).and_then(|older| older.uid);
            let mut newest = object.clone();
            newest.uid = newest.uid.or(older);
            all.insert(&object.id, newest);
        }
    }
    all.into_values().collect()
}

/// What deploys that died since the last good revision may have left, each object as the newest of
/// them has it.
pub fn left_by_dead(records: &[Record]) -> Vec<RecordedObject> {
    let dead = since_good(records).into_iter().rev();
    let dead = dead.filter(|record| record.heading.status == Status::Pending);
    let mut all = BTreeMap::<&ObjectId, RecordedObject>::new();
    for object in dead.flat_map(|record| &record.objects) {
        all.entry(&object.id).or_insert_with(|| object.clone());
    }
    all.into_values().collect()
}

/// What an object was before anything since the last good revision changed it. What that revision
/// has belongs to the release, whatever became of it since.
pub fn before_of<'a>(id: &ObjectId, records: &'a [Record]) -> &'a Before {
    let of = |record: &'a Record| record.find(id);
    if last_good(records).is_some_and(|good| of(good).is_some()) {
        return &Before::InRelease;
    }
    // A later revision that found the object in the release found what an earlier one had left
    // there. One that found something else tells what had come to be since.
    let since = since_good(records).into_iter().rev();
    let mut found = since.filter_map(of).map(|object| &object.before);
    let first = found.find(|before| **before != Before::InRelease);
    first.unwrap_or(&Before::Unknown)
}

/// What an object is before a new revision applies it. What the cluster shows comes first: a
/// revision that failed may have been taken back, and somebody else may have made the object since.
pub fn found_as(id: &ObjectId, live: Option<&Value>, part_of: &str, records: &[Record]) -> Before {
    let mut recent = last_good(records).into_iter().chain(since_good(records));
    let is_known = recent.any(|record| record.find(id).is_some());
    let former = before_of(id, records);
    match Before::of(live, part_of, is_known) {
        Before::InRelease => former.clone(),
        // Somebody deleted what the last good revision has.
        Before::Absent if *former == Before::InRelease => Before::InRelease,
        found @ (Before::Absent | Before::Live(_) | Before::Unknown) => found,
    }
}

#[cfg(test)]
mod tests;
