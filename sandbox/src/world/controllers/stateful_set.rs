//! The StatefulSet controller, step by step as the real one.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/statefulset>:
//! `stateful_set_control.go`, `stateful_set_utils.go`.

mod pods;
mod status;

use crate::world::controllers::replica_set::{Pods, available_at, ready_since};
use crate::world::controllers::revision::{REVISION_HASH, Revision, STATEFUL_HASH};
use crate::world::object::{integer, terminating, text};
use crate::world::state::World;
use crate::world::store::Key;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::Arc;

/// A StatefulSet while its controller works on it.
pub(crate) struct Replicas {
    pub(crate) key: Key,
    pub(crate) object: Arc<Value>,
    /// The revision of the pods that are not updated yet.
    pub(crate) current: Revision,
    /// The revision of the template.
    pub(crate) update: Revision,
    /// The pods by their ordinals.
    pub(crate) pods: BTreeMap<i64, (Key, Arc<Value>)>,
    pub(crate) now: Timestamp,
}

impl World {
    pub(crate) fn sync_stateful_set(&mut self, key: &Key) {
        let Some(object) = self.observed(key) else {
            return;
        };
        let pods = self.pods_of(key, text(&object, "/metadata/uid"));
        let mut revisions = self.revisions_of(key, &object, STATEFUL_HASH);
        let Some(update) = revisions.pop() else {
            return;
        };
        let named = text(&object, "/status/currentRevision");
        let current = revisions.iter().find(|it| it.name() == named);
        let replicas = Replicas {
            key: key.clone(),
            object: Arc::clone(&object),
            current: current.unwrap_or(&update).clone(),
            update,
            pods: by_ordinal(key, pods),
            now: self.clock,
        };
        self.step_replicas(&replicas);
        self.write_replicas_status(&replicas);
        let live: Vec<&str> = replicas
            .pods
            .values()
            .map(|(_, pod)| revision(pod))
            .collect();
        let in_use =
            |it: &Revision| it.name() == replicas.current.name() || live.contains(&it.name());
        self.trim_revisions(&object, &revisions, in_use);
    }

    /// The steps of one round; each that must be waited for ends it.
    fn step_replicas(&mut self, set: &Replicas) {
        if self.keep_replicas(set) || self.drop_condemned(set) || set.is_on_delete() {
            return;
        }
        self.replace_outdated(set);
    }

    /// Creates what is missing; returns whether the rest must wait.
    fn keep_replicas(&mut self, set: &Replicas) -> bool {
        let in_order = set.is_in_order();
        let mut waits = false;
        for ordinal in set.ordinals() {
            let Some((key, pod)) = set.pods.get(&ordinal) else {
                waits |= !self.create_replica(set, ordinal);
                if in_order {
                    return true;
                }
                continue;
            };
            let phase = text(pod, "/status/phase");
            if matches!(phase, "Failed" | "Succeeded") {
                self.delete_replica(set, key);
                waits = true;
            }
            if in_order && (waits || !set.is_available(pod) || terminating(pod)) {
                return true;
            }
        }
        waits
    }

    /// Deletes what is beyond the size, the highest ordinal first.
    fn drop_condemned(&mut self, set: &Replicas) -> bool {
        let mut waits = false;
        let wanted = set.ordinals();
        let surplus = set.pods.iter().rev();
        for (_, (key, pod)) in surplus.filter(|(ordinal, _)| !wanted.contains(ordinal)) {
            if !terminating(pod) {
                self.delete_replica(set, key);
                waits = true;
            }
            if set.is_in_order() {
                return true;
            }
        }
        waits
    }

    /// Deletes the highest pod of another revision, unless one above it is not available.
    fn replace_outdated(&mut self, set: &Replicas) {
        for ordinal in set.ordinals().rev().take_while(|it| *it >= set.partition()) {
            let Some((key, pod)) = set.pods.get(&ordinal) else {
                return;
            };
            if revision(pod) != set.update.name() && !terminating(pod) {
                self.delete_replica(set, key);
                return;
            }
            if terminating(pod) || !set.is_available(pod) {
                return;
            }
        }
    }
}

impl Replicas {
    pub(crate) fn wanted(&self) -> i64 {
        self.object["spec"]["replicas"].as_i64().unwrap_or(1)
    }

    fn start(&self) -> i64 {
        integer(&self.object, "/spec/ordinals/start")
    }

    fn ordinals(&self) -> std::ops::Range<i64> {
        self.start()..self.start() + self.wanted()
    }

    pub(crate) fn partition(&self) -> i64 {
        integer(&self.object, "/spec/updateStrategy/rollingUpdate/partition")
    }

    pub(crate) fn is_on_delete(&self) -> bool {
        text(&self.object, "/spec/updateStrategy/type") == "OnDelete"
    }

    fn is_in_order(&self) -> bool {
        text(&self.object, "/spec/podManagementPolicy") != "Parallel"
    }

    /// The revision that a new pod gets: below the partition still the current one.
    pub(crate) fn revision_for(&self, ordinal: i64) -> &Revision {
        let is_kept = !self.is_on_delete() && ordinal < self.start() + self.partition();
        if is_kept { &self.current } else { &self.update }
    }

    pub(crate) fn min_ready(&self) -> i64 {
        integer(&self.object, "/spec/minReadySeconds")
    }

    /// Whether a pod runs and has been ready for long enough.
    pub(crate) fn is_available(&self, pod: &Value) -> bool {
        is_ready(pod) && available_at(pod, self.min_ready()).is_some_and(|at| at <= self.now)
    }
}

/// The revision of a pod.
pub(crate) fn revision(pod: &Value) -> &str {
    pod["metadata"]["labels"][REVISION_HASH]
        .as_str()
        .unwrap_or_default()
}

pub(crate) fn is_ready(pod: &Value) -> bool {
    text(pod, "/status/phase") == "Running" && ready_since(pod).is_some()
}

fn by_ordinal(set: &Key, pods: Pods) -> BTreeMap<i64, (Key, Arc<Value>)> {
    let ordinal = |key: &Key| {
        let end = key.name.strip_prefix(&set.name)?.strip_prefix('-')?;
        end.parse::<i64>().ok()
    };
    let pods = pods.into_iter();
    pods.filter_map(|(key, pod)| Some((ordinal(&key)?, (key, pod))))
        .collect()
}
