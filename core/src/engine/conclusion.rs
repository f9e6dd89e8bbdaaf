//! The end of a deploy, and its report.

use super::model::{Engine, Outcome};
use crate::outcome::CredentialSource;
use crate::report::page::{Details, RolledBackTo, Target};
use crate::report::{self, Report};
use crate::request::Request;
use crate::state::continuation::Continuation;
use crate::strategy::{Failure, RollbackResult};
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
    /// The execution of a canary that had died with a share of the traffic, where that was taken
    /// back before this deploy was refused.
    pub ended_share: Option<String>,
}

impl Engine {
    /// Ends the engine after [`super::Next::Done`].
    pub fn ended(self, outcome: Outcome) -> Ended {
        let is_refused = matches!(outcome, Outcome::Failed(Failure::Faults(_)));
        let ended_share = is_refused.then(|| self.ended_share());
        Ended {
            outcome,
            ended_share: ended_share.flatten(),
            request: self.request,
            continuation: self.continuation,
        }
    }
}

/// What serves again in full, where a failed version was taken out of service.
fn restored(rollback_result: &RollbackResult) -> Option<RolledBackTo> {
    if let RollbackResult::RolledBack(version) = rollback_result {
        return Some(RolledBackTo {
            revision: Some(version.revision).filter(|revision| *revision > 0),
            image: Some(version.image.clone()),
            deployment: None,
        });
    }
    let (RollbackResult::SwitchedBack(name, _) | RollbackResult::Unswitched(_, name, true)) =
        rollback_result
    else {
        return None;
    };
    (!name.is_empty()).then(|| RolledBackTo {
        deployment: Some(name.clone()),
        ..RolledBackTo::default()
    })
}

impl Ended {
    /// Whether the same call again would be told the same end, and try nothing.
    pub fn is_final(&self) -> bool {
        matches!(&self.outcome, Outcome::Failed(failure) if failure.is_final())
    }

    /// What a page of the report has beside the report.
    pub fn details(&self) -> Details {
        let (request, continuation) = (&self.request, &self.continuation);
        let (mut evidence, mut rolled_back_to) = (Evidence::default(), None);
        if let Outcome::Failed(Failure::Rollout {
            failure,
            rollback_result,
        }) = &self.outcome
        {
            evidence = failure.evidence.clone();
            rolled_back_to = restored(rollback_result);
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
            rolled_back_to,
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
            Outcome::Failed(Failure::Faults(faults)) => {
                report::refused(request, faults, self.ended_share.as_deref())
            }
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

#[cfg(test)]
mod tests;
