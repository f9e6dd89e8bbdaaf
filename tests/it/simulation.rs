//! The engine against the sandbox's world, without sockets and in simulated time: every single
//! fault at every call, every interruption at every call, then seeded mixtures of them.

mod guarded;

use crate::simulated::{self, Bell, Reads, before_each_call, engine, for_each};
use crate::stage::{OLD_IMAGE, TOKEN, demo_app};
use jiff::{SignedDuration, Timestamp};
use landfall_core::engine::{Ask, Engine, Heard, Next, Outcome, Watching};
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::call::Verb;
use landfall_core::report::cause::recorded;
use landfall_core::request::{Parameters, Request};
use landfall_core::snapshot::Response;
use landfall_core::state::continuation::Continuation;
use landfall_core::strategy::{Failure, RollbackResult, Success};
use landfall_sandbox::world::{Behaviour, World};
use serde_json::{Value, json};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const JOB: &str = "11111111-abcd-1111-abcd-000000000001";
const RETRY: &str = "11111111-abcd-1111-abcd-000000000002";
/// Calls and waits of an undisturbed deploy at the most, with rollback.
const POINTS: u32 = 60;
/// Steps of one simulated deploy before it counts as endless.
const STEPS: u32 = 3000;
/// Seeds of the mixtures.
const SEEDS: u64 = 1500;

/// What happens at one call.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Disturbance {
    /// The call is not carried out; it is tried again.
    NotDone,
    /// The call is carried out and its answer lost; it is tried again.
    AnswerLost,
    /// The process dies before the call; Lambda repeats the event.
    DiesBefore,
    /// The process dies after the call; Lambda repeats the event.
    DiesAfter,
    /// The invocation's time is over; the next one has the token.
    HandedOver,
    /// The next invocation comes with the token of the one before the last.
    Replayed,
    /// An autoscaler changes the replicas.
    Scaled,
    /// Someone else deploys.
    Overtaken,
    /// Someone else renames the container that the request names.
    Renamed,
}

use Disturbance::*;

/// What the new version is like.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Health {
    Well,
    /// Only its deadline shows that it never serves.
    NeverReady,
    /// Its pods show at once that it never serves.
    Doomed,
}

const HEALTHS: [Health; 3] = [Health::Well, Health::NeverReady, Health::Doomed];

const ALL: [Disturbance; 8] = [
    NotDone, AnswerLost, DiesBefore, DiesAfter, HandedOver, Replayed, Scaled, Overtaken,
];

#[derive(Clone)]
struct Simulation {
    parameters: Value,
    health: Health,
    world: World,
    now: Timestamp,
    bound_to: String,
    engine: Engine,
    /// The tokens handed over so far.
    tokens: Vec<String>,
    /// Calls and waits so far: the points at which something can happen.
    points: u32,
    plan: Vec<(u32, Disturbance)>,
    /// Only a failure is told: a deploy that fails is repeated with this.
    transcript: Option<Vec<String>>,
    /// The state of the world that was checked last.
    checked: u64,
    /// Whether our change had been written when someone else's came.
    overtaken_after_write: Option<bool>,
    /// The Deployment was not read since.
    overtaking_unseen: bool,
    /// Whether the Deployment changes in some way right before each JSON patch.
    restless: bool,
    /// The revisions that there were before.
    base: u64,
    bell: Bell,
    reads: Reads,
}

#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "there is one of them at a time")]
enum End {
    Finished(Success),
    Failed(Failure),
}

impl Simulation {
    fn new(parameters: &Value, health: Health) -> Simulation {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut world = World::new(TOKEN);
        world.keep_no_history();
        world.keep_managers_only();
        let mut now = now;
        let mut revisions = vec![demo_app(30)];
        if parameters["mode"] == "rollback" {
            let mut earlier = demo_app(30);
            earlier["spec"]["template"]["spec"]["containers"][0]["image"] = json!(NEW_IMAGE);
            revisions.insert(0, earlier);
        }
        let base = revisions.len() as u64;
        for revision in revisions {
            world.apply(revision, now);
            now = world.settle(now) + SignedDuration::from_mins(5);
            world.advance(now);
        }
        match health {
            Health::Well => {}
            Health::NeverReady => world.behave(NEW_IMAGE, Behaviour::NeverReady),
            Health::Doomed => world.behave(NEW_IMAGE, Behaviour::InvalidImageName),
        }
        let text = parameters.to_string();
        let request = Request::parse(&Parameters::Text(text.clone()), JOB).unwrap();
        Simulation {
            parameters: parameters.clone(),
            health,
            world,
            now,
            engine: engine(Continuation::begin(JOB, now, request.timeout), request, now),
            bound_to: text,
            tokens: Vec::new(),
            points: 0,
            plan: Vec::new(),
            transcript: None,
            checked: 0,
            overtaken_after_write: None,
            overtaking_unseen: false,
            restless: false,
            base,
            bell: Bell::default(),
            reads: Reads::default(),
        }
    }

