//! Rollbacks on demand: `mode: "rollback"` brings back what served before, as a deploy of its own.

mod sets;
mod switches;
mod waiting;

use crate::rolling::manifest;
use crate::stage::{OLD_IMAGE, Stage};
use serde_json::{Value, json};

pub const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const NEWER_IMAGE: &str = "registry.example.com/demo-app:3.0.0";
const SICK_IMAGE: &str = "registry.example.com/demo-app:4.0.0-crash";

fn deploy(image: &str, execution: &str) -> Value {
    json!({"deployment": "demo-app", "images": {"app": image}, "execution": execution,
        "patience": "1s", "timeout": "50s"})
}

pub fn back(execution: &str) -> Value {
    json!({"deployment": "demo-app", "mode": "rollback", "execution": execution,
        "patience": "1s", "timeout": "50s"})
}

fn with(mut parameters: Value, field: &str, value: impl Into<Value>) -> Value {
    parameters[field] = value.into();
    parameters
}

#[tokio::test(flavor = "multi_thread")]
async fn what_served_before_comes_back_and_is_followed() {
    let stage = Stage::new().await;
    stage.deploy(deploy(NEW_IMAGE, "run-1")).await.success();
    let (summary, variables) = stage.deploy(back("run-2")).await.success();
    let expected = format!(
        "was rolled back from revision 2 to revision 1, which is revision 3 now ({OLD_IMAGE}): \
         2 of 2 pods available after"
    );
    assert!(summary.contains(&expected), "{summary}");
    assert_eq!(variables["Image"], OLD_IMAGE);
    assert_eq!(variables["Revision"], "3");
    assert_eq!(variables["PreviousRevision"], "2");
    assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
    stage.wrote(&["PATCH", "PATCH"]);
    let annotations = stage.deployment().await["metadata"]["annotations"].take();
    assert_eq!(annotations["landfall/execution"], "run-2");
    let cause = &annotations["kubernetes.io/change-cause"];
    assert_eq!(cause, "execution run-2, rolled back to revision 1");
}

/// The same execution again is a retry of the stage: it changes nothing and reports the same.
#[tokio::test(flavor = "multi_thread")]
async fn a_retried_rollback_does_not_roll_back_twice() {
    let stage = Stage::new().await;
    stage.deploy(deploy(NEW_IMAGE, "run-1")).await.success();
    let (_, first) = stage.deploy(back("run-2")).await.success();
    let (summary, again) = stage.deploy(back("run-2")).await.success();
    assert!(
        summary.contains("was already rolled back from revision 2 to revision 1 by this execution"),
        "{summary}"
    );
    for name in ["Image", "Revision", "PreviousRevision"] {
        assert_eq!(first[name], again[name], "{name}");
    }
    stage.wrote(&["PATCH", "PATCH"]);
    // Another execution is another rollback: what served before is the newer version.
    stage.deploy(back("run-3")).await.success();
    assert_eq!(stage.image().await, NEW_IMAGE);
    // The deploy of this one came after its rollback, so a rollback of it is a new one.
    stage.deploy(deploy(NEWER_IMAGE, "run-3")).await.success();
    stage.deploy(back("run-3")).await.success();
    assert_eq!(stage.image().await, NEW_IMAGE);
}

