use super::*;
use crate::workload::Kind;
use serde_json::json;

#[test]
fn absent_fields_are_states() {
    for hostile in [json!(null), json!([1]), json!("x"), json!({"spec": 3})] {
        assert_eq!(ReplicaSet::read(&hostile), ReplicaSet::default());
    }
}

#[test]
fn the_newest_is_the_highest_revision_of_our_own() {
    let deployment = Workload::new(Kind::Deployment, json!({"metadata": {"uid": "u1"}}));
    let set = |name: &str, owner: &str, revision| ReplicaSet {
        name: name.into(),
        owner: owner.into(),
        revision,
        ..ReplicaSet::default()
    };
    let sets = [set("a", "u1", 9), set("b", "u1", 10), set("c", "u2", 11)];
    assert_eq!(newest(&deployment, &sets).map(|set| &*set.name), Some("b"));
    assert_eq!(newest(&deployment, &sets[2..]), None);
}

#[test]
fn a_replica_set_that_cannot_create_pods_says_why() {
    let set = |conditions: Value| {
        ReplicaSet::read(&json!({"status": {"conditions": conditions}})).failure
    };
    let condition = |status: &str| {
        json!([{"type": "ReplicaFailure", "status": status, "message": "exceeded quota",
                "lastTransitionTime": "2026-01-01T00:00:00Z"}])
    };
    let since = timestamp("2026-01-01T00:00:00Z");
    assert_eq!(
        set(condition("True")),
        Some(("exceeded quota".into(), since))
    );
    assert_eq!(set(condition("False")), None);
    assert_eq!(set(json!([])), None);
    assert_eq!(set(json!(null)), None);
}

#[test]
fn the_template_to_return_to_is_one_of_our_own() {
    let deployment = Workload::new(Kind::Deployment, json!({"metadata": {"uid": "u1"}}));
    let template = json!({"spec": {"containers": []}});
    let set = |owners: Value| json!({"metadata": {"ownerReferences": owners}, "spec": {"template": template}});
    let ours = json!([{"uid": "u0", "controller": false}, {"uid": "u1", "controller": true}]);
    assert_eq!(template_of(&set(ours), &deployment), Some(template.clone()));
    for foreign in [
        json!([{"uid": "u2", "controller": true}]),
        json!([{"uid": "u1", "controller": false}]),
        json!([{"uid": "u1"}]),
        json!([]),
        json!(null),
    ] {
        assert_eq!(
            template_of(&set(foreign.clone()), &deployment),
            None,
            "{foreign}"
        );
    }
    let nameless = json!([{"uid": "", "controller": true}]);
    assert_eq!(
        template_of(&set(nameless), &Workload::new(Kind::Deployment, json!({}))),
        None
    );
}
