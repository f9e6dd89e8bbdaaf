//! Taking over the fields of earlier tools, as `kubectl apply --server-side` does it: what
//! client-side apply owned becomes ours, so that a field that has left the manifest can go.
//! <https://github.com/kubernetes/client-go/blob/master/util/csaupgrade/upgrade.go>

use super::fields::{Fields, get};
use super::ownership::Mark;
use super::refusal::FieldConflict;
use crate::kubernetes::call::FIELD_MANAGER;
use serde_json::{Value, json};

/// The annotation in which client-side apply keeps what it applied.
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// [`LAST_APPLIED`] as a path of elements.
const LAST_APPLIED_PATH: [&str; 3] = [
    "f:metadata",
    "f:annotations",
    "f:kubectl.kubernetes.io/last-applied-configuration",
];

/// When the pods were last restarted. It becomes nobody's: taken over, it would be removed by the
/// next apply, and that would restart the pods once more.
const RESTARTED_PATH: [&str; 5] = [
    "f:spec",
    "f:template",
    "f:metadata",
    "f:annotations",
    "f:kubectl.kubernetes.io/restartedAt",
];

/// Who client-side apply is.
const CLIENT_SIDE: &str = "kubectl-client-side-apply";

/// Whom the server invents at the first apply of an object without `managedFields`: the owner of
/// all that was there, whoever wrote it.
pub(super) const INVENTED: &str = "before-first-apply";

/// The JSON patch that makes ours what client-side apply, the manager that the server invents, and
/// our own patches of former deploys own; `None` where there is nothing to take over.
///
/// As kubectl does it, only entries without subresource are taken over, all of a manager go, and
/// only those of our entry's `apiVersion` are united with it, because paths differ between
/// versions. Unlike kubectl it takes of the invented manager only what the last client-side apply
/// wrote: the invented one owns what controllers filled in as well (a claim's volume), and whatever
/// becomes ours and is not in the manifest is removed by the next apply.
///
/// The patch replaces the `resourceVersion`, too, so that a race is a conflict (409).
pub fn takeover(live: &Value) -> Option<Value> {
    replaced(live, folded(live))
}

/// The same, and our own entry is noted in this version of the kind: the server compares an object
/// in the version of the entry, and refuses fields that only a later version has.
/// <https://github.com/fluxcd/flux2/issues/5715>
pub fn takeover_into(live: &Value, version: &str) -> Option<Value> {
    let mut after = folded(live);
    if let Some(ours) = after.iter_mut().find(|entry| is_ours(entry)) {
        ours["apiVersion"] = json!(version);
    }
    replaced(live, after)
}

fn replaced(live: &Value, after: Vec<Value>) -> Option<Value> {
    (entries(live) != after).then(|| {
        json!([
            {"op": "replace", "path": "/metadata/managedFields", "value": after},
            bound_to(live),
        ])
    })
}

/// The patch of a takeover that removes these marks of other tools, too.
pub fn without_marks(patch: Option<Value>, live: &Value, marks: &[Mark]) -> Option<Value> {
    if marks.is_empty() {
        return patch;
    }
    let mut operations = match patch {
        Some(Value::Array(operations)) => operations,
        _ => vec![bound_to(live)],
    };
    operations.extend(marks.iter().map(|(list, name)| {
        let path = format!("/metadata/{list}/{}", name.replace('/', "~1"));
        json!({"op": "remove", "path": path})
    }));
    Some(operations.into())
}

/// Binds a patch to what was read, so that a race is a conflict (409).
fn bound_to(live: &Value) -> Value {
    json!({"op": "replace", "path": "/metadata/resourceVersion",
        "value": live.pointer("/metadata/resourceVersion")})
}

/// Whether all these conflicts are with managers whose fields become ours by [`takeover`], so that
/// the same apply may be sent with force. A dry run needs that, as it comes before the takeover,
/// and so does the first apply of an object without `managedFields`.
pub fn are_of_predecessors(live: &Value, conflicts: &[FieldConflict]) -> bool {
    let managers = managers(entries(live));
    conflicts
        .iter()
        .all(|conflict| managers.contains(&conflict.manager))
}

/// Whether an autoscaler set this number of replicas: once none targets the object any more, the
/// number is the manifest's again.
pub fn is_of_autoscaler(conflict: &FieldConflict) -> bool {
    conflict.field == "spec.replicas" && conflict.manager == "kube-controller-manager (scale)"
}

