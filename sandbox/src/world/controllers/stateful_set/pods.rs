//! The pods of a StatefulSet and their volume claims.

use crate::world::controllers::pod::create::{NewPod, uid_of};
use crate::world::controllers::revision::REVISION_HASH;
use crate::world::controllers::stateful_set::Replicas;
use crate::world::object::{list, map_mut, text, written};
use crate::world::state::{Task, World};
use crate::world::store::Key;
use serde_json::{Value, json};

const CONTROLLER: &str = "statefulset-controller";

impl World {
    /// Creates the pod with an ordinal and its claims; returns whether the server accepted it.
    pub(crate) fn create_replica(&mut self, set: &Replicas, ordinal: i64) -> bool {
        let name = format!("{}-{ordinal}", set.key.name);
        let revision = set.revision_for(ordinal);
        let template = revision.template();
        self.create_claims(set, &name);
        let number = self.store.number();
        let new = NewPod {
            owner: &set.object,
            template: &template,
            name: name.clone(),
            number,
            labels: vec![
                (REVISION_HASH, revision.name().to_owned()),
                ("statefulset.kubernetes.io/pod-name", name.clone()),
                ("apps.kubernetes.io/pod-index", ordinal.to_string()),
            ],
        };
        let mut pod = new.object(&written(self.clock));
        pod["spec"]["hostname"] = name.clone().into();
        if let Some(service) = set.object["spec"].get("serviceName") {
            pod["spec"]["subdomain"] = service.clone();
        }
        mount_claims(set, &name, &mut pod["spec"]);
        let accepted = self.create_pod(pod, set.pods.len());
        let owner = &set.key.name;
        let (kind, reason, end) = match &accepted {
            Ok(()) => ("Normal", "SuccessfulCreate", "successful".to_owned()),
            Err(error) => ("Warning", "FailedCreate", format!("failed error: {error}")),
        };
        let message = format!("create Pod {name} in StatefulSet {owner} {end}");
        self.event(&set.object, CONTROLLER, kind, reason, &message);
        if accepted.is_err() {
            let again = self.clock + self.timing.back_off;
            self.plan(Task::Other(set.key.clone()), again);
        }
        accepted.is_ok()
    }

    pub(crate) fn delete_replica(&mut self, set: &Replicas, pod: &Key) {
        self.discard(pod, true);
        let message = format!(
            "delete Pod {} in StatefulSet {} successful",
            pod.name, set.key.name
        );
        self.event(
            &set.object,
            CONTROLLER,
            "Normal",
            "SuccessfulDelete",
            &message,
        );
    }

    /// Creates the claims of a pod that are not there yet; they outlive it.
    fn create_claims(&mut self, set: &Replicas, pod: &str) {
        for template in list(&set.object, "/spec/volumeClaimTemplates") {
            let name = format!("{}-{pod}", text(template, "/metadata/name"));
            let key = Key::new("persistentvolumeclaims", &set.key.namespace, &name);
            if self.store.get(&key).is_some() {
                continue;
            }
            let mut metadata = template["metadata"].clone();
            metadata["name"] = name.into();
            metadata["namespace"] = set.key.namespace.clone().into();
            metadata["uid"] = uid_of(self.store.number()).into();
            metadata["creationTimestamp"] = written(self.clock).into();
            let labels = &set.object["spec"]["selector"]["matchLabels"];
            for (label, value) in labels.as_object().into_iter().flatten() {
                map_mut(&mut metadata, "labels").insert(label.clone(), value.clone());
            }
            let claim = json!({"kind": "PersistentVolumeClaim", "apiVersion": "v1",
                "metadata": metadata, "spec": template["spec"], "status": {"phase": "Pending"}});
            self.write(&key, claim);
        }
    }
}

/// Adds the volumes of a pod's claims.
fn mount_claims(set: &Replicas, pod: &str, spec: &mut Value) {
    let templates = list(&set.object, "/spec/volumeClaimTemplates").iter();
    let names = templates.map(|template| text(template, "/metadata/name"));
    let own: Vec<Value> = names
        .map(|name| {
            json!({"name": name,
                "persistentVolumeClaim": {"claimName": format!("{name}-{pod}")}})
        })
        .collect();
    if own.is_empty() {
        return;
    }
    let others = list(spec, "/volumes").iter().filter(|volume| {
        let mut names = own.iter().map(|it| &it["name"]);
        names.all(|name| *name != volume["name"])
    });
    let volumes: Vec<Value> = own.iter().chain(others).cloned().collect();
    spec["volumes"] = volumes.into();
}
