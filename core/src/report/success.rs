//! A deploy that worked: its summary and the output variables.

use super::alarms;
use super::cause::pods;
use super::handover;
use super::model::{EXTERNAL_ID_LIMIT, Report, SUMMARY_LIMIT, VARIABLE_LIMIT, target};
use super::returned::{Back, began_ringing, returned_by_other, switched_back, taken_back};
use super::route;
use crate::request::Request;
use crate::state::continuation::{Continuation, Phase};
use crate::strategy::{Former, Success, SuccessNote, Switched, was_watched_to_its_end};
use crate::text::{clip, quote, words};
use crate::workload::health::steadiness::{SECOND_LOOK, has_probe};
use crate::workload::{Kind, Workload};
use jiff::Timestamp;
use std::time::Duration;

/// The new version serves.
pub fn success(
    request: &Request,
    continuation: &Continuation,
    success: &Success,
    now: Timestamp,
) -> Report {
    let live = &success.deployment;
    let seconds = now.duration_since(continuation.started).as_secs().max(0);
    let image = image(request, live);
    let revision = live.revision().or(success.revision).unwrap_or(1);
    let revision = revision.to_string();
    let target = target(request);
    let pods = available(live);
    let time = words(Duration::from_secs(seconds.unsigned_abs()));
    let summary = match (success.wrote, live.replicas()) {
        (true, _) if is_run_by_no_pod(success) => {
            format!("{target} has revision {revision} ({image}) after {time}; {pods}.")
        }
        (true, _) => {
            format!("{target} runs revision {revision} ({image}): {pods} after {time}.")
        }
        (false, _) => format!(
            "{target} {}, so nothing was changed: revision {revision} ({image}); {pods}.",
            already(request, live)
        ),
    };
    let back = Back::of(request, live).filter(|_| success.switched.is_none());
    let summary = match &back {
        Some(back) => back.summary(&target, &revision, &image, &pods, (success.wrote, &time)),
        None => summary,
    };
    let summary = match &success.switched {
        Some(switched) => {
            let runs = format!("`{}` ({image}): {pods}", live.name());
            let wrote = (success.wrote, continuation.phase != Phase::Start);
            switched_summary(request, wrote, switched, &runs, &time)
                + &switched_back(request, live, success.wrote)
                + &stopped(switched, success.wrote)
        }
        None => summary,
    };
    let previous = match success.wrote || back.is_some() {
        true => success.previous_revision.map(|it| it.to_string()),
        false => Some(revision.clone()),
    };
    let name = match success.switched {
        Some(_) => live.name(),
        None => &*request.deployment,
    };
    let external = format!("{}/{name}@{revision}", request.namespace);
    let twice = looked_at_twice(live, continuation);
    let note = success.note.map(noted).unwrap_or_default();
    let note = note + &baked(request, success) + &unwatched(request, success);
    let note = note + &still_to_come(success);
    let note = note + &began_ringing(request, live, success.wrote);
    let note = note + &alarms::judged_well(request.watch(), &continuation.guard, success.wrote);
    let summary = summary + &note + &twice + &warned(&continuation.warnings) + &skipped(request);
    let variables = [
        ("Namespace", request.namespace.clone()),
        named(request.kind, name.to_owned()),
        ("Revision", revision),
        ("PreviousRevision", previous.unwrap_or_default()),
        ("Image", image),
        ("Strategy", request.strategy.name().to_owned()),
        ("DurationSeconds", seconds.to_string()),
    ];
    succeeded(request, &summary, &external, variables)
}

/// Why there was nothing to change.
fn already(request: &Request, live: &Workload) -> String {
    match returned_by_other(request, live) {
        Some(by) => format!("was rolled back by execution `{by}` already"),
        None => "already ran this version".to_owned(),
    }
}

/// Whether no pod runs the applied version yet.
fn is_run_by_no_pod(success: &Success) -> bool {
    let live = &success.deployment;
    live.replicas() == 0 || success.note.is_some() && live.updated_replicas() == 0
}

