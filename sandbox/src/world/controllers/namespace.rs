//! Namespaces: a deleted one stays until all that was in it is gone.

use crate::world::object::{list, terminating};
use crate::world::state::{Task, World};
use crate::world::store::Key;
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The time between two looks into a namespace that is not empty yet.
const AGAIN: SignedDuration = SignedDuration::from_secs(1);

impl World {
    pub(crate) fn sync_namespace(&mut self, key: &Key) {
        let Some(space) = self.store.get(key).cloned() else {
            return;
        };
        if !terminating(&space) {
            if space["status"]["phase"] != "Active" {
                let mut space = Value::clone(&space);
                space["status"] = json!({"phase": "Active"});
                self.write(key, space);
            }
            return;
        }
        for object in self.store.inside(&key.name) {
            self.discard(&object, true);
        }
        let left = self.store.inside(&key.name);
        if left.is_empty() {
            self.remove(key);
            return;
        }
        let mut space = Value::clone(&space);
        space["status"] = json!({"phase": "Terminating", "conditions": self.reasons(&left)});
        self.write(key, space);
        self.plan(Task::Other(key.clone()), self.clock + AGAIN);
    }

    /// Why a namespace is not gone yet.
    fn reasons(&self, left: &[Key]) -> Value {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        let mut finalizers: BTreeMap<String, usize> = BTreeMap::new();
        for key in left {
            *kinds.entry(&key.resource).or_default() += 1;
            let Some(object) = self.store.get(key) else {
                continue;
            };
            for finalizer in list(object, "/metadata/finalizers") {
                let name = finalizer.as_str().unwrap_or_default().to_owned();
                *finalizers.entry(name).or_default() += 1;
            }
        }
        let kinds = kinds.iter();
        let kinds = kinds.map(|(kind, count)| format!("{kind} has {count} resource instances"));
        let kinds: Vec<String> = kinds.collect();
        let mut conditions = vec![
            json!({"type": "NamespaceContentRemaining", "status": "True",
            "reason": "SomeResourcesRemain",
            "message": format!("Some resources are remaining: {}", kinds.join(", "))}),
        ];
        if !finalizers.is_empty() {
            let names = finalizers.iter();
            let names = names.map(|(name, count)| format!("{name} in {count} resource instances"));
            let names: Vec<String> = names.collect();
            conditions.push(
                json!({"type": "NamespaceFinalizersRemaining", "status": "True",
                "reason": "SomeFinalizersRemain",
                "message": format!("Some content in the namespace has finalizers remaining: {}",
                    names.join(", "))}),
            );
        }
        conditions.into()
    }
}
