use super::notes::RESTARTED_AT;
use super::*;
use crate::state::marks::{
    CAUSE, CHANGE_CAUSE, COMMIT, DEPLOYED_AT, EXECUTION, GENERATION, JOB, PREVIOUS, ROLLED_BACK,
    SUPERSEDED,
};
use crate::tests::{self, author, merge, replica_set};
use crate::workload::Kind;
use serde_json::Map;

const NOW: &str = "2026-01-01T00:00:00Z";

fn request(mut fields: Value) -> Request {
    fields["deployment"] = json!("web");
    tests::request("job-2", &fields)
}

/// A Deployment with two containers and an init container, as the server has it.
fn live_object() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "namespace": "default", "uid": "uid-1",
                "resourceVersion": "41", "generation": 3,
                "annotations": {"deployment.kubernetes.io/revision": "7", "team": "shop"}},
            "spec": {"replicas": 4, "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {
                    "initContainers": [{"name": "migrate", "image": "migrate:1"}],
                    "containers": [
                        {"name": "app", "image": "app:1", "env": [
                            {"name": "MODE", "value": "live"},
                            {"name": "EMPTY"},
                            {"name": "FROM", "valueFrom": {"fieldRef": {}}}]},
                        {"name": "proxy", "image": "proxy:1"}]}}},
            "status": {"observedGeneration": 3}})
}

/// The live Deployment with some fields that differ, merged as RFC 7396 has it.
fn live(changes: Value) -> Workload {
    let mut object = live_object();
    merge(&mut object, &changes);
    Workload::new(Kind::Deployment, object)
}

fn set(name: &str, revision: u64, available: i64) -> ReplicaSet {
    replica_set(name, "uid-1", revision, available)
}

fn planned(fields: Value, live: &Workload, autoscaled: bool) -> Result<Change, Vec<Fault>> {
    let sets = [set("web-7", 7, 4)];
    plan(&request(fields), live, &sets, autoscaled, &author())
}

fn patched(fields: Value, autoscaled: bool) -> Value {
    match planned(fields, &live(json!({})), autoscaled) {
        Ok(Change::Patch(patch)) => patch,
        other => panic!("no patch, but {other:?}"),
    }
}

fn put_object(fields: Value, live: &Workload, autoscaled: bool) -> Value {
    match planned(fields, live, autoscaled) {
        Ok(Change::Put(object)) => object,
        other => panic!("no put, but {other:?}"),
    }
}

