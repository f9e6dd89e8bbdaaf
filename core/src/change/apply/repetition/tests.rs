use super::*;
use serde_json::json;

/// A Service as it was applied, and as the server keeps it.
fn service() -> (Value, Value) {
    let body = json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web", "namespace": "shop", "labels": {"app": "web"}},
        "spec": {
            "selector": {"app": "web"},
            "ports": [{"name": "http", "port": 80}, {"name": "dns", "port": 53, "protocol": "UDP"}],
        },
    });
    let mut live = body.clone();
    live["metadata"]["uid"] = json!("u-1");
    live["metadata"]["managedFields"] = json!([
        {"manager": "landfall", "operation": "Apply", "apiVersion": "v1", "fieldsV1": {
            "f:metadata": {"f:labels": {"f:app": {}}},
            "f:spec": {
                "f:selector": {},
                "f:ports": {
                    "k:{\"port\":80,\"protocol\":\"TCP\"}": {".": {}, "f:name": {}, "f:port": {}},
                    "k:{\"port\":53,\"protocol\":\"UDP\"}":
                        {".": {}, "f:name": {}, "f:port": {}, "f:protocol": {}},
                },
            },
        }},
        {"manager": "kube-controller-manager", "operation": "Update", "apiVersion": "v1",
            "subresource": "status", "fieldsV1": {"f:status": {"f:loadBalancer": {}}}},
    ]);
    live["spec"]["clusterIP"] = json!("10.0.0.1");
    live["spec"]["ports"][0]["protocol"] = json!("TCP");
    live["spec"]["ports"][0]["targetPort"] = json!(80);
    live["status"] = json!({"loadBalancer": {}});
    (body, live)
}

#[test]
fn what_was_applied_and_is_there_is_a_repetition() {
    let (body, live) = service();
    assert!(is_repetition(&body, &live));
}

#[test]
fn what_another_filled_in_or_owns_as_well_does_not_count() {
    let (body, mut live) = service();
    live["metadata"]["labels"]["team"] = json!("blue");
    live["spec"]["sessionAffinity"] = json!("None");
    let shared = json!({"manager": "other", "operation": "Apply", "apiVersion": "v1",
        "fieldsV1": {"f:spec": {"f:selector": {}}}});
    let managed = live["metadata"]["managedFields"].as_array_mut().unwrap();
    managed.push(shared);
    assert!(is_repetition(&body, &live));
}

/// Each row: what is changed in what is applied, or in what is there.
#[test]
fn everything_else_is_asked_of_the_server() {
    type Change = fn(&mut Value, &mut Value);
    let rows: [(&str, Change); 17] = [
        ("a value", |body, _| {
            body["spec"]["selector"]["app"] = json!("api")
        }),
        ("a field more", |body, _| {
            body["spec"]["type"] = json!("NodePort")
        }),
        ("a field less", |body, _| {
            body["metadata"].as_object_mut().unwrap().remove("labels");
        }),
        ("a label more", |body, _| {
            body["metadata"]["labels"]["tier"] = json!("a")
        }),
        ("an item less", |body, _| {
            body["spec"]["ports"].as_array_mut().unwrap().pop();
        }),
        ("an item more", |body, _| {
            let ports = body["spec"]["ports"].as_array_mut().unwrap();
            ports.push(json!({"name": "more", "port": 81}));
        }),
        ("the order", |body, _| {
            body["spec"]["ports"].as_array_mut().unwrap().reverse()
        }),
        ("another item", |body, _| {
            body["spec"]["ports"][0]["port"] = json!(81)
        }),
        ("a null", |body, _| body["spec"]["clusterIP"] = Value::Null),
        ("a null in place of a value", |body, live| {
            body["spec"]["selector"] = Value::Null;
            live["spec"]["selector"] = Value::Null;
        }),
        ("another version", |body, live| {
            body["apiVersion"] = json!("v2");
            live["apiVersion"] = json!("v2");
        }),
        ("a changed object", |_, live| {
            live["metadata"]["labels"]["app"] = json!("api")
        }),
        ("a removed field", |_, live| {
            live["spec"].as_object_mut().unwrap().remove("selector");
        }),
        ("a field that another has taken", |_, live| {
            let fields = &mut live["metadata"]["managedFields"][0]["fieldsV1"];
            fields["f:spec"]
                .as_object_mut()
                .unwrap()
                .remove("f:selector");
        }),
        ("an object of nobody", |_, live| {
            live["metadata"]["managedFields"] = json!([]);
        }),
        ("an object of another", |_, live| {
            live["metadata"]["managedFields"][0]["manager"] = json!("helm");
        }),
        ("fields that are to be taken over", |_, live| {
            let old = json!({"manager": "kubectl-client-side-apply", "operation": "Update",
                "apiVersion": "v1", "fieldsV1": {"f:spec": {"f:type": {}}}});
            let managed = live["metadata"]["managedFields"].as_array_mut().unwrap();
            managed.push(old);
        }),
    ];
    for (what, change) in rows {
        let (mut body, mut live) = service();
        change(&mut body, &mut live);
        assert!(!is_repetition(&body, &live), "{what}");
    }
}
