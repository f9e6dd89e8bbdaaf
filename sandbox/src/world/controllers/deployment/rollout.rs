//! A Deployment with its ReplicaSets, as the controller reads them.

use crate::world::object::{condition, integer, map, map_mut, text};
use crate::world::store::Key;
use serde_json::{Map, Value, json};
use std::sync::Arc;

pub(crate) const CONTROLLER: &str = "deployment-controller";
pub(crate) const HASH: &str = "pod-template-hash";
pub(crate) const REVISION: &str = "deployment.kubernetes.io/revision";
pub(crate) const HISTORY: &str = "deployment.kubernetes.io/revision-history";
pub(crate) const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
pub(crate) const MAXIMUM: &str = "deployment.kubernetes.io/max-replicas";
pub(crate) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
pub(crate) const ROLLBACK: &str = "deprecated.deployment.rollback.to";
/// The value that means "no deadline".
pub(crate) const NO_DEADLINE: i64 = i32::MAX as i64;

/// A ReplicaSet of the Deployment.
#[derive(Clone)]
pub(crate) struct Set {
    pub(crate) key: Key,
    pub(crate) object: Arc<Value>,
}

impl Set {
    pub(crate) fn size(&self) -> i64 {
        integer(&self.object, "/spec/replicas")
    }

    pub(crate) fn status(&self, field: &str) -> i64 {
        self.object["status"][field].as_i64().unwrap_or_default()
    }

    pub(crate) fn annotation(&self, name: &str) -> &str {
        self.object["metadata"]["annotations"][name]
            .as_str()
            .unwrap_or_default()
    }

    pub(crate) fn revision(&self) -> i64 {
        self.annotation(REVISION).parse().unwrap_or_default()
    }

    pub(crate) fn age(&self) -> (&str, &str) {
        let created = text(&self.object, "/metadata/creationTimestamp");
        (created, &self.key.name)
    }
}

/// A Deployment while its controller works on it.
pub(crate) struct Rollout {
    pub(crate) key: Key,
    /// The stored object; the controller writes status and annotations into it. It is copied only
    /// if something changes, which is rare.
    pub(crate) object: Arc<Value>,
    pub(crate) new: Option<Set>,
    /// From the oldest to the newest.
    pub(crate) old: Vec<Set>,
}

impl Rollout {
    pub(crate) fn replicas(&self) -> i64 {
        integer(&self.object, "/spec/replicas")
    }

    pub(crate) fn recreates(&self) -> bool {
        text(&self.object, "/spec/strategy/type") == "Recreate"
    }

    pub(crate) fn paused(&self) -> bool {
        self.object["spec"]["paused"] == true
    }

    pub(crate) fn all(&self) -> impl Iterator<Item = &Set> {
        self.old.iter().chain(&self.new)
    }

    pub(crate) fn total(&self, of: impl Fn(&Set) -> i64) -> i64 {
        self.all().map(of).sum()
    }

    /// (maxSurge, maxUnavailable) in pods. If both are zero, nothing could happen, so
    /// maxUnavailable becomes 1.
    pub(crate) fn bounds(&self) -> (i64, i64) {
        if self.recreates() {
            return (0, 0);
        }
        let rolling = &self.object["spec"]["strategy"]["rollingUpdate"];
        let surge = resolve(&rolling["maxSurge"], self.replicas(), true);
        let unavailable = resolve(&rolling["maxUnavailable"], self.replicas(), false);
        let unavailable = if surge == 0 && unavailable == 0 {
            1
        } else {
            unavailable
        };
        (surge, unavailable.min(self.replicas()))
    }

    pub(crate) fn deadline(&self) -> Option<i64> {
        let seconds = self.object["spec"]["progressDeadlineSeconds"].as_i64();
        seconds.filter(|seconds| *seconds != NO_DEADLINE)
    }

    pub(crate) fn set_condition(
        &mut self,
        kind: &str,
        status: &str,
        reason: &str,
        message: &str,
        now: &str,
    ) {
        let new = new_condition(kind, status, reason, message, now);
        merge_condition(map_mut(Arc::make_mut(&mut self.object), "status"), new);
    }

    pub(crate) fn annotate(&mut self, name: &str, value: &str) {
        if self.object["metadata"]["annotations"][name] != value {
            annotate(Arc::make_mut(&mut self.object), name, value);
        }
    }

