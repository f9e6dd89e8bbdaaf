//! What is done when somebody else is at the Service while it is switched: its selector changed,
//! the live Deployment rolled under it, the Service deleted, the candidate scaled away.

use super::cleanup::selects;
use super::context::{Context, Next, ended};
use super::present::deployment_of;
use crate::kubernetes::service::{Selector, Service, ServicePod};
use crate::snapshot::Query;
use crate::state::continuation::Phase;
use crate::state::marks;
use crate::strategy::candidate;
use crate::strategy::causes::{RolloutCause, RolloutFailure};
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::pauses::CATCHING_UP;
use crate::strategy::result::{CandidateState, Failure, RollbackResult};
use crate::strategy::service_lock::{self, Lock};
use crate::workload::replica_set::{ReplicaSet, own};
use crate::workload::{TEMPLATE_HASH, Workload};

/// What to do about a Service that is held to pods which are no more.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Refill {
    /// It gets the selector that it had before.
    Original(Selector),
    /// It is held to the pods of another ReplicaSet of the same Deployment: with the selector that
    /// it had, a version that nobody has judged would get traffic.
    Held(Selector),
}

/// How a Service that is held to pods which are no more is to select. `all` are the pods of its
/// wide selector; `None` where nothing would come of it.
pub(super) fn refill(
    wide: &Selector,
    all: &[ServicePod],
    live: &Workload,
    sets: &[ReplicaSet],
) -> Option<Refill> {
    all.iter().find(|member| member.ready)?;
    if all.iter().all(|member| member.is_of(live, sets)) {
        return Some(Refill::Original(wide.clone()));
    }
    let ready_of = |set: &ReplicaSet| {
        let own = |member: &&ServicePod| member.ready && member.owner == set.name;
        all.iter().filter(own).count()
    };
    let best = own(live, sets).filter(|set| !set.template_hash.is_empty());
    let best = best.max_by_key(|set| ready_of(set));
    match best.filter(|set| ready_of(set) > 0) {
        Some(set) => {
            let mut held = wide.clone();
            held.insert(TEMPLATE_HASH.to_owned(), set.template_hash.clone());
            Some(Refill::Held(held))
        }
        None => Some(Refill::Original(wide.clone())),
    }
}

