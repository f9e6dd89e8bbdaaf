//! The CloudWatch alarms that guard a deploy: when they are read, and what is done about them
//! before the first write. Once something is written, they are a cause of failure like any other,
//! by the strategy.

use super::model::{AlarmsAsk, Engine, Note, Outcome};
use crate::alarm::{Alarm, AlarmsError};
use crate::report;
use crate::state::continuation::Phase;
use crate::strategy::{self, Decision, Failure, Stage, Wait};
use jiff::{SignedDuration, Timestamp};

/// How often the alarms are read while there is something to guard.
const PERIOD: SignedDuration = SignedDuration::from_secs(10);

/// The same during a bake, which may last for hours: what rings is still acted upon within 20 s,
/// and CloudWatch answers fewer than four calls a minute.
const BAKE_PERIOD: SignedDuration = SignedDuration::from_secs(16);

/// How long a reading may take.
const READING: SignedDuration = SignedDuration::from_secs(8);

/// How old a reading may be on which a deploy begins.
const FRESH: SignedDuration = SignedDuration::from_secs(5);

/// The pause after a reading that failed, before anything is written.
const PAUSE: SignedDuration = SignedDuration::from_secs(5);

/// How long CloudWatch may be unreachable before anything is written.
const FIRST_OUTAGE: SignedDuration = SignedDuration::from_mins(1);

impl Engine {
    /// The alarms, where they are to be read now.
    pub(super) fn alarms(&self, now: Timestamp) -> Option<AlarmsAsk> {
        let is_due = self.alarms_due().is_some_and(|due| due <= now);
        let alarms = self.request.alarms.as_ref().filter(|_| is_due)?;
        Some(AlarmsAsk {
            names: alarms.names.clone(),
            until: self.until.min(now + READING),
        })
    }

    /// When the alarms are to be read next; `None` where nothing is to be guarded.
    pub(super) fn alarms_due(&self) -> Option<Timestamp> {
        self.request.alarms.as_ref()?;
        let guard = &self.continuation.guard;
        let now = Some(Timestamp::MIN);
        let after = |pause| guard.tried.map_or(Timestamp::MIN, |tried| tried + pause);
        if self.wants_alarms {
            return now;
        }
        let is_judged = guard.judgement.is_some();
        match &self.continuation.phase {
            Phase::Start if guard.tried.is_none() => now,
            Phase::Start if guard.error.is_some() => Some(after(PAUSE)),
            Phase::Rollout(rollout) if rollout.wrote && !is_judged => Some(after(self.period())),
            Phase::Switch if !is_judged => Some(after(self.period())),
            Phase::Start
            | Phase::Rollout(_)
            | Phase::Switch
            | Phase::Rollback(_)
            | Phase::SwitchRollback(_)
            | Phase::Release(_) => None,
        }
    }

    fn period(&self) -> SignedDuration {
        match self.waiting.as_ref().map(|wait: &Wait| &wait.stage) {
            Some(Stage::Bake { .. } | Stage::Share { .. } | Stage::Watched(_)) => BAKE_PERIOD,
            Some(_) | None => PERIOD,
        }
    }

    /// Takes the alarms as they were read.
    pub fn alarmed(&mut self, result: Result<Vec<Alarm>, AlarmsError>, now: Timestamp) {
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
        if let Some(error) = &guard.error {
            let note = report::alarms_unread(error);
            self.notes.push(Note::AlarmsUnread(note));
        }
        if let Some(judgement) = guard.judgement.as_ref().filter(|_| !was_judged) {
            let note = (self.mask)(&report::alarms_judged(judgement));
            self.notes.push(Note::Judged(note));
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
        let (request, continuation) = (&self.request, &self.continuation);
        let began = strategy::began(request, continuation, &self.snapshot);
        if let Some(began) = began {
            let ignores = self.request.ignores_ringing();
            self.continuation.guard.began(began, ignores);
        }
        began.is_some()
    }

    /// Whether a deploy that begins with this decision has to wait for the alarms, or comes to
    /// nothing because of them.
    pub(super) fn holds_back(&mut self, decision: &Decision, now: Timestamp) -> bool {
        let writes = matches!(decision, Decision::Act(_));
        let begins = writes || matches!(decision, Decision::Enter(_) | Decision::Finish(_));
        if self.request.alarms.is_none() || self.continuation.phase != Phase::Start || !begins {
            return false;
        }
        let (request, continuation) = (&self.request, &self.continuation);
        let guard = &continuation.guard;
        let is_old = guard.tried.is_none_or(|tried| tried + FRESH <= now);
        let refuses = writes && !request.mode.is_plan() && !request.ignores_ringing();
        let failure = match guard.error.clone() {
            None if is_old => {
                self.wants_alarms = true;
                return true;
            }
            None => match guard.rang_before().filter(|_| refuses) {
                Some(ring) => Failure::Ringing(ring),
                None => return false,
            },
            Some(AlarmsError::Missing(names)) => Failure::Faults(vec![report::no_alarms(&names)]),
            Some(error) => {
                let since = guard.unreadable_since.unwrap_or(now);
                let is_lost = now.duration_since(since) >= FIRST_OUTAGE;
                let is_denied = matches!(error, AlarmsError::Denied(_));
                if !is_denied && !is_lost && now + PAUSE < continuation.deadline {
                    self.steps = 0;
                    self.pause(now, PAUSE);
                    return true;
                }
                Failure::AlarmsUnreadable(error)
            }
        };
        self.end(Outcome::Failed(failure));
        true
    }
}
