//! Parses the text of the user parameters into a JSON object, or says where and why it is invalid.

use super::checks::kind;
use super::parameters::{FIELDS, Parameters};
use super::shown::{around, beginning};
use crate::formats::json::{self, repeated};
use crate::formats::yaml::text::first_unseen;
use crate::problem::Fault;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value};

/// Parses the parameters into an object, or says why they are not one.
pub(super) fn object(parameters: &Parameters) -> Result<Map<String, Value>, Fault> {
    let fault = |problem: String| Fault::new("UserParameters", problem);
    let text = match parameters {
        Parameters::Absent => {
            return Err(fault(format!("are missing. Give at least {EXAMPLE}")));
        }
        parameters if parameters.identity().len() > PARAMETERS_LIMIT => {
            return Err(fault(format!(
                "are larger than {} KiB. Put `manifest` or `images` into a file of an input \
                 artifact",
                PARAMETERS_LIMIT / 1024
            )));
        }
        Parameters::Object(fields) => return Ok(fields.clone()),
        // Invisible characters around the object do not belong to it.
        Parameters::Text(text) => text.trim_matches(is_outside),
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
        Ok(Value::String(inner)) if is_encoded(&inner) => Err(fault(
            "are a string with JSON in it: they were written as JSON twice. Leave out the outer \
             quotes, and the backslashes before the inner ones"
                .to_owned(),
        )),
        Ok(other) => Err(fault(format!(
            "must be one JSON object such as {EXAMPLE}, and are {}",
            kind(&other)
        ))),
        Err(_) if is_object(&text.replace("\\\"", "\"").replace("\\n", "\n")) => {
            Err(fault(format!(
                "have a backslash before each quote (`{}`): they were escaped once too often. \
                 Write the quotes without",
                around(text, 0)
            )))
        }
        Err(error) => match text.chars().next() {
            None => Err(fault(format!("are missing. Give at least {EXAMPLE}"))),
            Some('{') => Err(fault(syntax(text, &error))),
            Some(quote @ ('\'' | '`')) if is_object(text.trim_matches(quote)) => Err(fault(
                format!("are in quotes (`{quote}`) of their own: leave these out"),
            )),
            _ if is_base64(text) => Err(fault(
                "are base64 of JSON: write the JSON itself".to_owned(),
            )),
            _ => Err(fault(format!(
                "must be one JSON object such as {EXAMPLE}; they begin with `{}`",
                beginning(text)
            ))),
        },
    }
}

/// White space and invisible characters.
fn is_outside(character: char) -> bool {
    character.is_whitespace()
        || matches!(character, '\u{feff}' | '\u{200b}'..='\u{200f}' | '\u{2060}')
}

fn is_base64(text: &str) -> bool {
    let decoded = STANDARD.decode(text).ok();
    let decoded = decoded.and_then(|decoded| String::from_utf8(decoded).ok());
    decoded.is_some_and(|decoded| is_object(&decoded))
}

fn is_object(text: &str) -> bool {
    serde_json::from_str::<Map<String, Value>>(text).is_ok()
}

/// Whether the text is an object, or a JSON string with one in it, at any depth.
fn is_encoded(text: &str) -> bool {
    is_object(text) || serde_json::from_str::<String>(text).is_ok_and(|inner| is_encoded(&inner))
}

/// The largest parameters of events that people write by hand; those of CodePipeline are far below.
const PARAMETERS_LIMIT: usize = 256 * 1024;

/// The longest value in an action's configuration, in characters.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>
const CONFIGURATION_LIMIT: usize = 1000;

const EXAMPLE: &str = r#"{"deployment": "web", "images": {"web": "registry/web:1.2.3"}}"#;

/// Says where the JSON is invalid, and the most likely reason.
fn syntax(text: &str, error: &serde_json::Error) -> String {
    let line_start: usize = text
        .split_inclusive('\n')
        .take(error.line().saturating_sub(1))
        .map(str::len)
        .sum();
    // Column 0 is the line break at the end of the previous line.
    let position = (line_start + error.column()).saturating_sub(1);
    let position = position.min(text.len());
    let what = json::problem(error);
    let character = text
        .char_indices()
        .take_while(|(start, _)| *start < position)
        .count();
    format!(
        "are not valid JSON. At character {}, the arrow in `{}`: {what}. {}",
        character + 1,
        around(text, position),
        help(text, position, &what)
    )
}

