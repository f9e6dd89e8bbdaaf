//! One release in the sandbox's world, call by call, with what disturbs it.

use super::setting::{self, Fate, Start};
use crate::simulated::{self, Bell};
use jiff::{SignedDuration, Timestamp};
use landfall_core::engine::Ask;
use landfall_core::engine::release::{ReleaseEngine, ReleaseNext, ReleaseOutcome, Ticket};
use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::contact::{Unreached, UnreachedCause};
use landfall_core::request::Alarms;
use landfall_core::snapshot::Response;
use landfall_core::state::continuation::Continuation;
use landfall_core::state::release::{Heading, Lock, Parent};
use landfall_sandbox::world::World;
use serde_json::{Value, json};
use std::collections::VecDeque;
use std::time::Duration;

pub const JOB: &str = "11111111-abcd-1111-abcd-000000000002";
/// The jobs of the versions that were released before.
const EARLIER_JOBS: [&str; 2] = [
    "11111111-abcd-1111-abcd-000000000000",
    "11111111-abcd-1111-abcd-000000000001",
];
pub const RIVAL_JOB: &str = "33333333-abcd-1111-abcd-000000000001";
const OTHER_JOB: &str = "22222222-abcd-1111-abcd-000000000001";

/// Steps of one simulated release before it counts as endless.
const STEPS: u32 = 40_000;

/// What happens at one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Disturbance {
    /// The call is not carried out; the client tries it again.
    NotDone,
    /// The call is carried out and its answer lost; the client tries it again.
    AnswerLost,
    /// The cluster is silent for this call: the engine is told so.
    Silent,
    /// The call is carried out, and the engine is told that there was no answer.
    DoneInSilence,
    /// The API server fails.
    ServerFails,
    /// Somebody adds a label to what the call is about, right before it.
    Touched,
    /// Somebody deletes what the call is about, right before it.
    Deleted,
    /// Somebody changes the image of a workload.
    Changed,
    /// Another execution takes the release over, whatever the lock says.
    Overtaken,
    /// The process dies before the call; Lambda repeats the event.
    DiesBefore,
    /// The process dies after the call; Lambda repeats the event.
    DiesAfter,
    /// The invocation's time is over; the next one has the token.
    HandedOver,
    /// The next invocation comes with the first token.
    Replayed,
}

use Disturbance::*;

pub const ALL: [Disturbance; 13] = [
    NotDone,
    AnswerLost,
    Silent,
    DoneInSilence,
    ServerFails,
    Touched,
    Deleted,
    Changed,
    Overtaken,
    DiesBefore,
    DiesAfter,
    HandedOver,
    Replayed,
];

#[derive(Clone)]
pub struct Play {
    pub fate: Fate,
    pub start: Start,
    pub world: World,
    pub now: Timestamp,
    engine: ReleaseEngine,
    /// The calls that are under way, in the order in which they were sent.
    sent: VecDeque<(Ticket, Ask)>,
    /// How long it is watched after it serves, and guarded by the alarm.
    bake: Option<Duration>,
    /// The alarm that guards it.
    pub bell: Bell,
    /// The tokens handed over so far.
    tokens: Vec<String>,
    /// Calls so far: the points at which something can happen.
    pub points: u32,
    pub plan: Vec<(u32, Disturbance)>,
    /// Only a failure is told: a release that fails is repeated with this.
    pub transcript: Option<Vec<String>>,
    /// What somebody else deleted or changed: plural and name.
    pub meddled: Vec<String>,
    pub overtaken: bool,
    /// Whether that was while this execution held the lock.
    pub robbed: bool,
    /// Whether the lock of the execution that took the release over was read since.
    knows_of_it: bool,
    /// What was written over the later release all the same.
    pub wrote_over: Option<String>,
}

/// What a release in the simulation does next.
enum Step {
    Goes,
    Sleeps(Timestamp),
    Ends(ReleaseOutcome),
}

impl Play {
    /// A cluster in which everything is as it should be before the release begins.
    pub fn new(start: Start, fate: Fate) -> Play {
        let now = setting::begin();
        let first = EARLIER_JOBS[0];
        let begun = Continuation::begin(first, now, setting::request(1, first).timeout);
        let mut play = Play {
            fate,
            start,
            world: setting::world(),
            now,
            engine: engine(1, first, begun, now, None),
            sent: VecDeque::new(),
            bake: None,
            bell: Bell::default(),
            tokens: Vec::new(),
            points: 0,
            plan: Vec::new(),
            transcript: None,
            meddled: Vec::new(),
            overtaken: false,
            robbed: false,
            knows_of_it: false,
            wrote_over: None,
        };
        for (version, job) in start.released().iter().zip(EARLIER_JOBS) {
            play.begin(*version, job);
            let end = play.run();
            assert!(matches!(end, ReleaseOutcome::Finished(_)), "{end:?}");
            play.pass(SignedDuration::from_mins(5));
        }
        setting::doom(&mut play.world, start, fate);
        play.pass(SignedDuration::from_mins(5));
        play.begin_own();
        play.points = 0;
        play
    }

