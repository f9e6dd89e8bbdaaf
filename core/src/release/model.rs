//! What a release comes to, as facts; the report turns them into words.

use super::left_reason::LeftReason;
use crate::alarm::{AlarmsRefusal, Judgement};
use crate::change::apply::{ApplyRefusal, ForeignOwner, OtherWriter};
use crate::change::difference::Difference;
use crate::kubernetes::call::Permission;
use crate::kubernetes::object_id::ObjectId;
use crate::kubernetes::{CallError, Refusal};
use crate::problem::Fault;
use crate::request::Request;
use crate::state::continuation::RecordedFailure;
use crate::state::release::{ParentFault, Status};
use crate::strategy::Failure;
use crate::workload::health::object::{ObjectCause, ObjectNote};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// What a release would change.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReleasePlan {
    /// The revision that it would get; `None` if nothing would change.
    pub revision: Option<u64>,
    /// The newest revision that there is; 0 if there is none.
    pub newest: u64,
    /// The revision that is there, for a rollback on demand.
    pub from: Option<u64>,
    /// The revision that a rollback on demand brings back.
    pub back_to: Option<u64>,
    /// Whether its objects served before, which was looked up where an alarm rings.
    pub served_before: bool,
    /// Every object, in the order in which it would be written; deleted ones last.
    pub objects: Vec<ObjectPlan>,
    /// What people should know beforehand.
    pub notes: Vec<ReleaseNote>,
    /// The API server's warnings.
    pub warnings: Vec<String>,
}

/// What a release would change in one object.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectPlan {
    /// The object.
    pub id: ObjectId,
    /// What would become of it.
    pub change: ObjectChange,
}

/// What becomes of an object.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectChange {
    /// It does not exist yet.
    New,
    /// It is made again: it is gone since this revision, which had it.
    Again(u64),
    /// It does not exist yet, and could not be tried.
    NewUntried(Untried),
    /// These fields change.
    Changed(Difference),
    /// Nothing changes but whose fields they are: it becomes part of the release.
    TakenOver,
    /// The same of an object that is in the release already: its fields become ours, or what it
    /// asks of Landfall changes.
    Noted,
    /// It is deleted and made anew, because fields change that cannot be changed: what changes
    /// since the last good revision, if that had it.
    Recreated(Option<Difference>),
    /// Nothing changes.
    Unchanged,
    /// It could not be tried.
    Untried(Untried),
    /// It is not in the release any more, and is deleted.
    Deleted,
    /// It is not in the release any more, and stays.
    Kept(LeftReason),
}

/// Why the API server could not try a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Untried {
    /// Its namespace comes with this release.
    NewNamespace,
    /// Its kind comes with this release.
    NewKind,
    /// A webhook cannot be asked without its effects.
    Webhook,
    /// Our fields are noted in a version of its kind in which it has no place any more.
    OtherVersion,
}

/// A release that serves.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReleaseSuccess {
    /// Its revision.
    pub revision: u64,
    /// The revision that served before.
    pub previous: Option<u64>,
    /// The revision that a rollback on demand brought back.
    pub back_to: Option<u64>,
    /// The revision before which its objects served, so that it began although an alarm rang.
    pub returned_from: Option<u64>,
    /// Whether anything was written.
    pub wrote: bool,
    /// When the newest commit was made of all its revisions, if known.
    pub committed: Option<Timestamp>,
    /// How many objects were created.
    pub new: usize,
    /// How many objects were changed.
    pub changed: usize,
    /// How many objects were as they should be.
    pub unchanged: usize,
    /// What was deleted, because it is not in the release any more.
    pub deleted: Vec<ObjectId>,
    /// What is not in the release any more, and why it is still there.
    pub kept: Vec<(ObjectId, LeftReason)>,
    /// What was followed.
    pub workloads: Vec<FollowedWorkload>,
    /// What people should know.
    pub notes: Vec<ReleaseNote>,
}

/// A workload that serves.
#[derive(Clone, Debug, PartialEq)]
pub struct FollowedWorkload {
    /// The workload.
    pub id: ObjectId,
    /// The images of its containers.
    pub images: Vec<String>,
    /// Its pods.
    pub state: Followed,
}

/// How a workload stands at the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Followed {
    /// So many of its pods are available, of so many that are wanted.
    Available(i64, i64),
    /// It ran to its end.
    Complete,
    /// Its pods are replaced when somebody deletes them.
    OnDelete,
}

