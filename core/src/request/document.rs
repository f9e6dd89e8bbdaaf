//! Finds the workload to write in a manifest from an input artifact, and fills its placeholders
//! with variables.

use super::appearance::{known, kustomization, not_rendered, template, unfinished, unreadable};
use crate::formats::yaml::{self, text};
use crate::problem::Fault;
use crate::text::list;
use crate::text::placeholder;
use crate::workload::Kind;
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The largest number of placeholders, and the most text that they may expand to.
const PLACES_LIMIT: usize = 1000;
/// See [`PLACES_LIMIT`].
const FILLED_LIMIT: usize = 1024 * 1024;

/// The longest name of an object in a message.
const LABEL_LIMIT: usize = 100;

/// The chosen workload and the other objects of its file.
#[derive(Clone, Debug, PartialEq)]
pub struct Chosen {
    /// The workload, unchanged.
    pub deployment: Value,
    /// The other objects, as `Kind/name`, which are not applied.
    pub skipped: Vec<String>,
}

/// Which workload of a file the request means.
#[derive(Clone, Copy, Debug, Default)]
pub struct Meant<'a> {
    /// Its kind.
    pub kind: Kind,
    /// The workload's name, if the request has it.
    pub name: Option<&'a str>,
    /// The namespace; a workload without one matches any.
    pub namespace: Option<&'a str>,
    /// The values for placeholders, which the name may contain, too.
    pub variables: Option<&'a BTreeMap<String, String>>,
}

impl Meant<'_> {
    fn is(&self, object: &Value) -> bool {
        let says = |field: &str| {
            let text = object["metadata"][field].as_str()?;
            Some(match self.variables {
                Some(variables) => filled(text, variables),
                None => text.to_owned(),
            })
        };
        let is_name = self
            .name
            .is_none_or(|name| says("name").as_deref() == Some(name));
        let namespace = says("namespace");
        let namespaces = namespace.as_deref().zip(self.namespace);
        is_name && (self.name.is_none() || namespaces.is_none_or(|(one, other)| one == other))
    }
}

/// Fills the placeholders of a text as far as possible.
fn filled(text: &str, variables: &BTreeMap<String, String>) -> String {
    let mut value = Value::String(text.to_owned());
    // Faults are found when the whole object is filled.
    fill(&mut value, variables);
    value.as_str().unwrap_or_default().to_owned()
}

/// Why a file has no workload to write.
#[derive(Clone, Debug, PartialEq)]
pub enum NotChosen {
    /// The file does not contain Kubernetes objects.
    Unreadable(String),
    /// The file does not contain the requested workload; file or request may be wrong.
    NotFound(String),
}

/// Finds the workload in a file: the one that the request names, or the only one.
pub fn choose(content: &[u8], meant: Meant<'_>) -> Result<Chosen, NotChosen> {
    let text = text::decode(content).map_err(NotChosen::Unreadable)?;
    let mut deployments = Vec::new();
    let mut skipped = Vec::new();
    let mut nameless = 0;
    let mut take = |object: Value| {
        if object["kind"] == meant.kind.word() {
            deployments.push(object);
        } else if object["kind"].is_string() {
            skipped.push(label(&object));
        } else {
            nameless += 1;
        }
    };
    // Only the first matching workload is kept whole; of others only the names.
    let mut is_kept = false;
    let reduce = |object: Value| {
        if is_kept || object["kind"] != meant.kind.word() || !meant.is(&object) {
            return named(&object);
        }
        is_kept = true;
        object
    };
    if let Some(problem) = unfinished(&text) {
        return Err(NotChosen::Unreadable(problem));
    }
    let read = yaml::read_objects(&text, meant.kind.word(), reduce, |mut document| {
        let is_list = document["kind"] == "List";
        let items = document.get_mut("items").and_then(Value::as_array_mut);
        match items.filter(|_| is_list) {
            Some(items) => items.drain(..).for_each(&mut take),
            None => take(document),
        }
    });
    if let Err(error) = read {
        return Err(NotChosen::Unreadable(unreadable(&text, &error)));
    }
    if nameless > 0 {
        let problem = template(&text, usize::MAX).or_else(|| known(&text));
        return Err(NotChosen::Unreadable(problem.unwrap_or_else(|| {
            "has a document without a `kind`: each must be an object of Kubernetes. Templates (of \
             Helm, say) must be rendered before"
                .to_owned()
        })));
    }
    one_of(deployments, skipped, meant, &text).map_err(NotChosen::NotFound)
}

