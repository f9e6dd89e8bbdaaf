//! What a message shows of invalid user parameters: the position and the character, but no value of
//! `env` or `variables` near it.

use crate::formats::yaml::text::unseen;

/// How many characters around a syntax error a message shows.
pub(super) const EXCERPT: usize = 30;

/// Fields whose values are private, at any position.
const PRIVATE: [&str; 2] = ["env", "variables"];

/// The text around a syntax error. The text before it is JSON, so its private values are known; the
/// text after it may be anything.
pub(super) fn around(text: &str, position: usize) -> String {
    let position = text.floor_char_boundary(position.min(text.len()));
    let (before, after) = text.split_at(position);
    let (before, is_private) = without_values(before);
    let after = match is_private {
        true => first(after, 1),
        false => until_private(after),
    };
    let place = before.len();
    excerpt(&format!("{before}{after}"), place)
}

/// The beginning of a text that is not JSON at all, up to where a value may begin.
pub(super) fn beginning(text: &str) -> String {
    let end = text.find(['=', ':']).unwrap_or(text.len());
    let shown = excerpt(&text[..end], 0);
    match end < text.len() && end <= EXCERPT {
        true => format!("{shown}…"),
        false => shown,
    }
}

/// The first `count` characters, and whether there are more.
fn first(text: &str, count: usize) -> String {
    let shown = text.chars().take(count).collect::<String>();
    match shown.len() < text.len() {
        true => format!("{shown}…"),
        false => shown,
    }
}

/// The text up to the name of a private field.
fn until_private(text: &str) -> String {
    let ends = PRIVATE.iter().filter_map(|name| {
        let start = text.find(name)?;
        Some(start + name.len())
    });
    match ends.min() {
        Some(end) if end < text.len() => format!("{}…", &text[..end]),
        Some(_) | None => text.to_owned(),
    }
}

/// The beginning of a JSON text without its private values, and whether it ends within one.
fn without_values(text: &str) -> (String, bool) {
    let mut shown = String::new();
    let (mut in_string, mut is_escaped) = (false, false);
    // The last string, and the depth at which a private value begins.
    let mut string = String::new();
    let mut depth = 0_usize;
    let mut private = None;
    for character in text.chars() {
        let is_hidden = private.is_some();
        if in_string {
            match character {
                _ if is_escaped => is_escaped = false,
                '\\' => is_escaped = true,
                '"' => in_string = false,
                other => string.push(other),
            }
            if !in_string || !is_hidden {
                shown.push(character);
            } else if !shown.ends_with('…') {
                shown.push('…');
            }
            continue;
        }
        match character {
            '"' => {
                in_string = true;
                string.clear();
            }
            ':' if private.is_none() && PRIVATE.contains(&&*string) => private = Some(depth),
            ',' if private == Some(depth) => private = None,
            '{' | '[' => depth += 1,
            '}' | ']' => {
                if private == Some(depth) {
                    private = None;
                }
                depth = depth.saturating_sub(1);
            }
            _ => {}
        }
        let is_structure = character.is_whitespace() || "{}[]:,\"".contains(character);
        if is_structure || !is_hidden {
            shown.push(character);
        } else if !shown.ends_with('…') {
            shown.push('…');
        }
    }
    (shown, private.is_some())
}

/// The text around a position, in one line, with an arrow before it.
pub(super) fn excerpt(text: &str, position: usize) -> String {
    let position = text.floor_char_boundary(position.min(text.len()));
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
    shown.chars().map(visible).collect()
}

/// A character in visible form.
fn visible(character: char) -> String {
    match character {
        '\n' | '\r' | '\t' => '␤'.to_string(),
        other if unseen(other).is_some() => format!("<U+{:04X}>", u32::from(other)),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests;
