//! The object to apply: the manifest, with whose it is, and without what would take something away
//! from an autoscaler or from the server.

use super::ownership::Owner;
use super::takeover::{folded, is_ours, owned};
use crate::change::entries::{entry, merge_into};
use crate::formats::certificate;
use crate::kubernetes::object_id::group_of;
use crate::state::marks::{PART_OF, RELEASE};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

/// The field that an autoscaler writes, as a path of elements.
const REPLICAS_PATH: [&str; 2] = ["f:spec", "f:replicas"];

/// Metadata that the server keeps. A manifest that was read from a cluster has it; applied, it
/// would be refused, or would bind the write to the object that was read then.
const SERVER_METADATA: [&str; 6] = [
    "managedFields",
    "resourceVersion",
    "uid",
    "generation",
    "creationTimestamp",
    "selfLink",
];

/// The object to apply.
///
/// - The label and the annotation say whose it is. Annotations of the manifest stay, ours as well.
/// - `spec.replicas` of a Deployment, StatefulSet or ReplicaSet: of an object that has an
///   autoscaler (`scaled_by`) it is left out where another manager owns it, and is the live count
///   otherwise; if the sole owner left it out, the server would reset it to 1. A manifest without
///   replicas never changes the count either, at the first adoption and ever after.
/// - A Service's `clusterIP: None` stays; an empty address is left out.
/// - A `caBundle` of a webhook or of a CRD's conversion that is not a certificate is left out: it
///   is a placeholder that others fill in, whose value is not to be taken away again, and the
///   server would call the CRD not established for it.
/// - `stringData` of a Secret becomes `data`, because a key that leaves `stringData` stays.
/// - Metadata that the server keeps is left out.
///
/// `live` is the object as it was read last, before or after [`takeover`](super::takeover()); the
/// replicas are decided by the owners after it.
pub fn body(
    manifest: &Value,
    live: Option<&Value>,
    scaled_by: Option<&str>,
    owner: &Owner,
) -> Value {
    let mut object = manifest.clone();
    if let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) {
        metadata.retain(|field, _| !SERVER_METADATA.contains(&field.as_str()));
    }
    *entry(&mut object, &["metadata", "labels", PART_OF]) = json!(owner.id);
    *entry(&mut object, &["metadata", "annotations", RELEASE]) = json!(owner.release);
    let group = object["apiVersion"].as_str().unwrap_or_default();
    let group = group_of(group);
    match (group, object["kind"].as_str().unwrap_or_default()) {
        ("apps", "Deployment" | "StatefulSet" | "ReplicaSet") => {
            set_replicas(&mut object, live, scaled_by.is_some());
        }
        ("", "Service") => remove_empty_addresses(&mut object),
        ("", "Secret") => encode_strings(&mut object),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            remove_placeholder(&mut object, "/spec/conversion/webhook/clientConfig");
        }
        ("admissionregistration.k8s.io", _) => {
            let webhooks = object["webhooks"].as_array().map_or(0, Vec::len);
            for place in 0..webhooks {
                remove_placeholder(&mut object, &format!("/webhooks/{place}/clientConfig"));
            }
        }
        _ => {}
    }
    object
}

fn set_replicas(object: &mut Value, live: Option<&Value>, is_scaled: bool) {
    let Some((live, count)) = live.and_then(|live| Some((live, live.pointer("/spec/replicas")?)))
    else {
        return;
    };
    let folded = folded(live);
    let (ours, others) = folded.iter().partition::<Vec<_>, _>(|entry| is_ours(entry));
    let owns = |entries: &[&Value]| {
        entries
            .iter()
            .any(|entry| owned(entry).owns(&REPLICAS_PATH))
    };
    let wanted = object.pointer("/spec/replicas");
    let is_wanted = wanted.is_some_and(|wanted| !wanted.is_null());
    match (is_wanted, owns(&others)) {
        (true, true) if is_scaled => remove(object, "/spec", "replicas"),
        (true, false) if is_scaled => object["spec"]["replicas"] = count.clone(),
        (false, false) if owns(&ours) => {
            *entry(object, &["spec", "replicas"]) = count.clone();
        }
        (_, _) => {}
    }
}

fn remove_empty_addresses(object: &mut Value) {
    let spec = object.get("spec").cloned().unwrap_or_default();
    let is_empty = |value: &Value| match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.iter().all(|item| item == "" || item.is_null()),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => false,
    };
    for field in ["clusterIP", "clusterIPs"] {
        if spec.get(field).is_some_and(is_empty) {
            remove(object, "/spec", field);
        }
    }
}

fn remove_placeholder(object: &mut Value, client: &str) {
    let bundle = object.pointer(client).and_then(|it| it.get("caBundle"));
    let is_usable = |bundle: &Value| {
        let text = bundle.as_str();
        text.is_some_and(|text| certificate::read(text).is_ok())
    };
    if bundle.is_some_and(|bundle| !is_usable(bundle)) {
        remove(object, client, "caBundle");
    }
}

/// Values that are not texts stay where they are, for the server to refuse.
fn encode_strings(object: &mut Value) {
    let strings = object.get("stringData").and_then(Value::as_object);
    let encoded = |(key, value): (&String, &Value)| {
        let text = value.as_str()?;
        Some((key.clone(), json!(STANDARD.encode(text))))
    };
    let Some(strings) =
        strings.and_then(|it| it.iter().map(encoded).collect::<Option<Map<_, _>>>())
    else {
        return;
    };
    remove(object, "", "stringData");
    if !strings.is_empty() {
        merge_into(entry(object, &["data"]), strings);
    }
}

fn remove(object: &mut Value, place: &str, field: &str) {
    if let Some(place) = object.pointer_mut(place).and_then(Value::as_object_mut) {
        place.remove(field);
    }
}

#[cfg(test)]
mod tests;
