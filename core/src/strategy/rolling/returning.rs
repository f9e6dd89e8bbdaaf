//! Rollback on demand: an earlier version is deployed again, from the ReplicaSet or
//! ControllerRevision that the cluster still has. From its write on it is a deploy like any other,
//! with a way back of its own.

use super::super::action::Action;
use super::super::decision::Decision;
use super::super::guarding;
use super::super::result::Failure;
use super::super::waiting::crowded;
use super::context::{Context, Next};
use crate::change;
use crate::kubernetes::object::timestamp;
use crate::problem::Fault;
use crate::request::ReturnTarget;
use crate::snapshot::Query;
use crate::state::awaited::Awaited;
use crate::state::baseline::Previous;
use crate::state::continuation::{Phase, Rollout};
use crate::state::marks;
use crate::text::listed;
use crate::workload::replica_set::{ReplicaSet, own};
use crate::workload::{Kind, Workload, health};
use jiff::{SignedDuration, Timestamp};
use std::time::Duration;

/// How many versions a fault lists.
const LISTED: usize = 5;

impl Context<'_> {
    /// The one write of a rollback on demand, or why there is none.
    pub(super) fn go_back(&self, live: &Workload) -> Next {
        if let Some(end) = self.went_back(live)? {
            return Ok(end);
        }
        let sets = self.snapshot.replica_sets(live)?;
        if let Some(to) = self.undone(live, sets) {
            return Ok(self.follow_undo(live, sets, &to));
        }
        if self.comes_back(live) {
            return Ok(self.follow_return(live));
        }
        let to = match target(self.request.to.as_ref(), live, sets) {
            Ok(to) => to,
            Err(fault) => return Ok(Decision::GiveUp(Failure::Faults(vec![fault]))),
        };
        let fault = match self.previous_template(&to.name, live)? {
            Ok(Some(template)) if live.has_template(&template) => {
                return Ok(self.already_there(live));
            }
            Ok(Some(template)) => {
                let author = self.author();
                let from = own(live, sets)
                    .find(|set| set.is_live(live))
                    .map(Previous::of);
                let versions = (from.as_ref(), &to);
                let patch =
                    change::bring_back(self.request, live, sets, versions, &template, &author);
                return Ok(Decision::Act(Action::Patch(patch)));
            }
            Ok(None) => gone(live, sets, &to),
            Err(why) => {
                let problem = format!("revision {} cannot be read: {why}", to.revision);
                refused(&problem)
            }
        };
        Ok(Decision::GiveUp(Failure::Faults(vec![fault])))
    }

    /// The version that a failed deploy is being rolled back to right now. A rollback on demand
    /// asks for just that, and goes no further.
    fn undone(&self, live: &Workload, sets: &[ReplicaSet]) -> Option<Previous> {
        let is_marked = live.annotation(marks::ROLLED_BACK).is_some();
        let is_under_way = is_marked && is_open(live) && self.request.to.is_none();
        let served = Previous::recorded(live).filter(|_| is_under_way)?;
        let mut sets = own(live, sets);
        let is_back = sets.any(|set| set.name == served.name && set.is_live(live));
        is_back.then_some(served)
    }

    /// Whether another rollback on demand is under way, or has brought a version back since this
    /// one began: to go on from there would bring back what that one took away. A retry of one that
    /// followed another stays with that.
    fn comes_back(&self, live: &Workload) -> bool {
        let at = live.annotation(marks::DEPLOYED_AT).and_then(timestamp);
        let is_since = at.is_some_and(|at| self.is_under_way(live, at))
            || awaited(live).is_some_and(|it| it.executions.contains(&self.request.execution));
        let is_other = live.annotation(marks::EXECUTION) != Some(&self.request.execution);
        let has_failed = live.annotation(marks::ROLLED_BACK).is_some();
        let is_return = live.annotation(marks::RETURNED_TO).is_some() && !has_failed;
        self.request.to.is_none() && is_return && is_other && is_since
    }

    /// Whether what was written at this time was not at its end when this one began. Its `bake`
    /// is taken to be as long as this one's; what did not come to its end in the time that this one
    /// has, has died, or was left as it is.
    fn is_under_way(&self, live: &Workload, at: Timestamp) -> bool {
        let watched = self.request.is_watched() && !guarding::was_watched_to_its_end(live);
        let longest = match (watched, is_open(live)) {
            (true, _) => self.request.timeout + self.request.bake,
            (false, true) => self.request.timeout,
            (false, false) => Duration::ZERO,
        };
        let age = self.continuation.started.duration_since(at);
        age <= SignedDuration::ZERO || age.unsigned_abs() < longest
    }

    /// Follows another rollback on demand, and notes that; refused where there is no room for it.
    fn follow_return(&self, live: &Workload) -> Decision {
        let job = live.annotation(marks::JOB).unwrap_or_default();
        let noted = awaited(live);
        let execution = &self.request.execution;
        let is_new = |it: &Awaited| !it.executions.contains(execution);
        if self.request.mode.is_plan() || !noted.as_ref().is_none_or(is_new) {
            return self.already_there(live);
        }
        match Awaited::with(noted, execution, job, self.now) {
            Some(note) => self.note(live, change::awaited(live, &note), (Phase::Start, None)),
            None => Decision::GiveUp(Failure::Faults(vec![crowded()])),
        }
    }

    /// Makes that way back this rollback's own: it is followed and judged, and a retry knows it.
    fn follow_undo(&self, live: &Workload, sets: &[ReplicaSet], to: &Previous) -> Decision {
        let failed = live.annotation(marks::ROLLED_BACK);
        let left = own(live, sets).filter(|set| failed == Some(&set.job) && !set.is_live(live));
        let left = left.max_by_key(|set| set.revision).map(Previous::of);
        let author = self.author();
        let versions = (left.as_ref(), to);
        let patch = change::came_back(self.request, live, versions, &author);
        self.note(live, patch, (Phase::Start, None))
    }

    /// Somebody else has changed the template that this rollback brought back: the end of it.
    pub(super) fn changed_since_return(&self, live: &Workload) -> Result<Option<Decision>, Query> {
        let to = live.annotation(marks::RETURNED_TO).and_then(Previous::read);
        match to.filter(|_| self.request.mode.is_rollback()) {
            Some(to) => self.returned_elsewhere(live, &to),
            None => Ok(None),
        }
    }

    fn returned_elsewhere(
        &self,
        live: &Workload,
        to: &Previous,
    ) -> Result<Option<Decision>, Query> {
        if let Ok(Some(template)) = self.previous_template(&to.name, live)?
            && !live.has_template(&template)
        {
            let by = self.other_author(live);
            let by = by.filter(|by| *by != self.request.execution);
            let end = Failure::OutOfSync { by, wrote: true };
            return Ok(Some(Decision::GiveUp(end)));
        }
        Ok(None)
    }

    /// The same execution has rolled back already: its stage was retried. What it brought back is
    /// followed, and nothing is rolled back a second time.
    fn went_back(&self, live: &Workload) -> Result<Option<Decision>, Query> {
        let is_ours = live.annotation(marks::EXECUTION) == Some(&self.request.execution);
        let to = live.annotation(marks::RETURNED_TO).and_then(Previous::read);
        let failed = live.annotation(marks::ROLLED_BACK).is_some();
        let Some(to) = to.filter(|_| is_ours && !failed) else {
            return Ok(None);
        };
        if let Some(end) = self.returned_elsewhere(live, &to)? {
            return Ok(Some(end));
        }
        let decision = self.already_there(live);
        let Decision::Enter(Phase::Rollout(rollout)) = decision else {
            // What a dead deploy left is taken over.
            return Ok(Some(decision));
        };
        Ok(Some(Decision::Enter(Phase::Rollout(Rollout {
            previous: Previous::recorded(live),
            ..rollout
        }))))
    }
}

