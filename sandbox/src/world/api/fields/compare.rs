//! What differs between two objects, by paths.

use crate::world::api::fields::set::Set;
use crate::world::api::fields::step::Step;
use crate::world::api::fields::types::{Atom, By, Fields, Type, atom};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

/// What differs between two objects.
#[derive(Clone, Debug, Default)]
pub(crate) struct Difference {
    pub(crate) removed: Set,
    pub(crate) modified: Set,
    pub(crate) added: Set,
}

impl Difference {
    /// What the second object has that the first does not have, or not so.
    pub(crate) fn written(&self) -> Set {
        self.modified.union(&self.added)
    }

    /// Without the paths of a set and all below them.
    pub(crate) fn without(&self, ignored: &Set) -> Difference {
        Difference {
            removed: self.removed.without(ignored),
            modified: self.modified.without(ignored),
            added: self.added.without(ignored),
        }
    }
}

/// Compares two objects of a type.
pub(crate) fn compare(of: &Type, old: &Value, new: &Value) -> Difference {
    let mut found = Difference::default();
    walk(of, Some(old), Some(new), &mut Vec::new(), &mut found);
    found
}

fn walk(
    of: &Type,
    old: Option<&Value>,
    new: Option<&Value>,
    path: &mut Vec<Step>,
    found: &mut Difference,
) {
    if old == new {
        return;
    }
    let at = atom(of, new.or(old));
    let is_leaf = match at {
        Atom::Scalar(_) | Atom::List(_, By::Whole) | Atom::Map(Fields { whole: true, .. }) => true,
        Atom::Map(_) => is_empty(old) && is_empty(new),
        Atom::List(..) => is_empty(old) && is_empty(new),
    };
    match (old, new) {
        (None, _) => found.added.insert(path),
        (_, None) => found.removed.insert(path),
        _ if is_leaf => found.modified.insert(path),
        _ => {}
    }
    if is_leaf {
        return;
    }
    match at {
        Atom::Map(fields) => walk_fields(fields, old, new, path, found),
        Atom::List(of, by) => walk_items(of, by, old, new, path, found),
        Atom::Scalar(_) => {}
    }
}

fn is_empty(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::Array(list)) => list.is_empty(),
        Some(Value::Object(map)) => map.is_empty(),
        Some(_) => false,
    }
}

fn walk_fields(
    fields: Fields<'_>,
    old: Option<&Value>,
    new: Option<&Value>,
    path: &mut Vec<Step>,
    found: &mut Difference,
) {
    let none = Map::new();
    let old = old.and_then(Value::as_object).unwrap_or(&none);
    let new = new.and_then(Value::as_object).unwrap_or(&none);
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        if let Some(of) = fields.of(name) {
            path.push(Step::Field(name.clone()));
            walk(of, old.get(name), new.get(name), path, found);
            path.pop();
        }
    }
}

fn walk_items(
    of: &Type,
    by: &By,
    old: Option<&Value>,
    new: Option<&Value>,
    path: &mut Vec<Step>,
    found: &mut Difference,
) {
    let (old, new) = (by_step(of, by, old), by_step(of, by, new));
    let steps: BTreeSet<&Step> = old.keys().chain(new.keys()).collect();
    for step in steps {
        let items = |of: &'_ BTreeMap<Step, Vec<_>>| of.get(step).cloned().unwrap_or_default();
        path.push(step.clone());
        match (items(&old).as_slice(), items(&new).as_slice()) {
            (left @ ([] | [_]), right @ ([] | [_])) => {
                walk(
                    of,
                    left.first().copied(),
                    right.first().copied(),
                    path,
                    found,
                );
            }
            ([_, _, ..], []) => found.removed.insert(path),
            ([_, _, ..], [right]) => {
                walk(of, None, Some(right), path, found);
                found.removed.insert(path);
            }
            ([], [_, _, ..]) => found.added.insert(path),
            ([left], [_, _, ..]) => {
                walk(of, Some(left), None, path, found);
                found.added.insert(path);
            }
            (left, right) if left != right => found.modified.insert(path),
            _ => {}
        }
        path.pop();
    }
}

fn by_step<'a>(of: &Type, by: &By, list: Option<&'a Value>) -> BTreeMap<Step, Vec<&'a Value>> {
    let mut found: BTreeMap<Step, Vec<&Value>> = BTreeMap::new();
    for item in list.and_then(Value::as_array).into_iter().flatten() {
        if let Ok(step) = Step::to_item(of, by, item) {
            found.entry(step).or_default().push(item);
        }
    }
    found
}
