//! How long to wait before the cluster is read again.

use crate::workload::health::rollout::{Progress, WaitsFor};
use std::time::Duration;

/// How long a watch is trusted to tell of changes before the object is read anew. A proxy between
/// may hold a dead connection open for ever.
pub const WATCH_WINDOW: Duration = Duration::from_secs(10);

/// How often the Service is looked at while the new version is watched behind it: nothing tells of
/// a selector that somebody else sets, and until it is seen two versions may serve.
pub(super) const BAKE_WINDOW: Duration = Duration::from_secs(4);

/// How soon to read again what was seen in an inconsistent state (an object older than our write,
/// ReplicaSets behind their Deployment): the server's caches catch up in milliseconds.
pub const CATCHING_UP: Duration = Duration::from_secs(1);

/// How often the pods are looked at while a rollout goes on, and how long after a write for the
/// first time: what is done by then costs nothing, and what is broken is known within 5 s.
pub const PODS_WINDOW: Duration = Duration::from_secs(4);

/// The same where they could not be read, and while what they showed is acted upon.
pub const LONG_WINDOW: Duration = Duration::from_secs(30);

/// What the API server's caches must catch up with is asked for again soon.
pub fn catching_up(progress: &Progress) -> Duration {
    match progress.waits_for {
        WaitsFor::Observation => CATCHING_UP,
        WaitsFor::Resumption
        | WaitsFor::NewPods
        | WaitsFor::OldPods(_)
        | WaitsFor::EndingPods(_)
        | WaitsFor::Availability
        | WaitsFor::SecondLook => WATCH_WINDOW,
    }
}
