//! The way to the switch, and its end: each step follows from what the Service and its
//! Deployments say.

use super::context::{Context, Next, ended};
use super::returning::remember;
use crate::kubernetes::service::Service;
use crate::request::Strategy;
use crate::snapshot::Query;
use crate::state::continuation::Phase;
use crate::state::marks;
use crate::strategy::candidate::Candidate;
use crate::strategy::causes::{RolloutCause, RolloutFailure};
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::handover::Handover;
use crate::strategy::pauses::CATCHING_UP;
use crate::strategy::result::{Failure, Former, RollbackResult, Success, Switched};
use crate::strategy::service_lock::overlap::{self, Overlap};
use crate::strategy::service_lock::taken_back::TakenBack;
use crate::strategy::service_lock::{self, Lock, Pin};
use crate::workload::{TEMPLATE_HASH, Workload};

impl Context<'_> {
    /// Up to the switch. `lock` is ours; without it nothing has been written, and whatever speaks
    /// against the switch ends the deploy.
    pub(super) fn before(&self, service: &Service, lock: Option<&Lock>) -> Next {
        match lock {
            None => {
                self.refill(service)?;
                self.admit(service)?;
                self.see_no_other_canary(service)?;
                self.end_dead_share(service)?;
                self.end_dead_overlap(service)?;
                self.judge_dead_bake(service)?;
                self.return_from_empty(service)?;
            }
            Some(lock) if service.detour().is_some() => {
                return self.set_aside(service, lock, false);
            }
            Some(lock) if lock.selects_by(&service.selector()) => {}
            Some(_) if service.selector().contains_key(TEMPLATE_HASH) => {
                let service = service.name().to_owned();
                return Ok(self.fail(RolloutCause::SelectorChanged(service)));
            }
            Some(lock) => return self.set_aside(service, lock, false),
        }
        if let Some(lock) = lock
            && let Some(decision) = self.resume_canary(service, lock)?
        {
            return Ok(decision);
        }
        let live = self.live(service)?;
        let candidate = self.candidate(service, live, lock)?;
        let is_live = candidate.is_live(live);
        let Some(lock) = lock else {
            if is_live {
                return self.already_live(service, live);
            }
            return self.take_lock(service, live, &candidate);
        };
        if is_live {
            return self.tidy(service, lock, live);
        }
        if candidate.version != lock.version {
            let name = live.name().to_owned();
            return Ok(self.fail(RolloutCause::DeploymentChanged(name)));
        }
        self.check_pin(service, live)?;
        self.bring_up(service, lock, live, &candidate)
    }

    /// The candidate on its way up, until the Service can be switched to it.
    fn bring_up(
        &self,
        service: &Service,
        lock: &Lock,
        live: &Workload,
        candidate: &Candidate,
    ) -> Next {
        let found = self.found(&candidate.name, false)?;
        let has_share = lock.share.is_some();
        let Some(found) = found else {
            return Ok(match has_share {
                true => self.fail(RolloutCause::DeploymentDeleted(candidate.name.clone())),
                false => self.step(self.write(live, candidate, None)),
            });
        };
        if found.is_being_deleted() {
            self.in_time()?;
            return Ok(self.wait(Stage::Leaving(candidate.name.clone()), CATCHING_UP));
        }
        if found.annotation(marks::JOB) != Some(&self.continuation.job) {
            return Ok(self.step(self.write(live, candidate, Some(found))));
        }
        if found.replicas() == 0 {
            self.rechecked()?;
            // The time of its share passes without it.
            return Ok(match has_share {
                true => self.fail(RolloutCause::ScaledToZero(candidate.name.clone())),
                false => self.scale_up(found, self.first_pods(live).max(1)),
            });
        }
        self.check_template(found)?;
        let name = candidate.name.clone();
        let stage = match &lock.share {
            Some(share) => Stage::Share {
                candidate: name,
                percent: share.percent,
                until: None,
            },
            None => Stage::Candidate(name),
        };
        self.follow(found, lock.deadline, stage)?;
        self.come_up(service, lock, live, candidate, found)
    }

    /// The candidate serves, as far as it knows: what comes before it gets traffic, and that.
    fn come_up(
        &self,
        service: &Service,
        lock: &Lock,
        live: &Workload,
        candidate: &Candidate,
        found: &Workload,
    ) -> Next {
        let members = self.confirm(service, &candidate.version, found)?;
        self.in_time()?;
        if let Some(smoke) = self.switch.smoke.as_ref().filter(|_| lock.share.is_none()) {
            self.smoke(service, &candidate.version, members, smoke)?;
        }
        if let Some(routed) = self.routed() {
            let version = &candidate.version;
            return self.begin_canary(&routed, service, live, (version, found), members);
        }
        self.share(service, lock, live, found)?;
        self.move_autoscaler(live.name(), &candidate.name, Some(live.replicas()))?;
        let handover = self.make_room(service, lock, live, found)?;
        // While it came up the live one may have been scaled.
        self.see_traffic()?;
        if found.replicas() < live.replicas() {
            return Ok(self.scale_up(found, live.replicas()));
        }
        let lock = Lock {
            handover,
            ..lock.clone()
        };
        Ok(self.make_switch(service, &lock, live, candidate))
    }

    fn make_switch(
        &self,
        service: &Service,
        lock: &Lock,
        live: &Workload,
        candidate: &Candidate,
    ) -> Decision {
        let overlap = lock.handover.as_ref().and_then(Handover::time);
        let rest = overlap.unwrap_or_default() + self.switch.bake;
        let lock = Lock {
            wanted: Some(live.replicas()),
            ..self.lengthened(lock, rest)
        };
        let to = (&*candidate.name, &*candidate.version);
        let author = self.author();
        let patch = match overlap {
            Some(time) => overlap::widen(service, &lock, live.name(), to, &author, time),
            None => service_lock::switch(service, &lock, live.name(), to, &author),
        };
        self.patch_service(remember(patch, service, live), Phase::Switch)
    }

    /// The version asked for serves, and an earlier deploy of another one died before its switch.
    fn tidy(&self, service: &Service, lock: &Lock, live: &Workload) -> Next {
        // Nothing is sent to the Service of a candidate any more.
        self.give_route_back(None)?;
        if !service.selector().contains_key(TEMPLATE_HASH) {
            return self.retire(service, live);
        }
        if let Some(stage) = self.clear(service, &lock.version, false, live)? {
            self.in_time()?;
            return Ok(self.wait(stage, CATCHING_UP));
        }
        self.clear_preview()?;
        let patch = service_lock::release(service, self.widened(service).as_ref());
        let patch = self.note_route(patch, service)?;
        Ok(self.patch_service(patch, Phase::Switch))
    }

    /// The version asked for is the one that serves.
    fn already_live(&self, service: &Service, live: &Workload) -> Next {
        if let Some(dead) = Lock::read(service) {
            return Ok(self.inherit(service, live, &dead));
        }
        self.note_ended_meanwhile(service, live)?;
        let Some(found) = self.snapshot.deployment(live.name())? else {
            return Ok(Decision::GiveUp(Failure::Deleted(None)));
        };
        // No pod is wanted, so none would ever be behind the Service.
        if found.replicas() == 0 {
            self.rechecked()?;
            return Ok(self.fail(RolloutCause::ScaledToZero(found.name().to_owned())));
        }
        let deadline = self.continuation.deadline;
        self.follow(found, deadline, Stage::Candidate(live.name().to_owned()))?;
        self.see_endpoints(service, found, deadline)?;
        // Its switch is known by the Service's annotations, which somebody may have taken away.
        let job = &self.continuation.job;
        let taken_back = TakenBack::by(self.request, service);
        let stopped = |noted: &TakenBack| noted.job == *job && noted.by.is_none();
        let wrote =
            found.annotation(marks::JOB) == Some(job) || taken_back.as_ref().is_some_and(stopped);
        let is_route_left = service.annotation(marks::ROUTE_LEFT).is_some();
        if is_route_left || self.other_that_runs(found)?.is_some() {
            if wrote && !is_route_left {
                return self.notes_gone();
            }
            // An earlier deploy may have failed to bring the others down, or to end its canary.
            let lock = self.lock(marks::version_of(live).unwrap_or_default());
            let patch = service_lock::take(service, &lock, Pin::Not);
            return Ok(self.patch_service(patch, Phase::Switch));
        }
        let mut success = self.succeed(service, found, wrote, None);
        if let Decision::Finish(Success {
            switched: Some(switched),
            ..
        }) = &mut success
        {
            switched.taken_back = taken_back;
        }
        Ok(success)
    }

    /// Somebody has taken what this deploy had noted on the Service, while two versions are up: how
    /// long the new one has served is not known, so the old one stays.
    fn notes_gone(&self) -> Next {
        self.rechecked()?;
        let by = None;
        Ok(Decision::GiveUp(Failure::OutOfSync { by, wrote: true }))
    }

    /// The switch of this job is complete: the lock was given up as the last step.
    pub(super) fn done(&self, service: &Service) -> Next {
        // The lock goes together with these, and otherwise somebody else has taken it away.
        if Overlap::read(service).is_some() || service.annotation(marks::SELECTOR_BEFORE).is_some()
        {
            return self.notes_gone();
        }
        let to = service_lock::to(service).unwrap_or_default();
        let Some(found) = self.snapshot.deployment(to)? else {
            return Ok(Decision::GiveUp(Failure::Deleted(None)));
        };
        if found.replicas() == 0 {
            let cause = RolloutCause::ScaledToZero(found.name().to_owned());
            let failure = RolloutFailure::of(cause);
            return Ok(ended(failure, RollbackResult::NoWayBack));
        }
        let from = match service_lock::from(service) {
            Some(from) => Some((from.to_owned(), self.former(from)?)),
            None => None,
        };
        let left = self.left_of_canary()?;
        let shares = match &from {
            Some(_) => self.shares_reached(service),
            None => Vec::new(),
        };
        let mut success = self.succeed(service, found, true, from);
        if let Decision::Finish(Success {
            switched: Some(switched),
            ..
        }) = &mut success
        {
            switched.left.extend(left);
            switched.shares = shares;
        }
        Ok(success)
    }

    /// What became of the one that served before. Of ours only what was not to be kept is deleted
    /// by ourselves.
    fn former(&self, from: &str) -> Result<Former, Query> {
        let keeps_none = matches!(self.request.strategy, Strategy::Immutable { keep: 0, .. });
        let is_plain = from == self.request.deployment;
        Ok(match self.snapshot.deployment(from)? {
            Some(former) if former.replicas() > 0 => Former::StillUp,
            Some(_) => Former::ScaledDown,
            None if keeps_none && !is_plain => Former::NotKept,
            None => Former::DeletedByOthers,
        })
    }

    fn succeed(
        &self,
        service: &Service,
        found: &Workload,
        wrote: bool,
        from: Option<(String, Former)>,
    ) -> Decision {
        Decision::Finish(Success {
            revision: None,
            note: None,
            deployment: found.clone(),
            wrote,
            previous_revision: None,
            switched: Some(Switched {
                service: service.name().to_owned(),
                handover: from.as_ref().and_then(|_| Handover::noted(service)),
                from,
                left: self.snapshot.left.clone(),
                shares: Vec::new(),
                taken_back: None,
            }),
        })
    }
}
