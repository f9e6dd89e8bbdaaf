//! The way to the new version.

use super::super::action::Action;
use super::super::causes::{RolloutCause, RolloutFailure};
use super::super::decision::Decision;
use super::super::result::{Failure, RollbackResult, Success, SuccessNote};
use super::super::rollout_tracker::RolloutState;
use super::context::{Context, Next, beside, retired, revision_of};
use super::undo::ROLLBACK_LIMIT;
use crate::change::asked::{self, Lost};
use crate::change::difference::difference;
use crate::change::{self, Change};
use crate::kubernetes::call::Call;
use crate::kubernetes::object::timestamp;
use crate::request::{Method, Request};
use crate::snapshot::{DryRun, Kind, Query};
use crate::state::baseline::Previous;
use crate::state::continuation::{Phase, RecordedFailure, Rollback, Rollout};
use crate::state::marks;
use crate::workload::health::rollout::{WriteReceipt, choose_alike};
use crate::workload::{self, Workload};
use serde_json::Value;

impl Context<'_> {
    pub(super) fn start_from_nothing(&self) -> Decision {
        if self.now >= self.continuation.deadline {
            return Decision::GiveUp(Failure::TooLate);
        }
        match self.request.method {
            Method::Patch => Decision::GiveUp(Failure::Missing),
            Method::Put => {
                let author = self.author();
                match change::create(self.request, &author) {
                    Ok(object) => self.in_time(&object.clone(), Action::Create(object)),
                    Err(faults) => Decision::GiveUp(Failure::Faults(faults)),
                }
            }
        }
    }

    pub(super) fn start(&self, live: &Workload) -> Next {
        if live.is_being_deleted() {
            return Ok(Decision::GiveUp(Failure::BeingDeleted));
        }
        let job = &self.continuation.job;
        let mut superseded = live
            .annotation(marks::SUPERSEDED)
            .into_iter()
            .flat_map(|jobs| jobs.split(','));
        if superseded.any(|superseded| superseded == job) {
            let by = self.other_author(live);
            return Ok(Decision::GiveUp(Failure::OutOfSync { by, wrote: true }));
        }
        if live.annotation(marks::JOB) == Some(job) {
            return self.take_up(live);
        }
        if self.now >= self.continuation.deadline {
            return Ok(Decision::GiveUp(Failure::TooLate));
        }
        let unpaused =
            |manifest: &Value| manifest.pointer("/spec/paused") == Some(&Value::Bool(false));
        if live.is_paused() && !self.request.manifest.as_ref().is_some_and(unpaused) {
            return Ok(Decision::GiveUp(Failure::Paused));
        }
        // A switch has scaled it to zero: whatever is rolled here would serve nobody.
        if live.replicas() == 0 && live.annotation(marks::REPLICAS).is_some() {
            return Ok(Decision::GiveUp(Failure::Faults(vec![retired(live)])));
        }
        let sets = self.snapshot.replica_sets(live)?;
        if let Some(fault) = beside(live, sets) {
            return Ok(Decision::GiveUp(Failure::Faults(vec![fault])));
        }
        if self.request.mode.is_rollback() {
            return self.go_back(live);
        }
        if let Some(decision) = self.judge_dead_rollout(live)? {
            return Ok(decision);
        }
        let autoscaled = change::needs_autoscalers(self.request, live) && {
            let mut all = self.snapshot.autoscalers()?.iter();
            all.any(|scaler| scaler.scales(self.request.kind.word(), &self.request.deployment))
        };
        let author = self.author();
        // What a dead deploy restarted is not restarted once more.
        let request = match self.request.restart && self.is_left_by_dead(live) {
            true => &Request {
                restart: false,
                ..self.request.clone()
            },
            false => self.request,
        };
        match change::plan(request, live, sets, autoscaled, &author) {
            Err(faults) => Ok(Decision::GiveUp(Failure::Faults(faults))),
            Ok(Change::Patch(patch)) => self.tried(live, Action::Patch(patch)),
            Ok(Change::Put(object)) => self.tried(live, Action::Put(object)),
            Ok(Change::Nothing) => Ok(self.already_there(live)),
        }
    }

    /// A manifest is tried before it is written: what it says and what the server makes of it are
    /// two things.
    pub(super) fn tried(&self, live: &Workload, action: Action) -> Next {
        if self.request.manifest.is_none() {
            return self.roll(live, live.value(), action);
        }
        Ok(match self.snapshot.dry_run() {
            None => {
                let call = action.call(self.request).dry_run();
                Decision::Read(Query::DryRun(Box::new(call)))
            }
            Some(DryRun::Unable) => Decision::Act(action),
            Some(DryRun::Would(after)) => {
                if let Some(lost) = asked::lost(self.request, after) {
                    let fault = lost.fault(self.request);
                    return Ok(Decision::GiveUp(Failure::Faults(vec![fault])));
                }
                let difference = difference(live.value(), after.value());
                let restarts = self.request.restart && !self.is_left_by_dead(live);
                match difference.count() == 0 && !restarts {
                    true => self.already_there(live),
                    false if after.has_template(live.template()) => Decision::Act(action),
                    false => return self.roll(live, after.value(), action),
                }
            }
        })
    }

    /// A write that begins a rollout to this object.
    fn roll(&self, live: &Workload, object: &Value, action: Action) -> Next {
        let action = self.as_return(live, action)?;
        Ok(self.in_time(object, action))
    }

    fn in_time(&self, object: &Value, action: Action) -> Decision {
        match change::fault_of_time(self.request, object) {
            Some(fault) => Decision::GiveUp(Failure::Faults(vec![fault])),
            None => Decision::Act(action),
        }
    }

    /// There is nothing to write; whether it serves is still to be seen. What a dead deploy of this
    /// execution left is taken over, as if it had been written now.
    pub(super) fn already_there(&self, live: &Workload) -> Decision {
        if self.is_left_by_dead(live) {
            return self.take_over(live);
        }
        Decision::Enter(Phase::Rollout(Rollout {
            written: WriteReceipt::adopted(live, self.now),
            wrote: false,
            changed_since: false,
            previous: None,
        }))
    }

    fn is_left_by_dead(&self, live: &Workload) -> bool {
        let is_plan = self.request.mode.is_plan();
        !is_plan && self.is_of_dead(live)
    }

    /// Makes the deploy of a dead job ours: from then on it is taken up like one whose continuation
    /// was lost, and a late repetition of the dead one gives way.
    fn take_over(&self, live: &Workload) -> Decision {
        let author = self.author();
        self.note(
            live,
            change::taken_over(self.request, live, &author),
            (Phase::Start, None),
        )
    }

    /// A write of annotations alone, and the phase after it; with a name it may be refused.
    pub(super) fn note(
        &self,
        live: &Workload,
        patch: Value,
        (then, clears): (Phase, Option<String>),
    ) -> Decision {
        let resource = &live.kind().row().resource;
        let call = Call::merge_patch(resource, &self.request.namespace, live.name(), patch);
        Decision::step(call, then, clears)
    }

    /// Goes on with a deploy of ours whose continuation, or the answer to whose write, was lost.
    pub(super) fn take_up(&self, live: &Workload) -> Next {
        let deployed_at = live.annotation(marks::DEPLOYED_AT).and_then(timestamp);
        let at = deployed_at.unwrap_or(self.now);
        if self.ended_long_ago(at) {
            return Ok(self.already_there(live));
        }
        let previous = Previous::recorded(live);
        if live.annotation(marks::ROLLED_BACK) == Some(&self.continuation.job) {
            return self.take_up_rollback(live, previous);
        }
        if let Some(end) = self.changed_since_return(live)? {
            return Ok(end);
        }
        let changed_since = !change::is_untouched(live);
        if changed_since && let Some(lost) = asked::lost_since(self.request, live) {
            return self.overwritten(lost);
        }
        Ok(Decision::Enter(Phase::Rollout(Rollout {
            written: self.since_pods(&WriteReceipt::adopted(live, at), live)?,
            wrote: true,
            changed_since,
            previous,
        })))
    }

    pub(super) fn take_up_rollback(&self, live: &Workload, previous: Option<Previous>) -> Next {
        let cause = live.annotation(marks::CAUSE).unwrap_or_default();
        let recorded = RecordedFailure::of(cause);
        if let Some(previous) = &previous
            && let Ok(Some(template)) = self.previous_template(&previous.name, live)?
            && !live.has_template(&template)
        {
            let by = self.other_author(live);
            return Ok(Decision::GiveUp(Failure::Rollout {
                failure: recorded.into(),
                rollback_result: RollbackResult::OvertakenBy(by),
            }));
        }
        Ok(Decision::Enter(Phase::Rollback(Rollback {
            // Whatever deadline has passed, it passed before the rollback was written.
            written: WriteReceipt::new(Some(live), live, self.now).after_pods(live),
            revision: previous.map_or(0, |previous| previous.revision),
            failure: recorded,
            deadline: self.now + self.request.timeout.min(ROLLBACK_LIMIT),
        })))
    }

    pub(super) fn rollout(&self, rollout: &Rollout, live: &Workload) -> Next {
        let written = &rollout.written;
        if let Some(other) = self.overtaken(written, rollout.wrote, live) {
            if live.annotation(marks::ROLLED_BACK) == Some(&self.continuation.job) {
                return self.take_up_rollback(live, rollout.previous.clone());
            }
            let same = live.uid() == written.uid && !live.is_being_deleted();
            if same && self.other_author(live).is_none() {
                return self.changed(rollout, live);
            }
            if let Decision::GiveUp(Failure::Deleted(_)) = other {
                return self.deleted(rollout);
            }
            return Ok(other);
        }
        let is_ours = rollout.wrote && live.generation() >= written.generation;
        if is_ours && let Some(lost) = asked::lost(self.request, live) {
            return self.other_than_asked(rollout, live, lost);
        }
        if is_ours && let Some(cause) = self.alarm_cause() {
            self.snapshot.replica_sets(live)?;
            return self.take_back(rollout, live, RolloutFailure::of(cause));
        }
        // Its controller need not have seen the note that the watch is over.
        if rollout.wrote && self.is_watch_over(live) && self.now >= self.deadline() {
            self.snapshot.replica_sets(live)?;
            return Ok(self.finish(rollout, live));
        }
        let adopted;
        let rollout = match rollout.wrote {
            true => rollout,
            false => {
                adopted = Rollout {
                    written: self.since_pods(&rollout.written, live)?,
                    ..rollout.clone()
                };
                &adopted
            }
        };
        let rollout_tracker = self.tracker(rollout, live, self.deadline());
        match rollout_tracker.next()? {
            RolloutState::Serves => Ok(self.bake(rollout, live)),
            RolloutState::GoesOn(decision) => Ok(decision),
            RolloutState::Failed(failed) => self.take_back(rollout, live, failed),
        }
    }

    /// A DaemonSet that an earlier deploy took off all its nodes is judged as by that deploy.
    fn since_pods(&self, written: &WriteReceipt, live: &Workload) -> Result<WriteReceipt, Query> {
        let may_lack_nodes =
            live.kind() == workload::Kind::DaemonSet && matches!(written.wanted, None | Some(0));
        let previous = Previous::recorded(live).filter(|_| may_lack_nodes);
        if let Some(previous) = previous
            && let Ok(Some(template)) = self.previous_template(&previous.name, live)?
            && !choose_alike(&template, live.template())
        {
            return Ok(written.clone().after_pods(live));
        }
        Ok(written.clone())
    }

    /// Someone has changed the template. As long as it has what was asked for, that is followed
    /// on; but never undone, as it is theirs, too.
    pub(super) fn changed(&self, rollout: &Rollout, live: &Workload) -> Next {
        // Who asks for nothing in particular would take any template for what was asked for.
        if self.request.only_follows() {
            let by = self.other_author(live);
            let wrote = rollout.wrote;
            return Ok(Decision::GiveUp(Failure::OutOfSync { by, wrote }));
        }
        match asked::lost_since(self.request, live) {
            Some(lost) if rollout.wrote => self.overwritten(lost),
            Some(_) => Ok(Decision::GiveUp(Failure::OutOfSync {
                by: None,
                wrote: false,
            })),
            None => Ok(Decision::Enter(Phase::Rollout(Rollout {
                written: WriteReceipt {
                    generation: live.generation(),
                    template: live.template_digest(),
                    ..rollout.written.clone()
                },
                changed_since: true,
                ..rollout.clone()
            }))),
        }
    }

    /// Someone took back what we had written.
    pub(super) fn overwritten(&self, lost: Lost) -> Next {
        let (name, field) = (&self.request.deployment, lost.steps.clone());
        let editor = self
            .snapshot
            .editor(Kind::Deployment, name, field)?
            .cloned();
        Ok(Decision::GiveUp(Failure::Overwritten { lost, editor }))
    }

    /// The server took the write and made another template of it.
    pub(super) fn other_than_asked(&self, rollout: &Rollout, live: &Workload, lost: Lost) -> Next {
        self.snapshot.replica_sets(live)?;
        let failure = RolloutFailure::of(RolloutCause::OtherTemplate(lost));
        self.take_back(rollout, live, failure)
    }

    pub(super) fn finish(&self, rollout: &Rollout, live: &Workload) -> Decision {
        let sets = self.snapshot.replica_sets(live).unwrap_or_default();
        Decision::Finish(Success {
            deployment: live.clone(),
            revision: revision_of(live, sets),
            wrote: rollout.wrote,
            previous_revision: rollout.previous.as_ref().map(|previous| previous.revision),
            switched: None,
            note: SuccessNote::of(live).or(SuccessNote::of_nodes(live, &rollout.written)),
        })
    }
}
