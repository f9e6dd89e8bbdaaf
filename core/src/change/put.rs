//! A change as a whole object: the manifest, with the values of the request.

use super::checks::{check_containers, check_selector};
use super::entries::{CONTAINER_LISTS, entry, merge_into, names_in};
use super::model::Author;
use super::notes::{RESTARTED_AT, restart};
use super::patch::sets_env;
use crate::problem::Fault;
use crate::request::Request;
use crate::workload::{self, Kind, Workload};
use serde_json::{Map, Value, json};

pub(super) fn put(
    request: &Request,
    live: &Workload,
    autoscaled: bool,
    annotations: Map<String, Value>,
    author: &Author,
) -> Result<Value, Vec<Fault>> {
    let mut object = request.manifest.clone().unwrap_or_default();
    set_in_manifest(request, &mut object)?;
    check_selector(&object, live)?;
    identify(request, &mut object);
    for field in ["resourceVersion", "uid"] {
        if let Some(found) = live.value()["metadata"].get(field) {
            *entry(&mut object, &["metadata", field]) = found.clone();
        }
    }
    let has_replicas = request.kind != Kind::DaemonSet;
    if has_replicas && (autoscaled || manifest_replicas(&object).is_none()) {
        *entry(&mut object, &["spec", "replicas"]) = json!(live.replicas());
    }
    keep_restart(&mut object, live);
    if request.restart {
        restart(&mut object, author.now);
    }
    let revision = live.annotation(workload::REVISION).map(|text| json!(text));
    let kept = revision.map(|text| (workload::REVISION.to_owned(), text));
    let annotations = annotations
        .into_iter()
        .filter(|(_, value)| !value.is_null())
        .chain(kept);
    merge_into(
        entry(&mut object, &["metadata", "annotations"]),
        annotations.collect(),
    );
    Ok(object)
}

/// Keeps a later restart, which does not belong to the version: otherwise the same manifest would
/// restart every pod again.
pub(super) fn keep_restart(object: &mut Value, live: &Workload) {
    let path = ["spec", "template", "metadata", "annotations", RESTARTED_AT];
    let named = object
        .pointer("/spec/template/metadata/annotations")
        .is_some_and(|annotations| annotations.get(RESTARTED_AT).is_some());
    let restarted = live.template()["metadata"]["annotations"].get(RESTARTED_AT);
    if let (false, Some(time)) = (named, restarted) {
        *entry(object, &path) = time.clone();
    }
}

pub(super) fn identify(request: &Request, object: &mut Value) {
    let resource = request.kind.row().resource;
    object["apiVersion"] = json!(resource.api_version);
    object["kind"] = json!(resource.kind);
    *entry(object, &["metadata", "name"]) = json!(request.deployment);
    *entry(object, &["metadata", "namespace"]) = json!(request.namespace);
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
}

/// Sets images and variables in the manifest's containers.
pub(super) fn set_in_manifest(request: &Request, object: &mut Value) -> Result<(), Vec<Fault>> {
    let known = CONTAINER_LISTS.map(|list| names_in(object, list));
    check_containers(request, &known)?;
    let sole = known[0].len() == 1;
    let template = object.get_mut("spec").and_then(|it| it.get_mut("template"));
    let Some(spec) = template.and_then(|template| template.get_mut("spec")) else {
        return Ok(());
    };
    for list in CONTAINER_LISTS {
        let containers = spec.get_mut(list).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten() {
            let name = container.get("name").and_then(Value::as_str);
            let name = name.unwrap_or_default().to_owned();
            if let Some(image) = request.image(&name, sole && list == CONTAINER_LISTS[0]) {
                container["image"] = json!(image);
            }
            if sets_env(request, list, &name) {
                for (variable, value) in &request.env {
                    set_variable(
                        container,
                        variable,
                        value.as_ref().map(|value| value.reveal()),
                    );
                }
            }
        }
    }
    Ok(())
}

pub(super) fn set_variable(container: &mut Value, name: &str, value: Option<&str>) {
    let Some(container) = container.as_object_mut() else {
        return;
    };
    let variables = container.entry("env").or_insert_with(|| json!([]));
    if let Some(variables) = variables.as_array_mut() {
        let is_it = |variable: &Value| variable.get("name").and_then(Value::as_str) == Some(name);
        let place = variables.iter().position(is_it);
        variables.retain(|variable| !is_it(variable));
        if let Some(value) = value {
            let place = place.unwrap_or(variables.len()).min(variables.len());
            variables.insert(place, json!({"name": name, "value": value}));
        }
    }
}

pub(super) fn manifest_replicas(manifest: &Value) -> Option<i64> {
    manifest.pointer("/spec/replicas")?.as_i64()
}
