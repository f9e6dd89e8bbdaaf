//! The rolling strategy: one write, then Kubernetes' own rolling update is followed to its end;
//! where that fails, the template that served before is brought back and followed, too.

mod context;
mod forward;
mod undo;
pub mod way_back;

use super::action::Action;
use super::decision::Decision;
use super::look::Look;
use super::observation::Observation;
use super::result::{Failure, RollbackResult};
use crate::kubernetes::object::Deployment;
use crate::request::Request;
use crate::state::baseline::Previous;
use crate::state::continuation::{Continuation, Phase, Rollback, Rollout};
use crate::workload::health::rollout::WriteReceipt;
use context::Context;
use jiff::Timestamp;
use undo::{ended, rollback_limit};

/// Decides the next step.
pub fn decide(
    request: &Request,
    continuation: &Continuation,
    observation: &Observation,
    now: Timestamp,
) -> Decision {
    let Some(deployment) = &observation.deployment else {
        return Decision::Look(Look::Deployment);
    };
    let context = Context {
        request,
        continuation,
        observation,
        now,
    };
    match (&continuation.phase, deployment) {
        // A token is bound to its request, so that a rolling deploy never has a switch's phase.
        (Phase::Start | Phase::Switch | Phase::SwitchRollback(_), None) => {
            context.start_from_nothing()
        }
        (Phase::Start | Phase::Switch | Phase::SwitchRollback(_), Some(deployment)) => {
            context.start(deployment)
        }
        (Phase::Rollout(_), None) => Decision::GiveUp(Failure::Deleted),
        (Phase::Rollback(rollback), None) => ended(rollback, RollbackResult::Deleted),
        (Phase::Rollout(rollout), Some(deployment)) => context.rollout(rollout, deployment),
        (Phase::Rollback(rollback), Some(deployment)) => context.rollback(rollback, deployment),
    }
}

/// The phase after a write: the rollout, or the rollback, of the object that came back.
pub fn acted(
    request: &Request,
    observation: &Observation,
    action: &Action,
    after: &Deployment,
    now: Timestamp,
) -> Phase {
    let before = observation.deployment.as_ref().and_then(Option::as_ref);
    let written = WriteReceipt::new(before, after, now);
    match action {
        Action::Step(step) => step.then.clone(),
        Action::Patch(_) | Action::Put(_) | Action::Create(_) => Phase::Rollout(Rollout {
            previous: before
                .and_then(|before| Previous::serving(before, observation.replica_sets.as_deref()?)),
            wrote: true,
            changed_since: false,
            written,
        }),
        Action::Undo {
            revision, failure, ..
        } => Phase::Rollback(Rollback {
            written,
            revision: *revision,
            failure: failure.clone(),
            deadline: now + rollback_limit(request, failure.reason),
        }),
    }
}

#[cfg(test)]
mod tests;
