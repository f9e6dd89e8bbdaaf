//! The rolling strategy: one write, then Kubernetes' own rolling update is followed to its end;
//! where that fails, the template that served before is brought back and followed, too.

pub mod way_back;

use super::action::Action;
use super::author::{author, other_author};
use super::decision::{Decision, Stage, Wait};
use super::look::Look;
use super::observation::{DryRun, Observation};
use super::pursuit::{CATCHING_UP, Failed, Followed, Pursuit};
use super::pursuit::{catching_up, waiting_for_replica_set};
use super::result::{Aftermath, Failure, Success, Version};
use crate::change::asked::{self, Lost};
use crate::change::{self, Change};
use crate::kubernetes::object::{self, Deployment, timestamp};
use crate::plan;
use crate::problem::Fault;
use crate::report;
use crate::request::{Method, Request};
use crate::state::baseline::Previous;
use crate::state::continuation::{CAUSE_LIMIT, Continuation, Phase, Reason, Rollback, Rollout};
use crate::state::marks;
use crate::text::clip;
use crate::workload::health::diagnosis::Evidence;
use crate::workload::health::rollout::serving::Serving;
use crate::workload::health::rollout::{self, Progress, Verdict, Written};
use jiff::Timestamp;
use std::time::Duration;

/// A rollback gets as long as the deploy, but no longer than this: its pods ran before.
const ROLLBACK_LIMIT: Duration = Duration::from_secs(15 * 60);

/// The same where Kubernetes' controllers have been silent for the whole deploy: long enough to see
/// that they are back, and no second wait for what most likely does not come.
const SILENT_ROLLBACK_LIMIT: Duration = Duration::from_secs(30);

