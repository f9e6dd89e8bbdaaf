//! Data compressed as `gzip` does it, for records that people can unpack as well.
//! <https://www.rfc-editor.org/rfc/rfc1952>

use miniz_oxide::{deflate, inflate};

/// The magic number, deflate, no optional fields, no time, no hint, and an unknown system: the same
/// content always has the same bytes.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The level of `gzip` itself.
const LEVEL: u8 = 6;

/// Why data cannot be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GzipError {
    /// It is not gzip without optional fields, or was damaged.
    Damaged,
    /// It has more content than is allowed.
    TooLarge,
}

/// Packs a content.
pub fn pack(content: &[u8]) -> Vec<u8> {
    let mut packed = HEADER.to_vec();
    packed.extend(deflate::compress_to_vec(content, LEVEL));
    packed.extend(crc32fast::hash(content).to_le_bytes());
    packed.extend(length(content).to_le_bytes());
    packed
}

/// Unpacks at most `limit` bytes, whatever the data says.
pub fn unpack(packed: &[u8], limit: usize) -> Result<Vec<u8>, GzipError> {
    let (header, inner) = packed
        .split_first_chunk::<{ HEADER.len() }>()
        .ok_or(GzipError::Damaged)?;
    if header[..4] != HEADER[..4] {
        return Err(GzipError::Damaged);
    }
    let (inner, size) = inner.split_last_chunk().ok_or(GzipError::Damaged)?;
    let (inner, check) = inner.split_last_chunk().ok_or(GzipError::Damaged)?;
    let content = inflate::decompress_to_vec_with_limit(inner, limit);
    let content =
        content.map_err(
            |error| match error.status == inflate::TINFLStatus::HasMoreOutput {
                true => GzipError::TooLarge,
                false => GzipError::Damaged,
            },
        )?;
    let is_whole = crc32fast::hash(&content) == u32::from_le_bytes(*check)
        && length(&content) == u32::from_le_bytes(*size);
    is_whole.then_some(content).ok_or(GzipError::Damaged)
}

/// The length, as `gzip` writes it: modulo 2^32.
fn length(content: &[u8]) -> u32 {
    (content.len() as u64 & u64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests;