    fn run(&mut self) -> End {
        for _ in 0..STEPS {
            if let Some(end) = self.step() {
                return end;
            }
        }
        panic!("it does not end");
    }

    /// Through the step at a point; false where the deploy is over before.
    fn run_to(&mut self, point: u32) -> bool {
        while self.points < point {
            if self.step().is_some() {
                return false;
            }
        }
        true
    }

    fn step(&mut self) -> Option<End> {
        let next = self.engine.next(self.now);
        self.note(|| format!("{next:?}"));
        match next {
            Next::Ask(ask) => self.ask(&ask),
            Next::Watch(watching) => self.watch(&watching),
            Next::Alarms(_) => {
                let told = self.bell.tell(self.now);
                self.engine.alarmed(told, self.now);
            }
            Next::Sleep(end) => self.pass(end.duration_since(self.now)),
            Next::Done(outcome) => match *outcome {
                Outcome::Finished(success) => return Some(End::Finished(*success)),
                Outcome::Failed(failure) => return Some(End::Failed(failure)),
                other => panic!("{other:?}"),
            },
        }
        None
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(transcript) = &mut self.transcript {
            transcript.push(format!("{} {}", self.now, line()));
        }
    }

    /// Waits as a watch does: until the Deployment changes. Most disturbances happen here, too.
    fn watch(&mut self, watching: &Watching) {
        match self.planned() {
            None | Some(NotDone | AnswerLost) => {}
            Some(DiesBefore | DiesAfter) => return self.restart(),
            Some(HandedOver) => return self.hand_over(),
            Some(Replayed) => return self.replay(),
            Some(Scaled) => _ = self.world.scale("default", "demo-app", 3, self.now),
            Some(Overtaken) => self.overtake(),
            Some(Renamed) => self.rename(),
        }
        let end = watching.until;
        while self.now < end {
            let next = self.world.next_change().unwrap_or(end).min(end);
            self.now = next.max(self.now + SignedDuration::from_nanos(1));
            self.advance();
            if let Some(heard) = simulated::heard(&self.world, &self.engine, watching) {
                self.overtaking_unseen = false;
                return self.engine.heard(heard, true, self.now);
            }
        }
        self.engine.heard(Heard::Nothing, true, self.now);
    }

    /// What is planned for this point.
    fn planned(&mut self) -> Option<Disturbance> {
        self.points += 1;
        let planned = self.plan.iter().find(|(at, _)| *at == self.points);
        let planned = planned.map(|(_, disturbance)| *disturbance);
        if let Some(disturbance) = planned {
            self.note(|| format!("        {disturbance:?}"));
        }
        planned
    }

    /// One call with whatever is planned for it.
    fn ask(&mut self, ask: &Ask) {
        match self.planned() {
            None => {}
            Some(NotDone) => self.pass(SignedDuration::from_millis(200)),
            Some(AnswerLost) => {
                drop(self.perform(ask));
                self.pass(SignedDuration::from_millis(200));
            }
            Some(DiesBefore) => return self.restart(),
            Some(DiesAfter) => {
                drop(self.perform(ask));
                return self.restart();
            }
            Some(HandedOver) => return self.hand_over(),
            Some(Replayed) => return self.replay(),
            Some(Scaled) => _ = self.world.scale("default", "demo-app", 3, self.now),
            Some(Overtaken) => self.overtake(),
            Some(Renamed) => self.rename(),
        }
        let answer = self.perform(ask);
        if ask.call.verb == Verb::Get && ask.call.path.ends_with("/deployments/demo-app") {
            self.overtaking_unseen = false;
        }
        self.engine.answered(answer, self.now);
    }

    /// Lambda repeats the event a minute later, to a process that knows nothing.
    fn restart(&mut self) {
        self.pass(SignedDuration::from_mins(1));
        let timeout = self.engine.request.timeout;
        self.invoke(Continuation::begin(JOB, self.now, timeout));
    }