/// Selects the requested workload of a file and lists the other objects.
fn one_of(
    deployments: Vec<Value>,
    mut skipped: Vec<String>,
    meant: Meant<'_>,
    text: &str,
) -> Result<Chosen, String> {
    let (mut chosen, others): (Vec<_>, Vec<_>) =
        deployments.into_iter().partition(|it| meant.is(it));
    let others = others.iter().map(label).collect::<Vec<_>>();
    let kind = meant.kind.word();
    match (chosen.pop(), chosen.is_empty()) {
        (Some(deployment), true) => {
            skipped.extend(others);
            Ok(Chosen {
                deployment,
                skipped,
            })
        }
        (Some(last), false) => {
            let all = chosen.iter().chain([&last]).map(label).collect::<Vec<_>>();
            Err(match meant.name {
                Some(name) => format!("has {} {kind}s of the name `{name}`", all.len()),
                None => format!(
                    "has several {kind}s, {}. One deploy is for one: name it by `deployment`",
                    list(&all)
                ),
            })
        }
        (None, _) => Err(match (meant.name, others.is_empty()) {
            (Some(_), false) if others.iter().any(|other| other.contains("{{")) => {
                template(text, usize::MAX).unwrap_or_else(|| not_rendered(&list(&others)))
            }
            (Some(name), false) => {
                format!("has no {kind} `{name}`; it has {}", list(&others))
            }
            _ if skipped.iter().any(|it| it.starts_with("Kustomization/")) => kustomization(),
            _ if skipped.is_empty() => format!("is empty: it has no {kind}"),
            _ => {
                let own = format!("{}/", kind.to_lowercase());
                let is_spelt = |label: &String| label.to_lowercase().starts_with(&own);
                let spelt = match skipped.iter().any(is_spelt) {
                    true => format!(": its kind is written `{kind}`"),
                    false => String::new(),
                };
                format!("has no {kind}; it has {}{spelt}", list(&skipped))
            }
        }),
    }
}

/// Keeps only what identifies an object.
fn named(object: &Value) -> Value {
    let mut named = json!({"kind": object["kind"], "metadata": {}});
    for field in ["name", "namespace"] {
        if let Some(text) = object["metadata"].get(field) {
            named["metadata"][field] = text.clone();
        }
    }
    named
}

/// The object as `Kind/name`.
pub(super) fn label(object: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    format!(
        "{}/{}",
        text(&object["kind"]),
        text(&object["metadata"]["name"])
    )
}

/// The name of a list's item in a path: its `name`, if it is readable, else its index.
pub fn place_of(item: &Value, index: usize) -> String {
    let name = item.get("name").and_then(Value::as_str);
    let is_plain = |name: &&str| {
        let inner = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
        !name.is_empty() && name.len() <= LABEL_LIMIT && name.bytes().all(inner)
    };
    name.filter(is_plain)
        .map_or_else(|| index.to_string(), str::to_owned)
}

/// Fills `${NAME}` in all strings of an object, and turns `$${` into `${`. Keys, numbers and
/// Kubernetes' own `$(NAME)` stay unchanged. A value can only become part of a string. All faults
/// are found at once: a placeholder without a value, a value without a placeholder.
pub fn fill(object: &mut Value, variables: &BTreeMap<String, String>) -> Vec<Fault> {
    let mut filling = Filling::new(variables, PLACES_LIMIT, FILLED_LIMIT);
    let mut faults = filling.object(object, "manifest");
    faults.extend(filling.unused("the manifest"));
    faults
}

/// Fills the placeholders of one or several objects, within one limit. See [`fill`].
pub(super) struct Filling<'a> {
    variables: &'a BTreeMap<String, String>,
    used: BTreeSet<String>,
    faults: Vec<Fault>,
    /// What faults call the current object.
    name: String,
    places: usize,
    text: usize,
    /// The limits at the beginning.
    limits: (usize, usize),
    is_full: bool,
}

