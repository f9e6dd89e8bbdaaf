//! Finds the position in a manifest that the API server refuses without naming it.

use crate::request::place::place_of;
use serde_json::Value;

/// How many positions a message lists.
const TOLD: usize = 5;

/// The paths of the values that a refusal may mean: the API server names a field's type in Go's
/// terms, but neither the container nor the variable. `None` for other refusals.
/// <https://pkg.go.dev/encoding/json#UnmarshalTypeError>
pub fn located(said: &str, manifest: &Value) -> Option<String> {
    let said = said.split_once("cannot unmarshal ")?.1;
    let (found, said) = said.split_once(" into Go struct field ")?;
    let (field, expected) = said.split_once(" of type ")?;
    let found = found.split_whitespace().next()?;
    let expected = expected.split([',', '"', ';']).next()?.trim();
    // The name of the Go struct comes first.
    let fields = field.split('.').skip(1).collect::<Vec<_>>();
    let mut places = Vec::new();
    find(manifest, &fields, found, "manifest".to_owned(), &mut places);
    let shown = places.iter().take(TOLD).map(|place| format!("`{place}`"));
    let shown = shown.collect::<Vec<_>>().join(", ");
    let more = match places.len().saturating_sub(TOLD) {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    let quotes = match (found, expected) {
        ("number" | "bool", "string") => ": put it in quotes",
        ("string", _) if expected.starts_with(['i', 'u', 'b', 'f']) => ": leave the quotes out",
        _ => "",
    };
    (!places.is_empty()).then(|| format!("It means {shown}{more}{quotes}."))
}

/// The depth was limited when the manifest was read.
fn find(value: &Value, fields: &[&str], kind: &str, path: String, places: &mut Vec<String>) {
    if let Value::Array(items) = value
        && !(fields.is_empty() && kind == "array")
    {
        for (index, item) in items.iter().enumerate() {
            let path = format!("{path}[{}]", place_of(item, index));
            find(item, fields, kind, path, places);
        }
        return;
    }
    match fields.split_first() {
        Some((first, rest)) => {
            if let Some(inner) = value.get(*first) {
                find(inner, rest, kind, format!("{path}.{first}"), places);
            }
        }
        None if word(value) == kind => places.push(path),
        // For a map the server only names the field.
        None => {
            let entries = value.as_object().into_iter().flatten();
            let wrong = entries.filter(|(_, entry)| word(entry) == kind);
            places.extend(wrong.map(|(name, _)| format!("{path}.{name}")));
        }
    }
}

/// Go's name for the type of a JSON value.
fn word(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

#[cfg(test)]
mod tests;
