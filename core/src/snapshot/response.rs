//! What an API server's response is read as, and what it means that something is not there.

use crate::kubernetes::CallError;
use crate::kubernetes::contact::{JsonFault, OddAnswer};
use crate::kubernetes::pod::{Event, Pods};
use crate::kubernetes::service::ServicePod;
use crate::workload::replica_set::ReplicaSet;
use serde_json::Value;
use std::sync::Arc;

/// How a response is read. Long lists are reduced page by page.
#[derive(Clone, Debug, PartialEq)]
pub enum Reading {
    /// One object.
    Object,
    /// One object with its managed fields.
    Whole,
    /// All items of a list.
    List,
    /// A list of ReplicaSets or ControllerRevisions.
    ReplicaSets,
    /// The pods that a Service's selector finds.
    ServicePods,
    /// The pods that the object of this name controls.
    Pods(String),
    /// Which pods the object of this name controls, each in a word.
    Roster(String),
    /// Events.
    Events,
    /// A text.
    Text,
}

/// A response, by its [`Reading`].
#[derive(Clone, Debug, PartialEq)]
pub enum Response {
    /// One object.
    Object(Arc<Value>),
    /// There is no such object, or the cluster does not serve such a resource.
    Nothing,
    /// All items of a list.
    List(Vec<Value>),
    /// ReplicaSets.
    ReplicaSets(Vec<ReplicaSet>),
    /// Pods as a Service sees them.
    ServicePods(Vec<ServicePod>),
    /// Pods.
    Pods(Box<Pods>),
    /// Which pods there are.
    Roster(Vec<String>),
    /// Events.
    Events(Vec<Event>),
    /// A text.
    Text(String),
}

/// What came of a call.
pub type Reply = Result<Response, CallError>;

impl Response {
    /// The object, where there is one.
    pub fn object(self) -> Option<Arc<Value>> {
        let Response::Object(object) = self else {
            return None;
        };
        Some(object)
    }

    /// The items of a list.
    pub fn items(self) -> Vec<Value> {
        let Response::List(items) = self else {
            return Vec::new();
        };
        items
    }
}

/// Takes one object.
pub fn object(result: Reply) -> Result<Arc<Value>, CallError> {
    let odd = || CallError::NotKubernetes(Box::new(OddAnswer::Json(200, JsonFault::NoObject)));
    result?.object().ok_or_else(odd)
}

/// What is there of what was asked for. Of objects and lists the API server may say that there is
/// no such object, or no such resource.
pub fn found(reading: &Reading, result: Reply) -> Reply {
    let may_be_absent = !matches!(
        reading,
        Reading::Pods(_) | Reading::Roster(_) | Reading::Events | Reading::Text
    );
    match result {
        Err(CallError::Refused(refusal))
            if may_be_absent && refusal.code == 404 && refusal.is_status =>
        {
            Ok(Response::Nothing)
        }
        result => result,
    }
}
