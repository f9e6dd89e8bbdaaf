//! A case in simulated time: the engine against the sandbox's world, and the real report of it.
//!
//! What is refused on the way is a matter of the real function, and played at the front door.

use super::case::{Case, Edit, NEW_IMAGE, seconds};
use super::judge::{Ending, Objects};
use crate::simulated;
use crate::stage::TOKEN;
use jiff::{SignedDuration, Timestamp};
use landfall_core::alarm::{Alarm, AlarmState, AlarmsError};
use landfall_core::engine::{Engine, Heard, Next, Watching};
use landfall_core::outcome::{CredentialSource, ParameterPlace};
use landfall_core::report::Report;
use landfall_core::request::{Parameters, Request};
use landfall_core::state::continuation::Continuation;
use landfall_sandbox::world::{self, Behaviour, Reply, Script, World};
use std::sync::Arc;

const JOB: &str = "11111111-abcd-1111-abcd-000000000001";
/// Steps of one deploy before it counts as endless.
const STEPS: u32 = 20_000;
/// How long an invocation lasts where the case says nothing else, as in `template.yaml`.
const LIFE: f64 = 600.0;
/// What a call takes.
const CALL: SignedDuration = SignedDuration::from_millis(5);

struct Play<'a> {
    case: &'a Case,
    world: World,
    /// When the first deploy began.
    origin: Timestamp,
    began: Timestamp,
    now: Timestamp,
    /// When the function dies.
    dies: Option<Timestamp>,
    engine: Engine,
    text: String,
    written: Option<Timestamp>,
    writes: usize,
    /// Whether the end is counted as an outage.
    outage: bool,
    /// What others will do yet.
    edits: Vec<Edit>,
}

/// Plays it to its end; gives the report and the objects that the case asks for.
pub fn play(case: &Case) -> (Ending, Objects) {
    let mut play = Play::new(case);
    play.before();
    let report = play.run().expect("this one does not die");
    let seconds = play.now.duration_since(play.began).as_secs_f64();
    let writes = Some(play.writes);
    let (end, text, section) = match report {
        Report::Success { summary, .. } => ("success".to_owned(), summary, None),
        Report::Failure {
            failure_type,
            code,
            message,
        } => (
            failure_type.name().to_owned(),
            message,
            Some(code.anchor().to_owned()),
        ),
        Report::Progress { .. } => panic!("a deploy does not end in progress"),
    };
    // What is under way comes to its end before the world is looked at.
    play.pass(SignedDuration::from_secs(30));
    let objects = case.expected.world.keys().map(|key| {
        let (resource, name) = key.split_once('/').unwrap();
        (
            key.clone(),
            play.world.object(resource, "default", name).cloned(),
        )
    });
    let objects = objects.collect();
    let ending = Ending {
        end,
        text,
        section,
        seconds,
        writes,
        outages: Some(u64::from(play.outage)),
        log: String::new(),
    };
    (ending, objects)
}

