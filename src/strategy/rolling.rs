//! The rolling strategy: one write, then Kubernetes' own rolling update is followed to its end;
//! where that fails, the template that served before is brought back and followed, too.

use super::{
    Action, Aftermath, Decision, Failure, Look, Observation, Success, Wait, author, other_author,
};
use crate::change::{self, Change, Previous};
use crate::cluster::object::{self, Deployment, timestamp};
use crate::continuation::{CAUSE_LIMIT, Continuation, Phase, Rollback, Rollout};
use crate::report;
use crate::request::{Method, Request};
use crate::rollout::{self, Progress, Verdict, WaitsFor, Written};
use jiff::Timestamp;
use std::time::Duration;

/// How long a watch is trusted to tell of changes before the object is read anew. A proxy between
/// may hold a dead connection open for ever.
const WATCH_WINDOW: Duration = Duration::from_secs(20);

/// How soon to read again what was seen in an inconsistent state (an object older than our write,
/// ReplicaSets behind their Deployment): the server's caches catch up in milliseconds.
const CATCHING_UP: Duration = Duration::from_secs(1);

/// A rollback gets as long as the deploy, but no longer than this: its pods ran before.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(15 * 60);

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
        (Phase::Start, None) => context.start_from_nothing(),
        (Phase::Start, Some(deployment)) => context.start(deployment),
        (Phase::Rollout(_) | Phase::Rollback(_), None) => Decision::GiveUp(Failure::Deleted),
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
    let written = Written::new(before, after, now);
    match action {
        Action::Patch(_) | Action::Put(_) | Action::Create(_) => Phase::Rollout(Rollout {
            previous: before
                .and_then(|before| Previous::serving(before, observation.replica_sets.as_deref()?)),
            wrote: true,
            written,
        }),
        Action::Undo {
            revision, cause, ..
        } => Phase::Rollback(Rollback {
            written,
            revision: *revision,
            cause: cause.clone(),
            deadline: now + request.timeout.min(ROLLBACK_LIMIT),
        }),
    }
}

/// All that a decision may depend on.
struct Context<'a> {
    request: &'a Request,
    continuation: &'a Continuation,
    observation: &'a Observation,
    now: Timestamp,
}

