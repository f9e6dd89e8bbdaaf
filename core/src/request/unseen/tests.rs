use super::{identity, key, line_of, zeros};
use serde_json::json;

#[test]
fn a_field_with_a_character_that_does_not_show_is_found() {
    let rows = [
        (json!({"\u{200b}kind": "X"}), ".<U+200B>kind"),
        (
            json!({"metadata": {"\u{a0}name": "x"}}),
            ".metadata.<U+00A0>name",
        ),
        (
            json!({"apiVersion": "apps/v1", "spec": {"\u{feff}replicas": 1}}),
            ".spec.<U+FEFF>replicas",
        ),
        (
            json!({"apiVersion": "example.com/v1", "metadata": {"labels": {"a\0": "b"}}}),
            ".metadata.labels.a<U+0000>",
        ),
        // As `{replicas:2}` is read. What is behind the colon may be a secret.
        (
            json!({"apiVersion": "apps/v1", "spec": {"replicas:2": null}}),
            ".spec.replicas",
        ),
    ];
    for (object, path) in rows {
        assert_eq!(key(&object).map(|odd| odd.path), Some(path.to_owned()));
    }
    let fine = [
        json!({"kind": "X", "metadata": {"annotations": {"a": "\u{a0}\u{200b}"}}}),
        json!({"apiVersion": "example.com/v1", "spec": {"a\u{a0}b": 1}}),
        json!({"apiVersion": "v1", "data": {"a-b.c_d": "“x”"}}),
        json!({"kind": "X", "metadata": {"a:b": "c", "http://x": null, "x:": null}}),
        json!({"apiVersion": "example.com/v1", "spec": {"a:b": null}}),
    ];
    for object in fine {
        assert_eq!(key(&object), None);
    }
}

#[test]
fn its_line_is_told() {
    let text = "a: \u{200b}b\n---\nspec:\n  \"\u{200b}b\": 1\n";
    assert_eq!(line_of(text, "\u{200b}b", 1), Some(4));
    assert_eq!(line_of(text, "c", 1), None);
    assert_eq!(line_of("a: 1\nb: {a:2}\n", "a:2", 1), Some(2));
    let told = identity("apiVersion: apps/v1\nkind: Deployment\u{200b}\n");
    let told = told.unwrap_or_default();
    assert!(
        told.contains("a zero-width space (U+200B) in line 2"),
        "{told}"
    );
    for fine in ["kind: X # “x”\n", "data: \u{a0}\n", "note: “kind: x”\n"] {
        assert_eq!(identity(fine), None);
    }
}

#[test]
fn zero_bytes_of_a_pod_are_found_by_their_paths() {
    let pod = json!({"containers": [
        {"name": "web", "args": ["a", "b\0"], "env": [{"name": "A", "value": "x\0y"}]},
        {"name": "fine", "args": ["\u{7}", ""]},
    ]});
    let paths = [
        "spec.containers[web].args[1]",
        "spec.containers[web].env[A].value",
    ];
    assert_eq!(zeros(&pod, "spec"), paths);
}
