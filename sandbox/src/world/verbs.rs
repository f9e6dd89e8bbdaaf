//! What the verbs do to the objects.

use super::api::{Call, FieldValidation, answer};
use super::object::{integer, map_mut, text, written};
use super::patch;
use super::route::Kind;
use super::schema;
use super::selector::{Fields, Labels};
use super::store::{Key, version_of};
use super::{Answer, Watch, World, defaults, object, status, validation};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::sync::Arc;

const JSON_PATCH: &str = "application/json-patch+json";
const MERGE_PATCH: &str = "application/merge-patch+json";
const STRATEGIC_PATCH: &str = "application/strategic-merge-patch+json";
/// Operations that a JSON patch may have.
const JSON_PATCH_LIMIT: usize = 10_000;
/// Managers that an object remembers here.
const MANAGER_LIMIT: usize = 10;

impl World {
    pub(super) fn get(&self, call: &Call<'_>) -> Result<Answer, Answer> {
        let (_, object) = self.find(call)?;
        Ok(answer(200, presented(&object, call)))
    }

    pub(super) fn list(&self, call: &Call<'_>) -> Result<Answer, Answer> {
        let kind = call.target.kind;
        let limit = list_limit(call)?;
        let items = self.selected(call)?;
        let (version, from) = match call.ask("continue") {
            Some(token) => self.continued(call, token)?,
            None => (self.listed_version(call)?, Key::default()),
        };
        let mut items: Vec<_> = items.into_iter().filter(|(key, _)| *key > from).collect();
        let rest = limit.map_or(0, |limit: usize| items.len().saturating_sub(limit));
        items.truncate(items.len() - rest);
        let mut metadata = json!({"resourceVersion": version.to_string()});
        if let Some((last, _)) = items.last().filter(|_| rest > 0) {
            let token = format!(
                "{version}:{}:{}:{}",
                last.resource, last.namespace, last.name
            );
            metadata["continue"] = URL_SAFE_NO_PAD.encode(token).into();
            metadata["remainingItemCount"] = rest.into();
        }
        let items: Vec<Value> = items.iter().map(|(_, object)| bare(object)).collect();
        Ok(answer(
            200,
            json!({"kind": format!("{}List", kind.name),
                "apiVersion": kind.api_version(&call.target.version),
                "metadata": metadata, "items": items}),
        ))
    }

    /// The version that a list without a token has, if it can be had.
    fn listed_version(&self, call: &Call<'_>) -> Result<u64, Answer> {
        let current = self.resource_version();
        let asked = call.ask("resourceVersion").unwrap_or("0");
        let version: u64 = asked.parse().map_err(|_| {
            status::bad_request(format!(
                "invalid resource version: {}",
                broken_version(asked)
            ))
        })?;
        if version > current {
            return Err(status::too_new(version, current));
        }
        if call.ask("resourceVersionMatch") == Some("Exact") && !self.store.reaches(version) {
            let message = "The resourceVersion for the provided list is too old.";
            return Err(status::expired(message));
        }
        Ok(current)
    }

    fn continued(&self, call: &Call<'_>, token: &str) -> Result<(u64, Key), Answer> {
        if call.ask("resourceVersion").is_some() {
            let message = "specifying resource version is not allowed when using continue";
            return Err(status::bad_request(message));
        }
        let bytes = URL_SAFE_NO_PAD.decode(token).unwrap_or_default();
        let text = String::from_utf8(bytes).unwrap_or_default();
        let parts: Vec<&str> = text.split(':').collect();
        let [version, resource, namespace, name] = parts.as_slice() else {
            let message = "invalid continue token: continue key is not valid";
            return Err(status::bad_request(message));
        };
        let version = version.parse().unwrap_or_default();
        if !self.store.reaches(version) {
            return Err(status::expired(
                "The provided continue parameter is too old to display a consistent list result. \
                 You can start a new list without the continue parameter, or use the continue \
                 token in this response to retrieve the remainder of the results.",
            ));
        }
        Ok((version, Key::new(resource, namespace, name)))
    }

