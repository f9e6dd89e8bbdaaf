//! ZIP, as far as one member of a large archive is concerned: which bytes to read, and what they
//! say. Whoever reads them (from S3, by ranges) asks here what to read next; nothing is unpacked
//! but the one member, and that never beyond its limit.
//!
//! <https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT>

mod names;
mod seen;

pub use names::plain;
pub use seen::Found;

use names::{NAME_LIMIT, is_folder, is_likely, is_near};
use std::fmt;
use std::ops::Range;

/// The largest archive: what CodePipeline carries.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>
pub const ARCHIVE_LIMIT: u64 = 5 * 1024 * 1024 * 1024;

/// What is read first, from the end. It holds the end record with the longest comment (65,557
/// bytes) and the directory of a thousand members; a small archive is in it as a whole.
pub const TAIL: u64 = 128 * 1024;

/// The most members. A repository with its `node_modules` has 50,000 or so.
pub const MEMBERS_LIMIT: u64 = 250_000;

/// The longest directory; it is read in passing and never kept.
pub const DIRECTORY_LIMIT: u64 = 64 * 1024 * 1024;

/// The largest member that is unpacked. An object of Kubernetes has at most 1.5 MiB (etcd's
/// limit), and a file may have several.
pub const MEMBER_LIMIT: u64 = 2 * 1024 * 1024;

/// How much smaller than its content a member may be, from `RATIO_FREE` on. Manifests come to 3
/// to 10; a file of one repeated line to 200; a bomb to 1,000.
pub const RATIO_LIMIT: u64 = 300;

/// Below this no ratio is too high: nothing can explode.
const RATIO_FREE: u64 = 128 * 1024;

/// The room that is read along for the local header's own extra fields, which the directory does
/// not tell; 28 bytes are usual. Where they are longer, the member is read once more.
const EXTRA_ROOM: u64 = 512;

/// How many names are told where the one asked for is not there.
const NEAR_LIMIT: usize = 3;

/// How many names are told of an archive where nothing is like the one asked for.
const SAMPLE_LIMIT: usize = 5;

/// How many members' file names are compared letter by letter: all of a repository without its
/// `node_modules`, and no more than a tenth of a second.
const ALIKE_LIMIT: usize = 5000;

const END: [u8; 4] = *b"PK\x05\x06";
const END_LENGTH: usize = 22;
const LOCATOR_64: [u8; 4] = *b"PK\x06\x07";
const LOCATOR_64_LENGTH: usize = 20;
const END_64: [u8; 4] = *b"PK\x06\x06";
const END_64_LENGTH: usize = 56;
const ENTRY: [u8; 4] = *b"PK\x01\x02";
const ENTRY_LENGTH: usize = 46;
const LOCAL: [u8; 4] = *b"PK\x03\x04";
const LOCAL_LENGTH: usize = 30;

/// Says that the number itself is in the Zip64 fields.
const IN_ZIP64: u64 = 0xffff_ffff;

/// Why a member cannot be had.
#[derive(Clone, Debug, PartialEq)]
pub enum ArchiveError {
    /// It is no ZIP archive at all.
    NotZip(Found),
    /// It is one, and broken, or made so that programs disagree about it.
    Damaged(&'static str),
    /// A limit is passed: what, how much it is, how much it may be, in words.
    Limit(&'static str, String, String),
    /// The member is of a form that is not read.
    Unreadable(&'static str),
}

impl fmt::Display for ArchiveError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArchiveError::NotZip(found) => found.fmt(formatter),
            ArchiveError::Damaged(why) => write!(formatter, "is a damaged ZIP archive: {why}"),
            ArchiveError::Limit(what, is, may) => {
                write!(formatter, "{what} {is}, and at most {may} is read")
            }
            ArchiveError::Unreadable(why) => formatter.write_str(why),
        }
    }
}

/// Where the directory of an archive is.
#[derive(Clone, Debug, PartialEq)]
pub struct Directory {
    /// Its bytes in the archive.
    pub range: Range<u64>,
    members: u64,
    /// What stands before the archive's own beginning: the program of a self-extracting one.
    shift: u64,
}

