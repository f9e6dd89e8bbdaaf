//! Where the objects of a release are: which resource a kind is, and which namespace it has.

use super::item::Tried;
use super::model::{ReleaseEngine, Stage, Task};
use crate::kubernetes::known_kinds::KnownKinds;
use crate::kubernetes::object_id::ObjectId;
use crate::kubernetes::resource::Resource;
use crate::kubernetes::{builtin, discovery};
use crate::release::order::order;
use crate::release::{ObjectFault, ObjectTrouble};
use crate::request::release::{Manifest, namespace_of};
use serde_json::Value;
use std::collections::BTreeSet;

/// The kinds that autoscalers scale.
const SCALED: [&str; 3] = ["Deployment", "StatefulSet", "ReplicaSet"];

impl ReleaseEngine {
    /// Looks the kinds up that are neither built in nor defined by the release itself.
    pub(super) fn look_up(&mut self) {
        self.define();
        let manifests = &self.request.manifests;
        let unknown = manifests
            .iter()
            .filter(|it| self.resource(&it.api_version, &it.kind).is_none())
            .map(|it| it.api_version.clone())
            .collect::<BTreeSet<_>>();
        for api_version in unknown {
            self.push(Task::Resources(api_version));
        }
    }

    /// Takes the resources of a group in a version.
    pub(super) fn looked_up(&mut self, api_version: &str, list: &Value) {
        self.kinds.take(api_version, list);
    }

    /// Whether what was found wrong may be due to kinds that were remembered, and are not where
    /// they were: then they are looked up, and everything is placed and read again.
    pub(super) fn asks_for_kinds_again(&mut self) -> bool {
        let is_in_doubt = !(self.faults.is_empty() && self.forbidden.is_empty());
        let again = is_in_doubt && std::mem::take(&mut self.is_remembering);
        if again {
            self.kinds = KnownKinds::default();
            self.faults.clear();
            self.forbidden.clear();
            self.look_up();
            self.stage = Stage::Survey;
        }
        again
    }

    /// The kinds to remember, without those that definitions of the release bring.
    pub(super) fn kinds_to_remember(&self) -> KnownKinds {
        let mut kinds = self.kinds.clone();
        for definition in self.definitions() {
            let object = definition.object();
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (group, kind) = (&object["spec"]["group"], &object["spec"]["names"]["kind"]);
            kinds.forget(&text(group), &text(kind));
        }
        kinds.kept()
    }

    /// Gives every object its resource and its namespace, and sorts them into steps. What has no
    /// place is a fault.
    pub(super) fn place(&mut self) {
        let mut faults = Vec::new();
        for place in 0..self.items.len() {
            let manifest = &self.request.manifests[place];
            self.items[place].resource = None;
            let trouble = match self.resource(&manifest.api_version, &manifest.kind) {
                Some(resource) => {
                    match namespace_of(manifest, resource.namespaced, &self.request) {
                        Ok(namespace) => {
                            self.items[place].id.namespace = namespace;
                            self.items[place].resource = Some(resource);
                            continue;
                        }
                        Err(fault) => ObjectTrouble::Fault(fault),
                    }
                }
                None => ObjectTrouble::UnknownKind(manifest.api_version.clone()),
            };
            faults.push(ObjectFault {
                id: self.items[place].id.clone(),
                place: manifest.place.to_string(),
                trouble,
            });
        }
        self.faults.extend(faults);
        let waves = self.items.iter().zip(&self.request.manifests);
        let waves = waves.map(|(item, manifest)| (&item.id, manifest.wave));
        self.steps = order(&waves.collect::<Vec<_>>());
    }

    /// Reads every object that may be there, and which of them are scaled by an autoscaler. What no
    /// recent revision had is probably new, and its dry run tells.
    pub(super) fn survey(&mut self) {
        let mut namespaces = BTreeSet::new();
        let objects = self.records.iter().flat_map(|record| &record.objects);
        let known = objects.map(|it| it.id.clone()).collect::<BTreeSet<_>>();
        for place in 0..self.items.len() {
            let item = &mut self.items[place];
            item.tried = Tried::Not;
            // What comes with a new namespace is not tried. A right to read what has none may be
            // limited to names: then only the read itself tells whether it is there.
            item.is_unread = !known.contains(&item.id) && item.id.namespace.is_some();
            if item.resource.is_none() {
                continue;
            }
            if item.id.group == "apps"
                && SCALED.contains(&&*item.id.kind)
                && let Some(namespace) = &item.id.namespace
            {
                namespaces.insert(namespace.clone());
            }
            if !item.is_unread {
                self.push(Task::Get(place));
            }
        }
        for namespace in namespaces {
            self.push(Task::Autoscalers(namespace));
        }
    }

    /// Takes the autoscalers of a namespace.
    pub(super) fn scalers(&mut self, namespace: &str, scalers: &[Value]) {
        for scaler in scalers {
            let target = &scaler["spec"]["scaleTargetRef"];
            let text = |field: &str| target[field].as_str().unwrap_or_default().to_owned();
            let name = scaler.pointer("/metadata/name").and_then(Value::as_str);
            let key = (namespace.to_owned(), text("kind"), text("name"));
            let name = name.unwrap_or_default().to_owned();
            self.scaled.insert(key, name);
        }
    }

    /// The autoscaler of a workload.
    pub(super) fn scaled_by(&self, id: &ObjectId) -> Option<&str> {
        let namespace = id.namespace.clone().unwrap_or_default();
        let key = (namespace, id.kind.clone(), id.name.clone());
        self.scaled.get(&key).map(String::as_str)
    }

    /// Whether the release itself brings this namespace.
    pub(super) fn brings_namespace(&self, name: &str) -> bool {
        let mut items = self.items.iter();
        items.any(|item| item.id.is("", "Namespace") && item.id.name == name)
    }

    /// Whether the release itself brings this kind.
    pub(super) fn brings_kind(&self, group: &str, kind: &str) -> bool {
        let mut definitions = self.definitions();
        definitions.any(|manifest| {
            manifest.text().contains(kind) && {
                let spec = &manifest.object()["spec"];
                spec["group"] == group && spec["names"]["kind"] == kind
            }
        })
    }

    /// The CustomResourceDefinitions of the release.
    fn definitions(&self) -> impl Iterator<Item = &Manifest> {
        self.request.manifests.iter().filter(|manifest| {
            manifest.kind == "CustomResourceDefinition"
                && manifest.group() == "apiextensions.k8s.io"
        })
    }

    fn resource(&self, api_version: &str, kind: &str) -> Option<Resource> {
        let key = (api_version.to_owned(), kind.to_owned());
        let defined = self.resources.get(&key).or_else(|| self.kinds.get(&key));
        let defined = defined.cloned();
        defined.or_else(|| builtin::resource(api_version, kind))
    }

    /// Takes the kinds that CustomResourceDefinitions of the release define.
    fn define(&mut self) {
        let defined = self.definitions();
        let defined = defined.flat_map(|manifest| discovery::defined(&manifest.object()));
        let served = defined.filter(|(_, is_served)| *is_served);
        let served = served.map(|(resource, _)| (resource.key(), resource));
        let served = served.collect::<Vec<_>>();
        self.resources.extend(served);
    }
}
