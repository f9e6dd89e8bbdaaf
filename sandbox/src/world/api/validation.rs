//! The API server's validation rules, in its words.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/apps/validation/validation.go>,
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/validation/validation.go>

mod containers;
mod fixed;
mod metadata;
mod rules;
mod sets;
mod template;

use crate::world::api::status::Cause;
use crate::world::api::validation::containers::pod;
use crate::world::api::validation::metadata::metadata;
use crate::world::api::validation::rules::{Faults, PERCENT, in_order, percent};
use crate::world::api::validation::template::{matching, restarts, template_metadata};
use crate::world::object::{list, text};
use serde_json::{Value, json};

/// All faults of an object, after decoding and defaulting; `old` is the object that it replaces.
pub(crate) fn faults(kind: &str, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut faults = Faults::default();
    metadata(kind, object, &mut faults);
    match kind {
        "Deployment" => deployment(&object["spec"], old.map(|old| &old["spec"]), &mut faults),
        "ReplicaSet" => replica_set(&object["spec"], old.map(|old| &old["spec"]), &mut faults),
        "StatefulSet" => sets::stateful_set(&object["spec"], &mut faults),
        "DaemonSet" => {
            fixed_selector(&object["spec"], old.map(|old| &old["spec"]), &mut faults);
            sets::daemon_set(&object["spec"], &mut faults);
        }
        "Job" => job(&object["spec"], old.map(|old| &old["spec"]), &mut faults),
        "Pod" => pod(&object["spec"], "spec", &mut faults),
        "Service" => service(&object["spec"], &mut faults),
        "ConfigMap" | "Secret" => fixed::data(kind, object, old, &mut faults),
        _ => {}
    }
    if let Some(old) = old {
        unchanged(kind, object, old, &mut faults);
    }
    faults.0
}

/// The faults of fields that may not change.
fn unchanged(kind: &str, object: &Value, old: &Value, faults: &mut Faults) {
    match kind {
        "StatefulSet" => fixed::stateful_set(object, old, faults),
        "Job" => fixed::job(object, old, faults),
        "RoleBinding" | "ClusterRoleBinding" => fixed::binding(object, old, faults),
        "PersistentVolumeClaim" => fixed::claim(object, old, faults),
        "CustomResourceDefinition" => fixed::definition(object, old, faults),
        "Service" => fixed::service(object, old, faults),
        _ => {}
    }
}

/// The faults of a request's options.
pub(crate) fn option_faults(
    manager: &str,
    dry_run: Option<&str>,
    validation: Option<&str>,
) -> Vec<Cause> {
    let mut faults = Faults::default();
    if let Some(other) = dry_run.filter(|value| *value != "All") {
        faults.unsupported("dryRun", &Value::from([other].as_slice()), &["All"]);
    }
    if manager.len() > 128 {
        faults.add(
            "FieldValueTooLong",
            "fieldManager",
            "Too long: may not be more than 128 bytes",
        );
    }
    let known = ["Ignore", "Strict", "Warn"];
    if let Some(other) = validation.filter(|value| !known.contains(value)) {
        faults.unsupported(
            "fieldValidation",
            &other.into(),
            &["", "Ignore", "Strict", "Warn"],
        );
    }
    faults.0
}

/// The faults of a patch's options: an apply must name its manager, and only it can be forced.
pub(crate) fn patch_option_faults(applies: bool, manager: Option<&str>, force: bool) -> Vec<Cause> {
    let mut faults = Faults::default();
    if applies && manager.is_none() {
        faults.required_because("fieldManager", "is required for apply patch");
    }
    if !applies && force {
        faults.forbidden("force", "may not be specified for non-apply patch");
    }
    faults.0
}

fn deployment(spec: &Value, old: Option<&Value>, faults: &mut Faults) {
    workload(spec, faults);
    strategy(&spec["strategy"], faults);
    for name in [
        "minReadySeconds",
        "revisionHistoryLimit",
        "progressDeadlineSeconds",
    ] {
        faults.not_negative(&format!("spec.{name}"), spec.get(name));
    }
    let least = spec["minReadySeconds"].as_i64().unwrap_or_default();
    let deadline = &spec["progressDeadlineSeconds"];
    if deadline.as_i64().is_some_and(|at| at <= least) {
        let why = "must be greater than minReadySeconds";
        faults.invalid("spec.progressDeadlineSeconds", deadline, why);
    }
    fixed_selector(spec, old, faults);
}

