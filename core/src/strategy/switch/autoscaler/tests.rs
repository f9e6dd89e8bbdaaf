use super::*;

#[test]
fn an_autoscalers_floor_is_held_and_given_back() {
    let scaler = |target: &str, minimum: i64, kept: Value| {
        Autoscaler::new(json!({"metadata": {"resourceVersion": "1",
                    "annotations": {MIN_REPLICAS: kept}},
                "spec": {"minReplicas": minimum, "maxReplicas": 4,
                    "scaleTargetRef": {"kind": "Deployment", "name": target}}}))
    };
    let none = || Value::Null;
    for (name, scaler, floor, expected) in [
        (
            "moved",
            scaler("web", 1, none()),
            Some(3),
            Some((3, json!("1"))),
        ),
        (
            "never above its maximum",
            scaler("web", 1, none()),
            Some(9),
            Some((4, json!("1"))),
        ),
        (
            "never lowered",
            scaler("web", 2, none()),
            Some(1),
            Some((2, json!("2"))),
        ),
        ("held already", scaler("blue", 3, json!("1")), Some(3), None),
        (
            "given back",
            scaler("blue", 3, json!("1")),
            None,
            Some((1, none())),
        ),
        ("given back already", scaler("blue", 1, none()), None, None),
        (
            "the first floor counts",
            scaler("web", 3, json!("1")),
            Some(2),
            Some((2, json!("1"))),
        ),
    ] {
        let patch = autoscaler_patch(&scaler, "blue", floor);
        let found = patch.map(|patch| {
            let minimum = patch["spec"]["minReplicas"].as_i64().unwrap();
            (
                minimum,
                patch["metadata"]["annotations"][MIN_REPLICAS].clone(),
            )
        });
        assert_eq!(found, expected, "{name}");
    }
}
