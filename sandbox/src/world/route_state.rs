//! What a route's controller has made of it.

use jiff::Timestamp;
use serde_json::Value;

/// What a route's controller has made of it.
#[derive(Clone, Debug)]
pub(crate) struct RouteState {
    /// What it works on, and since when.
    pub(crate) seen: Value,
    pub(crate) since: Timestamp,
    /// What requests are divided by.
    pub(crate) in_force: Value,
}
