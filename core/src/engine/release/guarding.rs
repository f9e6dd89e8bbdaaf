//! The CloudWatch alarms that guard a release: read before the first write, and judged from then on
//! until the end of its bake.

use super::super::guarding::{BAKE_PERIOD, Opening, PAUSE, PERIOD, READING, notes, opening};
use super::super::model::AlarmsAsk;
use super::model::{ReleaseEngine, Stage, Task};
use crate::alarm::{Alarm, AlarmsError, AlarmsRefusal};
use crate::release::{ReleaseCause, ReleaseFailure};
use crate::state::guard::LastReading;
use crate::state::release::{Heading, Status};
use jiff::Timestamp;

impl ReleaseEngine {
    /// The alarms, where they are to be read now.
    pub(super) fn alarms(&mut self) -> Option<AlarmsAsk> {
        let is_due = self.alarms_due().is_some_and(|due| due <= self.now);
        let alarms = self.request.alarms.as_ref().filter(|_| is_due)?;
        self.reads_alarms = true;
        Some(AlarmsAsk {
            names: alarms.names.clone(),
            until: self.until.min(self.now + READING),
        })
    }

    /// When the alarms are to be read next; `None` where nothing is to be guarded, or while they
    /// are read.
    pub(super) fn alarms_due(&self) -> Option<Timestamp> {
        let guard = &self.continuation.guard;
        if self.request.alarms.is_none() || self.reads_alarms {
            return None;
        }
        let period = match self.stage {
            _ if self.wants_alarms => return Some(Timestamp::MIN),
            Stage::Lock if guard.error.is_some() => PAUSE,
            _ if !self.is_guarded() => return None,
            Stage::Bake => BAKE_PERIOD,
            _ => PERIOD,
        };
        Some(guard.tried.map_or(Timestamp::MIN, |tried| tried + period))
    }

    /// Whether something was written that the alarms are to judge.
    fn is_guarded(&self) -> bool {
        let stage = matches!(
            self.stage,
            Stage::Apply(_) | Stage::Ready(_) | Stage::Follow | Stage::Bake
        );
        let is_judged = self.continuation.guard.judgement.is_some();
        stage && self.continuation.has_begun() && self.record.is_some() && !is_judged
    }

    /// Takes the alarms as they were read.
    pub fn alarmed(&mut self, result: Result<Vec<Alarm>, AlarmsError>, now: Timestamp) {
        self.now = now;
        self.wants_alarms = false;
        self.reads_alarms = false;
        let Some(alarms) = &self.request.alarms else {
            return;
        };
        let dead = self.dead_since();
        let returns = self
            .record
            .as_ref()
            .is_some_and(|it| it.heading.returned_from.is_some());
        let ignores_ringing = self.request.watch().ignores_ringing || returns;
        let guard = &mut self.continuation.guard;
        // Nothing is guarded yet: what rang until now rang before the release.
        if self.record.is_none() {
            guard.forget();
        }
        let was_judged = guard.judgement.is_some();
        guard.read(&alarms.names, result, now);
        // An invocation that knows nothing of the one before has the time of its record.
        if let Some(record) = &self.record {
            let began = dead.map_or(record.heading.at, |dead| dead.min(record.heading.at));
            guard.began(began, ignores_ringing);
        }
        let is_judged = guard.judgement.is_some() && !was_judged;
        self.notes.extend(notes(guard, is_judged, self.mask));
        self.judge_by_alarms();
    }

    /// Since when there is what a dead job of this execution has left: its alarms guard that.
    fn dead_since(&self) -> Option<Timestamp> {
        self.dead().map(|it| it.at).min()
    }

    /// What dead jobs of this execution have recorded.
    pub(super) fn dead(&self) -> impl Iterator<Item = &Heading> {
        let headings = self.records.iter().map(|record| &record.heading);
        headings.filter(|it| {
            it.status == Status::Pending
                && it.execution == self.request.execution
                && it.job != self.continuation.job
        })
    }

    /// Ends the release if the alarms speak against it.
    fn judge_by_alarms(&mut self) {
        let is_at_work = matches!(
            self.stage,
            Stage::Apply(_) | Stage::Ready(_) | Stage::Follow | Stage::Bake
        );
        let judgement = self.continuation.guard.judgement.clone();
        if let Some(judgement) = judgement.filter(|_| is_at_work && self.record.is_some()) {
            self.doom(ReleaseCause::Alarms(judgement));
        }
    }

    /// Whether the release may go on to write, by its alarms. `false` while they are read, and
    /// where it ends because of them.
    pub(super) fn is_let_by_alarms(&mut self) -> bool {
        let is_there = self.request.alarms.is_some();
        if !is_there || self.record.is_some() {
            return true;
        }
        // What a dead job of this execution left may be why one rings: it is judged and taken back.
        let is_left = self.dead_since().is_some();
        let counts =
            !is_left && !self.is_as_it_should_be() && !self.request.watch().ignores_ringing;
        let deadline = self.continuation.deadline;
        match opening(&self.continuation.guard, counts, deadline, self.now) {
            Opening::Open => return true,
            Opening::Read => self.wants_alarms = true,
            Opening::Pause(pause) => self.push_at(self.now + pause, Task::Wake),
            Opening::Refused(why) => {
                let is_ringing = matches!(why, AlarmsRefusal::Ringing(_));
                match is_ringing.then(|| self.served_before()) {
                    Some(None) => {}
                    Some(Some(true)) => return true,
                    Some(Some(false)) if self.request.mode.is_plan() => return true,
                    Some(Some(false)) | None => self.fail(ReleaseFailure::Alarms(why)),
                }
            }
        }
        false
    }

    /// Whether the alarms were read at the end of the bake or later. Throttling alone is not waited
    /// for.
    pub(super) fn were_alarms_read_at(&mut self, end: Timestamp) -> bool {
        if self.request.alarms.is_none() {
            return true;
        }
        match self.continuation.guard.last_reading(end) {
            LastReading::Early => self.wants_alarms = true,
            LastReading::Failed => self.push_at(self.now + PERIOD, Task::Wake),
            LastReading::Made => return true,
        }
        false
    }
}
