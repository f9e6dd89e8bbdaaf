//! Completes, checks, stamps and stores a write.

use crate::world::api::call::Call;
use crate::world::api::defaults;
use crate::world::api::fields::managers::Writer;
use crate::world::api::kinds::{DEFINITIONS, Kind};
use crate::world::api::message::Answer;
use crate::world::api::schema;
use crate::world::api::status;
use crate::world::api::tracking::{Note, set_managed};
use crate::world::api::validation;
use crate::world::object;
use crate::world::object::{integer, map_mut, text, written};
use crate::world::state::World;
use crate::world::store::{Key, version_of};
use serde_json::{Value, json};
use std::sync::Arc;

/// How many field managers an object remembers in the short form.
const MANAGER_LIMIT: usize = 10;

impl World {
    /// Stores an object without a request.
    pub(crate) fn put_in(&mut self, mut object: Value) -> Result<(), Answer> {
        let kind = self.kind_of_object(text(&object, "/kind"), text(&object, "/apiVersion"));
        let kind = kind.ok_or_else(status::no_such_resource)?;
        schema::decode(kind.built_in(), &mut object);
        let namespace = match (kind.namespaced, text(&object, "/metadata/namespace")) {
            (false, _) => String::new(),
            (true, "") => "default".to_owned(),
            (true, namespace) => namespace.to_owned(),
        };
        if kind.namespaced {
            map_mut(&mut object, "metadata")
                .insert("namespace".to_owned(), namespace.clone().into());
        }
        let key = Key::new(kind.resource, &namespace, text(&object, "/metadata/name"));
        let old = self.store.get(&key).cloned();
        let note = Note::Update(Writer::named("kubectl", "", kind));
        self.commit(&key, old.as_ref(), object, &note)
    }

    /// Admits and stores an object.
    pub(crate) fn commit(
        &mut self,
        key: &Key,
        old: Option<&Arc<Value>>,
        object: Value,
        note: &Note,
    ) -> Result<(), Answer> {
        let kind = self
            .kind_of(&key.resource)
            .ok_or_else(status::no_such_resource)?;
        let stored = self.admit(kind, old, object, note)?;
        self.save(key, old, stored, note);
        Ok(())
    }

    /// Adds defaults and the server's own fields, and checks the object.
    pub(crate) fn admit(
        &mut self,
        kind: &Kind,
        old: Option<&Arc<Value>>,
        mut object: Value,
        note: &Note,
    ) -> Result<Value, Answer> {
        self.fill(kind, &mut object);
        let managed = self.managed(kind, old.map(Arc::as_ref), &object, note);
        if !self.mutations.is_empty() {
            self.mutated(kind.plural, &mut object);
            self.fill(kind, &mut object);
        }
        drop_disabled(kind, old.map(Arc::as_ref), &mut object);
        if kind.plural == "services" {
            self.allocate_address(old, &mut object);
        }
        let causes = validation::faults(kind.built_in(), &object, old.map(Arc::as_ref));
        if !causes.is_empty() {
            let name = text(&object, "/metadata/name");
            return Err(status::invalid(kind.name, kind.group, name, &causes));
        }
        // For a kind without a schema, tests set the status.
        if schema::shape::knows(kind.built_in()) {
            match old.and_then(|old| old.get("status")) {
                Some(status) => object["status"] = status.clone(),
                None if kind.plural == "pods" => object["status"] = json!({"phase": "Pending"}),
                None if kind.plural == "replicasets" => object["status"] = json!({"replicas": 0}),
                None if kind.plural == "services" => object["status"] = json!({"loadBalancer": {}}),
                None => object["status"] = json!({}),
            }
        }
        self.stamp(kind, old, &mut object);
        count_specs(kind, old.map(Arc::as_ref), &mut object);
        set_managed(&mut object, managed);
        Ok(object)
    }

    /// Sets the defaults of an object, for a custom resource those of its definition.
    fn fill(&self, kind: &Kind, object: &mut Value) {
        if !kind.is_custom() {
            return defaults::fill(kind.built_in(), object);
        }
        let definition = Key::new(DEFINITIONS, "", kind.resource);
        if let Some(definition) = self.store.get(&definition) {
            defaults::custom::fill(definition, object);
        }
    }

    /// Sets the metadata that only the server writes.
    pub(crate) fn stamp(&mut self, kind: &Kind, old: Option<&Arc<Value>>, object: &mut Value) {
        let now = written(self.clock);
        let changed = old.is_none_or(|old| {
            let annotations = |it: &Value| it.pointer("/metadata/annotations").cloned();
            let noted = kind.plural == "deployments" && annotations(old) != annotations(object);
            noted || old["spec"] != object["spec"]
        });
        let number = old.is_none().then(|| self.store.number());
        object["kind"] = kind.name.into();
        if object.get("apiVersion").is_none() {
            object["apiVersion"] = kind.api_version(kind.versions[0]).into();
        }
        let metadata = map_mut(object, "metadata");
        match old {
            Some(old) => {
                for field in ["uid", "creationTimestamp", "deletionTimestamp"] {
                    metadata.remove(field);
                    if let Some(value) = old["metadata"].get(field) {
                        metadata.insert(field.to_owned(), value.clone());
                    }
                }
            }
            None => {
                let number = number.unwrap_or_default();
                let spread = object::hash(&number.to_be_bytes());
                let uid = format!("{spread:08x}-0000-4000-8000-{number:012x}");
                metadata.insert("uid".to_owned(), uid.into());
                metadata.insert("creationTimestamp".to_owned(), now.into());
            }
        }
        let counts = [
            "deployments",
            "replicasets",
            "statefulsets",
            "daemonsets",
            "jobs",
        ];
        if counts.contains(&kind.plural) {
            let before = old.map_or(0, |old| integer(old, "/metadata/generation"));
            metadata.insert(
                "generation".to_owned(),
                (before + i64::from(changed)).into(),
            );
        }
    }

