//! The rules of the API server, in its words.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/apps/validation/validation.go>,
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/validation/validation.go>

use super::object::{list, map, text};
use super::selector::Labels;
use super::status::Cause;
use serde_json::Value;
use std::collections::BTreeSet;

const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters \
    or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', \
    regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric \
    characters, '-' or '.', and must start and end with an alphanumeric character (e.g. \
    'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric \
    characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. \
    'MyValue',  or 'my_value',  or '12345', regex used for validation is \
    '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
const VARIABLE: &str = "a valid environment variable name must consist only of printable ASCII \
    characters other than '='";

/// Longest name of an object that is a DNS subdomain.
const SUBDOMAIN_LIMIT: usize = 253;
/// Longest label value and container name.
const LABEL_LIMIT: usize = 63;

/// The faults of one object, gathered.
#[derive(Default)]
struct Faults(Vec<Cause>);

impl Faults {
    fn add(&mut self, reason: &'static str, field: impl Into<String>, message: impl Into<String>) {
        self.0.push(Cause {
            reason,
            message: message.into(),
            field: field.into(),
        });
    }

    fn required(&mut self, field: impl Into<String>) {
        self.add("FieldValueRequired", field, "Required value");
    }

    fn required_because(&mut self, field: impl Into<String>, why: &str) {
        self.add(
            "FieldValueRequired",
            field,
            format!("Required value: {why}"),
        );
    }

    fn invalid(&mut self, field: impl Into<String>, value: &Value, why: &str) {
        self.add(
            "FieldValueInvalid",
            field,
            format!("Invalid value: {value}: {why}"),
        );
    }

    fn forbidden(&mut self, field: impl Into<String>, why: &str) {
        self.add("FieldValueForbidden", field, format!("Forbidden: {why}"));
    }

    fn duplicate(&mut self, field: impl Into<String>, value: &Value) {
        self.add(
            "FieldValueDuplicate",
            field,
            format!("Duplicate value: {value}"),
        );
    }

    fn unsupported(&mut self, field: impl Into<String>, value: &Value, supported: &[&str]) {
        let quoted: Vec<String> = supported
            .iter()
            .map(|value| format!("\"{value}\""))
            .collect();
        let message = format!(
            "Unsupported value: {value}: supported values: {}",
            quoted.join(", ")
        );
        self.add("FieldValueNotSupported", field, message);
    }

    fn not_negative(&mut self, field: &str, value: Option<&Value>) {
        if let Some(value) = value.filter(|value| value.as_i64().is_some_and(|number| number < 0)) {
            self.invalid(field, value, "must be greater than or equal to 0");
        }
    }
}

/// All faults of an object, after decoding and defaulting; `old` is what it replaces.
pub(super) fn faults(kind: &str, object: &Value, old: Option<&Value>) -> Vec<Cause> {
    let mut faults = Faults::default();
    metadata(object, &mut faults);
    match kind {
        "Deployment" => deployment(&object["spec"], old.map(|old| &old["spec"]), &mut faults),
        "ReplicaSet" => workload(&object["spec"], old.map(|old| &old["spec"]), &mut faults),
        "Pod" => pod(&object["spec"], "spec", &mut faults),
        "Service" => service(&object["spec"], &mut faults),
        _ => {}
    }
    faults.0
}

/// The faults of a request's options.
pub(super) fn option_faults(
    manager: &str,
    dry_run: Option<&str>,
    validation: Option<&str>,
) -> Vec<Cause> {
    let mut faults = Faults::default();
    if let Some(other) = dry_run.filter(|value| *value != "All") {
        faults.unsupported("dryRun", &other.into(), &["All"]);
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

fn metadata(object: &Value, faults: &mut Faults) {
    let name = &object["metadata"]["name"];
    match name.as_str().unwrap_or_default() {
        "" => faults.required_because("metadata.name", "name or generateName is required"),
        name if !is_subdomain(name) => faults.invalid("metadata.name", &name.into(), SUBDOMAIN),
        _ => {}
    }
    labels(object, "/metadata/labels", "metadata.labels", faults);
}

fn labels(object: &Value, pointer: &str, field: &str, faults: &mut Faults) {
    for value in map(object, pointer)
        .into_iter()
        .flat_map(|labels| labels.values())
    {
        let text = value.as_str().unwrap_or_default();
        if text.len() > LABEL_LIMIT {
            faults.add(
                "FieldValueTooLong",
                field,
                "Too long: may not be more than 63 bytes",
            );
        } else if !is_label_value(text) {
            faults.invalid(field, value, LABEL_VALUE);
        }
    }
}

fn deployment(spec: &Value, old: Option<&Value>, faults: &mut Faults) {
    workload(spec, old, faults);
    let deadline = spec.get("progressDeadlineSeconds");
    faults.not_negative("spec.progressDeadlineSeconds", deadline);
    faults.not_negative(
        "spec.revisionHistoryLimit",
        spec.get("revisionHistoryLimit"),
    );
    let least = spec["minReadySeconds"].as_i64().unwrap_or_default();
    if let Some(deadline) =
        deadline.filter(|deadline| deadline.as_i64().is_some_and(|at| at <= least))
    {
        let why = "must be greater than minReadySeconds";
        faults.invalid("spec.progressDeadlineSeconds", deadline, why);
    }
    strategy(&spec["strategy"], faults);
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
            let none = |field: &str| {
                let value = &strategy["rollingUpdate"][field];
                *value == 0 || *value == "0%"
            };
            if none("maxSurge") && none("maxUnavailable") {
                let value = &strategy["rollingUpdate"]["maxUnavailable"];
                let why = "may not be 0 when `maxSurge` is 0";
                faults.invalid("spec.strategy.rollingUpdate.maxUnavailable", value, why);
            }
        }
        _ => faults.unsupported(
            "spec.strategy.type",
            &strategy["type"],
            &["Recreate", "RollingUpdate"],
        ),
    }
}

