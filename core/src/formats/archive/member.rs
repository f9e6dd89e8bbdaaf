//! A member: which bytes of the archive contain it, and how to unpack them.

use super::bytes::{IN_ZIP64, LOCAL, LOCAL_LENGTH, field, u16_at, u32_at};
use super::directory::Directory;
use super::problem::{ArchiveError, size};
use std::ops::Range;

/// The largest member that is unpacked. A Kubernetes object has at most 1.5 MiB (etcd's limit), and
/// a file may contain several.
pub const MEMBER_LIMIT: u64 = 2 * 1024 * 1024;

/// The largest content of all files of `manifests` together: a release that is applied within a
/// Lambda function's memory. Argo CD's own manifests have 2 MiB.
pub const FILES_SIZE_LIMIT: u64 = 8 * 1024 * 1024;

/// The largest ratio between the content and its compressed size, above `RATIO_FREE`. Manifests
/// have a ratio of 3 to 10, a file of one repeated line 200, a ZIP bomb 1,000.
pub const RATIO_LIMIT: u64 = 300;

/// Below this size the ratio does not matter: the content is small anyway.
const RATIO_FREE: u64 = 128 * 1024;

/// The extra bytes to read for the local header's own extra fields, whose length the directory does
/// not give; 28 bytes are usual. If they are longer, the member is read again.
const EXTRA_ROOM: u64 = 512;

/// A member, as the directory describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct ArchiveMember {
    raw_name: Vec<u8>,
    method: u16,
    check: u32,
    compressed: u64,
    size: u64,
    /// The position of its local header, and of the directory, which the member cannot reach.
    start: u64,
    limit: u64,
}

pub(super) fn member(
    entry: &[u8],
    raw_name: &[u8],
    extra: &[u8],
    directory: &Directory,
    limit: u64,
) -> Result<ArchiveMember, ArchiveError> {
    const UNIX: [u8; 2] = [3, 19];
    let [flags, method] = [8, 10].map(|place| u16_at(entry, place));
    let mode = u32_at(entry, 38) >> 16;
    if UNIX.contains(&entry[5]) && mode & 0o170_000 == 0o120_000 {
        return Err(ArchiveError::Unreadable("is a symbolic link"));
    }
    if flags & 1 != 0 {
        return Err(ArchiveError::Unreadable("is encrypted with a password"));
    }
    if method != STORED && method != DEFLATED {
        let why = "is compressed by a method other than `deflate`";
        return Err(ArchiveError::Unreadable(why));
    }
    // The Zip64 field contains, in this order, the numbers that did not fit elsewhere.
    let mut wide = field(extra, 1).unwrap_or_default();
    let mut number = |place| {
        let number = u64::from(u32_at(entry, place));
        if number != IN_ZIP64 {
            return Ok(number);
        }
        let (first, rest) = wide
            .split_first_chunk()
            .ok_or(ArchiveError::Damaged("a Zip64 field is missing"))?;
        wide = rest;
        Ok(u64::from_le_bytes(*first))
    };
    let member = ArchiveMember {
        size: number(24)?,
        compressed: number(20)?,
        start: number(42)?
            .checked_add(directory.shift)
            .ok_or(ArchiveError::Damaged("a member lies outside of it"))?,
        limit: directory.range.start,
        raw_name: raw_name.to_owned(),
        method,
        check: u32_at(entry, 16),
    };
    member.checked(limit)
}

const STORED: u16 = 0;

const DEFLATED: u16 = 8;

/// The result of unpacking a piece of an archive.
#[derive(Clone, Debug, PartialEq)]
pub enum Unpacked {
    /// The member's content.
    Content(Vec<u8>),
    /// The piece is incomplete: these bytes of the archive are needed.
    Needs(Range<u64>),
}

impl ArchiveMember {
    fn checked(self, limit: u64) -> Result<ArchiveMember, ArchiveError> {
        if self.size > limit {
            let (is, may) = (size(self.size), size(limit));
            return Err(ArchiveError::Limit("has", is, may));
        }
        let inflated = self.size > self.compressed.saturating_mul(RATIO_LIMIT);
        if self.size > RATIO_FREE && inflated {
            let is = format!("{} packed into {}", size(self.size), size(self.compressed));
            let may = format!("{RATIO_LIMIT} times the packed size");
            return Err(ArchiveError::Limit("has", is, may));
        }
        // Deflate makes incompressible data longer by five bytes per 16 KiB.
        let longest = self.size + self.size / 1024 + 1024;
        let stored = self.method == STORED && self.compressed != self.size;
        if stored || self.compressed > longest {
            return Err(ArchiveError::Damaged("the sizes of a member disagree"));
        }
        let end = self
            .start
            .checked_add(LOCAL_LENGTH as u64 + self.compressed);
        if end.is_none_or(|end| end > self.limit) {
            return Err(ArchiveError::Damaged("a member lies outside of it"));
        }
        Ok(self)
    }

    /// The size of its content.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of the archive that most likely contain the member.
    pub fn range(&self) -> Range<u64> {
        let name = self.raw_name.len() as u64;
        let length = LOCAL_LENGTH as u64 + name + EXTRA_ROOM + self.compressed;
        self.start..self.limit.min(self.start + length)
    }

    /// Unpacks the member from bytes of the archive that begin at `start`.
    pub fn unpack(&self, bytes: &[u8], start: u64) -> Result<Unpacked, ArchiveError> {
        let skip = self.start.checked_sub(start);
        let skip = skip.and_then(|skip| usize::try_from(skip).ok());
        let header = skip.and_then(|skip| bytes.get(skip..)).unwrap_or_default();
        if header.len() < LOCAL_LENGTH {
            return Ok(Unpacked::Needs(self.range()));
        }
        if !header.starts_with(&LOCAL) {
            return Err(ArchiveError::Damaged("a member is not where it should be"));
        }
        let [name, extra] = [26, 28].map(|place| usize::from(u16_at(header, place)));
        let begin = LOCAL_LENGTH + name + extra;
        let compressed = usize::try_from(self.compressed)
            .map_err(|_| ArchiveError::Damaged("the sizes of a member disagree"))?;
        let end = self.start + begin as u64 + self.compressed;
        if end > self.limit {
            return Err(ArchiveError::Damaged("a member lies outside of it"));
        }
        let Some(packed) = header.get(begin..begin + compressed) else {
            return Ok(Unpacked::Needs(self.start..end));
        };
        if header[LOCAL_LENGTH..LOCAL_LENGTH + name] != self.raw_name {
            return Err(ArchiveError::Damaged(
                "a member is another than its directory says",
            ));
        }
        let content = match self.method {
            DEFLATED => inflate(packed, self.size)?,
            _ => packed.to_owned(),
        };
        if content.len() as u64 != self.size || crc32fast::hash(&content) != self.check {
            return Err(ArchiveError::Damaged(
                "a member does not match its check sum",
            ));
        }
        Ok(Unpacked::Content(content))
    }
}

/// Unpacks at most the size that the directory promises, whatever the data says.
fn inflate(packed: &[u8], size: u64) -> Result<Vec<u8>, ArchiveError> {
    let size = usize::try_from(size).unwrap_or(usize::MAX).max(1);
    miniz_oxide::inflate::decompress_to_vec_with_limit(packed, size)
        .map_err(|_| ArchiveError::Damaged("a member cannot be unpacked"))
}