#[test]
fn a_patch_names_only_what_differs() {
    let app = |fields: Value| json!({"containers": [fields]});
    let cases = [
        (
            "an image",
            json!({"images": {"app": "app:2"}}),
            app(json!({"name": "app", "image": "app:2"})),
        ),
        (
            "one image of two differs",
            json!({"images": {"app": "app:1", "proxy": "proxy:2"}}),
            app(json!({"name": "proxy", "image": "proxy:2"})),
        ),
        (
            "an init container's image",
            json!({"images": {"migrate": "migrate:2"}}),
            json!({"initContainers": [{"name": "migrate", "image": "migrate:2"}]}),
        ),
        (
            "a new variable goes into every container but the init containers",
            json!({"env": {"NEW": "1"}}),
            json!({"containers": [
                    {"name": "app", "env": [{"name": "NEW", "value": "1"}]},
                    {"name": "proxy", "env": [{"name": "NEW", "value": "1"}]}]}),
        ),
        (
            "a variable of one container",
            json!({"env": {"NEW": "1"}, "container": "proxy"}),
            app(json!({"name": "proxy", "env": [{"name": "NEW", "value": "1"}]})),
        ),
        (
            "a variable of an init container",
            json!({"env": {"NEW": "1"}, "container": "migrate"}),
            json!({"initContainers": [
                    {"name": "migrate", "env": [{"name": "NEW", "value": "1"}]}]}),
        ),
        (
            "a variable that one container has already",
            json!({"env": {"MODE": "live"}}),
            app(json!({"name": "proxy", "env": [{"name": "MODE", "value": "live"}]})),
        ),
        (
            "another value",
            json!({"env": {"MODE": "test"}, "container": "app"}),
            app(json!({"name": "app", "env": [{"name": "MODE", "value": "test"}]})),
        ),
        (
            "a removal only where there is something",
            json!({"env": {"MODE": null, "NEVER": null}}),
            app(json!({"name": "app", "env": [{"name": "MODE", "$patch": "delete"}]})),
        ),
        (
            "a value instead of a reference",
            json!({"env": {"FROM": "here"}, "container": "app"}),
            app(json!({"name": "app", "env": [
                    {"name": "FROM", "value": "here", "valueFrom": null}]})),
        ),
        (
            "a reference is removed",
            json!({"env": {"FROM": null}}),
            app(json!({"name": "app", "env": [{"name": "FROM", "$patch": "delete"}]})),
        ),
        (
            "an image and a variable of one container",
            json!({"images": {"app": "app:2"}, "env": {"A": "", "EMPTY": "x"},
                    "container": "app"}),
            app(json!({"name": "app", "image": "app:2", "env": [
                    {"name": "A", "value": ""}, {"name": "EMPTY", "value": "x"}]})),
        ),
    ];
    for (name, fields, pods) in cases {
        let patch = patched(fields, false);
        assert_eq!(patch["spec"], json!({"template": {"spec": pods}}), "{name}");
        assert_eq!(patch["metadata"]["resourceVersion"], "41", "{name}");
        assert_eq!(patch["metadata"]["annotations"][JOB], "job-2", "{name}");
    }
}

#[test]
fn what_is_so_already_is_not_written() {
    for (name, fields) in [
        (
            "the image",
            json!({"images": {"app": "app:1", "migrate": "migrate:1"}}),
        ),
        (
            "a variable",
            json!({"env": {"MODE": "live"}, "container": "app"}),
        ),
        (
            "nothing as a value",
            json!({"env": {"EMPTY": ""}, "container": "app"}),
        ),
        (
            "a variable that is not there",
            json!({"env": {"NEVER": null}}),
        ),
        (
            "no restart",
            json!({"images": {"app": "app:1"}, "restart": false}),
        ),
    ] {
        let change = planned(fields, &live(json!({})), false);
        assert_eq!(change, Ok(Change::Nothing), "{name}");
    }
}

#[test]
fn of_two_variables_of_a_name_the_last_one_counts() {
    let twice = live(json!({"spec": {"template": {"spec": {"containers": [
            {"name": "app", "env": [
                {"name": "A", "value": "old"}, {"name": "A", "value": "new"}]}]}}}}));
    let change = |value: &str| planned(json!({"env": {"A": value}}), &twice, false);
    assert_eq!(change("new"), Ok(Change::Nothing));
    assert!(matches!(change("old"), Ok(Change::Patch(_))));
}

#[test]
fn a_restart_is_written_although_nothing_differs() {
    let patch = patched(json!({"restart": true, "images": {"app": "app:1"}}), false);
    let restart = json!({"template": {"metadata": {"annotations": {RESTARTED_AT: NOW}}}});
    assert_eq!(patch["spec"], restart);
}

#[test]
fn a_container_that_is_not_there_is_a_fault() {
    let cases = [
        (
            json!({"images": {"app": "app:2", "web": "web:2"}}),
            vec!["images.web"],
        ),
        (
            json!({"env": {"A": "1"}, "container": "web"}),
            vec!["container"],
        ),
        (
            json!({"images": {"web": "web:2", "api": "api:2"}, "env": {"A": "1"},
                    "container": "x"}),
            vec!["images.api", "images.web", "container"],
        ),
    ];
    for (fields, expected) in cases {
        let faults = planned(fields, &live(json!({})), false).unwrap_err();
        let fields = faults.iter().map(|fault| fault.field.as_str());
        assert_eq!(fields.collect::<Vec<_>>(), expected);
        let listed = "it has `app`, `proxy`, `migrate`";
        assert!(faults[0].problem.ends_with(listed), "{faults:?}");
    }
    let bare = live(json!({"spec": {"template": null}}));
    let faults = planned(json!({"images": {"app": "app:2"}}), &bare, false).unwrap_err();
    assert!(faults[0].problem.ends_with("it has none"), "{faults:?}");
}

