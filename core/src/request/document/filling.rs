//! Fills the placeholders of a manifest with variables.

use crate::problem::Fault;
use crate::request::place::place_of;
use crate::text::placeholder;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// The largest number of placeholders, and the most text that they may expand to.
pub(super) const PLACES_LIMIT: usize = 1000;
/// See [`PLACES_LIMIT`].
const FILLED_LIMIT: usize = 1024 * 1024;

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
pub(crate) struct Filling<'a> {
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
    pub(crate) fn new(
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
    pub(crate) fn object(&mut self, object: &mut Value, name: &str) -> Vec<Fault> {
        name.clone_into(&mut self.name);
        self.value(object, &mut name.to_owned());
        std::mem::take(&mut self.faults)
    }

    /// The variables that no object has a place for; `whose` names the objects.
    pub(crate) fn unused(&self, whose: &str) -> Vec<Fault> {
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
