//! A workload that something else has written, as a release does: only followed.

use super::model::Engine;
use crate::request::Request;
use crate::state::continuation::{Continuation, Phase, Rollout};
use crate::workload::health::rollout::WriteReceipt;
use jiff::Timestamp;

impl Engine {
    /// Follows the rollout of a write to its end, or until `deadline`. Nothing is written, so that
    /// it may begin anew at any time, in any invocation. `request` is one of
    /// [`Request::following`].
    pub fn follow(
        request: Request,
        written: WriteReceipt,
        (started, deadline): (Timestamp, Timestamp),
        now: Timestamp,
        until: Timestamp,
        mask: fn(&str) -> String,
    ) -> Engine {
        let begun = Continuation::begin(&request.execution, started, request.timeout);
        let continuation = Continuation {
            deadline,
            phase: Phase::Rollout(Rollout::followed(written)),
            ..begun
        };
        Engine::new(request, continuation, now, until, mask)
    }
}

#[cfg(test)]
mod tests;
