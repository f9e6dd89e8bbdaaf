//! The files that a request names: their names and their content.

use crate::kubernetes::object::first_digits;
use crate::outcome::FileReference;
use sha2::{Digest, Sha256};
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

impl Files {
    /// A digest of all that was read, with the names of the artifacts and paths; `None` if nothing
    /// was.
    pub fn digest(&self) -> Option<String> {
        let named = self.manifests.iter();
        let named = named.map(|NamedFile { path, file }| (path.as_str(), file));
        let single = [("manifest", &self.manifest), ("images", &self.images)];
        let single = single
            .into_iter()
            .filter_map(|(field, file)| Some((field, file.as_ref()?)));
        let mut hash = Sha256::new();
        let mut is_empty = true;
        for (name, file) in single.chain(named) {
            is_empty = false;
            for part in [name.as_bytes(), file.artifact.as_bytes(), &file.content] {
                hash.update(part.len().to_be_bytes());
                hash.update(part);
            }
        }
        (!is_empty).then(|| first_digits(&hash.finalize()))
    }
}
