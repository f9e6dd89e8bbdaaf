//! Whether the rollout of a DaemonSet is done: a verdict from its own status, as there is nothing
//! else that counts its pods.
//!
//! How many pods are wanted changes with every node that comes or goes, so it is read anew each
//! time. Like a StatefulSet it has no condition and no deadline.
//! <https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/>

use super::rollout::{Progress, Verdict, WaitsFor, WriteReceipt, on_delete};
use crate::workload::Workload;

/// See [`super::verdict`].
pub(super) fn verdict(live: &Workload, written: &WriteReceipt) -> Verdict {
    let wanted = live.replicas();
    let updated = live.updated_replicas();
    let available = live.available_replicas();
    let progress = |waits_for| Progress::counted(live, wanted, waits_for);
    if !written.is_observed(live) {
        return Verdict::Progressing(Progress::unobserved(wanted, None));
    }
    if live.rolls_on_delete() {
        return on_delete(live, wanted);
    }
    if updated < wanted {
        Verdict::Progressing(progress(WaitsFor::NewPods))
    } else if available < wanted {
        Verdict::Progressing(progress(WaitsFor::Availability))
    } else {
        Verdict::Complete
    }
}

#[cfg(test)]
mod tests;
