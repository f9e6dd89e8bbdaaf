//! What an engine is made of, what it asks for, and what it is told.

use crate::kubernetes::call::Call;
use crate::kubernetes::{CallError, Refusal};
use crate::outcome::CredentialsError;
use crate::plan::Plan;
use crate::report::outage;
use crate::request::Request;
use crate::snapshot::{Query, Reading, Snapshot};
use crate::state::continuation::{Continuation, Phase};
use crate::state::timeline::Mark;
use crate::strategy::{Action, Failure, Success, TrafficState, Wait};
use crate::workload::Workload;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// The least time between two reads that only wait for a change, where there is no watch.
const POLL_PAUSE: SignedDuration = SignedDuration::from_secs(1);

/// What is to be done next.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Send a call, and give the answer to [`Engine::answered`].
    Ask(Ask),
    /// Follow a Deployment, and give what was heard to [`Engine::heard`].
    Watch(Watching),
    /// Read CloudWatch's alarms, and give them to [`Engine::alarmed`].
    Alarms(AlarmsAsk),
    /// Nothing until this time.
    Sleep(Timestamp),
    /// It is over.
    Done(Box<Outcome>),
}

/// A call, and how its answer is read.
#[derive(Clone, Debug, PartialEq)]
pub struct Ask {
    /// The call.
    pub call: Call,
    /// How the answer is read.
    pub reading: Reading,
    /// When no answer is as good as an error.
    pub until: Timestamp,
    /// Whether it is to be read, whatever a watch has told.
    pub fresh: bool,
}

/// Alarms that are to be read.
#[derive(Clone, Debug, PartialEq)]
pub struct AlarmsAsk {
    /// Their names.
    pub names: Vec<String>,
    /// When no answer is as good as an error.
    pub until: Timestamp,
}

/// A Deployment that is to be watched.
#[derive(Clone, Debug, PartialEq)]
pub struct Watching {
    /// Opens the watch; one that is open already serves as well, unless it is to be `fresh`.
    pub call: Call,
    /// The Deployment's name.
    pub name: String,
    /// Whether a watch that is open is not to be trusted.
    pub fresh: bool,
    /// When the wait ends though nothing is heard.
    pub until: Timestamp,
}

/// What a watch told.
#[derive(Clone, Debug, PartialEq)]
pub enum Heard {
    /// It could not be opened.
    Unopened(CallError),
    /// The Deployment as it is now.
    Now(Value),
    /// It is gone.
    Deleted,
    /// Nothing of it; what else is followed has changed.
    Beside,
    /// The stream is over, was cut, or is none.
    Over,
    /// Nothing until the end of the wait.
    Nothing,
}

/// How a deploy, or its part in this invocation, ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The new version serves.
    Finished(Box<Success>),
    /// What would be done, for a request that only asks.
    Planned(Box<Plan>),
    /// It came to nothing.
    Failed(Failure),
    /// A call failed for good; in a switch, with what is there now.
    Broken(Box<Call>, CallError, Option<Box<TrafficState>>),
    /// There is no access any more.
    LockedOut(CredentialsError),
    /// The cluster has been silent for too long.
    LostSight(Timestamp, String),
    /// The next invocation goes on.
    HandedOver(Option<Wait>),
}

impl Outcome {
    /// Whether pods are wanted and none was seen to serve at the end.
    pub fn is_outage(&self) -> bool {
        if let Outcome::Broken(_, _, Some(present)) = self {
            return outage::is_of_switch(present);
        }
        matches!(self, Outcome::Failed(failure) if failure.is_outage())
    }
}

