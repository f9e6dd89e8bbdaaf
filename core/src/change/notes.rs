//! The annotations of a change.

use super::entries::entry;
use super::model::Author;
use crate::kubernetes::object::timestamp;
use crate::request::Request;
use crate::state::awaited::Awaited;
use crate::state::baseline::Previous;
use crate::state::marks::{
    AWAITED, CAUSE, CHANGE_CAUSE, COMMIT, COMMITTED, DEPLOYED_AT, EXECUTION, GENERATION,
    GUARDED_UNTIL, JOB, PREVIOUS, RETURNED_FROM, RETURNED_TO, ROLLED_BACK, SERVED, SUPERSEDED,
    WATCHED,
};
use crate::workload::{Kind, Workload};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The longest [`CHANGE_CAUSE`], in characters: a line in a table.
const CHANGE_CAUSE_LIMIT: usize = 500;

/// How many jobs [`SUPERSEDED`] stores. Lambda repeats an event for at most six hours, and a
/// Deployment is not expected to have more deploys in that time.
pub const SUPERSEDED_LIMIT: usize = 8;

/// The annotation that `kubectl rollout restart` writes into the template.
pub(super) const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// Restarts the pods even if nothing else differs.
pub(super) fn restart(object: &mut Value, now: Timestamp) {
    let path = ["spec", "template", "metadata", "annotations", RESTARTED_AT];
    *entry(object, &path) = json!(now.to_string());
}

