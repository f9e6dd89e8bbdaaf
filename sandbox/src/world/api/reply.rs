//! The result of a request: a response, a watch, or silence.

use crate::world::api::message::{Answer, Body};
use crate::world::api::status;
use serde_json::{Value, json};

/// The result of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A response.
    Answer(Answer),
    /// A stream of changes: first `initial`, then the result of `World::watch`.
    Watch(Watch),
    /// No response; the connection stays open.
    Stall,
    /// The connection closes without a response. The write may have been done.
    Cut,
}

/// An accepted watch.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// The `kind` of the watched objects.
    pub kind: String,
    /// Their `apiVersion`.
    pub api_version: String,
    /// `deployments`, `pods`, …
    pub resource: String,
    /// The namespace; `None` for all.
    pub namespace: Option<String>,
    /// The name in the field selector.
    pub name: Option<String>,
    /// The label selector.
    pub label_selector: Option<String>,
    /// The version from which the log of changes is read; the `after` of the first `World::watch`.
    pub since: u64,
    /// After how many seconds the server ends the stream.
    pub timeout_seconds: Option<u64>,
    /// Whether the client wants bookmarks.
    pub bookmarks: bool,
    /// The events to send first: synthetic ADDED ones, or an ERROR.
    pub initial: Vec<Value>,
    /// How the stream goes on after `initial`.
    pub flow: WatchFlow,
}

/// How a stream goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WatchFlow {
    /// With what changes.
    #[default]
    Changes,
    /// It ends (a fault).
    Ends,
    /// With nothing, without an end (a fault).
    Mute,
    /// Its first change is sent in part (a fault).
    Cut,
}

/// The log of changes does not reach back that far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl Watch {
    /// The event that a stream ends with when its resource version is too old.
    pub fn expired(&self) -> Value {
        let message = status::too_old(self.since, self.since + 1);
        match status::expired(message).body {
            Body::Json(object) => json!({"type": "ERROR", "object": object}),
            Body::Text(_) | Body::Html(_) | Body::Endless => Value::Null,
        }
    }

    /// The event that says how far the stream has come.
    pub fn bookmark(&self, version: u64) -> Value {
        json!({"type": "BOOKMARK", "object": {"kind": self.kind, "apiVersion": self.api_version,
            "metadata": {"resourceVersion": version.to_string(), "creationTimestamp": null}}})
    }
}

impl Reply {
    /// The HTTP status; 0 without a response.
    pub fn status(&self) -> u16 {
        match self {
            Reply::Answer(answer) => answer.status,
            Reply::Watch(_) => 200,
            Reply::Stall | Reply::Cut => 0,
        }
    }
}
