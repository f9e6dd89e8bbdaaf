//! What others do in the middle of a case, by way of the API, as kubectl and GitOps tools do it.

use super::case::Edit;
use serde_json::Value;

/// A request of somebody else.
pub struct Deed {
    pub method: &'static str,
    pub path: String,
    pub content_type: &'static str,
    pub body: Value,
}

fn collection(resource: &str, namespace: &str) -> String {
    let group = match resource {
        "deployments" | "replicasets" => "apis/apps/v1",
        "endpointslices" => "apis/discovery.k8s.io/v1",
        "horizontalpodautoscalers" => "apis/autoscaling/v2",
        _ => "api/v1",
    };
    format!("/{group}/namespaces/{namespace}/{resource}")
}

/// The path of an object.
pub fn path(resource: &str, namespace: &str, name: &str) -> String {
    format!("{}/{name}", collection(resource, namespace))
}

impl Edit {
    pub fn deed(&self, namespace: &str) -> Deed {
        let by = if self.by.is_empty() {
            "kubectl-edit"
        } else {
            &self.by
        };
        let manager = format!("?fieldManager={by}");
        let object = path(&self.resource, namespace, &self.name) + &manager;
        if self.create.is_object() {
            return Deed {
                method: "POST",
                path: collection(&self.resource, namespace) + &manager,
                content_type: "application/json",
                body: self.create.clone(),
            };
        }
        let (method, content_type) = match &self.patch {
            Value::Null => ("DELETE", "application/json"),
            Value::Array(_) => ("PATCH", "application/json-patch+json"),
            _ => ("PATCH", "application/strategic-merge-patch+json"),
        };
        let body = self.patch.clone();
        Deed {
            method,
            path: object,
            content_type,
            body,
        }
    }
}