/// The most likely cause of a syntax error, from its position.
fn help(text: &str, position: usize, what: &str) -> String {
    let rest = text.get(position..).unwrap_or_default();
    let first = rest.chars().next().unwrap_or_default();
    let word = rest
        .split(|c: char| !(c.is_alphanumeric() || c == '_'))
        .next();
    let word = word.unwrap_or_default();
    let is_key = !word.is_empty() && rest[word.len()..].trim_start().starts_with(':');
    if what.starts_with("the text ends") && text.chars().count() >= CONFIGURATION_LIMIT {
        return "CodePipeline passes on 1,000 characters at most, so the end may have been cut \
                off. Put `manifest` or `images` into a file of an input artifact"
            .to_owned();
    }
    match what {
        "the text ends too early" => return "Their end is missing".to_owned(),
        "it is nested too deeply" => return "No field has so many levels".to_owned(),
        "number out of range" => return "No field takes such a number".to_owned(),
        json::HALF => return "Write the character itself, or both halves".to_owned(),
        "expected `:`" => return without_colon(&text[..text.floor_char_boundary(position)], first),
        _ => {}
    }
    let names_field = rest.strip_prefix('"').and_then(|rest| rest.split_once('"'));
    let names_field = names_field
        .is_some_and(|(name, after)| FIELDS.contains(&name) && after.trim_start().starts_with(':'));
    if names_field {
        return "A comma is missing before it".to_owned();
    }
    let before = Before::of(&text[..text.floor_char_boundary(position)]);
    if what.contains("trailing comma") {
        return "There is a comma too many".to_owned();
    }
    if before != Before::InString
        && first != '\n'
        && let Some((0, name)) = first_unseen(rest)
    {
        return format!("That is {name}: write plain blanks and quotes");
    }
    if first == '\'' && before != Before::InString {
        return "JSON takes double quotes".to_owned();
    }
    if json::is_comment(rest) {
        return "JSON has no comments".to_owned();
    }
    // `"Revert "fix: a"`: if someone forgets the quotes of a name, there is still a space before
    // it.
    let is_value = !is_key || text[..text.floor_char_boundary(position)].ends_with('"');
    match before {
        Before::InString | Before::AfterString if is_value => SUBSTITUTION.to_owned(),
        _ if ["True", "False", "None"].contains(&word) => {
            "JSON writes `true`, `false` and `null`".to_owned()
        }
        _ if is_key && before != Before::AfterColon => {
            "A field's name needs double quotes, and a comma before it".to_owned()
        }
        Before::AfterColon => "A text needs double quotes".to_owned(),
        Before::InString | Before::AfterString | Before::Other => {
            "A comma, a quote or a bracket is missing or too many".to_owned()
        }
    }
}

/// What to do about the name of a field, the end of `before`, that no colon follows.
fn without_colon(before: &str, next: char) -> String {
    let name = before.trim_end().trim_end_matches('"');
    let name = name.rsplit('"').next().unwrap_or_default();
    match (next, name.contains(':')) {
        ('=', _) => "A colon stands between a field and its value",
        (_, true) => "The colon stands inside the quotes: it belongs behind the name's own",
        (_, false) => "A field needs a colon and a value",
    }
    .to_owned()
}

/// What precedes a position in a JSON text.
#[derive(Clone, Copy, PartialEq)]
enum Before {
    /// An open string.
    InString,
    /// The end of a string value, without anything or with a comma after it.
    AfterString,
    /// A name and its colon.
    AfterColon,
    Other,
}

impl Before {
    fn of(text: &str) -> Before {
        let (mut in_string, mut is_escaped, mut is_value) = (false, false, false);
        let mut last = Before::Other;
        for character in text.chars() {
            match character {
                _ if is_escaped => is_escaped = false,
                '\\' if in_string => is_escaped = true,
                '"' => {
                    in_string = !in_string;
                    if !in_string {
                        last = match is_value {
                            true => Before::AfterString,
                            false => Before::Other,
                        };
                    }
                }
                _ if in_string => {}
                ':' => (is_value, last) = (true, Before::AfterColon),
                ',' => is_value = false,
                other if other.is_whitespace() => {}
                _ => last = Before::Other,
            }
        }
        match in_string {
            true => Before::InString,
            false => last,
        }
    }
}

/// The most frequent reason why an action's JSON is invalid.
const SUBSTITUTION: &str = "CodePipeline puts the value of a #{variable} into the text as it is \
    and escapes nothing: a quote, a backslash or a line break in a value (a commit message, say) \
    breaks the JSON. Use variables whose values have none of them, such as a commit id";
