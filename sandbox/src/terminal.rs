//! The terminal: its size, and text as it is shown there.

use std::io::{self, IsTerminal as _, Write as _};

/// The width where it is not known, as in a log.
pub(crate) const WIDTH: usize = 80;
/// The height where it is not known.
const HEIGHT: usize = 24;
/// Nothing fits into less.
const NARROWEST: usize = 40;
/// Longer lines are hard to read.
const WIDEST: usize = 140;

/// Columns and rows of the terminal, which may change at any time.
pub(crate) fn size() -> (usize, usize) {
    let found = rustix::termios::tcgetwinsize(io::stdout()).ok();
    let found = found.filter(|size| size.ws_col > 0 && size.ws_row > 0);
    let (width, height) = found.map_or((WIDTH, HEIGHT), |size| {
        (usize::from(size.ws_col), usize::from(size.ws_row))
    });
    (width.clamp(NARROWEST, WIDEST), height)
}

/// Whether a picture can be redrawn in place on standard output.
pub(crate) fn can_redraw() -> bool {
    let dumb = std::env::var_os("TERM").is_some_and(|terminal| terminal == "dumb");
    !dumb && io::stdout().is_terminal()
}

/// Whether colours are wanted, <https://no-color.org/>.
pub(crate) fn has_colours() -> bool {
    std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// A reader that has closed its end, like `head`, must not stop the deploy.
pub(crate) fn write(text: &str) {
    let mut output = io::stdout().lock();
    let _gone = output
        .write_all(text.as_bytes())
        .and_then(|()| output.flush());
}

/// A text in a colour, by the number that terminals have for it.
pub(crate) fn paint(colour: &str, text: &str) -> String {
    format!("\x1b[{colour}m{text}\x1b[0m")
}

/// The same text without colours.
pub(crate) fn plain(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let rest = part.split_once(|end: char| end.is_ascii_alphabetic());
        match (rest, part.find('m')) {
            (Some((before, rest)), Some(end)) if before.len() == end => plain.push_str(rest),
            // What moves the cursor stays.
            _ => plain.push_str(&format!("\x1b[{part}")),
        }
    }
    plain
}

/// How many columns a text takes.
pub(crate) fn columns(text: &str) -> usize {
    plain(text).chars().count()
}

/// A text, filled with spaces up to a width.
pub(crate) fn padded(text: &str, width: usize) -> String {
    let spaces = width.saturating_sub(columns(text));
    format!("{text}{}", " ".repeat(spaces))
}

/// Breaks lines at spaces, and within a word only if it is longer than a line.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let indent: String = paragraph
            .chars()
            .take_while(|c| *c == ' ')
            .take(width / 2)
            .collect();
        let mut line = indent.clone();
        for word in paragraph.split_whitespace() {
            let mut rest: Vec<char> = word.chars().collect();
            let space = usize::from(line.len() > indent.len());
            if space == 1 && line.chars().count() + 1 + rest.len() > width {
                lines.push(std::mem::replace(&mut line, indent.clone()));
            } else if space == 1 {
                line.push(' ');
            }
            while line.chars().count() + rest.len() > width {
                let room = width - line.chars().count();
                line.extend(rest.drain(..room));
                lines.push(std::mem::replace(&mut line, indent.clone()));
            }
            line.extend(rest);
        }
        lines.push(line);
    }
    if lines.is_empty() {
        lines.push(String::new());
    }
    lines
}

#[cfg(test)]
mod tests;
