//! Reads an object's fields, where an absent one is empty or zero, and formats times.

use jiff::Timestamp;
use serde_json::{Map, Value};

/// The value at a pointer. Unlike [`Value::pointer`] it supports no escapes and allocates nothing:
/// controllers read fields very often.
fn at<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    let mut fields = pointer.split('/').skip(1);
    fields.try_fold(object, |object, field| match object {
        Value::Array(list) => list.get(field.parse::<usize>().ok()?),
        object @ (Value::Null
        | Value::Bool(_)
        | Value::Number(_)
        | Value::String(_)
        | Value::Object(_)) => object.get(field),
    })
}

/// The text at a pointer, or "".
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    at(object, pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// The number at a pointer, or 0.
pub(crate) fn integer(object: &Value, pointer: &str) -> i64 {
    at(object, pointer)
        .and_then(Value::as_i64)
        .unwrap_or_default()
}

/// The list at a pointer, or an empty one.
pub(crate) fn list<'a>(object: &'a Value, pointer: &str) -> &'a [Value] {
    at(object, pointer)
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The map at a pointer.
pub(crate) fn map<'a>(object: &'a Value, pointer: &str) -> Option<&'a Map<String, Value>> {
    at(object, pointer).and_then(Value::as_object)
}

/// The map in a field of an object, created if missing.
pub(crate) fn map_mut<'a>(object: &'a mut Value, field: &str) -> &'a mut Map<String, Value> {
    if !object[field].is_object() {
        object[field] = Value::Object(Map::new());
    }
    object[field]
        .as_object_mut()
        .expect("it was just made an object")
}

/// The name of the controller with that kind that owns an object.
pub(crate) fn owner<'a>(object: &'a Value, kind: &str) -> Option<&'a str> {
    let owners = list(object, "/metadata/ownerReferences");
    let owner = owners
        .iter()
        .find(|owner| owner["controller"] == true && owner["kind"] == kind)?;
    owner["name"].as_str()
}

/// Whether an object is owned by the one with that uid.
pub(crate) fn owned_by(object: &Value, uid: &str) -> bool {
    let owners = list(object, "/metadata/ownerReferences");
    owners
        .iter()
        .any(|owner| owner["controller"] == true && owner["uid"] == uid)
}

/// Whether an object is being deleted.
pub(crate) fn terminating(object: &Value) -> bool {
    at(object, "/metadata/deletionTimestamp").is_some()
}

/// A condition of an object's status.
pub(crate) fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    list(object, "/status/conditions")
        .iter()
        .find(|condition| condition["type"] == kind)
}

/// Formats a time like Kubernetes: whole seconds.
pub(crate) fn written(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

/// The time at a pointer.
pub(crate) fn time(object: &Value, pointer: &str) -> Option<Timestamp> {
    text(object, pointer).parse().ok()
}

/// FNV-1a, which Kubernetes uses to hash pod templates (of another text, so the result differs).
pub(crate) fn hash(bytes: &[u8]) -> u32 {
    let step = |hash: u32, byte: &u8| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193);
    bytes.iter().fold(0x811c_9dc5, step)
}

/// Writes a number in the letters that Kubernetes uses in names: no vowels, so no words.
pub(crate) fn letters(number: u32) -> String {
    const ALPHABET: &[u8; 27] = b"bcdfghjklmnpqrstvwxz2456789";
    let letter = |digit: u8| char::from(ALPHABET[usize::from(digit) % ALPHABET.len()]);
    number.to_string().bytes().map(letter).collect()
}
