//! Blue/green and immutable in simulated time: the engine against the sandbox's world, without
//! sockets. Every single disturbance at every point of every deploy, pairs of them, then seeded
//! mixtures; after every step of the world the Service's EndpointSlice is held against what must
//! never happen.

use crate::simulated::{self, engine, refused};
use crate::stage::{OLD_IMAGE, TOKEN, demo_app};
use jiff::{SignedDuration, Timestamp};
use landfall_core::engine::{Answer, Ask, Engine, Heard, Next, Outcome, Watching};
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::call::Call;
use landfall_core::report::cause::recorded;
use landfall_core::request::{Parameters, Request};
use landfall_core::state::continuation::Continuation;
use landfall_core::strategy::{CandidateState, Failure, RollbackResult, Success};
use landfall_sandbox::world::{
    Behaviour, Fault, On, Reply, World, sample_autoscaler, sample_service,
};
use serde_json::{Value, json};
use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once};

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const THEIR_IMAGE: &str = "registry.example.com/demo-app:3.0.0";
const LAST_IMAGE: &str = "registry.example.com/demo-app:4.0.0";
const EARLIER_IMAGE: &str = "registry.example.com/demo-app:1.1.0";
/// Pods that serve before a deploy: as many must serve at every moment.
const REQUIRED: usize = 3;
/// Steps of one simulated deploy before it counts as endless.
const STEPS: u32 = 4000;
/// What a deploy may take: its timeout of ten minutes, as long for the way back, and what a bake, a
/// retirement and the last calls need.
const LONGEST: SignedDuration = SignedDuration::from_mins(30);
/// How often the autoscaler looks.
const SCALING: SignedDuration = SignedDuration::from_secs(15);
/// Seeds of the mixtures; `LANDFALL_SEEDS` asks for more.
const SEEDS: u64 = 1000;
/// All disturbances at all points are some seventy thousand plans, and take minutes. A test run
/// takes one in so many; `LANDFALL_STRIDE=1`, as in `make simulation`, asks for all.
const STRIDE: u64 = 61;
/// All ordered pairs are some billions. Of the first ones one in so many is taken, and with each
/// of these one in so many second ones: primes, so that neither falls into step with the list of
/// disturbances. `LANDFALL_PAIRS` divides both.
const PAIRS: (u64, u64) = (1009, 211);

/// Of pairs of executions that die one in so many, but for those of one setting.
const OTHERS: u64 = 16;

/// What happens at one point: a call, or a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Disturbance {
    /// The call is not carried out; it is tried again.
    Retried,
    /// The call is carried out and its answer lost; it is tried again.
    AnswerLost,
    /// 429, 503 or silence until all tries are used up. The call is not carried out. These are one
    /// class: the cluster's client tries each of them again, and the engine makes no difference
    /// between them.
    Unavailable,
    /// The same, but the call is carried out.
    DoneUnavailable,
    /// 409: another write came between.
    Conflict,
    /// 422 or 403, as from a webhook.
    Refused,
    /// A read gives the object as it was before its last change.
    Stale,
    /// The process dies before the call; Lambda repeats the event.
    DiesBefore,
    /// The process dies after the call; Lambda repeats the event.
    DiesAfter,
    /// The invocation's time is over; the next one has the token.
    HandedOver,
    /// The next invocation comes with the oldest token.
    Replayed,
    /// It dies before the call for good; a person retries the stage: another job, same execution.
    AgainBefore,
    /// The same after the call.
    AgainAfter,
    /// It dies for good before the call; another execution deploys another version.
    OtherBefore,
    /// The same after the call.
    OtherAfter,
    /// The process dies while its write is under way; that arrives when all is over.
    Late,
    /// The same, and another execution deploys another version meanwhile.
    LateOther,
    /// A watch is cut, or tells of a change that is none to us: the wait ends at once.
    Cut,
    /// A watch tells of nothing: the wait ends with its time.
    Deaf,
    /// Somebody scales the live Deployment.
    Scaled,
    /// Somebody changes the live Deployment's image by hand.
    Overtaken,
    /// Somebody scales what the last switch was to, or the candidate that comes up, to zero.
    ScaledAway,
    /// Somebody deletes the Service.
    ServiceDeleted,
    /// Somebody deletes it and makes it anew from its file.
    ServiceAnew,
    /// A tool sets the selector to what its file says.
    SelectorSetBack,
    /// Somebody restarts the pods of the live Deployment.
    Rolled,
}

use Disturbance::*;

const ALL: [Disturbance; 26] = [
    Retried,
    AnswerLost,
    Unavailable,
    DoneUnavailable,
    Conflict,
    Refused,
    Stale,
    DiesBefore,
    DiesAfter,
    HandedOver,
    Replayed,
    AgainBefore,
    AgainAfter,
    OtherBefore,
    OtherAfter,
    Late,
    LateOther,
    Cut,
    Deaf,
    Scaled,
    Overtaken,
    ScaledAway,
    ServiceDeleted,
    ServiceAnew,
    SelectorSetBack,
    Rolled,
];

/// What people and their tools do in the middle. The Service may be empty or of two versions for as
/// long as it takes to see it; after that what is promised must hold again.
const MEDDLING: [Disturbance; 5] = [
    ScaledAway,
    ServiceDeleted,
    ServiceAnew,
    SelectorSetBack,
    Rolled,
];

impl Disturbance {
    /// Whether it means something at a wait as well.
    fn suits_wait(self) -> bool {
        self.suits_read() && ![Retried, Unavailable, Refused, Stale].contains(&self)
            || [Cut, Deaf].contains(&self)
    }

    /// Whether it means something at a read. What was read before a death is as good as never read.
    fn suits_read(self) -> bool {
        let all = [
            Retried,
            Unavailable,
            Refused,
            Stale,
            DiesBefore,
            HandedOver,
            Replayed,
            AgainBefore,
            OtherBefore,
            Scaled,
            Overtaken,
            ScaledAway,
            ServiceDeleted,
            ServiceAnew,
            SelectorSetBack,
            Rolled,
        ];
        all.contains(&self)
    }

    /// Whether it means something at a write.
    fn suits_write(self) -> bool {
        ![Stale, Cut, Deaf].contains(&self)
    }
}

/// What the new version is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Health {
    Well,
    Slow,
    /// Only its deadline shows that it never serves.
    NeverReady,
    /// Its pods show at once that it never serves.
    Doomed,
    /// It is up, but answers the smoke test with 500.
    FailsSmoke,
    /// It serves, and falls ill five seconds after the switch.
    FallsIll,
}

use Health::*;

const HEALTHS: [Health; 6] = [Well, Slow, NeverReady, Doomed, FailsSmoke, FallsIll];

/// What is there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    /// A plain Deployment and a Service that selects `app` alone.
    Adoption,
    /// Two deploys of this strategy were made before.
    Third,
}

