//! A canary without a route: the Service sends to the pods of both versions, and the candidate's
//! share is that of its pods.
//!
//! The old version keeps all of its pods until the end, so that the way back is one patch of the
//! selector and both together never have fewer than were wanted. So a share has as many pods of the
//! candidate as it takes beside them, and half is the most.

use crate::kubernetes::service::Service;
use crate::request::Canary;
use crate::strategy::causes::RolloutCause;
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::handover::Handover;
use crate::strategy::pauses::{CATCHING_UP, STEP_WINDOW};
use crate::strategy::service_lock::{self, Lock, Share, sharing};
use crate::strategy::switch::context::{Context, count, foreign};
use crate::workload::Workload;

/// How many pods of the candidate give it at least this share beside so many of the old version.
pub(in crate::strategy::switch) fn pods_for(percent: u8, old: i64) -> i64 {
    let (percent, old) = (i64::from(percent.min(99)), old.max(1));
    let pods = (old * percent + (99 - percent)) / (100 - percent);
    pods.max(1)
}

/// The share that so many pods have beside those of the old version, in percent.
pub(in crate::strategy::switch) fn share_of(pods: i64, old: i64) -> u8 {
    let all = (pods + old).max(1);
    u8::try_from((pods * 100 + all / 2) / all).unwrap_or(100)
}

impl Context<'_> {
    /// The canary of the request, where the share is that of its pods.
    pub(in crate::strategy::switch) fn shared(&self) -> Option<&Canary> {
        let canary = self.request.strategy.canary()?;
        canary.route.is_none().then_some(canary)
    }

    /// How many pods the candidate comes up with.
    pub(in crate::strategy::switch) fn first_pods(&self, live: &Workload) -> i64 {
        let first = self.shared().and_then(|canary| canary.steps.first());
        first.map_or(live.replicas(), |step| {
            pods_for(step.weight, live.replicas())
        })
    }

    /// The shares that the candidate really had, one after the other.
    pub(in crate::strategy::switch) fn shares_reached(&self, service: &Service) -> Vec<u8> {
        let Some(canary) = self.request.strategy.canary() else {
            return Vec::new();
        };
        if canary.route.is_some() {
            return canary.steps.iter().map(|step| step.weight).collect();
        }
        let mut shares = sharing::reached(service);
        shares.push(100);
        shares
    }

    /// The candidate is ready: takes it through its shares. Then all of its pods come up, and the
    /// Service is switched as by blue/green.
    pub(in crate::strategy::switch) fn share(
        &self,
        service: &Service,
        lock: &Lock,
        live: &Workload,
        found: &Workload,
    ) -> Result<(), Decision> {
        let Some(canary) = self.shared() else {
            return Ok(());
        };
        let steps = canary.steps.iter().filter(|step| step.weight < 100);
        let steps = steps.collect::<Vec<_>>();
        let begun = lock.share.as_ref();
        if let Some(share) = begun
            && let Some(step) = steps.get(share.step)
        {
            // A load balancer has to see the new pods healthy before they have their share.
            let learning = lock.handover.as_ref().and_then(Handover::time);
            let until = share.at + learning.unwrap_or_default() + step.bake;
            self.hold_share(service, live, found, share, until)?;
        }
        let next = begun.map_or(0, |share| share.step + 1);
        let Some(step) = steps.get(next) else {
            return Ok(());
        };
        self.in_time()?;
        let wanted = pods_for(step.weight, live.replicas());
        if found.replicas() < wanted {
            self.rechecked()?;
            return Err(self.scale_up(found, wanted));
        }
        self.move_autoscaler(found.name(), live.name(), Some(live.replicas()))?;
        self.rechecked()?;
        let pinned = lock.pinned.clone().unwrap_or_else(|| service.selector());
        let wide = service_lock::common(&pinned);
        let other = match begun {
            None => self.clear_labels(&wide, live, found)?,
            Some(_) => self.pod_of_others(&wide, live, found)?,
        };
        if let Some(other) = other {
            return Err(self.fail(foreign(service, other, found.name())));
        }
        let lock = Lock {
            selector: Some(wide.clone()),
            pinned: Some(pinned),
            ..lock.clone()
        };
        let share = Share {
            step: next,
            percent: share_of(found.replicas(), live.replicas()),
            at: self.now,
        };
        let patch = sharing::share(service, &lock, &wide, &share);
        Err(self.patch_service(patch, self.phase()))
    }

    /// Watches the candidate with its share, for the time of the step.
    fn hold_share(
        &self,
        service: &Service,
        live: &Workload,
        found: &Workload,
        share: &Share,
        until: jiff::Timestamp,
    ) -> Result<(), Decision> {
        self.heal()?;
        // The previous version serves nothing any more, so the candidate has all of the traffic.
        if live.replicas() == 0 {
            return Err(self.fail(RolloutCause::ScaledToZero(live.name().to_owned())));
        }
        let stage = Stage::Share {
            candidate: found.name().to_owned(),
            percent: share.percent,
            until: Some(until),
        };
        if self.now >= until {
            let wait = |at_most| self.wait(stage.clone(), at_most);
            self.see_alarms(until, wait)?;
            let members = self.snapshot.service_pods(&service.selector())?;
            let endpoints = self.snapshot.endpoints(service.name())?;
            let wanted = count(found.replicas() + live.replicas());
            if endpoints.are_all_of(members, wanted) {
                return Ok(());
            }
        }
        self.in_time()?;
        let at_most = match self.now < until {
            true => STEP_WINDOW.min(self.left(until)),
            false => CATCHING_UP,
        };
        Err(self.wait(stage, at_most))
    }

    /// The share that the candidate has by its pods, where it has one.
    pub(in crate::strategy::switch) fn pod_share_now(&self) -> Option<u8> {
        Some(self.own_lock()?.share?.percent)
    }
}

#[cfg(test)]
mod tests;