/// The annotations of a write. A `null` removes what an earlier deploy wrote.
pub(super) fn annotations(
    request: &Request,
    live: Option<&Workload>,
    previous: Option<Previous>,
    author: &Author,
) -> Map<String, Value> {
    let last = |name: &str| live.and_then(|live| live.annotation(name));
    let or_null = |text: Option<String>| text.map_or(Value::Null, Value::String);
    let served = live.and_then(|live| Previous::served_text(previous.as_ref(), live));
    let previous = previous.map(|previous| previous.text());
    let generation = live.map_or(0, |it| it.generation()) + 1;
    let all = [
        (EXECUTION, json!(author.execution)),
        (JOB, json!(author.job)),
        (DEPLOYED_AT, json!(author.now.to_string())),
        (GENERATION, json!(generation.to_string())),
        (PREVIOUS, or_null(previous)),
        (SERVED, or_null(served)),
        (RETURNED_FROM, Value::Null),
        (RETURNED_TO, Value::Null),
        (
            SUPERSEDED,
            or_null(live.and_then(|live| superseded(live, author.job))),
        ),
        (ROLLED_BACK, Value::Null),
        (WATCHED, Value::Null),
        (AWAITED, Value::Null),
        (GUARDED_UNTIL, or_null(guarded_until(request, author))),
        (CAUSE, Value::Null),
        (COMMIT, or_null(request.commit.clone())),
        (COMMITTED, or_null(newest_commit(request, live))),
        (CHANGE_CAUSE, or_null(change_cause(request, author))),
    ];
    // A null for a missing annotation is useless; and a manifest's own line stays.
    let removes = |name: &str| last(name).is_some() && name != CHANGE_CAUSE;
    all.into_iter()
        .filter(|(name, value)| !value.is_null() || removes(name))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Until when a deploy may be at work that alarms guard: a bake that has begun is finished.
fn guarded_until(request: &Request, author: &Author) -> Option<String> {
    request.alarms.as_ref()?;
    let longest = request.timeout.saturating_add(request.bake);
    let until = author.now.checked_add(longest).ok()?;
    Some(until.to_string())
}

/// The jobs that this one comes after, newest first.
pub(super) fn superseded(live: &Workload, job: &str) -> Option<String> {
    let last = [JOB, SUPERSEDED].map(|name| live.annotation(name).unwrap_or_default());
    let all = last.iter().flat_map(|jobs| jobs.split(','));
    let all = all.filter(|other| *other != job && !other.is_empty());
    let all = all.take(SUPERSEDED_LIMIT).collect::<Vec<_>>();
    (!all.is_empty()).then(|| all.join(","))
}

/// The merge patch by which a job goes on with the deploy of a dead one: only whose it is changes.
pub fn taken_over(request: &Request, live: &Workload, author: &Author) -> Value {
    let mut notes = json!({JOB: author.job, SUPERSEDED: superseded(live, author.job)});
    if let Some(until) = guarded_until(request, author) {
        notes[GUARDED_UNTIL] = json!(until);
    }
    noted(live, notes)
}

/// The merge patch that notes that the watch over the new version is over.
pub fn watched(live: &Workload, job: &str) -> Value {
    noted(live, json!({WATCHED: job}))
}

/// The merge patch that notes which rollbacks on demand follow another one.
pub fn awaited(live: &Workload, awaited: &Awaited) -> Value {
    noted(live, json!({AWAITED: awaited.text()}))
}

/// A merge patch of annotations. They are copied to a Deployment's ReplicaSet, so that they move
/// its generation, which is noted, too: otherwise somebody else seems to have changed it.
fn noted(live: &Workload, mut notes: Value) -> Value {
    if live.kind() == Kind::Deployment && is_untouched(live) {
        notes[GENERATION] = json!((live.generation() + 1).to_string());
    }
    json!({"metadata": {"resourceVersion": live.resource_version(), "annotations": notes}})
}

/// Whether only the status has changed since our last write, neither spec nor annotations.
pub fn is_untouched(live: &Workload) -> bool {
    let generation = live.annotation(GENERATION);
    generation.and_then(|text| text.parse().ok()) == Some(live.generation())
}

/// When the newest commit was made that was ever deployed.
fn newest_commit(request: &Request, live: Option<&Workload>) -> Option<String> {
    let before = live.and_then(|live| timestamp(live.annotation(COMMITTED)?));
    let newest = before.max(request.committed);
    newest.map(|time| time.to_string())
}

/// The commit and the history line of a version.
pub fn history(request: &Request, live: &Workload, author: &Author) -> Vec<(String, String)> {
    let commit = request.commit.clone().map(|commit| (COMMIT, commit));
    let newest = newest_commit(request, Some(live)).map(|time| (COMMITTED, time));
    let commit = commit.into_iter().chain(newest);
    let line = change_cause(request, author).map(|line| (CHANGE_CAUSE, line));
    let known = commit.chain(line);
    known.map(|(name, text)| (name.to_owned(), text)).collect()
}

/// The history line of this version. `None` if the manifest has its own.
pub(super) fn change_cause(request: &Request, author: &Author) -> Option<String> {
    let manifest = request.manifest.as_ref();
    let notes = manifest.and_then(|manifest| manifest.pointer("/metadata/annotations"));
    if notes.is_some_and(|notes| notes.get(CHANGE_CAUSE).is_some()) {
        return None;
    }
    let mut images = request
        .images
        .values()
        .chain(&request.sole_image)
        .cloned()
        .collect::<Vec<_>>();
    if let (true, Some(manifest)) = (images.is_empty(), manifest) {
        let containers = manifest.pointer("/spec/template/spec/containers");
        let containers = containers.and_then(Value::as_array).into_iter().flatten();
        let image = |container: &Value| Some(container.get("image")?.as_str()?.to_owned());
        images.extend(containers.filter_map(image));
    }
    let commit = request
        .commit
        .iter()
        .map(|commit| format!("commit {commit}"));
    let images = images.iter().map(|image| format!("image {image}"));
    let facts = [format!("execution {}", author.execution)];
    let line = facts
        .into_iter()
        .chain(commit)
        .chain(images)
        .collect::<Vec<_>>()
        .join(", ");
    Some(line.chars().take(CHANGE_CAUSE_LIMIT).collect())
}
