//! Creates and scales ReplicaSets, and removes old ones.

use crate::world::controllers::deployment::rollout::{
    CONTROLLER, DESIRED, HASH, HISTORY, MAXIMUM, REVISION, Rollout, Set, annotate,
    copy_annotations, fraction, owner_references,
};
use crate::world::controllers::deployment::status::is_saturated;
use crate::world::object::{hash, integer, letters, map_mut, terminating, written};
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::{Value, json};

impl World {
    /// The template already has a ReplicaSet: it gets the newest revision. An earlier Progressing
    /// condition stays unchanged, even a stale failure.
    pub(crate) fn note_existing(&mut self, rollout: &mut Rollout) {
        let newest = rollout
            .old
            .iter()
            .map(Set::revision)
            .max()
            .unwrap_or_default()
            + 1;
        let Some(set) = &rollout.new else { return };
        let before = set.revision();
        let mut object = Value::clone(&set.object);
        copy_annotations(&rollout.object, &mut object);
        if before < newest {
            let annotations = map_mut(&mut object["metadata"], "annotations");
            let mut history: Vec<String> = set
                .annotation(HISTORY)
                .split(',')
                .map(str::to_owned)
                .collect();
            history.retain(|revision| !revision.is_empty());
            history.push(before.to_string());
            annotations.insert(REVISION.to_owned(), newest.to_string().into());
            annotations.insert(HISTORY.to_owned(), history.join(",").into());
        }
        let ready = rollout.object["spec"].get("minReadySeconds").cloned();
        match ready {
            Some(seconds) => object["spec"]["minReadySeconds"] = seconds,
            None => {
                map_mut(&mut object, "spec").remove("minReadySeconds");
            }
        }
        let name = set.key.name.clone();
        let key = set.key.clone();
        if object != *set.object {
            rollout.new = Some(self.store_set(&key, object));
        }
        let revision = rollout.new.as_ref().map_or(0, Set::revision).to_string();
        rollout.annotate(REVISION, &revision);
        if rollout.deadline().is_some() && rollout.progress_reason().is_none() {
            let message = format!("Found new replica set \"{name}\"");
            let now = written(self.clock);
            rollout.set_condition("Progressing", "True", "FoundNewReplicaSet", &message, &now);
        }
        self.store_rollout(rollout);
    }

    /// Creates the ReplicaSet for the template.
    pub(crate) fn create_set(&mut self, rollout: &mut Rollout) {
        let template = rollout.object["spec"]["template"].clone();
        let Some((key, hash)) = self.free_name(rollout, &template) else {
            return;
        };
        let mut template = template;
        map_mut(&mut template["metadata"], "labels").insert(HASH.to_owned(), hash.clone().into());
        let mut selector = rollout.object["spec"]["selector"].clone();
        map_mut(&mut selector, "matchLabels").insert(HASH.to_owned(), hash.into());
        let number = self.store.number();
        let spread = crate::world::object::hash(&number.to_be_bytes());
        let now = written(self.clock);
        let mut object = json!({"kind": "ReplicaSet", "apiVersion": "apps/v1",
            "metadata": {"name": key.name, "namespace": key.namespace,
                "uid": format!("{spread:08x}-0000-4000-8000-{number:012x}"),
                "creationTimestamp": now, "generation": 1,
                "labels": template["metadata"]["labels"],
                "ownerReferences": owner_references(&rollout.object)},
            "spec": {"replicas": 0, "selector": selector, "template": template},
            "status": {"replicas": 0}});
        if let Some(seconds) = rollout.object["spec"].get("minReadySeconds") {
            object["spec"]["minReadySeconds"] = seconds.clone();
        }
        let (surge, _) = rollout.bounds();
        let size = if rollout.recreates() {
            rollout.replicas()
        } else {
            (rollout.replicas() + surge - rollout.total(Set::size)).clamp(0, rollout.replicas())
        };
        object["spec"]["replicas"] = size.into();
        copy_annotations(&rollout.object, &mut object);
        let revision = rollout
            .old
            .iter()
            .map(Set::revision)
            .max()
            .unwrap_or_default()
            + 1;
        annotate(&mut object, REVISION, &revision.to_string());
        annotate(&mut object, DESIRED, &rollout.replicas().to_string());
        annotate(
            &mut object,
            MAXIMUM,
            &(rollout.replicas() + surge).to_string(),
        );
        self.write(&key, object);
        rollout.new = self.store.get(&key).cloned().map(|object| Set {
            key: key.clone(),
            object,
        });
        rollout.annotate(REVISION, &revision.to_string());
        if rollout.deadline().is_some() {
            let message = format!("Created new replica set \"{}\"", key.name);
            rollout.set_condition(
                "Progressing",
                "True",
                "NewReplicaSetCreated",
                &message,
                &now,
            );
        }
        self.store_rollout(rollout);
        if size > 0 {
            self.tell_scaling(rollout, &key.name, 0, size);
        }
    }

