//! How a default is set.

use serde_json::Value;

pub(super) fn absent(object: &mut Value, field: &str, value: impl Into<Value>) {
    if object.get(field).is_none_or(Value::is_null) && (object.is_object() || object.is_null()) {
        object[field] = value.into();
    }
}

pub(super) fn each<'a>(object: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> {
    object
        .get_mut(field)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}
