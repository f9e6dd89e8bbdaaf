//! Blue/green and immutable: a new Deployment comes up beside the live one, and a Service is
//! switched to it by one patch; the old one stays at full scale for a while, then goes to zero.
//!
//! The Service tells how far a deploy is: who is at work, whether it was switched, when and from
//! what. So every invocation reads it first and goes on from there; the token is only a hint.
//! No write but the switch itself changes which pods get traffic. What a failure takes back is in
//! [`super::switch_back`].

use super::claim::{self, Lock, Narrow, PREVIEW_OF};
use super::immutable;
use super::newcomer::{self, Newcomer};
use super::pursuit::{CATCHING_UP, Failed, Followed, Pursuit, WATCH_WINDOW};
use super::scene::{Scene, Smoked, Sought, preview_name};
use super::{
    Action, Aftermath, Decision, Failure, Look, Observation, Stage, Step, Success, Switched, Wait,
};
use crate::change::{self, Author};
use crate::cluster::call::{Call, Right};
use crate::cluster::object::{self, Deployment, ReplicaSet, timestamp};
use crate::cluster::service::{
    Autoscaler, Member, Selector, Service, TEMPLATE_HASH, VERSION, written,
};
use crate::continuation::{Continuation, Phase, Reason, Return, Rollout};
use crate::report;
use crate::request::{Fault, Request, Smoke, Strategy, Switch};
use crate::rollout::{Progress, WaitsFor, Written};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

mod present;
mod repair;

/// On an autoscaler whose floor is held: the floor that it had.
pub const MIN_REPLICAS: &str = "landfall/min-replicas";

/// How often a lock of somebody else's is looked at.
const LOCK_WINDOW: Duration = Duration::from_secs(5);

/// How often the smoke test is asked before its failure counts, and the pause between: the first
/// request to a fresh application may well fail.
const SMOKE_TRIES: u32 = 3;
/// The same where the API server does not reach the application: with the pauses half a minute.
const SMOKE_UNANSWERED: u32 = 15;
/// See [`SMOKE_TRIES`].
const SMOKE_PAUSE: Duration = Duration::from_secs(2);