    fn hand_over(&mut self) {
        let token = self.engine.continuation.encode(&self.bound_to);
        self.tokens.push(token.clone());
        self.resume(&token);
    }

    /// The oldest token comes again.
    fn replay(&mut self) {
        let token = self.engine.continuation.encode(&self.bound_to);
        let token = self.tokens.first().cloned().unwrap_or(token);
        self.resume(&token);
    }

    fn resume(&mut self, token: &str) {
        self.pass(SignedDuration::from_secs(20));
        self.invoke(Continuation::decode(token, &self.bound_to).unwrap());
    }

    /// A process that has read nothing.
    fn invoke(&mut self, continuation: Continuation) {
        self.engine = engine(continuation, self.engine.request.clone(), self.now);
    }

    fn overtake(&mut self) {
        let mut theirs = self.deployment();
        let written = theirs["metadata"]["annotations"]["landfall/job"] == JOB;
        theirs["spec"]["template"]["spec"]["containers"][0]["image"] = json!("theirs:1");
        self.world.apply(theirs, self.now);
        self.overtaken_after_write = Some(written);
        self.overtaking_unseen = true;
    }

    fn rename(&mut self) {
        let mut theirs = self.deployment();
        theirs["spec"]["template"]["spec"]["containers"][0]["name"] = json!("renamed");
        self.world.apply(theirs, self.now);
    }

    fn perform(&mut self, ask: &Ask) -> Result<Response, CallError> {
        self.pass(SignedDuration::from_millis(5));
        if self.restless && ask.call.verb == Verb::JsonPatch {
            let mut moved = self.deployment();
            // Annotations would move its generation; labels do not, as little as a status does.
            moved["metadata"]["labels"]["seen"] = json!(self.now.as_millisecond().to_string());
            self.world.apply(moved, self.now);
        }
        self.reads.answer(&mut self.world, ask, self.now)
    }

    fn pass(&mut self, time: SignedDuration) {
        let end = self.now + time;
        while let Some(next) = self.world.next_change().filter(|next| *next < end) {
            self.now = next.max(self.now + SignedDuration::from_nanos(1));
            self.advance();
        }
        self.now = end;
        self.advance();
    }

    /// One step of the world, after which the application must still serve.
    fn advance(&mut self) {
        self.world.advance(self.now);
        let state = self.world.resource_version();
        if std::mem::replace(&mut self.checked, state) == state {
            return;
        }
        let ready = self.ready().len();
        assert!(ready >= 2, "only {ready} pods serve at {}", self.now);
    }

    fn deployment(&self) -> Value {
        self.world
            .deployment("default", "demo-app")
            .unwrap()
            .clone()
    }

    fn image(&self) -> String {
        let deployment = self.deployment();
        let image = &deployment["spec"]["template"]["spec"]["containers"][0]["image"];
        image.as_str().unwrap().to_owned()
    }

    fn was_scaled(&self) -> bool {
        self.plan
            .iter()
            .any(|(_, disturbance)| *disturbance == Scaled)
    }

    /// The images of the pods that are ready and not about to end.
    fn ready(&self) -> Vec<String> {
        let pods = self.world.objects("pods").into_iter();
        let ready = pods.filter(|pod| {
            let conditions = pod["status"]["conditions"].as_array();
            let mut conditions = conditions.into_iter().flatten();
            pod["metadata"].get("deletionTimestamp").is_none()
                && conditions.any(|c| c["type"] == "Ready" && c["status"] == "True")
        });
        let image = |pod: &Value| {
            pod["spec"]["containers"][0]["image"]
                .as_str()
                .map(str::to_owned)
        };
        ready.filter_map(image).collect()
    }

    /// How often the pod template was changed, by whomever.
    fn revision(&self) -> u64 {
        let deployment = self.deployment();
        let revision = &deployment["metadata"]["annotations"]["deployment.kubernetes.io/revision"];
        revision.as_str().unwrap().parse().unwrap()
    }
}

/// Runs one deploy on from where it is and holds its end against what the world shows.
fn check(mut simulation: Simulation) -> u32 {
    let done = catch_unwind(AssertUnwindSafe(|| {
        let end = simulation.run();
        judge(&mut simulation, end);
        simulation.points
    }));
    let Err(panic) = done else {
        return done.unwrap_or_default();
    };
    // The same once more, from the beginning and noted down.
    let mut again = Simulation::new(&simulation.parameters, simulation.health);
    again.plan.clone_from(&simulation.plan);
    again.transcript = Some(Vec::new());
    _ = catch_unwind(AssertUnwindSafe(|| drop(again.run())));
    let (parameters, health, plan) = (&again.parameters, again.health, &again.plan);
    println!("{parameters} {health:?} plan: {plan:?}");
    println!("{}", again.transcript.unwrap_or_default().join("\n"));
    resume_unwind(panic)
}

