//! Redacts what no text may contain: the token, the job's credentials, and the values of
//! environment variables, from the request and from the cluster; and what looks like a secret,
//! whosever it is (see `shapes`).
//!
//! A text is searched as it is and in decoded form (see `views`), so it does not matter how a value
//! is escaped, nor in which case it is written. What is compressed is redacted as a whole (see
//! `packed`).

mod learning;
mod packed;
mod patterns;
mod radix;
mod shapes;
mod spellings;
mod views;
mod visible;

pub use visible::visible;

use learning::Word;
use patterns::Patterns;
use serde_json::Value;
use spellings::{decoded, passwords, spellings};
use std::collections::BTreeSet;
use std::fmt;
use std::sync::OnceLock;
pub use views::MINIMUM;

/// How many values of the cluster's objects are kept: fifty ReplicaSets with forty variables each.
const MOST_VALUES: usize = 2000;

/// How many public texts are kept.
const MOST_OPEN: usize = 4000;

/// The text in place of a redacted value.
pub const HIDDEN: &str = "[hidden]";

/// Common values that are no secrets.
const WORDS: [&str; 24] = [
    "true",
    "false",
    "debug",
    "trace",
    "warning",
    "error",
    "fatal",
    "production",
    "staging",
    "development",
    "default",
    "localhost",
    "enabled",
    "disabled",
    "127.0.0.1",
    "0.0.0.0",
    "container",
    "kubernetes",
    "deployment",
    "service",
    "always",
    "never",
    "http://",
    "https://",
];

/// The values to redact.
#[derive(Default)]
pub struct Mask {
    /// Values that are always redacted.
    secrets: BTreeSet<String>,
    /// Values of environment variables: redacted unless they are also public.
    values: BTreeSet<String>,
    /// Parts that are redacted only if a value above contains them.
    parts: BTreeSet<String>,
    /// Public texts in lower case: names, labels, selectors and images.
    open: BTreeSet<String>,
    /// Names that objects refer to, in lower case. They are public as a whole, and not in parts.
    references: BTreeSet<String>,
    /// What to search for, made of the above when a text is to be redacted.
    patterns: OnceLock<Patterns>,
    /// The same with spellings that few texts can have in them.
    more_patterns: OnceLock<Patterns>,
}

impl Clone for Mask {
    /// A copy is made to be changed: what is searched for is made anew.
    fn clone(&self) -> Mask {
        Mask {
            secrets: self.secrets.clone(),
            values: self.values.clone(),
            parts: self.parts.clone(),
            open: self.open.clone(),
            references: self.references.clone(),
            ..Mask::new()
        }
    }
}

impl fmt::Debug for Mask {
    /// Has no value in it: they are what must never be printed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Mask").field(&self.size()).finish()
    }
}

impl Mask {
    /// Redacts nothing yet.
    pub const fn new() -> Mask {
        Mask {
            secrets: BTreeSet::new(),
            values: BTreeSet::new(),
            parts: BTreeSet::new(),
            open: BTreeSet::new(),
            references: BTreeSet::new(),
            patterns: OnceLock::new(),
            more_patterns: OnceLock::new(),
        }
    }

    /// How many texts it knows. A mask never forgets one, so it has changed where this has.
    pub fn size(&self) -> usize {
        let all = [
            &self.secrets,
            &self.values,
            &self.parts,
            &self.open,
            &self.references,
        ];
        all.map(BTreeSet::len).iter().sum()
    }