impl Directory {
    /// Finds it, given the last bytes of an archive of `total` bytes: [`TAIL`] of them, or all.
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

fn few(members: u64) -> Result<(), ArchiveError> {
    if members <= MEMBERS_LIMIT {
        return Ok(());
    }
    let is = format!("{members} files or more");
    Err(ArchiveError::Limit("has", is, format!("{MEMBERS_LIMIT}")))
}

/// Whether the end record is here: its comment must end where the archive ends, so that no comment
/// can pretend to be one.
fn is_end(tail: &[u8], place: usize) -> bool {
    let record = &tail[place..];
    record.len() >= END_LENGTH
        && record.starts_with(&END)
        && END_LENGTH + usize::from(u16_at(record, 20)) == record.len()
}

/// Where the Zip64 end record is, if there is one. The locator before the end record tells, but for
/// what stands before the archive.
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

/// A member as the directory tells of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Member {
    raw_name: Vec<u8>,
    method: u16,
    check: u32,
    compressed: u64,
    size: u64,
    /// Where its local header is, and where the directory begins, which it cannot reach.
    start: u64,
    limit: u64,
}

/// What a directory has of the members that are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// In the order in which they were asked for; an error where one is there that cannot be read.
    pub found: Vec<Option<Result<Member, ArchiveError>>>,
    /// Names that look like the ones that are not there.
    pub near: Vec<Vec<String>>,
    /// Some of all names, those first that a manifest may have.
    pub sample: Vec<String>,
}

/// Reads a directory piece by piece, and keeps nothing but what is wanted.
pub struct Listing {
    wanted: Vec<String>,
    directory: Directory,
    unread: Vec<u8>,
    seen: u64,
    is_over: bool,
    /// Names that may still be compared letter by letter.
    alike: usize,
    listed: Listed,
}

impl Listing {
    /// To look for members by their names, with `/` between folders.
    pub fn new(directory: &Directory, wanted: &[String]) -> Listing {
        Listing {
            wanted: wanted.iter().map(|path| plain(path)).collect(),
            directory: directory.clone(),
            unread: Vec::new(),
            seen: 0,
            is_over: false,
            alike: ALIKE_LIMIT,
            listed: Listed {
                found: vec![None; wanted.len()],
                near: vec![Vec::new(); wanted.len()],
                sample: Vec::new(),
            },
        }
    }

    /// Takes the next bytes of the directory, however many.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), ArchiveError> {
        self.unread.extend_from_slice(bytes);
        let unread = std::mem::take(&mut self.unread);
        let mut rest = unread.as_slice();
        while rest.len() >= ENTRY_LENGTH && !self.is_over {
            if !rest.starts_with(&ENTRY) {
                // After the last entry there may be a signature.
                self.is_over = self.seen >= self.directory.members;
                if self.is_over {
                    break;
                }
                return Err(ArchiveError::Damaged("its directory is broken"));
            }
            let [name, extra, comment] = [28, 30, 32].map(|place| usize::from(u16_at(rest, place)));
            let length = ENTRY_LENGTH + name + extra + comment;
            if rest.len() < length {
                break;
            }
            self.entry(&rest[..length], name, extra);
            // More than the end record says where a program counts in 16 bits only.
            self.seen += 1;
            few(self.seen)?;
            rest = &rest[length..];
        }
        self.unread = rest.to_vec();
        Ok(())
    }

    /// What was found; an error where the directory ended too early.
    pub fn finish(self) -> Result<Listed, ArchiveError> {
        if self.seen < self.directory.members {
            return Err(ArchiveError::Damaged("its directory ends too early"));
        }
        Ok(self.listed)
    }

    fn entry(&mut self, entry: &[u8], name: usize, extra: usize) {
        let raw_name = &entry[ENTRY_LENGTH..ENTRY_LENGTH + name];
        let extra = &entry[ENTRY_LENGTH + name..ENTRY_LENGTH + name + extra];
        // Info-ZIP's field with the name in UTF-8: version and check sum, five bytes, come first.
        let in_utf8 = field(extra, 0x7075).and_then(|field| field.get(5..));
        let name = plain(&String::from_utf8_lossy(in_utf8.unwrap_or(raw_name)));
        self.sample(&name);
        for (index, wanted) in self.wanted.iter().enumerate() {
            if name == *wanted {
                let first = self.listed.found[index].is_none();
                let twice = "two members have its name";
                self.listed.found[index] = Some(match first {
                    true => member(entry, raw_name, extra, &self.directory),
                    false => Err(ArchiveError::Damaged(twice)),
                });
            } else if self.listed.near[index].len() < NEAR_LIMIT
                && is_near(&name, wanted, &mut self.alike)
            {
                self.listed.near[index].push(name.clone());
            }
        }
    }
}

