//! The pure core: from what is known of a deploy and seen of the cluster to what to do next.
//!
//! [`decide`] has no effects and reads no clock. The loop of the function performs one
//! decision, adds what came of it to the observation, and asks again. So a deploy can be taken up
//! at any point by any invocation: all that counts is the continuation and what the cluster shows.

mod action;
mod author;
pub mod blue_green;
pub mod causes;
pub mod service_lock;
mod decision;
pub mod immutable;
mod look;
pub mod candidate;
mod observation;
mod pauses;
pub mod rollout_tracker;
mod result;
pub mod rolling;
pub mod scene;
pub mod switch;

pub use action::{Action, Step};
pub use author::author;
pub use decision::{Decision, Stage, Undo, Wait};
pub use look::Look;
pub use observation::{DryRun, Observation};
pub use result::{
    CandidateState, Failure, Former, RollbackResult, Success, Switched, TrafficState, Version,
};

use crate::kubernetes::object::Deployment;
use crate::request::{Request, Strategy};
use crate::state::continuation::{Continuation, Phase, Reason, RecordedFailure};
use jiff::Timestamp;

/// Decides the next step of a deploy.
pub fn decide(
    request: &Request,
    continuation: &Continuation,
    observation: &Observation,
    now: Timestamp,
) -> Decision {
    match &request.strategy {
        Strategy::Rolling => rolling::decide(request, continuation, observation, now),
        Strategy::BlueGreen(switch) | Strategy::Immutable { switch, .. } => {
            switch::decide(request, switch, continuation, observation, now)
        }
    }
}

/// The phase that a write leads to, given the object that it returned.
pub fn acted(
    request: &Request,
    observation: &Observation,
    action: &Action,
    after: &Deployment,
    now: Timestamp,
) -> Phase {
    match action {
        Action::Step(step) => step.then.clone(),
        Action::Patch(_) | Action::Put(_) | Action::Create(_) | Action::Undo { .. } => {
            rolling::acted(request, observation, action, after, now)
        }
    }
}

/// What is seen after a write: the object that came back, and of a switch only what a write does
/// not change.
pub fn seen_after(before: Observation, action: &Action, after: Deployment) -> Observation {
    match action {
        Action::Patch(_) | Action::Put(_) | Action::Create(_) | Action::Undo { .. } => {
            Observation::of(Some(after))
        }
        Action::Step(_) => {
            let mut seen = before;
            seen.renew(None);
            seen
        }
    }
}

/// The phase in which a switch is taken back, because the cluster refuses something that it needs;
/// `None` where there is nothing to take back, or that is what was refused.
pub fn turn_back(phase: &Phase, why: &str, refused: Option<Reason>) -> Option<Phase> {
    match phase {
        Phase::Switch => Some(Phase::SwitchRollback(RecordedFailure {
            reason: refused,
            ..RecordedFailure::of(why)
        })),
        Phase::Start | Phase::Rollout(_) | Phase::Rollback(_) | Phase::SwitchRollback(_) => None,
    }
}

#[cfg(test)]
mod tests;
