//! Without a probe, "ready" only means "started". So the pods are checked a second time before
//! success is reported.

use crate::kubernetes::object::digest;
use crate::workload::Workload;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// The time between the two checks: an application that cannot start (a missing variable, a
/// database that refuses it) exits within a few seconds, and the kubelet reports it within two
/// more. For a longer time users set `minReadySeconds`.
pub const SECOND_LOOK: Duration = Duration::from_secs(5);

/// The first check of pods without a probe, and whether a second one found the same.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Steady {
    /// When they were first seen in this state.
    pub since: Timestamp,
    /// A digest of the pods and their containers' restart counts.
    pub pods: String,
    /// Whether the second check found them unchanged.
    #[serde(default)]
    pub held: bool,
}

/// The pods and their containers' restart counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Roster {
    /// When they were checked.
    pub at: Timestamp,
    /// A digest of them; constant if the pods may not be read.
    pub pods: String,
}

/// Whether a container counts as ready as soon as it starts: it has no probe, and Kubernetes waits
/// for nothing else.
pub fn is_untested(live: &Workload) -> bool {
    if live.kind().ends() || live.rolls_on_delete() {
        return false;
    }
    let waits = live.min_ready_seconds() > 0;
    live.replicas() > 0 && !waits && !serving(live).all(is_tested)
}

/// Whether a probe tells of at least one container whether it serves.
pub fn has_probe(live: &Workload) -> bool {
    serving(live).any(is_tested)
}

/// The containers whose readiness is the pod's: a sidecar that ends takes it away, too.
fn serving(live: &Workload) -> impl Iterator<Item = &Value> {
    let sidecars = live.containers("initContainers").iter();
    let sidecars = sidecars.filter(|it| it["restartPolicy"] == "Always");
    live.containers("containers").iter().chain(sidecars)
}

fn is_tested(container: &Value) -> bool {
    let probes = |probe: &str| container.get(probe).is_some_and(Value::is_object);
    probes("readinessProbe") || probes("startupProbe")
}

/// A pod in a word: its uid and its containers' restart count. `None` for a pod of another owner
/// (a ReplicaSet, say) or a terminating one.
pub fn pod(pod: &Value, owner: &str) -> Option<String> {
    let owners = pod.pointer("/metadata/ownerReferences")?.as_array()?;
    let ours = owners.iter().any(|one| one["name"] == owner);
    let ending = pod.pointer("/metadata/deletionTimestamp").is_some();
    if !ours || ending {
        return None;
    }
    let lists = ["/status/containerStatuses", "/status/initContainerStatuses"].into_iter();
    let lists = lists.filter_map(|list| pod.pointer(list)?.as_array());
    let containers = lists.flatten();
    let restarts = containers.filter_map(|container| container["restartCount"].as_i64());
    let uid = pod.pointer("/metadata/uid").and_then(Value::as_str);
    let restarts = restarts.sum::<i64>();
    Some(format!("{} {restarts}", uid.unwrap_or_default()))
}

/// The digest of a check's pods.
pub fn summed(pods: impl Iterator<Item = String>) -> String {
    let mut pods = pods.collect::<Vec<_>>();
    pods.sort();
    digest(&pods.join("\n"))
}

#[cfg(test)]
mod tests;
