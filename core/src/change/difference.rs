//! The difference between two objects, in lines for people. It excludes what belongs to the server
//! or to Landfall, and hides the values of variables and Secrets.

use crate::state::marks;
use serde_json::{Map, Value};
use std::collections::BTreeSet;

/// The most lines of a difference; further lines are counted.
const LINES_LIMIT: usize = 100;

/// The longest value in a line, in characters: an image in ECR with a digest and a long name.
const VALUE_LIMIT: usize = 240;

/// The text in place of a variable's value.
const HIDDEN: &str = "(hidden)";

/// Fields that belong to the server or to Landfall, not to the version.
const OWN_FIELDS: [&str; 6] = [
    "metadata.managedFields",
    "metadata.resourceVersion",
    "metadata.generation",
    "metadata.uid",
    "metadata.creationTimestamp",
    "status",
];

/// Prefixes of annotations that belong to the server or to Landfall.
const OWN_ANNOTATIONS: [&str; 5] = [
    "landfall/",
    "deployment.kubernetes.io/",
    "deprecated.daemonset.template.generation",
    "kubectl.kubernetes.io/last-applied-configuration",
    marks::CHANGE_CAUSE,
];

/// A difference in lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Difference {
    /// `path: old → new`, `+ path: new`, `- path: old`.
    pub lines: Vec<String>,
    /// How many further lines there are.
    pub more: usize,
    /// Whether there is no current object.
    is_new: bool,
    /// Whether they are Secrets.
    is_secret: bool,
}

impl Difference {
    /// The lines, and how many there are beside them.
    pub fn all(&self) -> Vec<String> {
        let more = (self.more > 0).then(|| format!("… and {} more", self.more));
        self.lines.iter().cloned().chain(more).collect()
    }
}

/// Compares two objects and hides the values of variables and Secrets.
pub fn difference(live: &Value, wanted: &Value) -> Difference {
    let mut difference = Difference {
        is_new: live.is_null(),
        is_secret: wanted["kind"] == "Secret" && wanted["apiVersion"] == "v1",
        ..Difference::default()
    };
    let (live, wanted) = (without_own(live), without_own(wanted));
    difference.compare(
        "",
        Some(&live).filter(|live| !live.is_null()),
        Some(&wanted),
    );
    difference
}

/// Whether a line of a difference is that of an image.
pub fn is_image(line: &str) -> bool {
    let field = line.split(": ").next().unwrap_or_default();
    field.ends_with("].image")
}

impl Difference {
    /// The number of lines.
    pub fn count(&self) -> usize {
        self.lines.len() + self.more
    }

    fn line(&mut self, line: String) {
        // Which images come is told, however many variables change before them.
        let limit = match is_image(&line) {
            true => 2 * LINES_LIMIT,
            false => LINES_LIMIT,
        };
        match self.lines.len() < limit {
            true => self.lines.push(line),
            false => self.more += 1,
        }
    }

    fn compare(&mut self, path: &str, live: Option<&Value>, wanted: Option<&Value>) {
        if live == wanted || is_own(path) {
            return;
        }
        match (live, wanted) {
            (Some(Value::Object(live)), Some(Value::Object(wanted))) => {
                self.objects(path, live, wanted);
            }
            (Some(Value::Array(live)), Some(Value::Array(wanted))) => {
                self.arrays(path, live, wanted);
            }
            // A new value takes one line, but in a new object each field does.
            (None, Some(Value::Object(wanted))) if self.is_new && !wanted.is_empty() => {
                self.objects(path, &Map::new(), wanted);
            }
            (None, Some(Value::Array(wanted))) if self.is_new && names(wanted).is_some() => {
                self.arrays(path, &[], wanted);
            }
            (Some(live), Some(wanted)) => {
                let (live, wanted) = (self.shown(path, live), self.shown(path, wanted));
                match live == HIDDEN && wanted == HIDDEN {
                    true => self.line(format!("{path}: changed {HIDDEN}")),
                    false => self.line(format!("{path}: {live} → {wanted}")),
                }
            }
            (None, Some(wanted)) => self.line(format!("+ {path}: {}", self.shown(path, wanted))),
            (Some(live), None) => self.line(format!("- {path}: {}", self.shown(path, live))),
            (None, None) => {}
        }
    }

