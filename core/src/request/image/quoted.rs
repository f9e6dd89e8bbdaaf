//! Shows an image, or a part of one, in a message.

use crate::formats::yaml::text::unseen;

/// How much of an image a message shows, and how much of its end if it is longer.
const SHOWN: usize = 300;
/// See [`SHOWN`].
const SHOWN_END: usize = 100;

/// Shows a text in one line, whole unless it is very long, with invisible characters by their code
/// points.
pub fn shown(text: &str) -> String {
    let count = text.chars().count();
    let one = |character: char| match unseen(character) {
        Some(_) => format!("<U+{:04X}>", u32::from(character)),
        None => character.to_string(),
    };
    match count <= SHOWN {
        true => text.chars().map(one).collect(),
        false => {
            let begin = text.chars().take(SHOWN - SHOWN_END).map(one);
            let end = text.chars().skip(count - SHOWN_END).map(one);
            begin.chain(["…".to_owned()]).chain(end).collect()
        }
    }
}

/// The end of a text, where the fault usually is.
pub(super) fn end_of(text: &str) -> String {
    let count = text.chars().count();
    let end = text
        .chars()
        .skip(count.saturating_sub(60))
        .collect::<String>();
    let end = shown(&end);
    match count > 60 {
        true => format!("…{end}"),
        false => end,
    }
}
