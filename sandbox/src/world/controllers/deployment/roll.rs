//! A rollout's next step: by rolling update or by Recreate.

use crate::world::controllers::deployment::rollout::{Rollout, Set};
use crate::world::controllers::deployment::status::is_complete;
use crate::world::object::text;
use crate::world::state::World;

impl World {
    pub(crate) fn roll(&mut self, mut rollout: Rollout) {
        if rollout.new.is_none() {
            self.create_set(&mut rollout);
        }
        if self.grow_new(&mut rollout) || self.shrink_old(&mut rollout) {
            self.write_status(rollout, true);
            return;
        }
        if is_complete(&rollout, &rollout.object["status"]) {
            self.clean_up(&rollout);
        }
        self.write_status(rollout, true);
    }

    pub(crate) fn grow_new(&mut self, rollout: &mut Rollout) -> bool {
        let Some(size) = rollout.new.as_ref().map(Set::size) else {
            return false;
        };
        let wanted = rollout.replicas();
        let (surge, _) = rollout.bounds();
        let room = (wanted + surge - rollout.total(Set::size)).max(0);
        let target = if size > wanted {
            wanted
        } else {
            size + room.min(wanted - size)
        };
        self.resize_new(rollout, target)
    }

    pub(crate) fn resize_new(&mut self, rollout: &mut Rollout, size: i64) -> bool {
        let Some(mut set) = rollout.new.take() else {
            return false;
        };
        let changed = set.size() != size;
        if changed {
            self.resize(rollout, &mut set, size);
        }
        rollout.new = Some(set);
        changed
    }

    /// First removes pods that are not ready, then as many as availability allows.
    pub(crate) fn shrink_old(&mut self, rollout: &mut Rollout) -> bool {
        if rollout.old.iter().all(|set| set.size() == 0) {
            return false;
        }
        let (_, unavailable) = rollout.bounds();
        let least = rollout.replicas() - unavailable;
        let starting = rollout
            .new
            .as_ref()
            .map_or(0, |set| set.size() - set.status("availableReplicas"));
        let spare = rollout.total(Set::size) - least - starting;
        if spare <= 0 {
            return false;
        }
        let mut old = std::mem::take(&mut rollout.old);
        let mut cleaned = 0;
        for set in &mut old {
            let broken = (set.size() - set.status("availableReplicas")).max(0);
            let count = broken.min(spare - cleaned);
            if set.size() > 0 && count > 0 {
                let size = set.size() - count;
                self.resize(rollout, set, size);
                cleaned += count;
            }
        }
        let available = |set: &Set| set.status("availableReplicas");
        let serving: i64 = old.iter().chain(&rollout.new).map(available).sum();
        let mut surplus = (serving - least).max(0);
        let mut shrunk = 0;
        for set in &mut old {
            let count = set.size().min(surplus);
            if count > 0 {
                let size = set.size() - count;
                self.resize(rollout, set, size);
                surplus -= count;
                shrunk += count;
            }
        }
        rollout.old = old;
        cleaned + shrunk > 0
    }

    pub(crate) fn recreate(&mut self, mut rollout: Rollout) {
        let mut old = std::mem::take(&mut rollout.old);
        let mut scaled = false;
        for set in old.iter_mut().filter(|set| set.size() > 0) {
            self.resize(&rollout, set, 0);
            scaled = true;
        }
        rollout.old = old;
        let running = rollout.old.iter().any(|set| {
            let uid = text(&set.object, "/metadata/uid");
            set.status("replicas") > 0 || !self.pods_of(&set.key, uid).is_empty()
        });
        if scaled || running {
            self.write_status(rollout, true);
            return;
        }
        if rollout.new.is_none() {
            self.create_set(&mut rollout);
        }
        let wanted = rollout.replicas();
        self.resize_new(&mut rollout, wanted);
        if is_complete(&rollout, &rollout.object["status"]) {
            self.clean_up(&rollout);
        }
        self.write_status(rollout, true);
    }
}
