//! The rules for StatefulSets and DaemonSets, in the API server's order.
//!
//! <https://github.com/kubernetes/kubernetes/blob/v1.35.4/pkg/apis/apps/validation/validation.go>

use crate::world::api::validation::containers::pod;
use crate::world::api::validation::rules::{Faults, PERCENT, in_order, percent};
use crate::world::api::validation::template::{matching, restarts, template_metadata};
use crate::world::object::{list, text};
use serde_json::{Value, json};

/// What the server calls the strategies of both.
const ROLLING: &str = "RollingUpdate";
const ON_DELETE: &str = "OnDelete";

pub(crate) fn stateful_set(spec: &Value, faults: &mut Faults) {
    let policy = &spec["podManagementPolicy"];
    if policy != "OrderedReady" && policy != "Parallel" {
        let why = "must be 'OrderedReady' or 'Parallel'";
        faults.invalid("spec.podManagementPolicy", policy, why);
    }
    strategy_of_stateful_set(&spec["updateStrategy"], faults);
    for name in ["replicas", "minReadySeconds"] {
        faults.not_negative(&format!("spec.{name}"), spec.get(name));
    }
    let selector = &spec["selector"];
    if selector.is_null() {
        faults.required("spec.selector");
    } else if is_empty(selector) {
        let why = "empty selector is invalid for statefulset";
        faults.invalid("spec.selector", selector, why);
    }
    if !is_empty(selector) {
        matching(spec, faults);
    }
    pods(spec, faults);
    restarts(spec, faults);
}

pub(crate) fn daemon_set(spec: &Value, faults: &mut Faults) {
    matching(spec, faults);
    if is_empty(&spec["selector"]) {
        let why = "empty selector is invalid for daemonset";
        faults.invalid("spec.selector", &spec["selector"], why);
    }
    pods(spec, faults);
    restarts(spec, faults);
    faults.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"));
    strategy_of_daemon_set(&spec["updateStrategy"], faults);
    let limit = "revisionHistoryLimit";
    faults.not_negative("spec.revisionHistoryLimit", spec.get(limit));
}

fn is_empty(selector: &Value) -> bool {
    selector.as_object().is_some_and(serde_json::Map::is_empty)
}

/// The pods: those of a StatefulSet have the volumes of its claims, too.
fn pods(spec: &Value, faults: &mut Faults) {
    let mut template = spec["template"]["spec"].clone();
    let claims = list(spec, "/volumeClaimTemplates").iter();
    let names = claims.map(|claim| &claim["metadata"]["name"]);
    let names = names.collect::<Vec<_>>();
    if !names.is_empty() {
        let volumes = list(&template, "/volumes").iter();
        let others = volumes.filter(|volume| !names.contains(&&volume["name"]));
        let others = others.cloned().collect::<Vec<_>>();
        let own = names.iter().map(|name| json!({"name": name}));
        template["volumes"] = own.chain(others).collect();
    }
    template_metadata(spec, faults);
    pod(&template, "spec.template.spec", faults);
}

fn strategy_of_stateful_set(strategy: &Value, faults: &mut Faults) {
    const FIELD: &str = "spec.updateStrategy";
    let rolling = &strategy["rollingUpdate"];
    match text(strategy, "/type") {
        "" => faults.required(FIELD),
        ON_DELETE if !rolling.is_null() => {
            let why = "only allowed for updateStrategy 'RollingUpdate'";
            let told = rolling_of_stateful_set(rolling);
            invalid(format!("{FIELD}.rollingUpdate"), &told, why, faults);
        }
        ON_DELETE => {}
        ROLLING => {
            let field = format!("{FIELD}.rollingUpdate");
            faults.not_negative(&format!("{field}.partition"), rolling.get("partition"));
            let count = &rolling["maxUnavailable"];
            if !count.is_null() {
                let field = format!("{field}.maxUnavailable");
                positive(&field, count, faults);
                if number(count) == 0 {
                    faults.invalid(&*field, count, "cannot be 0");
                }
                not_all(&field, count, faults);
            }
        }
        _ => {
            let told = told(strategy, &rolling_of_stateful_set(rolling));
            let why = "must be 'RollingUpdate' or 'OnDelete'";
            invalid(FIELD.to_owned(), &told, why, faults);
        }
    }
}

