//! The DaemonSet controller, step by step as the real one.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/daemon>:
//! `daemon_controller.go`, `update.go`.

mod pods;
mod roll;
mod status;

use crate::world::controllers::pod::script::is_over;
use crate::world::controllers::pod::step::scheduled_node;
use crate::world::controllers::replica_set::{Pods, available_at, ready_since};
use crate::world::controllers::revision::{REVISION_HASH, Revision};
use crate::world::object::{integer, terminating, text};
use crate::world::state::World;
use crate::world::store::Key;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A DaemonSet while its controller works on it.
pub(crate) struct Daemons {
    pub(crate) key: Key,
    pub(crate) object: Arc<Value>,
    /// The revision of the template.
    pub(crate) update: Revision,
    /// The hash in the labels of its pods.
    pub(crate) hash: String,
    /// The nodes that should have a pod.
    pub(crate) nodes: BTreeSet<String>,
    /// The pods by their nodes, from the oldest to the newest.
    pub(crate) pods: BTreeMap<String, Pods>,
    pub(crate) now: Timestamp,
}

impl World {
    pub(crate) fn sync_daemon_set(&mut self, key: &Key) {
        let Some(object) = self.observed(key) else {
            return;
        };
        let pods = self.pods_of(key, text(&object, "/metadata/uid"));
        let mut revisions = self.revisions_of(key, &object, REVISION_HASH);
        let Some(update) = revisions.pop() else {
            return;
        };
        let nodes = self.eligible_nodes(&object["spec"]["template"]["spec"]);
        let daemons = Daemons {
            key: key.clone(),
            hash: revision(&update.object).to_owned(),
            object: Arc::clone(&object),
            update,
            nodes: nodes.into_iter().collect(),
            pods: by_node(pods),
            now: self.clock,
        };
        let moved = self.manage_daemons(&daemons);
        // The real controller waits until it sees what it has made.
        if !moved && text(&object, "/spec/updateStrategy/type") != "OnDelete" {
            self.roll_daemons(&daemons);
        }
        self.write_daemons_status(&daemons);
        let pods = daemons.pods.values().flatten();
        let live: Vec<&str> = pods.map(|(_, pod)| revision(pod)).collect();
        let in_use = |it: &Revision| live.contains(&revision(&it.object));
        self.trim_revisions(&object, &revisions, in_use);
    }

    /// One pod on each node that should have one, none elsewhere; returns whether that took a
    /// write.
    fn manage_daemons(&mut self, set: &Daemons) -> bool {
        let mut doomed: Vec<Key> = Vec::new();
        for (node, pods) in &set.pods {
            if !set.nodes.contains(node) {
                doomed.extend(pods.iter().map(|(key, _)| key.clone()));
                continue;
            }
            let active = pods.iter().filter(|(_, pod)| !terminating(pod));
            let (over, running): (Vec<_>, Vec<_>) = active.partition(|(_, pod)| is_over(pod));
            doomed.extend(over.into_iter().map(|(key, _)| key.clone()));
            doomed.extend(set.surplus(&running).into_iter().cloned());
        }
        let missing = set
            .nodes
            .iter()
            .filter(|node| !set.pods.contains_key(*node));
        let missing: Vec<&String> = missing.collect();
        for key in &doomed {
            self.delete_daemon(set, key);
        }
        for node in &missing {
            self.create_daemon(set, node);
        }
        !doomed.is_empty() || !missing.is_empty()
    }
}

impl Daemons {
    pub(crate) fn min_ready(&self) -> i64 {
        integer(&self.object, "/spec/minReadySeconds")
    }

    pub(crate) fn is_available(&self, pod: &Value) -> bool {
        available_at(pod, self.min_ready()).is_some_and(|at| at <= self.now)
    }

    pub(crate) fn is_updated(&self, pod: &Value) -> bool {
        revision(pod) == self.hash
    }

    /// (maxSurge, maxUnavailable) in pods.
    pub(crate) fn bounds(&self) -> (usize, usize) {
        let rolling = &self.object["spec"]["updateStrategy"]["rollingUpdate"];
        let total = self.nodes.len();
        let surge = resolve(&rolling["maxSurge"], total).unwrap_or(0);
        let unavailable = resolve(&rolling["maxUnavailable"], total).unwrap_or(1);
        match (surge, unavailable) {
            (0, 0) => (0, 1),
            bounds => bounds,
        }
    }

    /// The pods of a node beyond one; with surge also an old one that a new one has replaced.
    fn surplus<'a>(&self, running: &[&'a (Key, Arc<Value>)]) -> Vec<&'a Key> {
        if running.len() < 2 {
            return Vec::new();
        }
        if self.bounds().0 == 0 {
            return running.iter().skip(1).map(|(key, _)| key).collect();
        }
        let all = running.iter().copied();
        let (new, old): (Vec<_>, Vec<_>) = all.partition(|(_, pod)| self.is_updated(pod));
        let extra = new.iter().skip(1).chain(old.iter().skip(1));
        let mut surplus: Vec<&'a Key> = extra.map(|(key, _)| key).collect();
        if let (Some((_, new)), Some((key, old))) = (new.first(), old.first())
            && (ready_since(old).is_none() || self.is_available(new))
        {
            surplus.push(key);
        }
        surplus
    }
}

/// The hash of a pod or of a revision.
pub(crate) fn revision(object: &Value) -> &str {
    object["metadata"]["labels"][REVISION_HASH]
        .as_str()
        .unwrap_or_default()
}

/// An int-or-percent of a number of nodes, rounded up.
fn resolve(value: &Value, total: usize) -> Option<usize> {
    if let Some(percent) = value.as_str() {
        let percent = percent.strip_suffix('%')?.parse::<usize>().ok()?;
        return Some((percent * total).div_ceil(100));
    }
    usize::try_from(value.as_i64()?).ok()
}

fn by_node(mut pods: Pods) -> BTreeMap<String, Pods> {
    pods.sort_by_cached_key(|(key, pod)| {
        let created = text(pod, "/metadata/creationTimestamp").to_owned();
        (created, key.clone())
    });
    let mut nodes: BTreeMap<String, Pods> = BTreeMap::new();
    for (key, pod) in pods {
        let node = scheduled_node(&pod).to_owned();
        nodes.entry(node).or_default().push((key, pod));
    }
    nodes
}
