//! The Deployment controller, step by step as the real one.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/deployment>:
//! `deployment_controller.go`, `sync.go`, `rolling.go`, `recreate.go`, `progress.go`,
//! `util/deployment_util.go`.

use super::object::{
    condition, hash, integer, letters, list, map, map_mut, owned_by, terminating, text, time,
    written,
};
use super::selector::Labels;
use super::store::Key;
use super::{Task, World};
use jiff::SignedDuration;
use serde_json::{Map, Value, json};
use std::sync::Arc;

const CONTROLLER: &str = "deployment-controller";
const HASH: &str = "pod-template-hash";
const REVISION: &str = "deployment.kubernetes.io/revision";
const HISTORY: &str = "deployment.kubernetes.io/revision-history";
const DESIRED: &str = "deployment.kubernetes.io/desired-replicas";
const MAXIMUM: &str = "deployment.kubernetes.io/max-replicas";
const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const ROLLBACK: &str = "deprecated.deployment.rollback.to";
/// Names that are tried for a ReplicaSet whose hash collides.
const COLLISION_LIMIT: u32 = 16;
/// The value that means "no deadline".
const NO_DEADLINE: i64 = i32::MAX as i64;

/// A ReplicaSet of the Deployment.
#[derive(Clone)]
struct Set {
    key: Key,
    object: Arc<Value>,
}

impl Set {
    fn size(&self) -> i64 {
        integer(&self.object, "/spec/replicas")
    }

    fn status(&self, field: &str) -> i64 {
        self.object["status"][field].as_i64().unwrap_or_default()
    }

    fn annotation(&self, name: &str) -> &str {
        self.object["metadata"]["annotations"][name]
            .as_str()
            .unwrap_or_default()
    }

    fn revision(&self) -> i64 {
        self.annotation(REVISION).parse().unwrap_or_default()
    }

    fn age(&self) -> (&str, &str) {
        let created = text(&self.object, "/metadata/creationTimestamp");
        (created, &self.key.name)
    }
}

/// A Deployment while its controller works on it.
struct Rollout {
    key: Key,
    /// As it is stored; the controller writes status and annotations into it. It is copied only
    /// where something differs: most looks at a Deployment change nothing.
    object: Arc<Value>,
    new: Option<Set>,
    /// From the oldest to the youngest.
    old: Vec<Set>,
}

impl Rollout {
    fn replicas(&self) -> i64 {
        integer(&self.object, "/spec/replicas")
    }

    fn recreates(&self) -> bool {
        text(&self.object, "/spec/strategy/type") == "Recreate"
    }

    fn paused(&self) -> bool {
        self.object["spec"]["paused"] == true
    }

    fn all(&self) -> impl Iterator<Item = &Set> {
        self.old.iter().chain(&self.new)
    }

    fn total(&self, of: impl Fn(&Set) -> i64) -> i64 {
        self.all().map(of).sum()
    }

    /// (maxSurge, maxUnavailable) in pods; both zero would allow nothing, so unavailable is 1 then.
    fn bounds(&self) -> (i64, i64) {
        if self.recreates() {
            return (0, 0);
        }
        let rolling = &self.object["spec"]["strategy"]["rollingUpdate"];
        let surge = resolve(&rolling["maxSurge"], self.replicas(), true);
        let unavailable = resolve(&rolling["maxUnavailable"], self.replicas(), false);
        let unavailable = if surge == 0 && unavailable == 0 {
            1
        } else {
            unavailable
        };
        (surge, unavailable.min(self.replicas()))
    }

    fn deadline(&self) -> Option<i64> {
        let seconds = self.object["spec"]["progressDeadlineSeconds"].as_i64();
        seconds.filter(|seconds| *seconds != NO_DEADLINE)
    }

    fn set_condition(&mut self, kind: &str, status: &str, reason: &str, message: &str, now: &str) {
        let new = new_condition(kind, status, reason, message, now);
        merge_condition(map_mut(Arc::make_mut(&mut self.object), "status"), new);
    }

    fn annotate(&mut self, name: &str, value: &str) {
        if self.object["metadata"]["annotations"][name] != value {
            annotate(Arc::make_mut(&mut self.object), name, value);
        }
    }

    fn progress_reason(&self) -> Option<&str> {
        condition(&self.object, "Progressing").map(|it| text(it, "/reason"))
    }

    /// The new ReplicaSet as the messages name it, else the Deployment.
    fn subject(&self) -> String {
        match &self.new {
            Some(set) => format!("ReplicaSet \"{}\"", set.key.name),
            None => format!("Deployment \"{}\"", self.key.name),
        }
    }
}

