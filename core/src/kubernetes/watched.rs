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

/// Versions by which a change is repeated. A watch cache keeps at least the last hundred changes of
/// a resource, and what is stored has a version of its own, so the change is among them.
/// <https://github.com/kubernetes/kubernetes/blob/master/staging/src/k8s.io/apiserver/pkg/storage/cacher/watch_cache.go>
const REPEATED: u64 = 100;

/// The newest change among the objects of a list.
///
/// A watch that begins right before it repeats it, and so shows at once that nothing on the way
/// holds the stream back: what is repeated is as the list has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Newest(u64);

impl Newest {
    /// An object of the list has this version. Versions are numbers that grow.
    /// <https://www.kubernetes.dev/resources/keps/5504/>
    pub fn add(&mut self, version: &str) {
        self.0 = self.0.max(version.parse().unwrap_or_default());
    }

    /// The version from which a list of this version is followed.
    pub fn start(self, list: &str) -> String {
        let numbers = list.parse::<u64>().ok().zip(self.0.checked_sub(1));
        match numbers {
            // From 0 on a watch tells all that there is.
            Some((list, before)) if before > 0 && list > before && list - before < REPEATED => {
                before.to_string()
            }
            _ => list.to_owned(),
        }
    }
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
