//! Texts as HTML.

use crate::text::words;
use std::time::Duration;

/// A text as HTML.
pub(super) fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            other => escaped.push(other),
        }
    }
    escaped
}

/// How many bytes a line has as HTML, with its end.
pub(super) fn escaped_len(line: &str) -> usize {
    let escaped = line.bytes().map(|byte| match byte {
        b'&' | b'\'' => 5,
        b'<' | b'>' => 4,
        b'"' => 6,
        _ => 1,
    });
    escaped.sum::<usize>() + 1
}

/// A sentence of the report as HTML; names between backticks are code.
pub(super) fn sentence(text: &str) -> String {
    let parts = text.split('`').collect::<Vec<_>>();
    let is_paired = parts.len() % 2 == 1;
    if !is_paired {
        return escaped(text);
    }
    let parts = parts.iter().enumerate();
    let parts = parts.map(|(place, part)| match place % 2 == 1 {
        true => format!("<code>{}</code>", escaped(part)),
        false => escaped(part),
    });
    parts.collect()
}

/// A second of the deploy, in words.
pub(super) fn second(second: i64) -> String {
    words(Duration::from_secs(second.max(0).unsigned_abs()))
}
