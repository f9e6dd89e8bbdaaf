//! What an apply would change: the answer to its dry run beside what was read.

use super::fields::Fields;
use super::takeover::{entries, is_ours, owned, takeover};
use crate::change::difference::{Difference, difference};
use serde_json::{Value, json};

/// Metadata that changes with every write, or that is compared apart.
const MOVING: [&str; 3] = ["managedFields", "resourceVersion", "generation"];

/// What an apply would change, in lines for people: without what belongs to the server or to
/// Landfall, and without the values of Secrets and variables. No lines and [`needs_write`]: only
/// whose the fields are would change.
pub fn change(live: Option<&Value>, tried: &Value) -> Difference {
    difference(live.unwrap_or(&Value::Null), tried)
}

/// Whether an apply has to be sent, by the answer to its dry run.
///
/// Compared is the whole object but `metadata.managedFields`, `resourceVersion` and `generation`,
/// so that our label and annotation count; `status` counts only if the manifest sets it, because
/// controllers write it between the two answers. An equal object is written all the same if the
/// fields that we own would change, as at the first adoption and where something is to be taken
/// over: that is when the server itself would write, too.
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
    }
    if !sets_status {
        object["status"] = json!(null);
    }
    object
}

#[cfg(test)]
mod tests;
