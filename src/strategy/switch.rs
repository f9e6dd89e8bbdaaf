//! Blue/green and immutable: a new Deployment comes up beside the live one, and a Service is
//! switched to it by one patch; the old one stays at full scale for a while, then goes to zero.
//!
//! The Service tells how far a deploy is: who is at work, whether it was switched, when and from
//! what. So every invocation reads it first and goes on from there; the token is only a hint.
//! No write but the switch itself changes which pods get traffic. What a failure takes back is in
//! [`super::switch_back`].

use super::claim::{self, Lock, PREVIEW_OF};
use super::immutable;
use super::newcomer::{self, Newcomer};
use super::pursuit::{CATCHING_UP, Failed, Followed, Pursuit, WATCH_WINDOW};
use super::scene::{Scene, Sought, preview_name};
use super::{
    Action, Aftermath, Decision, Failure, Look, Observation, Stage, Step, Success, Switched, Wait,
};
use crate::change::{self, Author};
use crate::cluster::call::Call;
use crate::cluster::object::{self, Deployment, ReplicaSet, timestamp};
use crate::cluster::service::{
    Autoscaler, Member, Selector, Service, TEMPLATE_HASH, VERSION, written,
};
use crate::continuation::{Continuation, Phase, Return, Rollout};
use crate::report;
use crate::request::{Fault, Request, Smoke, Strategy, Switch};
use crate::rollout::{Progress, WaitsFor, Written};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

/// On an autoscaler whose floor is held: the floor that it had.
pub const MIN_REPLICAS: &str = "landfall/min-replicas";

/// How often a lock of somebody else's is looked at.
const LOCK_WINDOW: Duration = Duration::from_secs(5);

/// How often the smoke test is asked before its failure counts, and the pause between: the first
/// request to a fresh application may well fail.
const SMOKE_TRIES: u32 = 3;
/// See [`SMOKE_TRIES`].
const SMOKE_PAUSE: Duration = Duration::from_secs(2);

/// What the steps after the bake may take.
const RETIRING: Duration = Duration::from_secs(120);

/// Something to do first, or what comes of it.
pub(super) type Next = Result<Decision, Decision>;

/// Decides the next step.
pub fn decide(
    request: &Request,
    switch: &Switch,
    continuation: &Continuation,
    observation: &Observation,
    now: Timestamp,
) -> Decision {
    let context = Context {
        request,
        switch,
        continuation,
        observation,
        scene: &observation.scene,
        now,
    };
    match context.next() {
        Ok(decision) | Err(decision) => decision,
    }
}

/// All that a decision may depend on.
pub(super) struct Context<'a> {
    pub(super) request: &'a Request,
    pub(super) switch: &'a Switch,
    pub(super) continuation: &'a Continuation,
    pub(super) observation: &'a Observation,
    pub(super) scene: &'a Scene,
    pub(super) now: Timestamp,
}

