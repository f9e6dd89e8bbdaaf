//! Says what is wrong with an image, and in which part, to help find the pipeline step that left it
//! empty, unfilled or misspelt.

use super::alone::{account_of, arn, digest_alone, id_alone, registry_alone};
use super::foreign::{credentials, nothing};
use super::quoted::{end_of, shown};
use super::reference::{NAME_LIMIT, Reference, TAG_LIMIT, digits_of, is_component, is_registry};
use crate::formats::yaml::text::unseen;
use crate::text::placeholder;

/// What is wrong with an image, in words that follow the field's name; `None` if it is valid.
pub fn problem(image: &str) -> Option<String> {
    if image.trim().is_empty() {
        return Some("is empty: the build stage gave no image".to_owned());
    }
    if let Some(problem) = credentials(image) {
        return Some(problem);
    }
    let why = match unreadable(image) {
        Some(why) => why,
        None => match Reference::parse(image) {
            Ok(reference) => digest_alone(image)
                .or_else(|| id_alone(reference.name))
                .or_else(|| account_of(reference.name))
                .or_else(|| registry_alone(reference.name))?,
            Err(why) => part_at_fault(image).unwrap_or_else(|| why.to_owned()),
        },
    };
    Some(format!(
        "is `{}`, which is not a valid image: {why}",
        shown(image)
    ))
}

/// Finds unfilled placeholders, white space, quotes and URLs in any part.
fn unreadable(image: &str) -> Option<String> {
    if let Some(place) = unfilled(image) {
        return Some(nothing_filled(place));
    }
    if let Some(why) = nothing(image) {
        return Some(why);
    }
    if image.starts_with('{') || image.starts_with('[') && image.ends_with(']') {
        return Some("it is JSON, of which the build must take the image alone".to_owned());
    }
    if let Some(quote) = image.chars().next().filter(|c| "\"'`".contains(*c)) {
        return Some(format!(
            "it has quotes (`{quote}`) of its own: leave them out"
        ));
    }
    let spaced = |c: char| c.is_whitespace() || c.is_control() || unseen(c).is_some();
    if let Some((place, character)) = image.char_indices().find(|(_, c)| spaced(*c)) {
        let name = match character {
            ' ' => "a blank",
            other => unseen(other).unwrap_or("white space"),
        };
        let (before, after) = image.split_at(place);
        return Some(match (before.is_empty(), after.chars().all(spaced)) {
            (true, _) => format!("it begins with {name}"),
            (_, true) => format!("it has {name} at its end"),
            _ => format!("it has {name} after `{}`", end_of(before)),
        });
    }
    if image.contains(',') {
        return Some("it has a comma, as a list of several has: one is wanted".to_owned());
    }
    if let Some(why) = arn(image) {
        return Some(why);
    }
    if image.starts_with("git@") {
        return Some("it is the address of a Git repository".to_owned());
    }
    if let Some(path) = image.strip_prefix("ko://") {
        return Some(format!(
            "it is the Go package `{}`, which `ko resolve` builds and replaces with its image",
            shown(path)
        ));
    }
    if let Some((scheme, rest)) = image.split_once("://") {
        return Some(format!(
            "it begins with `{}://`, and an image does with its registry or name: `{}`",
            shown(scheme),
            shown(rest)
        ));
    }
    None
}

/// The message about an unfilled placeholder.
pub fn nothing_filled(place: &str) -> String {
    let shown = shown(place);
    if place.starts_with("${{") {
        format!("nothing filled in `{shown}`: that is done in GitHub's workflows alone")
    } else if place == "%s" {
        format!("nothing filled in `{shown}`: `printf` had no value for it")
    } else if place.starts_with("{{") {
        format!(
            "`{shown}` is a place of a Helm template that was not rendered: run `helm template` in \
             the build"
        )
    } else if place.starts_with("${AWS::") {
        format!("nothing filled in `{shown}`: CloudFormation does that within `!Sub`")
    } else if place.starts_with("${") {
        format!(
            "nothing filled in `{shown}`. In a manifest `variables` do that; elsewhere the step \
             that writes it must"
        )
    } else {
        format!("nothing filled in `{shown}`: the step that writes it must")
    }
}

/// Finds an unfilled placeholder, also one of `printf`.
pub fn unfilled(image: &str) -> Option<&str> {
    let verb = || image.find("%s").map(|place| &image[place..place + 2]);
    placeholder::first(image).or_else(verb)
}

/// Finds the faulty part of an image, the digest first.
fn part_at_fault(image: &str) -> Option<String> {
    let Reference { name, tag, digest } = Reference::split(image);
    if let Some(why) = digest.and_then(digest_at_fault) {
        return Some(why);
    }
    tag.and_then(|tag| tag_at_fault(name, tag))
        .or_else(|| name_at_fault(name, tag))
}

fn digest_at_fault(digest: &str) -> Option<String> {
    if digest.is_empty() {
        return Some("its digest is empty: nothing follows `@`".to_owned());
    }
    if digest.contains('@') {
        return Some("it has two digests".to_owned());
    }
    let Some((algorithm, digits)) = digest.split_once(':') else {
        return Some(format!(
            "its digest `{}` does not say by what it was made: it must be `sha256:…`",
            shown(digest)
        ));
    };
    let Some(length) = digits_of(algorithm) else {
        return Some(format!(
            "its digest is of `{}`, and a kubelet knows `sha256`, `sha384` and `sha512`",
            shown(algorithm)
        ));
    };
    let is_digit = |c: char| matches!(c, '0'..='9' | 'a'..='f');
    if let Some(other) = digits.chars().find(|c| !is_digit(*c)) {
        let which = match other.is_ascii_uppercase() {
            true => "an upper-case",
            false => "another",
        };
        return Some(format!(
            "its digest has {which} `{}`, and is of the digits `0` to `9` and `a` to `f`",
            shown(&other.to_string())
        ));
    }
    let count = digits.len();
    (count != length).then(|| {
        let why = match count {
            0 => "nothing follows the colon",
            few if few < length => "it was cut",
            _ => "something was added to it",
        };
        format!("its digest has {count} digits, and one of {algorithm} has {length}: {why}")
    })
}

