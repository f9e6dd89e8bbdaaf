//! Checks of single values: names, paths, images, durations.

use super::parameters::FIELDS;
use super::shown::excerpt;
use crate::formats::yaml::text::first_unseen;
use crate::request::image;
use crate::text::placeholder;
use serde_json::Value;

/// What every fault about a variable says that was not filled in.
pub(super) const NOT_FILLED_IN: &str = "CodePipeline did not fill in";

/// The longest `smoke` path, and the longest text for `contains`.
pub(super) const SMOKE_LIMIT: usize = 300;

/// Checks a path that is appended to the API server's proxy: `..` would lead to other objects of
/// the API.
pub(super) fn path_of(path: &str) -> Result<(), String> {
    let allowed =
        |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/?%".contains(&byte);
    if path.contains(placeholder::PIPELINE) {
        return Err(unresolved(path));
    }
    if !path.starts_with('/') || path.len() > SMOKE_LIMIT || !path.bytes().all(allowed) {
        return Err(format!(
            "must be a path that begins with `/`, of at most {SMOKE_LIMIT} letters, digits and \
             characters that a URL has, and is `{}`",
            excerpt(path, 0)
        ));
    }
    let dots = path.to_ascii_lowercase().replace("%2e", ".");
    let climbs = dots
        .split(['/', '?'])
        .any(|part| [".", ".."].contains(&part));
    if climbs || path.starts_with("//") || dots.contains("%2f") || dots.contains("%5c") {
        return Err("must be a plain path, without `.`, `..`, `//` or encoded slashes".to_owned());
    }
    Ok(())
}

/// A DNS-1123 label, or with `dots` a subdomain.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>
pub(super) fn name_of(name: &str, limit: usize, dots: bool) -> Result<(), String> {
    let fits = if dots {
        name.split('.').all(label)
    } else {
        label(name)
    };
    if name.contains(placeholder::PIPELINE) {
        Err(unresolved(name))
    } else if name.is_empty() {
        Err("is empty".to_owned())
    } else if let Some(place) = image::unfilled(name) {
        Err(format!(
            "is `{}`: {}",
            excerpt(name, 0),
            image::nothing_filled(place)
        ))
    } else if let Some((_, unseen)) = first_unseen(name) {
        Err(format!(
            "is `{}`, which is not a valid Kubernetes name: it has {unseen}",
            excerpt(name, 0)
        ))
    } else if let Some(letter) = name.chars().find(|it| it.is_alphabetic() && !it.is_ascii()) {
        Err(format!(
            "is `{}`, which is not a valid Kubernetes name: `{letter}` (U+{:04X}) is of another \
             alphabet",
            excerpt(name, 0),
            u32::from(letter)
        ))
    } else if let Some(short) = alone(name).filter(|_| !fits) {
        Err(format!(
            "is `{}`, which is not a valid Kubernetes name: write `{short}` alone, without its \
             kind, its namespace or blanks",
            excerpt(name, 0)
        ))
    } else if !fits || name.len() > limit {
        let with = if dots { ", `-` and `.`" } else { " and `-`" };
        Err(format!(
            "is `{}`, which is not a valid Kubernetes name: at most {limit} lower-case letters, \
             digits{with}, a letter or digit first and last",
            excerpt(name, 0)
        ))
    } else {
        Ok(())
    }
}

fn label(label: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !label.is_empty()
        && label.bytes().all(inner)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

/// The name in `deployment/web`, `shop/web` and `web `, as kubectl takes or prints it.
fn alone(name: &str) -> Option<&str> {
    let short = name.trim().rsplit('/').next()?;
    (short.len() < name.len() && label(short)).then_some(short)
}

pub(super) fn image_of(image: &str) -> Result<(), String> {
    if image.contains(placeholder::PIPELINE) {
        return Err(unresolved(image));
    }
    image::problem(image).map_or(Ok(()), Err)
}

/// The problem of a text with a variable of CodePipeline, of which nothing else is shown.
pub(super) fn unresolved(text: &str) -> String {
    let shown = variable(text).map_or_else(|| excerpt(text, 0), image::shown);
    let next = if shown.starts_with("#{codepipeline.") {
        "A pipeline fills it in by itself, and knows `#{codepipeline.PipelineExecutionId}` alone"
    } else if shown.starts_with("#{variables.") {
        "A pipeline of type V2 must declare it among its variables"
    } else {
        "The action that gives it needs a `namespace` and must come earlier in the pipeline"
    };
    format!("has a variable that {NOT_FILLED_IN}: `{shown}`. {next}")
}

/// The first `#{namespace.name}` in a text: both parts have letters, digits, `_`, `-` and `@`.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/reference-variables.html>
pub(super) fn variable(text: &str) -> Option<&str> {
    let is_part = |part: &str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"_-@".contains(&byte);
        !part.is_empty() && part.bytes().all(inner)
    };
    text.match_indices(placeholder::PIPELINE)
        .find_map(|(start, _)| {
            let length = text[start..].find('}')?;
            let inner = text[start + 2..start + length].split_once('.');
            let is_variable = inner.is_some_and(|(space, name)| is_part(space) && is_part(name));
            is_variable.then(|| &text[start..=start + length])
        })
}

/// What a text has that another tool was to fill in, where no such text is meant as it is.
pub(super) fn left_unfilled(text: &str) -> Option<String> {
    let place = placeholder::marked(text)?;
    Some(format!(
        "is `{}`: {}",
        excerpt(text, 0),
        image::nothing_filled(place)
    ))
}

pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "true or false",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(entries) if entries.is_empty() => "empty",
        Value::Object(_) => "an object",
    }
}

/// The field that a misspelt one most likely means: at most two letters differ, and less than half
/// of them, ignoring case; or what other tools call it.
pub(super) fn similar(field: &str) -> Option<&'static str> {
    let field = field.to_lowercase();
    let called = [
        ("name", "deployment"),
        ("ns", "namespace"),
        ("dryrun", "mode"),
    ];
    if let Some((_, meant)) = called.iter().find(|(name, _)| *name == field) {
        return Some(meant);
    }
    let distance = |known: &&str| strsim::levenshtein(known, &field);
    let nearest = FIELDS.into_iter().min_by_key(distance);
    nearest.filter(|known| distance(known) <= 2.min(field.len().saturating_sub(1) / 2))
}