/// How long a Deployment that is adopted may need to settle: an autoscaler may be at it.
const SETTLING: Duration = Duration::from_secs(20);

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
        Ok(decision) | Err(decision) => context.told(decision),
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
            // It has stepped aside itself where nobody has deployed since.
            let since = service.annotation(change::JOB) != Some(job);
            let by = service.annotation(change::EXECUTION).filter(|_| since);
            let by = by.map(str::to_owned);
            if let Phase::Return(back) = &self.continuation.phase {
                return Ok(ended(back, Aftermath::OvertakenBy(by)));
            }
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
                // The first look may be older than our own lock.
                self.rechecked()?;
                let by = Lock::read(service).map(|lock| lock.execution);
                Ok(ended(back, Aftermath::OvertakenBy(by)))
            }
            (lock, _) => self.before(service, lock.as_ref()),
        }
    }

    /// Up to the switch. `lock` is ours; without it nothing has been written, and whatever speaks
    /// against the switch ends the deploy.
    fn before(&self, service: &Service, lock: Option<&Lock>) -> Next {
        match lock {
            None => {
                self.refill(service)?;
                self.admit(service)?;
                self.return_from_empty(service)?;
            }
            Some(lock) if lock.selects_by(&service.selector()) => {}
            Some(_) if service.selector().contains_key(TEMPLATE_HASH) => {
                let why = report::selector_changed(service.name());
                return Ok(self.fail(Reason::Changed, &why));
            }
            Some(lock) => return self.set_aside(service, lock, false),
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
            return Ok(self.fail(
                Reason::Changed,
                "the live Deployment was changed by someone else meanwhile",
            ));
        }
        self.check_narrowing(service, live)?;
        let found = self.newcomer(&newcomer.name)?;
        let Some(found) = found else {
            return Ok(self.step(self.write(live, &newcomer, None)));
        };
        if found.is_being_deleted() {
            self.in_time()?;
            return Ok(self.wait(Stage::Leaving(newcomer.name.clone()), CATCHING_UP));
        }
        if found.annotation(change::JOB) != Some(&self.continuation.job) {
            return Ok(self.step(self.write(live, &newcomer, Some(found))));
        }
        if found.replicas() == 0 {
            self.rechecked()?;
            return Ok(self.scale_up(found, live.replicas().max(1)));
        }
        self.follow(found, lock.deadline, Stage::Newcomer(newcomer.name.clone()))?;
        let members = self.confirm(service, &newcomer.version, found)?;
        self.in_time()?;
        if let Some(smoke) = &self.switch.smoke {
            self.smoke(service, &newcomer.version, members, smoke)?;
        }
        self.move_autoscaler(live.name(), &newcomer.name, Some(live.replicas()))?;
        // While it came up the live one may have been scaled.
        self.rechecked()?;
        if found.replicas() < live.replicas() {
            return Ok(self.scale_up(found, live.replicas()));
        }
        Ok(self.make_switch(service, lock, live, &newcomer))
    }

    /// The live one was scaled up meanwhile, or the newcomer down, by an autoscaler that a dead
    /// deploy left on it. Once: whoever undoes it means it.
    fn scale_up(&self, found: &Deployment, replicas: i64) -> Decision {
        let wanted = replicas.to_string();
        if found.annotation(newcomer::WANTED) == Some(&wanted) {
            let (name, has) = (found.name(), found.replicas());
            let why =
                format!("`{name}` is held at {has} replicas by someone else; {wanted} are wanted");
            return self.fail(Reason::Changed, &why);
        }
        let patch = json!({"metadata": {"resourceVersion": found.resource_version(),
                "annotations": {newcomer::WANTED: wanted}},
            "spec": {"replicas": replicas}});
        self.step(Call::merge(&self.request.namespace, found.name(), patch))
    }

    /// Whether the Service may be worked on at all.
    fn admit(&self, service: &Service) -> Result<(), Decision> {
        let late = self.now >= self.continuation.deadline;
        let other = Lock::read(service).filter(|lock| lock.execution != self.request.execution);
        if let Some(other) = other.filter(|lock| late || lock.holds(self.now)) {
            let (execution, until) = (other.execution.clone(), other.expires());
            if self.continuation.phase != Phase::Start {
                let by = Some(execution);
                return Err(Decision::GiveUp(Failure::OutOfSync { by, wrote: true }));
            }
            if late {
                return Err(Decision::GiveUp(Failure::Locked { execution, until }));
            }
            return Err(self.wait(Stage::Lock { execution, until }, LOCK_WINDOW));
        }
        if late {
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
        let mut selector = service.selector();
        let narrowed = selector.get(TEMPLATE_HASH).cloned();
        let whole = only_set(live, sets);
        // A dead deploy's narrowing, to pods that were rolled away since: it is done once more.
        let outdated =
            narrowed.is_some() && narrowed.as_ref() != whole.map(|set| &set.template_hash);
        if outdated {
            selector = claim::common(&selector);
        }
        let members = self.members(&selector)?;
        let found = self.newcomer(&newcomer.name)?;
        if self.switch.smoke.is_some() {
            self.preview()?;
        }
        let mut faults = Vec::from_iter(self.fault_of_service(live));
        // Whatever is needed later must be readable before anything is written.
        let scalers = self.autoscalers()?;
        self.versions()?;
        self.see_no_strangers(service, &mut faults)?;
        let own = newcomer::version_of(live);
        let adopted = !selector.contains_key(VERSION) && !selector.contains_key(TEMPLATE_HASH);
        // Where the first write leaves but one of the family behind the Service, the others go.
        match self.fault_of_members(live, sets, members, adopted) {
            Some(fault) => faults.push(fault),
            None => faults.extend(self.fault_of_labels(newcomer, &selector)),
        }
        faults.extend(self.fault_of_names(newcomer, found));
        faults.extend(self.fault_of_preview(service));
        let narrow = match adopted.then(|| own.ok_or(whole)) {
            None => Narrow::Not,
            Some(Ok(version)) => Narrow::Version(version),
            Some(Err(Some(set))) => Narrow::Hash(&set.template_hash),
            Some(Err(None)) if self.is_settling(live, sets) => {
                let stage = Stage::Settling(live.name().to_owned());
                return Ok(self.wait(stage, CATCHING_UP));
            }
            Some(Err(None)) => {
                faults.push(Fault::new(
                    "deployment",
                    format!(
                        "names `{}`, which is in the middle of a rollout. Before its Service is \
                         switched for the first time all its pods must be of one version: wait \
                         until that rollout is done, or undo it",
                        live.name()
                    ),
                ));
                Narrow::Not
            }
        };
        if !faults.is_empty() {
            // Another execution may have begun after the Service was read: these are its pods then.
            self.rechecked()?;
            return Ok(self.refuse(None, faults));
        }
        self.check_rights(live, scalers)?;
        self.try_newcomer(live, newcomer, found)?;
        let lock = self.lock(&newcomer.version);
        Ok(self.patch_service(claim::take(service, &lock, narrow), Phase::Switch))
    }

    /// What will be needed and cannot be tried by reading: a right that is missing is better told
    /// now than in the middle.
    fn check_rights(&self, live: &Deployment, scalers: &[Autoscaler]) -> Result<(), Decision> {
        let mut needed = Vec::new();
        if self.switch.smoke.is_some() {
            needed.extend(Right::SMOKE);
        }
        let names = self.names(&[live.name()])?;
        if scalers.iter().any(|scaler| is_of(scaler, &names)) {
            needed.push(Right::SCALE);
        }
        let mut missing = Vec::new();
        for right in needed {
            match self.scene.rights.get(&right) {
                None => return Err(look(Sought::Right(right))),
                Some(false) => missing.push(right),
                Some(true) => {}
            }
        }
        if missing.is_empty() {
            return Ok(());
        }
        Err(Decision::GiveUp(Failure::Forbidden(missing)))
    }

    /// The API server says what it thinks of the newcomer before anything is written.
    fn try_newcomer(
        &self,
        live: &Deployment,
        newcomer: &Newcomer,
        found: Option<&Deployment>,
    ) -> Result<(), Decision> {
        if self.scene.tried || found.is_some_and(Deployment::is_being_deleted) {
            return Ok(());
        }
        let call = self.write(live, newcomer, found).dry_run();
        Err(look(Sought::Trial(Box::new(call))))
    }

    /// The write that brings the newcomer up, in the place of an idle one where there is one.
    fn write(&self, live: &Deployment, newcomer: &Newcomer, found: Option<&Deployment>) -> Call {
        let author = self.author(self.now);
        let namespace = &self.request.namespace;
        match found {
            None => Call::create(namespace, newcomer.create(self.request, live, &author)),
            Some(found) => {
                let object = newcomer.replace(self.request, live, found, &author);
                Call::put(namespace, &newcomer.name, object)
            }
        }
    }

    /// Whether a Deployment may have but one version's pods in a moment. Where all pods are of one
    /// already, it is being scaled, at whatever time that began.
    fn is_settling(&self, live: &Deployment, sets: &[ReplicaSet]) -> bool {
        let begun = self.now < self.continuation.started + SETTLING;
        begun || object::newest(live, sets).is_some_and(|newest| is_alone(newest, live, sets))
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
                Err(self.fail(Reason::Changed, &why))
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
        let staying = |member: &&Member| !member.going;
        let mut staying = members.iter().filter(staying);
        if let Some(foreign) = staying.find(|member| !member.is_of(found, sets)) {
            let (pod, service) = (&foreign.name, service.name());
            return Err(self.fail(
                Reason::Changed,
                &format!(
                    "Service `{service}` would also send to pod `{pod}`, which is not one of `{}`",
                    found.name()
                ),
            ));
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
        let Smoked {
            tries, unanswered, ..
        } = self.scene.smoke;
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
                target: proxy_target(found, port_of(found, smoke)),
                path: smoke.path.clone(),
                contains: smoke.contains.clone(),
            })),
            Some(Err(_)) if tries < SMOKE_TRIES && unanswered < SMOKE_UNANSWERED => {
                Err(self.wait(Stage::Smoke, SMOKE_PAUSE))
            }
            Some(Err(why)) => Err(self.fail(
                Reason::Smoke,
                &report::smoke_failed(&smoke.path, tries + unanswered, why),
            )),
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
            wanted: Some(live.replicas()),
            ..lock.clone()
        };
        let to = (&*newcomer.name, &*newcomer.version);
        let author = self.author(self.now);
        let patch = claim::switch(service, &lock, live.name(), to, &author);
        self.patch_service(patch, Phase::Switch)
    }

    /// After the switch: sees the new version serve for the time of the bake, then retires the old.
    fn after(&self, service: &Service, lock: &Lock) -> Next {
        if !Self::is_as_switched(service, lock) {
            return self.set_aside(service, lock, true);
        }
        let name = self.name_of(&lock.version);
        let Some(found) = self.newcomer(&name)? else {
            return Ok(self.fail(
                Reason::Changed,
                &format!("Deployment `{name}` was deleted by someone else"),
            ));
        };
        let from = claim::from(service).unwrap_or_default();
        let old = self.deployment(from)?;
        // Only a newcomer that has served for its time retires the old one.
        let retiring = service.annotation(claim::RETIRING).is_some()
            || old.is_none_or(|old| old.replicas() == 0);
        let held = self.held(lock, found, retiring)?;
        if found.replicas() < held {
            self.rechecked()?;
            return Ok(self.scale_up(found, held));
        }
        if retiring {
            self.see_serving(service, found, lock.deadline)?;
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
        self.see_endpoints(service, found, deadline)?;
        if self.now < until {
            let left = until.duration_since(self.now).unsigned_abs();
            return Ok(self.wait(stage, WATCH_WINDOW.min(left)));
        }
        self.retire(service, found)
    }

    /// The Service sends to all pods of this Deployment, and to no others.
    fn see_endpoints(
        &self,
        service: &Service,
        found: &Deployment,
        deadline: Timestamp,
    ) -> Result<(), Decision> {
        let members = self.members(&service.selector())?;
        let endpoints = self.endpoints(service.name())?;
        if endpoints.are_all_of(members, count(found.replicas().max(1))) {
            return Ok(());
        }
        if self.now >= deadline {
            let missing = report::endpoints_missing(service.name(), found.name());
            return Err(self.fail(Reason::Endpoints, &missing));
        }
        let stage = Stage::Endpoints(service.name().to_owned());
        Err(self.wait(stage, CATCHING_UP))
    }

    /// Scales down all others of the family, deletes what is beyond `keep`, and gives the lock up.
    fn retire(&self, service: &Service, found: &Deployment) -> Next {
        self.move_autoscaler("", found.name(), None)?;
        if let Some(running) = self.other_that_runs(found)? {
            self.unselected(running)?;
            if service.annotation(claim::RETIRING).is_none() {
                return Ok(self.patch_service(claim::retire(service), Phase::Switch));
            }
            return Ok(self.scale_down(running, newcomer::scale_down(running)));
        }
        if let Strategy::Immutable { keep, .. } = &self.request.strategy {
            let others = self.versions()?.iter();
            let others = others.filter(|one| one.name() != found.name() && !one.is_being_deleted());
            let others = others.collect::<Vec<_>>();
            let from = claim::from(service).unwrap_or_default();
            let surplus = immutable::surplus(&others, from, *keep);
            let mut surplus = surplus.into_iter().filter(|one| !self.is_left(one.name()));
            if let Some(one) = surplus.next() {
                self.unselected(one)?;
                return Ok(self.delete(one));
            }
        }
        self.clear_preview()?;
        Ok(self.patch_service(claim::release(service, None), Phase::Switch))
    }

    /// Another one of the family that is not at zero, and could be brought there.
    fn other_that_runs(&self, found: &Deployment) -> Result<Option<&Deployment>, Decision> {
        let plain = self.deployment(&self.request.deployment)?;
        let mut all = plain.into_iter().chain(self.versions()?);
        Ok(all.find(|one| {
            let other = one.name() != found.name() && !one.is_being_deleted();
            other && one.replicas() > 0 && !self.is_left(one.name())
        }))
    }

    /// The switch of this job is complete: the lock was given up as the last step.
    fn done(&self, service: &Service) -> Next {
        let to = claim::to(service).unwrap_or_default();
        let Some(found) = self.newcomer(to)? else {
            return Ok(Decision::GiveUp(Failure::Deleted));
        };
        if found.replicas() == 0 {
            let back = Return {
                cause: report::scaled_away(found.name()),
                kind: None,
                evidence: crate::diagnosis::Evidence::default(),
                reason: Some(Reason::Changed),
            };
            return Ok(ended(&back, Aftermath::NoWayBack));
        }
        let from = claim::from(service).map(str::to_owned);
        let from_is_gone = match &from {
            Some(from) => self.deployment(from)?.is_none(),
            None => false,
        };
        // What is superseded twice is deleted by ourselves.
        let from_is_gone =
            from_is_gone && !matches!(self.request.strategy, Strategy::Immutable { .. });
        Ok(self.succeed(service, found, true, from, from_is_gone))
    }

    /// The version asked for is the one that serves.
    fn already_live(&self, service: &Service, live: &Deployment) -> Next {
        if let Some(dead) = Lock::read(service) {
            return Ok(self.inherit(service, live, &dead));
        }
        let Some(found) = self.newcomer(live.name())? else {
            return Ok(Decision::GiveUp(Failure::Deleted));
        };
        let deadline = self.continuation.deadline;
        self.follow(found, deadline, Stage::Newcomer(live.name().to_owned()))?;
        self.see_endpoints(service, found, deadline)?;
        // An earlier deploy may have failed to bring the others down.
        if self.other_that_runs(found)?.is_some() {
            let lock = self.lock(newcomer::version_of(live).unwrap_or_default());
            let patch = claim::take(service, &lock, Narrow::Not);
            return Ok(self.patch_service(patch, Phase::Switch));
        }
        Ok(self.succeed(service, found, false, None, false))
    }

    /// Our lock, for a version. What was spent on waiting for somebody else's is not the version's:
    /// it has the whole `timeout`, as far as the action lives.
    fn lock(&self, version: &str) -> Lock {
        let since = self.continuation.started;
        let whole = self.now + self.request.timeout;
        Lock {
            execution: self.request.execution.clone(),
            job: self.continuation.job.clone(),
            version: version.to_owned(),
            since,
            deadline: whole.min(since + claim::LONGEST_DEPLOY),
            selector: None,
            wanted: None,
        }
    }

    /// What an earlier deploy left when it died is brought to its end: forward where it had
    /// switched, so that its version is still seen through the bake.
    fn inherit(&self, service: &Service, live: &Deployment, dead: &Lock) -> Decision {
        let lock = self.lock(&dead.version);
        let had_switched = service.annotation(change::JOB) == Some(&dead.job)
            && claim::to(service) == Some(live.name());
        let patch = match had_switched {
            true => claim::take_over(service, &lock, &self.author(self.now)),
            false => claim::take(service, &lock, Narrow::Not),
        };
        self.patch_service(patch, Phase::Switch)
    }

    /// The version asked for serves, and an earlier deploy of another one died before its switch.
    fn tidy(&self, service: &Service, lock: &Lock, live: &Deployment) -> Next {
        if !service.selector().contains_key(TEMPLATE_HASH) {
            return self.retire(service, live);
        }
        if let Some(stage) = self.clear(service, &lock.version, false, live)? {
            self.in_time()?;
            return Ok(self.wait(stage, CATCHING_UP));
        }
        self.clear_preview()?;
        let patch = claim::release(service, self.widened(service).as_ref());
        Ok(self.patch_service(patch, Phase::Switch))
    }

    /// The selector to give back to a Service that is narrowed. What somebody else has changed in
    /// it stays.
    pub(super) fn widened(&self, service: &Service) -> Option<Selector> {
        let mut selector = service.selector();
        selector.remove(TEMPLATE_HASH)?;
        Some(selector)
    }

    fn succeed(
        &self,
        service: &Service,
        found: &Deployment,
        wrote: bool,
        from: Option<String>,
        from_is_gone: bool,
    ) -> Decision {
        Decision::Finish(Success {
            deployment: found.clone(),
            wrote,
            previous_revision: None,
            switched: Some(Switched {
                service: service.name().to_owned(),
                from,
                left: self.scene.left.clone(),
                from_is_gone,
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
            sights: &self.continuation.sights,
            steady: self.continuation.steady.as_ref(),
            live: found,
            now: self.now,
            deadline,
            stage,
        };
        match pursuit.next() {
            Followed::Serves => Ok(()),
            Followed::GoesOn(decision) => Err(decision),
            Followed::Failed(failed) => Err(self.failed(failed, None)),
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
        let names = self.names(&[from, to])?;
        let scalers = self.autoscalers()?.iter();
        for scaler in scalers.filter(|scaler| is_of(scaler, &names)) {
            if let Some(patch) = autoscaler_patch(scaler, to, floor) {
                let namespace = &self.request.namespace;
                let call = Call::merge_autoscaler(namespace, scaler.name(), patch);
                return Err(self.step(call));
            }
        }
        Ok(())
    }

    /// The names of the family's Deployments, and these.
    fn names<'b>(&'b self, more: &[&'b str]) -> Result<Vec<&'b str>, Decision> {
        let names = self.versions()?.iter().map(Deployment::name);
        let more = more.iter().copied();
        Ok(names
            .chain(more)
            .chain([&*self.request.deployment])
            .collect())
    }

    /// Takes the smoke test's Service away, where it is ours.
    pub(super) fn clear_preview(&self) -> Result<(), Decision> {
        match self.preview()? {
            Some(preview) if self.owns_preview(preview) && !self.is_left(preview.name()) => {
                let (namespace, name) = (&self.request.namespace, preview.name());
                let call = Call::delete_service(namespace, name, preview.uid());
                Err(self.clearing(call, name))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The Service was read again right now, and does not send to this Deployment.
    pub(super) fn unselected(&self, deployment: &Deployment) -> Result<(), Decision> {
        self.rechecked()?;
        let selector = self.service()?.selector();
        if repair::selects(&selector, deployment, &self.request.deployment) {
            let by = None;
            return Err(Decision::GiveUp(Failure::OutOfSync { by, wrote: true }));
        }
        Ok(())
    }

    /// Scales one down, where that is not what the deploy is judged by.
    pub(super) fn scale_down(&self, one: &Deployment, patch: Value) -> Decision {
        let call = Call::merge(&self.request.namespace, one.name(), patch);
        self.clearing(call, one.name())
    }

    fn delete(&self, deployment: &Deployment) -> Decision {
        let (namespace, name) = (&self.request.namespace, deployment.name());
        let call = Call::delete(namespace, name, deployment.uid());
        self.clearing(call, name)
    }

    /// The deploy has failed: what was written is taken back, if anything was.
    fn failed(&self, failed: Failed, reason: Option<Reason>) -> Decision {
        let back = Return {
            cause: failed.cause,
            kind: failed.kind,
            evidence: failed.evidence,
            reason,
        };
        let ours = self.service().ok().and_then(Lock::read);
        match ours.filter(|lock| lock.job == self.continuation.job) {
            Some(_) => Decision::Enter(Phase::Return(back)),
            None => ended(&back, Aftermath::NothingWritten),
        }
    }

    pub(super) fn fail(&self, reason: Reason, cause: &str) -> Decision {
        let failed = Failed {
            cause: report::clip(cause, crate::continuation::CAUSE_LIMIT),
            ..Failed::default()
        };
        self.failed(failed, Some(reason))
    }

    /// What the request asks for cannot be had.
    fn refuse(&self, lock: Option<&Lock>, faults: Vec<Fault>) -> Decision {
        match (lock, faults.first()) {
            (Some(_), Some(fault)) => self.fail(
                Reason::Changed,
                &format!("`{}` {}", fault.field, fault.problem),
            ),
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
        Err(self.fail(
            Reason::Time,
            &report::switch_timed_out(timeout, service.name()),
        ))
    }
}

/// What is looked at, and the faults that are found.
impl Context<'_> {
    pub(super) fn service(&self) -> Result<&Service, Decision> {
        match &self.scene.service {
            None => Err(look(Sought::Service)),
            Some(Some(service)) => Ok(service),
            Some(None) => Err(self.without_service()),
        }
    }

    /// The Deployment that the Service sends to.
    pub(super) fn live(&self, service: &Service) -> Result<&Deployment, Decision> {
        let selector = service.selector();
        let name = match selector.get(VERSION) {
            Some(version) => self.name_of(version),
            None => self.found_behind(service)?,
        };
        if let Some(live) = self.deployment(&name)? {
            return Ok(live);
        }
        let problem = if name == self.request.deployment {
            format!(
                "names `{name}`, which does not exist. This strategy takes over from a version \
                 that serves: deploy the first one with the strategy `rolling`"
            )
        } else if claim::to(service) == Some(&self.request.deployment) {
            let name = &self.request.deployment;
            let (plain, _) = name.rsplit_once('-').unwrap_or((name, ""));
            format!(
                "names `{name}`, which a switch made: give the name it was made from, `{plain}`"
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

    /// The Deployment behind a Service that tells no version: the plain one, unless somebody has
    /// set the selector back. Then it is the one that was switched to last, or that runs alone.
    fn found_behind(&self, service: &Service) -> Result<String, Decision> {
        let selector = service.selector();
        let plain = &self.request.deployment;
        if selector.contains_key(TEMPLATE_HASH) {
            return Ok(plain.clone());
        }
        let members = self.members(&selector)?;
        let is_up = |one: &&Deployment| one.replicas() > 0;
        let serves = |one: &&Deployment| {
            let mut ready = members.iter().filter(|member| member.ready);
            one.replicas() > 0 && ready.any(|member| member.is_under(one.name()))
        };
        let own = self.deployment(plain)?;
        if own.is_some_and(|own| serves(&own)) {
            return Ok(plain.clone());
        }
        let to = service.annotation(claim::TO);
        let running = || self.versions().map(|all| all.iter().filter(is_up));
        if let Some(last) = running()?.find(|one| Some(one.name()) == to && serves(one)) {
            return Ok(last.name().to_owned());
        }
        // The one that was there first: what came later may never have been judged.
        let job = Some(&*self.continuation.job);
        let others = running()?.filter(|one| one.annotation(change::JOB) != job);
        let others = others.collect::<Vec<_>>();
        let begun = |one: &&&Deployment| one.annotation(change::DEPLOYED_AT).and_then(timestamp);
        let first = others.iter().filter(|one| serves(one)).min_by_key(begun);
        let is_own = own.is_some_and(|own| is_up(&own));
        let first = first.or_else(|| others.iter().filter(|_| !is_own).min_by_key(begun));
        Ok(first.map_or_else(|| plain.clone(), |one| one.name().to_owned()))
    }

    /// The Service was read again since the last write or wait; what else was seen is older.
    fn rechecked(&self) -> Result<(), Decision> {
        match self.scene.rechecked {
            true => Ok(()),
            false => Err(look(Sought::ServiceAgain)),
        }
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
        family: bool,
    ) -> Option<Fault> {
        let mut members = members.iter().filter(|member| !member.going).peekable();
        if members.peek().is_none() {
            return Some(self.service_fault(
                "selects no pods. This strategy takes over from a version that serves",
            ));
        }
        let versions = self.scene.versions.as_deref().unwrap_or_default();
        let of_family = |member: &Member| {
            let plain = &*self.request.deployment;
            let mut all = versions.iter().map(Deployment::name).chain([plain]);
            family && all.any(|name| member.is_under(name))
        };
        let members = members.collect::<Vec<_>>();
        let own = |member: &&Member| member.is_of(live, sets);
        let foreign = members
            .iter()
            .find(|member| !own(member) && !of_family(member));
        let Some(foreign) = foreign else {
            let mut ready = members.iter().filter(|member| member.ready).peekable();
            let others_alone = ready.peek().is_some() && !ready.any(own);
            return others_alone.then(|| {
                let name = live.name();
                self.service_fault(&format!(
                    "sends to other pods than those of `{name}`, none of which is ready. Bring \
                     `{name}` up again, or scale it to zero if the others are to stay"
                ))
            });
        };
        Some(self.service_fault(&format!(
            "selects pods of others as well, such as `{}`: switching it would cut them off. Give \
             `{}` a Service whose selector finds its pods alone",
            foreign.name,
            live.name()
        )))
    }

    /// The end will demand that the new pods are the Service's endpoints and no others are: whoever
    /// writes endpoints of his own into it is told before anything is written.
    fn see_no_strangers(&self, service: &Service, faults: &mut Vec<Fault>) -> Result<(), Decision> {
        let strangers = &self.endpoints(service.name())?.strangers;
        faults.extend(strangers.iter().next().map(|slice| {
            self.service_fault(&format!(
                "has endpoints of somebody else in EndpointSlice `{slice}`: it would send to them \
                 whatever its selector says. Delete that EndpointSlice, or give `{}` a Service \
                 without one",
                self.request.deployment
            ))
        }));
        Ok(())
    }

    /// Two Services cannot take turns on the same Deployments: each would retire what the other one
    /// sends to.
    fn fault_of_service(&self, live: &Deployment) -> Option<Fault> {
        let ours = &*self.switch.service;
        let versions = self.scene.versions.iter().flatten();
        let other = [live].into_iter().chain(versions).find_map(|one| {
            let service = one.annotation(newcomer::SERVICE)?;
            (service != ours).then(|| (one.name(), service))
        });
        let (name, other) = other?;
        Some(self.service_fault(&format!(
            "is not the one that `{name}` was deployed behind: that is `{other}`, whose pods would \
             be taken away. Switch `{other}`; or, if it is no longer used, remove the annotation \
             {} from the Deployments",
            newcomer::SERVICE
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
        let service = &self.switch.service;
        let labels = missing.join("`, `");
        let fault = match &self.request.manifest {
            Some(_) => Fault::new(
                "manifest.spec.template.metadata.labels",
                format!("lack `{labels}`, by which Service `{service}` selects its pods"),
            ),
            None => self.service_fault(&format!(
                "selects by `{labels}`, which the Deployment's pod template does not have"
            )),
        };
        (!missing.is_empty()).then_some(fault)
    }

    fn fault_of_preview(&self, service: &Service) -> Option<Fault> {
        let smoke = self.switch.smoke.as_ref()?;
        if port_of(service, smoke).is_none() {
            let known = service
                .ports()
                .iter()
                .map(|port| match port["name"].as_str() {
                    Some(name) => format!("`{name}`"),
                    None => format!("`{}`", port["port"]),
                });
            let known = known.collect::<Vec<_>>().join(", ");
            let has = if known.is_empty() { "no port" } else { &*known };
            let problem = match &smoke.port {
                Some(port) => format!("is to ask port `{port}` by TCP, and the Service has {has}"),
                None => format!("needs a port to ask by TCP, and the Service has {has}"),
            };
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
        if let Phase::Return(back) = &self.continuation.phase {
            return Phase::Return(back.clone());
        }
        Phase::Switch
    }

    /// A write that clears something away: the deploy does not fail where it is refused.
    fn clearing(&self, call: Call, name: &str) -> Decision {
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
        reason: back.reason,
        aftermath,
    })
}

fn look(sought: Sought) -> Decision {
    Decision::Look(Look::Scene(sought))
}

fn count(replicas: i64) -> usize {
    usize::try_from(replicas).unwrap_or(0)
}

/// Whether an autoscaler scales one of these Deployments.
fn is_of(scaler: &Autoscaler, names: &[&str]) -> bool {
    scaler
        .target()
        .is_some_and(|target| names.contains(&target))
}

/// The one ReplicaSet that has all pods of a Deployment whose rollout is done.
fn only_set<'a>(live: &Deployment, sets: &'a [ReplicaSet]) -> Option<&'a ReplicaSet> {
    let newest = object::newest(live, sets)?;
    let alone = is_alone(newest, live, sets);
    let seen = live.observed_generation() >= live.generation();
    let done = live.updated_replicas() == live.total_replicas();
    (alone && seen && done && !newest.template_hash.is_empty()).then_some(newest)
}

/// Whether no other ReplicaSet of the Deployment has pods.
fn is_alone(newest: &ReplicaSet, live: &Deployment, sets: &[ReplicaSet]) -> bool {
    let own = sets.iter().filter(|set| set.owner == live.uid());
    let mut with_pods = own.filter(|set| set.replicas > 0);
    with_pods.all(|set| set.name == newest.name)
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

/// The port that the smoke test asks, of those that speak TCP.
fn port_of<'a>(service: &'a Service, smoke: &Smoke) -> Option<&'a Value> {
    let is_tcp = |port: &&Value| matches!(port["protocol"].as_str(), None | Some("TCP"));
    let mut ports = service.ports().iter().filter(is_tcp);
    let Some(wanted) = &smoke.port else {
        return ports.next();
    };
    let number = wanted.parse::<u16>().ok();
    ports.find(|port| {
        let by_number = number.is_some_and(|number| port["port"] == number);
        port["name"] == **wanted || by_number
    })
}

/// A port of a Service as the API server's proxy names it. A number alone tells https, a name says
/// itself what it is.
/// <https://kubernetes.io/docs/tasks/access-application-cluster/access-cluster-services/#manually-constructing-apiserver-proxy-urls>
fn proxy_target(service: &Service, port: Option<&Value>) -> String {
    let port = port.unwrap_or(&Value::Null);
    let name = port["name"].as_str().unwrap_or_default();
    let number = port["port"].as_i64().unwrap_or(80);
    let https = match port["appProtocol"].as_str() {
        Some(protocol) => protocol == "https",
        None => name.starts_with("https") || name.is_empty() && number == 443,
    };
    let port = match name {
        "" => number.to_string(),
        name => name.to_owned(),
    };
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::service::Endpoints;
    use crate::job::Parameters;
    use crate::strategy::scene::FAMILY;

    fn at(seconds: u64) -> Timestamp {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        start + Duration::from_secs(seconds)
    }

    fn request(more: Value) -> Request {
        let mut fields = json!({"deployment": "web", "service": "web", "images": {"app": "app:2"},
            "strategy": "blueGreen", "execution": "run-2", "namespace": "shop"});
        for (name, value) in more.as_object().unwrap() {
            fields[name] = value.clone();
        }
        Request::parse(&Parameters::Text(fields.to_string()), "job-2").unwrap()
    }

    /// A Deployment of two pods that serve.
    fn deployment(name: &str, image: &str, more: Value) -> Deployment {
        let version = name.strip_prefix("web-");
        let mut labels = json!({"app": "web"});
        let mut object = json!({
            "metadata": {"name": name, "uid": format!("uid-{name}"), "resourceVersion": "7",
                "generation": 1, "labels": {}, "annotations": {object::REVISION: "1"}},
            "spec": {"replicas": 2, "minReadySeconds": 1},
            "status": {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2,
                "availableReplicas": 2}});
        if let Some(version) = version {
            labels[VERSION] = json!(version);
            object["metadata"]["labels"]["landfall/deployment"] = json!("web");
        }
        object["spec"]["selector"] = json!({"matchLabels": labels});
        object["spec"]["template"] = json!({"metadata": {"labels": labels},
            "spec": {"containers": [{"name": "app", "image": image}]}});
        overlay(&mut object, &more);
        Deployment::new(object)
    }

    /// Puts fields over fields; a `null` removes.
    fn overlay(target: &mut Value, changes: &Value) {
        let Value::Object(changes) = changes else {
            *target = changes.clone();
            return;
        };
        for (key, change) in changes {
            overlay(&mut target[key], change);
            if change.is_null() {
                target.as_object_mut().unwrap().remove(key);
            }
        }
    }

    /// The newcomer as this deploy wrote it.
    fn blue(more: Value) -> Deployment {
        let written = json!({change::JOB: "job-2", change::DEPLOYED_AT: at(5).to_string(),
            newcomer::CREATED_BY: "job-2"});
        let mut all = json!({"metadata": {"annotations": written}});
        overlay(&mut all, &more);
        deployment("web-blue", "app:2", all)
    }

    fn set(deployment: &str) -> ReplicaSet {
        ReplicaSet {
            name: format!("{deployment}-h"),
            revision: 1,
            owner: format!("uid-{deployment}"),
            template_hash: "h".into(),
            replicas: 2,
            available: 2,
            ..ReplicaSet::default()
        }
    }

    fn members(deployment: &str) -> Vec<Member> {
        let member = |number| Member {
            name: format!("{deployment}-h-{number}"),
            owner: format!("{deployment}-h"),
            ready: true,
            ..Member::default()
        };
        vec![member(1), member(2)]
    }

    fn service(selector: Value, notes: Value) -> Service {
        Service::new(json!({
            "metadata": {"name": "web", "resourceVersion": "3", "annotations": notes},
            "spec": {"selector": selector, "ports": [{"port": 80}]}}))
    }

    fn lock(job: &str, execution: &str) -> String {
        json!({"execution": execution, "job": job, "version": "blue", "since": at(0).to_string(),
            "deadline": at(900).to_string()})
        .to_string()
    }

    /// The Service under our lock, held to the plain Deployment's ReplicaSet.
    fn narrowed() -> Service {
        let notes = json!({claim::LOCK: lock("job-2", "run-2"),
            claim::WIDE_SELECTOR: r#"{"app":"web"}"#});
        service(json!({"app": "web", TEMPLATE_HASH: "h"}), notes)
    }

    /// The Service after the switch to blue.
    fn switched(more: Value) -> Service {
        let mut notes = json!({claim::LOCK: lock("job-2", "run-2"), change::JOB: "job-2",
            change::DEPLOYED_AT: at(60).to_string(), claim::FROM: "web", claim::TO: "web-blue",
            claim::WIDE_SELECTOR: r#"{"app":"web"}"#,
            claim::SELECTOR_BEFORE: r#"{"app":"web","pod-template-hash":"h"}"#});
        overlay(&mut notes, &more);
        service(json!({"app": "web", VERSION: "blue"}), notes)
    }

    /// All has been seen that can be, with `web` serving.
    fn seen(service: Service, newcomer: Option<Deployment>) -> Observation {
        let plain = deployment("web", "app:1", json!({}));
        let of_blue = [("app", "web"), (VERSION, "blue")];
        let of_hash = [("app", "web"), (TEMPLATE_HASH, "h")];
        let selector = |pairs: &[(&str, &str)]| {
            let pairs = pairs.iter().map(|(key, value)| format!("{key}={value}"));
            pairs.collect::<Vec<_>>().join(",")
        };
        Observation {
            editor: Some(None),
            replica_sets: Some(vec![set("web-blue")]),
            scene: Scene {
                service: Some(Some(service)),
                preview: Some(None),
                deployments: [("web".to_owned(), Some(plain))].into(),
                versions: Some(newcomer.iter().cloned().collect()),
                replica_sets: [("app=web".to_owned(), vec![set("web")])].into(),
                members: [
                    (selector(&[("app", "web")]), members("web")),
                    (selector(&of_hash), members("web")),
                    (selector(&of_blue), members("web-blue")),
                ]
                .into(),
                endpoints: [("web".to_owned(), endpoints("web-blue"))].into(),
                autoscalers: Some(Vec::new()),
                rights: Right::SMOKE.map(|right| (right, true)).into(),
                tried: true,
                rechecked: true,
                ..Scene::default()
            },
            deployment: Some(newcomer),
            ..Observation::default()
        }
    }

    fn endpoints(deployment: &str) -> Endpoints {
        let names = members(deployment).into_iter().map(|member| member.name);
        Endpoints {
            ready: names.collect(),
            ..Endpoints::default()
        }
    }

    fn failed() -> Return {
        Return {
            cause: "it broke".into(),
            kind: None,
            evidence: crate::diagnosis::Evidence::default(),
            reason: None,
        }
    }

    fn decided(
        request: &Request,
        phase: &Phase,
        observation: &Observation,
        now: Timestamp,
    ) -> String {
        let continuation = Continuation {
            phase: phase.clone(),
            ..Continuation::begin("job-2", at(0), Duration::from_secs(900))
        };
        let switch = request.strategy.switch().unwrap();
        outline(&decide(request, switch, &continuation, observation, now))
    }

    /// A decision in a line: a write with its path and what it changes of spec and notes.
    fn outline(decision: &Decision) -> String {
        match decision {
            Decision::Look(Look::Scene(Sought::Trial(call))) => {
                assert!(!call.changes());
                format!("try to {} {}", call.verb.rbac(), call.path)
            }
            Decision::Look(Look::Scene(sought)) => format!("look {sought:?}"),
            Decision::Look(look) => format!("look {look:?}"),
            Decision::Act(Action::Step(step)) => {
                let body = step.call.body.clone().unwrap_or_default();
                let place = step.call.path.rsplit_once("shop/").unwrap().1.to_owned();
                let verb = step.call.verb.rbac();
                let spec = match verb {
                    "patch" => body["spec"].to_string(),
                    _ => body["spec"]["replicas"].to_string(),
                };
                let notes = body["metadata"]["annotations"].as_object().cloned();
                let notes = notes.unwrap_or_default().into_iter();
                let notes = notes.filter(|(name, _)| name.starts_with("landfall/"));
                let notes = notes.map(|(name, value)| {
                    let sign = if value.is_null() { "-" } else { "+" };
                    format!("{sign}{}", name.trim_start_matches("landfall/"))
                });
                format!(
                    "{verb} {place} {spec} {}",
                    notes.collect::<Vec<_>>().join(" ")
                )
            }
            Decision::Act(action) => format!("{action:?}"),
            Decision::Enter(Phase::Return(back)) => format!("return: {}", back.cause),
            Decision::Enter(phase) => format!("enter {phase:?}"),
            Decision::Wait(wait) => format!("wait {}s {:?}", wait.at_most.as_secs(), wait.stage),
            Decision::Finish(success) => {
                let switched = success.switched.as_ref().unwrap();
                let name = success.deployment.name();
                format!("finish {name} {} {:?}", success.wrote, switched.from)
            }
            Decision::GiveUp(Failure::Faults(faults)) => {
                let lines = faults
                    .iter()
                    .map(|it| format!("`{}` {}", it.field, it.problem));
                lines.collect::<Vec<_>>().join("; ")
            }
            Decision::GiveUp(Failure::Rollout {
                cause, aftermath, ..
            }) => format!("failed: {cause}: {aftermath:?}"),
            Decision::GiveUp(failure) => format!("give up {failure:?}"),
            Decision::Steady(steady) => format!("steady {steady:?}"),
            Decision::Remember(sights) => format!("remember {sights:?}"),
        }
    }

    type Change = fn(&mut Observation);

    #[test]
    fn nothing_is_written_before_all_is_known() {
        let plain = || service(json!({"app": "web"}), json!({}));
        let forget: [(&str, Change, &str); 11] = [
            ("service", |it| it.scene.service = None, "look Service"),
            (
                "live",
                |it| it.scene.deployments.clear(),
                r#"look Deployment("web")"#,
            ),
            (
                "sets",
                |it| it.scene.replica_sets.clear(),
                r#"look ReplicaSets("app=web")"#,
            ),
            (
                "pods",
                |it| it.scene.members.clear(),
                r#"look Members("app=web")"#,
            ),
            (
                "newcomer",
                |it| it.deployment = None,
                r#"look Newcomer { name: "web-blue" }"#,
            ),
            ("preview", |it| it.scene.preview = None, "look Preview"),
            (
                "scalers",
                |it| it.scene.autoscalers = None,
                "look Autoscalers",
            ),
            ("versions", |it| it.scene.versions = None, "look Versions"),
            (
                "endpoints",
                |it| it.scene.endpoints.clear(),
                "look Endpoints(\"web\")",
            ),
            (
                "rights",
                |it| it.scene.rights.clear(),
                r#"look Right(Right { verb: "create", resource: "services" })"#,
            ),
            (
                "trial",
                |it| it.scene.tried = false,
                "try to create /apis/apps/v1/namespaces/shop/deployments",
            ),
        ];
        let request = request(json!({"smoke": "/"}));
        for (name, forget, expected) in forget {
            let mut observation = seen(plain(), None);
            forget(&mut observation);
            let found = decided(&request, &Phase::Start, &observation, at(1));
            assert_eq!(found, expected, "{name}");
        }
    }

    #[test]
    fn all_rights_that_are_missing_are_told_at_once() {
        let of_family = Autoscaler::new(json!({"spec": {"scaleTargetRef":
            {"kind": "Deployment", "name": "web"}}}));
        let of_others = Autoscaler::new(json!({"spec": {"scaleTargetRef":
            {"kind": "Deployment", "name": "api"}}}));
        let [create, delete, proxy] = Right::SMOKE;
        for (smoke, scaler, granted, missing) in [
            (false, of_others.clone(), vec![], vec![]),
            (true, of_others.clone(), Right::SMOKE.to_vec(), vec![]),
            (true, of_others, vec![delete], vec![create, proxy]),
            (false, of_family.clone(), vec![Right::SCALE], vec![]),
            (
                true,
                of_family,
                vec![create],
                vec![delete, proxy, Right::SCALE],
            ),
        ] {
            let mut observation = seen(service(json!({"app": "web"}), json!({})), None);
            observation.scene.autoscalers = Some(vec![scaler]);
            let all = Right::SMOKE.into_iter().chain([Right::SCALE]);
            observation.scene.rights = all.map(|right| (right, granted.contains(&right))).collect();
            let request = request(if smoke {
                json!({"smoke": "/"})
            } else {
                json!({})
            });
            let found = decided(&request, &Phase::Start, &observation, at(1));
            let expected = format!("give up {:?}", Failure::Forbidden(missing.clone()));
            assert_eq!(found == expected, !missing.is_empty(), "{found}");
            assert_eq!(found.starts_with("patch services/web"), missing.is_empty());
        }
    }

    /// A write that made it may still be under way, and would make it anew.
    #[test]
    fn a_version_that_failed_is_kept_at_zero_and_known_to_have_failed() {
        let request = request(json!({"strategy": "immutable"}));
        for (job, is_left, replicas, expected) in [
            (
                "job-2",
                false,
                2,
                r#"patch deployments/web-blue {"replicas":0} +replicas +rolled-back"#,
            ),
            (
                "job-1",
                false,
                2,
                r#"patch deployments/web-blue {"replicas":0} +replicas"#,
            ),
            (
                "job-2",
                true,
                2,
                "failed: it broke: ReturnFailed(\"web-blue\")",
            ),
            ("job-2", false, 0, "wait 1s Leaving(\"web-blue\")"),
        ] {
            let one = blue(json!({"metadata": {"annotations": {change::JOB: job}},
                "spec": {"replicas": replicas}}));
            let notes = json!({claim::LOCK: lock("job-2", "run-2"), change::ROLLED_BACK: "job-2",
                claim::WIDE_SELECTOR: r#"{"app":"web"}"#});
            let selector = json!({"app": "web", TEMPLATE_HASH: "h"});
            let mut observation = seen(service(selector, notes), Some(one));
            let scene = &mut observation.scene;
            scene.members.insert("app=web".into(), members("web-blue"));
            if is_left {
                let left = ("web-blue".to_owned(), "the token may not".to_owned());
                scene.left.push(left);
            }
            let phase = Phase::Return(failed());
            let found = decided(&request, &phase, &observation, at(100));
            assert_eq!(found, expected, "{job} {is_left} {replicas}");
        }
    }

    /// Its pods were rolled away since, and the Service sends to none.
    #[test]
    fn a_dead_deploys_narrowing_is_done_once_more() {
        let notes = json!({claim::WIDE_SELECTOR: r#"{"app":"web"}"#});
        let outdated = service(json!({"app": "web", TEMPLATE_HASH: "gone"}), notes);
        let first = decided(
            &request(json!({})),
            &Phase::Start,
            &seen(outdated, None),
            at(1),
        );
        assert_eq!(
            first,
            r#"patch services/web {"selector":{"app":"web","pod-template-hash":"h"}} +lock -retiring -superseded +wide-selector"#
        );
    }

    /// Each would retire what the other one sends to.
    #[test]
    fn two_services_do_not_take_turns_on_one_deployment() {
        let mut observation = seen(service(json!({"app": "web"}), json!({})), None);
        let behind = |service: &str| {
            let notes = json!({"metadata": {"annotations": {newcomer::SERVICE: service}}});
            deployment("web-green", "app:1", notes)
        };
        for (other, refused) in [("web", false), ("front", true)] {
            observation.scene.versions = Some(vec![behind(other)]);
            let found = decided(&request(json!({})), &Phase::Start, &observation, at(1));
            let told = found.contains("is not the one that `web-green` was deployed behind");
            assert_eq!(told, refused, "{found}");
        }
    }

    #[test]
    fn a_newcomer_is_scaled_up_once_to_what_serves_now() {
        let live = deployment("web", "app:1", json!({"spec": {"replicas": 5}}));
        let observed = |wanted: Option<&str>, rechecked: bool| {
            let one = blue(json!({"metadata": {"annotations": {newcomer::WANTED: wanted}}}));
            let mut observation = seen(narrowed(), Some(one));
            let scene = &mut observation.scene;
            scene.deployments.insert("web".into(), Some(live.clone()));
            scene.rechecked = rechecked;
            decided(&request(json!({})), &Phase::Switch, &observation, at(30))
        };
        assert_eq!(observed(None, false), "look ServiceAgain");
        let up = r#"patch deployments/web-blue {"replicas":5} +wanted"#;
        assert_eq!(observed(None, true), up);
        assert_eq!(observed(Some("3"), true), up);
        let held = "return: `web-blue` is held at 2 replicas by someone else; 5 are wanted";
        assert_eq!(observed(Some("5"), true), held);
    }

    #[test]
    fn the_first_write_locks_and_narrows() {
        let wide = service(json!({"app": "web"}), json!({}));
        let first = decided(&request(json!({})), &Phase::Start, &seen(wide, None), at(1));
        assert_eq!(
            first,
            r#"patch services/web {"selector":{"app":"web","pod-template-hash":"h"}} +lock -retiring -superseded +wide-selector"#
        );
        // One that sends to a version already needs no narrowing.
        let green = service(json!({"app": "web", VERSION: "green"}), json!({}));
        let mut observation = seen(green, None);
        let live = deployment("web-green", "app:1", json!({}));
        let selector = live.selector();
        let scene = &mut observation.scene;
        scene.deployments.insert("web-green".into(), Some(live));
        scene.members.insert(selector.clone(), members("web-green"));
        scene.replica_sets.insert(selector, vec![set("web-green")]);
        let first = decided(&request(json!({})), &Phase::Start, &observation, at(1));
        assert_eq!(first, "patch services/web null +lock -retiring -superseded");
    }

    /// By `kubectl replace`, say. It sends to one version all the same, and is held to that again.
    #[test]
    fn a_selector_that_was_set_back_is_narrowed_to_the_version_that_serves() {
        let green = |replicas: i64| {
            deployment(
                "web-green",
                "app:1",
                json!({"spec": {"replicas": replicas}}),
            )
        };
        let given = |plain: i64, green: Deployment| {
            let mut observation = seen(service(json!({"app": "web"}), json!({})), None);
            let scene = &mut observation.scene;
            let plain = deployment("web", "app:0", json!({"spec": {"replicas": plain}}));
            scene.deployments.insert("web".into(), Some(plain));
            scene
                .deployments
                .insert("web-green".into(), Some(green.clone()));
            // Those of the one that was retired last may still be there, or not know it yet.
            let going = Member {
                owner: "web-h".into(),
                going: true,
                ..Member::default()
            };
            let retired = members("web").into_iter().chain([going]);
            let all = members("web-green").into_iter().chain(retired);
            scene.members.insert("app=web".into(), all.collect());
            scene
                .replica_sets
                .insert(green.selector(), vec![set("web-green")]);
            scene.versions = Some(vec![green]);
            decided(&request(json!({})), &Phase::Start, &observation, at(1))
        };
        assert_eq!(
            given(0, green(2)),
            r#"patch services/web {"selector":{"app":"web","landfall/version":"green"}} +lock -retiring -superseded"#
        );
        // What a dead deploy left beside the one that serves is of the family.
        assert_eq!(
            given(2, green(2)),
            r#"patch services/web {"selector":{"app":"web","pod-template-hash":"h"}} +lock -retiring -superseded +wide-selector"#
        );
    }

    #[test]
    fn a_service_of_others_as_well_is_not_narrowed() {
        let given = |others: Member| {
            let mut observation = seen(service(json!({"app": "web"}), json!({})), None);
            let mut all = members("web");
            all.push(others);
            observation.scene.members.insert("app=web".into(), all);
            decided(&request(json!({})), &Phase::Start, &observation, at(1))
        };
        let strange = given(Member {
            owner: "shop-h".into(),
            ready: true,
            ..Member::default()
        });
        assert!(
            strange.contains("selects pods of others as well"),
            "{strange}"
        );
        let mut observation = seen(service(json!({"app": "web"}), json!({})), None);
        let strangers = &mut observation
            .scene
            .endpoints
            .get_mut("web")
            .unwrap()
            .strangers;
        strangers.insert("by-hand".into());
        let found = decided(&request(json!({})), &Phase::Start, &observation, at(1));
        assert!(found.contains("EndpointSlice `by-hand`"), "{found}");
        // What alone serves is what is taken over from.
        let mut observation = seen(service(json!({"app": "web"}), json!({})), None);
        let blue = Member {
            ready: true,
            ..members("web-blue")[0].clone()
        };
        let down = members("web").into_iter().map(|member| Member {
            ready: false,
            ..member
        });
        let all = down.chain([blue]).collect();
        observation.scene.members.insert("app=web".into(), all);
        observation.scene.versions = Some(vec![deployment("web-blue", "app:0", json!({}))]);
        let found = decided(&request(json!({})), &Phase::Start, &observation, at(1));
        assert_eq!(found, "look Deployment(\"web-blue\")");
    }

    #[test]
    fn what_speaks_against_a_switch_is_said_before_anything_is_written() {
        let wide = |spec: Value| {
            let mut object = json!({"metadata": {"name": "web"},
                "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}});
            overlay(&mut object["spec"], &spec);
            Service::new(object)
        };
        let live = |changes: Value| deployment("web", "app:1", changes);
        let foreign = Member {
            name: "api-1".into(),
            owner: "api-h".into(),
            ..Member::default()
        };
        let strange = || {
            deployment(
                "web-blue",
                "x",
                json!({"metadata": {"labels": {FAMILY: "other"}}}),
            )
        };
        let taken = || Service::new(json!({"metadata": {"name": "web-preview"}}));
        type Prepare<'a> = Box<dyn Fn(&mut Observation) + 'a>;
        let put = |live: Deployment| -> Prepare<'_> {
            Box::new(move |it| {
                it.scene
                    .deployments
                    .insert("web".into(), Some(live.clone()));
            })
        };
        let send = |spec: Value| -> Prepare<'_> {
            Box::new(move |it| it.scene.service = Some(Some(wide(spec.clone()))))
        };
        let rows: [(&str, Prepare<'_>); 14] = [
            (
                "does not exist",
                Box::new(|it| it.scene.service = Some(None)),
            ),
            ("ExternalName", send(json!({"type": "ExternalName"}))),
            ("has no selector", send(json!({"selector": null}))),
            (
                "lack",
                send(json!({"selector": {"app": "web", "tier": "front"}})),
            ),
            ("needs a port", send(json!({"ports": null}))),
            (
                "selects no pods",
                Box::new(|it| _ = it.scene.members.insert("app=web".into(), Vec::new())),
            ),
            (
                "pods of others as well, such as `api-1`",
                Box::new(|it| {
                    it.scene
                        .members
                        .get_mut("app=web")
                        .unwrap()
                        .push(foreign.clone())
                }),
            ),
            (
                "which does not exist. This strategy takes over",
                Box::new(|it| _ = it.scene.deployments.insert("web".into(), None)),
            ),
            ("Paused", put(live(json!({"spec": {"paused": true}})))),
            (
                "BeingDeleted",
                put(live(
                    json!({"metadata": {"deletionTimestamp": "2026-01-01T00:00:00Z"}}),
                )),
            ),
            (
                "Settling",
                put(live(json!({"metadata": {"generation": 2}}))),
            ),
            (
                "middle of a rollout",
                Box::new(|it| {
                    let mut older = set("web");
                    older.name = "web-old".into();
                    older.revision = 0;
                    it.scene
                        .replica_sets
                        .get_mut("app=web")
                        .unwrap()
                        .push(older);
                }),
            ),
            (
                "that Landfall did not make",
                Box::new(|it| it.deployment = Some(Some(strange()))),
            ),
            (
                "one of that name is there",
                Box::new(|it| it.scene.preview = Some(Some(taken()))),
            ),
        ];
        let request = request(json!({"smoke": "/", "manifest": {"spec": {"template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {"containers": [{"name": "app", "image": "app:2"}]}}}}}));
        for (words, prepare) in rows {
            let mut observation = seen(wide(json!({})), None);
            let labels = "app=web,tier=front".to_owned();
            observation.scene.members.insert(labels, members("web"));
            prepare(&mut observation);
            let found = decided(&request, &Phase::Start, &observation, at(21));
            assert!(found.contains(words), "{words}: {found}");
            assert!(!found.starts_with("patch"), "{found}");
            // Others' pods may be those of an execution that began since the Service was read.
            if words.starts_with("pods of others") {
                observation.scene.rechecked = false;
                let found = decided(&request, &Phase::Start, &observation, at(21));
                assert_eq!(found, "look ServiceAgain");
            }
        }
        let mut scaled = seen(wide(json!({})), None);
        let well = decided(&request, &Phase::Start, &scaled, at(1));
        assert!(well.starts_with("patch services/web"), "{well}");
        put(live(json!({"metadata": {"generation": 2}})))(&mut scaled);
        let waits = decided(&request, &Phase::Start, &scaled, at(1));
        assert_eq!(waits, "wait 1s Settling(\"web\")");
    }

    #[test]
    fn somebody_elses_lock_is_waited_for_until_it_ends() {
        let locked = |execution: &str| {
            let notes = json!({claim::LOCK: lock("job-1", execution)});
            seen(service(json!({"app": "web"}), notes), None)
        };
        let patient = request(json!({"timeout": "1h"}));
        let late = |now| {
            let continuation = Continuation::begin("job-2", at(0), Duration::from_secs(60));
            let request = request(json!({}));
            let switch = request.strategy.switch().unwrap();
            outline(&decide(
                &request,
                switch,
                &continuation,
                &locked("run-1"),
                now,
            ))
        };
        let found = |execution: &str, phase: Phase, now| {
            decided(&patient, &phase, &locked(execution), at(now))
        };
        let waits = found("run-1", Phase::Start, 1);
        assert!(
            waits.starts_with("wait 5s Lock { execution: \"run-1\""),
            "{waits}"
        );
        assert!(
            late(at(61)).starts_with("give up Locked"),
            "{}",
            late(at(61))
        );
        // The margin belongs to the lock, too.
        assert!(late(at(59)).starts_with("wait"), "{}", late(at(59)));
        for (name, taken) in [
            ("the same execution", found("run-2", Phase::Start, 1)),
            ("one that has ended by itself", {
                let continuation = Continuation::begin("job-2", at(1000), Duration::from_secs(60));
                let switch = patient.strategy.switch().unwrap();
                let seen = locked("run-1");
                outline(&decide(&patient, switch, &continuation, &seen, at(1021)))
            }),
        ] {
            assert!(taken.starts_with("patch services/web"), "{name}: {taken}");
            assert!(taken.contains("+superseded"), "{name}: {taken}");
        }
        let lost = found("run-1", Phase::Switch, 1);
        assert!(lost.contains("SetAside"), "{lost}");
    }

    #[test]
    fn up_to_the_switch() {
        let smoking = request(json!({"smoke": {"path": "/health", "contains": "ok"}}));
        let plain = request(json!({}));
        let preview = Service::new(json!({"metadata": {"name": "web-preview", "uid": "u",
                "annotations": {PREVIEW_OF: "web"}},
            "spec": {"selector": {"app": "web", VERSION: "blue"}, "ports": [{"port": 80}]}}));
        let with_preview = |last: Option<Result<(), String>>, tries| {
            let mut observation = seen(narrowed(), Some(blue(json!({}))));
            observation.scene.preview = Some(Some(preview.clone()));
            let of_blue = endpoints("web-blue");
            observation
                .scene
                .endpoints
                .insert("web-preview".into(), of_blue);
            observation.scene.smoke = Smoked {
                tries,
                unanswered: 0,
                last,
            };
            observation
        };
        let scaler = Autoscaler::new(json!({"metadata": {"name": "web", "resourceVersion": "1"},
            "spec": {"minReplicas": 1, "maxReplicas": 5,
                "scaleTargetRef": {"kind": "Deployment", "name": "web"}}}));
        let mut scaled = seen(narrowed(), Some(blue(json!({}))));
        scaled.scene.autoscalers = Some(vec![scaler]);
        let mut foreign = seen(narrowed(), Some(blue(json!({}))));
        let of_blue = written(&claim::of_version(&narrowed().selector(), "blue"));
        let pods = foreign.scene.members.get_mut(&of_blue).unwrap();
        pods.extend(members("api"));
        let mut fewer = seen(narrowed(), Some(blue(json!({}))));
        fewer.scene.members.get_mut(&of_blue).unwrap()[0].ready = false;
        let mut rolled = seen(narrowed(), Some(blue(json!({}))));
        let newer = ReplicaSet {
            revision: 2,
            template_hash: "other".into(),
            ..set("web")
        };
        rolled
            .scene
            .replica_sets
            .insert("app=web".into(), vec![set("web"), newer]);
        let idle = blue(json!({"metadata": {"annotations": {change::JOB: "job-1"}},
            "spec": {"replicas": 0}}));
        let switch = r#"patch services/web {"selector":{"app":"web","landfall/version":"blue","pod-template-hash":null}} -cause +deployed-at +execution +from +job +lock -retiring -rolled-back +selector-before -superseded +to"#;
        let wrong = |tries| with_preview(Some(Err("HTTP 500".into())), tries);
        let rows = [
            (
                &plain,
                seen(narrowed(), None),
                "create deployments 2 +created-by +deployed-at +digest +execution +job +service",
            ),
            (
                &plain,
                seen(narrowed(), Some(idle)),
                "update deployments/web-blue 2 +created-by +deployed-at +digest +execution +job +service",
            ),
            (
                &plain,
                seen(
                    narrowed(),
                    Some(blue(json!({"status": {"availableReplicas": 1}}))),
                ),
                "wait 3s Newcomer(\"web-blue\")",
            ),
            (&plain, seen(narrowed(), Some(blue(json!({})))), switch),
            (&plain, fewer, "wait 1s Newcomer(\"web-blue\")"),
            (
                &plain,
                foreign,
                "return: Service `web` would also send to pod `api-h-1`, which is not one of `web-blue`",
            ),
            (
                &plain,
                rolled,
                "return: Deployment `web` was changed by someone else meanwhile",
            ),
            (
                &plain,
                scaled,
                r#"patch horizontalpodautoscalers/web {"minReplicas":2,"scaleTargetRef":{"name":"web-blue"}} +min-replicas"#,
            ),
            (
                &smoking,
                seen(narrowed(), Some(blue(json!({})))),
                "create services null +preview-of",
            ),
            (
                &smoking,
                with_preview(None, 0),
                r#"look Smoke { target: "web-preview:80", path: "/health", contains: Some("ok") }"#,
            ),
            (&smoking, wrong(2), "wait 2s Smoke"),
            (
                &smoking,
                wrong(3),
                "return: its smoke test, GET /health, failed 3 times, the last time so: HTTP 500",
            ),
            (&smoking, with_preview(Some(Ok(())), 3), switch),
        ];
        for (request, observation, expected) in rows {
            let found = decided(request, &Phase::Switch, &observation, at(6));
            assert_eq!(found, expected);
        }
        let small = blue(json!({"spec": {"replicas": 1}, "status": {"replicas": 1,
            "updatedReplicas": 1, "availableReplicas": 1}}));
        let small = decided(
            &plain,
            &Phase::Switch,
            &seen(narrowed(), Some(small)),
            at(6),
        );
        assert_eq!(
            small,
            r#"patch deployments/web-blue {"replicas":2} +wanted"#
        );
        let late = decided(
            &plain,
            &Phase::Switch,
            &seen(narrowed(), Some(blue(json!({})))),
            at(900),
        );
        assert_eq!(
            late,
            "return: Service `web` could not be switched within 15 min (timeout)"
        );
    }

    #[test]
    fn after_the_switch() {
        let request = request(json!({}));
        let baking = || seen(switched(json!({})), Some(blue(json!({}))));
        let mut both = baking();
        let pods = &mut both.scene.endpoints.get_mut("web").unwrap().ready;
        pods.insert("web-h-1".into());
        let mut elsewhere = baking();
        let to_green = service(
            json!({"app": "web", VERSION: "green"}),
            json!({
            claim::LOCK: lock("job-2", "run-2"), change::JOB: "job-2"}),
        );
        elsewhere.scene.service = Some(Some(to_green));
        let green = deployment("web-green", "app:1", json!({}));
        let deployments = &mut elsewhere.scene.deployments;
        deployments.insert("web-green".into(), Some(green.clone()));
        let versions = elsewhere.scene.versions.as_mut().unwrap();
        versions.push(green);
        let of_green = "app=web,landfall/version=green".to_owned();
        let pods = &mut elsewhere.scene.members;
        pods.insert(of_green, members("web-green"));
        let mut scaled = elsewhere.clone();
        scaled.scene.autoscalers = Some(vec![Autoscaler::new(json!({
            "metadata": {"name": "hpa", "annotations": {MIN_REPLICAS: "1"}},
            "spec": {"minReplicas": 3, "scaleTargetRef":
                {"kind": "Deployment", "name": "web-blue"}}}))]);
        let mut aside = elsewhere.clone();
        let notes = json!({change::JOB: "job-2", change::EXECUTION: "run-2",
            change::SUPERSEDED: "job-2,job-1"});
        let selector = json!({"app": "web", VERSION: "green"});
        aside.scene.service = Some(Some(service(selector, notes)));
        let mut unchecked = baking();
        unchecked.scene.rechecked = false;
        let mut retired = baking();
        let gone = deployment("web", "app:1", json!({"spec": {"replicas": 0}}));
        retired.scene.deployments.insert("web".into(), Some(gone));
        let mut done = retired.clone();
        done.scene.service = Some(Some(switched(json!({claim::LOCK: null}))));
        let retiring = || {
            let notes = json!({claim::RETIRING: "true"});
            seen(switched(notes), Some(blue(json!({}))))
        };
        let mut kept = retiring();
        let refused = ("web".to_owned(), "a policy".to_owned());
        kept.scene.left.push(refused);
        let away = |more: Value| {
            let mut none = json!({"spec": {"replicas": 0}});
            overlay(&mut none, &more);
            let lock = json!({"execution": "run-2", "job": "job-2", "version": "blue", "wanted": 2,
                "since": at(0).to_string(), "deadline": at(900).to_string()});
            let notes = json!({claim::LOCK: lock.to_string()});
            seen(switched(notes), Some(blue(none)))
        };
        let mut empty = retiring();
        empty
            .scene
            .endpoints
            .insert("web".into(), Endpoints::default());
        let mut wide = baking();
        let mut back = switched(json!({})).value().clone();
        back["spec"]["selector"] = json!({"app": "web"});
        wide.scene.service = Some(Some(Service::new(back)));
        let both_pods = members("web").into_iter().chain(members("web-blue"));
        wide.scene
            .members
            .insert("app=web".into(), both_pods.collect());
        let mut alone = wide.clone();
        alone
            .scene
            .members
            .insert("app=web".into(), members("web-blue"));
        let rows = [
            (
                "it bakes",
                baking(),
                61,
                "wait 10s Bake { newcomer: \"web-blue\", until: 2026-01-01T00:01:30Z }",
            ),
            (
                "endpoints lag",
                both.clone(),
                61,
                "wait 1s Endpoints(\"web\")",
            ),
            (
                "and lag too long",
                both,
                900,
                "return: the endpoints of Service `web` never became the ready pods of `web-blue` and no others",
            ),
            (
                "somebody switched it",
                elsewhere,
                61,
                "patch services/web null -lock -retiring -selector-before +superseded -wide-selector",
            ),
            (
                "and there is an autoscaler",
                scaled,
                61,
                r#"patch horizontalpodautoscalers/hpa {"minReplicas":1,"scaleTargetRef":{"name":"web-green"}} -min-replicas"#,
            ),
            (
                "what was held is given up",
                aside,
                61,
                "give up SetAside { by: None, editor: None, present: Present { service: \"web\", is_there: true, sends: {\"web-blue\": 2}, up: {\"web\": 2, \"web-blue\": 2, \"web-green\": 2} } }",
            ),
            ("it looks once more", unchecked, 90, "look ServiceAgain"),
            (
                "somebody scaled it to zero",
                away(json!({})),
                89,
                r#"patch deployments/web-blue {"replicas":2} +wanted"#,
            ),
            (
                "and does so again",
                away(json!({"metadata": {"annotations": {newcomer::WANTED: "2"}}})),
                89,
                "return: `web-blue` is held at 0 replicas by someone else; 2 are wanted",
            ),
            (
                "the old one stays while no pod serves",
                empty,
                90,
                "wait 1s Endpoints(\"web\")",
            ),
            (
                "a tool set the selector back: it goes where the old one serves without it",
                wide.clone(),
                61,
                r#"patch deployments/web-blue {"replicas":0} +replicas +rolled-back"#,
            ),
            (
                "but not where it serves alone",
                alone,
                61,
                "patch services/web null -lock -retiring -selector-before +superseded -wide-selector",
            ),
            (
                "no way back from here",
                baking(),
                90,
                "patch services/web null +retiring",
            ),
            (
                "the old one goes",
                retiring(),
                90,
                r#"patch deployments/web {"replicas":0} +replicas"#,
            ),
            (
                "as nothing speaks against it",
                kept,
                90,
                "patch services/web null -lock -retiring -selector-before -wide-selector",
            ),
            (
                "the lock goes",
                retired,
                61,
                "patch services/web null -lock -retiring -selector-before -wide-selector",
            ),
            ("it is done", done, 95, "finish web-blue true Some(\"web\")"),
        ];
        for (name, observation, now, expected) in rows {
            let found = decided(&request, &Phase::Switch, &observation, at(now));
            assert_eq!(found, expected, "{name}");
            let restarted = decided(&request, &Phase::Start, &observation, at(now));
            assert_eq!(
                restarted, expected,
                "{name}, by a process that knows nothing"
            );
        }
    }

    #[test]
    fn a_failure_is_taken_back_step_by_step() {
        let request_of = |rollback: bool| request(json!({"rollback": rollback}));
        let marked = |service: Service, lock: bool| {
            let mut object = json!({"metadata": {"name": "web", "resourceVersion": "3"}});
            object["spec"]["selector"] = json!(service.selector());
            let kept = [
                claim::LOCK,
                claim::WIDE_SELECTOR,
                change::JOB,
                claim::FROM,
                claim::TO,
            ];
            for note in kept.into_iter().filter(|note| lock || *note != claim::LOCK) {
                if let Some(text) = service.annotation(note) {
                    object["metadata"]["annotations"][note] = json!(text);
                }
            }
            object["metadata"]["annotations"][change::ROLLED_BACK] = json!("job-2");
            object["metadata"]["annotations"][change::CAUSE] = json!("it broke");
            Service::new(object)
        };
        let back = |switched: &Service| {
            let before = claim::selector_before(switched).unwrap();
            let notes = json!({claim::LOCK: lock("job-2", "run-2"), change::JOB: "job-2",
                claim::FROM: "web", claim::TO: "web-blue",
                claim::WIDE_SELECTOR: r#"{"app":"web"}"#});
            service(json!(before), notes)
        };
        let down = || blue(json!({"spec": {"replicas": 0}}));
        let mut left = seen(marked(narrowed(), true), Some(down()));
        left.scene
            .members
            .get_mut("app=web")
            .unwrap()
            .extend(members("web-blue"));
        let mut lagging = seen(
            marked(back(&switched(json!({}))), true),
            Some(blue(json!({}))),
        );
        lagging
            .scene
            .endpoints
            .insert("web".into(), endpoints("web-blue"));
        let mut returned = lagging.clone();
        returned
            .scene
            .endpoints
            .insert("web".into(), endpoints("web"));
        let mut going = seen(switched(json!({})), Some(blue(json!({}))));
        let down_already = deployment("web", "app:1", json!({"spec": {"replicas": 0}}));
        going
            .scene
            .deployments
            .insert("web".into(), Some(down_already));
        let mut weak = seen(switched(json!({})), Some(blue(json!({}))));
        let of_hash = "app=web,pod-template-hash=h".to_owned();
        weak.scene
            .members
            .insert(of_hash, members("web")[..1].to_vec());
        let retiring = json!({claim::RETIRING: "true"});
        let retiring = seen(switched(retiring), Some(blue(json!({}))));
        let release = r#"patch services/web {"selector":{"app":"web","pod-template-hash":null}} -lock -retiring -selector-before -wide-selector"#;
        let rows = [
            (
                "mark",
                true,
                seen(narrowed(), Some(blue(json!({})))),
                "patch services/web null +cause +lock +rolled-back -superseded",
            ),
            (
                "mark and switch back",
                true,
                seen(switched(json!({})), Some(blue(json!({})))),
                r#"patch services/web {"selector":{"app":"web","landfall/version":null,"pod-template-hash":"h"}} +cause +lock +rolled-back -superseded"#,
            ),
            (
                "not to a version that is being scaled down",
                true,
                going,
                "patch services/web null +cause -lock -retiring +rolled-back -selector-before -superseded -wide-selector",
            ),
            (
                "not to a version that serves less",
                true,
                weak,
                "patch services/web null +cause -lock -retiring +rolled-back -selector-before -superseded -wide-selector",
            ),
            (
                "not to one that may be on its way down",
                true,
                retiring,
                "patch services/web null +cause -lock -retiring +rolled-back -selector-before -superseded -wide-selector",
            ),
            (
                "not where nobody wants it",
                false,
                seen(switched(json!({})), Some(blue(json!({})))),
                "patch services/web null +cause -lock -retiring +rolled-back -selector-before -superseded -wide-selector",
            ),
            (
                "the newcomer goes",
                true,
                seen(marked(narrowed(), true), Some(blue(json!({})))),
                r#"patch deployments/web-blue {"replicas":0} +replicas +rolled-back"#,
            ),
            (
                "also where it is to be left, as it would get traffic",
                false,
                seen(marked(narrowed(), true), Some(blue(json!({})))),
                r#"patch deployments/web-blue {"replicas":0} +replicas +rolled-back"#,
            ),
            ("its pods end", true, left, "wait 1s Leaving(\"web-blue\")"),
            (
                "the selector is as it was",
                true,
                seen(marked(narrowed(), true), Some(down())),
                release,
            ),
            (
                "endpoints follow first",
                true,
                lagging,
                "wait 1s Endpoints(\"web\")",
            ),
            (
                "then it goes",
                true,
                returned,
                r#"patch deployments/web-blue {"replicas":0} +replicas +rolled-back"#,
            ),
            (
                "it is reported",
                true,
                seen(
                    marked(service(json!({"app": "web"}), json!({})), false),
                    Some(down()),
                ),
                "failed: it broke: Unswitched(ScaledDown(\"web-blue\"))",
            ),
        ];
        for (name, rollback, observation, expected) in rows {
            let phase = Phase::Return(failed());
            let found = decided(&request_of(rollback), &phase, &observation, at(100));
            assert_eq!(found, expected, "{name}");
        }
        // A process that knows nothing goes on backwards, by what the Service says.
        let known = seen(marked(narrowed(), true), Some(down()));
        let first = decided(&request_of(true), &Phase::Start, &known, at(100));
        assert_eq!(first, "return: it broke");
        let late = decided(&request_of(true), &Phase::Return(failed()), &known, at(900));
        assert_eq!(late, "failed: it broke: ReturnFailed(\"web-blue\")");
    }

    #[test]
    fn a_version_that_serves_is_not_deployed_again() {
        let again = request(json!({"images": {"app": "app:1"}}));
        let wide = |notes: Value| {
            let serving = deployment("web", "app:1", json!({}));
            let mut observation = seen(service(json!({"app": "web"}), notes), Some(serving));
            observation.replica_sets = Some(vec![set("web")]);
            observation
                .scene
                .endpoints
                .insert("web".into(), endpoints("web"));
            observation
        };
        let found = decided(&again, &Phase::Start, &wide(json!({})), at(1));
        assert_eq!(found, "finish web false None");
        // What a dead deploy left is brought to its end first, also where the version is sick.
        let dead = json!({claim::LOCK: lock("job-1", "run-2")});
        let found = decided(&again, &Phase::Start, &wide(dead), at(1));
        assert_eq!(found, "patch services/web null +lock -retiring +superseded");
        let mut observation = wide(json!({}));
        observation.scene.service = Some(Some(narrowed()));
        observation.scene.versions = Some(vec![blue(json!({}))]);
        let found = decided(&again, &Phase::Switch, &observation, at(1));
        assert_eq!(
            found,
            r#"patch deployments/web-blue {"replicas":0} +replicas +rolled-back"#
        );
    }

    #[test]
    fn a_job_that_others_came_after_stops() {
        let notes = json!({change::SUPERSEDED: "job-3,job-2", change::EXECUTION: "run-9"});
        let observation = seen(service(json!({"app": "web"}), notes), None);
        let found = decided(&request(json!({})), &Phase::Start, &observation, at(1));
        assert_eq!(
            found,
            "give up SetAside { by: Some(\"run-9\"), editor: None, present: Present { service: \"web\", is_there: true, sends: {\"web-blue\": 2}, up: {\"web\": 2} } }"
        );
    }

    #[test]
    fn the_proxy_is_asked_for_the_port_that_is_meant() {
        let ask = |port: Option<&str>| Smoke {
            path: "/".into(),
            contains: None,
            port: port.map(str::to_owned),
        };
        let udp = json!({"name": "dns", "port": 53, "protocol": "UDP"});
        let metrics = json!({"name": "metrics", "port": 9090});
        for (ports, asked, expected) in [
            (json!([{"port": 80}]), None, Some("web:80")),
            (
                json!([{"name": "http", "port": 80}]),
                None,
                Some("web:http"),
            ),
            (json!([{"port": 443}]), None, Some("https:web:443")),
            // A load balancer that ends TLS itself.
            (
                json!([{"name": "http", "port": 443}]),
                None,
                Some("web:http"),
            ),
            (
                json!([{"name": "https-api", "port": 8443}]),
                None,
                Some("https:web:https-api"),
            ),
            (
                json!([{"port": 9, "appProtocol": "https"}]),
                None,
                Some("https:web:9"),
            ),
            (
                json!([{"port": 443, "appProtocol": "http"}]),
                None,
                Some("web:443"),
            ),
            (json!([udp, {"port": 80}]), None, Some("web:80")),
            (
                json!([metrics, {"name": "web", "port": 80}]),
                Some("web"),
                Some("web:web"),
            ),
            (
                json!([metrics, {"name": "web", "port": 80}]),
                Some("80"),
                Some("web:web"),
            ),
            (json!([metrics]), Some("web"), None),
            (json!([udp]), None, None),
            (json!([]), None, None),
        ] {
            let service =
                Service::new(json!({"metadata": {"name": "web"}, "spec": {"ports": ports}}));
            let port = port_of(&service, &ask(asked));
            let found = port.map(|port| proxy_target(&service, Some(port)));
            assert_eq!(found.as_deref(), expected, "{ports}");
        }
    }

    #[test]
    fn an_autoscalers_floor_is_held_and_given_back() {
        let scaler = |target: &str, minimum: i64, kept: Value| {
            Autoscaler::new(json!({"metadata": {"resourceVersion": "1",
                    "annotations": {MIN_REPLICAS: kept}},
                "spec": {"minReplicas": minimum, "maxReplicas": 4,
                    "scaleTargetRef": {"kind": "Deployment", "name": target}}}))
        };
        let none = || Value::Null;
        for (name, scaler, floor, expected) in [
            (
                "moved",
                scaler("web", 1, none()),
                Some(3),
                Some((3, json!("1"))),
            ),
            (
                "never above its maximum",
                scaler("web", 1, none()),
                Some(9),
                Some((4, json!("1"))),
            ),
            (
                "never lowered",
                scaler("web", 2, none()),
                Some(1),
                Some((2, json!("2"))),
            ),
            ("held already", scaler("blue", 3, json!("1")), Some(3), None),
            (
                "given back",
                scaler("blue", 3, json!("1")),
                None,
                Some((1, none())),
            ),
            ("given back already", scaler("blue", 1, none()), None, None),
            (
                "the first floor counts",
                scaler("web", 3, json!("1")),
                Some(2),
                Some((2, json!("1"))),
            ),
        ] {
            let patch = autoscaler_patch(&scaler, "blue", floor);
            let found = patch.map(|patch| {
                let minimum = patch["spec"]["minReplicas"].as_i64().unwrap();
                (
                    minimum,
                    patch["metadata"]["annotations"][MIN_REPLICAS].clone(),
                )
            });
            assert_eq!(found, expected, "{name}");
        }
    }
}
