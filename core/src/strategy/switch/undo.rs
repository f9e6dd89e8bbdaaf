//! What a failed switch takes back. The first write says on the Service that the deploy failed and
//! why, so that whoever goes on goes on backwards; where the Service was switched, the same write
//! switches it back. Everything else follows when the old version is all that serves.

use super::context::{Context, Next, ended};
use crate::kubernetes::service::{Selector, Service};
use crate::snapshot::Query;
use crate::state::continuation::{Phase, RecordedFailure};
use crate::state::marks::{self, VERSION};
use crate::strategy::candidate;
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::result::{CandidateState, RollbackResult};
use crate::strategy::rollout_tracker::CATCHING_UP;
use crate::strategy::service_lock::overlap::{self, Overlap};
use crate::strategy::service_lock::{self, Failed, Lock, sharing};
use crate::workload::{TEMPLATE_HASH, Workload};
use std::time::Duration;

/// Taking back gets as long as the deploy, but no longer than this: nothing has to come up for it.
const RETURN_LIMIT: Duration = Duration::from_secs(10 * 60);

impl Context<'_> {
    /// Begins to take back what a failed deploy has written.
    pub(super) fn turn(
        &self,
        service: &Service,
        lock: &Lock,
        switched: bool,
        back: &RecordedFailure,
    ) -> Next {
        if switched && !Self::is_as_switched(service, lock) {
            return self.set_aside(service, lock, true);
        }
        let stays = match switched {
            true => None,
            false => self.stays_with_candidate(service, lock)?,
        };
        if stays.is_none() {
            self.shift_back(Some(back))?;
        }
        let failed = Failed {
            job: &self.continuation.job,
            cause: &back.cause,
            at: self.now,
        };
        let then = Phase::SwitchRollback(back.clone());
        let mut by_overlap = None;
        let mut shares = Vec::new();
        let before = match switched {
            true if self.may_return(service, lock)? => {
                by_overlap = self.returns_by_overlap(service, lock)?;
                service_lock::selector_before(service)
            }
            true => {
                let left = match Overlap::read(service) {
                    Some(_) => Some(self.left_with(service, lock)?),
                    None => None,
                };
                self.move_autoscaler("", &self.name_of(&lock.version), None)?;
                self.clear_preview()?;
                let patch = service_lock::mark_and_release(service, &failed, left.as_ref());
                let patch = self.note_route(patch, service)?;
                return Ok(self.patch_service(patch, then));
            }
            false => {
                shares = self.shares_by_route()?;
                stays
            }
        };
        let lock = Lock {
            deadline: self.now + self.return_limit() + by_overlap.unwrap_or_default(),
            ..lock.clone()
        };
        let patch = match by_overlap {
            Some(time) => overlap::widen_back(service, &lock, &failed, time),
            None => service_lock::mark(service, &lock, &failed, before.as_ref()),
        };
        let patch = sharing::note(patch, &shares);
        Ok(self.patch_service(patch, then))
    }

    /// How long taking back may last.
    fn return_limit(&self) -> Duration {
        self.request.timeout.min(RETURN_LIMIT)
    }

    /// Whether the Service is to be switched back, and the old version is there to take over: it
    /// must serve at least as well as the new one does.
    fn may_return(&self, service: &Service, lock: &Lock) -> Result<bool, Decision> {
        let Some(before) = service_lock::selector_before(service) else {
            return Ok(false);
        };
        // As long as both serve, the switch is not done: the old version keeps what it has.
        let overlaps = Overlap::read(service).is_some();
        let wanted = self.request.rollback || overlaps;
        if !wanted || service.annotation(marks::RETIRING).is_some() {
            return Ok(false);
        }
        let from = service_lock::from(service).unwrap_or_default();
        let old = self.snapshot.deployment(from)?;
        // Pods of a Deployment that is scaled down are counted until they go.
        let old = old.filter(|old| old.replicas() > 0);
        if old.is_some_and(|old| old.observed_generation() < old.generation())
            && self.now < lock.deadline
        {
            return Err(self.wait(Stage::Settling(from.to_owned()), CATCHING_UP));
        }
        if old.is_none() {
            return Ok(false);
        }
        // By the selector that is to hold again: the old one may have been rolled since.
        let ready = self.snapshot.service_pods(&before)?.iter();
        let ready = ready.filter(|member| member.ready);
        let ready = i64::try_from(ready.count()).unwrap_or(i64::MAX);
        let candidate = self.snapshot.deployment(&self.name_of(&lock.version))?;
        let of_candidate = candidate.map_or(0, Workload::available_replicas);
        let ours = overlaps || service.selector().get(VERSION) == Some(&lock.version);
        // What was wanted at the switch is enough: what an autoscaler gave the new one since, it
        // will give the old one, too.
        let enough = lock.wanted.map_or(of_candidate, |it| it.min(of_candidate));
        Ok(ours && ready >= enough.max(1))
    }

    /// Takes back what was written, up to the lock.
    pub(super) fn take_back(&self, service: &Service, lock: &Lock, switched: bool) -> Next {
        let Phase::SwitchRollback(back) = &self.continuation.phase else {
            return Ok(Decision::Enter(Phase::SwitchRollback(
                self.recorded(service),
            )));
        };
        if let Some(overlap) = Overlap::read(service) {
            return self.return_from_overlap(service, &overlap, Some(lock), lock.deadline);
        }
        if self.now >= lock.deadline {
            let name = self.name_of(&lock.version);
            let result = match !switched && self.is_share_unconfirmed()? {
                true => RollbackResult::ShareUnconfirmed(name, self.return_limit()),
                false => RollbackResult::SwitchRollbackFailed(name),
            };
            return Ok(ended(back.clone(), result));
        }
        self.refill(service)?;
        if !switched {
            self.stays_with_candidate(service, lock)?;
            self.give_route_back(Some(back))?;
        }
        // Without the old version nothing is left to be kept apart from.
        if let Some(old) = self.old(&service.selector())?
            && let Some(stage) = self.clear(service, &lock.version, switched, old)?
        {
            // What may not be scaled down stays, and is not waited for.
            if let Stage::Leaving(name) = &stage
                && self.is_left(name)
            {
                return Ok(ended(
                    back.clone(),
                    RollbackResult::SwitchRollbackFailed(name.clone()),
                ));
            }
            return Ok(self.wait(stage, CATCHING_UP));
        }
        self.clear_preview()?;
        let patch = service_lock::release(service, self.widened(service).as_ref());
        let patch = self.note_route(patch, service)?;
        Ok(self.patch_service(patch, Phase::SwitchRollback(back.clone())))
    }

    /// The Deployment that a selector sends to, which served before.
    pub(super) fn old(&self, selector: &Selector) -> Result<Option<&Workload>, Query> {
        match selector.get(VERSION) {
            Some(version) => self.snapshot.deployment(&self.name_of(version)),
            None => self.plain(),
        }
    }

    /// Clears the candidate away; what is to be waited for, if anything.
    pub(super) fn clear(
        &self,
        service: &Service,
        version: &str,
        switched: bool,
        old: &Workload,
    ) -> Result<Option<Stage>, Decision> {
        let name = self.name_of(version);
        self.move_autoscaler(&name, old.name(), None)?;
        if switched {
            let members = self.snapshot.service_pods(&service.selector())?;
            let endpoints = self.snapshot.endpoints(service.name())?;
            if !endpoints.are_all_of(members, 0) {
                return Ok(Some(Stage::Endpoints(service.name().to_owned())));
            }
        }
        let narrowed = service.selector().contains_key(TEMPLATE_HASH);
        // With the wide selector back, every pod of the family would get traffic.
        if !self.request.rollback && !narrowed {
            return Ok(None);
        }
        let others = self.versions()?.iter();
        for one in others.filter(|one| one.name() != old.name()) {
            self.put_away(one)?;
        }
        if narrowed {
            let sets = self.snapshot.replica_sets(old)?;
            let wide = service_lock::common(&service.selector());
            let members = self.snapshot.service_pods(&wide)?;
            if members.iter().any(|member| !member.is_of(old, sets)) {
                return Ok(Some(Stage::Leaving(name)));
            }
            self.see_traffic()?;
        }
        Ok(None)
    }

    /// Scales a candidate down. It is not deleted: a write that created it and is still under way
    /// would make it anew when all is over. The next deploy that succeeds does so.
    pub(super) fn put_away(&self, one: &Workload) -> Result<(), Decision> {
        if one.replicas() == 0 || one.is_being_deleted() || self.is_left(one.name()) {
            return Ok(());
        }
        self.unselected(one)?;
        let job = &self.continuation.job;
        let patch = match one.annotation(marks::JOB) == Some(job) {
            true => candidate::put_away(one, job),
            false => candidate::scale_down(one),
        };
        Err(self.scale_down(one, patch))
    }

    /// All is taken back, and the lock was given up as the last step.
    pub(super) fn taken_back(&self, service: &Service, switched: bool) -> Next {
        let mut back = self.recorded(service);
        if let Phase::SwitchRollback(known) = &self.continuation.phase {
            back = known.clone();
        }
        let left = self.snapshot.left.iter();
        let left = left.map(|(name, why)| format!("`{name}` could not be cleaned up: {why}."));
        back.evidence.pods.extend(left);
        let job = Some(&*self.continuation.job);
        let mut all = self.versions()?.iter();
        let candidate = all.find(|one| one.annotation(marks::JOB) == job);
        let selected = service.selector().get(VERSION).map(|it| self.name_of(it));
        // Nothing else was left that could serve.
        let is_selected = candidate.is_some_and(|one| Some(one.name()) == selected.as_deref());
        let serves = is_selected || self.shares_alone(service, candidate)?;
        let had_share = !sharing::reached(service).is_empty();
        let fate = CandidateState::of(candidate);
        let to = service_lock::to(service).unwrap_or_default();
        let still = selected.as_deref() == Some(to);
        let active = selected.unwrap_or_else(|| self.request.deployment.clone());
        Ok(ended(
            back,
            match (switched, still) {
                (false, _) if serves => RollbackResult::NoWayBack,
                (false, _) => RollbackResult::Unswitched(fate, active, had_share),
                (true, true) if !self.request.rollback => RollbackResult::LeftSwitched,
                (true, true) => RollbackResult::NoWayBack,
                (true, false) => {
                    let old = service_lock::from(service).unwrap_or_default();
                    RollbackResult::SwitchedBack(old.to_owned(), fate)
                }
            },
        ))
    }

    /// Whether the Service sends to the pods of both versions, and those of the candidate are all
    /// that is left.
    fn shares_alone(&self, service: &Service, candidate: Option<&Workload>) -> Result<bool, Query> {
        let has_pods = candidate.is_some_and(|one| one.replicas() > 0);
        if !has_pods || self.shared().is_none() {
            return Ok(false);
        }
        let is_gone = self
            .old(&service.selector())?
            .is_none_or(|old| old.replicas() == 0);
        Ok(is_gone && self.has_ready(&service.selector())?)
    }

    /// What the Service says of why the deploy failed.
    fn recorded(&self, service: &Service) -> RecordedFailure {
        RecordedFailure::of(service.annotation(marks::CAUSE).unwrap_or_default())
    }
}
