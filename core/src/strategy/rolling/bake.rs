//! After the rollout: the new version is watched for the time of the bake. Its pods are followed as
//! before, so what fails in that time is rolled back like a rollout that fails.

use super::super::decision::{Decision, Stage};
use super::super::guarding;
use super::super::pauses::{CATCHING_UP, LONG_WINDOW};
use super::super::rollout_tracker::waiting_for_replica_set;
use super::context::Context;
use crate::state::continuation::Rollout;
use crate::strategy::decision::Wait;
use crate::workload::Workload;
use jiff::Timestamp;

impl Context<'_> {
    /// The new version serves everything. What this deploy did not write is not watched.
    pub(super) fn bake(&self, rollout: &Rollout, live: &Workload) -> Decision {
        let is_watched = !self.request.bake.is_zero() || self.request.alarms.is_some();
        if !rollout.wrote || !is_watched {
            return self.finish(rollout, live);
        }
        let Some(until) = self.baked_at() else {
            return Decision::Serves(self.now);
        };
        // From here on a pod that is not ready is a version that stopped serving.
        let sights = &self.continuation.sights;
        let is_due = |last| last + CATCHING_UP <= self.now;
        if sights.last.is_none_or(is_due) {
            return Decision::Remember(sights.healed(self.now));
        }
        let wait = |at_most| {
            Decision::Wait(Wait {
                progress: waiting_for_replica_set(live),
                rollback: false,
                at_most,
                stage: Stage::Watched(until),
            })
        };
        if self.now < until {
            let left = until.duration_since(self.now).unsigned_abs();
            return wait(LONG_WINDOW.min(left));
        }
        match guarding::read_at(self.request, self.continuation, until, wait) {
            Ok(()) => self.finish(rollout, live),
            Err(decision) => decision,
        }
    }

    /// When the rollout must be complete: a bake that has begun is finished.
    pub(super) fn deadline(&self) -> Timestamp {
        let deadline = self.continuation.deadline;
        self.baked_at()
            .map_or(deadline, |until| until.max(deadline))
    }

    fn baked_at(&self) -> Option<Timestamp> {
        let since = self.continuation.guard.serving_since?;
        Some(since + self.request.bake)
    }
}
