//! Redacts what no text may contain: the token, the job's credentials, and the values of
//! environment variables, from the request and from the cluster.
//!
//! A text is searched as it is and in decoded form (see `views`), so it does not matter how a value
//! is escaped.

mod views;
mod visible;

pub use visible::visible;

use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
pub use views::MINIMUM;
use views::{ELLIPSES, View};

/// The shortest line of a multi-line value that is redacted separately: shorter lines are braces
/// and words.
const LINE_MINIMUM: usize = 16;

/// How many values of the cluster's objects are kept: fifty ReplicaSets with forty variables each.
const MOST_VALUES: usize = 2000;

/// How many public texts are kept.
const MOST_OPEN: usize = 4000;

/// Matches of values up to this length are searched within each other.
const OVERLAP: usize = 256;

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
#[derive(Debug, Default)]
pub struct Mask {
    /// Values that are always redacted.
    secrets: BTreeSet<String>,
    /// Values of environment variables: redacted unless they are also public.
    values: BTreeSet<String>,
    /// Parts that are redacted only if a value above contains them.
    parts: BTreeSet<String>,
    /// Public texts: names, labels, selectors and images.
    open: BTreeSet<String>,
    patterns: Patterns,
}

impl Mask {
    /// Redacts nothing yet.
    pub const fn new() -> Mask {
        Mask {
            secrets: BTreeSet::new(),
            values: BTreeSet::new(),
            parts: BTreeSet::new(),
            open: BTreeSet::new(),
            patterns: Patterns {
                all: Vec::new(),
                by_beginning: BTreeMap::new(),
            },
        }
    }

    /// Adds secrets to redact.
    pub fn add<'a>(&mut self, secrets: impl IntoIterator<Item = &'a str>) {
        self.secrets.extend(secrets.into_iter().map(str::to_owned));
        self.renew();
    }

    /// Adds values of variables, which are redacted unless they are public.
    pub fn add_values<'a>(&mut self, values: impl IntoIterator<Item = &'a str>) {
        self.values.extend(values.into_iter().map(str::to_owned));
        self.renew();
    }

    /// Adds the parts of values.
    pub fn add_parts<'a>(&mut self, parts: impl IntoIterator<Item = &'a str>) {
        self.parts.extend(parts.into_iter().map(str::to_owned));
        self.renew();
    }

    /// Learns from an object of the cluster or a list: redacts the values in its pod template, and
    /// treats its names, labels, selectors and images as public.
    pub fn learn(&mut self, object: &Value) {
        let before = (self.values.len(), self.open.len());
        match object.get("items").and_then(Value::as_array) {
            Some(items) => items.iter().for_each(|item| self.learn_one(item)),
            None => self.learn_one(object),
        }
        if before != (self.values.len(), self.open.len()) {
            self.renew();
        }
    }

    fn learn_one(&mut self, object: &Value) {
        let containers = containers(object).collect::<Vec<_>>();
        let images = containers
            .iter()
            .flat_map(|it| [it.get("name"), it.get("image")]);
        let metadata = ["name", "namespace"].map(|field| object["metadata"].get(field));
        let maps = [
            "/metadata/labels",
            "/spec/selector",
            "/spec/selector/matchLabels",
            "/spec/template/metadata/labels",
        ];
        let maps = maps
            .iter()
            .filter_map(|place| object.pointer(place)?.as_object());
        let labels = maps.flat_map(|map| map.values().map(Some));
        let open = metadata.into_iter().chain(images).chain(labels).flatten();
        for text in open.filter_map(Value::as_str) {
            if self.open.len() < MOST_OPEN && text.len() >= MINIMUM && !self.open.contains(text) {
                self.open.insert(text.to_owned());
            }
        }
        let env = containers.iter().filter_map(|it| it.get("env")?.as_array());
        for value in env.flatten().filter_map(|one| one.get("value")?.as_str()) {
            let known = value.len() < MINIMUM || self.values.contains(value);
            if self.values.len() < MOST_VALUES && !known {
                self.values.insert(value.to_owned());
            }
        }
    }

    /// Rebuilds the search patterns after something was added.
    fn renew(&mut self) {
        let is_open = |value: &str| {
            let word = value.to_ascii_lowercase();
            WORDS.contains(&&*word) || self.open.iter().any(|open| open.contains(value))
        };
        let values = self.values.iter().map(String::as_str);
        let within = |part: &str| self.values.iter().any(|value| value.contains(part));
        let parts = self
            .parts
            .iter()
            .map(String::as_str)
            .filter(|part| within(part));
        let passwords = values.clone().flat_map(passwords);
        let values = values.chain(parts).chain(passwords);
        let values = values.filter(|value| !is_open(value.trim()));
        let all = self.secrets.iter().map(String::as_str).chain(values);
        self.patterns = Patterns::new(all.flat_map(spellings));
    }

    /// Returns the text with the values redacted, and without invisible characters and cursor
    /// movements.
    pub fn text(&self, text: &str) -> String {
        let text = visible(text);
        if self.patterns.all.is_empty() {
            return text;
        }
        let mut found = Vec::new();
        for view in views::of(&text) {
            self.patterns.find(&view, &mut found);
        }
        without(&text, found)
    }
}

