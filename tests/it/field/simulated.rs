//! A case in simulated time: the engine against the sandbox's world, and the real report of it.
//!
//! What is refused on the way is a matter of the real function, and played at the front door.

use super::case::{Case, Edit, seconds};
use super::judge::{Ending, Objects};
use crate::simulated;
use crate::stage::TOKEN;
use jiff::{SignedDuration, Timestamp};
use landfall_core::engine::{Engine, Heard, Next, Watching};
use landfall_core::outcome::{CredentialSource, ParameterPlace};
use landfall_core::report::Report;
use landfall_core::request::{Parameters, Request};
use landfall_core::state::continuation::Continuation;
use landfall_sandbox::world::{self, Reply, World};

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
    began: Timestamp,
    now: Timestamp,
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
    let report = play.run();
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
            world.apply(object, now);
        }
        let now = world.settle(now) + SignedDuration::from_mins(5);
        world.advance(now);
        given.prepare(&mut world);
        given.begin(&mut world);
        let text = given.parameters();
        let request = Request::parse(&Parameters::Text(text.clone()), JOB).unwrap();
        let mut edits = given.edits.clone();
        edits.sort_by(|one, other| other.at.total_cmp(&one.at));
        let ours = now + skew(case);
        let continuation = Continuation::begin(JOB, ours, request.timeout);
        Play {
            case,
            world,
            began: now,
            now,
            engine: Engine::new(
                request,
                continuation,
                ours,
                ours + life(case),
                str::to_owned,
            ),
            text,
            written: None,
            writes: 0,
            outage: false,
            edits,
        }
    }

    /// The time by our own clock.
    fn clock(&self) -> Timestamp {
        self.now + skew(self.case)
    }

    fn run(&mut self) -> Report {
        for _ in 0..STEPS {
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
                Next::Alarms(asked) => panic!("{asked:?}"),
                Next::Sleep(end) => self.pass(end.duration_since(self.clock())),
                Next::Done(outcome) => {
                    self.outage = outcome.is_outage();
                    let ended = self.engine.clone().ended(*outcome);
                    let source = CredentialSource::Parameter(ParameterPlace::default());
                    match ended.report(&self.text, &source, self.clock()) {
                        Report::Progress { token, .. } => self.hand_over(&token),
                        report @ (Report::Success { .. } | Report::Failure { .. }) => {
                            return report;
                        }
                    }
                }
            }
        }
        panic!("it does not end");
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
        let until = watching.until - skew(self.case);
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
        let end = self.now + time;
        while self.now < end {
            self.now = self.next_change(end);
            self.advance();
        }
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
}

/// How long one invocation lasts.
fn life(case: &Case) -> SignedDuration {
    seconds(case.given.life.unwrap_or(LIFE))
}

/// How far our clock is ahead of the cluster's.
fn skew(case: &Case) -> SignedDuration {
    seconds(case.given.ahead)
}