impl Context<'_> {
    fn next(&self) -> Next {
        let service = self.service()?;
        let job = &*self.continuation.job;
        let superseded = service.annotation(change::SUPERSEDED).unwrap_or_default();
        if superseded.split(',').any(|superseded| superseded == job) {
            let by = service.annotation(change::EXECUTION).map(str::to_owned);
            return Ok(Decision::GiveUp(Failure::OutOfSync { by, wrote: true }));
        }
        let lock = Lock::read(service).filter(|lock| lock.job == job);
        let failed = service.annotation(change::ROLLED_BACK) == Some(job);
        let switched = service.annotation(change::JOB) == Some(job);
        match (lock, &self.continuation.phase) {
            (None, _) if failed => self.taken_back(service, switched),
            (Some(lock), _) if failed => self.take_back(service, &lock, switched),
            (Some(lock), Phase::Return(back)) => self.turn(service, &lock, switched, back),
            (Some(lock), _) if switched => self.after(service, &lock),
            (None, _) if switched => self.done(service),
            (None, Phase::Return(back)) => {
                let by = Lock::read(service).map(|lock| lock.execution);
                Ok(ended(back, Aftermath::OvertakenBy(by)))
            }
            (lock, _) => self.before(service, lock.as_ref()),
        }
    }

    /// Up to the switch. `lock` is ours; without it nothing has been written, and whatever speaks
    /// against the switch ends the deploy.
    fn before(&self, service: &Service, lock: Option<&Lock>) -> Next {
        if lock.is_none() {
            self.admit(service)?;
        }
        let live = self.live(service)?;
        let since = lock.map_or(self.continuation.started, |lock| lock.since);
        let newcomer = match Newcomer::render(self.request, live, &self.author(since)) {
            Ok(newcomer) => newcomer,
            Err(faults) => return Ok(self.refuse(lock, faults)),
        };
        let is_live = newcomer.is_live(live);
        let Some(lock) = lock else {
            if is_live {
                return self.already_live(service, live);
            }
            return self.claim(service, live, &newcomer);
        };
        if is_live {
            return self.tidy(service, lock, live);
        }
        if newcomer.version != lock.version {
            return Ok(self.fail("the live Deployment was changed by someone else meanwhile"));
        }
        self.check_narrowing(service, live)?;
        let found = self.newcomer(&newcomer.name)?;
        let Some(found) = found else {
            let object = newcomer.create(self.request, live, &self.author(self.now));
            return Ok(self.step(Call::create(&self.request.namespace, object)));
        };
        if found.is_being_deleted() {
            self.in_time()?;
            return Ok(self.wait(Stage::Leaving(newcomer.name.clone()), CATCHING_UP));
        }
        if found.annotation(change::JOB) != Some(&self.continuation.job) {
            let author = self.author(self.now);
            let object = newcomer.replace(self.request, live, found, &author);
            return Ok(self.step(Call::put(&self.request.namespace, &newcomer.name, object)));
        }
        self.follow(found, lock.deadline, Stage::Newcomer(newcomer.name.clone()))?;
        let members = self.confirm(service, &newcomer.version, found)?;
        self.in_time()?;
        if let Some(smoke) = &self.switch.smoke {
            self.smoke(service, &newcomer.version, members, smoke)?;
        }
        self.move_autoscaler(live.name(), &newcomer.name, Some(live.replicas()))?;
        Ok(self.make_switch(service, lock, live, &newcomer))
    }

    /// Whether the Service may be worked on at all.
    fn admit(&self, service: &Service) -> Result<(), Decision> {
        let other = Lock::read(service)
            .filter(|lock| lock.expires() > self.now && lock.execution != self.request.execution);
        if let Some(other) = other {
            let (execution, until) = (other.execution.clone(), other.expires());
            if self.continuation.phase != Phase::Start {
                let by = Some(execution);
                return Err(Decision::GiveUp(Failure::OutOfSync { by, wrote: true }));
            }
            if self.now >= self.continuation.deadline {
                return Err(Decision::GiveUp(Failure::Locked { execution, until }));
            }
            return Err(self.wait(Stage::Lock { execution, until }, LOCK_WINDOW));
        }
        if self.now >= self.continuation.deadline {
            return Err(Decision::GiveUp(Failure::TooLate));
        }
        let problem = if service.is_being_deleted() {
            "is being deleted".to_owned()
        } else if service.kind() == "ExternalName" {
            "is of type ExternalName: it sends to a DNS name, not to pods, so it cannot be switched"
                .to_owned()
        } else if service.selector().is_empty() {
            "has no selector: somebody else writes its endpoints, so it cannot be switched"
                .to_owned()
        } else {
            return Ok(());
        };
        Err(self.refuse(None, vec![self.service_fault(&problem)]))
    }

    /// Checks all that can be known beforehand, then takes the lock: the first write.
    fn claim(&self, service: &Service, live: &Deployment, newcomer: &Newcomer) -> Next {
        if live.is_being_deleted() {
            return Ok(Decision::GiveUp(Failure::BeingDeleted));
        }
        if live.is_paused() {
            return Ok(Decision::GiveUp(Failure::Paused));
        }
        let sets = self.replica_sets(&live.selector())?;
        let selector = service.selector();
        let members = self.members(&selector)?;
        let found = self.newcomer(&newcomer.name)?;
        if self.switch.smoke.is_some() {
            self.preview()?;
        }
        // Whatever is needed later must be readable before anything is written.
        self.autoscalers()?;
        self.versions()?;
        let adopted = !selector.contains_key(VERSION) && !selector.contains_key(TEMPLATE_HASH);
        let mut faults = Vec::new();
        faults.extend(self.fault_of_members(live, sets, members));
        faults.extend(self.fault_of_names(newcomer, found));
        faults.extend(self.fault_of_labels(newcomer, &selector));
        faults.extend(self.fault_of_preview(service));
        let hash = match adopted.then(|| only_set(live, sets)) {
            None => None,
            Some(Some(set)) => Some(set.template_hash.as_str()),
            Some(None) => {
                faults.push(Fault::new(
                    "deployment",
                    format!(
                        "names `{}`, which is in the middle of a rollout. Before its Service is \
                         switched for the first time all its pods must be of one version: wait \
                         until that rollout is done, or undo it",
                        live.name()
                    ),
                ));
                None
            }
        };
        if !faults.is_empty() {
            return Ok(self.refuse(None, faults));
        }
        let lock = Lock {
            execution: self.request.execution.clone(),
            job: self.continuation.job.clone(),
            version: newcomer.version.clone(),
            since: self.continuation.started,
            deadline: self.continuation.deadline,
        };
        Ok(self.patch_service(claim::take(service, &lock, hash), Phase::Switch))
    }

    /// Once the Service is held to one ReplicaSet's pods, another rollout of the live Deployment
    /// would leave it without any.
    fn check_narrowing(&self, service: &Service, live: &Deployment) -> Result<(), Decision> {
        let selector = service.selector();
        let Some(hash) = selector.get(TEMPLATE_HASH) else {
            return Ok(());
        };
        let sets = self.replica_sets(&live.selector())?;
        match object::newest(live, sets) {
            Some(set) if set.template_hash != *hash => {
                let name = live.name();
                let why = format!("Deployment `{name}` was changed by someone else meanwhile");
                Err(self.fail(&why))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The pods that the Service will find are the newcomer's, and all of them are ready.
    fn confirm(
        &self,
        service: &Service,
        version: &str,
        found: &Deployment,
    ) -> Result<&[Member], Decision> {
        let members = self.members(&claim::of_version(&service.selector(), version))?;
        let sets = self.observation.replica_sets.as_deref().unwrap_or_default();
        if let Some(foreign) = members.iter().find(|member| !member.is_of(found, sets)) {
            let (pod, service) = (&foreign.name, service.name());
            return Err(self.fail(&format!(
                "Service `{service}` would also send to pod `{pod}`, which is not one of `{}`",
                found.name()
            )));
        }
        let ready = members.iter().filter(|member| member.ready).count();
        if count(found.replicas()) > ready {
            self.in_time()?;
            return Err(self.wait(Stage::Newcomer(found.name().to_owned()), CATCHING_UP));
        }
        Ok(members)
    }

    /// Asks the newcomer over a Service of its own.
    fn smoke(
        &self,
        service: &Service,
        version: &str,
        members: &[Member],
        smoke: &Smoke,
    ) -> Result<(), Decision> {
        if self.scene.smoke.last == Some(Ok(())) {
            return Ok(());
        }
        let wanted = preview(service, &self.request.namespace, version);
        let namespace = &self.request.namespace;
        let Some(found) = self.preview()? else {
            return Err(self.step(Call::create_service(namespace, wanted)));
        };
        if json!(found.selector()) != wanted["spec"]["selector"] {
            self.clear_preview()?;
        }
        let endpoints = self.endpoints(found.name())?;
        if !endpoints.are_all_of(members, 1) {
            return Err(self.wait(Stage::Smoke, CATCHING_UP));
        }
        match &self.scene.smoke.last {
            Some(Ok(())) => Ok(()),
            None => Err(look(Sought::Smoke {
                target: proxy_target(found),
                path: smoke.path.clone(),
                contains: smoke.contains.clone(),
            })),
            Some(Err(_)) if self.scene.smoke.tries < SMOKE_TRIES => {
                Err(self.wait(Stage::Smoke, SMOKE_PAUSE))
            }
            Some(Err(why)) => Err(self.fail(&report::smoke_failed(&smoke.path, SMOKE_TRIES, why))),
        }
    }

    fn make_switch(
        &self,
        service: &Service,
        lock: &Lock,
        live: &Deployment,
        newcomer: &Newcomer,
    ) -> Decision {
        let lock = Lock {
            deadline: lock.deadline.max(self.now + self.switch.bake + RETIRING),
            ..lock.clone()
        };
        let to = (&*newcomer.name, &*newcomer.version);
        let author = self.author(self.now);
        let patch = claim::switch(service, &lock, live.name(), to, &author);
        self.patch_service(patch, Phase::Switch)
    }

    /// After the switch: sees the new version serve for the time of the bake, then retires the old.
    fn after(&self, service: &Service, lock: &Lock) -> Next {
        if service.selector().get(VERSION) != Some(&lock.version) {
            let failure = Failure::OutOfSync {
                by: None,
                wrote: true,
            };
            return Ok(Decision::GiveUp(failure));
        }
        let name = self.name_of(&lock.version);
        let Some(found) = self.newcomer(&name)? else {
            return Ok(self.fail(&format!("Deployment `{name}` was deleted by someone else")));
        };
        let from = service.annotation(claim::FROM).unwrap_or_default();
        let old = self.deployment(from)?;
        // Only a newcomer that has served for its time retires the old one.
        if old.is_none_or(|old| old.replicas() == 0) {
            return self.retire(service, found);
        }
        let switched = service.annotation(change::DEPLOYED_AT).and_then(timestamp);
        let until = switched.unwrap_or(self.now) + self.switch.bake;
        let stage = Stage::Bake {
            newcomer: name,
            until,
        };
        let deadline = lock.deadline.max(until);
        self.follow(found, deadline, stage.clone())?;
        let members = self.members(&service.selector())?;
        let endpoints = self.endpoints(service.name())?;
        if !endpoints.are_all_of(members, count(found.replicas())) {
            if self.now >= deadline {
                return Ok(self.fail(&report::endpoints_missing(service.name(), found.name())));
            }
            let stage = Stage::Endpoints(service.name().to_owned());
            return Ok(self.wait(stage, CATCHING_UP));
        }
        if self.now < until {
            let left = until.duration_since(self.now).unsigned_abs();
            return Ok(self.wait(stage, WATCH_WINDOW.min(left)));
        }
        self.retire(service, found)
    }

    /// Scales down all others of the family, deletes what is beyond `keep`, and gives the lock up.
    fn retire(&self, service: &Service, found: &Deployment) -> Next {
        self.move_autoscaler("", found.name(), None)?;
        let plain = self.deployment(&self.request.deployment)?;
        let others = self.versions()?.iter();
        let others = others.filter(|one| one.name() != found.name() && !one.is_being_deleted());
        let others = others.collect::<Vec<_>>();
        let mut running = plain.into_iter().chain(others.iter().copied());
        if let Some(running) = running.find(|one| one.replicas() > 0) {
            self.unselected(running)?;
            let patch = newcomer::scale_down(running);
            let call = Call::merge(&self.request.namespace, running.name(), patch);
            return Ok(self.step(call));
        }
        if let Strategy::Immutable { keep, .. } = &self.request.strategy {
            let surplus = immutable::surplus(&others, *keep);
            let mut surplus = surplus.into_iter().filter(|one| !self.is_left(one.name()));
            if let Some(one) = surplus.next() {
                self.unselected(one)?;
                return Ok(self.delete(one));
            }
        }
        self.clear_preview()?;
        Ok(self.patch_service(claim::release(service, None), Phase::Switch))
    }

    /// The switch of this job is complete: the lock was given up as the last step.
    fn done(&self, service: &Service) -> Next {
        let to = service.annotation(claim::TO).unwrap_or_default();
        let Some(found) = self.newcomer(to)? else {
            return Ok(Decision::GiveUp(Failure::Deleted));
        };
        let from = service.annotation(claim::FROM).map(str::to_owned);
        Ok(self.succeed(service, found, true, from))
    }

    /// The version asked for is the one that serves.
    fn already_live(&self, service: &Service, live: &Deployment) -> Next {
        let Some(found) = self.newcomer(live.name())? else {
            return Ok(Decision::GiveUp(Failure::Deleted));
        };
        let deadline = self.continuation.deadline;
        self.follow(found, deadline, Stage::Newcomer(live.name().to_owned()))?;
        let members = self.members(&service.selector())?;
        let endpoints = self.endpoints(service.name())?;
        if !endpoints.are_all_of(members, count(found.replicas())) {
            if self.now >= deadline {
                return Ok(self.fail(&report::endpoints_missing(service.name(), found.name())));
            }
            let stage = Stage::Endpoints(service.name().to_owned());
            return Ok(self.wait(stage, CATCHING_UP));
        }
        let Some(dead) = Lock::read(service) else {
            return Ok(self.succeed(service, found, false, None));
        };
        // What an earlier deploy left when it died is brought to its end.
        let lock = Lock {
            execution: self.request.execution.clone(),
            job: self.continuation.job.clone(),
            version: dead.version.clone(),
            since: self.continuation.started,
            deadline,
        };
        let died_switched = service.annotation(change::JOB) == Some(&dead.job)
            && service.annotation(claim::TO) == Some(live.name());
        let patch = match died_switched {
            true => claim::take_over(service, &lock, &self.author(self.now)),
            false => claim::take(service, &lock, None),
        };
        Ok(self.patch_service(patch, Phase::Switch))
    }

    /// The version asked for serves, and an earlier deploy of another one died before its switch.
    fn tidy(&self, service: &Service, lock: &Lock, live: &Deployment) -> Next {
        if let Some(stage) = self.clear(service, &lock.version, false, live)? {
            self.in_time()?;
            return Ok(self.wait(stage, CATCHING_UP));
        }
        self.clear_preview()?;
        let patch = claim::release(service, self.widened(service).as_ref());
        Ok(self.patch_service(patch, Phase::Switch))
    }

    /// The selector to give back to a Service that is narrowed.
    pub(super) fn widened(&self, service: &Service) -> Option<Selector> {
        let narrowed = service.selector().contains_key(TEMPLATE_HASH);
        claim::wide_selector(service).filter(|_| narrowed)
    }

    fn succeed(
        &self,
        service: &Service,
        found: &Deployment,
        wrote: bool,
        from: Option<String>,
    ) -> Decision {
        Decision::Finish(Success {
            deployment: found.clone(),
            wrote,
            previous_revision: None,
            switched: Some(Switched {
                service: service.name().to_owned(),
                from,
                left: self.scene.left.clone(),
            }),
        })
    }

    /// Follows a Deployment's rollout; something else is next until it serves.
    fn follow(
        &self,
        found: &Deployment,
        deadline: Timestamp,
        stage: Stage,
    ) -> Result<(), Decision> {
        let deployed_at = found.annotation(change::DEPLOYED_AT).and_then(timestamp);
        let rollout = Rollout {
            written: Written::adopted(found, deployed_at.unwrap_or(self.continuation.started)),
            wrote: true,
            changed_since: false,
            previous: None,
        };
        let pursuit = Pursuit {
            request: self.request,
            observation: self.observation,
            rollout: &rollout,
            live: found,
            now: self.now,
            deadline,
            stage,
        };
        match pursuit.next() {
            Followed::Serves => Ok(()),
            Followed::GoesOn(decision) => Err(decision),
            Followed::Failed(failed) => Err(self.failed(failed)),
        }
    }

    /// Points the autoscaler of the family at a Deployment. `floor`: it may not scale below that
    /// until the floor that it had is given back, by `None`.
    pub(super) fn move_autoscaler(
        &self,
        from: &str,
        to: &str,
        floor: Option<i64>,
    ) -> Result<(), Decision> {
        let names = self.versions()?.iter().map(Deployment::name);
        let names = names.chain([from, to, &*self.request.deployment]);
        let names = names.collect::<Vec<_>>();
        for scaler in self.autoscalers()? {
            let of_family = scaler
                .target()
                .is_some_and(|target| names.contains(&target));
            if !of_family {
                continue;
            }
            if let Some(patch) = autoscaler_patch(scaler, to, floor) {
                let namespace = &self.request.namespace;
                let call = Call::merge_autoscaler(namespace, scaler.name(), patch);
                return Err(self.step(call));
            }
        }
        Ok(())
    }

    /// Takes the smoke test's Service away, where it is ours.
    pub(super) fn clear_preview(&self) -> Result<(), Decision> {
        match self.preview()? {
            Some(preview) if self.owns_preview(preview) && !self.is_left(preview.name()) => {
                let (namespace, name) = (&self.request.namespace, preview.name());
                Err(Decision::Act(Action::Step(Box::new(Step {
                    call: Call::delete_service(namespace, name, preview.uid()),
                    then: self.phase(),
                    clears: Some(name.to_owned()),
                }))))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The Service was read again right now, and does not send to this Deployment.
    pub(super) fn unselected(&self, deployment: &Deployment) -> Result<(), Decision> {
        if !self.scene.rechecked {
            return Err(look(Sought::ServiceAgain));
        }
        let selector = self.service()?.selector();
        let labels = deployment.value().pointer("/spec/template/metadata/labels");
        let mut labels = crate::cluster::service::read_selector(labels);
        // What the controller adds tells the plain one's pods.
        if let Some(hash) = selector.get(TEMPLATE_HASH)
            && deployment.name() == self.request.deployment
        {
            labels.insert(TEMPLATE_HASH.to_owned(), hash.clone());
        }
        let selects = selector
            .iter()
            .all(|(key, value)| labels.get(key) == Some(value));
        if selects {
            let by = None;
            return Err(Decision::GiveUp(Failure::OutOfSync { by, wrote: true }));
        }
        Ok(())
    }

    pub(super) fn delete(&self, deployment: &Deployment) -> Decision {
        let (namespace, name) = (&self.request.namespace, deployment.name());
        Decision::Act(Action::Step(Box::new(Step {
            call: Call::delete(namespace, name, deployment.uid()),
            then: self.phase(),
            clears: Some(name.to_owned()),
        })))
    }

    /// The deploy has failed: what was written is taken back, if anything was.
    fn failed(&self, failed: Failed) -> Decision {
        let back = Return {
            cause: failed.cause,
            kind: failed.kind,
            evidence: failed.evidence,
        };
        let ours = self.service().ok().and_then(Lock::read);
        match ours.filter(|lock| lock.job == self.continuation.job) {
            Some(_) => Decision::Enter(Phase::Return(back)),
            None => ended(&back, Aftermath::NothingWritten),
        }
    }

    pub(super) fn fail(&self, cause: &str) -> Decision {
        self.failed(Failed {
            cause: report::clip(cause, crate::continuation::CAUSE_LIMIT),
            ..Failed::default()
        })
    }

    /// What the request asks for cannot be had.
    fn refuse(&self, lock: Option<&Lock>, faults: Vec<Fault>) -> Decision {
        match (lock, faults.first()) {
            (Some(_), Some(fault)) => self.fail(&format!("`{}` {}", fault.field, fault.problem)),
            _ => Decision::GiveUp(Failure::Faults(faults)),
        }
    }

    /// Nothing new is begun after the deadline.
    fn in_time(&self) -> Result<(), Decision> {
        let service = self.service()?;
        let deadline = Lock::read(service).map_or(self.continuation.deadline, |lock| lock.deadline);
        if self.now < deadline {
            return Ok(());
        }
        let timeout = self.request.timeout;
        Err(self.fail(&report::switch_timed_out(timeout, service.name())))
    }
}

/// What is looked at, and the faults that are found.
impl Context<'_> {
    pub(super) fn service(&self) -> Result<&Service, Decision> {
        match &self.scene.service {
            None => Err(look(Sought::Service)),
            Some(Some(service)) => Ok(service),
            Some(None) => Err(match &self.continuation.phase {
                Phase::Return(back) => ended(back, Aftermath::Deleted),
                _ => {
                    let problem = "does not exist in this namespace";
                    Decision::GiveUp(Failure::Faults(vec![self.service_fault(problem)]))
                }
            }),
        }
    }

    /// The Deployment that the Service sends to.
    pub(super) fn live(&self, service: &Service) -> Result<&Deployment, Decision> {
        let selector = service.selector();
        let name = match selector.get(VERSION) {
            Some(version) => self.name_of(version),
            None => self.request.deployment.clone(),
        };
        if let Some(live) = self.deployment(&name)? {
            return Ok(live);
        }
        let problem = if name == self.request.deployment {
            format!(
                "names `{name}`, which does not exist. This strategy takes over from a version \
                 that serves: deploy the first one with the strategy `rolling`"
            )
        } else {
            let service = service.name();
            format!("is wrong: Service `{service}` sends to `{name}`, which does not exist")
        };
        Err(self.refuse(
            Lock::read(service)
                .filter(|lock| lock.job == self.continuation.job)
                .as_ref(),
            vec![Fault::new("deployment", problem)],
        ))
    }

    pub(super) fn deployment(&self, name: &str) -> Result<Option<&Deployment>, Decision> {
        match self.scene.deployments.get(name) {
            Some(found) => Ok(found.as_ref()),
            None => Err(look(Sought::Deployment(name.to_owned()))),
        }
    }

    /// The Deployment that gets the new version; it is the one that is watched.
    pub(super) fn newcomer(&self, name: &str) -> Result<Option<&Deployment>, Decision> {
        match &self.observation.deployment {
            Some(None) => Ok(None),
            Some(Some(found)) if found.name() == name => Ok(Some(found)),
            Some(Some(_)) | None => Err(Decision::Look(Look::Newcomer {
                name: name.to_owned(),
            })),
        }
    }

    pub(super) fn replica_sets(&self, selector: &str) -> Result<&[ReplicaSet], Decision> {
        match self.scene.replica_sets.get(selector) {
            Some(sets) => Ok(sets),
            None => Err(look(Sought::ReplicaSets(selector.to_owned()))),
        }
    }

    pub(super) fn members(&self, selector: &Selector) -> Result<&[Member], Decision> {
        let selector = written(selector);
        match self.scene.members.get(&selector) {
            Some(members) => Ok(members),
            None => Err(look(Sought::Members(selector))),
        }
    }

    pub(super) fn endpoints(
        &self,
        service: &str,
    ) -> Result<&crate::cluster::service::Endpoints, Decision> {
        match self.scene.endpoints.get(service) {
            Some(endpoints) => Ok(endpoints),
            None => Err(look(Sought::Endpoints(service.to_owned()))),
        }
    }

    fn autoscalers(&self) -> Result<&[Autoscaler], Decision> {
        let seen = self.scene.autoscalers.as_deref();
        seen.ok_or_else(|| look(Sought::Autoscalers))
    }

    pub(super) fn versions(&self) -> Result<&[Deployment], Decision> {
        let seen = self.scene.versions.as_deref();
        seen.ok_or_else(|| look(Sought::Versions))
    }

    fn preview(&self) -> Result<Option<&Service>, Decision> {
        let seen = self.scene.preview.as_ref();
        seen.map(Option::as_ref)
            .ok_or_else(|| look(Sought::Preview))
    }

    fn owns_preview(&self, preview: &Service) -> bool {
        preview.annotation(PREVIEW_OF) == Some(&self.switch.service)
    }

    pub(super) fn is_left(&self, name: &str) -> bool {
        self.scene.left.iter().any(|(left, _)| left == name)
    }

    fn service_fault(&self, problem: &str) -> Fault {
        let service = &self.switch.service;
        Fault::new("service", format!("names `{service}`, which {problem}"))
    }

    /// The Service must send to the live Deployment's pods, and to no others.
    fn fault_of_members(
        &self,
        live: &Deployment,
        sets: &[ReplicaSet],
        members: &[Member],
    ) -> Option<Fault> {
        if members.is_empty() {
            return Some(self.service_fault(
                "selects no pods. This strategy takes over from a version that serves",
            ));
        }
        let foreign = members.iter().find(|member| !member.is_of(live, sets))?;
        Some(self.service_fault(&format!(
            "selects pods of others as well, such as `{}`: switching it would cut them off. Give \
             `{}` a Service whose selector finds its pods alone",
            foreign.name,
            live.name()
        )))
    }

    fn fault_of_names(&self, newcomer: &Newcomer, found: Option<&Deployment>) -> Option<Fault> {
        let taken = found?;
        if newcomer::is_ours(taken, &self.request.deployment, &newcomer.version) {
            return None;
        }
        let name = &newcomer.name;
        Some(Fault::new(
            "deployment",
            format!(
                "needs a Deployment `{name}` for the new version, and one of that name is there \
                 that Landfall did not make: delete or rename it"
            ),
        ))
    }

    /// Pods that the Service does not find would never get traffic.
    fn fault_of_labels(&self, newcomer: &Newcomer, selector: &Selector) -> Option<Fault> {
        let missing = newcomer.missing(&claim::common(selector));
        (!missing.is_empty()).then(|| {
            Fault::new(
                "manifest.spec.template.metadata.labels",
                format!(
                    "lack `{}`, by which Service `{}` selects its pods",
                    missing.join("`, `"),
                    self.switch.service
                ),
            )
        })
    }

    fn fault_of_preview(&self, service: &Service) -> Option<Fault> {
        self.switch.smoke.as_ref()?;
        if service.ports().is_empty() {
            let problem = "needs a port to ask, and the Service has none";
            return Some(Fault::new("smoke", problem));
        }
        let preview = self.scene.preview.as_ref()?.as_ref()?;
        let name = preview_name(&self.switch.service);
        (!self.owns_preview(preview)).then(|| {
            Fault::new(
                "smoke",
                format!(
                    "needs a Service `{name}` for a while, and one of that name is there that \
                     Landfall did not make: delete or rename it"
                ),
            )
        })
    }

    pub(super) fn name_of(&self, version: &str) -> String {
        format!("{}-{version}", self.request.deployment)
    }

    fn author(&self, now: Timestamp) -> Author<'_> {
        super::author(self.request, self.continuation, now)
    }

    /// The phase that a write leaves as it is; the first one opens the switch.
    fn phase(&self) -> Phase {
        match &self.continuation.phase {
            Phase::Return(back) => Phase::Return(back.clone()),
            _ => Phase::Switch,
        }
    }

    pub(super) fn step(&self, call: Call) -> Decision {
        Decision::Act(Action::Step(Box::new(Step {
            call,
            then: self.phase(),
            clears: None,
        })))
    }

    pub(super) fn patch_service(&self, patch: Value, then: Phase) -> Decision {
        let call = Call::merge_service(&self.request.namespace, &self.switch.service, patch);
        let clears = None;
        Decision::Act(Action::Step(Box::new(Step { call, then, clears })))
    }

    pub(super) fn wait(&self, stage: Stage, at_most: Duration) -> Decision {
        let found = self.observation.deployment.as_ref();
        let found = found.and_then(Option::as_ref);
        Decision::Wait(Wait {
            progress: Progress {
                waits_for: WaitsFor::Availability,
                available: found.map_or(0, Deployment::available_replicas),
                wanted: found.map_or(0, Deployment::replicas),
                obstacle: None,
            },
            rollback: matches!(self.continuation.phase, Phase::Return(_)),
            at_most,
            stage,
        })
    }
}

/// The end of a failed switch: what counts is why the newcomer failed.
pub(super) fn ended(back: &Return, aftermath: Aftermath) -> Decision {
    Decision::GiveUp(Failure::Rollout {
        cause: back.cause.clone(),
        kind: back.kind,
        evidence: back.evidence.clone(),
        aftermath,
    })
}

fn look(sought: Sought) -> Decision {
    Decision::Look(Look::Scene(sought))
}

fn count(replicas: i64) -> usize {
    usize::try_from(replicas).unwrap_or(0)
}

/// The one ReplicaSet that has all pods of a Deployment whose rollout is done.
fn only_set<'a>(live: &Deployment, sets: &'a [ReplicaSet]) -> Option<&'a ReplicaSet> {
    let newest = object::newest(live, sets)?;
    let own = sets.iter().filter(|set| set.owner == live.uid());
    let alone = own
        .filter(|set| set.replicas > 0)
        .all(|set| set.name == newest.name);
    let seen = live.observed_generation() >= live.generation();
    let done = live.updated_replicas() == live.total_replicas();
    (alone && seen && done && !newest.template_hash.is_empty()).then_some(newest)
}

/// The Service of the smoke test: the same ports, for the newcomer's pods.
fn preview(service: &Service, namespace: &str, version: &str) -> Value {
    let ports = service.ports().iter().map(|port| {
        let kept = ["name", "protocol", "appProtocol", "port", "targetPort"];
        let kept = kept
            .into_iter()
            .filter_map(|field| Some((field, port.get(field)?)));
        json!(kept.collect::<std::collections::BTreeMap<_, _>>())
    });
    json!({"apiVersion": "v1", "kind": "Service",
        "metadata": {"name": preview_name(service.name()), "namespace": namespace,
            "annotations": {PREVIEW_OF: service.name()}},
        "spec": {"selector": claim::of_version(&service.selector(), version),
            "ports": ports.collect::<Vec<_>>()}})
}

/// The first port of a Service as the API server's proxy names it.
/// <https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls>
fn proxy_target(service: &Service) -> String {
    let first = service.ports().first().unwrap_or(&Value::Null);
    let name = first["name"].as_str().unwrap_or_default();
    let number = first["port"].as_i64().unwrap_or(80);
    let port = match name {
        "" => number.to_string(),
        name => name.to_owned(),
    };
    let https = first["appProtocol"] == "https" || name.starts_with("https") || number == 443;
    let scheme = if https { "https:" } else { "" };
    format!("{scheme}{}:{port}", service.name())
}

/// What makes an autoscaler scale this Deployment with this floor; `None` where it does.
fn autoscaler_patch(scaler: &Autoscaler, to: &str, floor: Option<i64>) -> Option<Value> {
    let kept = scaler.annotation(MIN_REPLICAS);
    let kept = kept.and_then(|text| text.parse::<i64>().ok());
    let original = kept.unwrap_or(scaler.minimum());
    let (minimum, note) = match floor {
        Some(floor) => {
            let held = floor.min(scaler.maximum()).max(original);
            (held, json!(original.to_string()))
        }
        None => (original, Value::Null),
    };
    let held = floor.is_none() || kept.is_some();
    let released = floor.is_some() || kept.is_none();
    if scaler.target() == Some(to) && held && released && scaler.minimum() >= minimum {
        return None;
    }
    Some(
        json!({"metadata": {"resourceVersion": scaler.resource_version(),
            "annotations": {MIN_REPLICAS: note}},
        "spec": {"minReplicas": minimum, "scaleTargetRef": {"name": to}}}),
    )
}
