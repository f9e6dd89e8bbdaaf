//! Files in input artifacts: how they are named, and what was read.

use std::fmt;

/// A file in an input artifact.
#[derive(Clone, Debug, PartialEq)]
pub struct FileReference {
    /// The artifact's name; `None` for the first one that has the file.
    pub artifact: Option<String>,
    /// Its path in there, with `/` between folders.
    pub path: String,
}

impl FileReference {
    /// Whether the artifact of this name may have it.
    pub fn may_be_in(&self, artifact: &str) -> bool {
        self.artifact.as_ref().is_none_or(|name| name == artifact)
    }
}

impl fmt::Display for FileReference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.artifact {
            Some(artifact) => write!(formatter, "`{artifact}::{}`", self.path),
            None => write!(formatter, "`{}`", self.path),
        }
    }
}

/// The files that a request names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// Of `manifest`.
    pub manifest: Option<FileReference>,
    /// Of `images`.
    pub images: Option<FileReference>,
}

/// A file that was read.
#[derive(Clone, Default, PartialEq)]
pub struct File {
    /// The artifact that it is from.
    pub artifact: String,
    /// The artifact's revision: of a source artifact the commit.
    pub revision: Option<String>,
    /// What is in it.
    pub content: Vec<u8>,
}

impl fmt::Debug for File {
    /// Without the content, which may have values of variables in it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("File")
            .field("artifact", &self.artifact)
            .field("revision", &self.revision)
            .field("length", &self.content.len())
            .finish()
    }
}

/// The files of [`Wanted`], read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Files {
    /// Of `manifest`.
    pub manifest: Option<File>,
    /// Of `images`.
    pub images: Option<File>,
}
