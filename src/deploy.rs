//! The loop: observe, decide, act, within the time of one invocation.

mod ending;

use crate::cluster::{Change, Cluster, Watch};
use crate::logging;
use jiff::{SignedDuration, Timestamp};
use landfall_core::change;
use landfall_core::change::editor::Editor;
use landfall_core::kubernetes::call::{Call, Right, Verb};
use landfall_core::kubernetes::object::{Deployment, ReplicaSet, template_of};
use landfall_core::kubernetes::refusal::Cause;
use landfall_core::kubernetes::{CallError, Refusal};
use landfall_core::outcome::CredentialsError;
use landfall_core::plan::{self, Plan};
use landfall_core::report;
use landfall_core::request::{Mode, Request};
use landfall_core::state::continuation::{Continuation, Phase};
use landfall_core::strategy::scene::{Answer, Shape, Sought};
use landfall_core::strategy::{
    self, Action, Aftermath, Decision, DryRun, Failure, Look, Observation, Present, Success, Wait,
};
use landfall_core::workload::health::diagnosis::{self, Explanation, Sight};
use landfall_core::workload::health::steadiness::{self, Roster};
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout_at};

/// Lost races over one write before it is given up.
const CONFLICTS: u32 = 8;

/// The pause after a lost race, times the races lost.
const CONFLICT_PAUSE: Duration = Duration::from_millis(50);

/// How long the cluster may be silent while a rollout is followed: an API server that is replaced
/// needs a minute or two, and the rollout goes on without it.
pub const OUTAGE: SignedDuration = SignedDuration::from_mins(3);

/// The same before the first write, when nothing goes on in the cluster that would have to be
/// followed: a webhook whose pod restarts needs half a minute, and whoever waits for the pipeline
/// should hear of an address that is wrong within a minute.
pub const FIRST_OUTAGE: SignedDuration = SignedDuration::from_mins(1);

/// The pause before a silent cluster is asked again.
const OUTAGE_PAUSE: Duration = Duration::from_secs(2);

/// The least time between two reads that only wait for a change, where no watch is to be had.
const POLL_PAUSE: Duration = Duration::from_secs(1);

/// How long the server is to keep a watch open. One watch serves several waits.
const WATCH_SECONDS: u64 = 60;

/// When a watch that the server should have ended is taken for dead.
const WATCH_TRUST: Duration = Duration::from_secs(WATCH_SECONDS + 5);

/// Watches that told nothing at all before reads take their place: some proxies hold a stream back.
const MUTE_WATCHES: u32 = 2;

/// How long the pods are waited for: a rollout can be followed without them, too. In what is left
/// of a short life it is a third.
const PODS_TIMEOUT: Duration = Duration::from_secs(5);

/// The same for what explains a failure: events and the end of a log.
const EXPLANATION_TIMEOUT: Duration = Duration::from_secs(3);

/// How long one answer of the smoke test may take.
const SMOKE_TIMEOUT: Duration = Duration::from_secs(10);

/// What a call that is not granted would give.
const EVIDENCE: &str = "see more";
/// See [`EVIDENCE`].
const ROLLBACK: &str = "have it rolled back";
/// See [`EVIDENCE`].
const SMOKE: &str = "have the smoke test run";
/// See [`EVIDENCE`].
const CLEARED: &str = "have it cleared away";
/// See [`EVIDENCE`].
const SWITCHED: &str = "have the switch completed";

/// What the API server remarks on writes that is kept: a summary is to stay readable.
const WARNINGS: usize = 5;

/// Decisions between two waits. A strategy needs about ten; more would mean that it turns in
/// circles.
const STEPS: u32 = 100;

/// Writes of one invocation. The longest switch deletes some twenty versions beside its own ten.
const WRITES: u32 = 200;

/// How a deploy, or its part in this invocation, ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// The new version serves.
    Finished(Box<Success>),
    /// What would be done, for a request that only asks.
    Planned(Box<Plan>),
    /// It came to nothing.
    Failed(Failure),
    /// A call failed for good; in a switch, with what is there now.
    Broken(Box<Call>, CallError, Option<Box<Present>>),
    /// There is no access any more.
    LockedOut(CredentialsError),
    /// The cluster has been silent for too long.
    LostSight(Timestamp, String),
    /// The next invocation goes on.
    HandedOver(Option<Wait>),
}

