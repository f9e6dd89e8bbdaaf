use super::*;
use crate::world::api::defaults;
use crate::world::sample_deployment;

/// The messages for the sample with one field changed, as the server joins field and message.
fn messages(pointer: &str, value: Value) -> Vec<String> {
    let old = {
        let mut old = sample_deployment("web", "web:1");
        defaults::fill("Deployment", &mut old);
        old
    };
    let mut object = sample_deployment("web", "web:1");
    *object.pointer_mut(pointer).expect("a field of the sample") = value;
    defaults::fill("Deployment", &mut object);
    let found = faults("Deployment", &object, Some(&old));
    found
        .iter()
        .map(|cause| format!("{}: {}", cause.field, cause.message))
        .collect()
}

#[test]
fn faults_are_told_in_the_words_of_the_server() {
    let container = "/spec/template/spec/containers/0";
    let rows: Vec<(String, Value, &str)> = vec![
        (
            format!("{container}/image"),
            json!(""),
            "spec.template.spec.containers[0].image: Required value",
        ),
        (
            "/spec/replicas".into(),
            json!(-1),
            "spec.replicas: Invalid value: -1: must be greater than or equal to 0",
        ),
        (
            "/spec/template/metadata/labels".into(),
            json!({"app": "other"}),
            "spec.template.metadata.labels: Invalid value: {\"app\":\"other\"}: \
                 `selector` does not match template `labels`",
        ),
        (
            "/spec/template/spec/containers".into(),
            json!([]),
            "spec.template.spec.containers: Required value",
        ),
        (
            "/spec/template/spec/containers".into(),
            json!([{"name": "a", "image": "a"}, {"name": "a", "image": "a"}]),
            "spec.template.spec.containers[1].name: Duplicate value: \"a\"",
        ),
        (
            format!("{container}/env"),
            json!([{"name": "A", "value": "1", "valueFrom": {"fieldRef": {"fieldPath": "x"}}}]),
            "spec.template.spec.containers[0].env[0].valueFrom: Invalid value: \"\": \
                 may not be specified when `value` is not empty",
        ),
        (
            format!("{container}/ports/0/containerPort"),
            json!(70000),
            "spec.template.spec.containers[0].ports[0].containerPort: Invalid value: \
                 70000: must be between 1 and 65535, inclusive",
        ),
    ];
    for (pointer, value, expected) in rows {
        assert_eq!(messages(&pointer, value), [expected], "{pointer}");
    }
}

#[test]
fn names_and_shares_are_looked_at() {
    let strategy = |surge: Value, unavailable: Value| {
        json!({"type": "RollingUpdate",
                "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}})
    };
    let field = "/spec";
    let rows = [
        (
            json!({"strategy": strategy(1.into(), "150%".into())}),
            "must not be greater than 100%",
        ),
        (
            json!({"strategy": strategy("ten".into(), 1.into())}),
            "a valid percent string",
        ),
        (
            json!({"strategy": strategy("0%".into(), 0.into())}),
            "may not be 0 when `maxSurge`",
        ),
        (
            json!({"strategy": {"type": "Canary"}}),
            "{\"Type\":\"Canary\",\"RollingUpdate\":null}",
        ),
        (
            json!({"minReadySeconds": 600}),
            "must be greater than minReadySeconds",
        ),
    ];
    for (change, expected) in rows {
        let mut spec = sample_deployment("web", "web:1")["spec"].take();
        for (name, value) in change.as_object().expect("fields") {
            spec[name] = value.clone();
        }
        let found = messages(field, spec);
        assert!(
            found.len() == 1 && found[0].contains(expected),
            "{change}: {found:?}"
        );
    }
    let found = messages("/metadata/labels", json!({"a b": "x", "ok": "y z"}));
    assert_eq!(found.len(), 2, "{found:?}");
    let fine = messages(
        "/metadata/labels",
        json!({"example.com/a.b": "x_y", "c": ""}),
    );
    assert_eq!(fine, [""; 0]);
}

#[test]
fn a_selector_cannot_change() {
    let found = messages("/spec/selector/matchLabels", json!({"app": "other"}));
    assert_eq!(
        found.last().map(String::as_str),
        Some(
            "spec.selector: Invalid value: {\"matchLabels\":{\"app\":\"other\"}}: \
                 field is immutable"
        )
    );
}

#[test]
fn a_good_object_has_no_faults() {
    assert_eq!(messages("/spec/replicas", json!(3)), [""; 0]);
}
