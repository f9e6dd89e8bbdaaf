//! The engine's calls against the sandbox's world, without a socket: requests as the world takes
//! them, replies as the function reads them.

use crate::stage::TOKEN;
use jiff::{SignedDuration, Timestamp};
use landfall_core::alarm::{Alarm, AlarmState, AlarmsError};
use landfall_core::engine::{Ask, Engine, Heard, Watching};
use landfall_core::kubernetes::call::{Call, Verb};
use landfall_core::kubernetes::pod::{self, Pods};
use landfall_core::kubernetes::service::ServicePod;
use landfall_core::kubernetes::{CallError, Refusal};
use landfall_core::request::Request;
use landfall_core::snapshot::{Reading, Response};
use landfall_core::state::continuation::Continuation;
use landfall_core::workload::health::steadiness;
use landfall_core::workload::replica_set::ReplicaSet;
use landfall_sandbox::world::{self, Body, Reply, World};
use serde_json::{Value, json};
use std::panic::resume_unwind;
use std::sync::{Arc, Mutex, PoisonError};

/// A call as a request of HTTP.
pub fn request(call: &Call) -> world::Request {
    let mut path = call.path.to_string();
    if !call.query.is_empty() {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        path = format!("{path}?{}", query.extend_pairs(&call.query).finish());
    }
    let body = call
        .body
        .as_ref()
        .map(|body| serde_json::to_vec(body).unwrap());
    world::Request {
        method: call.verb.method().to_owned(),
        path,
        content_type: call.verb.content_type().map(str::to_owned),
        authorization: Some(format!("Bearer {TOKEN}")),
        certificate: None,
        user_agent: None,
        body: body.unwrap_or_default(),
    }
}

/// Lets time pass in a world, from change to change.
pub fn pass(world: &mut World, now: &mut Timestamp, time: SignedDuration) {
    let end = *now + time;
    while let Some(next) = world.next_change().filter(|next| *next < end) {
        *now = next.max(*now + SignedDuration::from_nanos(1));
        world.advance(*now);
    }
    *now = end;
    world.advance(*now);
}

/// A refusal with a `Status`.
pub fn refused(code: u16, reason: &str, message: &str) -> Result<Response, CallError> {
    let status = json!({"kind": "Status", "reason": reason, "message": message});
    let body = serde_json::to_vec(&status).unwrap();
    let refusal = Refusal::read(code, &body, str::to_owned);
    Err(CallError::Refused(refusal))
}

/// A reply, read as it was asked to be.
pub fn read(reading: &Reading, reply: Reply) -> Result<Response, CallError> {
    let Reply::Answer(answer) = reply else {
        panic!("{reply:?}");
    };
    let (code, object, text) = match answer.body {
        Body::Json(object) => (answer.status, object, None),
        Body::Text(text) => (answer.status, Value::Null, Some(text)),
        other => panic!("{other:?}"),
    };
    let whole = || text.clone().unwrap_or_else(|| object.to_string());
    if !(200..300).contains(&code) {
        let refusal = Refusal::read(code, whole().as_bytes(), str::to_owned);
        return Err(CallError::Refused(refusal));
    }
    Ok(match reading {
        Reading::Object | Reading::Whole => Response::Object(object.into()),
        Reading::List => Response::List(items(object)),
        Reading::ReplicaSets => {
            Response::ReplicaSets(items(object).iter().map(ReplicaSet::read).collect())
        }
        Reading::ServicePods => {
            Response::ServicePods(items(object).iter().map(ServicePod::read).collect())
        }
        Reading::Pods(set) => {
            let (pods, _) = Pods::read(whole().as_bytes(), set).unwrap();
            Response::Pods(Box::new(pods))
        }
        Reading::Roster(set) => {
            let pods = items(object).into_iter();
            Response::Roster(pods.filter_map(|it| steadiness::pod(&it, set)).collect())
        }
        Reading::Events => Response::Events(pod::events(whole().as_bytes()).unwrap()),
        Reading::Text => Response::Text(whole()),
    })
}

/// What was read of a world, until the resource changes. Most of a wait is the same reads once a
/// second, and most of a simulation is waits.
#[derive(Clone, Default)]
pub struct Reads(Vec<Arc<Read>>);

struct Read {
    call: Call,
    reading: Reading,
    /// The state of the resource.
    state: u64,
    answer: Result<Response, CallError>,
}

