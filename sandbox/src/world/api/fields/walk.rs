//! Walks an object by its type: which fields it has, and whether they fit.

use crate::world::api::fields::set::Set;
use crate::world::api::fields::step::Step;
use crate::world::api::fields::types::{Atom, By, Fields, Scalar, Type, atom};
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// A value that does not fit its type: the path, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Misfit {
    pub(crate) path: String,
    pub(crate) why: String,
}

/// Misfits in the words of the API server.
pub(crate) fn told(misfits: &[Misfit]) -> String {
    let tell = |misfit: &Misfit| match misfit.path.as_str() {
        "" => misfit.why.clone(),
        path => format!("{path}: {}", misfit.why),
    };
    match misfits {
        [one] => tell(one),
        many => {
            let lines = many.iter().map(|misfit| format!("\n  {}", tell(misfit)));
            format!("errors:{}", lines.collect::<String>())
        }
    }
}

/// What in an applied object does not fit its type.
pub(crate) fn misfits(of: &Type, value: &Value) -> Vec<Misfit> {
    let mut found = Vec::new();
    check(of, value, "", &mut found);
    found
}

fn check(of: &Type, value: &Value, path: &str, found: &mut Vec<Misfit>) {
    if value.is_null() {
        return;
    }
    let mut wrong = |why: String| {
        found.push(Misfit {
            path: path.to_owned(),
            why,
        });
    };
    match (atom(of, Some(value)), value) {
        (Atom::Scalar(scalar), value) => {
            if let Some(why) = misfit_of(scalar, value) {
                wrong(why);
            }
        }
        (Atom::Map(fields), Value::Object(map)) => {
            for (name, value) in map {
                let path = format!("{path}.{name}");
                let Some(of) = fields.of(name) else {
                    // The server looks no further in this object.
                    let why = "field not declared in schema".to_owned();
                    return found.push(Misfit { path, why });
                };
                check(of, value, &path, found);
            }
        }
        (Atom::List(of, by), Value::Array(list)) => check_items(of, by, list, path, found),
        (Atom::Map(_), value) => wrong(format!("expected map, got &{{{}}}", printed(value))),
        (Atom::List(..), value) => wrong(format!("expected list, got &{{{}}}", printed(value))),
    }
}

fn check_items(of: &Type, by: &By, list: &[Value], path: &str, found: &mut Vec<Misfit>) {
    let mut seen = BTreeSet::new();
    for (index, item) in list.iter().enumerate() {
        let name = if *by == By::Whole {
            format!("[{index}]")
        } else {
            let step = match Step::to_item(of, by, item) {
                Ok(step) => step,
                Err(why) => {
                    let (path, why) = (path.to_owned(), format!("element {index}: {why}"));
                    return found.push(Misfit { path, why });
                }
            };
            let name = step.to_string();
            if !seen.insert(step) {
                let (path, why) = (path.to_owned(), format!("duplicate entries for key {name}"));
                found.push(Misfit { path, why });
            }
            name
        };
        check(of, item, &format!("{path}{name}"), found);
    }
}

/// Prints a value like Go's `%v`.
fn printed(value: &Value) -> String {
    crate::world::api::patch::go(value)
}

/// Prints a value like Go's `%#v`.
fn spelled(value: &Value) -> String {
    match value {
        Value::Object(map) => {
            let fields = map
                .iter()
                .map(|(name, value)| format!("{name:?}:{}", spelled(value)));
            let fields: Vec<String> = fields.collect();
            format!("map[string]interface {{}}{{{}}}", fields.join(", "))
        }
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(spelled).collect();
            format!("[]interface {{}}{{{}}}", items.join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.to_string(),
    }
}

fn misfit_of(scalar: Scalar, value: &Value) -> Option<String> {
    let go = match value {
        Value::Bool(_) => "bool",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
        Value::Null => "<nil>",
        Value::Number(number) if number.is_f64() => "float64",
        Value::Number(_) => "int64",
    };
    match (scalar, value) {
        (Scalar::Text, Value::String(_)) | (Scalar::Flag, Value::Bool(_)) => None,
        (Scalar::Number, Value::Number(_)) => None,
        (Scalar::Any, Value::String(_) | Value::Bool(_) | Value::Number(_)) => None,
        (Scalar::Number, _) => Some(format!("expected numeric (int or float), got {go}")),
        (Scalar::Text, value) => {
            let value = spelled(value);
            Some(format!(
                "expected string, got &value.valueUnstructured{{Value:{value}}}"
            ))
        }
        (Scalar::Flag, value) => Some(format!("expected boolean, got &{{{}}}", printed(value))),
        (Scalar::Any, value) => Some(format!("expected any scalar, got &{{{}}}", printed(value))),
    }
}

/// The fields that an object has.
pub(crate) fn fields_of(of: &Type, value: &Value) -> Set {
    let mut set = Set::default();
    gather(of, value, &mut Vec::new(), &mut set);
    set
}

fn gather(of: &Type, value: &Value, path: &mut Vec<Step>, set: &mut Set) {
    match (atom(of, Some(value)), value) {
        (Atom::Map(Fields { whole: true, .. }), _) | (Atom::Scalar(_), _) => set.insert(path),
        (Atom::List(_, By::Whole), _) => set.insert(path),
        (Atom::Map(fields), Value::Object(map)) => {
            for (name, value) in map {
                path.push(Step::Field(name.clone()));
                if let Some(of) = fields.of(name) {
                    gather(of, value, path, set);
                }
                let is_empty = value.is_null() || value.as_object().is_some_and(Map::is_empty);
                if is_empty || fields.named(name).is_none() {
                    set.insert(path);
                }
                path.pop();
            }
        }
        (Atom::List(of, by), Value::Array(list)) => {
            let steps: Vec<Option<Step>> = list
                .iter()
                .map(|item| Step::to_item(of, by, item).ok())
                .collect();
            for (step, item) in steps.iter().zip(list) {
                let Some(step) = step else { continue };
                let twice = steps.iter().filter(|other| other.as_ref() == Some(step));
                path.push(step.clone());
                if twice.count() == 1 {
                    gather(of, item, path, set);
                }
                set.insert(path);
                path.pop();
            }
        }
        (Atom::Map(_) | Atom::List(..), _) => {}
    }
}
