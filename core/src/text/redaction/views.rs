//! Decoded views of a text: with its escapes, percent signs, entities, base64, base32, hexadecimal
//! digits or lists of numbers decoded, of one or two bytes a character, and its wrapped lines
//! joined. Each byte knows its position in the original text. Each view is made in one pass.

mod characters;
mod digits;
mod view;

use characters::SPELLINGS;
pub use view::MINIMUM;
pub(super) use view::View;

/// How often a text is decoded: JSON in a JSON string, base64 of base64.
const DEPTH: usize = 2;

/// Passes the text and all its decoded views to `see`.
pub(super) fn each(text: &str, see: &mut impl FnMut(&View)) {
    deeper(&View::plain(text), DEPTH, see);
}

fn deeper(view: &View, depth: usize, see: &mut impl FnMut(&View)) {
    see(view);
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    let mut has = [false; 256];
    view.bytes
        .iter()
        .for_each(|byte| has[usize::from(*byte)] = true);
    let occurs = |sign: &u8| has[usize::from(*sign)];
    let spelled = SPELLINGS.iter();
    let spelled = spelled.filter(|(signs, _)| signs.iter().any(occurs));
    let spelled = spelled.filter_map(|(signs, decode)| characters::decoded(view, signs, *decode));
    let wide = digits::wide(view).into_iter();
    spelled
        .chain(digits::numbered(view))
        .chain(wide)
        .for_each(|view| deeper(&view, depth, see));
}

#[cfg(test)]
mod tests;