    /// Adds secrets to redact.
    pub fn add<'a>(&mut self, secrets: impl IntoIterator<Item = &'a str>) {
        self.secrets.extend(secrets.into_iter().map(str::to_owned));
        self.forget_patterns();
    }

    /// Adds values of variables, which are redacted unless they are public.
    pub fn add_values<'a>(&mut self, values: impl IntoIterator<Item = &'a str>) {
        self.values.extend(values.into_iter().map(str::to_owned));
        self.forget_patterns();
    }

    /// Adds the parts of values.
    pub fn add_parts<'a>(&mut self, parts: impl IntoIterator<Item = &'a str>) {
        self.parts.extend(parts.into_iter().map(str::to_owned));
        self.forget_patterns();
    }

    /// A mask that has also learned from an object of the cluster or a list: it redacts the values
    /// in its pod template, and treats its names, labels, selectors and images as public. `None`
    /// where there is nothing to learn.
    pub fn learned(&self, object: &Value) -> Option<Mask> {
        let mut learned: Option<Mask> = None;
        learning::each(object, &mut |word, text| {
            if learned.as_ref().unwrap_or(self).is_new(word, text) {
                let mask = learned.get_or_insert_with(|| self.clone());
                match word {
                    Word::Open => mask.open.insert(text.to_lowercase()),
                    Word::Reference => mask.references.insert(text.to_lowercase()),
                    Word::Value => mask.values.insert(text.to_owned()),
                };
            }
        });
        learned
    }

    fn is_new(&self, word: Word, text: &str) -> bool {
        let (words, most) = match word {
            Word::Open => (&self.open, MOST_OPEN),
            Word::Reference => (&self.references, MOST_OPEN),
            Word::Value => (&self.values, MOST_VALUES),
        };
        let is_known = || match word {
            Word::Open | Word::Reference => words.contains(&text.to_lowercase()),
            Word::Value => words.contains(text),
        };
        text.len() >= MINIMUM && words.len() < most && !is_known()
    }

    fn forget_patterns(&mut self) {
        self.patterns.take();
        self.more_patterns.take();
    }

    /// Whether a value is a common word, or public.
    fn is_open(&self, value: &str) -> bool {
        let word = value.to_lowercase();
        WORDS.contains(&&*word)
            || self.references.contains(&word)
            || self.open.iter().any(|open| open.contains(&word))
    }

    /// Builds the search patterns, on demand with the spellings of other radixes.
    fn search_patterns(&self, in_radixes: bool) -> Patterns {
        let values = self.values.iter().map(String::as_str);
        let within = |part: &str| self.values.iter().any(|value| value.contains(part));
        let parts = self
            .parts
            .iter()
            .map(String::as_str)
            .filter(|part| within(part));
        let passwords = values.clone().flat_map(passwords);
        let values = values.chain(parts).chain(passwords);
        let values = values.filter(|value| !self.is_open(value.trim()));
        let all = self.secrets.iter().map(String::as_str).chain(values);
        let all = all.collect::<Vec<_>>();
        let meant = all.iter().copied().flat_map(decoded);
        let meant = meant.filter(|value| !self.is_open(value.trim()));
        let meant = meant.collect::<Vec<_>>();
        let all = all.into_iter().chain(meant.iter().map(String::as_str));
        let all = all.collect::<Vec<_>>();
        let in_others = all.iter().filter(|_| in_radixes);
        let in_others = in_others.flat_map(|value| radix::spellings(value.trim()));
        Patterns::new(all.iter().copied().flat_map(spellings).chain(in_others))
    }

    /// Returns the text with the values and what looks like a secret redacted, and without
    /// invisible characters and cursor movements.
    pub fn text(&self, text: &str) -> String {
        let text = visible(text);
        let patterns = match radix::may_have(&text) {
            true => {
                let patterns = &self.more_patterns;
                patterns.get_or_init(|| self.search_patterns(true))
            }
            false => self.patterns.get_or_init(|| self.search_patterns(false)),
        };
        let mut found = match patterns.all.is_empty() {
            true => Vec::new(),
            false => packed::find(&text),
        };
        views::each(&text, &mut |view| {
            patterns.find(view, &mut found);
            shapes::find(view, &|value| self.is_open(value), &mut found);
        });
        match found.is_empty() {
            true => text,
            false => without(&text, found),
        }
    }
}

/// Replaces these ranges of the text; overlapping ranges count as one.
fn without(text: &str, mut found: Vec<(usize, usize)>) -> String {
    found.sort_unstable();
    let mut shown = String::with_capacity(text.len());
    let mut from = 0;
    let mut places = found.into_iter().peekable();
    while let Some((start, mut end)) = places.next() {
        while let Some((_, other)) = places.next_if(|(other, _)| *other < end) {
            end = end.max(other);
        }
        let start = text.floor_char_boundary(start).max(from);
        shown.push_str(&text[from..start]);
        shown.push_str(HIDDEN);
        from = text.ceil_char_boundary(end).max(from);
    }
    shown.push_str(&text[from..]);
    shown
}

#[cfg(test)]
mod tests;