    pub(crate) fn free_name(&self, rollout: &Rollout, template: &Value) -> Option<(Key, String)> {
        let text = template.to_string();
        let names = (0..COLLISION_LIMIT).map(|collision| {
            let salt = if collision == 0 {
                String::new()
            } else {
                collision.to_string()
            };
            let hash = letters(hash(format!("{text}{salt}").as_bytes()));
            let name = format!("{}-{hash}", rollout.key.name);
            (Key::new("replicasets", &rollout.key.namespace, &name), hash)
        });
        names
            .into_iter()
            .find(|(key, _)| self.store.get(key).is_none())
    }

    /// A changed replica count is distributed among the ReplicaSets before the rollout continues.
    pub(crate) fn scale_sets(&mut self, rollout: &mut Rollout) {
        let active: Vec<Set> = rollout
            .all()
            .filter(|set| set.size() > 0)
            .cloned()
            .collect();
        let wanted = rollout.replicas();
        let single = match active.as_slice() {
            [] => rollout.new.clone().or_else(|| rollout.old.last().cloned()),
            [one] => Some(one.clone()),
            _ => None,
        };
        if let Some(mut set) = single {
            self.resize(rollout, &mut set, wanted);
        } else if rollout
            .new
            .as_ref()
            .is_some_and(|new| is_saturated(rollout, new))
        {
            for mut set in rollout.old.clone().into_iter().filter(|set| set.size() > 0) {
                self.resize(rollout, &mut set, 0);
            }
        } else if !rollout.recreates() {
            self.share(rollout, active);
        }
        self.reread(rollout);
    }

    pub(crate) fn share(&mut self, rollout: &Rollout, mut active: Vec<Set>) {
        let (surge, _) = rollout.bounds();
        let wanted = rollout.replicas();
        let allowed = if wanted > 0 { wanted + surge } else { 0 };
        let total: i64 = active.iter().map(Set::size).sum();
        let to_add = allowed - total;
        active.sort_by(|one, other| one.age().cmp(&other.age()));
        if to_add > 0 {
            active.reverse();
        }
        active.sort_by_key(|set| std::cmp::Reverse(set.size()));
        let mut added = 0;
        let mut sizes: Vec<i64> = Vec::new();
        for set in &active {
            let part = fraction(set, wanted, surge);
            let left = to_add - added;
            let part = if to_add > 0 {
                part.min(left).max(0)
            } else {
                part.max(left).min(0)
            };
            added += part;
            sizes.push(set.size() + part);
        }
        if let Some(first) = sizes.first_mut() {
            *first = (*first + to_add - added).max(0);
        }
        for (set, size) in active.iter_mut().zip(sizes) {
            self.resize(rollout, set, size);
        }
    }

    /// Writes a ReplicaSet's size, and the Deployment's size.
    pub(crate) fn resize(&mut self, rollout: &Rollout, set: &mut Set, size: i64) {
        let before = set.size();
        let (surge, _) = rollout.bounds();
        let mut object = Value::clone(&set.object);
        object["spec"]["replicas"] = size.into();
        annotate(&mut object, DESIRED, &rollout.replicas().to_string());
        annotate(
            &mut object,
            MAXIMUM,
            &(rollout.replicas() + surge).to_string(),
        );
        *set = self.store_set(&set.key, object);
        if before != size {
            self.tell_scaling(rollout, &set.key.name, before, size);
        }
    }

    pub(crate) fn tell_scaling(&mut self, rollout: &Rollout, set: &str, from: i64, to: i64) {
        let way = if to > from { "up" } else { "down" };
        let message = format!("Scaled {way} replica set {set} from {from} to {to}");
        self.event(
            &rollout.object,
            CONTROLLER,
            "Normal",
            "ScalingReplicaSet",
            &message,
        );
    }

    pub(crate) fn store_set(&mut self, key: &Key, mut object: Value) -> Set {
        let old = self.store.get(key).cloned().unwrap_or_default();
        if old["spec"] != object["spec"] {
            object["metadata"]["generation"] = (integer(&old, "/metadata/generation") + 1).into();
        }
        self.write(key, object);
        Set {
            key: key.clone(),
            object: self.store.get(key).cloned().unwrap_or_default(),
        }
    }

    /// Deletes ReplicaSets beyond the history limit, the lowest revisions first.
    pub(crate) fn clean_up(&mut self, rollout: &Rollout) {
        let limit = integer(&rollout.object, "/spec/revisionHistoryLimit");
        let mut old: Vec<&Set> = rollout.old.iter().collect();
        old.sort_by_key(|set| set.revision());
        let surplus = old
            .len()
            .saturating_sub(usize::try_from(limit).unwrap_or_default());
        for set in old.into_iter().take(surplus) {
            let generation = integer(&set.object, "/metadata/generation");
            let idle = set.size() == 0 && set.status("replicas") == 0;
            if idle && set.status("observedGeneration") >= generation && !terminating(&set.object) {
                self.discard(&set.key, true);
            }
        }
    }
}

/// How many names are tried for a ReplicaSet whose hash collides.
pub(crate) const COLLISION_LIMIT: u32 = 16;
