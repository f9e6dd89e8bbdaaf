//! The overlap of a switch: both versions serve until a load balancer in front of the Service has
//! seen the pods of the one that stays healthy; then the other leaves.

use super::bake::serving;
use super::context::{Context, Next, count, foreign};
use crate::kubernetes::object::timestamp;
use crate::kubernetes::service::{Selector, Service, ServicePod};
use crate::problem::Fault;
use crate::snapshot::Query;
use crate::state::marks;
use crate::strategy::candidate;
use crate::strategy::causes::RolloutCause;
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::handover::{self, Handover, Why};
use crate::strategy::pauses::{BAKE_WINDOW, CATCHING_UP, RETIRING};
use crate::strategy::service_lock::overlap::{self, Leaves, Overlap};
use crate::strategy::service_lock::{self, Lock};
use crate::text::{list, words};
use crate::workload::replica_set::ReplicaSet;
use crate::workload::{TEMPLATE_HASH, Workload};
use jiff::Timestamp;

impl Context<'_> {
    /// How the switch is to hand over, chosen before anything is written. Both versions can serve
    /// only by labels that nothing else has.
    pub(super) fn handover(
        &self,
        service: &Service,
        live: &Workload,
        sets: &[ReplicaSet],
        faults: &mut Vec<Fault>,
    ) -> Result<Option<Handover>, Query> {
        // A canary over a route has moved all traffic before.
        if self.routed().is_some() {
            return Ok(None);
        }
        let chosen = handover::choose(self.switch, service, self.snapshot)?;
        if chosen.time().is_none() {
            // A canary by pods promises no cut: where nothing needs time there is nothing to say.
            let is_told = self.shared().is_none() || chosen.why != Why::NoFront;
            return Ok(is_told.then_some(chosen));
        }
        let both = service_lock::common(&service.selector());
        let (why, problem) = if both.is_empty() {
            let problem = "by nothing but the version".to_owned();
            (Why::NoLabel, problem)
        } else {
            let family = self.names(&[])?;
            let is_other = |member: &&ServicePod| {
                let mut family = family.iter();
                !member.going && !member.is_of(live, sets) && !family.any(|it| member.is_under(it))
            };
            let mut members = self.snapshot.service_pods(&both)?.iter();
            let Some(other) = members.find(is_other) else {
                return Ok(Some(chosen));
            };
            let labels = both.iter().map(|(key, value)| format!("{key}={value}"));
            let labels = list(&labels.collect::<Vec<_>>());
            let problem = format!("by {labels}, which pod `{}` of others has, too", other.name);
            (Why::Others(other.name.clone()), problem)
        };
        if chosen.why == Why::Asked {
            let problem = format!(
                "asks for an overlap, and without the version Service `{}` selects {problem}: give \
                 it a selector that finds the pods of `{}` alone, or choose \"cut\"",
                service.name(),
                self.request.deployment
            );
            faults.push(Fault::new("handover", problem));
        }
        Ok(Some(Handover::cut(why)))
    }

    /// An overlap that was chosen by what is in front of the Service must fit into the `timeout`,
    /// like one that was asked for; of a canary by pods each share takes that time.
    pub(super) fn fault_of_overlap(&self, handover: Option<&Handover>) -> Option<Fault> {
        let time = handover?.time()?;
        let (shares, bakes) = match self.shared() {
            Some(canary) => (canary.steps.len().max(1), canary.length()),
            None => (1, self.switch.bake),
        };
        let whole = bakes + time * u32::try_from(shares).unwrap_or(u32::MAX);
        if whole < self.request.timeout {
            return None;
        }
        let each = if shares > 1 { " with each share" } else { "" };
        Some(Fault::new(
            "timeout",
            format!(
                "is {}, and a load balancer in front of Service `{}` needs up to {}{each} to see \
                 new pods healthy (`handover`), which takes {} with all bakes: give a longer one",
                words(self.request.timeout),
                self.switch.service,
                words(time),
                words(whole)
            ),
        ))
    }

    /// Sees to it that the labels that both versions have find no other pods, right before both are
    /// to serve. How the switch hands over after all: what stands up against all efforts makes it a
    /// cut.
    pub(super) fn make_room(
        &self,
        service: &Service,
        lock: &Lock,
        live: &Workload,
        found: &Workload,
    ) -> Result<Option<Handover>, Decision> {
        let handover = lock.handover.clone();
        if handover.as_ref().and_then(Handover::time).is_none() {
            return Ok(handover);
        }
        let others = self.others_up(live, found)?;
        if let Some(other) = others.into_iter().find(|it| self.is_left(it.name())) {
            return Ok(Some(Handover::cut(Why::Left(other.name().to_owned()))));
        }
        let both = service_lock::common(&service.selector());
        let Some(other) = self.clear_labels(&both, live, found)? else {
            return Ok(handover);
        };
        if handover.is_some_and(|it| it.why == Why::Asked) {
            return Err(self.fail(foreign(service, other, found.name())));
        }
        Ok(Some(Handover::cut(Why::Others(other.name.clone()))))
    }

    /// A pod of neither version that these labels find. Other Deployments of the application, which
    /// a dead deploy may have left up, are scaled down first; the Service sends to none of them.
    pub(super) fn clear_labels(
        &self,
        both: &Selector,
        live: &Workload,
        found: &Workload,
    ) -> Result<Option<&ServicePod>, Decision> {
        let mut others = self.others_up(live, found)?.into_iter();
        if let Some(other) = others.find(|it| !self.is_left(it.name())) {
            self.unselected(other)?;
            return Err(self.scale_down(other, candidate::scale_down(other)));
        }
        let other = self.pod_of_others(both, live, found)?;
        let names = self.names(&[])?;
        let is_leaving = |name: &&str| {
            let other = other.filter(|_| !self.is_left(name));
            other.is_some_and(|other| other.is_under(name))
        };
        if let Some(name) = names.into_iter().find(is_leaving) {
            self.in_time()?;
            return Err(self.wait(Stage::Leaving(name.to_owned()), CATCHING_UP));
        }
        Ok(other)
    }

    /// The Deployments of the application beside these two that are scaled up.
    fn others_up(&self, live: &Workload, found: &Workload) -> Result<Vec<&Workload>, Query> {
        let plain = self.plain()?;
        let others = plain.into_iter().chain(self.versions()?).filter(|one| {
            let is_other = one.name() != live.name() && one.name() != found.name();
            is_other && one.replicas() > 0 && !one.is_being_deleted()
        });
        Ok(others.collect())
    }

    /// While both versions serve: sees that the new one does, for the time of the overlap, then
    /// lets the old one leave.
    pub(super) fn overlapping(
        &self,
        service: &Service,
        lock: &Lock,
        found: &Workload,
        overlap: &Overlap,
    ) -> Next {
        let stage = Stage::Overlap {
            stays: found.name().to_owned(),
            until: overlap.until(),
        };
        let deadline = overlap.until().unwrap_or(lock.deadline).max(lock.deadline);
        self.check_template(found)?;
        self.follow(found, deadline, stage.clone())?;
        self.heal()?;
        self.see_both(service, found, deadline)?;
        let begun = found.annotation(marks::DEPLOYED_AT).and_then(timestamp);
        let until = match overlap.until().filter(|_| begun <= overlap.since) {
            Some(until) => until,
            None => {
                // It begins to count now, also where it was scaled away since.
                self.rechecked()?;
                let lock = self.lengthened(lock, overlap.time() + self.switch.bake);
                let patch = overlap::count(service, overlap, Some(&lock), self.now);
                return Ok(self.patch_service(patch, self.phase()));
            }
        };
        self.wait_until(until, &stage, BAKE_WINDOW)?;
        self.rechecked()?;
        let lock = self.lengthened(lock, self.switch.bake);
        let patch = overlap::narrow(service, &lock, self.now);
        Ok(self.patch_service(patch, self.phase()))
    }

    /// The same lock, with time for what is still to come.
    pub(super) fn lengthened(&self, lock: &Lock, rest: std::time::Duration) -> Lock {
        Lock {
            deadline: lock.deadline.max(self.now + rest + RETIRING),
            ..lock.clone()
        }
    }

    /// The Service sends to all pods of the new version, and to none but those of both.
    fn see_both(
        &self,
        service: &Service,
        found: &Workload,
        deadline: Timestamp,
    ) -> Result<(), Decision> {
        let members = self.snapshot.service_pods(&service.selector())?;
        let endpoints = self.snapshot.endpoints(service.name())?;
        let from = service_lock::from(service).unwrap_or_default();
        let is_new = |member: &ServicePod| member.is_under(found.name());
        let mut strangers = members
            .iter()
            .filter(|member| member.ready && !is_new(member) && !is_old(service, from, member));
        if let Some(stranger) = strangers.next() {
            // The old version was rolled meanwhile: what comes up is judged by nobody.
            return Err(self.fail(match stranger.is_under(from) {
                true => RolloutCause::DeploymentChanged(from.to_owned()),
                false => foreign(service, stranger, found.name()),
            }));
        }
        let new = members.iter().filter(|member| is_new(member));
        let new = new.filter(|member| endpoints.ready.contains(&member.name));
        if new.count() >= serving(found) {
            return Ok(());
        }
        Err(self.expect_endpoints(service, found, deadline))
    }

    /// Whether a failed switch is taken back by an overlap, too: the old version has left the load
    /// balancer, and the new one is there.
    pub(super) fn returns_by_overlap(
        &self,
        service: &Service,
        lock: &Lock,
    ) -> Result<Option<std::time::Duration>, Query> {
        let time = lock.handover.as_ref().and_then(Handover::time);
        let both = service_lock::common(&service.selector());
        let from = service_lock::from(service).unwrap_or_default();
        if time.is_none() || both.is_empty() || Overlap::read(service).is_some() {
            return Ok(None);
        }
        let name = self.name_of(&lock.version);
        let mut members = self.snapshot.service_pods(&both)?.iter();
        let mut ready = members.clone().filter(|member| member.ready);
        let serves = ready.any(|member| member.is_under(&name));
        let alone = members
            .all(|member| !member.ready || member.is_under(&name) || is_old(service, from, member));
        Ok(time.filter(|_| serves && alone))
    }

    /// The selector of the version that a Service is left with where an overlap ends by a failure
    /// and the old version cannot take over: the new one's, as long as that has a ready pod.
    pub(super) fn left_with(&self, service: &Service, lock: &Lock) -> Result<Selector, Query> {
        let new = service_lock::of_version(&service.selector(), &lock.version);
        let before = service_lock::selector_before(service);
        let serves = self.has_ready(&new)?;
        Ok(match before {
            Some(before) if !serves => before,
            Some(_) | None => new,
        })
    }

    /// Brings an overlap to its end that the new version leaves by: the old one takes over as soon
    /// as the load balancer has seen it healthy.
    pub(super) fn return_from_overlap(
        &self,
        service: &Service,
        overlap: &Overlap,
        lock: Option<&Lock>,
        deadline: Timestamp,
    ) -> Next {
        let before = service_lock::selector_before(service).unwrap_or_default();
        let version = lock.map(|lock| lock.version.clone());
        let version = version.or_else(|| self.version_of_last(service));
        let new = version.map(|version| service_lock::of_version(&before, &version));
        let new_serves = match &new {
            Some(new) => self.has_ready(new)?,
            None => false,
        };
        let late = self.now >= deadline;
        let old = self.snapshot.service_pods(&before)?.iter();
        let old = old.filter(|member| member.ready);
        let from = service_lock::from(service).unwrap_or_default();
        let old_deployment = self.snapshot.deployment(from)?;
        let wanted = old_deployment.map_or(0, Workload::replicas);
        let endpoints = self.snapshot.endpoints(service.name())?;
        let in_service = old.filter(|member| endpoints.ready.contains(&member.name));
        let in_service = in_service.count();
        let end = |selector: &Selector| {
            self.rechecked()?;
            let patch = overlap::end(service, selector);
            Ok(self.patch_service(patch, self.continuation.phase.clone()))
        };
        match new.filter(|_| late && in_service == 0 && new_serves) {
            Some(new) => return end(&new),
            None if late || overlap.leaves == Leaves::Old => return end(&before),
            None => {}
        }
        let stage = Stage::Overlap {
            stays: from.to_owned(),
            until: overlap.until(),
        };
        if in_service < count(wanted.max(1)) {
            return Ok(self.wait(stage, CATCHING_UP));
        }
        if !new_serves {
            return end(&before);
        }
        let Some(until) = overlap.until() else {
            self.rechecked()?;
            let patch = overlap::count(service, overlap, None, self.now);
            return Ok(self.patch_service(patch, self.continuation.phase.clone()));
        };
        self.wait_until(until, &stage, BAKE_WINDOW)?;
        end(&before)
    }

    /// A deploy died while both versions served. The old one never left the load balancer, or has
    /// come back to it by now: it serves alone again, and whoever comes begins from there.
    pub(super) fn end_dead_overlap(&self, service: &Service) -> Result<(), Decision> {
        let Some(overlap) = Overlap::read(service).filter(|_| !self.request.mode.is_plan()) else {
            return Ok(());
        };
        let before = service_lock::selector_before(service).unwrap_or_default();
        let deadline = match overlap.leaves {
            Leaves::Old if self.has_ready(&before)? => self.continuation.deadline,
            // Nothing is left of the old one.
            Leaves::Old => self.now,
            Leaves::New => self.continuation.deadline,
        };
        Err(self.return_from_overlap(service, &overlap, None, deadline)?)
    }

    /// The version that the last switch was to.
    fn version_of_last(&self, service: &Service) -> Option<String> {
        let name = service_lock::to(service)?;
        let version = name.strip_prefix(&*self.request.deployment)?;
        Some(version.strip_prefix('-')?.to_owned())
    }
}

/// Whether a pod is one of the version that served before the switch: of an adopted Deployment only
/// the ReplicaSet that the Service was held to.
fn is_old(service: &Service, from: &str, member: &ServicePod) -> bool {
    let before = service_lock::selector_before(service).unwrap_or_default();
    let hash = before.get(TEMPLATE_HASH);
    member.is_under(from) && hash.is_none_or(|hash| member.owner.ends_with(hash.as_str()))
}
