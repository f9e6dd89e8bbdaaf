//! Which fields of a request are from a file: a fault in a file is mended there.

use super::files::{File, FileReference, Files, Wanted};

/// The files that a request was read from, as they are told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    manifest: Option<String>,
    images: Option<String>,
}

impl Origin {
    /// By what was wanted and what was read.
    pub fn new(wanted: &Wanted, files: &Files) -> Origin {
        let told = |member: &Option<FileReference>, file: &Option<File>| {
            let (member, file) = member.as_ref().zip(file.as_ref())?;
            Some(match file.artifact.is_empty() {
                true => format!("`{}`", member.path),
                false => format!("`{}` in artifact `{}`", member.path, file.artifact),
            })
        };
        Origin {
            manifest: told(&wanted.manifest, &files.manifest),
            images: told(&wanted.images, &files.images),
        }
    }

    /// The file that a field is from; `None` for one of the user parameters' own. What says that
    /// both must agree is of both.
    pub fn of(&self, field: &str) -> Option<&str> {
        let within = |name: &str| {
            let rest = field.strip_prefix(name)?;
            rest.starts_with(['.', '[']).then_some(rest)
        };
        match field {
            "manifest.metadata.name" | "manifest.metadata.namespace" => None,
            _ if within("manifest").is_some() => self.manifest.as_deref(),
            _ if within("images").is_some() => self.images.as_deref(),
            _ => None,
        }
    }

    /// Whether a file may have to do with a fault of this field, though it is not the file's alone.
    pub fn touches(&self, field: &str) -> bool {
        let root = field.split(['.', '[']).next().unwrap_or_default();
        match root {
            "manifest" | "variables" | "deployment" => self.manifest.is_some(),
            "images" | "container" => self.images.is_some(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
