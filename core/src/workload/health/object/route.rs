//! The health of the Gateway API's objects: a Gateway has conditions of its own names, and a route
//! has some for each of its parents.
//! <https://gateway-api.sigs.k8s.io/geps/gep-1364/>

use super::custom::is_early;
use super::model::{Applied, ObjectHealth, ObjectWait, Reported};
use crate::kubernetes::object::Object;
use jiff::Timestamp;
use serde_json::{Value, json};

pub(super) fn health(object: &Object, applied: &Applied, now: Timestamp) -> ObjectHealth {
    let parents = object.value().pointer("/status/parents");
    let parents = parents.and_then(Value::as_array);
    let status = object.value().get("status");
    // The conditions of each parent, or the only ones.
    let (all, needed): (Vec<&Value>, &[&str]) = match (object.text("/kind"), parents) {
        ("Gateway", _) => (status.into_iter().collect(), &["Accepted", "Programmed"]),
        ("GatewayClass", _) => (status.into_iter().collect(), &["Accepted"]),
        (_, Some(parents)) => (parents.iter().collect(), &["Accepted", "ResolvedRefs"]),
        (_, None) => (Vec::new(), &[]),
    };
    let mut has_any = false;
    for status in all {
        for name in needed {
            match waits(status, name, object.generation()) {
                Some(Some(wait)) => return ObjectHealth::Waiting(wait),
                Some(None) => has_any = true,
                None => {}
            }
        }
    }
    match (has_any, is_early(applied, now)) {
        (true, _) => ObjectHealth::Ready,
        (false, true) => ObjectHealth::Waiting(ObjectWait::Status),
        (false, false) => ObjectHealth::NoStatus,
    }
}

/// What a condition makes wait; `None` if there is no such condition.
fn waits(status: &Value, name: &str, generation: i64) -> Option<Option<ObjectWait>> {
    let holder = Object::new(json!({"status": {"conditions": status["conditions"]}}));
    let found = holder.condition(name)?;
    let conditions = status["conditions"].as_array()?;
    let whole = conditions.iter().find(|it| it["type"] == name)?;
    let observed = whole["observedGeneration"].as_i64().unwrap_or(generation);
    Some(match found.status {
        _ if observed < generation => Some(ObjectWait::Observation),
        "True" => None,
        _ => Some(ObjectWait::Condition(Reported::new(name, &found))),
    })
}
