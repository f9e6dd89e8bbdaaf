//! What a release in progress is made of, what it asks for, and how it ends.

use super::super::model::{AlarmsAsk, Ask, Note};
use super::item::{Back, Item, Old};
use super::served::Served;
use crate::change::apply::Owner;
use crate::kubernetes::CallError;
use crate::kubernetes::call::{Call, Permission, Verb};
use crate::kubernetes::known_kinds::KnownKinds;
use crate::kubernetes::resource::Resource;
use crate::outcome::CredentialsError;
use crate::release::order::Step;
use crate::release::{
    ObjectFault, ReleaseCause, ReleaseFailure, ReleaseNote, ReleasePlan, ReleaseSuccess,
    ReleaseWait, WayBack,
};
use crate::report;
use crate::request::release::ReleaseRequest;
use crate::state::continuation::Continuation;
use crate::state::release::{Heading, Parent, Record, RecordFault, RecordedObject};
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// By which an answer finds what it was asked for.
pub type Ticket = u64;

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum ReleaseNext {
    /// Send these calls, beside those that are under way, and give each answer to
    /// [`ReleaseEngine::answered`].
    Ask(Vec<(Ticket, Ask)>),
    /// Read the CloudWatch alarms beside what is under way, and tell
    /// [`ReleaseEngine::alarmed`].
    Alarms(AlarmsAsk),
    /// Wait for an answer to a call that is under way.
    Await,
    /// Nothing until this time, or until an answer comes.
    Sleep(Timestamp),
    /// It is over.
    Done(Box<ReleaseOutcome>),
}

/// How a release, or its part in this invocation, ended.
#[derive(Clone, Debug, PartialEq)]
pub enum ReleaseOutcome {
    /// Everything serves.
    Finished(Box<ReleaseSuccess>),
    /// What would be done, for a request that only asks.
    Planned(Box<ReleasePlan>),
    /// It came to nothing.
    Failed(Box<ReleaseFailure>),
    /// A call failed for good before anything was written.
    Broken(Box<Call>, CallError),
    /// There is no access any more.
    LockedOut(CredentialsError),
    /// The cluster has been silent for too long.
    LostSight(Timestamp, String),
    /// The next invocation goes on.
    HandedOver(Box<ReleaseWait>),
}

impl ReleaseOutcome {
    /// Whether a workload is known not to serve that served before, put back or not.
    pub fn is_outage(&self) -> bool {
        match self {
            ReleaseOutcome::Failed(failure) => match &**failure {
                ReleaseFailure::Ended {
                    cause, way_back, ..
                } => report::release::is_outage(cause, way_back),
                _ => false,
            },
            _ => false,
        }
    }
}

/// Something to do: most are one call. Numbers are places in [`ReleaseEngine::items`], `olds` and
/// `backs`.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Task {
    /// Read the parent of the release.
    Parent,
    /// Rollback on demand: note in the parent which deploy it waits for.
    Await,
    /// Read the record of a revision.
    Recorded(u64),
    /// Rollback on demand: read which revisions have a record.
    Revisions,
    /// Rollback on demand: read the record of the revision that comes back.
    Target(u64),
    /// Read which resources a group has in a version.
    Resources(String),
    /// Read the autoscalers of a namespace.
    Autoscalers(String),
    /// Read an object.
    Get(usize),
    /// Try to apply an object.
    Try(usize),
    /// Read an object that is not in the release any more.
    GetOld(usize),
    /// Ask whether the token has a permission.
    Permission(Permission, Option<String>),
    /// Try to create the parent, which a plan does not.
    TryParent,
    /// Write the parent, with the lock or without it.
    Parented,
    /// Create the record.
    Record,
    /// Take the fields of other managers over.
    TakeOver(usize),
    /// Apply an object.
    Apply(usize),
    /// Delete an object that is made anew.
    Remove(usize),
    /// Wait until it is gone.
    Gone(usize),
    /// Look at the health of an object.
    Check(usize),
    /// Go on with the engine that follows a workload.
    Follow(usize),
    /// Nothing but to go on at a time.
    Wake,
    /// Write into the record how the revision ended, or that it is taken back.
    Close,
    /// Read how far the record says that this revision has come.
    Reread,
    /// Delete an object that is not in the release any more.
    Prune(usize),
    /// Wait until it is gone.
    Pruned(usize),
    /// Read which records there are.
    Headings,
    /// Delete a record.
    Forget(u64),
    /// Way back: read an object.
    GetBack(usize),
    /// Way back: see whether a Job ran, by its pods.
    JobPods(usize),
    /// Way back: put an object back, or delete it.
    PutBack(usize),
    /// Way back: wait until a deleted object is gone.
    GoneBack(usize),
    /// Way back: go on with the engine that follows a workload.
    FollowBack(usize),
}

