//! The end of a deploy, and its report.

use super::model::{Engine, Outcome};
use crate::outcome::CredentialSource;
use crate::report::page::{Details, Target};
use crate::report::{self, Report};
use crate::request::Request;
use crate::state::continuation::Continuation;
use crate::strategy::Failure;
use crate::workload::health::diagnosis::Evidence;
use jiff::Timestamp;

/// The outcome of a deploy in this invocation, with its data.
#[derive(Clone, Debug)]
pub struct Ended {
    /// How it ended.
    pub outcome: Outcome,
    /// The request.
    pub request: Request,
    /// The state for the next invocation.
    pub continuation: Continuation,
}

impl Engine {
    /// Ends the engine after [`super::Next::Done`].
    pub fn ended(self, outcome: Outcome) -> Ended {
        Ended {
            outcome,
            request: self.request,
            continuation: self.continuation,
        }
    }
}

impl Ended {
    /// What a page of the report has beside the report.
    pub fn details(&self) -> Details {
        let (request, continuation) = (&self.request, &self.continuation);
        let mut evidence = Evidence::default();
        if let Outcome::Failed(Failure::Rollout { failure, .. }) = &self.outcome {
            evidence = failure.evidence.clone();
        }
        let mut changes = Vec::new();
        if let Outcome::Planned(plan) = &self.outcome {
            changes = plan.difference.all();
        }
        Details {
            target: Target {
                kind: request.kind.word(),
                name: request.deployment.clone(),
                namespace: request.namespace.clone(),
                strategy: request.strategy.name(),
                execution: request.execution.clone(),
            },
            is_plan: request.mode.is_plan(),
            started: continuation.started,
            evidence,
            changes,
            warnings: continuation.warnings.clone(),
            timeline: continuation.timeline.clone().unwrap_or_default(),
        }
    }

    /// Builds the report for CodePipeline. `bound_to` identifies the request of a continuation
    /// token; `source` is where the access to the cluster comes from.
    pub fn report(&self, bound_to: &str, source: &CredentialSource, now: Timestamp) -> Report {
        let (request, continuation) = (&self.request, &self.continuation);
        match &self.outcome {
            Outcome::Finished(success) => report::success(request, continuation, success, now),
            Outcome::Planned(plan) => report::planned(request, &continuation.guard, plan),
            Outcome::Failed(failure) => report::failure(request, failure, source),
            Outcome::Broken(call, error, present) => report::call_failed(
                request,
                continuation,
                call,
                error,
                present.as_deref(),
                source,
            ),
            Outcome::LockedOut(error) => {
                report::access_lost(request, &continuation.phase, error, source)
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