fn manifest() -> Value {
    json!({"metadata": {"name": "web", "labels": {"a": "b"}, "annotations": {"team": "new"},
                "resourceVersion": "1"},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}},
                "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
                    {"name": "app", "image": "app:from-manifest", "env": [
                        {"name": "FIRST", "value": "1"}, {"name": "MODE", "value": "manifest"},
                        {"name": "LAST", "value": "9"}]}]}}},
            "status": {"replicas": 9}})
}

#[test]
fn a_manifest_as_a_patch() {
    let fields = |more: Value| {
        let mut fields = json!({"manifest": manifest(), "method": "patch"});
        merge(&mut fields, &more);
        fields
    };
    let patch = patched(fields(json!({})), false);
    assert_eq!(patch["spec"], manifest()["spec"]);
    assert_eq!(patch["metadata"]["labels"], json!({"a": "b"}));
    assert_eq!(patch["metadata"]["annotations"]["team"], "new");
    assert_eq!(patch["metadata"]["annotations"][JOB], "job-2");
    assert_eq!(patch["metadata"]["resourceVersion"], "41");
    assert_eq!(patch["metadata"].get("name"), None);
    assert_eq!(patch.get("status"), None);
    let autoscaled = patched(fields(json!({})), true);
    assert_eq!(autoscaled["spec"].get("replicas"), None);
    let more = json!({"images": {"app": "app:2", "proxy": "proxy:2"},
            "env": {"MODE": "test", "NEW": "1"}, "container": "app"});
    let patch = patched(fields(more), false);
    let containers = json!([
            {"name": "app", "image": "app:2", "env": [
                {"name": "FIRST", "value": "1"}, {"name": "LAST", "value": "9"},
                {"name": "MODE", "value": "test"}, {"name": "NEW", "value": "1"}]},
            {"name": "proxy", "image": "proxy:2"}]);
    assert_eq!(patch["spec"]["template"]["spec"]["containers"], containers);
}

#[test]
fn what_the_request_names_beats_the_manifest_of_a_patch() {
    // Live is as the request wants it, and the manifest is not.
    let patch = patched(
        json!({"manifest": manifest(), "method": "patch", "images": {"app": "app:1"},
                "env": {"MODE": "live", "LAST": null}, "container": "app"}),
        false,
    );
    let container = &patch["spec"]["template"]["spec"]["containers"][0];
    assert_eq!(container["image"], "app:1");
    let variables = json!([{"name": "FIRST", "value": "1"},
            {"name": "LAST", "$patch": "delete"}, {"name": "MODE", "value": "live"}]);
    assert_eq!(container["env"], variables);
    let fields = json!({"manifest": manifest(), "method": "patch", "images": {"x": "x:2"}});
    let faults = planned(fields, &live(json!({})), false).unwrap_err();
    assert!(
        faults[0]
            .problem
            .ends_with("it has `app`, `proxy`, `migrate`"),
        "{faults:?}"
    );
    // A value beside the live reference would be refused.
    let mut manifest = manifest();
    manifest["spec"]["template"]["spec"]["containers"][0]["env"] =
        json!([{"name": "FROM", "value": "manifest"}]);
    let fields = json!({"manifest": manifest, "method": "patch", "env": {"FROM": "here"},
            "container": "app"});
    let patch = patched(fields, false);
    let variables = json!([{"name": "FROM", "value": "here", "valueFrom": null}]);
    assert_eq!(
        patch["spec"]["template"]["spec"]["containers"][0]["env"],
        variables
    );
}

