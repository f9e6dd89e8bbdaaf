//! The status of a Deployment: counts, conditions, and the progress deadline.

use crate::world::controllers::deployment::rollout::{
    DESIRED, Rollout, Set, drop_condition, merge_condition, new_condition,
};
use crate::world::object::{condition, integer, list, text, time, written};
use crate::world::state::{Task, World};
use jiff::SignedDuration;
use serde_json::{Value, json};
use std::sync::Arc;

impl World {
    /// The last step of each sync: counts, and with `progress` the Progressing condition.
    pub(crate) fn write_status(&mut self, mut rollout: Rollout, progress: bool) {
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

    pub(crate) fn judge_progress(
        &self,
        rollout: &Rollout,
        old: &Value,
        status: &mut Value,
        now: &str,
    ) {
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
            // Removed first, so that the update time changes even if the reason stays.
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

    pub(crate) fn is_late(&self, current: &Value, deadline: i64) -> bool {
        match text(current, "/reason") {
            "NewReplicaSetAvailable" => false,
            "ProgressDeadlineExceeded" => true,
            _ => time(current, "/lastUpdateTime")
                .is_some_and(|since| since + SignedDuration::from_secs(deadline) < self.clock),
        }
    }

    /// Plans another check when the deadline has passed.
    pub(crate) fn plan_deadline(&mut self, rollout: &Rollout) {
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
            // One second more, because the controller allows for rounding of the clock.
            let at = since + SignedDuration::from_secs(deadline + 1);
            self.plan(
                Task::Deployment(rollout.key.clone()),
                at.max(self.clock + self.timing.step),
            );
        }
    }

    /// Writes status and annotations, which do not change the generation.
    pub(crate) fn store_rollout(&mut self, rollout: &mut Rollout) {
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

pub(crate) fn is_complete(rollout: &Rollout, status: &Value) -> bool {
    let all = ["updatedReplicas", "replicas", "availableReplicas"];
    all.iter()
        .all(|field| status[field].as_i64().unwrap_or_default() == rollout.replicas())
        && integer(status, "/observedGeneration")
            >= integer(&rollout.object, "/metadata/generation")
}

pub(crate) fn is_saturated(rollout: &Rollout, new: &Set) -> bool {
    new.size() == rollout.replicas()
        && new.annotation(DESIRED) == rollout.replicas().to_string()
        && new.status("availableReplicas") == rollout.replicas()
}

/// The numbers of a Deployment's status, without zeros.
pub(crate) fn count(rollout: &Rollout, now: &str) -> Value {
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
pub(crate) fn copy_failure(rollout: &Rollout, status: &mut Value, now: &str) {
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
