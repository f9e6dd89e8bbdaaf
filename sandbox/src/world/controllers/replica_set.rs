//! The ReplicaSet controller: creates and deletes pods, and counts them.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/replicaset/replica_set.go>

use crate::world::behaviour::{Behaviour, Life};
use crate::world::controllers::pod::script::{is_over, uncreated};
use crate::world::object::{
    condition, hash, integer, letters, map_mut, owned_by, terminating, text, time, written,
};
use crate::world::state::{Task, World};
use crate::world::store::Key;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

const CONTROLLER: &str = "replicaset-controller";
/// How many pods one step creates or deletes at most: the controller's burst.
const BURST: usize = 500;

type Pods = Vec<(Key, Arc<Value>)>;

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
        if matches!(self.behaviour_of(&template["spec"]).1, Behaviour::Quota) {
            let pod = format!("{}-{}", key.name, suffix(self.store.number()));
            let error = format!(
                "pods \"{pod}\" is forbidden: exceeded quota: compute-resources, requested: \
                 pods=1, used: pods={used}, limited: pods={used}"
            );
            self.event(
                set,
                CONTROLLER,
                "Warning",
                "FailedCreate",
                &format!("Error creating: {error}"),
            );
            self.plan(
                Task::ReplicaSet(key.clone()),
                self.clock + self.timing.back_off,
            );
            return Some(error);
        }
        let behaviour = self.behaviour_of(&template["spec"]).1;
        let script = if let Behaviour::Scripted(script) = behaviour {
            Some(script)
        } else {
            None
        };
        let (missing, refused) = match &script {
            Some(script) => self.admitted(script, used, missing),
            None => (missing, None),
        };
        for _ in 0..missing {
            let number = self.store.number();
            let name = format!("{}-{}", key.name, suffix(number));
            let pod = pod_of(set, &name, number, &written(self.clock));
            let pod_key = Key::new("pods", &key.namespace, &name);
            self.write(&pod_key, pod);
            self.lives.insert(pod_key.clone(), Life::default());
            if script.is_some() {
                self.next_in_script(&pod_key);
            }
            self.plan_step(Task::Pod(pod_key));
            self.event(
                set,
                CONTROLLER,
                "Normal",
                "SuccessfulCreate",
                &format!("Created pod: {name}"),
            );
        }
        let refused = refused?;
        let pod = format!("{}-{}", key.name, suffix(self.store.number()));
        let error = uncreated(&pod, &refused);
        let message = format!("Error creating: {error}");
        self.event(set, CONTROLLER, "Warning", "FailedCreate", &message);
        let again = self.clock + self.timing.back_off;
        self.plan(Task::ReplicaSet(key.clone()), again);
        Some(error)
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
            let since = condition(set, "ReplicaFailure").map(|it| text(it, "/lastTransitionTime"));
            let since = since.map_or_else(|| written(self.clock), str::to_owned);
            status["conditions"] = json!([{"type": "ReplicaFailure", "status": "True",
                "reason": "FailedCreate", "message": message, "lastTransitionTime": since}]);
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

    /// Deletes an object, with `cascade` also what it owns. Pods terminate slowly.
    pub(crate) fn discard(&mut self, key: &Key, cascade: bool) {
        let Some(object) = self.store.get(key).cloned() else {
            return;
        };
        if key.resource == "pods" {
            if !terminating(&object) {
                let mut pod = Value::clone(&object);
                pod["metadata"]["deletionTimestamp"] = written(self.clock).into();
                let grace = integer(&pod, "/spec/terminationGracePeriodSeconds");
                pod["metadata"]["deletionGracePeriodSeconds"] = grace.into();
                self.write(key, pod);
                self.due.remove(&Task::Pod(key.clone()));
                self.plan(
                    Task::Removal(key.clone()),
                    self.clock + self.timing.termination,
                );
            }
            return;
        }
        let uid = text(&object, "/metadata/uid");
        self.remove(key);
        for owned in ["replicasets", "pods", "endpointslices"] {
            for child in self.store.keys(owned, Some(&key.namespace)) {
                let Some(object) = self.store.get(&child).filter(|it| owned_by(it, uid)) else {
                    continue;
                };
                let mut object = Value::clone(object);
                if cascade {
                    self.discard(&child, true);
                } else {
                    map_mut(&mut object, "metadata").remove("ownerReferences");
                    self.write(&child, object);
                }
            }
        }
    }
}

fn suffix(number: u32) -> String {
    letters(hash(&number.to_be_bytes()))
        .chars()
        .take(5)
        .collect()
}

/// Since when a pod has been ready.
pub(crate) fn ready_since(pod: &Value) -> Option<Timestamp> {
    let ready = condition(pod, "Ready").filter(|ready| ready["status"] == "True")?;
    time(ready, "/lastTransitionTime")
}

fn available_at(pod: &Value, min_ready_seconds: i64) -> Option<Timestamp> {
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

fn pod_of(set: &Value, name: &str, number: u32, now: &str) -> Value {
    let template = &set["spec"]["template"];
    let mut metadata = template["metadata"].clone();
    metadata["name"] = name.into();
    metadata["generateName"] = format!("{}-", text(set, "/metadata/name")).into();
    metadata["namespace"] = set["metadata"]["namespace"].clone();
    let spread = hash(&number.to_be_bytes());
    metadata["uid"] = format!("{spread:08x}-0000-4000-8000-{number:012x}").into();
    metadata["creationTimestamp"] = now.into();
    metadata["generation"] = 1.into();
    metadata["ownerReferences"] = json!([{"apiVersion": "apps/v1", "kind": "ReplicaSet",
        "name": set["metadata"]["name"], "uid": set["metadata"]["uid"], "controller": true,
        "blockOwnerDeletion": true}]);
    let mut spec = template["spec"].clone();
    if spec.get("serviceAccountName").is_none() {
        spec["serviceAccountName"] = "default".into();
        spec["serviceAccount"] = "default".into();
    }
    spec["enableServiceLinks"] = true.into();
    spec["priority"] = 0.into();
    spec["preemptionPolicy"] = "PreemptLowerPriority".into();
    json!({"kind": "Pod", "apiVersion": "v1", "metadata": metadata, "spec": spec,
        "status": {"phase": "Pending", "qosClass": "BestEffort"}})
}
