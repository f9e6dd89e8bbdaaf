use super::*;
use crate::state::marks;
use serde_json::json;

fn lines(live: Value, wanted: Value) -> String {
    difference(&live, &wanted).lines.join("\n")
}

fn pods(containers: Value) -> Value {
    json!({"spec": {"template": {"spec": {"containers": containers}}}})
}

#[test]
fn own_annotations_are_told_nowhere() {
    let own = json!({"landfall/job": "j", marks::CHANGE_CAUSE: "x",
            "deprecated.daemonset.template.generation": "1",
            "kubectl.kubernetes.io/last-applied-configuration": "{\"env\": \"a secret\"}"});
    let mut both = own.clone();
    both["note"] = json!("b");
    let noted = |annotations: Value| json!({"metadata": {"annotations": annotations}});
    let bare = || json!({"metadata": {}});
    for (live, wanted, expected) in [
        (bare(), noted(own.clone()), ""),
        (noted(own.clone()), bare(), ""),
        (
            bare(),
            noted(both.clone()),
            "+ metadata.annotations: {\"note\":\"b\"}",
        ),
        (
            noted(own),
            noted(both),
            "+ metadata.annotations: {\"note\":\"b\"}",
        ),
    ] {
        assert_eq!(lines(live, wanted), expected);
    }
}

