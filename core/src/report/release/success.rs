//! A release that serves: its summary and the output variables.

use super::super::alarms;
use super::super::cause::pods;
use super::super::model::{EXTERNAL_ID_LIMIT, Report, SUMMARY_LIMIT, VARIABLE_LIMIT};
use super::super::success::warned;
use super::fitting::fit;
use super::left;
use super::naming::{self, count, counted, some_of, the_release};
use super::object;
use super::returned;
use crate::kubernetes::object_id::ObjectId;
use crate::release::{Followed, FollowedWorkload, ReleaseNote, ReleaseSuccess};
use crate::request::release::ReleaseRequest;
use crate::state::guard::Guard;
use crate::text::{clip, list, one_line, words};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

/// How much of a summary the workloads have at the least; what else is told comes first otherwise.
const WORKLOADS_ROOM: usize = 500;

/// The release serves. `guard` is what was seen of it since, `warnings` are the API server's,
/// `started` is when the deploy began.
pub fn success(
    request: &ReleaseRequest,
    success: &ReleaseSuccess,
    (guard, warnings): (&Guard, &[String]),
    started: Timestamp,
    now: Timestamp,
) -> Report {
    let seconds = now.duration_since(started).as_secs().max(0);
    let time = words(Duration::from_secs(seconds.unsigned_abs()));
    let release = the_release(request);
    let revision = success.revision;
    let all = success.new + success.changed + success.unchanged;
    let headline = match success.wrote {
        _ if success.back_to.is_some() => {
            returned::headline(request, success, &counts(success), &time)
        }
        true => format!(
            "{release} serves as revision {revision} after {time}: {}.",
            counts(success)
        ),
        false => format!(
            "{release} already was as its manifests say, so nothing was changed: revision \
             {revision}, {}.",
            count(all)
        ),
    };
    let rest = [
        baked(request, success),
        alarms::judged_well(request.watch(), guard, success.wrote),
        began_ringing(success),
        kept(request, success),
        notes(request, &success.notes),
        hooks(request),
        warned(warnings),
    ];
    let rest = rest.concat();
    let taken = headline.len() + rest.len();
    let room = SUMMARY_LIMIT.saturating_sub(taken).max(WORKLOADS_ROOM);
    let summary = headline + &workloads(request, &success.workloads, room) + &rest;
    let previous = success.previous.map(|previous| previous.to_string());
    let images = success
        .workloads
        .iter()
        .flat_map(|workload| &workload.images);
    let images = images.cloned().collect::<BTreeSet<_>>();
    let images = images.into_iter().collect::<Vec<_>>();
    let changed = success.new + success.changed + success.deleted.len();
    let variables = [
        ("Revision", revision.to_string()),
        ("PreviousRevision", previous.unwrap_or_default()),
        ("Images", fit(&images, ",", "images", VARIABLE_LIMIT)),
        ("Changed", changed.to_string()),
        ("DurationSeconds", seconds.to_string()),
    ];
    succeeded(request, &summary, revision, variables)
}