/// That pods without a probe were looked at a second time.
fn looked_at_twice(live: &Workload, continuation: &Continuation) -> String {
    match &continuation.steady {
        Some(steady) if steady.held => format!(
            " {}: its pods were checked twice, {} apart, and were unchanged.",
            match has_probe(live) {
                true => "Not all of its containers have a readiness probe",
                false => "It has no readiness probe",
            },
            words(SECOND_LOOK)
        ),
        Some(_) | None => String::new(),
    }
}

/// How long the new version of a rolling deploy was watched.
fn baked(request: &Request, success: &Success) -> String {
    match success.wrote && success.switched.is_none() && !request.bake.is_zero() {
        true => format!(
            " It was watched for {}{} (`bake`).",
            words(request.bake),
            match still_to_come(success).as_str() {
                "" => " after all its pods were available",
                _ => "",
            }
        ),
        false => String::new(),
    }
}

/// That nobody has watched a version to the end, and this deploy, which did not write it, has not
/// either.
fn unwatched(request: &Request, success: &Success) -> String {
    let asked = match (request.bake.is_zero(), request.alarms.is_some()) {
        (true, false) => return String::new(),
        (false, false) => "it was not watched for the time of `bake`",
        (true, true) => "its `alarms` were not read",
        (false, true) => {
            "it was not watched for the time of `bake`, and its `alarms` were not read"
        }
    };
    let is_watched = was_watched_to_its_end(&success.deployment);
    match success.wrote || success.switched.is_some() || is_watched {
        true => String::new(),
        false => format!(" As this deploy did not change it, {asked}."),
    }
}

/// That not all pods are available of a version that was scaled up meanwhile.
fn still_to_come(success: &Success) -> String {
    let live = &success.deployment;
    let missing = live.replicas() - live.available_replicas();
    match success.wrote && success.note.is_none() && missing > 0 {
        true => format!(
            " {} during the deploy: {missing} of its pods {} not available yet; those that were \
             wanted before are.",
            match live.kind() {
                Kind::DaemonSet => "Nodes were added",
                Kind::Deployment | Kind::StatefulSet | Kind::Job => "It was scaled up",
            },
            if missing == 1 { "is" } else { "are" }
        ),
        false => String::new(),
    }
}

/// How many pods are available.
fn available(live: &Workload) -> String {
    match live.replicas() {
        0 if live.kind() == Kind::DaemonSet => "no node matches it, so no pod runs".to_owned(),
        0 => "it is scaled to zero, so no pod runs".to_owned(),
        wanted => format!(
            "{} of {wanted} {} available",
            live.available_replicas(),
            pods(wanted)
        ),
    }
}

/// Why not all pods have the new version.
fn noted(note: SuccessNote) -> String {
    match note {
        SuccessNote::OnDelete => " It was applied and not rolled out: its update strategy is \
             OnDelete, so each pod keeps its version until someone deletes it."
            .to_owned(),
        SuccessNote::FewerNodes => " More nodes matched it before this deploy; its nodeSelector, \
             affinity and tolerations decide which do."
            .to_owned(),
        SuccessNote::Partition(first) => format!(
            " Only pods from number {first} on get this version \
             (updateStrategy.rollingUpdate.partition)."
        ),
    }
}

/// The workload as an output variable.
pub(super) fn named(kind: Kind, name: String) -> (&'static str, String) {
    match kind {
        Kind::Deployment => ("Deployment", name),
        Kind::StatefulSet | Kind::DaemonSet | Kind::Job => {
            ("Workload", format!("{}/{name}", kind.row().names[0]))
        }
    }
}