impl Context<'_> {
    fn start_from_nothing(&self) -> Decision {
        if self.now >= self.continuation.deadline {
            return Decision::GiveUp(Failure::TooLate);
        }
        match self.request.method {
            Method::Patch => Decision::GiveUp(Failure::Missing),
            Method::Put => {
                let author = author(self.request, self.continuation, self.now);
                match change::create(self.request, &author) {
                    Ok(object) => Decision::Act(Action::Create(object)),
                    Err(faults) => Decision::GiveUp(Failure::Faults(faults)),
                }
            }
        }
    }

    fn start(&self, live: &Deployment) -> Decision {
        if live.is_being_deleted() {
            return Decision::GiveUp(Failure::BeingDeleted);
        }
        let job = &self.continuation.job;
        let mut superseded = live
            .annotation(change::SUPERSEDED)
            .into_iter()
            .flat_map(|jobs| jobs.split(','));
        if superseded.any(|superseded| superseded == job) {
            let by = other_author(live, self.continuation);
            return Decision::GiveUp(Failure::OutOfSync { by, wrote: true });
        }
        if live.annotation(change::JOB) == Some(job) {
            return self.take_up(live);
        }
        if self.now >= self.continuation.deadline {
            return Decision::GiveUp(Failure::TooLate);
        }
        let unpaused = |manifest: &serde_json::Value| {
            manifest.pointer("/spec/paused") == Some(&serde_json::Value::Bool(false))
        };
        if live.is_paused() && !self.request.manifest.as_ref().is_some_and(unpaused) {
            return Decision::GiveUp(Failure::Paused);
        }
        let Some(sets) = &self.observation.replica_sets else {
            let selector = live.selector();
            return Decision::Look(Look::ReplicaSets { selector });
        };
        let autoscaled = match self.observation.autoscaled {
            None if change::needs_autoscalers(self.request, live) => {
                return Decision::Look(Look::Autoscalers);
            }
            autoscaled => autoscaled.unwrap_or(false),
        };
        let author = author(self.request, self.continuation, self.now);
        match change::plan(self.request, live, sets, autoscaled, &author) {
            Err(faults) => Decision::GiveUp(Failure::Faults(faults)),
            Ok(Change::Patch(patch)) => Decision::Act(Action::Patch(patch)),
            Ok(Change::Put(object)) => Decision::Act(Action::Put(object)),
            Ok(Change::Nothing) => Decision::Enter(Phase::Rollout(Rollout {
                written: Written::adopted(live, self.now),
                wrote: false,
                previous: None,
            })),
        }
    }

    /// Goes on with a deploy of ours whose continuation, or the answer to whose write, was lost.
    fn take_up(&self, live: &Deployment) -> Decision {
        let deployed_at = live.annotation(change::DEPLOYED_AT).and_then(timestamp);
        let at = deployed_at.unwrap_or(self.now);
        let previous = Previous::recorded(live);
        if live.annotation(change::ROLLED_BACK) == Some(&self.continuation.job) {
            return self.take_up_rollback(live, previous);
        }
        let author = author(self.request, self.continuation, self.now);
        if !change::is_ours(self.request, live, &author) {
            let failure = Failure::OutOfSync {
                by: None,
                wrote: true,
            };
            return Decision::GiveUp(failure);
        }
        Decision::Enter(Phase::Rollout(Rollout {
            written: Written::adopted(live, at),
            wrote: true,
            previous,
        }))
    }

    fn take_up_rollback(&self, live: &Deployment, previous: Option<Previous>) -> Decision {
        let cause = live
            .annotation(change::CAUSE)
            .unwrap_or_default()
            .to_owned();
        Decision::Enter(Phase::Rollback(Rollback {
            // Whatever deadline has passed, it passed before the rollback was written.
            written: Written::new(Some(live), live, self.now),
            revision: previous.map_or(0, |previous| previous.revision),
            cause: report::clip(&cause, CAUSE_LIMIT),
            deadline: self.now + self.request.timeout.min(ROLLBACK_LIMIT),
        }))
    }

    fn rollout(&self, rollout: &Rollout, live: &Deployment) -> Decision {
        let written = &rollout.written;
        if let Some(other) = self.overtaken(written, rollout.wrote, live) {
            if live.annotation(change::ROLLED_BACK) == Some(&self.continuation.job) {
                return self.take_up_rollback(live, rollout.previous.clone());
            }
            return other;
        }
        match rollout::verdict(live, written, self.now) {
            Verdict::Complete => self.confirm(live, |context, sets| {
                if rollout::holds_the_pods(live, sets) {
                    return context.finish(rollout, live);
                }
                context.wait_or_fail(rollout, live, waiting_for_replica_set(live), CATCHING_UP)
            }),
            Verdict::Progressing(progress) => {
                let at_most = catching_up(&progress);
                self.wait_or_fail(rollout, live, progress, at_most)
            }
            Verdict::Failed(progress) => {
                let cause = report::deadline_exceeded(live, &progress);
                self.fail(rollout, live, cause)
            }
        }
    }

    fn finish(&self, rollout: &Rollout, live: &Deployment) -> Decision {
        Decision::Finish(Success {
            deployment: live.clone(),
            wrote: rollout.wrote,
            previous_revision: rollout.previous.as_ref().map(|previous| previous.revision),
        })
    }

    fn wait_or_fail(
        &self,
        rollout: &Rollout,
        live: &Deployment,
        progress: Progress,
        at_most: Duration,
    ) -> Decision {
        if self.now >= self.continuation.deadline {
            let cause = report::timed_out(live, self.request.timeout, &progress);
            return self.fail(rollout, live, cause);
        }
        self.wait(progress, self.continuation.deadline, at_most, false)
    }

    /// A failed rollout: gathers what the pods show, then brings the previous version back if that
    /// is wanted and possible.
    fn fail(&self, rollout: &Rollout, live: &Deployment, cause: String) -> Decision {
        self.confirm(live, |context, sets| {
            // Where no new ReplicaSet came to be, the newest one's pods are the old ones.
            let previous = rollout.previous.as_ref();
            let newest = object::newest(live, sets)
                .filter(|set| previous.is_none_or(|previous| previous.name != set.name));
            let evidence = match (&context.observation.troubles, newest) {
                (None, Some(newest)) => {
                    let selector = pods_of(live, &newest.template_hash);
                    return Decision::Look(Look::Pods { selector });
                }
                (Some(troubles), _) => report::evidence(troubles),
                (None, None) => Vec::new(),
            };
            let cause = report::cause(&cause, &context.observation.troubles);
            let cause = report::clip(&cause, CAUSE_LIMIT);
            let aftermath = match context.way_back(rollout) {
                Ok(previous) => match &context.observation.previous_template {
                    None => {
                        let name = previous.name.clone();
                        return Decision::Look(Look::Previous { name });
                    }
                    Some(Some(template)) if is_current(template, live) => {
                        Aftermath::NothingToReturnTo
                    }
                    Some(Some(template)) => {
                        let job = &context.continuation.job;
                        return Decision::Act(Action::Undo {
                            operations: change::undo(live, template, job, &cause),
                            revision: previous.revision,
                            cause,
                        });
                    }
                    Some(None) => Aftermath::PreviousGone(previous.name.clone()),
                },
                Err(aftermath) => aftermath,
            };
            Decision::GiveUp(Failure::Rollout {
                cause,
                evidence,
                aftermath,
            })
        })
    }

    /// The ReplicaSet to return to, or why there is no way back.
    fn way_back<'b>(&self, rollout: &'b Rollout) -> Result<&'b Previous, Aftermath> {
        if !rollout.wrote {
            return Err(Aftermath::NothingWritten);
        }
        if !self.request.rollback {
            return Err(Aftermath::RollbackDisabled);
        }
        let previous = rollout.previous.as_ref();
        previous.ok_or(Aftermath::NothingToReturnTo)
    }

    fn rollback(&self, rollback: &Rollback, live: &Deployment) -> Decision {
        let end = |aftermath, evidence| {
            Decision::GiveUp(Failure::Rollout {
                cause: rollback.cause.clone(),
                evidence,
                aftermath,
            })
        };
        if self.overtaken(&rollback.written, true, live).is_some() {
            let by = other_author(live, self.continuation);
            return end(Aftermath::OvertakenBy(by), Vec::new());
        }
        let failed = |why| {
            end(
                Aftermath::RollbackFailed(rollback.revision, why),
                Vec::new(),
            )
        };
        let progress = match rollout::verdict(live, &rollback.written, self.now) {
            Verdict::Complete => {
                let Some(sets) = &self.observation.replica_sets else {
                    let selector = live.selector();
                    return Decision::Look(Look::ReplicaSets { selector });
                };
                if rollout::holds_the_pods(live, sets) {
                    return end(Aftermath::RolledBack(rollback.revision), Vec::new());
                }
                waiting_for_replica_set(live)
            }
            Verdict::Progressing(progress) => progress,
            Verdict::Failed(progress) => {
                return failed(report::deadline_exceeded(live, &progress));
            }
        };
        if self.now >= rollback.deadline {
            let timeout = self.request.timeout.min(ROLLBACK_LIMIT);
            return failed(report::timed_out(live, timeout, &progress));
        }
        let at_most = catching_up(&progress);
        self.wait(progress, rollback.deadline, at_most, true)
    }

    /// Whether what we follow is still there. An object older than our write proves nothing.
    fn overtaken(&self, written: &Written, wrote: bool, live: &Deployment) -> Option<Decision> {
        let out_of_sync = || {
            let by = other_author(live, self.continuation);
            Some(Decision::GiveUp(Failure::OutOfSync { by, wrote }))
        };
        if live.uid() != written.uid {
            return out_of_sync();
        }
        if live.generation() < written.generation {
            // The verdict says that it waits for our write to be observed.
            return None;
        }
        if live.is_being_deleted() {
            return Some(Decision::GiveUp(Failure::Deleted));
        }
        if live.template_digest() != written.template {
            return out_of_sync();
        }
        None
    }

    /// Goes on with the ReplicaSets, once they have been read.
    fn confirm(
        &self,
        live: &Deployment,
        go_on: impl FnOnce(&Self, &[object::ReplicaSet]) -> Decision,
    ) -> Decision {
        match &self.observation.replica_sets {
            Some(sets) => go_on(self, sets),
            None => Decision::Look(Look::ReplicaSets {
                selector: live.selector(),
            }),
        }
    }

    fn wait(
        &self,
        progress: Progress,
        deadline: Timestamp,
        at_most: Duration,
        rollback: bool,
    ) -> Decision {
        let left = deadline.duration_since(self.now).unsigned_abs();
        Decision::Wait(Wait {
            progress,
            rollback,
            at_most: at_most.min(left),
        })
    }
}

/// Whether a ReplicaSet's template is the Deployment's own.
fn is_current(template: &serde_json::Value, live: &Deployment) -> bool {
    object::template_digest(template) == live.template_digest()
}

/// What the API server's caches must catch up with is asked for again soon.
fn catching_up(progress: &Progress) -> Duration {
    match progress.waits_for {
        WaitsFor::Observation => CATCHING_UP,
        WaitsFor::Resumption
        | WaitsFor::NewPods
        | WaitsFor::OldPods(_)
        | WaitsFor::Availability => WATCH_WINDOW,
    }
}

/// The Deployment's counters are there and its newest ReplicaSet's are not yet.
fn waiting_for_replica_set(live: &Deployment) -> Progress {
    Progress {
        waits_for: WaitsFor::Availability,
        available: live.available_replicas(),
        wanted: live.replicas(),
        obstacle: None,
    }
}

/// The pods of one ReplicaSet.
fn pods_of(live: &Deployment, template_hash: &str) -> String {
    let selector = live.selector();
    if template_hash.is_empty() {
        return selector;
    }
    format!("{selector},pod-template-hash={template_hash}")
}
