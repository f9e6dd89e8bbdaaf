//! Who manages the fields of an object: `metadata.managedFields`.
//! <https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management>

use crate::world::api::fields::compare::compare;
use crate::world::api::fields::merge::merged;
use crate::world::api::fields::prune::pruned;
use crate::world::api::fields::set::Set;
use crate::world::api::fields::step::Step;
use crate::world::api::fields::types::Type;
use crate::world::api::fields::walk::fields_of;
use serde_json::{Value, json};

/// How many managers an object may have that do not apply; the oldest of more are put together.
const UPDATE_LIMIT: usize = 10;
const BEFORE_FIRST_APPLY: &str = "before-first-apply";
const ANCIENT_CHANGES: &str = "ancient-changes";
/// What the server writes is nobody's.
const SERVER_FIELDS: [&str; 8] = [
    "name",
    "namespace",
    "creationTimestamp",
    "selfLink",
    "uid",
    "generation",
    "managedFields",
    "resourceVersion",
];

/// Who writes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Writer {
    pub(crate) name: String,
    /// The API version of the request.
    pub(crate) version: String,
    pub(crate) subresource: String,
    /// What a write to this path does not own: the status, or all but the status.
    pub(crate) ignored: Set,
}

/// A manager and its fields.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Manager {
    name: String,
    applies: bool,
    version: String,
    subresource: String,
    time: Option<String>,
    pub(crate) fields: Set,
}

impl Manager {
    fn new(writer: &Writer, applies: bool, fields: Set) -> Manager {
        Manager {
            name: writer.name.clone(),
            applies,
            version: writer.version.clone(),
            subresource: writer.subresource.clone(),
            time: None,
            fields,
        }
    }

    /// Whether both are one: the version does not matter for one that applies.
    fn is(&self, other: &Manager) -> bool {
        let version = self.applies || self.version == other.version;
        self.name == other.name
            && self.applies == other.applies
            && self.subresource == other.subresource
            && version
    }

    /// The name in the message of a conflict.
    fn told(&self) -> String {
        let name = Value::from(self.name.as_str());
        let part = match self.subresource.as_str() {
            "" => String::new(),
            part => format!(" with subresource \"{part}\""),
        };
        match self.applies {
            true => format!("{name}{part}"),
            false => format!("{name}{part} using {}", self.version),
        }
    }

    fn decoded(entry: &Value) -> Option<Manager> {
        let text = |field: &str| entry[field].as_str().unwrap_or_default().to_owned();
        let applies = match entry["operation"].as_str()? {
            "Apply" => true,
            "Update" => false,
            _ => return None,
        };
        if entry["fieldsType"] != "FieldsV1" || text("apiVersion").is_empty() {
            return None;
        }
        let fields = entry
            .get("fieldsV1")
            .map_or(Some(Set::default()), Set::decoded);
        Some(Manager {
            name: text("manager"),
            applies,
            version: text("apiVersion"),
            subresource: text("subresource"),
            time: entry["time"].as_str().map(str::to_owned),
            fields: fields?,
        })
    }

    fn encoded(&self) -> Value {
        let operation = if self.applies { "Apply" } else { "Update" };
        let mut entry = json!({"manager": self.name, "operation": operation,
            "apiVersion": self.version, "fieldsType": "FieldsV1",
            "fieldsV1": self.fields.encoded()});
        if let Some(time) = &self.time {
            entry["time"] = time.as_str().into();
        }
        if !self.subresource.is_empty() {
            entry["subresource"] = self.subresource.as_str().into();
        }
        entry
    }
}

/// A field that another manager has with another value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Conflict {
    pub(crate) manager: String,
    pub(crate) path: String,
}

/// What an apply makes of an object.
pub(crate) struct Applied {
    /// The merged object; none where nothing changes.
    pub(crate) object: Option<Value>,
    pub(crate) managers: Managers,
}

/// All managers of an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Managers(pub(crate) Vec<Manager>);

impl Managers {
    /// Reads `metadata.managedFields`; none where an entry is broken.
    pub(crate) fn decoded(entries: &Value) -> Option<Managers> {
        let entries = entries.as_array().into_iter().flatten();
        entries
            .map(Manager::decoded)
            .collect::<Option<_>>()
            .map(Managers)
    }

    /// `metadata.managedFields`; null where nobody manages anything.
    pub(crate) fn encoded(mut self) -> Value {
        if self.0.is_empty() {
            return Value::Null;
        }
        self.0.sort_by_key(|it| {
            let order = (!it.applies, it.time.clone(), it.name.clone());
            (order, it.version.clone(), it.subresource.clone())
        });
        self.0.iter().map(Manager::encoded).collect()
    }

