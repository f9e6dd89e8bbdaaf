//! The effects of the writing verbs.

use crate::world::api::blank;
use crate::world::api::call::{APPLY, Call, FieldValidation};
use crate::world::api::decode::STRATEGIC_PATCH;
use crate::world::api::decode::{
    apply_patch, bad_patch, decoded, parse_patch, strict, unregistered, with_warnings,
};
use crate::world::api::fields::managers::Writer;
use crate::world::api::kinds::Kind;
use crate::world::api::message::{Answer, answer};
use crate::world::api::preconditions::{
    check_name, check_namespace, check_preconditions, check_uid, check_version,
};
use crate::world::api::read::presented;
use crate::world::api::status;
use crate::world::api::tracking::{Note, set_managed};
use crate::world::object;
use crate::world::object::{map_mut, text};
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::{Value, json};
use std::sync::Arc;

impl World {
    pub(crate) fn create(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let (object, warnings) = decoded(call, |object| self.typed(call, object))?;
        with_warnings(self.create_decoded(call, object), call, &warnings)
    }

    fn create_decoded(&mut self, call: &Call<'_>, mut object: Value) -> Result<Answer, Answer> {
        let kind = call.target.kind;
        let namespace = call.target.namespace.clone().unwrap_or_default();
        check_namespace(&object, &namespace)?;
        if kind.namespaced {
            map_mut(&mut object, "metadata")
                .insert("namespace".to_owned(), namespace.clone().into());
        }
        self.check_space(kind, &namespace, text(&object, "/metadata/name"))?;
        let key = Key::new(kind.resource, &namespace, text(&object, "/metadata/name"));
        if object::map(&object, "/metadata").is_some_and(|it| it.contains_key("resourceVersion")) {
            let message = "resourceVersion should not be set on objects to be created";
            return Err(status::refusal(500, "", message, Value::Null));
        }
        let note = Note::Update(Writer::of(call));
        let stored = self.create_new(call, &key, object, &note)?;
        Ok(answer(201, presented(&stored, call)))
    }

    /// Stores an object that is new.
    pub(crate) fn create_new(
        &mut self,
        call: &Call<'_>,
        key: &Key,
        mut object: Value,
        note: &Note,
    ) -> Result<Arc<Value>, Answer> {
        let kind = call.target.kind;
        if let Some(fields) = object.as_object_mut().filter(|_| kind.has_status) {
            fields.remove("status");
        }
        let mut stored = self.admit(kind, None, object, note)?;
        if self.store.get(key).is_some() {
            return Err(status::already_exists(kind, &key.name));
        }
        begin(kind, &mut stored);
        Ok(self.store_or_not(call, key, None, stored, note))
    }

    /// Whether the namespace of a new object exists and stays.
    pub(crate) fn check_space(
        &self,
        kind: &Kind,
        namespace: &str,
        name: &str,
    ) -> Result<(), Answer> {
        if kind.namespaced && !self.has_namespace(namespace) {
            let namespaces = Kind::of_plural("namespaces").ok_or_else(status::no_such_resource)?;
            return Err(status::not_found(namespaces, namespace));
        }
        let space = Key::new("namespaces", "", namespace);
        let ends = self
            .store
            .get(&space)
            .is_some_and(|it| object::terminating(it));
        if kind.namespaced && ends {
            return Err(status::terminating(kind, name, namespace));
        }
        Ok(())
    }

    /// A namespace exists if it was created, or if it contains anything.
    fn has_namespace(&self, namespace: &str) -> bool {
        matches!(namespace, "default" | "kube-system" | "kube-public")
            || self
                .store
                .get(&Key::new("namespaces", "", namespace))
                .is_some()
            || self.store.inhabited(namespace)
    }

    pub(crate) fn update(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let (object, warnings) = decoded(call, |object| self.typed(call, object))?;
        with_warnings(self.update_decoded(call, object), call, &warnings)
    }

    fn update_decoded(&mut self, call: &Call<'_>, mut object: Value) -> Result<Answer, Answer> {
        let kind = call.target.kind;
        let namespace = call.target.namespace.clone().unwrap_or_default();
        let wanted = call.target.name.as_deref().unwrap_or_default();
        check_namespace(&object, &namespace)?;
        check_name(&object, wanted)?;
        let (key, old) = self.find(call)?;
        check_version(kind, &object, &old)?;
        let (ours, theirs) = (text(&object, "/metadata/uid"), text(&old, "/metadata/uid"));
        if !ours.is_empty() && ours != theirs {
            let why = format!(
                "StorageError: invalid object, Code: 4, Key: /registry/{}/{namespace}/{wanted}, \
                 ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in \
                 precondition: {ours}, UID in object meta: {theirs}",
                kind.plural
            );
            return Err(status::conflict(kind, wanted, &why));
        }
        if kind.namespaced {
            map_mut(&mut object, "metadata").insert("namespace".to_owned(), namespace.into());
        }
        let note = Note::Update(Writer::of(call));
        let stored = self.replace(call, &key, &old, object, &note)?;
        Ok(answer(200, presented(&stored, call)))
    }

