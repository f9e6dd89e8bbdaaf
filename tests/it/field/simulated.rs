//! A case in simulated time: the pure core against the sandbox's world, and the real report of it.
//!
//! What is refused on the way is a matter of the real function, and played at the front door.

use super::case::{Case, Edit, seconds};
use super::judge::{Ending, Objects};
use crate::stage::TOKEN;
use jiff::{SignedDuration, Timestamp};
use landfall_core::change::editor::Editor;
use landfall_core::kubernetes::call::Call;
use landfall_core::kubernetes::object::{Deployment, ReplicaSet};
use landfall_core::kubernetes::pod::{self, Pods};
use landfall_core::report::{self, Report};
use landfall_core::request::Parameters;
use landfall_core::request::Request;
use landfall_core::state::continuation::Continuation;
use landfall_core::strategy::scene::{Answer, Shape, Sought};
use landfall_core::strategy::{self, Action, Decision, DryRun, Look, Observation, Wait};
use landfall_core::workload::health::diagnosis::{self, Explanation, Sight};
use landfall_core::workload::health::steadiness::{self, Roster};
use landfall_sandbox::world::{self, Body, Reply, World};
use serde_json::Value;

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
    /// When this invocation is over.
    until: Timestamp,
    request: Request,
    text: String,
    continuation: Continuation,
    observation: Observation,
    waiting: Option<Wait>,
    just_written: bool,
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
            kind,
            topic,
            message,
        } => (
            kind.name().to_owned(),
            message,
            Some(topic.anchor().to_owned()),
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
        Play {
            case,
            world,
            began: now,
            now,
            until: now,
            continuation: Continuation::begin(JOB, now, request.timeout),
            request,
            text,
            observation: Observation::default(),
            waiting: None,
            just_written: false,
            written: None,
            writes: 0,
            outage: false,
            edits,
        }
    }

    fn run(&mut self) -> Report {
        self.invoke();
        for _ in 0..STEPS {
            if let Some(report) = self.step() {
                return report;
            }
            if self.now >= self.until {
                self.hand_over();
            }
        }
        panic!("it does not end");
    }

    fn invoke(&mut self) {
        self.until = self.now + seconds(self.case.given.life.unwrap_or(LIFE));
        self.observation = Observation::default();
    }

    /// The next invocation goes on, with the real token.
    fn hand_over(&mut self) {
        let waiting = self.waiting.take();
        let report = report::handed_over(&self.continuation, &self.text, waiting.as_ref());
        let Report::Progress { token, .. } = report else {
            panic!("no token: {report:?}");
        };
        self.pass(SignedDuration::from_secs(2));
        self.continuation = Continuation::decode(&token, &self.text).unwrap();
        self.invoke();
    }

    fn step(&mut self) -> Option<Report> {
        let (request, continuation) = (&self.request, &self.continuation);
        match strategy::decide(request, continuation, &self.observation, self.now) {
            Decision::Look(look) => self.look(&look),
            Decision::Act(action) => self.act(&action),
            Decision::Enter(phase) => drop(self.continuation.enter(phase)),
            Decision::Remember(sights) => self.continuation.sights = sights,
            Decision::Steady(steady) => self.continuation.steady = Some(steady),
            Decision::Wait(wait) => self.wait(wait),
            Decision::Finish(success) => {
                let (request, continuation) = (&self.request, &self.continuation);
                return Some(report::success(request, continuation, &success, self.now));
            }
            Decision::GiveUp(failure) => {
                self.outage = failure.is_outage();
                return Some(report::failure(&self.request, &failure));
            }
        }
        None
    }

    fn look(&mut self, look: &Look) {
        let call = look.call(&self.request);
        let (code, mut object) = self.perform(&call);
        // These are read from the text of the answer.
        let whole = matches!(look, Look::Pods { .. } | Look::Events { .. });
        let items = object.get_mut("items").filter(|_| !whole).map(Value::take);
        let items = match items {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        match look {
            Look::Deployment | Look::Newcomer { .. } => {
                let found = (code == 200).then(|| Deployment::new(object));
                self.observation.renew(Some(found));
            }
            Look::Scene(sought) => {
                let answer = scene(sought, code, object, items);
                self.observation.scene.take(sought, answer);
            }
            Look::ReplicaSets { .. } => {
                self.observation.replica_sets = Some(items.iter().map(ReplicaSet::read).collect());
            }
            Look::Autoscalers => self.observation.autoscaled = Some(!items.is_empty()),
            Look::Pods { set, .. } => {
                let (pods, _) = Pods::read(object.to_string().as_bytes(), set).unwrap();
                let mut sets = self.observation.replica_sets.iter().flatten();
                let set = sets.find(|found| found.name == *set).cloned();
                self.observation.sight = Some(Sight {
                    at: self.now,
                    set: set.unwrap_or_default(),
                    pods: Ok(pods),
                });
                self.observation.explanation = Explanation::default();
            }
            Look::Roster { set, .. } => {
                let pods = items.iter().filter_map(|pod| steadiness::pod(pod, set));
                let pods = steadiness::summed(pods);
                self.observation.roster = Some(Roster { at: self.now, pods });
            }
            Look::DryRun(_) => match code {
                200..300 => {
                    let after = Deployment::new(object);
                    self.observation.dry_run = Some(DryRun::Would(after));
                }
                code => panic!("{}: {code} {object}", call.path),
            },
            Look::Editor { steps } => {
                self.observation.editor = Some(Editor::of(&object, steps));
            }
            Look::Events { .. } => {
                let events = pod::events(object.to_string().as_bytes()).unwrap();
                self.observation.explanation.events = Some(Ok(events));
            }
            Look::Log { .. } => {
                let log = match code {
                    200 => Ok(diagnosis::log_lines(object.as_str().unwrap())),
                    _ => Err(object.to_string()),
                };
                self.observation.explanation.log = Some(log);
            }
            Look::Previous { .. } => {
                let template = (code == 200).then(|| object["spec"]["template"].clone());
                self.observation.previous_template = Some(Ok(template));
            }
        }
    }

    fn act(&mut self, action: &Action) {
        let call = action.call(&self.request);
        let (code, object) = self.perform(&call);
        match code {
            200..300 => {
                self.written.get_or_insert(self.now);
                self.writes += 1;
                let after = Deployment::new(object);
                let (request, observation) = (&self.request, &self.observation);
                let phase = strategy::acted(request, observation, action, &after, self.now);
                self.continuation.enter(phase);
                let before = std::mem::take(&mut self.observation);
                self.observation = strategy::seen_after(before, action, after);
                self.just_written = true;
            }
            404 | 409 => {
                self.pass(SignedDuration::from_millis(50));
                self.observation = Observation::default();
            }
            code => panic!("{} {}: {code} {object}", call.verb.method(), call.path),
        }
    }

    /// Waits as a watch does, or for the time alone.
    fn wait(&mut self, wait: Wait) {
        let end = self.until.min(self.now + wait.at_most);
        let watched = wait.stage.watched(&self.request).map(str::to_owned);
        self.waiting = Some(wait);
        let Some(name) = watched else {
            self.pass(end.duration_since(self.now));
            self.observation.renew(None);
            return;
        };
        if std::mem::take(&mut self.just_written) {
            self.pass(SignedDuration::from_millis(1));
            self.observation.renew(None);
            return;
        }
        let seen = self
            .observation
            .deployment
            .as_ref()
            .and_then(Option::as_ref);
        let seen = seen.map(|seen| seen.resource_version().to_owned());
        while self.now < end {
            self.now = self.next_change(end);
            self.advance();
            let found = self.world.deployment("default", &name);
            let version = found.and_then(|found| found["metadata"]["resourceVersion"].as_str());
            if version != seen.as_deref() {
                let found = found.cloned().map(Deployment::new);
                self.observation.renew(Some(found));
                return;
            }
        }
        self.observation.renew(None);
    }

    fn perform(&mut self, call: &Call) -> (u16, Value) {
        let mut path = call.path.to_string();
        if !call.query.is_empty() {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            path = format!("{path}?{}", query.extend_pairs(&call.query).finish());
        }
        let body = call.body.as_ref().map(|body| body.to_string().into_bytes());
        let kind = call.verb.content_type().map(str::to_owned);
        self.pass(CALL);
        self.request(call.verb.method(), path, kind, body.unwrap_or_default())
    }

    fn request(
        &mut self,
        method: &str,
        path: String,
        content_type: Option<String>,
        body: Vec<u8>,
    ) -> (u16, Value) {
        let request = world::Request {
            method: method.to_owned(),
            path,
            content_type,
            authorization: Some(format!("Bearer {TOKEN}")),
            user_agent: None,
            body,
        };
        match self.world.answer(&request, self.now) {
            Reply::Answer(answer) => match answer.body {
                Body::Json(body) => (answer.status, body),
                Body::Text(text) => (answer.status, Value::String(text)),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
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
            let body = deed.body.to_string().into_bytes();
            let kind = Some(deed.content_type.to_owned());
            let (code, object) = self.request(deed.method, deed.path, kind, body);
            assert!((200..300).contains(&code), "{edit:?}: {object}");
        }
    }
}

fn scene(sought: &Sought, code: u16, object: Value, items: Vec<Value>) -> Answer {
    match sought.shape() {
        Shape::One => Answer::One((code != 404).then_some(object)),
        Shape::List => Answer::List(items),
        Shape::Text => Answer::Text(match code {
            200..300 => Ok(object.as_str().unwrap_or_default().to_owned()),
            _ => Err(format!("HTTP {code}")),
        }),
    }
}
