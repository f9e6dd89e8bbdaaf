use super::*;
use serde_json::json;

fn object(api_version: &str, kind: &str, value: Value) -> Object {
    Object {
        api_version: api_version.to_owned(),
        kind: kind.to_owned(),
        name: "x".to_owned(),
        namespace: None,
        place: "k8s/x.yaml".to_owned(),
        value,
    }
}

#[test]
fn a_definition_among_the_manifests_tells_plural_and_scope_of_each_version() {
    let spec = json!({"group": "example.com", "scope": "Cluster",
        "names": {"kind": "Zone", "plural": "zones"},
        "versions": [{"name": "v1"}, {"name": "v1beta1"}]});
    let mut kinds = Kinds::default();
    kinds.define(&object(
        "apiextensions.k8s.io/v1",
        "CustomResourceDefinition",
        json!({"spec": spec}),
    ));
    for version in ["example.com/v1", "example.com/v1beta1"] {
        let zone = kinds.resource(version, "Zone").unwrap();
        assert_eq!((&*zone.name, zone.namespaced), ("zones.example.com", false));
    }
    assert_eq!(kinds.resource("example.com/v2", "Zone"), None);
    // Only a definition defines.
    let mut kinds = Kinds::default();
    kinds.define(&object("v1", "ConfigMap", json!({"spec": spec})));
    assert_eq!(kinds.resource("example.com/v1", "Zone"), None);
}

#[test]
fn what_the_cluster_serves_is_looked_up_without_the_parts_of_resources() {
    let list = json!({"kind": "APIResourceList", "resources": [
        {"name": "zones/status", "kind": "Zone", "namespaced": false},
        {"name": "zones", "kind": "Zone", "namespaced": true}]});
    let mut kinds = Kinds::default();
    kinds.look_up("example.com/v1", &list.to_string());
    let zone = kinds.resource("example.com/v1", "Zone").unwrap();
    assert_eq!((&*zone.name, zone.namespaced), ("zones.example.com", true));
    kinds.look_up("example.com/v2", "404 page not found");
    assert_eq!(kinds.resource("example.com/v2", "Zone"), None);
}

#[test]
fn the_core_group_is_at_another_path() {
    assert_eq!(path("v1"), "/api/v1");
    assert_eq!(path("example.com/v1"), "/apis/example.com/v1");
}