/// A success within CodePipeline's limits, with what the deploy came from.
pub(super) fn succeeded<const N: usize>(
    request: &Request,
    summary: &str,
    external: &str,
    variables: [(&'static str, String); N],
) -> Report {
    let variables = variables.into_iter().chain(origin(request));
    Report::Success {
        summary: clip(summary, SUMMARY_LIMIT),
        external_id: clip(external, EXTERNAL_ID_LIMIT),
        variables: variables
            .map(|(name, value)| (name, clip(&value, VARIABLE_LIMIT)))
            .collect(),
    }
}

/// The facts of where a version comes from, where they are known.
pub(super) fn origin(request: &Request) -> Vec<(&'static str, String)> {
    let execution = ("Execution", request.execution.clone());
    let commit = request
        .commit
        .iter()
        .map(|commit| ("Commit", commit.clone()));
    let skipped = (!request.skipped.is_empty()).then(|| ("NotApplied", request.skipped.join(",")));
    std::iter::once(execution)
        .chain(commit)
        .chain(skipped)
        .collect()
}

/// What the API server remarked on a write, as `kubectl` prints it.
pub(super) fn warned(warnings: &[String]) -> String {
    let warnings = warnings
        .iter()
        .map(|warning| format!(" Warning: {warning}"));
    warnings.collect()
}

/// What was in the manifest's file and is not applied.
pub(super) fn skipped(request: &Request) -> String {
    match request.skipped.as_slice() {
        [] => String::new(),
        skipped => format!(
            " The manifest's file contains other objects, which were not applied: {}.",
            crate::text::list(skipped)
        ),
    }
}

/// `wrote`: whether this deploy made the switch, and whether it wrote anything at all.
fn switched_summary(
    request: &Request,
    wrote: (bool, bool),
    switched: &Switched,
    runs: &str,
    time: &str,
) -> String {
    let service = &switched.service;
    let (kind, namespace) = (request.kind.word(), &request.namespace);
    if let (false, cleared) = wrote {
        let done = match cleared && switched.taken_back.is_none() {
            true => "so only what another deploy had left was cleared away",
            false => "so nothing was changed",
        };
        return format!(
            "Service `{service}` in `{namespace}` already routed to this version, {done}: {kind} \
             {runs}."
        );
    }
    let from = switched.from.iter();
    let from = from.map(|(from, became)| {
        let became = match became {
            Former::ScaledDown => "is scaled to zero",
            Former::StillUp => "is still scaled up",
            Former::NotKept => "was deleted, because `keep` is 0",
            Former::DeletedByOthers => "was deleted by someone else during the deploy",
        };
        format!(" `{from}`, which served before, {became}.")
    });
    let left = switched.left.iter();
    let left =
        left.map(|(name, why)| format!(" `{name}` could not be cleaned up: {}.", quote(why)));
    let handover = switched.handover.iter().map(handover::done);
    let more = handover.chain(from).chain(left).collect::<String>();
    let shares = route::shares(request, &switched.shares);
    format!(
        "Service `{service}` in `{namespace}` routes to {kind} {runs} after {time}.{shares}{more}"
    )
}

fn stopped(switched: &Switched, wrote: bool) -> String {
    let noted = switched.taken_back.as_ref();
    noted.map_or_else(String::new, |noted| taken_back(noted, wrote))
}

/// The images that the request is about, else the first container's.
pub(super) fn image(request: &Request, live: &Workload) -> String {
    let containers = ["containers", "initContainers"]
        .map(|list| live.containers(list))
        .concat();
    let image_of =
        |container: &serde_json::Value| Some(container.get("image")?.as_str()?.to_owned());
    let named = containers
        .iter()
        .filter(|container| {
            let name = container.get("name").and_then(serde_json::Value::as_str);
            let sole = live.containers("containers").len() == 1;
            name.is_some_and(|name| request.image(name, sole).is_some())
        })
        .filter_map(image_of)
        .collect::<Vec<_>>();
    if named.is_empty() {
        containers.first().and_then(image_of).unwrap_or_default()
    } else {
        named.join(",")
    }
}
