//! Which parts of an object are kept: all of it, or only its names where one of a kind is sought.

use serde_json::Value;

/// What becomes of the objects of a file.
pub(super) enum Objects<'r> {
    /// One of this kind is sought: each object that may be it passes through this function, which
    /// keeps all of it, or only what identifies it. Of others only the names are read.
    Only(&'r str, &'r mut dyn FnMut(Value) -> Value),
    /// All are read. The items of a list pass through this function, with their
    /// lines; its error ends the reading.
    All(&'r mut dyn FnMut(Value, usize) -> Result<Value, String>),
}

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
pub(super) struct Fields<'k> {
    pub(super) kind: &'k str,
    pub(super) is_other: bool,
    pub(super) may_have_items: bool,
    /// Whether every field of every kind is kept.
    pub(super) keeps_all: bool,
}

impl Fields<'_> {
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
            let is_list = is_list(kind);
            self.is_other = !self.keeps_all && kind != self.kind && !is_list;
            self.may_have_items &= is_list;
        }
    }
}

/// Whether a kind is a list of objects: `List`, or any kind of that ending such as `RoleList`.
pub(super) fn is_list(kind: &str) -> bool {
    kind.ends_with("List")
}
