//! What objects, and lists of pods and versions, are taken into a snapshot as.

use super::answer::{Answer, Missed};
use super::query::Kind;
use super::response::Response;
use crate::kubernetes::route::Route;
use crate::kubernetes::service::{Service, ServicePod};
use crate::workload::health::steadiness::{Roster, summed};
use crate::workload::replica_set::ReplicaSet;
use crate::workload::{self, Workload};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// The answer to a query for one object.
pub(super) fn got(of: Kind, kind: workload::Kind, object: Option<Arc<Value>>) -> Answer {
    match of {
        Kind::Service => object.map(Service::new).into(),
        Kind::Route(kind) => object.map(|it| Route::read(kind, &it)).into(),
        Kind::Deployment | Kind::ReplicaSet => {
            object.map(|object| Workload::new(kind, object)).into()
        }
    }
}

/// A workload of a list, whose items lack what they are of.
pub(super) fn listed(kind: workload::Kind, mut object: Value) -> Workload {
    let resource = kind.row().resource;
    let identity = [
        ("apiVersion", &resource.api_version),
        ("kind", &resource.kind),
    ];
    if let Some(fields) = object.as_object_mut() {
        for (field, text) in identity {
            fields
                .entry(field)
                .or_insert_with(|| Value::String(text.to_string()));
        }
    }
    Workload::new(kind, object)
}

/// The pods that are not over.
pub(super) fn service_pods(response: Result<Response, Missed>) -> Vec<ServicePod> {
    let Ok(Response::ServicePods(mut pods)) = response else {
        return Vec::new();
    };
    pods.retain(|pod| !pod.over);
    pods
}

pub(super) fn replica_sets(
    response: Result<Response, Missed>,
    mask: fn(&str) -> String,
) -> Vec<ReplicaSet> {
    let Ok(Response::ReplicaSets(mut sets)) = response else {
        return Vec::new();
    };
    for (message, _) in sets.iter_mut().filter_map(|set| set.failure.as_mut()) {
        *message = mask(message);
    }
    sets
}

/// Without the pods the Deployment's counters decide.
pub(super) fn roster(response: Result<Response, Missed>, at: Timestamp) -> Roster {
    let pods = match response {
        Ok(Response::Roster(pods)) => pods,
        Ok(_) | Err(_) => Vec::new(),
    };
    let pods = summed(pods.into_iter());
    Roster { at, pods }
}

/// Pods that cannot be read are not known to be in the way.
pub(super) fn blocking(response: Result<Response, Missed>) -> Vec<(String, String)> {
    let Ok(Response::Pods(pods)) = response else {
        return Vec::new();
    };
    let pods = pods.others.into_iter();
    pods.map(|pod| (pod.name, pod.uid)).collect()
}