    pub(crate) fn patch(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let kind = call.target.kind;
        if call.content_type == APPLY {
            return self.apply_patch(call);
        }
        let read = parse_patch(call)?;
        let (key, old) = self.find(call)?;
        let mut object = presented(&old, call);
        apply_patch(kind, call.content_type, &read, &mut object)?;
        if call.content_type == STRATEGIC_PATCH {
            // The patch is merged into a typed object, whose type cannot change.
            object["kind"] = old["kind"].clone();
            object["apiVersion"] = presented(&old, call)["apiVersion"].take();
        }
        let (said, version) = (text(&object, "/kind"), text(&object, "/apiVersion"));
        if !kind.is_registered(said, version) {
            let why = unregistered(said, version);
            return Err(bad_patch(call, &read, &object, &why));
        }
        let result = object.clone();
        let found = self.typed(call, &mut object);
        if let Some(mismatch) = found.mismatch {
            let why = match call.content_type {
                STRATEGIC_PATCH => mismatch.converter,
                _ => mismatch.decoder,
            };
            return Err(bad_patch(call, &read, &result, &why));
        }
        if call.validation == FieldValidation::Strict && !found.unknown.is_empty() {
            return Err(bad_patch(call, &read, &result, &strict(&found.unknown)));
        }
        let done = self.patch_decoded(call, &key, &old, object);
        with_warnings(done, call, &found.unknown)
    }

    fn patch_decoded(
        &mut self,
        call: &Call<'_>,
        key: &Key,
        old: &Arc<Value>,
        mut object: Value,
    ) -> Result<Answer, Answer> {
        let kind = call.target.kind;
        check_namespace(&object, &key.namespace)?;
        check_name(&object, &key.name)?;
        check_uid(kind, &object, old)?;
        if kind.namespaced {
            let namespace = key.namespace.clone().into();
            map_mut(&mut object, "metadata").insert("namespace".to_owned(), namespace);
        }
        check_version(kind, &object, old)?;
        let note = Note::Update(Writer::of(call));
        let stored = self.replace(call, key, old, object, &note)?;
        Ok(answer(200, presented(&stored, call)))
    }

    /// Stores a changed object: only the status, or everything except the status.
    pub(crate) fn replace(
        &mut self,
        call: &Call<'_>,
        key: &Key,
        old: &Arc<Value>,
        mut object: Value,
        note: &Note,
    ) -> Result<Arc<Value>, Answer> {
        let kind = call.target.kind;
        if call.target.subresource.as_deref() == Some("status") {
            let status = object["status"].take();
            object = Value::clone(old);
            object["status"] = status;
            let managed = self.managed(kind, Some(old), &object, note);
            set_managed(&mut object, managed);
            return Ok(self.store_or_not(call, key, Some(old), object, note));
        }
        if let Some(fields) = object.as_object_mut().filter(|_| kind.has_status) {
            fields.remove("status");
            fields.extend(
                old.get("status")
                    .map(|it| ("status".to_owned(), it.clone())),
            );
        }
        let stored = self.admit(kind, Some(old), object, note)?;
        Ok(self.store_or_not(call, key, Some(old), stored, note))
    }

    pub(crate) fn delete_one(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let kind = call.target.kind;
        let (key, old) = self.find(call)?;
        let options: Value = if call.body.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(call.body)
                .map_err(|error| status::bad_request(error.to_string()))?
        };
        check_preconditions(kind, &key.name, &options, &old)?;
        let policy = call
            .ask("propagationPolicy")
            .unwrap_or(text(&options, "/propagationPolicy"));
        let dry = call.dry_run || !object::list(&options, "/dryRun").is_empty();
        if !dry {
            self.discard(&key, policy != "Orphan");
        }
        // What goes later is the answer: pods, and what finalizers keep.
        let left = self.store.get(&key).cloned().filter(|_| !dry);
        let pod = (kind.plural == "pods").then(|| Arc::clone(&old));
        if let Some(left) = left.or(pod) {
            return Ok(answer(200, presented(&left, call)));
        }
        Ok(answer(
            200,
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                "details": {"name": key.name, "group": kind.group, "kind": kind.plural,
                    "uid": text(&old, "/metadata/uid")}}),
        ))
    }

    pub(crate) fn find(&self, call: &Call<'_>) -> Result<(Key, Arc<Value>), Answer> {
        let target = &call.target;
        let name = target.name.as_deref().unwrap_or_default();
        let key = Key::new(
            target.kind.resource,
            target.namespace.as_deref().unwrap_or_default(),
            name,
        );
        match self.store.get(&key) {
            Some(object) => Ok((key, Arc::clone(object))),
            None => Err(status::not_found(target.kind, name)),
        }
    }
}

/// What the server writes into a new object beside its defaults.
fn begin(kind: &Kind, object: &mut Value) {
    if let Some(status) = blank::status(kind.built_in()) {
        object["status"] = status;
    }
    match kind.built_in() {
        "Namespace" => object["spec"]["finalizers"] = json!(["kubernetes"]),
        "DaemonSet" => {
            object["metadata"]["annotations"]["deprecated.daemonset.template.generation"] =
                "1".into();
        }
        "Job" if object["spec"]["manualSelector"] != true => {
            let uid = object["metadata"]["uid"].clone();
            let name = object["metadata"]["name"].clone();
            let field = "batch.kubernetes.io/controller-uid";
            object["spec"]["selector"] = json!({"matchLabels": {field: uid}});
            for labels in ["/spec/template/metadata", "/metadata"] {
                if let Some(metadata) = object.pointer_mut(labels) {
                    let labels = &mut metadata["labels"];
                    labels[field] = uid.clone();
                    labels["controller-uid"] = uid.clone();
                    labels["batch.kubernetes.io/job-name"] = name.clone();
                    labels["job-name"] = name.clone();
                }
            }
        }
        "CustomResourceDefinition" => {
            let versions = object::list(object, "/spec/versions").iter();
            let stored = versions.filter(|version| version["storage"] == true);
            let stored: Vec<Value> = stored.map(|version| version["name"].clone()).collect();
            object["status"] = json!({"conditions": null, "storedVersions": stored,
                "acceptedNames": {"plural": "", "kind": ""}});
        }
        _ => {}
    }
}
