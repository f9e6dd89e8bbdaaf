//! Whether a workload is ready, and why not. Its kind decides how its status is read.

mod deployment;
pub mod diagnosis;
pub mod object;
pub mod rollout;
pub mod steadiness;

use self::rollout::{Verdict, WriteReceipt};
use super::replica_set::ReplicaSet;
use super::{Kind, Workload};
use jiff::Timestamp;

/// The verdict from the workload alone. For [`Verdict::Complete`], [`holds_the_pods`] must agree.
pub fn verdict(live: &Workload, written: &WriteReceipt, now: Timestamp) -> Verdict {
    match live.kind() {
        Kind::Deployment => deployment::verdict(live, written, now),
    }
}

/// Whether all pods of the workload's newest version are available.
pub fn holds_the_pods(live: &Workload, sets: &[ReplicaSet]) -> bool {
    match live.kind() {
        Kind::Deployment => deployment::holds_the_pods(live, sets),
    }
}