/// What Deployments and ReplicaSets have in common.
fn workload(spec: &Value, old: Option<&Value>, faults: &mut Faults) {
    faults.not_negative("spec.replicas", spec.get("replicas"));
    faults.not_negative("spec.minReadySeconds", spec.get("minReadySeconds"));
    let selector = &spec["selector"];
    let labels_of_template = spec["template"]
        .pointer("/metadata/labels")
        .unwrap_or(&Value::Null);
    if selector.is_null() {
        faults.required("spec.selector");
    } else if selector.as_object().is_some_and(serde_json::Map::is_empty) {
        faults.invalid(
            "spec.selector",
            selector,
            "empty selector is invalid for deployment",
        );
    }
    if !selector.is_null() && !Labels::of_spec(selector).match_labels(labels_of_template) {
        let why = "`selector` does not match template `labels`";
        faults.invalid("spec.template.metadata.labels", labels_of_template, why);
    }
    labels(
        spec,
        "/template/metadata/labels",
        "spec.template.labels",
        faults,
    );
    let spec_of_pod = &spec["template"]["spec"];
    pod(spec_of_pod, "spec.template.spec", faults);
    if spec_of_pod["restartPolicy"] != "Always" {
        let field = "spec.template.spec.restartPolicy";
        faults.unsupported(field, &spec_of_pod["restartPolicy"], &["Always"]);
    }
    if old.is_some_and(|old| old["selector"] != *selector) {
        faults.invalid("spec.selector", selector, "field is immutable");
    }
}

fn pod(spec: &Value, path: &str, faults: &mut Faults) {
    let volumes: BTreeSet<&str> = list(spec, "/volumes")
        .iter()
        .map(|it| text(it, "/name"))
        .collect();
    let mut names = BTreeSet::new();
    if list(spec, "/containers").is_empty() {
        faults.required(format!("{path}.containers"));
    }
    for field in ["containers", "initContainers"] {
        for (index, container) in list(&spec[field], "").iter().enumerate() {
            let path = format!("{path}.{field}[{index}]");
            container_faults(container, &path, &volumes, &mut names, faults);
        }
    }
}

fn container_faults<'a>(
    container: &'a Value,
    path: &str,
    volumes: &BTreeSet<&str>,
    names: &mut BTreeSet<&'a str>,
    faults: &mut Faults,
) {
    match text(container, "/name") {
        "" => faults.required(format!("{path}.name")),
        name if !is_label(name) => faults.invalid(format!("{path}.name"), &name.into(), LABEL),
        name if !names.insert(name) => faults.duplicate(format!("{path}.name"), &name.into()),
        _ => {}
    }
    match text(container, "/image") {
        "" => faults.required(format!("{path}.image")),
        image if image.trim() != image => {
            let why = "must not have leading or trailing whitespace";
            faults.invalid(format!("{path}.image"), &image.into(), why);
        }
        _ => {}
    }
    let policy = &container["imagePullPolicy"];
    let policies = ["Always", "IfNotPresent", "Never"];
    if !policies.iter().any(|known| policy == known) {
        faults.unsupported(format!("{path}.imagePullPolicy"), policy, &policies);
    }
    for (index, port) in list(container, "/ports").iter().enumerate() {
        let number = &port["containerPort"];
        if number.is_null() {
            faults.required(format!("{path}.ports[{index}].containerPort"));
        } else if !number
            .as_i64()
            .is_some_and(|number| (1..=65_535).contains(&number))
        {
            let field = format!("{path}.ports[{index}].containerPort");
            faults.invalid(field, number, "must be between 1 and 65535, inclusive");
        }
    }
    for (index, variable) in list(container, "/env").iter().enumerate() {
        variable_faults(variable, &format!("{path}.env[{index}]"), faults);
    }
    for (index, mount) in list(container, "/volumeMounts").iter().enumerate() {
        let name = text(mount, "/name");
        if !volumes.contains(name) {
            let message = format!("Not found: \"{name}\"");
            faults.add(
                "FieldValueNotFound",
                format!("{path}.volumeMounts[{index}].name"),
                message,
            );
        }
    }
}

