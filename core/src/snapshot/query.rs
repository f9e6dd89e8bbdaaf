//! The one language in which the cluster is asked: what is read, by which call, how long the answer
//! is waited for, and when a deploy can do without it.

use super::response::Reading;
use crate::kubernetes::call::{Call, Permission};
use crate::kubernetes::resource::{
    AUTOSCALERS, ENDPOINT_SLICES, INGRESSES, PODS, Resource, SERVICES, TARGET_GROUP_BINDINGS,
};
use crate::kubernetes::route::RouteKind;
use crate::kubernetes::{CallError, Refusal};
use crate::state::marks::FAMILY;
use crate::workload;
use crate::workload::health::diagnosis::LOG_LINES;
use jiff::SignedDuration;
use std::time::Duration;

/// Something to read of the cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum Query {
    /// The object of this name.
    Get(Kind, String),
    /// The Service of this name once more, right before something is switched or taken away: every
    /// Deployment is read again after it.
    ServiceAgain(String),
    /// Objects under a label selector.
    List(Items, String),
    /// What is wrong with the pods of a version.
    Pods {
        /// The selector of its pods.
        selector: String,
        /// The name of the version.
        set: String,
        /// The name of the object that controls the pods.
        owner: String,
    },
    /// Which pods a version has, ready ones, too.
    Roster {
        /// The selector of its pods.
        selector: String,
        /// The name of the object that controls the pods.
        owner: String,
    },
    /// The pods of the other versions that are not ready: they may be in the way of this one.
    Blocking {
        /// The selector of these pods.
        selector: String,
        /// The name of the object that controls them.
        owner: String,
    },
    /// What the controller of a route says of an object, in whatever namespace that is.
    RouteEvents {
        /// `Gateway`, `Ingress`.
        kind: String,
        /// Its namespace.
        namespace: String,
        /// Its name.
        name: String,
    },
    /// What happened to an object.
    Events {
        /// `Pod`, or the kind of what controls pods.
        kind: &'static str,
        /// Its name.
        name: String,
    },
    /// How a Job ended that is gone.
    JobEnd {
        /// Its name.
        name: String,
        /// Its uid.
        uid: String,
    },
    /// The last lines of a container's log.
    Log {
        /// The pod.
        pod: String,
        /// The container.
        container: String,
        /// Whether they are of its life before this one.
        previous: bool,
    },
    /// Who set a field of an object.
    Editor {
        /// The object's kind.
        kind: Kind,
        /// Its name.
        name: String,
        /// The field, step by step.
        field: Vec<String>,
    },
    /// Whether the token has a right.
    Permission(Permission),
    /// What the server would make of this write.
    DryRun(Box<Call>),
    /// The answer of an application, over the API server.
    Proxy {
        /// `[https:]service:port`.
        target: String,
        /// The path.
        path: String,
        /// What must be in the answer.
        contains: Option<String>,
    },
}

/// The kind of a single object.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// A Deployment.
    Deployment,
    /// A ReplicaSet, for its template.
    ReplicaSet,
    /// A Service.
    Service,
    /// A route.
    Route(RouteKind),
}

/// The kind of listed objects.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Items {
    /// Deployments.
    Deployments,
    /// ReplicaSets.
    ReplicaSets,
    /// Pods as a Service sees them.
    ServicePods,
    /// All HorizontalPodAutoscalers of the namespace, whatever the selector.
    Autoscalers,
    /// The EndpointSlices of a Service, whose name stands in the selector's place.
    EndpointSlices,
    /// All Ingresses of the namespace, whatever the selector.
    Ingresses,
    /// All TargetGroupBindings of the namespace, whatever the selector.
    TargetGroupBindings,
}

