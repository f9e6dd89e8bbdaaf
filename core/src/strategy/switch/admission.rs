//! Whether a switch may begin, and its first write: the lock, which holds the Service to what
//! serves.

use super::autoscaler::is_of;
use super::context::{Context, Next};
use crate::kubernetes::call::Permission;
use crate::kubernetes::service::{Autoscaler, Detour, Service};
use crate::problem::Fault;
use crate::snapshot::Query;
use crate::state::continuation::Phase;
use crate::state::marks::{self, VERSION};
use crate::strategy::candidate::Candidate;
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::result::Failure;
use crate::strategy::rollout_tracker::CATCHING_UP;
use crate::strategy::service_lock::{self, Lock, Pin};
use crate::workload::replica_set::{self, ReplicaSet};
use crate::workload::{TEMPLATE_HASH, Workload};
use std::time::Duration;

/// How often a lock of somebody else's is looked at.
const LOCK_WINDOW: Duration = Duration::from_secs(5);

/// How long a Deployment that is adopted may need to settle: an autoscaler may be at it.
const SETTLING: Duration = Duration::from_secs(20);

impl Context<'_> {
    /// Whether the Service may be worked on at all.
    pub(super) fn admit(&self, service: &Service) -> Result<(), Decision> {
        let late = self.now >= self.continuation.deadline;
        let other = Lock::read(service).filter(|lock| lock.execution != self.request.execution);
        let waits = |lock: &Lock| late || lock.holds(self.now) && !self.stops(service, lock);
        if let Some(other) = other.filter(waits) {
            let (execution, until) = (other.execution.clone(), other.expires());
            if self.continuation.phase != Phase::Start {
                let by = Some(execution);
                return Err(Decision::GiveUp(Failure::OutOfSync { by, wrote: true }));
            }
            if late {
                return Err(Decision::GiveUp(Failure::Locked { execution, until }));
            }
            self.note_waiting(service, &other)?;
            return Err(self.wait(Stage::Lock { execution, until }, LOCK_WINDOW));
        }
        if late {
            return Err(Decision::GiveUp(Failure::TooLate));
        }
        let problem = if service.is_being_deleted() {
            "is being deleted".to_owned()
        } else {
            let problem = match service.detour() {
                None => return Ok(()),
                Some(Detour::ExternalName(_)) => {
                    "is of type ExternalName: it sends to a DNS name, not to pods, so it cannot be \
                     switched"
                }
                Some(Detour::NoSelector) => {
                    "has no selector: somebody else writes its endpoints, so it cannot be switched"
                }
            };
            problem.to_owned()
        };
        Err(self.refuse(None, vec![self.service_fault(&problem)]))
    }

    /// Checks all that can be known beforehand, then takes the lock: the first write.
    pub(super) fn take_lock(
        &self,
        service: &Service,
        live: &Workload,
        candidate: &Candidate,
    ) -> Next {
        if live.is_being_deleted() {
            return Ok(Decision::GiveUp(Failure::BeingDeleted));
        }
        if live.is_paused() {
            return Ok(Decision::GiveUp(Failure::Paused));
        }
        let sets = self.snapshot.replica_sets(live)?;
        let mut selector = service.selector();
        let narrowed = selector.get(TEMPLATE_HASH).cloned();
        let whole = only_set(live, sets);
        // A dead deploy's narrowing, to pods that were rolled away since: it is done once more.
        if narrowed.is_some() && narrowed.as_ref() != whole.map(|set| &set.template_hash) {
            selector = service_lock::common(&selector);
        }
        let members = self.snapshot.service_pods(&selector)?;
        let found = self.found(&candidate.name, true)?;
        if self.switch.smoke.is_some() {
            self.preview()?;
        }
        // Whatever is needed later must be readable before anything is written.
        let scalers = self.snapshot.autoscalers()?;
        let mut faults = Vec::from_iter(self.fault_of_service(live));
        faults.extend(self.fault_of_scaler(live, scalers)?);
        self.see_no_strangers(service, &mut faults)?;
        let handover = self.handover(service, live, sets, &mut faults)?;
        faults.extend(self.fault_of_overlap(handover.as_ref()));
        let adopted = !selector.contains_key(VERSION) && !selector.contains_key(TEMPLATE_HASH);
        // Where the first write leaves but one of the family behind the Service, the others go.
        match self.fault_of_members(live, sets, members, adopted) {
            Some(fault) => faults.push(fault),
            None => faults.extend(self.fault_of_labels(candidate, &selector)),
        }
        faults.extend(self.fault_of_names(candidate, found));
        faults.extend(self.fault_of_gate(candidate));
        faults.extend(self.fault_of_preview(service));
        faults.extend(self.faults_of_canary()?);
        faults.extend(self.fault_of_time(live));
        let narrow = match adopted.then(|| marks::version_of(live).ok_or(whole)) {
            None => Pin::Not,
            Some(Ok(version)) => Pin::Version(version),
            Some(Err(Some(set))) => Pin::Hash(&set.template_hash),
            Some(Err(None)) if self.is_settling(live, sets) => {
                let stage = Stage::Settling(live.name().to_owned());
                return Ok(self.wait(stage, CATCHING_UP));
            }
            Some(Err(None)) => {
                faults.push(in_a_rollout(live));
                Pin::Not
            }
        };
        if !faults.is_empty() {
            // Another execution may have begun after the Service was read: these are its pods then.
            self.rechecked()?;
            return Ok(self.refuse(None, faults));
        }
        self.check_rights(live, scalers)?;
        self.try_candidate(live, candidate, found)?;
        let lock = Lock {
            handover,
            returns: candidate.returns(),
            ..self.lock(&candidate.version)
        };
        Ok(self.patch_service(service_lock::take(service, &lock, narrow), Phase::Switch))
    }

    /// What will be needed and cannot be tried by reading: a right that is missing is better told
    /// now than in the middle.
    fn check_rights(&self, live: &Workload, scalers: &[Autoscaler]) -> Result<(), Decision> {
        let mut needed = Vec::new();
        if self.switch.smoke.is_some() {
            needed.extend(Permission::smoke());
        }
        needed.extend(self.permissions_of_canary());
        let names = self.names(&[live.name()])?;
        if scalers.iter().any(|scaler| is_of(scaler, &names)) {
            needed.push(Permission::scale());
        }
        let mut missing = Vec::new();
        for right in needed {
            if !*self
                .snapshot
                .get::<bool>(Query::Permission(right.clone()))?
            {
                missing.push(right);
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Decision::GiveUp(Failure::Forbidden(missing)))
    }

    /// The API server says what it thinks of the candidate before anything is written.
    fn try_candidate(
        &self,
        live: &Workload,
        candidate: &Candidate,
        found: Option<&Workload>,
    ) -> Result<(), Query> {
        let is_tried = self.snapshot.dry_run().is_some();
        if is_tried || found.is_some_and(|it| it.is_being_deleted()) {
            return Ok(());
        }
        let call = self.write(live, candidate, found).dry_run();
        Err(Query::DryRun(Box::new(call)))
    }

    /// Whether a Deployment may have but one version's pods in a moment. Where all pods are of one
    /// already, it is being scaled, at whatever time that began.
    fn is_settling(&self, live: &Workload, sets: &[ReplicaSet]) -> bool {
        let begun = self.now < self.continuation.started + SETTLING;
        begun || replica_set::newest(live, sets).is_some_and(|newest| is_alone(newest, live, sets))
    }
}

/// The one ReplicaSet that has all pods of a Deployment whose rollout is done.
fn only_set<'a>(live: &Workload, sets: &'a [ReplicaSet]) -> Option<&'a ReplicaSet> {
    let newest = replica_set::newest(live, sets)?;
    let alone = is_alone(newest, live, sets);
    let seen = live.observed_generation() >= live.generation();
    let done = live.updated_replicas() == live.total_replicas();
    (alone && seen && done && !newest.template_hash.is_empty()).then_some(newest)
}

/// Whether no other ReplicaSet of the Deployment has pods.
fn is_alone(newest: &ReplicaSet, live: &Workload, sets: &[ReplicaSet]) -> bool {
    let mut with_pods = replica_set::own(live, sets).filter(|set| set.replicas > 0);
    with_pods.all(|set| set.name == newest.name)
}

/// At the first switch of a Service all pods of its Deployment must be of one version.
fn in_a_rollout(live: &Workload) -> Fault {
    let problem = format!(
        "names `{}`, which is in the middle of a rollout. Before its Service is switched for the \
         first time all its pods must be of one version: wait until that rollout is done, or undo \
         it",
        live.name()
    );
    Fault::new("deployment", problem)
}
