//! Everything serves: the record is closed, what is not in the release any more is deleted, old
//! records are forgotten, and the lock is given back.

use super::super::brief::in_short;
use super::super::model::Note;
use super::super::trouble::{CONFLICTS, OUTAGE_PAUSE};
use super::item::{Item, State};
use super::model::{ReleaseEngine, ReleaseOutcome, Stage, Task};
use super::reading::{Found, found};
use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::kubernetes::object::held_by;
use crate::kubernetes::object_id::ObjectId;
use crate::release::order::{Step, own_groups, reversed_among, waits_for_removal};
use crate::release::{LeftReason, ReleaseNote};
use crate::snapshot::{Reply, Response};
use crate::state::release::history::outdated;
use crate::state::release::{Before, Heading, Status};
use std::collections::BTreeSet;

/// What a revision did to an object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    New,
    Changed,
    Not,
}

impl ReleaseEngine {
    /// The next stage of the end.
    pub(super) fn settle(&mut self) {
        match self.stage {
            // What is deleted comes before the record is closed: once it is, nothing says any more
            // what the release had before.
            Stage::Close => {
                self.old_steps = self.order_of_prunes();
                self.stage = Stage::Prune(0);
            }
            Stage::Prune(step) if step < self.old_steps.len() => {
                for old in self.old_steps[step].members.clone() {
                    self.push(Task::Prune(old));
                }
                self.stage = Stage::Pruned(step);
            }
            Stage::Pruned(step) => {
                let Step { rank, members, .. } = &self.old_steps[step];
                let members = members.iter().filter(|_| waits_for_removal(*rank));
                for old in members.copied().collect::<Vec<_>>() {
                    self.push(Task::Pruned(old));
                }
                self.stage = Stage::Prune(step + 1);
            }
            Stage::Prune(_) => {
                if let Some(record) = &mut self.record {
                    record.heading.status = Status::Deployed;
                    self.push(Task::Close);
                }
                self.stage = Stage::Tidy;
            }
            Stage::Tidy => {
                if self.record.is_some() {
                    self.push(Task::Headings);
                }
                self.stage = Stage::Forget;
            }
            Stage::Forget => {
                self.unlock();
                self.stage = Stage::Unlock;
            }
            _ => {
                if self.is_race_lost
                    && let Some(by) = self.overtaken_by()
                {
                    let wrote = self.success.wrote;
                    return self.out_of_sync(by, wrote);
                }
                if !self.unlocks_again() {
                    self.stage = Stage::Done;
                }
            }
        }
    }

    /// Gives the lock back, also one that an earlier invocation or job of this execution was killed
    /// with, or any deploy so long ago that it counts no longer. The parent covers what is still
    /// there.
    pub(super) fn unlock(&mut self) {
        let (execution, now) = (&self.request.execution, self.now);
        let lock = self.parent.lock.as_ref();
        let is_theirs = self.overtaken_by().is_some();
        if is_theirs || lock.is_none_or(|lock| lock.execution != *execution && lock.holds(now)) {
            return;
        }
        let kept = self.olds.iter().filter(|old| !old.gone);
        let kept = kept.map(|old| old.object.id.clone());
        let ids = self.ids().into_iter().chain(kept).collect::<Vec<_>>();
        if self.failure.is_none() {
            self.parent.hold_only(&ids);
        }
        if self.record.is_none() && self.is_unrecorded {
            // Who locked it last died before there was a record, and wrote nothing else.
            self.parent.revision = self.newest().map_or(0, |it| it.heading.revision);
        }
        self.parent = self.parent.unlocked();
        self.push(Task::Parented);
    }

    /// What the release has no more and is deleted: what came last first.
    fn order_of_prunes(&self) -> Vec<Step> {
        let doomed = |old: &&usize| {
            let old = &self.olds[**old];
            matches!(old.fate, Some(Ok(_))) && !old.gone
        };
        let all = (0..self.olds.len()).collect::<Vec<_>>();
        let doomed = all.iter().filter(doomed).copied().collect::<Vec<_>>();
        let objects = doomed.iter().map(|old| &self.olds[*old].object);
        let ids = objects.map(|it| (&it.id, it.wave)).collect::<Vec<_>>();
        let mut steps = reversed_among(&ids, &self.own_groups());
        for member in steps.iter_mut().flat_map(|step| &mut step.members) {
            *member = doomed[*member];
        }
        steps
    }

    /// The groups of the definitions that the release has or had: their controllers are workloads
    /// of it.
    pub(super) fn own_groups(&self) -> BTreeSet<&str> {
        let olds = self.olds.iter().map(|old| &old.object.id);
        own_groups(self.items.iter().map(|item| &item.id).chain(olds))
    }

    /// An object that is to be deleted was read again.
    pub(super) fn prune_again(&mut self, place: usize) {
        let is_doomed = matches!(self.olds[place].fate, Some(Ok(_)));
        if matches!(self.stage, Stage::Pruned(_)) && is_doomed && !self.olds[place].gone {
            self.push(Task::Prune(place));
        }
    }

