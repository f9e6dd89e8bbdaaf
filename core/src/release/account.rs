//! What was done about a release that failed, in the form in which its record keeps it: whoever
//! comes after an interruption tells the same as the one that did it.

use super::WayBack;
use crate::formats::gzip;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// The longest packed account that is kept. All annotations of an object together may have 256 KiB:
/// <https://kubernetes.io/docs/reference/labels-annotations-taints/#annotations>
const PACKED_LIMIT: usize = 128 * 1024;

/// The most that is unpacked.
const LIMIT: usize = 4 * 1024 * 1024;

impl WayBack {
    /// Packs it; `None` if it is too large to be kept.
    pub fn packed(&self) -> Option<String> {
        let content = serde_json::to_vec(self).expect("plain data is always JSON");
        let packed = STANDARD.encode(gzip::pack(&content));
        (packed.len() <= PACKED_LIMIT).then_some(packed)
    }

    /// Reads what was packed; `None` if it was damaged.
    pub fn unpacked(packed: &str) -> Option<WayBack> {
        let content = gzip::unpack(&STANDARD.decode(packed).ok()?, LIMIT).ok()?;
        serde_json::from_slice(&content).ok()
    }
}

#[cfg(test)]
mod tests;
