//! The ReplicaSets of a Deployment: its newest version and the previous ones.

use super::{REVISION, TEMPLATE_HASH, Workload};
use crate::kubernetes::object::{bounded, controller, timestamp};
use crate::kubernetes::service::ServicePod;
use jiff::Timestamp;
use serde_json::Value;

/// The earlier revisions of a ReplicaSet that came back.
const REVISION_HISTORY: &str = "deployment.kubernetes.io/revision-history";

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
            template_hash: text(&format!("/metadata/labels/{TEMPLATE_HASH}")),
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

impl ServicePod {
    /// Whether one of these ReplicaSets of the workload controls it.
    pub fn is_of(&self, live: &Workload, sets: &[ReplicaSet]) -> bool {
        let mut own = sets.iter().filter(|set| set.owner == live.uid());
        own.any(|set| set.name == self.owner)
    }
}

/// The newest ReplicaSet of a Deployment: the one with the highest revision among its own.
pub fn newest<'a>(live: &Workload, sets: &'a [ReplicaSet]) -> Option<&'a ReplicaSet> {
    sets.iter()
        .filter(|set| set.owner == live.uid())
        .max_by_key(|set| set.revision)
}

/// The template of a ReplicaSet to return to. A note or a token names the ReplicaSet, and is data:
/// only one that this very Deployment controls is taken.
pub fn template_of(set: &Value, live: &Workload) -> Option<Value> {
    let uid = live.uid();
    let owned = !uid.is_empty() && controller(set) == Some(uid);
    set.pointer(live.kind().row().versions.template)
        .filter(|_| owned)
        .cloned()
}

#[cfg(test)]
mod tests;
