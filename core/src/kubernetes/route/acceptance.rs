//! What the controllers of an HTTPRoute say of it, for each parent.
//! <https://gateway-api.sigs.k8s.io/reference/spec/#routestatus>

use super::super::object::{Object, timestamp};
use super::fault::{ParentRefusal, RouteFault};
use serde_json::Value;

/// The group of a Gateway.
const GROUP: &str = "gateway.networking.k8s.io";

/// What the controllers say of a route's present generation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Acceptance {
    /// Every parent has accepted it, and has found all backends. With the AWS controller that means
    /// understood, not yet in force.
    Accepted,
    /// These parents have not looked at it yet.
    Waiting(Vec<String>),
    /// A parent refuses it.
    Refused(ParentRefusal),
    /// Routes of this kind have no such status.
    NotReported,
}

/// What one controller says of the route for a parent.
enum Word {
    /// It speaks of an older generation.
    Old,
    /// It does not say of which generation it speaks. With its controller.
    Undated(String),
    /// It takes the route.
    Yes,
    /// It does not.
    No(ParentRefusal),
}

/// What all parents say.
pub(super) fn of(object: &Object) -> Acceptance {
    let mut waiting = Vec::new();
    for parent in parents(object) {
        match word(object, parent) {
            Word::Yes => {}
            Word::Old | Word::Undated(_) => waiting.push(described(object, parent)),
            Word::No(refusal) => return Acceptance::Refused(refusal),
        }
    }
    if waiting.is_empty() {
        Acceptance::Accepted
    } else {
        Acceptance::Waiting(waiting)
    }
}

/// What stands against a route that nobody has touched for a while. A parent that has not looked at
/// it routes nothing by it: a mesh that is not there, or a class without a controller.
pub(super) fn faults(object: &Object) -> Vec<RouteFault> {
    let parents = parents(object);
    if parents.is_empty() {
        return vec![RouteFault::NoParents];
    }
    let fault = |parent: &Value| match word(object, parent) {
        Word::Yes => None,
        Word::Old => Some(RouteFault::Ignored {
            parent: described(object, parent),
        }),
        Word::Undated(controller) => Some(RouteFault::Undated {
            parent: described(object, parent),
            controller,
        }),
        Word::No(refusal) => Some(RouteFault::Refused(refusal)),
    };
    parents.iter().filter_map(fault).collect()
}

/// The parents that the route asks for.
pub(super) fn parents(object: &Object) -> &[Value] {
    let parents = object.value()["spec"]["parentRefs"].as_array();
    parents.map_or(&[], Vec::as_slice)
}

/// The controllers that speak for a parent.
pub(super) fn controllers<'a>(object: &'a Object, parent: &Value) -> Vec<&'a str> {
    let statuses = statuses(object, parent);
    statuses
        .filter_map(|status| status["controllerName"].as_str())
        .collect()
}

/// The namespace of a parent.
pub(super) fn namespace(object: &Object, parent: &Value) -> String {
    let own = object.text("/metadata/namespace");
    parent["namespace"].as_str().unwrap_or(own).to_owned()
}

/// The kind of a parent.
pub(super) fn kind(parent: &Value) -> &str {
    parent["kind"].as_str().unwrap_or("Gateway")
}

/// One parent has one controller. Where there are two statuses for it, the older one is what a
/// controller that is gone has left, and only counts where there is no other.
fn word(object: &Object, parent: &Value) -> Word {
    let mut best = Word::Old;
    for status in statuses(object, parent) {
        match spoken(object, parent, status) {
            Word::Undated(_) if matches!(best, Word::Yes) => {}
            Word::Old => {}
            other @ (Word::Yes | Word::Undated(_)) => best = other,
            Word::No(refusal) => return Word::No(refusal),
        }
    }
    best
}

fn spoken(object: &Object, parent: &Value, status: &Value) -> Word {
    let generation = object.generation();
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let find = |kind: &str| conditions.clone().find(|one| one["type"] == kind);
    let refusal = |condition: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        ParentRefusal {
            parent: described(object, parent),
            controller: text(&status["controllerName"]),
            condition: text(&condition["type"]),
            reason: text(&condition["reason"]),
            message: text(&condition["message"]),
            since: condition["lastTransitionTime"].as_str().and_then(timestamp),
        }
    };
    let observed = |one: &Value| one["observedGeneration"].as_i64().unwrap_or(0);
    let is_old = |one: &Value| observed(one) < generation;
    // In a fall-back `Accepted` carries the old generation, and this one says why.
    if let Some(partial) = find("PartiallyInvalid").filter(|one| one["status"] == "True")
        && !is_old(partial)
    {
        return Word::No(refusal(partial));
    }
    for kind in ["Accepted", "ResolvedRefs"] {
        match find(kind) {
            None => return Word::Old,
            Some(one) if one["status"] == "Unknown" => return Word::Old,
            // Linkerd's sets none, and APISIX's did not:
            // <https://github.com/linkerd/linkerd2/issues/14964>
            Some(one) if observed(one) == 0 => {
                let controller = status["controllerName"].as_str().unwrap_or_default();
                return Word::Undated(controller.to_owned());
            }
            Some(one) if is_old(one) => return Word::Old,
            Some(one) if one["status"] == "True" => {}
            Some(one) => return Word::No(refusal(one)),
        }
    }
    Word::Yes
}

fn statuses<'a>(object: &'a Object, parent: &Value) -> impl Iterator<Item = &'a Value> {
    let wanted = key(object, parent);
    let statuses = object.value()["status"]["parents"].as_array();
    let is_of = move |status: &&Value| key(object, &status["parentRef"]) == wanted;
    statuses.into_iter().flatten().filter(is_of)
}

/// What tells one parent from another, with the defaults filled in.
fn key(object: &Object, parent: &Value) -> (String, String, String, String, String, i64) {
    let text = |field: &str, default: &str| {
        let value = parent[field].as_str();
        value.unwrap_or(default).to_owned()
    };
    (
        text("group", GROUP),
        kind(parent).to_owned(),
        namespace(object, parent),
        text("name", ""),
        text("sectionName", ""),
        parent["port"].as_i64().unwrap_or(0),
    )
}

fn described(object: &Object, parent: &Value) -> String {
    let name = parent["name"].as_str().unwrap_or_default();
    let namespace = namespace(object, parent);
    let listener = match parent["sectionName"].as_str() {
        Some(section) => format!(", listener `{section}`"),
        None => String::new(),
    };
    let place = match namespace == object.text("/metadata/namespace") {
        true => String::new(),
        false => format!(" in `{namespace}`"),
    };
    format!("{} `{name}`{place}{listener}", kind(parent))
}
