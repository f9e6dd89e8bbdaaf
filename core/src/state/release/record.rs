//! The record of a revision: the Secret `landfall.NAME.vN`.

use super::heading::Heading;
use super::packing;
use super::recorded::RecordedObject;
use crate::formats::gzip::{self, GzipError};
use crate::kubernetes::object_id::ObjectId;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The type of the Secret.
pub const TYPE: &str = "landfall/release.v1";

/// The most that is unpacked of a record: twenty times the largest that is written. A manifest is
/// packed to a fifth or a tenth of its size.
const CONTENT_LIMIT: usize = 32 * 1024 * 1024;

/// A revision of a release.
#[derive(Clone, Debug, PartialEq)]
pub struct Record {
    /// Which revision it is, who deployed it, and how far it came.
    pub heading: Heading,
    /// All its objects.
    pub objects: Vec<RecordedObject>,
}

/// Why a record cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordFault {
    /// Its labels and annotations are not those of a record.
    Heading,
    /// Its content was damaged, or another version of Landfall wrote it.
    Damaged,
    /// Its content is larger than any that Landfall writes.
    TooLarge,
}

impl Record {
    /// What it has of an object.
    pub fn find(&self, id: &ObjectId) -> Option<&RecordedObject> {
        self.objects.iter().find(|object| object.id == *id)
    }

    /// The Secret that holds it. Contents that make it too large are left out; `Err` if nothing is
    /// left to be left out: its packed size.
    pub fn object(&self) -> Result<(Value, Vec<ObjectId>), usize> {
        let (packed, left_out) = packing::pack(&self.objects, packing::PACKED_LIMIT)?;
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "type": TYPE,
            "metadata": self.heading.metadata(),
            "data": {"release": STANDARD.encode(packed)},
        });
        Ok((secret, left_out))
    }

    /// Reads a Secret of a revision.
    pub fn read(secret: &Value) -> Result<Record, RecordFault> {
        let heading = Heading::read(secret).ok_or(RecordFault::Heading)?;
        if secret["type"].as_str() != Some(TYPE) {
            return Err(RecordFault::Damaged);
        }
        let packed = secret.pointer("/data/release").and_then(Value::as_str);
        let packed = packed.and_then(|packed| STANDARD.decode(packed).ok());
        let packed = packed.ok_or(RecordFault::Damaged)?;
        let content = gzip::unpack(&packed, CONTENT_LIMIT).map_err(|error| match error {
            GzipError::Damaged => RecordFault::Damaged,
            GzipError::TooLarge => RecordFault::TooLarge,
        })?;
        let objects = packing::read(&content).ok_or(RecordFault::Damaged)?;
        Ok(Record { heading, objects })
    }
}

#[cfg(test)]
mod tests;