/// What a server says that cannot make of a request what it asks for.
const UNPROCESSABLE: u16 = 422;

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
        (Phase::Start | Phase::Switch | Phase::Return(_), None) => context.start_from_nothing(),
        (Phase::Start | Phase::Switch | Phase::Return(_), Some(deployment)) => {
            context.start(deployment)
        }
        (Phase::Rollout(_), None) => Decision::GiveUp(Failure::Deleted),
        (Phase::Rollback(rollback), None) => ended(rollback, Aftermath::Deleted),
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
        Action::Step(step) => step.then.clone(),
        Action::Patch(_) | Action::Put(_) | Action::Create(_) => Phase::Rollout(Rollout {
            previous: before
                .and_then(|before| Previous::serving(before, observation.replica_sets.as_deref()?)),
            wrote: true,
            changed_since: false,
            written,
        }),
        Action::Undo {
            revision,
            cause,
            kind,
            evidence,
            reason,
            ..
        } => Phase::Rollback(Rollback {
            written,
            revision: *revision,
            cause: cause.clone(),
            kind: *kind,
            evidence: evidence.clone(),
            reason: *reason,
            deadline: now + rollback_limit(request, *reason),
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
            .annotation(marks::SUPERSEDED)
            .into_iter()
            .flat_map(|jobs| jobs.split(','));
        if superseded.any(|superseded| superseded == job) {
            let by = other_author(live, self.continuation);
            return Decision::GiveUp(Failure::OutOfSync { by, wrote: true });
        }
        if live.annotation(marks::JOB) == Some(job) {
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
        // A switch has scaled it to zero: whatever is rolled here would serve nobody.
        if live.replicas() == 0 && live.annotation(marks::REPLICAS).is_some() {
            return Decision::GiveUp(Failure::Faults(vec![retired(live)]));
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
            Ok(Change::Patch(patch)) => self.tried(live, Action::Patch(patch)),
            Ok(Change::Put(object)) => self.tried(live, Action::Put(object)),
            Ok(Change::Nothing) => self.already_there(live),
        }
    }

    /// A manifest is tried before it is written: what it says and what the server makes of it are
    /// two things.
    fn tried(&self, live: &Deployment, action: Action) -> Decision {
        if self.request.manifest.is_none() {
            return Decision::Act(action);
        }
        match &self.observation.dry_run {
            None => {
                let call = action.call(self.request).dry_run();
                Decision::Look(Look::DryRun(Box::new(call)))
            }
            Some(DryRun::Unable) => Decision::Act(action),
            Some(DryRun::Would(after)) => {
                if let Some(lost) = asked::lost(self.request, after) {
                    return Decision::GiveUp(Failure::Faults(vec![lost.fault(self.request)]));
                }
                let difference = plan::difference(live.value(), after.value());
                match difference.count() == 0 && !self.request.restart {
                    true => self.already_there(live),
                    false => Decision::Act(action),
                }
            }
        }
    }

    /// There is nothing to write; whether it serves is still to be seen.
    fn already_there(&self, live: &Deployment) -> Decision {
        Decision::Enter(Phase::Rollout(Rollout {
            written: Written::adopted(live, self.now),
            wrote: false,
            changed_since: false,
            previous: None,
        }))
    }

    /// Goes on with a deploy of ours whose continuation, or the answer to whose write, was lost.
    fn take_up(&self, live: &Deployment) -> Decision {
        let deployed_at = live.annotation(marks::DEPLOYED_AT).and_then(timestamp);
        let at = deployed_at.unwrap_or(self.now);
        let previous = Previous::recorded(live);
        if live.annotation(marks::ROLLED_BACK) == Some(&self.continuation.job) {
            return self.take_up_rollback(live, previous);
        }
        let changed_since = !change::is_untouched(live);
        if changed_since && let Some(lost) = asked::lost_since(self.request, live) {
            return self.overwritten(lost);
        }
        Decision::Enter(Phase::Rollout(Rollout {
            written: Written::adopted(live, at),
            wrote: true,
            changed_since,
            previous,
        }))
    }

    fn take_up_rollback(&self, live: &Deployment, previous: Option<Previous>) -> Decision {
        if let Some(previous) = &previous {
            match &self.observation.previous_template {
                None => {
                    let name = previous.name.clone();
                    return Decision::Look(Look::Previous { name });
                }
                Some(Ok(Some(template))) if !is_current(template, live) => {
                    let by = other_author(live, self.continuation);
                    let cause = live.annotation(marks::CAUSE).unwrap_or_default();
                    return Decision::GiveUp(Failure::Rollout {
                        cause: cause.to_owned(),
                        kind: None,
                        evidence: Evidence::default(),
                        aftermath: Aftermath::OvertakenBy(by),
                        reason: None,
                    });
                }
                Some(_) => {}
            }
        }
        let cause = live.annotation(marks::CAUSE).unwrap_or_default().to_owned();
        Decision::Enter(Phase::Rollback(Rollback {
            // Whatever deadline has passed, it passed before the rollback was written.
            written: Written::new(Some(live), live, self.now),
            revision: previous.map_or(0, |previous| previous.revision),
            cause: clip(&cause, CAUSE_LIMIT),
            kind: None,
            evidence: Evidence::default(),
            reason: None,
            deadline: self.now + self.request.timeout.min(ROLLBACK_LIMIT),
        }))
    }

    fn rollout(&self, rollout: &Rollout, live: &Deployment) -> Decision {
        let written = &rollout.written;
        if let Some(other) = self.overtaken(written, rollout.wrote, live) {
            if live.annotation(marks::ROLLED_BACK) == Some(&self.continuation.job) {
                return self.take_up_rollback(live, rollout.previous.clone());
            }
            let same = live.uid() == written.uid && !live.is_being_deleted();
            if same && other_author(live, self.continuation).is_none() {
                return self.changed(rollout, live);
            }
            return other;
        }
        let is_ours = rollout.wrote && live.generation() >= written.generation;
        if is_ours && let Some(lost) = asked::lost(self.request, live) {
            return self.other_than_asked(rollout, live, &lost);
        }
        let pursuit = Pursuit {
            request: self.request,
            observation: self.observation,
            rollout,
            sights: &self.continuation.sights,
            steady: self.continuation.steady.as_ref(),
            live,
            now: self.now,
            deadline: self.continuation.deadline,
            stage: Stage::Rollout,
        };
        match pursuit.next() {
            Followed::Serves => self.finish(rollout, live),
            Followed::GoesOn(decision) => decision,
            Followed::Failed(failed) => self.take_back(rollout, live, failed),
        }
    }

    /// Someone has changed the template. As long as it has what was asked for, that is followed
    /// on; but never undone, as it is theirs, too.
    fn changed(&self, rollout: &Rollout, live: &Deployment) -> Decision {
        match asked::lost_since(self.request, live) {
            Some(lost) if rollout.wrote => self.overwritten(lost),
            Some(_) => Decision::GiveUp(Failure::OutOfSync {
                by: None,
                wrote: false,
            }),
            None => Decision::Enter(Phase::Rollout(Rollout {
                written: Written {
                    generation: live.generation(),
                    template: live.template_digest(),
                    ..rollout.written.clone()
                },
                changed_since: true,
                ..rollout.clone()
            })),
        }
    }

    /// Someone took back what we had written.
    fn overwritten(&self, lost: Lost) -> Decision {
        match &self.observation.editor {
            None => Decision::Look(Look::Editor { steps: lost.steps }),
            Some(editor) => Decision::GiveUp(Failure::Overwritten {
                lost,
                editor: editor.clone(),
            }),
        }
    }

    /// The server took the write and made another template of it.
    fn other_than_asked(&self, rollout: &Rollout, live: &Deployment, lost: &Lost) -> Decision {
        if self.observation.replica_sets.is_none() {
            let selector = live.selector();
            return Decision::Look(Look::ReplicaSets { selector });
        }
        let cause = format!(
            "the API server stored another template than was asked for: `{}` {}",
            lost.field,
            lost.problem()
        );
        let failed = Failed {
            cause: clip(&cause, CAUSE_LIMIT),
            reason: Some(Reason::Refused(UNPROCESSABLE)),
            ..Failed::default()
        };
        self.take_back(rollout, live, failed)
    }

    fn finish(&self, rollout: &Rollout, live: &Deployment) -> Decision {
        Decision::Finish(Success {
            deployment: live.clone(),
            wrote: rollout.wrote,
            previous_revision: rollout.previous.as_ref().map(|previous| previous.revision),
            switched: None,
        })
    }

    /// Brings the previous version back, or says why not.
    fn take_back(&self, rollout: &Rollout, live: &Deployment, failed: Failed) -> Decision {
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

    /// With how many pods serve now, where they were looked at.
    fn with_serving(&self, evidence: Evidence, live: &Deployment) -> Evidence {
        let sets = self.observation.replica_sets.as_deref();
        let sight = self.observation.sight.as_ref();
        let serving = sets.map(|sets| Serving::counted(live, sets, sight));
        Evidence {
            serving: serving.or(evidence.serving),
            ..evidence
        }
    }

    /// The ReplicaSet to return to, or why there is no way back.
    fn way_back(&self, rollout: &Rollout, live: &Deployment) -> Result<Previous, Aftermath> {
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
        way_back::choose(previous, &rollout.written, live, sets).ok_or(match live.revision() {
            Some(2..) => Aftermath::NothingServed,
            Some(_) | None => Aftermath::NothingToReturnTo,
        })
    }

    fn rollback(&self, rollback: &Rollback, live: &Deployment) -> Decision {
        match self.overtaken(&rollback.written, true, live) {
            None => {}
            Some(Decision::GiveUp(Failure::Deleted)) => {
                return ended(rollback, Aftermath::Deleted);
            }
            Some(_) => {
                let by = other_author(live, self.continuation);
                return ended(rollback, Aftermath::OvertakenBy(by));
            }
        }
        let rollout = Rollout {
            written: rollback.written.clone(),
            wrote: true,
            changed_since: false,
            previous: None,
        };
        let pursuit = Pursuit {
            request: self.request,
            observation: self.observation,
            rollout: &rollout,
            sights: &self.continuation.sights,
            steady: self.continuation.steady.as_ref(),
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
                return failed(report::deadline_exceeded(live, &progress, "previous"));
            }
        };
        if self.now >= rollback.deadline {
            let timeout = rollback_limit(self.request, rollback.reason);
            return failed(report::timed_out(timeout, &progress, "previous"));
        }
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
            stage: Stage::Rollout,
        })
    }
}

