//! The lock of this deploy on the Service, and the selector that it was left with.

use super::context::Context;
use crate::kubernetes::object::timestamp;
use crate::kubernetes::service::{Detour, Selector, Service};
use crate::state::awaited::Awaited;
use crate::state::continuation::Phase;
use crate::state::lease::LONGEST_DEPLOY;
use crate::state::marks::{self, VERSION};
use crate::strategy::decision::Decision;
use crate::strategy::service_lock::overlap::Overlap;
use crate::strategy::service_lock::taken_back::{TakenBack, awaited, is_awaited, note_awaited};
use crate::strategy::service_lock::{self, Lock, Pin};
use crate::strategy::waiting::crowded;
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
            returns: false,
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
            returns: had_switched && dead.returns,
            ..own
        };
        // With a share of the pods the Service sends to both versions.
        let pin = match &dead.pinned {
            Some(before) if dead.selects_by(&service.selector()) => Pin::As(before),
            Some(_) | None => Pin::Not,
        };
        // A rollback that died while it took another deploy back has noted that, and its retry does
        // the same, or another rollback.
        let noted = || self.begun_by(service, dead);
        let patch = match self.unfinished(service, live).or_else(noted) {
            _ if had_switched => service_lock::take_over(service, &lock, &self.author()),
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
        let dead = self.unfinished_lock(service, live)?;
        let note = TakenBack {
            at: Some(self.now),
            ..self.note_of(Some(&dead.job), self.name_of(&dead.version))
        };
        Some(note.beside_others(service))
    }

    /// What this rollback on demand goes on to take back, where a dead one had begun that.
    fn begun_by(&self, service: &Service, dead: &Lock) -> Option<TakenBack> {
        let noted = TakenBack::read(service).filter(|_| self.request.is_back_to_former())?;
        let note = TakenBack {
            at: Some(self.now),
            ..self.note_of(noted.of.as_deref(), noted.deployment.clone())
        };
        noted.is_begun_by(dead).then(|| note.beside_others(service))
    }

    /// What this rollback on demand notes of the deploy of that job and candidate.
    fn note_of(&self, job: Option<&str>, deployment: String) -> TakenBack {
        TakenBack {
            execution: self.request.execution.clone(),
            job: self.continuation.job.clone(),
            deployment,
            of: job.map(str::to_owned),
            at: None,
            by: None,
            also: Vec::new(),
        }
    }

    /// Notes that this rollback on demand waits for the deploy of that lock.
    pub(super) fn note_waiting(&self, service: &Service, lock: &Lock) -> Result<(), Decision> {
        let is_noted = is_awaited(self.request, service, &lock.job);
        if is_noted || self.request.mode.is_plan() || !self.request.is_back_to_former() {
            return Ok(());
        }
        let execution = &self.request.execution;
        match Awaited::with(awaited(service), execution, &lock.job, self.now) {
            Some(note) => Err(self.patch_service(note_awaited(&note, service), Phase::Start)),
            None => Err(self.refuse(None, vec![crowded()])),
        }
    }

    /// Notes that this rollback on demand has nothing to take back, because the deploy for which it
    /// waited has failed by itself, or another rollback has taken it back: a retry of it would go
    /// one version further otherwise.
    pub(super) fn note_ended_meanwhile(
        &self,
        service: &Service,
        live: &Workload,
    ) -> Result<(), Decision> {
        if TakenBack::by(self.request, service).is_some() {
            return Ok(());
        }
        let (request, continuation) = (self.request, self.continuation);
        let all = self.family()?;
        let failed = self.failed_meanwhile(service, live, &all);
        let taken_back = if let Some(job) = failed {
            let mut all = all.iter();
            let candidate = all.find(|one| one.annotation(marks::JOB) == Some(job));
            let name = candidate.map_or(&*request.deployment, |one| one.name());
            let note = self.note_of(Some(job), name.to_owned());
            Some(note.beside_others(service))
        } else if let Some(by) = self.returned_meanwhile(service, live) {
            let from = service_lock::from(service).unwrap_or_default();
            let note = TakenBack {
                by: Some(by.to_owned()),
                ..self.note_of(left_by_switch(service), from.to_owned())
            };
            Some(note.beside_others(service))
        } else {
            let noted = TakenBack::meanwhile(request, service, continuation.started);
            noted.and_then(|noted| noted.with(&request.execution))
        };
        match taken_back {
            Some(note) => Err(self.patch_service(note.note(service), Phase::Switch)),
            None => Ok(()),
        }
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

    /// The deploy that died before its version took over, where a rollback on demand is for that:
    /// what served all along stays. A rollback that died is gone on with, and a version that had no
    /// traffic yet is what is to be left only where the rollback began while that deploy was under
    /// way, or where nothing served before.
    pub(super) fn unfinished_lock(&self, service: &Service, live: &Workload) -> Option<Lock> {
        let (request, continuation) = (self.request, self.continuation);
        let asked = request.is_back_to_former();
        let is_other = |lock: &Lock| lock.job != continuation.job && !lock.back;
        let dead = Lock::read(service).filter(|lock| asked && is_other(lock))?;
        let has_traffic = dead.share.is_some() || dead.route.is_some();
        let was_under_way =
            dead.expires() > continuation.started || is_awaited(request, service, &dead.job);
        let is_first = service_lock::served(service, live.name()).is_empty();
        let took_over = marks::version_of(live) == Some(&dead.version);
        (!took_over && (has_traffic || was_under_way || is_first)).then_some(dead)
    }

    /// The job of the deploy that failed and was taken back by itself since this rollback on demand
    /// began, which was to take it back: it has nothing left to do. What served before that deploy
    /// is what serves. After a rollback that failed it is just what was to be taken back.
    pub(super) fn failed_meanwhile<'s>(
        &self,
        service: &'s Service,
        live: &Workload,
        all: &[&Workload],
    ) -> Option<&'s str> {
        let (request, continuation) = (self.request, self.continuation);
        let job = service.annotation(marks::ROLLED_BACK)?;
        let at = service.annotation(marks::ROLLED_BACK_AT)?;
        let is_since = timestamp(at).is_some_and(|at| at >= continuation.started)
            || is_awaited(request, service, job);
        let is_other = job != continuation.job && live.annotation(marks::JOB) != Some(job);
        let is_return = |one: &&Workload| {
            one.annotation(marks::JOB) == Some(job) && one.annotation(marks::RETURNED_TO).is_some()
        };
        let is_deploy = !all.iter().any(is_return);
        (request.is_back_to_former() && is_since && is_other && is_deploy).then_some(job)
    }

    /// The execution of another rollback on demand that has brought back what serves since this one
    /// began, or has taken back what this one waited for: whoever asked for this one did not see
    /// that yet.
    pub(super) fn returned_meanwhile<'w>(
        &self,
        service: &Service,
        live: &'w Workload,
    ) -> Option<&'w str> {
        let (request, continuation) = (self.request, self.continuation);
        let (by, job) = (
            live.annotation(marks::EXECUTION)?,
            live.annotation(marks::JOB)?,
        );
        // A retry that takes over a rollback after its switch leaves the Deployment as it is.
        let last = service.annotation(marks::JOB);
        let is_own = service.annotation(marks::EXECUTION) == Some(by);
        let is_taken_over = is_own && service_lock::to(service) == Some(live.name());
        let is_last = last == Some(job) || is_taken_over;
        let at = service.annotation(marks::DEPLOYED_AT).and_then(timestamp);
        let jobs = [Some(job), last, left_by_switch(service)];
        let mut jobs = jobs.into_iter().flatten();
        let is_since = at.is_some_and(|at| at >= continuation.started)
            || jobs.any(|job| is_awaited(request, service, job));
        let is_return = live.annotation(marks::RETURNED_TO).is_some() && by != request.execution;
        (request.is_back_to_former() && is_last && is_since && is_return).then_some(by)
    }
}

/// The job of the deploy that the last switch left.
fn left_by_switch(service: &Service) -> Option<&str> {
    service.annotation(marks::SUPERSEDED)?.split(',').next()
}
