//! Cleans an object as a typed API server does when it decodes it.

use crate::world::api::fields::types::{Atom, Type, atom};
use serde_json::{Map, Value};

/// Drops unknown fields, nulls, and empty maps and lists; returns the paths of unknown fields.
pub(crate) fn tidy(of: &Type, object: &mut Value) -> Vec<String> {
    let mut unknown = Vec::new();
    clean(of, object, "", &mut unknown);
    unknown
}

fn clean(of: &Type, value: &mut Value, path: &str, unknown: &mut Vec<String>) {
    if matches!(of, Type::Any { .. }) {
        return;
    }
    match (atom(of, Some(value)), value) {
        (Atom::Map(fields), Value::Object(map)) => {
            for (name, mut value) in std::mem::take(map) {
                let path = match path {
                    "" => name.clone(),
                    path => format!("{path}.{name}"),
                };
                let Some(of) = fields.of(&name) else {
                    unknown.push(path);
                    continue;
                };
                clean(of, &mut value, &path, unknown);
                if !is_left_out(of, &value) {
                    map.insert(name, value);
                }
            }
        }
        (Atom::List(of, _), Value::Array(list)) => {
            for (index, item) in list.iter_mut().enumerate() {
                clean(of, item, &format!("{path}[{index}]"), unknown);
            }
        }
        (Atom::Map(_) | Atom::List(..) | Atom::Scalar(_), _) => {}
    }
}

/// Whether Go leaves a value out: an empty struct stays, it may say something.
fn is_left_out(of: &Type, value: &Value) -> bool {
    match (of, value) {
        (_, Value::Null) => true,
        (Type::List { .. }, Value::Array(list)) => list.is_empty(),
        (Type::Map { .. }, Value::Object(map)) => Map::is_empty(map),
        _ => false,
    }
}