/// Something worth a line in the log.
#[derive(Clone, Debug, PartialEq)]
pub enum Note {
    /// Another phase began.
    Phase(&'static str),
    /// What is waited for.
    Waiting(String),
    /// Another change came first, for the so manieth time.
    LostRace(u32),
    /// The pods cannot be read, and why.
    PodsUnreadable(String),
    /// No watch can be opened, and why.
    Unwatched(String),
    /// Something could not be cleaned up: its name, and why.
    Left(String, String),
    /// A rollback was refused with its annotations, and why.
    WithoutMarks(String),
    /// The ReplicaSet to return to is not the Deployment's.
    ForeignReplicaSet,
    /// What is there after a switch was broken off cannot be read, and why.
    PresentUnreadable(String),
    /// The switch is taken back, and why.
    TakenBack(String),
    /// So many calls were made, and so many bytes read, that pauses grow from now on.
    Thrifty(u64, u64),
    /// The cluster does not answer as it should.
    OutOfSight {
        /// Why.
        error: String,
        /// Whether it is certain that nothing has been written.
        nothing_written: bool,
    },
    /// What the API server remarked on a write.
    Warning(String),
    /// What the alarms that guard the deploy say of it.
    Judged(String),
    /// The alarms cannot be read, and why.
    AlarmsUnread(String),
}

/// Keeps what the API server remarks that is not known yet, up to a limit; what is new is noted.
pub(super) fn remark(known: &mut Vec<String>, warnings: Vec<String>, limit: usize) -> Vec<Note> {
    let mut notes = Vec::new();
    for warning in warnings {
        if known.len() < limit && !known.contains(&warning) {
            notes.push(Note::Warning(warning.clone()));
            known.push(warning);
        }
    }
    notes
}

/// What the outstanding call is for.
#[derive(Clone, Debug)]
pub(super) enum Pending {
    Read(Query),
    Act(Action),
    Plan(Option<Box<Workload>>),
    /// Whether the token has the right for this call, which was refused without a reason.
    Review(Call, Refusal),
    /// What is there at the end of a switch that a call has ended.
    End(Box<Ending>, Query),
}

/// The call that ended a deploy, and how much more is read.
#[derive(Clone, Debug)]
pub(super) struct Ending {
    pub(super) call: Call,
    pub(super) error: CallError,
    pub(super) reads: usize,
}

/// A deploy in one invocation.
#[derive(Clone, Debug)]
pub struct Engine {
    /// What is asked for.
    pub request: Request,
    /// What the next invocation would go on from.
    pub continuation: Continuation,
    /// What was seen since the last write.
    pub snapshot: Snapshot,
    /// When this invocation must be over.
    pub(super) until: Timestamp,
    /// When it was asked or told last.
    pub(super) now: Timestamp,
    /// Hides what is secret in texts of the cluster.
    pub(super) mask: fn(&str) -> String,
    pub(super) outcome: Option<Box<Outcome>>,
    /// The outstanding call, and what it is for.
    pub(super) asked: Option<(Ask, Pending)>,
    pub(super) notes: Vec<Note>,
    pub(super) begun: bool,
    pub(super) paused: Option<Timestamp>,
    pub(super) steps: u32,
    pub(super) writes: u32,
    pub(super) conflicts: u32,
    /// Whether the undo that is under way has lost its annotations already.
    pub(super) unmarked: bool,
    pub(super) locked_out: Option<CredentialsError>,
    /// What has kept the first write from being done since the last wait.
    pub(super) hindrance: Option<Box<(Call, CallError)>>,
    pub(super) waiting: Option<Wait>,
    pub(super) just_written: bool,
    /// When the watch began that is followed.
    pub(super) watched_since: Timestamp,
    pub(super) stale_watch: bool,
    /// The version of the Deployment during which a watch has told nothing.
    pub(super) unheard: Option<String>,
    pub(super) mute_watches: u32,
    /// The pause between two reads where there is no watch.
    pub(super) poll_pause: SignedDuration,
    /// The same while a bake goes on and all pods are ready.
    pub(super) bake_pause: SignedDuration,
    /// When the last decision was made.
    pub(super) decided_at: Timestamp,
    /// Whether the next decision needs the alarms as they are now.
    pub(super) wants_alarms: bool,
    /// Whether what is asked is to be read, whatever a watch has told.
    pub(super) looks_again: bool,
    /// When the watched Deployment is to be checked, though what else is followed ends the wait.
    pub(super) checks_at: Option<Timestamp>,
    /// Whether this invocation has asked more of the cluster than it should.
    pub(super) is_thrifty: bool,
    /// When the wait ends that is under way, though the alarms are read in the middle of it.
    pub(super) wait_ends: Option<Timestamp>,
}

impl Engine {
    /// A deploy that begins or goes on now, and must be over at `until`. `mask` hides what is
    /// secret in texts of the cluster.
    pub fn new(
        request: Request,
        continuation: Continuation,
        now: Timestamp,
        until: Timestamp,
        mask: fn(&str) -> String,
    ) -> Engine {
        let mut engine = Engine {
            request,
            continuation,
            snapshot: Snapshot::default(),
            until,
            now,
            mask,
            outcome: None,
            asked: None,
            notes: Vec::new(),
            begun: false,
            paused: None,
            steps: 0,
            writes: 0,
            conflicts: 0,
            unmarked: false,
            locked_out: None,
            hindrance: None,
            waiting: None,
            just_written: false,
            watched_since: now,
            stale_watch: false,
            unheard: None,
            mute_watches: 0,
            poll_pause: POLL_PAUSE,
            bake_pause: POLL_PAUSE,
            decided_at: now,
            wants_alarms: false,
            looks_again: false,
            checks_at: None,
            is_thrifty: false,
            wait_ends: None,
        };
        if engine.continuation.has_begun() {
            let timeline = engine.continuation.timeline.as_ref();
            let last = timeline.map_or(0, |timeline| timeline.last);
            engine.note_mark(Mark::Resumed(last));
        }
        engine
    }

    pub(super) fn ask(&mut self, call: Call, reading: Reading, until: Timestamp, why: Pending) {
        // What is asked for although a watch has told it is to be read.
        let is_asked_again = |query: &Query| {
            matches!(query, Query::ServiceAgain(_))
                || self.snapshot.is_told(query)
                || query.is_of_traffic() && self.snapshot.is_rechecked()
        };
        let is_new = matches!(&why, Pending::Read(query) if !is_asked_again(query));
        let ask = Ask {
            fresh: self.looks_again || !is_new,
            call,
            reading,
            until,
        };
        self.asked = Some((ask, why));
    }

    pub(super) fn end(&mut self, outcome: Outcome) {
        self.outcome = Some(Box::new(outcome));
    }

    pub(super) fn pause(&mut self, pause: SignedDuration) {
        self.paused = Some(self.until.min(self.now + pause));
    }

    pub(super) fn enter(&mut self, phase: Phase) {
        let name = match &phase {
            Phase::Start => "start",
            Phase::Rollout(_) => "rollout",
            Phase::Rollback(_) => "rollback",
            Phase::Switch => "switch",
            Phase::SwitchRollback(_) => "return",
            Phase::Release(_) => "release",
        };
        if self.continuation.enter(phase) {
            self.note_mark(Mark::Phase(name.to_owned()));
            self.notes.push(Note::Phase(name));
        }
    }

    /// In a while, but not in the last part of this invocation.
    pub(super) fn soon(&self, limit: SignedDuration) -> Timestamp {
        let left = self
            .until
            .duration_since(self.now)
            .max(SignedDuration::ZERO);
        self.now + limit.min(left / 3)
    }
}
