//! A stream of changes: of one Deployment, or of what a list has.

use crate::telemetry::{logging, traffic};
use landfall_core::kubernetes::answer;
use landfall_core::kubernetes::call::MAX_BODY;
use landfall_core::kubernetes::contact::Identity;
use reqwest::Response;
use serde_json::Value;
use tokio::time::Instant;

/// A stream of changes.
#[derive(Debug)]
pub struct Watch {
    pub(super) opened: Instant,
    pub(super) response: Response,
    pub(super) line: Vec<u8>,
    pub(super) rest: Vec<u8>,
}

/// What a watch tells.
#[derive(Clone, Debug, PartialEq)]
pub enum WatchEvent {
    /// The Deployment as it is now.
    Now(Value),
    /// It is gone.
    Deleted,
    /// Something that tells nothing of the object, such as a bookmark.
    Nothing,
    /// The stream is over, was cut, or is none: read the object.
    Over,
}

/// Why a watch tells nothing more.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WatchEnd {
    /// The server has ended it, after sending every event up to then.
    Ended,
    /// It was cut, or is none.
    BrokenOff,
}

impl Watch {
    /// When the server began to send.
    pub fn opened(&self) -> Instant {
        self.opened
    }

    /// Waits for the next change of the Deployment.
    pub async fn next(&mut self, asked: &Identity) -> WatchEvent {
        match self.line().await {
            Ok(line) => change(&line, asked),
            Err(_) => WatchEvent::Over,
        }
    }

    /// Waits for the next line. A wait that is given up loses nothing.
    pub async fn line(&mut self) -> Result<Vec<u8>, WatchEnd> {
        loop {
            if let Some(end) = self.rest.iter().position(|byte| *byte == b'\n') {
                let rest = self.rest.split_off(end + 1);
                self.line.append(&mut self.rest);
                self.rest = rest;
                return Ok(std::mem::take(&mut self.line));
            }
            self.line.append(&mut self.rest);
            if self.line.len() > MAX_BODY {
                return Err(WatchEnd::BrokenOff);
            }
            match self.response.chunk().await {
                Ok(Some(chunk)) => {
                    traffic::received(chunk.len());
                    self.rest = chunk.to_vec();
                }
                // An answer without a line's end may be one object: what a server without watches
                // sends. It is no change, and reading the object tells more.
                Ok(None) if self.line.is_empty() => return Err(WatchEnd::Ended),
                Ok(None) => return Err(WatchEnd::BrokenOff),
                Err(_) => {
                    tracing::warn!("the watch broke off");
                    return Err(WatchEnd::BrokenOff);
                }
            }
        }
    }
}

/// Reads one line of a watch.
/// <https://kubernetes.io/docs/reference/using-api/api-concepts/#efficient-detection-of-changes>
fn change(line: &[u8], asked: &Identity) -> WatchEvent {
    let Some(mut event) = answer::read(line) else {
        return WatchEvent::Over;
    };
    let kind = event
        .get("type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let is_ours = asked.is(&Identity::of(&event["object"]));
    match kind {
        "ADDED" | "MODIFIED" if is_ours => {
            logging::learn(&event["object"]);
            WatchEvent::Now(event["object"].take())
        }
        "DELETED" if is_ours => WatchEvent::Deleted,
        "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK" => WatchEvent::Nothing,
        // ERROR carries a Status, most often 410 Gone: the history does not reach back so far.
        _ => WatchEvent::Over,
    }
}
