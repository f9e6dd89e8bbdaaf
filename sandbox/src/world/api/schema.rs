//! The fields that the API server knows, as a table: which ones strict decoding refuses, which ones
//! pruning drops, and by which key a strategic merge patch merges two lists.

pub(crate) mod shape;

use crate::world::api::schema::shape::{Shape, TYPES, knows, unstructured_kind};
use serde_json::{Map, Number, Value};

/// The result of decoding.
#[derive(Debug, Default)]
pub(crate) struct Decoded {
    /// The paths of unknown fields, as strict decoding names them.
    pub(crate) unknown: Vec<String>,
    /// A value of a wrong type.
    pub(crate) mismatch: Option<Mismatch>,
}

/// A value of a wrong type, in the words of Go's JSON decoder and of the converter for strategic
/// merge patches. The decoder finds it in the order of the document, the converter in the order of
/// the type's fields.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Mismatch {
    pub(crate) decoder: String,
    pub(crate) converter: String,
    places: Vec<usize>,
}

/// Decodes like a typed server: removes unknown fields, nulls and zero values.
pub(crate) fn decode(kind: &str, object: &mut Value) -> Decoded {
    let mut decoded = Decoded::default();
    if let Some(map) = object.as_object_mut().filter(|_| knows(kind)) {
        decode_object(kind, map, &mut Path::default(), &mut decoded);
    }
    decoded
}

/// A path in two forms: with list indexes for strict decoding, without them for Go's decoder.
#[derive(Default)]
struct Path {
    indexed: String,
    plain: String,
    /// The positions of the fields in their types, and the indexes of items.
    places: Vec<usize>,
}

impl Path {
    fn field(&self, name: &str, place: usize) -> Path {
        let join = |base: &str| match base {
            "" => name.to_owned(),
            base => format!("{base}.{name}"),
        };
        Path {
            indexed: join(&self.indexed),
            plain: join(&self.plain),
            places: self.places.iter().copied().chain([place]).collect(),
        }
    }

    fn item(&self, index: usize) -> Path {
        Path {
            indexed: format!("{}[{index}]", self.indexed),
            plain: self.plain.clone(),
            places: self.places.iter().copied().chain([index]).collect(),
        }
    }
}

fn decode_object(kind: &str, map: &mut Map<String, Value>, path: &mut Path, found: &mut Decoded) {
    let Some(fields) = TYPES.get(kind) else {
        return;
    };
    let names: Vec<String> = map.keys().cloned().collect();
    for name in names {
        let Some((place, shape)) = fields.get(name.as_str()) else {
            found.unknown.push(path.field(&name, fields.len()).indexed);
            map.remove(&name);
            continue;
        };
        let inner = path.field(&name, *place);
        let Some(value) = map.get_mut(&name) else {
            continue;
        };
        if !value.is_null() {
            decode_field(kind, *shape, value, inner, found);
        }
        if is_zero(*shape, value) {
            map.remove(&name);
        }
    }
}

fn decode_field(owner: &str, shape: Shape, value: &mut Value, mut path: Path, found: &mut Decoded) {
    match (shape, value) {
        (Shape::Object(kind), Value::Object(map)) => decode_object(kind, map, &mut path, found),
        (Shape::List { item, .. }, Value::Array(items)) => {
            for (index, value) in items.iter_mut().enumerate() {
                if value.is_null() && item.is_some() {
                    *value = Value::Object(Map::new());
                }
                match (item, value) {
                    (Some(kind), Value::Object(map)) => {
                        decode_object(kind, map, &mut path.item(index), found);
                    }
                    (Some(kind), value) => {
                        mismatch(owner, Shape::Object(kind), value, &path, found);
                    }
                    (None, _) => {}
                }
            }
        }
        (Shape::TextMap, Value::Object(map)) => {
            let empty = map.values_mut().filter(|value| value.is_null());
            empty.for_each(|value| *value = "".into());
            let wrong = map
                .values_mut()
                .find(|value| !value.is_string() && !value.is_null());
            if let Some(wrong) = wrong {
                mismatch(owner, Shape::Text { pointer: false }, wrong, &path, found);
            }
        }
        (Shape::TextList { .. }, Value::Array(items)) => {
            if let Some(wrong) = items.iter().find(|item| !item.is_string()) {
                mismatch(owner, Shape::Text { pointer: false }, wrong, &path, found);
            }
        }
        (Shape::Any, _) | (Shape::AnyMap, Value::Object(_)) => {}
        (Shape::Text { .. }, Value::String(_)) | (Shape::Boolean { .. }, Value::Bool(_)) => {}
        (Shape::Integer { long, .. }, Value::Number(number)) if fits(number, long) => {}
        (shape, value) => mismatch(owner, shape, value, &path, found),
    }
}

