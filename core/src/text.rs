//! Text helpers: clipping, one line, lists, durations.

pub mod placeholder;
pub mod redaction;

use std::time::Duration;

/// How much of another program's text (the API server's, a proxy's) goes into one sentence.
const QUOTE_LIMIT: usize = 800;

/// How many documents a message lists by name.
const TOLD: usize = 10;

/// Clips a text to at most `limit` bytes, with an ellipsis.
pub fn clip(text: &str, limit: usize) -> String {
    if text.len() <= limit {
        return text.to_owned();
    }
    let room = limit.saturating_sub('…'.len_utf8());
    format!("{}…", &text[..text.floor_char_boundary(room)])
}

/// Percent-encodes all bytes but ASCII letters, digits and these.
pub fn percent_encoded(text: &str, spared: &[u8]) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte.is_ascii_alphanumeric() || spared.contains(&byte) {
            true => encoded.push(char::from(byte)),
            false => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Puts a text into one line with single spaces.
pub fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Quotes another program's text in one line, with a limited length and without its final full
/// stop.
pub fn quote(text: &str) -> String {
    clip(one_line(text).trim_end_matches('.'), QUOTE_LIMIT)
}

/// Joins words: `a`, `a and b`, `a, b and c`.
pub fn listed(all: Vec<String>) -> String {
    joined(all, "and")
}

/// Quotes and joins words: `a`, `a or b`, `a, b or c`.
pub fn one_of(all: &[&str]) -> String {
    joined(all.iter().map(|one| format!("`{one}`")).collect(), "or")
}

fn joined(mut all: Vec<String>, word: &str) -> String {
    match all.pop() {
        Some(last) if all.is_empty() => last,
        Some(last) => format!("{} {word} {last}", all.join(", ")),
        None => String::new(),
    }
}

/// Lists names in words, with a limited length.
pub fn list(names: &[String]) -> String {
    let shown = names.iter().take(TOLD).map(|name| {
        let name = name.chars().take(120).collect::<String>();
        format!("`{}`", name.replace(char::is_control, " "))
    });
    let shown = shown.collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(TOLD) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}

/// Whether a file is an archive, by its name.
pub fn is_archive(name: &str) -> bool {
    let name = name.to_lowercase();
    let ends = [".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".zst", ".7z"];
    ends.iter().any(|end| name.ends_with(end))
}

/// Writes a duration in words: `90s` becomes `1 min 30 s`.
pub fn words(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let parts = [(hours, "h"), (minutes, "min"), (seconds, "s")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let words = parts.map(|(count, unit)| format!("{count} {unit}"));
    let words = words.collect::<Vec<_>>().join(" ");
    if words.is_empty() {
        "0 s".to_owned()
    } else {
        words
    }
}

/// Writes how long ago something was, or how far off it is: from two days on in days, as nobody
/// counts the hours of a year.
pub fn distance(duration: Duration) -> String {
    const DAY: u64 = 24 * 3600;
    match duration.as_secs() / DAY {
        0 | 1 => words(duration),
        days => format!("{days} days"),
    }
}

/// Parses a duration: `90s`, `15m`, `2h`, or several together, `1h30m`.
pub fn duration(text: &str) -> Option<Duration> {
    let mut seconds: u64 = 0;
    let mut digits = String::new();
    for character in text.chars() {
        let unit = match character {
            '0'..='9' => {
                digits.push(character);
                continue;
            }
            's' => 1,
            'm' => 60,
            'h' => 3600,
            _ => return None,
        };
        let count: u64 = digits.parse().ok()?;
        seconds = seconds.checked_add(count.checked_mul(unit)?)?;
        digits.clear();
    }
    (digits.is_empty() && !text.is_empty()).then_some(Duration::from_secs(seconds))
}
