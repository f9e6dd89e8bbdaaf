//! Finds the directory of an archive from its last bytes.

use super::bytes::{
    END, END_64, END_64_LENGTH, END_LENGTH, LOCATOR_64, LOCATOR_64_LENGTH, u16_at, u32_at, u64_at,
};
use super::problem::{ArchiveError, size};
use super::seen::Found;
use std::ops::Range;

/// The largest archive: CodePipeline's limit.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>
pub const ARCHIVE_LIMIT: u64 = 5 * 1024 * 1024 * 1024;

/// The largest number of members. A repository with its `node_modules` has about 50,000.
pub const MEMBERS_LIMIT: u64 = 250_000;

/// The longest directory; it is read as a stream and never kept.
pub const DIRECTORY_LIMIT: u64 = 64 * 1024 * 1024;

/// The position of an archive's directory.
#[derive(Clone, Debug, PartialEq)]
pub struct Directory {
    /// The position of the directory in the archive.
    pub range: Range<u64>,
    pub(super) members: u64,
    /// The length of the data before the archive's own beginning: the program of a self-extracting
    /// archive.
    pub(super) shift: u64,
}

impl Directory {
    /// Finds the directory in the last bytes of an archive of `total` bytes: [`super::TAIL`] of
    /// them, or all.
    pub fn find(tail: &[u8], total: u64) -> Result<Directory, ArchiveError> {
        if total > ARCHIVE_LIMIT {
            let (is, may) = (size(total), size(ARCHIVE_LIMIT));
            return Err(ArchiveError::Limit("has", is, may));
        }
        let whole = tail.len() as u64 == total;
        let end = (0..=tail.len().saturating_sub(END_LENGTH))
            .rev()
            .find(|place| is_end(tail, *place));
        let Some(end) = end.filter(|_| tail.len() >= END_LENGTH) else {
            if is_followed(tail, total) {
                let why = "something follows its end, as where two files were joined";
                return Err(ArchiveError::Damaged(why));
            }
            return Err(ArchiveError::NotZip(Found::of(tail, whole)));
        };
        let record = &tail[end..];
        let mut members = u64::from(u16_at(record, 10));
        let mut length = u64::from(u32_at(record, 12));
        let mut offset = u64::from(u32_at(record, 16));
        let mut disks = u64::from(u16_at(record, 4)) + u64::from(u16_at(record, 6));
        let mut directory_end = end;
        if let Some(place) = end_64(tail, end, total) {
            let record = &tail[place..];
            disks = u64::from(u32_at(record, 16)) + u64::from(u32_at(record, 20));
            members = u64_at(record, 32);
            length = u64_at(record, 40);
            offset = u64_at(record, 48);
            directory_end = place;
        }
        if disks != 0 {
            return Err(ArchiveError::Unreadable("is one part of a split archive"));
        }
        few(members)?;
        if length > DIRECTORY_LIMIT {
            let (is, may) = (size(length), size(DIRECTORY_LIMIT));
            return Err(ArchiveError::Limit("has a directory of", is, may));
        }
        let directory_end = total - tail.len() as u64 + directory_end as u64;
        let start = directory_end.checked_sub(length);
        let shift = start.and_then(|start| start.checked_sub(offset));
        match (start, shift) {
            (Some(start), Some(shift)) => Ok(Directory {
                range: start..directory_end,
                members,
                shift,
            }),
            _ => Err(ArchiveError::Damaged("its directory lies outside of it")),
        }
    }
}

pub(super) fn few(members: u64) -> Result<(), ArchiveError> {
    if members <= MEMBERS_LIMIT {
        return Ok(());
    }
    let is = format!("{members} files or more");
    Err(ArchiveError::Limit("has", is, format!("{MEMBERS_LIMIT}")))
}

/// Whether an archive ends before the data does.
fn is_followed(tail: &[u8], total: u64) -> bool {
    let start = total - tail.len() as u64;
    (0..=tail.len().saturating_sub(END_LENGTH)).any(|place| {
        let record = &tail[place..];
        let is_it = record.len() >= END_LENGTH && record.starts_with(&END);
        // An archive within this one counts from its own beginning.
        is_it
            && u64::from(u32_at(record, 12)) + u64::from(u32_at(record, 16)) == start + place as u64
    })
}

/// What programs fill up an archive with, to whole blocks, or end a text with.
fn is_padding(byte: u8) -> bool {
    matches!(byte, 0 | b'\n' | b'\r' | b' ')
}

/// Whether the end record is at this position. Its comment must end where the archive ends, but for
/// padding, so a comment cannot pretend to be an end record.
fn is_end(tail: &[u8], place: usize) -> bool {
    let record = &tail[place..];
    record.len() >= END_LENGTH
        && record.starts_with(&END)
        && record
            .get(END_LENGTH + usize::from(u16_at(record, 20))..)
            .is_some_and(|rest| rest.iter().copied().all(is_padding))
}

/// Returns the position of the Zip64 end record, if there is one. The locator before the end record
/// gives it, not counting data before the archive.
fn end_64(tail: &[u8], end: usize, total: u64) -> Option<usize> {
    let locator = end.checked_sub(LOCATOR_64_LENGTH)?;
    if !tail[locator..].starts_with(&LOCATOR_64) {
        return None;
    }
    let is_it =
        |place: &usize| *place + END_64_LENGTH <= locator && tail[*place..].starts_with(&END_64);
    let told = u64_at(&tail[locator..], 8);
    let told = told.checked_sub(total - tail.len() as u64);
    let told = told.and_then(|place| usize::try_from(place).ok());
    let told = told.filter(|place| *place <= locator).filter(is_it);
    told.or_else(|| locator.checked_sub(END_64_LENGTH).filter(is_it))
}