impl Kind {
    fn resource(self, row: &'static workload::Row) -> &'static Resource {
        match self {
            Kind::Deployment => row.resource,
            Kind::ReplicaSet => row.versions.resource,
            Kind::Service => &SERVICES,
            Kind::Route(kind) => kind.resource(),
        }
    }
}

impl Items {
    fn resource(self, row: &'static workload::Row) -> &'static Resource {
        match self {
            Items::Deployments => row.resource,
            Items::ReplicaSets => row.versions.resource,
            Items::ServicePods => &PODS,
            Items::Autoscalers => &AUTOSCALERS,
            Items::EndpointSlices => &ENDPOINT_SLICES,
            Items::Ingresses => &INGRESSES,
            Items::TargetGroupBindings => &TARGET_GROUP_BINDINGS,
        }
    }
}

/// What holds for every query of its kind.
#[derive(Clone, Debug)]
pub struct Terms {
    /// How the answer is read.
    pub reading: Reading,
    /// How long it is waited for, or a third of what is left of a short life; `None` has the whole
    /// invocation.
    pub limit: Option<SignedDuration>,
    /// When the deploy goes on without an answer.
    pub optional: Optional,
    /// What its reader would gain if a refused call were granted.
    pub gain: &'static str,
}

/// When a deploy goes on without an answer.
#[derive(Clone, Copy, Debug)]
pub enum Optional {
    /// It needs the answer.
    Never,
    /// An error is as good as an answer.
    Always,
    /// The error is one that does not pass.
    IfFinal,
    /// The cluster may not serve the resource, or the token may not read it.
    Resource,
    /// The question cannot be asked here.
    IfRefused(fn(&Refusal) -> bool),
    /// The cluster does not serve such a resource.
    IfUnserved,
}

/// How long what was read is as good as what would be read, if nothing was waited for since. What a
/// switch does between two waits takes some hundred milliseconds.
pub const MOMENT: Duration = Duration::from_secs(1);

/// How long the pods are waited for: a rollout can be followed without them, too.
const PODS_TIMEOUT: SignedDuration = SignedDuration::from_secs(5);

/// The same for what explains a failure: events and the end of a log.
pub const EXPLANATION_TIMEOUT: SignedDuration = SignedDuration::from_secs(3);

/// How long one answer of the smoke test may take.
const SMOKE_TIMEOUT: SignedDuration = SignedDuration::from_secs(10);

/// See [`Terms::gain`].
pub const ROLLBACK: &str = "have it rolled back";

/// See [`Terms::gain`].
const EVIDENCE: &str = "see more";

/// See [`Terms::gain`].
const FRONT: &str = "have the handover chosen by what is in front of the Service";

/// See [`Terms::gain`].
const SMOKE: &str = "have the smoke test run";

impl Query {
    /// Asks for a Deployment.
    pub fn deployment(name: &str) -> Query {
        Query::Get(Kind::Deployment, name.to_owned())
    }

    /// Asks for a Service.
    pub fn service(name: &str) -> Query {
        Query::Get(Kind::Service, name.to_owned())
    }

    /// Asks for a route.
    pub fn route(kind: RouteKind, name: &str) -> Query {
        Query::Get(Kind::Route(kind), name.to_owned())
    }

    /// Asks for the ReplicaSets under a selector.
    pub fn replica_sets(selector: &str) -> Query {
        Query::List(Items::ReplicaSets, selector.to_owned())
    }

    /// Asks for all Deployments that a switch made for this one.
    pub fn family(deployment: &str) -> Query {
        Query::List(Items::Deployments, format!("{FAMILY}={deployment}"))
    }

    /// Asks for the namespace's autoscalers.
    pub fn autoscalers() -> Query {
        Query::List(Items::Autoscalers, String::new())
    }

    /// Whether it tells who gets traffic, or could.
    pub fn is_of_traffic(&self) -> bool {
        matches!(
            self,
            Query::Get(Kind::Deployment, _)
                | Query::List(Items::ServicePods | Items::EndpointSlices, _)
        )
    }

    /// The call that reads it.
    pub fn call(&self, kind: workload::Kind, namespace: &str) -> Call {
        let row = kind.row();
        match self {
            Query::Get(kind, name) | Query::Editor { kind, name, .. } => {
                Call::get(kind.resource(row), namespace, name)
            }
            Query::ServiceAgain(name) => Call::get(&SERVICES, namespace, name),
            Query::List(Items::EndpointSlices, service) => {
                Call::endpoint_slices(namespace, service)
            }
            Query::List(items, selector) => Call::list(items.resource(row), namespace, selector),
            Query::Pods { selector, .. }
            | Query::Roster { selector, .. }
            | Query::Blocking { selector, .. } => Call::list(&PODS, namespace, selector),
            Query::RouteEvents {
                kind,
                namespace,
                name,
            } => Call::events(namespace, kind, name),
            Query::Events { kind, name } => Call::events(namespace, kind, name),
            Query::JobEnd { name, uid } => Call::events_of_job(namespace, name, uid),
            Query::Log {
                pod,
                container,
                previous,
            } => Call::log(namespace, pod, container, *previous, LOG_LINES),
            Query::Permission(right) => Call::may(namespace, right),
            Query::DryRun(call) => Call::clone(call),
            Query::Proxy { target, path, .. } => Call::proxy(namespace, target, path),
        }
    }