    /// The objects of a collection that the selectors let through.
    fn selected(&self, call: &Call<'_>) -> Result<Vec<(Key, Arc<Value>)>, Answer> {
        let target = &call.target;
        let labels = Labels::parse(call.ask("labelSelector").unwrap_or_default());
        let labels = labels.map_err(status::bad_request)?;
        let fields = Fields::parse(
            target.kind.plural,
            call.ask("fieldSelector").unwrap_or_default(),
        );
        let fields = fields.map_err(status::bad_request)?;
        let all = self.store.all(target.kind.plural);
        let kept = all.filter(|(key, object)| {
            target
                .namespace
                .as_ref()
                .is_none_or(|namespace| *namespace == key.namespace)
                && target.name.as_ref().is_none_or(|name| *name == key.name)
                && labels.match_object(object)
                && fields.match_object(object)
        });
        Ok(kept
            .map(|(key, object)| (key.clone(), Arc::clone(object)))
            .collect())
    }

    pub(super) fn start_watch(&self, call: &Call<'_>) -> Result<Watch, Answer> {
        let target = &call.target;
        let asked = call.ask("resourceVersion").unwrap_or("0");
        let asked: u64 = asked
            .parse()
            .map_err(|_| status::refusal(500, "", broken_version(asked), Value::Null))?;
        let items = self.selected(call)?;
        let event = |object: &Arc<Value>| json!({"type": "ADDED", "object": **object});
        let (since, initial) = match asked {
            0 => (
                self.resource_version(),
                items.iter().map(|(_, object)| event(object)).collect(),
            ),
            // One from the future waits for it.
            version if self.store.reaches(version) => (version, Vec::new()),
            version => {
                return Err(status::expired(status::too_old(
                    version,
                    self.resource_version(),
                )));
            }
        };
        let fields = Fields::parse(
            target.kind.plural,
            call.ask("fieldSelector").unwrap_or_default(),
        );
        let fields = fields.map_err(status::bad_request)?;
        Ok(Watch {
            resource: target.kind.plural.to_owned(),
            namespace: target.namespace.clone(),
            name: target
                .name
                .clone()
                .or_else(|| fields.name().map(str::to_owned)),
            label_selector: call.ask("labelSelector").map(str::to_owned),
            since,
            timeout_seconds: call
                .ask("timeoutSeconds")
                .and_then(|seconds| seconds.parse().ok()),
            bookmarks: call.flag("allowWatchBookmarks"),
            initial,
            ends: false,
        })
    }

    pub(super) fn create(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let (object, warnings) = decoded(call)?;
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
        if kind.namespaced && !self.has_namespace(&namespace) {
            let namespaces = Kind::of_plural("namespaces").ok_or_else(status::no_such_resource)?;
            return Err(status::not_found(namespaces, &namespace));
        }
        let key = Key::new(kind.plural, &namespace, text(&object, "/metadata/name"));
        if object::map(&object, "/metadata").is_some_and(|it| it.contains_key("resourceVersion")) {
            let message = "resourceVersion should not be set on objects to be created";
            return Err(status::refusal(500, "", message, Value::Null));
        }
        let stored = self.admit(kind, None, object)?;
        if self.store.get(&key).is_some() {
            return Err(status::already_exists(kind, &key.name));
        }
        let stored = self.store_or_not(call, &key, None, stored);
        Ok(answer(201, presented(&stored, call)))
    }

    /// A namespace is there when it was put in, or when anything is in it.
    fn has_namespace(&self, namespace: &str) -> bool {
        matches!(namespace, "default" | "kube-system" | "kube-public")
            || self
                .store
                .get(&Key::new("namespaces", "", namespace))
                .is_some()
            || self.store.inhabited(namespace)
    }