    /// The same release, guarded, and watched for so long.
    pub fn guarded(mut self, bake: Duration) -> Play {
        self.bake = Some(bake);
        self.begin_own();
        self
    }

    fn begin_own(&mut self) {
        self.begin(self.start.asked(), JOB);
    }

    fn begin(&mut self, version: u32, job: &str) {
        self.engine = self.fresh(version, job);
        self.sent.clear();
    }

    fn fresh(&self, version: u32, job: &str) -> ReleaseEngine {
        let timeout = setting::request(version, job).timeout;
        let begun = Continuation::begin(job, self.now, timeout);
        engine(version, job, begun, self.now, self.bake)
    }

    pub fn run(&mut self) -> ReleaseOutcome {
        for _ in 0..STEPS {
            if let Some(end) = self.step() {
                return end;
            }
        }
        panic!("it does not end");
    }

    /// Runs until so many calls are made, and then no more: the process is dead for good.
    pub fn dies_at(&mut self, point: u32) {
        self.reaches(point);
    }

    /// Runs through one more call; false where there is none.
    pub fn calls(&mut self) -> bool {
        self.reaches(self.points + 1)
    }

    fn reaches(&mut self, point: u32) -> bool {
        for _ in 0..STEPS {
            if self.points >= point {
                return true;
            }
            if self.step().is_some() {
                return false;
            }
        }
        panic!("it does not end");
    }

    /// Another execution releases the third version.
    pub fn begin_rival(&mut self) {
        self.begin(3, RIVAL_JOB);
    }

    /// Runs this release, and beside it from the given call on that of another execution: how both
    /// end.
    pub fn run_beside(&mut self, point: u32) -> (ReleaseOutcome, ReleaseOutcome) {
        self.both(point, (3, RIVAL_JOB))
    }

    /// Runs this release twice at once, the second time from the given call on: how both end.
    pub fn run_twice(&mut self, point: u32) -> (ReleaseOutcome, ReleaseOutcome) {
        self.both(point, (self.start.asked(), JOB))
    }

    /// Runs this release until so many calls are made, then the same call from its beginning to its
    /// end, and then the first one on: how both end. What the first one had sent arrives late.
    pub fn run_stopped(&mut self, point: u32) -> (ReleaseOutcome, ReleaseOutcome) {
        for _ in 0..STEPS {
            if self.points >= point {
                break;
            }
            if let Some(end) = self.step() {
                let again = self.repeat();
                return (end, again);
            }
        }
        let mut first = (self.engine.clone(), std::mem::take(&mut self.sent));
        self.begin_own();
        let second = self.run();
        self.pass(SignedDuration::from_secs(5));
        std::mem::swap(&mut self.engine, &mut first.0);
        self.sent = first.1;
        (self.run(), second)
    }

    fn both(&mut self, point: u32, second: (u32, &str)) -> (ReleaseOutcome, ReleaseOutcome) {
        let mut rival = None;
        let mut ends = [None, None];
        for _ in 0..STEPS {
            if self.points >= point && rival.is_none() {
                rival = Some((self.fresh(second.0, second.1), VecDeque::new()));
            }
            let mut wakes = Vec::new();
            let mut goes = false;
            for (place, end) in ends.iter_mut().enumerate() {
                if end.is_some() || place == 1 && rival.is_none() {
                    continue;
                }
                if let Some((engine, sent)) = rival.as_mut().filter(|_| place == 1) {
                    std::mem::swap(&mut self.engine, engine);
                    std::mem::swap(&mut self.sent, sent);
                }
                match self.looks() {
                    Step::Goes => goes = true,
                    Step::Sleeps(time) => wakes.push(time),
                    Step::Ends(outcome) => *end = Some(outcome),
                }
                if let Some((engine, sent)) = rival.as_mut().filter(|_| place == 1) {
                    std::mem::swap(&mut self.engine, engine);
                    std::mem::swap(&mut self.sent, sent);
                }
            }
            // The first may be over before the second one begins.
            let point_comes = rival.is_none() && ends[0].is_some();
            self.points += if point_comes { point } else { 0 };
            if let [Some(one), Some(other)] = &ends {
                return (one.clone(), other.clone());
            }
            if let Some(wake) = wakes.into_iter().min().filter(|_| !goes) {
                self.pass(wake.duration_since(self.now));
            }
        }
        panic!("they do not end");
    }