#[test]
fn a_put_is_the_manifest_under_the_live_identity() {
    let mut expected = manifest();
    merge(
        &mut expected,
        &json!({"apiVersion": "apps/v1", "kind": "Deployment", "status": null,
                "metadata": {"namespace": "default", "uid": "uid-1", "resourceVersion": "41",
                    "annotations": {
                        "deployment.kubernetes.io/revision": "7",
                        EXECUTION: "run-2", JOB: "job-2", DEPLOYED_AT: NOW, GENERATION: "4",
                        PREVIOUS: "web-7@7",
                        CHANGE_CAUSE: "execution run-2, image app:from-manifest"}}}),
    );
    let object = put_object(json!({"manifest": manifest()}), &live(json!({})), false);
    assert_eq!(object, expected);
}

#[test]
fn a_put_keeps_the_replicas_that_others_own() {
    let counted = json!({"manifest": manifest()});
    let mut uncounted = counted.clone();
    uncounted["manifest"]["spec"]["replicas"].take();
    let cases = [
        ("the manifest's", &counted, false, 2),
        ("an autoscaler's", &counted, true, 4),
        ("none in the manifest", &uncounted, false, 4),
        (
            "none in the manifest, and an autoscaler",
            &uncounted,
            true,
            4,
        ),
    ];
    for (name, fields, autoscaled, expected) in cases {
        let object = put_object(fields.clone(), &live(json!({})), autoscaled);
        assert_eq!(object["spec"]["replicas"], expected, "{name}");
    }
    let zero = live(json!({"spec": {"replicas": 0}}));
    assert_eq!(put_object(uncounted, &zero, false)["spec"]["replicas"], 0);
}

#[test]
fn autoscalers_matter_only_where_the_manifest_would_scale() {
    let cases = [
        ("no manifest", json!({"images": {"app": "app:2"}}), false),
        ("another number", json!({"manifest": manifest()}), true),
    ];
    for (name, fields, expected) in cases {
        let found = needs_autoscalers(&request(fields), &live(json!({})));
        assert_eq!(found, expected, "{name}");
    }
    let same = live(json!({"spec": {"replicas": 2}}));
    assert!(!needs_autoscalers(
        &request(json!({"manifest": manifest()})),
        &same
    ));
}

#[test]
fn a_put_keeps_a_restart_unless_the_manifest_names_one() {
    let at = |time: &str| json!({"metadata": {"annotations": {RESTARTED_AT: time}}});
    let restarted = |time: &str| json!({"spec": {"template": at(time)}});
    let restart = |object: &Value| {
        object["spec"]["template"]["metadata"]["annotations"][RESTARTED_AT].clone()
    };
    let found = live(restarted("then"));
    let fields = json!({"manifest": manifest()});
    assert_eq!(restart(&put_object(fields.clone(), &found, false)), "then");
    let never = put_object(fields.clone(), &live(json!({})), false);
    assert_eq!(restart(&never), Value::Null);
    let mut named = fields.clone();
    merge(&mut named["manifest"], &restarted("named"));
    assert_eq!(restart(&put_object(named, &found, false)), "named");
    let mut again = fields;
    again["restart"] = json!(true);
    assert_eq!(restart(&put_object(again, &found, false)), NOW);
}

#[test]
fn a_put_sets_images_and_variables_in_the_manifest() {
    let fields = json!({"manifest": manifest(), "images": {"app": "app:2"},
            "env": {"FIRST": null, "MODE": "test", "NEW": "1"}});
    let object = put_object(fields, &live(json!({})), false);
    let containers = json!([{"name": "app", "image": "app:2", "env": [
            {"name": "MODE", "value": "test"}, {"name": "LAST", "value": "9"},
            {"name": "NEW", "value": "1"}]}]);
    assert_eq!(object["spec"]["template"]["spec"]["containers"], containers);
    // The live Deployment has this container, but the manifest is what will be.
    let fields = json!({"manifest": manifest(), "images": {"proxy": "proxy:2"}});
    let faults = planned(fields, &live(json!({})), false).unwrap_err();
    assert_eq!(faults[0].field, "images.proxy");
}

