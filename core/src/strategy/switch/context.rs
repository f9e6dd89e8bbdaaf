//! What a switch knows, what it reads, and how it makes a decision: what all of its steps share.

use crate::kubernetes::call::Call;
use crate::kubernetes::resource::{DEPLOYMENTS, SERVICES};
use crate::kubernetes::service::{Selector, Service, ServicePod};
use crate::problem::Fault;
use crate::request::Switch;
use crate::snapshot::Query;
use crate::state::continuation::Phase;
use crate::state::marks;
use crate::strategy::causes::{RolloutCause, RolloutFailure};
use crate::strategy::context::Context as Known;
use crate::strategy::decision::{Decision, Stage, Wait};
use crate::strategy::result::{Failure, RollbackResult};
use crate::strategy::service_lock::Lock;
use crate::workload::Workload;
use crate::workload::health::rollout::{Progress, WaitsFor};
use jiff::Timestamp;
use serde_json::Value;
use std::ops::Deref;
use std::time::Duration;

/// What every decision depends on, and the switch that is asked for.
pub(super) struct Context<'a> {
    known: Known<'a>,
    pub(super) switch: &'a Switch,
}

/// Something to do first, or what comes of it.
pub(super) type Next = Result<Decision, Decision>;

impl<'a> Context<'a> {
    /// `None` where another strategy is asked for.
    pub(super) fn of(known: &Known<'a>) -> Option<Context<'a>> {
        Some(Context {
            switch: known.request.strategy.switch()?,
            known: *known,
        })
    }
}

impl<'a> Deref for Context<'a> {
    type Target = Known<'a>;

    fn deref(&self) -> &Known<'a> {
        &self.known
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
        let family = Query::family(&self.request.deployment);
        self.snapshot.get::<Vec<_>>(family).map(Vec::as_slice)
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

    /// The phase that a write leaves as it is; the first one opens the switch.
    pub(super) fn phase(&self) -> Phase {
        if let Phase::SwitchRollback(back) = &self.continuation.phase {
            return Phase::SwitchRollback(back.clone());
        }
        Phase::Switch
    }

    /// A write that clears something away: the deploy does not fail where it is refused.
    pub(super) fn clearing(&self, call: Call, name: &str) -> Decision {
        Decision::step(call, self.phase(), Some(name.to_owned()))
    }

    /// Takes a Service of ours away.
    pub(super) fn delete_service(&self, service: &Service) -> Decision {
        let (namespace, name) = (&self.request.namespace, service.name());
        let call = Call::delete(&SERVICES, namespace, name, service.uid());
        self.clearing(call, name)
    }

    pub(super) fn step(&self, call: Call) -> Decision {
        Decision::step(call, self.phase(), None)
    }

    pub(super) fn patch_service(&self, patch: Value, then: Phase) -> Decision {
        let (namespace, name) = (&self.request.namespace, &self.switch.service);
        Decision::step(
            Call::merge_patch(&SERVICES, namespace, name, patch),
            then,
            None,
        )
    }

    /// A write of a Deployment.
    pub(super) fn patch_deployment(&self, name: &str, patch: Value) -> Call {
        Call::merge_patch(&DEPLOYMENTS, &self.request.namespace, name, patch)
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

    /// Waits until a time, with looks in between.
    pub(super) fn wait_until(
        &self,
        until: Timestamp,
        stage: &Stage,
        at_most: Duration,
    ) -> Result<(), Decision> {
        match self.now < until {
            true => Err(self.wait(stage.clone(), at_most.min(self.left(until)))),
            false => Ok(()),
        }
    }

    /// Waits for the endpoints of a Service.
    pub(super) fn wait_for_endpoints(&self, service: &str, at_most: Duration) -> Decision {
        self.wait(Stage::Endpoints(service.to_owned()), at_most)
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
