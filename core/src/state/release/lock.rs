//! The lock of a release: which deploy is at work on it.

use crate::state::lease;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The lock, as JSON in an annotation of the parent.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
pub struct Lock {
    /// The pipeline's execution.
    pub execution: String,
    /// The first job of the deploy.
    pub job: String,
    /// When the deploy began.
    pub since: Timestamp,
    /// When it must be over.
    pub until: Timestamp,
}

impl Lock {
    /// Reads it; one that cannot be read is none.
    pub fn read(text: &str) -> Option<Lock> {
        serde_json::from_str(text).ok()
    }

    /// Writes it.
    pub fn text(&self) -> String {
        serde_json::to_string(self).expect("plain data is always JSON")
    }

    /// When it counts no longer.
    pub fn expires(&self) -> Timestamp {
        lease::expires(self.since, self.until)
    }

    /// Whether it counts.
    pub fn holds(&self, now: Timestamp) -> bool {
        lease::holds(self.since, self.until, now)
    }
}
