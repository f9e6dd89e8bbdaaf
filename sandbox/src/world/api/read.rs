//! Reads: an object, a list in pages, a watch.

use crate::world::api::call::Call;
use crate::world::api::message::{Answer, answer};
use crate::world::api::reply::{Watch, WatchFlow};
use crate::world::api::status;
use crate::world::selector::{Fields, Labels};
use crate::world::state::World;
use crate::world::store::Key;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use std::sync::Arc;

impl World {
    pub(crate) fn get(&self, call: &Call<'_>) -> Result<Answer, Answer> {
        let (_, object) = self.find(call)?;
        Ok(answer(200, presented(&object, call)))
    }

    pub(crate) fn list(&self, call: &Call<'_>) -> Result<Answer, Answer> {
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
        let mut list = json!({"kind": format!("{}List", kind.name),
            "apiVersion": kind.api_version(&call.target.version), "metadata": metadata});
        // `json!` would copy them.
        list["items"] = items.iter().map(|(_, object)| bare(object)).collect();
        Ok(answer(200, list))
    }

    /// The version of a list without a token, if it is available.
    pub(crate) fn listed_version(&self, call: &Call<'_>) -> Result<u64, Answer> {
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

    pub(crate) fn continued(&self, call: &Call<'_>, token: &str) -> Result<(u64, Key), Answer> {
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

    /// The objects of a collection that match the selectors.
    pub(crate) fn selected(&self, call: &Call<'_>) -> Result<Vec<(Key, Arc<Value>)>, Answer> {
        let target = &call.target;
        let labels = Labels::parse(call.ask("labelSelector").unwrap_or_default());
        let labels = labels.map_err(status::bad_request)?;
        let fields = Fields::parse(
            target.kind.plural,
            call.ask("fieldSelector").unwrap_or_default(),
        );
        let fields = fields.map_err(status::bad_request)?;
        let all = self.store.all(target.kind.resource);
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

    pub(crate) fn start_watch(&self, call: &Call<'_>) -> Result<Watch, Answer> {
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
            // A request for a future version waits for it.
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
            kind: target.kind.name.to_owned(),
            api_version: target.kind.api_version(&target.version),
            resource: target.kind.resource.to_owned(),
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
            flow: WatchFlow::Changes,
        })
    }
}

/// The page size of a list; `None` for all items.
pub(crate) fn list_limit(call: &Call<'_>) -> Result<Option<usize>, Answer> {
    let Some(text) = call.ask("limit") else {
        return Ok(None);
    };
    let limit: i64 = text.parse().map_err(|_| {
        let message = status::no_number(text).replace("ParseUint", "ParseInt");
        status::bad_request(message)
    })?;
    Ok(usize::try_from(limit).ok().filter(|limit| *limit > 0))
}

pub(crate) fn broken_version(text: &str) -> String {
    let why = status::no_number(text);
    format!("resourceVersion: Invalid value: \"{text}\": {why}")
}

/// The object in the requested API version.
pub(crate) fn presented(object: &Value, call: &Call<'_>) -> Value {
    let mut object = object.clone();
    object["apiVersion"] = call.target.kind.api_version(&call.target.version).into();
    object
}

/// Removes the kind and version, which an item of a list does not have.
pub(crate) fn bare(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("kind");
        fields.remove("apiVersion");
    }
    object
}
