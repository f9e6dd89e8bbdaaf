//! The timeline of a deploy, where a page of its report is wanted.

use super::model::Engine;
use crate::state::timeline::Mark;
use crate::strategy;
use crate::strategy::causes::RolloutCause;
use jiff::Timestamp;

impl Engine {
    /// Keeps what is seen now of the versions and of the traffic.
    pub(super) fn note_what_is_seen(&mut self, now: Timestamp) {
        if self.continuation.timeline.is_none() {
            return;
        }
        let (request, continuation) = (&self.request, &self.continuation);
        let (seen, share) = strategy::sample(request, continuation, &self.snapshot, now);
        let second = self.second();
        if let Some(timeline) = &mut self.continuation.timeline {
            timeline.see(second, &seen, share);
        }
    }

    /// Keeps that something happened.
    pub(super) fn note_mark(&mut self, mark: Mark) {
        let second = self.second();
        if let Some(timeline) = &mut self.continuation.timeline {
            timeline.mark(second, mark);
        }
    }

    /// Keeps the share that a version had when it failed, where no look has shown it yet.
    pub(super) fn note_share_of(&mut self, cause: &RolloutCause) {
        let timeline = self.continuation.timeline.as_ref();
        if let RolloutCause::AtShare { percent, .. } = cause
            && timeline.is_some_and(|timeline| !timeline.has_shared())
        {
            self.note_mark(Mark::Share(*percent));
        }
    }

    /// The second of the deploy in which the last decision was made.
    fn second(&self) -> i64 {
        let since = self.decided_at.duration_since(self.continuation.started);
        since.as_secs().max(0)
    }
}