    /// Stores an admitted object, unless nothing changed.
    pub(crate) fn save(
        &mut self,
        key: &Key,
        old: Option<&Arc<Value>>,
        mut object: Value,
        note: &Note,
    ) {
        let same = old.is_some_and(|old| {
            object["metadata"]["resourceVersion"] = version_of(old).into();
            object == **old
        });
        if same {
            return;
        }
        self.sign_shortly(&mut object, note);
        self.write(key, object);
    }

    pub(crate) fn store_or_not(
        &mut self,
        call: &Call<'_>,
        key: &Key,
        old: Option<&Arc<Value>>,
        object: Value,
        note: &Note,
    ) -> Arc<Value> {
        if !call.dry_run {
            self.save(key, old, object, note);
            return self.store.get(key).cloned().unwrap_or_default();
        }
        let mut object = object;
        if let Some(old) = old {
            object["metadata"]["resourceVersion"] = version_of(old).into();
        }
        self.sign_shortly(&mut object, note);
        Arc::new(object)
    }

    /// Records the field manager in the shortest form that a client may see, unless fields are
    /// tracked.
    fn sign_shortly(&self, object: &mut Value, note: &Note) {
        let Note::Update(by) = note else { return };
        if self.tracks_fields {
            return;
        }
        let manager = by.name.as_str();
        let version = object["apiVersion"].clone();
        let metadata = map_mut(object, "metadata");
        let managed = metadata.entry("managedFields").or_insert_with(|| json!([]));
        let Some(managed) = managed.as_array_mut() else {
            return;
        };
        managed.retain(|entry| entry["manager"] != manager || entry["operation"] == "Apply");
        managed.push(
            json!({"manager": manager, "operation": "Update", "apiVersion": version,
            "time": written(self.clock), "fieldsType": "FieldsV1",
            "fieldsV1": {"f:metadata": {}, "f:spec": {}}}),
        );
        let surplus = managed.len().saturating_sub(MANAGER_LIMIT);
        managed.drain(..surplus);
    }

    pub(crate) fn allocate_address(&mut self, old: Option<&Arc<Value>>, service: &mut Value) {
        if service["spec"].get("clusterIP").is_some() || service["spec"]["type"] == "ExternalName" {
            return;
        }
        let address = match old.map(|old| text(old, "/spec/clusterIP")) {
            Some(address) if !address.is_empty() => address.to_owned(),
            _ => format!("10.0.0.{}", self.store.number() % 250 + 1),
        };
        service["spec"]["clusterIP"] = address.clone().into();
        service["spec"]["clusterIPs"] = json!([address]);
    }
}

/// Fields whose feature is off by default are dropped without a word, unless they are in use.
/// <https://github.com/kubernetes/kubernetes/blob/v1.35.4/pkg/registry/apps/statefulset/strategy.go>
fn drop_disabled(kind: &Kind, old: Option<&Value>, object: &mut Value) {
    const UNAVAILABLE: &str = "/spec/updateStrategy/rollingUpdate/maxUnavailable";
    let is_in_use = old.is_some_and(|old| old.pointer(UNAVAILABLE).is_some());
    if kind.plural == "statefulsets" && !is_in_use {
        let rolling = object.pointer_mut("/spec/updateStrategy/rollingUpdate");
        if let Some(rolling) = rolling.and_then(Value::as_object_mut) {
            rolling.remove("maxUnavailable");
        }
    }
}

/// The generation of what no controller here follows: it moves with all but metadata and status.
fn count_specs(kind: &Kind, old: Option<&Value>, object: &mut Value) {
    let counts = matches!(
        kind.built_in(),
        "" | "CronJob"
            | "Ingress"
            | "NetworkPolicy"
            | "PodDisruptionBudget"
            | "PriorityClass"
            | "CustomResourceDefinition"
            | "ValidatingWebhookConfiguration"
            | "MutatingWebhookConfiguration"
    );
    if !counts {
        return;
    }
    let content = |object: &Value| {
        let mut fields = object.as_object().cloned().unwrap_or_default();
        fields.retain(|name, _| name != "metadata" && name != "status");
        fields
    };
    let changed = old.is_none_or(|old| content(old) != content(object));
    let before = old.map_or(0, |old| integer(old, "/metadata/generation"));
    object["metadata"]["generation"] = (before + i64::from(changed)).into();
}
