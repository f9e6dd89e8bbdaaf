//! Takes fields out of an object.

use crate::world::api::fields::set::Set;
use crate::world::api::fields::step::Step;
use crate::world::api::fields::types::{Atom, By, Fields, Type, atom};
use serde_json::{Map, Value};

/// The object without the paths of a set and all below them.
pub(crate) fn without(of: &Type, value: &Value, set: &Set) -> Value {
    kept(of, value, set).unwrap_or(Value::Null)
}

/// What is left; none where nothing is.
fn kept(of: &Type, value: &Value, set: &Set) -> Option<Value> {
    match (atom(of, Some(value)), value) {
        (Atom::Scalar(_), value) => Some(value.clone()),
        (Atom::Map(Fields { whole: true, .. }) | Atom::List(_, By::Whole), _) => None,
        (Atom::Map(fields), Value::Object(map)) => {
            let mut out = Map::new();
            let mut touched = false;
            for (name, value) in map {
                let step = Step::Field(name.clone());
                if set.has(&step) {
                    continue;
                }
                let value = match (set.after(&step), fields.of(name)) {
                    (Some(inner), Some(of)) => {
                        touched = true;
                        kept(of, value, inner).unwrap_or_else(|| emptied(value))
                    }
                    _ => value.clone(),
                };
                out.insert(name.clone(), value);
            }
            (!out.is_empty() || touched).then_some(Value::Object(out))
        }
        (Atom::List(of, by), Value::Array(list)) => {
            let mut out = Vec::new();
            let mut touched = false;
            for item in list {
                let step = Step::to_item(of, by, item).ok();
                if step.as_ref().is_some_and(|step| set.has(step)) {
                    continue;
                }
                let inner = step.and_then(|step| set.after(&step));
                out.push(match inner {
                    Some(inner) => {
                        touched = true;
                        kept(of, item, inner).unwrap_or_else(|| emptied(item))
                    }
                    None => item.clone(),
                });
            }
            (!out.is_empty() || touched).then_some(Value::Array(out))
        }
        (Atom::Map(_) | Atom::List(..), _) => None,
    }
}

/// A container whose content is gone stays as an empty one.
fn emptied(value: &Value) -> Value {
    match value {
        Value::Array(_) => Value::Array(Vec::new()),
        Value::Object(_) => Value::Object(Map::new()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Value::Null,
    }
}
