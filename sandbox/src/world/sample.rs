//! Sample objects.

use serde_json::{Value, json};

/// A Deployment with two replicas of one container `app` on port 8080, with `DEMO_GREETING` in its
/// environment and a readiness probe.
pub fn sample_deployment(name: &str, image: &str) -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{
                    "name": "app",
                    "image": image,
                    "ports": [{"containerPort": 8080}],
                    "env": [{"name": "DEMO_GREETING", "value": "Hello from the environment"}],
                    "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 5}
                }]}
            }
        }
    })
}

/// A Service for the pods of [`sample_deployment`].
pub fn sample_service(name: &str) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": name, "namespace": "default", "labels": {"app": name}},
        "spec": {"selector": {"app": name}, "ports": [{"port": 80, "targetPort": 8080}]}
    })
}

/// A HorizontalPodAutoscaler for the Deployment with that name.
pub fn sample_autoscaler(name: &str, minimum: u32, maximum: u32) -> Value {
    json!({
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": name},
            "minReplicas": minimum,
            "maxReplicas": maximum
        }
    })
}
