//! Finds who set a field, from the server's managed fields.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>

use crate::kubernetes::call::FIELD_MANAGER;
use serde_json::Value;

/// The longest manager name that is shown; the server allows 128 characters.
const NAME_LIMIT: usize = 128;

/// Who set a field last, and when.
#[derive(Clone, Debug, PartialEq)]
pub struct Editor {
    /// The name that the client chose, such as `kubectl-edit`.
    pub manager: String,
    /// When, in the server's format.
    pub time: String,
}

impl Editor {
    /// Finds the last manager that set a field or a part of it. Of one that has set only what is
    /// around it, that was after our own write: what was there before has changed nothing since.
    pub fn of(object: &Value, steps: &[String]) -> Option<Editor> {
        let entries = object.pointer("/metadata/managedFields")?.as_array()?;
        let depth = |entry: &Value| {
            let mut fields = entry.get("fieldsV1")?;
            let mut depth = 0;
            for step in steps {
                match fields.get(step) {
                    Some(next) => fields = next,
                    None => break,
                }
                depth += 1;
            }
            (depth > 0).then_some(depth)
        };
        let text = |entry: &Value, key: &str| {
            let text = entry.get(key).and_then(Value::as_str).unwrap_or_default();
            let plain = text.chars().filter(|character| !character.is_control());
            plain.take(NAME_LIMIT).collect::<String>()
        };
        let own = entries.iter();
        let own = own.filter(|entry| entry.get("subresource").is_none());
        let (ours, others): (Vec<_>, Vec<_>) =
            own.partition(|entry| entry["manager"] == FIELD_MANAGER);
        let ours = ours.into_iter().map(|entry| text(entry, "time")).max();
        let is_later = |time: &str| ours.as_deref().is_none_or(|ours| time >= ours);
        let others = others.into_iter();
        let last = others
            .filter_map(|entry| Some((depth(entry)?, text(entry, "time"), entry)))
            .filter(|(depth, time, _)| *depth == steps.len() || is_later(time))
            .max_by(|one, other| (one.0, &one.1).cmp(&(other.0, &other.1)))?;
        let (_, time, entry) = last;
        let manager = text(entry, "manager");
        (!manager.is_empty()).then_some(Editor { manager, time })
    }
}

#[cfg(test)]
mod tests;
