//! Whether a workload is ready, and why not. Its kind decides how its status is read.

mod daemon_set;
mod deployment;
pub mod diagnosis;
pub mod job;
pub mod object;
pub mod rollout;
mod stateful_set;
pub mod steadiness;

use self::rollout::{Verdict, WriteReceipt};
use super::replica_set::ReplicaSet;
use super::{Kind, Workload};
use jiff::Timestamp;

/// The verdict from the workload alone. For [`Verdict::Complete`], [`holds_the_pods`] must agree.
pub fn verdict(live: &Workload, written: &WriteReceipt, now: Timestamp) -> Verdict {
    match live.kind() {
        Kind::Deployment => deployment::verdict(live, written, now),
        Kind::StatefulSet => stateful_set::verdict(live, written),
        Kind::DaemonSet => daemon_set::verdict(live, written),
        Kind::Job => job::verdict(live),
    }
}

/// Whether the workload's newest version was once rolled out, whatever became of it since, as far
/// as its status tells.
pub fn was_rolled_out(live: &Workload) -> bool {
    let written = WriteReceipt::adopted(live, Timestamp::MIN);
    let is_complete = verdict(live, &written, Timestamp::MIN) == Verdict::Complete;
    match live.kind() {
        Kind::Deployment => is_complete || deployment::was_rolled_out(live),
        Kind::StatefulSet | Kind::DaemonSet | Kind::Job => is_complete,
    }
}

/// Whether all pods of the workload's newest version are available.
pub fn holds_the_pods(live: &Workload, sets: &[ReplicaSet]) -> bool {
    match live.kind() {
        Kind::Deployment => deployment::holds_the_pods(live, sets),
        Kind::StatefulSet => stateful_set::holds_the_pods(live, sets),
        // Their own counters are all there is.
        Kind::DaemonSet | Kind::Job => true,
    }
}
