//! The `managedFields` are those that Kubernetes 1.35 keeps.

use super::*;
use proptest::prelude::*;

/// A Deployment that `kubectl apply` created; its fields are cut down to a few.
fn client_side() -> Value {
    json!({"apiVersion": "apps/v1", "fieldsType": "FieldsV1", "manager": CLIENT_SIDE,
        "operation": "Update", "time": "2026-11-28T23:03:29Z", "fieldsV1": {
            "f:metadata": {"f:annotations": {".": {}, (LAST_APPLIED_PATH[2]): {}},
                "f:labels": {".": {}, "f:team": {}}},
            "f:spec": {"f:minReadySeconds": {}, "f:replicas": {}}}})
}

fn scaled(manager: &str) -> Value {
    json!({"apiVersion": "apps/v1", "fieldsType": "FieldsV1", "manager": manager,
        "operation": "Update", "subresource": "scale", "fieldsV1": {"f:spec": {"f:replicas": {}}}})
}

fn controller() -> Value {
    json!({"apiVersion": "apps/v1", "fieldsType": "FieldsV1", "manager": "kube-controller-manager",
        "operation": "Update", "subresource": "status", "fieldsV1": {"f:status": {}}})
}

fn entry(manager: &str, operation: &str, version: &str, fields: Value) -> Value {
    json!({"apiVersion": version, "fieldsType": "FieldsV1", "manager": manager,
        "operation": operation, "time": "2026-11-28T23:00:00Z", "fieldsV1": fields})
}

fn live(managed: &[Value]) -> Value {
    json!({"metadata": {"resourceVersion": "7", "managedFields": managed}})
}

/// The entries after the takeover; `None` where nothing is taken over.
fn taken(managed: &[Value]) -> Option<Value> {
    let patch = takeover(&live(managed))?;
    assert_eq!(
        patch[1],
        json!({"op": "replace", "path": "/metadata/resourceVersion", "value": "7"})
    );
    assert_eq!(patch[0]["path"], "/metadata/managedFields");
    Some(patch[0]["value"].clone())
}

#[test]
fn client_side_apply_becomes_our_entry() {
    let mut ours = client_side();
    ours["manager"] = json!("landfall");
    ours["operation"] = json!("Apply");
    assert_eq!(
        taken(&[scaled("kubectl"), controller(), client_side()]),
        Some(json!([scaled("kubectl"), controller(), ours]))
    );
}

#[test]
fn our_entry_alone_is_noted_in_another_version() {
    let of = |version: &str| {
        entry(
            "landfall",
            "Apply",
            version,
            json!({"f:spec": {"f:size": {}}}),
        )
    };
    let other = entry(
        "operator",
        "Apply",
        "example.com/v1alpha1",
        json!({"f:status": {}}),
    );
    let object = live(&[of("example.com/v1alpha1"), other.clone()]);
    let patch = takeover_into(&object, "example.com/v1").unwrap();
    assert_eq!(patch[0]["value"], json!([of("example.com/v1"), other]));
    assert_eq!(patch[1]["value"], "7");
    assert_eq!(
        takeover_into(&live(&[of("example.com/v1")]), "example.com/v1"),
        None
    );
}

#[test]
fn what_is_nobodys_predecessor_stays() {
    for managed in [
        vec![],
        vec![controller(), scaled("kubectl"), scaled("landfall")],
        vec![entry("landfall", "Apply", "v1", json!({"f:data": {}}))],
        vec![entry("kubectl", "Apply", "v1", json!({"f:data": {}}))],
        vec![entry("kubectl-edit", "Update", "v1", json!({"f:data": {}}))],
    ] {
        assert_eq!(takeover(&live(&managed)), None, "{managed:?}");
    }
    assert_eq!(takeover(&json!({})), None);
}

#[test]
fn whoever_wrote_the_annotation_is_client_side_apply() {
    let annotated = json!({"f:data": {"f:a": {}}, "f:metadata": {"f:annotations":
        {(LAST_APPLIED_PATH[2]): {}}}});
    // All its Update entries are taken, and no other operation.
    let managed = [
        entry("deployer", "Update", "v1", json!({"f:data": {"f:b": {}}})),
        entry("deployer", "Update", "v1", annotated.clone()),
        entry("deployer", "Apply", "v1", json!({"f:data": {"f:c": {}}})),
    ];
    let mut united = annotated.clone();
    united["f:data"] = json!({"f:a": {}, "f:b": {}});
    assert_eq!(
        taken(&managed),
        Some(json!([
            entry("landfall", "Apply", "v1", united),
            entry("deployer", "Apply", "v1", json!({"f:data": {"f:c": {}}})),
        ]))
    );
    // An Apply entry with the annotation is kubectl's own note.
    let noted = [entry("kubectl-last-applied", "Apply", "v1", annotated)];
    assert_eq!(taken(&noted), None);
}

