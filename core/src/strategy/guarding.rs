//! What all strategies share about the alarms that guard a deploy: since when there is something to
//! guard, and whether the alarms were read after the end of a bake.

use super::causes::RolloutCause;
use super::decision::Decision;
use super::pauses::WATCH_WINDOW;
use super::service_lock::Lock;
use crate::kubernetes::object::timestamp;
use crate::request::Request;
use crate::snapshot::Snapshot;
use crate::state::continuation::Continuation;
use crate::state::marks;
use jiff::Timestamp;
use std::time::Duration;

/// When this deploy wrote for the first time, by what it left in the cluster; `None` if it wrote
/// nothing, as far as that was read.
pub fn began(
    request: &Request,
    continuation: &Continuation,
    snapshot: &Snapshot,
) -> Option<Timestamp> {
    let job = Some(&*continuation.job);
    let at = |note: Option<&str>| note.and_then(timestamp).unwrap_or(continuation.started);
    let Some(switch) = request.strategy.switch() else {
        let live = snapshot.seen_deployment(&request.deployment)?;
        let is_ours = live.annotation(marks::JOB) == job;
        return is_ours.then(|| at(live.annotation(marks::DEPLOYED_AT)));
    };
    let service = snapshot.seen_service(&switch.service)?;
    let lock = Lock::read(service).filter(|lock| Some(&*lock.job) == job);
    let is_ours = [marks::JOB, marks::ROLLED_BACK]
        .iter()
        .any(|mark| service.annotation(mark) == job);
    let switched = is_ours.then(|| at(service.annotation(marks::DEPLOYED_AT)));
    lock.map(|lock| lock.since).or(switched)
}

/// Why the alarms speak against the new version, if they do.
pub(super) fn judged(continuation: &Continuation) -> Option<RolloutCause> {
    let judgement = continuation.guard.judgement.clone();
    judgement.map(RolloutCause::Alarms)
}

/// The alarms were read at `end` or later, the end of the watch over a new version. Throttling
/// alone is not waited for.
pub(super) fn read_at(
    request: &Request,
    continuation: &Continuation,
    end: Timestamp,
    wait: impl FnOnce(Duration) -> Decision,
) -> Result<(), Decision> {
    let guard = &continuation.guard;
    if request.alarms.is_none() {
        return Ok(());
    }
    if guard.tried.is_none_or(|tried| tried < end) {
        return Err(Decision::ReadAlarms);
    }
    if guard.unreadable_since.is_none() {
        return Ok(());
    }
    Err(wait(WATCH_WINDOW))
}
