//! Searches a text for many values at once, and for what is left of one where the text was cut.

use super::views::{ELLIPSES, MINIMUM, View};
use std::collections::BTreeMap;
use std::ops::Bound;

/// Matches of values up to this length are searched within each other.
const OVERLAP: usize = 256;

/// The texts to search for.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// The texts, by their lower case.
    pub(super) all: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
    /// Whether a text begins with two bytes: a bit for each pair.
    begins: Vec<u64>,
}

/// Whether a text equals the pattern. The case does not matter, except for plain words, which occur
/// in any sentence.
fn is_same(text: &[u8], pattern: &[u8]) -> bool {
    text == pattern
        || text.eq_ignore_ascii_case(pattern) && !pattern.iter().all(u8::is_ascii_alphabetic)
}

/// How many pairs of bytes there are.
const PAIRS: usize = 1 << 16;

/// The number of the first two bytes.
fn beginning(text: &[u8]) -> usize {
    usize::from(text[0]) << 8 | usize::from(text[1])
}

impl Patterns {
    pub(super) fn new(texts: impl Iterator<Item = String>) -> Patterns {
        let mut all = BTreeMap::<_, Vec<Vec<u8>>>::new();
        let mut begins = vec![0; PAIRS / 64];
        for text in texts.filter(|text| text.trim().len() >= MINIMUM) {
            let folded = text.to_ascii_lowercase().into_bytes();
            let pair = beginning(&folded);
            begins[pair / 64] |= 1 << (pair % 64);
            let (text, same) = (text.into_bytes(), all.entry(folded).or_default());
            if !same.contains(&text) {
                same.push(text);
            }
        }
        Patterns { all, begins }
    }

    /// Adds the positions of matches in the text that the view was made of.
    pub(super) fn find(&self, view: &View, found: &mut Vec<(usize, usize)>) {
        let bytes = &view.bytes;
        let folded = bytes.to_ascii_lowercase();
        let cuts = cuts(bytes);
        let (mut at, mut cut) = (0, 0);
        while at + MINIMUM <= bytes.len() {
            while cuts.get(cut).is_some_and(|cut| *cut < at) {
                cut += 1;
            }
            let pair = beginning(&folded[at..]);
            let length = match self.begins[pair / 64] >> (pair % 64) & 1 == 1 {
                true => self.longest(
                    &bytes[at..],
                    &folded[at..],
                    cuts.get(cut).map(|cut| cut - at),
                ),
                false => None,
            };
            let Some(length) = length else {
                at += 1;
                continue;
            };
            found.push((view.start(at), view.end(at + length)));
            at += if length <= OVERLAP { 1 } else { length };
        }
    }

    /// The longest match at the beginning of the text, including one that the text cuts off.
    fn longest(&self, text: &[u8], folded: &[u8], cut: Option<usize>) -> Option<usize> {
        let cut = cut.filter(|cut| *cut >= MINIMUM);
        let is_cut = cut.is_some_and(|cut| {
            let from = (Bound::Included(&folded[..cut]), Bound::Unbounded);
            let longer = self.all.range::<[u8], _>(from);
            let mut longer = longer.take_while(|(pattern, _)| pattern.starts_with(&folded[..cut]));
            longer.any(|(_, all)| all.iter().any(|it| is_same(&text[..cut], &it[..cut])))
        });
        // The longest pattern that a text begins with is its predecessor in order, or the
        // predecessor of their common prefix.
        let mut rest = folded;
        let whole = loop {
            let shorter = (Bound::Unbounded, Bound::Included(rest));
            let Some((before, all)) = self.all.range::<[u8], _>(shorter).next_back() else {
                break 0;
            };
            let shared = before
                .iter()
                .zip(rest)
                .take_while(|(one, other)| one == other)
                .count();
            let is_it = shared == before.len();
            if is_it && all.iter().any(|it| is_same(&text[..shared], it)) {
                break shared;
            }
            if shared < MINIMUM {
                break 0;
            }
            rest = &rest[..shared - usize::from(is_it)];
        };
        let longest = whole.max(cut.filter(|_| is_cut).unwrap_or_default());
        (longest > 0).then_some(longest)
    }
}

/// The positions where the text was cut.
fn cuts(bytes: &[u8]) -> Vec<usize> {
    let is_cut = |at: &usize| {
        ELLIPSES
            .iter()
            .any(|it| bytes[*at..].starts_with(it.as_bytes()))
    };
    (0..bytes.len()).filter(is_cut).collect()
}
