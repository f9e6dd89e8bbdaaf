//! Requests that both clusters are asked, and the objects in them.

use landfall_sandbox::world::sample_deployment;
use serde_json::Value;

pub(super) const JSON: &str = "application/json";
pub(super) const MERGE: &str = "application/merge-patch+json";
pub(super) const STRATEGIC: &str = "application/strategic-merge-patch+json";
pub(super) const APPLY: &str = "application/apply-patch+yaml";
pub(super) const OPERATIONS: &str = "application/json-patch+json";

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Who {
    /// May do anything in the namespace.
    Landfall,
    /// Has a token and no rights.
    Nobody,
    /// Has another token. (Whether one without any is a stranger or `system:anonymous` is up to
    /// the cluster's `--anonymous-auth`.)
    Stranger,
}

/// One request to both. `$version`, `$uid`, `$continue` and `$namespace` in path and body are what
/// each side said last.
#[derive(Clone, Debug)]
pub(super) struct Step {
    pub(super) name: String,
    pub(super) method: &'static str,
    pub(super) path: String,
    pub(super) content_type: &'static str,
    pub(super) accept: &'static str,
    pub(super) body: String,
    pub(super) who: Who,
    /// Fields of the answer that are not compared; the table says why.
    pub(super) ignored: &'static [&'static str],
}

pub(super) fn step(name: &str, method: &'static str, path: &str, body: impl Into<String>) -> Step {
    Step {
        name: name.to_owned(),
        method,
        path: path.to_owned(),
        content_type: "",
        accept: JSON,
        body: body.into(),
        who: Who::Landfall,
        ignored: &[],
    }
}

pub(super) fn get(name: &str, path: &str) -> Step {
    step(name, "GET", path, "")
}

pub(super) fn post(name: &str, path: &str, body: &Value) -> Step {
    step(name, "POST", path, body.to_string()).typed(JSON)
}

pub(super) fn put(name: &str, path: &str, body: &Value) -> Step {
    step(name, "PUT", path, body.to_string()).typed(JSON)
}

pub(super) fn patch(name: &str, kind: &'static str, path: &str, body: Value) -> Step {
    step(name, "PATCH", path, body.to_string()).typed(kind)
}

impl Step {
    pub(super) fn typed(mut self, content_type: &'static str) -> Step {
        self.content_type = content_type;
        self
    }

    pub(super) fn accepting(mut self, accept: &'static str) -> Step {
        self.accept = accept;
        self
    }

    pub(super) fn by(mut self, who: Who) -> Step {
        self.who = who;
        self
    }

    pub(super) fn ignoring(mut self, fields: &'static [&'static str]) -> Step {
        self.ignored = fields;
        self
    }

    /// The path on the server: a name stands for a resource of the namespace.
    pub(super) fn target(&self) -> String {
        let resource = self.path.split(['/', '?']).next().unwrap_or_default();
        let group = match resource {
            "" => return self.path.clone(),
            "pods" | "services" | "configmaps" | "events" | "serviceaccounts" => "/api/v1",
            "secrets" | "persistentvolumeclaims" | "resourcequotas" | "limitranges" => "/api/v1",
            "jobs" | "cronjobs" => "/apis/batch/v1",
            "ingresses" | "networkpolicies" => "/apis/networking.k8s.io/v1",
            "roles" | "rolebindings" => "/apis/rbac.authorization.k8s.io/v1",
            "poddisruptionbudgets" => "/apis/policy/v1",
            "horizontalpodautoscalers" => "/apis/autoscaling/v2",
            _ => "/apis/apps/v1",
        };
        format!("{group}/namespaces/$namespace/{}", self.path)
    }
}

pub(super) const WEB: &str = "deployments/web";
/// What controllers write beside what is asked for.
pub(super) const MOVING: &[&str] = &["/body/status", "/body/metadata/annotations"];
/// What Go says of bytes that are no object of ours; no request of ours calls it forth.
pub(super) const MESSAGE: &[&str] = &["/body/message"];

/// A Deployment that no controller rolls: nothing moves but what is asked for.
pub(super) fn still(name: &str) -> Value {
    let mut object = sample_deployment(name, "web:1");
    object["metadata"]["namespace"] = "$namespace".into();
    object["spec"]["replicas"] = 0.into();
    object["spec"]["paused"] = true.into();
    object
}

pub(super) fn with(mut object: Value, pointer: &str, value: Value) -> Value {
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    let parent = object.pointer_mut(parent).expect(pointer);
    match field.parse::<usize>() {
        Ok(index) => parent[index] = value,
        Err(_) => parent[field] = value,
    }
    object
}