/// The containers of a pod template, including init containers.
fn containers(object: &Value) -> impl Iterator<Item = &Value> {
    let lists = ["containers", "initContainers"].into_iter();
    let lists =
        lists.filter_map(|list| object.pointer("/spec/template/spec")?.get(list)?.as_array());
    lists.flatten()
}

/// The passwords within a value: in a URL's user part, and named passwords in a connection string.
fn passwords(value: &str) -> impl Iterator<Item = &str> {
    const NAMES: [&str; 5] = ["password", "passwd", "pwd", "secret", "token"];
    let user = value.split("://").skip(1).filter_map(|rest| {
        let authority = rest.split(['/', '?', '#', ' ']).next()?;
        let (user, _) = authority.rsplit_once('@')?;
        user.split_once(':').map(|(_, password)| password)
    });
    let fields = value.split([';', '&', ' ', '?']).filter_map(|field| {
        let (name, value) = field.split_once('=')?;
        let name = name.trim().to_ascii_lowercase();
        NAMES
            .iter()
            .any(|it| name.ends_with(it))
            .then_some(value.trim())
    });
    user.chain(fields)
}

/// The spellings of a value: as it is, and quoted in one line. The lines of a key are as secret as
/// the whole key, and logs break and cut them anywhere.
fn spellings(secret: &str) -> impl Iterator<Item = String> {
    let lines = secret
        .lines()
        .filter(|line| line.trim().len() >= LINE_MINIMUM);
    let all = std::iter::once(secret).chain(lines).map(str::trim);
    all.flat_map(|text| {
        let one_line = text.split_whitespace().collect::<Vec<_>>().join(" ");
        [text.to_owned(), visible(text), one_line]
    })
}

/// The texts to search for, by their first bytes.
#[derive(Debug, Default)]
struct Patterns {
    all: Vec<Vec<u8>>,
    by_beginning: BTreeMap<[u8; 4], Vec<usize>>,
}

impl Patterns {
    fn new(texts: impl Iterator<Item = String>) -> Patterns {
        let texts = texts.filter(|text| text.trim().len() >= MINIMUM);
        let mut all = texts.map(String::into_bytes).collect::<Vec<_>>();
        all.sort_by(|one, other| (other.len(), one).cmp(&(one.len(), other)));
        all.dedup();
        let mut by_beginning = BTreeMap::<_, Vec<_>>::new();
        for (index, pattern) in all.iter().enumerate() {
            if let Some(beginning) = pattern.first_chunk::<4>() {
                by_beginning.entry(*beginning).or_default().push(index);
            }
        }
        Patterns { all, by_beginning }
    }

    /// Adds the positions of matches in the text that the view was made of.
    fn find(&self, view: &View, found: &mut Vec<(usize, usize)>) {
        let bytes = &view.bytes;
        let first = self.by_beginning.keys().map(|beginning| beginning[0]);
        let mut begins = [false; 256];
        first.for_each(|byte| begins[usize::from(byte)] = true);
        let cuts = cuts(bytes);
        let (mut at, mut cut) = (0, 0);
        while at + MINIMUM <= bytes.len() {
            while cuts.get(cut).is_some_and(|cut| *cut < at) {
                cut += 1;
            }
            let rest = &bytes[at..];
            let length = match begins[usize::from(bytes[at])] {
                true => self.longest(rest, cuts.get(cut).map(|cut| cut - at)),
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
    fn longest(&self, text: &[u8], cut: Option<usize>) -> Option<usize> {
        let all = self.by_beginning.get(text.first_chunk::<4>()?)?;
        let mut all = all.iter().map(|index| &self.all[*index]);
        let is_cut = cut.filter(|cut| *cut >= MINIMUM);
        all.find_map(|pattern| {
            if text.starts_with(pattern) {
                return Some(pattern.len());
            }
            is_cut.filter(|cut| *cut < pattern.len() && pattern.starts_with(&text[..*cut]))
        })
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
        let start = floor(text, start).max(from);
        shown.push_str(&text[from..start]);
        shown.push_str(HIDDEN);
        from = ceiling(text, end).max(from);
    }
    shown.push_str(&text[from..]);
    shown
}

fn floor(text: &str, at: usize) -> usize {
    let mut before = (0..=at.min(text.len())).rev();
    before.find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn ceiling(text: &str, at: usize) -> usize {
    let mut after = at..=text.len();
    after
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len())
}

#[cfg(test)]
mod tests;
