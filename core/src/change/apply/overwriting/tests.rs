use super::{FieldConflict, OtherWriter, Owner, PART_OF, RELEASE, changed_after_us};
use crate::kubernetes::object_id::group_of;
use serde_json::{Value, json};

/// By the group of what was applied.
fn overwritten(applied: &Value, live: &Value, owner: &Owner) -> Option<OtherWriter> {
    let group = group_of(applied["apiVersion"].as_str().unwrap());
    super::overwritten(group, || applied.clone(), live, owner)
}

fn owner() -> Owner {
    Owner {
        id: "applyset-ours-v1".to_owned(),
        release: "prod/shop".to_owned(),
    }
}

fn entry(manager: &str, operation: &str, time: &str, fields: Value) -> Value {
    json!({"manager": manager, "operation": operation, "apiVersion": "v1", "time": time,
        "fieldsType": "FieldsV1", "fieldsV1": fields})
}

fn ours(fields: Value) -> Value {
    entry("landfall", "Apply", "2026-01-01T00:00:10Z", fields)
}

fn metadata(managers: &[Value]) -> Value {
    json!({"name": "settings", "managedFields": managers,
        "labels": {PART_OF: "applyset-ours-v1"}, "annotations": {RELEASE: "prod/shop"}})
}

fn config(data: Value, managers: &[Value]) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "data": data,
        "metadata": metadata(managers)})
}

fn applied() -> Value {
    config(json!({"LEVEL": "info", "MODE": "fast"}), &[])
}

fn both() -> Value {
    json!({"f:data": {"f:LEVEL": {}, "f:MODE": {}}})
}

#[test]
fn what_another_manager_has_taken_is_theirs() {
    for name in [
        "kubectl-edit",
        "kubectl-client-side-apply",
        "landfall",
        "argocd-controller",
    ] {
        let live = config(
            json!({"LEVEL": "debug", "MODE": "fast"}),
            &[
                ours(json!({"f:data": {"f:MODE": {}}})),
                entry(
                    name,
                    "Update",
                    "2026-01-01T00:00:11Z",
                    json!({"f:data": {"f:LEVEL": {}}}),
                ),
            ],
        );
        let expected = OtherWriter::Manager(FieldConflict {
            field: "data.LEVEL".to_owned(),
            manager: name.to_owned(),
        });
        assert_eq!(overwritten(&applied(), &live, &owner()), Some(expected));
    }
}

#[test]
fn an_image_is_named_with_its_container() {
    let applied = json!({"apiVersion": "apps/v1", "spec": {"template": {"spec": {"containers":
        [{"name": "app", "image": "web:2"}]}}}});
    let image = json!({"f:spec": {"f:template": {"f:spec": {"f:containers": {
        "k:{\"name\":\"app\"}": {"f:image": {}}}}}}});
    let managers = [ours(json!({})), entry("kubectl-set", "Update", "", image)];
    let live = json!({"metadata": metadata(&managers)});
    let Some(OtherWriter::Manager(found)) = overwritten(&applied, &live, &owner()) else {
        panic!("nobody");
    };
    assert_eq!(
        found.field,
        "spec.template.spec.containers[name=\"app\"].image"
    );
}

#[test]
fn a_key_that_is_gone_was_removed_by_somebody() {
    let live = config(
        json!({"MODE": "fast"}),
        &[ours(json!({"f:data": {"f:MODE": {}}}))],
    );
    let removed = OtherWriter::Removed("data.LEVEL".to_owned());
    assert_eq!(overwritten(&applied(), &live, &owner()), Some(removed));
    let mut live = config(json!({"LEVEL": "info", "MODE": "fast"}), &[ours(both())]);
    live["metadata"]["labels"] = json!({});
    let Some(OtherWriter::Removed(field)) = overwritten(&applied(), &live, &owner()) else {
        panic!("nothing");
    };
    assert!(field.starts_with("metadata.labels."), "{field}");
}

#[test]
fn another_release_has_taken_it_over() {
    let mut live = applied();
    live["metadata"]["labels"] = json!({PART_OF: "applyset-theirs-v1"});
    live["metadata"]["annotations"] = json!({RELEASE: "prod/other"});
    let other = OtherWriter::Release("prod/other".to_owned());
    assert_eq!(overwritten(&applied(), &live, &owner()), Some(other));
}

/// What others add, share, or write by way of a subresource leaves what we applied as it is.
#[test]
fn what_nobody_took_is_ours() {
    let data = json!({"LEVEL": "info", "MODE": "fast", "ADDED": "by them"});
    let time = "2026-01-01T00:00:20Z";
    let added = entry(
        "kubectl-edit",
        "Update",
        time,
        json!({"f:data": {"f:ADDED": {}}}),
    );
    let shared = entry("kubectl-edit", "Update", time, both());
    let whole = entry(
        "kubectl-create",
        "Update",
        time,
        json!({"f:data": {".": {}}}),
    );
    let mut scaled = entry(
        "kubectl",
        "Update",
        time,
        json!({"f:data": {"f:LEVEL": {}}}),
    );
    scaled["subresource"] = json!("scale");
    let controller = entry("kube-controller-manager", "Update", time, both());
    for other in [added, shared, whole] {
        let live = config(data.clone(), &[ours(both()), other]);
        assert_eq!(overwritten(&applied(), &live, &owner()), None, "{live}");
    }
    for other in [scaled, controller] {
        let live = config(data.clone(), &[ours(json!({})), other]);
        assert_eq!(overwritten(&applied(), &live, &owner()), None, "{live}");
    }
}

/// Controllers put certificates into webhooks, and operators change their own resources.
#[test]
fn what_controllers_are_there_for_is_no_change() {
    let bundle = json!({"f:webhooks": {"k:{\"name\":\"w\"}": {"f:failurePolicy": {}}}});
    for version in ["admissionregistration.k8s.io/v1", "example.com/v1"] {
        let applied = json!({"apiVersion": version,
            "webhooks": [{"name": "w", "failurePolicy": "Ignore"}]});
        let managers = [
            ours(json!({})),
            entry("pilot-discovery", "Update", "", bundle.clone()),
        ];
        let live = json!({"metadata": metadata(&managers)});
        assert_eq!(overwritten(&applied, &live, &owner()), None, "{version}");
    }
}

#[test]
fn who_changed_an_object_later_is_told_by_the_clock_of_the_server() {
    let data = json!({"f:data": {"f:ADDED": {}}});
    let label = json!({"f:metadata": {"f:labels": {"f:seen": {}}}});
    let by = |manager: &str, time: &str, fields: &Value| {
        let other = entry(manager, "Update", time, fields.clone());
        changed_after_us(&config(json!({}), &[ours(both()), other]))
    };
    let later = "2026-01-01T00:00:20Z";
    assert_eq!(
        by("kubectl-edit", later, &data).as_deref(),
        Some("kubectl-edit")
    );
    assert_eq!(by("kubectl-edit", "2026-01-01T00:00:05Z", &data), None);
    assert_eq!(by("kubectl-label", later, &label), None);
    assert_eq!(by("kube-controller-manager", later, &data), None);
}
