//! The rolling update of a DaemonSet: deletes old pods, or with surge creates new ones beside them.

use crate::world::controllers::daemon_set::Daemons;
use crate::world::object::terminating;
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::Value;
use std::sync::Arc;

/// The pods of a node that are not being deleted.
#[derive(Default)]
struct OnNode<'a> {
    new: Option<&'a (Key, Arc<Value>)>,
    old: Option<&'a (Key, Arc<Value>)>,
    /// More than one of a kind: to be cleaned up first.
    is_crowded: bool,
}

impl World {
    pub(crate) fn roll_daemons(&mut self, set: &Daemons) {
        match set.bounds() {
            (0, unavailable) => self.replace_daemons(set, unavailable),
            (surge, _) => self.surge_daemons(set, surge),
        }
    }

    /// Deletes old pods: all that do not serve, and as many of the others as may be missing.
    fn replace_daemons(&mut self, set: &Daemons, most: usize) {
        let (mut missing, mut broken, mut serving) = (0, Vec::new(), Vec::new());
        for node in &set.nodes {
            let found = set.on_node(node);
            match (found.new, found.old) {
                _ if found.is_crowded => missing += 1,
                (None, None) | (Some(_), Some(_)) => missing += 1,
                (Some((_, new)), None) => missing += usize::from(!set.is_available(new)),
                (None, Some((key, old))) if set.is_available(old) => serving.push(key),
                (None, Some((key, _))) => broken.push(key),
            }
        }
        let spare = most.saturating_sub(missing);
        for key in broken.into_iter().chain(serving.into_iter().take(spare)) {
            self.delete_daemon(set, key);
        }
    }

    /// Creates new pods beside old ones, and deletes the old ones that are replaced.
    fn surge_daemons(&mut self, set: &Daemons, most: usize) {
        let (mut surging, mut broken, mut serving) = (0, Vec::new(), Vec::new());
        let mut replaced = Vec::new();
        for node in &set.nodes {
            let found = set.on_node(node);
            match (found.new, found.old) {
                _ if found.is_crowded => surging += 1,
                (_, None) => {}
                (None, Some((_, old))) if set.is_available(old) => serving.push(node),
                (None, Some(_)) => broken.push(node),
                (Some((_, new)), Some(_)) if !set.is_available(new) => surging += 1,
                (Some(_), Some((key, _))) => replaced.push(key),
            }
        }
        let spare = most.saturating_sub(surging);
        for key in replaced {
            self.delete_daemon(set, key);
        }
        for node in broken.into_iter().chain(serving.into_iter().take(spare)) {
            self.create_daemon(set, node);
        }
    }
}

impl Daemons {
    fn on_node(&self, node: &str) -> OnNode<'_> {
        let mut found = OnNode::default();
        for pod in self.pods.get(node).into_iter().flatten() {
            if terminating(&pod.1) {
                continue;
            }
            let place = match self.is_updated(&pod.1) {
                true => &mut found.new,
                false => &mut found.old,
            };
            found.is_crowded |= place.replace(pod).is_some();
        }
        found
    }
}
