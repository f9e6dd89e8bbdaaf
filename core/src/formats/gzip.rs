//! Data compressed as `gzip` does it, for records that people can unpack as well.
//! <https://www.rfc-editor.org/rfc/rfc1952>

use miniz_oxide::deflate::core::{
    CompressorOxide, TDEFLFlush, compress_to_output, create_comp_flags_from_zip_params,
};
use miniz_oxide::inflate;
use std::io::{self, Write};

/// The magic number, deflate, no optional fields, no time, no hint, and an unknown system: the same
/// content always has the same bytes.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The level of `gzip` itself.
const LEVEL: i32 = 6;

/// Why data cannot be unpacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GzipError {
    /// It is not gzip without optional fields, or was damaged.
    Damaged,
    /// It has more content than is allowed.
    TooLarge,
}

/// Packs what is written to it, so that the content is never in memory as a whole. Write in large
/// parts.
pub struct Packer {
    compressor: CompressorOxide,
    packed: Vec<u8>,
    check: crc32fast::Hasher,
    length: usize,
}

impl Packer {
    /// Begins with nothing.
    pub fn new() -> Packer {
        let raw = -1;
        let flags = create_comp_flags_from_zip_params(LEVEL, raw, 0);
        Packer {
            compressor: CompressorOxide::new(flags),
            packed: HEADER.to_vec(),
            check: crc32fast::Hasher::new(),
            length: 0,
        }
    }

    /// How long the content is so far.
    pub fn length(&self) -> usize {
        self.length
    }

    /// Ends it, and returns what was packed.
    pub fn finish(mut self) -> Vec<u8> {
        self.compress(&[], TDEFLFlush::Finish);
        self.packed.extend(self.check.finalize().to_le_bytes());
        self.packed.extend(length(self.length).to_le_bytes());
        self.packed
    }

    fn take(&mut self, part: &[u8]) {
        self.compress(part, TDEFLFlush::None);
        self.check.update(part);
        self.length += part.len();
    }

    fn compress(&mut self, part: &[u8], flush: TDEFLFlush) {
        let packed = &mut self.packed;
        compress_to_output(&mut self.compressor, part, flush, |output| {
            packed.extend_from_slice(output);
            true
        });
    }
}

impl Default for Packer {
    fn default() -> Packer {
        Packer::new()
    }
}

impl Write for Packer {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        self.take(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Packs a content.
pub fn pack(content: &[u8]) -> Vec<u8> {
    let mut packer = Packer::new();
    packer.take(content);
    packer.finish()
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
        && length(content.len()) == u32::from_le_bytes(*size);
    is_whole.then_some(content).ok_or(GzipError::Damaged)
}

/// The length, as `gzip` writes it: modulo 2^32.
fn length(length: usize) -> u32 {
    (length as u64 & u64::from(u32::MAX)) as u32
}

#[cfg(test)]
mod tests;
