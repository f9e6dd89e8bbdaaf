//! The rolling strategy: one write, then Kubernetes' own rolling update is followed to its end;
//! where that fails, the template that served before is brought back and followed, too.

mod bake;
mod context;
mod deleted;
mod forward;
mod gone_job;
mod returning;
mod ringing;
mod undo;
mod unstick;
pub mod way_back;

use super::action::Action;
use super::decision::Decision;
use crate::state::baseline::Previous;
use crate::state::continuation::{Phase, Rollback, Rollout};
use crate::workload::Workload;
use crate::workload::health::rollout::{WriteReceipt, choose_alike};
use context::{Context, Next};
use undo::rollback_limit;

/// Decides the next step.
pub fn decide(context: &Context) -> Decision {
    context.next().unwrap_or_else(Decision::Read)
}

impl Context<'_> {
    fn next(&self) -> Next {
        let deployment = self.snapshot.deployment(&self.request.deployment)?;
        match (&self.continuation.phase, deployment) {
            // Kubernetes deletes a Job that has ended where its `ttlSecondsAfterFinished` says so.
            (Phase::Rollout(rollout), None) if self.request.kind.ends() => self.gone_job(rollout),
            (Phase::Rollout(rollout), None) => self.deleted(rollout),
            (Phase::Rollback(rollback), None) => self.deleted_on_the_way_back(rollback),
            (Phase::Rollout(rollout), Some(live)) => self.rollout(rollout, live),
            (Phase::Rollback(rollback), Some(live)) => self.rollback(rollback, live),
            // A token is bound to its request, so that a rolling deploy never has a switch's phase.
            (_, None) => Ok(self.start_from_nothing()),
            (_, Some(live)) => self.start(live),
        }
    }
}

/// The phase after a write: the rollout, or the rollback, of the object that came back.
pub fn acted(context: &Context, action: &Action, after: &Workload) -> Phase {
    let (snapshot, now) = (context.snapshot, context.now);
    let before = snapshot.seen_deployment(&context.request.deployment);
    let written = WriteReceipt::new(before, after, now);
    match action {
        Action::Step(step) => step.then.clone(),
        Action::Patch(_) | Action::Put(_) | Action::Create(_) => Phase::Rollout(Rollout {
            previous: before
                .and_then(|before| Previous::serving(before, snapshot.replica_sets(before).ok()?)),
            wrote: true,
            changed_since: false,
            written,
        }),
        Action::Undo {
            revision, failure, ..
        } => Phase::Rollback(Rollback {
            // What is brought back had pods; where it asks for the same nodes, these have left.
            written: match before.is_some_and(|it| !choose_alike(it.template(), after.template())) {
                true => written.after_pods(after),
                false => written,
            },
            revision: *revision,
            failure: failure.clone(),
            deadline: now + rollback_limit(context.request, failure.reason),
        }),
    }
}

#[cfg(test)]
mod tests;
