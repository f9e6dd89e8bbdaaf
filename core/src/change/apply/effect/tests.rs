use super::*;
use crate::state::marks::{PART_OF, RELEASE};

fn object(entries: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c", "generation": 1,
        "resourceVersion": "1", "managedFields": entries}, "data": {"a": "1"},
        "status": {"phase": "x"}})
}

fn entry(manager: &str, operation: &str, fields: Value) -> Value {
    json!({"manager": manager, "operation": operation, "apiVersion": "v1", "time": "2026",
        "fieldsV1": fields})
}

#[test]
fn a_write_is_needed_where_the_object_or_its_owner_would_change() {
    let ours = || json!([entry("landfall", "Apply", json!({"f:data": {"f:a": {}}}))]);
    let with = |pointer: &str, value: Value| {
        let mut object = object(ours());
        *object.pointer_mut(pointer).unwrap() = value;
        object
    };
    let labelled = {
        let mut object = object(ours());
        object["metadata"]["labels"] = json!({PART_OF: "x"});
        object
    };
    let annotated = |name: &str| {
        let mut object = object(ours());
        object["metadata"]["annotations"] = json!({name: "1"});
        object
    };
    let more = json!([entry(
        "landfall",
        "Apply",
        json!({"f:data": {"f:a": {}, "f:b": {}}})
    )]);
    let others = json!([entry(
        "kubectl-edit",
        "Update",
        json!({"f:data": {"f:a": {}}})
    )]);
    let sets_status = json!([entry(
        "landfall",
        "Apply",
        json!({"f:status": {"f:phase": {}}})
    )]);
    let stated = |phase: &str| {
        let mut object = object(sets_status.clone());
        object["status"]["phase"] = json!(phase);
        object
    };
    let later = |mut object: Value| {
        object["metadata"]["managedFields"][0]["time"] = json!("2027");
        object
    };
    let old = json!([
        entry("landfall", "Apply", json!({"f:data": {"f:a": {}}})),
        entry("landfall", "Update", json!({"f:data": {"f:z": {}}})),
    ]);
    for (live, tried, expected) in [
        (object(ours()), object(ours()), false),
        (object(ours()), later(object(ours())), false),
        (
            object(ours()),
            with("/metadata/resourceVersion", json!("2")),
            false,
        ),
        (
            object(ours()),
            with("/metadata/generation", json!(2)),
            false,
        ),
        (object(ours()), with("/status/phase", json!("y")), false),
        (object(ours()), with("/data/a", json!("2")), true),
        (
            object(ours()),
            annotated("deployment.kubernetes.io/revision"),
            false,
        ),
        (object(ours()), annotated("note"), true),
        (object(ours()), labelled.clone(), true),
        // Adopted: nothing changes but the owner.
        (object(others.clone()), object(ours()), true),
        (object(json!([])), object(ours()), true),
        (object(ours()), object(more.clone()), true),
        (object(more), object(ours()), true),
        // A claim of another workload is not ours.
        (
            object(ours()),
            {
                let mut tried = object(ours());
                let entries = tried["metadata"]["managedFields"].as_array_mut().unwrap();
                entries.extend(others.as_array().unwrap().clone());
                tried
            },
            false,
        ),
        // Something is to be taken over.
        (object(old.clone()), object(old), true),
        (stated("x"), stated("x"), false),
        (stated("x"), stated("y"), true),
    ] {
        assert_eq!(needs_write(&live, &tried), expected, "{live} {tried}");
    }
}

#[test]
fn whose_it_is_is_no_change_to_tell() {
    let live = object(json!([]));
    let mut tried = live.clone();
    tried["metadata"]["labels"] = json!({PART_OF: "x"});
    tried["metadata"]["annotations"] = json!({RELEASE: "shop/web"});
    assert_eq!(change(Some(&live), &tried), Difference::default());
    tried["data"]["a"] = json!("2");
    assert_eq!(change(Some(&live), &tried).lines, ["data.a: 1 → 2"]);
    assert!(
        change(None, &tried)
            .lines
            .contains(&"+ data.a: 2".to_owned())
    );
}

#[test]
fn what_the_takeover_lets_go_is_told() {
    const LAST: &str = "kubectl.kubernetes.io/last-applied-configuration";
    let note = format!("f:{LAST}");
    let applied = json!({"f:data": {".": {}, "f:a": {}, "f:b": {}, "f:c": {}, "f:default": {}},
        "f:atomic": {},
        "f:metadata": {"f:annotations": {".": {}, (note): {}}}});
    let mut live = object(json!([
        entry("kubectl-client-side-apply", "Update", applied),
        entry("kubectl-edit", "Update", json!({"f:data": {"f:c": {}}})),
    ]));
    live["data"] = json!({"a": "1", "b": "2", "c": "3", "default": "4"});
    live["atomic"] = json!({"x": "y"});
    let last = json!({"data": {"a": "1", "b": "2", "c": "3"}, "atomic": {"x": "y"}});
    live["metadata"]["annotations"] = json!({LAST: last.to_string()});
    let mut tried = live.clone();
    tried["data"]["a"] = json!("9");
    let ours = entry("landfall", "Apply", json!({"f:data": {"f:a": {}}}));
    tried["metadata"]["managedFields"][0] = ours;
    let told = change(Some(&live), &tried).lines;
    assert_eq!(
        told,
        ["- atomic: {\"x\":\"y\"}", "data.a: 1 → 9", "- data.b: 2"]
    );
}

#[test]
fn what_our_own_patches_wrote_is_told_and_defaults_are_not() {
    let patched = json!({"f:data": {".": {}, "f:a": {}, "f:b": {}}, "f:spec": {
        "f:revisionHistoryLimit": {}, "f:nodeSelector": {},
        "f:strategy": {".": {}, "f:type": {}}}});
    let mut live = object(json!([entry("landfall", "Update", patched)]));
    live["data"]["b"] = json!("2");
    live["spec"] = json!({"revisionHistoryLimit": 10, "nodeSelector": {"disk": "ssd"},
        "strategy": {"type": "RollingUpdate"}});
    let mut tried = live.clone();
    let ours = entry("landfall", "Apply", json!({"f:data": {"f:a": {}}}));
    tried["metadata"]["managedFields"] = json!([ours]);
    let told = change(Some(&live), &tried).lines;
    assert_eq!(
        told,
        ["- data.b: 2", "- spec.nodeSelector: {\"disk\":\"ssd\"}"]
    );
}
