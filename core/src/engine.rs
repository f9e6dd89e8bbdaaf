//! A deploy as a state machine without I/O: whoever drives it does what [`Engine::next`] says and
//! tells what came of it. In the function that is a socket and a clock, in the simulations a world
//! of their own, so that what is simulated is what is shipped.
//!
//! Everything is observe, decide, act. The strategy decides ([`strategy::decide`]); here is what
//! holds whatever it decides: lost races, outages, mute watches, refused clean-up, plans.

mod acting;
mod brief;
mod conclusion;
mod ending;
mod following;
mod guarding;
mod reading;
mod sampling;
mod model;
pub mod release;
mod trouble;
mod waiting;

pub use brief::in_short;
pub use conclusion::Ended;
pub use model::{AlarmsAsk, Ask, Engine, Heard, Next, Note, Outcome, Watching};
pub use trouble::OUTAGE;

use crate::change::difference::Difference;
use crate::outcome::CredentialsError;
use crate::plan::{self, Plan};
use crate::report;
use crate::snapshot::{self, Reading, Reply, Response};
use crate::state::continuation::Phase;
use crate::strategy::{self, Decision};
use crate::workload::Workload;
use jiff::Timestamp;
use model::{Pending, remark};

/// Decisions between two waits. A strategy needs about ten; more would mean that it turns in
/// circles.
const STEPS: u32 = 100;

/// Writes of one invocation. The longest switch deletes some twenty versions beside its own ten.
const WRITES: u32 = 200;

/// What the API server remarks on writes that is kept: a summary is to stay readable.
const WARNINGS: usize = 5;

impl Engine {
    /// What to do next. Asked again before the answer came, it says the same once more.
    pub fn next(&mut self, now: Timestamp) -> Next {
        self.now = now;
        loop {
            if let Some(outcome) = self.outcome.take() {
                return Next::Done(outcome);
            }
            if let Some((ask, _)) = &self.asked {
                return Next::Ask(ask.clone());
            }
            if self.begun && now >= self.until {
                let waiting = self.waiting.take();
                return Next::Done(Box::new(Outcome::HandedOver(waiting)));
            }
            self.begun = true;
            if let Some(asked) = self.alarms() {
                return Next::Alarms(asked);
            }
            if let Some(end) = self.paused.filter(|end| now < *end) {
                return Next::Sleep(self.alarms_due().map_or(end, |due| due.min(end)));
            }
            self.paused = None;
            if let Some(watching) = self.decide() {
                return Next::Watch(watching);
            }
        }
    }

    /// Takes the answer to what was asked.
    pub fn answered(&mut self, result: Reply, now: Timestamp) {
        self.now = now;
        let Some((Ask { call, .. }, why)) = self.asked.take() else {
            return;
        };
        match why {
            Pending::Read(query) => {
                self.was_read(query.clone(), call, result);
                self.snapshot.was_read(&query);
            }
            Pending::Act(action) => self.acted(action, call, result),
            Pending::Plan(live) => match snapshot::object(result) {
                Ok(object) => {
                    let after = Workload::new(self.request.kind, object);
                    let plan = plan::tried(&self.request, live.map(|live| *live), after);
                    self.planned(plan);
                }
                Err(error) if self.looks_again_after(&error) => self.lost_race(),
                Err(error) => self.trouble(call, error),
            },
            Pending::Review(refused, refusal) => self.reviewed(refused, refusal, result),
            Pending::End(ending, query) => {
                self.seen_at_end(*ending, query, &call, result);
            }
        }
    }

    /// Takes an answer that no call was made for: a watch has told it.
    pub fn told(&mut self, response: Response, now: Timestamp) {
        self.now = now;
        match self.asked.take() {
            Some((Ask { call, .. }, Pending::Read(query))) => {
                self.was_read(query.clone(), call, Ok(response));
                self.snapshot.was_told(query);
            }
            asked => {
                self.asked = asked;
                self.answered(Ok(response), now);
            }
        }
    }

    /// Takes what the API server remarked on a write.
    pub fn remarked(&mut self, warnings: Vec<String>) {
        let known = &mut self.continuation.warnings;
        self.notes.extend(remark(known, warnings, WARNINGS));
    }

