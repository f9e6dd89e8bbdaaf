//! What queries are answered by: each answer has a type of its own, by which it is found again.

use super::response::Response;
use crate::change::editor::Editor;
use crate::kubernetes::pod::Event;
use crate::kubernetes::route::Route;
use crate::kubernetes::service::{Autoscaler, Endpoints, Service, ServicePod};
use crate::workload::Workload;
use crate::workload::health::job::JobEnd;
use crate::workload::health::steadiness::Roster;
use crate::workload::replica_set::ReplicaSet;
use serde_json::Value;

/// A type that answers some kind of query.
pub trait Typed {
    /// The answer as this type, where it is one.
    fn of(answer: &Answer) -> Option<&Self>;
}

/// Declares the answers, and how each is made of its type and found as it.
macro_rules! answers {
    ($($(#[$doc:meta])* $name:ident($type:ty),)*) => {
        /// The answer to a query.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Answer {
            $($(#[$doc])* $name($type),)*
        }

        $(
            impl From<$type> for Answer {
                fn from(found: $type) -> Answer {
                    Answer::$name(found)
                }
            }

            impl Typed for $type {
                fn of(answer: &Answer) -> Option<&$type> {
                    if let Answer::$name(found) = answer {
                        return Some(found);
                    }
                    None
                }
            }
        )*
    };
}

answers! {
    /// A Deployment, or that there is none.
    Deployment(Option<Workload>),
    /// A Service, or that there is none.
    Service(Option<Service>),
    /// A route, or that there is none.
    Route(Option<Route>),
    /// What a route's controller says; `None` where it cannot be read.
    RouteEvents(Option<Vec<Event>>),
    /// The ReplicaSet to return to, or that it is gone; an error where it may not be read.
    Previous(Result<Option<Value>, String>),
    /// Deployments.
    Deployments(Vec<Workload>),
    /// ReplicaSets.
    ReplicaSets(Vec<ReplicaSet>),
    /// Pods that a selector finds and that are not over.
    ServicePods(Vec<ServicePod>),
    /// Autoscalers.
    Autoscalers(Vec<Autoscaler>),
    /// The endpoints of a Service.
    Endpoints(Endpoints),
    /// Which pods there are.
    Roster(Roster),
    /// Pods in the way of a version: each with its name and its uid.
    Blocking(Vec<(String, String)>),
    /// Who set a field; `None` where that is not noted.
    Editor(Option<Editor>),
    /// How a Job ended that is gone; `None` where nothing tells it.
    JobEnd(Option<JobEnd>),
    /// Yes or no.
    Fact(bool),
    /// What a write came to that was only tried.
    DryRun(DryRun),
    /// Objects of a resource that may not be served, or not be read.
    Listed(Listed),
}

/// Objects of a resource that may not be served, or not be read.
#[derive(Clone, Debug, PartialEq)]
pub enum Listed {
    /// These.
    Items(Vec<Value>),
    /// The cluster does not know the resource.
    Unserved,
    /// The token may not list them.
    Refused,
}

impl Listed {
    /// Reads the answer to a list.
    pub(super) fn of(response: Result<Response, Missed>) -> Listed {
        match response {
            Ok(Response::List(items)) => Listed::Items(items),
            Ok(_) => Listed::Unserved,
            Err(_) => Listed::Refused,
        }
    }
}

/// What a write came to that was only tried.
#[derive(Clone, Debug, PartialEq)]
pub enum DryRun {
    /// The object as it would be.
    Would(Workload),
    /// It cannot be tried here.
    Unable,
}

/// Why there is no answer to a query that a deploy can do without.
#[derive(Clone, Debug, PartialEq)]
pub struct Missed {
    /// In a few words.
    pub why: String,
    /// Whether it was the API server that could not ask the application.
    pub unasked: bool,
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

impl Smoked {
    /// Takes an answer, which must contain a text where one is given.
    pub fn take(&mut self, answer: Result<String, Missed>, contains: Option<&str>) {
        let is_unasked = matches!(&answer, Err(missed) if missed.unasked);
        self.unanswered += u32::from(is_unasked);
        self.tries += u32::from(!is_unasked);
        let answer = answer.map_err(|missed| missed.why);
        self.last = Some(answer.and_then(|text| match contains {
            Some(wanted) if !text.contains(wanted) => {
                Err(format!("its answer does not contain `{wanted}`"))
            }
            Some(_) | None => Ok(()),
        }));
    }
}
