//! What others do in the middle of a case, by way of the API, as kubectl and GitOps tools do it.

use super::case::Edit;
use super::real_objects::localized;
use serde_json::Value;

/// A request of somebody else.
pub struct Deed {
    pub method: &'static str,
    pub path: String,
    pub content_type: &'static str,
    pub body: Value,
}

/// The path of all objects of a kind; those of a policy or a webhook are in no namespace.
pub fn collection(resource: &str, namespace: &str) -> String {
    let group = match resource {
        "deployments" | "replicasets" | "statefulsets" | "daemonsets" => "apis/apps/v1",
        "jobs" => "apis/batch/v1",
        "endpointslices" => "apis/discovery.k8s.io/v1",
        "horizontalpodautoscalers" => "apis/autoscaling/v2",
        "httproutes" => "apis/gateway.networking.k8s.io/v1",
        "ingresses" => "apis/networking.k8s.io/v1",
        "validatingadmissionpolicies"
        | "validatingadmissionpolicybindings"
        | "validatingwebhookconfigurations" => {
            return format!("/apis/admissionregistration.k8s.io/v1/{resource}");
        }
        "nodes" => return format!("/api/v1/{resource}"),
        _ => "api/v1",
    };
    format!("/{group}/namespaces/{namespace}/{resource}")
}

/// The path of an object.
pub fn path(resource: &str, namespace: &str, name: &str) -> String {
    format!("{}/{name}", collection(resource, namespace))
}

impl Edit {
    /// The same; `POD` is the name of some pod that is there.
    pub fn of_pod(&self, pods: &[Value]) -> Edit {
        let mut edit = self.clone();
        let first = pods
            .first()
            .and_then(|pod| pod["metadata"]["name"].as_str());
        if let Some(first) = first.filter(|_| edit.name == "POD") {
            edit.name = first.to_owned();
        }
        edit
    }

    pub fn deed(&self, namespace: &str) -> Deed {
        let by = if self.by.is_empty() {
            "kubectl-edit"
        } else {
            &self.by
        };
        let manager = format!("?fieldManager={by}");
        let part = self.subresource.as_ref();
        let part = part.map(|part| format!("/{part}")).unwrap_or_default();
        let object = path(&self.resource, namespace, &self.name) + &part + &manager;
        if self.create.is_object() {
            return Deed {
                method: "POST",
                path: collection(&self.resource, namespace) + &manager,
                content_type: "application/json",
                body: localized(&self.create, namespace),
            };
        }
        let (method, content_type) = match &self.patch {
            Value::Null => ("DELETE", "application/json"),
            Value::Array(_) => ("PATCH", "application/json-patch+json"),
            _ => ("PATCH", "application/strategic-merge-patch+json"),
        };
        let body = localized(&self.patch, namespace);
        Deed {
            method,
            path: object,
            content_type,
            body,
        }
    }
}
