//! What a request changes in the Deployment that is there: the body of the one write.
//!
//! A patch names only what differs, so that a field which others own (the replicas of an HPA, a
//! sidecar that a webhook injected) is never touched. It carries the `resourceVersion` that was
//! read: a strategic merge patch adds a container that it does not find, so it must never meet a
//! template other than the one that was checked.

pub mod ambiguity;
pub mod asked;
pub mod difference;
pub mod editor;

use crate::kubernetes::object::{self, Deployment, ReplicaSet};
use crate::problem::Fault;
use crate::request::{Method, Request};
use crate::state::baseline::Previous;
use crate::state::marks::{
    CAUSE, CAUSE_PATH, CHANGE_CAUSE, CHANGE_CAUSE_PATH, COMMIT, DEPLOYED_AT, EXECUTION, GENERATION,
    JOB, PREVIOUS, ROLLED_BACK, SUPERSEDED,
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

/// The longest [`CHANGE_CAUSE`], in characters: a line in a table.
const CHANGE_CAUSE_LIMIT: usize = 500;

/// Jobs remembered in [`SUPERSEDED`]: Lambda repeats an event for six hours at the most, and more
/// deploys of one Deployment in that time than this are not to be expected.
pub const SUPERSEDED_LIMIT: usize = 8;

/// What `kubectl rollout restart` writes into the template, too.
const RESTARTED_AT: &str = "kubectl.kubernetes.io/restartedAt";

/// The lists of a pod template that hold containers.
const CONTAINER_LISTS: [&str; 2] = ["containers", "initContainers"];

/// Who deploys, and when: what every write leaves on the Deployment.
#[derive(Clone, Debug, PartialEq)]
pub struct Author<'a> {
    /// The pipeline's execution.
    pub execution: &'a str,
    /// The first job of this deploy.
    pub job: &'a str,
    /// The time of the write.
    pub now: Timestamp,
}

/// The write that a request comes down to.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// The Deployment is already as the request wants it.
    Nothing,
    /// A strategic merge patch.
    Patch(Value),
    /// The whole object.
    Put(Value),
}

/// Whether the request needs to know if an autoscaler owns the replicas.
pub fn needs_autoscalers(request: &Request, live: &Deployment) -> bool {
    let wanted = request.manifest.as_ref().and_then(manifest_replicas);
    wanted.is_some_and(|wanted| wanted != live.replicas())
}

/// Plans the one write against the live object. `autoscaled`: a HorizontalPodAutoscaler targets
/// the Deployment. Faults name what the request asks for and the Deployment does not have.
pub fn plan(
    request: &Request,
    live: &Deployment,
    sets: &[ReplicaSet],
    autoscaled: bool,
    author: &Author,
) -> Result<Change, Vec<Fault>> {
    let annotations = annotations(request, Some(live), Previous::serving(live, sets), author);
    match request.method {
        Method::Put => put(request, live, autoscaled, annotations, author).map(Change::Put),
        Method::Patch => patch(request, live, autoscaled, annotations, author),
    }
}

/// The object to create where there is none.
pub fn create(request: &Request, author: &Author) -> Result<Value, Vec<Fault>> {
    let mut object = request.manifest.clone().unwrap_or_default();
    set_in_manifest(request, &mut object)?;
    identify(request, &mut object);
    if request.restart {
        *entry(
            &mut object,
            &["spec", "template", "metadata", "annotations", RESTARTED_AT],
        ) = json!(author.now.to_string());
    }
    merge_into(
        entry(&mut object, &["metadata", "annotations"]),
        annotations(request, None, None, author),
    );
    Ok(object)
}

/// The pod template that a request asks for, from its manifest or from the live one: what a new
/// Deployment gets.
pub fn template(request: &Request, live: &Deployment, now: Timestamp) -> Result<Value, Vec<Fault>> {
    let base = request.manifest.as_ref().unwrap_or(live.value());
    let template = base.pointer("/spec/template").cloned();
    let mut object = json!({"spec": {"template": template.unwrap_or_default()}});
    set_in_manifest(request, &mut object)?;
    if request.restart {
        let path = ["spec", "template", "metadata", "annotations", RESTARTED_AT];
        *entry(&mut object, &path) = json!(now.to_string());
    }
    Ok(object["spec"]["template"].take())
}

