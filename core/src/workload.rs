//! A workload, as the API server returned it: the fields that Landfall reads, whatever its kind.

pub mod health;
pub mod kind;
pub mod replica_set;
mod slack;

use crate::kubernetes::object::{Object, at, digest};
pub use kind::{Kind, REVISION_HASH, Row, TEMPLATE_HASH};
use serde_json::{Map, Value};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

/// The annotation in which the Deployment controller counts rollouts.
pub const REVISION: &str = "deployment.kubernetes.io/revision";

/// The first job of the deploy that made the last change: distinguishes a repetition from a new
/// deploy. Kubernetes' controllers copy it to the version that it made the newest.
pub const JOB: &str = "landfall/job";

/// The label that distinguishes one version's pods from another's. Kubernetes' controllers copy it
/// to the ReplicaSets of the Deployment that a switch made.
pub const VERSION: &str = "landfall/version";

/// A workload, as the API server returned it.
#[derive(Clone, Debug)]
pub struct Workload {
    kind: Kind,
    object: Object,
    /// The digest of its template, once that was asked for: each decision asks for it.
    digest: OnceLock<String>,
}

impl PartialEq for Workload {
    fn eq(&self, other: &Workload) -> bool {
        self.kind == other.kind && self.object == other.object
    }
}

impl Deref for Workload {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.object
    }
}

impl Workload {
    /// Wraps the object. The items of a list do not name their kind, so it is an argument.
    pub fn new(kind: Kind, object: impl Into<Arc<Value>>) -> Workload {
        Workload {
            kind,
            object: Object::new(object),
            digest: OnceLock::new(),
        }
    }

    /// Returns its kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether `spec.paused` stops all rollouts.
    pub fn is_paused(&self) -> bool {
        at(self.value(), "/spec/paused") == Some(&Value::Bool(true))
    }

    /// The revision that the controller gave to the current template.
    pub fn revision(&self) -> Option<u64> {
        self.annotation(REVISION)?.parse().ok()
    }

    /// How many pods are wanted: `spec.replicas`, 1 if absent, like the server; of a DaemonSet as
    /// many as there are nodes for it; of a Job as many as are to succeed.
    pub fn replicas(&self) -> i64 {
        let (pointer, absent) = self.kind.row().counts.wanted;
        self.number(pointer).unwrap_or(absent)
    }

    /// `spec.minReadySeconds`.
    pub fn min_ready_seconds(&self) -> i64 {
        self.number("/spec/minReadySeconds").unwrap_or(0)
    }

    /// Whether its controller replaces pods only when somebody deletes them.
    pub fn rolls_on_delete(&self) -> bool {
        self.text("/spec/updateStrategy/type") == "OnDelete"
    }

    /// Of a StatefulSet: pods with a lower number keep the version that they have.
    pub fn partition(&self) -> i64 {
        let partition = self.number("/spec/updateStrategy/rollingUpdate/partition");
        partition.unwrap_or(0).max(0)
    }

    /// Of a StatefulSet: whether one pod that is not ready stops every other change.
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#orderedready-pod-management>
    pub fn is_ordered(&self) -> bool {
        self.kind == Kind::StatefulSet && self.text("/spec/podManagementPolicy") != "Parallel"
    }

    /// `spec.progressDeadlineSeconds`, 600 if absent, like the server.
    pub fn progress_deadline_seconds(&self) -> i64 {
        self.number("/spec/progressDeadlineSeconds").unwrap_or(600)
    }

    /// Pods of every version. The server leaves zero counters out.
    pub fn total_replicas(&self) -> i64 {
        self.number(self.kind.row().counts.total).unwrap_or(0)
    }

    /// Pods of the newest version.
    pub fn updated_replicas(&self) -> i64 {
        self.number(self.kind.row().counts.updated).unwrap_or(0)
    }

    /// Pods of every version that were ready for `minReadySeconds`.
    pub fn available_replicas(&self) -> i64 {
        // An older server does not count the available pods of a StatefulSet.
        let ready = self.kind == Kind::StatefulSet && self.min_ready_seconds() == 0;
        let counts = &self.kind.row().counts;
        let pointer = if ready {
            counts.ready
        } else {
            counts.available
        };
        self.number(pointer).unwrap_or(0)
    }

    /// Pods of every version that are ready, for however long.
    pub fn ready_replicas(&self) -> i64 {
        self.number(self.kind.row().counts.ready).unwrap_or(0)
    }

    /// Pods of every version that are ending; `None` if the server does not count them.
    /// <https://github.com/kubernetes/enhancements/issues/3973>
    pub fn terminating_replicas(&self) -> Option<i64> {
        self.number("/status/terminatingReplicas")
    }

    /// `spec.selector` as a label selector of the API: `app=web,tier in (a,b)`.
    pub fn selector(&self) -> String {
        let selector = at(self.value(), "/spec/selector");
        selector.map(label_selector).unwrap_or_default()
    }