    /// There is no access any more: what was refused last ends the deploy for that.
    pub fn lock_out(&mut self, error: CredentialsError) {
        self.locked_out = Some(error);
    }

    /// The way in leads to another address now. Whether the deploy may go there: not once something
    /// was written, as the server there may be another cluster's.
    pub fn may_move_to(&mut self, address: &str) -> bool {
        self.continuation.may_move_to(address)
    }

    /// What is worth a line in the log, since the last time.
    pub fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// One decision, and what follows from it here. A watch to be followed is given back.
    fn decide(&mut self) -> Option<Watching> {
        self.decided_at = self.now;
        self.note_what_is_seen();
        let has_begun = self.settle_guard();
        let decision = strategy::decide(&self.context());
        self.steps += 1;
        assert!(self.steps <= STEPS, "the strategy turns in circles");
        // A watch may be held back on its way: a verdict is reached by what was read.
        let is_switch = self.request.strategy.switch().is_some();
        if decision.is_verdict() && self.snapshot.forget_told(is_switch) {
            self.looks_again = true;
            return None;
        }
        if !has_begun && self.holds_back(&decision) {
            return None;
        }
        if self.request.mode.is_plan() && self.plan(&decision) {
            return None;
        }
        match decision {
            Decision::Read(query) => self.read(query),
            Decision::Act(action) => {
                self.steps = 0;
                self.writes += 1;
                assert!(self.writes <= WRITES, "the strategy writes in circles");
                self.act(action.hide(self.mask));
            }
            Decision::RollBack(undo) => {
                let failure = report::cause::recorded(undo.failure.clone());
                let action = undo.action(&self.context().author(), failure);
                self.act(action.hide(self.mask));
            }
            Decision::TakeBack(failure) => {
                let failure = report::cause::recorded(failure).hide(self.mask);
                self.enter(Phase::SwitchRollback(failure));
            }
            Decision::Enter(phase) => self.enter(phase.hide(self.mask)),
            Decision::Remember(sights) => self.continuation.sights = sights,
            Decision::Steady(steady) => self.continuation.steady = Some(steady),
            Decision::Serves(since) => self.continuation.guard.serving_since = Some(since),
            Decision::ReadAlarms => self.wants_alarms = true,
            Decision::Wait(wait) => {
                self.steps = 0;
                return self.wait(wait);
            }
            Decision::Finish(success) => self.end(Outcome::Finished(Box::new(success))),
            Decision::GiveUp(failure) => self.give_up(failure),
        }
        None
    }

    /// Tries the first write instead of doing it, so that nothing is written: false where the
    /// decision is not one to write.
    fn plan(&mut self, decision: &Decision) -> bool {
        match plan::step(&self.context(), decision) {
            plan::PlanStep::GoOn => return false,
            plan::PlanStep::Try(call, live) => {
                let why = Pending::Plan(live.map(Box::new));
                self.ask(*call, Reading::Object, self.until, why);
            }
            plan::PlanStep::Tried(live, after) => {
                let plan = plan::tried(&self.request, live, *after);
                let returns = strategy::is_return(decision);
                self.planned(Plan { returns, ..plan });
            }
            plan::PlanStep::Nothing(live) => self.planned(Plan {
                after: None,
                live,
                difference: Difference::default(),
                warnings: Vec::new(),
                handover: None,
                takes_back: None,
                returns: false,
            }),
        }
        true
    }

    /// What the strategy decides by.
    pub(super) fn context(&self) -> strategy::Context<'_> {
        strategy::Context {
            request: &self.request,
            continuation: &self.continuation,
            snapshot: &self.snapshot,
            now: self.now,
        }
    }

    fn planned(&mut self, plan: Plan) {
        let warnings = self.continuation.warnings.clone();
        let foreseen = strategy::switch::foreseen(&self.context());
        let (handover, takes_back) =
            foreseen.map_or((None, None), |it| (it.handover, it.takes_back));
        let plan = Plan {
            warnings,
            handover,
            takes_back,
            ..plan
        };
        self.end(Outcome::Planned(Box::new(plan)));
    }
}

#[cfg(test)]
mod tests;