/// Whether nothing but status has changed since our last write: neither spec nor annotations.
pub fn is_untouched(live: &Deployment) -> bool {
    let generation = live.annotation(GENERATION);
    generation.and_then(|text| text.parse().ok()) == Some(live.generation())
}

/// The operations that bring back a template: all or none, and only on the state that was seen.
/// <https://datatracker.ietf.org/doc/html/rfc6902#section-4.6>
pub fn undo(seen: &Deployment, template: &Value, job: &str, cause: &str) -> Value {
    let mut operations = vec![
        json!({"op": "test", "path": "/metadata/uid", "value": seen.uid()}),
        json!({"op": "test", "path": "/metadata/generation", "value": seen.generation()}),
        // A status, too: it may have come right while its failure was being explained.
        json!({"op": "test", "path": "/metadata/resourceVersion",
            "value": seen.resource_version()}),
        json!({"op": "replace", "path": "/spec/template",
            "value": object::without_template_hash(template)}),
    ];
    if seen.value().pointer("/metadata/annotations").is_none() {
        operations.push(json!({"op": "add", "path": "/metadata/annotations", "value": {}}));
    }
    let rolled_back = "/metadata/annotations/landfall~1rolled-back";
    operations.push(json!({"op": "add", "path": rolled_back, "value": job}));
    operations.push(json!({"op": "add", "path": CAUSE_PATH, "value": cause}));
    // Kubernetes copies annotations to the ReplicaSet: these are of the version that goes.
    if seen.annotation(COMMIT).is_some() {
        let path = "/metadata/annotations/landfall~1commit";
        operations.push(json!({"op": "remove", "path": path}));
    }
    if seen.annotation(CHANGE_CAUSE).is_some() {
        let line = format!("rolled back, after job {job} failed");
        operations.push(json!({"op": "add", "path": CHANGE_CAUSE_PATH, "value": line}));
    }
    Value::Array(operations)
}

/// The same as the template alone, for a server that refuses our notes on the object.
pub fn undo_of_template(operations: &Value) -> Value {
    let all = operations.as_array().into_iter().flatten();
    let ours = |operation: &&Value| {
        let path = operation["path"].as_str().unwrap_or_default();
        path.starts_with("/metadata/annotations")
    };
    all.filter(|operation| !ours(operation)).cloned().collect()
}

