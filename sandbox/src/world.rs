//! One Kubernetes cluster as a value: objects, controllers, pods and faults.
//!
//! Nothing here reads a clock, opens a socket or rolls dice: time comes in, and the same calls
//! give the same cluster. [`World::answer`] is the API server, [`World::advance`] is everything
//! that happens by itself.
//!
//! In reading order: `api` (a request's way in), `route`, `status` (what a refusal says), `verbs`,
//! `patch`, `schema`, `defaults`, `validation`, `selector`; then what lives by itself: `store`,
//! `deployment`, `replicaset`, `pod`, `endpoints`, `proxy`, `events`; `token`; and
//! `fault` and `sample` for tests.

mod api;
mod defaults;
mod deployment;
mod endpoints;
mod events;
mod fault;
mod mutation;
mod object;
mod patch;
mod pod;
mod proxy;
mod refusal;
mod replicaset;
mod route;
mod sample;
mod schema;
mod script;
mod selector;
mod status;
mod store;
mod token;
mod validation;
mod verbs;
mod warning;

#[cfg(test)]
mod tests;

use jiff::{SignedDuration, Timestamp};
use object::{integer, text};
use route::Kind;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Key, Store};

pub use fault::{Fault, On};
pub use mutation::Mutation;
pub use pod::Behaviour;
pub use refusal::Refusal;
pub use sample::{sample_autoscaler, sample_deployment, sample_service};
pub use script::{Barred, Script};

/// Steps that one call of [`World::advance`] takes at most: a world that never rests must not hang
/// its caller.
const STEPS_PER_ADVANCE: u32 = 100_000;
/// How far [`World::settle`] looks ahead: beyond the default progress deadline, short enough that
/// a crash loop does not go on for ever.
const SETTLE_LIMIT: SignedDuration = SignedDuration::from_mins(30);
/// Requests that are remembered.
const SEEN_LIMIT: usize = 10_000;

/// One Kubernetes cluster: objects, controllers, faults. Time comes in.
#[derive(Clone)]
pub struct World {
    token: String,
    issued: Vec<token::Issued>,
    longest_token: Option<i64>,
    user: String,
    clock: Timestamp,
    timing: Timing,
    store: Store,
    /// What will happen by itself, and when.
    due: BTreeMap<Task, Timestamp>,
    /// Until when a controller has not seen the newest spec.
    unseen: BTreeMap<Key, Timestamp>,
    lives: BTreeMap<Key, pod::Life>,
    behaviours: Vec<(String, Behaviour)>,
    default_behaviour: Behaviour,
    /// Pods of scripts so far, and since when their creation is refused.
    scripted: usize,
    barred_since: Option<Timestamp>,
    answers: Vec<proxy::Says>,
    faults: Vec<fault::Planned>,
    forbidden: BTreeSet<(String, String)>,
    refusals: Vec<Refusal>,
    mutations: Vec<Mutation>,
    seen: Vec<Seen>,
    seen_limit: usize,
}

/// How long things take in this world.
#[derive(Clone, Debug)]
pub struct Timing {
    /// From a spec's change to the Deployment controller's seeing it.
    pub observe: SignedDuration,
    /// One step of any controller.
    pub step: SignedDuration,
    /// From a pod's scheduling to its container's first sign of life, unless the behaviour says.
    pub start: SignedDuration,
    /// From a pod's deletion to its end.
    pub termination: SignedDuration,
    /// From a change of a Service or its pods to its EndpointSlice's.
    pub endpoints: SignedDuration,
    /// The first back-off of a crash loop, a failed pull or a failed creation; it doubles.
    pub back_off: SignedDuration,
    /// The longest back-off.
    pub back_off_limit: SignedDuration,
}

impl Default for Timing {
    fn default() -> Timing {
        Timing {
            observe: SignedDuration::from_millis(30),
            step: SignedDuration::from_millis(20),
            start: SignedDuration::from_millis(100),
            termination: SignedDuration::from_millis(100),
            endpoints: SignedDuration::from_millis(20),
            back_off: SignedDuration::from_secs(10),
            back_off_limit: SignedDuration::from_secs(300),
        }
    }
}