    /// Takes the answer to a task of the end. What fails here is told, and fails nothing.
    pub(super) fn settled(&mut self, task: Task, call: Call, result: Reply) {
        match task {
            Task::Prune(old) => self.pruned(old, call, result),
            Task::Pruned(old) => self.pruned_yet(old, call, result),
            Task::Headings => {
                let list = result.map(Response::items).unwrap_or_default();
                let headings = list.iter().filter_map(Heading::read).collect::<Vec<_>>();
                for revision in outdated(&headings) {
                    self.push(Task::Forget(revision));
                }
            }
            Task::Forget(revision) => {
                if let Err(error) = found(result) {
                    let name = Heading::name_for(&self.request.name, revision);
                    self.notes.push(Note::Left(name, in_short(&error)));
                }
            }
            _ => match found(result) {
                Ok(_) => {}
                Err(error) => self.trouble(task, call, error),
            },
        }
    }

    fn pruned(&mut self, place: usize, call: Call, result: Reply) {
        match found(result) {
            Ok(Found::NotServed) => self.not_served(place),
            Ok(found) => {
                if let Found::Object(live) = found {
                    self.olds[place].held = held_by(&live).unwrap_or_default();
                }
                self.olds[place].gone = true;
                let id = self.olds[place].object.id.clone();
                self.success.deleted.push(id);
            }
            // Its controller writes its status, or somebody changed it since it was read: what it
            // says now counts.
            Err(CallError::Refused(refusal)) if refusal.code == 409 => {
                let old = &mut self.olds[place];
                old.conflicts += 1;
                match old.conflicts {
                    races if races <= CONFLICTS => self.push_after_race(races, Task::GetOld(place)),
                    _ => old.fate = Some(Err(LeftReason::Changed)),
                }
            }
            Err(CallError::Refused(refusal))
                if refusal.may_pass() && self.olds[place].conflicts < CONFLICTS =>
            {
                self.olds[place].conflicts += 1;
                self.push_at(self.until.min(self.now + OUTAGE_PAUSE), Task::Prune(place));
            }
            Err(error @ (CallError::Unreachable(_) | CallError::OutOfTime)) => {
                self.trouble(Task::Prune(place), call, error);
            }
            Err(error) => {
                let why = LeftReason::Refused(in_short(&error));
                self.olds[place].fate = Some(Err(why));
            }
        }
    }

    /// Everything is done.
    pub(super) fn finish(&mut self) {
        let mut success = std::mem::take(&mut self.success);
        for item in &self.items {
            match self.written(item) {
                Written::New => success.new += 1,
                Written::Changed => success.changed += 1,
                Written::Not => success.unchanged += 1,
            }
            if let State::Serves(workload) = &item.state {
                success.workloads.push((**workload).clone());
            }
        }
        let kept = self.olds.iter().filter(|old| !old.gone);
        let (not_asked, kept): (Vec<_>, Vec<_>) =
            kept.partition(|old| old.fate == Some(Err(LeftReason::NotAsked)));
        let kept = kept.into_iter().filter_map(|old| match &old.fate {
            Some(Err(reason)) => Some((old.object.id.clone(), reason.clone())),
            _ => None,
        });
        success.kept = kept.collect();
        let not_pruned = not_asked.into_iter().map(|old| old.object.id.clone());
        let not_pruned: Vec<ObjectId> = not_pruned.collect();
        success.notes = std::mem::take(&mut self.said);
        if !not_pruned.is_empty() {
            success.notes.push(ReleaseNote::NotPruned(not_pruned));
        }
        let held = self.olds.iter().filter(|old| !old.held.is_empty());
        let held = held.map(|old| ReleaseNote::Held(old.object.id.clone(), old.held.clone()));
        success.notes.extend(held);
        success.committed = self.record.as_ref().and_then(|it| it.heading.committed);
        let newest = self.record.as_ref().or_else(|| self.current());
        let newest = newest.map(|it| &it.heading);
        // What another execution has released served before this one, too.
        let is_own = newest.is_some_and(|it| it.execution == self.request.execution);
        success.previous = newest.and_then(|it| match is_own {
            true => it.previous,
            false => Some(it.revision),
        });
        success.back_to = self.returning.to;
        let own = self.record.as_ref();
        success.returned_from = own.and_then(|record| record.heading.returned_from);
        self.end(ReleaseOutcome::Finished(Box::new(success)));
    }

    /// What this revision did to an object, in this invocation or an earlier one.
    pub(super) fn written(&self, item: &Item) -> Written {
        // What its manifest says in other words is as it was.
        if !item.wrote && !self.is_resumed {
            return Written::Not;
        }
        let now = self.record.as_ref().and_then(|it| it.find(&item.id));
        let good = self.good().and_then(|it| it.find(&item.id));
        match (now, good) {
            (Some(now), None) if now.before == Before::Absent => Written::New,
            (Some(now), Some(good)) if now.manifest != good.manifest => Written::Changed,
            (Some(_), None) => Written::Changed,
            (_, _) if item.wrote && item.live.is_none() => Written::New,
            (_, _) if item.wrote => Written::Changed,
            (_, _) => Written::Not,
        }
    }

    /// What is waited for, and what it says of itself.
    pub(super) fn waiting_for(&self, at_most: usize) -> Vec<(ObjectId, String)> {
        let open = self.items.iter().filter(|item| !item.is_done());
        let open = open.filter(|item| item.is_waited_for).take(at_most);
        open.map(|item| {
            let said = match (&item.state, &item.follower) {
                (_, Some(follower)) => follower.waits_for(),
                (State::Waiting(wait), None) => crate::report::release::waiting(wait),
                (State::Pending | State::Ready | State::Serves(_), None) => String::new(),
            };
            (item.id.clone(), said)
        })
        .collect()
    }
}
