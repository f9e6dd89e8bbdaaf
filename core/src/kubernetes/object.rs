//! The few fields that we read of Kubernetes objects. An absent field is a state, not a crash.

use jiff::Timestamp;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::ops::Deref;

/// The label that the Deployment controller adds to a ReplicaSet's copy of the pod template.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#pod-template-hash-label>
const POD_TEMPLATE_HASH: &str = "pod-template-hash";

/// Where the Deployment controller counts rollouts.
pub const REVISION: &str = "deployment.kubernetes.io/revision";

/// The earlier revisions of a ReplicaSet that came back.
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";

/// An object of any kind, as the API server returned it. An absent text is empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Object(Value);

/// A Deployment as the API server sent it.
#[derive(Clone, Debug, PartialEq)]
pub struct Deployment(Object);

/// One entry of `status.conditions`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Condition<'a> {
    /// `True`, `False` or `Unknown`.
    pub status: &'a str,
    /// A word for programs, such as `ProgressDeadlineExceeded`.
    pub reason: &'a str,
    /// A sentence for people.
    pub message: &'a str,
    /// When the controller last wrote it, as the server spells it; empty where it is absent.
    pub last_update_time: &'a str,
}

impl Object {
    /// Wraps the object.
    pub fn new(object: Value) -> Object {
        Object(object)
    }

    /// Returns the object.
    pub fn value(&self) -> &Value {
        &self.0
    }

    /// `metadata.name`.
    pub fn name(&self) -> &str {
        self.text("/metadata/name")
    }

    /// `metadata.uid`.
    pub fn uid(&self) -> &str {
        bounded(self.text("/metadata/uid"))
    }

    /// `metadata.resourceVersion`.
    pub fn resource_version(&self) -> &str {
        self.text("/metadata/resourceVersion")
    }

    /// `metadata.generation`, which the server raises with each change of the spec or an
    /// annotation; 0 if absent.
    pub fn generation(&self) -> i64 {
        self.number("/metadata/generation").unwrap_or(0)
    }

    /// `status.observedGeneration`: which generation the status speaks of; 0 if absent.
    pub fn observed_generation(&self) -> i64 {
        self.number("/status/observedGeneration").unwrap_or(0)
    }

    /// Whether the object is being deleted.
    pub fn is_being_deleted(&self) -> bool {
        let time = self.0.pointer("/metadata/deletionTimestamp");
        time.is_some_and(|time| !time.is_null())
    }

    /// Returns an annotation.
    pub fn annotation(&self, name: &str) -> Option<&str> {
        self.0.pointer("/metadata/annotations")?.get(name)?.as_str()
    }

    /// The condition of this type, where there is one.
    pub fn condition(&self, kind: &str) -> Option<Condition<'_>> {
        let conditions = self.0.pointer("/status/conditions")?.as_array()?;
        let found = conditions
            .iter()
            .find(|condition| condition.get("type").and_then(Value::as_str) == Some(kind))?;
        let text = |field: &str| found.get(field).and_then(Value::as_str).unwrap_or("");
        Some(Condition {
            status: text("status"),
            reason: text("reason"),
            message: text("message"),
            last_update_time: bounded(text("lastUpdateTime")),
        })
    }

    /// Returns the text at a JSON pointer.
    pub fn text(&self, pointer: &str) -> &str {
        let value = self.0.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or("")
    }

    /// Returns the whole number at a JSON pointer.
    pub fn number(&self, pointer: &str) -> Option<i64> {
        self.0.pointer(pointer).and_then(Value::as_i64)
    }
}

impl Deref for Deployment {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.0
    }
}

impl Deployment {
    /// Takes the object as it came.
    pub fn new(object: Value) -> Deployment {
        Deployment(Object::new(object))
    }

    /// See [`Object::name`].
    pub fn name(&self) -> &str {
        self.0.name()
    }

    /// See [`Object::value`].
    pub fn value(&self) -> &Value {
        self.0.value()
    }

    /// Whether `spec.paused` stops all rollouts.
    pub fn is_paused(&self) -> bool {
        self.value().pointer("/spec/paused") == Some(&Value::Bool(true))
    }

    /// The revision that the controller gave to the current template.
    pub fn revision(&self) -> Option<u64> {
        self.annotation(REVISION)?.parse().ok()
    }

    /// `spec.replicas`, 1 where it is absent, as the server has it.
    pub fn replicas(&self) -> i64 {
        self.number("/spec/replicas").unwrap_or(1)
    }

    /// `spec.progressDeadlineSeconds`, 600 where it is absent, as the server has it.
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

    /// Pods of every version that are ending; `None` where the server does not count them.
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
        &self.value()["spec"]["template"]
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

    /// A short digest of the pod template: equal digests, equal versions.
    pub fn template_digest(&self) -> String {
        template_digest(self.template())
    }
}