fn variable_faults(variable: &Value, path: &str, faults: &mut Faults) {
    match text(variable, "/name") {
        "" => faults.required(format!("{path}.name")),
        name if !name
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte) && byte != b'=') =>
        {
            faults.invalid(format!("{path}.name"), &name.into(), VARIABLE);
        }
        _ => {}
    }
    let Some(source) = variable.get("valueFrom") else {
        return;
    };
    let sources = source.as_object().map_or(0, serde_json::Map::len);
    if sources == 0 {
        let why = "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, \
                   `secretKeyRef` or `fileKeyRef`";
        faults.invalid(format!("{path}.valueFrom"), &"".into(), why);
    }
    if variable.get("value").is_some() && sources > 0 {
        let why = "may not be specified when `value` is not empty";
        faults.invalid(format!("{path}.valueFrom"), &"".into(), why);
    }
}

fn service(spec: &Value, faults: &mut Faults) {
    let headless = spec["clusterIP"] == "None" || spec["type"] == "ExternalName";
    if list(spec, "/ports").is_empty() && !headless {
        faults.required("spec.ports");
    }
    for (index, port) in list(spec, "/ports").iter().enumerate() {
        let number = port["port"].as_i64().unwrap_or_default();
        if !(1..=65_535).contains(&number) {
            let why = "must be between 1 and 65535, inclusive";
            faults.invalid(format!("spec.ports[{index}].port"), &number.into(), why);
        }
    }
}

fn is_label(text: &str) -> bool {
    text.len() <= LABEL_LIMIT && is_part(text)
}

fn is_subdomain(text: &str) -> bool {
    text.len() <= SUBDOMAIN_LIMIT && text.split('.').all(is_part)
}

fn is_part(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(inner) && !text.starts_with('-') && !text.ends_with('-')
}

fn is_label_value(text: &str) -> bool {
    let edge = |byte: &u8| byte.is_ascii_alphanumeric();
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let bytes = text.as_bytes();
    bytes.first().is_none_or(edge) && bytes.last().is_none_or(edge) && text.bytes().all(inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{defaults, sample_deployment};
    use serde_json::json;

    /// The messages for the sample with one field changed, as the server joins field and message.
    fn messages(pointer: &str, value: Value) -> Vec<String> {
        let old = {
            let mut old = sample_deployment("web", "web:1");
            defaults::fill("Deployment", &mut old);
            old
        };
        let mut object = sample_deployment("web", "web:1");
        *object.pointer_mut(pointer).expect("a field of the sample") = value;
        defaults::fill("Deployment", &mut object);
        let found = faults("Deployment", &object, Some(&old));
        found
            .iter()
            .map(|cause| format!("{}: {}", cause.field, cause.message))
            .collect()
    }

    #[test]
    fn faults_are_told_in_the_words_of_the_server() {
        let container = "/spec/template/spec/containers/0";
        let rows: Vec<(String, Value, &str)> = vec![
            (
                format!("{container}/image"),
                json!(""),
                "spec.template.spec.containers[0].image: Required value",
            ),
            (
                format!("{container}/image"),
                json!(" web:1"),
                "spec.template.spec.containers[0].image: Invalid value: \" web:1\": \
                 must not have leading or trailing whitespace",
            ),
            (
                "/spec/replicas".into(),
                json!(-1),
                "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
            ),
            (
                "/spec/template/metadata/labels".into(),
                json!({"app": "other"}),
                "spec.template.metadata.labels: Invalid value: {\"app\":\"other\"}: \
                 `selector` does not match template `labels`",
            ),
            (
                "/spec/template/spec/containers".into(),
                json!([]),
                "spec.template.spec.containers: Required value",
            ),
            (
                "/spec/template/spec/containers".into(),
                json!([{"name": "a", "image": "a"}, {"name": "a", "image": "a"}]),
                "spec.template.spec.containers[1].name: Duplicate value: \"a\"",
            ),
            (
                format!("{container}/env"),
                json!([{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]),
                "spec.template.spec.containers[0].env[0].valueFrom: Invalid value: \"\": \
                 may not be specified when `value` is not empty",
            ),
            (
                format!("{container}/ports/0/containerPort"),
                json!(70000),
                "spec.template.spec.containers[0].ports[0].containerPort: Invalid value: \
                 70000: must be between 1 and 65535, inclusive",
            ),
        ];
        for (pointer, value, expected) in rows {
            assert_eq!(messages(&pointer, value), [expected], "{pointer}");
        }
    }

    #[test]
    fn a_selector_cannot_change() {
        let found = messages("/spec/selector/matchLabels", json!({"app": "other"}));
        assert_eq!(
            found.last().map(String::as_str),
            Some(
                "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"other\"}}: \
                 field is immutable"
            )
        );
    }

    #[test]
    fn a_good_object_has_no_faults() {
        assert_eq!(messages("/spec/replicas", json!(3)), [""; 0]);
    }
}
