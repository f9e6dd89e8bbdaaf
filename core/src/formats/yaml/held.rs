//! Which parts of an object are kept: all of a Deployment, only the names of others.

use serde_json::Value;

/// Reduces an object that was read: keeps all of it, or only what identifies it.
pub(super) type Reduce<'r> = &'r mut dyn FnMut(Value) -> Value;

/// How a field of an object is treated.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Field {
    /// The field is kept.
    Held,
    /// The field contains objects.
    Items,
    /// The field is not kept.
    Unread,
}

/// Classifies the fields of an object, based on the fields before them.
#[derive(Default)]
pub(super) struct Fields {
    pub(super) is_other: bool,
    pub(super) may_have_items: bool,
}

impl Fields {
    pub(super) fn of(&self, key: &str) -> Field {
        match key {
            "kind" | "metadata" | "apiVersion" => Field::Held,
            "items" if self.may_have_items => Field::Items,
            _ if self.is_other => Field::Unread,
            _ => Field::Held,
        }
    }

    /// Records a field's value.
    pub(super) fn saw(&mut self, key: &str, value: &Value) {
        if key == "kind"
            && let Some(kind) = value.as_str()
        {
            self.is_other = kind != "Deployment" && kind != "List";
            self.may_have_items &= kind == "List";
        }
    }
}
