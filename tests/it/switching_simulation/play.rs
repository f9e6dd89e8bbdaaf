//! One deploy as it is played: the engine's steps, the world's, and the time between them.

use super::disturbance::{Cut, Deaf, Disturbance};
use super::followed::Followed;
use super::outcome::DEPLOYS;
use super::setting::*;
use super::{EARLIER_IMAGE, LONGEST, NEW_IMAGE, REQUIRED, SCALING, STEPS};
use crate::simulated::{self, Bell, Reads, engine};
use crate::stage::{OLD_IMAGE, TOKEN, demo_app};
use jiff::{SignedDuration, Timestamp};
use landfall_core::engine::{Ask, Engine, Heard, Next, Outcome, Watching};
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::call::Call;
use landfall_core::request::Request;
use landfall_core::snapshot::Response;
use landfall_core::state::continuation::Continuation;
use landfall_core::strategy::{Failure, Success};
use landfall_sandbox::balancer::sample_binding;
use landfall_sandbox::gateway::{sample_http_route, sample_ingress};
use landfall_sandbox::world::{Behaviour, Reply, World, sample_autoscaler, sample_service};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

/// What happens, by the number of the call or wait.
pub type Plan = Vec<(u32, Disturbance)>;

/// What happens, by words of the call.
pub type Aim = (&'static [&'static str], Disturbance);

#[derive(Clone)]
pub struct Simulation {
    pub setting: Setting,
    pub world: World,
    pub now: Timestamp,
    pub engine: Engine,
    /// What the engine wants next, where it was asked already.
    pub next: Option<Next>,
    pub text: String,
    pub job: String,
    pub image: String,
    pub tokens: Vec<String>,
    pub points: u32,
    pub plan: Plan,
    /// What is to happen at the next call whose method, path and body have these words, in this
    /// order: a regression stays aimed when the machine makes more calls or fewer.
    pub aims: Vec<Aim>,
    /// What of these never came about.
    pub missed: Vec<Aim>,
    /// What of the plan took place.
    pub happened: Vec<Disturbance>,
    /// When the process that is at work began.
    pub begun: Timestamp,
    /// Writes that are under way.
    pub late: Vec<Call>,
    /// The image that served before.
    pub before: String,
    /// The selector that the Service had before.
    pub selector: Value,
    pub autoscaling: Option<Timestamp>,
    pub falls_ill: Option<Timestamp>,
    pub ill: bool,
    pub watching: bool,
    /// Until when pods of two versions may serve.
    pub mixed_until: Option<Timestamp>,
    /// The state of the world that was checked last.
    pub checked: u64,
    pub transcript: Option<Vec<String>>,
    pub bell: Bell,
    pub reads: Reads,
    pub followed: Followed,
}

#[derive(Clone, Debug)]
pub enum End {
    Finished(Box<Success>),
    Failed(Failure),
    /// A call was refused for good.
    Broken(u16, String),
}

impl Simulation {
    pub fn new(setting: Setting) -> Simulation {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut world = World::new(TOKEN);
        world.keep_no_history();
        world.keep_managers_only();
        world.timing().endpoints = SignedDuration::from_millis(400);
        world.default_behaviour(Behaviour::Ready {
            after: SignedDuration::from_secs(2),
        });
        let mut plain = demo_app(30);
        plain["spec"]["replicas"] = json!(REQUIRED);
        world.apply(plain, now);
        world.apply(sample_service("demo-app"), now);
        match setting.route {
            Some(Route::HttpRoute) => {
                world.install_gateway_api(now);
                world.apply(sample_http_route("demo-app", "demo-app"), now);
            }
            Some(Route::Ingress) => {
                // Events have whole seconds: one in the same second as the write shows nothing.
                world.timing().route_accepted = SignedDuration::from_millis(1500);
                world.apply(sample_ingress("demo-app", "demo-app"), now);
            }
            None => {}
        }
        if setting.overlap {
            world.timing().targets_seen = SignedDuration::from_secs(2);
            world.timing().target_healthy = SignedDuration::from_secs(20);
            world.install_target_groups(now);
            world.apply(sample_binding("demo-app", "demo-app"), now);
        }
        if setting.scaled {
            world.apply(sample_autoscaler("demo-app", 1, 6), now);
        }
        let now = world.settle(now) + SignedDuration::from_mins(5);
        let mut simulation = Simulation {
            setting,
            world,
            now,
            engine: engine(
                Continuation::begin("", now, std::time::Duration::from_secs(1)),
                request("1", "run-0", OLD_IMAGE, setting).1,
                now,
            ),
            next: None,
            text: String::new(),
            job: String::new(),
            image: String::new(),
            tokens: Vec::new(),
            points: 0,
            plan: Vec::new(),
            aims: Vec::new(),
            missed: Vec::new(),
            happened: Vec::new(),
            begun: now,
            late: Vec::new(),
            before: OLD_IMAGE.to_owned(),
            selector: json!({"app": "demo-app"}),
            autoscaling: setting.scaled.then_some(now),
            falls_ill: None,
            ill: false,
            watching: true,
            mixed_until: None,
            checked: 0,
            transcript: None,
            bell: Bell::default(),
            reads: Reads::default(),
            followed: Followed::default(),
        };
        simulation.advance();
        let first = match setting.start {
            Start::Adoption => None,
            Start::Third => Some("registry.example.com/demo-app:1.0.5"),
            Start::Back => Some(NEW_IMAGE),
        };
        if let Some(first) = first {
            // What it falls ill of comes later.
            simulation.ill = true;
            for (job, image) in [("a", first), ("b", EARLIER_IMAGE)] {
                simulation.begin(job, job, image);
                let end = simulation.run();
                assert!(matches!(end, End::Finished(_)), "{end:?}");
                simulation.pass(SignedDuration::from_mins(5));
            }
            simulation.ill = false;
            simulation.before = EARLIER_IMAGE.to_owned();
            simulation.selector = simulation.service()["spec"]["selector"].clone();
        }
        simulation.prepare();
        simulation.begin("1", "run-1", NEW_IMAGE);
        simulation.points = 0;
        simulation
    }

