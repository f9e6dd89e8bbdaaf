//! After the switch: the new version is seen to serve for its time before the old one goes. The
//! alarms that guard a switch, whatever moves its traffic.

use super::context::{Context, Next, count};
use crate::kubernetes::object::timestamp;
use crate::kubernetes::service::{Service, ServicePod};
use crate::snapshot::Query;
use crate::state::continuation::Phase;
use crate::state::marks;
use crate::strategy::causes::RolloutCause;
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::pauses::{BAKE_WINDOW, CATCHING_UP};
use crate::strategy::service_lock::overlap::Overlap;
use crate::strategy::service_lock::{self, Lock};
use crate::workload::Workload;
use jiff::Timestamp;

impl Context<'_> {
    /// After the switch: sees the new version serve for the time of the bake, then retires the old.
    pub(super) fn after(&self, service: &Service, lock: &Lock) -> Next {
        if !Self::is_as_switched(service, lock) {
            return self.set_aside(service, lock, true);
        }
        let name = self.name_of(&lock.version);
        let Some(found) = self.snapshot.deployment(&name)? else {
            return Ok(self.fail(RolloutCause::DeploymentDeleted(name)));
        };
        let from = service_lock::from(service).unwrap_or_default();
        let old = self.snapshot.deployment(from)?;
        // Whoever else takes the old one away does not end the watch over the new one.
        let retiring = service.annotation(marks::RETIRING).is_some();
        let held = self.held(lock, found, retiring)?;
        if found.replicas() < held {
            self.rechecked()?;
            return Ok(self.scale_up(found, held));
        }
        if let Some(old) = old.filter(|_| !retiring) {
            self.keep_pace(old, found)?;
        }
        if let Some(overlap) = Overlap::read(service) {
            return self.overlapping(service, lock, found, &overlap);
        }
        if retiring {
            self.see_serving(service, found, lock.deadline)?;
            self.end_canary(service, found, lock)?;
            return self.retire(service, found);
        }
        let switched = service.annotation(marks::DEPLOYED_AT).and_then(timestamp);
        let until = switched.unwrap_or(self.now) + self.switch.bake;
        let stage = Stage::Bake {
            candidate: name,
            until: Some(until),
        };
        let deadline = lock.deadline.max(until);
        self.check_template(found)?;
        self.follow(found, deadline, stage.clone())?;
        self.heal()?;
        self.see_endpoints(service, found, deadline)?;
        let begun = found.annotation(marks::DEPLOYED_AT).and_then(timestamp);
        if begun > switched {
            return self.bake_anew(service, lock);
        }
        self.wait_until(until, &stage, BAKE_WINDOW)?;
        let wait = |at_most| self.wait(stage, at_most);
        self.see_alarms(until, wait)?;
        self.retire(service, found)
    }

    /// From here on a pod that is not ready is a version that stopped serving.
    pub(super) fn heal(&self) -> Result<(), Decision> {
        let sights = &self.continuation.sights;
        let is_old = |last| last + CATCHING_UP <= self.now;
        if sights.last.is_none_or(is_old) {
            return Err(Decision::Remember(sights.healed(self.now)));
        }
        Ok(())
    }

    /// The candidate was scaled away after the switch, and serves again: what it served before does
    /// not count, because these are other pods.
    fn bake_anew(&self, service: &Service, lock: &Lock) -> Next {
        self.rechecked()?;
        let lock = self.lengthened(lock, self.switch.bake);
        let patch = service_lock::bake_anew(service, &lock, self.now);
        Ok(self.patch_service(patch, self.phase()))
    }

    /// The Service sends to all pods of this Deployment, and to no others.
    pub(super) fn see_endpoints(
        &self,
        service: &Service,
        found: &Workload,
        deadline: Timestamp,
    ) -> Result<(), Decision> {
        let members = self.snapshot.service_pods(&service.selector())?;
        let endpoints = self.snapshot.endpoints(service.name())?;
        if endpoints.are_all_of(members, serving(found)) {
            return Ok(());
        }
        Err(self.expect_endpoints(service, found, deadline))
    }

    /// The Service sends to at least one pod of this Deployment: nothing else is taken away before.
    fn see_serving(
        &self,
        service: &Service,
        found: &Workload,
        deadline: Timestamp,
    ) -> Result<(), Decision> {
        let members = self.snapshot.service_pods(&service.selector())?;
        let endpoints = self.snapshot.endpoints(service.name())?;
        let serves = |member: &ServicePod| endpoints.ready.contains(&member.name);
        if members.iter().any(serves) {
            return Ok(());
        }
        Err(self.expect_endpoints(service, found, deadline))
    }

    /// The endpoints are not yet as they must be: until the deadline they may become so.
    pub(super) fn expect_endpoints(
        &self,
        service: &Service,
        found: &Workload,
        deadline: Timestamp,
    ) -> Decision {
        if self.now >= deadline {
            return self.fail(RolloutCause::Endpoints {
                service: service.name().to_owned(),
                deployment: found.name().to_owned(),
            });
        }
        self.wait_for_endpoints(service.name(), CATCHING_UP)
    }

    /// Why the alarms end the switch, if they do: as long as it is ours, goes forward, and the
    /// previous version was not begun to be taken away.
    pub(super) fn judged(
        &self,
        service: &Service,
        lock: Option<&Lock>,
    ) -> Result<Option<RolloutCause>, Query> {
        let goes_forward = !matches!(self.continuation.phase, Phase::SwitchRollback(_));
        let is_retiring = service.annotation(marks::RETIRING).is_some();
        let lock = lock.filter(|_| goes_forward && !is_retiring);
        let (Some(lock), Some(cause)) = (lock, self.alarm_cause()) else {
            return Ok(None);
        };
        let job = Some(&*self.continuation.job);
        if service.annotation(marks::JOB) != job {
            return Ok(Some(cause));
        }
        let found = self.snapshot.deployment(&self.name_of(&lock.version))?;
        let found = found.filter(|found| found.annotation(marks::JOB) != job);
        let by = found.and_then(|found| found.annotation(marks::EXECUTION));
        let by = by.filter(|by| *by != self.request.execution);
        Ok(Some(match by {
            None => cause,
            Some(execution) => RolloutCause::OfAnother {
                execution: execution.to_owned(),
                cause: Box::new(cause),
            },
        }))
    }

    /// A deploy of another execution died in its bake, and an alarm rings since: it is taken over,
    /// to be taken back.
    pub(super) fn judge_dead_bake(&self, service: &Service) -> Result<(), Decision> {
        let Some(dead) = self.rang_in_dead_bake(service) else {
            return Ok(());
        };
        let live = self.live(service)?;
        Err(self.inherit(service, live, &dead))
    }
}

/// How many pods of a version that serves are to be endpoints: all that are available. That no more
/// are missing than may be was seen before.
pub(super) fn serving(found: &Workload) -> usize {
    count(found.replicas().min(found.available_replicas()).max(1))
}
