//! The same deploy called for twice at once: Lambda may deliver an event again while the first
//! delivery is still at work. Both work on one revision, whose record tells how far it came: it is
//! only ever written as it was read, so that the first one to write an end, or that the revision is
//! taken back, decides for both.

use super::super::brief::in_short;
use super::super::model::Note;
use super::super::trouble::CONFLICTS;
use super::model::{ReleaseEngine, Stage, Task};
use super::reading::{Found, found};
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::release::{ReleaseCause, WayBack};
use crate::snapshot::Reply;
use crate::state::continuation::{RecordedFailure, ReleasePhase};
use crate::state::release::{Heading, Status};
use serde_json::Value;

impl ReleaseEngine {
    /// Whether the record is read again before the next step is applied: what the other invocation
    /// has taken back is not applied once more.
    pub(super) fn reads_record_first(&mut self) -> bool {
        let reads = self.twin.may_live && !self.twin.is_read && self.record.is_some();
        self.twin.is_read = reads;
        if reads {
            self.push(Task::Reread);
        }
        reads
    }

    /// Writes into the record that the revision is taken back, unless it says so already.
    pub(super) fn record_way_back(&mut self, failure: &RecordedFailure) {
        let Some(record) = &mut self.record else {
            return;
        };
        if record.heading.has_failed() {
            return;
        }
        let account = WayBack {
            failure: Some(Box::new(failure.clone())),
            ..WayBack::default()
        };
        record.heading.cause = Some(failure.cause.clone());
        record.heading.failed_at = Some(self.now);
        record.heading.way_back = account.packed();
        self.push(Task::Close);
    }

    /// Takes the answer to a write of how far the revision came.
    pub(super) fn closed(&mut self, call: Call, result: Reply) {
        match found(result) {
            Ok(Found::Object(secret)) => self.keep_version(&secret),
            Ok(Found::Nothing | Found::NotServed) => {}
            Err(CallError::Refused(refusal)) if refusal.code == 409 => {
                self.conflicts += 1;
                match (self.conflicts > CONFLICTS, &mut self.record) {
                    // What keeps rewriting the record is not a deploy.
                    (true, Some(record)) => {
                        record.heading.version = None;
                        self.push(Task::Close);
                    }
                    _ => self.push_after_race(self.conflicts, Task::Reread),
                }
            }
            // What was written is taken back all the same.
            Err(CallError::Refused(refusal))
                if self.stage == Stage::BackRecorded && !refusal.may_pass() =>
            {
                let name = self.record.as_ref().map(|record| record.heading.name());
                let why = in_short(&CallError::Refused(refusal));
                self.notes.push(Note::Left(name.unwrap_or_default(), why));
            }
            Err(error) => self.trouble(Task::Close, call, error),
        }
    }

    /// Keeps the version of the record, to which its next write is bound.
    pub(super) fn keep_version(&mut self, secret: &Value) {
        if let Some(record) = &mut self.record {
            let version = secret["metadata"]["resourceVersion"].as_str();
            record.heading.version = version.map(str::to_owned);
        }
    }

    /// Takes the record as it is now.
    pub(super) fn reread(&mut self, call: Call, result: Reply) {
        let found = match result {
            Ok(list) => list.items().iter().find_map(Heading::read),
            Err(CallError::Refused(refusal)) if !refusal.may_pass() => None,
            Err(error) => return self.trouble(Task::Reread, call, error),
        };
        let Some(record) = &mut self.record else {
            return;
        };
        record.heading.version = found.as_ref().and_then(|found| found.version.clone());
        let is_step = matches!(self.stage, Stage::Apply(_));
        let Some(found) = found else {
            // It is not there or may not be read, so that nobody tells of another invocation.
            if !is_step {
                self.push(Task::Close);
            }
            return;
        };
        let is_written = !is_step && record.heading.ends_as(&found);
        match self.stage {
            _ if is_written => {}
            // What looked like somebody else's change was the other one's way back.
            Stage::CloseFailed if found.has_failed() && !self.way_back.tried => {
                self.fails_as(found);
            }
            Stage::CloseFailed if found.status == Status::Failed => {
                self.failure = Some(ReleaseCause::Recorded(failure_of(&found)));
            }
            // Nothing was taken back by this invocation, and the other one saw it serve.
            Stage::CloseFailed if found.status.was_good() => {}
            Stage::CloseFailed => self.push(Task::Close),
            _ if found.has_failed() => self.fails_as(found),
            _ if found.status.was_good() => {
                self.enter(ReleasePhase {
                    revision: found.revision,
                    way_back: None,
                });
                self.begin_anew();
            }
            _ if is_step => {}
            _ => self.push(Task::Close),
        }
    }

    /// The record tells that the revision failed: what this invocation has written is taken back,
    /// and the same failure is told.
    pub(super) fn fails_as(&mut self, heading: Heading) {
        self.queue.clear();
        self.later.clear();
        let is_over = heading.status == Status::Failed;
        let account = is_over.then(|| self.account_of(&heading));
        self.failure = Some(ReleaseCause::Recorded(failure_of(&heading)));
        if let Some(record) = &mut self.record {
            record.heading = heading;
        }
        let has_written = self.items.iter().any(|item| item.begun);
        match account.filter(|_| !has_written) {
            // Only the lock and the report may be missing.
            Some(account) => {
                self.way_back = account;
                self.stage = Stage::CloseFailed;
            }
            None => {
                self.is_resumed = true;
                self.stage = Stage::WayBack;
            }
        }
    }

    fn account_of(&mut self, heading: &Heading) -> WayBack {
        let mut account = recorded(heading).unwrap_or(WayBack {
            tried: self.request.rollback,
            ..WayBack::default()
        });
        account.failure = None;
        self.twin.account = Some(account.clone());
        account
    }

    /// Adds what the other invocation did to what this one did once more.
    pub(super) fn add_account_of_twin(&mut self) {
        let Some(account) = self.twin.account.take().filter(|_| self.way_back.tried) else {
            return;
        };
        let backs = &self.backs;
        let is_new = |id: &_| !backs.iter().any(|back| back.id == *id);
        let way_back = &mut self.way_back;
        for (ours, theirs) in [
            (&mut way_back.restored, account.restored),
            (&mut way_back.deleted, account.deleted),
        ] {
            let missing = theirs.into_iter().filter(|id| !ours.contains(id));
            let missing = missing.collect::<Vec<_>>();
            ours.extend(missing);
        }
        let left = account.left.into_iter().filter(|(id, _)| is_new(id));
        way_back.left.extend(left);
        let unserved = account.unserved.into_iter().filter(|(id, _)| is_new(id));
        way_back.unserved.extend(unserved);
    }
}

/// What was done about a failed revision, as its record tells it.
pub(super) fn recorded(heading: &Heading) -> Option<WayBack> {
    heading.way_back.as_deref().and_then(WayBack::unpacked)
}

/// Why a revision failed, as its record tells it.
pub(super) fn failure_of(heading: &Heading) -> RecordedFailure {
    let failure = recorded(heading).and_then(|account| account.failure);
    let cause = heading.cause.as_deref().unwrap_or_default();
    failure.map_or_else(|| RecordedFailure::of(cause), |failure| *failure)
}
