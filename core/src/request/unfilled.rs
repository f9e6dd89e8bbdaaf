//! Finds CodePipeline variables that were not filled in, in any string of the parameters.

use super::checks::{NOT_FILLED_IN, unresolved, variable};
use super::fields::Check;
use crate::problem::Fault;
use crate::request::place::place_of;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

impl Check<'_> {
    /// Checks all strings for unfilled variables, not only the fields that are checked one by one.
    /// Such a value has no other fault that is worth telling.
    pub(super) fn unfilled(&mut self) {
        let found = unfilled(&self.fields);
        // A field with parts is not told beside the part that has it.
        let is_part = |part: &Fault, whole: &Fault| {
            let rest = part.field.strip_prefix(whole.field.as_str());
            rest.is_some_and(|rest| rest.starts_with(['.', '[']))
        };
        self.faults.retain(|fault| {
            let is_told = found.iter().any(|part| is_part(part, fault));
            !(is_told && fault.problem.contains(NOT_FILLED_IN))
        });
        let places = self.faults.iter().enumerate();
        let places = places.map(|(place, fault)| (fault.field.clone(), place));
        let places = places.collect::<BTreeMap<_, _>>();
        for fault in found {
            match places.get(&fault.field) {
                None => self.faults.push(fault),
                Some(place) if self.faults[*place].problem.contains(NOT_FILLED_IN) => {}
                Some(place) => self.faults[*place] = fault,
            }
        }
    }
}

/// Finds each `#{namespace.name}` that CodePipeline did not fill in, in values and names. The
/// message shows only the variable, not the rest of the value.
fn unfilled(fields: &Map<String, Value>) -> Vec<Fault> {
    let mut faults = Vec::new();
    for (name, value) in fields {
        field(name, value, name.clone(), &mut faults);
    }
    faults
}

/// The JSON reader limits the depth of the parameters.
fn field(name: &str, value: &Value, path: String, faults: &mut Vec<Fault>) {
    if let Some(variable) = variable(name) {
        faults.push(Fault::new(path.clone(), unresolved(variable)));
    }
    walk(value, path, faults);
}

fn walk(value: &Value, path: String, faults: &mut Vec<Fault>) {
    match value {
        Value::String(text) => {
            if let Some(variable) = variable(text) {
                faults.push(Fault::new(path, unresolved(variable)));
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, format!("{path}[{}]", place_of(item, index)), faults);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                field(name, value, format!("{path}.{name}"), faults);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
