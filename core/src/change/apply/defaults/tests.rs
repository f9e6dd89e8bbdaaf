use super::*;
use serde_json::json;

#[test]
fn defaults_are_known_by_field_and_value() {
    for (field, value, expected) in [
        ("revisionHistoryLimit", json!(10), true),
        ("revisionHistoryLimit", json!(3), false),
        ("minReadySeconds", json!(0), true),
        ("paused", json!(false), true),
        ("paused", json!(true), false),
        ("maxSurge", json!("25%"), true),
        ("maxSurge", json!(1), false),
        ("image", json!("app:1"), false),
        ("serviceAccount", json!("bot"), true),
        ("serviceAccountName", json!("bot"), false),
        ("nodeSelector", json!({"disk": "ssd"}), false),
        ("securityContext", json!({}), true),
        ("args", json!([]), true),
        ("args", json!(["-v"]), false),
        (
            "strategy",
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%",
                "maxUnavailable": "25%"}}),
            true,
        ),
        (
            "strategy",
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}),
            false,
        ),
    ] {
        assert_eq!(is_default(field, &value), expected, "{field} {value}");
    }
}
