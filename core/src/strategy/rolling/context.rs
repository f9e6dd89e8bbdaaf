//! What a rolling deploy knows, and what all of its steps share.

use super::super::author::other_author;
use super::super::decision::{Decision, Stage, Wait};
use super::super::observation::Observation;
use super::super::result::Failure;
use crate::kubernetes::object::{self, Deployment};
use crate::problem::Fault;
use crate::request::Request;
use crate::state::continuation::Continuation;
use crate::workload::health::diagnosis::Evidence;
use crate::workload::health::rollout::serving::Serving;
use crate::workload::health::rollout::{Progress, WriteReceipt};
use jiff::Timestamp;
use std::time::Duration;

/// All that a decision may depend on.
pub(super) struct Context<'a> {
    pub(super) request: &'a Request,
    pub(super) continuation: &'a Continuation,
    pub(super) observation: &'a Observation,
    pub(super) now: Timestamp,
}

impl Context<'_> {
    /// Whether what we follow is still there. An object older than our write proves nothing.
    pub(super) fn overtaken(
        &self,
        written: &WriteReceipt,
        wrote: bool,
        live: &Deployment,
    ) -> Option<Decision> {
        let out_of_sync = || {
            let by = other_author(live, self.continuation);
            Some(Decision::GiveUp(Failure::OutOfSync { by, wrote }))
        };
        if live.uid() != written.uid {
            return out_of_sync();
        }
        if live.generation() < written.generation {
            // The verdict says that it waits for our write to be observed.
            return None;
        }
        if live.is_being_deleted() {
            return Some(Decision::GiveUp(Failure::Deleted));
        }
        if live.template_digest() != written.template {
            return out_of_sync();
        }
        None
    }

    pub(super) fn wait(
        &self,
        progress: Progress,
        deadline: Timestamp,
        at_most: Duration,
        rollback: bool,
    ) -> Decision {
        let left = deadline.duration_since(self.now).unsigned_abs();
        Decision::Wait(Wait {
            progress,
            rollback,
            at_most: at_most.min(left),
            stage: Stage::Rollout,
        })
    }

    /// With how many pods serve now, where they were looked at.
    pub(super) fn with_serving(&self, evidence: Evidence, live: &Deployment) -> Evidence {
        let sets = self.observation.replica_sets.as_deref();
        let sight = self.observation.sight.as_ref();
        let serving = sets.map(|sets| Serving::counted(live, sets, sight));
        Evidence {
            serving: serving.or(evidence.serving),
            ..evidence
        }
    }
}

/// Whether a ReplicaSet's template is the Deployment's own.
pub(super) fn is_current(template: &serde_json::Value, live: &Deployment) -> bool {
    object::template_digest(template) == live.template_digest()
}

/// The request asks for a rollout of what a switch has retired.
pub(super) fn retired(live: &Deployment) -> Fault {
    let name = live.name();
    Fault::new(
        "strategy",
        format!(
            "is `rolling`, and Deployment `{name}` was scaled to zero when its Service was \
             switched to another one, by `blueGreen` or `immutable`. Give the strategy that \
             switched it; docs/strategies.md has the way back to `rolling`"
        ),
    )
}