/// Something about a release that people should know.
#[derive(Clone, Debug, PartialEq)]
pub enum ReleaseNote {
    /// It is there and accepted, and this is still to come.
    Pending(ObjectId, ObjectNote),
    /// It was applied, and has no status that tells whether it works.
    NoStatus(ObjectId),
    /// Its annotation says that it is not followed.
    NotFollowed(ObjectId),
    /// A Job that had completed before, and is unchanged: it did not run again.
    AlreadyComplete(ObjectId),
    /// A Job that Kubernetes deletes so long after its end: a later release runs it again.
    ShortLived(ObjectId, Duration),
    /// It was deleted, and is there until these finalizers are removed.
    Held(ObjectId, Vec<String>),
    /// These are not in the release any more, and stay because `prune` is not asked for.
    NotPruned(Vec<ObjectId>),
    /// The record has no room for these, so that they could not be brought back.
    NotRecorded(Vec<ObjectId>),
    /// A Job, which a rollback on demand neither runs again nor deletes.
    JobNotRun(ObjectId),
    /// The record of this revision is gone or damaged: what only that revision had is not known.
    RecordLost(u64),
    /// It is not what the revision had that a rollback on demand brings back, and stays so.
    NotTakenBack(ObjectId),
    /// It belonged to these, and is taken over by force: their marks on it go.
    TakenFrom(ObjectId, Vec<ForeignOwner>),
}

/// A release that came to nothing.
#[derive(Clone, Debug, PartialEq)]
pub enum ReleaseFailure {
    /// The release does not fit the cluster; nothing was written.
    Faults(Vec<ObjectFault>),
    /// Permissions that will be needed are missing, each in a namespace or (`None`) in the whole
    /// cluster; nothing was written.
    Forbidden(Vec<(Permission, Option<String>)>),
    /// Another execution was at work on this release all the time; nothing was written.
    Locked {
        /// Which.
        execution: String,
        /// When its lock expires.
        until: Timestamp,
    },
    /// Another execution released after this one.
    OutOfSync {
        /// Which.
        by: Option<String>,
        /// Whether this one had written something.
        wrote: bool,
    },
    /// The Secret of this name, in which the release is recorded, cannot be used.
    Record(String, RecordTrouble),
    /// The revision that a rollback on demand asks for cannot be brought back; nothing was written.
    NoRevision(NoRevision),
    /// The namespace in which its records are kept does not exist; nothing was written.
    NoNamespace,
    /// The time was over before anything was written.
    TooLate,
    /// The CloudWatch alarms do not let it begin; nothing was written.
    Alarms(AlarmsRefusal),
    /// It failed while it was written or followed.
    Ended {
        /// Why.
        cause: Box<ReleaseCause>,
        /// What became of the other workloads.
        others: Vec<(ObjectId, bool)>,
        /// What was done about it.
        way_back: WayBack,
    },
}

impl ReleaseFailure {
    /// Whether the same call again would be told the same end, and try nothing. Otherwise the
    /// release had not begun.
    pub fn is_final(&self) -> bool {
        matches!(
            self,
            ReleaseFailure::OutOfSync { .. } | ReleaseFailure::Ended { .. }
        )
    }
}

/// Why a revision cannot be brought back.
#[derive(Clone, Debug, PartialEq)]
pub enum NoRevision {
    /// The cluster knows no such release.
    NoRelease,
    /// As many rollbacks as are noted wait for the same deploy.
    Crowded,
    /// Nothing served before this revision, which is there; `None` if there is none.
    NoneBefore(Option<u64>),
    /// The revision that is named is none that was deployed as a whole.
    NotOne {
        /// Which.
        to: u64,
        /// How far it came; `None` if it has no record.
        status: Option<Status>,
        /// Those that were deployed as a whole, the newest first.
        good: Vec<u64>,
    },
    /// Its record was deleted.
    Deleted(u64),
    /// Its record is damaged.
    Damaged(u64),
    /// Its record had no room for these objects.
    Incomplete(u64, Vec<ObjectId>),
    /// It had only Jobs, which are not run again.
    OnlyJobs(u64),
}

/// What is wrong with a Secret in which a release is recorded.
#[derive(Clone, Debug, PartialEq)]
pub enum RecordTrouble {
    /// It is not the parent of this release.
    Parent(ParentFault),
    /// The release has so many objects that even their names have no room: the size of them.
    TooLarge(usize),
}

