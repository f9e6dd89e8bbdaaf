//! An alarm rings after the process died, and the stage is retried: what the dead deploy left may be
//! why it rings.

use super::{NEW_IMAGE, behind_a_service, is_alarm, ring, silence, version};
use crate::bake::watched;
use crate::canary::interrupted::expire;
use crate::executions::serves;
use crate::stage::{LIFE, OLD_IMAGE, Stage};
use landfall_sandbox::aws::{JobResult, Outcome};
use serde_json::{Value, json};
use std::time::Duration;

pub const WAYS: [&str; 3] = ["rolling", "blueGreen", "immutable"];

pub fn parameters(way: &str, execution: &str, bake: &str) -> Value {
    let mut parameters = json!({"deployment": "demo-app", "images": {"app": NEW_IMAGE},
        "strategy": way, "execution": execution, "timeout": "100s", "patience": "1s",
        "bake": bake, "alarms": ["web 5xx", "all"]});
    if way != "rolling" {
        parameters["service"] = json!("demo-app");
    }
    parameters
}

/// What is reported of a deploy after another one was killed, which never reports.
pub async fn reported(stage: &Stage, parameters: &Value) -> Result<String, String> {
    let job = stage.aws.submit(stage.event(parameters), LIFE);
    let report = match stage.aws.outcome(&job, LIFE + LIFE).await {
        Outcome::Succeeded(report) | Outcome::Failed(report) => report,
        other => panic!("{other:?}\n{}", stage.log()),
    };
    match report.result {
        JobResult::Success { summary, .. } => Ok(summary.unwrap_or_default()),
        JobResult::Failure { message, .. } => Err(message),
    }
}

