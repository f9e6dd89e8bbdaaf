//! The text of the user parameters: one JSON object, or where it breaks and why.

use super::Fault;
use crate::job::Parameters;
use serde::de::{DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::collections::BTreeSet;
use std::fmt;

/// How many characters around a syntax error are shown.
pub(super) const EXCERPT: usize = 30;

/// The parameters as an object, or what keeps them from being one.
pub(super) fn object(parameters: &Parameters) -> Result<Map<String, Value>, Fault> {
    let fault = |problem: String| Fault::new("UserParameters", problem);
    let text = match parameters {
        Parameters::Absent => {
            return Err(fault(format!("are missing. Give at least {EXAMPLE}")));
        }
        Parameters::Object(fields) => return Ok(fields.clone()),
        Parameters::Text(text) => text,
    };
    match serde_json::from_str(text) {
        Ok(Value::Object(fields)) => match repeated(text) {
            None => Ok(fields),
            Some(field) => Err(fault(format!(
                "have `{field}` twice. Where a #{{variable}} stands in them, its value may have \
                 brought quotes and fields of its own: use variables only whose values nobody \
                 else can write, such as a commit id"
            ))),
        },
        Ok(_) => Err(fault(format!(
            "must be one JSON object such as {EXAMPLE}, and are `{}`",
            excerpt(text, 0)
        ))),
        Err(_) if !text.trim_start().starts_with('{') => Err(fault(format!(
            "must be one JSON object such as {EXAMPLE}; they begin with `{}`",
            excerpt(text, 0)
        ))),
        Err(error) => Err(fault(syntax(text, &error))),
    }
}

/// The first field that an object has twice, at any depth, in one or several JSON documents. JSON
/// readers take the last one in silence, so that a text that closes its string could choose the
/// image.
pub fn repeated(text: &str) -> Option<String> {
    let mut names = Names::default();
    let mut reader = serde_json::Deserializer::from_str(text);
    loop {
        names.path.clear();
        // That it is JSON has been seen before.
        if names.deserialize(&mut reader).is_err() || reader.end().is_ok() {
            return names.found;
        }
    }
}

/// Reads any JSON for its objects' names alone. The path is one for all that is read: a copy for
/// each item would make a long name before a long list take minutes.
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

const EXAMPLE: &str = r#"{"deployment": "web", "images": {"web": "registry/web:1.2.3"}}"#;

/// Says where the JSON breaks, and what most often breaks it.
fn syntax(text: &str, error: &serde_json::Error) -> String {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    // Column 0 is the line break that ends the line before.
    let position = (line_start + error.column()).saturating_sub(1);
    let position = position.min(text.len());
    let what = error.to_string();
    let what = match what.split(" at line ").next().unwrap_or_default() {
        control if control.starts_with("control character") => {
            "a line break or another control character is inside a string"
        }
        what => what,
    };
    let character = text
        .char_indices()
        .take_while(|(start, _)| *start < position)
        .count();
    let help = if what.contains("trailing comma") {
        "There is a comma too many"
    } else if text
        .get(position..)
        .is_some_and(|rest| rest.starts_with('\''))
    {
        "JSON takes double quotes"
    } else {
        SUBSTITUTION
    };
    format!(
        "are not valid JSON. At character {}, the arrow in `{}`: {what}. {help}",
        character + 1,
        excerpt(text, position)
    )
}

/// What most often breaks the JSON of an action.
const SUBSTITUTION: &str = "CodePipeline puts the value of a #{variable} into the text as it is \
    and escapes nothing: a quote, a backslash or a line break in a value (a commit message, say) \
    breaks the JSON. Use variables whose values have none of them, such as a commit id";

/// The surroundings of a place in a text, in one line, with an arrow before it.
pub(super) fn excerpt(text: &str, position: usize) -> String {
    let position = (0..=position.min(text.len()))
        .rev()
        .find(|place| text.is_char_boundary(*place))
        .unwrap_or(0);
    let (before, after) = text.split_at(position);
    let skipped = before.chars().count().saturating_sub(EXCERPT);
    let head = before.chars().skip(skipped).collect::<String>();
    let tail = after.chars().take(EXCERPT).collect::<String>();
    let arrow = if position > 0 { "→" } else { "" };
    let start = if skipped > 0 { "…" } else { "" };
    let end = if after.chars().count() > EXCERPT {
        "…"
    } else {
        ""
    };
    let shown = format!("{start}{head}{arrow}{tail}{end}");
    shown
        .chars()
        .map(|character| {
            if character.is_control() {
                '␤'
            } else {
                character
            }
        })
        .collect()
}
