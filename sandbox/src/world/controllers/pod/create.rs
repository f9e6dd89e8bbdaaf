//! Creates pods for their controllers.

use crate::world::behaviour::{Behaviour, Life};
use crate::world::controllers::pod::script::uncreated;
use crate::world::object::{hash, letters, map_mut, text};
use crate::world::state::{Task, World};
use crate::world::store::Key;
use serde_json::{Value, json};

/// A pod that a controller wants.
pub(crate) struct NewPod<'a> {
    /// The object that controls it.
    pub(crate) owner: &'a Value,
    pub(crate) template: &'a Value,
    pub(crate) name: String,
    pub(crate) number: u32,
    /// Labels beside those of the template.
    pub(crate) labels: Vec<(&'static str, String)>,
}

impl NewPod<'_> {
    /// The pod as the API server stores it.
    pub(crate) fn object(&self, now: &str) -> Value {
        let owner = &self.owner["metadata"];
        let mut metadata = self.template["metadata"].clone();
        metadata["name"] = self.name.clone().into();
        metadata["generateName"] = format!("{}-", text(owner, "/name")).into();
        metadata["namespace"] = owner["namespace"].clone();
        metadata["uid"] = uid_of(self.number).into();
        metadata["creationTimestamp"] = now.into();
        metadata["generation"] = 1.into();
        metadata["ownerReferences"] = reference_to(self.owner);
        if !self.labels.is_empty() {
            let labels = map_mut(&mut metadata, "labels");
            let own = self.labels.iter();
            labels.extend(own.map(|(name, value)| ((*name).to_owned(), value.clone().into())));
        }
        let mut spec = self.template["spec"].clone();
        if spec.get("serviceAccountName").is_none() {
            spec["serviceAccountName"] = "default".into();
            spec["serviceAccount"] = "default".into();
        }
        spec["enableServiceLinks"] = true.into();
        spec["priority"] = 0.into();
        spec["preemptionPolicy"] = "PreemptLowerPriority".into();
        let mut pod = json!({"kind": "Pod", "apiVersion": "v1",
            "status": {"phase": "Pending", "qosClass": "BestEffort"}});
        (pod["metadata"], pod["spec"]) = (metadata, spec);
        pod
    }
}

impl World {
    /// Creates a pod; returns the API server's message if it refuses it.
    pub(crate) fn create_pod(&mut self, pod: Value, used: usize) -> Result<(), String> {
        let name = text(&pod, "/metadata/name").to_owned();
        let behaviour = self.behaviour_of(&pod["spec"]).1;
        if matches!(behaviour, Behaviour::Quota) {
            return Err(over_quota(&name, used));
        }
        let script = behaviour.script();
        if let Some(script) = &script
            && let (0, Some(message)) = self.admitted(script, used, 1)
        {
            return Err(uncreated(&name, &message));
        }
        self.start_life(&pod, script.is_some());
        Ok(())
    }

    /// Stores a new pod and begins its life.
    pub(crate) fn start_life(&mut self, pod: &Value, scripted: bool) {
        let (namespace, name) = (
            text(pod, "/metadata/namespace"),
            text(pod, "/metadata/name"),
        );
        let key = Key::new("pods", namespace, name);
        self.write(&key, pod.clone());
        self.lives.insert(key.clone(), Life::default());
        if scripted {
            self.next_in_script(&key);
        }
        self.plan_step(Task::Pod(key));
    }
}

/// The API server's message about a pod beyond the quota.
pub(crate) fn over_quota(pod: &str, used: usize) -> String {
    format!(
        "pods \"{pod}\" is forbidden: exceeded quota: compute-resources, requested: pods=1, used: \
         pods={used}, limited: pods={used}"
    )
}

/// The end of a generated name.
pub(crate) fn suffix(number: u32) -> String {
    letters(hash(&number.to_be_bytes()))
        .chars()
        .take(5)
        .collect()
}

/// The uid of the object with a number.
pub(crate) fn uid_of(number: u32) -> String {
    let spread = hash(&number.to_be_bytes());
    format!("{spread:08x}-0000-4000-8000-{number:012x}")
}

/// The owner reference to a controller.
pub(crate) fn reference_to(owner: &Value) -> Value {
    json!([{"apiVersion": owner["apiVersion"], "kind": owner["kind"],
        "name": owner["metadata"]["name"], "uid": owner["metadata"]["uid"], "controller": true,
        "blockOwnerDeletion": true}])
}
