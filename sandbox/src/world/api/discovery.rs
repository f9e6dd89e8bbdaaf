//! `GET /api/v1`, `GET /apis/GROUP/VERSION`: which resources there are.

use crate::world::api::kinds::{KINDS, Kind};
use crate::world::api::message::{Answer, answer};
use crate::world::api::route::has_subresource;
use crate::world::state::World;
use serde_json::{Value, json};

const VERBS: [&str; 8] = [
    "create",
    "delete",
    "deletecollection",
    "get",
    "list",
    "patch",
    "update",
    "watch",
];

impl World {
    /// The resources of a group in a version.
    pub(crate) fn discover(&self, group: &str, version: &str) -> Answer {
        let custom = self.custom_kinds();
        let kinds = KINDS.iter().chain(custom);
        let served = |kind: &&Kind| kind.group == group && kind.versions.contains(&version);
        let mut resources: Vec<Value> = kinds.filter(served).flat_map(described).collect();
        resources.sort_by_key(|it| it["name"].to_string());
        let name = match group {
            "" => version.to_owned(),
            group => format!("{group}/{version}"),
        };
        let mut list = json!({"kind": "APIResourceList", "groupVersion": name,
            "resources": resources});
        if !group.is_empty() {
            list["apiVersion"] = "v1".into();
        }
        answer(200, list)
    }
}

/// A resource and its subresources.
fn described(kind: &Kind) -> Vec<Value> {
    let singular = kind.name.to_lowercase();
    let mut all = vec![
        json!({"name": kind.plural, "singularName": singular, "namespaced": kind.namespaced,
            "kind": kind.name, "verbs": VERBS}),
    ];
    for (part, name, verbs) in [
        ("status", kind.name, ["get", "patch", "update"].as_slice()),
        ("scale", "Scale", ["get", "patch", "update"].as_slice()),
        ("log", kind.name, ["get"].as_slice()),
        ("token", "TokenRequest", ["create"].as_slice()),
    ] {
        if has_subresource(kind, part) {
            all.push(
                json!({"name": format!("{}/{part}", kind.plural), "singularName": "",
                    "namespaced": kind.namespaced, "kind": name, "verbs": verbs}),
            );
        }
    }
    all
}
