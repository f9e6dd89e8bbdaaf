//! Blue/green: two Deployments take turns. The one that does not serve gets the new version, and is
//! kept, scaled to zero, for a fast way back.

use crate::state::marks::version_of;
use crate::workload::Workload;

/// The one of the two that does not serve; blue comes first.
pub fn version(live: &Workload) -> &'static str {
    match version_of(live) {
        Some("blue") => "green",
        Some(_) | None => "blue",
    }
}

/// Whether this is the name of one of the two.
pub fn is_color(version: &str) -> bool {
    ["blue", "green"].contains(&version)
}

#[cfg(test)]
mod tests;
