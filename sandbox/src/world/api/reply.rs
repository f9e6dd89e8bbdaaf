//! What becomes of a request: an answer, a watch, or silence.

use crate::world::api::message::{Answer, Body};
use crate::world::api::route::Kind;
use crate::world::api::status;
use serde_json::{Value, json};

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Reply {
    /// A response.
    Answer(Answer),
    /// A stream of changes: first `initial`, then what `World::watch` gives.
    Watch(Watch),
    /// Never an answer; the connection stays open.
    Stall,
    /// The connection is closed without an answer. The write may have been done.
    Cut,
}

/// A watch that was let in.
#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    /// `deployments`, `pods`, …
    pub resource: String,
    /// None: all namespaces.
    pub namespace: Option<String>,
    /// The name that the field selector asks for.
    pub name: Option<String>,
    /// The label selector as it was asked.
    pub label_selector: Option<String>,
    /// Where the log of changes is to be read from; the `after` of the first `World::watch`.
    pub since: u64,
    /// After how many seconds the server ends the stream.
    pub timeout_seconds: Option<u64>,
    /// Whether the client takes bookmarks.
    pub bookmarks: bool,
    /// Events to send first: synthetic ADDED ones, or an ERROR.
    pub initial: Vec<Value>,
    /// The stream ends after `initial` (a fault).
    pub ends: bool,
}

/// The log of changes does not reach back that far.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl Watch {
    /// The `kind` of the objects watched.
    pub fn kind(&self) -> &'static str {
        Kind::of_plural(&self.resource).map_or("", |kind| kind.name)
    }

    /// Their `apiVersion`.
    pub fn api_version(&self) -> String {
        let kind = Kind::of_plural(&self.resource);
        kind.map_or_else(String::new, |kind| kind.api_version(kind.versions[0]))
    }

    /// The event that a stream ends with when its resource version is too old.
    pub fn expired(&self) -> Value {
        let message = status::too_old(self.since, self.since + 1);
        match status::expired(message).body {
            Body::Json(object) => json!({"type": "ERROR", "object": object}),
            Body::Text(_) | Body::Html(_) | Body::Endless => Value::Null,
        }
    }
}

impl Reply {
    /// The HTTP status; 0 where there is no answer.
    pub fn status(&self) -> u16 {
        match self {
            Reply::Answer(answer) => answer.status,
            Reply::Watch(_) => 200,
            Reply::Stall | Reply::Cut => 0,
        }
    }
}
