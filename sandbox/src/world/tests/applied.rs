//! Server-side apply, discovery and custom resources, as a client meets them.

use super::*;

const APPLY: &str = "application/apply-patch+yaml";
const MAP: &str = "/api/v1/namespaces/default/configmaps/c";

fn map(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}, "data": data})
}

fn apply(world: &mut World, path: &str, query: &str, body: &Value) -> (u16, Value) {
    let path = format!("{path}?fieldValidation=Strict&{query}");
    ask(world, &request("PATCH", &path, APPLY, body), start())
}

fn managers(object: &Value) -> Vec<(&str, &str, String)> {
    let mut found = Vec::new();
    for it in object::list(object, "/metadata/managedFields") {
        let fields = it["fieldsV1"].to_string();
        found.push((text(it, "/manager"), text(it, "/operation"), fields));
    }
    found
}

#[test]
fn an_apply_creates_shares_conflicts_and_removes() {
    let mut world = World::new(TOKEN);
    let (status, body) = apply(
        &mut world,
        MAP,
        "fieldManager=a",
        &map(json!({"x": "1", "y": "2"})),
    );
    assert_eq!(status, 201, "{body}");
    let fields = r#"{"f:data":{"f:x":{},"f:y":{}}}"#.to_owned();
    assert_eq!(managers(&body), [("a", "Apply", fields)]);
    let version = body["metadata"]["resourceVersion"].clone();

    let (status, body) = apply(
        &mut world,
        MAP,
        "fieldManager=a",
        &map(json!({"x": "1", "y": "2"})),
    );
    assert_eq!(
        (status, &body["metadata"]["resourceVersion"]),
        (200, &version)
    );

    let (status, body) = apply(&mut world, MAP, "fieldManager=b", &map(json!({"x": "2"})));
    assert_eq!(status, 409);
    assert_eq!(
        body["message"],
        "Apply failed with 1 conflict: conflict with \"a\": .data.x"
    );
    assert_eq!(
        body["details"]["causes"],
        json!([{"reason": "FieldManagerConflict", "message": "conflict with \"a\"",
            "field": ".data.x"}])
    );
    let (status, body) = apply(
        &mut world,
        MAP,
        "fieldManager=b&force=true",
        &map(json!({"x": "2"})),
    );
    assert_eq!((status, &body["data"]), (200, &json!({"x": "2", "y": "2"})));

    let (_, body) = apply(&mut world, MAP, "fieldManager=a", &map(json!({})));
    assert_eq!(body["data"], json!({"x": "2"}), "b has x, nobody has y");
}

#[test]
fn an_unknown_field_is_the_servers_own_fault() {
    let mut world = World::new(TOKEN);
    let mut web = sample_deployment("web", "web:1");
    web["spec"]["template"]["spec"]["containers"][0]["imag"] = "x".into();
    let (status, body) = apply(&mut world, WEB, "fieldManager=a", &web);
    assert_eq!(status, 500);
    assert_eq!(
        body["message"],
        "failed to create typed patch object (default/web; apps/v1, Kind=Deployment): \
         .spec.template.spec.containers[name=\"app\"].imag: field not declared in schema"
    );
    let twice = br#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},
        "data":{"a":"1","a":"2"}}"#;
    let mut twice_applied = request("PATCH", MAP, APPLY, &Value::Null);
    twice_applied
        .path
        .push_str("?fieldManager=a&fieldValidation=Strict");
    twice_applied.body = twice.to_vec();
    let (status, body) = ask(&mut world, &twice_applied, start());
    assert_eq!(status, 400);
    assert!(
        text(&body, "/message").contains("key \"a\" already set"),
        "{body}"
    );
}

#[test]
fn a_deployment_that_was_posted_is_taken_over_by_its_managed_fields() {
    let (mut world, now) = settled();
    let live = get(&mut world, WEB, now).1;
    let mine = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "web:2"}]}}}});
    let (status, body) = apply(&mut world, WEB, "fieldManager=landfall", &mine);
    assert_eq!(status, 409);
    assert_eq!(
        body["details"]["causes"][0]["message"],
        "conflict with \"kubectl\" using apps/v1"
    );
    let mut entries = live["metadata"]["managedFields"].clone();
    let list = entries.as_array_mut().expect("entries");
    list.retain(|entry| entry["manager"] == "kubectl");
    list[0]["manager"] = "landfall".into();
    list[0]["operation"] = "Apply".into();
    let taken = json!([{"op": "replace", "path": "/metadata/managedFields", "value": entries}]);
    let (status, body) = patch(&mut world, JSON, taken, now);
    assert_eq!((status, managers(&body)[0].0), (200, "landfall"));
    let whole = sample_deployment("web", "web:2");
    let (status, body) = apply(&mut world, WEB, "fieldManager=landfall", &whole);
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        body["spec"]["template"]["spec"]["containers"][0]["image"],
        "web:2"
    );
}

