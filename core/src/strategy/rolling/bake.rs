//! After the rollout: the new version is watched for the time of the bake. Its pods are followed as
//! before, so what fails in that time is rolled back like a rollout that fails.

use super::super::decision::{Decision, Stage};
use super::super::pauses::{CATCHING_UP, LONG_WINDOW};
use super::super::rollout_tracker::waiting_for_replica_set;
use super::context::Context;
use crate::change;
use crate::state::continuation::{Phase, Rollout};
use crate::state::marks;
use crate::strategy::decision::Wait;
use crate::workload::Workload;
use jiff::Timestamp;

impl Context<'_> {
    /// The new version serves everything. What this deploy did not write is not watched.
    pub(super) fn bake(&self, rollout: &Rollout, live: &Workload) -> Decision {
        if !rollout.wrote || !self.request.is_watched() || self.is_watch_over(live) {
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
                stage: Stage::Watched(Some(until)),
            })
        };
        if self.now < until {
            return wait(LONG_WINDOW.min(self.left(until)));
        }
        match self.see_alarms(until, wait) {
            Ok(()) => self.end_watch(rollout, live),
            Err(decision) => decision,
        }
    }

    /// Notes that the watch is over, so that a retry of the execution does not take it for that of
    /// a deploy that died. Where that is refused, the version serves all the same.
    fn end_watch(&self, rollout: &Rollout, live: &Workload) -> Decision {
        let job = &self.continuation.job;
        // Whoever follows what a release wrote has no note there.
        let is_ours = live.annotation(marks::JOB) == Some(job);
        if !is_ours || !self.snapshot.left.is_empty() {
            return self.finish(rollout, live);
        }
        let then = Phase::Rollout(rollout.clone());
        let clears = Some(live.name().to_owned());
        self.note(live, change::watched(live, job), (then, clears))
    }

    /// Whether that was noted.
    pub(super) fn is_watch_over(&self, live: &Workload) -> bool {
        live.annotation(marks::WATCHED) == Some(&self.continuation.job)
    }

    /// When the rollout must be complete: a bake that has begun is finished.
    pub(super) fn deadline(&self) -> Timestamp {
        let deadline = self.continuation.deadline;
        self.baked_at().max(Some(deadline)).unwrap_or(deadline)
    }

    fn baked_at(&self) -> Option<Timestamp> {
        let since = self.continuation.guard.serving_since?;
        Some(since + self.request.bake)
    }
}