/// The `managedFields` as they are once everything is taken over.
pub(super) fn folded(live: &Value) -> Vec<Value> {
    let mut entries = entries(live).to_vec();
    let managers = managers(&entries);
    let is_taken =
        |entry: &Value| is_update(entry) && managers.iter().any(|name| *name == manager(entry));
    if !entries.iter().any(is_taken) {
        return entries;
    }
    let target = entries.iter().position(is_ours).unwrap_or_else(|| {
        // The most recent one of client-side apply first: they are sorted by time.
        let taken = |entry: &&Value| is_taken(entry);
        let wrote = |entry: &&Value| owned(entry).owns(&LAST_APPLIED_PATH);
        let first = entries
            .iter()
            .position(|entry| taken(&entry) && wrote(&entry));
        first
            .or_else(|| entries.iter().position(|entry| taken(&entry)))
            .unwrap_or(0)
    });
    let version = entries[target]["apiVersion"].clone();
    let last = last_applied(live);
    let is_united = |(index, entry): &(usize, &Value)| {
        *index == target || is_taken(entry) && entry["apiVersion"] == version
    };
    let united = entries.iter().enumerate().filter(is_united);
    let united = united
        .map(|(_, entry)| taken_of(entry, last.as_ref()))
        .reduce(Fields::union)
        .unwrap_or_default();
    let was_ours = is_ours(&entries[target]);
    entries[target]["fieldsV1"] = united.write();
    entries[target]["manager"] = json!(FIELD_MANAGER);
    entries[target]["operation"] = json!("Apply");
    entries.retain(|entry| !is_taken(entry));
    // Nothing of the invented manager is ours, and the server keeps no entry without fields.
    if united.is_empty() && !was_ours {
        entries.retain(|entry| !is_ours(entry));
    }
    entries
}

/// The entries of `managedFields`.
pub(super) fn entries(live: &Value) -> &[Value] {
    let entries = live.pointer("/metadata/managedFields");
    entries.and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// Whether it is our entry of an apply.
pub(super) fn is_ours(entry: &Value) -> bool {
    entry["operation"] == "Apply" && manager(entry) == FIELD_MANAGER && has_no_subresource(entry)
}

/// What an entry owns.
pub(super) fn owned(entry: &Value) -> Fields {
    Fields::read(&entry["fieldsV1"])
}

/// What our own patches own, which are not applies.
pub(super) fn patched(live: &Value) -> Fields {
    let ours = entries(live).iter();
    let ours = ours.filter(|entry| is_update(entry) && manager(entry) == FIELD_MANAGER);
    ours.map(owned).reduce(Fields::union).unwrap_or_default()
}

/// Whose Update entries are taken over.
fn managers(entries: &[Value]) -> Vec<String> {
    let applied = entries
        .iter()
        .filter(|entry| entry["operation"] == "Update" && owned(entry).owns(&LAST_APPLIED_PATH));
    let known = [CLIENT_SIDE, INVENTED, FIELD_MANAGER];
    let names = applied.map(manager).chain(known);
    names.map(str::to_owned).collect()
}

pub(super) fn manager(entry: &Value) -> &str {
    entry["manager"].as_str().unwrap_or_default()
}

fn is_update(entry: &Value) -> bool {
    entry["operation"] == "Update" && has_no_subresource(entry)
}

pub(super) fn has_no_subresource(entry: &Value) -> bool {
    entry["subresource"].as_str().unwrap_or_default().is_empty()
}

/// What becomes ours of what an entry owns.
fn taken_of(entry: &Value, last: Option<&Value>) -> Fields {
    let is_invented = manager(entry) == INVENTED;
    let is_written = |path: &[&str]| {
        path == LAST_APPLIED_PATH || last.is_some_and(|last| get(last, path).is_some())
    };
    let owned = owned(entry);
    // A map that is ours would go with all that is in it.
    let restarted = owned.contains(&RESTARTED_PATH);
    let is_of_restart = |path: &[&str]| restarted && RESTARTED_PATH.starts_with(path);
    owned.filter(&|path| !is_of_restart(path) && (!is_invented || is_written(path)))
}

/// What the last client-side apply wrote.
pub(super) fn last_applied(live: &Value) -> Option<Value> {
    let annotations = live.pointer("/metadata/annotations")?;
    serde_json::from_str(annotations.get(LAST_APPLIED)?.as_str()?).ok()
}

#[cfg(test)]
mod tests;
