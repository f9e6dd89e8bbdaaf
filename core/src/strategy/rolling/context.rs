//! What a rolling deploy knows, and what all of its steps share.

pub(super) use super::super::context::Context;
use super::super::decision::{Decision, Stage, Wait};
use super::super::result::Failure;
use super::super::rollout_tracker::RolloutTracker;
use crate::problem::Fault;
use crate::snapshot::{Kind, Query};
use crate::state::continuation::Rollout;
use crate::state::marks;
use crate::workload::Workload;
use crate::workload::health::diagnosis::Evidence;
use crate::workload::health::job;
use crate::workload::health::rollout::serving::Serving;
use crate::workload::health::rollout::{Progress, WriteReceipt};
use crate::workload::replica_set::{ReplicaSet, newest, template_of};
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// A decision, or what is to be read for it first.
pub(super) type Next = Result<Decision, Query>;

impl Context<'_> {
    /// Judges this rollout of what is there.
    pub(super) fn tracker<'b>(
        &'b self,
        rollout: &'b Rollout,
        live: &'b Workload,
        deadline: Timestamp,
    ) -> RolloutTracker<'b> {
        RolloutTracker {
            request: self.request,
            snapshot: self.snapshot,
            rollout,
            continuation: self.continuation,
            live,
            now: self.now,
            deadline,
            stage: Stage::Rollout,
        }
    }

    /// The template of the version to return to; `Ok(None)` where it is gone or belongs to
    /// another object, an error where it may not be read.
    pub(super) fn previous_template(
        &self,
        name: &str,
        live: &Workload,
    ) -> Result<Result<Option<Value>, &str>, Query> {
        let query = Query::Get(Kind::ReplicaSet, name.to_owned());
        let found = self.snapshot.get::<Result<Option<Value>, String>>(query)?;
        let found = found.as_ref().map_err(String::as_str);
        Ok(found.map(|set| template_of(set.as_ref()?, live)))
    }

    /// Whether what we follow is still there. An object older than our write proves nothing.
    pub(super) fn overtaken(
        &self,
        written: &WriteReceipt,
        wrote: bool,
        live: &Workload,
    ) -> Option<Decision> {
        let out_of_sync = || {
            let by = self.other_author(live);
            Some(Decision::GiveUp(Failure::OutOfSync { by, wrote }))
        };
        if live.uid() != written.uid {
            return out_of_sync();
        }
        // The uid tells one Job from another: its template changes by scheduling alone.
        if live.kind().ends() {
            let deleted = live.is_being_deleted() && !job::is_over(live);
            return deleted.then_some(Decision::GiveUp(Failure::EndUnseen));
        }
        if live.generation() < written.generation {
            // The verdict says that it waits for our write to be observed.
            return None;
        }
        if live.is_being_deleted() {
            return Some(Decision::GiveUp(Failure::Deleted(None)));
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
        Decision::Wait(Wait {
            progress,
            rollback,
            at_most: at_most.min(self.left(deadline)),
            stage: Stage::Rollout,
        })
    }

    /// With how many pods serve now, where they were looked at. Those of a Job serve nobody.
    pub(super) fn with_serving(
        &self,
        evidence: Evidence,
        live: &Workload,
        written: &WriteReceipt,
    ) -> Evidence {
        if live.kind().ends() {
            return evidence;
        }
        let sets = self.snapshot.replica_sets(live).ok();
        let pods = self.snapshot.pods.as_ref();
        let serving = sets.map(|sets| Serving::counted(live, sets, pods));
        let serving = serving.map(|serving| match written.matches_no_node(live) {
            true => Serving {
                wanted: written.had,
                ..serving
            },
            false => serving,
        });
        Evidence {
            serving: serving.or(evidence.serving),
            ..evidence
        }
    }
}

/// The number of the newest version, where another object than the workload tells it.
pub(super) fn revision_of(live: &Workload, sets: &[ReplicaSet]) -> Option<u64> {
    let keeper = |set: &&ReplicaSet| !set.keeper.is_empty() && !set.ends;
    newest(live, sets).filter(keeper).map(|set| set.revision)
}

/// The request asks for a rollout of what a switch has retired.
pub(super) fn retired(live: &Workload) -> Fault {
    let name = live.name();
    Fault::new(
        "strategy",
        format!(
            "is `rolling`, and Deployment `{name}` was scaled to zero when its Service was \
             switched to another one. Give the strategy that switched it; docs/strategies.md \
             has the way back to `rolling`"
        ),
    )
}

/// A switch has not ended: its Service may be held to the very pods that a rollout would replace. A
/// Deployment that was retired before is on its way back to `rolling`, and gets no traffic yet.
pub(super) fn beside(live: &Workload, sets: &[ReplicaSet]) -> Option<Fault> {
    let serves = live.replicas() > 0 && live.annotation(marks::REPLICAS).is_none();
    let mut up = sets.iter().filter(|set| serves && set.replicas > 0);
    let other = up.find_map(|set| set.beside(live.name()))?;
    let name = live.name();
    Some(Fault::new(
        "strategy",
        format!(
            "is `rolling`, and `{other}` runs beside `{name}`: a deploy by `blueGreen`, `canary` \
             or `immutable` has not ended, and its Service may be held to the pods that `{name}` \
             has now, so that a rollout would leave it without any. Wait for that deploy; if it \
             was interrupted, deploy once more by that strategy, which brings it to its end"
        ),
    ))
}
