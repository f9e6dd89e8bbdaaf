//! Merges an applied object into a live one.

use crate::world::api::fields::step::Step;
use crate::world::api::fields::types::{Atom, By, Fields, Type, atom};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// Merges an applied value into one of the same type. An absent value gives way.
pub(crate) fn merged(of: &Type, live: Option<&Value>, applied: Option<&Value>) -> Option<Value> {
    let leaf = || applied.or(live).cloned();
    let at = match (live, applied) {
        (_, Some(value)) | (Some(value), None) => atom(of, Some(value)),
        (None, None) => return None,
    };
    match at {
        Atom::Scalar(_) | Atom::List(_, By::Whole) | Atom::Map(Fields { whole: true, .. }) => {
            leaf()
        }
        Atom::Map(fields) => {
            let map = |value: Option<&Value>| value.and_then(Value::as_object).cloned();
            let (left, right) = (map(live), map(applied));
            let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
            if left.is_empty() && right.is_empty() {
                return leaf();
            }
            let names: BTreeSet<&String> = left.keys().chain(right.keys()).collect();
            let mut out = Map::new();
            for name in names {
                let (left, right) = (left.get(name), right.get(name));
                let inner = match fields.of(name) {
                    Some(of) => merged(of, left, right),
                    None => right.or(left).cloned(),
                };
                out.extend(inner.map(|inner| (name.clone(), inner)));
            }
            (!out.is_empty()).then_some(Value::Object(out))
        }
        Atom::List(of, by) => {
            let list = |value: Option<&'_ Value>| value.and_then(Value::as_array).cloned();
            let (left, right) = (list(live), list(applied));
            let (left, right) = (left.unwrap_or_default(), right.unwrap_or_default());
            if left.is_empty() && right.is_empty() {
                return leaf();
            }
            let out = merged_items(of, by, &left, &right);
            (!out.is_empty()).then_some(Value::Array(out))
        }
    }
}

/// The steps to the items of a list, and the items; of an item that is there twice none.
struct Indexed<'a> {
    steps: Vec<Step>,
    items: BTreeMap<Step, Option<&'a Value>>,
}

impl<'a> Indexed<'a> {
    fn new(of: &Type, by: &By, list: &'a [Value]) -> Indexed<'a> {
        let mut indexed = Indexed {
            steps: Vec::new(),
            items: BTreeMap::new(),
        };
        for item in list {
            let Ok(step) = Step::to_item(of, by, item) else {
                continue;
            };
            let slot = indexed.items.entry(step.clone());
            slot.and_modify(|found| *found = None).or_insert(Some(item));
            indexed.steps.push(step);
        }
        indexed
    }

    fn get(&self, step: &Step) -> Option<&'a Value> {
        self.items.get(step).copied().flatten()
    }

    fn has(&self, step: &Step) -> bool {
        self.items.contains_key(step)
    }
}

/// Merges two lists: the applied order counts, and what only the live list has keeps its place.
fn merged_items(of: &Type, by: &By, live: &[Value], applied: &[Value]) -> Vec<Value> {
    let (left, right) = (Indexed::new(of, by, live), Indexed::new(of, by, applied));
    let shared = right.steps.iter().filter(|step| left.has(step));
    let mut shared: VecDeque<&Step> = shared.collect();
    let mut next = shared.pop_front();
    let mut done = BTreeSet::new();
    let mut out = Vec::new();
    let (mut at, mut to) = (0, 0);
    while at < left.steps.len() || to < right.steps.len() {
        let (own, new) = (left.steps.get(at), right.steps.get(to));
        if let (Some(own), Some(new)) = (own, new) {
            if own == new {
                done.insert(own);
                out.extend(merged(of, left.get(own), right.get(own)));
                (at, to) = (at + 1, to + 1);
                next = shared.pop_front();
                continue;
            }
            if right.has(own) && next.is_some_and(|next| next != own) {
                // Both lists have it, but the applied one has another before it.
                at += 1;
                continue;
            }
        }
        if let Some(own) = own {
            if !right.has(own) {
                out.extend(merged(of, live.get(at), None));
                at += 1;
                continue;
            }
            if done.contains(own) {
                at += 1;
            }
        }
        if let Some(new) = new {
            done.insert(new);
            out.extend(merged(of, left.get(new), right.get(new)));
            to += 1;
            if next == Some(new) {
                next = shared.pop_front();
            }
        }
    }
    out
}
