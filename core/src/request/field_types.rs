//! Finds values of the wrong type in a manifest. The API server refuses them in Go's terms without
//! a position; here the message has the path, before anything is sent.
//!
//! <https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/>

mod schema;

use super::appearance::glued;
use super::checks::kind;
use crate::problem::Fault;
use crate::request::image::shown;
use crate::request::place::place_of;
use crate::text::placeholder;
use schema::{Type, field_type};
use serde_json::Value;

/// How many values a message lists.
const TOLD: usize = 20;

/// Finds each value of the wrong type in a Deployment, or an object with the same fields. `name` is
/// what faults call it.
pub(super) fn wrong_types(manifest: &Value, name: &str) -> Vec<Fault> {
    let mut found = Found {
        faults: Vec::new(),
        fields: Vec::new(),
    };
    found.value(manifest, &mut name.to_owned());
    found.faults
}

struct Found<'a> {
    faults: Vec<Fault>,
    /// The names of the fields that lead to a value, without list indexes.
    fields: Vec<&'a str>,
}

impl<'a> Found<'a> {
    /// The depth was limited when the manifest was read.
    fn value(&mut self, value: &'a Value, path: &mut String) {
        if value.is_null() || self.faults.len() >= TOLD {
            return;
        }
        if let Some(expected) = field_type(&self.fields)
            && !self.fits(expected, value, path)
        {
            return;
        }
        let length = path.len();
        match value {
            Value::Array(items) => {
                for (index, item) in items.iter().enumerate() {
                    path.push_str(&format!("[{}]", place_of(item, index)));
                    self.fields.push("[]");
                    self.value(item, path);
                    self.fields.pop();
                    path.truncate(length);
                }
            }
            Value::Object(fields) => {
                for (name, value) in fields {
                    path.push('.');
                    path.push_str(name);
                    self.fields.push(name);
                    self.value(value, path);
                    self.fields.pop();
                    path.truncate(length);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// Whether a value has a type; its own content is checked, too.
    fn fits(&mut self, expected: Type, value: &Value, path: &str) -> bool {
        let whole = |value: &Value| value.is_i64() || value.is_u64();
        let fits = match expected {
            Type::Text => value.is_string(),
            Type::Whole => whole(value),
            Type::Flag => value.is_boolean(),
            Type::WholeOrText => whole(value) || value.is_string(),
            Type::Amount => value.is_number() || value.as_str().is_some_and(is_amount),
            Type::List | Type::Texts | Type::Wholes => value.is_array(),
            Type::Object | Type::TextMap | Type::AmountMap => value.is_object(),
        };
        if !fits {
            let is_secret = self.fields.ends_with(&["env", "[]", "value"]);
            let problem = problem(expected, value, is_secret);
            self.faults.push(Fault::new(path, problem));
            return false;
        }
        let inner = match expected {
            Type::Texts | Type::TextMap => Type::Text,
            Type::Wholes => Type::Whole,
            Type::AmountMap => Type::Amount,
            Type::Text
            | Type::Whole
            | Type::Flag
            | Type::WholeOrText
            | Type::Amount
            | Type::List
            | Type::Object => return true,
        };
        let items = value.as_array().into_iter().flatten().enumerate();
        let items = items.map(|(index, item)| (format!("{path}[{index}]"), item));
        let entries = value.as_object().into_iter().flatten();
        let entries = entries.map(|(name, entry)| (format!("{path}.{name}"), entry));
        for (path, item) in items.chain(entries) {
            if !item.is_null() && self.faults.len() < TOLD {
                self.fits(inner, item, &path);
            }
        }
        // The content is not checked again.
        false
    }
}

/// Whether a text is a Kubernetes quantity. Placeholders are already filled or reported.
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/>
fn is_amount(text: &str) -> bool {
    const SUFFIXES: [&str; 15] = [
        "", "n", "u", "m", "k", "M", "G", "T", "P", "E", "Ki", "Mi", "Gi", "Ti", "Pi",
    ];
    let text = text.strip_prefix(['+', '-']).unwrap_or(text);
    let end = text.find(|c: char| !(c.is_ascii_digit() || c == '.'));
    let (number, suffix) = text.split_at(end.unwrap_or(text.len()));
    let exponent = suffix.strip_prefix(['e', 'E']);
    let is_exponent = exponent.is_some_and(|exponent| {
        let digits = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
        !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
    });
    let is_number = number.bytes().any(|byte| byte.is_ascii_digit());
    let is_suffix = SUFFIXES.contains(&suffix) || suffix == "Ei" || is_exponent;
    is_number && number.matches('.').count() <= 1 && is_suffix
}

fn problem(expected: Type, value: &Value, is_secret: bool) -> String {
    let is = match value {
        // YAML may have read a word as a boolean; the file's author can see which.
        Value::Bool(_) if is_secret => "true or false".to_owned(),
        Value::Number(_) if is_secret => "a number".to_owned(),
        Value::Bool(is) => is.to_string(),
        Value::Number(number) => format!("the number {number}"),
        Value::String(text) if expected == Type::Amount => format!("`{}`", shown(text)),
        Value::String(text) if text.contains(placeholder::VARIABLE) => {
            "a text, as a filled `${…}` always is".into()
        }
        other @ (Value::Null | Value::String(_) | Value::Array(_) | Value::Object(_)) => {
            kind(other).to_owned()
        }
    };
    let how = match (expected, value) {
        (Type::Text, Value::Bool(_)) => {
            ": put it in quotes. Without them YAML reads `yes`, `no`, `on`, `off`, `y` and `n` as \
             true and false"
        }
        (Type::Text, Value::Number(_)) => ": put it in quotes",
        (Type::Text, Value::Object(_)) => {
            ": put it in quotes where it is a text with `: ` in it, which YAML takes for a field"
        }
        (Type::Whole | Type::Flag, Value::String(_)) => ": leave the quotes out",
        (Type::List, Value::Object(_)) => ": begin each entry with `- `",
        (Type::Texts, Value::String(_)) => ": write [\"…\"]",
        (_, Value::String(text)) if glued(text).is_some() => {
            ": a space is missing after the colon of a field in it"
        }
        _ => "",
    };
    let must = match expected {
        Type::Text => "text",
        Type::Whole => "a whole number",
        Type::Flag => "true or false",
        Type::WholeOrText => "a whole number or text",
        Type::Amount => "an amount such as 1, \"500m\" or \"512Mi\"",
        Type::List => "a list",
        Type::Texts => "a list of texts",
        Type::Wholes => "a list of whole numbers",
        Type::Object => "an object",
        Type::TextMap => "an object of texts",
        Type::AmountMap => "an object of amounts",
    };
    format!("must be {must}, and is {is}{how}")
}

#[cfg(test)]
mod tests;
