//! The objects of the manifests.

use crate::failure::{Failure, Refusal};
use landfall_core::formats::archive::{Pattern, is_glob, plain};
use landfall_core::kubernetes::object_id::group_of;
use landfall_core::problem::Fault;
use landfall_core::request::{Asked, Draft, File, Files, Manifest, NamedFile, Parameters};
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::path::{Component, Path, PathBuf};
use std::{fmt, fs};

/// The most files below a folder: a repository's own, not those of its dependencies.
const FILES_LIMIT: usize = 10_000;
/// The most paths that the user parameters take.
const NAMED_LIMIT: usize = 100;

const RENDERED: &str = "Each document must be an object of Kubernetes. Render templates before \
    (`helm template`, `kustomize build`), and name only manifests with --for.";

/// An object of a manifest.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Object {
    pub(crate) api_version: String,
    pub(crate) kind: String,
    pub(crate) name: String,
    /// The namespace that the manifest names.
    pub(crate) namespace: Option<String>,
    /// The file and the line.
    pub(crate) place: String,
    pub(crate) value: Value,
}

impl Object {
    fn new(manifest: &Manifest) -> Object {
        Object {
            api_version: manifest.api_version.clone(),
            kind: manifest.kind.clone(),
            name: manifest.name.clone(),
            namespace: manifest.namespace.clone(),
            place: manifest.place.to_string(),
            value: manifest.object(),
        }
    }

    /// Whether it is of this group and kind.
    pub(crate) fn is(&self, group: &str, kind: &str) -> bool {
        group_of(&self.api_version) == group && self.kind == kind
    }

    /// `Kind/name`, as people write it.
    pub(crate) fn label(&self) -> String {
        format!("{}/{}", self.kind, self.name)
    }

    /// The value of an annotation.
    pub(crate) fn annotation(&self, key: &str) -> Option<&str> {
        self.value["metadata"]["annotations"][key].as_str()
    }
}

/// Prints what it is called, and where it is.
impl fmt::Display for Object {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} in {}", self.label(), self.place)
    }
}

/// The objects of a release, and its name.
#[derive(Debug)]
pub(crate) struct Manifests {
    pub(crate) release: String,
    pub(crate) objects: Vec<Object>,
}

/// Reads the objects of files, folders and globs, as the function reads them.
///
/// # Errors
///
/// There is no such file, one of them is not a manifest, or the release has no name.
pub(crate) fn read(
    paths: &[PathBuf],
    namespace: &str,
    release: Option<&str>,
) -> Result<Manifests, Failure> {
    let mut found = BTreeSet::new();
    let mut named = Vec::new();
    for path in paths {
        let files = files(path);
        found.extend(files.map_err(|refusal| refusal.at(reading(&path.display())))?);
        if path.is_file() {
            named.push(path);
        }
    }
    let mut files = Vec::new();
    for path in found {
        let content = fs::read(&path);
        let wrong = |error: std::io::Error| Refusal::own(error.to_string(), RENDERED);
        let content = content.map_err(|error| wrong(error).at(reading(&path.display())))?;
        files.push(NamedFile {
            path: shown(&path),
            file: File {
                content,
                ..File::default()
            },
        });
    }
    let parameters = parameters(&named, namespace, release);
    let asked = Draft::read(&parameters).and_then(|draft| {
        let files = Files {
            manifests: files,
            ..Files::default()
        };
        draft.complete(files, "")
    });
    match asked {
        Ok(Asked::Release(release)) => Ok(Manifests {
            objects: release.manifests.iter().map(Object::new).collect(),
            release: release.name,
        }),
        Ok(Asked::Workload(..)) => Err(wrong(&[])),
        Err(faults) => Err(wrong(&faults)),
    }
}

