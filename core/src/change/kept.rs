//! Whether a successful write really changed the object: a webhook may revert it, and a proxy may
//! respond in the server's place.

use super::asked;
use super::comparison::is_empty;
use crate::kubernetes::call::{Call, Verb};
use crate::kubernetes::contact::Kept;
use crate::request::Request;
use crate::state::marks;
use crate::text::clip;
use crate::workload::Workload;
use serde_json::Value;

/// How much of a value is shown.
const SHOWN: usize = 240;

/// Returns what the write of a new version did not change. If the response has another generation,
/// something was changed; then the rollout itself checks it.
pub fn version(
    request: &Request,
    job: &str,
    before: Option<&Workload>,
    after: &Workload,
) -> Option<Kept> {
    let is_same = |before: &&Workload| before.generation() == after.generation();
    let before = before.filter(is_same)?;
    let lost = asked::lost(request, after)?;
    Some(Kept {
        field: lost.field,
        wanted: lost.wanted,
        found: lost.found,
        is_in_part: after.annotation(marks::JOB) == Some(job),
        available: Some((before.available_replicas(), before.replicas())),
    })
}

/// The same for a rollback on demand, whose request has no version of its own.
pub fn returned(job: &str, before: Option<&Workload>, after: &Workload) -> Option<Kept> {
    let is_same = |before: &&Workload| before.template_digest() == after.template_digest();
    let before = before.filter(is_same)?;
    Some(Kept {
        field: "spec.template".to_owned(),
        wanted: "the one of an earlier revision".to_owned(),
        found: Some("the one from before the rollback".to_owned()),
        is_in_part: after.annotation(marks::JOB) == Some(job),
        available: Some((before.available_replicas(), before.replicas())),
    })
}

/// The same for a write that restores the template of a revision.
pub fn undo(revision: u64, before: Option<&Workload>, after: &Workload) -> Option<Kept> {
    let is_same = |before: &&Workload| before.template_digest() == after.template_digest();
    before.filter(is_same).map(|_| Kept {
        field: "spec.template".to_owned(),
        wanted: format!("the one of revision {revision}"),
        found: Some("the one that failed".to_owned()),
        is_in_part: false,
        available: None,
    })
}

/// The same for a write of a switch, whose merge patch names each field.
pub fn fields(call: &Call, after: &Value) -> Option<Kept> {
    let body = call.body.as_ref()?;
    match call.verb == Verb::MergePatch {
        true => differing("", body, after),
        false => None,
    }
}

/// The first field of a merge patch that an object does not have.
fn differing(path: &str, patch: &Value, found: &Value) -> Option<Kept> {
    if let Value::Object(fields) = patch {
        return fields.iter().find_map(|(name, patch)| {
            let path = match path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            // The preconditions of the write are not fields to change.
            match path.as_str() {
                "metadata.resourceVersion" | "metadata.uid" => None,
                _ => differing(&path, patch, &found[name]),
            }
        });
    }
    let shown = |value: &Value| match value {
        Value::Null => "absent".to_owned(),
        Value::Array(_) | Value::Object(_) => "something else".to_owned(),
        Value::String(text) => format!("`{}`", clip(text, SHOWN)),
        Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    // The server omits empty values.
    let is_same = patch == found || is_empty(patch) && is_empty(found);
    (!is_same).then(|| Kept {
        field: path.to_owned(),
        wanted: shown(patch),
        found: Some(found).filter(|found| !found.is_null()).map(shown),
        is_in_part: false,
        available: None,
    })
}

#[cfg(test)]
mod tests;
