//! Deletes objects and what they own, as the API server and the garbage collector do together.

use crate::world::controllers::pod::script::is_over;
use crate::world::object::{integer, list, map_mut, owned_by, terminating, text, written};
use crate::world::state::{Task, World};
use crate::world::store::Key;
use serde_json::{Value, json};

impl World {
    /// Deletes an object, with `cascade` also what it owns. Pods terminate slowly, and an object
    /// with finalizers stays until they are gone.
    pub(crate) fn discard(&mut self, key: &Key, cascade: bool) {
        let Some(object) = self.store.get(key).cloned() else {
            return;
        };
        match key.resource.as_str() {
            "pods" => return self.end_pod(key, &object),
            "namespaces" => return self.end_namespace(key, &object),
            _ => {}
        }
        if !list(&object, "/metadata/finalizers").is_empty() {
            self.mark_deleted(key, &object);
            return;
        }
        self.remove(key);
        self.collect(key, text(&object, "/metadata/uid"), cascade);
    }

    /// Writes the time of deletion, once.
    pub(crate) fn mark_deleted(&mut self, key: &Key, object: &Value) {
        if terminating(object) {
            return;
        }
        let mut marked = object.clone();
        marked["metadata"]["deletionTimestamp"] = written(self.clock).into();
        self.write(key, marked);
    }

    /// Deletes or orphans what a deleted object owned.
    pub(crate) fn collect(&mut self, key: &Key, uid: &str, cascade: bool) {
        for child in self.store.dependents(uid) {
            let Some(object) = self.store.get(&child).cloned() else {
                continue;
            };
            let mut owners = list(&object, "/metadata/ownerReferences").to_vec();
            owners.retain(|owner| owner["uid"] != uid);
            if cascade && owners.is_empty() {
                self.discard(&child, true);
                continue;
            }
            let mut object = Value::clone(&object);
            match owners.is_empty() {
                true => drop(map_mut(&mut object, "metadata").remove("ownerReferences")),
                false => object["metadata"]["ownerReferences"] = owners.into(),
            }
            self.write(&child, object);
        }
        if key.resource == "customresourcedefinitions" {
            // A custom resource is stored by the name of its definition.
            for custom in self.store.keys(&key.name, None) {
                self.discard(&custom, true);
            }
        }
    }

    fn end_pod(&mut self, key: &Key, object: &Value) {
        if terminating(object) {
            return;
        }
        let mut pod = object.clone();
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

    /// The containers of a deleted pod have ended: it is removed, or kept as failed until its last
    /// finalizer is gone.
    pub(crate) fn bury(&mut self, key: &Key) {
        let Some(pod) = self.store.get(key).cloned() else {
            return;
        };
        // Nobody confirms that they have ended.
        if self.is_down(text(&pod, "/spec/nodeName")) {
            return;
        }
        if !self.is_kept(&pod) {
            self.remove(key);
        } else if !is_over(&pod) {
            let mut pod = Value::clone(&pod);
            pod["status"]["phase"] = "Failed".into();
            self.write(key, pod);
        }
    }

    /// Whether a finalizer keeps a pod, and somebody is there to remove it.
    fn is_kept(&self, pod: &Value) -> bool {
        let mut jobs = self.store.all("jobs");
        !list(pod, "/metadata/finalizers").is_empty()
            && jobs.any(|(_, job)| owned_by(pod, text(job, "/metadata/uid")))
    }

    /// Deletes a namespace: first all that is in it.
    fn end_namespace(&mut self, key: &Key, object: &Value) {
        self.mark_deleted(key, object);
        let Some(space) = self.store.get(key).cloned() else {
            return;
        };
        let mut space = Value::clone(&space);
        space["status"] = json!({"phase": "Terminating"});
        self.write(key, space);
        self.plan_step(Task::Other(key.clone()));
    }
}
