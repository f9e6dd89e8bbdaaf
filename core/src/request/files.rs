//! Files in input artifacts: their names and their content.

use std::fmt;

/// A file in an input artifact.
#[derive(Clone, Debug, PartialEq)]
pub struct FileReference {
    /// The artifact's name; `None` for the first artifact that contains the file.
    pub artifact: Option<String>,
    /// The path in the artifact, with `/` between folders.
    pub path: String,
}

impl FileReference {
    /// Whether the artifact with this name may contain the file.
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
    /// The file of `manifest`.
    pub manifest: Option<FileReference>,
    /// The file of `images`.
    pub images: Option<FileReference>,
}

/// A file that was read.
#[derive(Clone, Default, PartialEq)]
pub struct File {
    /// The artifact that contains the file.
    pub artifact: String,
    /// The artifact's revision: the commit, for a source artifact.
    pub revision: Option<String>,
    /// The file's content.
    pub content: Vec<u8>,
}

impl fmt::Debug for File {
    /// Leaves out the content, which may contain values of variables.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("File")
            .field("artifact", &self.artifact)
            .field("revision", &self.revision)
            .field("length", &self.content.len())
            .finish()
    }
}

/// The content of the [`Wanted`] files.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Files {
    /// The file of `manifest`.
    pub manifest: Option<File>,
    /// The file of `images`.
    pub images: Option<File>,
}