/// Whose lock is on the Service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Locked {
    No,
    /// Of an execution that died: it expires in three minutes.
    Live,
    Expired,
}

/// One setting of a deploy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Setting {
    immutable: bool,
    start: Start,
    scaled: bool,
    smoke: bool,
    health: Health,
    locked: Locked,
}

/// What happens, by the number of the call or wait.
type Plan = Vec<(u32, Disturbance)>;
/// What happens, by words of the call.
type Aim = (&'static [&'static str], Disturbance);

#[derive(Clone)]
struct Simulation {
    setting: Setting,
    world: World,
    now: Timestamp,
    engine: Engine,
    /// What the engine wants next, where it was asked already.
    next: Option<Next>,
    text: String,
    job: String,
    image: String,
    tokens: Vec<String>,
    points: u32,
    plan: Plan,
    /// What is to happen at the next call whose method, path and body have these words, in this
    /// order: a regression stays aimed when the machine makes more calls or fewer.
    aims: Vec<Aim>,
    /// What of these never came about.
    missed: Vec<Aim>,
    /// What of the plan took place.
    happened: Vec<Disturbance>,
    /// When the process that is at work began.
    begun: Timestamp,
    /// Writes that are under way.
    late: Vec<Call>,
    /// The image that served before.
    before: String,
    /// The selector that the Service had before.
    selector: Value,
    autoscaling: Option<Timestamp>,
    falls_ill: Option<Timestamp>,
    ill: bool,
    watching: bool,
    /// The state of the world that was checked last.
    checked: u64,
    transcript: Option<Vec<String>>,
}

#[derive(Clone, Debug)]
enum End {
    Finished(Box<Success>),
    Failed(Failure),
    /// A call was refused for good.
    Broken(u16, String),
}

