//! A rollout that is followed: to its end, or until its pods show that it never ends.

mod pods;

use super::causes::{RolloutCause, RolloutFailure, Stop};
use super::decision::{Decision, Stage, Wait};
pub use super::pauses::{CATCHING_UP, LONG_WINDOW, PODS_WINDOW, WATCH_WINDOW, catching_up};
use crate::request::Request;
use crate::snapshot::{Query, Snapshot};
use crate::state::continuation::{Continuation, Reason, Rollout};
use crate::workload::health::diagnosis::{
    self, Cause, Diagnosis, Evidence, Finding, Served, SymptomHistory,
};
use crate::workload::health::job;
use crate::workload::health::rollout::{Obstacle, Progress, Verdict, WaitsFor};
use crate::workload::health::steadiness::{self, Roster, SECOND_LOOK, Steady};
use crate::workload::replica_set::{self, ReplicaSet};
use crate::workload::{Workload, health};
use jiff::Timestamp;
use std::time::Duration;

/// How often pods are read before a rollout fails without them: it would lose its cause.
const READINGS: u32 = 2;

/// All that following a rollout may depend on.
pub struct RolloutTracker<'a> {
    /// What is asked for.
    pub request: &'a Request,
    /// What was read.
    pub snapshot: &'a Snapshot,
    /// The rollout that is followed.
    pub rollout: &'a Rollout,
    /// What earlier looks at its pods have shown.
    pub continuation: &'a Continuation,
    /// The Deployment as it is.
    pub live: &'a Workload,
    /// The time.
    pub now: Timestamp,
    /// When it must be over.
    pub deadline: Timestamp,
    /// What its waits are about.
    pub stage: Stage,
}

/// Where a rollout stands.
#[derive(Clone, Debug, PartialEq)]
pub enum RolloutState {
    /// The new version serves.
    Serves,
    /// It goes on: something to look at, or to wait for.
    GoesOn(Decision),
    /// It came to nothing.
    Failed(RolloutFailure),
}

