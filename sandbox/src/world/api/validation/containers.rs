//! The rules for a pod's containers.

use crate::world::api::validation::metadata::labels;
use crate::world::api::validation::rules::{
    Faults, PORT_NAME_LIMIT, SUBDOMAIN, VARIABLE, is_label, is_subdomain,
};
use crate::world::object::{list, text};
use serde_json::Value;
use std::collections::BTreeSet;

pub(crate) fn pod(spec: &Value, path: &str, faults: &mut Faults) {
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

pub(crate) fn container_faults<'a>(
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
    // White space around an image is refused only for pods, not for their controllers.
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

pub(crate) fn mount_faults(
    container: &Value,
    path: &str,
    volumes: &BTreeSet<&str>,
    faults: &mut Faults,
) {
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

pub(crate) fn port_faults(container: &Value, path: &str, faults: &mut Faults) {
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

pub(crate) fn probe_faults(probe: &Value, path: &str, faults: &mut Faults) {
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

pub(crate) fn variable_faults(variable: &Value, path: &str, faults: &mut Faults) {
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
