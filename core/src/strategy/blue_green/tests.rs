use super::*;
use crate::state::marks::VERSION;
use crate::workload::Kind;
use serde_json::json;

#[test]
fn they_take_turns() {
    for (labels, expected) in [
        (json!({"app": "web"}), "blue"),
        (json!({"app": "web", VERSION: "green"}), "blue"),
        (json!({"app": "web", VERSION: "0123456789"}), "blue"),
        (json!({"app": "web", VERSION: "blue"}), "green"),
    ] {
        let live = Workload::new(
            Kind::Deployment,
            json!({"spec": {"selector": {"matchLabels": labels}}}),
        );
        assert_eq!(version(&live), expected, "{labels}");
    }
}
