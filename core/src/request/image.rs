//! Image names, and the two files in which build and source actions pass images on.

mod alone;
mod foreign;
mod problem;
mod quoted;
mod reference;

pub use problem::{nothing_filled, problem, unfilled};
pub use quoted::shown;
pub use reference::Reference;

use crate::formats::json;
use crate::formats::yaml::text;
use crate::problem::Fault;
use serde_json::Value;
use std::collections::BTreeMap;

/// The most containers in an image definitions file. ECS, which defines the format, allows ten.
const DEFINITIONS_LIMIT: usize = 100;

/// The largest image definitions file, in KiB: that many containers with the longest images need a
/// fifth of it.
const DEFINITIONS_SIZE: usize = 256;

/// The images in a file.
#[derive(Clone, Debug, PartialEq)]
pub enum Definitions {
    /// `imagedefinitions.json`: images by container.
    Named(BTreeMap<String, String>),
    /// `imageDetail.json`: one image, without a container name.
    Sole(String),
}

/// Reads `imagedefinitions.json`, ECS's format, or `imageDetail.json`, which an ECR source action
/// writes. The content decides which one it is.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/file-reference.html>
pub fn definitions(content: &[u8]) -> Result<Definitions, Vec<Fault>> {
    let fault = |problem: String| vec![Fault::new("images", problem)];
    if content.len() > DEFINITIONS_SIZE * 1024 {
        return Err(fault(format!(
            "has {} KiB, and a file of images is read up to {DEFINITIONS_SIZE} KiB. {SHAPES}",
            content.len().div_ceil(1024)
        )));
    }
    let text = text::decode(content).map_err(|why| fault(format!("{why}. {SHAPES}")))?;
    let text = text.trim_start_matches('\u{feff}');
    if text.trim().is_empty() {
        return Err(fault(format!("is empty. {SHAPES}")));
    }
    if problem(text.trim()).is_none() {
        return Err(fault(format!("is one image and no JSON. {SHAPES}")));
    }
    if let Some(name) = json::repeated(text) {
        return Err(fault(format!("has `{name}` twice. {SHAPES}")));
    }
    let value: Value = serde_json::from_str(text)
        .map_err(|error| fault(format!("{}. {SHAPES}", not_json(text, &error))))?;
    if let Some(image) = value.get("ImageURI") {
        return match image.as_str() {
            Some(image) => Ok(Definitions::Sole(image.to_owned())),
            None => Err(fault(format!(
                "has an ImageURI that is not a text. {SHAPES}"
            ))),
        };
    }
    let Some(entries) = value.as_array().filter(|entries| !entries.is_empty()) else {
        let found = has(&value);
        return Err(fault(format!("names no image: it {found}. {SHAPES}")));
    };
    if entries.len() > DEFINITIONS_LIMIT {
        return Err(fault(format!("has more than {DEFINITIONS_LIMIT} entries")));
    }
    let mut named = BTreeMap::new();
    let mut faults = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let text = |name| entry.get(name).and_then(Value::as_str);
        let mut fault = |problem| faults.push(Fault::new(format!("images[{index}]"), problem));
        let (Some(name), Some(image)) = (text("name"), text("imageUri")) else {
            let found = has(entry);
            fault(format!(
                r#"must be {{"name": "web", "imageUri": "…"}}, and {found}"#
            ));
            continue;
        };
        if named.insert(name.to_owned(), image.to_owned()).is_some() {
            fault(format!("names container `{name}` once more"));
        }
    }
    match faults.is_empty() {
        true => Ok(Definitions::Named(named)),
        false => Err(faults),
    }
}

/// How many fields of a file that has none of images are named.
const NAMED_FIELDS: usize = 8;

/// What there is in place of images, without its values.
fn has(value: &Value) -> String {
    let fields = match value {
        Value::Object(fields) if !fields.is_empty() => fields,
        Value::Array(items) if items.is_empty() => return "is an empty list".to_owned(),
        Value::Array(_) => return "is a list".to_owned(),
        Value::Object(_) => return "is an object without fields".to_owned(),
        Value::Null => return "is null".to_owned(),
        Value::String(_) => return "is a text".to_owned(),
        Value::Number(_) | Value::Bool(_) => return "is a number, true or false".to_owned(),
    };
    if let (Some(_), Some(_)) = (fields.get("name"), fields.get("imageUri")) {
        let texts = ["name", "imageUri"]
            .iter()
            .all(|name| fields[*name].is_string());
        return match texts {
            true => "is an entry without its list: write `[` and `]` around it".to_owned(),
            false => "has a `name` or an `imageUri` that is not a text".to_owned(),
        };
    }
    let names = fields
        .keys()
        .take(NAMED_FIELDS)
        .map(|name| format!("`{}`", shown(name)));
    let names = names.collect::<Vec<_>>().join(", ");
    match fields.len() > NAMED_FIELDS {
        true => format!("has {names}, …"),
        false => format!("has {names}"),
    }
}

/// Says where a text is not JSON, and what makes it none.
fn not_json(text: &str, error: &serde_json::Error) -> String {
    let line = text.lines().nth(error.line().saturating_sub(1));
    let line = line.unwrap_or_default();
    let unseen = text::first_unseen(line.trim_matches(['\t', '\r', ' ']));
    let unseen = unseen.map(|(_, name)| format!(": there is {name} in that line"));
    let at = line.get(error.column().saturating_sub(1)..);
    format!(
        "is not valid JSON (line {}, column {}: {}){}{}",
        error.line(),
        error.column(),
        json::problem(error),
        unseen.unwrap_or_default(),
        why_no_json(text, at.unwrap_or_default())
    )
}

/// What makes a text no JSON where its words alone tell it, or those at the place of the error.
fn why_no_json(text: &str, at: &str) -> &'static str {
    if json::is_comment(at) {
        return ": JSON has no comments";
    }
    let text = text.trim_start_matches(['[', '{', ' ', '\n', '\r', '\t']);
    if text.starts_with('\'') {
        ": JSON takes double quotes"
    } else if text.starts_with("\\\"") {
        ": its quotes have a backslash before them, which a shell was to take away"
    } else if text.starts_with("- ") || text.starts_with("images:") {
        ": it is YAML"
    } else {
        ""
    }
}

const SHAPES: &str = "It must be `imagedefinitions.json`, \
    [{\"name\": \"web\", \"imageUri\": \"…\"}], or the `imageDetail.json` of an ECR source action, \
    {\"ImageURI\": \"…\"}";

#[cfg(test)]
mod tests;
