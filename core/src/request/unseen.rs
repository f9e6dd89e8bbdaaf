//! Names of fields that Kubernetes does not know because of what nobody sees: a character that does
//! not show, a space that is missing after a colon. And zero bytes, with which no process can be
//! started.

use super::appearance::glued;
use super::image::shown;
use super::place::place_of;
use crate::formats::yaml::text::unseen;
use serde_json::Value;

/// A field with such a name.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Odd {
    /// Its path, which begins with a dot.
    pub(super) path: String,
    /// Its name as it is written.
    pub(super) key: String,
    pub(super) problem: String,
}

impl Odd {
    fn under(self, parent: &str) -> Odd {
        Odd {
            path: format!("{parent}{}", self.path),
            ..self
        }
    }
}

/// The first field of an object with such a name. Kubernetes' own
/// kinds have no such field; others may have maps with any key, so only what every object has is
/// looked at.
pub(super) fn key(object: &Value) -> Option<Odd> {
    let version = object["apiVersion"].as_str().unwrap_or_default();
    let group = version.split_once('/').map_or("", |(group, _)| group);
    let is_own = !group.contains('.') || group.ends_with(".k8s.io");
    let fields = object.as_object()?;
    let is_looked_at = |name: &str| is_own || name == "metadata";
    fields
        .iter()
        .find_map(|(name, value)| match is_looked_at(name) {
            true => key_of(name, value),
            false => odd(name, value),
        })
}

fn key_of(name: &str, value: &Value) -> Option<Odd> {
    odd(name, value).or_else(|| Some(key_within(value)?.under(&format!(".{}", shown(name)))))
}

/// Most objects have none, so a path is made only of one that is found.
fn key_within(value: &Value) -> Option<Odd> {
    match value {
        Value::Object(fields) => fields.iter().find_map(|(name, value)| key_of(name, value)),
        Value::Array(items) => items.iter().enumerate().find_map(|(index, item)| {
            Some(key_within(item)?.under(&format!("[{}]", place_of(item, index))))
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

fn odd(key: &str, value: &Value) -> Option<Odd> {
    if let Some(name) = glued(key).filter(|_| value.is_null()) {
        return Some(Odd {
            // What is behind the colon may be a secret.
            path: format!(".{name}"),
            key: key.to_owned(),
            problem: "has no value, as its colon is within its name: write a space after the \
                      colon, and in JSON quotes around the name alone"
                .to_owned(),
        });
    }
    let character = key.chars().find(|it| is_invisible(*it))?;
    let name = unseen(character)?;
    let problem = format!(
        "has {name} (U+{:04X}) in its name: write the name anew",
        u32::from(character)
    );
    let (path, key) = (format!(".{}", shown(key)), key.to_owned());
    Some(Odd { path, key, problem })
}

/// Whether a character is not to be seen at all; quotes, dashes and accents are.
fn is_invisible(character: char) -> bool {
    unseen(character).is_some()
        && !matches!(character, '\u{2010}'..='\u{201e}' | '\u{2212}' | '\u{300}'..='\u{36f}')
        && !matches!(character, '\t' | '\n' | '\r')
}

/// The first line from this one, counted from one, that has the field.
pub(super) fn line_of(text: &str, key: &str, from: usize) -> Option<usize> {
    let mut lines = text.lines().enumerate().skip(from.saturating_sub(1));
    let is_it = |line: &str| {
        let place = line.find(key);
        if key.contains(':') {
            return place.is_some();
        }
        let is_begin = |place: &usize| !line[..*place].ends_with(char::is_alphanumeric);
        let after = place
            .filter(is_begin)
            .map(|place| &line[place + key.len()..]);
        after.is_some_and(|after| after.trim_start_matches(['"', '\'', ' ']).starts_with(':'))
    };
    lines
        .find(|(_, line)| is_it(line))
        .map(|(index, _)| index + 1)
}

/// Where the identity of an object has a character that does not show, or quotes that are none of
/// YAML's: the line, and what it is. The object was not found because of it.
pub(super) fn identity(text: &str) -> Option<String> {
    let is_of_identity = |line: &str| {
        let plain = |it: &char| !is_invisible(*it) && !"“”„‘’\"'".contains(*it);
        let line = line.chars().filter(plain).collect::<String>();
        let line = line.trim_start_matches(['-', ' ', '{']);
        let fields = ["apiVersion", "kind", "metadata", "name", "namespace"];
        let (field, _) = line.split_once(':')?;
        fields.contains(&field.trim_end()).then_some(())
    };
    text.lines().enumerate().find_map(|(index, line)| {
        is_of_identity(line)?;
        let quoted = |it: char| is_invisible(it) || matches!(it, '\u{2018}'..='\u{201e}');
        let content = line.split(" #").next().unwrap_or_default();
        let character = content.chars().find(|it| quoted(*it))?;
        let (name, line) = (unseen(character)?, index + 1);
        Some(format!(
            "There is {name} (U+{:04X}) in line {line}: write a plain character",
            u32::from(character)
        ))
    })
}

/// The paths of texts of a pod that have a zero byte: variables, commands, arguments and names
/// reach a process as strings that end at the first one.
pub(super) fn zeros(pod: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    zeros_within(pod, path.to_owned(), &mut found);
    found
}

fn zeros_within(value: &Value, path: String, found: &mut Vec<String>) {
    match value {
        Value::String(text) if text.contains('\0') => found.push(path),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                zeros_within(item, format!("{path}[{}]", place_of(item, index)), found);
            }
        }
        Value::Object(fields) => {
            for (name, value) in fields {
                zeros_within(value, format!("{path}.{}", shown(name)), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What is wrong with a text that has a zero byte.
pub(super) const ZERO: &str =
    "has a zero byte (U+0000), and no container can be started with one: remove it";

#[cfg(test)]
mod tests;
