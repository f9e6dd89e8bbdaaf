//! Whether the rollout of a Deployment is done: a verdict from the Deployment, its newest
//! ReplicaSet and our write.
//!
//! The order of the checks is the specification. It follows `kubectl rollout status` with three
//! differences: nothing older than our own write counts; a deadline that was exceeded before our
//! write is ignored; and the newest ReplicaSet itself must have the pods.
//! <https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go>

use super::rollout::{Obstacle, Progress, Verdict, WaitsFor, WriteReceipt, exceeded_at};
use crate::workload::Workload;
use crate::workload::replica_set::{ReplicaSet, newest};
use jiff::{SignedDuration, Timestamp};

/// See [`super::verdict`].
pub(super) fn verdict(live: &Workload, written: &WriteReceipt, now: Timestamp) -> Verdict {
    let wanted = live.replicas();
    let updated = live.updated_replicas();
    let total = live.total_replicas();
    let available = live.available_replicas();
    let old = (total - updated).max(0);
    let progress = |waits_for| {
        let counted = Progress::counted(live, wanted, waits_for);
        let told = obstacle(live).map(Obstacle::Told);
        Progress {
            obstacle: told.or(counted.obstacle),
            ..counted
        }
    };
    if !written.is_observed(live) {
        // A controller that may not create the ReplicaSet also leaves the generation behind, and
        // sets a condition with the reason: https://github.com/kubernetes/kubernetes/issues/36117
        let obstacle = creation_refused(live);
        return Verdict::Progressing(Progress::unobserved(wanted, obstacle));
    }
    let ending = live.terminating_replicas().unwrap_or(0);
    let waits_for = if total == 0 && wanted > 0 && ending > 0 {
        Some(WaitsFor::EndingPods(ending))
    } else if updated < wanted {
        Some(WaitsFor::NewPods)
    } else if total > updated {
        Some(WaitsFor::OldPods(old))
    } else if available < wanted {
        Some(WaitsFor::Availability)
    } else {
        None
    };
    match waits_for {
        // The counters are newer than the condition: a rollout that finished late still finished.
        None => Verdict::Complete,
        Some(waits_for) if deadline_exceeded(live, written, now) => {
            Verdict::Failed(progress(waits_for))
        }
        Some(_) if live.is_paused() => Verdict::Progressing(progress(WaitsFor::Resumption)),
        Some(waits_for) => Verdict::Progressing(progress(waits_for)),
    }
}

/// Whether its rollout was complete once: the controller keeps that it was until the next one.
pub(super) fn was_rolled_out(live: &Workload) -> bool {
    let condition = live.condition("Progressing");
    let is_done = condition.is_some_and(|it| it.reason == "NewReplicaSetAvailable");
    is_done && live.observed_generation() >= live.generation()
}

/// Whether the newest ReplicaSet has the Deployment's revision and all pods are available. If no
/// ReplicaSet is visible, the Deployment's own counters decide.
pub(super) fn holds_the_pods(live: &Workload, sets: &[ReplicaSet]) -> bool {
    newest(live, sets).is_none_or(|set| {
        set.available >= live.replicas()
            && live
                .revision()
                .is_none_or(|revision| revision == set.revision)
    })
}

/// Whether Kubernetes failed the rollout *of our write*. An older condition counts once our own
/// wait has been as long as the deadline: if an old template returns and its pods do not progress,
/// the controller never writes the condition again.
fn deadline_exceeded(live: &Workload, written: &WriteReceipt, now: Timestamp) -> bool {
    let Some(time) = exceeded_at(live) else {
        return false;
    };
    let deadline = SignedDuration::from_secs(live.progress_deadline_seconds());
    written.stale_deadline.as_deref() != Some(time) || now.duration_since(written.at) >= deadline
}

/// Why Kubernetes cannot create pods, in its own words.
fn obstacle(live: &Workload) -> Option<String> {
    let failure = live.true_condition("ReplicaFailure");
    let failure = failure.map(|failure| failure.message.to_owned());
    failure.or_else(|| creation_refused(live))
}

/// Why the controller cannot create the new ReplicaSet.
fn creation_refused(live: &Workload) -> Option<String> {
    let creation = live.condition("Progressing")?;
    let refused = creation.reason == "ReplicaSetCreateError";
    refused.then(|| creation.message.to_owned())
}

#[cfg(test)]
mod tests;