fn tag_at_fault(name: &str, tag: &str) -> Option<String> {
    let of = end_of(name);
    if tag.is_empty() {
        return Some(format!("its tag is empty: nothing follows `{of}:`"));
    }
    if let Some((first, second)) = tag.split_once(':') {
        return Some(match first {
            _ if digits_of(first).is_some() => {
                format!("a digest follows a `@`: `{of}@{}`", shown(tag))
            }
            _ if second.is_empty() => format!("nothing follows `{of}:{}:`", shown(first)),
            _ => format!(
                "it has two tags, `{}` and `{}`",
                shown(first),
                shown(second)
            ),
        });
    }
    let is_inner = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
    if let Some(other) = tag.chars().find(|c| !is_inner(*c)) {
        return Some(format!(
            "its tag `{}` has a `{}`, and a tag is of letters, digits, `_`, `.` and `-`",
            shown(tag),
            shown(&other.to_string())
        ));
    }
    if tag.starts_with(['.', '-']) {
        let first = &tag[..1];
        return Some(format!(
            "its tag `{}` begins with `{first}`, which none does: a part before it may be empty",
            shown(tag)
        ));
    }
    (tag.len() > TAG_LIMIT).then(|| {
        let length = tag.len();
        format!("its tag has {length} characters, and may have {TAG_LIMIT}")
    })
}

fn name_at_fault(name: &str, tag: Option<&str>) -> Option<String> {
    if name.is_empty() {
        return Some("it has no name, only a tag or a digest".to_owned());
    }
    if name.len() > NAME_LIMIT {
        let length = name.len();
        return Some(format!(
            "its name has {length} characters, and may have {NAME_LIMIT}"
        ));
    }
    let parts = name.split('/').collect::<Vec<_>>();
    if let Some(index) = parts.iter().position(|part| part.is_empty()) {
        let before = parts[..index].join("/");
        return Some(match (index, index + 1 == parts.len(), tag) {
            (0, ..) => "it begins with `/`: its registry is empty".to_owned(),
            (_, true, Some(tag)) => format!(
                "its name is empty: nothing is between `{}/` and `:{}`",
                end_of(&before),
                shown(tag)
            ),
            (_, true, None) => format!("its name is empty: nothing follows `{}/`", end_of(&before)),
            (_, false, _) => format!("a part of its name is empty: `{}//`", end_of(&before)),
        });
    }
    // After a colon follows a tag with a slash, or the registry's port.
    let has_registry =
        parts.len() > 1 && (parts[0].contains(['.', ':']) || parts[0] == "localhost");
    let path = if has_registry {
        &parts[1..]
    } else {
        &parts[..]
    };
    if let Some(index) = path.iter().position(|part| part.contains(':')) {
        let rest = path[index..].join("/");
        return rest.split_once(':').map(|(_, tag)| slash(tag));
    }
    if has_registry && !is_registry(parts[0]) {
        return Some(registry_at_fault(parts[0], &path.join("/")));
    }
    let part = path.iter().find(|part| !is_component(part))?;
    let is_inner = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-".contains(c);
    let shown_part = shown(part);
    Some(match part.chars().find(|c| !is_inner(*c)) {
        Some(upper) if upper.is_uppercase() => format!(
            "`{shown_part}` has upper-case letters, and a name is of lower-case ones: `{}`",
            shown(&part.to_lowercase())
        ),
        Some(other) => format!(
            "`{shown_part}` has a `{}`, and a name is of lower-case letters and digits with `.`, \
             `_` or `-` between them",
            shown(&other.to_string())
        ),
        None => format!(
            "`{shown_part}` must begin and end with a letter or digit, with single `.`, `_` or \
             `-` between: a part of it may be empty"
        ),
    })
}

fn registry_at_fault(registry: &str, path: &str) -> String {
    let (host, port) = match registry.rsplit_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (registry, None),
    };
    match port {
        Some("") => format!("the port of its registry is empty: `{}:`", shown(host)),
        Some(port) if !port.bytes().all(|byte| byte.is_ascii_digit()) => {
            let tag = format!("{port}/{path}");
            match host.contains('.') {
                // `registry.example.com:team/web`
                true => format!(
                    "`{}` is not a valid port of its registry `{}`",
                    shown(port),
                    shown(host)
                ),
                false => slash(&tag),
            }
        }
        _ if host.starts_with('.') || host.contains("..") => format!(
            "its registry `{}` has an empty part: a variable in it (an account, a region) came \
             out empty",
            shown(registry)
        ),
        _ => format!("its registry `{}` is not a valid host", shown(registry)),
    }
}

fn slash(tag: &str) -> String {
    format!(
        "its tag `{}` has a `/`, as the names of branches do, and a tag must not: let the build \
         replace it, or tag by the commit",
        shown(tag)
    )
}

#[cfg(test)]
mod tests;