/// A success within CodePipeline's limits, with what every success of a release tells.
pub(super) fn succeeded<const N: usize>(
    request: &ReleaseRequest,
    summary: &str,
    revision: u64,
    variables: [(&'static str, String); N],
) -> Report {
    let external = format!("{}/{}@{revision}", request.namespace, request.name);
    let first = [
        ("Namespace", request.namespace.clone()),
        ("Release", request.name.clone()),
    ];
    let commit = request.commit.iter();
    let commit = commit.map(|commit| ("Commit", commit.clone()));
    let hooks = (!request.hooks.is_empty()).then(|| {
        (
            "NotApplied",
            fit(&request.hooks, ",", "hooks", VARIABLE_LIMIT),
        )
    });
    let variables = first.into_iter().chain(variables);
    let variables = variables
        .chain([
            ("Strategy", "release".to_owned()),
            ("Execution", request.execution.clone()),
        ])
        .chain(commit)
        .chain(hooks);
    Report::Success {
        summary: clip(summary, SUMMARY_LIMIT),
        external_id: clip(&external, EXTERNAL_ID_LIMIT),
        variables: variables
            .map(|(name, value)| (name, clip(&value, VARIABLE_LIMIT)))
            .collect(),
    }
}

/// How long the release was watched.
fn baked(request: &ReleaseRequest, success: &ReleaseSuccess) -> String {
    match success.wrote && !request.bake.is_zero() {
        true => format!(
            " It was watched for {} after everything served (`bake`).",
            words(request.bake)
        ),
        false => String::new(),
    }
}

/// That it began although an alarm rang.
fn began_ringing(success: &ReleaseSuccess) -> String {
    let from = success.returned_from.filter(|_| success.wrote);
    let told = from.map(|from| {
        format!(
            " An alarm rang when it began, and did not hold it up: it brings back what served \
             before revision {from} did."
        )
    });
    told.unwrap_or_default()
}

fn counts(success: &ReleaseSuccess) -> String {
    let parts = [
        (success.new, "new"),
        (success.changed, "changed"),
        (success.unchanged, "unchanged"),
        (success.deleted.len(), "deleted"),
    ];
    counted(&parts)
}

fn workloads(request: &ReleaseRequest, all: &[FollowedWorkload], room: usize) -> String {
    let all = all.iter().map(|workload| {
        let name = naming::object(&workload.id, &request.namespace);
        let images = workload.images.join(", ");
        let state = match workload.state {
            Followed::Complete => return format!("{name} completed"),
            Followed::Available(_, 0) if workload.id.is("apps", "DaemonSet") => {
                "no node matches it, so no pod runs".to_owned()
            }
            Followed::Available(_, 0) => "scaled to zero".to_owned(),
            Followed::Available(available, wanted) => {
                format!("{available} of {wanted} {} available", pods(wanted))
            }
            Followed::OnDelete => {
                "a pod gets this version when somebody deletes it (OnDelete)".to_owned()
            }
        };
        match images.as_str() {
            "" => format!("{name}: {state}"),
            images => format!("{name} ({images}): {state}"),
        }
    });
    let all = all.collect::<Vec<_>>();
    match fit(&all, "; ", "workloads", room.saturating_sub(2)).as_str() {
        "" => String::new(),
        text => format!(" {text}."),
    }
}

/// What is not in the release any more and is still there.
fn kept(request: &ReleaseRequest, success: &ReleaseSuccess) -> String {
    match left::each(&success.kept, &request.namespace).as_str() {
        "" => String::new(),
        kept => format!(" Not in the release any more, and not deleted: {kept}."),
    }
}

/// What people should know, each kind of note once.
pub(super) fn notes(request: &ReleaseRequest, notes: &[ReleaseNote]) -> String {
    const SAID: [&str; 12] = [
        "Left, because `prune` is not set, though the release does not have it any more:",
        "Not followed, because `landfall/follow` says so:",
        "Completed before and unchanged, so not run again:",
        "Applied, but without a status that shows whether it works:",
        "Too large for the record of the release, so a rollback could not restore it:",
        "Deleted by Kubernetes after its end (ttlSecondsAfterFinished), so a later release runs it \
         again:",
        "Applied, and not complete yet:",
        "Deleted, and still there until their finalizers are removed:",
        "Jobs, which a rollback neither runs again nor deletes:",
        "Not taken back, because objects or data may depend on what they are now:",
        "Deleted or damaged is the record of the release, so what only this revision had is not \
         known and may stay, and a rollback goes to the last revision before it whose record can \
         be read:",
        "Taken over from other tools, whose labels and annotations go where no file has them:",
    ];
    let named = |id: &ObjectId| naming::object(id, &request.namespace);
    let mut names: [Vec<String>; SAID.len()] = Default::default();
    for note in notes {
        match note {
            ReleaseNote::NotPruned(ids) => names[0].extend(ids.iter().map(named)),
            ReleaseNote::NotFollowed(id) => names[1].push(named(id)),
            ReleaseNote::AlreadyComplete(id) => names[2].push(named(id)),
            ReleaseNote::NoStatus(id) => names[3].push(named(id)),
            ReleaseNote::Pending(id, what) => {
                names[6].push(format!("{} ({})", named(id), object::note(what)));
            }
            ReleaseNote::Held(id, finalizers) => {
                names[7].push(format!("{} ({})", named(id), list(finalizers)));
            }
            ReleaseNote::NotRecorded(ids) => names[4].extend(ids.iter().map(named)),
            ReleaseNote::JobNotRun(id) => names[8].push(named(id)),
            ReleaseNote::NotTakenBack(id) => names[9].push(named(id)),
            ReleaseNote::RecordLost(revision) => names[10].push(format!("revision {revision}")),
            ReleaseNote::TakenFrom(id, owners) => {
                let owners = owners.iter().map(|owner| one_line(&owner.to_string()));
                let owners = owners.collect::<Vec<_>>().join(" and ");
                names[11].push(format!("{} (of {owners})", named(id)));
            }
            ReleaseNote::ShortLived(id, after) => {
                names[5].push(format!("{} ({})", named(id), words(*after)));
            }
        }
    }
    let all = SAID.into_iter().zip(names);
    let all = all.filter(|(_, names)| !names.is_empty());
    all.map(|(said, names)| format!(" {said} {}.", some_of(names)))
        .collect()
}

/// The hooks of charts, which are never applied.
pub(super) fn hooks(request: &ReleaseRequest) -> String {
    let hooks = request.hooks.iter().map(|hook| format!("`{hook}`"));
    match some_of(hooks.collect()).as_str() {
        "" => String::new(),
        hooks => format!(" Hooks of Helm charts are not applied: {hooks}."),
    }
}