impl Listing {
    fn sample(&mut self, name: &str) {
        if is_folder(name) || name.len() > NAME_LIMIT {
            return;
        }
        let sample = &mut self.listed.sample;
        if sample.len() < SAMPLE_LIMIT {
            sample.push(name.to_owned());
        } else if is_likely(name)
            && let Some(place) = sample.iter().position(|other| !is_likely(other))
        {
            sample.remove(place);
            sample.push(name.to_owned());
        }
    }
}

fn member(
    entry: &[u8],
    raw_name: &[u8],
    extra: &[u8],
    directory: &Directory,
) -> Result<Member, ArchiveError> {
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
    // In the Zip64 field stand those numbers, in this order, for which there was no room.
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
    let member = Member {
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
    member.checked()
}

const STORED: u16 = 0;
const DEFLATED: u16 = 8;

/// What a piece of an archive has of a member.
#[derive(Clone, Debug, PartialEq)]
pub enum Unpacked {
    /// Its content.
    Content(Vec<u8>),
    /// Not all of it: these bytes of the archive are needed.
    Needs(Range<u64>),
}

impl Member {
    fn checked(self) -> Result<Member, ArchiveError> {
        if self.size > MEMBER_LIMIT {
            let (is, may) = (size(self.size), size(MEMBER_LIMIT));
            return Err(ArchiveError::Limit("has", is, may));
        }
        let inflated = self.size > self.compressed.saturating_mul(RATIO_LIMIT);
        if self.size > RATIO_FREE && inflated {
            let is = format!("{} packed into {}", size(self.size), size(self.compressed));
            let may = format!("{RATIO_LIMIT} times the packed size");
            return Err(ArchiveError::Limit("has", is, may));
        }
        // Deflate makes what it cannot press longer by five bytes in 16 KiB.
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

    /// The bytes of the archive that hold it, most likely.
    pub fn range(&self) -> Range<u64> {
        let name = self.raw_name.len() as u64;
        let length = LOCAL_LENGTH as u64 + name + EXTRA_ROOM + self.compressed;
        self.start..self.limit.min(self.start + length)
    }

    /// Unpacks it from bytes of the archive that begin at `start`.
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

/// Never more than the directory promised, whatever the data says.
fn inflate(packed: &[u8], size: u64) -> Result<Vec<u8>, ArchiveError> {
    let size = usize::try_from(size).unwrap_or(usize::MAX).max(1);
    miniz_oxide::inflate::decompress_to_vec_with_limit(packed, size)
        .map_err(|_| ArchiveError::Damaged("a member cannot be unpacked"))
}

/// The extra field of this number.
fn field(mut extra: &[u8], wanted: u16) -> Option<&[u8]> {
    while extra.len() >= 4 {
        let length = usize::from(u16_at(extra, 2));
        let content = extra.get(4..4 + length)?;
        if u16_at(extra, 0) == wanted {
            return Some(content);
        }
        extra = &extra[4 + length..];
    }
    None
}

/// A size in words.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = UNITS.into_iter().find(|(_, unit)| bytes >= *unit);
    match unit {
        None => format!("{bytes} bytes"),
        Some((name, unit)) if bytes.is_multiple_of(unit) => format!("{} {name}", bytes / unit),
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
    }
}

fn u16_at(bytes: &[u8], place: usize) -> u16 {
    u16::from_le_bytes([bytes[place], bytes[place + 1]])
}

fn u32_at(bytes: &[u8], place: usize) -> u32 {
    u32::from(u16_at(bytes, place)) | u32::from(u16_at(bytes, place + 2)) << 16
}

fn u64_at(bytes: &[u8], place: usize) -> u64 {
    u64::from(u32_at(bytes, place)) | u64::from(u32_at(bytes, place + 4)) << 32
}

#[cfg(test)]
mod tests;
