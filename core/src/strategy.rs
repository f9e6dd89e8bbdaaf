//! The pure core: from what is known of a deploy and seen of the cluster to what to do next.
//!
//! [`decide`] has no effects and reads no clock. The loop of the function performs one
//! decision, adds what came of it to the snapshot, and asks again. So a deploy can be taken up
//! at any point by any invocation: all that counts is the continuation and what the cluster shows.

mod action;
pub mod blue_green;
pub mod causes;
mod context;
pub mod service_lock;
mod decision;
mod guarding;
pub mod handover;
pub mod immutable;
pub mod candidate;
mod pauses;
pub mod rollout_tracker;
mod result;
mod sampling;
pub mod rolling;
pub mod switch;
mod waiting;

pub use action::{Action, Step};
pub use causes::{RouteProblem, TrafficState};
pub use context::Context;
pub use decision::{Decision, Stage, Undo, Wait};
pub use guarding::{Began, is_return, was_watched_to_its_end};
pub use result::{
    CandidateState, Failure, Former, RollbackResult, Success, SuccessNote, Switched, Version,
};
pub use rolling::acted;
pub use sampling::sample;

use crate::kubernetes::call::Verb;
use crate::snapshot::Snapshot;
use crate::state::continuation::{Phase, Reason, RecordedFailure};
use crate::workload::Workload;
use jiff::Timestamp;

/// Decides the next step of a deploy.
pub fn decide(context: &Context) -> Decision {
    switch::decide(context).unwrap_or_else(|| rolling::decide(context))
}

/// Takes what a write has returned into the snapshot: of a rolling deploy another version, of a
/// switch also that everything else may have changed.
pub fn seen_after(snapshot: &mut Snapshot, action: &Action, after: Workload, now: Timestamp) {
    match action {
        Action::Patch(_) | Action::Put(_) | Action::Create(_) | Action::Undo { .. } => {
            *snapshot = Snapshot::of(after);
        }
        // What was deleted may be gone, or go.
        Action::Step(step) if step.call.verb == Verb::Delete => snapshot.invalidate_all(),
        Action::Step(_) => snapshot.written(after, now),
    }
}

/// The phase in which a switch is taken back, because the cluster refuses something that it needs;
/// `None` where there is nothing to take back, or that is what was refused.
pub fn turn_back(phase: &Phase, why: &str, refused: Option<Reason>) -> Option<Phase> {
    (*phase == Phase::Switch).then(|| {
        Phase::SwitchRollback(RecordedFailure {
            reason: refused,
            ..RecordedFailure::of(why)
        })
    })
}

#[cfg(test)]
mod tests;