    /// What is special about this setting.
    pub fn prepare(&mut self) {
        let crash = Behaviour::CrashLoop {
            exit_code: 1,
            log: "panic: no DATABASE_URL\n".into(),
            reason: None,
        };
        match self.setting.health {
            Well | FallsIll => {}
            Slow => self.world.behave(
                NEW_IMAGE,
                Behaviour::Ready {
                    after: SignedDuration::from_secs(25),
                },
            ),
            NeverReady => self.world.behave(NEW_IMAGE, Behaviour::NeverReady),
            Doomed => self.world.behave(NEW_IMAGE, crash),
            FailsSmoke => self.world.say(NEW_IMAGE, 500, "no database"),
        }
        let seconds = match self.setting.locked {
            Locked::No => return,
            Locked::Live => 60,
            Locked::Expired => -600,
        };
        let lock = json!({"execution": "run-0", "job": "0", "version": "lost",
            "since": self.now, "deadline": self.now + SignedDuration::from_secs(seconds)});
        let mut service = self.service();
        service["metadata"]["annotations"]["landfall/lock"] = json!(lock.to_string());
        self.world.apply(service, self.now);
    }

    /// Another deploy begins.
    pub fn begin(&mut self, job: &str, execution: &str, image: &str) {
        DEPLOYS.fetch_add(1, Ordering::Relaxed);
        let (text, request) = request(job, execution, image, self.setting);
        self.text = text;
        job.clone_into(&mut self.job);
        image.clone_into(&mut self.image);
        self.tokens.clear();
        let continuation = Continuation::begin(job, self.now, request.timeout);
        self.invoke(continuation, request);
    }

    /// A process that has read nothing.
    pub fn invoke(&mut self, continuation: Continuation, request: Request) {
        self.begun = self.now;
        self.next = None;
        self.followed = Followed::default();
        self.engine = engine(continuation, request, self.now);
    }

    /// The same request goes on.
    pub fn resume(&mut self, continuation: Continuation) {
        self.invoke(continuation, self.engine.request.clone());
    }

    pub fn run(&mut self) -> End {
        for _ in 0..STEPS {
            if let Some(end) = self.step() {
                let taken = self.now.duration_since(self.begun);
                assert!(taken <= LONGEST, "it took too long: {taken:?}");
                return end;
            }
        }
        panic!("it does not end");
    }

    /// What the engine wants next.
    pub fn peek(&mut self) -> &Next {
        let (engine, now) = (&mut self.engine, self.now);
        self.next.get_or_insert_with(|| engine.next(now))
    }

    pub fn step(&mut self) -> Option<End> {
        self.peek();
        let next = self.next.take()?;
        self.note(|| outline(&next));
        match &next {
            Next::Ask(ask) if self.is_told(&next) => self.tell(ask),
            Next::Ask(ask) => self.ask(ask),
            Next::Watch(watching) => self.watch(watching),
            Next::Alarms(_) => {
                let told = self.bell.tell(self.now);
                self.engine.alarmed(told, self.now);
            }
            Next::Sleep(end) => self.sleep(*end),
            Next::Done(outcome) => {
                return Some(match Outcome::clone(outcome) {
                    Outcome::Finished(success) => End::Finished(success),
                    Outcome::Failed(failure) => End::Failed(failure),
                    Outcome::Broken(_, CallError::Refused(refusal), _) => {
                        End::Broken(refusal.code, refusal.message)
                    }
                    other => panic!("{other:?}"),
                });
            }
        }
        None
    }