/// Something that happens by itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Task {
    Deployment(Key),
    ReplicaSet(Key),
    Pod(Key),
    Removal(Key),
    Service(Key),
}

/// One HTTP request to the API server.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// `GET`, `POST`, `PUT`, `PATCH` or `DELETE`.
    pub method: String,
    /// Path with query, as on the request line.
    pub path: String,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The `Authorization` header; looked at, never kept.
    pub authorization: Option<String>,
    /// The `User-Agent` header; names the field manager.
    pub user_agent: Option<String>,
    /// The body as it came.
    pub body: Vec<u8>,
}

/// One HTTP response.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Headers beside the content type, which the body gives.
    pub headers: Vec<(String, String)>,
    /// What is said.
    pub body: Body,
}

/// The body of an [`Answer`].
#[derive(Clone, Debug, PartialEq)]
pub enum Body {
    /// An object, a list or a Status.
    Json(Value),
    /// Logs, health checks, and what proxies and priority-and-fairness say.
    Text(String),
    /// A proxy's page.
    Html(String),
    /// A body that never ends (a fault).
    Endless,
}

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A response.
    Answer(Answer),
    /// A stream of changes: first `initial`, then what [`World::watch`] gives.
    Watch(Watch),
    /// Never an answer; the connection stays open.
    Stall,
    /// The connection is closed without an answer. The write may have been done.
    Cut,
}

/// A watch that was let in.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// `deployments`, `pods`, …
    pub resource: String,
    /// None: all namespaces.
    pub namespace: Option<String>,
    /// The name that the field selector asks for.
    pub name: Option<String>,
    /// The label selector as it was asked.
    pub label_selector: Option<String>,
    /// Where the log of changes is to be read from; the `after` of the first [`World::watch`].
    pub since: u64,
    /// After how many seconds the server ends the stream.
    pub timeout_seconds: Option<u64>,
    /// Whether the client takes bookmarks.
    pub bookmarks: bool,
    /// Events to send first: synthetic ADDED ones, or an ERROR.
    pub initial: Vec<Value>,
    /// The stream ends after `initial` (a fault).
    pub ends: bool,
}

/// The log of changes does not reach back that far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// One request that was answered; never its credentials.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The body, where it was JSON.
    pub body: Option<Value>,
    /// Whether the right token came with it.
    pub authorized: bool,
    /// The HTTP status answered; 0 where none was.
    pub status: u16,
    /// When.
    pub time: Timestamp,
}

impl World {
    /// An empty cluster; requests with another bearer token are refused with 401.
    pub fn new(token: impl Into<String>) -> World {
        World {
            token: token.into(),
            issued: Vec::new(),
            longest_token: None,
            user: "system:serviceaccount:default:landfall".to_owned(),
            clock: Timestamp::UNIX_EPOCH,
            timing: Timing::default(),
            store: Store::default(),
            due: BTreeMap::new(),
            unseen: BTreeMap::new(),
            lives: BTreeMap::new(),
            behaviours: Vec::new(),
            default_behaviour: Behaviour::default(),
            scripted: 0,
            barred_since: None,
            answers: Vec::new(),
            faults: Vec::new(),
            forbidden: BTreeSet::new(),
            refusals: Vec::new(),
            mutations: Vec::new(),
            seen: Vec::new(),
            seen_limit: SEEN_LIMIT,
        }
    }

    /// Answers one request, after everything due until `now` has happened.
    pub fn answer(&mut self, request: &Request, now: Timestamp) -> Reply {
        self.advance(now);
        let authorized = self.authorized(request);
        let reply = self.reply(request, authorized);
        if self.seen.len() < self.seen_limit {
            self.seen.push(Seen {
                method: request.method.clone(),
                path: request.path.clone(),
                content_type: request.content_type.clone(),
                body: serde_json::from_slice(&request.body).ok(),
                authorized,
                status: reply.status(),
                time: self.clock,
            });
        }
        // What takes no time is done before anyone asks for it.
        self.advance(now);
        reply
    }