    /// Records what a create, an update or a patch wrote.
    pub(crate) fn update(&mut self, of: &Type, old: &Value, new: &Value, by: &Writer, now: &str) {
        let difference = compare(of, old, new).without(&by.ignored);
        let written = difference.written();
        for manager in &mut self.0 {
            let left = manager.fields.difference(&written);
            manager.fields = left.difference(&difference.removed);
        }
        self.0.retain(|manager| !manager.fields.is_empty());
        let mut own = Manager::new(by, false, written.difference(&server_fields()));
        if own.fields.is_empty() {
            return;
        }
        // The server notes no time for a scale.
        own.time = (by.subresource != "scale").then(|| now.to_owned());
        self.put(own);
        self.limit();
    }

    /// Adds a manager's fields to those that it has.
    fn put(&mut self, mut new: Manager) {
        if let Some(place) = self.0.iter().position(|manager| manager.is(&new)) {
            let old = self.0.swap_remove(place);
            new.fields.extend(&old.fields);
        }
        self.0.push(new);
    }

    fn limit(&mut self) {
        let count = |all: &[Manager]| all.iter().filter(|manager| !manager.applies).count();
        if count(&self.0) <= UPDATE_LIMIT {
            return;
        }
        self.0
            .sort_by_key(|it| (it.applies, it.time.clone(), it.name.clone()));
        let mut ancient = self.0.remove(0);
        ancient.name = ANCIENT_CHANGES.to_owned();
        ancient.subresource.clear();
        while count(&self.0) >= UPDATE_LIMIT {
            let next = self.0.remove(0);
            ancient.fields.extend(&next.fields);
            ancient.time = next.time;
        }
        self.put(ancient);
    }

    /// Applies an object: the merged object, or the conflicts with other managers.
    pub(crate) fn apply(
        mut self,
        of: &Type,
        live: &Value,
        applied: &Value,
        by: &Writer,
        force: bool,
    ) -> Result<Applied, Vec<Conflict>> {
        let object = merged(of, Some(live), Some(applied)).unwrap_or_default();
        let fields = fields_of(of, applied).without(&by.ignored);
        let own = Manager::new(by, true, fields);
        let place = self.0.iter().position(|manager| manager.is(&own));
        let last = place.map(|place| self.0.remove(place));
        let mut all = own.fields.clone();
        self.0.iter().for_each(|other| all.extend(&other.fields));
        let object = match last.as_ref().map(|last| &last.fields) {
            Some(last) => pruned(of, &object, last, &all),
            None => object,
        };
        let difference = compare(of, live, &object).without(&by.ignored);
        let written = difference.written();
        if !force {
            self.refuse_conflicts(&written)?;
        }
        for manager in &mut self.0 {
            let left = manager.fields.difference(&written);
            manager.fields = left.difference(&difference.removed);
        }
        let mut own = Manager {
            fields: own.fields.difference(&server_fields()),
            ..own
        };
        own.time = last.and_then(|last| last.time);
        self.0.push(own);
        self.0.retain(|manager| !manager.fields.is_empty());
        Ok(Applied {
            object: (object != *live).then_some(object),
            managers: self,
        })
    }

    fn refuse_conflicts(&self, written: &Set) -> Result<(), Vec<Conflict>> {
        let mut conflicts = Vec::new();
        for manager in &self.0 {
            for path in manager.fields.intersection(written).paths() {
                conflicts.push(Conflict {
                    manager: manager.told(),
                    path: path.iter().map(Step::to_string).collect(),
                });
            }
        }
        conflicts.sort_by(|left, right| left.manager.cmp(&right.manager));
        if conflicts.is_empty() {
            Ok(())
        } else {
            Err(conflicts)
        }
    }

    /// Notes the time of an apply that changed something.
    pub(crate) fn stamp(&mut self, by: &Writer, now: &str) {
        let own = Manager::new(by, true, Set::default());
        for manager in self.0.iter_mut().filter(|manager| manager.is(&own)) {
            manager.time = Some(now.to_owned());
        }
    }

    /// An object that nobody tracked gets a manager for all that it has.
    pub(crate) fn found(
        of: &Type,
        blank: &Value,
        live: &Value,
        by: &Writer,
        now: &str,
    ) -> Managers {
        let mut managers = Managers::default();
        let before = Writer {
            name: BEFORE_FIRST_APPLY.to_owned(),
            ..by.clone()
        };
        managers.update(of, blank, live, &before, now);
        managers
    }
}

fn server_fields() -> Set {
    let set = Set::default().with(&["apiVersion"]).with(&["kind"]);
    let set = set.with(&["metadata"]);
    SERVER_FIELDS
        .iter()
        .fold(set, |set, field| set.with(&["metadata", field]))
}
