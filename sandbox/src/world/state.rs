//! The cluster as one value, and what can be read from it.

use crate::world::api::reply::{Gone, Watch};
use crate::world::behaviour::{Behaviour, Life, Says};
use crate::world::fault;
use crate::world::mutation::Mutation;
use crate::world::refusal::Refusal;
use crate::world::store::{Key, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Requests that are remembered.
const SEEN_LIMIT: usize = 10_000;

/// One Kubernetes cluster: objects, controllers, faults. Time comes in.
#[derive(Clone)]
pub struct World {
    pub(crate) token: String,
    pub(crate) issued: Vec<Issued>,
    pub(crate) longest_token: Option<i64>,
    pub(crate) user: String,
    pub(crate) clock: Timestamp,
    pub(crate) timing: Timing,
    pub(crate) store: Store,
    /// What will happen by itself, and when.
    pub(crate) due: BTreeMap<Task, Timestamp>,
    /// Until when a controller has not seen the newest spec.
    pub(crate) unseen: BTreeMap<Key, Timestamp>,
    pub(crate) lives: BTreeMap<Key, Life>,
    pub(crate) behaviours: Vec<(String, Behaviour)>,
    pub(crate) default_behaviour: Behaviour,
    /// Pods of scripts so far, and since when their creation is refused.
    pub(crate) scripted: usize,
    pub(crate) barred_since: Option<Timestamp>,
    pub(crate) answers: Vec<Says>,
    pub(crate) faults: Vec<fault::Planned>,
    pub(crate) forbidden: BTreeSet<(String, String)>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) mutations: Vec<Mutation>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) seen_limit: usize,
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
pub(crate) enum Task {
    Deployment(Key),
    ReplicaSet(Key),
    Pod(Key),
    Removal(Key),
    Service(Key),
}

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
}

/// A token that was asked for, good until its end.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) token: String,
    pub(crate) until: Timestamp,
}

impl World {
    /// Every request so far (the first ten thousand), without credentials.
    pub fn requests(&self) -> &[Seen] {
        &self.seen
    }

    /// When something will happen by itself; None: settled.
    pub fn next_change(&self) -> Option<Timestamp> {
        self.due.values().min().copied()
    }

    /// The changes after a resource version, as watch events with their versions.
    pub fn watch(&self, watch: &Watch, after: u64) -> Result<Vec<(u64, Value)>, Gone> {
        self.store.changes(watch, after)
    }

    /// The newest resource version.
    pub fn resource_version(&self) -> u64 {
        self.store.version()
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
}
