//! Blue/green and immutable: the candidate starts next to the active Deployment, and one patch
//! switches the Service to it. The previous version stays at full scale for a while, then is scaled
//! to zero.
//!
//! The Service shows the progress of a deploy: who holds the lock, whether it was switched, when
//! and from which version. So every invocation reads it first and continues from there; the token
//! is only a hint. Only the switch itself changes which pods get traffic. `switch/undo.rs` has the
//! rollback.

mod admission;
mod autoscaler;
mod bake;
mod canary;
mod candidate;
mod cleanup;
mod context;
mod faults;
mod forward;
mod live;
mod lock;
mod overlap;
mod present;
mod repair;
pub mod returning;
mod smoke;
mod undo;

use super::causes::TrafficState;
use super::decision::Decision;
use super::handover::Handover;
use super::result::{Failure, RollbackResult};
use super::service_lock::Lock;
use super::service_lock::taken_back::TakenBack;
use crate::kubernetes::service::Service;
use crate::snapshot::Query;
use crate::state::continuation::Phase;
use crate::state::marks;
use crate::strategy::context::Context as Known;
use crate::workload::Workload;
use context::{Context, Next, ended};

/// Decides the next step; `None` where another strategy is asked for.
pub fn decide(known: &Known) -> Option<Decision> {
    let context = Context::of(known)?;
    let (Ok(decision) | Err(decision)) = context.next();
    Some(context.told(decision))
}

/// The current state, or what must be read for it first.
pub fn present(known: &Known) -> Option<Result<TrafficState, Query>> {
    Some(Context::of(known)?.present())
}

/// What a plan tells of a switch.
pub struct Foreseen {
    /// How it would hand over.
    pub handover: Option<Handover>,
    /// The candidate of a deploy that is not done, which this rollback on demand would take back.
    pub takes_back: Option<String>,
}

/// What would become of the Service, as far as what was read tells.
pub fn foreseen(known: &Known) -> Option<Foreseen> {
    let context = Context::of(known)?;
    let service = context.seen_service()?;
    let live = context.live(service).ok()?;
    let handover = known
        .snapshot
        .replica_sets(live)
        .and_then(|sets| context.handover(service, live, sets, &mut Vec::new()));
    Some(Foreseen {
        handover: handover.ok().flatten(),
        takes_back: context.unfinished(service, live).map(|it| it.deployment),
    })
}

/// The execution of a canary that died with a share of the traffic, where that was taken back and
/// nothing else has begun since.
pub fn ended_share(known: &Known) -> Option<String> {
    let context = Context::of(known)?;
    let service = context.seen_service()?;
    let is_dead = |lock: &Lock| lock.execution != known.request.execution && !lock.holds(known.now);
    let Some(lock) = Lock::read(service) else {
        return context.returned_by_note(service);
    };
    let dead = Some(lock).filter(is_dead)?;
    let mut pinned = dead.pinned.iter();
    let by_pods = dead.share.is_some() && pinned.any(|pinned| *pinned == service.selector());
    (by_pods || context.was_route_returned()).then_some(dead.execution)
}

/// The share of the traffic that this deploy's version has, in percent; `None` as far as that was
/// not read.
pub fn share(known: &Known) -> Option<u8> {
    let context = Context::of(known)?;
    // While a share is held, nothing but the route is read again and again.
    if let Some(share) = context.share_now() {
        return Some(share);
    }
    let service = context.seen_service()?;
    let selector = service.selector();
    let selected = selector.get(marks::VERSION).map(String::as_str);
    let job = Some(&*known.continuation.job);
    // During a bake the versions are not listed, and the candidate is followed by its name.
    let is_selected =
        |one: &Workload| one.annotation(marks::JOB) == job && marks::version_of(one) == selected;
    if selected.is_some() && known.snapshot.deployments().any(is_selected) {
        return Some(100);
    }
    context.made_by_this_deploy().ok()??;
    if context.is_route_unread() {
        return None;
    }
    Some(context.pod_share_now().unwrap_or(0))
}

impl Context<'_> {
    fn next(&self) -> Next {
        let service = self.service()?;
        let job = &*self.continuation.job;
        let superseded = service.annotation(marks::SUPERSEDED).unwrap_or_default();
        if superseded.split(',').any(|superseded| superseded == job) {
            // The deploy itself gave way, unless someone has deployed since.
            let since = service.annotation(marks::JOB) != Some(job);
            let by = service.annotation(marks::EXECUTION).filter(|_| since);
            // Who has stopped it has switched nothing.
            let by = Lock::read(service)
                .map(|lock| lock.execution)
                .or_else(|| Some(TakenBack::read(service)?.execution))
                .or_else(|| by.map(str::to_owned));
            if let Phase::SwitchRollback(back) = &self.continuation.phase {
                return Ok(ended(back.clone(), RollbackResult::OvertakenBy(by)));
            }
            return Ok(Decision::GiveUp(Failure::OutOfSync { by, wrote: true }));
        }
        let lock = Lock::read(service).filter(|lock| lock.job == job);
        let failed = service.annotation(marks::ROLLED_BACK) == Some(job);
        let switched = service.annotation(marks::JOB) == Some(job);
        if !failed && let Some(cause) = self.judged(service, lock.as_ref())? {
            // The share of the traffic that the version had belongs to the cause.
            self.has_share()?;
            return Ok(self.fail(cause));
        }
        match (lock, &self.continuation.phase) {
            (None, _) if failed => self.taken_back(service, switched),
            (Some(lock), _) if failed => self.take_back(service, &lock, switched),
            (Some(lock), Phase::SwitchRollback(back)) => self.turn(service, &lock, switched, back),
            (Some(lock), _) if switched => self.after(service, &lock),
            (None, _) if switched => self.done(service),
            (None, Phase::SwitchRollback(back)) => {
                // The first read may be older than our own lock.
                self.rechecked()?;
                let by = Lock::read(service).map(|lock| lock.execution);
                // What takes a dead deploy back gives the lock back by itself.
                if by.is_none() && TakenBack::by(self.request, service).is_some() {
                    return self.taken_back(service, false);
                }
                Ok(ended(back.clone(), RollbackResult::OvertakenBy(by)))
            }
            (lock, _) => self.before(service, lock.as_ref()),
        }
    }

    pub(super) fn service(&self) -> Result<&Service, Decision> {
        let found = self.snapshot.service(&self.switch.service)?;
        found.ok_or_else(|| self.without_service().unwrap_or_else(Decision::Read))
    }
}

#[cfg(test)]
mod tests;