/// Runs a deploy until it ends or `until` comes. `renew` fetches the token anew and connects.
pub async fn run(
    cluster: Arc<Cluster>,
    renew: impl AsyncFn() -> Result<Arc<Cluster>, CredentialsError>,
    request: &Request,
    continuation: &mut Continuation,
    until: Instant,
) -> Outcome {
    let mut deploy = Deploy {
        cluster,
        renew,
        renewed: false,
        locked_out: None,
        request,
        continuation,
        until,
        observation: Observation::default(),
        watch: None,
        just_written: false,
        unheard: None,
        mute_watches: 0,
        conflicts: 0,
        waiting: None,
        asked: Timestamp::now(),
    };
    deploy.run().await
}

struct Deploy<'a, R> {
    cluster: Arc<Cluster>,
    renew: R,
    renewed: bool,
    locked_out: Option<CredentialsError>,
    request: &'a Request,
    continuation: &'a mut Continuation,
    until: Instant,
    observation: Observation,
    watch: Option<Watch>,
    just_written: bool,
    /// The version of the Deployment during which a watch has told nothing.
    unheard: Option<String>,
    mute_watches: u32,
    conflicts: u32,
    waiting: Option<Wait>,
    /// When the step began that is under way.
    asked: Timestamp,
}

impl<R: AsyncFn() -> Result<Arc<Cluster>, CredentialsError>> Deploy<'_, R> {
    async fn run(&mut self) -> Outcome {
        let (mut steps, mut writes) = (0, 0);
        loop {
            let now = Timestamp::now();
            self.asked = now;
            let decision =
                strategy::decide(self.request, self.continuation, &self.observation, now);
            steps += 1;
            assert!(steps <= STEPS, "the strategy turns in circles");
            if self.request.mode == Mode::Plan
                && let Some(tried) = self.plan(&decision, now).await
            {
                match tried {
                    Some(outcome) => return outcome,
                    None if Instant::now() >= self.until => return Outcome::HandedOver(None),
                    None => continue,
                }
            }
            let ended = match decision {
                Decision::Look(look) => self.look(&look).await,
                Decision::Act(action) => {
                    (steps, writes) = (0, writes + 1);
                    assert!(writes <= WRITES, "the strategy writes in circles");
                    self.act(action.hide(logging::masked)).await
                }
                Decision::Enter(phase) => {
                    self.enter(phase.hide(logging::masked));
                    None
                }
                Decision::Remember(sights) => {
                    self.continuation.sights = sights;
                    None
                }
                Decision::Steady(steady) => {
                    self.continuation.steady = Some(steady);
                    None
                }
                Decision::Wait(wait) => {
                    steps = 0;
                    self.wait(wait).await;
                    None
                }
                Decision::Finish(success) => Some(Outcome::Finished(Box::new(success))),
                Decision::GiveUp(failure) => Some(Outcome::Failed(failure)),
            };
            if let Some(outcome) = ended {
                return outcome;
            }
            if Instant::now() >= self.until {
                return Outcome::HandedOver(self.waiting.take());
            }
        }
    }

    /// Tries the first write instead of doing it, so that nothing is written: `None` where the
    /// decision is not one to write, `Some(None)` where the cluster has to be asked again.
    async fn plan(&mut self, decision: &Decision, now: Timestamp) -> Option<Option<Outcome>> {
        let author = strategy::author(self.request, self.continuation, now);
        let (call, live) = match plan::step(self.request, &self.observation, decision, &author) {
            plan::Step::GoOn => return None,
            plan::Step::Try(call, live) => (call, live),
            plan::Step::Tried(live, after) => {
                let plan = plan::tried(self.request, live, *after);
                return Some(Some(self.planned(plan)));
            }
            plan::Step::Nothing(live) => {
                return Some(Some(self.planned(Plan {
                    after: None,
                    live,
                    difference: plan::Difference::default(),
                    warnings: Vec::new(),
                })));
            }
        };
        Some(match self.send(&call).await {
            Ok(object) => {
                let plan = plan::tried(self.request, live, Deployment::new(object));
                Some(self.planned(plan))
            }
            Err(error) => self.trouble(*call, error).await,
        })
    }

    fn planned(&self, plan: Plan) -> Outcome {
        Outcome::Planned(Box::new(Plan {
            warnings: self.continuation.warnings.clone(),
            ..plan
        }))
    }

    fn enter(&mut self, phase: Phase) {
        let name = match &phase {
            Phase::Start => "start",
            Phase::Rollout(_) => "rollout",
            Phase::Rollback(_) => "rollback",
            Phase::Switch => "switch",
            Phase::Return(_) => "return",
        };
        if self.continuation.enter(phase) {
            tracing::info!(phase = name, "the deploy goes on");
        }
    }

    async fn look(&mut self, look: &Look) -> Option<Outcome> {
        let call = look.call(self.request);
        let seen = match look {
            Look::ReplicaSets { .. } => {
                let sets = self.list(&call, ReplicaSet::read).await;
                sets.map(|mut sets| {
                    for (message, _) in sets.iter_mut().filter_map(|set| set.failure.as_mut()) {
                        *message = logging::masked(message);
                    }
                    self.observation.replica_sets = Some(sets);
                })
            }
            Look::Autoscalers => {
                let name = self.request.deployment.clone();
                let targets = self.list(&call, |scaler| targets(scaler, &name)).await;
                targets.map(|targets| {
                    self.observation.autoscaled = Some(targets.contains(&true));
                })
            }
            Look::Pods { set, .. } => {
                self.pods(&call, set).await;
                Ok(())
            }
            Look::Roster { set, .. } => {
                self.roster(&call, set).await;
                Ok(())
            }
            Look::DryRun(call) => self.dry_run(call).await,
            Look::Editor { steps } => {
                self.editor(&call, steps).await;
                Ok(())
            }
            Look::Events { .. } => {
                let events = self
                    .cluster
                    .events(&call, self.soon(EXPLANATION_TIMEOUT))
                    .await;
                let events = events.map(|mut events| {
                    for event in &mut events {
                        event.message = logging::masked(&event.message);
                    }
                    events
                });
                let events = events.map_err(|error| unreadable_call(&call, &error, EVIDENCE));
                self.observation.explanation.events = Some(events);
                Ok(())
            }
            Look::Log { .. } => {
                let log = self
                    .cluster
                    .text(&call, self.soon(EXPLANATION_TIMEOUT))
                    .await;
                // Hidden before it is cut: half a value might not be known again.
                let log = log.map(|text| diagnosis::log_lines(&logging::masked(&text)));
                let log = log.map_err(|error| unreadable_call(&call, &error, EVIDENCE));
                self.observation.explanation.log = Some(log);
                Ok(())
            }
            Look::Deployment | Look::Newcomer { .. } => self.one(&call).await,
            Look::Previous { .. } => self.previous(&call).await,
            Look::Scene(sought) => self.scene(sought, &call).await,
        };
        let is_trial = matches!(look, Look::Scene(Sought::Trial(_)) | Look::DryRun(_));
        match seen {
            Ok(()) => None,
            Err(CallError::Refused(refusal))
                if is_trial && refusal.code == 409 && self.conflicts < CONFLICTS =>
            {
                self.lost_race().await
            }
            Err(error) => self.trouble(call, error).await,
        }
    }

    /// Looks at something around a Service.
    async fn scene(&mut self, sought: &Sought, call: &Call) -> Result<(), CallError> {
        let answer = match sought.shape() {
            Shape::One => match self.object(call).await {
                Err(error) if says_nothing(sought, &error) => Answer::One(None),
                object => Answer::One(object?),
            },
            Shape::List => Answer::List(self.list(call, Value::clone).await?),
            Shape::Text => {
                let mut text = self.cluster.text(call, self.soon(SMOKE_TIMEOUT)).await;
                if self.may_renew(&text) && self.renew().await? {
                    text = self.cluster.text(call, self.soon(SMOKE_TIMEOUT)).await;
                }
                match text {
                    Err(error) if is_of_proxy(&error) => {
                        Answer::Unanswered(unreadable_call(call, &error, SMOKE))
                    }
                    text => {
                        Answer::Text(text.map_err(|error| unreadable_call(call, &error, SMOKE)))
                    }
                }
            }
        };
        self.observation.scene.take(sought, answer);
        Ok(())
    }

    /// Looks at the pods of a ReplicaSet. That they cannot be read is no end of anything.
    async fn pods(&mut self, call: &Call, name: &str) {
        let mut sets = self.observation.replica_sets.iter().flatten();
        let set = sets.find(|set| set.name == name).cloned();
        let until = self.soon(PODS_TIMEOUT);
        let mut pods = self.cluster.pods(call, name, until).await;
        if self.may_renew(&pods) && self.renew().await == Ok(true) {
            pods = self.cluster.pods(call, name, until).await;
        }
        if let Err(error) = &pods {
            tracing::warn!(error = unreadable(error), "the pods cannot be read");
        }
        self.observation.sight = Some(Sight {
            at: Timestamp::now(),
            set: set.unwrap_or_default(),
            pods: pods
                .map(|pods| pods.hide(logging::masked))
                .map_err(|error| unreadable_call(call, &error, EVIDENCE)),
        });
        self.observation.explanation = Explanation::default();
    }

    /// Which pods a ReplicaSet has. Where they may not be read the Deployment's counters must do.
    async fn roster(&mut self, call: &Call, set: &str) {
        let until = self.soon(PODS_TIMEOUT);
        let read = |pod: &Value| steadiness::pod(pod, set);
        let mut pods = self.cluster.list(call.clone(), until, read).await;
        if self.may_renew(&pods) && self.renew().await == Ok(true) {
            pods = self.cluster.list(call.clone(), until, read).await;
        }
        if let Err(error) = &pods {
            tracing::warn!(error = unreadable(error), "the pods cannot be read");
        }
        self.observation.roster = Some(Roster {
            at: Timestamp::now(),
            pods: steadiness::summed(pods.unwrap_or_default().into_iter().flatten()),
        });
    }

    /// Tries a write. That it cannot be tried here is no end of it.
    async fn dry_run(&mut self, call: &Call) -> Result<(), CallError> {
        let tried = match self.send(call).await {
            Ok(object) => DryRun::Would(Deployment::new(object)),
            Err(CallError::Refused(refusal)) if cannot_be_tried(&refusal) => DryRun::Unable,
            Err(error) => return Err(error),
        };
        self.observation.dry_run = Some(tried);
        Ok(())
    }

    /// Who set a field. Where that cannot be read it is not told.
    async fn editor(&mut self, call: &Call, steps: &[String]) {
        let text = self
            .cluster
            .text(call, self.soon(EXPLANATION_TIMEOUT))
            .await;
        let object = text.ok().and_then(|text| serde_json::from_str(&text).ok());
        self.observation.editor = Some(object.and_then(|object: Value| {
            let editor = Editor::of(&object, steps)?;
            Some(Editor {
                manager: logging::masked(&editor.manager),
                ..editor
            })
        }));
    }

    /// In a while, but not in the last part of this life.
    fn soon(&self, limit: Duration) -> Instant {
        let now = Instant::now();
        now + limit.min(self.until.duration_since(now) / 3)
    }

    /// Reads the Deployment; that it is not there is an observation, too.
    async fn one(&mut self, call: &Call) -> Result<(), CallError> {
        let object = self.object(call).await?;
        self.observation.renew(Some(object.map(Deployment::new)));
        Ok(())
    }

    /// The template to return to. A refusal must not take the place of what it was to be read for.
    async fn previous(&mut self, call: &Call) -> Result<(), CallError> {
        let template = match self.object(call).await {
            Ok(set) => {
                let live = self.observation.deployment.iter().flatten().next();
                let found = set.is_some();
                let template = set.zip(live);
                let template = template.and_then(|(set, live)| template_of(&set, live));
                if found && template.is_none() {
                    tracing::warn!("the ReplicaSet to return to is not the Deployment's; ignored");
                }
                Ok(template)
            }
            Err(error) if self.locked_out.is_none() && !self.may_pass(&error) => {
                Err(unreadable_call(call, &error, ROLLBACK))
            }
            Err(error) => return Err(error),
        };
        self.observation.previous_template = Some(template);
        Ok(())
    }

    /// One object, or that there is none. A 404 that is not Kubernetes' own says neither.
    async fn object(&mut self, call: &Call) -> Result<Option<Value>, CallError> {
        match self.send(call).await {
            Ok(object) => Ok(Some(object)),
            Err(CallError::Refused(refusal)) if refusal.code == 404 && refusal.is_status => {
                Ok(None)
            }
            Err(CallError::Refused(refusal)) if refusal.code == 404 => {
                let why = format!("HTTP 404 with \"{}\"", refusal.message);
                Err(CallError::NotKubernetes(why))
            }
            Err(error) => Err(error),
        }
    }

    /// A list; a kind of object that the cluster does not know has no items.
    async fn list<T>(
        &mut self,
        call: &Call,
        read: impl Fn(&Value) -> T,
    ) -> Result<Vec<T>, CallError> {
        let mut listed = self.cluster.list(call.clone(), self.until, &read).await;
        if self.may_renew(&listed) && self.renew().await? {
            listed = self.cluster.list(call.clone(), self.until, &read).await;
        }
        match listed {
            Err(CallError::Refused(refusal)) if refusal.code == 404 && refusal.is_status => {
                Ok(Vec::new())
            }
            listed => listed,
        }
    }

    /// One object. JSON that is no object of Kubernetes is an odd answer, whatever its status.
    async fn send(&mut self, call: &Call) -> Result<Value, CallError> {
        let mut sent = self.cluster.send(call, self.until).await;
        if self.may_renew(&sent) && self.renew().await? {
            sent = self.cluster.send(call, self.until).await;
        }
        for warning in self.cluster.warnings() {
            let known = &mut self.continuation.warnings;
            if known.len() < WARNINGS && !known.contains(&warning) {
                tracing::warn!(warning, "the API server remarks on a write");
                known.push(warning);
            }
        }
        let object = sent?;
        // A deletion may be answered by a Status of success.
        let deleted = call.verb == Verb::Delete && object["status"] == "Success";
        // A question has no name.
        let reviewed = object["status"]["allowed"].is_boolean();
        if object["metadata"]["name"].is_string() || deleted || reviewed {
            return Ok(object);
        }
        let why = "an answer that is no object".to_owned();
        Err(CallError::NotKubernetes(why))
    }

    fn may_renew<T>(&self, result: &Result<T, CallError>) -> bool {
        let refused = match result {
            Err(CallError::Refused(refusal)) if refusal.code == 401 => {
                !matches!(refusal.cause(), Cause::Policy(_))
            }
            Err(_) | Ok(_) => false,
        };
        refused && !self.renewed
    }

    /// A token that was rotated while we were warm is fetched anew, once an invocation.
    async fn renew(&mut self) -> Result<bool, CallError> {
        tracing::warn!("the cluster does not accept the token; it is fetched anew");
        self.renewed = true;
        match timeout_at(self.until, (self.renew)()).await {
            Ok(Ok(cluster)) => {
                self.cluster = cluster;
                Ok(true)
            }
            Ok(Err(error)) => {
                self.locked_out = Some(error);
                Ok(false)
            }
            Err(_) => Err(CallError::OutOfTime),
        }
    }

    async fn act(&mut self, action: Action) -> Option<Outcome> {
        self.watch = None;
        // Whatever was lost before, what was read since has shown that it was not done.
        self.continuation.unsure = false;
        let mut call = action.call(self.request);
        let mut sent = self.send(&call).await;
        if let (Action::Undo { operations, .. }, Err(CallError::Refused(refusal))) =
            (&action, &sent)
            && [400, 403, 413, 422].contains(&refusal.code)
            && !lost_a_race(&action, &CallError::Refused(refusal.clone()))
        {
            // Our own notes must not stop the way back: they may be what does not fit.
            tracing::warn!(
                error = refusal.message,
                "the rollback is tried without its notes"
            );
            call.body = Some(change::undo_of_template(operations));
            sent = self.send(&call).await;
        }
        let error = match sent {
            Ok(object) => {
                let after = Deployment::new(object);
                let now = Timestamp::now();
                let phase = strategy::acted(self.request, &self.observation, &action, &after, now);
                self.enter(phase);
                let before = std::mem::take(&mut self.observation);
                self.observation = strategy::seen_after(before, &action, after);
                self.continuation.unreachable_since = None;
                self.conflicts = 0;
                self.just_written = true;
                return None;
            }
            Err(error) => error,
        };
        if let (Action::Step(step), CallError::Refused(refusal)) = (&action, &error)
            && let Some(name) = &step.clears
            && ([400, 403, 405, 422].contains(&refusal.code)
                || matches!(refusal.cause(), Cause::Policy(_)))
        {
            let why = unreadable_call(&call, &error, CLEARED);
            tracing::warn!(name, why, "something is left");
            self.observation.scene.left.push((name.clone(), why));
            return None;
        }
        if self.conflicts < CONFLICTS && lost_a_race(&action, &error) {
            return self.lost_race().await;
        }
        if let Action::Undo {
            revision,
            cause,
            kind,
            evidence,
            reason,
            ..
        } = action
            && self.locked_out.is_none()
            && !self.may_pass(&error)
        {
            let why = unreadable_call(&call, &error, ROLLBACK);
            return Some(Outcome::Failed(Failure::Rollout {
                cause,
                kind,
                evidence,
                aftermath: Aftermath::NotReturned(revision, why),
                reason,
            }));
        }
        self.trouble(call, error).await
    }

    /// Another write came before ours: everything is to be looked at again.
    async fn lost_race(&mut self) -> Option<Outcome> {
        self.conflicts += 1;
        tracing::warn!(conflicts = self.conflicts, "another change came first");
        self.observation = Observation::default();
        self.pause(CONFLICT_PAUSE * self.conflicts).await;
        None
    }

    /// Waits for the Deployment to change, at most as long as the decision says.
    async fn wait(&mut self, wait: Wait) {
        // Everything that is needed could be read.
        self.continuation.unreachable_since = None;
        let now = Instant::now();
        let end = self.until.min(now + wait.at_most);
        if self.waiting.as_ref().map(|waiting| &waiting.progress) != Some(&wait.progress) {
            let summary = report::progress(&wait);
            tracing::info!(summary, "waiting");
        }
        let watched = wait.stage.watched(self.request).map(str::to_owned);
        let Some(name) = watched else {
            self.waiting = Some(wait);
            sleep_until(end).await;
            self.observation.renew(None);
            return;
        };
        let resource_version = self.seen_version();
        // A watch that told nothing while the Deployment changed is held back somewhere.
        if self
            .unheard
            .take()
            .is_some_and(|old| Some(old) != resource_version)
        {
            self.mute_watches = MUTE_WATCHES;
            self.watch = None;
        }
        self.waiting = Some(wait);
        if std::mem::take(&mut self.just_written) {
            // Where the controller was as fast as we are, one read tells all. A watch would occupy
            // the connection, and whatever is read beside it would need another handshake.
            self.observation.renew(None);
            return;
        }
        if self.watch.is_none() {
            self.open_watch(&name, &resource_version.unwrap_or_default(), end)
                .await;
        }
        match self.watch.take() {
            Some(watch) => self.follow(watch, &name, now, end).await,
            None => {
                self.observation.renew(None);
                self.pause(POLL_PAUSE).await;
            }
        }
    }

    /// Opens a watch if it can be had. What keeps us from it, a read will tell in its own words.
    async fn open_watch(&mut self, name: &str, resource_version: &str, end: Instant) {
        if self.mute_watches >= MUTE_WATCHES {
            return;
        }
        let left = self.until.duration_since(Instant::now()).as_secs() + 1;
        let seconds = left.min(WATCH_SECONDS);
        let call = Call::watch(&self.request.namespace, name, resource_version, seconds);
        match self.cluster.watch(&call, end).await {
            Ok(watch) => self.watch = Some(watch),
            Err(error) => {
                self.mute_watches += 1;
                tracing::warn!(error = unreadable(&error), "no watch is to be had");
            }
        }
    }

    /// Follows the watch until it tells something or `end` comes.
    async fn follow(&mut self, mut watch: Watch, name: &str, started: Instant, end: Instant) {
        let opened = watch.opened();
        loop {
            match timeout_at(end, watch.next(name)).await {
                Ok(Change::Nothing) => self.mute_watches = 0,
                Ok(Change::Now(deployment)) => {
                    self.mute_watches = 0;
                    self.observation.renew(Some(Some(deployment)));
                    self.watch = Some(watch);
                    return;
                }
                Ok(Change::Deleted) => {
                    self.observation.renew(Some(None));
                    return;
                }
                Ok(Change::Over) => {
                    self.mute_watches += 1;
                    self.observation.renew(None);
                    // A server that ends every watch at once must not make us ask without a pause.
                    let earliest = (started + POLL_PAUSE).min(self.until);
                    sleep_until(earliest).await;
                    return;
                }
                Err(_) => {
                    self.unheard = self.seen_version();
                    self.observation.renew(None);
                    self.watch = Some(watch).filter(|_| opened.elapsed() < WATCH_TRUST);
                    return;
                }
            }
        }
    }

    fn seen_version(&self) -> Option<String> {
        let seen = self.observation.deployment.as_ref()?.as_ref()?;
        Some(seen.resource_version().to_owned())
    }

    async fn pause(&self, pause: Duration) {
        sleep_until(self.until.min(Instant::now() + pause)).await;
    }

    /// Whether a call may succeed later. Once something is written, one odd answer of a proxy is no
    /// end of it.
    fn may_pass(&self, error: &CallError) -> bool {
        match error {
            CallError::OutOfTime => true,
            CallError::Unreachable(_) => true,
            CallError::NotKubernetes(_) => self.continuation.phase != Phase::Start,
            CallError::Refused(refusal) => refusal.may_pass(),
            CallError::Untrusted(_) => false,
        }
    }

    /// The same error; of a refusal that does not say whether a right is missing, that is asked.
    async fn explained(&self, call: &Call, error: CallError) -> CallError {
        let CallError::Refused(mut refusal) = error else {
            return error;
        };
        if refusal.cause() == Cause::Unexplained {
            let (verb, resource) = (call.verb.rbac(), call.resource);
            let review = Call::may(&self.request.namespace, Right { verb, resource });
            let until = self.soon(EXPLANATION_TIMEOUT);
            let answer = self.cluster.send(&review, until).await;
            refusal.allowed = answer
                .ok()
                .and_then(|answer| answer.pointer("/status/allowed")?.as_bool());
        }
        CallError::Refused(refusal)
    }

    /// Since when the cluster has not answered as it should. Before the first write the time of the
    /// tries that failed counts, too.
    fn out_of_sight_since(&mut self, is_first: bool) -> Timestamp {
        let began = if is_first {
            self.asked
        } else {
            Timestamp::now()
        };
        *self.continuation.unreachable_since.get_or_insert(began)
    }

    /// Whether the cluster has been silent for too long. Before the first write the deploy's own
    /// time is a limit as well: when it is over, what the cluster said is the cause.
    fn is_given_up(&self, since: Timestamp, is_first: bool) -> bool {
        let now = Timestamp::now();
        match is_first {
            true => {
                now.duration_since(since) >= FIRST_OUTAGE
                    || now + OUTAGE_PAUSE >= self.continuation.deadline
            }
            false => now.duration_since(since) >= OUTAGE,
        }
    }

    /// A call that failed: over for good, or only out of sight.
    async fn trouble(&mut self, call: Call, error: CallError) -> Option<Outcome> {
        if let Some(error) = self.locked_out.take() {
            return Some(Outcome::LockedOut(error));
        }
        let error = self.explained(&call, error).await;
        let may_pass = self.may_pass(&error);
        let why = unreadable_call(&call, &error, SWITCHED);
        let refused = match &error {
            CallError::Refused(refusal) => Some(report::refusal::reason(refusal)),
            CallError::Unreachable(_)
            | CallError::Untrusted(_)
            | CallError::NotKubernetes(_)
            | CallError::OutOfTime => None,
        };
        let back = strategy::turn_back(&self.continuation.phase, &why, refused);
        if !may_pass && let Some(phase) = back {
            tracing::warn!(error = unreadable(&error), "the switch is taken back");
            self.enter(phase);
            self.observation.renew(None);
            return None;
        }
        if !may_pass {
            return Some(self.broken(call, error).await);
        }
        let why = unreadable(&error);
        let is_first = self.continuation.phase == Phase::Start;
        if is_first && call.changes() && error.may_have_been_done() {
            self.continuation.unsure = true;
        }
        let since = self.out_of_sight_since(is_first);
        if self.is_given_up(since, is_first) {
            return Some(match error {
                CallError::Unreachable(_) if !is_first => Outcome::LostSight(since, why),
                CallError::Untrusted(_) | CallError::OutOfTime => Outcome::LostSight(since, why),
                CallError::Refused(_) | CallError::NotKubernetes(_) | CallError::Unreachable(_) => {
                    self.broken(call, error).await
                }
            });
        }
        if error == CallError::OutOfTime {
            return Some(Outcome::HandedOver(self.waiting.take()));
        }
        let nothing_written = is_first && !self.continuation.unsure;
        tracing::warn!(
            error = why,
            nothing_written,
            "the cluster is out of sight; it is asked again"
        );
        self.watch = None;
        self.observation.renew(None);
        self.pause(OUTAGE_PAUSE).await;
        None
    }
}