#[test]
fn our_own_patches_are_united_with_our_entry() {
    let managed = [
        entry(
            "landfall",
            "Apply",
            "apps/v1",
            json!({"f:spec": {"f:replicas": {}}}),
        ),
        entry(
            "landfall",
            "Update",
            "apps/v1",
            json!({"f:spec": {"f:paused": {}}}),
        ),
    ];
    let both = json!({"f:spec": {"f:paused": {}, "f:replicas": {}}});
    let expected = json!([entry("landfall", "Apply", "apps/v1", both)]);
    assert_eq!(taken(&managed), Some(expected.clone()));
    // Once more there is nothing to do.
    assert_eq!(taken(expected.as_array().unwrap()), None);
}

#[test]
fn another_version_is_dropped_and_not_united() {
    let managed = [
        entry(
            "landfall",
            "Apply",
            "apps/v1",
            json!({"f:spec": {"f:replicas": {}}}),
        ),
        entry(
            CLIENT_SIDE,
            "Update",
            "extensions/v1beta1",
            json!({"f:spec": {"f:old": {}}}),
        ),
    ];
    let expected = entry(
        "landfall",
        "Apply",
        "apps/v1",
        json!({"f:spec": {"f:replicas": {}}}),
    );
    assert_eq!(taken(&managed), Some(json!([expected])));
}

/// The server invents an owner of all that was there, what controllers wrote as well.
#[test]
fn of_the_invented_manager_only_what_was_applied_is_taken() {
    let invented = json!({"f:metadata": {"f:annotations": {".": {}, (LAST_APPLIED_PATH[2]): {},
            "f:deployment.kubernetes.io/revision": {}}},
        "f:spec": {"f:minReadySeconds": {}, "f:volumeName": {}, "f:template": {"f:spec":
            {"f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:image": {}, "f:name": {},
                "f:imagePullPolicy": {}}}}}}});
    let managed = [
        entry(
            "landfall",
            "Apply",
            "apps/v1",
            json!({"f:spec": {"f:template": {}}}),
        ),
        entry(INVENTED, "Update", "apps/v1", invented),
    ];
    let mut object = live(&managed);
    let last = json!({"metadata": {"annotations": {}}, "spec": {"minReadySeconds": 3,
        "template": {"spec": {"containers": [{"name": "app", "image": "app:1"}]}}}});
    object["metadata"]["annotations"] = json!({LAST_APPLIED: last.to_string()});
    let united = json!({
        "f:metadata": {"f:annotations": {".": {}, (LAST_APPLIED_PATH[2]): {}}},
        "f:spec": {"f:minReadySeconds": {}, "f:template": {".": {}, "f:spec":
            {"f:containers": {"k:{\"name\":\"app\"}": {".": {}, "f:image": {}, "f:name": {}}}}}}});
    assert_eq!(
        takeover(&object).unwrap()[0]["value"],
        json!([entry("landfall", "Apply", "apps/v1", united)])
    );
    // Nothing tells what was applied: nothing becomes ours, and nobody else's.
    object["metadata"]["annotations"] = json!({});
    object["metadata"]["managedFields"][1]["fieldsV1"] = json!({"f:spec": {"f:volumeName": {}}});
    assert_eq!(takeover(&object).unwrap()[0]["value"], json!([managed[0]]));
}

#[test]
fn a_restart_becomes_nobodys() {
    let annotations = json!({".": {}, "f:kubectl.kubernetes.io/restartedAt": {}});
    let fields = json!({"f:spec": {"f:paused": {}, "f:template": {"f:metadata":
        {"f:annotations": annotations}}}});
    let ours = entry(
        "landfall",
        "Apply",
        "apps/v1",
        json!({"f:spec": {"f:paused": {}}}),
    );
    let managed = [entry("landfall", "Update", "apps/v1", fields)];
    assert_eq!(taken(&managed), Some(json!([ours])));
}