fn with(fresh: &Simulation, plan: Vec<(u32, Disturbance)>) -> Simulation {
    Simulation {
        plan,
        ..fresh.clone()
    }
}

fn judge(simulation: &mut Simulation, end: End) {
    let health = simulation.health;
    let sick = health != Health::Well;
    let image = simulation.image();
    let theirs = image == "theirs:1";
    // Without a name what served before somebody else's version is another one.
    let is_unnamed = simulation.parameters["mode"] == "rollback"
        && simulation.parameters["to"].is_null()
        && simulation.overtaken_after_write.is_some();
    match (&end, simulation.overtaken_after_write) {
        // Someone else's write between our last read and our report is seen by nobody.
        (End::Finished(_), Some(true)) if simulation.overtaking_unseen => assert!(theirs),
        (End::Finished(success), _) if !sick || is_unnamed && image == OLD_IMAGE => {
            assert!(
                image == NEW_IMAGE || is_unnamed && image == OLD_IMAGE,
                "success is only for the version that was asked for"
            );
            assert_eq!(success.deployment.revision(), Some(simulation.revision()));
            let wanted = success.deployment.replicas();
            let ready = simulation.ready();
            let new = ready.iter().filter(|one| **one == image);
            let new = new.count();
            assert!(new as i64 >= wanted, "{new} of {wanted} serve");
        }
        // After a death it is not known whether theirs came before our own write.
        (End::Failed(Failure::OutOfSync { .. } | Failure::Overwritten { .. }), Some(_)) => {
            assert!(theirs || simulation.was_scaled());
        }
        (
            End::Failed(Failure::Rollout {
                failure,
                rollback_result,
            }),
            overtaken,
        ) if sick => {
            let told = match health {
                Health::Doomed => "is not a valid image name",
                Health::Well | Health::NeverReady => "Kubernetes saw no progress",
            };
            let cause = recorded((**failure).clone()).cause;
            assert!(cause.contains(told), "{cause}");
            match rollback_result {
                RollbackResult::RolledBack(_) if simulation.overtaking_unseen => assert!(theirs),
                RollbackResult::RolledBack(_) => {
                    let before = if overtaken.is_some() {
                        "theirs:1"
                    } else {
                        OLD_IMAGE
                    };
                    assert!(image == before || image == OLD_IMAGE, "{image}");
                    let ready = simulation.ready();
                    assert!(ready.iter().all(|ready| *ready == image), "{ready:?}");
                }
                // Whether it was an autoscaler that changed it is not known after a death.
                RollbackResult::OvertakenBy(_) => assert!(theirs || simulation.was_scaled()),
                other => panic!("{other:?}"),
            }
        }
        (end, _) => panic!("{end:?}"),
    }
    if simulation.overtaken_after_write == Some(true) {
        assert!(theirs, "a later deploy was overwritten");
    }
    if simulation.overtaken_after_write.is_none() {
        let changes = if sick && image == OLD_IMAGE { 2 } else { 1 };
        assert_eq!(
            simulation.revision(),
            simulation.base + changes,
            "each change is written once"
        );
    }
    // The same event once more, after all is over, changes nothing.
    let version = simulation.image();
    simulation.plan.clear();
    let timeout = simulation.engine.request.timeout;
    simulation.invoke(Continuation::begin(JOB, simulation.now, timeout));
    simulation.run();
    assert_eq!(simulation.image(), version, "a repetition moved the target");
    // A person retries the stage: the execution is the same, the job is not.
    if simulation.parameters["mode"] == "rollback" && matches!(end, End::Finished(_)) {
        let text = Parameters::Text(simulation.bound_to.clone());
        simulation.engine.request = Request::parse(&text, RETRY).unwrap();
        simulation.invoke(Continuation::begin(RETRY, simulation.now, timeout));
        simulation.run();
        let unchanged = simulation.image() == version || simulation.overtaking_unseen;
        assert!(unchanged, "a retry rolled back a second time");
    }
}