    pub(super) fn update(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let (object, warnings) = decoded(call)?;
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
        let stored = self.replace(call, &key, &old, object)?;
        Ok(answer(200, presented(&stored, call)))
    }

    pub(super) fn patch(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
        let kind = call.target.kind;
        let read = parse_patch(call)?;
        let (key, old) = self.find(call)?;
        let mut object = presented(&old, call);
        apply_patch(kind, call.content_type, &read, &mut object)?;
        if call.content_type == STRATEGIC_PATCH {
            // It is merged into a typed object, which cannot become another.
            object["kind"] = old["kind"].clone();
            object["apiVersion"] = presented(&old, call)["apiVersion"].take();
        }
        let (said, version) = (text(&object, "/kind"), text(&object, "/apiVersion"));
        if !Kind::is_registered(said, version) {
            let why = unregistered(said, version);
            return Err(bad_patch(call, &read, &object, &why));
        }
        let result = object.clone();
        let found = schema::decode(kind.name, &mut object);
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
        let stored = self.replace(call, key, old, object)?;
        Ok(answer(200, presented(&stored, call)))
    }

    /// Stores a changed object: only the status, or all but the status.
    fn replace(
        &mut self,
        call: &Call<'_>,
        key: &Key,
        old: &Arc<Value>,
        mut object: Value,
    ) -> Result<Arc<Value>, Answer> {
        if call.target.subresource.as_deref() == Some("status") {
            let status = object["status"].take();
            object = Value::clone(old);
            object["status"] = status;
            return Ok(self.store_or_not(call, key, Some(old), object));
        }
        let stored = self.admit(call.target.kind, Some(old), object)?;
        Ok(self.store_or_not(call, key, Some(old), stored))
    }

    pub(super) fn delete_one(&mut self, call: &Call<'_>) -> Result<Answer, Answer> {
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
        if kind.plural == "pods" {
            let left = self.store.get(&key).cloned().unwrap_or(old);
            return Ok(answer(200, presented(&left, call)));
        }
        Ok(answer(
            200,
            json!({"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success",
                "details": {"name": key.name, "group": kind.group, "kind": kind.plural,
                    "uid": text(&old, "/metadata/uid")}}),
        ))
    }

    pub(super) fn get_scale(&self, call: &Call<'_>) -> Result<Answer, Answer> {
        let (_, object) = self.find(call)?;
        Ok(answer(200, scale_of(&object)))
    }

    pub(super) fn change_scale(&mut self, method: &str, call: &Call<'_>) -> Result<Answer, Answer> {
        let kind = call.target.kind;
        let (key, old) = self.find(call)?;
        let mut scale = scale_of(&old);
        if method == "PATCH" {
            let read = parse_patch(call)?;
            apply_patch(kind, call.content_type, &read, &mut scale)?;
        } else {
            scale = body_of(call, "Scale")?;
            check_name(&scale, &key.name)?;
        }
        check_version(kind, &scale, &old)?;
        let mut object = Value::clone(&old);
        object["spec"]["replicas"] = integer(&scale, "/spec/replicas").into();
        let stored = self.admit(kind, Some(&old), object)?;
        let stored = self.store_or_not(call, &key, Some(&old), stored);
        Ok(answer(200, scale_of(&stored)))
    }

    fn find(&self, call: &Call<'_>) -> Result<(Key, Arc<Value>), Answer> {
        let target = &call.target;
        let name = target.name.as_deref().unwrap_or_default();
        let key = Key::new(
            target.kind.plural,
            target.namespace.as_deref().unwrap_or_default(),
            name,
        );
        match self.store.get(&key) {
            Some(object) => Ok((key, Arc::clone(object))),
            None => Err(status::not_found(target.kind, name)),
        }
    }