/// A file as messages name it: without the part of its path up to the last hidden folder or `..`,
/// which would make it a hidden file in an artifact.
fn shown(path: &Path) -> String {
    let is_plain = |part: &Component<'_>| match part {
        Component::Normal(name) => !name.to_string_lossy().starts_with('.'),
        Component::RootDir => true,
        Component::CurDir | Component::ParentDir | Component::Prefix(_) => false,
    };
    let mut parts = path
        .components()
        .rev()
        .take_while(is_plain)
        .collect::<Vec<_>>();
    parts.reverse();
    match parts.is_empty() {
        true => path.display().to_string(),
        false => parts.into_iter().collect::<PathBuf>().display().to_string(),
    }
}

/// The user parameters of such a release. A file that is named itself is always a manifest; how
/// the others were found says nothing.
fn parameters(named: &[&PathBuf], namespace: &str, release: Option<&str>) -> Parameters {
    let is_path = |path: &String| !path.split('/').any(|part| ["", "..", "."].contains(&part));
    let paths = named.iter().map(|path| plain(&shown(path)));
    let mut paths = paths.filter(is_path).take(NAMED_LIMIT).collect::<Vec<_>>();
    if paths.is_empty() {
        paths.push("k8s".to_owned());
    }
    let mut fields = Map::new();
    fields.insert("manifests".to_owned(), json!(paths));
    fields.insert("namespace".to_owned(), json!(namespace));
    if let Some(release) = release {
        fields.insert("release".to_owned(), json!(release));
    }
    Parameters::Object(fields)
}

/// All faults at once, each with its file and line.
fn wrong(faults: &[Fault]) -> Failure {
    let lines = faults.iter().map(|fault| match fault.field.as_str() {
        "release" => format!("\n  the release's name {}", fault.problem),
        field => format!("\n  {field} {}", fault.problem),
    });
    let advice = match faults {
        [fault] if fault.field == "release" => {
            "Name the release with --release, as the action's parameters do in `release`."
        }
        _ => RENDERED,
    };
    let why = lines.collect::<String>();
    Refusal::own(why, advice).at(reading(&"the manifests"))
}

fn reading(what: &dyn fmt::Display) -> String {
    format!("reading {what}")
}

/// The files that a path means, as in the user parameter `manifests`.
fn files(path: &Path) -> Result<Vec<PathBuf>, Refusal> {
    if path.is_file() {
        return Ok(vec![path.to_owned()]);
    }
    let text = path.to_string_lossy();
    let (folder, pattern) = match (path.is_dir(), is_glob(&text)) {
        (true, _) => (path.to_owned(), ".".to_owned()),
        (false, true) => {
            let is_fixed = |part: &Component<'_>| !is_glob(&part.as_os_str().to_string_lossy());
            let folder: PathBuf = path.components().take_while(is_fixed).collect();
            let rest = path.strip_prefix(&folder).unwrap_or(path);
            let rest = rest.to_string_lossy().into_owned();
            (folder, rest)
        }
        (false, false) => {
            return Err(Refusal::own(
                "there is no such file or folder",
                "Name the folder, the file or the glob of the release's manifests with --for.",
            ));
        }
    };
    let folder = if folder.as_os_str().is_empty() {
        PathBuf::from(".")
    } else {
        folder
    };
    let mut found = Vec::new();
    walk(&folder, &mut found)?;
    let pattern = Pattern::new(&pattern);
    let is_wanted = |file: &PathBuf| {
        let name = file.strip_prefix(&folder).unwrap_or(file);
        pattern.matches(&name.to_string_lossy())
    };
    found.retain(is_wanted);
    found.sort();
    Ok(found)
}

/// All files in a folder and below; links to folders are not followed, so it ends.
fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> Result<(), Refusal> {
    let unreadable = |error: std::io::Error| {
        Refusal::own(
            format!("{} cannot be read: {error}", folder.display()),
            "Make the folder readable.",
        )
    };
    for entry in fs::read_dir(folder).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        let path = if folder == Path::new(".") {
            PathBuf::from(entry.file_name())
        } else {
            entry.path()
        };
        match kind.is_dir() {
            true => walk(&path, found)?,
            false => found.push(path),
        }
        if found.len() > FILES_LIMIT {
            return Err(Refusal::own(
                format!("it has more than {FILES_LIMIT} files"),
                "Name the folder with the manifests.",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
