//! What all strategies share about the alarms that guard a deploy: since when there is something to
//! guard, and whether the alarms were read after the end of a bake.

use super::action::Action;
use super::causes::RolloutCause;
use super::context::Context;
use super::decision::Decision;
use super::pauses::WATCH_WINDOW;
use super::service_lock::Lock;
use crate::change;
use crate::kubernetes::object::timestamp;
use crate::kubernetes::service::Service;
use crate::request::Mode;
use crate::state::baseline::Previous;
use crate::state::continuation::Phase;
use crate::state::guard::LastReading;
use crate::state::{lease, marks};
use crate::workload::{Kind, Workload, health};
use jiff::Timestamp;
use std::time::Duration;

/// How long after its end a deploy may be repeated by whoever did not hear of it: events come again
/// for some minutes, and people look for half an hour.
const REPEATED_WITHIN: Duration = Duration::from_secs(60 * 60);

/// The beginning of a deploy that has written already.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Began {
    /// When it wrote for the first time.
    pub at: Timestamp,
    /// Whether it may have begun although an alarm rang.
    pub ignores_ringing: bool,
}

impl Context<'_> {
    /// When this deploy began, by what it left in the cluster, or the dead one with which it goes
    /// on; `None` if neither wrote anything, as far as that was read.
    pub fn began(&self) -> Option<Began> {
        let (request, continuation, snapshot) = (self.request, self.continuation, self.snapshot);
        let began = |at, returns: bool| Began {
            at,
            ignores_ringing: returns || request.ignores_ringing(),
        };
        let job = Some(&*continuation.job);
        let at = |note: Option<&str>| note.and_then(timestamp).unwrap_or(continuation.started);
        let Some(switch) = request.strategy.switch() else {
            let live = snapshot.seen_deployment(&request.deployment)?;
            let is_ours = live.annotation(marks::JOB) == job;
            let deployed_at = at(live.annotation(marks::DEPLOYED_AT));
            let is_over = was_watched_to_its_end(live) || self.ended_long_ago(deployed_at);
            let goes_on = is_ours && !is_over || self.is_of_dead(live);
            let returns = live.annotation(marks::RETURNED_FROM).is_some();
            let dead = self.rang_in_dead_rollout(live);
            return dead
                .map(|at| began(at, false))
                .or_else(|| goes_on.then(|| began(deployed_at, returns)));
        };
        let service = snapshot.seen_service(&switch.service)?;
        if let Some(dead) = self.rang_in_dead_bake(service) {
            return Some(began(dead.guarded_since(), false));
        }
        let lock = Lock::read(service).filter(|lock| lock.execution == request.execution);
        let is_ours = [marks::JOB, marks::ROLLED_BACK]
            .iter()
            .any(|mark| service.annotation(mark) == job);
        let switched = is_ours.then(|| at(service.annotation(marks::DEPLOYED_AT)));
        let locked = lock.map(|lock| began(lock.guarded_since(), lock.returns));
        locked.or(switched.map(|at| began(at, false)))
    }

    /// Whether this deploy, or what a plan is for, is not to begin now because an alarm rings,
    /// unless it brings back what served before.
    pub(super) fn is_held_up(&self) -> bool {
        self.counts_ringing() && self.continuation.guard.rang_before().is_some()
    }

    fn is_refused_by_ringing(&self) -> bool {
        self.request.mode == Mode::Deploy && self.counts_ringing()
    }

    fn counts_ringing(&self) -> bool {
        self.continuation.phase == Phase::Start && !self.request.ignores_ringing()
    }

    /// Since when a rolling deploy of another execution is guarded that died before the end of its
    /// watch, where an alarm rings since it began. To refuse this deploy because of the alarm would
    /// leave the version that makes it ring.
    pub(super) fn rang_in_dead_rollout(&self, live: &Workload) -> Option<Timestamp> {
        let (request, continuation) = (self.request, self.continuation);
        let is_refused = self.is_refused_by_ringing() && request.rollback;
        let now = continuation.guard.tried.filter(|_| is_refused)?;
        let at = |mark| live.annotation(mark).and_then(timestamp);
        let since = at(marks::DEPLOYED_AT)?;
        let is_dead =
            at(marks::GUARDED_UNTIL).is_some_and(|until| !lease::holds(since, until, now));
        let is_other = live.annotation(marks::EXECUTION) != Some(&request.execution)
            && live.annotation(marks::JOB) != Some(&continuation.job);
        let is_over = live.annotation(marks::ROLLED_BACK).is_some() || was_watched_to_its_end(live);
        let has_former = Previous::recorded(live).is_some() && change::is_untouched(live);
        let rings = self.rang_since(since);
        (is_dead && is_other && !is_over && has_former && rings).then_some(since)
    }

    fn rang_since(&self, since: Timestamp) -> bool {
        let guard = &self.continuation.guard;
        let mut ringing = guard.ringing_since_before().chain(guard.rung());
        ringing.any(|alarm| alarm.transitioned.is_some_and(|at| at > since))
    }

    /// The lock of another execution's deploy that died in its bake, where an alarm rings since it
    /// began: that judges it as in a retry of it. To refuse this deploy because of the alarm would
    /// leave the traffic with the version that makes it ring.
    pub(super) fn rang_in_dead_bake(&self, service: &Service) -> Option<Lock> {
        let is_refused = self.is_refused_by_ringing();
        let now = self.continuation.guard.tried.filter(|_| is_refused)?;
        let dead = Lock::read(service).filter(|lock| lock.execution != self.request.execution)?;
        let is_baking = dead.has_switched(service) && service.annotation(marks::RETIRING).is_none();
        let rang = self.rang_since(dead.guarded_since());
        (is_baking && rang && !dead.holds(now)).then_some(dead)
    }

    /// Whether the last rolling deploy is of this execution and of a job that died: it did not come
    /// to its end, and was not rolled back. A Job ends by itself.
    pub(super) fn is_of_dead(&self, live: &Workload) -> bool {
        let request = self.request;
        let job = live.annotation(marks::JOB);
        let is_ours = live.annotation(marks::EXECUTION) == Some(&request.execution)
            && job.is_some_and(|job| job != self.continuation.job);
        let is_over = live.annotation(marks::ROLLED_BACK).is_some() || was_watched_to_its_end(live);
        // That of a DaemonSet without nodes looks complete, whether they have left or are misspelt.
        let lacks_nodes = live.kind() == Kind::DaemonSet && live.replicas() == 0;
        let may_have_lost = lacks_nodes && live.annotation(marks::PREVIOUS).is_some();
        // Without a watch it was over as soon as the rollout was complete.
        is_ours
            && !is_over
            && !live.kind().ends()
            && (request.is_watched() || may_have_lost || !health::was_rolled_out(live))
    }

    /// Whether a deploy that wrote at this time had ended long before this one began, though it has
    /// the same id: a call without a pipeline that is repeated for days has. What became of it
    /// since is told, and not undone.
    pub(super) fn ended_long_ago(&self, deployed_at: Timestamp) -> bool {
        let longest = self.request.timeout + self.request.bake + REPEATED_WITHIN;
        let since = self.continuation.started.duration_since(deployed_at);
        Duration::try_from(since).is_ok_and(|since| since > longest)
    }

    /// Why the alarms speak against the new version, if they do.
    pub(super) fn alarm_cause(&self) -> Option<RolloutCause> {
        let judgement = self.continuation.guard.judgement.clone();
        judgement.map(RolloutCause::Alarms)
    }

    /// The alarms were read at `end` or later, the end of the watch over a new version. Throttling
    /// alone is not waited for.
    pub(super) fn see_alarms(
        &self,
        end: Timestamp,
        wait: impl FnOnce(Duration) -> Decision,
    ) -> Result<(), Decision> {
        if self.request.alarms.is_none() {
            return Ok(());
        }
        match self.continuation.guard.last_reading(end) {
            LastReading::Early => Err(Decision::ReadAlarms),
            LastReading::Failed => Err(wait(WATCH_WINDOW)),
            LastReading::Made => Ok(()),
        }
    }
}

/// Whether this first write says that it brings back what served before, so that an alarm that
/// rings does not hold it up.
pub fn is_return(decision: &Decision) -> bool {
    let (Decision::Act(Action::Patch(body)) | Decision::Act(Action::Put(body))) = decision else {
        let Decision::Act(Action::Step(step)) = decision else {
            return false;
        };
        let body = step.call.body.clone().unwrap_or_default();
        return Lock::read(&Service::new(body)).is_some_and(|lock| lock.returns);
    };
    body["metadata"]["annotations"][marks::RETURNED_FROM].is_string()
}

/// Whether the last rolling deploy noted that its watch is over.
pub fn was_watched_to_its_end(live: &Workload) -> bool {
    let watched = live.annotation(marks::WATCHED);
    watched.is_some() && watched == live.annotation(marks::JOB)
}
