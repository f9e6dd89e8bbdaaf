//! What a release of these objects needs to be allowed, namespace by namespace.

use super::handed;
use super::kinds::Kinds;
use super::objects::Object;
use super::rights::{Matter, Reason, Rights};
use landfall_core::kubernetes::object_id::group_of;
use landfall_core::kubernetes::resource::{
    AUTOSCALERS, EVENTS, LOGS, PODS, REPLICA_SETS, Resource,
};
use landfall_core::release::prune::is_kept_kind;
use landfall_core::request::release::{PRUNE, RECREATE};
use std::collections::BTreeMap;

/// Reading an object, and creating or changing it by an apply.
const APPLY: [&str; 3] = ["get", "create", "patch"];

/// The verbs for the release's own Secrets: the parent is created and replaced under its lock, a
/// record is created, closed by a patch, listed to find the oldest, and deleted.
const RECORDS: [&str; 6] = ["get", "list", "create", "update", "patch", "delete"];

/// How the release will be asked for.
#[derive(Clone, Debug)]
pub(crate) struct Plan<'a> {
    /// The release.
    pub(crate) release: &'a str,
    /// Its namespace, in which its records are.
    pub(crate) namespace: &'a str,
    /// Whether `prune` will be `true`.
    pub(crate) prune: bool,
    /// Whether a release that fails is taken back.
    pub(crate) rollback: bool,
}

/// What is needed, and what people must know about it.
#[derive(Debug, Default)]
pub(crate) struct Needs {
    /// By namespace; `None` for the whole cluster.
    pub(crate) rights: BTreeMap<Option<String>, Rights>,
    /// Namespaces that the manifests themselves create.
    pub(crate) brought: Vec<String>,
    /// What these rights do not allow, and what to do instead.
    pub(crate) notes: Vec<String>,
}

/// Decides what is needed.
pub(crate) fn of(plan: &Plan<'_>, objects: &[Object], kinds: &Kinds) -> Needs {
    let mut needs = Needs::default();
    let home = Some(plan.namespace.to_owned());
    let records = Reason::Records(plan.release.to_owned());
    needs.grant(&home, &Matter::all("", "secrets"), &RECORDS, &records);
    for object in objects {
        let Some(resource) = kinds.resource(&object.api_version, &object.kind) else {
            continue;
        };
        let namespace = resource.namespaced.then(|| {
            let written = object.namespace.clone();
            written.unwrap_or_else(|| plan.namespace.to_owned())
        });
        needs.object(plan, object, &resource, &namespace);
        needs.following(plan, object, &namespace);
        let handed = handed::by(object, objects, plan.namespace);
        for (matter, verbs, reason) in &handed.grants {
            needs.grant(&namespace, matter, verbs, reason);
        }
        needs.notes.extend(handed.note);
        if object.is("", "Namespace") {
            needs.brought.push(object.name.clone());
        }
    }
    needs
}

impl Needs {
    fn grant(
        &mut self,
        namespace: &Option<String>,
        matter: &Matter,
        verbs: &[&str],
        reason: &Reason,
    ) {
        let rights = self.rights.entry(namespace.clone()).or_default();
        rights.grant(matter, verbs, reason);
    }

    /// Applying the object, and taking that back.
    fn object(
        &mut self,
        plan: &Plan<'_>,
        object: &Object,
        resource: &Resource,
        namespace: &Option<String>,
    ) {
        let (plural, group) = plural_of(resource);
        // An object of the whole cluster has a name that no other namespace's can have.
        let (matter, reason) = match namespace {
            Some(_) => (Matter::all(group, plural), Reason::Objects),
            None => {
                let named = Matter::named(group, plural, [object.name.as_str()]);
                (named, Reason::Named)
            }
        };
        self.grant(namespace, &matter, &APPLY, &reason);
        if plan.rollback && is_restored(object) {
            self.grant(namespace, &matter, &["update"], &reason);
        }
        if is_deleted(plan, object) {
            // Landfall asks beforehand whether it may, and asks for the kind.
            let all = Matter::all(group, plural);
            self.grant(namespace, &all, &["delete"], &Reason::Objects);
        }
    }

    /// Following a workload, and saying why it does not get ready.
    fn following(&mut self, plan: &Plan<'_>, object: &Object, namespace: &Option<String>) {
        let is_scaled = ["Deployment", "StatefulSet", "ReplicaSet"]
            .iter()
            .any(|kind| object.is("apps", kind));
        if is_scaled {
            self.list(namespace, &AUTOSCALERS, &Reason::Autoscalers);
        }
        let is_workload = object.is("batch", "Job")
            || ["Deployment", "StatefulSet", "DaemonSet"]
                .iter()
                .any(|kind| object.is("apps", kind));
        if !is_workload {
            return;
        }
        self.list(namespace, &PODS, &Reason::Pods);
        self.list(namespace, &EVENTS, &Reason::Pods);
        let logs = Matter::all(LOGS.group(), "pods/log");
        self.grant(namespace, &logs, &["get"], &Reason::Pods);
        match object.kind.as_str() {
            "Deployment" => self.list(namespace, &REPLICA_SETS, &Reason::Versions),
            "StatefulSet" | "DaemonSet" => {
                let revisions = Matter::all("apps", "controllerrevisions");
                self.grant(namespace, &revisions, &["list"], &Reason::Versions);
            }
            _ => {}
        }
        if object.is("apps", "StatefulSet") && plan.rollback {
            let pods = Matter::all("", "pods");
            self.grant(namespace, &pods, &["delete"], &Reason::Stuck);
        }
    }

    fn list(&mut self, namespace: &Option<String>, resource: &Resource, reason: &Reason) {
        let (plural, group) = plural_of(resource);
        self.grant(namespace, &Matter::all(group, plural), &["list"], reason);
    }
}

/// The plural and the group of a resource.
fn plural_of(resource: &Resource) -> (&str, &str) {
    (resource.plural(), resource.group())
}

/// Whether an object that was there before the first release is put back by replacing it.
fn is_restored(object: &Object) -> bool {
    !object.is("batch", "Job") && !object.is("apiextensions.k8s.io", "CustomResourceDefinition")
}

/// Whether the release may have to delete an object of this kind.
fn is_deleted(plan: &Plan<'_>, object: &Object) -> bool {
    let is_kept = is_kept_kind(group_of(&object.api_version), &object.kind);
    let annotation = |key: &str| object.annotation(key).map(str::trim);
    let is_pruned = match annotation(PRUNE) {
        Some("always") => true,
        Some("never") => false,
        _ => !is_kept,
    };
    // A Job runs anew where its template changed.
    object.is("batch", "Job")
        || annotation(RECREATE) == Some("yes")
        || plan.rollback && !is_kept
        || plan.prune && is_pruned
}

#[cfg(test)]
mod tests;
