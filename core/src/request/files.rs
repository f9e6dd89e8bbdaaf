//! The files that a request names: their names and their content.

use crate::outcome::FileReference;
use std::fmt;

/// The files that a request names.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Wanted {
    /// The file of `manifest`.
    pub manifest: Option<FileReference>,
    /// The file of `images`.
    pub images: Option<FileReference>,
    /// What `manifests` names: files, folders and globs.
    pub manifests: Vec<FileReference>,
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
    /// The files of `manifests`, each once, in the order of their paths.
    pub manifests: Vec<NamedFile>,
}

/// A file of `manifests` that was read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NamedFile {
    /// Its path in the artifact.
    pub path: String,
    /// The file.
    pub file: File,
}
