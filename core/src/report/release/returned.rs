//! A rollback on demand of a release: from which revision to which one, or why there is none.

use super::super::faults::found;
use super::super::model::Report;
use super::naming::{count, objects, release, the_release};
use crate::problem::Fault;
use crate::release::{NoRevision, ReleasePlan, ReleaseSuccess};
use crate::request::release::ReleaseRequest;
use crate::state::awaited::WAITING;
use crate::state::release::Status;

/// The first sentence of the summary.
pub(super) fn headline(
    request: &ReleaseRequest,
    success: &ReleaseSuccess,
    counts: &str,
    time: &str,
) -> String {
    let name = the_release(request);
    let revision = success.revision;
    let to = success.back_to.unwrap_or_default();
    let from = from(success.previous.filter(|previous| *previous != to));
    let all = success.new + success.changed + success.unchanged;
    // Nothing is changed where another execution has taken back its release meanwhile.
    let changed = success.new + success.changed + success.deleted.len();
    if success.wrote && changed > 0 {
        return format!(
            "{name} was rolled back{from} to revision {to}, which is revision {revision} now, and \
             serves after {time}: {counts}."
        );
    }
    if !success.wrote && success.previous != Some(revision) {
        return format!(
            "{name} was already rolled back{from} to revision {to} by this execution, so nothing \
             was changed: revision {revision}, {}.",
            count(all)
        );
    }
    format!(
        "{name} already was as revision {to} had it, so nothing was changed: revision {revision}, \
         {}.",
        count(all)
    )
}

/// The first sentence of the plan.
pub(super) fn planned(
    request: &ReleaseRequest,
    plan: &ReleasePlan,
    counts: &str,
    changing: usize,
) -> String {
    let name = release(request);
    let to = plan.back_to.unwrap_or_default();
    match plan.revision.filter(|_| changing > 0) {
        Some(revision) => format!(
            "Plan: {name} would be rolled back{} to revision {to}, which would be revision \
             {revision} then: {counts}.",
            from(plan.from)
        ),
        None => format!(
            "Plan: nothing would change in {name}, which is as revision {to} had it ({}).",
            count(plan.objects.len())
        ),
    }
}

fn from(revision: Option<u64>) -> String {
    let from = revision.map(|from| format!(" from revision {from}"));
    from.unwrap_or_default()
}

/// Why no revision is brought back. Nothing was written.
pub(super) fn refused(request: &ReleaseRequest, why: &NoRevision) -> Report {
    let name = release(request);
    let named = |to: u64| match request.to {
        Some(_) => Fault::new("to", format!("is {to}, and ")),
        None => Fault::new("mode", format!("is `{}`, and ", request.mode.name())),
    };
    let mut fault = match why {
        NoRevision::NoRelease | NoRevision::Crowded | NoRevision::NoneBefore(_) => {
            Fault::new("mode", format!("is `{}`, and ", request.mode.name()))
        }
        NoRevision::NotOne { to, .. }
        | NoRevision::Deleted(to)
        | NoRevision::Damaged(to)
        | NoRevision::Incomplete(to, _)
        | NoRevision::OnlyJobs(to) => named(*to),
    };
    fault.problem += &problem(&name, request, why);
    let what = format!("{} was not rolled back", the_release(request));
    found(&what, &[fault], &request.origin)
}

fn problem(name: &str, request: &ReleaseRequest, why: &NoRevision) -> String {
    match why {
        NoRevision::NoRelease => format!(
            "the cluster has no record of {name}: correct `release` and `namespace`, or release \
             its manifests"
        ),
        NoRevision::Crowded => format!(
            "{WAITING} other executions wait for the same deploy of {name} with theirs; no more \
             are noted, and one that is not could go back too far. See which revision serves when \
             they are done, and name the revision by `to`"
        ),
        NoRevision::NoneBefore(None) => format!(
            "no revision of {name} was ever deployed as a whole: release manifests that work"
        ),
        NoRevision::NoneBefore(Some(now)) => format!(
            "no revision of {name} that worked is recorded before revision {now}: release the \
             earlier manifests"
        ),
        NoRevision::NotOne { to, status, good } => {
            let what = match status {
                None => "is not recorded".to_owned(),
                Some(Status::Failed) => "failed".to_owned(),
                Some(_) => "was never deployed as a whole".to_owned(),
            };
            format!("revision {to} of {name} {what}; {}", those(good))
        }
        NoRevision::Deleted(to) => {
            format!("the record of revision {to} of {name} was deleted: name another one by `to`")
        }
        NoRevision::Damaged(to) => format!(
            "the record of revision {to} of {name} cannot be read: it was changed, or another \
             version of Landfall wrote it. Name another one by `to`"
        ),
        NoRevision::Incomplete(to, missing) => format!(
            "the record of revision {to} of {name} had no room for {}: release the earlier \
             manifests, or name another revision by `to`",
            objects(missing, &request.namespace)
        ),
        NoRevision::OnlyJobs(to) => format!(
            "revision {to} of {name} has only Jobs, which a rollback does not run again: release \
             its manifests"
        ),
    }
}

fn those(good: &[u64]) -> String {
    let numbers = good.iter().map(u64::to_string).collect::<Vec<_>>();
    match numbers.as_slice() {
        [] => "no revision that worked is recorded, so release manifests that work".to_owned(),
        [one] => format!("only revision {one} can be brought back"),
        all => format!("revisions {} can be brought back", all.join(", ")),
    }
}
