//! The defaults that the API server sets.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/apps/v1/defaults.go>,
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/v1/defaults.go>

mod others;
mod workloads;

use crate::world::object::text;
use serde_json::{Value, json};

/// The mode of files in volumes from Secrets and ConfigMaps, 0644.
const FILE_MODE: u32 = 420;

/// Sets the defaults of a whole object.
pub(crate) fn fill(kind: &str, object: &mut Value) {
    match kind {
        "Deployment" => deployment(&mut object["spec"]),
        "ReplicaSet" => replica_set(&mut object["spec"]),
        "Pod" => pod(&mut object["spec"]),
        "Service" => service(&mut object["spec"]),
        "StatefulSet" => workloads::stateful_set(&mut object["spec"]),
        "DaemonSet" => workloads::daemon_set(&mut object["spec"]),
        "Job" => workloads::job(object),
        "CronJob" => workloads::cron_job(&mut object["spec"]),
        "Secret" => others::secret(object),
        "Namespace" => others::namespace(object),
        "RoleBinding" | "ClusterRoleBinding" => others::binding(object),
        "HorizontalPodAutoscaler" => others::autoscaler(&mut object["spec"]),
        "NetworkPolicy" => others::network_policy(&mut object["spec"]),
        "PersistentVolumeClaim" => absent(&mut object["spec"], "volumeMode", "Filesystem"),
        "PersistentVolume" => others::volume(&mut object["spec"]),
        "StorageClass" => others::storage_class(object),
        "PriorityClass" => absent(object, "preemptionPolicy", "PreemptLowerPriority"),
        "CustomResourceDefinition" => others::definition(&mut object["spec"]),
        "APIService" => others::api_service(&mut object["spec"]),
        "ValidatingWebhookConfiguration" => others::webhooks(object, false),
        "MutatingWebhookConfiguration" => others::webhooks(object, true),
        _ => {}
    }
}

fn absent(object: &mut Value, field: &str, value: impl Into<Value>) {
    if object.get(field).is_none_or(Value::is_null) && (object.is_object() || object.is_null()) {
        object[field] = value.into();
    }
}

fn each<'a>(object: &'a mut Value, field: &str) -> impl Iterator<Item = &'a mut Value> {
    object
        .get_mut(field)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
}

fn deployment(spec: &mut Value) {
    absent(spec, "replicas", 1);
    absent(spec, "strategy", json!({}));
    absent(spec, "revisionHistoryLimit", 10);
    absent(spec, "progressDeadlineSeconds", 600);
    let strategy = &mut spec["strategy"];
    absent(strategy, "type", "RollingUpdate");
    if strategy["type"] == "RollingUpdate" {
        absent(strategy, "rollingUpdate", json!({}));
        absent(&mut strategy["rollingUpdate"], "maxUnavailable", "25%");
        absent(&mut strategy["rollingUpdate"], "maxSurge", "25%");
    }
    template(spec);
}

fn replica_set(spec: &mut Value) {
    absent(spec, "replicas", 1);
    template(spec);
}

fn template(spec: &mut Value) {
    absent(spec, "template", json!({}));
    // Metadata is a struct in Go, so it is printed even if empty.
    absent(&mut spec["template"], "metadata", json!({}));
    absent(&mut spec["template"], "spec", json!({}));
    pod(&mut spec["template"]["spec"]);
}

fn pod(spec: &mut Value) {
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
fn pull_policy(image: &str) -> &'static str {
    let name = image.rsplit('/').next().unwrap_or(image);
    let latest = match (name.contains('@'), name.split_once(':')) {
        (true, _) => false,
        (false, None) => true,
        (false, Some((_, tag))) => tag == "latest",
    };
    if latest { "Always" } else { "IfNotPresent" }
}

fn service(spec: &mut Value) {
    absent(spec, "type", "ClusterIP");
    absent(spec, "sessionAffinity", "None");
    if spec["type"] != "ExternalName" {
        absent(spec, "internalTrafficPolicy", "Cluster");
        absent(spec, "ipFamilies", json!(["IPv4"]));
        absent(spec, "ipFamilyPolicy", "SingleStack");
    }
    for port in each(spec, "ports") {
        absent(port, "protocol", "TCP");
        let number = port["port"].clone();
        absent(port, "targetPort", number);
    }
}

#[cfg(test)]
mod tests;
