//! What a deploy comes to.

use super::causes::TrafficState;
use super::causes::{RolloutCause, RolloutFailure};
use super::handover::Handover;
use super::service_lock::taken_back::TakenBack;
use crate::alarm::{AlarmsError, Ring};
use crate::change::asked::Lost;
use crate::change::editor::Editor;
use crate::kubernetes::call::Permission;
use crate::problem::Fault;
use crate::text::clip;
use crate::workload::health::rollout::WriteReceipt;
use crate::workload::health::rollout::serving::Serving;
use crate::workload::{Kind, Workload};
use jiff::Timestamp;
use std::time::Duration;

/// Images that name a version: more would hide what the sentence says.
const IMAGES_NAMED: usize = 3;

/// How long they may be together: one of ECR's with a digest.
const IMAGE_LIMIT: usize = 200;

/// A version that serves.
#[derive(Clone, Debug, PartialEq)]
pub struct Success {
    /// The workload as it serves.
    pub deployment: Workload,
    /// Its revision, where another object tells that.
    pub revision: Option<u64>,
    /// Whether this deploy wrote anything.
    pub wrote: bool,
    /// The revision that served before, where one did.
    pub previous_revision: Option<u64>,
    /// The Service that sends to it, where one was switched or would have been.
    pub switched: Option<Switched>,
    /// Why not all pods have the new version, though the rollout is done.
    pub note: Option<SuccessNote>,
}

/// Why not all pods have a new version whose rollout is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuccessNote {
    /// The update strategy is OnDelete: each pod keeps its version until somebody deletes it.
    OnDelete,
    /// The pods of a StatefulSet below this number keep their version.
    Partition(i64),
    /// Fewer nodes match a DaemonSet than before.
    FewerNodes,
}

impl SuccessNote {
    /// What is to be said of a workload whose rollout is done.
    pub fn of(live: &Workload) -> Option<SuccessNote> {
        let partition = live.partition();
        let has_old_pods = live.updated_replicas() < live.total_replicas();
        if live.rolls_on_delete() && has_old_pods {
            Some(SuccessNote::OnDelete)
        } else if live.kind() == Kind::StatefulSet && partition > 0 {
            let first = live.number("/spec/ordinals/start").unwrap_or(0);
            Some(SuccessNote::Partition(first.saturating_add(partition)))
        } else {
            None
        }
    }

    /// What is to be said of the nodes of a DaemonSet.
    pub fn of_nodes(live: &Workload, written: &WriteReceipt) -> Option<SuccessNote> {
        let before = match live.replicas() {
            0 => written.wanted.unwrap_or(written.had),
            // Nodes come and go.
            _ => written.had,
        };
        let is_less = live.kind() == Kind::DaemonSet && live.replicas() < before;
        is_less.then_some(SuccessNote::FewerNodes)
    }
}

/// A Service that sends to a new version.
#[derive(Clone, Debug, PartialEq)]
pub struct Switched {
    /// The Service.
    pub service: String,
    /// The Deployment that served before, and what became of it.
    pub from: Option<(String, Former)>,
    /// What could not be cleaned up, and why.
    pub left: Vec<(String, String)>,
    /// The shares of the traffic that a canary had, one after the other, in percent.
    pub shares: Vec<u8>,
    /// How it was switched, where it was and that is known.
    pub handover: Option<Handover>,
    /// What this rollback on demand has noted, where what serves was not replaced by it.
    pub taken_back: Option<TakenBack>,
}

/// A deploy that came to nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum Failure {
    /// The request does not fit the Deployment.
    Faults(Vec<Fault>),
    /// The Deployment to patch is not there.
    Missing,
    /// The Deployment is being deleted.
    BeingDeleted,
    /// The Deployment is paused.
    Paused,
    /// The time was over before anything could be written.
    TooLate,
    /// An alarm that guards the deploy rings already. Nothing was written, except where an
    /// execution is named: its canary had died, and its share was taken back.
    Ringing(Box<Ring>, Option<String>),
    /// The alarms that guard the deploy cannot be read; nothing was written.
    AlarmsUnreadable(AlarmsError),
    /// The token lacks rights that will be needed.
    Forbidden(Vec<Permission>),
    /// Another execution was at work on the Service all the time.
    Locked {
        /// Which.
        execution: String,
        /// When its lock ends by itself.
        until: Timestamp,
    },
    /// The workload went away while its rollout was followed; with the pods that it has left, where
    /// they were counted.
    Deleted(Option<Serving>),
    /// A Job went away before its end was seen: whether it completed is unknown.
    EndUnseen,
    /// Someone else's change came after ours.
    OutOfSync {
        /// Who made it, where it was one of us.
        by: Option<String>,
        /// Whether our change had been written.
        wrote: bool,
    },
    /// Someone else took back what this deploy had written.
    Overwritten {
        /// What was asked for and is not so any more.
        lost: Lost,
        /// Who did it, where the server notes that.
        editor: Option<Editor>,
    },
    /// Someone else's change came after ours to what a switch is about.
    SetAside {
        /// Who made it, where it was one of us.
        by: Option<String>,
        /// Who it was otherwise, where the server notes that.
        editor: Option<Editor>,
        /// What is there now.
        present: TrafficState,
    },
    /// The new version does not serve.
    Rollout {
        /// Why.
        failure: Box<RolloutFailure>,
        /// What became of the previous version.
        rollback_result: RollbackResult,
    },
}

