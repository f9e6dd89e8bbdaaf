//! The kinds that an API server has listed, for as long as the function is warm.

use super::discovery::listed;
use super::resource::Resource;
use serde_json::Value;
use std::collections::BTreeMap;

/// How many kinds are kept: a cluster rarely serves more than a few hundred, each takes some 200
/// bytes, and what is forgotten is asked for again.
const KINDS: usize = 1000;

/// Kinds that are not built in, by version and kind.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KnownKinds(BTreeMap<(String, String), Resource>);

impl KnownKinds {
    /// Takes what the API server lists of a group in a version.
    pub fn take(&mut self, api_version: &str, list: &Value) {
        self.0.retain(|(known, _), _| known != api_version);
        for resource in listed(api_version, list) {
            self.0.entry(resource.key()).or_insert(resource);
        }
    }

    /// The resource of a kind.
    pub fn get(&self, key: &(String, String)) -> Option<&Resource> {
        self.0.get(key)
    }

    /// Forgets a kind in all its versions: its definition may have changed.
    pub fn forget(&mut self, group: &str, kind: &str) {
        self.0
            .retain(|_, known| known.group() != group || known.kind != kind);
    }

    /// What is kept for later.
    #[must_use]
    pub fn kept(self) -> KnownKinds {
        match self.0.len() > KINDS {
            true => KnownKinds::default(),
            false => self,
        }
    }
}

#[cfg(test)]
mod tests;
