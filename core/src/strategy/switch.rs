//! Blue/green and immutable: a new Deployment comes up beside the live one, and a Service is
//! switched to it by one patch; the old one stays at full scale for a while, then goes to zero.
//!
//! The Service tells how far a deploy is: who is at work, whether it was switched, when and from
//! what. So every invocation reads it first and goes on from there; the token is only a hint.
//! No write but the switch itself changes which pods get traffic. What a failure takes back is in
//! [`super::switch_back`].

use super::action::{Action, Step};
use super::causes;
use super::claim::{self, Lock, Narrow};
use super::decision::{Decision, Stage, Wait};
use super::immutable;
use super::look::Look;
use super::newcomer::{self, Newcomer};
use super::observation::Observation;
use super::pursuit::{CATCHING_UP, Failed, Followed, Pursuit, WATCH_WINDOW};
use super::result::{Aftermath, Failure, Former, Present, Success, Switched};
use super::scene::{Scene, Smoked, Sought, preview_name};
use crate::change::Author;
use crate::kubernetes::call::{Call, Right};
use crate::kubernetes::object::{self, Deployment, ReplicaSet, timestamp};
use crate::kubernetes::service::{Autoscaler, Member, Selector, Service, TEMPLATE_HASH, written};
use crate::problem::Fault;
use crate::request::{Request, Smoke, Strategy, Switch};
use crate::state::continuation::{Continuation, Phase, Reason, Return, Rollout};
use crate::state::marks::PREVIEW_OF;
use crate::state::marks::VERSION;
use crate::state::marks::{self, MIN_REPLICAS};
use crate::text::clip;
use crate::workload::health::rollout::{Progress, WaitsFor, Written};
use jiff::Timestamp;
use serde_json::{Value, json};
use std::time::Duration;

mod present;
mod repair;

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

/// What is there now, or what is to be read for it first.
pub fn present(
    request: &Request,
    switch: &Switch,
    continuation: &Continuation,
    observation: &Observation,
    now: Timestamp,
) -> Result<Present, Decision> {
    let scene = &observation.scene;
    let context = Context {
        request,
        switch,
        continuation,
        observation,
        scene,
        now,
    };
    context.present()
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
        let superseded = service.annotation(marks::SUPERSEDED).unwrap_or_default();
        if superseded.split(',').any(|superseded| superseded == job) {
            // It has stepped aside itself where nobody has deployed since.
            let since = service.annotation(marks::JOB) != Some(job);
            let by = service.annotation(marks::EXECUTION).filter(|_| since);
            let by = by.map(str::to_owned);
            if let Phase::Return(back) = &self.continuation.phase {
                return Ok(ended(back, Aftermath::OvertakenBy(by)));
            }
            return Ok(Decision::GiveUp(Failure::OutOfSync { by, wrote: true }));
        }
        let lock = Lock::read(service).filter(|lock| lock.job == job);
        let failed = service.annotation(marks::ROLLED_BACK) == Some(job);
        let switched = service.annotation(marks::JOB) == Some(job);
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
                let why = causes::selector_changed(service.name());
                return Ok(self.fail(Reason::Selector, &why));
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
        if found.annotation(marks::JOB) != Some(&self.continuation.job) {
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
        if found.annotation(marks::WANTED) == Some(&wanted) {
            let (name, has) = (found.name(), found.replicas());
            let why =
                format!("`{name}` is held at {has} replicas by someone else; {wanted} are wanted");
            return self.fail(Reason::Changed, &why);
        }
        let patch = json!({"metadata": {"resourceVersion": found.resource_version(),
                "annotations": {marks::WANTED: wanted}},
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
        let own = marks::version_of(live);
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
                &causes::smoke_failed(&smoke.path, tries + unanswered, why),
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
        let retiring = service.annotation(marks::RETIRING).is_some()
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
        let switched = service.annotation(marks::DEPLOYED_AT).and_then(timestamp);
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
            let missing = causes::endpoints_missing(service.name(), found.name());
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
            if service.annotation(marks::RETIRING).is_none() {
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
                cause: causes::scaled_away(found.name()),
                kind: None,
                evidence: crate::workload::health::diagnosis::Evidence::default(),
                reason: Some(Reason::Changed),
            };
            return Ok(ended(&back, Aftermath::NoWayBack));
        }
        let from = match claim::from(service) {
            Some(from) => Some((from.to_owned(), self.former(from)?)),
            None => None,
        };
        Ok(self.succeed(service, found, true, from))
    }

    /// What became of the one that served before. Of ours only what was not to be kept is deleted
    /// by ourselves.
    fn former(&self, from: &str) -> Result<Former, Decision> {
        let keeps_none = matches!(self.request.strategy, Strategy::Immutable { keep: 0, .. });
        let is_plain = from == self.request.deployment;
        Ok(match self.deployment(from)? {
            Some(_) => Former::ScaledDown,
            None if keeps_none && !is_plain => Former::NotKept,
            None => Former::DeletedByOthers,
        })
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
            let lock = self.lock(marks::version_of(live).unwrap_or_default());
            let patch = claim::take(service, &lock, Narrow::Not);
            return Ok(self.patch_service(patch, Phase::Switch));
        }
        Ok(self.succeed(service, found, false, None))
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
        let had_switched = service.annotation(marks::JOB) == Some(&dead.job)
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
        from: Option<(String, Former)>,
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
        let deployed_at = found.annotation(marks::DEPLOYED_AT).and_then(timestamp);
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
            cause: clip(cause, crate::state::continuation::CAUSE_LIMIT),
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
            &causes::switch_timed_out(timeout, service.name()),
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
        let to = service.annotation(marks::TO);
        let running = || self.versions().map(|all| all.iter().filter(is_up));
        if let Some(last) = running()?.find(|one| Some(one.name()) == to && serves(one)) {
            return Ok(last.name().to_owned());
        }
        // The one that was there first: what came later may never have been judged.
        let job = Some(&*self.continuation.job);
        let others = running()?.filter(|one| one.annotation(marks::JOB) != job);
        let others = others.collect::<Vec<_>>();
        let begun = |one: &&&Deployment| one.annotation(marks::DEPLOYED_AT).and_then(timestamp);
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
    ) -> Result<&crate::kubernetes::service::Endpoints, Decision> {
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
            let service = one.annotation(marks::SERVICE)?;
            (service != ours).then(|| (one.name(), service))
        });
        let (name, other) = other?;
        Some(self.service_fault(&format!(
            "is not the one that `{name}` was deployed behind: that is `{other}`, whose pods would \
             be taken away. Switch `{other}`; or, if it is no longer used, remove the annotation \
             {} from the Deployments",
            marks::SERVICE
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
        super::author::author(self.request, self.continuation, now)
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
mod tests;
