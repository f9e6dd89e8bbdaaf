//! The cluster as one value, and reading from it.

use crate::world::api::reply::{Gone, Watch};
use crate::world::behaviour::{Behaviour, Life, Says};
use crate::world::fault;
use crate::world::identity::{Iam, Identity};
use crate::world::mutation::Mutation;
use crate::world::refusal::Refusal;
use crate::world::route_state::RouteState;
use crate::world::store::{Key, Store};
use crate::world::target_group::TargetGroup;
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// How many requests are recorded.
const SEEN_LIMIT: usize = 10_000;

/// A Kubernetes cluster: objects, controllers, faults. Time is an argument.
#[derive(Clone)]
pub struct World {
    pub(crate) token: String,
    pub(crate) issued: Vec<Issued>,
    pub(crate) longest_token: Option<i64>,
    pub(crate) user: String,
    /// How tokens of EKS are checked; none where the cluster is not one of EKS.
    pub(crate) iam: Option<Iam>,
    /// Who sends the request that is being answered.
    pub(crate) caller: Identity,
    pub(crate) clock: Timestamp,
    pub(crate) timing: Timing,
    pub(crate) store: Store,
    /// The planned tasks and their times.
    pub(crate) due: BTreeMap<Task, Timestamp>,
    /// How long a controller does not see the newest spec.
    pub(crate) unseen: BTreeMap<Key, Timestamp>,
    /// What is in force of each route.
    pub(crate) routes: BTreeMap<Key, RouteState>,
    /// What load balancers know of pods.
    pub(crate) target_groups: BTreeMap<Key, TargetGroup>,
    pub(crate) lives: BTreeMap<Key, Life>,
    pub(crate) behaviours: Vec<(String, Behaviour)>,
    pub(crate) default_behaviour: Behaviour,
    /// The number of scripted pods so far, and since when their creation is refused.
    pub(crate) scripted: usize,
    pub(crate) barred_since: Option<Timestamp>,
    pub(crate) answers: Vec<Says>,
    pub(crate) faults: Vec<fault::Planned>,
    pub(crate) forbidden: BTreeSet<(String, String)>,
    pub(crate) refusals: Vec<Refusal>,
    pub(crate) mutations: Vec<Mutation>,
    /// Whether `managedFields` says which fields are whose.
    pub(crate) tracks_fields: bool,
    pub(crate) seen: Vec<Seen>,
    pub(crate) seen_limit: usize,
}

/// The durations in this world.
#[derive(Clone, Debug)]
pub struct Timing {
    /// From a spec's change until the Deployment controller sees it.
    pub observe: SignedDuration,
    /// One step of any controller.
    pub step: SignedDuration,
    /// From a pod's scheduling until its container's first state, unless the behaviour says
    /// otherwise.
    pub start: SignedDuration,
    /// From a pod's deletion to its end.
    pub termination: SignedDuration,
    /// From a change of a Service or its pods until its EndpointSlice changes.
    pub endpoints: SignedDuration,
    /// From a route's change until its controller has accepted it.
    pub route_accepted: SignedDuration,
    /// From there until it is in force.
    pub route_in_force: SignedDuration,
    /// From a change of endpoints until the controller of target groups sees it.
    pub targets_seen: SignedDuration,
    /// From a target's registration until it is healthy.
    pub target_healthy: SignedDuration,
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
            route_accepted: SignedDuration::from_millis(50),
            route_in_force: SignedDuration::from_millis(50),
            targets_seen: SignedDuration::from_millis(50),
            target_healthy: SignedDuration::from_secs(2),
            back_off: SignedDuration::from_secs(10),
            back_off_limit: SignedDuration::from_secs(300),
        }
    }
}

/// A planned task.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Task {
    /// The names of a custom resource are accepted.
    Definition(Key),
    Deployment(Key),
    ReplicaSet(Key),
    Pod(Key),
    Removal(Key),
    Service(Key),
    /// The controller of any other resource.
    Other(Key),
}

/// A recorded request, without its credentials.
#[derive(Clone, Debug, PartialEq)]
pub struct Seen {
    /// The method.
    pub method: String,
    /// Path with query.
    pub path: String,
    /// The `Content-Type` header.
    pub content_type: Option<String>,
    /// The body, if it was JSON.
    pub body: Option<Value>,
    /// Whether the request had a credential that is accepted.
    pub authorized: bool,
    /// The user whose credential it was; empty where none was accepted.
    pub user: String,
    /// The HTTP status of the response; 0 without one.
    pub status: u16,
    /// The time of the request.
    pub time: Timestamp,
}

impl World {
    /// Creates an empty cluster; requests with another bearer token get a 401.
    pub fn new(token: impl Into<String>) -> World {
        let user = "system:serviceaccount:default:landfall".to_owned();
        World {
            token: token.into(),
            issued: Vec::new(),
            longest_token: None,
            iam: None,
            caller: Identity::of(&user),
            user,
            clock: Timestamp::UNIX_EPOCH,
            timing: Timing::default(),
            store: Store::default(),
            due: BTreeMap::new(),
            unseen: BTreeMap::new(),
            routes: BTreeMap::new(),
            target_groups: BTreeMap::new(),
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
            tracks_fields: true,
            seen: Vec::new(),
            seen_limit: SEEN_LIMIT,
        }
    }
}

/// An issued token, valid until it expires.
#[derive(Clone, Debug)]
pub(crate) struct Issued {
    pub(crate) token: String,
    pub(crate) until: Timestamp,
}

impl World {
    /// Returns the first ten thousand requests, without credentials.
    pub fn requests(&self) -> &[Seen] {
        &self.seen
    }

    /// When the next task is due; `None` if the cluster is settled.
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

    /// The resource version of the last change of a resource (`pods`, `replicasets`, …).
    pub fn last_change(&self, resource: &str) -> u64 {
        self.store.last_change(resource)
    }

    /// Returns a Deployment.
    pub fn deployment(&self, namespace: &str, name: &str) -> Option<&Value> {
        self.object("deployments", namespace, name)
    }

    /// Returns an object.
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
