//! What identifies an object: its version, kind, name and namespace, each checked.

use super::fault::{Faults, Subject};
use crate::kubernetes::name::{Name, Rule};
use crate::kubernetes::object_id::group_of;
use crate::request::checks::{kind, name_of};
use crate::request::image::shown;
use serde_json::Value;

/// The group of roles and their bindings.
const RIGHTS: &str = "rbac.authorization.k8s.io";

/// What identifies an object.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Identity {
    pub(super) api_version: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) namespace: Option<String>,
}

impl Identity {
    pub(super) fn group(&self) -> &str {
        group_of(&self.api_version)
    }

    /// Whether it is of this group and kind.
    pub(super) fn is(&self, group: &str, kind: &str) -> bool {
        self.group() == group && self.kind == kind
    }
}

/// Reads what identifies an object; `None` if something of it is wrong.
pub(super) fn read<'o>(
    object: &'o Value,
    subject: &Subject,
    faults: &mut Faults,
) -> Option<Identity> {
    let mut valid = |path: &str, text: Result<&'o str, String>| match text {
        Ok(text) => Some(text.to_owned()),
        Err(problem) => {
            faults.push(subject.fault(path, problem));
            None
        }
    };
    let version = text(&object["apiVersion"]).and_then(|version| match is_version(version) {
        true => Ok(version),
        false => Err(format!(
            "must be a group and a version such as `apps/v1`, or `v1`, and is `{}`",
            shown(version)
        )),
    });
    let api_version = valid(".apiVersion", version);
    let kind = text(&object["kind"]).and_then(|kind| match is_kind(kind) {
        true => Ok(kind),
        false => Err(format!(
            "must be of letters and digits, a capital first, and is `{}`",
            shown(kind)
        )),
    });
    let kind = valid(".kind", kind);
    let metadata = &object["metadata"];
    let name = match text(&metadata["name"]) {
        Err(_) if metadata["generateName"].is_string() => {
            let problem = "cannot be applied: each deploy would create one more object. Give the \
                object a `name` in its place";
            valid(".metadata.generateName", Err(problem.to_owned()))
        }
        name => {
            let group = group_of(api_version.as_deref().unwrap_or_default());
            let kind = kind.as_deref().unwrap_or_default();
            let name = name.and_then(|name| check(name, group, kind).map(|()| name));
            valid(".metadata.name", name)
        }
    };
    let namespace = valid(".metadata.namespace", namespace(&metadata["namespace"]));
    Some(Identity {
        api_version: api_version?,
        kind: kind?,
        name: name?,
        namespace: Some(namespace?).filter(|namespace| !namespace.is_empty()),
    })
}

/// The namespace; like `kubectl`, an empty one is none.
fn namespace(value: &Value) -> Result<&str, String> {
    if value.is_null() || value == "" {
        return Ok("");
    }
    let namespace = text(value)?;
    name_of(namespace, 63, false)?;
    Ok(namespace)
}

fn text(value: &Value) -> Result<&str, String> {
    match value {
        Value::Null => Err("is missing".to_owned()),
        Value::String(text) => Ok(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Err(format!(
            "must be a string, and is {}: put it in quotes",
            kind(value)
        )),
    }
}

/// Whether this is a version, `v1`, or a group and a version, `apps/v1`.
fn is_version(text: &str) -> bool {
    let (group, version) = match text.split_once('/') {
        Some((group, version)) => (Some(group), version),
        None => (None, text),
    };
    let is_group = |group| Name::new(group, Rule::Subdomain).is_some();
    group.is_none_or(is_group) && Name::new(version, Rule::Label).is_some()
}

fn is_kind(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_uppercase())
        && text.len() <= 63
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Checks a name by the rule of its kind.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>
fn check(name: &str, group: &str, kind: &str) -> Result<(), String> {
    match (group, kind) {
        (RIGHTS, _) if Name::new(name, Rule::Segment).is_some() => Ok(()),
        (RIGHTS, _) => Err(format!(
            "is `{}`, which is not a valid name of a {kind}: at most 253 letters, digits, `-`, \
             `.`, `_`, `:` and `@`",
            name.chars().take(80).collect::<String>()
        )),
        ("", "Namespace" | "Service") => name_of(name, 63, false),
        _ => name_of(name, 253, true),
    }
}

#[cfg(test)]
mod tests;
