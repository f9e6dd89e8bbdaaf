//! A list of backends with weights: that of an HTTPRoute's rule, or of an Ingress's action.

use super::backends::{Backends, Place};
use super::weights::{Weights, Written};
use serde_json::{Value, json};

/// One place where a route divides traffic, our Service among the backends.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Split {
    /// Where.
    pub(super) place: Place,
    /// What each backend is, in the order of the list.
    pub(super) roles: Vec<Role>,
    /// The backends as they were read.
    pub(super) list: Vec<Value>,
    /// The field with a backend's name: `name`, `serviceName`.
    pub(super) name: &'static str,
    /// The action of an Ingress, as it is written.
    pub(super) text: Option<String>,
}

/// A place with another list.
pub(super) struct Changed<'a> {
    /// The place.
    pub(super) split: &'a Split,
    /// The new list.
    pub(super) list: Vec<Value>,
    /// How the action of an Ingress was written that says the same.
    pub(super) text: Option<String>,
}

/// What a backend is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Our Service.
    Service,
    /// The candidate's Service.
    Canary,
    /// Somebody else's.
    Other,
}

impl Split {
    /// The weights as the controllers take them: an absent one is 1.
    pub(super) fn weights(&self) -> Weights {
        let written = self.written();
        let taken = |weight: Option<u32>| weight.unwrap_or(1);
        Weights {
            service: taken(written.service),
            canary: written.canary.map_or(0, taken),
            others: written.others.into_iter().map(taken).collect(),
        }
    }

    /// The weights as they stand there.
    pub(super) fn written(&self) -> Written {
        let mut written = Written::default();
        for (role, entry) in self.roles.iter().zip(&self.list) {
            match role {
                Role::Service => written.service = weight_of(entry),
                Role::Canary => written.canary = Some(weight_of(entry)),
                Role::Other => written.others.push(weight_of(entry)),
            }
        }
        written
    }

    /// How often a backend is in the list.
    pub(super) fn count(&self, role: Role) -> usize {
        self.roles.iter().filter(|one| **one == role).count()
    }

    /// The list with these weights. A backend of the candidate's Service that is not there yet is
    /// made like that of our Service: the same port and filters.
    pub(super) fn with(&self, weights: &Written, backends: &Backends) -> Vec<Value> {
        let mut others = weights.others.iter();
        let is_listed = self.count(Role::Canary) > 0;
        let mut list = Vec::with_capacity(self.list.len() + 1);
        for (role, entry) in self.roles.iter().zip(&self.list) {
            match (role, weights.canary) {
                (Role::Service, canary) => {
                    list.push(weighted(entry, weights.service, self.name));
                    if let (Some(weight), false) = (canary, is_listed) {
                        let mut canary = weighted(entry, weight, self.name);
                        set(&mut canary, self.name, json!(backends.canary));
                        list.push(canary);
                    }
                }
                (Role::Canary, Some(weight)) => list.push(weighted(entry, weight, self.name)),
                (Role::Canary, None) => {}
                // Another's stays as it is where its weight means the same.
                (Role::Other, _) => match others.next() {
                    Some(weight) if weight.unwrap_or(1) != weight_of(entry).unwrap_or(1) => {
                        list.push(weighted(entry, *weight, self.name));
                    }
                    _ => list.push(entry.clone()),
                },
            }
        }
        list
    }
}

fn weight_of(entry: &Value) -> Option<u32> {
    let weight = field(entry, "weight").and_then(Value::as_u64);
    weight.map(|weight| u32::try_from(weight).unwrap_or(u32::MAX))
}

/// A backend with a weight.
fn weighted(entry: &Value, weight: Option<u32>, name: &str) -> Value {
    let mut entry = entry.clone();
    match weight {
        Some(weight) => {
            let is_capitalised = spelled(&entry, name).is_some_and(|key| key != name);
            let new = if is_capitalised { "Weight" } else { "weight" };
            let key = spelled(&entry, "weight").unwrap_or_else(|| new.to_owned());
            set(&mut entry, &key, json!(weight));
        }
        None => {
            let key = spelled(&entry, "weight");
            if let (Some(key), Some(fields)) = (key, entry.as_object_mut()) {
                fields.remove(&key);
            }
        }
    }
    entry
}

/// A field of an object of an action. Go's decoder does not tell capitals from small letters, and
/// some tools write `ServiceName`.
pub(super) fn field<'a>(entry: &'a Value, name: &str) -> Option<&'a Value> {
    let is_spelled = || entry.get(spelled(entry, name)?);
    entry.get(name).or_else(is_spelled)
}

/// How a field is spelled where it is there.
pub(super) fn spelled(entry: &Value, name: &str) -> Option<String> {
    let mut keys = entry.as_object()?.keys();
    keys.find(|key| key.eq_ignore_ascii_case(name)).cloned()
}

/// Sets a field in the spelling that it has.
pub(super) fn set(entry: &mut Value, name: &str, value: Value) {
    let key = spelled(entry, name).unwrap_or_else(|| name.to_owned());
    if let Some(fields) = entry.as_object_mut() {
        fields.insert(key, value);
    }
}
