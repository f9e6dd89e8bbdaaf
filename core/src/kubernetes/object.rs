//! The fields that every Kubernetes object has. An absent field is a state, not a crash.

use jiff::Timestamp;
use serde_json::Value;
use sha2::{Digest, Sha256};
use std::sync::Arc;

/// An object of any kind, as the API server returned it. An absent text is empty. Copies share it:
/// what was read is never changed.
#[derive(Clone, Debug, PartialEq)]
pub struct Object(Arc<Value>);

/// One entry of `status.conditions`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition<'a> {
    /// `True`, `False` or `Unknown`.
    pub status: &'a str,
    /// A word for programs, such as `ProgressDeadlineExceeded`.
    pub reason: &'a str,
    /// A sentence for people.
    pub message: &'a str,
    /// When the controller last wrote it, as the server spells it; empty where it is absent.
    pub last_update_time: &'a str,
}

impl Object {
    /// Wraps the object.
    pub fn new(object: impl Into<Arc<Value>>) -> Object {
        Object(object.into())
    }

    /// Returns the object.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// Returns the object as others share it.
    pub fn shared(&self) -> Arc<Value> {
        Arc::clone(&self.0)
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        bounded(self.text("/metadata/uid"))
    }

    /// `metadata.resourceVersion`.
    pub fn resource_version(&self) -> &str {
        self.text("/metadata/resourceVersion")
    }

    /// `metadata.generation`, which the server raises with each change of the spec or an
    /// annotation; 0 if absent.
    pub fn generation(&self) -> i64 {
        self.number("/metadata/generation").unwrap_or(0)
    }

    /// `status.observedGeneration`: which generation the status speaks of; 0 if absent.
    pub fn observed_generation(&self) -> i64 {
        self.number("/status/observedGeneration").unwrap_or(0)
    }

    /// Whether the object is being deleted.
    pub fn is_being_deleted(&self) -> bool {
        let time = at(&self.0, "/metadata/deletionTimestamp");
        time.is_some_and(|time| !time.is_null())
    }

    /// Returns an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        at(&self.0, "/metadata/annotations")?.get(name)?.as_str()
    }

    /// The condition of this type, where there is one.
    pub fn condition(&self, kind: &str) -> Option<Condition<'_>> {
        let found = condition(&self.0, kind)?;
        let text = |field: &str| found.get(field).and_then(Value::as_str).unwrap_or("");
        Some(Condition {
            status: text("status"),
            reason: text("reason"),
            message: text("message"),
            last_update_time: bounded(text("lastUpdateTime")),
        })
    }

    /// The same, where it is true.
    pub fn true_condition(&self, kind: &str) -> Option<Condition<'_>> {
        self.condition(kind).filter(|it| it.status == "True")
    }

    /// Returns the text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> &str {
        let value = at(&self.0, pointer).and_then(Value::as_str);
        value.unwrap_or("")
    }

    /// Returns the whole number at a JSON pointer.
    pub fn number(&self, pointer: &str) -> Option<i64> {
        at(&self.0, pointer).and_then(Value::as_i64)
    }
}

/// The condition of this type, as it is written.
pub fn condition<'a>(object: &'a Value, kind: &str) -> Option<&'a Value> {
    let conditions = at(object, "/status/conditions")?.as_array()?;
    conditions.iter().find(|it| it["type"] == kind)
}

/// Whether a condition of an object is true.
pub fn is_true(object: &Value, kind: &str) -> bool {
    condition(object, kind).is_some_and(|it| it["status"] == "True")
}

/// The value at a pointer. Unlike [`Value::pointer`] it knows no escapes and allocates nothing:
/// fields are read very often.
pub fn at<'a>(object: &'a Value, pointer: &str) -> Option<&'a Value> {
    let mut fields = pointer.split('/').skip(1);
    fields.try_fold(object, |object, field| match object.as_array() {
        Some(list) => list.get(field.parse::<usize>().ok()?),
        None => object.get(field),
    })
}

/// The first sixteen hexadecimal digits of the SHA-256 of a text.
pub fn digest(text: &str) -> String {
    first_digits(&Sha256::digest(text.as_bytes()))
}

/// The first sixteen hexadecimal digits of a hash.
pub fn first_digits(hash: &[u8]) -> String {
    let bytes = hash.iter().take(8);
    bytes.map(|byte| format!("{byte:02x}")).collect()
}

/// The beginning of what goes into a continuation token: a uid has 36 characters, a time 20.
pub fn bounded(text: &str) -> &str {
    const LIMIT: usize = 64;
    text.char_indices()
        .nth(LIMIT)
        .map_or(text, |(end, _)| &text[..end])
}

/// Of an object that is being deleted, the finalizers that keep it.
pub fn held_by(object: &Value) -> Option<Vec<String>> {
    let metadata = &object["metadata"];
    let time = metadata.get("deletionTimestamp");
    time.filter(|time| !time.is_null())?;
    let finalizers = metadata["finalizers"].as_array().into_iter().flatten();
    let finalizers = finalizers.filter_map(Value::as_str);
    Some(finalizers.map(str::to_owned).collect())
}

/// The uid of the object that controls this one.
pub fn controller(object: &Value) -> Option<&str> {
    controlling(object)?.get("uid")?.as_str()
}

/// The name of the object that controls this one.
pub fn controller_name(object: &Value) -> Option<&str> {
    controlling(object)?.get("name")?.as_str()
}

/// Kind and name of the object that controls this one.
pub fn controlled_by(object: &Value) -> Option<(&str, &str)> {
    let owner = controlling(object)?;
    let text = |field: &str| owner[field].as_str().unwrap_or_default();
    Some((text("kind"), text("name")))
}

fn controlling(object: &Value) -> Option<&Value> {
    let owners = at(object, "/metadata/ownerReferences")?.as_array()?;
    let mut owners = owners.iter();
    owners.find(|owner| owner.get("controller") == Some(&Value::Bool(true)))
}

/// A time as Kubernetes writes it; `None` where it is none.
pub fn timestamp(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}
