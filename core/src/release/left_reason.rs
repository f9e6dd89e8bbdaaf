//! Why an object of a release was not brought back or deleted.

use super::prune::KeepReason;
use serde::{Deserialize, Serialize};

/// Why an object stays as it is.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub enum LeftReason {
    /// `prune` is not asked for.
    NotAsked,
    /// The rules of pruning keep it.
    Keep(KeepReason),
    /// A Job that ran cannot be undone.
    JobRan,
    /// The same, and it has not ended.
    JobRuns,
    /// The same, but none of its pods is left to show whether it ran.
    JobMayHaveRun,
    /// The same, but its pods do not show whether it ran.
    JobUnseen(JobUnseen),
    /// None of a Job's pods has started yet, and they still may.
    JobWaits,
    /// A CustomResourceDefinition never goes back: objects may be stored in its new version.
    Definition,
    /// What it was before is not known: there was no room for it in the record.
    NotRecorded,
    /// The version in which it was applied is not served any more.
    NotServed(String),
    /// Somebody changed it meanwhile.
    Changed,
    /// This field manager has changed it meanwhile.
    ChangedBy(String),
    /// Somebody has deleted it meanwhile.
    Deleted,
    /// It is being deleted, and these finalizers keep it.
    Held(Vec<String>),
    /// The API server refused it.
    Refused(String),
    /// Another execution, which is named if it is known, has deployed the release meanwhile.
    Overtaken(Option<String>),
    /// There was no time left.
    NoTime,
}

/// Why the pods of a Job do not show whether it ran.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub enum JobUnseen {
    /// One failed as a whole, for this reason, and does not show it any more.
    PodFailed(String),
    /// One is being deleted.
    PodEnding,
    /// One that is there has not started, and earlier ones are gone.
    PodsLost,
    /// They could not be read.
    PodsUnread,
    /// This controller runs the Job, and its pods may be in another cluster.
    Elsewhere(String),
}

impl LeftReason {
    /// Whether it was meant to stay: nothing went wrong.
    pub fn is_by_rule(&self) -> bool {
        matches!(
            self,
            LeftReason::NotAsked
                | LeftReason::Keep(_)
                | LeftReason::JobRan
                | LeftReason::JobRuns
                | LeftReason::JobMayHaveRun
                | LeftReason::JobUnseen(_)
                | LeftReason::JobWaits
                | LeftReason::Definition
        )
    }
}
