//! The rollback: a JSON patch that restores a template.

use super::model::Author;
use super::notes::superseded;
use crate::state::marks::{
    CAUSE_PATH, CHANGE_CAUSE, CHANGE_CAUSE_PATH, COMMIT, DEPLOYED_AT, EXECUTION, JOB, ROLLED_BACK,
    SUPERSEDED,
};
use crate::workload::{self, Workload};
use serde_json::{Value, json};

/// The operations that restore a template: all or none, and only if the object is unchanged.
/// <https://datatracker.ietf.org/doc/html/rfc6902#section-4.6>
pub fn undo(seen: &Workload, template: &Value, job: &str, cause: &str) -> Value {
    let mut operations = vec![
        json!({"op": "test", "path": "/metadata/uid", "value": seen.uid()}),
        json!({"op": "test", "path": "/metadata/generation", "value": seen.generation()}),
        // Also tests the status: the rollout may have recovered while its failure was being
        // explained.
        json!({"op": "test", "path": "/metadata/resourceVersion",
            "value": seen.resource_version()}),
        json!({"op": "replace", "path": "/spec/template",
            "value": workload::without_template_hash(template)}),
    ];
    if seen.value().pointer("/metadata/annotations").is_none() {
        operations.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
    }
    operations.push(json!({"op": "add", "path": path_of(ROLLED_BACK), "value": job}));
    operations.push(json!({"op": "add", "path": CAUSE_PATH, "value": cause}));
    // Kubernetes copies annotations to the ReplicaSet, and these belong to the failed version.
    if seen.annotation(COMMIT).is_some() {
        operations.push(json!({"op": "remove", "path": path_of(COMMIT)}));
    }
    if seen.annotation(CHANGE_CAUSE).is_some() {
        let line = format!("rolled back, after job {job} failed");
        operations.push(json!({"op": "add", "path": CHANGE_CAUSE_PATH, "value": line}));
    }
    Value::Array(operations)
}

/// The same for what another deploy has left when it died: whoever takes that back is who changed
/// the object last.
pub fn undo_of_another(operations: &mut Value, seen: &Workload, by: &Author) {
    let superseded = superseded(seen, by.job).unwrap_or_default();
    let notes = [
        (EXECUTION, by.execution.to_owned()),
        (JOB, by.job.to_owned()),
        (DEPLOYED_AT, by.now.to_string()),
        (SUPERSEDED, superseded),
    ];
    let notes =
        notes.map(|(name, text)| json!({"op": "add", "path": path_of(name), "value": text}));
    let all = operations.as_array_mut();
    all.into_iter().for_each(|all| all.extend(notes.clone()));
}

/// An annotation as a JSON pointer.
fn path_of(annotation: &str) -> String {
    format!("/metadata/annotations/{}", annotation.replace('/', "~1"))
}

/// The same without the test of the status: if pods start and end all the time, the status of a
/// Deployment changes before the patch arrives.
pub fn undo_of_generation(operations: &Value) -> Value {
    without(operations, "/metadata/resourceVersion")
}

/// The operation for the template alone, for a server that refuses our annotations.
pub fn undo_of_template(operations: &Value) -> Value {
    without(operations, "/metadata/annotations")
}

fn without(operations: &Value, path: &str) -> Value {
    let all = operations.as_array().into_iter().flatten();
    let is_other = |operation: &&Value| {
        let its = operation["path"].as_str().unwrap_or_default();
        !its.starts_with(path)
    };
    all.filter(is_other).cloned().collect()
}
