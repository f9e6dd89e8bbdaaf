//! Redacts what no text may contain: the token, the job's credentials, and the values of
//! environment variables, from the request and from the cluster.
//!
//! A text is searched as it is and in decoded form (see `views`), so it does not matter how a value
//! is escaped, nor in which case it is written.

mod spellings;
mod views;
mod visible;

pub use visible::visible;

use serde_json::Value;
use spellings::{decoded, passwords, spellings};
use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::Bound;
pub use views::MINIMUM;
use views::{ELLIPSES, View};

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
    patterns: OnceCell<Patterns>,
}

impl fmt::Debug for Mask {
    /// Has no value in it: they are what must never be printed.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = (self.secrets.len(), self.values.len(), self.open.len());
        formatter.debug_tuple("Mask").field(&counts).finish()
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
            patterns: OnceCell::new(),
        }
    }

    /// Adds secrets to redact.
    pub fn add<'a>(&mut self, secrets: impl IntoIterator<Item = &'a str>) {
        self.secrets.extend(secrets.into_iter().map(str::to_owned));
        self.patterns.take();
    }

    /// Adds values of variables, which are redacted unless they are public.
    pub fn add_values<'a>(&mut self, values: impl IntoIterator<Item = &'a str>) {
        self.values.extend(values.into_iter().map(str::to_owned));
        self.patterns.take();
    }

    /// Adds the parts of values.
    pub fn add_parts<'a>(&mut self, parts: impl IntoIterator<Item = &'a str>) {
        self.parts.extend(parts.into_iter().map(str::to_owned));
        self.patterns.take();
    }

    /// Learns from an object of the cluster or a list: redacts the values in its pod template, and
    /// treats its names, labels, selectors and images as public.
    pub fn learn(&mut self, object: &Value) {
        let known = |mask: &Mask| (mask.values.len(), mask.open.len(), mask.references.len());
        let before = known(self);
        match object.get("items").and_then(Value::as_array) {
            Some(items) => items.iter().for_each(|item| self.learn_one(item)),
            None => self.learn_one(object),
        }
        if before != known(self) {
            self.patterns.take();
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
        let open = open.filter_map(Value::as_str);
        for text in open
            .filter(|text| text.len() >= MINIMUM)
            .map(str::to_lowercase)
        {
            if self.open.len() < MOST_OPEN {
                self.open.insert(text);
            }
        }
        references(object, &mut |name| {
            if name.len() >= MINIMUM && self.references.len() < MOST_OPEN {
                self.references.insert(name.to_lowercase());
            }
        });
        let env = containers.iter().filter_map(|it| it.get("env")?.as_array());
        for value in env.flatten().filter_map(|one| one.get("value")?.as_str()) {
            let known = value.len() < MINIMUM || self.values.contains(value);
            if self.values.len() < MOST_VALUES && !known {
                self.values.insert(value.to_owned());
            }
        }
    }

    /// Builds the search patterns.
    fn search_patterns(&self) -> Patterns {
        let is_open = |value: &str| {
            let word = value.to_lowercase();
            WORDS.contains(&&*word)
                || self.references.contains(&word)
                || self.open.iter().any(|open| open.contains(&word))
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
        let all = all.collect::<Vec<_>>();
        let meant = all.iter().copied().flat_map(decoded);
        let meant = meant.filter(|value| !is_open(value.trim()));
        let meant = meant.collect::<Vec<_>>();
        let all = all.into_iter().chain(meant.iter().map(String::as_str));
        Patterns::new(all.flat_map(spellings))
    }

    /// Returns the text with the values redacted, and without invisible characters and cursor
    /// movements.
    pub fn text(&self, text: &str) -> String {
        let text = visible(text);
        let patterns = self.patterns.get_or_init(|| self.search_patterns());
        if patterns.all.is_empty() {
            return text;
        }
        let mut found = Vec::new();
        views::each(&text, &mut |view| patterns.find(view, &mut found));
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

/// The parts of an object in which a field that is called a name may be anything.
const WITHOUT_REFERENCES: [&str; 5] = ["data", "stringData", "binaryData", "annotations", "status"];

/// Tells each name that an object of Kubernetes' own kinds refers to: of a service account, a
/// volume, a class, a role. What a custom resource calls a name may be a login.
fn references(object: &Value, tell: &mut impl FnMut(&str)) {
    let version = object["apiVersion"].as_str().unwrap_or_default();
    let group = version.rsplit_once('/').map_or("", |(group, _)| group);
    let is_own = !group.contains('.') || group.ends_with(".k8s.io");
    if is_own {
        names_in(object, tell);
    }
}

fn names_in(value: &Value, tell: &mut impl FnMut(&str)) {
    match value {
        Value::Object(fields) => {
            for (field, value) in fields {
                if let Value::String(text) = value
                    && (field == "name" || field.ends_with("Name"))
                {
                    tell(text);
                } else if !WITHOUT_REFERENCES.contains(&field.as_str()) {
                    names_in(value, tell);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| names_in(item, tell)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The texts to search for.
#[derive(Debug, Default)]
struct Patterns {
    /// The texts, by their lower case.
    all: BTreeMap<Vec<u8>, Vec<Vec<u8>>>,
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
    fn new(texts: impl Iterator<Item = String>) -> Patterns {
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
    fn find(&self, view: &View, found: &mut Vec<(usize, usize)>) {
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
