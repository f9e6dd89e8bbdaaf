//! Finds values of the wrong type in a manifest. The API server refuses them in Go's terms without
//! a position; here the message has the path, before anything is sent.
//!
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>

mod schema;

use super::appearance::glued;
use super::checks::kind;
use crate::kubernetes::quantity;
use crate::problem::Fault;
use crate::request::image::shown;
use crate::request::place::place_of;
use crate::text::placeholder;
use schema::{Type, WORKLOAD};
use serde_json::Value;

/// How many values a message lists.
const TOLD: usize = 20;

/// Finds each value of the wrong type in a Deployment, or an object with the same fields. `name` is
/// what faults call it.
pub(super) fn wrong_types(manifest: &Value, name: &str) -> Vec<Fault> {
    let mut faults = Vec::new();
    check(manifest, WORKLOAD, &mut name.to_owned(), &mut faults);
    faults
}

/// The depth was limited when the manifest was read.
fn check(value: &Value, expected: Type, path: &mut String, faults: &mut Vec<Fault>) {
    if value.is_null() || faults.len() >= TOLD {
        return;
    }
    if !fits(expected, value) {
        faults.push(Fault::new(path.as_str(), problem(expected, value)));
        return;
    }
    let length = path.len();
    let mut inner = |step: String, value: &Value, expected: Option<Type>| {
        if let Some(expected) = expected {
            path.push_str(&step);
            check(value, expected, path, faults);
            path.truncate(length);
        }
    };
    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
        let step = format!("[{}]", place_of(item, index));
        inner(step, item, expected.item());
    }
    for (name, value) in value.as_object().into_iter().flatten() {
        inner(format!(".{name}"), value, expected.field(name));
    }
}

fn fits(expected: Type, value: &Value) -> bool {
    let is_whole = value.is_i64() || value.is_u64();
    match expected {
        Type::Text | Type::Secret => value.is_string(),
        Type::Whole => is_whole,
        Type::Flag => value.is_boolean(),
        Type::WholeOrText => is_whole || value.is_string(),
        Type::Amount => value.is_number() || value.as_str().and_then(quantity::read).is_some(),
        Type::List(_) => value.is_array(),
        Type::Map(_) | Type::Object(_) => value.is_object(),
        Type::Anywhere(_) => true,
    }
}

fn problem(expected: Type, value: &Value) -> String {
    let is_secret = matches!(expected, Type::Secret);
    let is_text = is_secret || matches!(expected, Type::Text);
    let is = match value {
        // YAML may have read a word as a boolean; the file's author can see which.
        Value::Bool(_) if is_secret => "true or false".to_owned(),
        Value::Number(_) if is_secret => "a number".to_owned(),
        Value::Bool(is) => is.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if matches!(expected, Type::Amount) => format!("`{}`", shown(text)),
        Value::String(text) if text.contains(placeholder::VARIABLE) => {
            "a text, as a filled `${…}` always is".into()
        }
        other @ (Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
            kind(other).to_owned()
        }
    };
    let how = match (expected, value) {
        (_, Value::Bool(_)) if is_text => {
            ": put it in quotes. Without them YAML reads `yes`, `no`, `on`, `off`, `y` and `n` as \
             true and false"
        }
        (_, Value::Number(_)) if is_text => ": put it in quotes",
        (_, Value::Object(_)) if is_text => {
            ": put it in quotes where it is a text with `: ` in it, which YAML takes for a field"
        }
        (Type::Whole | Type::Flag, Value::String(_)) => ": leave the quotes out",
        (Type::List(_), Value::Object(_)) => ": begin each entry with `- `",
        (Type::List(Type::Text), Value::String(_)) => ": write [\"…\"]",
        (_, Value::String(text)) if glued(text).is_some() => {
            ": a space is missing after the colon of a field in it"
        }
        _ => "",
    };
    let must = match expected {
        Type::Text | Type::Secret => "text",
        Type::Whole => "a whole number",
        Type::Flag => "true or false",
        Type::WholeOrText => "a whole number or text",
        Type::Amount => "an amount such as 1, \"500m\" or \"512Mi\"",
        Type::List(Type::Text) => "a list of texts",
        Type::List(Type::Whole) => "a list of whole numbers",
        Type::List(_) => "a list",
        Type::Map(Type::Text) => "an object of texts",
        Type::Map(Type::Amount) => "an object of amounts",
        Type::Map(_) | Type::Object(_) | Type::Anywhere(_) => "an object",
    };
    format!("must be {must}, and is {is}{how}")
}

#[cfg(test)]
mod tests;