    /// A value in one line. Of a Secret's values only the keys are shown.
    fn shown(&self, path: &str, value: &Value) -> String {
        let is_in = |field: &str| path == field || path.starts_with(&format!("{field}."));
        match self.is_secret && ["data", "stringData"].into_iter().any(is_in) {
            true => match value.as_object() {
                Some(keys) => keys.keys().cloned().collect::<Vec<_>>().join(", "),
                None if value.is_null() => "null".to_owned(),
                None => HIDDEN.to_owned(),
            },
            false => shown(path, value),
        }
    }

    fn objects(&mut self, path: &str, live: &Map<String, Value>, wanted: &Map<String, Value>) {
        let names = live.keys().chain(wanted.keys()).collect::<BTreeSet<_>>();
        for name in names {
            let path = match path {
                "" => name.clone(),
                path => format!("{path}.{name}"),
            };
            self.compare(&path, live.get(name), wanted.get(name));
        }
    }

    /// Lists of named items are compared by name, others by position.
    fn arrays(&mut self, path: &str, live: &[Value], wanted: &[Value]) {
        let (Some(live_names), Some(wanted_names)) = (names(live), names(wanted)) else {
            for index in 0..live.len().max(wanted.len()) {
                let path = format!("{path}[{index}]");
                self.compare(&path, live.get(index), wanted.get(index));
            }
            return;
        };
        let find = |names: &[&str], name: &str| names.iter().position(|found| *found == name);
        for (name, wanted) in wanted_names.iter().zip(wanted) {
            let live = find(&live_names, name).map(|index| &live[index]);
            self.compare(&format!("{path}[{name}]"), live, Some(wanted));
        }
        for (name, live) in live_names.iter().zip(live) {
            if find(&wanted_names, name).is_none() {
                self.compare(&format!("{path}[{name}]"), Some(live), None);
            }
        }
        let kept = |names: &[&str], others: &[&str]| {
            let kept = names.iter().filter(|name| others.contains(name));
            kept.map(|name| (*name).to_owned()).collect::<Vec<_>>()
        };
        // Variables may refer to earlier ones, and init containers run one after the other, so
        // order matters.
        let order = kept(&wanted_names, &live_names);
        if order != kept(&live_names, &wanted_names) {
            self.line(format!("{path}: in another order, {}", order.join(", ")));
        }
    }
}

/// Removes the annotations and labels that are not shown, and a map that becomes empty.
fn without_own(object: &Value) -> Value {
    let mut object = object.clone();
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return object;
    };
    let is_own = |list: &str, name: &str| match list {
        "labels" => name == marks::PART_OF,
        _ => OWN_ANNOTATIONS.iter().any(|own| name.starts_with(own)),
    };
    for list in ["annotations", "labels"] {
        if let Some(texts) = metadata.get_mut(list).and_then(Value::as_object_mut) {
            texts.retain(|name, _| !is_own(list, name));
            if texts.is_empty() {
                metadata.remove(list);
            }
        }
    }
    object
}

fn is_own(path: &str) -> bool {
    OWN_FIELDS.contains(&path)
}

/// The names of the items, if each has a unique one.
fn names(items: &[Value]) -> Option<Vec<&str>> {
    let names = items.iter().map(|item| item.get("name")?.as_str());
    let names = names.collect::<Option<Vec<_>>>()?;
    let unique = names.iter().collect::<BTreeSet<_>>();
    (unique.len() == names.len()).then_some(names)
}

/// A value, shortened, in one line.
fn shown(path: &str, value: &Value) -> String {
    let mut value = value.clone();
    let in_variable = path.contains(".env[");
    if in_variable && path.ends_with("].value") {
        return HIDDEN.to_owned();
    }
    match in_variable || path.ends_with(".env") {
        true => hide_variables(&mut value),
        false => hide_inside(&mut value),
    }
    let mut text = match value.as_str().filter(|text| plain(text)) {
        Some(text) => text.to_owned(),
        None => value.to_string(),
    };
    if text.chars().count() > VALUE_LIMIT {
        text = text.chars().take(VALUE_LIMIT).collect::<String>() + "…";
    }
    text
}

/// Whether a text needs no quotes.
fn plain(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| !c.is_control() && !c.is_whitespace())
}

/// Hides the values in a variable, or in a list of variables.
fn hide_variables(value: &mut Value) {
    match value {
        Value::Array(variables) => variables.iter_mut().for_each(hide_variables),
        Value::Object(variable) => {
            if let Some(value) = variable.get_mut("value") {
                *value = HIDDEN.into();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Hides the values of all variables within a value.
fn hide_inside(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(hide_inside),
        Value::Object(fields) => {
            for (name, field) in fields {
                match name == "env" {
                    true => hide_variables(field),
                    false => hide_inside(field),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests;
