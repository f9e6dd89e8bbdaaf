//! The objects of the scripted cluster.

use jiff::Timestamp;
use serde_json::{Value, json};
use std::hash::{DefaultHasher, Hash, Hasher};

/// A Deployment with the server's defaults and managed fields.
pub(crate) fn first_deployment() -> Value {
    let mut deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "name": DEPLOYMENT, "namespace": NAMESPACE, "uid": UID,
            "resourceVersion": "812345", "generation": 1, "creationTimestamp": CREATED,
            "labels": {"app": DEPLOYMENT, "app.kubernetes.io/managed-by": "landfall"},
            "annotations": {REVISION: "1"},
            "managedFields": managed_fields()
        },
        "spec": {
            "replicas": REPLICAS, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
            "selector": {"matchLabels": {"app": DEPLOYMENT}},
            "strategy": {"type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
            "template": template()
        }
    });
    deployment["status"] = status(&deployment);
    deployment
}

pub(crate) fn template() -> Value {
    let probe = |path: &str| {
        json!({"httpGet": {"path": path, "port": 8080, "scheme": "HTTP"}, "periodSeconds": 5,
            "timeoutSeconds": 1, "successThreshold": 1, "failureThreshold": 3})
    };
    json!({
        "metadata": {"creationTimestamp": null, "labels": {"app": DEPLOYMENT}},
        "spec": {
            "containers": [{
                "name": "app", "image": IMAGE, "imagePullPolicy": "IfNotPresent",
                "ports": [{"containerPort": 8080, "name": "http", "protocol": "TCP"}],
                "env": [
                    {"name": "DEMO_GREETING", "value": "Hello from the environment"},
                    {"name": "DEMO_POD", "valueFrom":
                        {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}
                ],
                "readinessProbe": probe("/"),
                "livenessProbe": probe("/alive"),
                "resources": {"limits": {"memory": "256Mi"},
                    "requests": {"cpu": "100m", "memory": "128Mi"}},
                "securityContext": {"allowPrivilegeEscalation": false,
                    "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}},
                "terminationMessagePath": "/dev/termination-log",
                "terminationMessagePolicy": "File"
            }],
            "dnsPolicy": "ClusterFirst", "restartPolicy": "Always",
            "schedulerName": "default-scheduler", "terminationGracePeriodSeconds": 30,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 65532},
            "serviceAccount": DEPLOYMENT, "serviceAccountName": DEPLOYMENT
        }
    })
}

/// About 2 KB, as after `kubectl apply` and some rollouts.
pub(crate) fn managed_fields() -> Value {
    let probe = json!({".": {}, "f:failureThreshold": {}, "f:httpGet": {".": {}, "f:path": {},
        "f:port": {}, "f:scheme": {}}, "f:periodSeconds": {}, "f:successThreshold": {},
        "f:timeoutSeconds": {}});
    let container = json!({".": {}, "f:env": {
        ".": {}, "k:{\"name\":\"DEMO_GREETING\"}": {".": {}, "f:name": {}, "f:value": {}},
        "k:{\"name\":\"DEMO_POD\"}": {".": {}, "f:name": {}, "f:valueFrom": {"f:fieldRef": {}}}},
        "f:imagePullPolicy": {}, "f:livenessProbe": probe, "f:name": {},
        "f:ports": {".": {}, "k:{\"containerPort\":8080,\"protocol\":\"TCP\"}":
            {".": {}, "f:containerPort": {}, "f:name": {}, "f:protocol": {}}},
        "f:readinessProbe": probe, "f:resources": {".": {}, "f:limits": {".": {}, "f:memory": {}},
            "f:requests": {".": {}, "f:cpu": {}, "f:memory": {}}},
        "f:securityContext": {".": {}, "f:allowPrivilegeEscalation": {},
            "f:capabilities": {".": {}, "f:drop": {}}, "f:readOnlyRootFilesystem": {}},
        "f:terminationMessagePath": {}, "f:terminationMessagePolicy": {}});
    let applied = json!({"f:metadata": {"f:labels": {".": {}, "f:app": {},
        "f:app.kubernetes.io/managed-by": {}}}, "f:spec": {"f:progressDeadlineSeconds": {},
        "f:replicas": {}, "f:revisionHistoryLimit": {}, "f:selector": {}, "f:strategy":
        {"f:rollingUpdate": {".": {}, "f:maxSurge": {}, "f:maxUnavailable": {}}, "f:type": {}},
        "f:template": {"f:metadata": {"f:labels": {".": {}, "f:app": {}}}, "f:spec":
            {"f:containers": {"k:{\"name\":\"app\"}": container}, "f:dnsPolicy": {},
            "f:restartPolicy": {}, "f:schedulerName": {}, "f:securityContext": {},
            "f:serviceAccount": {}, "f:terminationGracePeriodSeconds": {}}}}});
    let counted = json!({"f:metadata": {"f:annotations": {".": {},
        "f:deployment.kubernetes.io/revision": {}}}, "f:status": {"f:availableReplicas": {},
        "f:conditions": {".": {}, "k:{\"type\":\"Available\"}": {".": {}, "f:status": {}},
            "k:{\"type\":\"Progressing\"}": {".": {}, "f:status": {}}},
        "f:observedGeneration": {}, "f:readyReplicas": {}, "f:replicas": {},
        "f:updatedReplicas": {}}});
    let entry = |manager: &str, operation: &str, fields: Value| {
        json!({"manager": manager, "operation": operation, "apiVersion": "apps/v1",
            "time": CREATED, "fieldsType": "FieldsV1", "fieldsV1": fields})
    };
    let mut counts = entry("kube-controller-manager", "Update", counted);
    counts["subresource"] = json!("status");
    json!([entry("kubectl", "Apply", applied), counts])
}

/// The status of a Deployment whose pods all have the newest version.
pub(crate) fn status(deployment: &Value) -> Value {
    let name = set_name(deployment);
    let replicas = &deployment["spec"]["replicas"];
    let now = format!("{:.0}", Timestamp::now());
    let condition = |kind: &str, reason: &str, message: &str| {
        json!({"type": kind, "status": "True", "reason": reason, "message": message,
            "lastUpdateTime": now, "lastTransitionTime": CREATED})
    };
    let complete = format!("ReplicaSet \"{name}\" has successfully progressed.");
    json!({
        "observedGeneration": deployment["metadata"]["generation"],
        "replicas": replicas, "updatedReplicas": replicas,
        "readyReplicas": replicas, "availableReplicas": replicas,
        "conditions": [
            condition("Available", "MinimumReplicasAvailable",
                "Deployment has minimum availability."),
            condition("Progressing", "NewReplicaSetAvailable", &complete)
        ]
    })
}

/// The ReplicaSet of a Deployment's template, with all pods available.
pub(crate) fn replica_set(deployment: &Value) -> Value {
    let hash = template_hash(deployment);
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"]["pod-template-hash"] = json!(hash);
    let labels = template["metadata"]["labels"].clone();
    let revision = &deployment["metadata"]["annotations"][REVISION];
    let replicas = &deployment["spec"]["replicas"];
    json!({
        "metadata": {
            "name": set_name(deployment), "namespace": NAMESPACE, "generation": 1,
            "uid": format!("7b2d1b63-0000-4000-8000-00{hash}"), "creationTimestamp": CREATED,
            "resourceVersion": deployment["metadata"]["resourceVersion"], "labels": labels,
            "annotations": {REVISION: revision,
                "deployment.kubernetes.io/desired-replicas": REPLICAS.to_string(),
                "deployment.kubernetes.io/max-replicas": (REPLICAS + 1).to_string()},
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "Deployment",
                "name": DEPLOYMENT, "uid": UID, "controller": true, "blockOwnerDeletion": true}]
        },
        "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
        "status": {"replicas": replicas, "fullyLabeledReplicas": replicas,
            "readyReplicas": replicas, "availableReplicas": replicas, "observedGeneration": 1}
    })
}