    /// How it is read, and whether a deploy can do without it.
    pub fn terms(&self) -> Terms {
        let needed = |reading| Terms {
            reading,
            limit: None,
            optional: Optional::Never,
            gain: "",
        };
        let spared = |reading, limit, gain| Terms {
            reading,
            limit: Some(limit),
            optional: Optional::Always,
            gain,
        };
        match self {
            Query::Get(Kind::Deployment | Kind::Service, _) | Query::ServiceAgain(_) => {
                needed(Reading::Object)
            }
            // Who applies a field of it is in there. A cluster without the Gateway API has no such
            // path, and says so without a `Status`.
            Query::Get(Kind::Route(_), _) => Terms {
                optional: Optional::IfUnserved,
                ..needed(Reading::Whole)
            },
            // A refusal must not take the place of what the template was to be read for.
            Query::Get(Kind::ReplicaSet, _) => Terms {
                optional: Optional::IfFinal,
                gain: ROLLBACK,
                ..needed(Reading::Object)
            },
            Query::List(Items::ReplicaSets, _) => needed(Reading::ReplicaSets),
            Query::List(Items::ServicePods, _) => needed(Reading::ServicePods),
            // They tell what is in front of a Service: without them that is not known.
            Query::List(Items::Ingresses | Items::TargetGroupBindings, _) => Terms {
                optional: Optional::Resource,
                gain: FRONT,
                ..needed(Reading::List)
            },
            Query::List(..) => needed(Reading::List),
            Query::Pods { owner, .. } | Query::Blocking { owner, .. } => {
                spared(Reading::Pods(owner.clone()), PODS_TIMEOUT, EVIDENCE)
            }
            Query::Roster { owner, .. } => {
                spared(Reading::Roster(owner.clone()), PODS_TIMEOUT, EVIDENCE)
            }
            Query::Events { .. } | Query::RouteEvents { .. } | Query::JobEnd { .. } => {
                spared(Reading::Events, EXPLANATION_TIMEOUT, EVIDENCE)
            }
            Query::Log { .. } | Query::Editor { .. } => {
                spared(Reading::Text, EXPLANATION_TIMEOUT, EVIDENCE)
            }
            // A token may be denied to ask what it may.
            Query::Permission(_) => Terms {
                optional: Optional::IfRefused(|refusal| refusal.code == 403),
                ..needed(Reading::Object)
            },
            // A webhook may be unfit for a dry run.
            // https://github.com/kubernetes/apiserver/blob/master/pkg/admission/plugin/webhook/errors/statuserror.go
            Query::DryRun(_) => Terms {
                optional: Optional::IfRefused(|refusal| {
                    refusal.code == 400 && refusal.message.contains("dry run")
                }),
                ..needed(Reading::Object)
            },
            Query::Proxy { .. } => spared(Reading::Text, SMOKE_TIMEOUT, SMOKE),
        }
    }
}

impl Optional {
    /// Whether a deploy goes on after this error; `is_final`: it will not pass.
    pub fn spares(self, error: &CallError, is_final: bool) -> bool {
        match (self, error) {
            (Optional::Never, _) => false,
            (Optional::Always, _) => true,
            (Optional::IfFinal, _) => is_final,
            (Optional::Resource, CallError::Refused(refusal)) => refusal.code == 403,
            (Optional::IfRefused(is_answer), CallError::Refused(refusal)) => is_answer(refusal),
            (Optional::IfUnserved, CallError::Refused(refusal)) => refusal.code == 404,
            (Optional::IfUnserved, CallError::NotKubernetes(_)) => error.is_not_served(),
            (Optional::Resource | Optional::IfUnserved | Optional::IfRefused(_), _) => false,
        }
    }

    /// Whether this error says that there is nothing to read.
    pub fn is_nothing(self, error: &CallError) -> bool {
        matches!(self, Optional::Resource) && error.is_not_served()
    }
}
