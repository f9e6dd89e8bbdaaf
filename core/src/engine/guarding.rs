//! The CloudWatch alarms that guard a deploy: when they are read, and what is done about them
//! before the first write. Once something is written, they are a cause of failure like any other,
//! by the strategy.

use super::model::{AlarmsAsk, Engine, Note, Outcome};
use crate::alarm::{Alarm, AlarmsError, AlarmsRefusal};
use crate::report;
use crate::state::continuation::{Phase, Rollout};
use crate::state::guard::Guard;
use crate::strategy::{self, Action, Decision, Failure, Stage, Wait};
use jiff::{SignedDuration, Timestamp};

/// How often the alarms are read while there is something to guard.
pub(super) const PERIOD: SignedDuration = SignedDuration::from_secs(10);

/// The same during a bake, which may last for hours: what rings is still acted upon within 20 s,
/// and CloudWatch answers fewer than four calls a minute.
pub(super) const BAKE_PERIOD: SignedDuration = SignedDuration::from_secs(16);

/// How long a reading may take.
pub(super) const READING: SignedDuration = SignedDuration::from_secs(8);

/// How old a reading may be on which a deploy begins.
const FRESH: SignedDuration = SignedDuration::from_secs(5);

/// The pause after a reading that failed, before anything is written.
pub(super) const PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// How long CloudWatch may be unreachable before anything is written.
const FIRST_OUTAGE: SignedDuration = SignedDuration::from_mins(1);

impl Engine {
    /// The alarms, where they are to be read now.
    pub(super) fn alarms(&self) -> Option<AlarmsAsk> {
        let is_due = self.alarms_due().is_some_and(|due| due <= self.now);
        let alarms = self.request.alarms.as_ref().filter(|_| is_due)?;
        Some(AlarmsAsk {
            names: alarms.names.clone(),
            until: self.until.min(self.now + READING),
        })
    }

    /// When the alarms are to be read next; `None` where nothing is to be guarded.
    pub(super) fn alarms_due(&self) -> Option<Timestamp> {
        self.request.alarms.as_ref()?;
        let guard = &self.continuation.guard;
        let pause = match &self.continuation.phase {
            _ if self.wants_alarms => return Some(Timestamp::MIN),
            Phase::Start if guard.tried.is_none() || guard.error.is_some() => PAUSE,
            Phase::Rollout(Rollout { wrote: true, .. }) | Phase::Switch
                if guard.judgement.is_none() =>
            {
                self.period()
            }
            Phase::Start
            | Phase::Rollout(_)
            | Phase::Switch
            | Phase::Rollback(_)
            | Phase::SwitchRollback(_)
            | Phase::Release(_) => return None,
        };
        Some(guard.tried.map_or(Timestamp::MIN, |tried| tried + pause))
    }

    fn period(&self) -> SignedDuration {
        match self.waiting.as_ref().map(|wait: &Wait| &wait.stage) {
            Some(Stage::Bake { .. } | Stage::Share { .. } | Stage::Watched(_)) => BAKE_PERIOD,
            Some(_) | None => PERIOD,
        }
    }

    /// Takes the alarms as they were read.
    pub fn alarmed(&mut self, result: Result<Vec<Alarm>, AlarmsError>, now: Timestamp) {
        self.now = now;
        self.wants_alarms = false;
        let Some(alarms) = &self.request.alarms else {
            return;
        };
        let guard = &mut self.continuation.guard;
        // Nothing is guarded yet: what rang until now rang before the deploy.
        if self.continuation.phase == Phase::Start {
            guard.forget();
        }
        let was_judged = guard.judgement.is_some();
        guard.read(&alarms.names, result, now);
        let is_judged = guard.judgement.is_some() && !was_judged;
        self.notes.extend(notes(guard, is_judged, self.mask));
        if is_judged {
            // It is acted upon now, whatever is waited for.
            self.paused = None;
        }
    }

    /// What this deploy has left in the cluster tells since when it is guarded. Whether it has left
    /// anything.
    pub(super) fn settle_guard(&mut self) -> bool {
        if self.request.alarms.is_none() {
            return false;
        }
        let began = self.context().began();
        if let Some(began) = began {
            let guard = &mut self.continuation.guard;
            guard.began(began.at, began.ignores_ringing);
        }
        began.is_some()
    }

