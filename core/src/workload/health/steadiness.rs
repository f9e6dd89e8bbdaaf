//! Where nothing probes a container, "ready" means "was started". So its pods are looked at a
//! second time before it is said that they serve.

use crate::kubernetes::object::{Deployment, digest};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

/// How long after the first look the second one is: an application that cannot start (a missing
/// variable, a database that refuses it) ends within a few seconds, and the kubelet tells of it
/// within two more. Longer would be the user's to ask for, by `minReadySeconds`.
pub const SECOND_LOOK: Duration = Duration::from_secs(5);

/// The first look at pods that nothing probes, and whether a second one found the same.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Steady {
    /// When they were first seen as they are.
    pub since: Timestamp,
    /// Which pods, and how often their containers had been started again: a digest.
    pub pods: String,
    /// Whether the second look found them unchanged.
    #[serde(default)]
    pub held: bool,
}

/// Which pods there are, and how often their containers were started again.
#[derive(Clone, Debug, PartialEq)]
pub struct Roster {
    /// When they were looked at.
    pub at: Timestamp,
    /// A digest of it; always the same where the pods may not be read.
    pub pods: String,
}

/// Whether a container serves as soon as it is started: nothing asks it whether it can, and
/// Kubernetes waits for nothing else.
pub fn is_untested(live: &Deployment) -> bool {
    let waits = live.value().pointer("/spec/minReadySeconds");
    let waits = waits.and_then(Value::as_i64).unwrap_or(0) > 0;
    let probes =
        |container: &Value, probe: &str| container.get(probe).is_some_and(Value::is_object);
    let tested = |it: &Value| probes(it, "readinessProbe") || probes(it, "startupProbe");
    live.replicas() > 0 && !waits && !live.containers("containers").iter().all(tested)
}

/// One pod in a word: its uid, with the count of its containers' restarts. `None` for one that is
/// not of this ReplicaSet or is ending.
pub fn pod(pod: &Value, set: &str) -> Option<String> {
    let owners = pod.pointer("/metadata/ownerReferences")?.as_array()?;
    let ours = owners.iter().any(|owner| owner["name"] == set);
    let ending = pod.pointer("/metadata/deletionTimestamp").is_some();
    if !ours || ending {
        return None;
    }
    let containers = pod.pointer("/status/containerStatuses");
    let containers = containers.and_then(Value::as_array).into_iter().flatten();
    let restarts = containers.filter_map(|container| container["restartCount"].as_i64());
    let uid = pod.pointer("/metadata/uid").and_then(Value::as_str);
    Some(format!(
        "{} {}",
        uid.unwrap_or_default(),
        restarts.sum::<i64>()
    ))
}

/// The pods of a look in short.
pub fn summed(pods: impl Iterator<Item = String>) -> String {
    let mut pods = pods.collect::<Vec<_>>();
    pods.sort();
    digest(&pods.join("\n"))
}

#[cfg(test)]
mod tests;