    /// Puts an object in without a request.
    pub(super) fn put_in(&mut self, mut object: Value) -> Result<(), Answer> {
        let kind = Kind::of_object(text(&object, "/kind")).ok_or_else(status::no_such_resource)?;
        schema::decode(kind.name, &mut object);
        let namespace = match (kind.namespaced, text(&object, "/metadata/namespace")) {
            (false, _) => String::new(),
            (true, "") => "default".to_owned(),
            (true, namespace) => namespace.to_owned(),
        };
        if kind.namespaced {
            map_mut(&mut object, "metadata")
                .insert("namespace".to_owned(), namespace.clone().into());
        }
        let key = Key::new(kind.plural, &namespace, text(&object, "/metadata/name"));
        let old = self.store.get(&key).cloned();
        self.commit(&key, old.as_ref(), object, "kubectl")
    }

    /// Admits and stores an object.
    pub(super) fn commit(
        &mut self,
        key: &Key,
        old: Option<&Arc<Value>>,
        object: Value,
        manager: &str,
    ) -> Result<(), Answer> {
        let kind = Kind::of_plural(&key.resource).ok_or_else(status::no_such_resource)?;
        let stored = self.admit(kind, old, object)?;
        self.save(key, old, stored, manager);
        Ok(())
    }

    /// Fills in, checks, and adds what is the server's: an object ready to be stored.
    fn admit(
        &mut self,
        kind: &Kind,
        old: Option<&Arc<Value>>,
        mut object: Value,
    ) -> Result<Value, Answer> {
        self.mutated(kind.plural, &mut object);
        defaults::fill(kind.name, &mut object);
        if kind.plural == "services" {
            self.allocate_address(old, &mut object);
        }
        let causes = validation::faults(kind.name, &object, old.map(Arc::as_ref));
        if !causes.is_empty() {
            let name = text(&object, "/metadata/name");
            return Err(status::invalid(kind.name, kind.group, name, &causes));
        }
        // A kind that the table does not know has its status put in by a test.
        if schema::knows(kind.name) {
            match old.and_then(|old| old.get("status")) {
                Some(status) => object["status"] = status.clone(),
                None if kind.plural == "pods" => object["status"] = json!({"phase": "Pending"}),
                None if kind.plural == "replicasets" => object["status"] = json!({"replicas": 0}),
                None if kind.plural == "services" => object["status"] = json!({"loadBalancer": {}}),
                None => object["status"] = json!({}),
            }
        }
        self.stamp(kind, old, &mut object);
        Ok(object)
    }

    /// Metadata that only the server writes.
    fn stamp(&mut self, kind: &Kind, old: Option<&Arc<Value>>, object: &mut Value) {
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
                for field in [
                    "uid",
                    "creationTimestamp",
                    "managedFields",
                    "deletionTimestamp",
                ] {
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
                metadata.remove("managedFields");
            }
        }
        if matches!(kind.plural, "deployments" | "replicasets") {
            let before = old.map_or(0, |old| integer(old, "/metadata/generation"));
            metadata.insert(
                "generation".to_owned(),
                (before + i64::from(changed)).into(),
            );
        }
    }

    /// Stores an admitted object under its manager's name, unless nothing changed.
    fn save(&mut self, key: &Key, old: Option<&Arc<Value>>, mut object: Value, manager: &str) {
        let same = old.is_some_and(|old| {
            object["metadata"]["resourceVersion"] = version_of(old).into();
            object == **old
        });
        if same {
            return;
        }
        sign(&mut object, manager, &written(self.clock));
        self.write(key, object);
    }

    fn store_or_not(
        &mut self,
        call: &Call<'_>,
        key: &Key,
        old: Option<&Arc<Value>>,
        object: Value,
    ) -> Arc<Value> {
        if !call.dry_run {
            self.save(key, old, object, &call.manager);
            return self.store.get(key).cloned().unwrap_or_default();
        }
        let mut object = object;
        if let Some(old) = old {
            object["metadata"]["resourceVersion"] = version_of(old).into();
        }
        sign(&mut object, &call.manager, &written(self.clock));
        Arc::new(object)
    }

    fn allocate_address(&mut self, old: Option<&Arc<Value>>, service: &mut Value) {
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

/// How many items a page has; None: all.
fn list_limit(call: &Call<'_>) -> Result<Option<usize>, Answer> {
    let Some(text) = call.ask("limit") else {
        return Ok(None);
    };
    let limit: i64 = text.parse().map_err(|_| {
        let message = status::no_number(text).replace("ParseUint", "ParseInt");
        status::bad_request(message)
    })?;
    Ok(usize::try_from(limit).ok().filter(|limit| *limit > 0))
}

fn broken_version(text: &str) -> String {
    let why = status::no_number(text);
    format!("resourceVersion: Invalid value: \"{text}\": {why}")
}

/// An object in the version asked for.
fn presented(object: &Value, call: &Call<'_>) -> Value {
    let mut object = object.clone();
    object["apiVersion"] = call.target.kind.api_version(&call.target.version).into();
    object
}

/// An item of a list has no kind and no version of its own.
fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("kind");
        fields.remove("apiVersion");
    }
    object
}

