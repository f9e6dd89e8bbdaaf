//! An object of a release in progress.

use super::super::model::Engine;
use crate::change::difference::Difference;
use crate::kubernetes::object_id::{ObjectId, group_of};
use crate::kubernetes::resource::Resource;
use crate::release::{FollowedWorkload, LeftReason, Untried};
use crate::request::release::Manifest;
use crate::state::release::RecordedObject;
use crate::workload::health::object::{Applied, ObjectWait};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;

/// An object that is to be applied.
#[derive(Clone, Debug, Default)]
pub(super) struct Item {
    /// What it is known by; its namespace is known once its kind was looked up.
    pub(super) id: ObjectId,
    /// Where it is; `None` before it was looked up.
    pub(super) resource: Option<Resource>,
    /// The object as it was read, as JSON: as a value it would take several times the memory.
    pub(super) live: Option<Box<str>>,
    /// Whether it was not read, because it is probably not there: a dry run tells.
    pub(super) is_unread: bool,
    /// Its uid, as it was read.
    pub(super) uid: Option<String>,
    /// Since when something is waited for before it can be written.
    pub(super) waited: Option<Timestamp>,
    /// Its former managers are overruled: all that they own is ours now.
    pub(super) pressed: bool,
    /// What a dry run came to.
    pub(super) tried: Tried,
    /// Fields of others are taken over.
    pub(super) force: bool,
    /// Our fields are noted in another version of its kind, in which it has no place any more.
    pub(super) other_version: bool,
    /// It is deleted and made anew.
    pub(super) recreate: bool,
    /// It was deleted for that.
    pub(super) removed: bool,
    /// How often it was read again because somebody else changed it.
    pub(super) conflicts: u32,
    /// What the write returned, or what was found to be as it should be.
    pub(super) applied: Option<Applied>,
    /// Whether this invocation began to write it: the answer may be lost.
    pub(super) begun: bool,
    /// Whether this invocation wrote it.
    pub(super) wrote: bool,
    /// The engine that follows it, if it is a workload.
    pub(super) follower: Option<Box<Engine>>,
    /// When its health was looked at last.
    pub(super) looked: Option<Timestamp>,
    /// Whether the release has begun to wait for it.
    pub(super) is_waited_for: bool,
    pub(super) state: State,
}

/// What a dry run of an object came to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Tried {
    /// It was not tried yet.
    #[default]
    Not,
    /// It cannot be tried.
    Unable(Untried),
    /// Nothing changes.
    Same,
    /// These fields change; `None` if it is new.
    Differs(Option<Box<Difference>>),
}

/// How far an object has come.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum State {
    /// It is not applied yet.
    #[default]
    Pending,
    /// It is applied, and waits for this.
    Waiting(ObjectWait),
    /// It is ready.
    Ready,
    /// It is a workload that serves.
    Serves(Box<FollowedWorkload>),
}

impl Item {
    pub(super) fn new(manifest: &Manifest) -> Item {
        Item {
            id: ObjectId {
                group: group_of(&manifest.api_version).to_owned(),
                kind: manifest.kind.clone(),
                namespace: manifest.namespace.clone(),
                name: manifest.name.clone(),
            },
            ..Item::default()
        }
    }

    /// The object as it was read.
    pub(super) fn live(&self) -> Option<Value> {
        serde_json::from_str(self.live.as_deref()?).ok()
    }

    pub(super) fn is_done(&self) -> bool {
        matches!(self.state, State::Ready | State::Serves(_))
    }

    /// Whether it must be written.
    pub(super) fn differs(&self) -> bool {
        self.recreate || !matches!(self.tried, Tried::Same)
    }
}

/// An object that is not in the release any more.
#[derive(Clone, Debug)]
pub(super) struct Old {
    pub(super) object: RecordedObject,
    pub(super) resource: Resource,
    /// The uid and version to delete, or why it stays; `None` before it was read.
    pub(super) fate: Option<Result<(String, String), LeftReason>>,
    /// It is not there.
    pub(super) gone: bool,
    /// It was deleted, and these finalizers keep it.
    pub(super) held: Vec<String>,
    /// How often somebody changed it before it was deleted.
    pub(super) conflicts: u32,
}

/// An object on the way back.
#[derive(Clone, Debug)]
pub(super) struct Back {
    pub(super) id: ObjectId,
    pub(super) resource: Resource,
    pub(super) wave: i32,
    pub(super) to: BackTo,
    /// What the failed revision applied, where its record had room for it.
    pub(super) applied: Option<Arc<str>>,
    /// Whether the failed revision may have deleted it, to make it anew.
    pub(super) may_be_removed: bool,
    /// Whether the way back does the same.
    pub(super) anew: Anew,
    /// It was deleted, and these finalizers keep it.
    pub(super) held: Vec<String>,
    /// Somebody has scaled it: its count stays.
    pub(super) keeps_replicas: bool,
    pub(super) live: Option<Box<str>>,
    pub(super) conflicts: u32,
    pub(super) follower: Option<Box<Engine>>,
    /// What became of it.
    pub(super) result: Option<Result<(), LeftReason>>,
}

/// How far an object is that the way back deletes and makes anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Anew {
    /// It is not.
    No,
    /// It is to be deleted.
    Asked,
    /// It was deleted.
    Removed,
}

/// What an object is on the way back to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum BackTo {
    /// The manifest that the last good revision applied.
    Manifest(Arc<str>),
    /// The same, where it is gone; what is there is as that revision left it.
    Again(Arc<str>),
    /// The object as it was before the release took it over.
    Object(Arc<str>),
    /// Nothing: it is deleted.
    Nothing,
    /// A Job: nothing, unless one of its pods has started.
    NothingUnlessRan,
    /// It stays as it is.
    Stay(LeftReason),
}

impl Back {
    pub(super) fn live(&self) -> Option<Value> {
        serde_json::from_str(self.live.as_deref()?).ok()
    }
}

/// The resource of an object of a record.
pub(super) fn resource_of(object: &RecordedObject) -> Resource {
    let is_namespaced = object.id.namespace.is_some();
    Resource::new(
        &object.api_version,
        &object.id.kind,
        &object.plural,
        is_namespaced,
    )
}

/// The facts of a write, or of an object that was as it should be.
pub(super) fn receipt(object: &Value, at: Timestamp) -> Applied {
    Applied {
        generation: object["metadata"]["generation"].as_i64().unwrap_or(0),
        uid: uid_of(object),
        at,
    }
}

/// The uid of an object.
pub(super) fn uid_of(object: &Value) -> String {
    let uid = object["metadata"]["uid"].as_str();
    uid.unwrap_or_default().to_owned()
}
