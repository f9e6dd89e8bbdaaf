//! Why a file of an artifact cannot be read: the failure type, the message, and what to do.

use super::failure::FailureType;
use super::store::StoreError;
use crate::formats::archive::{ArchiveError, FILES_LIMIT, FILES_SIZE_LIMIT, Found, is_glob, size};
use crate::text::{is_archive, list, listed};
use std::collections::BTreeSet;
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

/// Why a file cannot be read.
#[derive(Clone, Debug, PartialEq)]
pub enum ArtifactError {
    /// The request names a file, but the action has no input artifacts.
    NoArtifacts(FileReference),
    /// The action has no artifact of this name, but has these.
    NoSuchArtifact(FileReference, Vec<String>),
    /// The event does not say where this artifact is.
    NoLocation(String),
    /// The job has no usable credentials.
    NoKeys(KeysError),
    /// S3 refuses to return this artifact.
    Store(Place, StoreError),
    /// The artifact is not a readable archive.
    Archive(Place, ArchiveError),
    /// A file in the artifact cannot be unpacked.
    Packed(FileReference, ArchiveError),
    /// No artifact contains the file; the searched artifacts, and files with similar names.
    NoSuchFile(FileReference, Vec<(String, Searched)>, Vec<String>),
    /// No artifact contains a file that matches; the searched artifacts, and similar names.
    NothingMatches(FileReference, Vec<(String, Searched)>, Vec<String>),
    /// So many files match these patterns.
    TooManyFiles(Vec<FileReference>, usize),
    /// So many files match, of this size together; the largest file of the last artifact.
    TooLarge(usize, u64, Option<(FileReference, u64)>),
    /// An artifact that may contain the file with this path cannot be read; there may be others.
    First(Box<ArtifactError>, String),
}

/// What is wrong with a job's credentials.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysError {
    /// There are none.
    Absent,
    /// This field is missing.
    Incomplete(&'static str),
    /// This field has characters that no HTTP header can have.
    Unsendable(&'static str),
}

impl fmt::Display for KeysError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            KeysError::Absent => formatter.write_str("the job brings no credentials"),
            KeysError::Incomplete(field) => {
                write!(formatter, "the job's credentials have no `{field}`")
            }
            KeysError::Unsendable(field) => write!(
                formatter,
                "`{field}` of the job's credentials has characters that cannot be sent, such as \
                 line breaks"
            ),
        }
    }
}

/// What a search found in an artifact without the file.
#[derive(Clone, Debug, PartialEq)]
pub enum Searched {
    /// The artifact has files; some of their names.
    Has(Vec<String>),
    /// The artifact has no files.
    Not(Box<ArtifactError>),
}

/// An artifact's name and location.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    name: String,
    url: String,
}

impl Place {
    /// Builds a place.
    pub fn new(name: &str, bucket: &str, key: &str) -> Place {
        Place {
            name: name.to_owned(),
            url: format!("s3://{bucket}/{key}"),
        }
    }
}

impl ArtifactError {
    /// Whether the artifact certainly has no files, so another artifact may be meant.
    pub fn has_no_files(&self) -> bool {
        // What was cut off may have been there.
        let is_cut = matches!(
            self,
            ArtifactError::Archive(_, ArchiveError::NotZip(Found::Cut))
        );
        let has_none = matches!(
            self,
            ArtifactError::Archive(_, ArchiveError::NotZip(_))
                | ArtifactError::Store(_, StoreError::Missing(_))
                | ArtifactError::NoLocation(_)
        );
        has_none && !is_cut
    }

    /// The failure type in the report.
    pub fn kind(&self) -> FailureType {
        match self {
            ArtifactError::NoArtifacts(_)
            | ArtifactError::NoSuchArtifact(..)
            | ArtifactError::TooManyFiles(..)
            | ArtifactError::TooLarge(..)
            | ArtifactError::NoLocation(_) => FailureType::ConfigurationError,
            ArtifactError::NoKeys(_) => FailureType::PermissionError,
            ArtifactError::First(error, _) => error.kind(),
            ArtifactError::Archive(..)
            | ArtifactError::Packed(..)
            | ArtifactError::NothingMatches(..)
            | ArtifactError::NoSuchFile(..) => FailureType::RevisionUnavailable,
            ArtifactError::Store(_, error) => error.kind(),
        }
    }

    /// Whether a later attempt may succeed.
    pub fn may_pass(&self) -> bool {
        if let ArtifactError::First(error, _) = self {
            return error.may_pass();
        }
        matches!(
            self,
            ArtifactError::Store(_, StoreError::Unreachable(_) | StoreError::Busy(_))
        )
    }

