//! The status of a DaemonSet: its counts by nodes.

use crate::world::controllers::daemon_set::Daemons;
use crate::world::controllers::replica_set::{available_at, ready_since};
use crate::world::state::{Task, World};
use serde_json::{Value, json};

impl World {
    /// Counts the pods as they were before this round.
    pub(crate) fn write_daemons_status(&mut self, set: &Daemons) {
        let status = count(set);
        if set.object["status"] != status {
            let mut object = Value::clone(&set.object);
            object["status"] = status;
            self.write(&set.key, object);
        }
        let pods = set.pods.values().flatten();
        let coming = pods.filter_map(|(_, pod)| available_at(pod, set.min_ready()));
        if let Some(at) = coming.filter(|at| *at > self.clock).min() {
            self.plan(Task::Other(set.key.clone()), at);
        }
    }
}

fn count(set: &Daemons) -> Value {
    // The oldest pod of a node stands for it.
    let oldest = set
        .nodes
        .iter()
        .filter_map(|node| set.pods.get(node)?.first());
    let oldest: Vec<&Value> = oldest.map(|(_, pod)| pod.as_ref()).collect();
    let of = |which: &dyn Fn(&Value) -> bool| oldest.iter().filter(|pod| which(pod)).count();
    let misplaced = set.pods.keys().filter(|node| !set.nodes.contains(*node));
    let available = of(&|pod| set.is_available(pod));
    let mut status = json!({
        "observedGeneration": set.object["metadata"]["generation"],
        "desiredNumberScheduled": set.nodes.len(),
        "currentNumberScheduled": oldest.len(),
        "numberMisscheduled": misplaced.count(),
        "numberReady": of(&|pod| ready_since(pod).is_some()),
    });
    for (field, count) in [
        ("updatedNumberScheduled", of(&|pod| set.is_updated(pod))),
        ("numberAvailable", available),
        ("numberUnavailable", set.nodes.len() - available),
    ] {
        if count > 0 {
            status[field] = count.into();
        }
    }
    status
}