/// How long the previous version is waited for.
fn rollback_limit(request: &Request, reason: Option<Reason>) -> Duration {
    let limit = match reason {
        Some(Reason::Unobserved) => SILENT_ROLLBACK_LIMIT,
        Some(_) | None => ROLLBACK_LIMIT,
    };
    request.timeout.min(limit)
}

/// The end of a rollback, whichever it is: what counts is why the new version failed.
fn ended(rollback: &Rollback, aftermath: Aftermath) -> Decision {
    Decision::GiveUp(Failure::Rollout {
        cause: rollback.cause.clone(),
        kind: rollback.kind,
        evidence: rollback.evidence.clone(),
        aftermath,
        reason: rollback.reason,
    })
}

/// Whether a ReplicaSet's template is the Deployment's own.
fn is_current(template: &serde_json::Value, live: &Deployment) -> bool {
    object::template_digest(template) == live.template_digest()
}

/// The request asks for a rollout of what a switch has retired.
fn retired(live: &Deployment) -> Fault {
    let name = live.name();
    Fault::new(
        "strategy",
        format!(
            "is `rolling`, and Deployment `{name}` was scaled to zero when its Service was \
             switched to another one, by `blueGreen` or `immutable`. Give the strategy that \
             switched it; docs/strategies.md has the way back to `rolling`"
        ),
    )
}

#[cfg(test)]
mod tests;