#[test]
fn a_put_cannot_change_the_selector() {
    let with = |selector: Value| {
        let mut manifest = manifest();
        manifest["spec"]["selector"] = selector;
        planned(json!({"manifest": manifest}), &live(json!({})), false)
    };
    for selector in [
        json!({"matchLabels": {"app": "web"}}),
        json!({"matchLabels": {"app": "web"}, "matchExpressions": []}),
        json!({"matchLabels": {"app": "web"}, "matchExpressions": null}),
    ] {
        assert!(with(selector.clone()).is_ok(), "{selector}");
    }
    for selector in [
        json!({"matchLabels": {"app": "api"}}),
        json!({"matchLabels": {"app": "web", "tier": "front"}}),
        json!({"matchLabels": {}}),
        json!({}),
        json!(null),
        json!({"matchLabels": {"app": "web"}, "matchExpressions": [{"key": "a"}]}),
    ] {
        let faults = with(selector.clone()).unwrap_err();
        assert_eq!(faults[0].field, "manifest.spec.selector", "{selector}");
    }
}

#[test]
fn what_is_not_there_is_created_from_the_manifest() {
    let fields = json!({"manifest": manifest(), "images": {"app": "app:2"}, "restart": true});
    let object = create(&request(fields), &author()).unwrap();
    let mut expected = manifest();
    expected["spec"]["template"]["spec"]["containers"][0]["image"] = json!("app:2");
    merge(
        &mut expected,
        &json!({"apiVersion": "apps/v1", "kind": "Deployment", "status": null,
                "metadata": {"namespace": "default", "annotations": {EXECUTION: "run-2",
                    JOB: "job-2", DEPLOYED_AT: NOW, GENERATION: "1",
                    CHANGE_CAUSE: "execution run-2, image app:2"}},
                "spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: NOW}}}}}),
    );
    assert_eq!(object, expected);
    let fields = json!({"manifest": manifest(), "images": {"web": "web:2"}});
    let faults = create(&request(fields), &author()).unwrap_err();
    assert_eq!(faults[0].field, "images.web");
    assert!(faults[0].problem.ends_with("it has `app`"), "{faults:?}");
}

/// The annotations of a write after these.
fn after(found: Value, sets: &[ReplicaSet]) -> Map<String, Value> {
    let live = live(json!({"metadata": {"annotations": found}}));
    annotations(
        &request(json!({"restart": true})),
        Some(&live),
        Previous::serving(&live, sets),
        &author(),
    )
}

#[test]
fn annotations_tell_who_wrote_when_and_over_what() {
    let all = json!({EXECUTION: "run-2", JOB: "job-2", DEPLOYED_AT: NOW, GENERATION: "4",
            PREVIOUS: "web-7@7", CHANGE_CAUSE: "execution run-2"});
    let sets = [set("web-7", 7, 1)];
    assert_eq!(Value::Object(after(json!({}), &sets)), all);
    let nothing = after(json!({}), &[]);
    assert_eq!(nothing.get(PREVIOUS), None);
    let created = annotations(&request(json!({"restart": true})), None, None, &author());
    assert_eq!(created[GENERATION], "1");
    assert_eq!(created.len(), 5);
}

#[test]
fn a_version_has_a_line_for_its_history() {
    let line = |request: &Request| {
        let all = annotations(request, Some(&live(json!({}))), None, &author());
        all.get(CHANGE_CAUSE).cloned()
    };
    let mut fields = request(json!({"images": {"app": "app:2", "proxy": "proxy:2"}}));
    fields.commit = Some("f00".into());
    let expected = "execution run-2, commit f00, image app:2, image proxy:2";
    assert_eq!(line(&fields), Some(json!(expected)));
    let all = annotations(&fields, None, None, &author());
    assert_eq!(all[COMMIT], "f00");
    // A commit that is not known any more is taken away.
    let marked = live(json!({"metadata": {"annotations": {COMMIT: "old"}}}));
    let unknown = request(json!({"restart": true}));
    let all = annotations(&unknown, Some(&marked), None, &author());
    assert_eq!(all[COMMIT], Value::Null);
    let mut own = manifest();
    own["metadata"]["annotations"][CHANGE_CAUSE] = json!("a line of its own");
    let own = json!({"manifest": own});
    assert_eq!(line(&request(own.clone())), None);
    let there = live(json!({"metadata": {"annotations": {CHANGE_CAUSE: "execution run-1"}}}));
    let object = put_object(own, &there, false);
    assert_eq!(
        object["metadata"]["annotations"][CHANGE_CAUSE],
        "a line of its own"
    );
    // What goes takes its facts along.
    let seen = live(json!({"metadata": {"annotations": {COMMIT: "x", CHANGE_CAUSE: "y"}}}));
    let operations = undo(&seen, &json!({}), "job-2", "why").to_string();
    assert!(
        operations.contains("rolled back, after job job-2 failed"),
        "{operations}"
    );
    assert!(operations.contains(r#""op":"remove","path":"/metadata/annotations/landfall~1commit"#));
}

#[test]
fn an_image_without_a_name_is_for_the_only_container() {
    let mut sole = request(json!({"restart": true}));
    sole.sole_image = Some("app:9".into());
    let of = |live: &Workload| plan(&sole, live, &[], false, &author());
    let faults = of(&live(json!({}))).unwrap_err();
    assert_eq!(faults[0].field, "images");
    assert!(
        faults[0]
            .problem
            .contains("it has `app`, `proxy`, `migrate`"),
        "{faults:?}"
    );
    let one = live(json!({"spec": {"template": {"spec": {"containers": [
            {"name": "app", "image": "app:1"}]}}}}));
    let Ok(Change::Patch(patch)) = of(&one) else {
        panic!("no patch");
    };
    let spec = &patch["spec"]["template"]["spec"];
    assert_eq!(
        spec["containers"],
        json!([{"name": "app", "image": "app:9"}])
    );
    assert!(spec.get("initContainers").is_none());
}

#[test]
fn what_an_earlier_deploy_left_is_taken_away() {
    let left = after(
        json!({PREVIOUS: "web-5@5", ROLLED_BACK: "job-1", CAUSE: "it broke", JOB: "job-1"}),
        &[],
    );
    assert_eq!(left.get(PREVIOUS), Some(&Value::Null));
    assert_eq!(left.get(ROLLED_BACK), Some(&Value::Null));
    assert_eq!(left.get(CAUSE), Some(&Value::Null));
    let nothing = after(json!({JOB: "job-1"}), &[]);
    assert!(
        nothing.values().all(|value| !value.is_null()),
        "{nothing:?}"
    );
    // A put has no place for a null.
    let rolled_back = live(json!({"metadata": {"annotations": {ROLLED_BACK: "job-1"}}}));
    let object = put_object(json!({"manifest": manifest()}), &rolled_back, false);
    assert_eq!(object["metadata"]["annotations"].get(ROLLED_BACK), None);
}

#[test]
fn superseded_jobs_are_remembered_newest_first_and_not_for_ever() {
    let nine = (0..9).map(|job| format!("old-{job}"));
    let nine = nine.collect::<Vec<_>>().join(",");
    let cases = [
        ("the first deploy", json!({}), None),
        ("the second", json!({JOB: "job-1"}), Some("job-1")),
        (
            "a later one",
            json!({JOB: "job-1", SUPERSEDED: "job-0,job-x"}),
            Some("job-1,job-0,job-x"),
        ),
        (
            "the limit",
            json!({JOB: "job-1", SUPERSEDED: nine}),
            Some("job-1,old-0,old-1,old-2,old-3,old-4,old-5,old-6"),
        ),
        (
            "we ourselves",
            json!({JOB: "job-2", SUPERSEDED: "job-1"}),
            Some("job-1"),
        ),
        (
            "we in the list",
            json!({JOB: "job-1", SUPERSEDED: "job-2"}),
            Some("job-1"),
        ),
        ("an empty list", json!({SUPERSEDED: ""}), None),
    ];
    for (name, found, expected) in cases {
        let left = after(found, &[]);
        let superseded = left.get(SUPERSEDED).and_then(Value::as_str);
        assert_eq!(superseded, expected, "{name}");
    }
}

#[test]
fn what_serves_before_a_change() {
    let foreign = ReplicaSet {
        owner: "uid-2".into(),
        ..set("other", 9, 9)
    };
    let cases = [
        (
            "the newest",
            vec![set("a", 1, 0), set("b", 2, 3)],
            Some(("b", 2)),
        ),
        (
            "the newest in part",
            vec![set("a", 1, 2), set("b", 2, 1)],
            Some(("b", 2)),
        ),
        (
            "the newest is broken",
            vec![set("a", 1, 2), set("b", 2, 0)],
            Some(("a", 1)),
        ),
        (
            "of the older ones the one with most pods",
            vec![set("a", 1, 3), set("b", 2, 1), set("c", 3, 0)],
            Some(("a", 1)),
        ),
        (
            "of equals the newer",
            vec![set("b", 2, 1), set("a", 1, 1), set("c", 3, 0)],
            Some(("b", 2)),
        ),
        ("none", vec![set("a", 1, 0), set("b", 2, 0)], None),
        ("no ReplicaSets", vec![], None),
        ("someone else's", vec![set("a", 1, 0), foreign], None),
    ];
    for (name, sets, expected) in cases {
        let serving = Previous::serving(&live(json!({})), &sets);
        let found = serving.map(|previous| (previous.name, previous.revision));
        let expected = expected.map(|(name, revision)| (name.to_owned(), revision));
        assert_eq!(found, expected, "{name}");
    }
}

#[test]
fn what_served_is_read_back() {
    let recorded = |text: &str| {
        let live = live(json!({"metadata": {"annotations": {PREVIOUS: text}}}));
        Previous::recorded(&live)
    };
    let expected = Previous {
        name: "web-7".into(),
        revision: 7,
    };
    assert_eq!(recorded("web-7@7"), Some(expected));
    let other = "../../other/replicasets/payroll-abc@1";
    for hostile in [
        "", "web-7", "web-7@", "web-7@x", "web-7@-1", "@", "@7", "a/b@7", other,
    ] {
        assert_eq!(recorded(hostile), None, "{hostile}");
    }
    assert_eq!(Previous::recorded(&live(json!({}))), None);
}

#[test]
fn our_own_write_is_known_again() {
    let at = |generation: i64, image: &str| {
        live(
            json!({"metadata": {"generation": generation, "annotations": {GENERATION: "4"}},
                "spec": {"template": {"spec": {"containers": [
                    {"name": "app", "image": image, "imagePullPolicy": "Always"}]}}}}),
        )
    };
    let patch = || request(json!({"images": {"app": "app:2"}, "restart": true}));
    let mut short = manifest();
    short["spec"]["template"]["spec"]["containers"] = json!([{"name": "app"}]);
    short["spec"]["template"]["spec"]["initContainers"] = json!([{"name": "migrate"}]);
    let put = || request(json!({"manifest": short, "images": {"app": "app:2"}}));
    let cases = [
        ("the generation", patch(), at(4, "app:2"), true),
        (
            "the generation, a webhook's image",
            patch(),
            at(4, "cache/app:2"),
            true,
        ),
        ("scaled since", patch(), at(5, "app:2"), true),
        ("someone else's image", patch(), at(5, "app:3"), false),
        ("a put, the generation", put(), at(4, "app:3"), true),
        ("a put, scaled since", put(), at(5, "app:2"), true),
        ("a put, someone else's image", put(), at(5, "app:3"), false),
    ];
    for (name, request, live, expected) in cases {
        assert_eq!(
            is_untouched(&live) || asked::lost(&request, &live).is_none(),
            expected,
            "{name}"
        );
    }
    let gone = live(json!({"spec": {"template": null}}));
    assert!(!is_untouched(&gone) && asked::lost(&put(), &gone).is_some());
    assert!(asked::lost(&patch(), &gone).is_some());
}

#[test]
fn an_undo_is_bound_to_what_was_seen() {
    let template = json!({"metadata": {"labels": {"app": "web", "pod-template-hash": "1"}},
            "spec": {}});
    let test = |path: &str, value: Value| json!({"op": "test", "path": path, "value": value});
    let add = |path: &str, value: Value| json!({"op": "add", "path": path, "value": value});
    let expected = json!([
        test("/metadata/uid", json!("uid-1")),
        test("/metadata/generation", json!(3)),
        {"op": "test", "path": "/metadata/resourceVersion", "value": "41"},
        {"op": "replace", "path": "/spec/template",
            "value": {"metadata": {"labels": {"app": "web"}}, "spec": {}}},
        add("/metadata/annotations/landfall~1rolled-back", json!("job-2")),
        add("/metadata/annotations/landfall~1cause", json!("it broke")),
    ]);
    let operations = undo(&live(json!({})), &template, "job-2", "it broke");
    assert_eq!(operations, expected);
    let bare = live(json!({"metadata": {"annotations": null}}));
    let operations = undo(&bare, &template, "job-2", "it broke");
    assert_eq!(operations[4], add("/metadata/annotations", json!({})));
    assert_eq!(operations.as_array().unwrap().len(), 7);
    // Without our notes it tests the same: what another hand has put there is never replaced.
    let alone = undo_of_template(&operations);
    assert_eq!(
        alone.as_array().unwrap()[..],
        expected.as_array().unwrap()[..4]
    );
}

#[test]
fn the_servers_additions_and_spellings_are_no_difference() {
    let same = [
        (
            "defaults added",
            json!({"a": 1, "b": {"c": 2, "d": 3}}),
            json!({"b": {"c": 2}}),
        ),
        (
            "null left out",
            json!({}),
            json!({"creationTimestamp": null}),
        ),
        ("false left out", json!({}), json!({"hostNetwork": false})),
        ("zero left out", json!({}), json!({"minReadySeconds": 0})),
        ("an empty text left out", json!({}), json!({"value": ""})),
        (
            "empty lists and objects left out",
            json!({}),
            json!({"a": [], "b": {"c": {}}}),
        ),
        ("half a core", json!("500m"), json!("0.5")),
        ("half a core as a number", json!("500m"), json!(0.5)),
        ("a number as a text", json!("2"), json!(2)),
        ("a gibibyte", json!("1Gi"), json!("1024Mi")),
        ("a gigabyte", json!("1G"), json!("1000M")),
        ("a thousand", json!("1k"), json!("1e3")),
        ("a tenth", json!("100m"), json!("0.1")),
        (
            "in a list",
            json!([{"a": 1, "b": 2}, 3]),
            json!([{"a": 1}, 3]),
        ),
    ];
    for (name, found, wanted) in same {
        assert!(contains(&found, &wanted), "{name}");
    }
    let different = [
        ("another value", json!({"a": 1}), json!({"a": 2})),
        ("a value left out", json!({}), json!({"a": 1})),
        ("true left out", json!({}), json!({"a": true})),
        ("within an object", json!({}), json!({"a": {"b": 1}})),
        ("a list left out", json!({}), json!({"a": [0]})),
        ("a longer list", json!([1, 2]), json!([1])),
        ("a shorter list", json!([1]), json!([1, 2])),
        ("another order", json!([1, 2]), json!([2, 1])),
        ("another type", json!({"a": {}}), json!({"a": []})),
        ("another text", json!("web:1"), json!("web:2")),
        ("more cores", json!("500m"), json!("0.51")),
        ("giga is not gibi", json!("1G"), json!("1Gi")),
        ("milli is not mega", json!("1m"), json!("1M")),
        ("a suffix alone", json!("m"), json!("M")),
        ("true is not 1", json!(true), json!(1)),
    ];
    for (name, found, wanted) in different {
        assert!(!contains(&found, &wanted), "{name}");
    }
}
