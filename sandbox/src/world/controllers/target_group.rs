//! The AWS Load Balancer Controller, for target groups of pods.
//!
//! In one round it first deregisters what is not among the Service's endpoints, then registers what
//! is new. A new target gets no request before a health check has passed.
//! <https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/pkg/targetgroupbinding/resource_manager.go>

use crate::balancer::TARGET_GROUP_BINDINGS;
use crate::world::object::text;
use crate::world::state::{Task, World};
use crate::world::store::Key;
use serde_json::Value;

impl World {
    /// One round for one TargetGroupBinding.
    pub(crate) fn sync_target_group(&mut self, key: &Key) {
        let Some(binding) = self.store.get(key).cloned() else {
            self.target_groups.remove(key);
            return;
        };
        if text(&binding, "/spec/targetType") == "instance" {
            return;
        }
        let service = text(&binding, "/spec/serviceRef/name");
        let wanted = self
            .ready_behind(&key.namespace, service)
            .unwrap_or_default();
        let (step, healthy_at) = (self.timing.step, self.clock + self.timing.target_healthy);
        let group = self.target_groups.entry(key.clone()).or_default();
        let known = group.targets.len();
        group.targets.retain(|name, _| wanted.contains(name));
        if group.targets.len() < known {
            return self.plan(Task::Other(key.clone()), self.clock + step);
        }
        let mut registers = false;
        for name in wanted {
            group.targets.entry(name).or_insert_with(|| {
                registers = true;
                healthy_at
            });
        }
        if registers {
            self.plan(Task::Other(key.clone()), healthy_at);
        }
    }

    /// The endpoints of a Service have changed: the controller sees it a moment later.
    pub(crate) fn wake_target_groups(&mut self, slice: &Key, object: &Value) {
        let labels = &object["metadata"]["labels"];
        let service = labels["kubernetes.io/service-name"].as_str();
        let seen = self.clock + self.timing.targets_seen;
        for key in self
            .store
            .keys(TARGET_GROUP_BINDINGS, Some(&slice.namespace))
        {
            let binding = self.store.get(&key);
            let is_of = |it: &Value| Some(text(it, "/spec/serviceRef/name")) == service;
            if binding.is_some_and(|binding| is_of(binding)) {
                self.plan(Task::Other(key), seen);
            }
        }
    }
}
