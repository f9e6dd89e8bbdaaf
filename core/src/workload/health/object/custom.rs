//! The health of custom resources: the conditions that most controllers write.
//! <https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md#the-ready-condition>

use super::model::{Applied, ObjectCause, ObjectHealth, ObjectWait, Reported};
use crate::kubernetes::object::{Object, condition, timestamp};
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// How long a controller has to write its first status, or to answer a change where its status does
/// not say which generation it is of. One that is at work does so within a second or two.
const GRACE: Duration = Duration::from_secs(10);

pub(super) fn health(object: &Object, applied: &Applied, now: Timestamp) -> ObjectHealth {
    let condition = |name: &str, status: &str| {
        let found = object.condition(name)?;
        (found.status == status).then(|| Reported::new(name, &found))
    };
    let is_early = is_early(applied, now);
    if let Some(stalled) = condition("Stalled", "True") {
        return match is_fresh(object, "Stalled", applied, is_early) {
            true => ObjectHealth::Failed(ObjectCause::Condition(stalled)),
            false => ObjectHealth::Waiting(ObjectWait::Observation),
        };
    }
    // A Certificate stays ready by its old content while the new one is issued.
    for going_on in ["Reconciling", "Issuing"] {
        if let Some(going_on) = condition(going_on, "True") {
            return ObjectHealth::Waiting(ObjectWait::Condition(going_on));
        }
    }
    let Some(ready) = object.condition("Ready") else {
        return without_ready(object, is_early);
    };
    if !is_fresh(object, "Ready", applied, is_early) {
        return ObjectHealth::Waiting(ObjectWait::Observation);
    }
    match ready.status {
        "True" => ObjectHealth::Ready,
        // Controllers report so what passes by itself, too: only the deadline ends it.
        _ => ObjectHealth::Waiting(ObjectWait::Condition(Reported::new("Ready", &ready))),
    }
}

/// Whether the grace is not over.
pub(super) fn is_early(applied: &Applied, now: Timestamp) -> bool {
    let end = applied.at.checked_add(GRACE).unwrap_or(Timestamp::MAX);
    now < end
}

/// A status without a condition `Ready` has been written for what was applied, as far as it tells.
fn without_ready(object: &Object, is_early: bool) -> ObjectHealth {
    let status = object.value().get("status").and_then(Value::as_object);
    let has_status = status.is_some_and(|status| !status.is_empty());
    match (has_status, is_early) {
        (true, _) if object.number("/status/observedGeneration").is_some() => ObjectHealth::Ready,
        (_, true) => ObjectHealth::Waiting(ObjectWait::Status),
        (true, false) => ObjectHealth::Ready,
        (false, false) => ObjectHealth::NoStatus,
    }
}

/// Whether a condition is of the generation that was applied, as far as it tells: by its own
/// generation, by that of the status, by its time, or else by the grace.
fn is_fresh(object: &Object, name: &str, applied: &Applied, is_early: bool) -> bool {
    let condition = condition(object.value(), name).unwrap_or(&Value::Null);
    if let Some(observed) = condition["observedGeneration"].as_i64() {
        return observed >= object.generation();
    }
    if object.number("/status/observedGeneration").is_some() {
        return true;
    }
    let changed = condition["lastTransitionTime"].as_str().and_then(timestamp);
    changed.is_some_and(|changed| changed > applied.at) || !is_early
}
