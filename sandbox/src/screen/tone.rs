//! The styles of lines.

use crate::terminal::{paint, wrap};

/// The style of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tone {
    Heading,
    Normal,
    Faint,
    Good,
    Bad,
}

/// A line in its colour, as many as it takes.
pub(super) fn toned(tone: Tone, text: &str, width: usize) -> Vec<String> {
    let colour = match tone {
        Tone::Heading => "1",
        Tone::Normal => "0",
        Tone::Faint => "90",
        Tone::Good => "32",
        Tone::Bad => "31",
    };
    let lines = wrap(text, width.saturating_sub(4)).into_iter();
    let lines = lines.enumerate().map(|(number, line)| {
        let margin = if number == 0 { "  " } else { "    " };
        format!("{margin}{}", paint(colour, &line))
    });
    lines.collect()
}