fn strategy_of_daemon_set(strategy: &Value, faults: &mut Faults) {
    const FIELD: &str = "spec.updateStrategy";
    let rolling = &strategy["rollingUpdate"];
    match text(strategy, "/type") {
        ON_DELETE => {}
        ROLLING => {
            let fields = ["maxUnavailable", "maxSurge"];
            let [unavailable, surge] = fields.map(|name| &rolling[name]);
            let [of_unavailable, of_surge] =
                fields.map(|name| format!("{FIELD}.rollingUpdate.{name}"));
            positive(&of_unavailable, unavailable, faults);
            positive(&of_surge, surge, faults);
            not_all(&of_unavailable, unavailable, faults);
            not_all(&of_surge, surge, faults);
            match (number(unavailable) != 0, number(surge) != 0) {
                (true, true) => {
                    let why = "may not be set when maxUnavailable is non-zero";
                    faults.invalid(of_surge, surge, why);
                }
                (false, false) => {
                    faults.required_because(of_unavailable, "cannot be 0 when maxSurge is 0");
                }
                _ => {}
            }
        }
        _ => {
            let names = [
                ("MaxUnavailable", "maxUnavailable"),
                ("MaxSurge", "maxSurge"),
            ];
            let told = told(strategy, &as_in_go(rolling, &names));
            let message = format!(
                "Unsupported value: {told}: supported values: \"{ROLLING}\", \"{ON_DELETE}\""
            );
            faults.add("FieldValueNotSupported", FIELD, message);
        }
    }
}

/// A strategy as the server prints its own form of it.
fn told(strategy: &Value, rolling: &str) -> String {
    format!(
        "{{\"Type\":{},\"RollingUpdate\":{rolling}}}",
        strategy["type"]
    )
}

fn rolling_of_stateful_set(rolling: &Value) -> String {
    let mut rolling = rolling.clone();
    if rolling.is_object() && rolling["partition"].is_null() {
        rolling["partition"] = json!(0);
    }
    let names = [
        ("Partition", "partition"),
        ("MaxUnavailable", "maxUnavailable"),
    ];
    as_in_go(&rolling, &names)
}

/// The JSON of a Go type: its fields in their order, by their own names.
fn as_in_go(object: &Value, names: &[(&str, &str)]) -> String {
    if object.is_null() {
        return "null".to_owned();
    }
    let mut renamed = json!({});
    for (name, field) in names {
        renamed[*name] = object[*field].clone();
    }
    let names = names.iter().map(|(name, _)| *name);
    in_order(&renamed, &names.collect::<Vec<_>>())
}

fn invalid(field: String, told: &str, why: &str, faults: &mut Faults) {
    let message = format!("Invalid value: {told}: {why}");
    faults.add("FieldValueInvalid", field, message);
}

/// A number of pods or a percentage.
fn positive(field: &str, value: &Value, faults: &mut Faults) {
    faults.not_negative(field, Some(value));
    if value.as_str().is_some_and(|text| percent(text).is_none()) {
        faults.invalid(field, value, PERCENT);
    }
}

fn not_all(field: &str, value: &Value, faults: &mut Faults) {
    let part = value.as_str().and_then(percent);
    if part.is_some_and(|part| part > 100) {
        faults.invalid(field, value, "must not be greater than 100%");
    }
}

/// What is not a number counts as none.
fn number(value: &Value) -> i64 {
    let part = value.as_str().and_then(percent);
    let part = part.and_then(|part| i64::try_from(part).ok());
    value.as_i64().or(part).unwrap_or(0)
}

#[cfg(test)]
mod tests;
