//! Reads single members of a large ZIP archive. The caller reads bytes (from S3, in ranges) and
//! asks this module which bytes to read next. Only wanted members are unpacked, and never beyond
//! its limit.
//! <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>

mod bytes;
mod directory;
mod listing;
mod member;
mod names;
mod packing;
mod pattern;
mod problem;
mod reads;
mod seen;

pub use directory::{ARCHIVE_LIMIT, DIRECTORY_LIMIT, Directory, MEMBERS_LIMIT};
pub use listing::{FILES_LIMIT, Listed, Listing, Matches};
pub use member::{ArchiveMember, FILES_SIZE_LIMIT, MEMBER_LIMIT, RATIO_LIMIT, Unpacked};
pub use packing::pack;
pub use pattern::{Pattern, is_glob};
pub use problem::{ArchiveError, size};
pub use reads::{Batch, batches};

pub use names::plain;
pub use seen::Found;

/// The number of bytes to read first, from the end of the archive. They contain the end record with
/// the longest comment (65,557 bytes) and the directory of a thousand members; a small archive fits
/// whole.
pub const TAIL: u64 = 128 * 1024;

#[cfg(test)]
mod tests;
