//! A change as a patch: the fields that the request names.

use super::ambiguity;
use super::checks::check_containers;
use super::entries::{
    CONTAINER_LISTS, container_entry, entry, merge_into, merge_named, names, names_in,
};
use super::model::{Author, Change};
use super::notes::restart;
use crate::problem::Fault;
use crate::request::Request;
use crate::workload::Workload;
use serde_json::{Map, Value, json};

pub(super) fn patch(
    request: &Request,
    live: &Workload,
    autoscaled: bool,
    annotations: Map<String, Value>,
    author: &Author,
) -> Result<Change, Vec<Fault>> {
    let mut patch = manifest_patch(request, autoscaled);
    let differs = set_by_patch(request, live, &mut patch)?;
    if request.restart {
        restart(&mut patch, author.now);
    }
    if !differs && !request.restart && request.manifest.is_none() {
        return Ok(Change::Nothing);
    }
    ambiguity::settle(&mut patch, live.value());
    merge_into(entry(&mut patch, &["metadata", "annotations"]), annotations);
    if !live.resource_version().is_empty() {
        *entry(&mut patch, &["metadata", "resourceVersion"]) = json!(live.resource_version());
    }
    Ok(Change::Patch(patch))
}

/// The manifest as the beginning of a patch, without the object's identity and the server's fields.
pub(super) fn manifest_patch(request: &Request, autoscaled: bool) -> Value {
    let Some(manifest) = &request.manifest else {
        return json!({});
    };
    let mut patch = json!({});
    for part in ["labels", "annotations"] {
        let found = manifest
            .pointer("/metadata")
            .and_then(|meta| meta.get(part));
        if let Some(found) = found {
            *entry(&mut patch, &["metadata", part]) = found.clone();
        }
    }
    if let Some(spec) = manifest.get("spec") {
        patch["spec"] = spec.clone();
    }
    if autoscaled && let Some(spec) = patch.get_mut("spec").and_then(Value::as_object_mut) {
        spec.remove("replicas");
    }
    patch
}

/// Sets images and variables in the patch where they differ from the current containers. Returns
/// whether any did.
pub(super) fn set_by_patch(
    request: &Request,
    live: &Workload,
    patch: &mut Value,
) -> Result<bool, Vec<Fault>> {
    let known = CONTAINER_LISTS.map(|list| {
        let there = names(live.containers(list));
        let more = names_in(patch, list).into_iter();
        let more = more.filter(|name| !there.contains(name)).collect();
        [there, more].concat()
    });
    check_containers(request, &known)?;
    let sole = known[0].len() == 1;
    let mut differs = false;
    for (list, known) in CONTAINER_LISTS.iter().zip(&known) {
        for name in known {
            // The patch's containers are merged into the existing ones.
            let manifest = patch.pointer("/spec/template/spec");
            let manifest = manifest.and_then(|spec| spec.get(*list)?.as_array());
            let found = live.containers(list).iter();
            let found = found
                .chain(manifest.into_iter().flatten())
                .filter(|container| container.get("name").and_then(Value::as_str) == Some(name))
                .collect::<Vec<_>>();
            let changes = container_changes(request, list, name, sole, &found);
            if changes.is_empty() {
                continue;
            }
            differs = true;
            let target = container_entry(patch, list, name);
            for (field, change) in changes {
                match (target.get_mut(&field), change) {
                    (Some(Value::Array(there)), Value::Array(more)) => merge_named(there, more),
                    (_, change) => target[field] = change,
                }
            }
        }
    }
    Ok(differs)
}

/// The requested fields of a container that differ from the current ones; the last one found
/// counts.
pub(super) fn container_changes(
    request: &Request,
    list: &str,
    name: &str,
    sole: bool,
    found: &[&Value],
) -> Vec<(String, Value)> {
    let mut changes = Vec::new();
    let there = |container: &&Value| Some(container.get("image")?.as_str()?.to_owned());
    if let Some(image) = request.image(name, sole && list == CONTAINER_LISTS[0])
        && found.iter().rev().find_map(there).as_ref() != Some(image)
    {
        changes.push(("image".to_owned(), json!(image)));
    }
    if sets_env(request, list, name) {
        let there = found
            .iter()
            .filter_map(|found| found.get("env")?.as_array());
        let there = there.flatten().collect::<Vec<_>>();
        let variables = request
            .env
            .iter()
            .filter_map(|(variable, value)| {
                variable_change(variable, value.as_ref().map(|value| value.reveal()), &there)
            })
            .collect::<Vec<_>>();
        if !variables.is_empty() {
            changes.push(("env".to_owned(), Value::Array(variables)));
        }
    }
    changes
}

/// The strategic merge patch for one variable; `None` if nothing has to change.
pub(super) fn variable_change(name: &str, value: Option<&str>, there: &[&Value]) -> Option<Value> {
    let is_it = |variable: &&&Value| variable.get("name").and_then(Value::as_str) == Some(name);
    let refers = |variable: &&Value| variable.get("valueFrom").is_some();
    // In Kubernetes the last variable of a name wins.
    match (value, there.iter().rev().find(is_it)) {
        (None, None) => None,
        (None, Some(_)) => Some(json!({"name": name, "$patch": "delete"})),
        (Some(value), Some(_)) if there.iter().filter(is_it).any(refers) => {
            Some(json!({"name": name, "value": value, "valueFrom": null}))
        }
        (Some(value), Some(found)) => {
            // The server omits an empty value.
            let there = found.get("value").and_then(Value::as_str).unwrap_or("");
            (there != value).then(|| json!({"name": name, "value": value}))
        }
        (Some(value), None) => Some(json!({"name": name, "value": value})),
    }
}

/// Whether `env` applies to the container: to every ordinary one, or to the one that `container`
/// names.
pub(super) fn sets_env(request: &Request, list: &str, name: &str) -> bool {
    match &request.container {
        Some(only) => only == name,
        None => list == "containers",
    }
}