/// An int-or-percent of a total.
fn resolve(value: &Value, total: i64, up: bool) -> i64 {
    let percent = value.as_str().and_then(|text| text.strip_suffix('%'));
    match percent.and_then(|percent| percent.parse::<i64>().ok()) {
        Some(percent) if up => (percent * total + 99) / 100,
        Some(percent) => percent * total / 100,
        None => value.as_i64().unwrap_or_default(),
    }
}

fn new_condition(kind: &str, status: &str, reason: &str, message: &str, now: &str) -> Value {
    json!({"type": kind, "status": status, "reason": reason, "message": message,
        "lastUpdateTime": now, "lastTransitionTime": now})
}

/// The same status and reason change nothing at all, not even the times.
fn merge_condition(status: &mut Map<String, Value>, mut new: Value) {
    let all = status.entry("conditions").or_insert_with(|| json!([]));
    let Some(all) = all.as_array_mut() else {
        return;
    };
    if let Some(old) = all.iter().find(|old| old["type"] == new["type"]) {
        if old["status"] == new["status"] && old["reason"] == new["reason"] {
            return;
        }
        if old["status"] == new["status"] {
            new["lastTransitionTime"] = old["lastTransitionTime"].clone();
        }
    }
    all.retain(|old| old["type"] != new["type"]);
    all.push(new);
}

fn drop_condition(status: &mut Value, kind: &str) {
    if let Some(all) = status["conditions"].as_array_mut() {
        all.retain(|old| old["type"] != kind);
    }
}

/// Whether two templates are the same but for the label that the controller adds.
fn same_template(one: &Value, other: &Value) -> bool {
    same_but(one, other, "metadata", |one, other| {
        same_but(one, other, "labels", |one, other| {
            let own = |labels: &Value| {
                let labels = labels.as_object().into_iter().flatten();
                labels.filter(|(name, _)| *name != HASH).count()
            };
            let mut labels = one.as_object().into_iter().flatten();
            own(one) == own(other)
                && labels.all(|(name, value)| name == HASH || other.get(name) == Some(value))
        })
    })
}

/// Whether two objects are the same, where one field of them is compared in a way of its own.
fn same_but(
    one: &Value,
    other: &Value,
    field: &str,
    same: impl Fn(&Value, &Value) -> bool,
) -> bool {
    let (Some(ones), Some(others)) = (one.as_object(), other.as_object()) else {
        return one == other;
    };
    let alike = |(name, value): (&String, &Value)| name == field || others.get(name) == Some(value);
    ones.len() == others.len()
        && ones.contains_key(field) == others.contains_key(field)
        && ones.iter().all(alike)
        && same(&one[field], &other[field])
}

