//! What is kept of the watch over a new version from one invocation to the next.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The watch over a new version.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
#[serde(default)]
pub struct Guard {
    /// Since when the new version of a rolling deploy has served everything: its bake begins then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serving_since: Option<Timestamp>,
}

impl Guard {
    /// Whether nothing is known yet.
    pub fn is_empty(&self) -> bool {
        *self == Guard::default()
    }
}
