//! Blue/green: two Deployments take turns. The one that does not serve gets the new version, and is
//! kept, scaled to zero, for a fast way back.

use super::newcomer::version_of;
use crate::cluster::object::Deployment;

/// The one of the two that does not serve; blue comes first.
pub fn version(live: &Deployment) -> &'static str {
    match version_of(live) {
        Some("blue") => "green",
        Some(_) | None => "blue",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::service::VERSION;
    use serde_json::json;

    #[test]
    fn they_take_turns() {
        for (labels, expected) in [
            (json!({"app": "web"}), "blue"),
            (json!({"app": "web", VERSION: "green"}), "blue"),
            (json!({"app": "web", VERSION: "0123456789"}), "blue"),
            (json!({"app": "web", VERSION: "blue"}), "green"),
        ] {
            let live = Deployment::new(json!({"spec": {"selector": {"matchLabels": labels}}}));
            assert_eq!(version(&live), expected, "{labels}");
        }
    }
}
