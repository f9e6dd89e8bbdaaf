//! The way back: which version, and how it is followed.

use super::super::action::Action;
use super::super::author::other_author;
use super::super::causes;
use super::super::decision::{Decision, Stage, Wait};
use super::super::look::Look;
use super::super::pursuit::{
    CATCHING_UP, Failed, Followed, Pursuit, catching_up, waiting_for_replica_set,
};
use super::super::result::{Aftermath, Failure, Version};
use super::context::{Context, is_current};
use crate::change::{self};
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
        failed: Failed,
    ) -> Decision {
        let Failed {
            cause,
            kind,
            evidence,
            reason,
        } = failed;
        let aftermath = match self.way_back(rollout, live) {
            Ok(previous) => match &self.observation.previous_template {
                None => {
                    let name = previous.name.clone();
                    return Decision::Look(Look::Previous { name });
                }
                Some(Ok(Some(template))) if is_current(template, live) => {
                    Aftermath::NothingToReturnTo
                }
                Some(Ok(Some(template))) => {
                    let job = &self.continuation.job;
                    return Decision::Act(Action::Undo {
                        operations: change::undo(live, template, job, &cause),
                        revision: previous.revision,
                        cause,
                        kind,
                        evidence,
                        reason,
                    });
                }
                Some(Ok(None)) => Aftermath::PreviousGone(previous.name.clone()),
                Some(Err(why)) => Aftermath::NotReturned(previous.revision, why.clone()),
            },
            Err(aftermath) => aftermath,
        };
        Decision::GiveUp(Failure::Rollout {
            cause,
            kind,
            evidence: self.with_serving(evidence, live),
            aftermath,
            reason,
        })
    }

    /// The ReplicaSet to return to, or why there is no way back.
    pub(super) fn way_back(
        &self,
        rollout: &Rollout,
        live: &Deployment,
    ) -> Result<Previous, Aftermath> {
        if !rollout.wrote {
            return Err(Aftermath::NothingWritten);
        }
        if !self.request.rollback {
            return Err(Aftermath::RollbackDisabled);
        }
        if rollout.changed_since {
            return Err(Aftermath::OvertakenBy(None));
        }
        if live.is_paused() {
            return Err(Aftermath::Paused);
        }
        let sets = self.observation.replica_sets.as_deref().unwrap_or_default();
        let previous = rollout.previous.as_ref();
        super::way_back::choose(previous, &rollout.written, live, sets).ok_or(
            match live.revision() {
                Some(2..) => Aftermath::NothingServed,
                Some(_) | None => Aftermath::NothingToReturnTo,
            },
        )
    }

    /// Whether others have come between a rollback and its end.
    fn interrupted(&self, rollback: &Rollback, live: &Deployment) -> Option<Aftermath> {
        match self.overtaken(&rollback.written, true, live)? {
            Decision::GiveUp(Failure::Deleted) => Some(Aftermath::Deleted),
            Decision::Look(_)
            | Decision::Act(_)
            | Decision::Enter(_)
            | Decision::Remember(_)
            | Decision::Steady(_)
            | Decision::Wait(_)
            | Decision::Finish(_)
            | Decision::GiveUp(_) => Some(Aftermath::OvertakenBy(other_author(
                live,
                self.continuation,
            ))),
        }
    }

    pub(super) fn rollback(&self, rollback: &Rollback, live: &Deployment) -> Decision {
        if let Some(aftermath) = self.interrupted(rollback, live) {
            return ended(rollback, aftermath);
        }
        let rollout = Rollout::followed(rollback.written.clone());
        let pursuit = Pursuit {
            request: self.request,
            observation: self.observation,
            rollout: &rollout,
            continuation: self.continuation,
            live,
            now: self.now,
            deadline: rollback.deadline,
            stage: Stage::Rollout,
        };
        let failed = |stopped| match pursuit.fail(Some(stopped)) {
            Followed::GoesOn(decision) => decision,
            // What it has shown belongs to the new version; of the old one its cause is enough.
            Followed::Failed(Failed { cause, .. }) => {
                let mut rollback = rollback.clone();
                rollback.evidence = self.with_serving(rollback.evidence, live);
                let version = Version::of(live);
                ended(&rollback, Aftermath::RollbackFailed(version, cause))
            }
            Followed::Serves => ended(rollback, Aftermath::RolledBack(Version::of(live))),
        };
        let (progress, at_most) = match rollout::verdict(live, &rollback.written, self.now) {
            Verdict::Complete => {
                let Some(sets) = &self.observation.replica_sets else {
                    let selector = live.selector();
                    return Decision::Look(Look::ReplicaSets { selector });
                };
                if rollout::holds_the_pods(live, sets) {
                    return match pursuit.serves(sets) {
                        Followed::GoesOn(Decision::Wait(wait)) => Decision::Wait(Wait {
                            rollback: true,
                            ..wait
                        }),
                        Followed::GoesOn(decision) => decision,
                        Followed::Serves | Followed::Failed(_) => {
                            ended(rollback, Aftermath::RolledBack(Version::of(live)))
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
                return failed(causes::deadline_exceeded(live, &progress, "previous"));
            }
        };
        if self.now >= rollback.deadline {
            let timeout = rollback_limit(self.request, rollback.reason);
            return failed(causes::timed_out(timeout, &progress, "previous"));
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
pub(super) fn ended(rollback: &Rollback, aftermath: Aftermath) -> Decision {
    Decision::GiveUp(Failure::Rollout {
        cause: rollback.cause.clone(),
        kind: rollback.kind,
        evidence: rollback.evidence.clone(),
        aftermath,
        reason: rollback.reason,
    })
}
