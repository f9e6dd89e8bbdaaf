//! The end of a deploy, and its report.

use super::model::{Engine, Outcome};
use crate::outcome::ParameterPlace;
use crate::report::{self, Report};
use crate::request::Request;
use crate::state::continuation::Continuation;
use jiff::Timestamp;

/// What became of a deploy in this invocation, and what is known of it.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How it ended.
    pub outcome: Outcome,
    /// What was asked for.
    pub request: Request,
    /// What the next invocation goes on from.
    pub continuation: Continuation,
}

impl Engine {
    /// The end, after [`super::Next::Done`].
    pub fn ended(self, outcome: Outcome) -> Ended {
        Ended {
            outcome,
            request: self.request,
            continuation: self.continuation,
        }
    }
}

impl Ended {
    /// What CodePipeline is told. A continuation token is bound to `bound_to`; `place` is
    /// where the token is.
    pub fn report(&self, bound_to: &str, place: &ParameterPlace, now: Timestamp) -> Report {
        let (request, continuation) = (&self.request, &self.continuation);
        match &self.outcome {
            Outcome::Finished(success) => report::success(request, continuation, success, now),
            Outcome::Planned(plan) => report::planned(request, plan),
            Outcome::Failed(failure) => report::failure(request, failure),
            Outcome::Broken(call, error, present) => report::call_failed(
                request,
                continuation,
                call,
                error,
                present.as_deref(),
                place,
            ),
            Outcome::LockedOut(error) => {
                report::access_lost(request, &continuation.phase, error, place)
            }
            Outcome::LostSight(since, why) => {
                report::lost_sight(request, continuation, *since, why)
            }
            Outcome::HandedOver(waiting) => {
                report::handed_over(continuation, bound_to, waiting.as_ref())
            }
        }
    }
}
