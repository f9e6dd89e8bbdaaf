//! The versions of the release: what they have, and how they fare.

use super::draw::Fate;
use serde_json::{Value, json};

/// The resources of which a release may have objects.
pub const RESOURCES: [&str; 8] = [
    "configmaps",
    "daemonsets",
    "deployments",
    "jobs",
    "secrets",
    "serviceaccounts",
    "services",
    "statefulsets",
];

/// A version of the release.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Version {
    pub number: u32,
    pub fate: Fate,
    /// A rollback on demand brings it back: its migration does not run again.
    pub back: bool,
}

impl Version {
    /// Its manifests. Each version has objects that the one before has not, and the other way
    /// around.
    pub fn manifests(self) -> Vec<Value> {
        let number = self.number;
        let sick = |fate| if self.fate == fate { "crash" } else { "well" };
        let image = |name: &str, word: &str| format!("registry.example.com/{name}:{number}-{word}");
        let mut store = workload("StatefulSet", "store", &image("store", "well"));
        store["spec"]["serviceName"] = json!("web");
        // The migration changes with every other version alone: else it does not run again.
        let migration = format!(
            "registry.example.com/migrate:{}-{}",
            number / 2,
            sick(Fate::NoMigration)
        );
        vec![
            object(
                "v1",
                "ConfigMap",
                "settings",
                &json!({"data": {"LEVEL": number.to_string()}}),
            ),
            object(
                "v1",
                "ConfigMap",
                &format!("only-{number}"),
                &json!({"data": {"a": "b"}}),
            ),
            object(
                "v1",
                "ServiceAccount",
                &format!("account-{number}"),
                &json!({}),
            ),
            // "pass"
            object(
                "v1",
                "Secret",
                "login",
                &json!({"data": {"PASSWORD": "cGFzcw=="}}),
            ),
            object(
                "v1",
                "Service",
                "web",
                &json!({"spec": {"selector": {"app": "web"}, "ports": [{"port": 80 + number}]}}),
            ),
            job(&migration),
            workload("Deployment", "web", &image("web", "well")),
            workload("Deployment", "worker", &image("worker", sick(Fate::Doomed))),
            workload(
                "Deployment",
                &format!("extra-{number}"),
                &image("extra", "well"),
            ),
            store,
            workload("DaemonSet", "agent", "registry.example.com/agent:1"),
        ]
    }

    /// The files of its input artifact.
    pub fn files(self) -> Vec<(String, String)> {
        let manifests = self.manifests().into_iter().enumerate();
        let file =
            |(place, manifest): (usize, Value)| (format!("k8s/{place}.yaml"), manifest.to_string());
        manifests.map(file).collect()
    }
}

fn object(version: &str, kind: &str, name: &str, rest: &Value) -> Value {
    let mut object = json!({"apiVersion": version, "kind": kind, "metadata": {"name": name}});
    for (field, value) in rest.as_object().into_iter().flatten() {
        object[field] = value.clone();
    }
    object
}

fn job(image: &str) -> Value {
    object(
        "batch/v1",
        "Job",
        "migrate",
        &json!({"spec": {"backoffLimit": 0, "template": {"spec": {"restartPolicy": "Never",
            "containers": [{"name": "app", "image": image}]}}}}),
    )
}

fn workload(kind: &str, name: &str, image: &str) -> Value {
    let mut object = object(
        "apps/v1",
        kind,
        name,
        &json!({"spec": {"selector": {"matchLabels": {"app": name}},
            "template": {"metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "app", "image": image,
                    "readinessProbe": {"httpGet": {"path": "/", "port": 8080}}}]}}}}),
    );
    if kind != "DaemonSet" {
        object["spec"]["replicas"] = json!(2);
    }
    object
}

/// The resource of a manifest.
pub fn resource(manifest: &Value) -> String {
    format!("{}s", manifest["kind"].as_str().unwrap().to_lowercase())
}

/// The name of an object.
pub fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}