    /// What the user should do.
    pub fn next(&self) -> String {
        match self {
            ArtifactError::First(error, path) => format!(
                "{} Where another artifact has the file, name that: `ArtifactName::{path}`.",
                error.next()
            ),
            ArtifactError::NoArtifacts(_) | ArtifactError::NoSuchArtifact(..) => {
                "List the artifact among the action's InputArtifacts, or correct the name in the \
                 UserParameters, and release the change again."
                    .to_owned()
            }
            ArtifactError::NoLocation(_) => {
                "CodePipeline's own events have `location.s3Location` with `bucketName` and \
                 `objectKey`: add it to an event that was written by hand."
                    .to_owned()
            }
            ArtifactError::NoKeys(_) => {
                "CodePipeline's own events have complete `artifactCredentials`: add them to an \
                 event that was written by hand."
                    .to_owned()
            }
            ArtifactError::Archive(_, ArchiveError::Limit(..)) => {
                "Put the file into a smaller artifact, such as one with the manifests alone, and \
                 name that."
                    .to_owned()
            }
            ArtifactError::Archive(_, error) | ArtifactError::Packed(_, error) => {
                next_in_archive(error).to_owned()
            }
            ArtifactError::NoSuchFile(_, searched, _) => next_for_missing(CORRECT_PATH, searched),
            ArtifactError::NothingMatches(_, searched, _) => {
                next_for_missing(CORRECT_MANIFESTS, searched)
            }
            ArtifactError::TooManyFiles(..) | ArtifactError::TooLarge(..) => {
                "Name fewer files in `manifests`, by a narrower folder or glob: the rest may be a \
                 release of its own."
                    .to_owned()
            }
            ArtifactError::Store(_, error) => error.next().to_owned(),
        }
    }
}

const CORRECT_PATH: &str = "Correct the path in the UserParameters, or have the build list the \
    file among its artifacts (`artifacts: files:` in its buildspec).";

/// How the names of manifests end that a folder or a glob finds.
const NAMES: &str = ".yaml, .yml, .json";

const CORRECT_MANIFESTS: &str = "Correct `manifests` in the UserParameters, or have the build list \
    the files among its artifacts (`artifacts: files:` in its buildspec).";

/// What to do about something that no artifact has: correct its name, or the artifacts without
/// files.
fn next_for_missing(correct: &str, searched: &[(String, Searched)]) -> String {
    let mut next = Vec::new();
    let has_files = |(_, seen): &(String, Searched)| matches!(seen, Searched::Has(_));
    if searched.iter().any(has_files) {
        next.push(correct.to_owned());
    }
    for (_, seen) in searched {
        if let Searched::Not(error) = seen
            && !next.contains(&error.next())
        {
            next.push(error.next());
        }
    }
    next.join(" ")
}

fn next_in_archive(error: &ArchiveError) -> &'static str {
    match error {
        ArchiveError::NotZip(Found::Pointer) => {
            "Set the source action's OutputArtifactFormat to CODE_ZIP, or take the file from the \
             artifact of a build that puts it there."
        }
        ArchiveError::NotZip(Found::Empty) => {
            "Look at what the action that makes the artifact puts there: it must be a ZIP \
             archive with the file in it."
        }
        ArchiveError::NotZip(Found::Page(_)) => {
            "Look at the step that downloads it: what it has stored is not the file."
        }
        ArchiveError::NotZip(Found::Json | Found::Text | Found::Packed(_) | Found::Other) => {
            "An S3 source action hands the object on as it is: upload a ZIP archive that has the \
             file in it, or take the file from the artifact of a build."
        }
        ArchiveError::Limit(..) => {
            "Split the file: `manifest` needs the Deployment alone, and `manifests` takes a folder \
             of smaller files."
        }
        ArchiveError::NotZip(Found::Cut) | ArchiveError::Damaged(_) => {
            "Release the change again, so that the artifact is made anew; then look at the program \
             that makes the archive."
        }
        ArchiveError::Unreadable(_) => {
            "Have the action that makes the artifact write a plain ZIP archive, stored or \
             deflated, without a password or links."
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Artifact `{}` ({})", self.name, self.url)
    }
}

