//! What lists of pods and versions are taken into a snapshot as.

use super::answer::Missed;
use super::response::Response;
use crate::kubernetes::service::ServicePod;
use crate::workload::health::steadiness::{Roster, summed};
use crate::workload::replica_set::ReplicaSet;
use jiff::Timestamp;

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