    pub(crate) fn progress_reason(&self) -> Option<&str> {
        condition(&self.object, "Progressing").map(|it| text(it, "/reason"))
    }

    /// The new ReplicaSet as in messages, else the Deployment.
    pub(crate) fn subject(&self) -> String {
        match &self.new {
            Some(set) => format!("ReplicaSet \"{}\"", set.key.name),
            None => format!("Deployment \"{}\"", self.key.name),
        }
    }
}

/// An int-or-percent of a total.
pub(crate) fn resolve(value: &Value, total: i64, up: bool) -> i64 {
    let percent = value.as_str().and_then(|text| text.strip_suffix('%'));
    match percent.and_then(|percent| percent.parse::<i64>().ok()) {
        Some(percent) if up => (percent * total + 99) / 100,
        Some(percent) => percent * total / 100,
        None => value.as_i64().unwrap_or_default(),
    }
}

pub(crate) fn new_condition(
    kind: &str,
    status: &str,
    reason: &str,
    message: &str,
    now: &str,
) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message,
        "lastUpdateTime": now, "lastTransitionTime": now})
}

/// The same status and reason change nothing, not even the times.
pub(crate) fn merge_condition(status: &mut Map<String, Value>, mut new: Value) {
    let all = status.entry("conditions").or_insert_with(|| json!([]));
    let Some(all) = all.as_array_mut() else {
        return;
    };
    if let Some(old) = all.iter().find(|old| old["type"] == new["type"]) {
        if old["status"] == new["status"] && old["reason"] == new["reason"] {
            return;
        }
        if old["status"] == new["status"] {
            new["lastTransitionTime"] = old["lastTransitionTime"].clone();
        }
    }
    all.retain(|old| old["type"] != new["type"]);
    all.push(new);
}

pub(crate) fn drop_condition(status: &mut Value, kind: &str) {
    if let Some(all) = status["conditions"].as_array_mut() {
        all.retain(|old| old["type"] != kind);
    }
}

/// Whether two templates are equal, ignoring the label that the controller adds.
pub(crate) fn same_template(one: &Value, other: &Value) -> bool {
    same_but(one, other, "metadata", |one, other| {
        same_but(one, other, "labels", |one, other| {
            let own = |labels: &Value| {
                let labels = labels.as_object().into_iter().flatten();
                labels.filter(|(name, _)| *name != HASH).count()
            };
            let mut labels = one.as_object().into_iter().flatten();
            own(one) == own(other)
                && labels.all(|(name, value)| name == HASH || other.get(name) == Some(value))
        })
    })
}

/// Whether two objects are equal, with a special comparison for one field.
pub(crate) fn same_but(
    one: &Value,
    other: &Value,
    field: &str,
    same: impl Fn(&Value, &Value) -> bool,
) -> bool {
    let (Some(ones), Some(others)) = (one.as_object(), other.as_object()) else {
        return one == other;
    };
    let alike = |(name, value): (&String, &Value)| name == field || others.get(name) == Some(value);
    ones.len() == others.len()
        && ones.contains_key(field) == others.contains_key(field)
        && ones.iter().all(alike)
        && same(&one[field], &other[field])
}

pub(crate) fn owner_references(deployment: &Value) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment["metadata"]["name"],
        "uid": deployment["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true}])
}

pub(crate) fn annotate(object: &mut Value, name: &str, value: &str) {
    map_mut(&mut object["metadata"], "annotations").insert(name.to_owned(), value.into());
}

pub(crate) fn copy_annotations(deployment: &Value, set: &mut Value) {
    let own = [LAST_APPLIED, REVISION, HISTORY, DESIRED, MAXIMUM, ROLLBACK];
    for (name, value) in map(deployment, "/metadata/annotations")
        .into_iter()
        .flatten()
    {
        if !own.contains(&name.as_str()) {
            annotate(set, name, value.as_str().unwrap_or_default());
        }
    }
}

/// A ReplicaSet's share of a change in size.
pub(crate) fn fraction(set: &Set, wanted: i64, surge: i64) -> i64 {
    if wanted == 0 {
        return -set.size();
    }
    let before = set
        .annotation(MAXIMUM)
        .parse::<i64>()
        .unwrap_or(wanted + surge)
        .max(1);
    let doubled = 2 * set.size() * (wanted + surge) + before;
    doubled.div_euclid(2 * before) - set.size()
}
