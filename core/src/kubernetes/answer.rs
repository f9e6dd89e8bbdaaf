//! Parses responses of the API server without `metadata.managedFields`: that is more than half of a
//! small object, nothing here reads it, and a write does not need it.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>

use super::contact::JsonFault;
use crate::text::clip;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::fmt;

/// Reads an object, a list of objects or an event of a watch; `None` for anything else.
pub fn read(body: &[u8]) -> Option<Value> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = Place::Object.deserialize(&mut json).ok()?;
    json.end().ok()?;
    read.is_object().then_some(read)
}

/// Why a body is not the JSON that it should be; `None` where it is a text of another form.
pub fn fault(body: &[u8]) -> Option<JsonFault> {
    const MARKS: [&[u8]; 3] = [b"\xef\xbb\xbf", b"\xfe\xff", b"\xff\xfe"];
    if body.iter().all(u8::is_ascii_whitespace) {
        return Some(JsonFault::Empty);
    }
    if MARKS.iter().any(|mark| body.starts_with(mark)) {
        return Some(JsonFault::ByteOrderMark);
    }
    let is_object = body.trim_ascii_start().starts_with(b"{");
    let mut json = serde_json::Deserializer::from_slice(body);
    match Place::Object.deserialize(&mut json) {
        Ok(_) if json.end().is_ok() => Some(JsonFault::NoObject),
        Ok(_) if is_object => Some(JsonFault::Several),
        // The only fault of JSON that can be read which the reader itself finds.
        Err(error) if error.is_data() => Some(JsonFault::Repeated),
        Err(error) if error.is_eof() && is_object => Some(JsonFault::CutOff),
        Ok(_) | Err(_) => None,
    }
}

/// What stands at a place of an answer.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    /// An object, a list of objects, or an event with an object.
    Object,
    /// An object's metadata.
    Metadata,
    /// The objects of a list.
    Items,
    /// Any other value.
    Other,
}

impl Place {
    /// The position under a key; `None` for a value that is skipped.
    fn under(self, key: &str) -> Option<Place> {
        match (self, key) {
            (Place::Object, "metadata") => Some(Place::Metadata),
            (Place::Object, "items") => Some(Place::Items),
            (Place::Object, "object") => Some(Place::Object),
            (Place::Metadata, "managedFields") => None,
            _ => Some(Place::Other),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Place {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place {
    type Value = Value;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
        let mut read = Map::new();
        while let Some(key) = fields.next_key::<String>()? {
            match self.under(&key) {
                None => drop(fields.next_value::<IgnoredAny>()?),
                Some(place) => {
                    let value = fields.next_value_seed(place)?;
                    if read.insert(key, value).is_some() {
                        return Err(A::Error::custom("a field that is there twice"));
                    }
                }
            }
        }
        Ok(Value::Object(read))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let place = match self {
            Place::Items => Place::Object,
            Place::Object | Place::Metadata | Place::Other => Place::Other,
        };
        let mut read = Vec::new();
        while let Some(item) = items.next_element_seed(place)? {
            read.push(item);
        }
        Ok(Value::Array(read))
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }
}

/// How much of a refusal's message, or of a proxy's page, is kept. No report quotes more than a few
/// hundred characters, and the beginning says who refuses.
pub const MAX_ERROR_TEXT: usize = 64 * 1024;

/// How much of an unexpected response is quoted.
const EXCERPT: usize = 300;

/// The text of a body that is not JSON, in one line: a proxy's page without its tags. `mask`
/// redacts secrets.
pub fn excerpt(body: &[u8], mask: impl Fn(&str) -> String) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(MAX_ERROR_TEXT)]);
    // Redact before clipping and changing the text: afterwards a value might not be recognized.
    let text = mask(&text);
    let mut plain = String::new();
    let mut in_tag = false;
    for character in text.chars() {
        match character {
            '<' => in_tag = true,
            '>' if in_tag => {
                in_tag = false;
                plain.push(' ');
            }
            character if !in_tag => plain.push(character),
            _ => {}
        }
    }
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    clip(&words, EXCERPT)
}

#[cfg(test)]
mod tests;
