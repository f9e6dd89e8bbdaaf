//! The engines that follow single workloads of a release. They write nothing, so that they may
//! begin anew at any time, in any invocation; and they poll, because one connection is not enough
//! for a watch of each.

use super::model::Engine;
use crate::request::Request;
use crate::state::continuation::{Continuation, Phase, RecordedFailure, Rollback, Rollout};
use crate::workload::health::rollout::WriteReceipt;
use crate::workload::health::steadiness::Steady;
use jiff::{SignedDuration, Timestamp};

/// How a workload is followed: by which request, until when, and in which invocation.
pub(super) struct Following<'a> {
    pub(super) request: Request,
    pub(super) written: WriteReceipt,
    pub(super) continuation: &'a Continuation,
    /// When it must be complete.
    pub(super) deadline: Timestamp,
    pub(super) now: Timestamp,
    pub(super) until: Timestamp,
    pub(super) mask: fn(&str) -> String,
    /// The pause between two looks.
    pub(super) pause: SignedDuration,
    /// The same while a bake goes on and all pods are ready.
    pub(super) bake_pause: SignedDuration,
}

impl Following<'_> {
    /// Follows a workload that the release wrote, or found as it should be. `held`: its pods were
    /// looked at twice already.
    pub(super) fn forward(self, wrote: bool, held: bool) -> Box<Engine> {
        let rollout = Rollout {
            wrote,
            ..Rollout::followed(self.written.clone())
        };
        let steady = held.then(|| Steady {
            since: self.now,
            pods: String::new(),
            held: true,
        });
        let mut engine = self.engine(Phase::Rollout(rollout));
        engine.continuation.steady = steady;
        engine
    }

    /// Follows a workload that was put back.
    pub(super) fn back(self, revision: u64) -> Box<Engine> {
        let rollback = Rollback {
            written: self.written.clone(),
            revision,
            failure: RecordedFailure::of(""),
            deadline: self.deadline,
        };
        self.engine(Phase::Rollback(rollback))
    }

    fn engine(self, phase: Phase) -> Box<Engine> {
        let begun = Continuation::begin(
            &self.continuation.job,
            self.continuation.started,
            self.request.timeout,
        );
        let continuation = Continuation {
            deadline: self.deadline,
            phase,
            ..begun
        };
        let engine = Engine::new(self.request, continuation, self.now, self.until, self.mask);
        Box::new(engine.polling(self.pause, self.bake_pause))
    }
}

#[cfg(test)]
mod tests;
