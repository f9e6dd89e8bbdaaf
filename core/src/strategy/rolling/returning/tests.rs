use super::*;
use crate::snapshot::Snapshot;
use crate::state::continuation::Continuation;
use crate::tests::{at, merge, replica_set};
use crate::workload::template_digest;
use serde_json::{Value, json};

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"name": "app", "image": image}]}})
}

fn live(image: &str, annotations: Value) -> Workload {
    let mut object = json!({"metadata": {"name": "web", "uid": "uid-1", "annotations": {}},
        "spec": {"template": template(image)}});
    merge(&mut object["metadata"]["annotations"], &annotations);
    Workload::new(Kind::Deployment, object)
}

/// A version, by its revision, image and the job that deployed it.
fn set(revision: u64, image: &str, job: &str) -> ReplicaSet {
    ReplicaSet {
        template: template_digest(&template(image)),
        images: vec![image.to_owned()],
        job: job.to_owned(),
        ..replica_set(&format!("web-{image}"), "uid-1", revision, 0)
    }
}

fn found(to: Option<&str>, live: &Workload, sets: &[ReplicaSet]) -> Result<String, String> {
    let to = to.map(|to| {
        let fields = json!({"deployment": "web", "mode": "rollback", "to": to, "execution": "e"});
        crate::tests::request("job", &fields).to.unwrap()
    });
    let found = target(to.as_ref(), live, sets);
    found
        .map(|to| to.text())
        .map_err(|fault| format!("{} {}", fault.field, fault.problem))
}

#[test]
fn what_served_before_is_what_our_last_write_found_serving() {
    let previous = json!({marks::PREVIOUS: "web-a@1", marks::JOB: "j2"});
    let sets = [set(1, "a", "j1"), set(2, "b", "j2")];
    assert_eq!(
        found(None, &live("b", previous), &sets),
        Ok("web-a@1".into())
    );
    // A version that failed and was left came in between.
    let sets = [set(1, "a", "j1"), set(2, "bad", "j2"), set(3, "c", "j3")];
    let noted = json!({marks::PREVIOUS: "web-a@1", marks::JOB: "j3"});
    assert_eq!(found(None, &live("c", noted), &sets), Ok("web-a@1".into()));
}

#[test]
fn versions_that_failed_and_were_taken_back_do_not_count() {
    // `b` serves after two versions failed and were taken back; `a` served before it.
    let sets = [
        set(1, "a", "j1"),
        set(3, "bad", "j3"),
        set(5, "worse", "j4"),
        set(6, "b", "j4"),
    ];
    let noted = json!({marks::PREVIOUS: "web-b@4", marks::SERVED: "web-a@1",
        marks::JOB: "j4", marks::ROLLED_BACK: "j4"});
    assert_eq!(found(None, &live("b", noted), &sets), Ok("web-a@1".into()));
    // Without the list of an older Landfall: what failed is known by its job.
    let sets = [set(1, "a", "j1"), set(3, "bad", "j3"), set(4, "b", "j3")];
    let noted = json!({marks::PREVIOUS: "web-b@2", marks::JOB: "j3", marks::ROLLED_BACK: "j3"});
    assert_eq!(found(None, &live("b", noted), &sets), Ok("web-a@1".into()));
}

#[test]
fn a_change_by_somebody_else_goes_back_to_what_we_deployed() {
    let sets = [set(3, "a", "j1"), set(4, "b", "j2"), set(5, "hotfix", "j2")];
    let noted = json!({marks::PREVIOUS: "web-a@3", marks::JOB: "j2"});
    assert_eq!(
        found(None, &live("hotfix", noted), &sets),
        Ok("web-b@4".into())
    );
    // Nobody of us was ever there.
    let sets = [set(3, "a", ""), set(4, "b", ""), set(5, "c", "")];
    assert_eq!(
        found(None, &live("c", json!({})), &sets),
        Ok("web-b@4".into())
    );
}

#[test]
fn a_version_is_named_by_revision_image_or_name() {
    let sets = [set(1, "a", "j1"), set(2, "b", "j2"), set(3, "c", "j3")];
    let live = live("c", json!({marks::PREVIOUS: "web-b@2"}));
    for to in ["1", "a", "web-a"] {
        assert_eq!(found(Some(to), &live, &sets), Ok("web-a@1".into()), "{to}");
    }
    assert_eq!(
        found(Some("c"), &live, &sets),
        Ok("web-c@3".into()),
        "it runs"
    );
}