fn fits(number: &Number, long: bool) -> bool {
    let value = number.as_i64();
    value.is_some_and(|value| long || i32::try_from(value).is_ok())
}

fn mismatch(owner: &str, shape: Shape, value: &Value, path: &Path, found: &mut Decoded) {
    let wanted = go_type(shape);
    let got = match (shape, value) {
        (Shape::Integer { .. }, Value::Number(number)) => format!("number {number}"),
        (_, value) => go_kind(value).to_owned(),
    };
    let kind = unstructured_kind(value);
    let new = Mismatch {
        places: path.places.clone(),
        decoder: format!(
            "json: cannot unmarshal {got} into Go struct field {owner}.{} of type {wanted}",
            path.plain
        ),
        converter: match shape {
            Shape::Object(_) => format!("cannot restore struct from: {kind}"),
            Shape::List { .. } | Shape::TextList { .. } => {
                format!("cannot restore slice from {kind}")
            }
            Shape::TextMap | Shape::AnyMap => format!("cannot restore map from {kind}"),
            Shape::Text { .. } | Shape::Integer { .. } | Shape::Boolean { .. } | Shape::Any => {
                // Go converts a whole number to text, and a fraction to a whole number.
                match (kind, wanted.as_str()) {
                    ("int64", "string") | ("float64", "int32" | "int64") => {
                        format!("cannot convert {kind} to {wanted}")
                    }
                    _ => format!("unrecognized type: {wanted}"),
                }
            }
        },
    };
    match &mut found.mismatch {
        None => found.mismatch = Some(new),
        Some(first) if new.places < first.places => {
            first.converter = new.converter;
            first.places = new.places;
        }
        Some(_) => {}
    }
}

/// Go's name for the type of a value.
pub(crate) fn go_kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn go_type(shape: Shape) -> String {
    match shape {
        Shape::Text { .. } => "string".to_owned(),
        Shape::Integer { long: false, .. } => "int32".to_owned(),
        Shape::Integer { long: true, .. } => "int64".to_owned(),
        Shape::Boolean { .. } => "bool".to_owned(),
        Shape::TextMap => "map[string]string".to_owned(),
        Shape::AnyMap => "map[string]interface {}".to_owned(),
        Shape::TextList { .. } => "[]string".to_owned(),
        Shape::List { item, .. } => item.map_or_else(
            || "[]interface {}".to_owned(),
            |item| format!("[]v1.{item}"),
        ),
        Shape::Object(kind) => format!("v1.{kind}"),
        Shape::Any => "interface {}".to_owned(),
    }
}

/// Whether Go's `omitempty` leaves the value out of the JSON.
fn is_zero(shape: Shape, value: &Value) -> bool {
    match (shape, value) {
        (_, Value::Null) => true,
        (Shape::Text { pointer: false }, Value::String(text)) => text.is_empty(),
        (Shape::Integer { pointer: false, .. }, Value::Number(number)) => {
            number.as_i64() == Some(0)
        }
        (Shape::Boolean { pointer: false }, Value::Bool(flag)) => !flag,
        (Shape::List { .. } | Shape::TextList { .. }, Value::Array(items)) => items.is_empty(),
        (Shape::TextMap | Shape::AnyMap, Value::Object(map)) => map.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
