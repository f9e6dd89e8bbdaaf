//! Checks of single values: names, paths, images, durations.

use super::parameters::FIELDS;
use super::shown::excerpt;
use crate::formats::yaml::text::first_unseen;
use crate::request::image;
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
    if path.contains("#{") {
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
    if name.contains("#{") {
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
    if image.contains("#{") {
        return Err(unresolved(image));
    }
    image::problem(image).map_or(Ok(()), Err)
}

pub(super) fn unresolved(text: &str) -> String {
    format!(
        "has a variable that {NOT_FILLED_IN}: `{}`. The action that gives it needs a `namespace` \
         and must come earlier in the pipeline",
        excerpt(text, 0)
    )
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

/// The field that a misspelt one most likely means: at most two letters differ, ignoring case.
pub(super) fn similar(field: &str) -> Option<&'static str> {
    let distance = |known: &&str| strsim::levenshtein(known, &field.to_lowercase());
    let nearest = FIELDS.into_iter().min_by_key(distance);
    nearest.filter(|known| distance(known) <= 2)
}
