//! Why a member of an archive cannot be read.

use super::seen::Found;
use std::fmt;

/// Why a member cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub enum ArchiveError {
    /// The data is not a ZIP archive.
    NotZip(Found),
    /// The archive is damaged, or built so that programs read it differently.
    Damaged(&'static str),
    /// A limit is exceeded: the item, its size and the limit, in words.
    Limit(&'static str, String, String),
    /// The member has a form that is not supported.
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

/// A size in words.
pub fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = UNITS.into_iter().find(|(_, unit)| bytes >= *unit);
    match unit {
        None => format!("{bytes} bytes"),
        Some((name, unit)) if bytes.is_multiple_of(unit) => format!("{} {name}", bytes / unit),
        Some((name, unit)) => format!("{:.1} {name}", bytes as f64 / unit as f64),
    }
}
