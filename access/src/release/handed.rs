//! What roles and bindings of the manifests hand on to others. Kubernetes lets nobody grant what
//! they do not have, so whoever applies a Role must have its rights.
//! <https://kubernetes.io/docs/reference/access-authn-authz/rbac/#privilege-escalation-prevention-and-bootstrapping>

use super::objects::Object;
use super::rights::{Matter, Reason};
use serde_json::Value;

const RBAC: &str = "rbac.authorization.k8s.io";

/// Rights without which the API server would refuse a role or a binding.
#[derive(Debug, Default)]
pub(crate) struct Handed<'a> {
    pub(crate) grants: Vec<(Matter, Vec<&'a str>, Reason)>,
    /// What cannot be handed on by these rights.
    pub(crate) note: Option<String>,
}

/// What an object hands on, if it is a role or a binding. `home` is the namespace of objects that
/// name none.
pub(crate) fn by<'a>(object: &'a Object, objects: &'a [Object], home: &str) -> Handed<'a> {
    let is = |kind: &str| object.is(RBAC, kind);
    if is("Role") || is("ClusterRole") {
        held(object)
    } else if is("RoleBinding") || is("ClusterRoleBinding") {
        bound(object, objects, home)
    } else {
        Handed::default()
    }
}

/// The rules of a role, as they are.
fn held(object: &Object) -> Handed<'_> {
    let reason = Reason::Held(object.label());
    let mut handed = Handed::default();
    for rule in items(&object.value["rules"]) {
        let verbs = texts(&rule["verbs"]);
        let names = texts(&rule["resourceNames"]);
        let mut grant = |matter| {
            let grant = (matter, verbs.clone(), reason.clone());
            handed.grants.push(grant);
        };
        for group in texts(&rule["apiGroups"]) {
            for resource in texts(&rule["resources"]) {
                grant(Matter::named(group, resource, names.iter().copied()));
            }
        }
        for path in texts(&rule["nonResourceURLs"]) {
            grant(Matter::Url(path.to_owned()));
        }
    }
    if !object.value["aggregationRule"].is_null() {
        handed.note = Some(format!(
            "{object} collects the rules of other roles (aggregationRule). To apply it one needs \
             all rights in the cluster, or the verb `escalate`, and neither is granted here: apply \
             it yourself, and leave it out of the release."
        ));
    }
    handed
}

/// The right to bind a role that is not among the manifests: that of binding this one alone. The
/// rights of a role among them are held anyway.
fn bound<'a>(object: &Object, objects: &[Object], home: &str) -> Handed<'a> {
    let role = &object.value["roleRef"];
    let text = |field: &str| role[field].as_str().unwrap_or_default();
    let (kind, name) = (text("kind"), text("name"));
    let within = |object: &Object| object.namespace.clone().unwrap_or_else(|| home.to_owned());
    let is_it = |other: &Object| {
        let same_namespace = kind == "ClusterRole" || within(other) == within(object);
        other.is(RBAC, kind) && other.name == name && same_namespace
    };
    if objects.iter().any(is_it) {
        return Handed::default();
    }
    let resource = match kind {
        "ClusterRole" => "clusterroles",
        _ => "roles",
    };
    let matter = Matter::named(RBAC, resource, [name]);
    let reason = Reason::Bound(format!("{kind}/{name}"));
    Handed {
        grants: vec![(matter, vec!["bind"], reason)],
        note: None,
    }
}

fn items(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn texts(value: &Value) -> Vec<&str> {
    items(value).iter().filter_map(Value::as_str).collect()
}
