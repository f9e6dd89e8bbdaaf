//! Finds faults in JSON that its readers ignore silently.

use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::collections::BTreeSet;
use std::fmt;

/// The first duplicate field of an object, at any depth, in one or several JSON documents. JSON
/// readers silently use the last one, so a text that closes its string could choose the image.
pub fn repeated(text: &str) -> Option<String> {
    let mut names = Names::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    loop {
        names.path.clear();
        // The text is known to be valid JSON.
        if names.deserialize(&mut reader).is_err() || reader.end().is_ok() {
            return names.found;
        }
    }
}

/// What is wrong with a text that is not valid JSON, without its place.
pub fn problem(error: &serde_json::Error) -> String {
    let what = error.to_string();
    let what = what.split(" at line ").next().unwrap_or_default();
    match what {
        "EOF while parsing a string" => "the text ends inside a string",
        eof if eof.starts_with("EOF") => "the text ends too early",
        "recursion limit exceeded" => "it is nested too deeply",
        "unexpected end of hex escape" | "lone leading surrogate in hex escape" => HALF,
        control if control.starts_with("control character") => {
            "a line break or another control character is inside a string"
        }
        what => what,
    }
    .to_owned()
}

/// A surrogate without the other one of its pair.
pub const HALF: &str =
    "a `\\u` escape is one half of a character, and the other half is not beside it";

/// Whether a text begins with a comment, in one of the ways of other languages.
pub fn is_comment(text: &str) -> bool {
    text.starts_with("//")
        || text.starts_with("/*")
        || text.starts_with('#') && !text.starts_with("#{")
}

/// Reads any JSON only for its objects' field names. One path is shared by all values: with a copy
/// for each item, a long name before a long list would take minutes.
#[derive(Default)]
struct Names {
    path: String,
    found: Option<String>,
}

impl<'de> DeserializeSeed<'de> for &mut Names {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, reader: D) -> Result<(), D::Error> {
        reader.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for &mut Names {
    type Value = ();

    fn expecting(&self, text: &mut fmt::Formatter<'_>) -> fmt::Result {
        text.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        let mut names = BTreeSet::new();
        let length = self.path.len();
        while let Some(name) = fields.next_key::<String>()? {
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(&name);
            if !names.insert(name) {
                self.found.get_or_insert_with(|| self.path.clone());
            }
            fields.next_value_seed(&mut *self)?;
            self.path.truncate(length);
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while items.next_element_seed(&mut *self)?.is_some() {}
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }
}