/// A pod of a ReplicaSet, whose name and uid end with `POD`. Its container has ended four times.
pub(crate) fn crashing_pod(set: &Value) -> Value {
    // A pod that is older than the deploy is judged by what it does later.
    let now = format!("{:.0}", Timestamp::now());
    let name = set["metadata"]["name"].as_str().unwrap_or_default();
    let ended = json!({"exitCode": 1, "reason": "Error", "startedAt": now,
        "finishedAt": now, "containerID": format!("containerd://{}", "6".repeat(64))});
    let back_off =
        format!("back-off 40s restarting failed container=app pod={name}-POD_{NAMESPACE}({UID})");
    let status = json!({"name": "app", "ready": false, "restartCount": 3, "started": false,
        "image": IMAGE, "imageID": format!("sha256:{}", "a".repeat(64)),
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": back_off}},
        "lastState": {"terminated": ended}});
    let condition = |kind: &str, status: &str| {
        json!({"type": kind, "status": status, "lastProbeTime": null,
            "lastTransitionTime": now})
    };
    let mut spec = set["spec"]["template"]["spec"].clone();
    spec["nodeName"] = json!("ip-10-0-1-17.eu-central-1.compute.internal");
    spec["volumes"] = json!([{"name": "kube-api-access-POD", "projected": {"defaultMode": 420,
        "sources": [{"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"items": [{"key": "ca.crt", "path": "ca.crt"}],
                "name": "kube-root-ca.crt"}}]}}]);
    json!({
        "metadata": {
            "name": format!("{name}-POD"), "generateName": format!("{name}-"),
            "namespace": NAMESPACE, "uid": format!("6a1c0a52-3b0e-4b0c-9f43-0d0d5d3POD"),
            "resourceVersion": "812345", "creationTimestamp": now,
            "labels": set["metadata"]["labels"], "managedFields": managed_fields(),
            "ownerReferences": [{"apiVersion": "apps/v1", "kind": "ReplicaSet", "name": name,
                "uid": set["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true}]
        },
        "spec": spec,
        "status": {"phase": "Running", "hostIP": "10.0.1.17", "podIP": "10.0.2.1",
            "qosClass": "Burstable", "startTime": now, "conditions": [
                condition("Initialized", "True"), condition("Ready", "False"),
                condition("ContainersReady", "False"), condition("PodScheduled", "True")],
            "containerStatuses": [status]}
    })
}

pub(crate) fn set_name(deployment: &Value) -> String {
    format!("{DEPLOYMENT}-{}", template_hash(deployment))
}

pub(crate) fn template_hash(deployment: &Value) -> String {
    let mut hasher = DefaultHasher::new();
    let template = &deployment["spec"]["template"];
    template["spec"]["containers"][0]["image"]
        .as_str()
        .hash(&mut hasher);
    format!("{:010x}", hasher.finish() >> 24)
}

pub(crate) const IMAGE: &str = "registry.example.com/demo-app:1.0";
pub(crate) const REPLICAS: u64 = 2;
pub(crate) const UID: &str = "6a1c0a52-3b0e-4b0c-9f43-0d0d5d3b1c11";
pub(crate) const REVISION: &str = "deployment.kubernetes.io/revision";
pub(crate) const CREATED: &str = "2026-01-01T00:00:00Z";
/// The name of the Deployment; its container is `app`.
pub const DEPLOYMENT: &str = "demo-app";
pub(crate) const NAMESPACE: &str = "default";
