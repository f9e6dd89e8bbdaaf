//! A rollback on demand as a write: the template of an earlier version instead of the live one.

use super::entries::{entry, merge_into};
use super::model::Author;
use super::notes::annotations;
use crate::request::Request;
use crate::state::baseline::Previous;
use crate::state::marks::{CHANGE_CAUSE, GENERATION, RETURNED_FROM, RETURNED_TO};
use crate::workload::replica_set::ReplicaSet;
use crate::workload::{Kind, Workload, without_template_hash};
use serde_json::{Map, Value, json};

/// The strategic merge patch that brings a version back. The template is replaced as a whole, as
/// `kubectl rollout undo` does it; everything else of the object stays.
pub fn bring_back(
    request: &Request,
    live: &Workload,
    sets: &[ReplicaSet],
    (from, to): (Option<&Previous>, &Previous),
    template: &Value,
    author: &Author,
) -> Value {
    let previous = Previous::serving(live, sets);
    let annotations = notes(request, live, previous, (from, to), author);
    let mut template = without_template_hash(template);
    template["$patch"] = json!("replace");
    let mut patch = json!({"spec": {"template": template}});
    merge_into(entry(&mut patch, &["metadata", "annotations"]), annotations);
    *entry(&mut patch, &["metadata", "resourceVersion"]) = json!(live.resource_version());
    patch
}

/// The merge patch that notes the same where that version is on its way back already.
pub fn came_back(
    request: &Request,
    live: &Workload,
    versions: (Option<&Previous>, &Previous),
    author: &Author,
) -> Value {
    // The version that comes back is the live one, and not judged yet: it is not noted as one that
    // served before.
    let mut annotations = notes(request, live, None, versions, author);
    // Of the other kinds annotations do not move the generation.
    let moved = i64::from(live.kind() == Kind::Deployment);
    let generation = (live.generation() + moved).to_string();
    annotations.insert(GENERATION.to_owned(), json!(generation));
    json!({"metadata": {"resourceVersion": live.resource_version(), "annotations": annotations}})
}

fn notes(
    request: &Request,
    live: &Workload,
    previous: Option<Previous>,
    (from, to): (Option<&Previous>, &Previous),
    author: &Author,
) -> Map<String, Value> {
    let mut annotations = annotations(request, Some(live), previous, author);
    let line = format!(
        "execution {}, rolled back to revision {}",
        author.execution, to.revision
    );
    let from = from.map_or(Value::Null, |from| json!(from.text()));
    annotations.insert(RETURNED_FROM.to_owned(), from);
    annotations.insert(RETURNED_TO.to_owned(), json!(to.text()));
    annotations.insert(CHANGE_CAUSE.to_owned(), json!(line));
    annotations
}
