//! The defaults of pods and their templates.

use crate::world::api::defaults::parts::{absent, each};
use crate::world::object::text;
use serde_json::{Value, json};

/// The mode of files in volumes from Secrets and ConfigMaps, 0644.
const FILE_MODE: u32 = 420;

pub(super) fn template(spec: &mut Value) {
    absent(spec, "template", json!({}));
    // Metadata is a struct in Go, so it is printed even if empty.
    absent(&mut spec["template"], "metadata", json!({}));
    absent(&mut spec["template"], "spec", json!({}));
    pod(&mut spec["template"]["spec"]);
}

pub(super) fn pod(spec: &mut Value) {
    absent(spec, "restartPolicy", "Always");
    absent(spec, "terminationGracePeriodSeconds", 30);
    absent(spec, "dnsPolicy", "ClusterFirst");
    absent(spec, "securityContext", json!({}));
    absent(spec, "schedulerName", "default-scheduler");
    if let Some(account) = spec.get("serviceAccountName").cloned() {
        // The deprecated name of the field gets the same value.
        spec["serviceAccount"] = account;
    }
    each(spec, "volumes").for_each(volume);
    each(spec, "initContainers").for_each(container);
    each(spec, "containers").for_each(container);
}

fn volume(volume: &mut Value) {
    if volume
        .as_object()
        .is_some_and(|fields| fields.len() == 1 && fields.contains_key("name"))
    {
        volume["emptyDir"] = json!({});
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = volume.get_mut(source) {
            absent(source, "defaultMode", FILE_MODE);
        }
    }
    if let Some(path) = volume.get_mut("hostPath") {
        absent(path, "type", "");
    }
}

fn container(container: &mut Value) {
    if !container.is_object() {
        return;
    }
    absent(container, "terminationMessagePath", "/dev/termination-log");
    absent(container, "terminationMessagePolicy", "File");
    absent(container, "resources", json!({}));
    let policy = pull_policy(text(container, "/image"));
    absent(container, "imagePullPolicy", policy);
    each(container, "ports").for_each(|port| absent(port, "protocol", "TCP"));
    for variable in each(container, "env") {
        if let Some(field) = variable.pointer_mut("/valueFrom/fieldRef") {
            absent(field, "apiVersion", "v1");
        }
    }
    for name in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(found) = container.get_mut(name) {
            probe(found);
        }
    }
    for hook in ["/lifecycle/preStop/httpGet", "/lifecycle/postStart/httpGet"] {
        if let Some(get) = container.pointer_mut(hook) {
            http_get(get);
        }
    }
}

fn probe(probe: &mut Value) {
    absent(probe, "timeoutSeconds", 1);
    absent(probe, "periodSeconds", 10);
    absent(probe, "successThreshold", 1);
    absent(probe, "failureThreshold", 3);
    if let Some(get) = probe.get_mut("httpGet") {
        http_get(get);
    }
    if let Some(grpc) = probe.get_mut("grpc") {
        absent(grpc, "service", "");
    }
}

fn http_get(get: &mut Value) {
    absent(get, "path", "/");
    absent(get, "scheme", "HTTP");
}

/// `Always` for `:latest` and without a tag.
pub(super) fn pull_policy(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or(image);
    let latest = match (name.contains('@'), name.split_once(':')) {
        (true, _) => false,
        (false, None) => true,
        (false, Some((_, tag))) => tag == "latest",
    };
    if latest { "Always" } else { "IfNotPresent" }
}
