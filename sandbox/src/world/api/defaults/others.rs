//! The defaults of kinds other than workloads.

use crate::world::api::defaults::parts::{absent, each};
use crate::world::object::text;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The texts of a Secret become its data.
pub(crate) fn secret(object: &mut Value) {
    absent(object, "type", "Opaque");
    let texts = object
        .as_object_mut()
        .and_then(|it| it.remove("stringData"));
    let texts = texts.as_ref().and_then(Value::as_object);
    for (name, value) in texts.into_iter().flatten() {
        let text = value.as_str().unwrap_or_default();
        absent(object, "data", json!({}));
        object["data"][name] = STANDARD.encode(text).into();
    }
}

pub(crate) fn namespace(object: &mut Value) {
    let name = text(object, "/metadata/name").to_owned();
    absent(&mut object["metadata"], "labels", json!({}));
    let labels = &mut object["metadata"]["labels"];
    absent(labels, "kubernetes.io/metadata.name", name);
}

pub(crate) fn binding(object: &mut Value) {
    let group = "rbac.authorization.k8s.io";
    absent(&mut object["roleRef"], "apiGroup", group);
    for subject in each(object, "subjects") {
        if matches!(text(subject, "/kind"), "User" | "Group") {
            absent(subject, "apiGroup", group);
        }
    }
}

pub(crate) fn autoscaler(spec: &mut Value) {
    absent(spec, "minReplicas", 1);
}

pub(crate) fn network_policy(spec: &mut Value) {
    let egress = spec.get("egress").is_some();
    let types = match egress {
        true => json!(["Ingress", "Egress"]),
        false => json!(["Ingress"]),
    };
    absent(spec, "policyTypes", types);
}

pub(crate) fn volume(spec: &mut Value) {
    absent(spec, "persistentVolumeReclaimPolicy", "Retain");
    absent(spec, "volumeMode", "Filesystem");
}

pub(crate) fn storage_class(object: &mut Value) {
    absent(object, "reclaimPolicy", "Delete");
    absent(object, "volumeBindingMode", "Immediate");
}

pub(crate) fn definition(spec: &mut Value) {
    absent(spec, "conversion", json!({"strategy": "None"}));
    let kind = text(spec, "/names/kind").to_owned();
    absent(&mut spec["names"], "singular", kind.to_lowercase());
    absent(&mut spec["names"], "listKind", format!("{kind}List"));
}

pub(crate) fn api_service(spec: &mut Value) {
    if let Some(service) = spec.get_mut("service") {
        absent(service, "port", 443);
    }
}

pub(crate) fn webhooks(object: &mut Value, mutating: bool) {
    for hook in each(object, "webhooks") {
        absent(hook, "failurePolicy", "Fail");
        absent(hook, "matchPolicy", "Equivalent");
        absent(hook, "namespaceSelector", json!({}));
        absent(hook, "objectSelector", json!({}));
        absent(hook, "timeoutSeconds", 10);
        if mutating {
            absent(hook, "reinvocationPolicy", "Never");
        }
        if let Some(service) = hook.pointer_mut("/clientConfig/service") {
            absent(service, "port", 443);
        }
        each(hook, "rules").for_each(|rule| absent(rule, "scope", "*"));
    }
}
