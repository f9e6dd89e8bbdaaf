//! The status of a StatefulSet: its counts and revisions.

use crate::world::controllers::replica_set::available_at;
use crate::world::controllers::stateful_set::{Replicas, is_ready, revision};
use crate::world::object::terminating;
use crate::world::state::{Task, World};
use serde_json::{Value, json};

impl World {
    /// Counts the pods as they were before this round; those that it made are seen in the next.
    pub(crate) fn write_replicas_status(&mut self, set: &Replicas) {
        let status = count(set);
        if set.object["status"] != status {
            let mut object = Value::clone(&set.object);
            object["status"] = status;
            self.write(&set.key, object);
        }
        let pods = set.pods.values();
        let coming = pods.filter_map(|(_, pod)| available_at(pod, set.min_ready()));
        if let Some(at) = coming.filter(|at| *at > self.clock).min() {
            self.plan(Task::Other(set.key.clone()), at);
        }
    }
}

fn count(set: &Replicas) -> Value {
    let of = |which: &dyn Fn(&Value) -> bool| -> i64 {
        let pods = set.pods.values().filter(|(_, pod)| which(pod));
        i64::try_from(pods.count()).unwrap_or(i64::MAX)
    };
    let is_of = |name: &str, pod: &Value| revision(pod) == name && !terminating(pod);
    let (replicas, ready) = (of(&|_| true), of(&is_ready));
    let updated = of(&|pod| is_of(set.update.name(), pod));
    let mut current = (
        set.current.name(),
        of(&|pod| is_of(set.current.name(), pod)),
    );
    let is_complete = [updated, ready, replicas]
        .iter()
        .all(|it| *it == set.wanted());
    if !set.is_on_delete() && is_complete {
        current = (set.update.name(), updated);
    }
    let mut status = json!({
        "observedGeneration": set.object["metadata"]["generation"],
        "replicas": replicas,
        "availableReplicas": of(&|pod| set.is_available(pod)),
        "currentRevision": current.0,
        "updateRevision": set.update.name(),
        "collisionCount": 0,
    });
    for (field, count) in [
        ("readyReplicas", ready),
        ("currentReplicas", current.1),
        ("updatedReplicas", updated),
    ] {
        if count > 0 {
            status[field] = count.into();
        }
    }
    status
}
