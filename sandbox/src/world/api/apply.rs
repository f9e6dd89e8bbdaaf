//! Server-side apply.
//! <https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/handlers/patch.go>

mod duplicates;

use crate::world::api::blank;
use crate::world::api::call::{Call, FieldValidation};
use crate::world::api::fields::managers::{Conflict, Managers, Writer};
use crate::world::api::fields::walk::{misfits, told};
use crate::world::api::kinds::Kind;
use crate::world::api::message::{Answer, answer};
use crate::world::api::preconditions::{check_name, check_namespace, check_uid, check_version};
use crate::world::api::read::presented;
use crate::world::api::schema;
use crate::world::api::status;
use crate::world::api::tracking::Note;
use crate::world::object::{map_mut, text, written};
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::{Value, json};
use std::sync::Arc;

impl World {
    /// Creates an object, or merges what is applied into it.
    pub(crate) fn apply_patch(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let kind = call.target.kind;
        let applied = applied_object(call)?;
        let found = self.find(call);
        let (key, old) = match found {
            Ok((key, old)) => (key, Some(old)),
            Err(missing) if call.target.subresource.is_some() => return Err(missing),
            Err(_) => {
                let target = &call.target;
                let namespace = target.namespace.as_deref().unwrap_or_default();
                let name = target.name.as_deref().unwrap_or_default();
                (Key::new(kind.resource, namespace, name), None)
            }
        };
        let (object, managed) = self.merge_applied(call, old.as_ref(), &applied)?;
        if call.validation == FieldValidation::Strict {
            check_duplicates(call)?;
        }
        if old.is_none() && !text(&object, "/metadata/uid").is_empty() {
            let uid = text(&object, "/metadata/uid");
            let why = format!(
                "uid mismatch: the provided object specified uid {uid}, and no existing object \
                 was found"
            );
            return Err(status::conflict(kind, &key.name, &why));
        }
        check_namespace(&object, &key.namespace)?;
        check_name(&object, &key.name)?;
        self.store_applied(call, &key, old.as_ref(), object, managed)
    }

    /// The merged object, and its `managedFields`.
    fn merge_applied(
        &self,
        call: &Call<'_>,
        old: Option<&Arc<Value>>,
        applied: &Value,
    ) -> Result<(Value, Value), Answer> {
        let kind = call.target.kind;
        let live = old.map_or_else(|| json!({}), |old| presented(old, call));
        let of = self.type_of(kind, &call.target.version);
        let wrong = misfits(&of, applied);
        if !wrong.is_empty() {
            return Err(untyped(kind, call, applied, &told(&wrong)));
        }
        let by = Writer::of(call);
        let now = written(self.clock);
        let managers = Managers::decoded(&live["metadata"]["managedFields"]).unwrap_or_default();
        let managers = match managers.0.is_empty() {
            true => Managers::found(&of, &blank::object(kind.built_in()), &live, &by, &now),
            false => managers,
        };
        let done = managers.apply(&of, &live, applied, &by, call.flag("force"));
        let mut done = done.map_err(|conflicts| refused(&conflicts))?;
        if done.object.is_some() {
            done.managers.stamp(&by, &now);
        }
        let mut object = done.object.unwrap_or(live);
        self.typed(call, &mut object);
        Ok((object, done.managers.encoded()))
    }

    fn store_applied(
        &mut self,
        call: &Call<'_>,
        key: &Key,
        old: Option<&Arc<Value>>,
        mut object: Value,
        managed: Value,
    ) -> Result<Answer, Answer> {
        let kind = call.target.kind;
        if kind.namespaced {
            let namespace = key.namespace.clone().into();
            map_mut(&mut object, "metadata").insert("namespace".to_owned(), namespace);
        }
        let note = Note::Applied(managed);
        let Some(old) = old else {
            self.check_space(kind, &key.namespace, &key.name)?;
            if !self.may("create", kind.plural, None) {
                let user = &self.caller.user;
                return Err(status::forbidden(user, "create", &call.target, &key.name));
            }
            map_mut(&mut object, "metadata").remove("resourceVersion");
            let stored = self.create_new(call, key, object, &note)?;
            return Ok(answer(201, presented(&stored, call)));
        };
        check_uid(kind, &object, old)?;
        check_version(kind, &object, old)?;
        let stored = self.replace(call, key, old, object, &note)?;
        Ok(answer(200, presented(&stored, call)))
    }
}

/// The body of an apply. Only its JSON form is read.
fn applied_object(call: &Call<'_>) -> Result<Value, Answer> {
    let kind = call.target.kind;
    let broken = |why: &str| status::bad_request(format!("error decoding YAML: {why}"));
    let object: Value = match call.body {
        [] => json!({}),
        body => serde_json::from_slice(body).map_err(|error| broken(&error.to_string()))?,
    };
    if !object.is_object() {
        let got = schema::go_kind(&object);
        return Err(broken(&format!(
            "error unmarshaling JSON: while decoding JSON: json: cannot unmarshal {got} into Go \
             value of type map[string]interface {{}}"
        )));
    }
    let (version, name) = (text(&object, "/apiVersion"), text(&object, "/kind"));
    if version != kind.api_version(&call.target.version) || name != kind.name {
        let version = qualified(version);
        return Err(status::bad_request(format!(
            "invalid object type: {version}, Kind={name}"
        )));
    }
    if object.pointer("/metadata/managedFields").is_some() {
        return Err(status::bad_request("metadata.managedFields must be nil"));
    }
    Ok(object)
}

/// Go's print of a group and a version: `/v1` for the core group.
fn qualified(version: &str) -> String {
    match version.contains('/') {
        true => version.to_owned(),
        false => format!("/{version}"),
    }
}

/// An object that does not fit its type. The server takes this for its own fault.
fn untyped(kind: &Kind, call: &Call<'_>, object: &Value, why: &str) -> Answer {
    let version = qualified(&kind.api_version(&call.target.version));
    let place = |field| text(object, field);
    let message = format!(
        "failed to create typed patch object ({}/{}; {version}, Kind={}): {why}",
        place("/metadata/namespace"),
        place("/metadata/name"),
        kind.name
    );
    status::refusal(500, "", message, Value::Null)
}

fn refused(conflicts: &[Conflict]) -> Answer {
    let cause = |conflict: &Conflict| {
        json!({"reason": "FieldManagerConflict",
            "message": format!("conflict with {}", conflict.manager), "field": conflict.path})
    };
    let message = match conflicts {
        [one] => format!(
            "Apply failed with 1 conflict: conflict with {}: {}",
            one.manager, one.path
        ),
        many => {
            let mut lines = Vec::new();
            for (place, conflict) in many.iter().enumerate() {
                if place == 0 || many[place - 1].manager != conflict.manager {
                    lines.push(format!("conflicts with {}:", conflict.manager));
                }
                lines.push(format!("- {}", conflict.path));
            }
            let count = many.len();
            format!("Apply failed with {count} conflicts: {}", lines.join("\n"))
        }
    };
    let causes: Vec<Value> = conflicts.iter().map(cause).collect();
    status::refusal(409, "Conflict", message, json!({"causes": causes}))
}

/// Strict decoding refuses a name that is there twice.
fn check_duplicates(call: &Call<'_>) -> Result<(), Answer> {
    match duplicates::first(call.body) {
        Some(name) => Err(status::bad_request(format!(
            "error strict decoding YAML: error converting YAML to JSON: yaml: unmarshal \
             errors:\n  line 1: key \"{name}\" already set in map"
        ))),
        None => Ok(()),
    }
}