    /// Controllers and pods live up to `now`. Time never runs backwards.
    pub fn advance(&mut self, now: Timestamp) {
        for _ in 0..STEPS_PER_ADVANCE {
            let Some((task, at)) = self.next_task().filter(|(_, at)| *at <= now) else {
                break;
            };
            self.due.remove(&task);
            self.clock = self.clock.max(at);
            self.run(task);
        }
        self.clock = self.clock.max(now);
    }

    /// When something will happen by itself; None: settled.
    pub fn next_change(&self) -> Option<Timestamp> {
        self.due.values().min().copied()
    }

    fn next_task(&self) -> Option<(Task, Timestamp)> {
        let next = self.due.iter().min_by_key(|(task, at)| (**at, *task))?;
        Some((next.0.clone(), *next.1))
    }

    fn run(&mut self, task: Task) {
        match task {
            Task::Deployment(key) => self.sync_deployment(&key),
            Task::ReplicaSet(key) => self.sync_replica_set(&key),
            Task::Pod(key) => self.live(&key),
            Task::Removal(key) => self.remove(&key),
            Task::Service(key) => self.sync_endpoints(&key),
        }
    }

    /// The changes after a resource version, as watch events with their versions.
    pub fn watch(&self, watch: &Watch, after: u64) -> Result<Vec<(u64, Value)>, Gone> {
        self.store.changes(watch, after)
    }

    /// The newest resource version.
    pub fn resource_version(&self) -> u64 {
        self.store.version()
    }

    /// Forgets the log of changes: every older watch and list token is expired.
    pub fn forget_history(&mut self) {
        self.store.forget();
    }

    /// Puts an object in as if it had been created or replaced, without asking for rights.
    ///
    /// # Panics
    /// Where the API server would refuse the object: a test's mistake.
    pub fn apply(&mut self, object: Value, now: Timestamp) {
        self.advance(now);
        if let Err(refusal) = self.put_in(object) {
            panic!("the object cannot be applied: {:?}", refusal.body);
        }
    }

    /// Advances until nothing more happens by itself, at most half an hour; returns the time.
    pub fn settle(&mut self, now: Timestamp) -> Timestamp {
        self.advance(now);
        let end = self.clock + SETTLE_LIMIT;
        while let Some(at) = self.next_change().filter(|at| *at <= end) {
            self.advance(at);
        }
        self.clock
    }

    /// A Deployment as it is.
    pub fn deployment(&self, namespace: &str, name: &str) -> Option<&Value> {
        self.object("deployments", namespace, name)
    }

    /// Any object as it is.
    pub fn object(&self, resource: &str, namespace: &str, name: &str) -> Option<&Value> {
        self.store
            .get(&Key::new(resource, namespace, name))
            .map(Arc::as_ref)
    }

    /// All objects of a resource (`pods`, `replicasets`, …), by namespace and name.
    pub fn objects(&self, resource: &str) -> Vec<&Value> {
        self.store
            .all(resource)
            .map(|(_, object)| object.as_ref())
            .collect()
    }

    /// Deletes an object and what it owns; false where there was none.
    pub fn delete(&mut self, resource: &str, namespace: &str, name: &str, now: Timestamp) -> bool {
        self.advance(now);
        let key = Key::new(resource, namespace, name);
        let there = self.store.get(&key).is_some();
        self.discard(&key, true);
        there
    }

    /// Sets the replica count as a HorizontalPodAutoscaler does; false where there is no such
    /// Deployment.
    pub fn scale(&mut self, namespace: &str, name: &str, replicas: i64, now: Timestamp) -> bool {
        self.advance(now);
        let key = Key::new("deployments", namespace, name);
        let Some(old) = self.store.get(&key).cloned() else {
            return false;
        };
        let mut object = Value::clone(&old);
        object["spec"]["replicas"] = replicas.into();
        self.commit(&key, Some(&old), object, "horizontal-pod-autoscaler")
            .is_ok()
    }