impl Context<'_> {
    /// A Service that is held to the pods of one ReplicaSet is empty once its Deployment is rolled.
    /// Whoever sees that mends it, whoever has the lock: the write is bound to what was read.
    pub(super) fn refill(&self, service: &Service) -> Result<(), Decision> {
        let selector = service.selector();
        if !selector.contains_key(TEMPLATE_HASH)
            || !self.snapshot.endpoints(service.name())?.ready.is_empty()
            || self.has_ready(&selector)?
        {
            return Ok(());
        }
        let Some(live) = self.plain()? else {
            return Ok(());
        };
        let wide = service_lock::common(&selector);
        let sets = self.snapshot.replica_sets(live)?;
        let refill = refill(&wide, self.snapshot.service_pods(&wide)?, live, sets);
        let patch = match refill {
            None => return Ok(()),
            Some(Refill::Held(held)) if held == selector => return Ok(()),
            Some(Refill::Held(held)) => service_lock::select(service, &held, true),
            Some(Refill::Original(wide)) => service_lock::select(service, &wide, false),
        };
        self.rechecked()?;
        Err(self.patch_service(patch, self.continuation.phase.clone()))
    }

    /// A deploy died after its switch, and nothing is left of the version that it switched to: the
    /// version before serves again, as long as it is there. No lock counts any more by then.
    pub(super) fn return_from_empty(&self, service: &Service) -> Result<(), Decision> {
        let selector = service.selector();
        let mut before = service_lock::selector_before(service);
        if before.is_none() {
            before = self.selector_of_former(service)?;
        }
        let Some(before) = before.filter(|it| *it != selector) else {
            return Ok(());
        };
        if self.request.mode.is_plan()
            || self.has_ready(&selector)?
            || !self.snapshot.endpoints(service.name())?.ready.is_empty()
            || !self.has_ready(&before)?
        {
            return Ok(());
        }
        self.rechecked()?;
        let patch = service_lock::select(service, &before, true);
        Err(self.patch_service(patch, self.continuation.phase.clone()))
    }

    /// The selector of the version that served before the last switch, where that has one of its
    /// own: what was retired by a switch whose new version somebody has scaled away may be up yet.
    fn selector_of_former(&self, service: &Service) -> Result<Option<Selector>, Query> {
        let Some(from) = service_lock::from(service) else {
            return Ok(None);
        };
        let selector = service.selector();
        if self.has_ready(&selector)? {
            return Ok(None);
        }
        let former = self.snapshot.deployment(from)?;
        let Some(former) = former.filter(|one| one.replicas() > 0) else {
            return Ok(None);
        };
        if let Some(version) = marks::version_of(former) {
            return Ok(Some(service_lock::of_version(&selector, version)));
        }
        // The plain one has no version of its own: its pods are known by their ReplicaSet.
        let wide = service_lock::common(&selector);
        let sets = self.snapshot.replica_sets(former)?;
        let pods = self.snapshot.service_pods(&wide)?;
        let refill = refill(&wide, pods, former, sets);
        Ok(refill.map(|(Refill::Original(it) | Refill::Held(it))| it))
    }

    /// The old version is gone, and the candidate has a share: it is all that serves. With a route
    /// the Service itself is to send to it before the route sends everything to the Service again.
    /// The selector that it gets for that, by the write which says that the deploy failed.
    pub(super) fn stays_with_candidate(
        &self,
        service: &Service,
        lock: &Lock,
    ) -> Result<Option<Selector>, Decision> {
        if lock.share.is_none() && !self.has_share()? {
            return Ok(None);
        }
        let selector = service.selector();
        let new = service_lock::of_version(&selector, &lock.version);
        if !self.has_ready(&new)? {
            return Ok(None);
        }
        if selector == new {
            let members = self.snapshot.service_pods(&new)?;
            let endpoints = self.snapshot.endpoints(service.name())?;
            let known = members.iter().any(|it| endpoints.ready.contains(&it.name));
            return match known || self.now >= lock.deadline {
                true => Ok(None),
                false => Err(self.wait_for_endpoints(service.name(), CATCHING_UP)),
            };
        }
        // Pods of a Deployment that is scaled down are ready until they go.
        let old = self.old(lock.pinned.as_ref().unwrap_or(&selector))?;
        if old.is_some_and(|old| old.replicas() > 0) {
            return Ok(None);
        }
        self.rechecked()?;
        Ok(Some(new))
    }

    /// Somebody else has changed the Service's selector: that stands, and what was held for this
    /// deploy is given up. The candidate is put away where it would get traffic beside a version
    /// that serves without it, or where it never was to get any.
    pub(super) fn set_aside(&self, service: &Service, lock: &Lock, switched: bool) -> Next {
        if !switched {
            self.give_route_back(None)?;
        }
        let name = self.name_of(&lock.version);
        let is_held = service.detour().is_some() && self.is_behind(service, &name)?;
        let other = match is_held {
            true => None,
            false => self.serves_beside(service, &name)?,
        };
        let target = other.map_or(&*name, |it| it.name());
        self.move_autoscaler(&name, target, None)?;
        if self.request.rollback
            && let Some(found) = self.snapshot.deployment(&name)?
            && found.replicas() > 0
            && !found.is_being_deleted()
            && !self.is_left(&name)
        {
            let selector = service.selector();
            let selected = selects(&selector, found, &self.request.deployment);
            if is_held {
                return self.step_aside(service);
            }
            if (selected || !switched) && !(selected && other.is_none()) {
                self.rechecked()?;
                let patch = candidate::put_away(found, &self.continuation.job);
                return Ok(self.scale_down(found, patch));
            }
        }
        // What was scaled down leaves in a moment: the report is about what is there then.
        if self.now < lock.deadline && self.leaves(service, &name)? {
            return Ok(self.wait(Stage::Leaving(name), CATCHING_UP));
        }
        self.step_aside(service)
    }

    /// Gives up what was held for this deploy.
    fn step_aside(&self, service: &Service) -> Next {
        self.clear_preview()?;
        let patch = service_lock::step_aside(service, &self.continuation.job);
        let patch = self.note_route(patch, service)?;
        Ok(self.patch_service(patch, self.phase()))
    }

    /// Whether a Service that sends to no selected pods leads to those of this Deployment all the
    /// same, or will when its type is changed back: without a selector its endpoints stay.
    fn is_behind(&self, service: &Service, name: &str) -> Result<bool, Query> {
        let selector = service.selector();
        if selector.is_empty() {
            let mut pods = self.snapshot.endpoints(service.name())?.ready.iter();
            return Ok(pods.any(|pod| deployment_of(pod) == Some(name)));
        }
        let found = self.snapshot.deployment(name)?;
        Ok(found.is_some_and(|found| selects(&selector, found, &self.request.deployment)))
    }

    /// Whether a Deployment that is scaled to zero still has pods that the Service sends to.
    fn leaves(&self, service: &Service, name: &str) -> Result<bool, Query> {
        let members = self.snapshot.service_pods(&service.selector())?;
        let found = self.snapshot.deployment(name)?;
        let mut serving = members.iter().filter(|member| member.ready);
        let is_at_zero = found.is_some_and(|found| found.replicas() == 0);
        Ok(is_at_zero && serving.any(|member| member.is_under(name)))
    }

    /// Another Deployment of the family that the Service sends to and that nobody is scaling down.
    fn serves_beside(
        &self,
        service: &Service,
        candidate: &str,
    ) -> Result<Option<&Workload>, Query> {
        let members = self.snapshot.service_pods(&service.selector())?;
        let plain = self.plain()?;
        let mut all = plain.into_iter().chain(self.versions()?);
        Ok(all.find(|one| {
            let stays = one.name() != candidate && one.replicas() > 0 && !one.is_being_deleted();
            let serves = |member: &ServicePod| member.ready && member.is_under(one.name());
            stays && members.iter().any(serves)
        }))
    }

    /// The Service is not there. What this deploy has made is put away first, as long as a version
    /// that served is there for whoever makes the Service anew.
    pub(super) fn without_service(&self) -> Result<Decision, Query> {
        let ours = self.made_by_this_deploy()?;
        if ours.is_none() && self.continuation.phase == Phase::Start {
            let fault = self.service_fault("does not exist in this namespace");
            return Ok(Decision::GiveUp(Failure::Faults(vec![fault])));
        }
        if let Some(ours) = ours
            && let Err(decision) = self.put_away_without_service(ours)
        {
            return Ok(decision);
        }
        // The way back may have begun before the Service was seen to be gone.
        let given_back = || self.was_route_returned().then_some(0);
        let share = self.share_given()?.or_else(given_back);
        let gone = RollbackResult::ServiceGone(share, CandidateState::of(ours));
        if let Phase::SwitchRollback(back) = &self.continuation.phase {
            return Ok(ended(back.clone(), gone));
        }
        let cause = RolloutCause::ServiceDeleted(self.switch.service.clone());
        Ok(ended(RolloutFailure::of(cause), gone))
    }

    fn put_away_without_service(&self, ours: &Workload) -> Result<(), Decision> {
        let plain = self.plain()?;
        let others = plain.into_iter().chain(self.versions()?);
        let mut others = others.filter(|one| one.name() != ours.name());
        let live = others.find(|one| one.available_replicas() > 0 && one.replicas() > 0);
        let Some(live) = live.filter(|_| self.request.rollback) else {
            return Ok(());
        };
        // Its share of the traffic is all that is served.
        if self.share_given()?.is_some() {
            return Ok(());
        }
        self.move_autoscaler(ours.name(), live.name(), None)?;
        if ours.replicas() > 0 && !ours.is_being_deleted() && !self.is_left(ours.name()) {
            // It may be there again: then that decides.
            self.rechecked()?;
            let patch = candidate::put_away(ours, &self.continuation.job);
            return Err(self.scale_down(ours, patch));
        }
        self.clear_preview()
    }
}

#[cfg(test)]
mod tests;
