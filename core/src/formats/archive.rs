//! ZIP, as far as one member of a large archive is concerned: which bytes to read, and what they
//! say. Whoever reads them (from S3, by ranges) asks here what to read next; nothing is unpacked
//! but the one member, and that never beyond its limit.
//!
//! <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>

mod bytes;
mod directory;
mod listing;
mod member;
mod names;
mod problem;
mod seen;

pub use directory::{ARCHIVE_LIMIT, DIRECTORY_LIMIT, Directory, MEMBERS_LIMIT};
pub use listing::{Listed, Listing};
pub use member::{ArchiveMember, MEMBER_LIMIT, RATIO_LIMIT, Unpacked};
pub use problem::ArchiveError;

pub use names::plain;
pub use seen::Found;

/// What is read first, from the end. It holds the end record with the longest comment (65,557
/// bytes) and the directory of a thousand members; a small archive is in it as a whole.
pub const TAIL: u64 = 128 * 1024;

#[cfg(test)]
mod tests;