/// A deploy that is killed in its bake.
pub async fn killed_in_its_bake(way: &str) -> Stage {
    let mut stage = behind_a_service().await;
    let event = stage.event(&parameters(way, "run-1", "60s"));
    stage.aws.submit(event, LIFE);
    match way {
        "rolling" => watched(&stage).await,
        _ => {
            while version(&stage).await.is_null() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        }
    }
    stage.function.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_takes_back_what_a_dead_deploy_left() {
    for way in WAYS {
        let stage = killed_in_its_bake(way).await;
        ring(&stage, "web 5xx");
        let again = parameters(way, "run-1", "60s");
        let message = reported(&stage, &again).await.expect_err(way);
        is_alarm(&message, "web 5xx");
        assert!(!message.contains("was not changed"), "{way}: {message}");
        serves(&stage, (OLD_IMAGE, "")).await;
        // Then it is as if it had never been: the next retry is refused as long as it rings.
        let message = reported(&stage, &again).await.expect_err(way);
        assert!(message.contains("was not changed"), "{way}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rang_and_stopped_while_nobody_lived_is_not_missed() {
    for way in WAYS {
        let stage = killed_in_its_bake(way).await;
        ring(&stage, "web 5xx");
        tokio::time::sleep(Duration::from_millis(300)).await;
        silence(&stage, "web 5xx");
        let again = parameters(way, "run-1", "60s");
        let message = reported(&stage, &again).await.expect_err(way);
        let told = "CloudWatch alarm `web 5xx` was not OK during the deploy, and came back to it";
        assert!(message.contains(told), "{way}: {message}");
        serves(&stage, (OLD_IMAGE, "")).await;
    }
}

/// A retry of what died in its bake bakes, and one of what came to its end changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_watches_what_nobody_watched_to_its_end() {
    let stage = killed_in_its_bake("rolling").await;
    let again = parameters("rolling", "run-1", "3s");
    let summary = reported(&stage, &again).await.unwrap();
    assert!(summary.contains("It was watched for 3 s"), "{summary}");
    assert!(summary.contains("did not ring"), "{summary}");
    ring(&stage, "web 5xx");
    let summary = reported(&stage, &again).await.unwrap();
    assert!(summary.contains("nothing was changed"), "{summary}");
    serves(&stage, (NEW_IMAGE, "")).await;
}

/// Without a bake, too: what a dead deploy was rolling out is its execution's to take back.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_takes_back_the_sick_version_that_a_dead_deploy_was_rolling_out() {
    let mut stage = behind_a_service().await;
    let sick = json!({"deployment": "demo-app", "execution": "run-1", "patience": "1s",
        "images": {"app": "registry.example.com/demo-app:4.0.0-crash"}, "timeout": "100s"});
    stage.aws.submit(stage.event(&sick), LIFE);
    stage.written().await;
    stage.function.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    let message = reported(&stage, &sick).await.unwrap_err();
    assert!(message.contains("Rolled back: revision "), "{message}");
    serves(&stage, (OLD_IMAGE, "")).await;
    assert_eq!(stage.image().await, OLD_IMAGE);
}

/// The next execution comes after the lock has expired. To refuse it because of the alarm would
/// leave the traffic with the version that makes it ring.
#[tokio::test(flavor = "multi_thread")]
async fn another_execution_takes_back_what_rings_since_a_switch_died_in_its_bake() {
    for way in &WAYS[1..] {
        let stage = killed_in_its_bake(way).await;
        expire(&stage).await;
        ring(&stage, "web 5xx");
        let mut next = parameters(way, "run-2", "1s");
        next["images"]["app"] = json!("registry.example.com/demo-app:3.0.0");
        let message = reported(&stage, &next).await.expect_err(way);
        is_alarm(&message, "web 5xx");
        let told = "execution `run-1` died in the bake of the version that served";
        assert!(message.contains(told), "{way}: {message}");
        serves(&stage, (OLD_IMAGE, "")).await;
        let message = reported(&stage, &next).await.expect_err(way);
        assert!(message.contains("was not changed"), "{way}: {message}");
        silence(&stage, "web 5xx");
        reported(&stage, &next).await.expect(way);
        serves(&stage, ("registry.example.com/demo-app:3.0.0", "")).await;
    }
}

/// A deploy of this image, watched for a second.
pub fn with_image(way: &str, execution: &str, image: &str) -> Value {
    let mut parameters = parameters(way, execution, "1s");
    parameters["images"]["app"] = json!(image);
    parameters
}

/// Its lease is over: no deploy of that time is alive any more.
async fn outlive(stage: &Stage) {
    let live = stage.deployment().await;
    let generation = live["metadata"]["generation"].as_i64().unwrap() + 1;
    let notes = json!({"landfall/guarded-until": "2020-01-01T01:00:00Z",
        "landfall/generation": generation.to_string()});
    let place = ["metadata", "annotations"];
    let cluster = &stage.cluster;
    cluster
        .change("deployments", "demo-app", place, notes)
        .await;
}

/// The same where the version was rolled out: its Deployment has no lock, and notes until when its
/// deploy may be alive.
#[tokio::test(flavor = "multi_thread")]
async fn another_execution_takes_back_what_rings_since_a_rollout_died_in_its_bake() {
    let stage = killed_in_its_bake("rolling").await;
    ring(&stage, "web 5xx");
    let next = with_image("rolling", "run-2", "registry.example.com/demo-app:3.0.0");
    // It may be alive, and will see the alarm then.
    let message = reported(&stage, &next).await.unwrap_err();
    assert!(message.contains("was not changed"), "{message}");
    serves(&stage, (NEW_IMAGE, "")).await;
    outlive(&stage).await;
    let message = reported(&stage, &next).await.unwrap_err();
    is_alarm(&message, "web 5xx");
    for told in [
        "execution `run-1` died in the bake of the version that served",
        "Rolled back: revision ",
    ] {
        assert!(message.contains(told), "{message}");
    }
    serves(&stage, (OLD_IMAGE, "")).await;
    // From then on it is as if that had never been.
    let message = reported(&stage, &next).await.unwrap_err();
    assert!(message.contains("was not changed"), "{message}");
    silence(&stage, "web 5xx");
    reported(&stage, &next).await.unwrap();
    serves(&stage, ("registry.example.com/demo-app:3.0.0", "")).await;
}

/// What came to the end of its watch is not taken back, however long ago that was.
#[tokio::test(flavor = "multi_thread")]
async fn another_execution_takes_nothing_back_that_was_watched_to_its_end() {
    let stage = behind_a_service().await;
    reported(&stage, &parameters("rolling", "run-1", "1s"))
        .await
        .unwrap();
    outlive(&stage).await;
    ring(&stage, "web 5xx");
    let next = with_image("rolling", "run-2", "registry.example.com/demo-app:3.0.0");
    let message = reported(&stage, &next).await.unwrap_err();
    assert!(message.contains("was not changed"), "{message}");
    serves(&stage, (NEW_IMAGE, "")).await;
}
