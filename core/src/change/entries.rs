//! Positions in an object: containers by name, and missing entries that are created.

use crate::kubernetes::object::at;
use serde_json::{Map, Value, json};

/// The lists of a pod template that contain containers.
pub(super) const CONTAINER_LISTS: [&str; 2] = ["containers", "initContainers"];

/// Returns the entry of a container in a patch, and creates it if it is missing.
pub(super) fn container_entry<'a>(patch: &'a mut Value, list: &str, name: &str) -> &'a mut Value {
    let containers = entry(patch, &["spec", "template", "spec", list]);
    if !containers.is_array() {
        *containers = json!([]);
    }
    let containers = containers.as_array_mut().expect("made an array above");
    let is_it = |container: &Value| container.get("name").and_then(Value::as_str) == Some(name);
    let place = containers.iter().position(is_it).unwrap_or_else(|| {
        containers.push(json!({"name": name}));
        containers.len() - 1
    });
    &mut containers[place]
}

/// Adds entries to a list that is merged by name, and replaces those with the same name.
pub(super) fn merge_named(there: &mut Vec<Value>, more: Vec<Value>) {
    there.retain(|entry| more.iter().all(|new| new.get("name") != entry.get("name")));
    there.extend(more);
}

pub(super) fn merge_into(target: &mut Value, entries: Map<String, Value>) {
    match target.as_object_mut() {
        Some(target) => target.extend(entries),
        None => *target = Value::Object(entries),
    }
}

/// Returns the value at a path of keys, and creates it if it is missing.
pub(super) fn entry<'a>(object: &'a mut Value, path: &[&str]) -> &'a mut Value {
    path.iter().fold(object, |place, key| {
        if !place.is_object() {
            *place = json!({});
        }
        place
            .as_object_mut()
            .expect("made an object above")
            .entry(*key)
            .or_insert(Value::Null)
    })
}

pub(super) fn names(containers: &[Value]) -> Vec<String> {
    containers
        .iter()
        .filter_map(|container| Some(container.get("name")?.as_str()?.to_owned()))
        .collect()
}

/// The names of the containers in a manifest or patch.
pub(super) fn names_in(object: &Value, list: &str) -> Vec<String> {
    let containers = at(object, "/spec/template/spec");
    let containers = containers.and_then(|spec| spec.get(list)?.as_array());
    containers.map_or_else(Vec::new, |containers| names(containers))
}
