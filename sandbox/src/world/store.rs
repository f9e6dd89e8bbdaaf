//! The objects, their common resource version, and the log of changes for watches.

use crate::world::api::reply::{Gone, Watch};
use crate::world::object::{list, text};
use crate::world::selector::Labels;
use serde_json::{Value, json};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// How many changes the log keeps; etcd keeps about five minutes.
const HISTORY_LIMIT: usize = 20_000;

/// The key of an object. It is shared, because worlds are copied thousands of times.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key(Arc<Name>);

/// The parts of a [`Key`].
#[derive(Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Name {
    pub(crate) resource: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
}

impl Key {
    pub(crate) fn new(resource: &str, namespace: &str, name: &str) -> Key {
        Key(Arc::new(Name {
            resource: resource.to_owned(),
            namespace: namespace.to_owned(),
            name: name.to_owned(),
        }))
    }
}

impl std::ops::Deref for Key {
    type Target = Name;

    fn deref(&self) -> &Name {
        &self.0
    }
}

/// All objects of the cluster.
#[derive(Clone, Default)]
pub(crate) struct Store {
    objects: BTreeMap<Key, Arc<Value>>,
    version: u64,
    /// Changes up to this version are forgotten.
    floor: u64,
    log: VecDeque<Arc<Change>>,
    /// Of each object how it was before its last change, where no log is kept.
    before: Option<BTreeMap<Key, Option<Arc<Value>>>>,
    /// The version of the last change of each resource, which an object's key stands for.
    last_changes: Vec<(Key, u64)>,
    uids: u32,
}

#[derive(Clone)]
struct Change {
    version: u64,
    key: Key,
    /// The previous object; `None` if it was created.
    previous: Option<Arc<Value>>,
    object: Arc<Value>,
    deleted: bool,
}

impl Store {
    pub(crate) fn version(&self) -> u64 {
        // A real cluster is never at version 0, which means "any" in a request.
        self.version + 1
    }

    pub(crate) fn get(&self, key: &Key) -> Option<&Arc<Value>> {
        self.objects.get(key)
    }

    pub(crate) fn all(&self, resource: &str) -> impl Iterator<Item = (&Key, &Arc<Value>)> {
        let first = Key::new(resource, "", "");
        let objects = self.objects.range(first..);
        objects.take_while(move |(key, _)| key.resource == resource)
    }