#[test]
fn a_difference_is_told_in_lines() {
    let live = json!({"metadata": {"name": "web", "resourceVersion": "1", "labels": {"a": "1"},
                "annotations": {"landfall/job": "1", "team": "x"}},
            "spec": {"replicas": 2, "template": {"spec": {"containers": [
                {"name": "app", "image": "app:1", "args": ["-v", "--deep"],
                    "env": [{"name": "MODE", "value": "5ecret-live"},
                        {"name": "OLD", "value": "5ecret-old"}]},
                {"name": "proxy", "image": "proxy:1"}]}}},
            "status": {"replicas": 2}});
    let wanted = json!({"metadata": {"name": "web", "resourceVersion": "2",
                "annotations": {"landfall/job": "2", "team": "two words"}},
            "spec": {"replicas": 3, "template": {"spec": {"containers": [
                {"name": "app", "image": "app:2", "args": ["-v"],
                    "env": [{"name": "MODE", "value": "5ecret-test"},
                        {"name": "NEW", "value": "5ecret-new"}]},
                {"name": "side", "image": "side:1", "env": [{"name": "A", "value": "5ecret"}]}]}}},
            "status": {}});
    let told = lines(live, wanted);
    assert!(!told.contains("5ecret"), "{told}");
    insta::assert_snapshot!(told, @r#"
        metadata.annotations.team: x → "two words"
        - metadata.labels: {"a":"1"}
        spec.replicas: 2 → 3
        - spec.template.spec.containers[app].args[1]: --deep
        spec.template.spec.containers[app].env[MODE].value: changed (hidden)
        + spec.template.spec.containers[app].env[NEW]: {"name":"NEW","value":"(hidden)"}
        - spec.template.spec.containers[app].env[OLD]: {"name":"OLD","value":"(hidden)"}
        spec.template.spec.containers[app].image: app:1 → app:2
        + spec.template.spec.containers[side]: {"env":[{"name":"A","value":"(hidden)"}],"image":"side:1","name":"side"}
        - spec.template.spec.containers[proxy]: {"image":"proxy:1","name":"proxy"}
        "#);
}

#[test]
fn what_is_the_same_is_not_told() {
    let object = pods(json!([{"name": "app", "image": "app:1"}]));
    assert_eq!(difference(&object, &object), Difference::default());
    let mut other = object.clone();
    other["status"] = json!({"x": 1});
    other["metadata"] = json!({"uid": "1", "annotations": {"landfall/lock": "x"}});
    assert_eq!(
        difference(&other, &{
            let mut same = object.clone();
            same["metadata"] = json!({"uid": "2", "annotations": {}});
            same
        }),
        Difference::default()
    );
    let env = |value: Value| pods(json!([{"name": "app", "env": value}]));
    let (a, b) = (
        json!({"name": "A", "value": "5ecret"}),
        json!({"name": "B"}),
    );
    let order = lines(env(json!([a, b])), env(json!([b, a])));
    insta::assert_snapshot!(order,
            @"spec.template.spec.containers[app].env: in another order, B, A");
    let twice = lines(env(json!([a, a])), env(json!([a])));
    assert!(
        twice.starts_with("- ") && !twice.contains("5ecret"),
        "{twice}"
    );
    let whole = lines(pods(json!([{"name": "app"}])), env(json!([a])));
    assert!(
        whole.starts_with("+ ") && !whole.contains("5ecret"),
        "{whole}"
    );
}

#[test]
fn a_new_object_and_a_long_difference() {
    let wanted = json!({"metadata": {"name": "web"}, "spec": {"template": {"spec": {
            "containers": [{"name": "a", "env": [{"name": "A", "value": "5ecret"}]}]}}}});
    let told = lines(Value::Null, wanted);
    assert!(!told.contains("5ecret"), "{told}");
    insta::assert_snapshot!(told, @r#"
        + metadata.name: web
        + spec.template.spec.containers[a].env[A].name: A
        + spec.template.spec.containers[a].env[A].value: (hidden)
        + spec.template.spec.containers[a].name: a
        "#);
    let labels = (0..150)
        .map(|n| (format!("l{n}"), json!("x")))
        .collect::<Map<_, _>>();
    let many = difference(
        &json!({"metadata": {}}),
        &json!({"metadata": {"labels": labels}}),
    );
    assert_eq!(many.count(), 1, "{many:?}");
    let many = difference(
        &json!({"metadata": {"labels": {"z": "1"}}}),
        &json!({"metadata": {"labels": labels}}),
    );
    assert_eq!((many.lines.len(), many.more), (LINES_LIMIT, 51));
    let long = lines(json!({"a": "x".repeat(500)}), json!({"a": "y\nz"}));
    assert_eq!(
        long.chars().count(),
        "a: ".len() + VALUE_LIMIT + "… → ".chars().count() + 6
    );
}

#[test]
fn of_a_secret_only_the_keys_are_told() {
    let secret = |data: Value| json!({"apiVersion": "v1", "kind": "Secret", "data": data});
    let some = || secret(json!({"a": "5ecret", "b": "5ecret", "c": "5ecret"}));
    for (live, wanted, expected) in [
        (some(), some(), ""),
        (
            some(),
            secret(json!({"a": "5ecret", "b": "5ecret-2", "d": "5ecret"})),
            "data.b: changed (hidden)\n- data.c: (hidden)\n+ data.d: (hidden)",
        ),
        (secret(Value::Null), some(), "data: null → a, b, c"),
        (
            json!({"apiVersion": "v1", "kind": "Secret"}),
            some(),
            "+ data: a, b, c",
        ),
        (
            Value::Null,
            secret(json!({"a": "5ecret"})),
            "+ apiVersion: v1\n+ data.a: (hidden)\n+ kind: Secret",
        ),
    ] {
        let told = lines(live, wanted);
        assert!(!told.contains("5ecret"), "{told}");
        assert_eq!(told, expected);
    }
    // A field of the same name elsewhere does not belong to a Secret.
    let map = |value: &str| json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": value}});
    assert_eq!(lines(map("1"), map("2")), "data.a: 1 → 2");
}

#[test]
fn whose_a_release_it_is_is_told_nowhere() {
    let labelled = |labels: Value| json!({"metadata": {"labels": labels}});
    let ours = json!({marks::PART_OF: "applyset-x-v1"});
    assert_eq!(lines(json!({"metadata": {}}), labelled(ours.clone())), "");
    assert_eq!(
        lines(labelled(json!({"a": "1"})), labelled(ours)),
        "- metadata.labels: {\"a\":\"1\"}"
    );
}
