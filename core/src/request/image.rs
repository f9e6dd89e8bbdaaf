//! Images: how they are named, and the two files in which build and source actions hand them on.

mod problem;

pub use problem::{nothing_filled, problem, shown, unfilled};

use crate::formats::yaml::text;
use crate::problem::Fault;
use serde_json::Value;
use std::collections::BTreeMap;

/// The longest name of a repository, with its registry.
/// <https://github.com/distribution/reference/blob/main/reference.go>
const NAME_LIMIT: usize = 255;

/// The longest tag.
const TAG_LIMIT: usize = 128;

/// The most containers in an image definitions file. ECS, whose format it is, allows ten.
const DEFINITIONS_LIMIT: usize = 100;

/// The largest image definitions file, in KiB: as many containers, each with the longest image,
/// come to a fifth of it.
const DEFINITIONS_SIZE: usize = 256;

/// An image by its parts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reference<'a> {
    /// Registry and repository: `registry.example.com:5000/team/web`.
    pub name: &'a str,
    /// The tag.
    pub tag: Option<&'a str>,
    /// The digest: `sha256:…`.
    pub digest: Option<&'a str>,
}

impl<'a> Reference<'a> {
    /// Reads an image by the grammar of references; an error says what is wrong with it.
    /// <https://github.com/distribution/reference/blob/main/reference.go>
    pub fn parse(image: &'a str) -> Result<Reference<'a>, &'static str> {
        let (named, digest) = match image.split_once('@') {
            Some((named, digest)) => (named, Some(digest)),
            None => (image, None),
        };
        // A colon before the last slash is of the registry's port.
        let last = named.rfind('/').map_or(0, |slash| slash + 1);
        let (name, tag) = match named[last..].split_once(':') {
            Some((end, tag)) => (&named[..last + end.len()], Some(tag)),
            None => (named, None),
        };
        if digest.is_some_and(|digest| !is_digest(digest)) {
            return Err("its digest must be as in `@sha256:` and 64 hexadecimal digits");
        }
        if tag.is_some_and(|tag| !is_tag(tag)) {
            return Err(
                "its tag may have up to 128 letters, digits, `_`, `.` and `-`, \
                        and begins with none of the last two",
            );
        }
        is_name(name)?;
        Ok(Reference { name, tag, digest })
    }
}

fn is_name(name: &str) -> Result<(), &'static str> {
    if name.len() > NAME_LIMIT {
        return Err("its name is longer than 255 characters");
    }
    // The first part is a registry where it cannot be a part of a path.
    let (registry, path) = match name.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || is_host_only(first) => {
            (Some(first), rest)
        }
        _ => (None, name),
    };
    if registry.is_some_and(|registry| !is_registry(registry)) {
        return Err("its registry must be a host with or without a port");
    }
    if !path.split('/').all(is_component) {
        return Err(
            "the parts of its name must be of lower-case letters and digits, with single \
                    `.`, `_` or `-` between them",
        );
    }
    Ok(())
}

/// `localhost`, or with capital letters, which no path has.
fn is_host_only(part: &str) -> bool {
    part == "localhost" || part.bytes().any(|byte| byte.is_ascii_uppercase())
}

fn is_registry(registry: &str) -> bool {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (registry, None),
    };
    let is_label = |label: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        !label.is_empty()
            && label.bytes().all(inner)
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let v6 = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_host = match v6 {
        Some(address) => {
            let inner = |byte: u8| byte.is_ascii_hexdigit() || byte == b':';
            !address.is_empty() && address.bytes().all(inner)
        }
        None => host.split('.').all(is_label),
    };
    let is_port = |port: &str| !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    is_host && port.is_none_or(is_port)
}

/// Lower-case letters and digits, with separators between: `.`, `_`, `__` or any number of `-`.
fn is_component(part: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let separators = part.split(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit());
    let is_separator =
        |text: &str| ["", ".", "_", "__"].contains(&text) || text.bytes().all(|byte| byte == b'-');
    part.bytes().next().is_some_and(is_inner)
        && part.bytes().last().is_some_and(is_inner)
        && separators.into_iter().all(is_separator)
}

fn is_tag(tag: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    !tag.is_empty()
        && tag.len() <= TAG_LIMIT
        && tag.bytes().all(is_inner)
        && !tag.starts_with(['.', '-'])
}

fn is_digest(digest: &str) -> bool {
    let Some((algorithm, digits)) = digest.split_once(':') else {
        return false;
    };
    // Those that kubelets know: https://github.com/opencontainers/go-digest/blob/master/algorithm.go
    let length = match algorithm {
        "sha256" => 64,
        "sha384" => 96,
        "sha512" => 128,
        _ => return false,
    };
    let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    digits.len() == length && digits.bytes().all(is_digit)
}

/// What a file says of images.
#[derive(Clone, Debug, PartialEq)]
pub enum Definitions {
    /// `imagedefinitions.json`: container to image.
    Named(BTreeMap<String, String>),
    /// `imageDetail.json`: one image, and no word of the container.
    Sole(String),
}

/// Reads `imagedefinitions.json`, as ECS has it, or `imageDetail.json`, as an ECR source action
/// writes it; they are told apart by what is in them.
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
        fault(format!("is no valid JSON ({error}){unseen}. {SHAPES}"))
    })?;
    if let Some(image) = value.get("ImageURI") {
        return match image.as_str() {
            Some(image) => Ok(Definitions::Sole(image.to_owned())),
            None => Err(fault(format!("has an ImageURI that is no text. {SHAPES}"))),
        };
    }
    let Some(entries) = value.as_array().filter(|entries| !entries.is_empty()) else {
        return Err(fault(format!("has neither. {SHAPES}")));
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