/// A pipeline whose last stage is a rollback after an approval: one execution deploys and goes back.
#[tokio::test(flavor = "multi_thread")]
async fn the_execution_that_deployed_may_roll_back_as_well() {
    let stage = Stage::new().await;
    stage.deploy(deploy(NEW_IMAGE, "run-1")).await.success();
    stage.deploy(back("run-1")).await.success();
    assert_eq!(stage.image().await, OLD_IMAGE);
    let (summary, _) = stage.deploy(back("run-1")).await.success();
    assert!(summary.contains("already rolled back"), "{summary}");
    assert_eq!(stage.image().await, OLD_IMAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_named_by_its_revision_or_image() {
    let stage = Stage::new().await;
    stage.deploy(deploy(NEW_IMAGE, "run-1")).await.success();
    stage.deploy(deploy(NEWER_IMAGE, "run-2")).await.success();
    let (_, variables) = stage.deploy(with(back("run-3"), "to", 1)).await.success();
    assert_eq!(variables["Image"], OLD_IMAGE);
    // A retry names a revision that has another number by now.
    let (summary, _) = stage.deploy(with(back("run-3"), "to", 1)).await.success();
    assert!(summary.contains("already rolled back"), "{summary}");
    let (_, variables) = stage
        .deploy(with(back("run-4"), "to", NEW_IMAGE))
        .await
        .success();
    assert_eq!(variables["Image"], NEW_IMAGE);
    // What runs already is not rolled out once more.
    let (summary, _) = stage
        .deploy(with(back("run-5"), "to", NEW_IMAGE))
        .await
        .success();
    assert!(summary.contains("already ran this version"), "{summary}");
    let (kind, message) = stage.deploy(with(back("run-6"), "to", 1)).await.failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(
        message.contains("has no such revision or image"),
        "{message}"
    );
    assert!(message.contains(NEWER_IMAGE), "{message}");
    assert_eq!(stage.image().await, NEW_IMAGE);
}

/// Versions that failed and were taken back are not what served before.
#[tokio::test(flavor = "multi_thread")]
async fn versions_that_failed_are_passed_over() {
    let stage = Stage::new().await;
    stage.deploy(deploy(NEW_IMAGE, "run-1")).await.success();
    for (image, execution) in [
        (SICK_IMAGE, "run-2"),
        ("registry.example.com/demo-app:5.0.0-crash", "run-3"),
    ] {
        stage.deploy(deploy(image, execution)).await.failure();
        assert_eq!(stage.image().await, NEW_IMAGE);
    }
    let (summary, _) = stage.deploy(back("run-4")).await.success();
    assert!(summary.contains("to revision 1"), "{summary}");
    assert_eq!(stage.image().await, OLD_IMAGE);
}

/// The version that is brought back may fail as well: then what ran before the rollback is back.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_fails_has_a_way_back_of_its_own() {
    let stage = Stage::new().await;
    let sick = with(deploy(SICK_IMAGE, "run-1"), "rollback", false);
    stage.deploy(sick).await.failure();
    stage.deploy(deploy(NEW_IMAGE, "run-2")).await.success();
    let (kind, message) = stage.deploy(with(back("run-3"), "to", 2)).await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.contains("exits with code 1"), "{message}");
    assert!(message.contains("Rolled back: "), "{message}");
    assert_eq!(stage.image().await, NEW_IMAGE);
    // A retry tries again, and what failed does not count as what served before.
    let (kind, _) = stage
        .deploy(with(back("run-3"), "to", SICK_IMAGE))
        .await
        .failure();
    assert_eq!(kind, "JobFailed");
    stage.deploy(back("run-4")).await.success();
    assert_eq!(stage.image().await, OLD_IMAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_tells_what_would_come_back() {
    let stage = Stage::new().await;
    stage.deploy(deploy(NEW_IMAGE, "run-1")).await.success();
    let plan = with(back("run-2"), "mode", "planRollback");
    let (summary, variables) = stage.deploy(plan).await.success();
    assert!(summary.contains("Nothing was written"), "{summary}");
    assert!(
        summary.contains(&format!("{NEW_IMAGE} → {OLD_IMAGE}")),
        "{summary}"
    );
    assert_eq!(variables["Mode"], "planRollback");
    stage.wrote(&["PATCH"]);
    assert_eq!(stage.image().await, NEW_IMAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_there_is_nothing_to_go_back_to_nothing_is_changed() {
    let stage = Stage::new().await;
    let (kind, message) = stage.refused(back("run-1")).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("has no earlier version"), "{message}");
    let missing = with(back("run-1"), "deployment", "no-such-app");
    let (kind, message) = stage.refused(missing).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("nothing to roll back"), "{message}");
    assert!(!message.contains("manifest"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_says_what_the_new_version_is_is_refused() {
    let stage = Stage::new().await;
    let cases = [
        ("images", json!({"app": NEW_IMAGE})),
        ("env", json!({"A": "1"})),
        ("manifest", manifest()),
        ("restart", json!(true)),
        ("committed", json!("2026-01-31T12:00:00Z")),
    ];
    for (field, value) in cases {
        let (kind, message) = stage.refused(with(back("run-1"), field, value)).await;
        assert_eq!(kind, "ConfigurationError", "{message}");
        assert!(message.contains(field), "{message}");
    }
    let mut nobody = back("run-1");
    nobody.as_object_mut().unwrap().remove("execution");
    let (_, message) = stage.refused(nobody).await;
    assert!(
        message.contains("must not roll back a second time"),
        "{message}"
    );
    let (_, message) = stage
        .refused(with(deploy(NEW_IMAGE, "run-1"), "to", 1))
        .await;
    assert!(message.contains("is for the mode `rollback`"), "{message}");
}

/// Somebody deployed by hand after us: what served before is what we had deployed.
#[tokio::test(flavor = "multi_thread")]
async fn a_change_by_hand_is_rolled_back_to_what_was_deployed() {
    let stage = Stage::new().await;
    stage.deploy(deploy(NEW_IMAGE, "run-1")).await.success();
    stage.cluster.set_image(NEWER_IMAGE).await;
    stage
        .deploy(json!({"deployment": "demo-app", "images": {"app": NEWER_IMAGE}}))
        .await
        .success();
    stage.deploy(back("run-2")).await.success();
    assert_eq!(stage.image().await, NEW_IMAGE);
}
