//! What is read when a call has ended a switch: what its Service sends to, and what is scaled up.

use super::brief::in_short;
use super::model::{Answer, Ending, Engine, Note, Outcome, Pending};
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::state::continuation::Phase;
use crate::strategy::scene::Sought;
use crate::strategy::{self, Decision, Look, TrafficState};
use jiff::Timestamp;

/// What is looked at for it: the Service, its EndpointSlices, and the Deployments behind it.
const LOOKS: usize = 6;

impl Engine {
    /// Ends with a call that failed for good; of a switch that was begun, with what is there now.
    pub(super) fn broken(&mut self, call: Call, error: CallError) {
        let ending = Ending {
            call,
            error,
            looks: LOOKS,
        };
        let begun = self.continuation.phase != Phase::Start;
        if self.request.strategy.switch().is_none() || !begun {
            return self.break_off(ending, None);
        }
        self.observation.renew(None);
        self.observation.scene.service = None;
        self.look_at_end(ending, Sought::Service);
    }

    fn look_at_end(&mut self, ending: Ending, sought: Sought) {
        let call = sought.call(&self.request);
        let reading = super::looking::reading(&sought);
        let why = Pending::End(Box::new(ending), sought);
        self.ask(call, reading, self.until, why);
    }

    pub(super) fn seen_at_end(
        &mut self,
        mut ending: Ending,
        sought: &Sought,
        call: &Call,
        result: Result<Answer, CallError>,
        now: Timestamp,
    ) {
        if let Err(error) = self.scene(sought, call, result) {
            self.notes.push(Note::PresentUnreadable(in_short(&error)));
            return self.break_off(ending, None);
        }
        ending.looks -= 1;
        let Some(switch) = self.request.strategy.switch() else {
            return self.break_off(ending, None);
        };
        let (request, observation) = (&self.request, &self.observation);
        let continuation = &self.continuation;
        match strategy::switch::present(request, switch, continuation, observation, now) {
            Ok(present) => self.break_off(ending, Some(present)),
            Err(Decision::Look(Look::Scene(next))) if ending.looks > 0 => {
                self.look_at_end(ending, next);
            }
            Err(_) => self.break_off(ending, None),
        }
    }

    fn break_off(&mut self, ending: Ending, present: Option<TrafficState>) {
        let call = Box::new(ending.call);
        self.end(Outcome::Broken(call, ending.error, present.map(Box::new)));
    }
}
