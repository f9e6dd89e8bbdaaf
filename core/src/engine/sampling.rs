//! The timeline of a deploy, where a page of its report is wanted.

use super::model::Engine;
use crate::state::timeline::Mark;
use crate::strategy;

impl Engine {
    /// Keeps what is seen now of the versions and of the traffic.
    pub(super) fn note_what_is_seen(&mut self) {
        if self.continuation.timeline.is_none() {
            return;
        }
        let (seen, share) = strategy::sample(&self.context());
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

    /// The second of the deploy in which the last decision was made.
    fn second(&self) -> i64 {
        let since = self.decided_at.duration_since(self.continuation.started);
        since.as_secs().max(0)
    }
}
