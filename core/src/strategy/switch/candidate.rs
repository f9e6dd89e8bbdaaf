//! The Deployment of the new version on its way up: written, scaled, followed, and found by the
//! Service.

use super::context::{Context, count, foreign};
use crate::change::asked;
use crate::kubernetes::call::Call;
use crate::kubernetes::object::timestamp;
use crate::kubernetes::resource::DEPLOYMENTS;
use crate::kubernetes::service::{Service, ServicePod};
use crate::snapshot::{DryRun, Kind, Query};
use crate::state::continuation::Rollout;
use crate::state::marks;
use crate::strategy::candidate::{self, Candidate};
use crate::strategy::causes::{RolloutCause, RolloutFailure};
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::rollout_tracker::{CATCHING_UP, RolloutState, RolloutTracker};
use crate::strategy::service_lock;
use crate::workload::health::rollout::WriteReceipt;
use crate::workload::replica_set;
use crate::workload::{TEMPLATE_HASH, Workload};
use jiff::Timestamp;
use serde_json::json;

impl Context<'_> {
    /// The candidate that an earlier switch has left. Where the list of these does not have it, the
    /// trial of creating it tells that the name is free: one that was made, or that `is_to_come`
    /// before anything is written.
    pub(super) fn found(&self, name: &str, is_to_come: bool) -> Result<Option<&Workload>, Query> {
        let found = self.snapshot.deployment(name);
        let is_free = match self.snapshot.dry_run() {
            Some(DryRun::Would(_)) => true,
            None => is_to_come && !self.snapshot.is_taken,
            Some(DryRun::Unable) => false,
        };
        if found.is_ok() || !is_free {
            return found;
        }
        match self.versions()?.iter().any(|one| one.name() == name) {
            true => found,
            false => Ok(None),
        }
    }

    /// The write that brings the candidate up, in the place of an idle one where there is one.
    pub(super) fn write(
        &self,
        live: &Workload,
        candidate: &Candidate,
        found: Option<&Workload>,
    ) -> Call {
        let author = self.author();
        let namespace = &self.request.namespace;
        let mut object = match found {
            None => candidate.create(self.request, live, &author),
            Some(found) => candidate.replace(self.request, live, found, &author),
        };
        object["spec"]["replicas"] = json!(self.first_pods(live));
        match found {
            None => Call::create(&DEPLOYMENTS, namespace, object),
            Some(_) => Call::replace(&DEPLOYMENTS, namespace, &candidate.name, object),
        }
    }

    /// The live one was scaled up meanwhile, or the candidate down, by an autoscaler that a dead
    /// deploy left on it. Once: whoever undoes it means it.
    pub(super) fn scale_up(&self, found: &Workload, replicas: i64) -> Decision {
        let wanted = replicas.to_string();
        if found.annotation(marks::WANTED) == Some(&wanted) {
            return self.fail(RolloutCause::ScaleHeld {
                deployment: found.name().to_owned(),
                replicas: found.replicas(),
                wanted: replicas,
            });
        }
        let patch = json!({"metadata": {"resourceVersion": found.resource_version(),
                "annotations": {
                    marks::WANTED: wanted, marks::DEPLOYED_AT: self.now.to_string()}},
            "spec": {"replicas": replicas}});
        self.step(self.patch_deployment(found.name(), patch))
    }

    /// Once the Service is held to one ReplicaSet's pods, another rollout of the live Deployment
    /// would leave it without any.
    pub(super) fn check_pin(&self, service: &Service, live: &Workload) -> Result<(), Decision> {
        let selector = service.selector();
        let Some(hash) = selector.get(TEMPLATE_HASH) else {
            return Ok(());
        };
        let sets = self.snapshot.replica_sets(live)?;
        match replica_set::newest(live, sets) {
            Some(set) if set.template_hash != *hash => {
                let name = live.name().to_owned();
                Err(self.fail(RolloutCause::DeploymentChanged(name)))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Someone else may have given the new version another template: then it is not the version
    /// that was asked for. What a webhook made of our own write is not theirs.
    pub(super) fn check_template(&self, found: &Workload) -> Result<(), Decision> {
        let lost = asked::lost(self.request, found).map(|lost| lost.steps);
        // A rollback on demand asks for nothing but the template that it has brought back.
        let is_other = self.request.mode.is_rollback() && !candidate::is_as_returned(found);
        let template = || ["f:spec", "f:template"].map(str::to_owned).to_vec();
        let Some(field) = lost.or_else(|| is_other.then(template)) else {
            return Ok(());
        };
        match self
            .snapshot
            .editor(Kind::Deployment, found.name(), field)?
        {
            Some(_) => Err(self.fail(RolloutCause::DeploymentChanged(found.name().to_owned()))),
            None => Ok(()),
        }
    }

    /// The pods that the Service will find are the candidate's, and all of them are ready.
    pub(super) fn confirm(
        &self,
        service: &Service,
        version: &str,
        found: &Workload,
    ) -> Result<&[ServicePod], Decision> {
        let selector = service_lock::of_version(&service.selector(), version);
        let members = self.snapshot.service_pods(&selector)?;
        let sets = self.snapshot.replica_sets(found)?;
        let staying = |member: &&ServicePod| !member.going;
        let mut staying = members.iter().filter(staying);
        if let Some(other) = staying.find(|member| !member.is_of(found, sets)) {
            return Err(self.fail(foreign(service, other, found.name())));
        }
        let ready = members.iter().filter(|member| member.ready).count();
        if count(found.replicas()) > ready {
            self.in_time()?;
            return Err(self.wait(Stage::Candidate(found.name().to_owned()), CATCHING_UP));
        }
        Ok(members)
    }

    /// Follows a Deployment's rollout; something else is next until it serves.
    pub(super) fn follow(
        &self,
        found: &Workload,
        deadline: Timestamp,
        stage: Stage,
    ) -> Result<(), Decision> {
        let deployed_at = found.annotation(marks::DEPLOYED_AT).and_then(timestamp);
        let since = deployed_at.unwrap_or(self.continuation.started);
        let rollout = Rollout::followed(WriteReceipt::adopted(found, since));
        let rollout_tracker = RolloutTracker {
            request: self.request,
            snapshot: self.snapshot,
            rollout: &rollout,
            continuation: self.continuation,
            live: found,
            now: self.now,
            deadline,
            stage,
        };
        match rollout_tracker.next()? {
            RolloutState::Serves => Ok(()),
            RolloutState::GoesOn(decision) => Err(decision),
            RolloutState::Failed(failure) => Err(self.failed(RolloutFailure {
                reason: None,
                ..failure
            })),
        }
    }
}
