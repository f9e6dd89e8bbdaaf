//! Packs the objects of a record, and leaves out what would make it too large.

use super::recorded::{Before, Kept, RecordedObject};
use crate::formats::gzip;
use crate::kubernetes::object_id::ObjectId;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::io::BufWriter;

/// The largest packed record. A Secret may have 1 MiB of data, and that is all that this one has:
/// <https://kubernetes.io/docs/concepts/configuration/secret/#restriction-data-size>
pub(super) const PACKED_LIMIT: usize = 900 * 1024;

/// How much is packed at a time.
const PART: usize = 64 * 1024;

/// What is packed. A version of Landfall that writes other content gives its Secret another `type`.
#[derive(Deserialize, Serialize)]
struct Content<Objects> {
    objects: Objects,
}

/// Reads what was packed.
pub(super) fn read(content: &[u8]) -> Option<Vec<RecordedObject>> {
    let content: Content<Vec<RecordedObject>> = serde_json::from_slice(content).ok()?;
    Some(content.objects)
}

/// Packs them, and says whose manifests are not in it, definitions apart, which never go back
/// anyway. `Err` if they are too large although all that can be is left out: the packed size.
pub(super) fn pack(
    objects: &[RecordedObject],
    limit: usize,
) -> Result<(Vec<u8>, Vec<ObjectId>), usize> {
    let (mut packed, mut length) = packed(objects);
    if packed.len() <= limit {
        return Ok((packed, left_out(objects)));
    }
    let mut objects = objects.to_vec();
    let mut left = candidates(&objects);
    // How much content one packed byte stands for is a guess, the average: three quarters of what
    // seems needed are left out, and the rest is packed and measured again. Each round leaves out
    // at least one part, so it ends.
    while packed.len() > limit {
        let excess = packed.len() - limit;
        let mut excess = excess * length / packed.len() * 3 / 4;
        if left.is_empty() {
            return Err(packed.len());
        }
        while let Some(next) = left.pop() {
            next.part.leave_out(&mut objects[next.at]);
            excess = excess.saturating_sub(next.size);
            if excess == 0 {
                break;
            }
        }
        (packed, length) = self::packed(&objects);
    }
    Ok((packed, left_out(&objects)))
}

fn left_out(objects: &[RecordedObject]) -> Vec<ObjectId> {
    let objects = objects.iter().filter(|it| it.manifest == Kept::Omitted);
    let objects = objects.filter(|it| !it.id.is_definition());
    objects.map(|it| it.id.clone()).collect()
}

/// Objects packed, and how long they are as text.
fn packed(objects: &[RecordedObject]) -> (Vec<u8>, usize) {
    let mut buffer = BufWriter::with_capacity(PART, gzip::Packer::new());
    serde_json::to_writer(&mut buffer, &Content { objects }).expect("plain data is always JSON");
    let packer = buffer.into_inner().ok().expect("memory can be written");
    let length = packer.length();
    (packer.finish(), length)
}

/// A part of an object that can be left out.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Manifest,
    Before,
}

struct Candidate {
    at: usize,
    part: Part,
    size: usize,
}

impl Part {
    fn leave_out(self, object: &mut RecordedObject) {
        match self {
            Part::Manifest => object.manifest = Kept::Omitted,
            Part::Before => object.before = Before::Unknown,
        }
    }
}

/// All that can be left out, the first one last: what belongs to CustomResourceDefinitions, which
/// are large and never go back anyway, then the rest by size.
fn candidates(objects: &[RecordedObject]) -> Vec<Candidate> {
    let mut found = Vec::new();
    for (at, object) in objects.iter().enumerate() {
        let parts = [
            (Part::Manifest, object.manifest.text()),
            (Part::Before, object.before.text()),
        ];
        for (part, text) in parts {
            if let Some(size) = text.map(str::len) {
                found.push(Candidate { at, part, size });
            }
        }
    }
    found.sort_by_key(|it| {
        (
            objects[it.at].id.is_definition(),
            it.size,
            it.part,
            Reverse(it.at),
        )
    });
    found
}

#[cfg(test)]
mod tests;