fn scale_of(object: &Value) -> Value {
    let labels = object::map(object, "/spec/selector/matchLabels")
        .into_iter()
        .flatten();
    let selector: Vec<String> = labels
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
        .collect();
    let metadata = &object["metadata"];
    let replicas = match integer(object, "/spec/replicas") {
        0 => json!({}),
        count => json!({"replicas": count}),
    };
    json!({"kind": "Scale", "apiVersion": "autoscaling/v1",
        "metadata": {"name": metadata["name"], "namespace": metadata["namespace"],
            "uid": metadata["uid"], "resourceVersion": metadata["resourceVersion"],
            "creationTimestamp": metadata["creationTimestamp"]},
        "spec": replicas,
        "status": {"replicas": integer(object, "/status/replicas"),
            "selector": selector.join(",")}})
}

/// The body of a POST or PUT, decoded; with the unknown fields that are to be warned of.
fn decoded(call: &Call<'_>) -> Result<(Value, Vec<String>), Answer> {
    let kind = call.target.kind.name;
    let mut object = body_of(call, kind)?;
    check_type(call, &object).map_err(status::bad_request)?;
    let unhandled = |why: &str| {
        let version = &call.target.version;
        let message =
            format!("{kind} in version \"{version}\" cannot be handled as a {kind}: {why}");
        status::bad_request(message)
    };
    let found = schema::decode(kind, &mut object);
    if let Some(mismatch) = &found.mismatch {
        return Err(unhandled(&mismatch.decoder));
    }
    if call.validation == FieldValidation::Strict && !found.unknown.is_empty() {
        return Err(unhandled(&strict(&found.unknown)));
    }
    Ok((object, found.unknown))
}

/// Whether an object says to be what is asked for; where it says nothing, it is.
fn check_type(call: &Call<'_>, object: &Value) -> Result<(), String> {
    let wanted = call.target.kind;
    let served = wanted.api_version(&call.target.version);
    let said = |pointer: &str, or: &str| match text(object, pointer) {
        "" => or.to_owned(),
        text => text.to_owned(),
    };
    let (kind, version) = (said("/kind", wanted.name), said("/apiVersion", &served));
    let short = version.rsplit('/').next().unwrap_or_default();
    let name = wanted.name;
    let unhandled = format!("{kind} in version \"{short}\" cannot be handled as a {name}");
    if !Kind::is_registered(&kind, &version) {
        return Err(format!("{unhandled}: {}", unregistered(&kind, &version)));
    }
    if kind != name {
        let group = if wanted.group.is_empty() {
            "core"
        } else {
            wanted.group
        };
        return Err(format!(
            "{unhandled}: converting ({short}.{kind}) to ({group}.{name}): unknown conversion"
        ));
    }
    if version != served {
        return Err(format!(
            "the API version in the data ({version}) does not match the expected API version \
             ({served})"
        ));
    }
    Ok(())
}