/// The annotations of a write. A `null` takes away what an earlier deploy left.
fn annotations(
    request: &Request,
    live: Option<&Deployment>,
    previous: Option<Previous>,
    author: &Author,
) -> Map<String, Value> {
    let last = |name: &str| live.and_then(|live| live.annotation(name));
    let superseded = last(JOB)
        .into_iter()
        .chain(
            last(SUPERSEDED)
                .into_iter()
                .flat_map(|jobs| jobs.split(',')),
        )
        .filter(|job| *job != author.job && !job.is_empty())
        .take(SUPERSEDED_LIMIT)
        .collect::<Vec<_>>()
        .join(",");
    let or_null = |text: Option<String>| text.map_or(Value::Null, Value::String);
    let previous = previous.map(|previous| format!("{}@{}", previous.name, previous.revision));
    let generation = live.map_or(0, Deployment::generation) + 1;
    let all = [
        (EXECUTION, json!(author.execution)),
        (JOB, json!(author.job)),
        (DEPLOYED_AT, json!(author.now.to_string())),
        (GENERATION, json!(generation.to_string())),
        (PREVIOUS, or_null(previous)),
        (
            SUPERSEDED,
            or_null((!superseded.is_empty()).then_some(superseded)),
        ),
        (ROLLED_BACK, Value::Null),
        (CAUSE, Value::Null),
        (COMMIT, or_null(request.commit.clone())),
        (CHANGE_CAUSE, or_null(change_cause(request, author))),
    ];
    // A null for what is not there says nothing; and a line of the manifest's own stays.
    let removes = |name: &str| last(name).is_some() && name != CHANGE_CAUSE;
    all.into_iter()
        .filter(|(name, value)| !value.is_null() || removes(name))
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// What a version is known by later: its commit, and a line for its history.
pub fn history(request: &Request, author: &Author) -> Vec<(String, String)> {
    let commit = request.commit.clone().map(|commit| (COMMIT, commit));
    let line = change_cause(request, author).map(|line| (CHANGE_CAUSE, line));
    let known = commit.into_iter().chain(line);
    known.map(|(name, text)| (name.to_owned(), text)).collect()
}

/// A line on this version for its history. `None` where a manifest has a line of its own.
fn change_cause(request: &Request, author: &Author) -> Option<String> {
    let manifest = request.manifest.as_ref();
    let notes = manifest.and_then(|manifest| manifest.pointer("/metadata/annotations"));
    if notes.is_some_and(|notes| notes.get(CHANGE_CAUSE).is_some()) {
        return None;
    }
    let mut images = request
        .images
        .values()
        .chain(&request.sole_image)
        .cloned()
        .collect::<Vec<_>>();
    if let (true, Some(manifest)) = (images.is_empty(), manifest) {
        let containers = manifest.pointer("/spec/template/spec/containers");
        let containers = containers.and_then(Value::as_array).into_iter().flatten();
        let image = |container: &Value| Some(container.get("image")?.as_str()?.to_owned());
        images.extend(containers.filter_map(image));
    }
    let commit = request
        .commit
        .iter()
        .map(|commit| format!("commit {commit}"));
    let images = images.iter().map(|image| format!("image {image}"));
    let facts = [format!("execution {}", author.execution)];
    let line = facts
        .into_iter()
        .chain(commit)
        .chain(images)
        .collect::<Vec<_>>()
        .join(", ");
    Some(line.chars().take(CHANGE_CAUSE_LIMIT).collect())
}

fn patch(
    request: &Request,
    live: &Deployment,
    autoscaled: bool,
    annotations: Map<String, Value>,
    author: &Author,
) -> Result<Change, Vec<Fault>> {
    let mut patch = manifest_patch(request, autoscaled);
    let differs = set_by_patch(request, live, &mut patch)?;
    if request.restart {
        *entry(
            &mut patch,
            &["spec", "template", "metadata", "annotations", RESTARTED_AT],
        ) = json!(author.now.to_string());
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

/// A manifest as the start of a patch: without what names the object or belongs to the server.
fn manifest_patch(request: &Request, autoscaled: bool) -> Value {
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

/// Sets images and variables in the patch where they differ from the live containers. Returns
/// whether any did.
fn set_by_patch(
    request: &Request,
    live: &Deployment,
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
            // What a manifest says of a container is merged over what is there.
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

/// The fields of one container that the request sets and that differ from what is there; the last
/// one found counts.
fn container_changes(
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

/// What a strategic merge patch says to set or remove one variable; `None` where it is so already.
fn variable_change(name: &str, value: Option<&str>, there: &[&Value]) -> Option<Value> {
    let is_it = |variable: &&&Value| variable.get("name").and_then(Value::as_str) == Some(name);
    let refers = |variable: &&Value| variable.get("valueFrom").is_some();
    // Kubernetes lets the last one of a name win.
    match (value, there.iter().rev().find(is_it)) {
        (None, None) => None,
        (None, Some(_)) => Some(json!({"name": name, "$patch": "delete"})),
        (Some(value), Some(_)) if there.iter().filter(is_it).any(refers) => {
            Some(json!({"name": name, "value": value, "valueFrom": null}))
        }
        (Some(value), Some(found)) => {
            // The server leaves an empty value out.
            let there = found.get("value").and_then(Value::as_str).unwrap_or("");
            (there != value).then(|| json!({"name": name, "value": value}))
        }
        (Some(value), None) => Some(json!({"name": name, "value": value})),
    }
}

/// `env` goes into every ordinary container, or into the one that `container` names.
fn sets_env(request: &Request, list: &str, name: &str) -> bool {
    match &request.container {
        Some(only) => only == name,
        None => list == "containers",
    }
}

fn put(
    request: &Request,
    live: &Deployment,
    autoscaled: bool,
    annotations: Map<String, Value>,
    author: &Author,
) -> Result<Value, Vec<Fault>> {
    let mut object = request.manifest.clone().unwrap_or_default();
    set_in_manifest(request, &mut object)?;
    check_selector(&object, live)?;
    identify(request, &mut object);
    for field in ["resourceVersion", "uid"] {
        let found = live
            .value()
            .pointer("/metadata")
            .and_then(|meta| meta.get(field));
        if let Some(found) = found {
            *entry(&mut object, &["metadata", field]) = found.clone();
        }
    }
    if autoscaled || manifest_replicas(&object).is_none() {
        *entry(&mut object, &["spec", "replicas"]) = json!(live.replicas());
    }
    keep_restart(&mut object, live);
    if request.restart {
        *entry(
            &mut object,
            &["spec", "template", "metadata", "annotations", RESTARTED_AT],
        ) = json!(author.now.to_string());
    }
    let revision = live.annotation(object::REVISION).map(|text| json!(text));
    let kept = revision.map(|text| (object::REVISION.to_owned(), text));
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

/// A restart that somebody made since is no part of the version: without this the same manifest
/// would roll every pod again.
fn keep_restart(object: &mut Value, live: &Deployment) {
    let path = ["spec", "template", "metadata", "annotations", RESTARTED_AT];
    let pointer = "/spec/template/metadata/annotations";
    let named = object
        .pointer(pointer)
        .is_some_and(|annotations| annotations.get(RESTARTED_AT).is_some());
    let restarted = live.value().pointer(pointer);
    let restarted = restarted.and_then(|annotations| annotations.get(RESTARTED_AT));
    if let (false, Some(time)) = (named, restarted) {
        *entry(object, &path) = time.clone();
    }
}

fn identify(request: &Request, object: &mut Value) {
    object["apiVersion"] = json!("apps/v1");
    object["kind"] = json!("Deployment");
    *entry(object, &["metadata", "name"]) = json!(request.deployment);
    *entry(object, &["metadata", "namespace"]) = json!(request.namespace);
    if let Some(object) = object.as_object_mut() {
        object.remove("status");
    }
}

/// Sets images and variables in the manifest's own containers.
fn set_in_manifest(request: &Request, object: &mut Value) -> Result<(), Vec<Fault>> {
    let known = CONTAINER_LISTS.map(|list| names_in(object, list));
    check_containers(request, &known)?;
    let sole = known[0].len() == 1;
    for list in CONTAINER_LISTS {
        let containers = object.pointer_mut("/spec/template/spec");
        let containers = containers.and_then(|spec| spec.get_mut(list)?.as_array_mut());
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

fn set_variable(container: &mut Value, name: &str, value: Option<&str>) {
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

/// Refuses images and variables for containers that are not there: a strategic merge patch would
/// add them.
fn check_containers(request: &Request, known: &[Vec<String>; 2]) -> Result<(), Vec<Fault>> {
    let there = known.concat();
    let listed = match there.as_slice() {
        [] => "it has none".to_owned(),
        names => format!("it has `{}`", names.join("`, `")),
    };
    let images = request
        .images
        .keys()
        .map(|name| (format!("images.{name}"), name));
    let container = request.container.iter();
    let mut faults = images
        .chain(container.map(|name| ("container".to_owned(), name)))
        .filter(|(_, name)| !there.contains(name))
        .map(|(field, name)| {
            let problem =
                format!("names container `{name}`, which the Deployment does not have; {listed}");
            Fault::new(field, problem)
        })
        .collect::<Vec<_>>();
    if request.sole_image.is_some() && known[0].len() != 1 {
        let problem =
            format!("has one image and names no container; {listed}. Say which by `container`");
        faults.push(Fault::new("images", problem));
    }
    if faults.is_empty() {
        Ok(())
    } else {
        Err(faults)
    }
}

/// A Deployment keeps the selector that it was created with.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#label-selector-updates>
fn check_selector(object: &Value, live: &Deployment) -> Result<(), Vec<Fault>> {
    let wanted = object.pointer("/spec/selector").unwrap_or(&Value::Null);
    let found = live
        .value()
        .pointer("/spec/selector")
        .unwrap_or(&Value::Null);
    if contains(found, wanted) && contains(wanted, found) {
        return Ok(());
    }
    let is = if wanted.is_null() {
        "is missing".to_owned()
    } else {
        format!("is {wanted}")
    };
    Err(vec![Fault::new(
        "manifest.spec.selector",
        format!(
            "{is} and the live Deployment has {found}. Kubernetes never lets the selector \
             of a Deployment change, as the pods of the old one would be orphaned: keep the live \
             selector, or deploy under another name"
        ),
    )])
}

/// Whether everything that `wanted` names is in `found`, which the server completed with defaults,
/// relieved of empty fields and wrote in its own spelling of quantities.
pub fn contains(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => wanted.iter().all(|(key, wanted)| {
            let found = found.get(key);
            found.map_or(is_empty(wanted), |found| contains(found, wanted))
        }),
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len()
                && found
                    .iter()
                    .zip(wanted)
                    .all(|(found, wanted)| contains(found, wanted))
        }
        (found, wanted) => found == wanted || is_same_quantity(found, wanted),
    }
}

/// What the server leaves out when it writes an object: null, false, 0, "", [] and {}.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(value) => value.as_f64() == Some(0.0),
        Value::String(value) => value.is_empty(),
        Value::Array(value) => value.is_empty(),
        Value::Object(value) => value.values().all(is_empty),
    }
}

/// `0.5` and `500m`, `1024Mi` and `1Gi` are one quantity each.
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
fn is_same_quantity(one: &Value, other: &Value) -> bool {
    let (Some(one), Some(other)) = (quantity(one), quantity(other)) else {
        return false;
    };
    (one - other).abs() <= one.abs() * 1e-12
}

fn quantity(value: &Value) -> Option<f64> {
    const SUFFIXES: [(&str, f64); 13] = [
        ("Ki", 1024.0),
        ("Mi", 1048576.0),
        ("Gi", 1073741824.0),
        ("Ti", 1099511627776.0),
        ("Pi", 1125899906842624.0),
        ("n", 1e-9),
        ("u", 1e-6),
        ("m", 1e-3),
        ("k", 1e3),
        ("M", 1e6),
        ("G", 1e9),
        ("T", 1e12),
        ("P", 1e15),
    ];
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => return None,
    };
    let (digits, factor) = SUFFIXES
        .iter()
        .find_map(|(suffix, factor)| Some((text.strip_suffix(suffix)?, *factor)))
        .unwrap_or((&text, 1.0));
    Some(digits.parse::<f64>().ok()? * factor)
}

fn manifest_replicas(manifest: &Value) -> Option<i64> {
    manifest.pointer("/spec/replicas")?.as_i64()
}

fn names(containers: &[Value]) -> Vec<String> {
    containers
        .iter()
        .filter_map(|container| Some(container.get("name")?.as_str()?.to_owned()))
        .collect()
}

/// The names of the containers in a manifest or patch.
fn names_in(object: &Value, list: &str) -> Vec<String> {
    let containers = object.pointer("/spec/template/spec");
    let containers = containers.and_then(|spec| spec.get(list)?.as_array());
    containers.map_or_else(Vec::new, |containers| names(containers))
}

/// The entry of a container in a patch, made where it is missing.
fn container_entry<'a>(patch: &'a mut Value, list: &str, name: &str) -> &'a mut Value {
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

/// Adds entries to a list that is merged by name; those of the same name give way.
fn merge_named(there: &mut Vec<Value>, more: Vec<Value>) {
    there.retain(|entry| more.iter().all(|new| new.get("name") != entry.get("name")));
    there.extend(more);
}

fn merge_into(target: &mut Value, entries: Map<String, Value>) {
    match target.as_object_mut() {
        Some(target) => target.extend(entries),
        None => *target = Value::Object(entries),
    }
}

/// The place under a path of keys, made where it is missing.
fn entry<'a>(object: &'a mut Value, path: &[&str]) -> &'a mut Value {
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

#[cfg(test)]
mod tests;