/// Where a release stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    Begin,
    Read,
    Look,
    /// Rollback on demand: the revisions were read.
    Choose,
    /// Rollback on demand: the record of the one that comes back was read.
    Recall,
    Survey,
    Try,
    Review,
    Lock,
    Record,
    /// The step of the order that is being applied.
    Apply(usize),
    /// The step that must be ready before the next one.
    Ready(usize),
    Follow,
    Bake,
    /// Everything is ready, and is looked at once more.
    LookAgain,
    Close,
    /// The step of what is deleted.
    Prune(usize),
    /// The step that was deleted.
    Pruned(usize),
    Tidy,
    Forget,
    Unlock,
    Done,
    WayBack,
    /// The parent was read again.
    BackBegins,
    /// The record says that the revision is taken back.
    BackRecorded,
    /// The step of the way back that comes next.
    PutBack(usize),
    /// The parent was read again before that step is written.
    BackIsOurs(usize),
    FollowBack,
    CloseFailed,
    UnlockFailed,
    Failed,
}

/// The other invocation, as far as it is known.
#[derive(Clone, Debug, Default)]
pub(super) struct Twin {
    /// Whether the record was there before this invocation came, so that there may be another.
    pub(super) may_live: bool,
    /// Whether the record was read again for the step that comes next.
    pub(super) is_read: bool,
    /// What the other one did about the failure.
    pub(super) account: Option<WayBack>,
}

/// What is known of a rollback on demand.
#[derive(Clone, Debug, Default)]
pub(super) struct Returning {
    /// The revision that is there now.
    pub(super) from: Option<u64>,
    /// The revision that comes back.
    pub(super) to: Option<u64>,
    /// The Jobs of the release: they neither run again nor are they deleted.
    pub(super) held: Vec<RecordedObject>,
    /// All revisions that have a record.
    pub(super) headings: Vec<Heading>,
    /// The record of the revision that comes back, once it was read.
    pub(super) target: Option<Result<Record, RecordFault>>,
    /// The job of the deploy that is waited for, once that was to be noted.
    pub(super) waits_for: Option<String>,
    /// Whether records were looked for without a parent.
    pub(super) looked: bool,
    /// Whether the objects are those of that revision.
    pub(super) has_objects: bool,
    /// Whether what no text may show is still to be told.
    pub(super) hides: bool,
}

/// A release in one invocation.
#[derive(Clone, Debug)]
pub struct ReleaseEngine {
    /// What is asked for.
    pub request: ReleaseRequest,
    /// What the next invocation would go on from.
    pub continuation: Continuation,
    /// When this invocation must be over.
    pub(super) until: Timestamp,
    /// Hides what is secret in texts of the cluster.
    pub(super) mask: fn(&str) -> String,
    pub(super) now: Timestamp,
    pub(super) outcome: Option<Box<ReleaseOutcome>>,
    pub(super) notes: Vec<Note>,
    pub(super) locked_out: Option<CredentialsError>,
    pub(super) stage: Stage,
    pub(super) queue: VecDeque<Task>,
    /// What is to be done later.
    pub(super) later: Vec<(Timestamp, Task)>,
    /// The outstanding calls, and since when.
    pub(super) asked: BTreeMap<Ticket, (Task, Ask, Timestamp)>,
    /// Webhooks that do not answer: since when, and verb and path of the first call that said so.
    pub(super) silent: BTreeMap<String, (Timestamp, Verb, String)>,
    pub(super) tickets: Ticket,
    pub(super) items: Vec<Item>,
    pub(super) steps: Vec<Step>,
    pub(super) olds: Vec<Old>,
    /// The order in which they are deleted.
    pub(super) old_steps: Vec<Step>,
    pub(super) backs: Vec<Back>,
    pub(super) back_steps: Vec<Vec<usize>>,
    /// The steps of the way back whose objects must be gone before the next one.
    pub(super) back_waits: BTreeSet<usize>,
    /// Until when objects that are being deleted are waited for.
    pub(super) gone_until: Option<Timestamp>,
    pub(super) owner: Owner,
    pub(super) parent: Parent,
    /// The parent as it was read; `None` if there is none.
    pub(super) parent_live: Option<Value>,
    /// Whether the newest revision that the parent knows of has no record.
    pub(super) is_unrecorded: bool,
    /// The records since the last good one, with it.
    pub(super) records: Vec<Record>,
    /// The record of this revision.
    pub(super) record: Option<Record>,
    /// Its Secret until it is created: packing it takes a while.
    pub(super) record_secret: Option<Value>,
    /// Whether an earlier invocation, or a deploy that died, began to write.
    pub(super) is_resumed: bool,
    /// What a rollback on demand goes back to.
    pub(super) returning: Returning,
    /// Where an alarm rings: whether its objects served before.
    pub(super) served: Served,
    /// The same deploy, as another invocation may be at it now.
    pub(super) twin: Twin,
    /// The kinds that were looked up, now or by an earlier deploy.
    pub(super) kinds: KnownKinds,
    /// Whether some of them may be remembered from an earlier deploy.
    pub(super) is_remembering: bool,
    /// The resources that the release itself defines, by version and kind.
    pub(super) resources: BTreeMap<(String, String), Resource>,
    /// How many objects that were tried before they were read are new, and how many were there.
    pub(super) probed: (usize, usize),
    /// The targets of autoscalers: namespace, kind and name.
    pub(super) scaled: BTreeMap<(String, String, String), String>,
    pub(super) faults: Vec<ObjectFault>,
    pub(super) forbidden: BTreeSet<(Permission, Option<String>)>,
    /// When everything was ready, and was looked at once more.
    pub(super) last_look: Option<Timestamp>,
    /// Whether nothing goes on before the alarms are read.
    pub(super) wants_alarms: bool,
    /// Whether they are being read.
    pub(super) reads_alarms: bool,
    pub(super) conflicts: u32,
    /// Whether somebody else wrote the parent while it was ours.
    pub(super) is_race_lost: bool,
    /// The execution whose lock is waited for.
    pub(super) locked_by: Option<String>,
    pub(super) failure: Option<ReleaseCause>,
    pub(super) way_back: WayBack,
    pub(super) success: ReleaseSuccess,
    pub(super) said: Vec<ReleaseNote>,
}

