//! The lock of this deploy on the Service, and the selector that it was left with.

use super::context::Context;
use crate::kubernetes::service::{Selector, Service};
use crate::state::continuation::Phase;
use crate::state::lease::LONGEST_DEPLOY;
use crate::state::marks::{self, VERSION};
use crate::strategy::decision::Decision;
use crate::strategy::service_lock::overlap::Overlap;
use crate::strategy::service_lock::{self, Lock, Pin};
use crate::workload::{TEMPLATE_HASH, Workload};

impl Context<'_> {
    /// Our lock, for a version. What was spent on waiting for somebody else's is not the version's:
    /// it has the whole `timeout`, as far as the action lives.
    pub(super) fn lock(&self, version: &str) -> Lock {
        let since = self.continuation.started;
        let whole = self.now + self.request.timeout;
        Lock {
            execution: self.request.execution.clone(),
            job: self.continuation.job.clone(),
            version: version.to_owned(),
            since,
            deadline: whole.min(since + LONGEST_DEPLOY),
            selector: None,
            wanted: None,
            pinned: None,
            share: None,
            route: self.routed().map(|routed| routed.reference.to_string()),
            handover: None,
        }
    }

    /// What an earlier deploy left when it died is brought to its end: forward where it had
    /// switched, so that its version is still seen through the bake.
    pub(super) fn inherit(&self, service: &Service, live: &Workload, dead: &Lock) -> Decision {
        let lock = Lock {
            handover: dead.handover.clone(),
            ..self.lock(&dead.version)
        };
        let had_switched = service.annotation(marks::JOB) == Some(&dead.job)
            && service_lock::to(service) == Some(live.name());
        let patch = match had_switched {
            true => service_lock::take_over(service, &lock, &self.author(self.now)),
            false => service_lock::take(service, &lock, Pin::Not),
        };
        self.patch_service(patch, Phase::Switch)
    }

    /// Whether the Service selects as the switch of this lock made it.
    pub(super) fn is_as_switched(service: &Service, lock: &Lock) -> bool {
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
