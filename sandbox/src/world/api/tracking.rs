//! Records who wrote which fields of an object.

use crate::world::api::blank;
use crate::world::api::call::Call;
use crate::world::api::fields::custom::of_definition;
use crate::world::api::fields::managers::{Managers, Writer};
use crate::world::api::fields::set::Set;
use crate::world::api::fields::tidy::tidy;
use crate::world::api::fields::types::Type;
use crate::world::api::kinds::{DEFINITIONS, Kind};
use crate::world::api::schema;
use crate::world::api::schema::Decoded;
use crate::world::api::schema::shape::knows;
use crate::world::object::{map_mut, written};
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::{Value, json};
use std::borrow::Cow;

/// How a write is recorded.
pub(crate) enum Note {
    /// What it changes is its writer's.
    Update(Writer),
    /// As server-side apply says: these are the `managedFields`.
    Applied(Value),
}

impl Writer {
    /// The sender of a request.
    pub(crate) fn of(call: &Call<'_>) -> Writer {
        let kind = call.target.kind;
        let subresource = call.target.subresource.clone().unwrap_or_default();
        let ignored = match subresource.as_str() {
            "" if kind.has_status => Set::default().with(&["status"]),
            "status" => Set::default().with(&["spec"]),
            _ => Set::default(),
        };
        let name = match call.manager.as_str() {
            "" => "unknown".to_owned(),
            name => name.to_owned(),
        };
        Writer {
            name,
            version: kind.api_version(&call.target.version),
            subresource,
            ignored,
        }
    }

    /// A writer without a request.
    pub(crate) fn named(name: &str, subresource: &str, kind: &Kind) -> Writer {
        Writer {
            name: name.to_owned(),
            version: kind.api_version(kind.versions[0]),
            subresource: subresource.to_owned(),
            ignored: Set::default(),
        }
    }
}

impl World {
    /// Writes `managedFields` in a short form that names the managers alone, which is faster.
    pub fn keep_managers_only(&mut self) {
        self.tracks_fields = false;
    }

    /// The type of a resource, by which its fields are tracked.
    pub(crate) fn type_of(&self, kind: &Kind, version: &str) -> Cow<'static, Type> {
        if let Some(of) = Type::of_kind(kind.group, version, kind.name) {
            return Cow::Borrowed(of);
        }
        let key = Key::new(DEFINITIONS, "", kind.resource);
        let definition = self.store.get(&key).filter(|_| kind.is_custom());
        Cow::Owned(match definition {
            Some(definition) => of_definition(definition, version),
            None => of_definition(&Value::Null, version),
        })
    }

    /// Decodes an object of a request like a typed server.
    pub(crate) fn typed(&self, call: &Call<'_>, object: &mut Value) -> Decoded {
        let kind = call.target.kind;
        if knows(kind.built_in()) {
            return schema::decode(kind.name, object);
        }
        let of = self.type_of(kind, &call.target.version);
        let unknown = tidy(&of, object);
        for template in ["/spec/template", "/spec/jobTemplate/spec/template"] {
            let workload = !kind.is_custom() && matches!(kind.group, "apps" | "batch");
            if let Some(template) = object.pointer_mut(template).filter(|_| workload) {
                schema::decode("PodTemplateSpec", template);
            }
        }
        Decoded {
            unknown,
            mismatch: None,
        }
    }

    /// The `managedFields` of an object that is written.
    pub(crate) fn managed(
        &self,
        kind: &Kind,
        old: Option<&Value>,
        object: &Value,
        note: &Note,
    ) -> Value {
        let by = match note {
            Note::Applied(managed) => return managed.clone(),
            Note::Update(by) => by,
        };
        let entries = |object: &Value| object["metadata"]["managedFields"].clone();
        let before = old.map(entries).unwrap_or_default();
        if !self.tracks_fields {
            return before;
        }
        let given = entries(object);
        let is_reset = given == json!([]) || given == json!([{}]);
        let given = Managers::decoded(&given).filter(|managers| !managers.0.is_empty());
        let mut managers = match given {
            // A client that knows `managedFields` may write them.
            Some(given) => given,
            None if is_reset => Managers::default(),
            None => Managers::decoded(&before).unwrap_or_default(),
        };
        if managers.0.is_empty() && old.is_some() {
            // What was never tracked is not tracked until somebody applies it.
            return Value::Null;
        }
        let version = by.version.rsplit('/').next().unwrap_or_default();
        let of = self.type_of(kind, version);
        let blank = blank::object(kind.built_in());
        let now = written(self.clock);
        managers.update(&of, old.unwrap_or(&blank), object, by, &now);
        managers.encoded()
    }
}

/// Replaces the `managedFields` of an object.
pub(crate) fn set_managed(object: &mut Value, managed: Value) {
    let metadata = map_mut(object, "metadata");
    if managed.is_null() {
        metadata.remove("managedFields");
    } else {
        metadata.insert("managedFields".to_owned(), managed);
    }
}