    /// The objects of a resource whose names begin with a prefix.
    pub(crate) fn named<'a>(
        &'a self,
        namespace: &str,
        resource: &str,
        beginning: &'a str,
    ) -> impl Iterator<Item = (&'a Key, &'a Arc<Value>)> {
        let first = Key::new(resource, namespace, beginning);
        let alike = {
            let first = first.clone();
            move |key: &Key| key.resource == first.resource && key.namespace == first.namespace
        };
        let objects = self.objects.range(first..);
        objects.take_while(move |(key, _)| alike(key) && key.name.starts_with(beginning))
    }

    /// The number of all objects.
    pub(crate) fn size(&self) -> usize {
        self.objects.len()
    }

    pub(crate) fn keys(&self, resource: &str, namespace: Option<&str>) -> Vec<Key> {
        let here = |key: &&Key| namespace.is_none_or(|namespace| key.namespace == namespace);
        self.all(resource)
            .map(|(key, _)| key)
            .filter(here)
            .cloned()
            .collect()
    }

    /// The objects with an owner reference to this uid.
    pub(crate) fn dependents(&self, uid: &str) -> Vec<Key> {
        let owned = |object: &Value| {
            let mut owners = list(object, "/metadata/ownerReferences").iter();
            owners.any(|owner| owner["uid"] == uid)
        };
        let all = self.objects.iter().filter(|(_, object)| owned(object));
        all.map(|(key, _)| key.clone()).collect()
    }

    /// The objects in a namespace.
    pub(crate) fn inside(&self, namespace: &str) -> Vec<Key> {
        let all = self.objects.keys();
        all.filter(|key| key.namespace == namespace)
            .cloned()
            .collect()
    }

    pub(crate) fn inhabited(&self, namespace: &str) -> bool {
        self.objects.keys().any(|key| key.namespace == namespace)
    }

    /// A new number, for uids and names.
    pub(crate) fn number(&mut self) -> u32 {
        self.uids += 1;
        self.uids
    }

    /// Stores an object with a new resource version, unless nothing changed.
    pub(crate) fn put(&mut self, key: &Key, mut object: Value) -> bool {
        let previous = self.objects.get(key).cloned();
        if let Some(previous) = &previous {
            object["metadata"]["resourceVersion"] = previous["metadata"]["resourceVersion"].clone();
            if object == **previous {
                return false;
            }
        }
        self.version += 1;
        object["metadata"]["resourceVersion"] = self.version().to_string().into();
        let object = Arc::new(object);
        self.objects.insert(key.clone(), Arc::clone(&object));
        self.record(key.clone(), previous, object, false);
        true
    }

    pub(crate) fn remove(&mut self, key: &Key) -> Option<Arc<Value>> {
        let previous = self.objects.remove(key)?;
        self.version += 1;
        let mut last = Value::clone(&previous);
        last["metadata"]["resourceVersion"] = self.version().to_string().into();
        self.record(
            key.clone(),
            Some(Arc::clone(&previous)),
            Arc::new(last),
            true,
        );
        Some(previous)
    }

    fn record(
        &mut self,
        key: Key,
        previous: Option<Arc<Value>>,
        object: Arc<Value>,
        deleted: bool,
    ) {
        let version = self.version();
        let mut all = self.last_changes.iter_mut();
        match all.find(|(known, _)| known.resource == key.resource) {
            Some((_, last)) => *last = version,
            None => self.last_changes.push((key.clone(), version)),
        }
        if let Some(before) = &mut self.before {
            before.insert(key, previous);
            return;
        }
        self.log.push_back(Arc::new(Change {
            version: self.version(),
            key,
            previous,
            object,
            deleted,
        }));
        if self.log.len() > HISTORY_LIMIT {
            self.floor = self
                .log
                .pop_front()
                .map_or(self.floor, |change| change.version);
        }
    }

    /// The version of the last change of a resource; 0 where it has never had an object.
    pub(crate) fn last_change(&self, resource: &str) -> u64 {
        let mut all = self.last_changes.iter();
        let found = all.find(|(known, _)| known.resource == resource);
        found.map_or(0, |(_, version)| *version)
    }

    pub(crate) fn keep_no_log(&mut self) {
        let changes = self.log.drain(..);
        let before = changes.map(|change| (change.key.clone(), change.previous.clone()));
        self.before = Some(before.collect());
    }

    pub(crate) fn forget(&mut self) {
        self.log.clear();
        if let Some(before) = &mut self.before {
            before.clear();
        }
        // The newest version also counts as too old, so that a client must list again.
        self.version += 1;
        self.floor = self.version();
    }

    /// Whether a watch can continue from this version.
    pub(crate) fn reaches(&self, version: u64) -> bool {
        version >= self.floor
    }

    /// The object before its last change.
    pub(crate) fn before(&self, key: &Key) -> Option<Arc<Value>> {
        if let Some(before) = &self.before {
            return before.get(key)?.clone();
        }
        self.log
            .iter()
            .rev()
            .find(|change| change.key == *key)?
            .previous
            .clone()
    }

    pub(crate) fn changes(&self, watch: &Watch, after: u64) -> Result<Vec<(u64, Value)>, Gone> {
        if !self.reaches(after) || self.before.is_some() {
            return Err(Gone);
        }
        let labels = watch
            .label_selector
            .as_deref()
            .and_then(|text| Labels::parse(text).ok());
        let first = self.log.partition_point(|change| change.version <= after);
        let news = self.log.iter().skip(first);
        Ok(news
            .filter_map(|change| change.event(watch, labels.as_ref()))
            .collect())
    }
}

impl Change {
    /// The event of this change for a watcher: an object that no longer matches counts as deleted.
    fn event(&self, watch: &Watch, labels: Option<&Labels>) -> Option<(u64, Value)> {
        let key = &self.key;
        let watched = key.resource == watch.resource
            && watch
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == key.namespace)
            && watch.name.as_ref().is_none_or(|name| *name == key.name);
        let matches = |object: &Value| labels.is_none_or(|labels| labels.match_object(object));
        let before = self.previous.as_deref().is_some_and(matches);
        let after = !self.deleted && matches(&self.object);
        let kind = match (before, after) {
            (false, true) => "ADDED",
            (true, true) => "MODIFIED",
            (true, false) => "DELETED",
            (false, false) => return None,
        };
        watched.then(|| (self.version, json!({"type": kind, "object": *self.object})))
    }
}

/// The resource version of an object.
pub(crate) fn version_of(object: &Value) -> &str {
    text(object, "/metadata/resourceVersion")
}
