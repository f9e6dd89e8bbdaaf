//! Whether a write that was answered as done was done: a webhook may set back what it asks for, and
//! a proxy may answer in the server's place.

use super::asked;
use super::comparison::is_empty;
use crate::kubernetes::call::{Call, Verb};
use crate::kubernetes::contact::Kept;
use crate::kubernetes::object::Deployment;
use crate::request::Request;
use crate::state::marks;
use crate::text::clip;
use serde_json::Value;

/// How much of a value is shown.
const SHOWN: usize = 240;

/// What a write of the new version left as it was. An answer with another generation is one in
/// which something was changed, which the rollout looks at itself.
pub fn version(
    request: &Request,
    job: &str,
    before: Option<&Deployment>,
    after: &Deployment,
) -> Option<Kept> {
    let is_same = |before: &&Deployment| before.generation() == after.generation();
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

/// The same of a write that brings the template of a revision back.
pub fn undo(revision: u64, before: Option<&Deployment>, after: &Deployment) -> Option<Kept> {
    let is_same = |before: &&Deployment| before.template_digest() == after.template_digest();
    before.filter(is_same).map(|_| Kept {
        field: "spec.template".to_owned(),
        wanted: format!("the one of revision {revision}"),
        found: Some("the one that failed".to_owned()),
        is_in_part: false,
        available: None,
    })
}

/// The same of a write of a switch, which names each field by a merge patch.
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
            // What the write is bound to is not written.
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
    // What is empty is left out by the server.
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
