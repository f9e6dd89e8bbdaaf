//! Finds CodePipeline variables that were not filled in, in any string of the parameters.

use super::checks::NOT_FILLED_IN;
use super::fields::Check;
use crate::problem::Fault;
use crate::request::document::place_of;
use serde_json::{Map, Value};
use std::collections::BTreeMap;

impl Check<'_> {
    /// Checks all strings for unfilled variables, not only the fields that are checked one by one.
    /// Such a value has no other fault that is worth telling.
    pub(super) fn unfilled(&mut self) {
        let places = self.faults.iter().enumerate();
        let places = places.map(|(place, fault)| (fault.field.clone(), place));
        let places = places.collect::<BTreeMap<_, _>>();
        for fault in unfilled(&self.fields) {
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
        faults.push(Fault::new(path.clone(), problem(variable)));
    }
    walk(value, path, faults);
}

fn walk(value: &Value, path: String, faults: &mut Vec<Fault>) {
    match value {
        Value::String(text) => {
            if let Some(variable) = variable(text) {
                faults.push(Fault::new(path, problem(variable)));
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

fn problem(variable: &str) -> String {
    format!(
        "has a variable that {NOT_FILLED_IN}: `{variable}`. The action that gives it needs a \
         `namespace` and must come earlier in the pipeline"
    )
}

/// The first `#{namespace.name}` in a text: both parts have letters, digits, `_`, `-` and `@`.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html>
pub(super) fn variable(text: &str) -> Option<&str> {
    let is_part = |part: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_-@".contains(&byte);
        !part.is_empty() && part.bytes().all(inner)
    };
    text.match_indices("#{").find_map(|(start, _)| {
        let length = text[start..].find('}')?;
        let inner = text[start + 2..start + length].split_once('.');
        let is_variable = inner.is_some_and(|(space, name)| is_part(space) && is_part(name));
        is_variable.then(|| &text[start..=start + length])
    })
}
