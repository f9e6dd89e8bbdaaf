//! The pods of a DaemonSet, each bound to its node.

use crate::world::controllers::daemon_set::Daemons;
use crate::world::controllers::pod::create::{NewPod, suffix};
use crate::world::controllers::revision::REVISION_HASH;
use crate::world::object::written;
use crate::world::state::{Task, World};
use crate::world::store::Key;
use serde_json::{Value, json};

const CONTROLLER: &str = "daemonset-controller";

impl World {
    pub(crate) fn create_daemon(&mut self, set: &Daemons, node: &str) {
        let number = self.store.number();
        let template = set.update.template();
        let new = NewPod {
            owner: &set.object,
            template: &template,
            name: format!("{}-{}", set.key.name, suffix(number)),
            number,
            labels: vec![(REVISION_HASH, set.hash.clone())],
        };
        let mut pod = new.object(&written(self.clock));
        bind(&mut pod["spec"], node);
        let used = set.pods.values().map(Vec::len).sum();
        let accepted = self.create_pod(pod, used);
        let (kind, reason, message) = match &accepted {
            Ok(()) => (
                "Normal",
                "SuccessfulCreate",
                format!("Created pod: {}", new.name),
            ),
            Err(error) => (
                "Warning",
                "FailedCreate",
                format!("Error creating: {error}"),
            ),
        };
        self.event(&set.object, CONTROLLER, kind, reason, &message);
        if accepted.is_err() {
            let again = self.clock + self.timing.back_off;
            self.plan(Task::Other(set.key.clone()), again);
        }
    }

    pub(crate) fn delete_daemon(&mut self, set: &Daemons, pod: &Key) {
        self.discard(pod, true);
        let message = format!("Deleted pod: {}", pod.name);
        self.event(
            &set.object,
            CONTROLLER,
            "Normal",
            "SuccessfulDelete",
            &message,
        );
    }
}

/// Lets the scheduler put a pod on this node only.
fn bind(spec: &mut Value, node: &str) {
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    spec["affinity"]["nodeAffinity"][required] = json!({"nodeSelectorTerms": [{"matchFields": [
        {"key": "metadata.name", "operator": "In", "values": [node]}]}]});
}