/// Sixteen hexadecimal digits of the SHA-256 of a template, its keys in alphabetical order (as
/// `serde_json` keeps them) and without `pod-template-hash`.
pub fn template_digest(template: &Value) -> String {
    let labels = template.pointer("/metadata/labels");
    let text = match labels.and_then(|labels| labels.get(POD_TEMPLATE_HASH)) {
        Some(_) => serde_json::to_string(&without_template_hash(template)),
        None => serde_json::to_string(template),
    };
    digest(&text.expect("it is JSON already"))
}

/// The first sixteen hexadecimal digits of the SHA-256 of a text.
pub fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.as_bytes());
    hash[..8].iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A ReplicaSet's template as the Deployment had it: without the label that the controller added.
pub fn without_template_hash(template: &Value) -> Value {
    let mut template = template.clone();
    if let Some(labels) = template
        .pointer_mut("/metadata/labels")
        .and_then(Value::as_object_mut)
    {
        labels.remove(POD_TEMPLATE_HASH);
    }
    template
}

/// What we read of a ReplicaSet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReplicaSet {
    /// `metadata.name`.
    pub name: String,
    /// The rollout that made it the newest the last time; 0 where the controller has not said.
    pub revision: u64,
    /// The uid of the object that controls it.
    pub owner: String,
    /// Its selector's `pod-template-hash`, which its pods carry too.
    pub template_hash: String,
    /// Pods that it has.
    pub replicas: i64,
    /// Pods that were ready for `minReadySeconds`.
    pub available: i64,
    /// Why it cannot create pods, and since when.
    pub failure: Option<(String, Option<Timestamp>)>,
    /// When it was created.
    pub created: Option<Timestamp>,
    /// Whether it was the newest before, and its template came back: the controller keeps a list of
    /// the revisions that it had.
    /// <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/deployment/util/deployment_util.go>
    pub returned: bool,
}

impl ReplicaSet {
    /// Reads one item of a list.
    pub fn read(object: &Value) -> ReplicaSet {
        let text = |pointer: &str| {
            let value = object.pointer(pointer).and_then(Value::as_str);
            value.unwrap_or_default().to_owned()
        };
        let number = |pointer: &str| object.pointer(pointer).and_then(Value::as_i64);
        ReplicaSet {
            name: text("/metadata/name"),
            revision: object
                .pointer("/metadata/annotations")
                .and_then(|annotations| annotations.get(REVISION)?.as_str()?.parse().ok())
                .unwrap_or(0),
            owner: bounded(controller(object).unwrap_or_default()).to_owned(),
            template_hash: text("/metadata/labels/pod-template-hash"),
            replicas: number("/status/replicas").unwrap_or(0),
            available: number("/status/availableReplicas").unwrap_or(0),
            failure: failure(object),
            created: timestamp(&text("/metadata/creationTimestamp")),
            returned: object
                .pointer("/metadata/annotations")
                .and_then(|annotations| annotations.get(REVISION_HISTORY))
                .is_some(),
        }
    }
}

/// The condition `ReplicaFailure` of a ReplicaSet.
fn failure(object: &Value) -> Option<(String, Option<Timestamp>)> {
    let conditions = object.pointer("/status/conditions")?.as_array()?;
    let found = conditions
        .iter()
        .find(|one| one["type"] == "ReplicaFailure" && one["status"] == "True")?;
    let since = found["lastTransitionTime"].as_str().and_then(timestamp);
    Some((
        found["message"].as_str().unwrap_or_default().to_owned(),
        since,
    ))
}

/// The newest ReplicaSet of a Deployment: the one with the highest revision among its own.
pub fn newest<'a>(deployment: &Deployment, sets: &'a [ReplicaSet]) -> Option<&'a ReplicaSet> {
    sets.iter()
        .filter(|set| set.owner == deployment.uid())
        .max_by_key(|set| set.revision)
}

/// The beginning of what goes into a continuation token: a uid has 36 characters, a time 20.
fn bounded(text: &str) -> &str {
    const LIMIT: usize = 64;
    text.char_indices()
        .nth(LIMIT)
        .map_or(text, |(end, _)| &text[..end])
}

/// The template of a ReplicaSet to return to. A note or a token names the ReplicaSet, and is data:
/// only one that this very Deployment controls is taken.
pub fn template_of(set: &Value, deployment: &Deployment) -> Option<Value> {
    let uid = deployment.uid();
    let owned = !uid.is_empty() && controller(set) == Some(uid);
    set.pointer("/spec/template").filter(|_| owned).cloned()
}

/// The uid of the object that controls this one.
fn controller(object: &Value) -> Option<&str> {
    let owners = object.pointer("/metadata/ownerReferences")?.as_array()?;
    let owner = owners
        .iter()
        .find(|owner| owner.get("controller") == Some(&Value::Bool(true)))?;
    owner.get("uid")?.as_str()
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

/// A time as Kubernetes writes it; `None` where it is none.
pub fn timestamp(text: &str) -> Option<Timestamp> {
    text.parse().ok()
}

#[cfg(test)]
mod tests;
