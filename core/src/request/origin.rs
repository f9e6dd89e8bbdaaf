//! Which fields of a request come from a file: a fault there must be corrected in the file.

use super::files::{File, Files, Wanted};
use crate::outcome::FileReference;
use crate::problem::Fault;

/// The files that a request was read from, for messages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    manifest: Option<String>,
    images: Option<String>,
}

impl Origin {
    /// Builds the origin from the wanted files and the files that were read.
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

    /// The file that a field comes from; `None` for a field of the user parameters. A fault about
    /// two fields that must agree belongs to both.
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

    /// The file that causes a fault. The problem of an unreadable file begins with `of …`.
    pub fn of_fault(&self, fault: &Fault) -> Option<&str> {
        match fault.field.as_str() {
            "manifest" if fault.problem.starts_with("of ") => self.manifest.as_deref(),
            "images" if fault.problem.starts_with("of ") => self.images.as_deref(),
            field => self.of(field),
        }
    }

    /// Whether a file may contribute to a fault of this field, which is not only the file's.
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
