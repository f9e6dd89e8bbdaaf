//! Stores and removes objects, and wakes the controllers that watch them.

use crate::world::api::fields::managers::Writer;
use crate::world::api::kinds::{DEFINITIONS, Kind};
use crate::world::api::tracking::Note;
use crate::world::controllers::claim::claims_of;
use crate::world::controllers::has_controller;
use crate::world::object;
use crate::world::object::{integer, text};
use crate::world::state::{Task, World};
use crate::world::store::Key;
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

impl World {
    /// Stores an object as if it had been created or replaced, without checking permissions.
    ///
    /// # Panics
    ///
    /// The API server would refuse the object: a mistake of the test.
    pub fn apply(&mut self, object: Value, now: Timestamp) {
        self.advance(now);
        if let Err(refusal) = self.put_in(object) {
            panic!("the object cannot be applied: {:?}", refusal.body);
        }
    }

    /// Deletes an object and what it owns; returns false if it does not exist.
    pub fn delete(&mut self, resource: &str, namespace: &str, name: &str, now: Timestamp) -> bool {
        self.advance(now);
        let key = Key::new(resource, namespace, name);
        let there = self.store.get(&key).is_some();
        self.discard(&key, true);
        there
    }

    /// Sets the replica count like a HorizontalPodAutoscaler; returns false if the Deployment does
    /// not exist.
    pub fn scale(&mut self, namespace: &str, name: &str, replicas: i64, now: Timestamp) -> bool {
        self.advance(now);
        let key = Key::new("deployments", namespace, name);
        let Some(old) = self.store.get(&key).cloned() else {
            return false;
        };
        let mut object = Value::clone(&old);
        object["spec"]["replicas"] = replicas.into();
        let Some(kind) = Kind::of_plural("deployments") else {
            return false;
        };
        let by = Writer::named("horizontal-pod-autoscaler", "scale", kind);
        self.commit(&key, Some(&old), object, &Note::Update(by))
            .is_ok()
    }

    /// Stores an object and wakes its watchers. Returns true if it changed.
    pub(crate) fn write(&mut self, key: &Key, object: Value) -> bool {
        let previous = self.store.get(key).cloned();
        if !self.store.put(key, object) {
            return false;
        }
        let current = self.store.get(key).cloned();
        for object in [previous.as_ref(), current.as_ref()].into_iter().flatten() {
            self.wake(key, object);
        }
        let generation = |object: &Arc<Value>| integer(object, "/metadata/generation");
        if let Some(task) = observer(key)
            && previous.as_ref().map(generation) != current.as_ref().map(generation)
        {
            let seen = self.clock + self.timing.observe;
            self.unseen.insert(key.clone(), seen);
            self.plan(task, seen);
        }
        if let Some(object) = current.filter(|object| is_let_go(key, object)) {
            self.remove(key);
            self.collect(key, text(&object, "/metadata/uid"), true);
        }
        true
    }

    /// Removes an object at once.
    pub(crate) fn remove(&mut self, key: &Key) {
        if let Some(object) = self.store.remove(key) {
            self.wake(key, &object);
        }
        self.lives.remove(key);
        self.unseen.remove(key);
    }

    pub(crate) fn wake(&mut self, key: &Key, object: &Value) {
        match key.resource.as_str() {
            DEFINITIONS => self.plan_step(Task::Definition(key.clone())),
            "deployments" => self.plan_step(Task::Deployment(key.clone())),
            "replicasets" => {
                self.plan_step(Task::ReplicaSet(key.clone()));
                if let Some(owner) = object::owner(object, "Deployment") {
                    self.plan_step(Task::Deployment(Key::new(
                        "deployments",
                        &key.namespace,
                        owner,
                    )));
                }
            }
            "pods" => {
                if let Some(owner) = object::owner(object, "ReplicaSet") {
                    let owner = Key::new("replicasets", &key.namespace, owner);
                    self.wake_recreation(&owner);
                    self.plan_step(Task::ReplicaSet(owner));
                } else if let Some(owner) = other_owner(key, object) {
                    self.plan_step(Task::Other(owner));
                }
                for claim in claims_of(object) {
                    let claim = Key::new("persistentvolumeclaims", &key.namespace, claim);
                    self.plan_step(Task::Other(claim));
                }
                let services = self.store.keys("services", Some(&key.namespace));
                services
                    .into_iter()
                    .for_each(|service| self.plan_endpoints(service));
            }
            "services" => {
                self.plan_endpoints(key.clone());
                self.wake_api_services();
                self.wake_routes(&key.namespace);
            }
            "endpointslices" => {
                self.wake_api_services();
                self.wake_target_groups(key, object);
            }
            resource if has_controller(resource) => self.plan_step(Task::Other(key.clone())),
            _ => {}
        }
    }

    /// A Service may be behind a group of the API.
    fn wake_api_services(&mut self) {
        for key in self.store.keys("apiservices", None) {
            self.plan_step(Task::Other(key));
        }
    }

    /// An object as its controller sees it; none while it does not see the newest spec, or no
    /// longer works on it.
    pub(crate) fn observed(&mut self, key: &Key) -> Option<Arc<Value>> {
        let object = self.store.get(key).filter(|it| !object::terminating(it))?;
        let object = Arc::clone(object);
        if let Some(seen) = self.unseen.get(key).copied() {
            if seen > self.clock {
                self.plan(Task::Other(key.clone()), seen);
                return None;
            }
            self.unseen.remove(key);
        }
        Some(object)
    }

    /// Recreate waits for pods, not for ReplicaSets, so their Deployment must be notified.
    pub(crate) fn wake_recreation(&mut self, replica_set: &Key) {
        let owner = self.store.get(replica_set).and_then(|set| {
            Some(Key::new(
                "deployments",
                &replica_set.namespace,
                object::owner(set, "Deployment")?,
            ))
        });
        let Some(owner) = owner else { return };
        let recreates = self
            .store
            .get(&owner)
            .is_some_and(|deployment| text(deployment, "/spec/strategy/type") == "Recreate");
        if recreates {
            self.plan_step(Task::Deployment(owner));
        }
    }
}

/// The controller that sees each new spec a moment late.
fn observer(key: &Key) -> Option<Task> {
    match key.resource.as_str() {
        "deployments" => Some(Task::Deployment(key.clone())),
        "statefulsets" | "daemonsets" | "jobs" => Some(Task::Other(key.clone())),
        _ => None,
    }
}

/// The controller of a pod that is not a ReplicaSet.
fn other_owner(pod: &Key, object: &Value) -> Option<Key> {
    let owners = [
        ("StatefulSet", "statefulsets"),
        ("DaemonSet", "daemonsets"),
        ("Job", "jobs"),
    ];
    owners.into_iter().find_map(|(kind, resource)| {
        let name = object::owner(object, kind)?;
        Some(Key::new(resource, &pod.namespace, name))
    })
}

/// Whether the last finalizer of a deleted object is gone. Pods and namespaces go their own ways.
fn is_let_go(key: &Key, object: &Value) -> bool {
    !matches!(key.resource.as_str(), "pods" | "namespaces")
        && object::terminating(object)
        && object::list(object, "/metadata/finalizers").is_empty()
}