impl Reads {
    /// Sends a call, or answers it as the world did when the resource was as it is now.
    pub fn answer(
        &mut self,
        world: &mut World,
        ask: &Ask,
        now: Timestamp,
    ) -> Result<Response, CallError> {
        let Ask { call, reading, .. } = ask;
        // What an application says, and a log, change while no object does.
        let is_kept = matches!(call.verb, Verb::Get | Verb::List) && *reading != Reading::Text;
        if !is_kept {
            return read(reading, world.answer(&request(call), now));
        }
        world.advance(now);
        let state = state(world, call);
        let mut known = self.0.iter();
        let place = known.position(|known| known.call == *call && known.reading == *reading);
        if let Some(known) = place.map(|place| &self.0[place])
            && known.state == state
        {
            return known.answer.clone();
        }
        if let Some(place) = place {
            self.0.swap_remove(place);
        }
        let answer = read(reading, world.answer(&request(call), now));
        self.0.push(Arc::new(Read {
            call: call.clone(),
            reading: reading.clone(),
            state,
            answer: answer.clone(),
        }));
        answer
    }
}

/// The state of the resource that a call reads: the version of its last change. The world names
/// resources of its own by their plural alone.
pub fn state(world: &World, call: &Call) -> u64 {
    let whole = &*call.resource;
    let plural = whole.split_once('.').map_or(whole, |(plural, _)| plural);
    let names = [plural, whole].into_iter();
    names.map(|name| world.last_change(name)).max().unwrap_or(0)
}

fn items(mut list: Value) -> Vec<Value> {
    match list["items"].take() {
        Value::Array(items) => items,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            Vec::new()
        }
    }
}

/// An invocation that lasts as long as it takes; where it ends is a disturbance.
pub fn engine(continuation: Continuation, request: Request, now: Timestamp) -> Engine {
    let end = now + SignedDuration::from_hours(24);
    Engine::new(request, continuation, now, end, str::to_owned)
}

/// What a watch tells once the workload is another one than the engine has seen.
pub fn heard(world: &World, engine: &Engine, watching: &Watching) -> Option<Heard> {
    let seen = engine.snapshot.seen_deployment(&watching.name);
    let plural = watching.call.resource.split('.').next().unwrap_or_default();
    let found = world.object(plural, "default", &watching.name);
    let version = found.and_then(|found| found["metadata"]["resourceVersion"].as_str());
    if version == seen.map(|seen| seen.resource_version()) {
        return None;
    }
    Some(match found {
        Some(found) => Heard::Now(found.clone()),
        None => Heard::Deleted,
    })
}

/// What is played, right before each of its calls: what comes before a call is the same whatever
/// comes then. `next` plays through the next call; false where there is none.
pub fn before_each_call<T: Clone + Send>(
    fresh: T,
    next: impl Fn(&mut T) -> bool + Send,
) -> impl Iterator<Item = T> + Send {
    let mut at = Some(fresh);
    std::iter::from_fn(move || {
        let here = at.take()?;
        let mut on = here.clone();
        next(&mut on).then(|| {
            at = Some(on);
            here
        })
    })
}

/// Does some work for each item, on all cores.
///
/// Only one simulation at a time is at work: beside several of them, stories that are timed would
/// have to wait for a core.
pub fn for_each<T: Send>(
    items: impl IntoIterator<Item = T, IntoIter: Send>,
    work: impl Fn(T) + Sync,
) {
    static ALL_CORES: Mutex<()> = Mutex::new(());
    // One that failed leaves it poisoned, which is none of the next one's business.
    let _turn = ALL_CORES.lock().unwrap_or_else(PoisonError::into_inner);
    let items = Mutex::new(items.into_iter());
    let worker = || {
        loop {
            let item = items.lock().unwrap().next();
            match item {
                Some(item) => work(item),
                None => return,
            }
        }
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        let workers = (0..cores).map(|_| scope.spawn(worker)).collect::<Vec<_>>();
        for worker in workers {
            if let Err(panic) = worker.join() {
                resume_unwind(panic);
            }
        }
    });
}

/// The alarm `5xx`, which guards a simulated deploy.
#[derive(Clone, Debug, Default)]
pub struct Bell {
    /// Since when it rings.
    pub rang: Option<Timestamp>,
    /// Since when it is silent again.
    pub silent: Option<Timestamp>,
    /// Whether CloudWatch throttles, or does not answer.
    pub fails: Option<AlarmsError>,
    /// When it was read last.
    pub read: Option<Timestamp>,
}

impl Bell {
    /// The alarm as CloudWatch tells it.
    pub fn tell(&mut self, now: Timestamp) -> Result<Vec<Alarm>, AlarmsError> {
        if let Some(error) = &self.fails {
            return Err(error.clone());
        }
        self.read = Some(now);
        let rings = self.rang.is_some() && self.silent.is_none();
        Ok(vec![Alarm {
            name: "5xx".into(),
            state: match rings {
                true => AlarmState::Ringing,
                false => AlarmState::Ok,
            },
            transitioned: self.silent.or(self.rang),
            reason: "Threshold Crossed: 1 datapoint [7.0] was greater than the threshold".into(),
            arn: Some("arn:aws:cloudwatch:eu-central-1:111122223333:alarm:5xx".into()),
            window: None,
        }])
    }
}
