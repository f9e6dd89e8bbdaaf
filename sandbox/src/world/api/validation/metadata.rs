//! The rules for metadata.

use crate::world::api::validation::rules::{
    ANNOTATION_LIMIT, Faults, LABEL_LIMIT, LABEL_VALUE, NAME_PART, SUBDOMAIN, is_label_value,
    is_subdomain,
};
use crate::world::object::{list, map};
use serde_json::Value;

pub(crate) fn metadata(kind: &str, object: &Value, faults: &mut Faults) {
    let name = &object["metadata"]["name"];
    match name.as_str().unwrap_or_default() {
        "" => faults.required_because("metadata.name", "name or generateName is required"),
        // The names of rights may have colons.
        _ if kind.contains("Role") => {}
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

pub(crate) fn annotations(object: &Value, pointer: &str, field: &str, faults: &mut Faults) {
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

pub(crate) fn owners(object: &Value, faults: &mut Faults) {
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

/// Validates a name of a label or annotation: `app`, `example.com/app`.
pub(crate) fn qualified_name(field: &str, name: &str, faults: &mut Faults) {
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

pub(crate) fn labels(object: &Value, pointer: &str, field: &str, faults: &mut Faults) {
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
