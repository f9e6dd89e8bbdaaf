//! The JSON format of a list, and of what every object in it has.

use crate::kubernetes::object::timestamp;
use crate::text::clip;
use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

/// How much of Kubernetes' messages is kept. A runtime names the cause at the very end, and a
/// container's termination message has at most this many bytes.
/// <https://kubernetes.io/docs/tasks/debug/debug-application/determine-reason-pod-failure/>
pub(super) const TEXT_LIMIT: usize = 4096;

/// Accepts `null`, which Go writes for an empty list and for a zero time.
pub(super) fn null<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(
    from: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

pub(super) fn clipped<'de, D: Deserializer<'de>>(from: D) -> Result<String, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    Ok(clip(&text.unwrap_or_default(), TEXT_LIMIT))
}

pub(super) fn time<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
    let text: Option<String> = Option::deserialize(from)?;
    Ok(text.and_then(|text| timestamp(&text)))
}

#[derive(Deserialize)]
pub(super) struct List<T> {
    #[serde(default)]
    pub(super) metadata: ListMetadata,
    #[serde(deserialize_with = "null")]
    #[serde(bound(deserialize = "T: Deserialize<'de>"))]
    pub(super) items: Vec<T>,
}

#[derive(Default, Deserialize)]
pub(super) struct ListMetadata {
    #[serde(rename = "continue", default, deserialize_with = "null")]
    pub(super) proceed: String,
    #[serde(rename = "resourceVersion", default, deserialize_with = "null")]
    pub(super) resource_version: String,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(super) struct RawMetadata {
    pub(super) name: String,
    #[serde(deserialize_with = "null")]
    pub(super) uid: String,
    #[serde(deserialize_with = "null")]
    pub(super) resource_version: String,
    #[serde(deserialize_with = "time")]
    pub(super) creation_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "time")]
    pub(super) deletion_timestamp: Option<Timestamp>,
    #[serde(deserialize_with = "null")]
    pub(super) owner_references: Vec<RawOwner>,
    #[serde(deserialize_with = "null")]
    pub(super) finalizers: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawOwner {
    #[serde(deserialize_with = "null")]
    pub(super) kind: String,
    pub(super) name: String,
    #[serde(deserialize_with = "null")]
    pub(super) controller: bool,
}
