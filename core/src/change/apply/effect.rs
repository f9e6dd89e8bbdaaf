//! What an apply would change: the answer to its dry run beside what was read.

use super::defaults::is_default;
use super::fields::{Fields, get};
use super::takeover::{entries, folded, is_ours, last_applied, owned, patched, takeover};
use crate::change::difference::{Difference, difference};
use serde_json::{Value, json};

/// Metadata that changes with every write, or that is compared apart.
const MOVING: [&str; 3] = ["managedFields", "resourceVersion", "generation"];

/// How the annotations begin that the Deployment controller writes.
const OF_CONTROLLER: &str = "deployment.kubernetes.io/";

/// What an apply would change, in lines for people: without what belongs to the server or to
/// Landfall, and without the values of Secrets and variables. No lines and [`needs_write`]: only
/// whose the fields are would change.
///
/// A dry run comes before the takeover, so it keeps the fields that `kubectl apply` and our own
/// patches once wrote and that the manifest does not have. They are told as removed; one that has
/// a default returns to it.
pub fn change(live: Option<&Value>, tried: &Value) -> Difference {
    let Some(live) = live else {
        return difference(&Value::Null, tried);
    };
    let mut tried = tried.clone();
    leaving(live, &tried).remove_from(&mut tried);
    difference(live, &tried)
}

/// The fields that the takeover lets go: of those that become ours, what the last client-side apply
/// or our own patches wrote, the manifest does not have and nobody else owns.
fn leaving(live: &Value, tried: &Value) -> Fields {
    if takeover(live).is_none() {
        return Fields::default();
    }
    let (last, patched) = (last_applied(live), patched(live));
    let is_applied = |path: &[&str]| last.as_ref().is_some_and(|last| get(last, path).is_some());
    // A patch that created or replaced the object owns what the server filled in as well.
    let is_patched = |path: &[&str]| {
        let field = path.last().and_then(|element| element.strip_prefix("f:"));
        let value = get(live, path);
        patched.contains(path) && !value.is_none_or(|it| is_default(field.unwrap_or(""), it))
    };
    let folded = folded(live);
    let (become_ours, others) = folded.iter().partition::<Vec<_>, _>(|entry| is_ours(entry));
    let kept = others
        .into_iter()
        .map(owned)
        .fold(ours(tried), Fields::union);
    let become_ours = become_ours.into_iter().map(owned);
    let become_ours = become_ours.reduce(Fields::union).unwrap_or_default();
    // What has a field that somebody keeps stays, whatever else goes.
    become_ours.filter(&|path| (is_applied(path) || is_patched(path)) && !kept.owns(path))
}

/// Whether an apply has to be sent, by the answer to its dry run.
///
/// Compared is the whole object but `metadata.managedFields`, `resourceVersion` and `generation`,
/// so that our label and annotation count. What controllers may write between the two answers does
/// not: `status`, unless the manifest sets it, and the annotations of the Deployment controller. An
/// equal object is written all the same if the fields that we own would change, as at the first
/// adoption and where something is to be taken over: the server itself would write then, too.
pub fn needs_write(live: &Value, tried: &Value) -> bool {
    let (before, after) = (ours(live), ours(tried));
    let sets_status = after.owns(&["f:status"]);
    before != after
        || takeover(live).is_some()
        || comparable(live, sets_status) != comparable(tried, sets_status)
}

fn ours(object: &Value) -> Fields {
    let entry = entries(object).iter().find(|entry| is_ours(entry));
    entry.map(owned).unwrap_or_default()
}

fn comparable(object: &Value, sets_status: bool) -> Value {
    let mut object = object.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|field, _| !MOVING.contains(&field.as_str()));
        let annotations = metadata.entry("annotations").or_insert_with(|| json!({}));
        if let Some(annotations) = annotations.as_object_mut() {
            annotations.retain(|name, _| !name.starts_with(OF_CONTROLLER));
        }
    }
    if !sets_status {
        object["status"] = json!(null);
    }
    object
}

#[cfg(test)]
mod tests;