impl ReleaseEngine {
    /// Stages of one call of `next`: each either asks, waits or ends, and there are about twenty
    /// kinds of them, with two per step of the order.
    pub(super) const STAGES: u32 = 20_000;

    /// What the API server remarks on writes that is kept.
    pub(super) const WARNINGS: usize = 10;

    /// A release that begins or goes on now, and must be over at `until`. `mask` hides what is
    /// secret in texts of the cluster.
    pub fn new(
        mut request: ReleaseRequest,
        continuation: Continuation,
        now: Timestamp,
        until: Timestamp,
        mask: fn(&str) -> String,
    ) -> ReleaseEngine {
        request.forget_recalled();
        let parent = Parent::new(&request.name, &request.namespace);
        let items = request.manifests.iter().map(Item::new).collect();
        ReleaseEngine {
            owner: Owner {
                id: parent.id(),
                release: parent.title(),
            },
            parent,
            request,
            continuation,
            until,
            mask,
            now,
            items,
            outcome: None,
            notes: Vec::new(),
            locked_out: None,
            stage: Stage::Begin,
            queue: VecDeque::new(),
            later: Vec::new(),
            asked: BTreeMap::new(),
            silent: BTreeMap::new(),
            tickets: 0,
            steps: Vec::new(),
            olds: Vec::new(),
            old_steps: Vec::new(),
            backs: Vec::new(),
            back_steps: Vec::new(),
            back_waits: BTreeSet::new(),
            gone_until: None,
            parent_live: None,
            is_unrecorded: false,
            records: Vec::new(),
            record: None,
            record_secret: None,
            is_resumed: false,
            returning: Returning::default(),
            served: Served::default(),
            twin: Twin::default(),
            kinds: KnownKinds::default(),
            is_remembering: false,
            resources: BTreeMap::new(),
            probed: (0, 0),
            scaled: BTreeMap::new(),
            faults: Vec::new(),
            forbidden: BTreeSet::new(),
            last_look: None,
            wants_alarms: false,
            reads_alarms: false,
            conflicts: 0,
            is_race_lost: false,
            locked_by: None,
            failure: None,
            way_back: WayBack::default(),
            success: ReleaseSuccess::default(),
            said: Vec::new(),
        }
    }

    pub(super) fn end(&mut self, outcome: ReleaseOutcome) {
        self.queue.clear();
        self.later.clear();
        self.outcome = Some(Box::new(outcome));
    }

    pub(super) fn fail(&mut self, failure: ReleaseFailure) {
        self.end(ReleaseOutcome::Failed(Box::new(failure)));
    }
}
