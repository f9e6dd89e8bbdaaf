//! What a case has in the real cluster beside Deployments and Services: quotas, policies, webhooks.

use super::people::collection;
use crate::real::Namespace;
use reqwest::Method;
use serde_json::{Value, json};
use std::time::Duration;

/// Kinds that the story's cluster is set up with by the stage.
const ESTABLISHED: [&str; 3] = ["Deployment", "Service", "HorizontalPodAutoscaler"];

/// Until a policy is in force in the API server: it is compiled some time after it was made.
const IN_FORCE: Duration = Duration::from_secs(4);

/// Whether the stage itself sets it up.
pub fn is_established(object: &Value) -> bool {
    ESTABLISHED.iter().any(|kind| object["kind"] == *kind)
}

/// An object for this namespace: `NAMESPACE` in it is the namespace's name.
pub fn localized(object: &Value, namespace: &str) -> Value {
    let text = object.to_string().replace("NAMESPACE", namespace);
    serde_json::from_str(&text).unwrap()
}

/// Creates them, and waits for what takes a moment to be in force.
pub async fn create(namespace: &Namespace, objects: &[Value]) {
    for object in objects.iter().filter(|object| !is_established(object)) {
        let object = localized(object, &namespace.name);
        let resource = plural(&object);
        let path = collection(&resource, &namespace.name);
        namespace.create(&path, &object).await;
        if resource == "resourcequotas" {
            let name = object["metadata"]["name"].as_str().unwrap();
            let path = format!("{path}/{name}");
            namespace
                .until(&path, |quota| quota["status"]["used"].is_object())
                .await;
        }
        if resource == "validatingadmissionpolicybindings" {
            tokio::time::sleep(IN_FORCE).await;
        }
    }
}

/// Gives the namespace itself labels, such as a level of Pod Security.
pub async fn label(namespace: &Namespace, labels: &Value) {
    if labels.is_object() {
        let path = format!("/api/v1/namespaces/{}", namespace.name);
        let patch = json!({"metadata": {"labels": labels}});
        namespace.merge(&path, &patch).await;
    }
}

/// Takes away what would outlive the namespace.
pub async fn clear(namespace: &Namespace, objects: impl Iterator<Item = &Value>) {
    for object in objects {
        let object = localized(object, &namespace.name);
        let path = collection(&plural(&object), &namespace.name);
        if path.contains("/namespaces/") {
            continue;
        }
        let name = object["metadata"]["name"].as_str().unwrap();
        let path = format!("{path}/{name}");
        let kind = "application/json";
        namespace
            .send(Method::DELETE, &path, kind, String::new())
            .await;
    }
}

fn plural(object: &Value) -> String {
    let kind = object["kind"].as_str().unwrap().to_lowercase();
    match kind.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{kind}s"),
    }
}
