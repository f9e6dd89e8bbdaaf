//! What was seen of a Service and the Deployments behind it, and how it is looked at.

use crate::kubernetes::call::{Call, Permission};
use crate::kubernetes::object::{Deployment, ReplicaSet};
use crate::kubernetes::service::{Autoscaler, Endpoints, Service, ServicePod};
use crate::request::Request;
use crate::state::marks::FAMILY;
use serde_json::Value;
use std::collections::BTreeMap;

/// What was seen since the last write. Absent has not been looked at.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scene {
    /// The Service; `Some(None)` where there is none.
    pub service: Option<Option<Service>>,
    /// Whether it was read once more, right before something is taken away.
    pub rechecked: bool,
    /// The Service for the smoke test.
    pub preview: Option<Option<Service>>,
    /// Deployments by name.
    pub deployments: BTreeMap<String, Option<Deployment>>,
    /// All Deployments of the family that we made.
    pub versions: Option<Vec<Deployment>>,
    /// ReplicaSets by label selector.
    pub replica_sets: BTreeMap<String, Vec<ReplicaSet>>,
    /// Pods by label selector.
    pub members: BTreeMap<String, Vec<ServicePod>>,
    /// Endpoints by Service.
    pub endpoints: BTreeMap<String, Endpoints>,
    /// The namespace's autoscalers.
    pub autoscalers: Option<Vec<Autoscaler>>,
    /// What the token may do.
    pub permissions: BTreeMap<Permission, bool>,
    /// Whether the server would take the candidate.
    pub tried: bool,
    /// The smoke test.
    pub smoke: Smoked,
    /// What could not be cleared away, and why.
    pub left: Vec<(String, String)>,
}

/// How a smoke test goes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Smoked {
    /// How often it was answered, as it should be or not.
    pub tries: u32,
    /// How often the API server could not reach the application.
    pub unanswered: u32,
    /// What came of it since the last wait; an error says what was wrong.
    pub last: Option<Result<(), String>>,
}

/// Something to read of the scene.
#[derive(Clone, Debug, PartialEq)]
pub enum Sought {
    /// The Service that the request names.
    Service,
    /// The same, and every Deployment behind it, right before something is switched or taken away.
    ServiceAgain,
    /// The Service of the smoke test.
    Preview,
    /// A Deployment.
    Deployment(String),
    /// The family.
    Versions,
    /// The ReplicaSets under a label selector.
    ReplicaSets(String),
    /// The pods under a label selector.
    Members(String),
    /// The namespace's autoscalers.
    Autoscalers,
    /// The EndpointSlices of a Service.
    Endpoints(String),
    /// Whether the token has a right.
    Permission(Permission),
    /// Whether the server would take this write, the candidate's.
    Trial(Box<Call>),
    /// The smoke test.
    Smoke {
        /// `[https:]service:port`.
        target: String,
        /// The path.
        path: String,
        /// What must be in the answer.
        contains: Option<String>,
    },
}

/// The shape of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Shape {
    /// One object, or none.
    One,
    /// Items.
    List,
    /// A text, or why there is none.
    Text,
}

/// What a look came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// One object, or none.
    One(Option<Value>),
    /// Items.
    List(Vec<Value>),
    /// A text, or why there is none.
    Text(Result<String, String>),
    /// Nobody could be asked, and why.
    Unanswered(String),
}

impl Sought {
    /// The call that reads it.
    pub fn call(&self, request: &Request) -> Call {
        let namespace = &request.namespace;
        let switch = request.strategy.switch();
        let service = switch.map_or("", |switch| &*switch.service);
        match self {
            Sought::Service | Sought::ServiceAgain => Call::service(namespace, service),
            Sought::Preview => Call::service(namespace, &preview_name(service)),
            Sought::Deployment(name) => Call::deployment(namespace, name),
            Sought::Versions => {
                Call::deployments(namespace, &format!("{FAMILY}={}", request.deployment))
            }
            Sought::ReplicaSets(selector) => Call::replica_sets(namespace, selector),
            Sought::Members(selector) => Call::pods(namespace, selector),
            Sought::Autoscalers => Call::autoscalers(namespace),
            Sought::Endpoints(service) => Call::endpoint_slices(namespace, service),
            Sought::Permission(right) => Call::may(namespace, *right),
            Sought::Trial(call) => Call::clone(call),
            Sought::Smoke { target, path, .. } => Call::proxy(namespace, target, path),
        }
    }