/// The rollbacks on demand that follow the one that was written last.
fn awaited(live: &Workload) -> Option<Awaited> {
    Awaited::read(live.annotation(marks::AWAITED)?)
}

/// Whether a rollout is not complete. Of the other kinds one that was is not told from one pod that
/// fails now.
fn is_open(live: &Workload) -> bool {
    match live.kind() {
        Kind::Deployment => !health::was_rolled_out(live),
        Kind::StatefulSet | Kind::DaemonSet | Kind::Job => {
            live.updated_replicas() < live.replicas()
        }
    }
}

/// The version to bring back: the one that is named, else the one that served before.
pub(super) fn target(
    to: Option<&ReturnTarget>,
    live: &Workload,
    sets: &[ReplicaSet],
) -> Result<Previous, Fault> {
    match to {
        Some(to) => named(to, live, sets),
        None => served_before(live, sets),
    }
}

fn named(to: &ReturnTarget, live: &Workload, sets: &[ReplicaSet]) -> Result<Previous, Fault> {
    let is_it = |set: &&ReplicaSet| {
        to.revision() == Some(set.revision)
            || set.name == to.text()
            || set.images.iter().any(|image| image == to.text())
    };
    // Two revisions may have the same image: the one that runs is not rolled back for the other.
    let found = own(live, sets).filter(is_it);
    let found = found.max_by_key(|set| (set.is_live(live), set.revision));
    found.map(Previous::of).ok_or_else(|| {
        Fault::new(
            "to",
            format!(
                "is `{}`, and {} `{}` has no such revision or image; {}",
                to.text(),
                live.kind().word(),
                live.name(),
                revisions(live, sets)
            ),
        )
    })
}