/// Whether a question before the first write cannot be asked here. A webhook may be unfit for a dry
/// run, and a token may be denied to ask what it may.
/// <https://github.com/kubernetes/apiserver/blob/master/pkg/admission/plugin/webhook/errors/statuserror.go>
fn says_nothing(sought: &Sought, error: &CallError) -> bool {
    let CallError::Refused(refusal) = error else {
        return false;
    };
    match sought {
        Sought::Trial(_) => cannot_be_tried(refusal),
        Sought::Right(_) => refusal.code == 403,
        Sought::Service
        | Sought::ServiceAgain
        | Sought::Preview
        | Sought::Deployment(_)
        | Sought::Versions
        | Sought::ReplicaSets(_)
        | Sought::Members(_)
        | Sought::Autoscalers
        | Sought::Endpoints(_)
        | Sought::Smoke { .. } => false,
    }
}

/// Whether a webhook is unfit for a dry run.
fn cannot_be_tried(refusal: &Refusal) -> bool {
    refusal.code == 400 && refusal.message.contains("dry run")
}

/// Whether it was the API server that could not ask the application, and not the application that
/// gave an answer.
fn is_of_proxy(error: &CallError) -> bool {
    match error {
        CallError::Refused(refusal) => {
            refusal.is_status && matches!(refusal.code, 401 | 429 | 500..)
        }
        CallError::Unreachable(_) => true,
        CallError::Untrusted(_) | CallError::NotKubernetes(_) | CallError::OutOfTime => false,
    }
}