    /// Whether a deploy that begins with this decision has to wait for the alarms, or comes to
    /// nothing because of them.
    pub(super) fn holds_back(&mut self, decision: &Decision) -> bool {
        // What mends the work of a dead deploy, and leaves this one at its start, begins nothing:
        // what that one gave a share of the traffic may be why an alarm rings.
        let mends = matches!(decision, Decision::Act(Action::Step(step))
            if step.then == Phase::Start);
        let writes = matches!(decision, Decision::Act(_)) && !mends;
        let begins = writes || matches!(decision, Decision::Enter(_) | Decision::Finish(_));
        if self.request.alarms.is_none() || self.continuation.phase != Phase::Start || !begins {
            return false;
        }
        let (request, continuation) = (&self.request, &self.continuation);
        let passes = request.ignores_ringing() || strategy::is_return(decision);
        let refuses = writes && !request.mode.is_plan() && !passes;
        let failure = match opening(
            &continuation.guard,
            refuses,
            continuation.deadline,
            self.now,
        ) {
            Opening::Open => return false,
            Opening::Read => {
                self.wants_alarms = true;
                return true;
            }
            Opening::Pause(pause) => {
                self.steps = 0;
                self.pause(pause);
                return true;
            }
            Opening::Refused(AlarmsRefusal::Ringing(ring)) => {
                Failure::Ringing(Box::new(ring), self.ended_share())
            }
            Opening::Refused(AlarmsRefusal::Missing(names)) => {
                Failure::Faults(vec![report::no_alarms(&names)])
            }
            Opening::Refused(AlarmsRefusal::Unreadable(error)) => Failure::AlarmsUnreadable(error),
        };
        self.end(Outcome::Failed(failure));
        true
    }

    /// The execution of a canary that had died with a share of the traffic, where that was taken
    /// back before this deploy could begin.
    pub(super) fn ended_share(&self) -> Option<String> {
        strategy::switch::ended_share(&self.context())
    }
}

/// Whether a deploy may begin, by its alarms.
pub(super) enum Opening {
    /// It may.
    Open,
    /// They are to be read first.
    Read,
    /// They could not be read, and are to be read after this pause.
    Pause(SignedDuration),
    /// It may not.
    Refused(AlarmsRefusal),
}

/// Whether a deploy may begin now. `refuses`: whether an alarm that rings refuses it.
pub(super) fn opening(
    guard: &Guard,
    refuses: bool,
    deadline: Timestamp,
    now: Timestamp,
) -> Opening {
    let is_old = guard.tried.is_none_or(|tried| tried + FRESH <= now);
    let Some(error) = guard.error.clone() else {
        if is_old {
            return Opening::Read;
        }
        let ring = guard.rang_before().filter(|_| refuses);
        return match ring {
            Some(ring) => Opening::Refused(AlarmsRefusal::Ringing(ring)),
            None => Opening::Open,
        };
    };
    if let AlarmsError::Missing(names) = error {
        return Opening::Refused(AlarmsRefusal::Missing(names));
    }
    let since = guard.unreadable_since.unwrap_or(now);
    let is_lost = now.duration_since(since) >= FIRST_OUTAGE;
    let is_denied = matches!(error, AlarmsError::Denied(_));
    match !is_denied && !is_lost && now + PAUSE < deadline {
        true => Opening::Pause(PAUSE),
        false => Opening::Refused(AlarmsRefusal::Unreadable(error)),
    }
}

/// What is to be logged of a reading. `is_judged`: the alarms end the deploy by it.
pub(super) fn notes(guard: &Guard, is_judged: bool, mask: fn(&str) -> String) -> Vec<Note> {
    let unread = guard.error.as_ref();
    let unread = unread.map(|error| Note::AlarmsUnread(report::alarms_unread(error)));
    let judgement = guard.judgement.as_ref().filter(|_| is_judged);
    let judged = judgement.map(|it| Note::Judged(mask(&report::alarms_judged(it))));
    unread.into_iter().chain(judged).collect()
}
