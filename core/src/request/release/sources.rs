//! Which files of a folder are manifests. A file that is named itself always is one.

use crate::formats::archive::plain;
use crate::formats::yaml::{self, text};
use crate::outcome::FileReference;
use crate::request::appearance::{KUSTOMIZE, RENDER};
use crate::request::files::NamedFile;
use crate::text::list;
use serde_json::Value;
use std::collections::BTreeSet;

/// The endings of manifests' names, as of `kubectl apply`.
const ENDINGS: [&str; 3] = [".yaml", ".yml", ".json"];

/// Names under which kustomize looks for its file.
const KUSTOMIZATIONS: [&str; 3] = ["kustomization.yaml", "kustomization.yml", "kustomization"];

/// Files of other tools that lie beside manifests, in lower case.
const OTHERS: [&str; 8] = [
    "imagedefinitions.json",
    "imagedetail.json",
    "buildspec.yml",
    "buildspec.yaml",
    "package.json",
    "package-lock.json",
    "skaffold.yaml",
    "values.schema.json",
];

/// Fields of a Kustomization that change nothing of the objects that it lists.
const HARMLESS: [&str; 4] = ["apiVersion", "kind", "metadata", "resources"];

/// What is done with a file.
#[derive(Debug, PartialEq)]
pub(super) enum Use {
    /// Its objects are read.
    Read,
    /// It is not a manifest, and the request does not name it.
    Skip,
    /// It is wrong that it is there.
    Fault(String),
}

/// Says what is done with each file.
pub(super) fn uses(files: &[NamedFile], wanted: &[FileReference]) -> Vec<Use> {
    let charts = files.iter().filter_map(|file| {
        let (folder, _) = parts(&file.path);
        (is_chart(&file.path) && !is_named(file, wanted)).then(|| folder.to_owned())
    });
    let charts = charts.collect::<BTreeSet<_>>();
    let paths = files
        .iter()
        .map(|file| plain(&file.path))
        .collect::<BTreeSet<_>>();
    let each = files.iter().map(|file| match is_named(file, wanted) {
        true => named(&file.path),
        false => within(file, &charts, &paths),
    });
    each.collect()
}

/// Whether the request names the file, not only its folder.
fn is_named(file: &NamedFile, wanted: &[FileReference]) -> bool {
    let is_it = |wanted: &FileReference| {
        wanted.may_be_in(&file.file.artifact) && wanted.path == plain(&file.path)
    };
    wanted.iter().any(is_it)
}

fn named(path: &str) -> Use {
    match is_manifest(&parts(path).1) {
        true => Use::Read,
        false => {
            Use::Fault("is not a manifest: the name of one ends in .yaml, .yml or .json".to_owned())
        }
    }
}

fn within(file: &NamedFile, charts: &BTreeSet<String>, paths: &BTreeSet<String>) -> Use {
    let (folder, name) = parts(&file.path);
    let chart = charts.iter().find(|chart| {
        let rest = folder.strip_prefix(chart.as_str());
        rest.is_some_and(|rest| chart.is_empty() || rest.is_empty() || rest.starts_with('/'))
    });
    if let Some(chart) = chart {
        return match is_chart(&file.path) && chart == folder {
            true => Use::Fault(format!(
                "is of a Helm chart that was not rendered: {RENDER}"
            )),
            false => Use::Skip,
        };
    }
    if KUSTOMIZATIONS.contains(&name.as_str()) {
        return kustomization(file, folder, paths);
    }
    let is_values = name.starts_with("values.") || name.starts_with("values-");
    match is_values || !is_manifest(&name) || OTHERS.contains(&name.as_str()) {
        true => Use::Skip,
        false => Use::Read,
    }
}

fn is_manifest(name: &str) -> bool {
    ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Whether a file is what makes a folder a chart. Helm knows it by exactly this name; what
/// `helm template` prints is often kept as `chart.yaml`.
fn is_chart(path: &str) -> bool {
    path.rsplit('/').next() == Some("Chart.yaml")
}

/// The folder and the file's name in lower case.
fn parts(path: &str) -> (&str, String) {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    (folder, name.to_lowercase())
}

/// A Kustomization that only lists files which are read anyway may be skipped. Any other one
/// changes what is deployed.
fn kustomization(file: &NamedFile, folder: &str, paths: &BTreeSet<String>) -> Use {
    let mut documents = Vec::new();
    let text = text::decode(&file.file.content);
    let read = text.map(|text| yaml::read(&text, |document| documents.push(document)));
    let [Value::Object(fields)] = documents.as_slice() else {
        return Use::Fault(format!("is a Kustomization: {KUSTOMIZE}"));
    };
    let others = fields
        .keys()
        .filter(|field| !HARMLESS.contains(&field.as_str()));
    let others = others.cloned().collect::<Vec<_>>();
    let resources = fields.get("resources").and_then(Value::as_array);
    let missing = resources.into_iter().flatten().filter(|resource| {
        let path = resource.as_str().map(|path| match folder {
            "" => plain(path),
            folder => plain(&format!("{folder}/{path}")),
        });
        path.is_none_or(|path| !paths.contains(&path))
    });
    let missing = missing.map(|it| it.as_str().unwrap_or("?").to_owned());
    let missing = missing.collect::<Vec<_>>();
    let why = match (read, others.is_empty(), missing.is_empty()) {
        (Ok(Ok(())), true, true) => return Use::Skip,
        (_, false, _) => format!(" with {}", list(&others)),
        (_, _, false) => format!(
            " with resources that are not among the files, {}",
            list(&missing)
        ),
        (_, true, true) => String::new(),
    };
    Use::Fault(format!("is a Kustomization{why}: {KUSTOMIZE}"))
}

#[cfg(test)]
mod tests;
