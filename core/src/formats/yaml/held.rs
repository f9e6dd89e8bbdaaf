//! What is held of an object: all of a Deployment, of others only what names them.

use serde_json::Value;

/// What is kept of an object that was read: all of it, or what tells it from others.
pub(super) type Reduce<'r> = &'r mut dyn FnMut(Value) -> Value;

/// What a field of an object is to those who look for a Deployment.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Field {
    /// It is held.
    Held,
    /// It holds objects of its own.
    Items,
    /// Nobody will ask for it.
    Unread,
}

/// Says of each field of an object what it is, by what came before it.
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

    /// Takes note of a field's value.
    pub(super) fn saw(&mut self, key: &str, value: &Value) {
        if key == "kind"
            && let Some(kind) = value.as_str()
        {
            self.is_other = kind != "Deployment" && kind != "List";
            self.may_have_items &= kind == "List";
        }
    }
}
