//! A namespace of a real cluster in which objects are applied as the engine will do it.

use crate::peer::run_with_input;
use crate::real::Namespace;
use landfall::http::{self, Trust};
use landfall_core::change::apply::{
    ApplyRefusal, Owner, are_of_predecessors, body, change, needs_write, refused, takeover,
};
use landfall_core::change::difference::Difference;
use landfall_core::formats::yaml;
use landfall_core::kubernetes::Refusal;
use landfall_core::kubernetes::call::Call;
use landfall_core::kubernetes::resource::Resource;
use reqwest::header::CONTENT_TYPE;
use serde_json::{Value, json};
use std::process::Command;

pub(super) struct Space {
    pub(super) namespace: Namespace,
    client: reqwest::Client,
}

/// What came of applying an object.
pub(super) struct Applied {
    /// What the plan would have told.
    pub(super) plan: Difference,
    /// Whether anything was written.
    pub(super) wrote: bool,
}

impl Space {
    pub(super) async fn new() -> Space {
        Space {
            namespace: Namespace::new().await,
            client: http::client(Trust::Public).unwrap(),
        }
    }

    pub(super) fn kubectl(&self, arguments: &[&str], input: &str) {
        let mut command = Command::new(std::env::var("LANDFALL_KUBECTL").unwrap());
        let (server, namespace) = (self.namespace.admin(), &self.namespace.name);
        command.args(["--server", server, "--namespace", namespace]);
        run_with_input(command.args(arguments), input);
    }

    /// Sends a call as an administrator.
    pub(super) async fn send(&self, call: Call) -> Result<Value, Refusal> {
        let query = call
            .query
            .iter()
            .map(|(name, value)| (*name, value.as_str()));
        let query = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(query)
            .finish();
        let url = format!("{}{}?{query}", self.namespace.admin(), &*call.path);
        let method = call.verb.method().parse().unwrap();
        let mut request = self.client.request(method, url);
        if let Some(kind) = call.verb.content_type() {
            request = request.header(CONTENT_TYPE, kind);
        }
        if let Some(body) = call.body {
            request = request.body(body.to_string());
        }
        let response = request.send().await.unwrap();
        let (status, answer) = (response.status().as_u16(), response.bytes().await.unwrap());
        match status {
            200..=299 => Ok(serde_json::from_slice(&answer).unwrap()),
            _ => Err(Refusal::read(status, &answer, str::to_owned)),
        }
    }

    pub(super) async fn live(&self, plural: &str, object: &Value) -> Option<Value> {
        let get = Call::get(
            &resource(plural, object),
            &self.namespace.name,
            name(object),
        );
        match self.send(get).await {
            Ok(object) => Some(object),
            Err(refusal) => {
                assert_eq!(refusal.code, 404, "{refusal:?}");
                None
            }
        }
    }

    /// Sends one apply.
    pub(super) async fn apply(
        &self,
        plural: &str,
        object: Value,
        force: bool,
        dry: bool,
    ) -> Result<Value, ApplyRefusal> {
        let (resource, name) = (resource(plural, &object), name(&object).to_owned());
        let call = Call::apply(&resource, &self.namespace.name, &name, object, force);
        let call = if dry { call.dry_run() } else { call };
        self.send(call).await.map_err(|refusal| refused(&refusal))
    }

    /// Sends the takeover, where there is one. `None`: the object changed in the meantime.
    async fn take_over(&self, plural: &str, live: Value) -> Option<Value> {
        let Some(patch) = takeover(&live) else {
            return Some(live);
        };
        let resource = resource(plural, &live);
        let call = Call::json_patch(&resource, &self.namespace.name, name(&live), patch);
        match self.send(call).await {
            Ok(taken) => Some(taken),
            Err(refusal) => {
                assert_eq!(refused(&refusal), ApplyRefusal::Stale);
                None
            }
        }
    }