/// What is wrong with one object of a release.
#[derive(Clone, Debug, PartialEq)]
pub struct ObjectFault {
    /// The object.
    pub id: ObjectId,
    /// The file and the line where it is written.
    pub place: String,
    /// What is wrong.
    pub trouble: ObjectTrouble,
}

/// What keeps an object from being applied.
#[derive(Clone, Debug, PartialEq)]
pub enum ObjectTrouble {
    /// Something that the manifest says.
    Fault(Fault),
    /// The cluster does not serve this kind in this version.
    UnknownKind(String),
    /// It is the namespace of the release itself, whose records have to be somewhere first.
    OwnNamespace,
    /// It is being deleted, and these finalizers keep it.
    BeingDeleted(Vec<String>),
    /// It belongs to another release, or to another tool.
    Foreign(Vec<ForeignOwner>),
    /// The API server refuses it: what that means, and its words.
    Refused(ApplyRefusal, Box<Refusal>),
}

/// Why a release failed.
#[derive(Clone, Debug, PartialEq)]
pub enum ReleaseCause {
    /// The API server refused a write.
    Refused(ObjectFault),
    /// A call failed for good.
    Broken {
        /// The object; `None` for the release's own records.
        id: Option<ObjectId>,
        /// The verb, the resource and the path of the call.
        call: Box<crate::kubernetes::call::Call>,
        /// Why.
        error: CallError,
    },
    /// A workload or a Job does not get ready.
    Workload {
        /// The workload.
        id: ObjectId,
        /// Whether this release has changed it.
        is_new: bool,
        /// The request by which it was followed.
        request: Box<Request>,
        /// Why.
        failure: Box<Failure>,
    },
    /// Another object does not get ready: what it says of itself.
    Object {
        /// The object.
        id: ObjectId,
        /// Why, by its status.
        cause: ObjectCause,
    },
    /// Permissions were taken away after it was begun, each in a namespace or (`None`) in the
    /// whole cluster.
    Forbidden(Vec<(Permission, Option<String>)>),
    /// Someone deleted an object, or replaced it, while it was followed.
    Gone(ObjectId),
    /// Someone else changed an object after it was applied.
    Overwritten {
        /// The object.
        id: ObjectId,
        /// Who.
        by: OtherWriter,
    },
    /// The time was over, and this was still waited for.
    TimedOut {
        /// The time limit.
        timeout: Duration,
        /// What was waited for, and what it says of itself.
        waiting: Vec<(ObjectId, String)>,
    },
    /// The CloudWatch alarms that guard it speak against it.
    Alarms(Judgement),
    /// What an earlier invocation stored.
    Recorded(RecordedFailure),
}

/// What was done about a release that failed.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct WayBack {
    /// Whether it was tried: `rollback` may be off, or nothing was written.
    pub tried: bool,
    /// Whether it was left because somebody else's change is the cause, which it would overwrite.
    pub overtaken: bool,
    /// The execution that has released since, so that nothing was taken back.
    #[serde(default)]
    pub overtaken_by: Option<String>,
    /// What is again as it was in this revision, or before it was taken over.
    pub revision: Option<u64>,
    /// The objects that were put back.
    pub restored: Vec<ObjectId>,
    /// The objects that were new, and were deleted.
    pub deleted: Vec<ObjectId>,
    /// What was not taken back, and why.
    pub left: Vec<(ObjectId, LeftReason)>,
    /// The workloads that were put back and do not serve as they should, and why.
    pub unserved: Vec<(ObjectId, String)>,
    /// Whether what was written is unknown, as the records of the release could not be read.
    #[serde(default)]
    pub unread: bool,
    /// Why the release failed, with what was seen of it: for an invocation that comes when all is
    /// over, and only the report is missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failure: Option<Box<RecordedFailure>>,
}

/// What a release waits for.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ReleaseWait {
    /// How many objects are written.
    pub applied: usize,
    /// How many objects there are.
    pub objects: usize,
    /// How many of them are ready.
    pub ready: usize,
    /// What is waited for, and what it says of itself; a few of them.
    pub waiting: Vec<(ObjectId, String)>,
    /// Whether the release is being taken back.
    pub is_way_back: bool,
    /// The execution whose lock is waited for.
    pub locked_by: Option<String>,
    /// Everything serves, and is watched until then.
    pub watched_until: Option<Timestamp>,
}