/// The version that served before the one that is there now.
fn served_before(live: &Workload, sets: &[ReplicaSet]) -> Result<Previous, Fault> {
    let is_live = |name: &str| sets.iter().any(|set| set.name == name && set.is_live(live));
    let noted = Previous::all_recorded(live);
    let noted = noted.into_iter().find(|one| !is_live(&one.name));
    let failed = live.annotation(marks::ROLLED_BACK).is_some();
    let job = live.annotation(marks::JOB).unwrap_or_default();
    let others = own(live, sets).filter(|set| !set.is_live(live));
    // Our last deploy made this one, and somebody else has changed the template since.
    let ours = others
        .clone()
        .filter(|set| !job.is_empty() && set.job == job);
    let ours = ours.max_by_key(|set| set.revision).filter(|_| !failed);
    if let Some(ours) = ours
        && noted
            .as_ref()
            .is_none_or(|one| one.revision < ours.revision)
    {
        return Ok(Previous::of(ours));
    }
    if let Some(noted) = noted {
        return match own(live, sets).any(|set| set.name == noted.name) {
            true => Ok(noted),
            false => Err(gone(live, sets, &noted)),
        };
    }
    // Nothing of ours was deployed: the newest, without what is known to have failed.
    let others = others.filter(|set| !(failed && set.job == job));
    let newest = others.max_by_key(|set| set.revision);
    newest.map(Previous::of).ok_or_else(|| {
        refused(&format!(
            "{} `{}` has no earlier version that could be brought back; {}",
            live.kind().word(),
            live.name(),
            revisions(live, sets)
        ))
    })
}

fn refused(problem: &str) -> Fault {
    Fault::new("mode", format!("is `rollback`, and {problem}"))
}

fn gone(live: &Workload, sets: &[ReplicaSet], to: &Previous) -> Fault {
    refused(&format!(
        "revision {}, which served before, no longer exists (revisionHistoryLimit): deploy that \
         version again, or name another one by `to`; {}",
        to.revision,
        revisions(live, sets)
    ))
}

/// The revisions that there are, the newest first.
fn revisions(live: &Workload, sets: &[ReplicaSet]) -> String {
    let mut all = own(live, sets).collect::<Vec<_>>();
    all.sort_by_key(|set| std::cmp::Reverse(set.revision));
    let more = all.len().saturating_sub(LISTED);
    let told = all.iter().take(LISTED).map(|set| {
        let image = set.images.first().map_or("no image", String::as_str);
        format!("{} ({image})", set.revision)
    });
    let told = listed(told.collect());
    match (all.len(), more) {
        (0, _) => "the cluster has no revision of it".to_owned(),
        (1, _) => format!("its only revision is {told}"),
        (_, 0) => format!("its revisions are {told}"),
        (_, more) => format!("its newest revisions are {told}, and there are {more} more"),
    }
}

#[cfg(test)]
mod tests;
