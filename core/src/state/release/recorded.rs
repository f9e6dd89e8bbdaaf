//! An object of a revision, as its record has it.

use crate::kubernetes::object_id::ObjectId;
use crate::state::marks::PART_OF;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::fmt;
use std::sync::Arc;

/// A manifest in a record. It is a text, because a parsed object takes several times the memory,
/// and shared with the request that it comes from.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kept {
    /// As it was applied, without the label and the annotation that Landfall adds.
    Whole(Arc<str>),
    /// Left out, as the record would have been too large.
    Omitted,
}

/// What an object was before a revision applied it.
#[derive(Clone, Default, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Before {
    /// It did not exist.
    Absent,
    /// It belonged to the release already.
    InRelease,
    /// It belonged to nobody, or to another: the object as JSON, without status and managed fields.
    Live(Arc<str>),
    /// It is not known, or was left out, as the record would have been too large.
    #[default]
    Unknown,
}

/// An object of a revision. Its `Debug` leaves contents out: it may be a Secret.
#[derive(Clone, PartialEq, Deserialize, Serialize)]
pub struct RecordedObject {
    /// What it is known by.
    #[serde(flatten)]
    pub id: ObjectId,
    /// The version in which it was applied: `apps/v1`.
    pub api_version: String,
    /// The plural of its resource: `deployments`.
    pub plural: String,
    /// Its wave.
    #[serde(default)]
    pub wave: i32,
    /// Whether its manifest says that it stays when the release no longer has it.
    #[serde(default)]
    pub stays: bool,
    /// Whether the release waits for it.
    #[serde(default = "yes")]
    pub follow: bool,
    /// Whether it is there from an earlier revision, and this one neither applied nor deleted it.
    #[serde(default, skip_serializing_if = "is_not")]
    pub left: bool,
    /// How many pods a DaemonSet had, where this revision chooses its nodes otherwise.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub had: i64,
    /// Its uid, once it was applied.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// What was applied.
    pub manifest: Kept,
    /// What it was before.
    #[serde(default)]
    pub before: Before,
}

impl Kept {
    /// Keeps a manifest.
    pub fn whole(manifest: &Value) -> Kept {
        Kept::Whole(manifest.to_string().into())
    }

    /// The text of the manifest, if it is there.
    pub fn text(&self) -> Option<&str> {
        match self {
            Kept::Whole(text) => Some(text),
            Kept::Omitted => None,
        }
    }

    /// The text of the manifest, to be kept, if it is there.
    pub fn shared(&self) -> Option<Arc<str>> {
        match self {
            Kept::Whole(text) => Some(Arc::clone(text)),
            Kept::Omitted => None,
        }
    }

    /// Parses the manifest, if it is there.
    pub fn object(&self) -> Option<Value> {
        serde_json::from_str(self.text()?).ok()
    }
}

impl Before {
    /// The text of the object, if it belonged to nobody or to another.
    pub fn text(&self) -> Option<&str> {
        match self {
            Before::Live(text) => Some(text),
            Before::Absent | Before::InRelease | Before::Unknown => None,
        }
    }

    /// Parses the object, if it belonged to nobody or to another.
    pub fn object(&self) -> Option<Value> {
        serde_json::from_str(self.text()?).ok()
    }

    /// What an object is before it is applied. `part_of` is the id of the release, and `known` says
    /// whether the release has had it since its last good revision: where it has not, nobody else
    /// could say how it was.
    pub fn of(live: Option<&Value>, part_of: &str, known: bool) -> Before {
        let Some(live) = live else {
            return Before::Absent;
        };
        let is_ours = live["metadata"]["labels"][PART_OF].as_str() == Some(part_of);
        match is_ours && known {
            true => Before::InRelease,
            false => Before::Live(without_servers_part(live).to_string().into()),
        }
    }
}

/// The object without what only the API server and controllers write.
fn without_servers_part(live: &Value) -> Value {
    let mut object = live.clone();
    if let Some(fields) = object.as_object_mut() {
        fields.remove("status");
    }
    if let Some(metadata) = object["metadata"].as_object_mut() {
        metadata.remove("managedFields");
    }
    object
}

fn yes() -> bool {
    true
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_not(value: &bool) -> bool {
    !value
}

#[allow(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde calls it with a reference"
)]
fn is_zero(value: &i64) -> bool {
    *value == 0
}

impl fmt::Debug for Kept {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Kept::Whole(_) => "Whole",
            Kept::Omitted => "Omitted",
        })
    }
}

impl fmt::Debug for Before {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Before::Absent => "Absent",
            Before::InRelease => "InRelease",
            Before::Live(_) => "Live",
            Before::Unknown => "Unknown",
        })
    }
}

impl fmt::Debug for RecordedObject {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RecordedObject")
            .field("id", &self.id)
            .field("uid", &self.uid)
            .field("manifest", &self.manifest)
            .field("before", &self.before)
            .finish_non_exhaustive()
    }
}
