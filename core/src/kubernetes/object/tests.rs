use super::*;
use serde_json::json;

#[test]
fn absent_fields_are_states() {
    let empty = Deployment::new(json!({}));
    assert_eq!(empty.name(), "");
    assert_eq!(empty.generation(), 0);
    assert_eq!(empty.replicas(), 1);
    assert_eq!(empty.total_replicas(), 0);
    assert_eq!(empty.condition("Progressing"), None);
    assert!(empty.containers("containers").is_empty());
    assert!(!empty.is_paused() && !empty.is_being_deleted());
    assert_eq!(empty.selector(), "");
    for hostile in [json!(null), json!([1]), json!("x"), json!({"spec": 3})] {
        assert_eq!(Deployment::new(hostile.clone()).replicas(), 1);
        assert_eq!(ReplicaSet::read(&hostile), ReplicaSet::default());
    }
}

#[test]
fn a_selector_is_written_as_the_api_reads_it() {
    let cases = [
        (json!({"matchLabels": {"app": "web"}}), "app=web"),
        (
            json!({"matchLabels": {"b": "2", "a": "1"}, "matchExpressions": [
                    {"key": "tier", "operator": "In", "values": ["x", "y"]},
                    {"key": "old", "operator": "DoesNotExist"},
                    {"key": "new", "operator": "Exists"},
                    {"key": "env", "operator": "NotIn", "values": ["dev"]}]}),
            "a=1,b=2,tier in (x,y),!old,new,env notin (dev)",
        ),
        (json!({}), ""),
    ];
    for (selector, expected) in cases {
        let deployment = Deployment::new(json!({"spec": {"selector": selector}}));
        assert_eq!(deployment.selector(), expected);
    }
}

#[test]
fn the_digest_ignores_the_controllers_label_and_nothing_else() {
    let plain = json!({"metadata": {"labels": {"app": "web"}}, "spec": {"a": 1}});
    let mut labelled = plain.clone();
    labelled["metadata"]["labels"]["pod-template-hash"] = json!("abc");
    let mut other = plain.clone();
    other["spec"]["a"] = json!(2);
    assert_eq!(template_digest(&plain), template_digest(&labelled));
    assert_ne!(template_digest(&plain), template_digest(&other));
}

#[test]
fn the_newest_is_the_highest_revision_of_our_own() {
    let deployment = Deployment::new(json!({"metadata": {"uid": "u1"}}));
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
fn the_slack_is_what_may_be_too_many_or_missing() {
    let default = json!({});
    let rolling = |surge: Value, missing: Value| json!({"rollingUpdate": {"maxSurge": surge, "maxUnavailable": missing}});
    for (replicas, strategy, expected) in [
        (2, default.clone(), 1),
        (4, default.clone(), 2),
        (5, default.clone(), 3),
        (0, default, 1),
        (5, rolling(json!(2), json!("20%")), 3),
        (5, rolling(json!("100%"), json!(0)), 5),
        (5, rolling(json!(0), json!("1%")), 1),
        (5, rolling(json!(null), json!("odd")), 3),
        (5, json!({"type": "Recreate"}), 5),
    ] {
        let spec = json!({"replicas": replicas, "strategy": strategy});
        let deployment = Deployment::new(json!({"spec": spec}));
        assert_eq!(deployment.slack(), expected, "{spec}");
    }
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
    let deployment = Deployment::new(json!({"metadata": {"uid": "u1"}}));
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
        template_of(&set(nameless), &Deployment::new(json!({}))),
        None
    );
}

#[test]
fn a_container_is_found_in_either_list() {
    let spec = json!({"containers": [{"name": "app"}], "initContainers": [{"name": "setup"}]});
    let deployment = Deployment::new(json!({"spec": {"template": {"spec": spec}}}));
    for (name, expected) in [
        ("app", true),
        ("setup", true),
        ("", false),
        ("other", false),
    ] {
        assert_eq!(deployment.container(name).is_some(), expected, "{name}");
    }
}
