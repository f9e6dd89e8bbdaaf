//! What a switch knows, what it reads, and how it makes a decision: what all of its steps share.

use crate::change::Author;
use crate::kubernetes::call::Call;
use crate::kubernetes::resource::SERVICES;
use crate::kubernetes::service::{Selector, Service, ServicePod};
use crate::problem::Fault;
use crate::request::{Request, Switch};
use crate::snapshot::{Query, Snapshot};
use crate::state::continuation::{Continuation, Phase};
use crate::state::marks;
use crate::strategy::action::{Action, Step};
use crate::strategy::author::author;
use crate::strategy::causes::{RolloutCause, RolloutFailure};
use crate::strategy::decision::{Decision, Stage, Wait};
use crate::strategy::result::{Failure, RollbackResult};
use crate::strategy::service_lock::Lock;
use crate::workload::Workload;
use crate::workload::health::rollout::{Progress, WaitsFor};
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// All that a decision may depend on.
pub(super) struct Context<'a> {
    pub(super) request: &'a Request,
    pub(super) switch: &'a Switch,
    pub(super) continuation: &'a Continuation,
    pub(super) snapshot: &'a Snapshot,
    pub(super) now: Timestamp,
}

/// Something to do first, or what comes of it.
pub(super) type Next = Result<Decision, Decision>;

impl<'a> Context<'a> {
    pub(super) fn new(
        request: &'a Request,
        switch: &'a Switch,
        continuation: &'a Continuation,
        snapshot: &'a Snapshot,
        now: Timestamp,
    ) -> Context<'a> {
        Context {
            request,
            switch,
            continuation,
            snapshot,
            now,
        }
    }
}

