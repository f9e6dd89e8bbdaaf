//! What watches tell of what a switch has read, without a call, as the function's own lists do.

use super::play::Simulation;
use crate::simulated::state;
use jiff::{SignedDuration, Timestamp};
use landfall_core::engine::{Ask, Next};
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::call::{Call, Verb};
use landfall_core::snapshot::{Reading, Response};

/// How long a proxy holds the watches back.
const HELD_BACK: SignedDuration = SignedDuration::from_secs(8);

/// What is followed in this invocation.
#[derive(Clone, Default)]
pub struct Followed {
    calls: Vec<(Call, Reading)>,
    /// Until when nothing new is told, and what is told instead.
    behind: Option<(Timestamp, Vec<Known>)>,
}

/// What was asked for, how it was read, and the answer.
type Known = (Call, Reading, Response);

/// Whether such an answer is kept.
fn is_kept(call: &Call, reading: &Reading) -> bool {
    let resource = &*call.resource;
    let is_object = [
        "services",
        "deployments.apps",
        "endpointslices.discovery.k8s.io",
    ];
    match reading {
        Reading::ReplicaSets | Reading::Pods(_) | Reading::ServicePods => true,
        Reading::List => call.verb == Verb::List && is_object.contains(&resource),
        Reading::Object => call.verb == Verb::Get && is_object.contains(&resource),
        Reading::Whole | Reading::Roster(_) | Reading::Events | Reading::Text => false,
    }
}

impl Simulation {
    /// Whether this is answered without a call.
    pub fn is_told(&self, next: &Next) -> bool {
        let Next::Ask(ask) = next else {
            return false;
        };
        let mut calls = self.followed.calls.iter();
        !ask.fresh && calls.any(|(call, reading)| *call == ask.call && *reading == ask.reading)
    }

    /// Tells what watches know.
    pub fn tell(&mut self, ask: &Ask) {
        let answer = match self.held_back(ask) {
            Some(answer) => answer,
            None => match self.reads.answer(&mut self.world, ask, self.now) {
                Ok(answer) => answer,
                Err(CallError::Refused(refusal)) if refusal.code == 404 => Response::Nothing,
                Err(error) => panic!("{error:?}"),
            },
        };
        self.engine.told(answer, self.now);
    }

    fn held_back(&self, ask: &Ask) -> Option<Response> {
        let (until, known) = self.followed.behind.as_ref()?;
        let mut known = known.iter().filter(|_| self.now < *until);
        let found = known.find(|(call, reading, _)| *call == ask.call && *reading == ask.reading);
        found.map(|(.., answer)| answer.clone())
    }

    /// Something was read, and is followed from now on; what was written is read again.
    pub fn follow(&mut self, ask: &Ask, is_there: bool) {
        let call = &ask.call;
        if call.changes() {
            let collection = call.collection();
            let is_of = |path: &str| path.starts_with(&*collection);
            self.followed.calls.retain(|(call, _)| !is_of(&call.path));
            return;
        }
        let known = (call.clone(), ask.reading.clone());
        if self.setting.watched && is_there && is_kept(call, &ask.reading) {
            if let Some((_, held_back)) = &mut self.followed.behind {
                held_back.retain(|(call, reading, _)| (call, reading) != (&known.0, &known.1));
            }
            self.followed.calls.retain(|it| *it != known);
            self.followed.calls.push(known);
        }
    }

    /// From now on the watches are behind for a while.
    pub fn hold_back(&mut self) {
        let calls = self.followed.calls.clone();
        let known = calls.into_iter().filter_map(|(call, reading)| {
            let ask = Ask {
                call,
                reading,
                until: self.now,
                fresh: false,
            };
            let answer = self.reads.answer(&mut self.world, &ask, self.now).ok()?;
            Some((ask.call, ask.reading, answer))
        });
        let known = known.collect();
        self.followed.behind = Some((self.now + HELD_BACK, known));
    }

    /// The state of all that watches tell of now.
    pub fn state_followed(&self) -> Vec<u64> {
        let behind = self.followed.behind.as_ref();
        if behind.is_some_and(|(until, _)| self.now < *until) {
            return Vec::new();
        }
        let calls = self.followed.calls.iter();
        calls.map(|(call, _)| state(&self.world, call)).collect()
    }
}