fn unregistered(kind: &str, version: &str) -> String {
    format!(
        "no kind \"{kind}\" is registered for version \"{version}\" in scheme \
         \"pkg/runtime/scheme.go:111\""
    )
}

fn body_of(call: &Call<'_>, kind: &str) -> Result<Value, Answer> {
    if !matches!(call.content_type, "" | "application/json") {
        let accepted = "application/json, application/yaml, application/vnd.kubernetes.protobuf";
        return Err(status::unsupported_media_type(accepted));
    }
    let object: Value = serde_json::from_slice(call.body).map_err(|error| {
        status::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): couldn't get \
             version/kind; json parse error: {error}"
        ))
    })?;
    if object.is_null() {
        return Ok(json!({}));
    }
    if !object.is_object() {
        return Err(status::bad_request(format!(
            "the object provided is unrecognized (must be of type {kind}): couldn't get \
             version/kind; json parse error"
        )));
    }
    Ok(object)
}

fn strict(unknown: &[String]) -> String {
    let fields: Vec<String> = unknown
        .iter()
        .map(|field| format!("unknown field \"{field}\""))
        .collect();
    format!("strict decoding error: {}", fields.join(", "))
}

/// A body that parses as a patch of its type.
fn parse_patch(call: &Call<'_>) -> Result<Value, Answer> {
    let wanted = match call.content_type {
        JSON_PATCH => "[]handlers.jsonPatchOp",
        MERGE_PATCH | STRATEGIC_PATCH => "map[string]interface {}",
        _ => return Err(status::unsupported_patch_type()),
    };
    let read: Value = serde_json::from_slice(call.body)
        .map_err(|error| status::bad_request(format!("error decoding patch: {error}")))?;
    let fits = match call.content_type {
        JSON_PATCH => read.is_array(),
        STRATEGIC_PATCH if read.is_null() => return Ok(json!({})),
        MERGE_PATCH if read.is_null() => return Err(status::bad_request("Invalid JSON Patch")),
        _ => read.is_object(),
    };
    if fits {
        return Ok(read);
    }
    let got = schema::go_kind(&read);
    let message = format!("json: cannot unmarshal {got} into Go value of type {wanted}");
    Err(status::bad_request(match call.content_type {
        STRATEGIC_PATCH => message,
        _ => format!("error decoding patch: {message}"),
    }))
}

fn apply_patch(
    kind: &Kind,
    content_type: &str,
    read: &Value,
    object: &mut Value,
) -> Result<(), Answer> {
    match content_type {
        MERGE_PATCH => json_patch::merge(object, read),
        STRATEGIC_PATCH => {
            patch::strategic(kind.name, object, read).map_err(|why| match why.as_str() {
                patch::BAD_RETAIN => status::bad_request(why),
                _ => status::refusal(500, "", why, Value::Null),
            })?
        }
        _ => {
            let operations = read.as_array().map_or(&[][..], Vec::as_slice);
            if operations.len() > JSON_PATCH_LIMIT {
                return Err(status::too_large(JSON_PATCH_LIMIT));
            }
            patch::operations(object, operations).map_err(|()| status::patch_rejected())?;
        }
    }
    Ok(())
}

/// A patch whose result cannot be decoded; the server names neither kind nor object here. It shows
/// a strategic patch itself, of other types the whole object that they led to.
fn bad_patch(call: &Call<'_>, read: &Value, result: &Value, why: &str) -> Answer {
    let value = Value::String(match call.content_type {
        STRATEGIC_PATCH => patch::go(read),
        _ => result.to_string(),
    });
    let cause = status::Cause {
        reason: "FieldValueInvalid",
        message: format!("Invalid value: {value}: {why}"),
        field: "patch".to_owned(),
    };
    status::invalid("", "", "", &[cause])
}