fn replica_set(spec: &Value, old: Option<&Value>, faults: &mut Faults) {
    workload(spec, faults);
    faults.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"));
    fixed_selector(spec, old, faults);
}

fn job(spec: &Value, old: Option<&Value>, faults: &mut Faults) {
    let template = &spec["template"];
    if old.is_some_and(|old| old["template"] != *template) {
        faults.invalid("spec.template", template, "field is immutable");
    }
}

fn fixed_selector(spec: &Value, old: Option<&Value>, faults: &mut Faults) {
    let selector = &spec["selector"];
    if old.is_some_and(|old| old["selector"] != *selector) {
        faults.invalid("spec.selector", selector, "field is immutable");
    }
}

fn strategy(strategy: &Value, faults: &mut Faults) {
    let rolling = strategy.get("rollingUpdate");
    match text(strategy, "/type") {
        "Recreate" if rolling.is_some() => faults.forbidden(
            "spec.strategy.rollingUpdate",
            "may not be specified when strategy `type` is 'Recreate'",
        ),
        "Recreate" => {}
        "RollingUpdate" => {
            bounds(&strategy["rollingUpdate"], faults);
            let none = |field: &str| {
                // A value that is not a number counts as missing.
                let value = &strategy["rollingUpdate"][field];
                let share = value.as_str().map(|text| percent(text).unwrap_or_default());
                *value == 0 || share == Some(0)
            };
            if none("maxSurge") && none("maxUnavailable") {
                let value = &strategy["rollingUpdate"]["maxUnavailable"];
                let why = "may not be 0 when `maxSurge` is 0";
                faults.invalid("spec.strategy.rollingUpdate.maxUnavailable", value, why);
            }
        }
        _ => {
            // The server prints its own form of the whole strategy.
            let bounds = rolling.map(
                |it| json!({"MaxUnavailable": it["maxUnavailable"], "MaxSurge": it["maxSurge"]}),
            );
            let (name, bounds) = (&strategy["type"], bounds.unwrap_or_default());
            let message = format!(
                "Unsupported value: {{\"Type\":{name},\"RollingUpdate\":{}}}: supported values: \
                 \"Recreate\", \"RollingUpdate\"",
                in_order(&bounds, &["MaxUnavailable", "MaxSurge"])
            );
            faults.add("FieldValueNotSupported", "spec.strategy", message);
        }
    }
}

/// Validates numbers of pods and percentages.
fn bounds(rolling: &Value, faults: &mut Faults) {
    for name in ["maxUnavailable", "maxSurge"] {
        let (field, value) = (
            format!("spec.strategy.rollingUpdate.{name}"),
            &rolling[name],
        );
        faults.not_negative(&field, Some(value));
        if value.as_str().is_some_and(|text| percent(text).is_none()) {
            faults.invalid(field, value, PERCENT);
        }
    }
    let unavailable = &rolling["maxUnavailable"];
    let part = unavailable.as_str().and_then(percent);
    if part.is_some_and(|part| part > 100) {
        let field = "spec.strategy.rollingUpdate.maxUnavailable";
        faults.invalid(field, unavailable, "must not be greater than 100%");
    }
}

/// Validates the fields that Deployments and ReplicaSets share.
fn workload(spec: &Value, faults: &mut Faults) {
    faults.not_negative("spec.replicas", spec.get("replicas"));
    let selector = &spec["selector"];
    if selector.is_null() {
        faults.required("spec.selector");
    } else if selector.as_object().is_some_and(serde_json::Map::is_empty) {
        faults.invalid(
            "spec.selector",
            selector,
            "empty selector is invalid for deployment",
        );
    }
    matching(spec, faults);
    template_metadata(spec, faults);
    pod(&spec["template"]["spec"], "spec.template.spec", faults);
    restarts(spec, faults);
}

fn service(spec: &Value, faults: &mut Faults) {
    let headless = spec["clusterIP"] == "None" || spec["type"] == "ExternalName";
    if list(spec, "/ports").is_empty() && !headless {
        faults.required("spec.ports");
    }
    fixed::port_names(list(spec, "/ports"), faults);
    for (index, port) in list(spec, "/ports").iter().enumerate() {
        let number = port["port"].as_i64().unwrap_or_default();
        if !(1..=65_535).contains(&number) {
            let why = "must be between 1 and 65535, inclusive";
            faults.invalid(format!("spec.ports[{index}].port"), &number.into(), why);
        }
    }
}

#[cfg(test)]
mod tests;