    /// What kind of answer it has.
    pub fn shape(&self) -> Shape {
        match self {
            Sought::Service
            | Sought::ServiceAgain
            | Sought::Preview
            | Sought::Deployment(_)
            | Sought::Permission(_)
            | Sought::Trial(_) => Shape::One,
            Sought::Versions
            | Sought::ReplicaSets(_)
            | Sought::Members(_)
            | Sought::Autoscalers
            | Sought::Endpoints(_) => Shape::List,
            Sought::Smoke { .. } => Shape::Text,
        }
    }
}

/// The name of the Service of the smoke test.
pub fn preview_name(service: &str) -> String {
    format!("{service}-preview")
}

impl Scene {
    /// Takes what a look came to. An answer of another shape tells nothing.
    pub fn take(&mut self, sought: &Sought, answer: Answer) {
        match answer {
            Answer::One(object) => self.take_one(sought, object),
            Answer::List(items) => self.take_list(sought, &items),
            Answer::Unanswered(why) => {
                self.smoke.unanswered += 1;
                self.smoke.last = Some(Err(why));
            }
            Answer::Text(text) => {
                if let Sought::Smoke { contains, .. } = sought {
                    self.smoke.tries += 1;
                    self.smoke.last = Some(text.and_then(|text| check(&text, contains.as_deref())));
                }
            }
        }
    }

    fn take_one(&mut self, sought: &Sought, object: Option<Value>) {
        match sought {
            Sought::Service => self.service = Some(object.map(Service::new)),
            Sought::ServiceAgain => {
                self.service = Some(object.map(Service::new));
                self.deployments.clear();
                self.rechecked = true;
            }
            Sought::Preview => self.preview = Some(object.map(Service::new)),
            Sought::Deployment(name) => {
                let found = object.map(Deployment::new);
                self.deployments.insert(name.clone(), found);
            }
            // Whoever may not even ask is told by the refusal of the thing itself.
            Sought::Permission(right) => {
                let answer = object.and_then(|review| review.pointer("/status/allowed")?.as_bool());
                self.permissions.insert(*right, answer.unwrap_or(true));
            }
            Sought::Trial(_) => self.tried = true,
            Sought::Versions
            | Sought::ReplicaSets(_)
            | Sought::Members(_)
            | Sought::Autoscalers
            | Sought::Endpoints(_)
            | Sought::Smoke { .. } => {}
        }
    }

    fn take_list(&mut self, sought: &Sought, items: &[Value]) {
        let own = |items: &[Value]| items.iter().cloned().map(Deployment::new).collect();
        match sought {
            Sought::Versions => self.versions = Some(own(items)),
            Sought::ReplicaSets(selector) => {
                let sets = items.iter().map(ReplicaSet::read).collect();
                self.replica_sets.insert(selector.clone(), sets);
            }
            Sought::Members(selector) => {
                let members = items
                    .iter()
                    .map(ServicePod::read)
                    .filter(|member| !member.over);
                self.members.insert(selector.clone(), members.collect());
            }
            Sought::Autoscalers => {
                self.autoscalers = Some(items.iter().cloned().map(Autoscaler::new).collect());
            }
            Sought::Endpoints(service) => {
                self.endpoints
                    .insert(service.clone(), Endpoints::read(items));
            }
            Sought::Service
            | Sought::ServiceAgain
            | Sought::Preview
            | Sought::Deployment(_)
            | Sought::Permission(_)
            | Sought::Trial(_)
            | Sought::Smoke { .. } => {}
        }
    }

    /// After the candidate has changed: its pods are to be looked at again.
    pub fn stirred(self) -> Scene {
        Scene {
            members: BTreeMap::new(),
            endpoints: BTreeMap::new(),
            rechecked: false,
            ..self
        }
    }

    /// After a write or a wait: everything may have changed.
    pub fn forgotten(self) -> Scene {
        Scene {
            smoke: Smoked {
                last: self.smoke.last.filter(Result::is_ok),
                ..self.smoke
            },
            left: self.left,
            ..Scene::default()
        }
    }
}

/// Whether an answer has what it must.
fn check(text: &str, contains: Option<&str>) -> Result<(), String> {
    match contains {
        Some(wanted) if !text.contains(wanted) => {
            Err(format!("its answer does not contain `{wanted}`"))
        }
        Some(_) | None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
