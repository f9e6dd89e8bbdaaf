//! The defaults that the API server sets.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/apps/v1/defaults.go>,
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/v1/defaults.go>

pub(crate) mod custom;
mod others;
mod parts;
mod pods;
mod workloads;

use crate::world::api::defaults::parts::{absent, each};
use crate::world::api::defaults::pods::{pod, template};
use serde_json::{Value, json};

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