fn check_namespace(object: &Value, namespace: &str) -> Result<(), Answer> {
    match text(object, "/metadata/namespace") {
        said if said.is_empty() || said == namespace => Ok(()),
        _ => Err(status::bad_request(
            "the namespace of the provided object does not match the namespace sent on the request",
        )),
    }
}

fn check_name(object: &Value, name: &str) -> Result<(), Answer> {
    match text(object, "/metadata/name") {
        "" => Err(status::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        ))),
        said if said == name => Ok(()),
        said => Err(status::bad_request(format!(
            "the name of the object ({said}) does not match the name on the URL ({name})"
        ))),
    }
}

/// A patch cannot make another object of this one.
fn check_uid(kind: &Kind, object: &Value, old: &Value) -> Result<(), Answer> {
    let (ours, theirs) = (&object["metadata"]["uid"], &old["metadata"]["uid"]);
    if ours == theirs || ours.is_null() {
        return Ok(());
    }
    let cause = status::Cause {
        reason: "FieldValueInvalid",
        message: format!("Invalid value: {ours}: field is immutable"),
        field: "metadata.uid".to_owned(),
    };
    let name = text(old, "/metadata/name");
    Err(status::invalid(kind.name, kind.group, name, &[cause]))
}

fn check_version(kind: &Kind, object: &Value, old: &Value) -> Result<(), Answer> {
    match version_of(object) {
        said if said.is_empty() || said == version_of(old) => Ok(()),
        said if said.parse::<u64>().is_err() => {
            let message = status::no_number(said);
            Err(status::refusal(500, "", message, Value::Null))
        }
        _ => Err(status::modified(kind, text(old, "/metadata/name"))),
    }
}

fn check_preconditions(
    kind: &Kind,
    name: &str,
    options: &Value,
    old: &Value,
) -> Result<(), Answer> {
    let (uid, current) = (
        text(options, "/preconditions/uid"),
        text(old, "/metadata/uid"),
    );
    if !uid.is_empty() && uid != current {
        let why = format!(
            "the UID in the precondition ({uid}) does not match the UID in record ({current}). \
             The object might have been deleted and then recreated"
        );
        return Err(status::conflict(kind, name, &why));
    }
    let (version, current) = (
        text(options, "/preconditions/resourceVersion"),
        version_of(old),
    );
    if !version.is_empty() && version != current {
        let why = format!(
            "the ResourceVersion in the precondition ({version}) does not match the \
             ResourceVersion in record ({current}). The object might have been modified"
        );
        return Err(status::conflict(kind, name, &why));
    }
    Ok(())
}

/// The result with its warnings, which a refusal carries as well.
fn with_warnings(
    result: Result<Answer, Answer>,
    call: &Call<'_>,
    unknown: &[String],
) -> Result<Answer, Answer> {
    let warned = |mut answer: Answer| {
        if call.validation == FieldValidation::Warn {
            answer.headers.extend(unknown.iter().map(|field| {
                let text = format!("299 - \"unknown field \\\"{field}\\\"\"");
                ("Warning".to_owned(), text)
            }));
        }
        answer
    };
    result.map(warned).map_err(warned)
}

/// Notes who wrote, as short as a client may meet it.
fn sign(object: &mut Value, manager: &str, now: &str) {
    let version = object["apiVersion"].clone();
    let metadata = map_mut(object, "metadata");
    let managed = metadata.entry("managedFields").or_insert_with(|| json!([]));
    let Some(managed) = managed.as_array_mut() else {
        return;
    };
    managed.retain(|entry| entry["manager"] != manager);
    managed.push(
        json!({"manager": manager, "operation": "Update", "apiVersion": version,
        "time": now, "fieldsType": "FieldsV1", "fieldsV1": {"f:metadata": {}, "f:spec": {}}}),
    );
    let surplus = managed.len().saturating_sub(MANAGER_LIMIT);
    managed.drain(..surplus);
}
