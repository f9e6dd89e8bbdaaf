//! The rules of the API server, in its words.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/apps/validation/validation.go>,
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/validation/validation.go>

use super::object::{list, map, text};
use super::selector::Labels;
use super::status::Cause;
use serde_json::{Value, json};
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

const NAME_PART: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or \
    '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const PERCENT: &str = "a valid percent string must be a numeric string followed by an ending '%' \
    (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')";

/// Most bytes of all annotations together.
const ANNOTATION_LIMIT: usize = 256 * 1024;
/// Longest name of a port.
const PORT_NAME_LIMIT: usize = 15;
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

    fn not_label(&mut self, field: impl Into<String>, name: &str) {
        let field = field.into();
        if name.len() > LABEL_LIMIT {
            self.invalid(&*field, &name.into(), "must be no more than 63 characters");
        }
        if !is_part(name) {
            self.invalid(field, &name.into(), LABEL);
        }
    }

    fn one_of(&mut self, field: impl Into<String>, value: &Value, supported: &[&str]) {
        if !supported.iter().any(|known| value == known) {
            self.unsupported(field, value, supported);
        }
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
        "ReplicaSet" => replica_set(&object["spec"], old.map(|old| &old["spec"]), &mut faults),
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

fn metadata(object: &Value, faults: &mut Faults) {
    let name = &object["metadata"]["name"];
    match name.as_str().unwrap_or_default() {
        "" => faults.required_because("metadata.name", "name or generateName is required"),
        name if !is_subdomain(name) => faults.invalid("metadata.name", &name.into(), SUBDOMAIN),
        _ => {}
    }
    labels(object, "/metadata/labels", "metadata.labels", faults);
    annotations(
        object,
        "/metadata/annotations",
        "metadata.annotations",
        faults,
    );
    owners(object, faults);
}

fn annotations(object: &Value, pointer: &str, field: &str, faults: &mut Faults) {
    let mut size = 0;
    for (name, value) in map(object, pointer).into_iter().flatten() {
        qualified_name(field, &name.to_lowercase(), faults);
        size += name.len() + value.as_str().unwrap_or_default().len();
    }
    if size > ANNOTATION_LIMIT {
        let message = format!("Too long: may not be more than {ANNOTATION_LIMIT} bytes");
        faults.add("FieldValueTooLong", field, message);
    }
}

fn owners(object: &Value, faults: &mut Faults) {
    let field = |name: &str| format!("metadata.ownerReferences.{name}");
    for owner in list(object, "/metadata/ownerReferences") {
        for (name, why) in [
            ("apiVersion", "version must not be empty"),
            ("kind", "must not be empty"),
            ("name", "must not be empty"),
            ("uid", "must not be empty"),
        ] {
            if owner[name].as_str().unwrap_or_default().is_empty() {
                faults.invalid(field(name), &"".into(), why);
            }
        }
    }
}

/// A name as labels and annotations have them: `app`, `example.com/app`.
fn qualified_name(field: &str, name: &str, faults: &mut Faults) {
    let value = Value::from(name);
    let (prefix, part) = match name.split_once('/') {
        Some((prefix, part)) => (Some(prefix), part),
        None => (None, name),
    };
    if part.contains('/') {
        let why = "a qualified name must consist of alphanumeric characters, '-', '_' or '.', and \
                   must start and end with an alphanumeric character (e.g. 'MyName',  or \
                   'my.name',  or '123-abc', regex used for validation is \
                   '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain \
                   prefix and '/' (e.g. 'example.com/MyName')";
        return faults.invalid(field, &value, why);
    }
    match prefix {
        Some("") => faults.invalid(field, &value, "prefix part must be non-empty"),
        Some(prefix) if !is_subdomain(prefix) => {
            faults.invalid(field, &value, &format!("prefix part {SUBDOMAIN}"));
        }
        Some(_) | None => {}
    }
    if part.is_empty() {
        faults.invalid(field, &value, "name part must be non-empty");
    } else if part.len() > LABEL_LIMIT {
        let why = "name part must be no more than 63 bytes";
        faults.invalid(field, &value, why);
    }
    if part.is_empty() || !is_label_value(part) {
        faults.invalid(field, &value, NAME_PART);
    }
}

fn labels(object: &Value, pointer: &str, field: &str, faults: &mut Faults) {
    for (name, value) in map(object, pointer).into_iter().flatten() {
        qualified_name(field, name, faults);
        let text = value.as_str().unwrap_or_default();
        if text.len() > LABEL_LIMIT {
            faults.invalid(field, value, "must be no more than 63 bytes");
        }
        if !is_label_value(text) {
            faults.invalid(field, value, LABEL_VALUE);
        }
    }
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
                // What is no number counts as none.
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

/// An object's JSON with its fields in the order of a Go type.
fn in_order(object: &Value, fields: &[&str]) -> String {
    if object.is_null() {
        return "null".to_owned();
    }
    let fields = fields
        .iter()
        .map(|name| format!("\"{name}\":{}", object[*name]));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// Numbers of pods and percentages.
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

fn percent(text: &str) -> Option<u64> {
    let number = text.strip_suffix('%')?;
    let digits = number.bytes().all(|byte| byte.is_ascii_digit());
    number.parse().ok().filter(|_| digits)
}

/// What Deployments and ReplicaSets have in common.
fn workload(spec: &Value, faults: &mut Faults) {
    faults.not_negative("spec.replicas", spec.get("replicas"));
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
    if selector.is_null() || !Labels::of_spec(selector).match_labels(labels_of_template) {
        let why = "`selector` does not match template `labels`";
        faults.invalid("spec.template.metadata.labels", labels_of_template, why);
    }
    labels(
        spec,
        "/template/metadata/labels",
        "spec.template.labels",
        faults,
    );
    let field = "spec.template.annotations";
    annotations(spec, "/template/metadata/annotations", field, faults);
    let spec_of_pod = &spec["template"]["spec"];
    pod(spec_of_pod, "spec.template.spec", faults);
    if spec_of_pod["restartPolicy"] != "Always" {
        let field = "spec.template.spec.restartPolicy";
        faults.unsupported(field, &spec_of_pod["restartPolicy"], &["Always"]);
    }
}

fn pod(spec: &Value, path: &str, faults: &mut Faults) {
    let mut volumes = BTreeSet::new();
    for (index, volume) in list(spec, "/volumes").iter().enumerate() {
        let (field, name) = (
            format!("{path}.volumes[{index}].name"),
            text(volume, "/name"),
        );
        match name {
            "" => faults.required(field),
            name if !is_label(name) => faults.not_label(field, name),
            name if !volumes.insert(name) => faults.duplicate(field, &name.into()),
            _ => {}
        }
    }
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
    let policies = ["Always", "OnFailure", "Never"];
    faults.one_of(
        format!("{path}.restartPolicy"),
        &spec["restartPolicy"],
        &policies,
    );
    let policies = ["ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"];
    faults.one_of(format!("{path}.dnsPolicy"), &spec["dnsPolicy"], &policies);
    labels(
        spec,
        "/nodeSelector",
        &format!("{path}.nodeSelector"),
        faults,
    );
    let account = text(spec, "/serviceAccountName");
    if !account.is_empty() && !is_subdomain(account) {
        faults.invalid(
            format!("{path}.serviceAccountName"),
            &account.into(),
            SUBDOMAIN,
        );
    }
}

fn container_faults<'a>(
    container: &'a Value,
    path: &str,
    volumes: &BTreeSet<&str>,
    names: &mut BTreeSet<&'a str>,
    faults: &mut Faults,
) {
    let name = text(container, "/name");
    match name {
        "" => faults.required(format!("{path}.name")),
        name if !is_label(name) => faults.not_label(format!("{path}.name"), name),
        _ => {}
    }
    // White space around an image is refused of pods alone, not of what makes them.
    if text(container, "/image").is_empty() {
        faults.required(format!("{path}.image"));
    }
    port_faults(container, path, faults);
    for (index, variable) in list(container, "/env").iter().enumerate() {
        variable_faults(variable, &format!("{path}.env[{index}]"), faults);
    }
    mount_faults(container, path, volumes, faults);
    let policies = ["Always", "IfNotPresent", "Never"];
    let policy = &container["imagePullPolicy"];
    faults.one_of(format!("{path}.imagePullPolicy"), policy, &policies);
    let is_init = path.contains(".initContainers[");
    if names.contains(name) {
        faults.duplicate(format!("{path}.name"), &name.into());
    } else if !name.is_empty() || !is_init {
        names.insert(name);
    }
    let starts_first = is_init && container["restartPolicy"] != "Always";
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        let Some(probe) = container.get(name) else {
            continue;
        };
        if starts_first {
            let why = "may not be set for init containers without restartPolicy=Always";
            faults.forbidden(format!("{path}.{name}"), why);
        } else {
            probe_faults(probe, &format!("{path}.{name}"), faults);
        }
    }
}

fn mount_faults(container: &Value, path: &str, volumes: &BTreeSet<&str>, faults: &mut Faults) {
    let mut places = BTreeSet::new();
    for (index, mount) in list(container, "/volumeMounts").iter().enumerate() {
        let path = format!("{path}.volumeMounts[{index}]");
        let (name, place) = (text(mount, "/name"), text(mount, "/mountPath"));
        if name.is_empty() {
            faults.required(format!("{path}.name"));
        }
        if !volumes.contains(name) {
            let message = format!("Not found: \"{name}\"");
            faults.add("FieldValueNotFound", format!("{path}.name"), message);
        }
        if place.is_empty() {
            faults.required(format!("{path}.mountPath"));
        }
        if !places.insert(place) {
            faults.invalid(format!("{path}.mountPath"), &place.into(), "must be unique");
        }
    }
}

fn port_faults(container: &Value, path: &str, faults: &mut Faults) {
    let mut names = BTreeSet::new();
    for (index, port) in list(container, "/ports").iter().enumerate() {
        let path = format!("{path}.ports[{index}]");
        let name = text(port, "/name");
        let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.len() > PORT_NAME_LIMIT {
            let why = "must be no more than 15 characters";
            faults.invalid(format!("{path}.name"), &name.into(), why);
        } else if !name.bytes().all(known) {
            let why = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
            faults.invalid(format!("{path}.name"), &name.into(), why);
        } else if !name.is_empty() && !names.insert(name) {
            faults.duplicate(format!("{path}.name"), &name.into());
        }
        let number = &port["containerPort"];
        let in_range = |number: i64| (1..=65_535).contains(&number);
        if number.is_null() {
            faults.required(format!("{path}.containerPort"));
        } else if !number.as_i64().is_some_and(in_range) {
            let why = "must be between 1 and 65535, inclusive";
            faults.invalid(format!("{path}.containerPort"), number, why);
        }
        let protocols = ["SCTP", "TCP", "UDP"];
        faults.one_of(format!("{path}.protocol"), &port["protocol"], &protocols);
    }
}

fn probe_faults(probe: &Value, path: &str, faults: &mut Faults) {
    let handlers = ["exec", "httpGet", "tcpSocket", "grpc"];
    let mut found = handlers.iter().filter(|name| probe.get(name).is_some());
    if found.next().is_none() {
        faults.required_because(path, "must specify a handler type");
    }
    for name in found {
        let why = "may not specify more than 1 handler type";
        faults.forbidden(format!("{path}.{name}"), why);
    }
    for name in [
        "initialDelaySeconds",
        "timeoutSeconds",
        "periodSeconds",
        "successThreshold",
        "failureThreshold",
    ] {
        faults.not_negative(&format!("{path}.{name}"), probe.get(name));
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
    } else if sources > 1 {
        let why = "may not have more than one field specified at a time";
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
mod tests;