fn requests() -> [Value; 4] {
    let mut manifest = demo_app(30);
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = json!(NEW_IMAGE);
    manifest["spec"].as_object_mut().unwrap().remove("replicas");
    [
        json!({"deployment": "demo-app", "images": {"app": NEW_IMAGE}}),
        json!({"manifest": manifest}),
        json!({"deployment": "demo-app", "mode": "rollback", "execution": "run-1"}),
        json!({"deployment": "demo-app", "mode": "rollback", "to": NEW_IMAGE,
            "execution": "run-1"}),
    ]
}

#[test]
fn undisturbed_deploys_end_as_they_should() {
    for parameters in requests() {
        for health in HEALTHS {
            let points = check(Simulation::new(&parameters, health));
            assert!(points <= POINTS, "{points} points");
        }
    }
}

#[test]
fn every_disturbance_at_every_call() {
    for parameters in requests() {
        for health in HEALTHS {
            let fresh = Simulation::new(&parameters, health);
            check(fresh.clone());
            let next = |it: &mut Simulation| it.run_to(it.points + 1);
            for_each(before_each_call(fresh, next), |here| {
                for disturbance in ALL {
                    check(with(&here, vec![(here.points + 1, disturbance)]));
                }
            });
        }
    }
}

/// A strategic merge patch adds a container that it does not find.
#[test]
fn a_deployment_that_never_rests_is_rolled_back() {
    for request in requests() {
        let mut simulation = Simulation::new(&request, Health::Doomed);
        simulation.restless = true;
        let end = simulation.run();
        judge(&mut simulation, end);
        assert_eq!(simulation.image(), OLD_IMAGE);
    }
}

#[test]
fn a_container_that_is_renamed_at_any_point_is_never_doubled() {
    let [parameters, ..] = requests();
    let fresh = Simulation::new(&parameters, Health::Well);
    let points = check(fresh.clone());
    for at in 1..=points {
        let mut simulation = with(&fresh, vec![(at, Renamed)]);
        let end = simulation.run();
        let template = simulation.deployment()["spec"]["template"].take();
        let containers = template["spec"]["containers"].as_array().unwrap();
        assert_eq!(containers.len(), 1, "at {at}: {end:?}");
    }
}

#[test]
fn every_pair_of_deaths_and_lost_answers_of_a_good_version() {
    every_pair(Health::Well);
}

#[test]
fn every_pair_of_deaths_and_lost_answers_of_a_version_that_times_out() {
    every_pair(Health::NeverReady);
}

#[test]
fn every_pair_of_deaths_and_lost_answers_of_a_doomed_version() {
    every_pair(Health::Doomed);
}

/// What comes before one of a pair happens once for all that come then.
fn every_pair(health: Health) {
    let [parameters, ..] = requests();
    let fresh = Simulation::new(&parameters, health);
    let points = check(fresh.clone());
    let next = |it: &mut Simulation| it.run_to(it.points + 1);
    for_each(before_each_call(fresh, next), |fresh| {
        let first = fresh.points + 1;
        for one in [AnswerLost, DiesAfter, HandedOver] {
            let mut here = with(&fresh, vec![(first, one)]);
            if !here.run_to(first) {
                return;
            }
            for second in first + 1..=points {
                let mut on = here.clone();
                // It may be over before: then the second one never happens.
                if on.run_to(second - 1) {
                    here = on;
                }
                for other in [AnswerLost, DiesAfter, Replayed] {
                    check(with(&here, vec![(first, one), (second, other)]));
                }
            }
        }
    });
}

#[test]
fn seeded_mixtures_of_disturbances() {
    let requests = requests();
    let fresh = requests
        .each_ref()
        .map(|parameters| HEALTHS.map(|health| Simulation::new(parameters, health)));
    for_each(1..=SEEDS, |seed: u64| {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
        let mut draw = |below: u64| {
            // https://en.wikipedia.org/wiki/Xorshift#xorshift*
            state ^= state >> 12;
            state ^= state << 25;
            state ^= state >> 27;
            (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % below
        };
        let fresh = &fresh[draw(fresh.len() as u64) as usize];
        let fresh = &fresh[draw(HEALTHS.len() as u64) as usize];
        let mut plan = Vec::new();
        let mut overtaken = false;
        for at in 1..POINTS {
            if draw(5) > 0 {
                continue;
            }
            let disturbance = ALL[draw(ALL.len() as u64) as usize];
            // Once is enough: two strangers would make no telling whose version is right.
            if disturbance == Overtaken && std::mem::replace(&mut overtaken, true) {
                continue;
            }
            plan.push((at, disturbance));
        }
        check(with(fresh, plan));
    });
}
