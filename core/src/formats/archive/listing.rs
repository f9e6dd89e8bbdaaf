//! Reads the directory as a stream, and keeps the wanted members and names similar to missing ones.

use super::bytes::{ENTRY, ENTRY_LENGTH, field, u16_at};
use super::directory::{Directory, few};
use super::member::{ArchiveMember, FILES_SIZE_LIMIT, MEMBER_LIMIT, member};
use super::names::{NAME_LIMIT, is_folder, is_likely, is_near, is_near_folder, plain};
use super::pattern::Pattern;
use super::problem::ArchiveError;
use std::collections::BTreeMap;

/// How many similar names an error lists.
pub(super) const NEAR_LIMIT: usize = 3;

/// How many names an error lists if no name is similar.
pub(super) const SAMPLE_LIMIT: usize = 5;

/// How many file names are compared letter by letter: all of a repository without its
/// `node_modules`, in at most a tenth of a second.
pub(super) const ALIKE_LIMIT: usize = 5000;

/// How many files patterns may match together: as many as are kept in memory.
pub const FILES_LIMIT: usize = 500;

/// What an error says where two members have one name.
const TWICE: &str = "two members have its name";

/// The wanted members, as the directory describes them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Listed {
    /// The members in the requested order; an error for a member that cannot be read.
    pub found: Vec<Option<Result<ArchiveMember, ArchiveError>>>,
    /// For each missing member, similar names.
    pub near: Vec<Vec<String>>,
    /// Some of all names, with likely manifests first.
    pub sample: Vec<String>,
    /// The members that match patterns.
    pub matches: Matches,
}

/// The members that match patterns.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Matches {
    /// By their names; an error for a member that cannot be read. No more than [`FILES_LIMIT`].
    pub files: BTreeMap<String, Result<ArchiveMember, ArchiveError>>,
    /// How many names match, also beyond the limit.
    pub count: usize,
    /// For each pattern, whether a name matches.
    pub found: Vec<bool>,
    /// For each pattern, names that may be meant by it.
    pub near: Vec<Vec<String>>,
}

/// Reads a directory piece by piece and keeps only what is wanted.
pub struct Listing {
    wanted: Vec<String>,
    patterns: Vec<Pattern>,
    directory: Directory,
    pub(super) unread: Vec<u8>,
    seen: u64,
    is_over: bool,
    /// How many more names may be compared letter by letter.
    alike: usize,
    listed: Listed,
}

impl Listing {
    /// Looks for members by their names, with `/` between folders.
    pub fn new(directory: &Directory, wanted: &[String]) -> Listing {
        Listing {
            wanted: wanted.iter().map(|path| plain(path)).collect(),
            patterns: Vec::new(),
            directory: directory.clone(),
            unread: Vec::new(),
            seen: 0,
            is_over: false,
            alike: ALIKE_LIMIT,
            listed: Listed {
                found: vec![None; wanted.len()],
                near: vec![Vec::new(); wanted.len()],
                sample: Vec::new(),
                matches: Matches::default(),
            },
        }
    }

    /// Looks also for all members that match patterns: files, folders and globs.
    pub fn matching(mut self, patterns: &[String]) -> Listing {
        self.patterns = patterns.iter().map(|text| Pattern::new(text)).collect();
        self.listed.matches = Matches {
            found: vec![false; patterns.len()],
            near: vec![Vec::new(); patterns.len()],
            ..Matches::default()
        };
        self
    }

    /// Takes the next bytes of the directory, in pieces of any size.
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
            // There are more members than the end record says if a program counts in 16 bits only.
            self.seen += 1;
            few(self.seen)?;
            rest = &rest[length..];
        }
        self.unread = rest.to_vec();
        Ok(())
    }

    /// Returns the result; an error if the directory ended too early.
    pub fn finish(self) -> Result<Listed, ArchiveError> {
        if self.seen < self.directory.members {
            return Err(ArchiveError::Damaged("its directory ends too early"));
        }
        Ok(self.listed)
    }

    fn entry(&mut self, entry: &[u8], name: usize, extra: usize) {
        let raw_name = &entry[ENTRY_LENGTH..ENTRY_LENGTH + name];
        let extra = &entry[ENTRY_LENGTH + name..ENTRY_LENGTH + name + extra];
        // Info-ZIP's field with the name in UTF-8 starts with five bytes: version and checksum.
        let in_utf8 = field(extra, 0x7075).and_then(|field| field.get(5..));
        let name = plain(&String::from_utf8_lossy(in_utf8.unwrap_or(raw_name)));
        self.sample(&name);
        for (index, wanted) in self.wanted.iter().enumerate() {
            if name == *wanted {
                let first = self.listed.found[index].is_none();
                self.listed.found[index] = Some(match first {
                    true => member(entry, raw_name, extra, &self.directory, MEMBER_LIMIT),
                    false => Err(ArchiveError::Damaged(TWICE)),
                });
            } else if self.listed.near[index].len() < NEAR_LIMIT
                && is_near(&name, wanted, &mut self.alike)
            {
                self.listed.near[index].push(name.clone());
            }
        }
        if !is_folder(&name) && self.is_match(&name) {
            let read = || member(entry, raw_name, extra, &self.directory, FILES_SIZE_LIMIT);
            let matches = &mut self.listed.matches;
            if let Some(first) = matches.files.get_mut(&name) {
                *first = Err(ArchiveError::Damaged(TWICE));
                return;
            }
            matches.count += 1;
            if matches.files.len() < FILES_LIMIT {
                matches.files.insert(name, read());
            }
        }
    }

    /// Whether a pattern matches; where none does, the name may be one that a pattern means.
    fn is_match(&mut self, name: &str) -> bool {
        let matches = &mut self.listed.matches;
        let mut is_match = false;
        for (index, pattern) in self.patterns.iter().enumerate() {
            if pattern.matches(name) {
                matches.found[index] = true;
                is_match = true;
            } else if !matches.found[index]
                && matches.near[index].len() < NEAR_LIMIT
                && is_near_folder(name, &pattern.folder(), &mut self.alike)
            {
                matches.near[index].push(name.to_owned());
            }
        }
        is_match
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