impl<'a> Play<'a> {
    fn new(case: &'a Case) -> Play<'a> {
        let given = &case.given;
        assert!(given.refusals.is_empty(), "refusals are played at the door");
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        let mut world = World::new(TOKEN);
        for object in given.objects() {
            if object["kind"] == "HTTPRoute" {
                world.install_gateway_api(now);
            }
            world.apply(object, now);
        }
        let now = world.settle(now) + SignedDuration::from_mins(5);
        world.advance(now);
        if given.before.is_empty() {
            given.prepare(&mut world);
            given.begin(&mut world);
        }
        let text = given.parameters();
        let edits = match given.before.is_empty() {
            true => edits(case),
            false => Vec::new(),
        };
        assert!(
            given.prepared.is_empty() || !given.before.is_empty(),
            "objects that are changed before the first deploy are given so"
        );
        Play {
            case,
            world,
            origin: now,
            began: now,
            now,
            dies: None,
            engine: engine(case, &text, JOB, now),
            text,
            written: None,
            writes: 0,
            outage: false,
            edits,
        }
    }

    /// The deploys before this one.
    fn before(&mut self) {
        let given = &self.case.given;
        if given.before.is_empty() {
            return;
        }
        if !given.former_pods.is_null() {
            let script = Script::read(&given.former_pods);
            let behaviour = Behaviour::Scripted(Arc::new(script));
            self.world.behave(NEW_IMAGE, behaviour);
        }
        for (index, former) in given.before.iter().enumerate() {
            let text = given.former(former).parameters();
            let job = format!("11111111-abcd-1111-abcd-0000000001{index:02}");
            self.engine = engine(self.case, &text, &job, self.now);
            self.text = text;
            self.dies = given.died(index).map(|after| self.now + seconds(after));
            self.run();
            self.dies = None;
            self.pass(SignedDuration::from_secs(30));
        }
        for edit in &given.prepared {
            self.edit(edit);
        }
        self.pass(seconds(given.pause));
        given.prepare(&mut self.world);
        given.begin(&mut self.world);
        self.text = given.parameters();
        self.engine = engine(self.case, &self.text, JOB, self.now);
        self.began = self.now;
        self.written = None;
        self.writes = 0;
        self.edits = edits(self.case);
    }

    /// The time by our own clock.
    fn clock(&self) -> Timestamp {
        self.now + skew(self.case)
    }

    /// Plays the deploy to its end; `None` where its function dies before.
    fn run(&mut self) -> Option<Report> {
        for _ in 0..STEPS {
            if self.dies.is_some_and(|end| end <= self.now) {
                return None;
            }
            match self.engine.next(self.clock()) {
                Next::Ask(ask) => {
                    self.pass(CALL);
                    let reply = self.world.answer(&simulated::request(&ask.call), self.now);
                    let answer = simulated::read(&ask.reading, reply);
                    if ask.call.changes() && answer.is_ok() {
                        self.written.get_or_insert(self.now);
                        self.writes += 1;
                    }
                    self.engine.answered(answer, self.clock());
                }
                Next::Watch(watching) => self.watch(&watching),
                Next::Alarms(asked) => {
                    self.pass(CALL);
                    let read = self.alarms(&asked.names);
                    self.engine.alarmed(read, self.clock());
                }
                Next::Sleep(end) => self.pass(end.duration_since(self.clock())),
                Next::Done(outcome) => {
                    self.outage = outcome.is_outage();
                    let ended = self.engine.clone().ended(*outcome);
                    let source = CredentialSource::Parameter(ParameterPlace::default());
                    match ended.report(&self.text, &source, self.clock()) {
                        Report::Progress { token, .. } => self.hand_over(&token),
                        report @ (Report::Success { .. } | Report::Failure { .. }) => {
                            return Some(report);
                        }
                    }
                }
            }
        }
        panic!("it does not end");
    }

    /// The alarms as CloudWatch tells them now.
    fn alarms(&self, names: &[String]) -> Result<Vec<Alarm>, AlarmsError> {
        let now = self.now.duration_since(self.origin).as_secs_f64();
        let of = |name: &String| {
            let states = &self.case.given.alarms[name];
            let (at, state) = states.iter().rev().find(|(at, _)| *at <= now).unwrap();
            let state = match state.as_str() {
                "ok" => AlarmState::Ok,
                "alarm" => AlarmState::Ringing,
                "nodata" => AlarmState::NoData,
                "gone" => return Ok(None),
                "denied" => return Err(AlarmsError::Denied("not authorized".into())),
                "throttled" => return Err(AlarmsError::Throttled),
                "down" => return Err(AlarmsError::Unreadable("no answer".into())),
                other => panic!("no alarm is {other}"),
            };
            Ok(Some(Alarm {
                name: name.clone(),
                state,
                transitioned: Some(self.origin + seconds(*at)),
                reason: "Threshold Crossed".into(),
                arn: None,
                window: None,
            }))
        };
        let read = names.iter().map(of).collect::<Result<Vec<_>, _>>();
        Ok(read?.into_iter().flatten().collect())
    }

    /// The next invocation goes on, with the real token.
    fn hand_over(&mut self, token: &str) {
        self.pass(SignedDuration::from_secs(2));
        let continuation = Continuation::decode(token, &self.text).unwrap();
        let request = self.engine.request.clone();
        let now = self.clock();
        let end = now + life(self.case);
        self.engine = Engine::new(request, continuation, now, end, str::to_owned);
    }

    /// A watch tells of each change of the Deployment.
    fn watch(&mut self, watching: &Watching) {
        let until = self.alive(watching.until - skew(self.case));
        while self.now < until {
            self.now = self.next_change(until);
            self.advance();
            if let Some(heard) = simulated::heard(&self.world, &self.engine, watching) {
                return self.engine.heard(heard, true, self.clock());
            }
        }
        self.engine.heard(Heard::Nothing, true, self.clock());
    }

    fn pass(&mut self, time: SignedDuration) {
        let end = self.alive(self.now + time);
        while self.now < end {
            self.now = self.next_change(end);
            self.advance();
        }
    }

    /// This time, if the function lives so long.
    fn alive(&self, until: Timestamp) -> Timestamp {
        self.dies.map_or(until, |end| end.min(until))
    }

    /// When the next edit is due.
    fn next_edit(&self) -> Option<Timestamp> {
        Some(self.written? + seconds(self.edits.last()?.at))
    }

    /// When something happens by itself, at `end` at the latest.
    fn next_change(&self, end: Timestamp) -> Timestamp {
        let all = [self.world.next_change(), self.next_edit()];
        let next = all.into_iter().flatten().min().unwrap_or(end).min(end);
        next.max(self.now + SignedDuration::from_nanos(1))
    }

    fn advance(&mut self) {
        self.world.advance(self.now);
        while self.next_edit().is_some_and(|at| at <= self.now) {
            let edit = self.edits.pop().unwrap();
            self.edit(&edit);
        }
    }

    fn edit(&mut self, edit: &Edit) {
        let deed = edit.deed("default");
        let request = world::Request {
            method: deed.method.to_owned(),
            path: deed.path,
            content_type: Some(deed.content_type.to_owned()),
            authorization: Some(format!("Bearer {TOKEN}")),
            certificate: None,
            user_agent: None,
            body: deed.body.to_string().into_bytes(),
        };
        let reply = self.world.answer(&request, self.now);
        let done = matches!(&reply, Reply::Answer(it) if (200..300).contains(&it.status));
        assert!(done, "{edit:?}: {reply:?}");
    }
}

/// The engine of a deploy that begins now.
fn engine(case: &Case, text: &str, job: &str, now: Timestamp) -> Engine {
    let request = Request::parse(&Parameters::Text(text.to_owned()), job).unwrap();
    let ours = now + skew(case);
    let continuation = Continuation::begin(job, ours, request.timeout);
    let end = ours + life(case);
    Engine::new(request, continuation, ours, end, str::to_owned)
}

/// What others do, the last first.
fn edits(case: &Case) -> Vec<Edit> {
    let mut edits = case.given.edits.clone();
    edits.sort_by(|one, other| other.at.total_cmp(&one.at));
    edits
}

/// How long one invocation lasts.
fn life(case: &Case) -> SignedDuration {
    seconds(case.given.life.unwrap_or(LIFE))
}

/// How far our clock is ahead of the cluster's.
fn skew(case: &Case) -> SignedDuration {
    seconds(case.given.ahead)
}
