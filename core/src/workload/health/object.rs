//! Whether an object is ready that is not a workload: what its status says, by its kind, and by the
//! usual conditions where the kind is not known.
//!
//! Deployments, StatefulSets, DaemonSets and Jobs are workloads, and judged by `health.rs`.
//! <https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md>

mod builtin;
mod custom;
mod model;
mod route;

pub use model::{Applied, ObjectCause, ObjectHealth, ObjectNote, ObjectWait, Reported};

use crate::kubernetes::group;
use crate::kubernetes::object::Object;
use crate::kubernetes::object_id::group_of;
use jiff::Timestamp;
use serde_json::Value;

/// The health of an object since it was applied. A status that is older than that says nothing.
pub fn health(object: &Value, applied: &Applied, now: Timestamp) -> ObjectHealth {
    let object = Object::new(object.clone());
    let replaced = !applied.uid.is_empty() && object.uid() != applied.uid;
    if replaced {
        return ObjectHealth::Failed(ObjectCause::Replaced);
    }
    if object.is_being_deleted() {
        return builtin::deleted(&object);
    }
    let observed = object.number("/status/observedGeneration");
    let required = applied.generation.max(object.generation());
    let is_old = object.generation() < applied.generation;
    if is_old || observed.is_some_and(|observed| observed < required) {
        return ObjectHealth::Waiting(ObjectWait::Observation);
    }
    let group = group_of(object.text("/apiVersion")).to_owned();
    match group.as_str() {
        "gateway.networking.k8s.io" => route::health(&object, applied, now),
        group if group::is_builtin(group) => builtin::health(&object, group),
        _ => custom::health(&object, applied, now),
    }
}

#[cfg(test)]
mod tests;