    /// The pod template; `null` if absent.
    pub fn template(&self) -> &Value {
        let template = at(self.value(), self.kind.row().template);
        template.unwrap_or(&Value::Null)
    }

    /// The containers of the pod template; `list` is `containers` or `initContainers`.
    pub fn containers(&self, list: &str) -> &[Value] {
        let containers = self.template()["spec"][list].as_array();
        containers.map_or(&[], Vec::as_slice)
    }

    /// The images of these containers.
    pub fn images(&self, list: &str) -> impl Iterator<Item = &str> {
        let containers = self.containers(list).iter();
        containers.filter_map(|container| container["image"].as_str())
    }

    /// The container or init container of this name in the pod template.
    pub fn container(&self, name: &str) -> Option<&Value> {
        let all = ["containers", "initContainers"].into_iter();
        let mut all = all.flat_map(|list| self.containers(list));
        all.find(|container| container["name"] == name)
    }

    /// Selects the pods of the version with this hash, or of all versions if it is empty.
    pub fn pods_of_version(&self, hash: &str) -> String {
        let selector = self.selector();
        match hash {
            "" => selector,
            hash => format!("{selector},{}={hash}", self.kind.row().versions.label),
        }
    }

    /// Selects the pods of every other version.
    pub fn pods_of_others(&self, hash: &str) -> String {
        let label = self.kind.row().versions.label;
        format!("{},{label} notin ({hash})", self.selector())
    }

    /// Whether a version's template is the current one. A controller writes a time that is not set
    /// as `null`, where the server leaves it out.
    pub fn has_template(&self, template: &Value) -> bool {
        if self.kind == Kind::Deployment {
            return template_digest(template) == self.template_digest();
        }
        let [one, other] = [template, self.template()].map(without_null_time);
        template_digest(&one) == template_digest(&other)
    }

    /// A short digest of the pod template: equal digests, equal versions.
    pub fn template_digest(&self) -> String {
        let digest = self.digest.get_or_init(|| template_digest(self.template()));
        digest.clone()
    }
}

/// Sixteen hexadecimal digits of the SHA-256 of a template, its keys in alphabetical order (as
/// `serde_json` keeps them) and without `pod-template-hash`.
pub fn template_digest(template: &Value) -> String {
    let labels = at(template, "/metadata/labels");
    let has_hash = labels.is_some_and(|labels| labels.get(TEMPLATE_HASH).is_some());
    let text = match template.as_object().filter(|_| has_hash) {
        // The specification is most of it, and is not copied.
        Some(parts) => {
            let plain = parts.iter().map(|(name, part)| match &**name {
                "metadata" => (name, Cow::Owned(without_hash(part.clone()))),
                _ => (name, Cow::Borrowed(part)),
            });
            serde_json::to_string(&plain.collect::<BTreeMap<_, _>>())
        }
        None => serde_json::to_string(template),
    };
    digest(&text.expect("it is JSON already"))
}

/// A ReplicaSet's template as the Deployment had it: without the label that the controller added.
pub fn without_template_hash(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(metadata) = template.get_mut("metadata") {
        *metadata = without_hash(metadata.take());
    }
    template
}

fn without_hash(mut metadata: Value) -> Value {
    if let Some(labels) = metadata.get_mut("labels").and_then(Value::as_object_mut) {
        labels.remove(TEMPLATE_HASH);
    }
    metadata
}

pub(crate) fn without_null_time(template: &Value) -> Value {
    let mut template = template.clone();
    let metadata = template.get_mut("metadata").and_then(Value::as_object_mut);
    if let Some(metadata) = metadata
        && metadata
            .get("creationTimestamp")
            .is_some_and(Value::is_null)
    {
        metadata.remove("creationTimestamp");
    }
    template
}

/// Writes `{matchLabels, matchExpressions}` as the query parameter `labelSelector`.
fn label_selector(selector: &Value) -> String {
    let labels = selector.get("matchLabels").and_then(Value::as_object);
    let equalities = labels
        .into_iter()
        .flatten()
        .filter_map(|(key, value)| Some(format!("{key}={}", value.as_str()?)));
    let expressions = selector.get("matchExpressions").and_then(Value::as_array);
    let requirements = expressions
        .into_iter()
        .flatten()
        .filter_map(|requirement| requirement_text(requirement.as_object()?));
    equalities.chain(requirements).collect::<Vec<_>>().join(",")
}

fn requirement_text(requirement: &Map<String, Value>) -> Option<String> {
    let key = requirement.get("key")?.as_str()?;
    let values = requirement.get("values").and_then(Value::as_array);
    let values = values
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect::<Vec<_>>()
        .join(",");
    match requirement.get("operator")?.as_str()? {
        "In" => Some(format!("{key} in ({values})")),
        "NotIn" => Some(format!("{key} notin ({values})")),
        "Exists" => Some(key.to_owned()),
        "DoesNotExist" => Some(format!("!{key}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
