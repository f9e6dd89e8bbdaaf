//! What is deleted of a release because its new revision does not have it any more.
//!
//! Only what the records of the release have can be deleted. Others copy the label of a release to
//! objects that they make, so the label alone says nothing.

use crate::change::apply::{Owner, owners};
pub use crate::kubernetes::group::is_kept_kind;
use crate::kubernetes::object::controlled_by;
use crate::kubernetes::object_id::ObjectId;
use crate::request::release::annotations::PRUNE;
use crate::state::marks::{PART_OF, RELEASE};
use crate::state::release::RecordedObject;
use crate::text::clip;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeSet;

/// The annotations by which tools are told to leave an object, and their values. Argo CD's has a
/// list of values.
const KEEPING: &[(&str, &[&str])] = &[
    ("helm.sh/resource-policy", &["keep"]),
    ("kapp.k14s.io/delete-strategy", &["orphan"]),
    (
        "argocd.argoproj.io/sync-options",
        &[
            "Prune=false",
            "Prune=confirm",
            "Delete=false",
            "Delete=confirm",
        ],
    ),
    ("kustomize.toolkit.fluxcd.io/prune", &["disabled"]),
    ("client.lifecycle.config.k8s.io/deletion", &["detach"]),
    ("cli-utils.sigs.k8s.io/on-remove", &["keep"]),
];

/// The longest text of the cluster in a reason: a name has at most 253 characters.
const NAME_LIMIT: usize = 300;

/// What becomes of an object that the new revision does not have.
#[derive(Clone, Debug, PartialEq)]
pub enum Prune {
    /// It is deleted, if it is still this object in this state.
    Delete {
        /// Its uid.
        uid: String,
        /// Its resource version.
        resource_version: String,
    },
    /// It stays, and the release does not have it any more.
    Keep(KeepReason),
    /// Nothing is left to delete: it is gone, is being deleted, or was just applied under another
    /// API group, as the API server stores it once for both.
    Gone,
}

/// Why an object stays although the release no longer has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
pub enum KeepReason {
    /// It is of a kind that is only deleted where the object asks for it.
    Kind,
    /// An annotation says so, of Landfall or of another tool: its name and its value.
    Annotation(String, String),
    /// Somebody took the label of the release away.
    NotInRelease,
    /// It is in another release: which, as it names itself.
    OtherRelease(String),
    /// It is in an ApplySet of another tool: its id.
    OtherSet(String),
    /// Another object controls it, and deletes it itself: `Kind/name`.
    Controlled(String),
    /// Another tool has adopted it: which, in words.
    Adopted(String),
    /// It is another tool's by its marks, which its manifest may have had all along: the record had
    /// no room for it.
    Marked(String),
}

/// The objects of the old revisions that the new one does not have.
pub fn candidates<'a>(old: &'a [RecordedObject], new: &[ObjectId]) -> Vec<&'a RecordedObject> {
    let new: BTreeSet<&ObjectId> = new.iter().collect();
    let gone = old.iter().filter(|object| !new.contains(&object.id));
    gone.collect()
}

/// What becomes of one of them, as the cluster has it now. `owner` is the release, and `applied`
/// has the uids of all objects of the new revision; by `force` it is deleted though another tool
/// owns it.
pub fn prune(
    old: &RecordedObject,
    live: Option<&Value>,
    owner: &Owner,
    applied: &BTreeSet<String>,
    force: bool,
) -> Prune {
    let Some(live) = live else {
        return Prune::Gone;
    };
    let text = |pointer: &str| live.pointer(pointer).and_then(Value::as_str);
    let uid = text("/metadata/uid").unwrap_or_default();
    if text("/metadata/deletionTimestamp").is_some() || applied.contains(uid) {
        return Prune::Gone;
    }
    match reason_to_keep(old, live, owner, force) {
        Some(reason) => Prune::Keep(reason),
        None => Prune::Delete {
            uid: uid.to_owned(),
            resource_version: text("/metadata/resourceVersion")
                .unwrap_or_default()
                .to_owned(),
        },
    }
}

/// Why an object is not of this release, or not any more.
pub fn not_ours(live: &Value, owner: &Owner) -> Option<KeepReason> {
    let metadata = &live["metadata"];
    // What another tool labels anew keeps our annotation.
    let release = metadata["annotations"][RELEASE].as_str();
    let release = release.filter(|release| *release != owner.release);
    match (metadata["labels"][PART_OF].as_str(), release) {
        (Some(id), _) if id == owner.id => None,
        (None, _) => Some(KeepReason::NotInRelease),
        (Some(_), Some(other)) => Some(KeepReason::OtherRelease(clip(other, NAME_LIMIT))),
        (Some(set), None) => Some(KeepReason::OtherSet(clip(set, NAME_LIMIT))),
    }
}

/// The reasons in this order: whose it is comes before what it asks for.
fn reason_to_keep(
    old: &RecordedObject,
    live: &Value,
    owner: &Owner,
    force: bool,
) -> Option<KeepReason> {
    let metadata = &live["metadata"];
    let annotation = |key: &str| metadata["annotations"][key].as_str();
    if let Some(reason) = not_ours(live, owner) {
        return Some(reason);
    }
    if let Some((kind, name)) = controlled_by(live) {
        let owner = clip(&format!("{kind}/{name}"), NAME_LIMIT);
        return Some(KeepReason::Controlled(owner));
    }
    // It would be refused in a release, too. A mark that the manifest has itself shows no adoption.
    let foreign = || owners(live, owner).into_iter();
    let manifest = old.manifest.object().map(|mut manifest| {
        // As the API server sets it.
        if let Some(own) = manifest.get_mut("metadata").and_then(Value::as_object_mut) {
            own.insert("namespace".to_owned(), metadata["namespace"].clone());
        }
        manifest
    });
    let own = manifest.as_ref().map(|manifest| owners(manifest, owner));
    let is_own = |other: &_| own.as_ref().is_some_and(|own| own.contains(other));
    if !force && let Some(other) = foreign().find(|other| !is_own(other)) {
        let other = clip(&other.to_string(), NAME_LIMIT);
        return Some(match own {
            Some(_) => KeepReason::Adopted(other),
            None => KeepReason::Marked(other),
        });
    }
    let asked = annotation(PRUNE);
    let never = Some(KeepReason::Annotation(PRUNE.to_owned(), "never".to_owned()));
    match asked {
        Some("never") => return never,
        Some("always") => {}
        _ if is_kept_kind(&old.id.group, &old.id.kind) => return Some(KeepReason::Kind),
        _ if old.stays => return never,
        _ => {}
    }
    KEEPING.iter().find_map(|(key, keeping)| {
        let values = annotation(key)?.split(',').map(str::trim);
        let mut keeps = values.filter(|value| keeping.contains(value));
        Some(KeepReason::Annotation(
            (*key).to_owned(),
            keeps.next()?.to_owned(),
        ))
    })
}

#[cfg(test)]
mod tests;
