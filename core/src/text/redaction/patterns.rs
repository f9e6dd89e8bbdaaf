//! Searches a text for many values at once, and for what is left of one where the text was cut.

use super::views::{MINIMUM, View};
use std::collections::BTreeMap;
use std::ops::Bound;

/// Matches of values up to this length are searched within each other.
const OVERLAP: usize = 256;

/// What stands where a text was cut, by us or by the program itself.
const CUTS: [&str; 11] = [
    "…", "...", "[...", "[…", "(...", "**", "••", "[trunc", "(trunc", "<trunc", "[redact",
];

/// How much of a value's beginning is searched for where nothing says that it was cut: what
/// programs show of a key is shorter, and what others share with a value has words in it.
const UNMARKED_CUT: usize = 16;

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
        let cuts = cuts(&folded);
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
        match longest {
            0 => self.unmarked_cut(text, folded),
            longest => Some(longest),
        }
    }

    /// The beginning of a pattern, at least half of it, that a program has cut without a sign. Only
    /// of patterns that look like keys.
    fn unmarked_cut(&self, text: &[u8], folded: &[u8]) -> Option<usize> {
        let head = folded.get(..UNMARKED_CUT)?;
        if !is_of_a_key(head) {
            return None;
        }
        // A pattern that shares the most with a text is next to it in order.
        let before = (Bound::Unbounded, Bound::Included(folded));
        let after = (Bound::Excluded(folded), Bound::Unbounded);
        let before = self.all.range::<[u8], _>(before).next_back();
        let after = self.all.range::<[u8], _>(after).next();
        let near = before.into_iter().chain(after).flat_map(|(_, all)| all);
        let shared = near.filter_map(|pattern| {
            let pairs = pattern.iter().zip(text);
            let shared = pairs.take_while(|(one, other)| one == other).count();
            let is_half = shared >= UNMARKED_CUT && 2 * shared >= pattern.len();
            (is_half && is_of_a_key(&text[..shared])).then_some(shared)
        });
        shared.max()
    }
}

/// Whether a text is of letters and digits, both of them, as keys are.
fn is_of_a_key(text: &[u8]) -> bool {
    text.iter()
        .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
        && text.iter().any(u8::is_ascii_digit)
        && text.iter().any(u8::is_ascii_alphabetic)
}

/// The positions where the text was cut.
fn cuts(bytes: &[u8]) -> Vec<usize> {
    let is_cut = |at: &usize| {
        let mut marks = CUTS.iter().map(|mark| mark.as_bytes());
        marks.any(|mark| mark[0] == bytes[*at] && bytes[*at..].starts_with(mark))
    };
    (0..bytes.len()).filter(is_cut).collect()
}
