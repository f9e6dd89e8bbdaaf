//! Which fields of a request come from a file: a fault there must be corrected in the file.

use super::files::{File, Files, Wanted};
use crate::outcome::FileReference;
use crate::problem::Fault;

/// The files that a request was read from, for messages.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Origin {
    manifest: Option<String>,
    images: Option<String>,
    /// The files of `manifests`: their paths, and what messages call them.
    manifests: Vec<(String, String)>,
}

impl Origin {
    /// Builds the origin from the wanted files and the files that were read.
    pub fn new(wanted: &Wanted, files: &Files) -> Origin {
        let name = |path: &str, file: &File| match file.artifact.is_empty() {
            true => format!("`{path}`"),
            false => format!("`{path}` in artifact `{}`", file.artifact),
        };
        let told = |member: &Option<FileReference>, file: &Option<File>| {
            let (member, file) = member.as_ref().zip(file.as_ref())?;
            Some(name(&member.path, file))
        };
        let manifests = files.manifests.iter();
        let manifests = manifests.map(|it| (it.path.clone(), name(&it.path, &it.file)));
        Origin {
            manifest: told(&wanted.manifest, &files.manifest),
            images: told(&wanted.images, &files.images),
            manifests: manifests.collect(),
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
            "manifest.metadata.name" | "manifest.metadata.namespace"
                if fault.problem.starts_with("must be text") =>
            {
                self.manifest.as_deref()
            }
            field => self.of(field).or_else(|| self.of_release(field)),
        }
    }

    /// The file of a fault in a release, which begins with the file's path: `k8s/web.yaml:12`.
    fn of_release(&self, field: &str) -> Option<&str> {
        let is_it = |path: &str| {
            let rest = field.strip_prefix(path);
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        let mut files = self.manifests.iter();
        files
            .find(|(path, _)| is_it(path))
            .map(|(_, told)| told.as_str())
    }

    /// Whether a file may contribute to a fault of this field, which is not only the file's.
    pub fn touches(&self, field: &str) -> bool {
        let root = field.split(['.', '[']).next().unwrap_or_default();
        match root {
            "manifest" | "deployment" | "workload" => self.manifest.is_some(),
            "variables" => self.manifest.is_some() || !self.manifests.is_empty(),
            "images" => self.images.is_some() || !self.manifests.is_empty(),
            "manifests" | "release" => !self.manifests.is_empty(),
            "container" => self.images.is_some(),
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests;
