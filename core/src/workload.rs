//! A workload, as the API server returned it: the fields that Landfall reads, whatever its kind.

pub mod health;
pub mod kind;
pub mod replica_set;

use crate::kubernetes::object::{Object, digest};
pub use kind::{Kind, Row, TEMPLATE_HASH};
use serde_json::{Map, Value};
use std::ops::Deref;

/// The annotation in which the Deployment controller counts rollouts.
pub const REVISION: &str = "deployment.kubernetes.io/revision";

/// A workload, as the API server returned it.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    kind: Kind,
    object: Object,
}

impl Deref for Workload {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.object
    }
}

impl Workload {
    /// Wraps the object. The items of a list do not name their kind, so it is an argument.
    pub fn new(kind: Kind, object: Value) -> Workload {
        let object = Object::new(object);
        Workload { kind, object }
    }

    /// Returns its kind.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether `spec.paused` stops all rollouts.
    pub fn is_paused(&self) -> bool {
        self.value().pointer("/spec/paused") == Some(&Value::Bool(true))
    }

    /// The revision that the controller gave to the current template.
    pub fn revision(&self) -> Option<u64> {
        self.annotation(REVISION)?.parse().ok()
    }

    /// `spec.replicas`, 1 if absent, like the server.
    pub fn replicas(&self) -> i64 {
        self.number("/spec/replicas").unwrap_or(1)
    }

    /// `spec.progressDeadlineSeconds`, 600 if absent, like the server.
    pub fn progress_deadline_seconds(&self) -> i64 {
        self.number("/spec/progressDeadlineSeconds").unwrap_or(600)
    }

    /// Pods of every version. The server leaves zero counters out.
    pub fn total_replicas(&self) -> i64 {
        self.number("/status/replicas").unwrap_or(0)
    }

    /// Pods of the newest version.
    pub fn updated_replicas(&self) -> i64 {
        self.number("/status/updatedReplicas").unwrap_or(0)
    }

    /// Pods of every version that were ready for `minReadySeconds`.
    pub fn available_replicas(&self) -> i64 {
        self.number("/status/availableReplicas").unwrap_or(0)
    }

    /// Pods of every version that are ending; `None` if the server does not count them.
    /// <https://github.com/kubernetes/enhancements/issues/3973>
    pub fn terminating_replicas(&self) -> Option<i64> {
        self.number("/status/terminatingReplicas")
    }

    /// `spec.selector` as a label selector of the API: `app=web,tier in (a,b)`.
    pub fn selector(&self) -> String {
        let selector = self.value().pointer("/spec/selector");
        selector.map(label_selector).unwrap_or_default()
    }

    /// The pod template; `null` if absent.
    pub fn template(&self) -> &Value {
        let template = self.value().pointer(self.kind.row().template);
        template.unwrap_or(&Value::Null)
    }

    /// The containers of the pod template; `list` is `containers` or `initContainers`.
    pub fn containers(&self, list: &str) -> &[Value] {
        let containers = self.template()["spec"][list].as_array();
        containers.map_or(&[], Vec::as_slice)
    }

    /// The container or init container of this name in the pod template.
    pub fn container(&self, name: &str) -> Option<&Value> {
        let all = ["containers", "initContainers"].into_iter();
        let mut all = all.flat_map(|list| self.containers(list));
        all.find(|container| container["name"] == name)
    }

    /// How many pods may be missing or too many during a rollout; at least one. When so many new
    /// pods are not available, the controller waits for one of them.
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment>
    pub fn slack(&self) -> i64 {
        let wanted = self.replicas();
        let rolling = self.value().pointer("/spec/strategy/rollingUpdate");
        if self.text("/spec/strategy/type") == "Recreate" {
            return wanted.max(1);
        }
        let share = |field: &str, round: i64| match rolling.and_then(|rolling| rolling.get(field)) {
            Some(Value::String(percent)) => {
                let percent = percent.trim_end_matches('%').parse::<i64>().unwrap_or(25);
                wanted.saturating_mul(percent).saturating_add(round) / 100
            }
            Some(count) if count.is_i64() => count.as_i64().unwrap_or(0),
            _ => (wanted.saturating_mul(25).saturating_add(round)) / 100,
        };
        // The surge is rounded up, what may be missing is rounded down.
        share("maxSurge", 99)
            .saturating_add(share("maxUnavailable", 0))
            .max(1)
    }

    /// Selects the pods of the version with this hash, or of all versions if it is empty.
    pub fn pods_of_version(&self, hash: &str) -> String {
        let selector = self.selector();
        match hash {
            "" => selector,
            hash => format!("{selector},{}={hash}", self.kind.row().versions.label),
        }
    }

    /// A short digest of the pod template: equal digests, equal versions.
    pub fn template_digest(&self) -> String {
        template_digest(self.template())
    }
}

/// Sixteen hexadecimal digits of the SHA-256 of a template, its keys in alphabetical order (as
/// `serde_json` keeps them) and without `pod-template-hash`.
pub fn template_digest(template: &Value) -> String {
    let labels = template.pointer("/metadata/labels");
    let text = match labels.and_then(|labels| labels.get(TEMPLATE_HASH)) {
        Some(_) => serde_json::to_string(&without_template_hash(template)),
        None => serde_json::to_string(template),
    };
    digest(&text.expect("it is JSON already"))
}

/// A ReplicaSet's template as the Deployment had it: without the label that the controller added.
pub fn without_template_hash(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template
        .pointer_mut("/metadata/labels")
        .and_then(Value::as_object_mut)
    {
        labels.remove(TEMPLATE_HASH);
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
