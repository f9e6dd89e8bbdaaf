//! A release as a state machine without I/O: several calls at once, each with a ticket by which its
//! answer comes back. What it does is a list of stages; each puts tasks into a queue, and the next
//! one begins when the queue is empty.
//!
//! Nothing is written before everything was read and tried. From then on the record of the revision
//! says in the cluster what is being done, so that any invocation can go on, or take it back.

#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "a task is handled in the file of its stage; `reading.rs` names all of them"
)]

mod applying;
mod asking;
mod back_order;
mod baking;
mod ended;
mod following;
mod going;
mod guarding;
mod item;
mod leftovers;
mod model;
mod overtaking;
mod plan;
mod probing;
mod reading;
mod recording;
mod records;
mod resources;
mod restoring;
mod returning;
mod ringing;
mod served;
mod settling;
mod stages;
mod surveying;
mod trouble;
mod twin;
mod undoing;

pub use ended::ReleaseEnded;
pub use model::{ReleaseEngine, ReleaseNext, ReleaseOutcome, Ticket};

use super::model::{Note, remark};
use crate::kubernetes::known_kinds::KnownKinds;
use crate::outcome::CredentialsError;
use crate::snapshot::Reply;
use jiff::Timestamp;
use model::Stage;

impl ReleaseEngine {
    /// What to do next: calls to send beside those that are outstanding, something to wait for, or
    /// the end.
    pub fn next(&mut self, now: Timestamp) -> ReleaseNext {
        self.now = now;
        for _ in 0..Self::STAGES {
            if self.asked.is_empty()
                && let Some(outcome) = self.outcome.take()
            {
                return ReleaseNext::Done(outcome);
            }
            if self.outcome.is_some() {
                return ReleaseNext::Await;
            }
            if now >= self.until {
                self.hand_over();
                continue;
            }
            if let Some(asked) = self.alarms() {
                return ReleaseNext::Alarms(asked);
            }
            let asks = self.start();
            if !asks.is_empty() {
                return ReleaseNext::Ask(asks);
            }
            if !self.asked.is_empty() {
                return ReleaseNext::Await;
            }
            if self.outcome.is_some() {
                continue;
            }
            if let Some(time) = self.next_time() {
                let due = self.alarms_due().unwrap_or(Timestamp::MAX);
                return ReleaseNext::Sleep(time.min(self.until).min(due));
            }
            if self.reads_alarms && (self.wants_alarms || self.stage == Stage::Lock) {
                return ReleaseNext::Await;
            }
            self.advance();
        }
        unreachable!("the stages of a release turn in circles")
    }

    /// Takes the answer to what was asked.
    pub fn answered(&mut self, ticket: Ticket, result: Reply, now: Timestamp) {
        self.now = now;
        let Some((task, ask, since)) = self.asked.remove(&ticket) else {
            return;
        };
        match &result {
            Ok(_) => self.came_through(&ask.call),
            Err(error) => self.note_silence(&ask.call, error, since),
        }
        self.take(task, ask.call, result);
    }

    /// Takes what the API server remarked on a write.
    pub fn remarked(&mut self, warnings: Vec<String>) {
        let known = &mut self.continuation.warnings;
        let new = remark(known, warnings, Self::WARNINGS);
        self.notes.extend(new);
    }

    /// Kinds that this API server has listed for an earlier deploy.
    pub fn remember(&mut self, kinds: KnownKinds) {
        self.is_remembering = kinds != KnownKinds::default();
        self.kinds = kinds;
    }

    /// There is no access any more: what is refused next ends the release for that.
    pub fn lock_out(&mut self, error: CredentialsError) {
        self.locked_out = Some(error);
    }

    /// The way in leads to another address now. Whether the release may go on there.
    pub fn may_move_to(&mut self, address: &str) -> bool {
        self.continuation.may_move_to(address)
    }

    /// What is worth a line in the log, since the last time.
    pub fn notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// Ends the engine after [`ReleaseNext::Done`].
    pub fn ended(self, outcome: ReleaseOutcome) -> ReleaseEnded {
        ReleaseEnded {
            outcome,
            kinds: self.kinds_to_remember(),
            request: self.request,
            continuation: self.continuation,
        }
    }
}