impl Context<'_> {
    /// The Service, where it was read and is there.
    pub(super) fn seen_service(&self) -> Option<&Service> {
        self.snapshot.seen_service(&self.switch.service)
    }

    /// Our lock on the Service, as far as that was read.
    pub(super) fn own_lock(&self) -> Option<Lock> {
        let lock = self.seen_service().and_then(Lock::read);
        lock.filter(|lock| lock.job == self.continuation.job)
    }

    /// The Service was read again since the last write or wait; what else was seen is older.
    pub(super) fn rechecked(&self) -> Result<(), Query> {
        let service = self.switch.service.clone();
        self.snapshot.get::<bool>(Query::ServiceAgain(service))?;
        Ok(())
    }

    /// Who gets traffic was read, and not told by a watch. The Service need not be: the write that
    /// follows is bound to it as it is known, and whoever changes its Deployments locks it before.
    pub(super) fn see_traffic(&self) -> Result<(), Query> {
        let told = || self.snapshot.told_of_traffic();
        let plain = Query::deployment(&self.request.deployment);
        let is_of_family = |query: &&Query| matches!(query, Query::Get(..)) && **query != plain;
        // One list has both versions.
        if told().filter(is_of_family).count() > 1 {
            return Err(Query::family(&self.request.deployment));
        }
        told().next().cloned().map_or(Ok(()), Err)
    }

    /// A pod with these labels that stays, and is of neither of two versions.
    pub(super) fn pod_of_others(
        &self,
        both: &Selector,
        live: &Workload,
        found: &Workload,
    ) -> Result<Option<&ServicePod>, Query> {
        let old = self.snapshot.replica_sets(live)?;
        let new = self.snapshot.replica_sets(found)?;
        let mut members = self.snapshot.service_pods(both)?.iter();
        let is_other = |pod: &&ServicePod| !pod.is_of(live, old) && !pod.is_of(found, new);
        Ok(members.find(|pod| !pod.going && is_other(pod)))
    }

    /// Whether the pods of a selector have a ready one among them.
    pub(super) fn has_ready(&self, selector: &Selector) -> Result<bool, Query> {
        let pods = self.snapshot.service_pods(selector)?;
        Ok(pods.iter().any(|member| member.ready))
    }

    /// The Deployment that the request names.
    pub(super) fn plain(&self) -> Result<Option<&Workload>, Query> {
        self.snapshot.deployment(&self.request.deployment)
    }

    /// All Deployments of the family that we made.
    pub(super) fn versions(&self) -> Result<&[Workload], Query> {
        let found = self
            .snapshot
            .get::<Vec<Workload>>(Query::family(&self.request.deployment));
        found.map(Vec::as_slice)
    }

    pub(super) fn made_by_this_deploy(&self) -> Result<Option<&Workload>, Query> {
        let job = Some(&*self.continuation.job);
        let mut all = self.versions()?.iter();
        Ok(all.find(|one| one.annotation(marks::JOB) == job))
    }

    pub(super) fn is_left(&self, name: &str) -> bool {
        self.snapshot.left.iter().any(|(left, _)| left == name)
    }

    pub(super) fn name_of(&self, version: &str) -> String {
        format!("{}-{version}", self.request.deployment)
    }

    pub(super) fn author(&self, now: Timestamp) -> Author<'_> {
        author(self.request, self.continuation, now)
    }

    /// The phase that a write leaves as it is; the first one opens the switch.
    pub(super) fn phase(&self) -> Phase {
        if let Phase::SwitchRollback(back) = &self.continuation.phase {
            return Phase::SwitchRollback(back.clone());
        }
        Phase::Switch
    }

    /// A write that clears something away: the deploy does not fail where it is refused.
    pub(super) fn clearing(&self, call: Call, name: &str) -> Decision {
        Decision::Act(Action::Step(Box::new(Step {
            call,
            then: self.phase(),
            clears: Some(name.to_owned()),
        })))
    }

    pub(super) fn step(&self, call: Call) -> Decision {
        Decision::Act(Action::Step(Box::new(Step {
            call,
            then: self.phase(),
            clears: None,
        })))
    }

    pub(super) fn patch_service(&self, patch: Value, then: Phase) -> Decision {
        let call = Call::merge_patch(
            &SERVICES,
            &self.request.namespace,
            &self.switch.service,
            patch,
        );
        let clears = None;
        Decision::Act(Action::Step(Box::new(Step { call, then, clears })))
    }

    pub(super) fn wait(&self, stage: Stage, at_most: Duration) -> Decision {
        let candidate = self.own_lock().map(|lock| self.name_of(&lock.version));
        let found = candidate.and_then(|name| self.snapshot.seen_deployment(&name));
        Decision::Wait(Wait {
            progress: Progress {
                waits_for: WaitsFor::Availability,
                available: found.map_or(0, Workload::available_replicas),
                wanted: found.map_or(0, Workload::replicas),
                obstacle: None,
            },
            rollback: matches!(self.continuation.phase, Phase::SwitchRollback(_)),
            at_most,
            stage,
        })
    }

    /// The deploy has failed: what was written is taken back, if anything was.
    pub(super) fn failed(&self, failure: RolloutFailure) -> Decision {
        match self.own_lock() {
            Some(_) => Decision::TakeBack(self.at_share(failure)),
            None => ended(failure, RollbackResult::NothingWritten),
        }
    }

    /// With a share of the traffic, that belongs to the cause.
    fn at_share(&self, failure: RolloutFailure) -> RolloutFailure {
        match self.share_now().or_else(|| self.pod_share_now()) {
            Some(percent) => RolloutFailure {
                cause: RolloutCause::AtShare {
                    percent,
                    cause: Box::new(failure.cause),
                },
                ..failure
            },
            None => failure,
        }
    }

    pub(super) fn fail(&self, cause: RolloutCause) -> Decision {
        self.failed(RolloutFailure::of(cause))
    }

    /// What the request asks for cannot be had.
    pub(super) fn refuse(&self, lock: Option<&Lock>, faults: Vec<Fault>) -> Decision {
        match (lock, faults.first()) {
            (Some(_), Some(fault)) => self.fail(RolloutCause::Unfit(fault.clone())),
            _ => Decision::GiveUp(Failure::Faults(faults)),
        }
    }

    /// Nothing new is begun after the deadline.
    pub(super) fn in_time(&self) -> Result<(), Decision> {
        let lock = self.seen_service().and_then(Lock::read);
        let deadline = lock.map_or(self.continuation.deadline, |lock| lock.deadline);
        if self.now < deadline {
            return Ok(());
        }
        Err(self.fail(RolloutCause::SwitchTimedOut {
            timeout: self.request.timeout,
            service: self.switch.service.clone(),
        }))
    }

    pub(super) fn service_fault(&self, problem: &str) -> Fault {
        let service = &self.switch.service;
        Fault::new("service", format!("names `{service}`, which {problem}"))
    }
}

/// The end of a failed switch: what counts is why the candidate failed.
pub(super) fn ended(
    failure: impl Into<Box<RolloutFailure>>,
    rollback_result: RollbackResult,
) -> Decision {
    Decision::GiveUp(Failure::Rollout {
        failure: failure.into(),
        rollback_result,
    })
}

/// The switch fails because of a pod that would get traffic and is of no version of ours.
pub(super) fn foreign(service: &Service, pod: &ServicePod, candidate: &str) -> RolloutCause {
    RolloutCause::ForeignPod {
        service: service.name().to_owned(),
        pod: pod.name.clone(),
        deployment: candidate.to_owned(),
    }
}

pub(super) fn count(replicas: i64) -> usize {
    usize::try_from(replicas).unwrap_or(0)
}
