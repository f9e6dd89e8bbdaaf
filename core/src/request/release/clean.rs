//! Removes from a manifest what the API server writes, and makes `stringData` of Secrets `data`.

use super::fault::{Faults, Subject};
use super::identity::Identity;
use crate::request::checks::kind;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// Annotations that others write: `kubectl apply` keeps the whole object in the first, a
/// Deployment's controller the number of its version in the second.
const FOREIGN: [&str; 2] = [
    "kubectl.kubernetes.io/last-applied-configuration",
    "deployment.kubernetes.io/revision",
];

/// The label of an object that belongs to a release or to an ApplySet of `kubectl`.
/// <https://kubernetes.io/docs/reference/labels-annotations-taints/#applyset-kubernetes-io-part-of>
const PART_OF: &str = "applyset.kubernetes.io/part-of";

/// The prefix of Landfall's annotations.
const PREFIX: &str = "landfall/";

/// Fields of `metadata` that the API server writes.
const WRITTEN: [&str; 6] = [
    "managedFields",
    "resourceVersion",
    "uid",
    "creationTimestamp",
    "generation",
    "selfLink",
];

/// Removes what an object that was read from a cluster has and a manifest does not need. An object
/// with a resourceVersion could be applied only to the state that it was read from.
pub(super) fn strip(object: &mut Value, identity: &Identity, own: &[&str]) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    // The status of a CustomResourceDefinition is part of some charts, and the server ignores it.
    if !identity.is("apiextensions.k8s.io", "CustomResourceDefinition") {
        fields.remove("status");
    }
    let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) else {
        return;
    };
    for field in WRITTEN {
        metadata.remove(field);
    }
    let is_kept = |key: &str| own.contains(&key) || !key.starts_with(PREFIX);
    remove(metadata, "annotations", |key| {
        !FOREIGN.contains(&key) && is_kept(key)
    });
    remove(metadata, "labels", |key| key != PART_OF);
}

/// Removes entries of a map, and the map if it has no others.
fn remove(metadata: &mut Map<String, Value>, map: &str, is_kept: impl Fn(&str) -> bool) {
    let Some(entries) = metadata.get_mut(map).and_then(Value::as_object_mut) else {
        return;
    };
    let before = entries.len();
    entries.retain(|key, _| is_kept(key));
    if entries.is_empty() && before > 0 {
        metadata.remove(map);
    }
}

/// Writes `stringData` as `data`: the API server does so, too, but a key that later leaves
/// `stringData` would stay in `data`. Returns the values of `data`, as they are and decoded.
pub(super) fn secret(object: &mut Value, subject: &Subject, faults: &mut Faults) -> Vec<String> {
    let mut secrets = Vec::new();
    let Some(fields) = object.as_object_mut() else {
        return secrets;
    };
    let mut data = entries(fields, "data", subject, faults);
    for (key, value) in &data {
        let Some(text) = text("data", key, value, subject, faults).map(plain) else {
            continue;
        };
        match STANDARD.decode(text.as_bytes()) {
            Ok(decoded) => secrets.extend(String::from_utf8(decoded)),
            Err(_) => {
                let problem = "is not base64: write the text itself into `stringData`";
                faults.push(subject.fault(&format!(".data.{key}"), problem));
            }
        }
        secrets.push(text);
    }
    for (key, value) in entries(fields, "stringData", subject, faults) {
        if let Some(text) = text("stringData", &key, &value, subject, faults) {
            let encoded = STANDARD.encode(text);
            secrets.extend([text.to_owned(), encoded.clone()]);
            data.insert(key, Value::String(encoded));
        }
    }
    if !data.is_empty() {
        fields.insert("data".to_owned(), Value::Object(data));
    }
    secrets
}

/// Takes the entries of a map out of an object.
fn entries(
    fields: &mut Map<String, Value>,
    field: &str,
    subject: &Subject,
    faults: &mut Faults,
) -> Map<String, Value> {
    let value = fields.remove(field).unwrap_or_default();
    if let Value::Object(entries) = value {
        return entries;
    }
    if !value.is_null() {
        let problem = format!("must be an object, and is {}", kind(&value));
        faults.push(subject.fault(&format!(".{field}"), problem));
    }
    Map::new()
}

/// The text of an entry; one without a value has none.
fn text<'v>(
    field: &str,
    key: &str,
    value: &'v Value,
    subject: &Subject,
    faults: &mut Faults,
) -> Option<&'v str> {
    if !value.is_string() && !value.is_null() {
        let problem = format!("must be a string, and is {}: put it in quotes", kind(value));
        faults.push(subject.fault(&format!(".{field}.{key}"), problem));
    }
    value.as_str()
}

/// Base64 without its line breaks, which the API server ignores.
fn plain(text: &str) -> String {
    let inner = |it: &char| !matches!(it, '\r' | '\n');
    text.chars().filter(inner).collect()
}

#[cfg(test)]
mod tests;