impl Failure {
    /// Whether the same call again would be told the same end, and try nothing: the cluster, or who
    /// came after it, has ended the deploy. Otherwise it had not begun.
    pub fn is_final(&self) -> bool {
        if let Failure::Rollout {
            rollback_result, ..
        } = self
        {
            return *rollback_result != RollbackResult::NothingWritten;
        }
        matches!(
            self,
            Failure::Deleted(_)
                | Failure::EndUnseen
                | Failure::OutOfSync { .. }
                | Failure::Overwritten { .. }
                | Failure::SetAside { .. }
        )
    }
}

/// What was done about a rollout that failed.
#[derive(Clone, Debug, PartialEq)]
pub enum RollbackResult {
    /// The user wants it left.
    RollbackDisabled,
    /// Nothing was written, so there is nothing to take back.
    NothingWritten,
    /// There was nothing before.
    NothingToRollBackTo,
    /// There was a version before, and it did not serve either.
    NothingServed,
    /// The ReplicaSet that served before is gone.
    PreviousGone(String),
    /// It could not be brought back, and why.
    NotRolledBack(u64, String),
    /// The previous version serves again.
    RolledBack(Version),
    /// The previous version was brought back, and is not known to serve as it should.
    RollbackFailed(Version, RolloutCause),
    /// Somebody paused the Deployment: nothing is written over that.
    Paused,
    /// It was scaled up from so many pods, which are available, and there is no room for the
    /// others: the version is not at fault.
    Outgrown(i64),
    /// Someone else changed the Deployment meanwhile.
    OvertakenBy(Option<String>),
    /// The Deployment was deleted meanwhile.
    Deleted,
    /// The Service was deleted meanwhile; with the share in percent that a route still gives to the
    /// new version, 0 where all of it goes to that Service again.
    ServiceGone(Option<u8>, CandidateState),
    /// The Service was not switched to the new version, and sends to this Deployment. The last one:
    /// whether a canary had given the new version a share, which was taken back.
    Unswitched(CandidateState, String, bool),
    /// The Service sends to this Deployment again; empty where its note of which that is was taken
    /// away.
    SwitchedBack(String, CandidateState),
    /// The user wants the Service left where it is.
    LeftSwitched,
    /// The Service was left where it is: the version before cannot take over again.
    NoWayBack,
    /// It took too long to take everything back; this was still to be waited for.
    SwitchRollbackFailed(String),
    /// The route of a canary has its weights from before, and its controller did not confirm them
    /// within this time: this candidate was left up, as it may still get a share.
    ShareUnconfirmed(String, Duration),
}

/// A version by what people know it by.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Version {
    /// The number in `kubectl rollout history`, as it is now.
    pub revision: u64,
    /// The images of its containers.
    pub image: String,
}

impl Version {
    /// The version that a workload has now, and its revision where another object tells that.
    pub fn of(live: &Workload, revision: Option<u64>) -> Version {
        let images = live.images("containers").take(IMAGES_NAMED);
        Version {
            revision: live.revision().or(revision).unwrap_or_default(),
            image: clip(&images.collect::<Vec<_>>().join(", "), IMAGE_LIMIT),
        }
    }
}

/// What became of a candidate that failed.
#[derive(Clone, Debug, PartialEq)]
pub enum CandidateState {
    /// There is none.
    Gone,
    /// It is there, scaled to zero.
    ScaledDown(String),
    /// It was left as it is.
    Left(String),
}

impl CandidateState {
    /// What became of this one.
    pub fn of(candidate: Option<&Workload>) -> CandidateState {
        match candidate {
            None => CandidateState::Gone,
            Some(one) if one.is_being_deleted() => CandidateState::Gone,
            Some(one) if one.replicas() == 0 => CandidateState::ScaledDown(one.name().to_owned()),
            Some(one) => CandidateState::Left(one.name().to_owned()),
        }
    }
}

/// What became of the Deployment that served before.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Former {
    /// It is there, at zero.
    ScaledDown,
    /// It is there, and has replicas: it could not be scaled down, or somebody has scaled it up.
    StillUp,
    /// We deleted it, as none is to be kept.
    NotKept,
    /// Somebody else deleted it meanwhile.
    DeletedByOthers,
}