#[test]
fn conflicts_with_predecessors_are_known() {
    let object = live(&[
        client_side(),
        entry(
            "deployer",
            "Update",
            "v1",
            json!({
        "f:metadata": {"f:annotations": {(LAST_APPLIED_PATH[2]): {}}}}),
        ),
    ]);
    let conflict = |manager: &str| FieldConflict {
        field: "spec.replicas".to_owned(),
        manager: manager.to_owned(),
    };
    for (managers, expected) in [
        (&[CLIENT_SIDE, "landfall", "deployer", INVENTED][..], true),
        (&["landfall (scale)"], false),
        (&[CLIENT_SIDE, "kubectl-edit"], false),
    ] {
        let conflicts = managers.iter().map(|manager| conflict(manager));
        let conflicts = conflicts.collect::<Vec<_>>();
        assert_eq!(
            are_of_predecessors(&object, &conflicts),
            expected,
            "{managers:?}"
        );
    }
}

/// Any entries of few managers, operations, versions and fields.
fn entries_of_any() -> impl Strategy<Value = Vec<Value>> {
    let managers = prop::sample::select(vec![
        CLIENT_SIDE,
        INVENTED,
        FIELD_MANAGER,
        "kubectl-edit",
        "deployer",
    ]);
    let operations = prop::sample::select(vec!["Apply", "Update"]);
    let versions = prop::sample::select(vec!["apps/v1", "apps/v1beta1"]);
    let subresources = prop::sample::select(vec!["", "", "", "scale"]);
    let fields = prop::collection::btree_set("f:[abc]", 1..3);
    let one = (
        managers,
        operations,
        versions,
        subresources,
        fields,
        any::<bool>(),
    );
    let one = one.prop_map(|(manager, operation, version, subresource, names, noted)| {
        let names = names.into_iter().map(|name| (name, json!({})));
        let mut fields = json!({"f:spec": Value::Object(names.collect())});
        if noted {
            fields["f:metadata"] = json!({"f:annotations": {(LAST_APPLIED_PATH[2]): {}}});
        }
        let mut entry = entry(manager, operation, version, fields);
        if !subresource.is_empty() {
            entry["subresource"] = json!(subresource);
        }
        entry
    });
    // The server keeps one entry of a manager, operation, version and subresource.
    prop::collection::vec(one, 0..6).prop_map(|mut entries| {
        let mut seen = Vec::new();
        entries.retain(|entry| {
            let key = ["manager", "operation", "apiVersion", "subresource"];
            let key = key.map(|field| entry[field].clone());
            let is_new = !seen.contains(&key);
            seen.push(key);
            is_new
        });
        entries
    })
}

proptest! {
    #[test]
    fn a_takeover_loses_and_doubles_nothing(managed in entries_of_any()) {
        let mut object = live(&managed);
        let last = json!({"spec": {"a": 1, "b": 2, "c": 3}});
        object["metadata"]["annotations"] = json!({LAST_APPLIED: last.to_string()});
        let taken = managers(&managed);
        let is_taken = |entry: &&Value| {
            is_update(entry) && taken.iter().any(|name| name == manager(entry))
        };
        let after = folded(&object);
        // Nothing is left to take, and whoever is not taken keeps what it has.
        prop_assert!(!after.iter().any(|entry| is_taken(&entry)));
        for entry in managed.iter().filter(|entry| !is_taken(entry) && !is_ours(entry)) {
            prop_assert!(after.contains(entry));
        }
        // What was ours, and what was taken in our version, is ours; nothing else is.
        let ours = after.iter().filter(|entry| is_ours(entry)).collect::<Vec<_>>();
        let was_ours = managed.iter().find(|entry| is_ours(entry));
        let version = ours.first().map(|entry| entry["apiVersion"].clone());
        let expected = managed.iter().filter(|entry| is_taken(entry));
        let expected = expected.filter(|entry| Some(&entry["apiVersion"]) == version.as_ref());
        let expected = expected.chain(was_ours).map(owned).reduce(Fields::union);
        prop_assert_eq!(ours.first().map(|entry| owned(entry)), expected);
        object["metadata"]["managedFields"] = json!(after);
        prop_assert_eq!(takeover(&object), None);
    }
}
