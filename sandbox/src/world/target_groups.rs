//! The target groups of load balancers: which pods they send to.

use crate::balancer::{self, TARGET_GROUP_BINDINGS};
use crate::world::object::condition;
use crate::world::state::World;
use crate::world::store::Key;
use jiff::Timestamp;
use std::collections::BTreeSet;

impl World {
    /// Defines TargetGroupBindings, which are not part of every cluster.
    pub fn install_target_groups(&mut self, now: Timestamp) {
        self.apply(balancer::definition(), now);
        self.establish(&Key::new(
            "customresourcedefinitions",
            "",
            TARGET_GROUP_BINDINGS,
        ));
    }

    /// The pods that a load balancer sends to by a TargetGroupBinding: they are registered, were
    /// seen healthy, and still are ready. Where there are none, it answers with 503.
    pub fn healthy_targets(&self, namespace: &str, binding: &str) -> BTreeSet<String> {
        let key = Key::new(TARGET_GROUP_BINDINGS, namespace, binding);
        let targets = self.target_groups.get(&key).map(|group| &group.targets);
        let healthy = targets.into_iter().flatten().filter(|(name, healthy_at)| {
            let pod = self.object("pods", namespace, name);
            let ready = pod.and_then(|pod| condition(pod, "Ready"));
            **healthy_at <= self.clock && ready.is_some_and(|ready| ready["status"] == "True")
        });
        healthy.map(|(name, _)| name.clone()).collect()
    }
}
