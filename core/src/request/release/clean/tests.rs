use crate::request::release::tests::of;
use serde_json::{Value, json};

fn cleaned(object: &Value) -> Value {
    of(&object.to_string()).unwrap().manifests[0].object()
}

#[test]
fn what_the_api_server_writes_is_left_out() {
    let read = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a",
        "namespace": "shop", "uid": "1", "resourceVersion": "7", "generation": 2,
        "creationTimestamp": null, "selfLink": "/x", "managedFields": [{}],
        "labels": {"app": "a", "applyset.kubernetes.io/part-of": "x"},
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}", "a": "b",
            "landfall/wave": "1", "landfall/execution": "e"}},
        "spec": {"type": "ClusterIP", "status": 1}, "status": {"loadBalancer": {}}});
    let kept = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a",
        "namespace": "shop", "labels": {"app": "a"},
        "annotations": {"a": "b", "landfall/wave": "1"}},
        "spec": {"type": "ClusterIP", "status": 1}});
    assert_eq!(cleaned(&read), kept);
    let only = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}",
            "deployment.kubernetes.io/revision": "7"}}});
    let without = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a"}});
    assert_eq!(cleaned(&only), without);
    let empty = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a",
        "labels": {}, "annotations": null, "finalizers": ["x/y"]}});
    assert_eq!(cleaned(&empty), empty);
    let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "a.b"}, "status": {"conditions": []}});
    assert_eq!(cleaned(&crd), crd);
}

#[test]
fn the_texts_of_a_secret_become_its_data() {
    for (content, expected) in [
        (json!({}), json!({})),
        (
            json!({"data": {"a": "YQ=="}}),
            json!({"data": {"a": "YQ=="}}),
        ),
        (
            json!({"stringData": {"a": "a"}}),
            json!({"data": {"a": "YQ=="}}),
        ),
        (
            json!({"stringData": {"a": "a"}, "data": {"a": "Yg==", "b": "Yg=="}}),
            json!({"data": {"a": "YQ==", "b": "Yg=="}}),
        ),
        (json!({"stringData": {"a": ""}}), json!({"data": {"a": ""}})),
        (json!({"stringData": null, "data": null}), json!({})),
        (json!({"stringData": {"a": null}}), json!({})),
        (
            json!({"data": {"a": "aHVu\ndGVy\n"}}),
            json!({"data": {"a": "aHVu\ndGVy\n"}}),
        ),
        (
            json!({"data": {"a": "/w=="}, "type": "x"}),
            json!({"data": {"a": "/w=="}, "type": "x"}),
        ),
    ] {
        let mut secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a"}});
        let mut kept = secret.clone();
        for (object, fields) in [(&mut secret, content), (&mut kept, expected)] {
            object
                .as_object_mut()
                .unwrap()
                .extend(fields.as_object().unwrap().clone());
        }
        assert_eq!(cleaned(&secret), kept);
    }
    // Another kind of that name has its own rules.
    let other = json!({"apiVersion": "example.com/v1", "kind": "Secret", "metadata": {"name": "a"},
        "stringData": {"a": "b"}, "data": 7});
    assert_eq!(cleaned(&other), other);
}

#[test]
fn a_secret_with_other_data_is_refused() {
    for (content, field, words) in [
        ("data: {a: hello world}", ".data.a", "is not base64"),
        ("data: {a: YQ}", ".data.a", "is not base64"),
        ("data: {a: 5}", ".data.a", "a number: put it in quotes"),
        ("data: [a]", ".data", "must be an object"),
        (
            "stringData: {port: 8080}",
            ".stringData.port",
            "a number: put it in quotes",
        ),
        (
            "stringData: {on: true}",
            ".stringData.true",
            "true or false",
        ),
        ("stringData: text", ".stringData", "must be an object"),
    ] {
        let text = format!("apiVersion: v1\nkind: Secret\nmetadata: {{name: a}}\n{content}\n");
        let faults = of(&text).unwrap_err();
        let expected = format!("k8s/a.yaml:1 Secret/a {field}: ");
        assert!(
            faults.len() == 1 && faults[0].starts_with(&expected),
            "{faults:?}"
        );
        assert!(
            faults[0].contains(words) && !faults[0].contains("8080"),
            "{faults:?}"
        );
    }
}
