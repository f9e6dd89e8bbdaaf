//! Which resource each kind is: built into Kubernetes, defined by the manifests themselves, or
//! looked up in the cluster.

use super::objects::Object;
use crate::command::Tools;
use crate::failure::{Failure, Refusal};
use landfall_core::kubernetes::resource::Resource;
use landfall_core::kubernetes::{builtin, discovery};
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};

/// How many objects of unknown kinds a message names.
const NAMED: usize = 5;

/// The resources of kinds that Kubernetes itself does not have.
#[derive(Default)]
pub(crate) struct Kinds {
    /// By `apiVersion` and kind.
    known: BTreeMap<(String, String), Resource>,
}

impl Kinds {
    /// Finds the resources of all objects. The cluster is asked only for what is neither built in
    /// nor defined by the manifests.
    ///
    /// # Errors
    ///
    /// A kind is unknown here, and the cluster does not serve it or cannot be asked.
    pub(crate) async fn find(tools: &Tools, objects: &[Object]) -> Result<Kinds, Failure> {
        let mut kinds = Kinds::default();
        objects.iter().for_each(|object| kinds.define(object));
        for api_version in kinds.unknown_versions(objects) {
            let words = ["get", "--raw", &path(&api_version)];
            let answer = tools.kubectl(&words).ask(None).await;
            let unknown = |kinds: &Kinds, why: &str| {
                let among = kinds.unknown(objects);
                let of_version = among.filter(|object| object.api_version == api_version);
                refusal(of_version, why).at("finding the kinds of the manifests")
            };
            let printed = answer.map_err(|refusal| unknown(&kinds, &refusal.to_string()))?;
            kinds.look_up(&api_version, &printed);
            if kinds.unknown_versions(objects).contains(&api_version) {
                return Err(unknown(&kinds, " it does not serve it"));
            }
        }
        Ok(kinds)
    }

    /// The resource of a kind.
    pub(crate) fn resource(&self, api_version: &str, kind: &str) -> Option<Resource> {
        let key = (api_version.to_owned(), kind.to_owned());
        let known = self.known.get(&key).cloned();
        known.or_else(|| builtin::resource(api_version, kind))
    }

    fn unknown<'a>(&'a self, objects: &'a [Object]) -> impl Iterator<Item = &'a Object> {
        let is_known = |object: &&Object| {
            let found = self.resource(&object.api_version, &object.kind);
            found.is_none()
        };
        objects.iter().filter(is_known)
    }

    fn unknown_versions(&self, objects: &[Object]) -> BTreeSet<String> {
        let unknown = self.unknown(objects);
        unknown.map(|object| object.api_version.clone()).collect()
    }

    /// Takes the kind that a CustomResourceDefinition defines.
    fn define(&mut self, object: &Object) {
        if !object.is("apiextensions.k8s.io", "CustomResourceDefinition") {
            return;
        }
        for (resource, _) in discovery::defined(&object.value) {
            self.known.insert(resource.key(), resource);
        }
    }

    /// Takes what the API server says that it serves.
    fn look_up(&mut self, api_version: &str, printed: &str) {
        let list: Value = serde_json::from_str(printed).unwrap_or_default();
        for resource in discovery::listed(api_version, &list) {
            self.known.entry(resource.key()).or_insert(resource);
        }
    }
}

/// The path that lists the resources of a group in a version.
fn path(api_version: &str) -> String {
    match api_version.contains('/') {
        true => format!("/apis/{api_version}"),
        false => format!("/api/{api_version}"),
    }
}

fn refusal<'a>(objects: impl Iterator<Item = &'a Object>, why: &str) -> Refusal {
    let objects = objects.collect::<Vec<_>>();
    let named = objects.iter().take(NAMED).map(|it| it.to_string());
    let mut named = named.collect::<Vec<_>>().join(", ");
    if objects.len() > NAMED {
        named.push_str(&format!(" and {} more", objects.len() - NAMED));
    }
    let api_version = objects.first().map_or("", |it| it.api_version.as_str());
    Refusal::own(
        format!(
            "{api_version} is neither part of Kubernetes nor defined by a \
             CustomResourceDefinition of the manifests ({named}), and was looked for in the \
             cluster:{why}"
        ),
        "Give --for the file of its CustomResourceDefinition as well, or name a cluster that \
         serves it with --context.",
    )
}

#[cfg(test)]
mod tests;