#[test]
fn a_custom_resource_is_served_once_its_definition_is_established() {
    let mut world = World::new(TOKEN);
    let definition = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com";
    let widget = "/apis/example.com/v1/namespaces/default/widgets/w";
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "size": {"type": "integer"},
        "parts": {"type": "array", "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"], "items": {"type": "object",
                "properties": {"name": {"type": "string"}, "at": {"type": "string"}}}}}}}});
    let body = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced",
            "names": {"plural": "widgets", "singular": "widget", "kind": "Widget"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}}]}});
    assert_eq!(
        get(&mut world, widget, start()),
        (404, json!("404 page not found\n"))
    );
    assert_eq!(get(&mut world, "/apis/example.com/v1", start()).0, 404);
    let (status, created) = apply(&mut world, definition, "fieldManager=a", &body);
    assert_eq!(status, 201, "{created}");
    let now = world.settle(start());
    let (_, found) = get(&mut world, definition, now);
    assert_eq!(found["status"]["conditions"][1]["type"], "Established");
    let (_, list) = get(&mut world, "/apis/example.com/v1", start());
    assert_eq!(list["resources"][0]["name"], "widgets");
    let made = |at: &str| {
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w"},
            "spec": {"size": 1, "parts": [{"name": at, "at": at}]}})
    };
    assert_eq!(
        apply(&mut world, widget, "fieldManager=a", &made("left")).0,
        201
    );
    let (_, both) = apply(&mut world, widget, "fieldManager=b", &made("right"));
    assert_eq!(both["spec"]["parts"].as_array().map(Vec::len), Some(2));
    let mut wrong = made("left");
    wrong["spec"]["colour"] = "red".into();
    let (status, body) = apply(&mut world, widget, "fieldManager=a", &wrong);
    assert_eq!(status, 500, "{body}");
    assert_eq!(world.objects("widgets.example.com").len(), 1);
}

#[test]
fn what_cannot_be_changed_is_refused_in_the_words_of_the_server() {
    let mut world = World::new(TOKEN);
    let template = json!({"metadata": {"labels": {"a": "b"}},
        "spec": {"containers": [{"name": "c", "image": "i"}]}});
    let set = |service: &str| {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "s"},
            "spec": {"serviceName": service, "selector": {"matchLabels": {"a": "b"}},
                "template": template}})
    };
    let map = |value: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"},
            "immutable": true, "data": {"a": value}})
    };
    let group = "rbac.authorization.k8s.io";
    let binding = |role: &str| {
        json!({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
            "metadata": {"name": "b:c"},
            "roleRef": {"apiGroup": group, "kind": "Role", "name": role}})
    };
    let service = |address: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "v"},
            "spec": {"ports": [{"port": 80}], "clusterIP": address}})
    };
    let spaces = "namespaces/default";
    let rows = [
        (
            format!("/apis/apps/v1/{spaces}/statefulsets/s"),
            set("x"),
            set("y"),
            "spec",
        ),
        (MAP.to_owned(), map("1"), map("2"), "data"),
        (
            format!("/apis/{group}/v1/{spaces}/rolebindings/b:c"),
            binding("x"),
            binding("y"),
            "roleRef",
        ),
        (
            format!("/api/v1/{spaces}/services/v"),
            service("10.0.0.1"),
            service("10.0.0.2"),
            "spec.clusterIPs[0]",
        ),
    ];
    for (path, before, after, field) in rows {
        let (status, body) = apply(&mut world, &path, "fieldManager=a", &before);
        assert_eq!(status, 201, "{path}: {body}");
        let (status, body) = apply(&mut world, &path, "fieldManager=a", &after);
        assert_eq!(status, 422, "{path}: {body}");
        assert_eq!(body["details"]["causes"][0]["field"], field, "{path}");
    }
    let large = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "d"},
        "data": {"a": "x".repeat(1024 * 1024 + 1)}});
    let path = "/api/v1/namespaces/default/configmaps/d";
    let (status, body) = apply(&mut world, path, "fieldManager=a", &large);
    assert_eq!(status, 422);
    let message = text(&body, "/message");
    assert!(message.contains("may not be more than 1048576 bytes"));
}

#[test]
fn nothing_new_comes_into_a_namespace_that_ends_or_is_not_there() {
    let mut world = World::new(TOKEN);
    let body = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}});
    let path = "/api/v1/namespaces/nix/configmaps/c";
    let (status, refusal) = apply(&mut world, path, "fieldManager=a", &body);
    assert_eq!(status, 404);
    assert_eq!(refusal["message"], "namespaces \"nix\" not found");
    let ends = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "nix"}});
    world.apply(ends, start());
    let space = world.object("namespaces", "", "nix").cloned();
    let mut space = space.expect("it is there");
    space["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z".into();
    world.write(&store::Key::new("namespaces", "", "nix"), space);
    let (status, refusal) = apply(&mut world, path, "fieldManager=a", &body);
    assert_eq!(status, 403);
    assert_eq!(
        refusal["details"]["causes"][0]["reason"],
        "NamespaceTerminating"
    );
}

#[test]
fn a_secret_of_texts_and_a_scale_are_kept_as_the_server_keeps_them() {
    let (mut world, now) = settled();
    let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"},
        "stringData": {"a": "1"}});
    let path = "/api/v1/namespaces/default/secrets/s";
    let path = format!("{path}?fieldManager=a");
    let (_, body) = ask(&mut world, &request("PATCH", &path, APPLY, &secret), now);
    assert_eq!(body["data"], json!({"a": "MQ=="}));
    assert_eq!(body["type"], "Opaque");
    assert!(body.get("stringData").is_none());
    let scale = format!("{WEB}/scale?fieldManager=hpa");
    let five = json!({"spec": {"replicas": 5}});
    let (status, _) = ask(&mut world, &request("PATCH", &scale, MERGE, &five), now);
    assert_eq!(status, 200);
    let (_, live) = get(&mut world, WEB, now);
    let entries = object::list(&live, "/metadata/managedFields");
    let mut scales = entries.iter().filter(|it| it["subresource"] == "scale");
    let entry = scales.next().expect("an entry of the scale");
    assert_eq!(entry["fieldsV1"], json!({"f:spec": {"f:replicas": {}}}));
    assert!(entry.get("time").is_none());
}