/// Whether a HorizontalPodAutoscaler scales the Deployment of this name.
fn targets(scaler: &Value, name: &str) -> bool {
    let target = &scaler["spec"]["scaleTargetRef"];
    target["kind"] == "Deployment" && target["name"] == name
}

/// 409 is a lost race by its name; JSON patch says 422 where a `test` fails, and 404 is a
/// Deployment that went away after it was read.
fn lost_a_race(action: &Action, error: &CallError) -> bool {
    let CallError::Refused(refusal) = error else {
        // What answered may be a proxy behind which the write was done: the object tells.
        return matches!(error, CallError::NotKubernetes(_));
    };
    if matches!(refusal.cause(), Cause::Policy(_) | Cause::Webhook { .. }) {
        return false;
    }
    match refusal.code {
        409 => true,
        404 => refusal.is_status && !matches!(action, Action::Create(_)),
        // Its own faults are told by name: https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/handlers/patch.go
        422 => {
            let failed_test = "the server rejected our request due to an error in our request";
            matches!(action, Action::Undo { .. }) && refusal.message == failed_test
        }
        _ => false,
    }
}

/// Why a call failed that a deploy can do without, and what to grant for its gain.
fn unreadable_call(call: &Call, error: &CallError, gain: &str) -> String {
    match error {
        CallError::Refused(refusal) => report::refusal::brief(refusal, call, gain),
        CallError::Unreachable(_)
        | CallError::Untrusted(_)
        | CallError::NotKubernetes(_)
        | CallError::OutOfTime => unreadable(error),
    }
}

/// The error in a few words.
fn unreadable(error: &CallError) -> String {
    match error {
        CallError::Refused(refusal) if refusal.message.is_empty() => {
            format!("HTTP {}", refusal.code)
        }
        CallError::Refused(refusal) => format!("HTTP {}: {}", refusal.code, refusal.message),
        CallError::Unreachable(unreached) => report::unreached(unreached),
        CallError::Untrusted(untrusted) => report::untrusted(untrusted),
        CallError::NotKubernetes(why) => why.clone(),
        CallError::OutOfTime => "it did not answer in time".to_owned(),
    }
}

#[cfg(test)]
mod tests;
