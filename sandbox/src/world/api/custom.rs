//! Custom resources: what the definitions in the world define.

use crate::world::api::kinds::{DEFINITIONS, KINDS, Kind};
use crate::world::object::{condition, list, terminating, text, written};
use crate::world::state::World;
use crate::world::store::Key;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{LazyLock, Mutex, PoisonError};

/// The custom resources that were ever served, by their parts. A request names its kind for as long
/// as it lives, and the definitions of tests are few.
static CUSTOM: LazyLock<Mutex<BTreeMap<String, &'static Kind>>> = LazyLock::new(Mutex::default);

/// The resource that an established definition defines.
fn defined(definition: &Value) -> Option<&'static Kind> {
    condition(definition, "Established").filter(|it| it["status"] == "True")?;
    let versions = list(definition, "/spec/versions").iter();
    let versions: Vec<String> = versions
        .filter(|version| version["served"] == true)
        .map(|version| text(version, "/name").to_owned())
        .collect();
    let has_status = list(definition, "/spec/versions")
        .iter()
        .any(|version| version.pointer("/subresources/status").is_some());
    let namespaced = text(definition, "/spec/scope") != "Cluster";
    let names = ["/spec/group", "/spec/names/plural", "/spec/names/kind"];
    let names = names.map(|pointer| text(definition, pointer).to_owned());
    let parts = format!("{names:?} {versions:?} {namespaced} {has_status}");
    let mut all = CUSTOM.lock().unwrap_or_else(PoisonError::into_inner);
    Some(all.entry(parts).or_insert_with(|| {
        let kept = |text: String| -> &'static str { Box::leak(text.into_boxed_str()) };
        let [group, plural, name] = names.map(kept);
        let versions: Vec<&'static str> = versions.into_iter().map(kept).collect();
        Box::leak(Box::new(Kind {
            group,
            versions: Box::leak(versions.into_boxed_slice()),
            plural,
            name,
            namespaced,
            resource: kept(format!("{plural}.{group}")),
            has_status,
        }))
    }))
}

impl World {
    /// The custom resources that are served: those whose definition is established.
    pub(crate) fn custom_kinds(&self) -> Vec<&'static Kind> {
        let definitions = self.store.all(DEFINITIONS);
        definitions.filter_map(|(_, it)| defined(it)).collect()
    }

    /// Accepts the names of a definition, as the API server does a moment after it is created.
    pub(crate) fn establish(&mut self, key: &Key) {
        let Some(old) = self.store.get(key).cloned() else {
            return;
        };
        if terminating(&old) || condition(&old, "Established").is_some() {
            return;
        }
        let now = written(self.clock);
        let accepted = |kind: &str, reason: &str, message: &str| {
            json!({"type": kind, "status": "True", "lastTransitionTime": now, "reason": reason,
                "message": message})
        };
        let mut object = Value::clone(&old);
        object["status"]["acceptedNames"] = old["spec"]["names"].clone();
        object["status"]["conditions"] = json!([
            accepted("NamesAccepted", "NoConflicts", "no conflicts found"),
            accepted(
                "Established",
                "InitialNamesAccepted",
                "the initial names have been accepted"
            ),
        ]);
        self.write(key, object);
    }

    /// Finds a resource by its name in the store.
    pub(crate) fn kind_of(&self, resource: &str) -> Option<&'static Kind> {
        let custom = || self.custom_kinds().into_iter();
        Kind::of_plural(resource).or_else(|| custom().find(|kind| kind.resource == resource))
    }

    /// Finds a resource by the kind and version of an object.
    pub(crate) fn kind_of_object(&self, name: &str, api_version: &str) -> Option<&'static Kind> {
        let (group, _) = api_version.split_once('/').unwrap_or_default();
        let custom = || self.custom_kinds().into_iter();
        let mut built_in = KINDS.iter().filter(|kind| kind.name == name);
        built_in
            .next()
            .or_else(|| custom().find(|kind| kind.name == name && kind.group == group))
    }
}
