//! The way back: which version, and how it is followed.

use super::super::author::other_author;
use super::super::causes::{RolloutFailure, Stop};
use super::super::decision::{Decision, Stage, Undo, Wait};
use super::super::look::Look;
use super::super::result::{Failure, RollbackResult, Version};
use super::super::rollout_tracker::{
    CATCHING_UP, RolloutState, RolloutTracker, catching_up, waiting_for_replica_set,
};
use super::context::{Context, is_current};
use crate::kubernetes::object::Deployment;
use crate::request::Request;
use crate::state::baseline::Previous;
use crate::state::continuation::{Reason, Rollback, Rollout};
use crate::workload::health::rollout::{self, Verdict};
use std::time::Duration;

/// A rollback gets as long as the deploy, but no longer than this: its pods ran before.
pub(super) const ROLLBACK_LIMIT: Duration = Duration::from_secs(15 * 60);

/// The same where Kubernetes' controllers have been silent for the whole deploy: long enough to see
/// that they are back, and no second wait for what most likely does not come.
const SILENT_ROLLBACK_LIMIT: Duration = Duration::from_secs(30);

impl Context<'_> {
    /// Brings the previous version back, or says why not.
    pub(super) fn take_back(
        &self,
        rollout: &Rollout,
        live: &Deployment,
        mut failure: RolloutFailure,
    ) -> Decision {
        let rollback_result = match self.way_back(rollout, live) {
            Ok(previous) => match &self.observation.previous_template {
                None => {
                    let name = previous.name.clone();
                    return Decision::Look(Look::Previous { name });
                }
                Some(Ok(Some(template))) if is_current(template, live) => {
                    RollbackResult::NothingToRollBackTo
                }
                Some(Ok(Some(template))) => {
                    return Decision::RollBack(Box::new(Undo {
                        live: live.clone(),
                        template: template.clone(),
                        revision: previous.revision,
                        failure,
                    }));
                }
                Some(Ok(None)) => RollbackResult::PreviousGone(previous.name.clone()),
                Some(Err(why)) => RollbackResult::NotRolledBack(previous.revision, why.clone()),
            },
            Err(rollback_result) => rollback_result,
        };
        failure.evidence = self.with_serving(failure.evidence, live);
        Decision::GiveUp(Failure::Rollout {
            failure: Box::new(failure),
            rollback_result,
        })
    }

    /// The ReplicaSet to return to, or why there is no way back.
    pub(super) fn way_back(
        &self,
        rollout: &Rollout,
        live: &Deployment,
    ) -> Result<Previous, RollbackResult> {
        if !rollout.wrote {
            return Err(RollbackResult::NothingWritten);
        }
        if !self.request.rollback {
            return Err(RollbackResult::RollbackDisabled);
        }
        if rollout.changed_since {
            return Err(RollbackResult::OvertakenBy(None));
        }
        if live.is_paused() {
            return Err(RollbackResult::Paused);
        }
        let sets = self.observation.replica_sets.as_deref().unwrap_or_default();
        let previous = rollout.previous.as_ref();
        super::way_back::choose(previous, &rollout.written, live, sets).ok_or(
            match live.revision() {
                Some(2..) => RollbackResult::NothingServed,
                Some(_) | None => RollbackResult::NothingToRollBackTo,
            },
        )
    }

    /// Whether others have come between a rollback and its end.
    fn interrupted(&self, rollback: &Rollback, live: &Deployment) -> Option<RollbackResult> {
        match self.overtaken(&rollback.written, true, live)? {
            Decision::GiveUp(Failure::Deleted) => Some(RollbackResult::Deleted),
            Decision::Look(_)
            | Decision::Act(_)
            | Decision::RollBack(_)
            | Decision::TakeBack(_)
            | Decision::Enter(_)
            | Decision::Remember(_)
            | Decision::Steady(_)
            | Decision::Wait(_)
            | Decision::Finish(_)
            | Decision::GiveUp(_) => Some(RollbackResult::OvertakenBy(other_author(
                live,
                self.continuation,
            ))),
        }
    }

    pub(super) fn rollback(&self, rollback: &Rollback, live: &Deployment) -> Decision {
        if let Some(rollback_result) = self.interrupted(rollback, live) {
            return ended(rollback, rollback_result);
        }
        let rollout = Rollout::followed(rollback.written.clone());
        let rollout_tracker = RolloutTracker {
            request: self.request,
            observation: self.observation,
            rollout: &rollout,
            continuation: self.continuation,
            live,
            now: self.now,
            deadline: rollback.deadline,
            stage: Stage::Rollout,
        };
        let failed = |stopped| match rollout_tracker.fail(Some(stopped)) {
            RolloutState::GoesOn(decision) => decision,
            // What it has shown belongs to the new version; of the old one its cause is enough.
            RolloutState::Failed(RolloutFailure { cause, .. }) => {
                let mut rollback = rollback.clone();
                let evidence = rollback.failure.evidence;
                rollback.failure.evidence = self.with_serving(evidence, live);
                let version = Version::of(live);
                ended(&rollback, RollbackResult::RollbackFailed(version, cause))
            }
            RolloutState::Serves => ended(rollback, RollbackResult::RolledBack(Version::of(live))),
        };
        let (progress, at_most) = match rollout::verdict(live, &rollback.written, self.now) {
            Verdict::Complete => {
                let Some(sets) = &self.observation.replica_sets else {
                    let selector = live.selector();
                    return Decision::Look(Look::ReplicaSets { selector });
                };
                if rollout::holds_the_pods(live, sets) {
                    return match rollout_tracker.serves(sets) {
                        RolloutState::GoesOn(Decision::Wait(wait)) => Decision::Wait(Wait {
                            rollback: true,
                            ..wait
                        }),
                        RolloutState::GoesOn(decision) => decision,
                        RolloutState::Serves | RolloutState::Failed(_) => {
                            ended(rollback, RollbackResult::RolledBack(Version::of(live)))
                        }
                    };
                }
                (waiting_for_replica_set(live), CATCHING_UP)
            }
            Verdict::Progressing(progress) => {
                let at_most = catching_up(&progress);
                (progress, at_most)
            }
            Verdict::Failed(progress) => {
                return failed(rollout_tracker.deadline_exceeded(progress));
            }
        };
        if self.now >= rollback.deadline {
            let timeout = rollback_limit(self.request, rollback.failure.reason);
            return failed(Stop::TimedOut { timeout, progress });
        }
        self.wait(progress, rollback.deadline, at_most, true)
    }
}

/// How long the previous version is waited for.
pub(super) fn rollback_limit(request: &Request, reason: Option<Reason>) -> Duration {
    let limit = match reason {
        Some(Reason::Unobserved) => SILENT_ROLLBACK_LIMIT,
        Some(_) | None => ROLLBACK_LIMIT,
    };
    request.timeout.min(limit)
}

/// The end of a rollback, whichever it is: what counts is why the new version failed.
pub(super) fn ended(rollback: &Rollback, rollback_result: RollbackResult) -> Decision {
    Decision::GiveUp(Failure::Rollout {
        failure: rollback.failure.clone().into(),
        rollback_result,
    })
}
