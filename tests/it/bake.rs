//! A rolling deploy that is watched after it serves everything.

mod calls;

use crate::stage::{LIFE, OLD_IMAGE, SHORT, Stage, image};
use landfall_sandbox::aws::{JobResult, Outcome};
use serde_json::{Value, json};
use std::time::Duration;

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";

/// The new version, and that its watch is over.
const WATCHED: [&str; 2] = ["PATCH", "PATCH"];

/// A rolling deploy with a bake of so many seconds.
fn baked(seconds: u64) -> Value {
    let mut parameters = image(NEW_IMAGE);
    parameters["bake"] = json!(format!("{seconds}s"));
    parameters["patience"] = json!("1s");
    parameters
}

/// Waits until the function watches the new version.
pub async fn watched(stage: &Stage) {
    stage.logged("and is watched until").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_deploy_is_watched_for_its_bake() {
    let stage = Stage::new().await;
    let (summary, variables) = stage.deploy(baked(3)).await.success();
    assert!(
        summary.contains("It was watched for 3 s after all its pods were available (`bake`)."),
        "{summary}"
    );
    assert!(variables["DurationSeconds"].parse::<u32>().unwrap() >= 3);
    stage.wrote(&WATCHED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bake_goes_on_over_many_invocations() {
    let stage = Stage::new().await;
    let (_, variables) = stage.deploy_in(SHORT, baked(4)).await.success();
    let seconds = variables["DurationSeconds"].parse::<u32>().unwrap();
    // It does not begin anew in each of them.
    assert!((4..20).contains(&seconds), "{seconds}");
    let reports = stage.aws.reports();
    let watched = reports.iter().filter(|report| match &report.result {
        JobResult::Success {
            summary: Some(summary),
            ..
        } => summary.starts_with("it serves (2 of 2 new pods available), and is watched until"),
        _ => false,
    });
    assert!(watched.count() >= 2, "{reports:#?}");
    stage.wrote(&WATCHED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_falls_ill_during_the_bake_is_rolled_back() {
    let stage = Stage::new().await;
    let illness = async {
        watched(&stage).await;
        stage.cluster.strike("demo-app", NEW_IMAGE).await;
    };
    let (ended, ()) = tokio::join!(stage.deploy(baked(25)), illness);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.contains("exits with code 1"), "{message}");
    assert!(message.contains("Rolled back: revision 3"), "{message}");
    assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
    stage.wrote(&["PATCH", "PATCH"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_others_do_during_the_bake_is_no_failure_of_the_version() {
    let stage = Stage::new().await;
    let others = async {
        watched(&stage).await;
        stage.cluster.scale(3).await;
    };
    let (ended, ()) = tokio::join!(stage.deploy(baked(3)), others);
    let (summary, _) = ended.success();
    assert!(summary.contains("3 of 3 pods available"), "{summary}");
    stage.wrote(&WATCHED);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_deploy_during_the_bake_is_kept() {
    let stage = Stage::new().await;
    let others = async {
        watched(&stage).await;
        stage.cluster.set_image("theirs:1").await;
    };
    let (ended, ()) = tokio::join!(stage.deploy(baked(20)), others);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "RevisionOutOfSync", "{message}");
    assert_eq!(stage.image().await, "theirs:1");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_there_already_has_no_bake() {
    let stage = Stage::new().await;
    let mut parameters = baked(20);
    parameters["images"]["app"] = json!(OLD_IMAGE);
    let (summary, variables) = stage.deploy(parameters).await.success();
    let said = "it was not watched for the time of `bake`";
    assert!(summary.contains(said), "{summary}");
    assert!(variables["DurationSeconds"].parse::<u32>().unwrap() < 15);
    stage.wrote(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_during_the_bake_bakes_anew() {
    let mut stage = Stage::new().await;
    let event = stage.event(&baked(4));
    let job = stage.aws.submit(event, LIFE);
    watched(&stage).await;
    stage.function.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(stage.aws.retry(&job));
    let Outcome::Succeeded(report) = stage.aws.outcome(&job, LIFE).await else {
        panic!("{}", stage.log());
    };
    let JobResult::Success {
        summary: Some(summary),
        ..
    } = report.result
    else {
        panic!("it succeeded");
    };
    assert!(summary.contains("It was watched for 4 s"), "{summary}");
    stage.wrote(&WATCHED);
}