    /// Applies an object in the order that `change::apply` describes.
    pub(super) async fn release(
        &self,
        plural: &str,
        object: &Value,
        scaled_by: Option<&str>,
    ) -> Result<Applied, ApplyRefusal> {
        let owner = Owner {
            id: "applyset-x-v1".to_owned(),
            release: format!("{}/web", self.namespace.name),
        };
        let mut live = self.live(plural, object).await;
        let made = body(object, live.as_ref(), scaled_by, &owner);
        let mut forced = false;
        let tried = match self.apply(plural, made.clone(), false, true).await {
            Err(ApplyRefusal::Conflict(conflicts))
                if are_of_predecessors(live.as_ref().unwrap(), &conflicts) =>
            {
                forced = takeover(live.as_ref().unwrap()).is_none();
                self.apply(plural, made, true, true).await?
            }
            tried => tried?,
        };
        let plan = change(live.as_ref(), &tried);
        if live.as_ref().is_some_and(|live| !needs_write(live, &tried)) {
            return Ok(Applied { plan, wrote: false });
        }
        loop {
            if let Some(found) = live {
                let Some(taken) = self.take_over(plural, found).await else {
                    live = self.live(plural, object).await;
                    continue;
                };
                live = Some(taken);
            }
            let made = body(object, live.as_ref(), scaled_by, &owner);
            let answer = self.apply(plural, made, forced, false).await?;
            if takeover(&answer).is_none() {
                break;
            }
            live = Some(answer);
        }
        Ok(Applied { plan, wrote: true })
    }
}

fn resource(plural: &str, object: &Value) -> Resource {
    let text = |field: &str| object[field].as_str().unwrap();
    Resource::new(text("apiVersion"), text("kind"), plural, true)
}

fn name(object: &Value) -> &str {
    object["metadata"]["name"].as_str().unwrap()
}

/// Reads a manifest of one object.
pub(super) fn manifest(text: &str) -> Value {
    let mut object = Value::Null;
    yaml::read(text, |document| object = document).unwrap();
    object
}

/// An object without what differs between two objects that were treated alike, by us and by
/// kubectl: ids, times, whose it is, and the notes that each keeps.
pub(super) fn comparable(mut object: Value) -> Value {
    const NOTES: [&str; 5] = [
        // They count the versions. kubectl writes twice, and so may make one more.
        "deployment.kubernetes.io/revision",
        "deprecated.daemonset.template.generation",
        "kubectl.kubernetes.io/last-applied-configuration",
        "landfall/release",
        "applyset.kubernetes.io/part-of",
    ];
    let entries = object["metadata"]["managedFields"].take();
    let metadata = object["metadata"].as_object_mut().unwrap();
    for field in [
        "uid",
        "resourceVersion",
        "creationTimestamp",
        "namespace",
        "generation",
    ] {
        metadata.remove(field);
    }
    for list in ["annotations", "labels"] {
        prune(metadata, list, &NOTES);
    }
    object["status"] = json!(null);
    for field in ["clusterIP", "clusterIPs"] {
        if object["spec"].get(field).is_some() {
            object["spec"][field] = json!("some");
        }
    }
    let entries = entries.as_array().cloned().unwrap_or_default();
    let applied = entries.into_iter().filter(|entry| {
        entry["subresource"] != "status" && entry["manager"] != "kubectl-last-applied"
    });
    let applied = applied.map(|mut entry| {
        if entry["operation"] == "Apply" {
            entry["manager"] = json!("the deployer");
        }
        entry.as_object_mut().unwrap().remove("time");
        let notes = NOTES.map(|note| format!("f:{note}"));
        let notes = notes.each_ref().map(String::as_str);
        let fields = entry["fieldsV1"].as_object_mut().unwrap();
        if let Some(metadata) = fields.get_mut("f:metadata").and_then(Value::as_object_mut) {
            prune(metadata, "f:annotations", &notes);
            prune(metadata, "f:labels", &notes);
        }
        if fields.get("f:metadata") == Some(&json!({})) {
            fields.remove("f:metadata");
        }
        entry
    });
    // An entry that had nothing but notes is one of ours alone.
    let applied = applied.filter(|entry| entry["fieldsV1"] != json!({}));
    let applied = applied.collect::<Vec<_>>();
    object["metadata"]["managedFields"] = json!(applied);
    object
}

/// Removes keys of a map, and the map when nothing is left in it.
fn prune(parent: &mut serde_json::Map<String, Value>, list: &str, keys: &[&str]) {
    let Some(map) = parent.get_mut(list).and_then(Value::as_object_mut) else {
        return;
    };
    map.retain(|key, _| !keys.contains(&key.as_str()));
    if map.keys().all(|key| key == ".") {
        parent.remove(list);
    }
}
