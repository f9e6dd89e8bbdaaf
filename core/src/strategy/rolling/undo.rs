//! The way back: which version, and how it is followed.

use super::super::causes::{RolloutFailure, Stop};
use super::super::decision::{Decision, Undo, Wait};
use super::super::result::{Failure, RollbackResult, Version};
use super::super::rollout_tracker::{
    CATCHING_UP, RolloutState, catching_up, waiting_for_replica_set,
};
use super::context::{Context, Next, revision_of};
use crate::outcome::Cause;
use crate::request::Request;
use crate::state::baseline::Previous;
use crate::state::continuation::{Reason, Rollback, Rollout};
use crate::workload::health::rollout::Verdict;
use crate::workload::{Workload, health};
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
        live: &Workload,
        mut failure: RolloutFailure,
    ) -> Next {
        let tracker = self.tracker(rollout, live, self.deadline());
        let lacks_room = failure.kind.is_some_and(Cause::is_of_room) && tracker.lacks_only_more();
        let way_back = match rollout.written.wanted.filter(|_| lacks_room) {
            Some(wanted) => Err(RollbackResult::Outgrown(wanted)),
            None => self.way_back(rollout, live),
        };
        let rollback_result = match way_back {
            Ok(previous) => match self.previous_template(&previous.name, live)? {
                Ok(Some(template)) if live.has_template(&template) => {
                    RollbackResult::NothingToRollBackTo
                }
                Ok(Some(template)) => {
                    return Ok(Decision::RollBack(Box::new(Undo {
                        live: live.clone(),
                        template,
                        revision: previous.revision,
                        failure,
                        is_of_another: false,
                    })));
                }
                Ok(None) => RollbackResult::PreviousGone(previous.name),
                Err(why) => RollbackResult::NotRolledBack(previous.revision, why.to_owned()),
            },
            Err(rollback_result) => rollback_result,
        };
        failure.evidence = self.with_serving(failure.evidence, live, &rollout.written);
        Ok(Decision::GiveUp(Failure::Rollout {
            failure: Box::new(failure),
            rollback_result,
        }))
    }

    /// The version to return to, or why there is no way back.
    pub(super) fn way_back(
        &self,
        rollout: &Rollout,
        live: &Workload,
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
        let sets = self.snapshot.replica_sets(live).unwrap_or_default();
        let previous = rollout.previous.as_ref();
        super::way_back::choose(previous, &rollout.written, live, sets).ok_or(
            match live.revision().or(revision_of(live, sets)) {
                Some(2..) => RollbackResult::NothingServed,
                Some(_) | None => RollbackResult::NothingToRollBackTo,
            },
        )
    }

    /// Whether others have come between a rollback and its end.
    fn interrupted(&self, rollback: &Rollback, live: &Workload) -> Option<RollbackResult> {
        let end = self.overtaken(&rollback.written, true, live)?;
        if let Decision::GiveUp(Failure::Deleted(_)) = end {
            return Some(RollbackResult::Deleted);
        }
        Some(RollbackResult::OvertakenBy(self.other_author(live)))
    }

    pub(super) fn rollback(&self, rollback: &Rollback, live: &Workload) -> Next {
        match self.interrupted(rollback, live) {
            Some(RollbackResult::Deleted) => return self.deleted_on_the_way_back(rollback),
            Some(rollback_result) => return Ok(ended(rollback, rollback_result)),
            None => {}
        }
        let rollout = Rollout::followed(rollback.written.clone());
        let rollout_tracker = self.tracker(&rollout, live, rollback.deadline);
        let version = || {
            let sets = self.snapshot.replica_sets(live).unwrap_or_default();
            Version::of(live, revision_of(live, sets))
        };
        let rolled_back = || ended(rollback, RollbackResult::RolledBack(version()));
        let failed = |stopped| match rollout_tracker.fail(Some(stopped))? {
            RolloutState::GoesOn(decision) => Ok(decision),
            // What it has shown belongs to the new version; of the old one its cause is enough.
            RolloutState::Failed(RolloutFailure { cause, .. }) => {
                let mut rollback = rollback.clone();
                let evidence = rollback.failure.evidence;
                let written = &rollback.written;
                rollback.failure.evidence = self.with_serving(evidence, live, written);
                Ok(ended(
                    &rollback,
                    RollbackResult::RollbackFailed(version(), cause),
                ))
            }
            RolloutState::Serves => Ok(rolled_back()),
        };
        let (progress, at_most) = match health::verdict(live, &rollback.written, self.now) {
            Verdict::Complete => {
                let sets = self.snapshot.replica_sets(live)?;
                if health::holds_the_pods(live, sets) {
                    return Ok(match rollout_tracker.serves(sets)? {
                        RolloutState::GoesOn(Decision::Wait(wait)) => Decision::Wait(Wait {
                            rollback: true,
                            ..wait
                        }),
                        RolloutState::GoesOn(decision) => decision,
                        RolloutState::Serves | RolloutState::Failed(_) => rolled_back(),
                    });
                }
                (waiting_for_replica_set(live), CATCHING_UP)
            }
            Verdict::Progressing(progress) => {
                let at_most = catching_up(&progress);
                (progress, at_most)
            }
            Verdict::Failed(progress) => {
                return failed(rollout_tracker.given_up(progress));
            }
        };
        if let Some(deletion) = self.unstick(rollback, live)? {
            return Ok(deletion);
        }
        if let Some(left) = rollout_tracker.nodes_may_come(&progress) {
            return match left.is_zero() {
                true => failed(Stop::NoNode(progress)),
                false => Ok(self.wait(progress, rollback.deadline, at_most.min(left), true)),
            };
        }
        if self.now >= rollback.deadline {
            let timeout = rollback_limit(self.request, rollback.failure.reason);
            return failed(Stop::TimedOut { timeout, progress });
        }
        Ok(self.wait(progress, rollback.deadline, at_most, true))
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
