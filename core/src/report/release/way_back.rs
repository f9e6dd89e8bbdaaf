//! What was done about a release that failed.

use super::left;
use super::naming::{count, object, objects};
use crate::kubernetes::object_id::ObjectId;
use crate::release::WayBack;
use crate::request::release::ReleaseRequest;
use crate::text::{clip, quote};

/// How much is told of why a workload does not serve after it was put back.
const WHY_LIMIT: usize = 200;

/// How many such workloads are named, so that the first line has room for the cause.
const UNSERVED: usize = 2;

/// How the release ended, as a verb: "failed and was rolled back to revision 6".
pub(super) fn ended(request: &ReleaseRequest, back: &WayBack) -> String {
    let is_partial = back.left.iter().any(|(_, reason)| !reason.is_by_rule());
    match (back.tried, back.revision) {
        _ if request.before.is_some() => "was not changed".to_owned(),
        (false, _) if !request.rollback => "failed and was left as it is".to_owned(),
        (false, _) => "failed".to_owned(),
        (true, _) if is_partial || !back.unserved.is_empty() => {
            "failed and was rolled back only in part".to_owned()
        }
        (true, Some(revision)) => format!("failed and was rolled back to revision {revision}"),
        (true, None) => "failed and was taken back".to_owned(),
    }
}

/// The workloads that were put back and do not serve, which comes before anything else.
pub(super) fn unserved(request: &ReleaseRequest, back: &WayBack) -> String {
    let shown = back.unserved.iter().take(UNSERVED).map(|(id, why)| {
        let (name, why) = (object(id, &request.namespace), clip(&quote(why), WHY_LIMIT));
        format!("{name} was put back and does not serve as it should: {why}. ")
    });
    let shown = shown.collect::<String>();
    match back.unserved.len().saturating_sub(UNSERVED) {
        0 => shown,
        more => format!("{shown}The same is true of {more} more. "),
    }
}

/// What was done, in sentences.
pub(super) fn done(request: &ReleaseRequest, back: &WayBack) -> String {
    let namespace = &request.namespace;
    if !back.tried {
        return match request.rollback {
            false if request.before.is_some() => {
                "The Job stays as it is, and the workload as it was.".to_owned()
            }
            false => "What was written stays as it is, because `rollback` is false.".to_owned(),
            true if back.overtaken_by.is_some() => format!(
                "What was written stays as it is: execution `{}` has deployed this release since.",
                quote(back.overtaken_by.as_deref().unwrap_or_default())
            ),
            true if back.overtaken => {
                "What was written stays as it is, because taking it back would \
                overwrite that change."
                    .to_owned()
            }
            true if back.unread => {
                "What was written stays as it is, because the records of the release could not \
                 be read."
                    .to_owned()
            }
            true => "Nothing was written, so nothing had to be taken back.".to_owned(),
        };
    }
    let mut said = Vec::new();
    match (back.restored.len(), back.revision) {
        (0, _) => {}
        (number, Some(revision)) => said.push(format!(
            "{} put back as in revision {revision}: {}.",
            were(number),
            objects(&back.restored, namespace)
        )),
        (number, None) => said.push(format!(
            "{} put back as before the release: {}.",
            were(number),
            objects(&back.restored, namespace)
        )),
    }
    if !back.deleted.is_empty() {
        said.push(format!(
            "{} new, and deleted again: {}.",
            were(back.deleted.len()),
            objects(&back.deleted, namespace)
        ));
    }
    if !back.left.is_empty() {
        let each = left::each(&back.left, namespace);
        said.push(format!("Not taken back: {each}."));
    }
    match said.is_empty() {
        true => "Nothing had to be taken back.".to_owned(),
        false => said.join(" "),
    }
}

fn were(number: usize) -> String {
    let verb = if number == 1 { "was" } else { "were" };
    format!("{} {verb}", count(number))
}

/// What became of the other workloads.
pub(super) fn others(request: &ReleaseRequest, others: &[(ObjectId, bool)]) -> Option<String> {
    let of = |ready: bool| {
        let ids = others.iter().filter(move |(_, it)| *it == ready);
        objects(ids.map(|(id, _)| id), &request.namespace)
    };
    let (ready, unready) = (of(true), of(false));
    match (ready.as_str(), unready.as_str()) {
        ("", "") => None,
        (ready, "") => Some(format!("Of the other workloads, all were ready: {ready}.")),
        ("", unready) => Some(format!(
            "Of the other workloads, none was ready: {unready}."
        )),
        (ready, unready) => Some(format!(
            "Of the other workloads, these were ready: {ready}; these were not yet: {unready}."
        )),
    }
}
