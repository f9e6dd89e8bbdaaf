//! Checked names, labels and plain paths: only these may become part of a path or a selector. Data
//! from the cluster, such as an annotation or the name of a listed object, must pass these checks
//! first.
//! <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/>

use std::fmt;
use std::ops::Deref;

/// The longest DNS label.
const LABEL_LIMIT: usize = 63;

/// The longest DNS subdomain.
const SUBDOMAIN_LIMIT: usize = 253;

/// The naming rule of a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A DNS label: namespaces, Services, containers.
    Label,
    /// A DNS-1123 subdomain: Deployments, ReplicaSets, pods, autoscalers, ServiceAccounts.
    Subdomain,
    /// A segment of a path, as a ClusterRole's `system:node` is: anything that is visible and needs
    /// no encoding there.
    /// <https://kubernetes.io/docs/concepts/overview/working-with-objects/names/#path-segment-names>
    Segment,
}

/// A valid Kubernetes name. Only [`Name::new`] creates one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// Accepts a text that follows the rule; `None` for any other.
    pub fn new(text: &str, rule: Rule) -> Option<Name> {
        let valid = match rule {
            Rule::Label => text.len() <= LABEL_LIMIT && is_label(text),
            Rule::Subdomain => text.len() <= SUBDOMAIN_LIMIT && text.split('.').all(is_label),
            Rule::Segment => text.len() <= SUBDOMAIN_LIMIT && is_segment(text),
        };
        valid.then(|| Name(text.to_owned()))
    }
}

impl Deref for Name {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl PartialEq<str> for Name {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for Name {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl From<Name> for String {
    fn from(name: Name) -> String {
        name.0
    }
}

fn is_segment(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:@".contains(&byte);
    !text.is_empty() && text != "." && text != ".." && text.bytes().all(inner)
}

fn is_label(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let text = text.as_bytes();
    let ends = text.first().zip(text.last());
    ends.is_some_and(|(first, last)| *first != b'-' && *last != b'-')
        && text.iter().copied().all(inner)
}

/// A label selector for the query parameter `labelSelector`, with valid keys and values only.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors>
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LabelSelector(String);

impl LabelSelector {
    /// Accepts a selector if every requirement is valid; `None` otherwise.
    pub fn new(text: &str) -> Option<LabelSelector> {
        let valid = text.is_empty() || requirements(text).all(is_requirement);
        valid.then(|| LabelSelector(text.to_owned()))
    }
}

impl From<LabelSelector> for String {
    fn from(selector: LabelSelector) -> String {
        selector.0
    }
}

/// Splits at the commas that are not in parentheses.
fn requirements(text: &str) -> impl Iterator<Item = &str> {
    let mut depth = 0_usize;
    text.split(move |character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    })
}

fn is_requirement(text: &str) -> bool {
    if let Some(key) = text.strip_prefix('!') {
        return is_label_key(key);
    }
    if let Some((key, value)) = text.split_once('=') {
        return is_label_key(key) && is_label_value(value);
    }
    let Some((key, rest)) = text.split_once(' ') else {
        return is_label_key(text);
    };
    let values = rest.strip_prefix("in (").or(rest.strip_prefix("notin ("));
    let values = values.and_then(|values| values.strip_suffix(')'));
    is_label_key(key) && values.is_some_and(|values| values.split(',').all(is_label_value))
}

/// Whether a text is a label key: a name, optionally after a DNS subdomain and a slash.
/// <https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set>
pub fn is_label_key(text: &str) -> bool {
    let (prefix, name) = match text.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, text),
    };
    let prefix = prefix.is_none_or(|prefix| Name::new(prefix, Rule::Subdomain).is_some());
    prefix && !name.is_empty() && is_label_value(name)
}

/// Whether a text is a label value, which may be empty.
pub fn is_label_value(text: &str) -> bool {
    let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let bytes = text.as_bytes();
    let end = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    text.len() <= LABEL_LIMIT
        && bytes.iter().copied().all(inner)
        && end(bytes.first())
        && end(bytes.last())
}

/// Whether an HTTP path stays below the path that it is appended to: it contains no `.` or `..` in
/// any spelling, which the API server would resolve.
pub fn is_plain_path(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_graphic() && !b"\\#\"<>^`{|}".contains(&byte);
    let dots = text.to_ascii_lowercase().replace("%2e", ".");
    let climbs = dots
        .split(['/', '?'])
        .any(|part| [".", ".."].contains(&part));
    let hidden = ["%2f", "%5c"].iter().any(|it| dots.contains(it));
    text.starts_with('/')
        && !text.starts_with("//")
        && text.bytes().all(allowed)
        && !climbs
        && !hidden
}

#[cfg(test)]
mod tests;
