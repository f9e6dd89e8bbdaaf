//! The lines of a watch: what became of an object, and of which one.
//! <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>

use serde::Deserialize;

/// The head of a line: everything but what the object says of itself.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Line {
    /// What became of the object.
    pub change: Change,
    /// `Pod`, `ReplicaSet`, …
    pub kind: String,
    /// `metadata.namespace`.
    pub namespace: String,
    /// `metadata.name`.
    pub name: String,
    /// `metadata.resourceVersion`, from which a watch can be continued.
    pub version: String,
}

/// What became of an object.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Change {
    /// It is as the line says.
    Put,
    /// It is gone, or the selector does not find it any more.
    Gone,
    /// Nothing: the line tells how far the watch has come.
    Bookmark,
    /// The watch cannot go on, most often because the history does not reach back so far.
    #[default]
    Ended,
}

#[derive(Deserialize)]
struct RawLine {
    #[serde(rename = "type")]
    change: String,
    object: RawObject,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct RawObject {
    kind: String,
    metadata: RawMetadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct RawMetadata {
    namespace: String,
    name: String,
    resource_version: String,
}

impl Line {
    /// Reads the head of a line; `None` if it is not one of a watch.
    pub fn read(line: &[u8]) -> Option<Line> {
        let raw: RawLine = serde_json::from_slice(line).ok()?;
        let metadata = raw.object.metadata;
        Some(Line {
            change: match raw.change.as_str() {
                "ADDED" | "MODIFIED" => Change::Put,
                "DELETED" => Change::Gone,
                "BOOKMARK" => Change::Bookmark,
                "ERROR" => Change::Ended,
                _ => return None,
            },
            kind: raw.object.kind,
            namespace: metadata.namespace,
            name: metadata.name,
            version: metadata.resource_version,
        })
    }
}

#[cfg(test)]
mod tests;
