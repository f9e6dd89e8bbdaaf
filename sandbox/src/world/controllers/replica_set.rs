//! The ReplicaSet controller: creates and deletes pods, and counts them.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/replicaset/replica_set.go>

use crate::world::behaviour::Behaviour;
use crate::world::controllers::pod::create::{NewPod, over_quota, suffix};
use crate::world::controllers::pod::script::{is_over, uncreated};
use crate::world::object::{condition, integer, owned_by, terminating, text, time, written};
use crate::world::state::{Task, World};
use crate::world::store::Key;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

const CONTROLLER: &str = "replicaset-controller";
/// How many pods one step creates or deletes at most: the controller's burst.
const BURST: usize = 500;

/// Pods with their keys.
pub(crate) type Pods = Vec<(Key, Arc<Value>)>;

impl World {
    pub(crate) fn sync_replica_set(&mut self, key: &Key) {
        let Some(set) = self.store.get(key).cloned().filter(|set| !terminating(set)) else {
            return;
        };
        let mut pods = self.pods_of(key, text(&set, "/metadata/uid"));
        pods.retain(|(_, pod)| !is_over(pod));
        let (leaving, active): (Pods, Pods) =
            pods.into_iter().partition(|(_, pod)| terminating(pod));
        let wanted = usize::try_from(integer(&set, "/spec/replicas")).unwrap_or_default();
        let failure = if active.len() < wanted {
            self.create_pods(key, &set, (wanted - active.len()).min(BURST), active.len())
        } else {
            self.delete_pods(&set, &active, (active.len() - wanted).min(BURST));
            None
        };
        let status = self.status_of_set(&set, &active, leaving.len(), failure);
        if set["status"] != status {
            let mut object = Value::clone(&set);
            object["status"] = status;
            self.write(key, object);
        }
        self.plan_availability(key, &set, &active);
    }

    /// The pods that an object controls.
    pub(crate) fn pods_of(&self, set: &Key, uid: &str) -> Pods {
        let all = self.store.all("pods");
        all.filter(|(pod, object)| pod.namespace == set.namespace && owned_by(object, uid))
            .map(|(pod, object)| (pod.clone(), Arc::clone(object)))
            .collect()
    }

    /// Creates pods; returns the API server's message if it refuses them.
    fn create_pods(
        &mut self,
        key: &Key,
        set: &Value,
        missing: usize,
        used: usize,
    ) -> Option<String> {
        let template = &set["spec"]["template"];
        let behaviour = self.behaviour_of(&template["spec"]).1;
        if matches!(behaviour, Behaviour::Quota) {
            let pod = format!("{}-{}", key.name, suffix(self.store.number()));
            return Some(self.refuse_pod(key, set, over_quota(&pod, used)));
        }
        let script = behaviour.script();
        let (missing, refused) = match &script {
            Some(script) => self.admitted(script, used, missing),
            None => (missing, None),
        };
        for _ in 0..missing {
            let number = self.store.number();
            let new = NewPod {
                owner: set,
                template,
                name: format!("{}-{}", key.name, suffix(number)),
                number,
                labels: Vec::new(),
            };
            self.start_life(&new.object(&written(self.clock)), script.is_some());
            let message = format!("Created pod: {}", new.name);
            self.event(set, CONTROLLER, "Normal", "SuccessfulCreate", &message);
        }
        let refused = refused?;
        let pod = format!("{}-{}", key.name, suffix(self.store.number()));
        Some(self.refuse_pod(key, set, uncreated(&pod, &refused)))
    }

    /// Notes that a pod was refused, and plans another attempt.
    fn refuse_pod(&mut self, key: &Key, set: &Value, error: String) -> String {
        let message = format!("Error creating: {error}");
        self.event(set, CONTROLLER, "Warning", "FailedCreate", &message);
        let again = self.clock + self.timing.back_off;
        self.plan(Task::ReplicaSet(key.clone()), again);
        error
    }

    fn delete_pods(&mut self, set: &Value, active: &Pods, surplus: usize) {
        let mut ranked: Vec<&(Key, Arc<Value>)> = active.iter().collect();
        ranked.sort_by_cached_key(|(key, pod)| (rank(pod), key.clone()));
        for (key, _) in ranked.into_iter().take(surplus) {
            self.discard(key, true);
            let message = format!("Deleted pod: {}", key.name);
            self.event(set, CONTROLLER, "Normal", "SuccessfulDelete", &message);
        }
    }

    fn status_of_set(
        &self,
        set: &Value,
        active: &Pods,
        leaving: usize,
        failure: Option<String>,
    ) -> Value {
        let ready = active
            .iter()
            .filter(|(_, pod)| ready_since(pod).is_some())
            .count();
        let least = integer(set, "/spec/minReadySeconds");
        let available = active
            .iter()
            .filter(|(_, pod)| available_at(pod, least).is_some_and(|at| at <= self.clock));
        let mut status = json!({"replicas": active.len(), "terminatingReplicas": leaving,
            "observedGeneration": set["metadata"]["generation"]});
        for (field, count) in [
            ("fullyLabeledReplicas", active.len()),
            ("readyReplicas", ready),
            ("availableReplicas", available.count()),
        ] {
            if count > 0 {
                status[field] = count.into();
            }
        }
        if let Some(message) = failure {
            // The first refusal is told until pods can be created again: a message that changed
            // with the name of each pod would be a change to react to, again and again.
            // https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/replicaset/replica_set_utils.go
            let first = || {
                json!({"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate",
                    "message": message, "lastTransitionTime": written(self.clock)})
            };
            let known = condition(set, "ReplicaFailure").cloned();
            status["conditions"] = json!([known.unwrap_or_else(first)]);
        }
        status
    }

    /// Plans another check when the next pod has been ready for long enough.
    fn plan_availability(&mut self, key: &Key, set: &Value, active: &Pods) {
        let least = integer(set, "/spec/minReadySeconds");
        let coming = active
            .iter()
            .filter_map(|(_, pod)| available_at(pod, least));
        if let Some(at) = coming.filter(|at| *at > self.clock).min() {
            self.plan(Task::ReplicaSet(key.clone()), at);
        }
    }
}

/// Since when a pod has been ready.
pub(crate) fn ready_since(pod: &Value) -> Option<Timestamp> {
    let ready = condition(pod, "Ready").filter(|ready| ready["status"] == "True")?;
    time(ready, "/lastTransitionTime")
}

/// When a pod becomes available, or since when it is.
pub(crate) fn available_at(pod: &Value, min_ready_seconds: i64) -> Option<Timestamp> {
    ready_since(pod).map(|since| since + SignedDuration::from_secs(min_ready_seconds))
}

/// The order of deletion: unscheduled, pending, unready, then the newer ones.
fn rank(pod: &Value) -> (bool, bool, bool, std::cmp::Reverse<String>) {
    let created = text(pod, "/metadata/creationTimestamp").to_owned();
    (
        !text(pod, "/spec/nodeName").is_empty(),
        text(pod, "/status/phase") == "Running",
        ready_since(pod).is_some(),
        std::cmp::Reverse(created),
    )
}