    /// What pods do that have a container with such an image; a later rule beats an earlier one.
    /// Pods that are not ready yet heed it at once.
    pub fn behave(&mut self, image_contains: impl Into<String>, behaviour: Behaviour) {
        self.behaviours.push((image_contains.into(), behaviour));
        self.rethink();
    }

    /// The same, and pods that are ready heed it, too: a version that falls ill while it serves.
    pub fn strike(&mut self, image_contains: impl Into<String>, behaviour: Behaviour) {
        let image = image_contains.into();
        self.behave(image.clone(), behaviour);
        let all = self.lives.keys().cloned().collect::<Vec<_>>();
        for key in all {
            let struck = self.store.get(&key).is_some_and(|pod| {
                let containers = object::list(pod, "/spec/containers");
                let mut images = containers.iter().map(|it| text(it, "/image"));
                !object::terminating(pod) && images.any(|it| it.contains(&image))
            });
            if struck {
                self.plan_step(Task::Pod(key));
            }
        }
    }

    /// What pods with such an image say to a question over the API server's proxy; a later rule
    /// beats an earlier one. All others say `200 ok`.
    pub fn say(&mut self, image_contains: impl Into<String>, status: u16, body: impl Into<String>) {
        self.answers.push(proxy::Says {
            image: image_contains.into(),
            status,
            body: body.into(),
        });
    }

    /// What all other pods do.
    pub fn default_behaviour(&mut self, behaviour: Behaviour) {
        self.default_behaviour = behaviour;
        self.rethink();
    }

    /// How long things take.
    pub fn timing(&mut self) -> &mut Timing {
        &mut self.timing
    }

    /// Plans a fault for the next requests that match.
    pub fn fault(&mut self, on: On, fault: Fault, times: u32) {
        self.faults.push(fault::Planned {
            on,
            fault,
            left: times,
        });
    }

    /// Forgets all planned faults.
    pub fn clear_faults(&mut self) {
        self.faults.clear();
    }

    /// Refuses a verb on a resource (`patch`, `deployments`; `get`, `pods/log`; `*` for any).
    pub fn forbid(&mut self, verb: impl Into<String>, resource: impl Into<String>) {
        self.forbidden.insert((verb.into(), resource.into()));
    }

    /// Takes a [`World::forbid`] back.
    pub fn grant(&mut self, verb: impl Into<String>, resource: impl Into<String>) {
        self.forbidden.remove(&(verb.into(), resource.into()));
    }

    /// Refuses requests as an admission plugin or a webhook does: after rights, before storage.
    pub fn refuse(&mut self, refusal: Refusal) {
        self.refusals.push(refusal);
    }

    /// Every request so far (the first ten thousand), without credentials.
    pub fn requests(&self) -> &[Seen] {
        &self.seen
    }

    /// Remembers no request from now on: whoever copies the world copies them, too.
    pub fn keep_no_requests(&mut self) {
        self.seen_limit = 0;
    }

    /// Another accepted token, as after a rotation by hand. What the cluster issued stays good.
    pub fn rotate_token(&mut self, token: impl Into<String>) {
        self.token = token.into();
    }

    /// Whose the tokens are, by the API server's name for them.
    pub fn sign_in(&mut self, user: impl Into<String>) {
        self.user = user.into();
    }

    /// The longest life of a token that is issued, as `--service-account-max-token-expiration`.
    pub fn shorten_tokens(&mut self, life: SignedDuration) {
        self.longest_token = Some(life.as_secs());
    }

    /// Plans a task, unless it is planned for earlier already.
    fn plan(&mut self, task: Task, at: Timestamp) {
        self.due
            .entry(task)
            .and_modify(|planned| *planned = at.min(*planned))
            .or_insert(at);
    }

