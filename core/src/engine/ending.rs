//! Reads the state after a call has ended a switch: where its Service routes to, and what is scaled
//! up.

use super::brief::in_short;
use super::model::{Ending, Engine, Note, Outcome, Pending};
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::snapshot::{Query, Reply};
use crate::state::continuation::Phase;
use crate::strategy::{self, TrafficState};

/// How many reads this takes: the Service, its EndpointSlices, and the Deployments behind it.
const READS: usize = 6;

impl Engine {
    /// Ends with a permanently failed call; after the beginning of a switch, with the current
    /// state.
    pub(super) fn broken(&mut self, call: Call, error: CallError) {
        let ending = Ending {
            call,
            error,
            reads: READS,
        };
        let begun = self.continuation.phase != Phase::Start;
        let service = match self.request.strategy.switch() {
            Some(switch) if begun => Query::service(&switch.service),
            Some(_) | None => return self.break_off(ending, None),
        };
        self.snapshot.invalidate_all();
        self.read_at_end(ending, service);
    }

    fn read_at_end(&mut self, ending: Ending, query: Query) {
        let why = Pending::End(Box::new(ending), query.clone());
        self.ask_for(&query, self.until, why);
    }

    pub(super) fn seen_at_end(
        &mut self,
        mut ending: Ending,
        query: Query,
        call: &Call,
        result: Reply,
    ) {
        if let Err(error) = self.take(query, call, result) {
            self.notes.push(Note::PresentUnreadable(in_short(&error)));
            return self.break_off(ending, None);
        }
        ending.reads -= 1;
        match strategy::switch::present(&self.context()) {
            Some(Ok(present)) => self.break_off(ending, Some(present)),
            Some(Err(next)) if ending.reads > 0 => self.read_at_end(ending, next),
            Some(Err(_)) | None => self.break_off(ending, None),
        }
    }

    fn break_off(&mut self, ending: Ending, present: Option<TrafficState>) {
        let call = Box::new(ending.call);
        self.end(Outcome::Broken(call, ending.error, present.map(Box::new)));
    }
}
