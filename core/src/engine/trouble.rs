//! Failed calls: permanent failures and outages.

use super::brief::{brief, in_short};
use super::model::{Engine, Note, Outcome, Pending};
use crate::kubernetes::call::{Call, Permission};
use crate::kubernetes::refusal::RefusalCause;
use crate::kubernetes::{CallError, Refusal};
use crate::report;
use crate::snapshot::{EXPLANATION_TIMEOUT, Reading, Reply, Response};
use crate::state::continuation::Phase;
use crate::strategy::{self, Failure};
use jiff::{SignedDuration, Timestamp};

/// How long the cluster may be unresponsive during a rollout: replacing an API server takes a
/// minute or two, and the rollout continues meanwhile.
pub const OUTAGE: SignedDuration = SignedDuration::from_mins(3);

/// The same before the first write, when nothing in the cluster has to be followed: a webhook whose
/// pod restarts needs half a minute, and users should learn of a wrong address within a minute.
const FIRST_OUTAGE: SignedDuration = SignedDuration::from_mins(1);

/// The pause before an unresponsive cluster is called again.
pub(super) const OUTAGE_PAUSE: SignedDuration = SignedDuration::from_secs(2);

/// Lost races over one write before it is given up: seven seconds, with their pauses. To read and
/// decide again is always safe, and controllers that write one object at once come to rest by then.
pub(super) const CONFLICTS: u32 = 8;

/// The pause after that many lost races, so that those who write the same object come through.
pub(super) fn conflict_pause(races: u32) -> SignedDuration {
    let doubled = 2_i32.saturating_pow(races.saturating_sub(1));
    let pause = SignedDuration::from_millis(50).saturating_mul(doubled);
    pause.min(OUTAGE_PAUSE)
}

/// The benefit of a call that is not permitted.
const SWITCHED: &str = "have the switch completed";

impl Engine {
    /// Whether a call may succeed later. After a write, one strange response of a proxy does not
    /// end the deploy.
    pub(super) fn may_pass(&self, error: &CallError) -> bool {
        may_pass(error, self.continuation.phase == Phase::Start)
    }

    /// Handles a failed call. If a refusal does not say whether a permission is missing, asks for
    /// that first.
    pub(super) fn trouble(&mut self, call: Call, error: CallError) {
        if let Some(error) = self.locked_out.take() {
            return self.end(Outcome::LockedOut(error));
        }
        if let CallError::Refused(refusal) = &error
            && refusal.cause() == RefusalCause::Unexplained
        {
            let (verb, resource) = (call.verb.rbac(), call.resource.clone());
            let review = Call::may(&self.request.namespace, &Permission { verb, resource });
            let until = self.soon(EXPLANATION_TIMEOUT);
            let why = Pending::Review(call, refusal.clone());
            return self.ask(review, Reading::Object, until, why);
        }
        self.explained(call, error);
    }

    pub(super) fn reviewed(&mut self, call: Call, mut refusal: Refusal, result: Reply) {
        if let Ok(Response::Object(answer)) = result {
            let allowed = answer.pointer("/status/allowed");
            refusal.allowed = allowed.and_then(serde_json::Value::as_bool);
        }
        self.explained(call, CallError::Refused(refusal));
    }

    fn explained(&mut self, call: Call, error: CallError) {
        let may_pass = self.may_pass(&error);
        if may_pass {
            return self.out_of_sight(call, error);
        }
        let why = brief(&call, &error, SWITCHED);
        let mut reason = None;
        if let CallError::Refused(refusal) = &error {
            reason = Some(report::refusal::reason(refusal));
        }
        let Some(back) = strategy::turn_back(&self.continuation.phase, &why, reason) else {
            return self.broken(call, error);
        };
        self.notes.push(Note::TakenBack(in_short(&error)));
        self.enter(back);
        self.snapshot.invalidate_all();
    }

    fn out_of_sight(&mut self, call: Call, error: CallError) {
        let why = in_short(&error);
        let is_first = self.continuation.phase == Phase::Start;
        if is_first && call.changes() && error.may_have_been_done() {
            self.continuation.unsure = true;
        }
        // Before the first write the time of failed attempts counts, too.
        let began = if is_first { self.decided_at } else { self.now };
        let since = *self.continuation.unreachable_since.get_or_insert(began);
        if is_given_up(since, is_first, self.continuation.deadline, self.now) {
            return self.lost(since, call, error);
        }
        if error == CallError::OutOfTime {
            let waiting = self.waiting.take();
            return self.end(Outcome::HandedOver(waiting));
        }
        self.notes.push(Note::OutOfSight {
            error: why,
            nothing_written: is_first && !self.continuation.unsure,
        });
        self.hindrance = is_first.then(|| Box::new((call, error)));
        self.stale_watch = true;
        self.snapshot.invalidate_all();
        self.pause(OUTAGE_PAUSE);
    }

    /// Ends a deploy whose calls have failed for too long.
    fn lost(&mut self, since: Timestamp, call: Call, error: CallError) {
        match is_out_of_sight(&error, self.continuation.phase == Phase::Start) {
            true => self.end(Outcome::LostSight(since, in_short(&error))),
            false => self.broken(call, error),
        }
    }

    /// Ends a deploy that was decided to fail. Where its time is over before the first write, what
    /// has kept that from being done is the cause, although the cluster has answered a read since.
    pub(super) fn give_up(&mut self, failure: Failure) {
        let hindrance = self.hindrance.take_if(|_| failure == Failure::TooLate);
        match (hindrance, self.continuation.unreachable_since) {
            (Some(hindrance), Some(since)) => {
                let (call, error) = *hindrance;
                self.lost(since, call, error);
            }
            _ => self.end(Outcome::Failed(failure)),
        }
    }
}

/// Whether a call may succeed later. `is_first`: nothing was written yet.
pub(super) fn may_pass(error: &CallError, is_first: bool) -> bool {
    match error {
        CallError::OutOfTime | CallError::Unreachable(_) => true,
        CallError::NotKubernetes(_) => !is_first,
        CallError::Refused(refusal) => refusal.may_pass(),
        CallError::Untrusted(_) | CallError::Kept(_) => false,
    }
}

/// Whether the cluster has been unresponsive for too long. Before the first write the deploy's own
/// timeout is also a limit; when it expires, the cluster's message is the cause.
pub(super) fn is_given_up(
    since: Timestamp,
    is_first: bool,
    deadline: Timestamp,
    now: Timestamp,
) -> bool {
    let silent = now.duration_since(since);
    match is_first {
        true => silent >= FIRST_OUTAGE || now + OUTAGE_PAUSE >= deadline,
        false => silent >= OUTAGE,
    }
}

/// Whether the last error says only that the cluster is out of sight. Before the first write, why
/// it could not be reached is the cause.
pub(super) fn is_out_of_sight(error: &CallError, is_first: bool) -> bool {
    match error {
        CallError::Unreachable(_) => !is_first,
        CallError::Untrusted(_) | CallError::OutOfTime => true,
        CallError::Refused(_) | CallError::NotKubernetes(_) | CallError::Kept(_) => false,
    }
}
