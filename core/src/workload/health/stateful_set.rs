//! Whether the rollout of a StatefulSet is done: a verdict from its own status, as there is nothing
//! else that counts its pods.
//!
//! It has no condition and no deadline: a rollout that does not finish is failed by the deploy's
//! own timeout, or by its pods.
//! <https://kubernetes.io/docs/concepts/workloads/controllers/statefulset/#update-strategies>

use super::rollout::{Progress, Verdict, WaitsFor, WriteReceipt, on_delete};
use crate::workload::Workload;
use crate::workload::replica_set::{ReplicaSet, newest};

/// See [`super::verdict`].
pub(super) fn verdict(live: &Workload, written: &WriteReceipt) -> Verdict {
    let replicas = live.replicas();
    let partition = live.partition();
    // Pods below the partition keep their version.
    let wanted = (replicas - partition).max(0);
    let total = live.total_replicas();
    let updated = live.updated_replicas();
    let available = live.available_replicas();
    let progress = |waits_for| Progress::counted(live, wanted, waits_for);
    if !written.is_observed(live) {
        return Verdict::Progressing(Progress::unobserved(wanted, None));
    }
    if live.rolls_on_delete() {
        return on_delete(live, replicas);
    }
    let is_current = current_revision(live) == update_revision(live);
    if total < replicas || updated < wanted {
        Verdict::Progressing(progress(WaitsFor::NewPods))
    } else if total > replicas {
        Verdict::Progressing(progress(WaitsFor::OldPods(total - replicas)))
    } else if available < replicas || partition == 0 && !is_current {
        Verdict::Progressing(progress(WaitsFor::Availability))
    } else {
        Verdict::Complete
    }
}

/// Whether the newest ControllerRevision, where one is visible, is the one that its status counts.
pub(super) fn holds_the_pods(live: &Workload, sets: &[ReplicaSet]) -> bool {
    live.rolls_on_delete() || newest(live, sets).is_none_or(|set| set.name == update_revision(live))
}

fn update_revision(live: &Workload) -> &str {
    live.text("/status/updateRevision")
}

fn current_revision(live: &Workload) -> &str {
    live.text("/status/currentRevision")
}

#[cfg(test)]
mod tests;