impl<'a> Filling<'a> {
    /// Begins to fill up to `places` placeholders, with values of `text` bytes in all.
    pub(super) fn new(
        variables: &'a BTreeMap<String, String>,
        places: usize,
        text: usize,
    ) -> Filling<'a> {
        Filling {
            variables,
            used: BTreeSet::new(),
            faults: Vec::new(),
            name: String::new(),
            places,
            text,
            limits: (places, text),
            is_full: false,
        }
    }

    /// Fills an object; `name` is what its faults call it.
    pub(super) fn object(&mut self, object: &mut Value, name: &str) -> Vec<Fault> {
        name.clone_into(&mut self.name);
        self.value(object, &mut name.to_owned());
        std::mem::take(&mut self.faults)
    }

    /// The variables that no object has a place for; `whose` names the objects.
    pub(super) fn unused(&self, whose: &str) -> Vec<Fault> {
        let unused = self.variables.keys();
        let unused = unused.filter(|name| !self.used.contains(*name));
        let fault = |name: &String| {
            let problem = format!(
                "has no place in {whose}: no string in it has `${{{name}}}` (keys are not filled)"
            );
            Fault::new(format!("variables.{name}"), problem)
        };
        unused.map(fault).collect()
    }
}

impl Filling<'_> {
    /// The depth was limited when the object was read.
    fn value(&mut self, value: &mut Value, path: &mut String) {
        let length = path.len();
        match value {
            Value::String(text) => {
                if text.contains(placeholder::VARIABLE) {
                    *text = self.string(text, path);
                }
            }
            Value::Array(items) => {
                for (index, item) in items.iter_mut().enumerate() {
                    path.push_str(&format!("[{}]", place_of(item, index)));
                    self.value(item, path);
                    path.truncate(length);
                }
            }
            Value::Object(fields) => {
                for (name, field) in fields.iter_mut() {
                    path.push('.');
                    path.push_str(name);
                    self.value(field, path);
                    path.truncate(length);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    fn string(&mut self, text: &str, path: &str) -> String {
        let mut filled = String::new();
        let mut rest = text;
        while let Some(place) = rest.find(placeholder::VARIABLE) {
            let (before, after) = (&rest[..place], &rest[place + 2..]);
            if let Some(before) = before.strip_suffix('$') {
                filled.push_str(before);
                filled.push_str(placeholder::VARIABLE);
                rest = after;
                continue;
            }
            filled.push_str(before);
            let name = after.split_once('}').map(|(name, _)| name);
            match name.filter(|name| is_name(name)) {
                Some(name) => {
                    self.place(name, &mut filled, path);
                    rest = &after[name.len() + 1..];
                }
                // `${NAME:-default}` belongs to a shell.
                None => {
                    filled.push_str(placeholder::VARIABLE);
                    rest = after;
                }
            }
        }
        filled.push_str(rest);
        filled
    }

    fn place(&mut self, name: &str, filled: &mut String, path: &str) {
        let value = self.variables.get(name);
        let length = value.map_or(0, String::len);
        let left = self
            .places
            .checked_sub(1)
            .zip(self.text.checked_sub(length));
        let Some((places, text)) = left else {
            if !std::mem::replace(&mut self.is_full, true) {
                let (places, text) = self.limits;
                let problem = format!(
                    "has too many places of variables: at most {places} are filled, with {} MiB of \
                     text",
                    text >> 20
                );
                self.faults.push(Fault::new(self.name.trim_end(), problem));
            }
            return;
        };
        (self.places, self.text) = (places, text);
        match value {
            Some(value) => {
                self.used.insert(name.to_owned());
                filled.push_str(value);
            }
            None => {
                let problem = format!(
                    "has `${{{name}}}`, and `variables` has no {name}. Where the text itself is \
                     meant, write `$${{{name}}}`"
                );
                self.faults.push(Fault::new(path, problem));
                filled.push_str(&format!("${{{name}}}"));
            }
        }
    }
}

/// Whether the name is valid for a variable: the rule is a shell's.
pub fn is_name(name: &str) -> bool {
    let is_inner = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    !name.is_empty()
        && name.len() <= 128
        && name.bytes().all(is_inner)
        && !name.starts_with(|first: char| first.is_ascii_digit())
}

/// The containers in a manifest, each with its list and index.
pub fn containers(manifest: &Value) -> impl Iterator<Item = (String, &Value)> {
    let spec = manifest.pointer("/spec/template/spec");
    let lists = ["containers", "initContainers"].into_iter();
    lists.flat_map(move |list| {
        let items = spec.and_then(|spec| spec.get(list)?.as_array());
        let items = items.into_iter().flatten().enumerate();
        items.map(move |(index, item)| (format!("{list}[{}]", place_of(item, index)), item))
    })
}

/// The values of all variables in a manifest.
pub fn manifest_values(manifest: &Value) -> Vec<&str> {
    containers(manifest)
        .filter_map(|(_, container)| container.get("env")?.as_array())
        .flatten()
        .filter_map(|variable| variable.get("value")?.as_str())
        .collect()
}

#[cfg(test)]
mod tests;
