//! How long to wait before the cluster is read again.

use crate::workload::health::rollout::{Progress, WaitsFor};
use std::time::Duration;

/// How long to rely on a watch before the object is read again. A proxy may keep a dead connection
/// open forever.
pub const WATCH_WINDOW: Duration = Duration::from_secs(10);

/// How often the Service is read while the new version is watched: no watch reports a selector that
/// someone else sets, and until it is noticed two versions may get traffic.
pub(super) const BAKE_WINDOW: Duration = Duration::from_secs(4);

/// How often everything is read while a canary's candidate has a share for its time. What becomes
/// of its pods is told by a watch; this is for what others do to the route and the Service.
pub(super) const STEP_WINDOW: Duration = Duration::from_secs(90);

/// How often events are read that tell of weights in force.
pub(super) const EVENTS_WINDOW: Duration = Duration::from_secs(5);

/// What the steps after the bake may take.
pub(super) const RETIRING: Duration = Duration::from_secs(120);

/// How soon to read an inconsistent state again (an object older than our write, ReplicaSets behind
/// their Deployment): the server's caches catch up in milliseconds.
pub const CATCHING_UP: Duration = Duration::from_secs(1);

/// How often the pods are checked during a rollout, and how long after a write for the first time:
/// a rollout that is done by then needs no check, and a failure is known within 5 s.
pub const PODS_WINDOW: Duration = Duration::from_secs(4);

/// The same if a watch follows the pods, so that a check costs no call.
pub(super) const WATCHED_WINDOW: Duration = Duration::from_secs(1);

/// The same for a Job that is deleted right after its end. Its controller notices a pod's end a
/// second later, so that two looks fall into what is left of its log.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/job/job_controller.go>
pub(super) const BRIEF_WINDOW: Duration = Duration::from_millis(400);

/// The same if the pods could not be read, and while a result of theirs is acted upon.
pub const LONG_WINDOW: Duration = Duration::from_secs(30);

/// The pause until the next read: shorter if the API server's caches must catch up.
pub fn catching_up(progress: &Progress) -> Duration {
    match progress.waits_for == WaitsFor::Observation {
        true => CATCHING_UP,
        false => WATCH_WINDOW,
    }
}
