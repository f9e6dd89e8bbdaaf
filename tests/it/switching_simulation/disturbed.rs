//! What a disturbance does to a call or a wait.

use super::disturbance::*;
use super::invariants::is_bound;
use super::play::Simulation;
use crate::simulated::{self, refused};
use jiff::SignedDuration;
use landfall_core::engine::Ask;
use landfall_core::kubernetes::CallError;
use landfall_core::snapshot::Response;
use landfall_sandbox::world::{Fault, On};
use serde_json::Value;

impl Simulation {
    /// What may happen while nothing is asked. `None` where the invocation ended by it.
    pub fn disturb_wait(&mut self) -> Option<Option<Disturbance>> {
        let planned = self.planned(|| "wait".to_owned());
        match planned {
            Some(DiesBefore) => self.restart(),
            Some(HandedOver) => self.hand_over(),
            Some(Replayed) => self.replay(),
            Some(AgainBefore) => self.again(),
            Some(OtherBefore) => self.other(),
            Some(HeldBack) => {
                self.hold_back();
                return Some(planned);
            }
            Some(Scaled) => {
                self.scale();
                return Some(planned);
            }
            Some(Overtaken) => {
                self.overtake();
                return Some(planned);
            }
            Some(it) if MEDDLING.contains(&it) => {
                self.meddle(it);
                return Some(planned);
            }
            Some(_) | None => return Some(planned),
        }
        None
    }

    /// What is planned for this point.
    pub fn planned(&mut self, point: impl Fn() -> String) -> Option<Disturbance> {
        self.points += 1;
        let planned = self.plan.iter().find(|(at, _)| *at == self.points);
        let planned = match (planned, self.aims.first()) {
            (Some((_, disturbance)), _) => *disturbance,
            (None, Some((words, disturbance))) => {
                let (point, disturbance) = (point(), *disturbance);
                if !words.iter().all(|word| point.contains(word)) {
                    return None;
                }
                self.aims.remove(0);
                disturbance
            }
            (None, None) => return None,
        };
        self.happened.push(planned);
        self.note(|| format!("        {planned:?}"));
        Some(planned)
    }

    /// One call with whatever is planned for it.
    pub fn ask(&mut self, ask: &Ask) {
        let (call, writes) = (&ask.call, ask.call.changes());
        assert!(
            !writes || is_bound(call),
            "it is bound to nothing: {call:?}"
        );
        if let Some(answer) = self.disturbed(ask, writes) {
            self.engine.answered(answer, self.now);
        }
    }

    /// The answer; `None` where the invocation ended instead.
    pub fn disturbed(&mut self, ask: &Ask, writes: bool) -> Option<Result<Response, CallError>> {
        let call = &ask.call;
        let point = || {
            let body = call.body.as_ref().map(Value::to_string);
            let body = body.unwrap_or_default();
            let method = match call.verb.method() {
                // A dry run changes nothing.
                method if writes || method == "GET" => method,
                _ => "trial",
            };
            format!("{method} {} {body}", call.path)
        };
        match self.planned(point) {
            None => {}
            Some(Retried) => self.pass(SignedDuration::from_millis(200)),
            Some(AnswerLost) => {
                drop(self.perform(ask));
                self.pass(SignedDuration::from_millis(200));
            }
            Some(Unavailable) => {
                return Some(refused(503, "ServiceUnavailable", "unavailable"));
            }
            Some(DoneUnavailable) => {
                drop(self.perform(ask));
                return Some(refused(503, "ServiceUnavailable", "unavailable"));
            }
            Some(Conflict) if writes => {
                return Some(refused(409, "Conflict", "somebody else was faster"));
            }
            Some(Refused) if writes => {
                return Some(refused(422, "Invalid", "a webhook says no"));
            }
            Some(Refused) => return Some(refused(403, "Forbidden", "it is forbidden")),
            Some(Conflict | Cut | Deaf | HeldBack) => {}
            Some(Stale) => {
                self.world.fault(On::any(), Fault::Stale, 1);
                let reply = self.send(call);
                return Some(simulated::read(&ask.reading, reply));
            }
            Some(DiesBefore) => return self.ended(Simulation::restart),
            Some(DiesAfter) => {
                drop(self.perform(ask));
                return self.ended(Simulation::restart);
            }
            Some(HandedOver) => return self.ended(Simulation::hand_over),
            Some(Replayed) => return self.ended(Simulation::replay),
            Some(AgainBefore) => return self.ended(Simulation::again),
            Some(AgainAfter) => {
                drop(self.perform(ask));
                return self.ended(Simulation::again);
            }
            Some(OtherBefore) => return self.ended(Simulation::other),
            Some(OtherAfter) => {
                drop(self.perform(ask));
                return self.ended(Simulation::other);
            }
            Some(Late | LateOther) if !writes || call.verb.method() == "POST" => {}
            Some(Late) => {
                self.late.push(call.clone());
                return self.ended(Simulation::restart);
            }
            Some(LateOther) => {
                self.late.push(call.clone());
                return self.ended(Simulation::other);
            }
            Some(Scaled) => self.scale(),
            Some(Overtaken) => self.overtake(),
            Some(
                it @ (ScaledAway | ServiceDeleted | ServiceAnew | SelectorSetBack | Rolled
                | WayDeleted | WayTurned),
            ) => self.meddle(it),
        }
        Some(self.perform(ask))
    }

    /// The invocation ends by this.
    pub fn ended<T>(&mut self, how: fn(&mut Simulation)) -> Option<T> {
        how(self);
        None
    }
}