    /// One step, without sleeping.
    fn looks(&mut self) -> Step {
        match self.engine.next(self.now) {
            ReleaseNext::Ask(asks) => self.sent.extend(asks),
            ReleaseNext::Alarms(_) => {
                let alarms = self.bell.tell(self.now);
                self.note(|| format!("alarms {alarms:?}"));
                self.engine.alarmed(alarms, self.now);
            }
            ReleaseNext::Sleep(end) => return Step::Sleeps(end),
            ReleaseNext::Done(outcome) => {
                self.note(|| format!("{outcome:?}"));
                return Step::Ends(*outcome);
            }
            ReleaseNext::Await => {
                let (ticket, ask) = self.sent.pop_front().expect("it waits for an answer");
                self.answer(ticket, &ask);
            }
        }
        Step::Goes
    }

    /// The same event once more, undisturbed.
    pub fn repeat(&mut self) -> ReleaseOutcome {
        self.plan.clear();
        self.begin_own();
        self.run()
    }

    fn step(&mut self) -> Option<ReleaseOutcome> {
        match self.looks() {
            Step::Goes => None,
            Step::Sleeps(end) => {
                self.pass(end.duration_since(self.now));
                None
            }
            Step::Ends(outcome) => Some(outcome),
        }
    }

    fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(transcript) = &mut self.transcript {
            transcript.push(format!("{} {}", self.now, line()));
        }
    }

    /// One call, with whatever is planned for it.
    fn answer(&mut self, ticket: Ticket, ask: &Ask) {
        self.points += 1;
        let points = self.points;
        let planned = self.plan.iter().find(|(at, _)| *at == points);
        let planned = planned.map(|(_, disturbance)| *disturbance);
        let call = &ask.call;
        self.note(|| {
            let query = call.query.iter().any(|(key, _)| *key == "dryRun");
            let tried = if query { " (dry run)" } else { "" };
            let planned = planned.map(|it| format!("      {it:?}"));
            let planned = planned.unwrap_or_default();
            format!(
                "{points} {} {}{tried}{planned}",
                call.verb.method(),
                call.path
            )
        });
        let result = match planned {
            None => self.perform(ask),
            Some(NotDone) => {
                self.pass(SignedDuration::from_millis(200));
                self.perform(ask)
            }
            Some(AnswerLost) => {
                drop(self.perform(ask));
                self.pass(SignedDuration::from_millis(200));
                self.perform(ask)
            }
            Some(Silent) => Err(silence(UnreachedCause::Silent)),
            Some(DoneInSilence) => {
                drop(self.perform(ask));
                Err(silence(UnreachedCause::TooSlow))
            }
            Some(ServerFails) => simulated::refused(500, "InternalError", "etcdserver: timeout"),
            Some(Touched) => {
                self.touch(ask);
                self.perform(ask)
            }
            Some(Deleted) => {
                self.delete(ask);
                self.perform(ask)
            }
            Some(Changed) => {
                self.change();
                self.perform(ask)
            }
            Some(Overtaken) => {
                self.overtake();
                self.perform(ask)
            }
            Some(DiesBefore) => return self.restart(),
            Some(DiesAfter) => {
                drop(self.perform(ask));
                return self.restart();
            }
            Some(HandedOver) => return self.hand_over(),
            Some(Replayed) => return self.replay(),
        };
        self.engine.answered(ticket, result, self.now);
    }

    fn perform(&mut self, ask: &Ask) -> Result<Response, CallError> {
        self.pass(SignedDuration::from_millis(5));
        self.watch_over_the_later_one(ask);
        let reply = self.world.answer(&simulated::request(&ask.call), self.now);
        let result = simulated::read(&ask.reading, reply);
        if let Err(error) = &result {
            self.note(|| format!("      {error:?}"));
        }
        result
    }

    /// Notes a write to an object of the release by one who has read that it is another's now.
    fn watch_over_the_later_one(&mut self, ask: &Ask) {
        let writes = ask.call.changes();
        if self.knows_of_it && writes && self.about(ask).is_some() && self.wrote_over.is_none() {
            self.wrote_over = Some(ask.call.path.to_string());
        }
        let is_parent = ask
            .call
            .path
            .to_string()
            .ends_with("/secrets/landfall.shop");
        if self.overtaken && is_parent {
            // Once its lock has expired, the release is anybody's again.
            let lock = self.parent().and_then(|parent| parent.lock);
            let lock = lock.filter(|lock| lock.job == OTHER_JOB);
            self.knows_of_it = lock.is_some_and(|lock| self.now < lock.expires());
        }
    }

    pub fn pass(&mut self, time: SignedDuration) {
        simulated::pass(&mut self.world, &mut self.now, time);
    }

    /// Lambda repeats the event a minute later, to a process that knows nothing.
    fn restart(&mut self) {
        self.pass(SignedDuration::from_mins(1));
        self.begin_own();
    }

    fn hand_over(&mut self) {
        let token = self.engine.continuation.encode("request");
        self.tokens.push(token.clone());
        self.resume(&token);
    }

    /// The oldest token comes again.
    fn replay(&mut self) {
        let token = self.engine.continuation.encode("request");
        let token = self.tokens.first().cloned().unwrap_or(token);
        self.resume(&token);
    }

    fn resume(&mut self, token: &str) {
        self.pass(SignedDuration::from_secs(20));
        let continuation = Continuation::decode(token, "request").unwrap();
        let version = self.start.asked();
        self.engine = engine(version, JOB, continuation, self.now, self.bake);
        self.sent.clear();
    }

    pub fn object(&self, plural: &str, name: &str) -> Option<Value> {
        self.world.object(plural, "default", name).cloned()
    }

    /// Plural and name of what a call is about, if it is an object of the release.
    fn about(&self, ask: &Ask) -> Option<(&'static str, &'static str)> {
        let path = ask.call.path.to_string();
        let mut all = setting::OBJECTS.into_iter();
        all.find(|(plural, name)| path.ends_with(&format!("/{plural}/{name}")))
    }

    fn touch(&mut self, ask: &Ask) {
        let Some((plural, name)) = self.about(ask) else {
            return;
        };
        if let Some(mut object) = self.object(plural, name) {
            object["metadata"]["labels"]["seen"] = json!(self.now.as_millisecond().to_string());
            self.world.apply(object, self.now);
        }
    }

    fn delete(&mut self, ask: &Ask) {
        if let Some((plural, name)) = self.about(ask)
            && self.world.delete(plural, "default", name, self.now)
        {
            self.meddled.push(format!("{plural}/{name}"));
        }
    }

    fn change(&mut self) {
        if let Some(mut web) = self.object("deployments", "web") {
            web["spec"]["template"]["spec"]["containers"][0]["image"] = json!("theirs:1");
            self.world.apply(web, self.now);
            self.meddled.push("deployments/web".to_owned());
        }
    }

    /// The parent as another execution leaves it when it takes the release over.
    fn overtake(&mut self) {
        let Some(live) = self.object("secrets", "landfall.shop") else {
            return;
        };
        let mut parent = Parent::read(&live).unwrap();
        self.robbed |= parent.lock.as_ref().is_some_and(|lock| lock.job == JOB);
        parent.lock = Some(Lock {
            execution: "another".to_owned(),
            job: OTHER_JOB.to_owned(),
            since: self.now,
            until: self.now + SignedDuration::from_mins(10),
        });
        self.world.apply(parent.replacement(&live), self.now);
        self.overtaken = true;
    }

    /// The parent in the cluster.
    pub fn parent(&self) -> Option<Parent> {
        let live = self.object("secrets", "landfall.shop")?;
        Some(Parent::read(&live).unwrap())
    }

    /// How many revisions have a record.
    pub fn revisions(&self) -> usize {
        let secrets = self.world.objects("secrets").into_iter();
        secrets.filter_map(Heading::read).count()
    }

    /// The newest record in the cluster.
    pub fn newest(&self) -> Option<Heading> {
        let secrets = self.world.objects("secrets").into_iter();
        secrets
            .filter_map(Heading::read)
            .max_by_key(|it| it.revision)
    }

    /// The resource versions of everything that the release has or had, in one text.
    pub fn state(&self) -> String {
        let versions = setting::OBJECTS
            .iter()
            .chain(&[("secrets", "landfall.shop")]);
        let version = |(plural, name): &(&str, &str)| {
            let object = self.object(plural, name);
            let spec = object.map(|it| json!([it["metadata"]["uid"], it["spec"], it["data"]]));
            format!("{plural}/{name} {}\n", spec.unwrap_or_default())
        };
        versions.map(version).collect()
    }
}

fn engine(
    version: u32,
    job: &str,
    continuation: Continuation,
    now: Timestamp,
    bake: Option<Duration>,
) -> ReleaseEngine {
    let until = now + SignedDuration::from_hours(24);
    let mut request = setting::request(version, job);
    if let Some(bake) = bake {
        request.bake = bake;
        request.alarms = Some(Alarms {
            names: vec!["5xx".to_owned()],
            ignores_ringing: false,
        });
    }
    ReleaseEngine::new(request, continuation, now, until, str::to_owned)
}

fn silence(cause: UnreachedCause) -> CallError {
    CallError::Unreachable(Box::new(Unreached::new(cause, "cluster:443".to_owned())))
}
