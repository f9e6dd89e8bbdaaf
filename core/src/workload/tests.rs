use super::*;
use serde_json::{Value, json};

#[test]
fn absent_fields_are_states() {
    let empty = Workload::new(Kind::Deployment, json!({}));
    assert_eq!(empty.name(), "");
    assert_eq!(empty.generation(), 0);
    assert_eq!(empty.replicas(), 1);
    assert_eq!(empty.total_replicas(), 0);
    assert_eq!(empty.condition("Progressing"), None);
    assert!(empty.containers("containers").is_empty());
    assert!(!empty.is_paused() && !empty.is_being_deleted());
    assert_eq!(empty.selector(), "");
    for hostile in [json!(null), json!([1]), json!("x"), json!({"spec": 3})] {
        assert_eq!(Workload::new(Kind::Deployment, hostile).replicas(), 1);
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
        let deployment = Workload::new(Kind::Deployment, json!({"spec": {"selector": selector}}));
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
        let deployment = Workload::new(Kind::Deployment, json!({"spec": spec}));
        assert_eq!(deployment.slack(), expected, "{spec}");
    }
}

#[test]
fn a_container_is_found_in_either_list() {
    let spec = json!({"containers": [{"name": "app"}], "initContainers": [{"name": "setup"}]});
    let deployment = Workload::new(
        Kind::Deployment,
        json!({"spec": {"template": {"spec": spec}}}),
    );
    for (name, expected) in [
        ("app", true),
        ("setup", true),
        ("", false),
        ("other", false),
    ] {
        assert_eq!(deployment.container(name).is_some(), expected, "{name}");
    }
}

#[test]
fn the_slack_of_a_kind_that_replaces_pods_in_place() {
    let sized = |kind: Kind, rolling: Value| {
        let object = json!({"spec": {"replicas": 10, "updateStrategy": {"rollingUpdate": rolling}},
            "status": {"desiredNumberScheduled": 10}});
        Workload::new(kind, object).slack()
    };
    for (kind, rolling, expected) in [
        (Kind::StatefulSet, json!(null), 1),
        (Kind::StatefulSet, json!({"partition": 3}), 1),
        (Kind::StatefulSet, json!({"maxUnavailable": 3}), 3),
        (Kind::StatefulSet, json!({"maxUnavailable": "15%"}), 2),
        (Kind::DaemonSet, json!(null), 1),
        (Kind::DaemonSet, json!({"maxUnavailable": "30%"}), 3),
        (
            Kind::DaemonSet,
            json!({"maxSurge": 2, "maxUnavailable": 0}),
            2,
        ),
    ] {
        assert_eq!(sized(kind, rolling.clone()), expected, "{rolling}");
    }
}

#[test]
fn a_kind_has_the_names_that_kubectl_takes() {
    for (name, expected) in [
        ("deployment", Some(Kind::Deployment)),
        ("deploy", Some(Kind::Deployment)),
        ("sts", Some(Kind::StatefulSet)),
        ("StatefulSet", Some(Kind::StatefulSet)),
        ("statefulsets.apps", Some(Kind::StatefulSet)),
        ("ds", Some(Kind::DaemonSet)),
        ("daemonsets", Some(Kind::DaemonSet)),
        ("jobs.batch", Some(Kind::Job)),
        ("replicaset", None),
        ("pod", None),
        ("", None),
    ] {
        assert_eq!(Kind::named(name), expected, "{name}");
    }
    assert_eq!(Kind::of("apps", "DaemonSet"), Some(Kind::DaemonSet));
    assert_eq!(Kind::of("batch", "Job"), Some(Kind::Job));
    assert_eq!(Kind::of("extensions", "DaemonSet"), None);
}
