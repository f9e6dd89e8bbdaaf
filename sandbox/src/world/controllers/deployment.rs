//! The Deployment controller, step by step as the real one.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/deployment>:
//! `deployment_controller.go`, `sync.go`, `rolling.go`, `recreate.go`, `progress.go`,
//! `util/deployment_util.go`.

mod roll;
pub(crate) mod rollout;
mod sets;
mod status;

use crate::world::controllers::deployment::rollout::{
    DESIRED, Rollout, Set, owner_references, same_template,
};
use crate::world::object::{list, owned_by, text, written};
use crate::world::selector::Labels;
use crate::world::state::{Task, World};
use crate::world::store::Key;
use serde_json::Value;
use std::sync::Arc;

impl World {
    pub(crate) fn sync_deployment(&mut self, key: &Key) {
        let Some(object) = self.store.get(key).cloned() else {
            return;
        };
        if let Some(seen) = self.unseen.get(key).copied() {
            if seen > self.clock {
                self.plan(Task::Deployment(key.clone()), seen);
                return;
            }
            self.unseen.remove(key);
        }
        let mut rollout = self.read_rollout(key, &object);
        self.check_pause(&mut rollout);
        if rollout.paused() || self.is_scaling(&rollout) {
            self.scale_sets(&mut rollout);
            if rollout.paused() {
                self.clean_up(&rollout);
            }
            self.write_status(rollout, false);
        } else if rollout.recreates() {
            self.recreate(rollout);
        } else {
            self.roll(rollout);
        }
    }

    fn read_rollout(&mut self, key: &Key, object: &Arc<Value>) -> Rollout {
        let uid = text(object, "/metadata/uid");
        let selector = Labels::of_spec(&object["spec"]["selector"]);
        let mut sets = Vec::new();
        for set in self.store.keys("replicasets", Some(&key.namespace)) {
            let Some(found) = self.store.get(&set).cloned() else {
                continue;
            };
            let orphan = list(&found, "/metadata/ownerReferences").is_empty();
            if orphan && selector.match_object(&found) {
                let mut adopted = Value::clone(&found);
                adopted["metadata"]["ownerReferences"] = owner_references(object);
                self.write(&set, adopted);
            } else if !owned_by(&found, uid) {
                continue;
            }
            sets.extend(
                self.store
                    .get(&set)
                    .cloned()
                    .map(|object| Set { key: set, object }),
            );
        }
        sets.sort_by(|one, other| one.age().cmp(&other.age()));
        let template = &object["spec"]["template"];
        let same = |set: &Set| same_template(&set.object["spec"]["template"], template);
        let new = sets.iter().position(same).map(|index| sets.remove(index));
        let mut rollout = Rollout {
            key: key.clone(),
            object: Arc::clone(object),
            new,
            old: sets,
        };
        if rollout.new.is_some() {
            self.note_existing(&mut rollout);
        }
        rollout
    }

    fn check_pause(&mut self, rollout: &mut Rollout) {
        if rollout.deadline().is_none() {
            return;
        }
        let reason = rollout.progress_reason();
        let was_paused = reason == Some("DeploymentPaused");
        if reason == Some("ProgressDeadlineExceeded") || was_paused == rollout.paused() {
            return;
        }
        let (reason, message) = if rollout.paused() {
            ("DeploymentPaused", "Deployment is paused")
        } else {
            ("DeploymentResumed", "Deployment is resumed")
        };
        rollout.set_condition(
            "Progressing",
            "Unknown",
            reason,
            message,
            &written(self.clock),
        );
        self.store_rollout(rollout);
    }

    /// Whether the replica count was changed since the ReplicaSets were last sized.
    fn is_scaling(&self, rollout: &Rollout) -> bool {
        let wanted = rollout.replicas().to_string();
        let active = rollout.all().filter(|set| set.size() > 0);
        active
            .map(|set| set.annotation(DESIRED))
            .any(|said| !said.is_empty() && said != wanted)
    }

    fn reread(&self, rollout: &mut Rollout) {
        for set in rollout.old.iter_mut().chain(&mut rollout.new) {
            if let Some(object) = self.store.get(&set.key) {
                set.object = Arc::clone(object);
            }
        }
    }
}