impl World {
    pub(super) fn sync_deployment(&mut self, key: &Key) {
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

    /// The template has a ReplicaSet already: it gets the newest revision. A Progressing condition
    /// of before stays as it is, also a stale failure.
    fn note_existing(&mut self, rollout: &mut Rollout) {
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

    /// Makes the ReplicaSet for the template.
    fn create_set(&mut self, rollout: &mut Rollout) {
        let template = rollout.object["spec"]["template"].clone();
        let Some((key, hash)) = self.free_name(rollout, &template) else {
            return;
        };
        let mut template = template;
        map_mut(&mut template["metadata"], "labels").insert(HASH.to_owned(), hash.clone().into());
        let mut selector = rollout.object["spec"]["selector"].clone();
        map_mut(&mut selector, "matchLabels").insert(HASH.to_owned(), hash.into());
        let number = self.store.number();
        let spread = super::object::hash(&number.to_be_bytes());
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

    fn free_name(&self, rollout: &Rollout, template: &Value) -> Option<(Key, String)> {
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

    fn roll(&mut self, mut rollout: Rollout) {
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

    fn grow_new(&mut self, rollout: &mut Rollout) -> bool {
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

    fn resize_new(&mut self, rollout: &mut Rollout, size: i64) -> bool {
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

    /// First the pods that serve nobody, then as many as availability allows.
    fn shrink_old(&mut self, rollout: &mut Rollout) -> bool {
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

    fn recreate(&mut self, mut rollout: Rollout) {
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

    /// A changed replica count is shared among the ReplicaSets before anything rolls on.
    fn scale_sets(&mut self, rollout: &mut Rollout) {
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

    fn share(&mut self, rollout: &Rollout, mut active: Vec<Set>) {
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

    fn reread(&self, rollout: &mut Rollout) {
        for set in rollout.old.iter_mut().chain(&mut rollout.new) {
            if let Some(object) = self.store.get(&set.key) {
                set.object = Arc::clone(object);
            }
        }
    }

    /// Writes a ReplicaSet's size, and what size the Deployment has.
    fn resize(&mut self, rollout: &Rollout, set: &mut Set, size: i64) {
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

    fn tell_scaling(&mut self, rollout: &Rollout, set: &str, from: i64, to: i64) {
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

    fn store_set(&mut self, key: &Key, mut object: Value) -> Set {
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
    fn clean_up(&mut self, rollout: &Rollout) {
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

    /// The last step of each sync: counts, and with `progress` the Progressing condition.
    fn write_status(&mut self, mut rollout: Rollout, progress: bool) {
        let old = rollout.object["status"].clone();
        let now = written(self.clock);
        let mut status = count(&rollout, &now);
        if progress {
            if rollout.deadline().is_none() {
                drop_condition(&mut status, "Progressing");
            }
            self.judge_progress(&rollout, &old, &mut status, &now);
            copy_failure(&rollout, &mut status, &now);
        }
        if list(&status, "/conditions").is_empty() {
            status
                .as_object_mut()
                .and_then(|fields| fields.remove("conditions"));
        }
        if rollout.object["status"] != status {
            Arc::make_mut(&mut rollout.object)["status"] = status;
        }
        self.store_rollout(&mut rollout);
        if progress {
            self.plan_deadline(&rollout);
        }
    }

    fn judge_progress(&self, rollout: &Rollout, old: &Value, status: &mut Value, now: &str) {
        let Some(deadline) = rollout.deadline() else {
            return;
        };
        let current = condition(&rollout.object, "Progressing").cloned();
        let reason = current.as_ref().map_or("", |it| text(it, "/reason"));
        let number = |of: &Value, field: &str| of[field].as_i64().unwrap_or_default();
        let settled = number(status, "replicas") == number(status, "updatedReplicas");
        if settled && reason == "NewReplicaSetAvailable" {
            return;
        }
        let subject = rollout.subject();
        let stale = |it: &Value| number(it, "replicas") - number(it, "updatedReplicas");
        let more = |field: &str| number(status, field) > number(old, field);
        if is_complete(rollout, status) {
            let message = format!("{subject} has successfully progressed.");
            let new = new_condition(
                "Progressing",
                "True",
                "NewReplicaSetAvailable",
                &message,
                now,
            );
            merge_condition(status.as_object_mut().expect("a status"), new);
        } else if more("updatedReplicas")
            || stale(status) < stale(old)
            || more("readyReplicas")
            || more("availableReplicas")
        {
            let message = format!("{subject} is progressing.");
            let mut new = new_condition("Progressing", "True", "ReplicaSetUpdated", &message, now);
            if let Some(current) = current.filter(|current| current["status"] == "True") {
                new["lastTransitionTime"] = current["lastTransitionTime"].clone();
            }
            // Removed first, so that the update time moves even where the reason stays.
            drop_condition(status, "Progressing");
            merge_condition(status.as_object_mut().expect("a status"), new);
        } else if current.is_some_and(|current| self.is_late(&current, deadline)) {
            let message = format!("{subject} has timed out progressing.");
            let new = new_condition(
                "Progressing",
                "False",
                "ProgressDeadlineExceeded",
                &message,
                now,
            );
            merge_condition(status.as_object_mut().expect("a status"), new);
        }
    }

    fn is_late(&self, current: &Value, deadline: i64) -> bool {
        match text(current, "/reason") {
            "NewReplicaSetAvailable" => false,
            "ProgressDeadlineExceeded" => true,
            _ => time(current, "/lastUpdateTime")
                .is_some_and(|since| since + SignedDuration::from_secs(deadline) < self.clock),
        }
    }

    /// Looks again when the deadline has passed.
    fn plan_deadline(&mut self, rollout: &Rollout) {
        let Some(deadline) = rollout.deadline() else {
            return;
        };
        let Some(current) = condition(&rollout.object, "Progressing") else {
            return;
        };
        let over = matches!(
            text(current, "/reason"),
            "NewReplicaSetAvailable" | "ProgressDeadlineExceeded" | "DeploymentPaused"
        );
        if over || is_complete(rollout, &rollout.object["status"]) {
            return;
        }
        if let Some(since) = time(current, "/lastUpdateTime") {
            // A second more, as the controller allows for the clock's rounding.
            let at = since + SignedDuration::from_secs(deadline + 1);
            self.plan(
                Task::Deployment(rollout.key.clone()),
                at.max(self.clock + self.timing.step),
            );
        }
    }

    /// Writes status and annotations; neither moves the generation.
    fn store_rollout(&mut self, rollout: &mut Rollout) {
        let stored = self.store.get(&rollout.key);
        if stored.is_some_and(|stored| Arc::ptr_eq(stored, &rollout.object)) {
            return;
        }
        self.write(&rollout.key, Value::clone(&rollout.object));
        if let Some(stored) = self.store.get(&rollout.key) {
            rollout.object = Arc::clone(stored);
        }
    }
}

fn owner_references(deployment: &Value) -> Value {
    json!([{"apiVersion": "apps/v1", "kind": "Deployment", "name": deployment["metadata"]["name"],
        "uid": deployment["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true}])
}

fn annotate(object: &mut Value, name: &str, value: &str) {
    map_mut(&mut object["metadata"], "annotations").insert(name.to_owned(), value.into());
}

fn copy_annotations(deployment: &Value, set: &mut Value) {
    let own = [LAST_APPLIED, REVISION, HISTORY, DESIRED, MAXIMUM, ROLLBACK];
    for (name, value) in map(deployment, "/metadata/annotations")
        .into_iter()
        .flatten()
    {
        if !own.contains(&name.as_str()) {
            annotate(set, name, value.as_str().unwrap_or_default());
        }
    }
}

fn is_complete(rollout: &Rollout, status: &Value) -> bool {
    let all = ["updatedReplicas", "replicas", "availableReplicas"];
    all.iter()
        .all(|field| status[field].as_i64().unwrap_or_default() == rollout.replicas())
        && integer(status, "/observedGeneration")
            >= integer(&rollout.object, "/metadata/generation")
}

fn is_saturated(rollout: &Rollout, new: &Set) -> bool {
    new.size() == rollout.replicas()
        && new.annotation(DESIRED) == rollout.replicas().to_string()
        && new.status("availableReplicas") == rollout.replicas()
}

/// A ReplicaSet's share of a change in size.
fn fraction(set: &Set, wanted: i64, surge: i64) -> i64 {
    if wanted == 0 {
        return -set.size();
    }
    let before = set
        .annotation(MAXIMUM)
        .parse::<i64>()
        .unwrap_or(wanted + surge)
        .max(1);
    let doubled = 2 * set.size() * (wanted + surge) + before;
    doubled.div_euclid(2 * before) - set.size()
}

/// The numbers of a Deployment's status; zero is left out.
fn count(rollout: &Rollout, now: &str) -> Value {
    let available = rollout.total(|set| set.status("availableReplicas"));
    let updated = rollout.new.as_ref().map_or(0, |set| set.status("replicas"));
    let mut status = json!({
        "observedGeneration": rollout.object["metadata"]["generation"],
        "terminatingReplicas": rollout.total(|set| set.status("terminatingReplicas"))});
    for (field, count) in [
        ("replicas", rollout.total(|set| set.status("replicas"))),
        ("updatedReplicas", updated),
        (
            "readyReplicas",
            rollout.total(|set| set.status("readyReplicas")),
        ),
        ("availableReplicas", available),
        (
            "unavailableReplicas",
            (rollout.total(Set::size) - available).max(0),
        ),
    ] {
        if count != 0 {
            status[field] = count.into();
        }
    }
    status["conditions"] = list(&rollout.object, "/status/conditions").into();
    let (_, unavailable) = rollout.bounds();
    let new = if available >= rollout.replicas() - unavailable {
        let message = "Deployment has minimum availability.";
        new_condition(
            "Available",
            "True",
            "MinimumReplicasAvailable",
            message,
            now,
        )
    } else {
        let message = "Deployment does not have minimum availability.";
        new_condition(
            "Available",
            "False",
            "MinimumReplicasUnavailable",
            message,
            now,
        )
    };
    merge_condition(status.as_object_mut().expect("a status"), new);
    status
}

/// ReplicaFailure comes from the new ReplicaSet, else from an old one.
fn copy_failure(rollout: &Rollout, status: &mut Value, now: &str) {
    let sets = rollout.new.iter().chain(&rollout.old);
    let failure = sets
        .filter_map(|set| condition(&set.object, "ReplicaFailure"))
        .next();
    match failure {
        Some(failure) => {
            let (reason, message) = (text(failure, "/reason"), text(failure, "/message"));
            let new = new_condition("ReplicaFailure", "True", reason, message, now);
            merge_condition(status.as_object_mut().expect("a status"), new);
        }
        None => drop_condition(status, "ReplicaFailure"),
    }
}
