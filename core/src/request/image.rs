//! Image names, and the two files in which build and source actions pass images on.

mod problem;
mod quoted;
mod reference;

pub use problem::{nothing_filled, problem, unfilled};
pub use quoted::shown;
pub use reference::Reference;

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
    if let Some(name) = crate::formats::json::repeated(text) {
        return Err(fault(format!("has `{name}` twice. {SHAPES}")));
    }
    let value: Value = serde_json::from_str(text).map_err(|error| {
        let line = text.lines().nth(error.line().saturating_sub(1));
        let unseen = line.and_then(|line| text::first_unseen(line.trim_matches(['\t', '\r', ' '])));
        let unseen = unseen.map(|(_, name)| format!(": there is {name} in that line"));
        let unseen = unseen.unwrap_or_default();
        fault(format!("is not valid JSON ({error}){unseen}. {SHAPES}"))
    })?;
    if let Some(image) = value.get("ImageURI") {
        return match image.as_str() {
            Some(image) => Ok(Definitions::Sole(image.to_owned())),
            None => Err(fault(format!(
                "has an ImageURI that is not a text. {SHAPES}"
            ))),
        };
    }
    let Some(entries) = value.as_array().filter(|entries| !entries.is_empty()) else {
        return Err(fault(format!("names no image. {SHAPES}")));
    };
    if entries.len() > DEFINITIONS_LIMIT {
        return Err(fault(format!("has more than {DEFINITIONS_LIMIT} entries")));
    }
    let mut named = BTreeMap::new();
    let mut faults = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        let text = |name| entry.get(name).and_then(Value::as_str);
        let (Some(name), Some(image)) = (text("name"), text("imageUri")) else {
            let field = format!("images[{index}]");
            faults.push(Fault::new(
                field,
                r#"must be {"name": "web", "imageUri": "…"}"#,
            ));
            continue;
        };
        if named.insert(name.to_owned(), image.to_owned()).is_some() {
            let field = format!("images[{index}]");
            faults.push(Fault::new(
                field,
                format!("names container `{name}` once more"),
            ));
        }
    }
    if faults.is_empty() {
        Ok(Definitions::Named(named))
    } else {
        Err(faults)
    }
}

const SHAPES: &str = "It must be `imagedefinitions.json`, \
    [{\"name\": \"web\", \"imageUri\": \"…\"}], or the `imageDetail.json` of an ECR source action, \
    {\"ImageURI\": \"…\"}";

#[cfg(test)]
mod tests;
