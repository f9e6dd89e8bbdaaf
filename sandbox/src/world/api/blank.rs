//! Objects as the API server holds them before anything is written into them.

use serde_json::{Value, json};

/// The fields that an object of a kind has although nobody wrote them: Go prints structs and lists
/// that may not be left out. They belong to nobody when the object is created.
pub(crate) fn object(kind: &str) -> Value {
    let template = || json!({"metadata": {}, "spec": {"containers": null}});
    let mut blank = match kind {
        "Deployment" => json!({"spec": {"selector": null, "strategy": {}, "template": template()}}),
        "ReplicaSet" => json!({"spec": {"selector": null, "template": template()}}),
        "StatefulSet" => {
            json!({"spec": {"selector": null, "updateStrategy": {}, "template": template()}})
        }
        "DaemonSet" => {
            json!({"spec": {"selector": null, "updateStrategy": {}, "template": template()}})
        }
        "Job" => json!({"spec": {"template": template()}}),
        "CronJob" => json!({"spec": {"jobTemplate": {"metadata": {}, "spec": {
            "template": template()}}}}),
        "Pod" => json!({"spec": {"containers": null}}),
        "PersistentVolumeClaim" => json!({"spec": {"resources": {}}}),
        "NetworkPolicy" => json!({"spec": {"podSelector": {}}}),
        "HorizontalPodAutoscaler" => json!({"spec": {"scaleTargetRef": {}}}),
        "Role" | "ClusterRole" => json!({"rules": null}),
        "RoleBinding" | "ClusterRoleBinding" => json!({"roleRef": {}}),
        "CustomResourceDefinition" => json!({"spec": {"names": {}, "versions": null}}),
        "LimitRange" => json!({"spec": {"limits": null}}),
        _ => json!({"spec": {}}),
    };
    blank["metadata"] = json!({});
    blank
}

/// The status of a new object.
pub(crate) fn status(kind: &str) -> Option<Value> {
    Some(match kind {
        "Pod" | "PersistentVolumeClaim" | "PersistentVolume" => json!({"phase": "Pending"}),
        "Namespace" => json!({"phase": "Active"}),
        "ReplicaSet" => json!({"replicas": 0}),
        "StatefulSet" => json!({"replicas": 0, "availableReplicas": 0}),
        "DaemonSet" => json!({"currentNumberScheduled": 0, "numberMisscheduled": 0,
            "desiredNumberScheduled": 0, "numberReady": 0}),
        "Service" | "Ingress" => json!({"loadBalancer": {}}),
        "HorizontalPodAutoscaler" => json!({"desiredReplicas": 0, "currentMetrics": null}),
        "PodDisruptionBudget" => json!({"disruptionsAllowed": 0, "currentHealthy": 0,
            "desiredHealthy": 0, "expectedPods": 0}),
        "Deployment" | "Job" | "CronJob" | "ResourceQuota" | "APIService" => json!({}),
        _ => return None,
    })
}
