//! What cannot be changed once an object is there, and how large its data may be.

use crate::world::api::validation::rules::Faults;
use crate::world::object::{map, text};
use serde_json::{Value, json};

/// The largest total size of the data of a ConfigMap or a Secret in bytes.
const DATA_LIMIT: usize = 1024 * 1024;

/// What may change in a StatefulSet's spec.
const OF_STATEFUL_SET: [&str; 7] = [
    "replicas",
    "ordinals",
    "template",
    "updateStrategy",
    "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy",
    "minReadySeconds",
];

pub(crate) fn stateful_set(new: &Value, old: &Value, faults: &mut Faults) {
    let fixed = |object: &Value| {
        let mut spec = object["spec"].clone();
        if let Some(fields) = spec.as_object_mut() {
            fields.retain(|name, _| !OF_STATEFUL_SET.contains(&name.as_str()));
        }
        spec
    };
    if fixed(new) != fixed(old) {
        let why = "updates to statefulset spec for fields other than 'replicas', 'ordinals', \
                   'template', 'updateStrategy', 'revisionHistoryLimit', \
                   'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
        faults.forbidden("spec", why);
    }
}

pub(crate) fn job(new: &Value, old: &Value, faults: &mut Faults) {
    let mut same = |field: &str| {
        let value = &new["spec"][field];
        if *value != old["spec"][field] {
            faults.invalid(format!("spec.{field}"), value, "field is immutable");
        }
    };
    same("completions");
    same("selector");
    same("completionMode");
    same("podFailurePolicy");
    // A Job that waits may still be placed; that is not looked at here.
    same("template");
}

pub(crate) fn binding(new: &Value, old: &Value, faults: &mut Faults) {
    let role = &new["roleRef"];
    if *role != old["roleRef"] {
        // The server prints its own form of the reference.
        let value = format!(
            "{{\"APIGroup\":{},\"Kind\":{},\"Name\":{}}}",
            role["apiGroup"], role["kind"], role["name"]
        );
        let message = format!("Invalid value: {value}: cannot change roleRef");
        faults.add("FieldValueInvalid", "roleRef", message);
    }
}

pub(crate) fn claim(new: &Value, old: &Value, faults: &mut Faults) {
    let fixed = |object: &Value| {
        let mut spec = object["spec"].clone();
        spec["resources"]["requests"] = Value::Null;
        spec["volumeAttributesClassName"] = Value::Null;
        spec
    };
    if fixed(new) != fixed(old) {
        let why = "spec is immutable after creation except resources.requests and \
                   volumeAttributesClassName for bound claims";
        faults.forbidden("spec", why);
    }
}

pub(crate) fn definition(new: &Value, old: &Value, faults: &mut Faults) {
    for field in ["group", "scope"] {
        let value = &new["spec"][field];
        if *value != old["spec"][field] {
            faults.invalid(format!("spec.{field}"), value, "field is immutable");
        }
    }
}

pub(crate) fn service(new: &Value, old: &Value, faults: &mut Faults) {
    let (address, before) = (text(new, "/spec/clusterIP"), text(old, "/spec/clusterIP"));
    let external = text(new, "/spec/type") == "ExternalName";
    if !before.is_empty() && address != before && !external {
        let why = "may not change once set";
        faults.invalid("spec.clusterIPs[0]", &json!([address]), why);
    }
}

/// ConfigMaps and Secrets: their size, and what `immutable` forbids.
pub(crate) fn data(kind: &str, new: &Value, old: Option<&Value>, faults: &mut Faults) {
    let values = |field: &str| map(new, field).into_iter().flatten();
    let plain = values("/data").map(|(_, value)| size(value, kind == "Secret"));
    let binary = values("/binaryData").map(|(_, value)| size(value, true));
    if plain.chain(binary).sum::<usize>() > DATA_LIMIT {
        let field = if kind == "Secret" { "data" } else { "[]" };
        let message = format!("Too long: may not be more than {DATA_LIMIT} bytes");
        faults.add("FieldValueTooLong", field, message);
    }
    let Some(old) = old else { return };
    if kind == "Secret" && new["type"] != old["type"] {
        faults.invalid("type", &new["type"], "field is immutable");
    }
    if old["immutable"] == true {
        let why = "field is immutable when `immutable` is set";
        if new["immutable"] != true {
            faults.forbidden("immutable", why);
        }
        for field in ["data", "binaryData"] {
            if new[field] != old[field] {
                faults.forbidden(field, why);
            }
        }
    }
}

/// The size of a value, decoded.
fn size(value: &Value, encoded: bool) -> usize {
    let text = value.as_str().unwrap_or_default();
    if !encoded {
        return text.len();
    }
    let padding = text.bytes().rev().take_while(|byte| *byte == b'=').count();
    (text.len() / 4 * 3).saturating_sub(padding)
}

/// Several ports need names, and each its own.
pub(crate) fn port_names(ports: &[Value], faults: &mut Faults) {
    if ports.len() < 2 {
        return;
    }
    for (index, port) in ports.iter().enumerate() {
        let name = text(port, "/name");
        if name.is_empty() {
            faults.required(format!("spec.ports[{index}].name"));
        } else if ports[..index].iter().any(|other| other["name"] == name) {
            faults.duplicate(format!("spec.ports[{index}].name"), &name.into());
        }
    }
}