impl RolloutTracker<'_> {
    /// Where it stands, and what is next.
    pub fn next(&self) -> Result<RolloutState, Query> {
        match health::verdict(self.live, &self.rollout.written, self.now) {
            Verdict::Complete => {
                let sets = self.snapshot.replica_sets(self.live)?;
                match health::holds_the_pods(self.live, sets) {
                    true => self.watched(sets),
                    false => self.wait_or_fail(waiting_for_replica_set(self.live), CATCHING_UP),
                }
            }
            Verdict::Progressing(progress) => self.follow(progress),
            // Its own pods are well, and Kubernetes goes on as soon as there is room for others.
            Verdict::Failed(progress) if self.lacks_only_more() => self.follow(progress),
            Verdict::Failed(progress) => self.fail(Some(self.given_up(progress))),
        }
    }

    /// All pods are available. Those of a version that is watched are looked at when that begins,
    /// because what came before does not count, and when it ends; meanwhile whenever one is not
    /// ready.
    fn watched(&self, sets: &[ReplicaSet]) -> Result<RolloutState, Query> {
        let state = self.serves(sets)?;
        let Some(until) = self
            .watched_until()
            .filter(|_| state == RolloutState::Serves)
        else {
            return Ok(state);
        };
        let sights = &self.continuation.sights;
        let remember = |served| {
            let served = Some(served);
            let sights = sights.clone();
            RolloutState::GoesOn(Decision::Remember(SymptomHistory { served, ..sights }))
        };
        let (is_over, wanted) = (self.now >= until, self.live.replicas());
        match &sights.served {
            Some(served) if served.wanted != wanted => {
                return Ok(remember(served.wanting(wanted)));
            }
            Some(_) if !is_over => return Ok(state),
            None if is_over => return Ok(state),
            Some(_) | None => {}
        }
        let due = if is_over {
            until
        } else {
            self.now - PODS_WINDOW
        };
        let sight = self.snapshot.pods.as_ref().filter(|sight| sight.at >= due);
        let Some(sight) = sight else {
            return self.pods_query(sets).map_or(Ok(state), Err);
        };
        if !self.sees_newest() {
            return Ok(state);
        }
        Ok(match (&sight.pods, self.diagnosis()) {
            (Ok(pods), _) if !is_over => remember(Served::of(wanted, pods)),
            (Ok(_), Diagnosis::Doomed(_)) => self.fail(None)?,
            (Ok(_) | Err(_), _) => state,
        })
    }

    /// All pods are available. Where nothing probes them they must be so for a while.
    pub fn serves(&self, sets: &[ReplicaSet]) -> Result<RolloutState, Query> {
        let held = self.steady().is_some_and(|steady| steady.held);
        if held || !steadiness::is_untested(self.live) {
            return Ok(RolloutState::Serves);
        }
        let Some(set) = replica_set::newest(self.live, sets) else {
            return Ok(RolloutState::Serves);
        };
        let roster = self.snapshot.get::<Roster>(Query::Roster {
            selector: self.live.pods_of_version(&set.template_hash),
            owner: set.pod_owner().to_owned(),
        })?;
        let progress = Progress {
            waits_for: WaitsFor::SecondLook,
            ..waiting_for_replica_set(self.live)
        };
        let Some(steady) = self.steady().filter(|steady| steady.pods == roster.pods) else {
            // A second look is worth some seconds of overtime; pods that come and go are not.
            if self.steady().is_some() && self.now >= self.deadline {
                let timeout = self.request.timeout;
                return self.fail(Some(Stop::TimedOut { timeout, progress }));
            }
            return Ok(RolloutState::GoesOn(Decision::Steady(Steady {
                since: roster.at,
                pods: roster.pods.clone(),
                held: false,
            })));
        };
        let left = (steady.since + SECOND_LOOK).duration_since(roster.at);
        Ok(match Duration::try_from(left) {
            Ok(left) if !left.is_zero() => self.wait(progress, left),
            Ok(_) | Err(_) => RolloutState::GoesOn(Decision::Steady(Steady {
                held: true,
                ..steady.clone()
            })),
        })
    }

    /// A rollout that goes on: its pods may already show that it never ends.
    fn follow(&self, mut progress: Progress) -> Result<RolloutState, Query> {
        let at_most = catching_up(&progress);
        let stands = progress.waits_for.is_stopped()
            || matches!(progress.waits_for, WaitsFor::Observation | WaitsFor::Nodes);
        if let (WaitsFor::Observation, Some(Obstacle::Told(refused))) =
            (progress.waits_for, &progress.obstacle)
        {
            let grace = self.request.patience * diagnosis::SUPPLY;
            if self.now >= self.rollout.written.at + grace || self.now >= self.deadline {
                return self.fail(Some(Stop::NoReplicaSet(refused.clone())));
            }
        }
        if stands || self.now >= self.deadline {
            return self.wait_or_fail(progress, at_most);
        }
        let next = self.next_sight();
        if next.is_zero()
            && let Some(query) = self.pods_query(self.snapshot.replica_sets(self.live)?)
        {
            return Err(query);
        }
        if let Some(pods) = &self.snapshot.pods
            && pods.pods.is_ok()
            && self.continuation.sights.last != Some(pods.at)
        {
            let sights = self.continuation.sights.with(pods, &self.since());
            return Ok(RolloutState::GoesOn(Decision::Remember(sights)));
        }
        if self.only_old_pods_are_unready() {
            return self.serves(self.snapshot.replica_sets(self.live)?);
        }
        match self.diagnosis() {
            Diagnosis::Doomed(_) => {
                let failed = self.fail(None)?;
                // Its last words, which were read last, may be that it waits for another.
                if !matches!(failed, RolloutState::Failed(_)) || !self.only_waits() {
                    return Ok(failed);
                }
            }
            Diagnosis::Suspicious(finding) => {
                progress.obstacle = Some(Obstacle::Told(self.obstacle(&finding)?));
            }
            Diagnosis::Nothing if self.wants_events_of_creation() => {
                return Err(Query::Events {
                    kind: self.live.kind().row().pod_owner,
                    name: self.live.name().to_owned(),
                });
            }
            Diagnosis::Nothing => {}
        }
        // Without a ReplicaSet there is nothing to look at, until there is one.
        let next = if next.is_zero() { PODS_WINDOW } else { next };
        self.wait_or_fail(progress, at_most.min(next))
    }

    /// For how long nodes may still come, or get the labels, that a DaemonSet lacks: its pods are
    /// gone meanwhile.
    pub fn nodes_may_come(&self, progress: &Progress) -> Option<Duration> {
        let until = (self.rollout.written.at + self.request.patience).min(self.deadline);
        let left = Duration::try_from(until.duration_since(self.now));
        (progress.waits_for == WaitsFor::Nodes).then(|| left.unwrap_or_default())
    }

    /// The first look at its pods, where nothing probes them.
    fn steady(&self) -> Option<&Steady> {
        self.continuation.steady.as_ref()
    }

    /// Why a rollout failed that is no fault of its pods.
    fn reason(&self) -> Option<Reason> {
        let verdict = health::verdict(self.live, &self.rollout.written, self.now);
        let Verdict::Progressing(progress) = verdict else {
            return None;
        };
        if progress.waits_for.is_stopped() {
            return Some(Reason::Paused);
        }
        if progress.waits_for == WaitsFor::Nodes {
            return Some(Reason::NoNode);
        }
        // A later change, an autoscaler's, may be unobserved for a moment.
        let is_unobserved = progress.waits_for == WaitsFor::Observation
            && progress.obstacle.is_none()
            && self.live.observed_generation() < self.rollout.written.generation;
        is_unobserved.then_some(Reason::Unobserved)
    }

    fn wait_or_fail(&self, progress: Progress, at_most: Duration) -> Result<RolloutState, Query> {
        if let Some(left) = self.nodes_may_come(&progress) {
            return match left.is_zero() {
                true => self.fail(Some(Stop::NoNode(progress))),
                false => Ok(self.wait(progress, at_most.min(left))),
            };
        }
        if self.now >= self.deadline {
            let timeout = self.request.timeout;
            let failed = self.fail(Some(Stop::TimedOut { timeout, progress }))?;
            // By what its pods show, which were read last.
            let is_over = matches!(failed, RolloutState::Failed(_));
            let serves = is_over && self.lacks_only_more() && self.is_alone();
            return match serves && self.lacks_only_room() {
                true => self.serves(self.snapshot.replica_sets(self.live)?),
                false => Ok(failed),
            };
        }
        let left = self.deadline.duration_since(self.now).unsigned_abs();
        Ok(self.wait(progress, at_most.min(left)))
    }

    fn wait(&self, progress: Progress, at_most: Duration) -> RolloutState {
        RolloutState::GoesOn(Decision::Wait(Wait {
            progress,
            rollback: false,
            at_most,
            stage: self.stage.clone(),
        }))
    }

    /// A failed rollout: gathers what the pods show. `stopped` says what has run out; `None` where
    /// it is doomed.
    pub fn fail(&self, stopped: Option<Stop>) -> Result<RolloutState, Query> {
        let sets = self.snapshot.replica_sets(self.live)?;
        let sight = self.snapshot.pods.as_ref();
        // What could not be read a while ago, when the cluster did not answer, may be read now.
        let missed = sight.is_some_and(|it| it.pods.is_err() && it.at + CATCHING_UP <= self.now);
        // The pods of a Job that has failed go with it: what was seen of them is kept.
        let is_kept = self.live.kind().ends()
            && sight.is_some_and(|it| it.pods.as_ref().is_ok_and(|pods| !pods.others.is_empty()));
        let stale = sight.is_none()
            || missed
            || !is_kept && (self.next_sight().is_zero() || self.misses_others(sets));
        if stale && let Some(query) = self.pods_query(sets) {
            return Err(query);
        }
        // The pods hold the cause, and a moment later they may be readable.
        if (1..READINGS).contains(&self.snapshot.pods_missed) {
            let progress = Progress {
                waits_for: WaitsFor::Availability,
                ..waiting_for_replica_set(self.live)
            };
            return Ok(self.wait(progress, CATCHING_UP));
        }
        let (since, patience) = (self.since(), self.request.patience);
        let finding = sight.and_then(|sight| diagnosis::explain(sight, since.clone(), patience));
        let finding = finding.as_ref();
        if let Some(finding) = finding {
            self.explain(finding)?;
        }
        let explanation = &self.snapshot.explanation;
        let finding = finding
            .cloned()
            .map(|finding| finding.explained(explanation));
        let finding = finding.as_ref();
        let told = finding.map(|finding| {
            let skipped = &self.request.skipped;
            let skipped = finding.skipped(self.live.kind(), skipped, explanation);
            finding.sentence(self.live, explanation) + &self.held_up(finding, sets) + &skipped
        });
        let reason = self.reason();
        // Pods that were stopped in the middle are no cause.
        let told = told.filter(|_| reason.is_none());
        Ok(RolloutState::Failed(RolloutFailure {
            cause: RolloutCause::Pods { told, stopped },
            kind: self.failed_of(finding),
            evidence: Evidence::of(self.live, sight, finding, explanation, &since, patience),
            reason,
            traffic: None,
        }))
    }

    /// Kubernetes has given the rollout up.
    pub fn given_up(&self, progress: Progress) -> Stop {
        if let Some(failure) = job::failure(self.live).filter(|_| self.live.kind().ends()) {
            return Stop::JobFailed(failure);
        }
        let seconds = self.live.progress_deadline_seconds().max(0).unsigned_abs();
        let deadline = Duration::from_secs(seconds);
        Stop::DeadlineExceeded { deadline, progress }
    }

    /// What its pods fail of, or that Kubernetes cannot create them: not one of them if it cannot
    /// even create the ReplicaSet, else not all where those that are there are well.
    fn failed_of(&self, finding: Option<&Finding>) -> Option<Cause> {
        let found = finding.map(|finding| finding.cause);
        let verdict = health::verdict(self.live, &self.rollout.written, self.now);
        let (Verdict::Progressing(progress) | Verdict::Failed(progress)) = verdict else {
            return found;
        };
        let Some(Obstacle::Told(refused)) = progress.obstacle else {
            return found;
        };
        if progress.waits_for == WaitsFor::Observation {
            return Some(Cause::PodNotCreated);
        }
        // Nobody refuses pods there.
        let is_of_pods = !matches!(progress.waits_for, WaitsFor::Nodes | WaitsFor::Manager);
        let found = found.or(Some(Cause::of_creation(&refused)));
        found.filter(|_| is_of_pods)
    }
}

/// The workload's counters are there and its newest version's are not yet.
pub fn waiting_for_replica_set(live: &Workload) -> Progress {
    Progress {
        waits_for: WaitsFor::Availability,
        available: live.available_replicas(),
        wanted: live.replicas(),
        obstacle: None,
    }
}
