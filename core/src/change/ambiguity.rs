//! Corrects a strategic merge patch where it would not produce what the manifest says.
//!
//! The patch merges lists by one field of their items. If two items have the same value (a port for
//! TCP and for UDP, one topology key twice), it silently merges the wrong ones; such a list is
//! written whole. It also merges objects of which only one field may be set, so that the old field
//! stays next to the new one; the fields that the manifest does not name are removed.
//! <https://github.com/kubernetes/kubernetes/issues/39188>

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The merged lists of a Deployment, and their merge keys.
/// <https://github.com/kubernetes/api/blob/master/core/v1/types.go>
const MERGED: [(&str, &str); 9] = [
    ("containers", "name"),
    ("initContainers", "name"),
    ("env", "name"),
    ("ports", "containerPort"),
    ("volumeMounts", "mountPath"),
    ("volumeDevices", "devicePath"),
    ("volumes", "name"),
    ("imagePullSecrets", "name"),
    ("topologySpreadConstraints", "topologyKey"),
];

/// The fields of which only one may be set: the field that contains them, and their names.
const CHOICES: [(&str, &[&str]); 6] = [
    ("livenessProbe", HANDLERS),
    ("readinessProbe", HANDLERS),
    ("startupProbe", HANDLERS),
    ("postStart", HANDLERS),
    ("preStop", HANDLERS),
    (
        "valueFrom",
        &[
            "fieldRef",
            "resourceFieldRef",
            "configMapKeyRef",
            "secretKeyRef",
            "fileKeyRef",
        ],
    ),
];

const HANDLERS: &[&str] = &["exec", "httpGet", "tcpSocket", "grpc", "sleep"];

/// Corrects the patch of a manifest for the current object.
pub fn settle(patch: &mut Value, live: &Value) {
    if let (Some(patch), Some(live)) = (patch.as_object_mut(), live.as_object()) {
        fields(patch, live);
    }
}

fn fields(patch: &mut Map<String, Value>, live: &Map<String, Value>) {
    let recreates = |it: &Value| it.get("type").and_then(Value::as_str) == Some("Recreate");
    for (key, wanted) in patch {
        let Some(found) = live.get(key) else {
            if let Value::Array(items) = wanted {
                list(key, items, &[]);
            }
            continue;
        };
        match (wanted, found) {
            (Value::Object(wanted), Value::Object(found)) => {
                if let Some((_, choices)) = CHOICES.iter().find(|(name, _)| name == key) {
                    choose(wanted, found, choices);
                }
                fields(wanted, found);
                let strategy = Value::Object(wanted.clone());
                if key == "strategy" && recreates(&strategy) && found.contains_key("rollingUpdate")
                {
                    wanted.insert("rollingUpdate".to_owned(), Value::Null);
                }
            }
            (Value::Array(wanted), Value::Array(found)) => list(key, wanted, found),
            _ => {}
        }
    }
}

/// Removes the current choice if the manifest makes another.
fn choose(wanted: &mut Map<String, Value>, found: &Map<String, Value>, choices: &[&str]) {
    if !choices.iter().any(|choice| wanted.contains_key(*choice)) {
        return;
    }
    for choice in choices {
        if found.contains_key(*choice) && !wanted.contains_key(*choice) {
            wanted.insert((*choice).to_owned(), Value::Null);
        }
    }
}

fn list(name: &str, wanted: &mut Vec<Value>, found: &[Value]) {
    let Some((_, key)) = MERGED.iter().find(|(list, _)| *list == name) else {
        return;
    };
    let key_of = |item: &Value| item.get(key).map(Value::to_string);
    let doubled = |items: &[Value]| {
        let mut seen = BTreeSet::new();
        items.iter().any(|item| !seen.insert(key_of(item)))
    };
    let directive = |item: &Value| item.get("$patch").is_some();
    if wanted.iter().any(directive) {
        return;
    }
    if doubled(wanted) || doubled(found) {
        // Items that the manifest does not name stay, as in every other list.
        let named = wanted.iter().map(key_of).collect::<BTreeSet<_>>();
        let others = found.iter().filter(|item| !named.contains(&key_of(item)));
        wanted.extend(others.cloned().collect::<Vec<_>>());
        wanted.push(json!({"$patch": "replace"}));
        return;
    }
    for item in wanted {
        let key = key_of(item);
        let Some(found) = found.iter().find(|found| key_of(found) == key) else {
            continue;
        };
        let (Some(item), Some(found)) = (item.as_object_mut(), found.as_object()) else {
            continue;
        };
        match name {
            "env" => choose(item, found, &["value", "valueFrom"]),
            // A volume has one type: all other fields are removed.
            "volumes" if item.len() > 1 => {
                for kind in found.keys().filter(|kind| *kind != "name") {
                    item.entry(kind.clone()).or_insert(Value::Null);
                }
            }
            _ => {}
        }
        fields(item, found);
    }
}

#[cfg(test)]
mod tests;
