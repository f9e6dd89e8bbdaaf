//! Where a strategic merge patch would not give what a manifest says.
//!
//! It joins lists by one field of their items. Where two items have the same (a port for TCP and
//! for UDP, one topology key twice) it joins the wrong ones, and says nothing. Such a list is
//! written whole. And it joins objects of which only one field may be set, an old one beside the
//! new; what the manifest does not name of them is taken away.
//! <https://github.com/kubernetes/kubernetes/issues/39188>

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// The lists of a Deployment that are joined, and by which field.
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

/// Where one of several fields is set: the object's field, and which they are.
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

/// Puts right what a patch made of a manifest would do to the live object.
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

/// Takes away the live choice where the manifest makes another.
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
        // What the manifest does not name stays, as with every other list.
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
            // A volume is of one kind: whatever else it was goes.
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