impl fmt::Display for ArtifactError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ArtifactError::NoArtifacts(member) => write!(
                formatter,
                "{member} is to be read from an input artifact, and the action has none"
            ),
            ArtifactError::NoSuchArtifact(member, there) => write!(
                formatter,
                "{member} is to be read from an input artifact that the action does not have; it \
                 has {}",
                list(there)
            ),
            ArtifactError::NoLocation(name) => write!(
                formatter,
                "Artifact `{name}` cannot be read: the job does not say where it is in S3"
            ),
            ArtifactError::NoKeys(error) => {
                write!(formatter, "The input artifacts cannot be read: {error}")
            }
            ArtifactError::Archive(place, error) => write!(formatter, "{place} {error}"),
            ArtifactError::Packed(member, ArchiveError::Damaged(why)) => {
                write!(formatter, "{member} is damaged in its archive: {why}")
            }
            ArtifactError::Packed(member, error) => write!(formatter, "{member} {error}"),
            ArtifactError::First(error, _) => error.fmt(formatter),
            ArtifactError::NoSuchFile(member, searched, near) => {
                let path = &member.path;
                formatter.write_str(&nowhere(
                    &format!("No artifact has the file `{path}`"),
                    &|names| format!("There is no file `{path}` in artifact {names}"),
                    searched,
                    near,
                ))
            }
            ArtifactError::NothingMatches(pattern, searched, near) => {
                formatter.write_str(&no_match(&pattern.path, searched, near))
            }
            ArtifactError::TooManyFiles(patterns, count) => {
                let patterns = patterns.iter().map(FileReference::to_string).collect();
                let patterns = listed(patterns);
                write!(
                    formatter,
                    "{count} files match {patterns}, and at most {FILES_LIMIT} are read"
                )
            }
            ArtifactError::TooLarge(count, total, largest) => {
                formatter.write_str(&too_large(*count, *total, largest.as_ref()))
            }
            ArtifactError::Store(place, error) => {
                write!(formatter, "{place} cannot be read: {error}")
            }
        }
    }
}

fn no_match(path: &str, searched: &[(String, Searched)], near: &[String]) -> String {
    let what = match path.trim_end_matches('/') {
        "" | "." => format!("manifest ({NAMES})"),
        _ if is_glob(path) => format!("manifest ({NAMES}) that matches `{path}`"),
        path => format!("file `{path}`, and no folder `{path}` with manifests ({NAMES}),"),
    };
    nowhere(
        &format!("No artifact has a {what}"),
        &|names| format!("There is no {what} in artifact {names}"),
        searched,
        near,
    )
}

fn too_large(count: usize, total: u64, largest: Option<&(FileReference, u64)>) -> String {
    let (is, may) = (size(total), size(FILES_SIZE_LIMIT));
    let text = format!("The {count} files of `manifests` have {is}, and at most {may} is read");
    match largest {
        Some((member, bytes)) => format!("{text}; the largest is {member} with {}", size(*bytes)),
        None => text,
    }
}

/// Says that no artifact has what is wanted, and what there is instead: similar names or some of
/// all names, and for each artifact without files the reason.
fn nowhere(
    in_none: &str,
    in_these: &dyn Fn(String) -> String,
    searched: &[(String, Searched)],
    near: &[String],
) -> String {
    let of = |wanted: fn(&Searched) -> bool| {
        let names = searched.iter().filter(move |(_, seen)| wanted(seen));
        names.map(|(name, _)| name.clone()).collect::<Vec<_>>()
    };
    let with_files = of(|seen| matches!(seen, Searched::Has(_)));
    let mut text = match with_files.as_slice() {
        [] => in_none.to_owned(),
        names => in_these(list(names)),
    };
    let sample = searched.iter().flat_map(|(_, seen)| match seen {
        Searched::Has(sample) => sample.as_slice(),
        Searched::Not(_) => &[],
    });
    let mut seen = BTreeSet::new();
    let sample = sample.filter(|name| seen.insert(*name)).cloned();
    let sample = sample.collect::<Vec<_>>();
    match (near, sample.as_slice()) {
        ([], []) if with_files.is_empty() => {}
        ([], []) => text.push_str(", which has no files"),
        ([], sample) if sample.iter().all(|name| is_archive(name)) => text.push_str(&format!(
            "; it has {}, and no archive within an artifact is opened",
            list(sample)
        )),
        ([], sample) => text.push_str(&format!("; among others it has {}", list(sample))),
        (near, _) => text.push_str(&format!("; there is {}", list(near))),
    }
    for (_, seen) in searched {
        if let Searched::Not(error) = seen {
            text.push_str(&format!(". {error}"));
        }
    }
    text
}
