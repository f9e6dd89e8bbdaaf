//! The lock of this deploy on the Service, and the selector that it was left with.

use super::context::Context;
use crate::kubernetes::service::{Detour, Selector, Service};
use crate::request::Request;
use crate::state::continuation::Phase;
use crate::state::lease::LONGEST_DEPLOY;
use crate::state::marks::{self, VERSION};
use crate::strategy::decision::Decision;
use crate::strategy::service_lock::overlap::Overlap;
use crate::strategy::service_lock::taken_back::TakenBack;
use crate::strategy::service_lock::{self, Lock, Pin};
use crate::workload::{TEMPLATE_HASH, Workload};
use jiff::Timestamp;

impl Context<'_> {
    /// Our lock, for a version. What was spent on waiting for somebody else's is not the version's:
    /// it has the whole `timeout`, as far as the action lives.
    pub(super) fn lock(&self, version: &str) -> Lock {
        let since = self.continuation.started;
        let before = self.seen_service().and_then(Lock::read);
        let whole = self.now + self.request.timeout;
        Lock {
            execution: self.request.execution.clone(),
            job: self.continuation.job.clone(),
            version: version.to_owned(),
            since,
            guarded: self
                .request
                .alarms
                .as_ref()
                .map(|_| self.guarded_since(before.as_ref())),
            deadline: whole.min(since + LONGEST_DEPLOY),
            selector: None,
            wanted: None,
            pinned: None,
            share: None,
            route: self.route_name(),
            handover: None,
            untested: self.switch.smoke.is_none() && before.is_none_or(|before| before.untested),
            back: self.request.mode.is_rollback(),
        }
    }

    /// Since when alarms guard what this deploy does: a dead one of its execution, which had the
    /// lock `before`, may have begun it.
    fn guarded_since(&self, before: Option<&Lock>) -> Timestamp {
        let dead = before.filter(|lock| lock.execution == self.request.execution);
        dead.map_or(self.now, Lock::guarded_since)
    }

    /// What an earlier deploy left when it died is brought to its end: forward where it had
    /// switched, so that its version is still seen through the bake.
    pub(super) fn inherit(&self, service: &Service, live: &Workload, dead: &Lock) -> Decision {
        let had_switched = service.annotation(marks::JOB) == Some(&dead.job)
            && service_lock::to(service) == Some(live.name());
        let own = self.lock(&dead.version);
        // Its version is judged from its own beginning on, whoever began it.
        let guarded = own.guarded.map(|own| match had_switched {
            true => dead.guarded_since(),
            false => own,
        });
        let lock = Lock {
            handover: dead.handover.clone(),
            guarded,
            ..own
        };
        // With a share of the pods the Service sends to both versions.
        let pin = match &dead.pinned {
            Some(before) if dead.selects_by(&service.selector()) => Pin::As(before),
            Some(_) | None => Pin::Not,
        };
        let patch = match self.unfinished(service, live) {
            _ if had_switched => service_lock::take_over(service, &lock, &self.author(self.now)),
            Some(unfinished) => unfinished.take(service, &lock, pin),
            None => service_lock::take(service, &lock, pin),
        };
        self.patch_service(patch, Phase::Switch)
    }

    /// Whether this rollback on demand stops the deploy whose lock this is. It need not wait for
    /// one whose version gets traffic: what it would go back to in the end is what is there now.
    /// One that is at its end comes to that first.
    pub(super) fn stops(&self, service: &Service, lock: &Lock) -> bool {
        let has_traffic =
            lock.has_switched(service) || lock.share.is_some() || lock.route.is_some();
        let is_ending =
            service.annotation(marks::RETIRING).is_some() || Overlap::read(service).is_some();
        let asked =
            self.request.is_back_to_former() && !lock.back && lock.route == self.route_name();
        asked && has_traffic && !is_ending
    }

    /// What this rollback on demand takes back, where the last deploy was not done.
    pub(super) fn unfinished(&self, service: &Service, live: &Workload) -> Option<TakenBack> {
        let dead = unfinished(self.request, service, live, &self.continuation.job)?;
        Some(TakenBack {
            execution: self.request.execution.clone(),
            job: self.continuation.job.clone(),
            deployment: self.name_of(&dead.version),
        })
    }

    /// Whether the Service selects as the switch of this lock made it.
    pub(super) fn is_as_switched(service: &Service, lock: &Lock) -> bool {
        if matches!(service.detour(), Some(Detour::ExternalName(_))) {
            return false;
        }
        if Overlap::read(service).is_some() {
            return true;
        }
        let selector = service.selector();
        match service_lock::selector_before(service) {
            Some(before) => selector == service_lock::of_version(&before, &lock.version),
            None => selector.get(VERSION) == Some(&lock.version),
        }
    }

    /// The selector to give back to a Service that is narrowed. What somebody else has changed in
    /// it stays.
    pub(super) fn widened(&self, service: &Service) -> Option<Selector> {
        let mut selector = service.selector();
        selector.remove(TEMPLATE_HASH)?;
        Some(selector)
    }
}

/// The canary that died before its version took over, where a rollback on demand is for that: what
/// served all along stays. A rollback that died is gone on with, and a version that had no traffic
/// yet is not what is to be left.
pub(super) fn unfinished(
    request: &Request,
    service: &Service,
    live: &Workload,
    job: &str,
) -> Option<Lock> {
    let asked = request.is_back_to_former();
    let dead = Lock::read(service).filter(|lock| asked && lock.job != job && !lock.back)?;
    let has_traffic = dead.share.is_some() || dead.route.is_some();
    (has_traffic && marks::version_of(live) != Some(&dead.version)).then_some(dead)
}