    pub fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(transcript) = &mut self.transcript {
            transcript.push(format!("{} {}", self.now, line()));
        }
    }

    pub fn sleep(&mut self, end: Timestamp) {
        if self.disturb_wait().is_some() {
            self.pass(end.duration_since(self.now));
        }
    }

    /// A watch tells of each change of the Deployment.
    pub fn watch(&mut self, watching: &Watching) {
        let Some(planned) = self.disturb_wait() else {
            return;
        };
        let end = watching.until;
        if planned == Some(Cut) {
            self.pass(SignedDuration::from_millis(1));
            return self.engine.heard(Heard::Over, true, self.now);
        }
        if planned == Some(Deaf) {
            self.pass(end.duration_since(self.now));
            return self.engine.heard(Heard::Nothing, false, self.now);
        }
        let state = self.state_followed();
        while self.now < end {
            self.now = self.next_change(end);
            self.advance();
            if let Some(heard) = simulated::heard(&self.world, &self.engine, watching) {
                return self.engine.heard(heard, true, self.now);
            }
            if self.setting.watched && self.state_followed() != state {
                return self.engine.heard(Heard::Beside, true, self.now);
            }
        }
        self.engine.heard(Heard::Nothing, true, self.now);
    }

    pub fn perform(&mut self, ask: &Ask) -> Result<Response, CallError> {
        self.pass(SignedDuration::from_millis(5));
        let answer = self.reads.answer(&mut self.world, ask, self.now);
        self.follow(ask, answer.is_ok());
        self.check();
        answer
    }

    pub fn send(&mut self, call: &Call) -> Reply {
        self.pass(SignedDuration::from_millis(5));
        let reply = self.world.answer(&simulated::request(call), self.now);
        self.check();
        reply
    }

    pub fn pass(&mut self, time: SignedDuration) {
        let end = self.now + time;
        while self.now < end {
            self.now = self.next_change(end);
            self.advance();
        }
    }

    /// When something happens by itself, at `end` at the latest.
    pub fn next_change(&self, end: Timestamp) -> Timestamp {
        let all = [self.world.next_change(), self.autoscaling, self.falls_ill];
        let next = all.into_iter().flatten().min().unwrap_or(end).min(end);
        next.max(self.now + SignedDuration::from_nanos(1))
    }

    /// One step of the world.
    pub fn advance(&mut self) {
        self.world.advance(self.now);
        if self.autoscaling.is_some_and(|at| at <= self.now) {
            self.autoscale();
            self.autoscaling = Some(self.now + SCALING);
        }
        if self.falls_ill.is_some_and(|at| at <= self.now) {
            self.falls_ill = None;
            self.ill = true;
            let crash = Behaviour::CrashLoop {
                exit_code: 1,
                log: "panic: out of connections\n".into(),
                reason: None,
            };
            self.world.strike(NEW_IMAGE, crash);
        }
        self.check();
    }

    /// A HorizontalPodAutoscaler without patience: who gets no traffic needs no pods.
    pub fn autoscale(&mut self) {
        let scalers = self.world.objects("horizontalpodautoscalers");
        let Some(spec) = scalers.first().map(|scaler| scaler["spec"].clone()) else {
            return;
        };
        let name = spec["scaleTargetRef"]["name"].as_str().unwrap();
        let Some(target) = self.world.deployment("default", name) else {
            return;
        };
        let replicas = target["spec"]["replicas"].as_i64().unwrap();
        let serves = self.live_name() == name || self.overlaps();
        let load = if serves { 3 } else { 0 };
        let wanted = load.clamp(
            spec["minReplicas"].as_i64().unwrap(),
            spec["maxReplicas"].as_i64().unwrap(),
        );
        if replicas > 0 && replicas != wanted {
            self.world.scale("default", name, wanted, self.now);
        }
    }
}

pub fn outline(next: &Next) -> String {
    match next {
        Next::Ask(ask) => {
            let body = ask.call.body.as_ref().map(Value::to_string);
            let method = ask.call.verb.method();
            format!("{method} {} {}", ask.call.path, body.unwrap_or_default())
        }
        Next::Watch(watching) => format!("watch {} until {}", watching.name, watching.until),
        Next::Alarms(asked) => format!("read alarms {:?}", asked.names),
        Next::Sleep(end) => format!("sleep until {end}"),
        Next::Done(outcome) => format!("done {outcome:?}"),
    }
}
