//! An entry of a kubeconfig's lists, and what is wrong with its fields.

use crate::outcome::{KubeconfigEntry, KubeconfigFault, KubeconfigProblem};
use serde_json::{Map, Value};

/// A list of named entries: `clusters`, `users` or `contexts`.
pub(super) struct Listed<'a> {
    pub(super) entries: Option<&'a Value>,
    pub(super) list: &'static str,
    /// The field of an entry that has its content.
    pub(super) inner: &'static str,
}

impl<'a> Listed<'a> {
    fn named(&self, name: &str) -> impl Iterator<Item = &'a Value> {
        let entries = self.entries.and_then(Value::as_array);
        let is_it = move |entry: &&Value| entry.get("name").and_then(Value::as_str) == Some(name);
        entries.into_iter().flatten().filter(is_it)
    }

    /// Whether an entry has this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.named(name).next().is_some()
    }

    /// Why there cannot be an entry of any name.
    pub(super) fn unusable(&self) -> Option<KubeconfigFault> {
        let problem = match self.entries {
            None | Some(Value::Null) => KubeconfigProblem::Missing,
            Some(Value::Array(_)) => return None,
            Some(_) => KubeconfigProblem::NotAList,
        };
        Some(KubeconfigFault {
            entry: KubeconfigEntry::Root,
            field: self.list,
            problem,
        })
    }

    /// The entry of this name, with the faults of its form.
    pub(super) fn entry(&self, name: &str, place: KubeconfigEntry) -> Entry<'a> {
        let mut named = self.named(name);
        let inner = named.next().and_then(|entry| entry.get(self.inner));
        let mut entry = Entry::new(place, inner.and_then(Value::as_object));
        match inner {
            Some(Value::Object(_)) => {}
            None | Some(Value::Null) => entry.fault("", KubeconfigProblem::Missing),
            Some(_) => entry.fault("", KubeconfigProblem::NotAMapping),
        }
        if named.next().is_some() {
            entry.fault("", KubeconfigProblem::Twice);
        }
        entry
    }
}

/// An entry's fields, and the faults that were found in them.
pub(super) struct Entry<'a> {
    place: KubeconfigEntry,
    /// The fields, if they are a mapping.
    fields: Option<&'a Map<String, Value>>,
    pub(super) faults: Vec<KubeconfigFault>,
}

impl<'a> Entry<'a> {
    fn new(place: KubeconfigEntry, fields: Option<&'a Map<String, Value>>) -> Entry<'a> {
        Entry {
            place,
            fields,
            faults: Vec::new(),
        }
    }

    /// Adds a fault.
    pub(super) fn fault(&mut self, field: &'static str, problem: KubeconfigProblem) {
        self.faults.push(KubeconfigFault {
            entry: self.place.clone(),
            field,
            problem,
        });
    }

    /// What was read of a field, or its fault.
    pub(super) fn kept<T>(
        &mut self,
        field: &'static str,
        read: Result<T, KubeconfigProblem>,
    ) -> Option<T> {
        read.map_err(|problem| self.fault(field, problem)).ok()
    }

    /// Whether a field has a fault.
    pub(super) fn has_fault(&self, field: &str) -> bool {
        self.faults.iter().any(|fault| fault.field == field)
    }

    /// Whether the entry has no fields at all, which is a fault already.
    pub(super) fn is_unreadable(&self) -> bool {
        self.fields.is_none()
    }

    /// A field that is given; `null` counts as missing, as for `kubectl`.
    pub(super) fn value(&self, field: &str) -> Option<&'a Value> {
        self.fields?.get(field).filter(|value| !value.is_null())
    }

    /// A text that is not empty.
    pub(super) fn text(&mut self, field: &'static str) -> Option<&'a str> {
        let text = self
            .value(field)?
            .as_str()
            .ok_or(KubeconfigProblem::NotText);
        let text = self.kept(field, text)?.trim();
        (!text.is_empty()).then_some(text)
    }

    /// Whether a field is given and is neither empty nor false.
    pub(super) fn is_set(&self, field: &str) -> bool {
        match self.value(field) {
            None | Some(Value::Null) | Some(Value::Bool(false)) => false,
            Some(Value::String(text)) => !text.is_empty(),
            Some(Value::Array(items)) => !items.is_empty(),
            Some(Value::Object(fields)) => !fields.is_empty(),
            Some(Value::Bool(true) | Value::Number(_)) => true,
        }
    }

    /// Finds fields that are written in another way than the known ones, which `kubectl` would
    /// ignore without a word.
    pub(super) fn misspelled(&mut self, known: &[&'static str]) {
        let folded = |name: &str| name.replace(['-', '_'], "").to_ascii_lowercase();
        let names = self.fields.into_iter().flat_map(Map::keys);
        for name in names.filter(|name| !known.contains(&&***name)) {
            if let Some(meant) = known.iter().find(|known| folded(known) == folded(name)) {
                self.fault("", KubeconfigProblem::Misspelled(meant));
            }
        }
    }
}
