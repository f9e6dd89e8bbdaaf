//! A Job that is gone. With `ttlSecondsAfterFinished: 0` Kubernetes deletes it in the moment in
//! which it ends, so that only its events tell how it ended.
//! <https://kubernetes.io/docs/concepts/workloads/controllers/ttlafterfinished/>

use super::super::causes::{RolloutCause, RolloutFailure, Stop};
use super::super::decision::Decision;
use super::super::pauses::CATCHING_UP;
use super::super::result::{Failure, RollbackResult, Success};
use super::super::rollout_tracker::RolloutState;
use super::context::{Context, Next};
use crate::snapshot::Query;
use crate::state::continuation::Rollout;
use crate::workload::Workload;
use crate::workload::health::job::{JobEnd, JobFailure};
use crate::workload::health::rollout::{Progress, WaitsFor};
use serde_json::json;

/// How often its events are read before its end counts as unseen: they are written apart from its
/// status, and may come later.
const READINGS: u32 = 3;

impl Context<'_> {
    /// Nobody else's deletion is told by the events of the Job's own end.
    pub(super) fn gone_job(&self, rollout: &Rollout) -> Next {
        let query = Query::JobEnd {
            name: self.request.deployment.clone(),
            uid: rollout.written.uid.clone(),
        };
        match self.snapshot.get::<Option<JobEnd>>(query)? {
            Some(JobEnd::Completed) => Ok(Decision::Finish(Success {
                deployment: self.last_job(rollout),
                revision: None,
                wrote: rollout.wrote,
                previous_revision: None,
                switched: None,
                note: None,
            })),
            Some(JobEnd::Failed(failure)) => self.gone_and_failed(rollout, failure.clone()),
            None if self.snapshot.ends_unseen < READINGS => {
                let progress = Progress {
                    waits_for: WaitsFor::Completion {
                        active: 0,
                        failed: 0,
                    },
                    available: 0,
                    wanted: 1,
                    obstacle: None,
                };
                Ok(self.wait(progress, self.continuation.deadline, CATCHING_UP, false))
            }
            None => Ok(Decision::GiveUp(Failure::EndUnseen)),
        }
    }

    /// Told with what was seen of its pods while it was there.
    fn gone_and_failed(&self, rollout: &Rollout, failure: JobFailure) -> Next {
        let has_log = matches!(self.snapshot.explanation.log, Some(Ok(_)));
        let stop = match has_log {
            true => Stop::JobFailed(failure),
            false => Stop::JobGone(failure),
        };
        let failure = match self.seen_job(rollout) {
            None => RolloutFailure::of(RolloutCause::Pods {
                told: None,
                stopped: Some(stop),
            }),
            Some(live) => {
                let tracker = self.tracker(rollout, live, self.continuation.deadline);
                match tracker.fail(Some(stop))? {
                    RolloutState::Failed(failure) => failure,
                    RolloutState::GoesOn(decision) => return Ok(decision),
                    RolloutState::Serves => return Ok(Decision::GiveUp(Failure::EndUnseen)),
                }
            }
        };
        Ok(Decision::GiveUp(Failure::Rollout {
            failure: Box::new(failure),
            rollback_result: RollbackResult::NothingToRollBackTo,
        }))
    }

    /// The Job as it was seen last, if it was.
    fn seen_job(&self, rollout: &Rollout) -> Option<&Workload> {
        let seen = self.snapshot.last_job.as_ref();
        seen.filter(|last| last.uid() == rollout.written.uid)
    }

    /// The same, or what is known of it without.
    fn last_job(&self, rollout: &Rollout) -> Workload {
        self.seen_job(rollout).cloned().unwrap_or_else(|| {
            let (name, namespace) = (&self.request.deployment, &self.request.namespace);
            let metadata = json!({"name": name, "namespace": namespace,
                "uid": rollout.written.uid});
            Workload::new(self.request.kind, json!({"metadata": metadata}))
        })
    }
}