impl Simulation {
    fn new(setting: Setting) -> Simulation {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut world = World::new(TOKEN);
        world.keep_no_requests();
        world.timing().endpoints = SignedDuration::from_millis(400);
        world.default_behaviour(Behaviour::Ready {
            after: SignedDuration::from_secs(2),
        });
        let mut plain = demo_app(30);
        plain["spec"]["replicas"] = json!(REQUIRED);
        world.apply(plain, now);
        world.apply(sample_service("demo-app"), now);
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
            checked: 0,
            transcript: None,
        };
        simulation.advance();
        if setting.start == Start::Third {
            for (job, image) in [
                ("a", "registry.example.com/demo-app:1.0.5"),
                ("b", EARLIER_IMAGE),
            ] {
                simulation.begin(job, job, image);
                let end = simulation.run();
                assert!(matches!(end, End::Finished(_)), "{end:?}");
                simulation.pass(SignedDuration::from_mins(5));
            }
            simulation.before = EARLIER_IMAGE.to_owned();
            simulation.selector = simulation.service()["spec"]["selector"].clone();
        }
        simulation.prepare();
        simulation.begin("1", "run-1", NEW_IMAGE);
        simulation.points = 0;
        simulation
    }

    /// What is special about this setting.
    fn prepare(&mut self) {
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
    fn begin(&mut self, job: &str, execution: &str, image: &str) {
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
    fn invoke(&mut self, continuation: Continuation, request: Request) {
        self.begun = self.now;
        self.next = None;
        self.engine = engine(continuation, request, self.now);
    }

    /// The same request goes on.
    fn resume(&mut self, continuation: Continuation) {
        self.invoke(continuation, self.engine.request.clone());
    }

    fn run(&mut self) -> End {
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
    fn peek(&mut self) -> &Next {
        let (engine, now) = (&mut self.engine, self.now);
        self.next.get_or_insert_with(|| engine.next(now))
    }

    fn step(&mut self) -> Option<End> {
        self.peek();
        let next = self.next.take()?;
        self.note(|| outline(&next));
        match next {
            Next::Ask(ask) => self.ask(&ask),
            Next::Watch(watching) => self.watch(&watching),
            Next::Sleep(end) => self.sleep(end),
            Next::Done(outcome) => {
                return Some(match *outcome {
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

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(transcript) = &mut self.transcript {
            transcript.push(format!("{} {}", self.now, line()));
        }
    }

    /// What may happen while nothing is asked. `None` where the invocation ended by it.
    fn disturb_wait(&mut self) -> Option<Option<Disturbance>> {
        let planned = self.planned(|| "wait".to_owned());
        match planned {
            Some(DiesBefore) => self.restart(),
            Some(HandedOver) => self.hand_over(),
            Some(Replayed) => self.replay(),
            Some(AgainBefore) => self.again(),
            Some(OtherBefore) => self.other(),
            Some(Scaled) => {
                self.scale();
                return Some(planned);
            }
            Some(Overtaken) => {
                self.overtake();
                return Some(planned);
            }
            Some(it) if MEDDLING.contains(&it) => {
                self.meddle(it);
                return Some(planned);
            }
            Some(_) | None => return Some(planned),
        }
        None
    }

    fn sleep(&mut self, end: Timestamp) {
        if self.disturb_wait().is_some() {
            self.pass(end.duration_since(self.now));
        }
    }

    /// A watch tells of each change of the Deployment.
    fn watch(&mut self, watching: &Watching) {
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
        while self.now < end {
            self.now = self.next_change(end);
            self.advance();
            if let Some(heard) = simulated::heard(&self.world, &self.engine, watching) {
                return self.engine.heard(heard, true, self.now);
            }
        }
        self.engine.heard(Heard::Nothing, true, self.now);
    }

    /// What is planned for this point.
    fn planned(&mut self, point: impl Fn() -> String) -> Option<Disturbance> {
        self.points += 1;
        let planned = self.plan.iter().find(|(at, _)| *at == self.points);
        let planned = match (planned, self.aims.first()) {
            (Some((_, disturbance)), _) => *disturbance,
            (None, Some((words, disturbance))) => {
                let (point, disturbance) = (point(), *disturbance);
                if !words.iter().all(|word| point.contains(word)) {
                    return None;
                }
                self.aims.remove(0);
                disturbance
            }
            (None, None) => return None,
        };
        self.happened.push(planned);
        self.note(|| format!("        {planned:?}"));
        Some(planned)
    }

    /// One call with whatever is planned for it.
    fn ask(&mut self, ask: &Ask) {
        let (call, writes) = (&ask.call, ask.call.changes());
        assert!(
            !writes || is_bound(call),
            "it is bound to nothing: {call:?}"
        );
        if let Some(answer) = self.disturbed(ask, writes) {
            self.engine.answered(answer, self.now);
        }
    }

    /// The answer; `None` where the invocation ended instead.
    fn disturbed(&mut self, ask: &Ask, writes: bool) -> Option<Result<Answer, CallError>> {
        let call = &ask.call;
        let point = || {
            let body = call.body.as_ref().map(Value::to_string);
            let body = body.unwrap_or_default();
            let method = match call.verb.method() {
                // A dry run changes nothing.
                method if writes || method == "GET" => method,
                _ => "trial",
            };
            format!("{method} {} {body}", call.path)
        };
        match self.planned(point) {
            None => {}
            Some(Retried) => self.pass(SignedDuration::from_millis(200)),
            Some(AnswerLost) => {
                drop(self.perform(ask));
                self.pass(SignedDuration::from_millis(200));
            }
            Some(Unavailable) => {
                return Some(refused(503, "ServiceUnavailable", "unavailable"));
            }
            Some(DoneUnavailable) => {
                drop(self.perform(ask));
                return Some(refused(503, "ServiceUnavailable", "unavailable"));
            }
            Some(Conflict) if writes => {
                return Some(refused(409, "Conflict", "somebody else was faster"));
            }
            Some(Refused) if writes => {
                return Some(refused(422, "Invalid", "a webhook says no"));
            }
            Some(Refused) => return Some(refused(403, "Forbidden", "it is forbidden")),
            Some(Conflict | Cut | Deaf) => {}
            Some(Stale) => self.world.fault(On::any(), Fault::Stale, 1),
            Some(DiesBefore) => return self.ended(Simulation::restart),
            Some(DiesAfter) => {
                drop(self.perform(ask));
                return self.ended(Simulation::restart);
            }
            Some(HandedOver) => return self.ended(Simulation::hand_over),
            Some(Replayed) => return self.ended(Simulation::replay),
            Some(AgainBefore) => return self.ended(Simulation::again),
            Some(AgainAfter) => {
                drop(self.perform(ask));
                return self.ended(Simulation::again);
            }
            Some(OtherBefore) => return self.ended(Simulation::other),
            Some(OtherAfter) => {
                drop(self.perform(ask));
                return self.ended(Simulation::other);
            }
            Some(Late | LateOther) if !writes || call.verb.method() == "POST" => {}
            Some(Late) => {
                self.late.push(call.clone());
                return self.ended(Simulation::restart);
            }
            Some(LateOther) => {
                self.late.push(call.clone());
                return self.ended(Simulation::other);
            }
            Some(Scaled) => self.scale(),
            Some(Overtaken) => self.overtake(),
            Some(it @ (ScaledAway | ServiceDeleted | ServiceAnew | SelectorSetBack | Rolled)) => {
                self.meddle(it);
            }
        }
        Some(self.perform(ask))
    }

    /// The invocation ends by this.
    fn ended<T>(&mut self, how: fn(&mut Simulation)) -> Option<T> {
        how(self);
        None
    }

    /// Lambda repeats the event a minute later, to a process that knows nothing.
    fn restart(&mut self) {
        self.pass(SignedDuration::from_mins(1));
        let timeout = self.engine.request.timeout;
        self.resume(Continuation::begin(&self.job, self.now, timeout));
    }

    fn hand_over(&mut self) {
        let token = self.engine.continuation.encode(&self.text);
        self.tokens.push(token.clone());
        self.take_up(&token);
    }

    /// The oldest token comes again.
    fn replay(&mut self) {
        let token = self.engine.continuation.encode(&self.text);
        let token = self.tokens.first().cloned().unwrap_or(token);
        self.take_up(&token);
    }

    fn take_up(&mut self, token: &str) {
        self.pass(SignedDuration::from_secs(20));
        self.resume(Continuation::decode(token, &self.text).unwrap());
    }

    /// A person retries the stage.
    fn again(&mut self) {
        self.pass(SignedDuration::from_mins(1));
        let (job, image) = (format!("{}-again", self.job), self.image.clone());
        let execution = self.engine.request.execution.clone();
        self.begin(&job, &execution, &image);
    }

    /// Another execution deploys another version.
    fn other(&mut self) {
        if self.job.starts_with('2') {
            return self.restart();
        }
        self.pass(SignedDuration::from_secs(30));
        self.begin("2", "run-2", THEIR_IMAGE);
    }

    fn live_name(&self) -> String {
        match self.selector_now()["landfall/version"].as_str() {
            Some(version) => format!("demo-app-{version}"),
            None => "demo-app".to_owned(),
        }
    }

    fn scale(&mut self) {
        let name = self.live_name();
        self.world.scale("default", &name, 4, self.now);
    }

    fn overtake(&mut self) {
        let name = self.live_name();
        let Some(mut theirs) = self.world.deployment("default", &name).cloned() else {
            return;
        };
        theirs["spec"]["template"]["spec"]["containers"][0]["image"] = json!("theirs:1");
        self.watching = false;
        self.world.apply(theirs, self.now);
    }

    /// Somebody does what no deploy can prevent. What is seen of it is judged at the end.
    fn meddle(&mut self, what: Disturbance) {
        self.watching = false;
        let plain = json!({"app": "demo-app"});
        match what {
            ScaledAway => {
                let version = self.lock_version();
                let name = version.map(|version| format!("demo-app-{version}"));
                if let Some(name) = name
                    && self.world.deployment("default", &name).is_some()
                {
                    self.world.scale("default", &name, 0, self.now);
                }
            }
            ServiceDeleted => {
                self.world
                    .delete("services", "default", "demo-app", self.now);
            }
            ServiceAnew => {
                self.world
                    .delete("services", "default", "demo-app", self.now);
                self.world.apply(sample_service("demo-app"), self.now);
            }
            SelectorSetBack => {
                let Some(found) = self.world.object("services", "default", "demo-app") else {
                    return;
                };
                let mut service = found.clone();
                service["spec"]["selector"] = plain;
                self.world.apply(service, self.now);
            }
            Rolled => {
                let name = self.live_name();
                let Some(found) = self.world.deployment("default", &name) else {
                    return;
                };
                let mut rolled = found.clone();
                let template = &mut rolled["spec"]["template"]["metadata"];
                template["annotations"]["kubectl.kubernetes.io/restartedAt"] = json!(self.now);
                self.world.apply(rolled, self.now);
            }
            other => panic!("{other:?} is nobody's meddling"),
        }
    }

    /// The version that the deploy at work brings up.
    fn lock_version(&self) -> Option<String> {
        let service = self.world.object("services", "default", "demo-app")?;
        let lock = service["metadata"]["annotations"]["landfall/lock"].as_str()?;
        let lock: Value = serde_json::from_str(lock).ok()?;
        Some(lock["version"].as_str()?.to_owned())
    }

    fn perform(&mut self, ask: &Ask) -> Result<Answer, CallError> {
        let reply = self.send(&ask.call);
        simulated::read(&ask.reading, reply)
    }

    fn send(&mut self, call: &Call) -> Reply {
        self.pass(SignedDuration::from_millis(5));
        let reply = self.world.answer(&simulated::request(call), self.now);
        self.check();
        reply
    }

    fn pass(&mut self, time: SignedDuration) {
        let end = self.now + time;
        while self.now < end {
            self.now = self.next_change(end);
            self.advance();
        }
    }

    /// When something happens by itself, at `end` at the latest.
    fn next_change(&self, end: Timestamp) -> Timestamp {
        let all = [self.world.next_change(), self.autoscaling, self.falls_ill];
        let next = all.into_iter().flatten().min().unwrap_or(end).min(end);
        next.max(self.now + SignedDuration::from_nanos(1))
    }

    /// One step of the world.
    fn advance(&mut self) {
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
    fn autoscale(&mut self) {
        let scalers = self.world.objects("horizontalpodautoscalers");
        let Some(spec) = scalers.first().map(|scaler| scaler["spec"].clone()) else {
            return;
        };
        let name = spec["scaleTargetRef"]["name"].as_str().unwrap();
        let Some(target) = self.world.deployment("default", name) else {
            return;
        };
        let replicas = target["spec"]["replicas"].as_i64().unwrap();
        let serves = self.live_name() == name;
        let load = if serves { 3 } else { 0 };
        let wanted = load.clamp(
            spec["minReplicas"].as_i64().unwrap(),
            spec["maxReplicas"].as_i64().unwrap(),
        );
        if replicas > 0 && replicas != wanted {
            self.world.scale("default", name, wanted, self.now);
        }
    }

    fn selector_now(&self) -> Value {
        let service = self.world.object("services", "default", "demo-app");
        service.map_or(Value::Null, |service| service["spec"]["selector"].clone())
    }

    fn service(&self) -> Value {
        self.service_object().clone()
    }

    fn service_object(&self) -> &Value {
        let service = self.world.object("services", "default", "demo-app");
        service.unwrap()
    }

    /// The pods that the Service sends to and that are there: how many, and of which versions.
    fn serving(&self) -> (usize, BTreeSet<String>) {
        let slice = self
            .world
            .object("endpointslices", "default", "demo-app-slice");
        let endpoints = slice.and_then(|slice| slice["endpoints"].as_array());
        let mut images = BTreeSet::new();
        let mut count = 0;
        for endpoint in endpoints.into_iter().flatten() {
            if endpoint["conditions"]["ready"] != true {
                continue;
            }
            let name = endpoint["targetRef"]["name"].as_str().unwrap();
            let Some(pod) = self.world.object("pods", "default", name) else {
                continue;
            };
            images.insert(image_of(pod).to_owned());
            count += usize::from(is_ready(pod));
        }
        (count, images)
    }

    /// The pods that are ready and that the Service's selector finds: what its EndpointSlice will
    /// hold once that has caught up.
    fn selected(&self) -> (usize, BTreeSet<&str>) {
        let selector = self.service_object()["spec"]["selector"]
            .as_object()
            .unwrap();
        let pods = self.world.objects("pods").into_iter();
        let ready = pods.filter(|pod| {
            let labels = &pod["metadata"]["labels"];
            is_ready(pod) && selector.iter().all(|(key, value)| labels[key] == *value)
        });
        let images = ready.map(image_of).collect::<Vec<_>>();
        (images.len(), images.into_iter().collect())
    }

    /// What must hold after every step of the world.
    fn check(&mut self) {
        let state = self.world.resource_version();
        if std::mem::replace(&mut self.checked, state) == state {
            return;
        }
        let (count, images) = self.serving();
        if self.setting.health == FallsIll
            && !self.ill
            && self.falls_ill.is_none()
            && images.contains(NEW_IMAGE)
        {
            self.falls_ill = Some(self.now + SignedDuration::from_secs(5));
        }
        if !self.watching {
            return;
        }
        assert!(
            images.len() <= 1,
            "a mixture serves at {}: {images:?}",
            self.now
        );
        let ill = self.ill && images.iter().all(|image| image == NEW_IMAGE);
        assert!(
            count >= REQUIRED || ill,
            "{count} pods of {images:?} serve at {}",
            self.now
        );
        let (count, images) = self.selected();
        assert!(
            images.len() <= 1,
            "the selector finds a mixture at {}: {images:?}",
            self.now
        );
        let ill = self.ill && images.iter().all(|image| *image == NEW_IMAGE);
        assert!(
            count >= REQUIRED || ill,
            "the selector finds {count} pods of {images:?} at {}",
            self.now
        );
    }

    /// The Deployments that are to have pods.
    fn running(&self) -> Vec<String> {
        let all = self.world.objects("deployments").into_iter();
        let running = all.filter(|it| it["spec"]["replicas"] != 0);
        running
            .map(|it| it["metadata"]["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// Nothing of ours is left over: one version runs, the one that the Service sends to.
    fn check_clean(&self) {
        let service = self.service();
        let notes = &service["metadata"]["annotations"];
        for note in [
            "landfall/lock",
            "landfall/wide-selector",
            "landfall/selector-before",
            "landfall/retiring",
        ] {
            assert!(notes[note].is_null(), "{note} is left: {notes}");
        }
        let selector = &service["spec"]["selector"];
        assert!(
            selector["pod-template-hash"].is_null(),
            "the Service is still narrowed"
        );
        let preview = self.world.object("services", "default", "demo-app-preview");
        assert!(preview.is_none(), "the preview Service is left");
        assert_eq!(
            self.running(),
            [self.live_name()],
            "another version runs as well"
        );
        for scaler in self.world.objects("horizontalpodautoscalers") {
            let spec = &scaler["spec"];
            assert_eq!(
                spec["scaleTargetRef"]["name"],
                *self.live_name(),
                "the autoscaler's target"
            );
            assert_eq!(spec["minReplicas"], 1, "the autoscaler's floor");
            let notes = &scaler["metadata"]["annotations"];
            assert!(notes["landfall/min-replicas"].is_null(), "{notes}");
        }
        if self.setting.immutable {
            let all = self.world.objects("deployments").into_iter();
            let plain = |it: &&Value| it["metadata"]["name"] == "demo-app";
            // What failed is deleted by the next deploy that succeeds.
            let failed =
                |it: &&Value| it["metadata"]["annotations"]["landfall/rolled-back"].is_string();
            let kept = all
                .filter(|it| !plain(it) && !failed(it) && it["spec"]["replicas"] == 0)
                .count();
            // One that died may stand beside the one that is kept.
            let most = if self.happened.is_empty() { 1 } else { 2 };
            assert!(kept <= most, "{kept} superseded versions are kept");
        }
    }
}

fn request(job: &str, execution: &str, image: &str, setting: Setting) -> (String, Request) {
    let strategy = if setting.immutable {
        "immutable"
    } else {
        "blueGreen"
    };
    let mut parameters = json!({"deployment": "demo-app", "images": {"app": image},
        "strategy": strategy, "service": "demo-app", "execution": execution, "timeout": "10m"});
    if setting.smoke {
        parameters["smoke"] = json!({"path": "/health", "contains": "ok"});
    }
    let text = parameters.to_string();
    let request = Request::parse(&Parameters::Text(text.clone()), job).unwrap();
    (text, request)
}

/// Whether a write names the state or the object that was read: of two writers one must lose.
fn is_bound(call: &Call) -> bool {
    let body = call.body.as_ref().unwrap_or(&Value::Null);
    let bond = match call.verb.method() {
        // The name must be free.
        "POST" => return true,
        "DELETE" => &body["preconditions"]["uid"],
        _ => &body["metadata"]["resourceVersion"],
    };
    bond.as_str().is_some_and(|bond| !bond.is_empty())
}

fn image_of(pod: &Value) -> &str {
    pod["spec"]["containers"][0]["image"].as_str().unwrap()
}

fn is_ready(pod: &Value) -> bool {
    let conditions = pod["status"]["conditions"].as_array();
    let mut conditions = conditions.into_iter().flatten();
    pod["metadata"].get("deletionTimestamp").is_none()
        && conditions.any(|it| it["type"] == "Ready" && it["status"] == "True")
}

/// A run of all takes hours: how far it is shows after so many plans.
const TOLD_EVERY: u64 = 10_000;

/// Plans that were carried out, and deploys that were begun for them: the disturbed one, whoever
/// came between, and the one after all.
static PLANS: AtomicU64 = AtomicU64::new(0);
static DEPLOYS: AtomicU64 = AtomicU64::new(0);

/// What went wrong, once for each way in which it did: how often, and the first transcript.
static FAILURES: Mutex<BTreeMap<String, (u32, String)>> = Mutex::new(BTreeMap::new());

thread_local! {
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Runs something that may panic and gives the message instead of printing it.
fn quietly(work: impl FnOnce()) -> Result<(), String> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !QUIET.get() {
                usual(panic);
            }
        }));
    });
    QUIET.set(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(false);
    done.map_err(|panic| match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic
            .downcast_ref::<&str>()
            .map_or("", |text| *text)
            .to_owned(),
    })
}

fn to_the_end(simulation: &mut Simulation) {
    let end = simulation.run();
    simulation.note(|| format!("{end:?}"));
    judge(simulation, &end);
    afterwards(simulation, &end);
}

/// Runs a deploy on from where it is and holds its end against what the world shows. Afterwards a
/// repetition of the event must change nothing, and another deploy must succeed.
fn finish(mut simulation: Simulation) -> Simulation {
    let (setting, plan) = (simulation.setting, simulation.plan.clone());
    let aims = simulation.aims.clone();
    let Err(told) = quietly(|| to_the_end(&mut simulation)) else {
        return simulation;
    };
    // Times and names differ from one to the next.
    let kind = told.split([':', '{']).next().unwrap_or_default().to_owned();
    let kind = kind.split(" at ").next().unwrap_or_default().to_owned();
    let mut all = FAILURES.lock().unwrap();
    if let Some((count, _)) = all.get_mut(&kind) {
        *count += 1;
        return simulation;
    }
    // The same once more, from the beginning and noted down.
    let mut again = Simulation::new(setting);
    again.plan.clone_from(&plan);
    again.aims.clone_from(&aims);
    again.transcript = Some(Vec::new());
    let same = quietly(|| to_the_end(&mut again)).err() == Some(told.clone());
    let transcript = again.transcript.unwrap_or_default().join("\n");
    let story = format!(
        "{told}\n{setting:?}\nplan: {plan:?} {aims:?} (the same again: {same})\n{transcript}"
    );
    all.insert(kind, (1, story));
    simulation
}

/// Prints and forgets what went wrong.
fn all_is_well() {
    let failures = std::mem::take(&mut *FAILURES.lock().unwrap());
    for (count, story) in failures.values() {
        println!("=== {count} times: {story}\n");
    }
    assert!(failures.is_empty(), "{} kinds of failure", failures.len());
}

fn judge(simulation: &mut Simulation, end: &End) {
    let plans = PLANS.fetch_add(1, Ordering::Relaxed) + 1;
    if plans.is_multiple_of(TOLD_EVERY) {
        println!("{plans} plans");
    }
    let all = simulation.happened.clone();
    let happened = |disturbance| all.contains(&disturbance);
    let refused = happened(Refused);
    let unavailable = happened(Unavailable) || happened(DoneUnavailable);
    let other = simulation.job.starts_with('2');
    let sick = !other && ![Well, Slow].contains(&simulation.setting.health);
    let stranger = happened(Overtaken);
    if MEDDLING.iter().any(|it| happened(*it)) {
        return judge_meddled(simulation, end);
    }
    for call in std::mem::take(&mut simulation.late) {
        let reply = simulation.send(&call);
        let Reply::Answer(answer) = reply else {
            panic!("{reply:?}");
        };
        let code = answer.status;
        simulation.note(|| format!("{code} for a late {} {}", call.verb.method(), call.path));
    }
    simulation.pass(SignedDuration::from_secs(5));
    let (_, images) = simulation.serving();
    let serves = images.first().cloned().unwrap_or_default();
    let mut clean = !stranger;
    match end {
        _ if stranger => {}
        End::Finished(success) => {
            assert!(
                !sick,
                "a version that does not serve was reported as a success"
            );
            assert_eq!(serves, simulation.image, "another version serves");
            assert_eq!(success.deployment.name(), simulation.live_name());
            judge_success(simulation, success);
            clean = success
                .switched
                .as_ref()
                .is_none_or(|switched| switched.left.is_empty());
            assert!(clean || refused, "something was left: {success:?}");
        }
        End::Failed(Failure::Rollout {
            failure,
            rollback_result,
        }) => {
            let cause = recorded((**failure).clone()).cause;
            assert!(sick || refused, "it failed without a reason: {cause}");
            judge_aftermath(simulation, rollback_result, &serves);
            if let RollbackResult::Unswitched(CandidateState::Left(_))
            | RollbackResult::SwitchedBack(_, CandidateState::Left(_)) = rollback_result
            {
                clean = false;
            }
            let told: &[&str] = match simulation.setting.health {
                _ if refused => &[""],
                Well | Slow => &[""],
                // A Deployment that was given up once is never given up again by Kubernetes itself.
                NeverReady => &["progress", "timeout"],
                Doomed | FallsIll => &["exit"],
                FailsSmoke => &["500"],
            };
            let said = told.iter().any(|words| cause.contains(words));
            assert!(said, "{told:?} is not in: {cause}");
            // What is older than its own past may hide the pods that would take over.
            let stale = happened(Stale) && *rollback_result == RollbackResult::NoWayBack;
            if let RollbackResult::NoWayBack | RollbackResult::SwitchRollbackFailed(_) =
                rollback_result
            {
                assert!(happened(Scaled) || refused || stale, "{rollback_result:?}");
                clean = false;
            }
            let mut told = failure.evidence.pods.iter();
            if refused && told.any(|line| line.contains("could not be cleared away")) {
                clean = false;
            }
        }
        End::Failed(Failure::Locked { .. }) => {
            assert!(other, "nobody else's lock was there");
            clean = false;
        }
        End::Broken(code, why) => {
            let explained = refused || unavailable && *code == 503;
            assert!(explained, "{code} {why}");
            clean = false;
        }
        End::Failed(failure) => {
            // A read that is older than its own past tells of a Service that is no more.
            let stale = happened(Stale) && matches!(failure, Failure::Faults(_));
            // Who waited for a dead one's lock, or died again and again, may have no time left.
            let late = simulation.happened.len() > 1 && *failure == Failure::TooLate;
            assert!(refused || stale || late, "unexplained {failure:?}");
            clean = false;
        }
    }
    if clean {
        simulation.check_clean();
    }
}

/// What must hold whatever others did: where the Service is there and was not left to somebody else's
/// selector, pods of one version serve, and a success is one.
fn judge_meddled(simulation: &mut Simulation, end: &End) {
    simulation.plan.clear();
    for call in std::mem::take(&mut simulation.late) {
        drop(simulation.send(&call));
    }
    simulation.pass(SignedDuration::from_secs(60));
    if simulation
        .world
        .object("services", "default", "demo-app")
        .is_none()
    {
        let wrong = matches!(end, End::Finished(_));
        // It may have been deleted after the last look.
        assert!(!wrong || !simulation.happened.is_empty(), "{end:?}");
        return;
    }
    let (count, images) = simulation.serving();
    if let End::Finished(_) = end {
        let (_, at_work) = (count, &images);
        assert!(!at_work.is_empty(), "success, and nothing serves");
        assert!(
            at_work.contains(&simulation.image) || simulation.happened.len() > 1,
            "success, and {at_work:?} serve"
        );
    }
    let told = matches!(end, End::Failed(_) | End::Broken(..));
    assert!(count > 0 || told, "no pod serves after {end:?}");
}

/// What a report of success says of where the traffic came from.
fn judge_success(simulation: &Simulation, success: &Success) {
    let switched = success.switched.as_ref().expect("a switch tells of it");
    assert_eq!(switched.service, "demo-app");
    let disturbed = !simulation.happened.is_empty();
    assert!(success.wrote || disturbed, "it says that it wrote nothing");
    assert_eq!(success.wrote, switched.from.is_some());
    let Some((from, _)) = &switched.from else {
        return;
    };
    assert_ne!(*from, simulation.live_name());
    let old = simulation.world.deployment("default", from);
    assert!(disturbed || old.is_some(), "{from} was not kept");
    // Of an immutable version that is superseded twice nothing may be left.
    if let Some(old) = old.filter(|_| switched.left.is_empty()) {
        assert_eq!(old["spec"]["replicas"], 0, "{from} runs on");
        let before = &old["metadata"]["annotations"]["landfall/replicas"];
        let before = before.as_str().and_then(|count| count.parse().ok());
        assert!(before >= Some(REQUIRED), "{from} had {before:?} pods");
    }
}

fn judge_aftermath(simulation: &Simulation, rollback_result: &RollbackResult, serves: &str) {
    // Whoever came after a death may have found the version before already taken over.
    let old = [&*simulation.before, NEW_IMAGE];
    let old = if simulation.job.starts_with('2') {
        &old[..]
    } else {
        &old[..1]
    };
    let fate = match rollback_result {
        RollbackResult::NothingWritten => None,
        RollbackResult::Unswitched(fate) => Some(fate),
        RollbackResult::SwitchedBack(name, fate) => {
            assert_eq!(*name, simulation.live_name());
            Some(fate)
        }
        RollbackResult::NoWayBack | RollbackResult::SwitchRollbackFailed(_) => return,
        other => panic!("{other:?}"),
    };
    assert!(
        old.contains(&serves),
        "{rollback_result:?}, and {serves} serves"
    );
    if simulation.setting.start == Start::Adoption && !simulation.job.starts_with('2') {
        assert_eq!(
            simulation.service()["spec"]["selector"],
            simulation.selector
        );
    }
    match fate {
        None | Some(CandidateState::Gone) => {}
        Some(CandidateState::ScaledDown(name)) => assert!(!simulation.running().contains(name)),
        Some(CandidateState::Left(name)) => {
            let refused = simulation.happened.contains(&Refused);
            assert!(refused, "{name} was left");
        }
    }
}

/// The same event comes once more and changes nothing; then another version is deployed.
fn afterwards(simulation: &mut Simulation, end: &End) {
    simulation.plan.clear();
    simulation.missed = std::mem::take(&mut simulation.aims);
    let before = simulation.selector_now();
    // A return that was given up is gone on with by whoever comes.
    let broken = match end {
        End::Finished(_) => false,
        End::Failed(Failure::Rollout {
            rollback_result, ..
        }) => {
            matches!(rollback_result, RollbackResult::SwitchRollbackFailed(_))
        }
        End::Failed(_) | End::Broken(..) => true,
    };
    simulation.note(|| "the same event once more".to_owned());
    let is_there = simulation
        .world
        .object("services", "default", "demo-app")
        .is_some();
    let meddled = MEDDLING.iter().any(|it| simulation.happened.contains(it));
    if !broken && !simulation.happened.contains(&Overtaken) && is_there && !meddled {
        simulation.restart();
        let again = simulation.run();
        let after = simulation.service()["spec"]["selector"].clone();
        assert_eq!(after, before, "a repetition moved the Service: {again:?}");
    }
    if simulation.happened.contains(&Overtaken) {
        return;
    }
    let meddled = MEDDLING.iter().any(|it| simulation.happened.contains(it));
    if meddled {
        return after_meddling(simulation);
    }
    simulation.note(|| "another deploy".to_owned());
    // A lock that a dead one left ends by itself.
    if broken {
        simulation.pass(SignedDuration::from_mins(15));
    }
    simulation.begin("9", "run-9", LAST_IMAGE);
    let next = simulation.run();
    assert!(
        matches!(next, End::Finished(_)),
        "the next deploy: {next:?}"
    );
    simulation.pass(SignedDuration::from_secs(5));
    assert_eq!(
        simulation.serving().1.first().map(String::as_str),
        Some(LAST_IMAGE)
    );
    simulation.check_clean();
}

/// Whoever deploys next repairs what was left, with the Service back from its file where it is gone.
fn after_meddling(simulation: &mut Simulation) {
    simulation.pass(SignedDuration::from_mins(15));
    if simulation
        .world
        .object("services", "default", "demo-app")
        .is_none()
    {
        simulation
            .world
            .apply(sample_service("demo-app"), simulation.now);
        simulation.pass(SignedDuration::from_secs(5));
    }
    // Where somebody has scaled all of them to zero there is nothing to take over from.
    if simulation.running().is_empty() {
        return;
    }
    simulation.note(|| "another deploy".to_owned());
    simulation.begin("9", "run-9", LAST_IMAGE);
    let next = simulation.run();
    assert!(
        matches!(next, End::Finished(_)),
        "the next deploy: {next:?}"
    );
    simulation.pass(SignedDuration::from_secs(5));
    let (count, images) = simulation.serving();
    assert!(count > 0, "nothing serves after the next deploy");
    assert_eq!(images.iter().collect::<Vec<_>>(), [LAST_IMAGE]);
}

fn settings() -> Vec<Setting> {
    let mut all = Vec::new();
    for immutable in [false, true] {
        for start in [Start::Adoption, Start::Third] {
            for scaled in [false, true] {
                for health in HEALTHS {
                    let smoke = scaled || health == FailsSmoke;
                    let locked = Locked::No;
                    let setting = Setting {
                        immutable,
                        start,
                        scaled,
                        smoke,
                        health,
                        locked,
                    };
                    all.push(setting);
                    if health == Well && !scaled {
                        all.push(Setting {
                            locked: Locked::Live,
                            ..setting
                        });
                        all.push(Setting {
                            locked: Locked::Expired,
                            ..setting
                        });
                    }
                }
            }
        }
    }
    all
}

/// Does some work for each setting, on all cores.
fn for_each(settings: &[Setting], work: impl Fn(Setting) + Sync) {
    let next = AtomicU64::new(0);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers = (0..cores).map(|_| {
            scope.spawn(|| {
                while let Some(setting) =
                    settings.get(next.fetch_add(1, Ordering::Relaxed) as usize)
                {
                    work(*setting);
                }
            })
        });
        let workers = workers.collect::<Vec<_>>();
        for worker in workers {
            if let Err(panic) = worker.join() {
                std::panic::resume_unwind(panic);
            }
        }
    });
}

fn outline(next: &Next) -> String {
    match next {
        Next::Ask(ask) => {
            let body = ask.call.body.as_ref().map(Value::to_string);
            let method = ask.call.verb.method();
            format!("{method} {} {}", ask.call.path, body.unwrap_or_default())
        }
        Next::Watch(watching) => format!("watch {} until {}", watching.name, watching.until),
        Next::Sleep(end) => format!("sleep until {end}"),
        Next::Done(outcome) => format!("done {outcome:?}"),
    }
}

/// Every disturbance that means something at this point.
fn suitable(next: &Next) -> Vec<Disturbance> {
    let all = ALL.into_iter();
    match next {
        Next::Ask(ask) if ask.call.changes() => all.filter(|it| it.suits_write()).collect(),
        Next::Ask(_) => all.filter(|it| it.suits_read()).collect(),
        Next::Watch(_) | Next::Sleep(_) => all.filter(|it| it.suits_wait()).collect(),
        Next::Done(_) => Vec::new(),
    }
}

#[test]
fn undisturbed_switches_end_as_they_should() {
    for setting in settings() {
        finish(Simulation::new(setting));
    }
    all_is_well();
}

/// A number that is asked for from outside.
fn asked(variable: &str, or: u64) -> u64 {
    let text = std::env::var(variable).ok();
    text.map_or(or, |text| text.parse().unwrap())
}

/// Goes through the rest of a deploy: at each point and for each disturbance that means something
/// there, a copy of the world is disturbed, where that is `wanted`.
fn at_every_point(
    mut simulation: Simulation,
    wanted: impl Fn(&Next, Disturbance) -> bool,
    disturb: impl Fn(Simulation),
) {
    for _ in 0..STEPS {
        let next = simulation.peek().clone();
        for disturbance in suitable(&next) {
            if wanted(&next, disturbance) {
                let mut copy = simulation.clone();
                copy.plan.push((copy.points + 1, disturbance));
                disturb(copy);
            }
        }
        // What fails without the disturbance is told by the test that has less of them.
        let mut over = true;
        if quietly(|| over = simulation.step().is_some()).is_err() || over {
            return;
        }
    }
}

/// One in so many.
struct Stride {
    counted: AtomicU64,
    of: u64,
}

impl Stride {
    fn of(of: u64) -> Stride {
        let counted = AtomicU64::new(0);
        Stride {
            counted,
            of: of.max(1),
        }
    }

    fn hits(&self) -> bool {
        self.counted
            .fetch_add(1, Ordering::Relaxed)
            .is_multiple_of(self.of)
    }
}

fn tell(what: &str, begun: std::time::Instant) {
    let (plans, deploys) = (
        PLANS.load(Ordering::Relaxed),
        DEPLOYS.load(Ordering::Relaxed),
    );
    println!(
        "{what}: {plans} plans, {deploys} deploys so far, in {:?}",
        begun.elapsed()
    );
}

#[test]
fn every_disturbance_at_every_point_of_a_switch() {
    let begun = std::time::Instant::now();
    let stride = Stride::of(asked("LANDFALL_STRIDE", STRIDE));
    for_each(&settings(), |setting| {
        let wanted = |_: &Next, _| stride.hits();
        at_every_point(Simulation::new(setting), wanted, |disturbed| {
            finish(disturbed);
        });
    });
    tell("single disturbances", begun);
    all_is_well();
}

#[test]
fn pairs_of_disturbances_of_a_switch() {
    let begun = std::time::Instant::now();
    let divisor = asked("LANDFALL_PAIRS", 1);
    let (first, second) = (Stride::of(PAIRS.0 / divisor), Stride::of(PAIRS.1 / divisor));
    for_each(&settings(), |setting| {
        let first = |_: &Next, _| first.hits();
        at_every_point(Simulation::new(setting), first, |mut disturbed| {
            if quietly(|| drop(disturbed.step())).is_ok() {
                at_every_point(disturbed, |_, _| second.hits(), |twice| drop(finish(twice)));
            }
        });
    });
    tell("pairs", begun);
    all_is_well();
}

/// Executions that wait for each other's locks: the function dies for good before a write, another
/// execution comes and dies while it waits, and a third one has what is left of its time. Each pair
/// in the first take-over by blue/green, one in so many in the other settings in which nothing
/// else is wrong. Pairs of all disturbances are too many for any stride to find these.
#[test]
fn every_pair_of_executions_that_die() {
    let begun = std::time::Instant::now();
    let stride = Stride::of(OTHERS / asked("LANDFALL_PAIRS", 1).min(OTHERS));
    let plain = settings().into_iter().filter(|setting| {
        setting.health == Well && !setting.scaled && setting.locked == Locked::No
    });
    for_each(&plain.collect::<Vec<_>>(), |setting| {
        let is_whole = !setting.immutable && setting.start == Start::Adoption;
        let first = |next: &Next, disturbance| {
            let writes = matches!(next, Next::Ask(ask) if ask.call.changes());
            writes && disturbance == OtherBefore
        };
        let second = |next: &Next, disturbance| {
            let waits = matches!(next, Next::Watch(_) | Next::Sleep(_));
            waits && disturbance == OtherBefore && (is_whole || stride.hits())
        };
        at_every_point(Simulation::new(setting), first, |mut disturbed| {
            if quietly(|| drop(disturbed.step())).is_ok() {
                at_every_point(disturbed, second, |twice| drop(finish(twice)));
            }
        });
    });
    tell("executions that die", begun);
    all_is_well();
}

/// Somebody scales the new version to zero, and once more after it was brought back: what is up of
/// the version before serves again, at the latest by whoever deploys next.
#[test]
fn the_new_version_is_scaled_away_twice() {
    let setting = Setting {
        immutable: false,
        start: Start::Third,
        scaled: true,
        smoke: true,
        health: Well,
        locked: Locked::No,
    };
    // The first one right before the old version is retired.
    for first in (104..150).step_by(4) {
        for second in (first + 1..first + 31).step_by(3) {
            let mut simulation = Simulation::new(setting);
            simulation.plan = vec![(first, ScaledAway), (second, ScaledAway)];
            finish(simulation);
        }
    }
    all_is_well();
}

/// What once went wrong, by the defect that it showed.
fn regressions() -> Vec<(&'static str, Setting, Vec<Aim>)> {
    let setting = |immutable, start, scaled, health| Setting {
        immutable,
        start,
        scaled,
        smoke: scaled,
        health,
        locked: Locked::No,
    };
    vec![
        (
            "it switched back to a Deployment that was just scaled to zero",
            setting(false, Start::Third, false, Well),
            vec![
                (&["PATCH", "/deployments/", r#""replicas":0"#], Retried),
                (&["GET"], Refused),
            ],
        ),
        (
            "a version that fell ill stayed, as its deploy died and the stage was retried",
            setting(false, Start::Third, false, FallsIll),
            vec![(
                &["PATCH", "/services/demo-app", "landfall/from"],
                AgainAfter,
            )],
        ),
        (
            "a candidate that could not be cleared away ran on, and nobody was told",
            setting(true, Start::Third, false, Doomed),
            vec![(&["PATCH", "/deployments/", r#""replicas":0"#], Refused)],
        ),
        (
            "and kept the Service narrowed until the limit of the return",
            setting(true, Start::Adoption, false, Doomed),
            vec![(&["PATCH", "/deployments/", r#""replicas":0"#], Refused)],
        ),
        (
            "an adoption that had waited for a lock was refused while somebody scaled",
            Setting {
                locked: Locked::Live,
                ..setting(false, Start::Adoption, false, Well)
            },
            vec![(&["wait"], Retried), (&["GET", "/replicasets"], Scaled)],
        ),
        (
            "an adoption was refused while an autoscaler was at work",
            setting(false, Start::Adoption, true, Well),
            vec![(&["GET", "/services/demo-app"], Scaled)],
        ),
        (
            "a read from before the lock ended the way back, and all of it stayed",
            setting(false, Start::Third, false, Well),
            vec![
                (&["PUT ", "/deployments/"], Refused),
                (&["GET", "/services/demo-app"], Stale),
            ],
        ),
        (
            "an autoscaler that had its own floor again was taken for somebody who holds it down",
            setting(true, Start::Adoption, true, Slow),
            vec![
                (&["POST", "landfall/preview-of"], Scaled),
                (&["PATCH", "autoscalers", r#"min-replicas":null"#], Retried),
                (&["GET", "/services/demo-app"], Replayed),
            ],
        ),
        (
            "the plain one was up, nobody sent to it, and the next deploy refused to begin",
            setting(false, Start::Adoption, false, Well),
            vec![
                (
                    &[
                        "PATCH",
                        "/services/demo-app",
                        r#""landfall/retiring":"true""#,
                    ],
                    Retried,
                ),
                (&["GET", "/pods"], Refused),
                (&["GET"], ScaledAway),
            ],
        ),
        (
            "who waited for a dead one's lock had seconds left, and its version did not serve",
            setting(false, Start::Adoption, false, Well),
            [
                (&["POST", "/deployments"] as &[_], OtherAfter),
                // Half a minute passes, so that the lock ends right before the timeout.
            ]
            .into_iter()
            .chain([(&["wait"] as &[_], Retried); 7])
            .chain([(&["wait"] as &[_], OtherBefore)])
            .collect(),
        ),
    ]
}

#[test]
fn what_went_wrong_before() {
    for (name, setting, aims) in regressions() {
        let mut simulation = Simulation::new(setting);
        simulation.aims = aims;
        let missed = finish(simulation).missed;
        assert_eq!(missed, [], "{name}: it does not happen any more");
    }
    all_is_well();
}

#[test]
fn seeded_mixtures_of_disturbances_of_a_switch() {
    let begun = std::time::Instant::now();
    let settings = settings();
    let seeds = asked("LANDFALL_SEEDS", SEEDS);
    let fresh = settings
        .iter()
        .map(|setting| Simulation::new(*setting))
        .collect::<Vec<_>>();
    let next = AtomicU64::new(1);
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed > seeds {
                        return;
                    }
                    mixture(&fresh, seed);
                }
            });
        }
    });
    tell("mixtures", begun);
    all_is_well();
}

fn mixture(fresh: &[Simulation], seed: u64) {
    let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let mut draw = |below: usize| {
        // https://en.wikipedia.org/wiki/Xorshift#xorshift*
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % below
    };
    let mut simulation = fresh[draw(fresh.len())].clone();
    let mut once = BTreeSet::new();
    for at in 1..150 {
        if draw(12) > 0 {
            continue;
        }
        let which = draw(ALL.len());
        let disturbance = ALL[which];
        // These once: two strangers, or many refusals, leave no telling what is right.
        let rare = [
            Overtaken,
            Refused,
            OtherBefore,
            OtherAfter,
            LateOther,
            Scaled,
            ScaledAway,
            ServiceDeleted,
            ServiceAnew,
            SelectorSetBack,
            Rolled,
        ];
        if rare.contains(&disturbance) && !once.insert(which) {
            continue;
        }
        simulation.plan.push((at, disturbance));
    }
    finish(simulation);
}