    fn plan_step(&mut self, task: Task) {
        self.plan(task, self.clock + self.timing.step);
    }

    fn plan_endpoints(&mut self, service: Key) {
        self.plan(Task::Service(service), self.clock + self.timing.endpoints);
    }

    /// Stores an object and wakes whoever watches such objects. True where it differed.
    fn write(&mut self, key: &Key, object: Value) -> bool {
        let previous = self.store.get(key).cloned();
        if !self.store.put(key, object) {
            return false;
        }
        let current = self.store.get(key).cloned();
        for object in [previous.as_ref(), current.as_ref()].into_iter().flatten() {
            self.wake(key, object);
        }
        let generation = |object: &Arc<Value>| integer(object, "/metadata/generation");
        if key.resource == "deployments"
            && previous.as_ref().map(generation) != current.as_ref().map(generation)
        {
            let seen = self.clock + self.timing.observe;
            self.unseen.insert(key.clone(), seen);
            self.plan(Task::Deployment(key.clone()), seen);
        }
        true
    }

    /// Takes an object away at once.
    fn remove(&mut self, key: &Key) {
        if let Some(object) = self.store.remove(key) {
            self.wake(key, &object);
        }
        self.lives.remove(key);
        self.unseen.remove(key);
    }

    fn wake(&mut self, key: &Key, object: &Value) {
        match key.resource.as_str() {
            "deployments" => self.plan_step(Task::Deployment(key.clone())),
            "replicasets" => {
                self.plan_step(Task::ReplicaSet(key.clone()));
                if let Some(owner) = object::owner(object, "Deployment") {
                    self.plan_step(Task::Deployment(Key::new(
                        "deployments",
                        &key.namespace,
                        owner,
                    )));
                }
            }
            "pods" => {
                if let Some(owner) = object::owner(object, "ReplicaSet") {
                    let owner = Key::new("replicasets", &key.namespace, owner);
                    self.wake_recreation(&owner);
                    self.plan_step(Task::ReplicaSet(owner));
                }
                let services = self.store.keys("services", Some(&key.namespace));
                services
                    .into_iter()
                    .for_each(|service| self.plan_endpoints(service));
            }
            "services" => self.plan_endpoints(key.clone()),
            _ => {}
        }
    }

    /// Recreate waits for pods, not for ReplicaSets, so their Deployment has to hear of them.
    fn wake_recreation(&mut self, replica_set: &Key) {
        let owner = self.store.get(replica_set).and_then(|set| {
            Some(Key::new(
                "deployments",
                &replica_set.namespace,
                object::owner(set, "Deployment")?,
            ))
        });
        let Some(owner) = owner else { return };
        let recreates = self
            .store
            .get(&owner)
            .is_some_and(|deployment| text(deployment, "/spec/strategy/type") == "Recreate");
        if recreates {
            self.plan_step(Task::Deployment(owner));
        }
    }
}

impl Watch {
    /// The `kind` of the objects watched.
    pub fn kind(&self) -> &'static str {
        Kind::of_plural(&self.resource).map_or("", |kind| kind.name)
    }

    /// Their `apiVersion`.
    pub fn api_version(&self) -> String {
        let kind = Kind::of_plural(&self.resource);
        kind.map_or_else(String::new, |kind| kind.api_version(kind.versions[0]))
    }

    /// The event that a stream ends with when its resource version is too old.
    pub fn expired(&self) -> Value {
        let message = status::too_old(self.since, self.since + 1);
        match status::expired(message).body {
            Body::Json(object) => json!({"type": "ERROR", "object": object}),
            Body::Text(_) | Body::Html(_) | Body::Endless => Value::Null,
        }
    }
}

impl Reply {
    /// The HTTP status; 0 where there is no answer.
    pub fn status(&self) -> u16 {
        match self {
            Reply::Answer(answer) => answer.status,
            Reply::Watch(_) => 200,
            Reply::Stall | Reply::Cut => 0,
        }
    }
}