#[test]
fn what_is_not_there_is_refused_with_what_there_is() {
    let sets = [set(1, "a", "j1"), set(2, "b", "j2")];
    let newest = live("b", json!({marks::PREVIOUS: "web-gone@1"}));
    insta::assert_snapshot!(found(Some("7"), &newest, &sets).unwrap_err(), @r"to is `7`, and Deployment `web` has no such revision or image; its revisions are 2 (b) and 1 (a)");
    insta::assert_snapshot!(found(None, &newest, &sets).unwrap_err(), @r"mode is `rollback`, and revision 1, which served before, no longer exists (revisionHistoryLimit): deploy that version again, or name another one by `to`; its revisions are 2 (b) and 1 (a)");
    let only = [set(1, "b", "")];
    insta::assert_snapshot!(found(None, &live("b", json!({})), &only).unwrap_err(), @r"mode is `rollback`, and Deployment `web` has no earlier version that could be brought back; its only revision is 1 (b)");
    // A version of another object with the same labels is none of ours.
    let foreign = ReplicaSet {
        owner: "uid-2".into(),
        ..set(1, "a", "")
    };
    let sets = [foreign, set(2, "b", "")];
    assert!(found(None, &live("b", json!({})), &sets).is_err());
    assert!(found(Some("1"), &live("b", json!({})), &sets).is_err());
}

/// A way back that is over is not followed again, whatever became of a pod since: what served
/// before the version that it brought back is asked for.
#[test]
fn a_way_back_is_followed_only_while_it_is_under_way() {
    let snapshot = Snapshot::default();
    let fields = json!({"workload": "statefulset/web", "mode": "rollback", "execution": "e"});
    let request = crate::tests::request("job", &fields);
    let continuation = Continuation::begin("job", at(0), request.timeout);
    let context = Context {
        request: &request,
        continuation: &continuation,
        snapshot: &snapshot,
        now: at(0),
    };
    let sets = [set(1, "a", "j1"), set(2, "bad", "j2"), set(3, "b", "j2")];
    for (kind, updated, ready, is_followed) in [
        (Kind::StatefulSet, 1, 1, true),
        (Kind::StatefulSet, 2, 2, false),
        // One pod is not ready now.
        (Kind::StatefulSet, 2, 1, false),
        (Kind::DaemonSet, 1, 1, true),
        (Kind::DaemonSet, 2, 1, false),
    ] {
        let mut object = json!({"metadata": {"name": "web", "uid": "uid-1", "generation": 4,
                "annotations": {marks::PREVIOUS: "web-b@3", marks::ROLLED_BACK: "j2"}},
            "spec": {"replicas": 2, "template": template("b")},
            "status": {"observedGeneration": 4, "replicas": 2, "readyReplicas": ready,
                "updatedReplicas": updated, "currentRevision": "web-b", "updateRevision": "web-b"}});
        merge(
            &mut object["status"],
            &json!({"desiredNumberScheduled": 2, "currentNumberScheduled": 2,
                "updatedNumberScheduled": updated, "numberAvailable": ready}),
        );
        let live = Workload::new(kind, object);
        let found = context.undone(&live, &sets).map(|it| it.name);
        let expected = is_followed.then(|| "web-b".to_owned());
        assert_eq!(
            found, expected,
            "{kind:?}, {updated} updated, {ready} ready"
        );
    }
}

/// Another rollback is under way until its bake is over, as far as that is known.
#[test]
fn another_rollback_is_followed_until_it_is_over() {
    let snapshot = Snapshot::default();
    let fields = json!({"deployment": "web", "mode": "rollback", "execution": "e",
        "timeout": "15m", "bake": "10m"});
    let request = crate::tests::request("job", &fields);
    let continuation = Continuation::begin("job", at(2000), request.timeout);
    let context = Context {
        request: &request,
        continuation: &continuation,
        snapshot: &snapshot,
        now: at(2000),
    };
    let watched = json!({marks::WATCHED: "j"});
    let failed = json!({marks::ROLLED_BACK: "j"});
    let followed = json!({marks::AWAITED: r#"{"executions": ["e"], "job": "j"}"#});
    let by_another = json!({marks::AWAITED: r#"{"executions": ["f"], "job": "j"}"#});
    let own = json!({marks::EXECUTION: "e"});
    let (recent, old) = (at(1000).to_string(), at(400).to_string());
    let last = "9999-12-30T22:00:00Z".to_owned();
    for (name, written, more, is_followed) in [
        ("in its rollout or bake", &recent, json!({}), true),
        ("its bake is over", &recent, watched, false),
        ("it failed", &recent, failed, false),
        ("this execution's", &recent, own, false),
        ("it has died", &old, json!({}), false),
        ("this execution has followed it", &old, followed, true),
        ("another execution has", &old, by_another, false),
        ("a clock of nobody", &last, json!({}), true),
    ] {
        let mut notes = json!({marks::JOB: "j", marks::EXECUTION: "other",
            marks::RETURNED_TO: "web-a@1", marks::DEPLOYED_AT: written});
        merge(&mut notes, &more);
        assert_eq!(context.comes_back(&live("b", notes)), is_followed, "{name}");
    }
}
