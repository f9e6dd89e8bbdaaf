//! Artifacts that a call names: with the function's own rights, out of the one bucket that is
//! allowed.

use super::{call, followed, refused, said};
use crate::artifact::zip;
use crate::stage::{LIFE, SHORT, Stage, demo_app};
use landfall_sandbox::aws::AwsFault;
use serde_json::{Value, json};

const BUCKET: &str = "releases";
const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";

/// A function that may read the bucket for calls.
async fn stage() -> Stage {
    let variables = [("ARTIFACT_BUCKET", Some(BUCKET))];
    let stage = Stage::given_with([demo_app(600)], &variables).await;
    stage
        .aws
        .put_object(BUCKET, "web/7.zip", archive_of(NEW_IMAGE));
    stage.aws.open_bucket(BUCKET);
    stage
}

fn event(stage: &Stage, place: &str) -> Value {
    let parameters = json!({"deployment": "demo-app", "images": "Build::images.json"});
    let mut event = call(stage, &parameters);
    event["artifacts"] = json!({"Build": place});
    event
}

#[tokio::test(flavor = "multi_thread")]
async fn files_come_from_the_place_that_the_call_names() {
    let stage = stage().await;
    let event = event(&stage, "s3://releases/web/7.zip");
    let (end, _) = followed(&stage, &event, LIFE).await;
    assert_eq!(end.unwrap()["outputVariables"]["Image"], NEW_IMAGE);
    assert_eq!(stage.image().await, NEW_IMAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_bucket_is_read_and_none_unless_one_is_allowed() {
    for (stage, words) in [
        (stage().await, "`artifacts.Build` is not in `releases`"),
        (Stage::new().await, "reads no artifacts for calls"),
    ] {
        let place = "s3://codepipeline-eu-central-1-111111111111/web/7.zip";
        let (kind, message) = refused(&stage, event(&stage, place)).await;
        assert_eq!(kind, "ConfigurationError");
        assert!(message.contains(words), "{message}");
        assert!(message.contains("ArtifactBucket"), "{message}");
        let reads = stage.aws.calls();
        assert!(!reads.iter().any(|call| call.target.starts_with("S3")));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_s3_refuses_is_told_in_a_callers_words() {
    let stage = stage().await;
    let place = "s3://releases/web/7.zip";
    for (fault, expected, words) in [
        (
            AwsFault::AccessDenied,
            "PermissionError",
            "The function's own credentials are used",
        ),
        (
            AwsFault::KmsAccessDenied,
            "PermissionError",
            "the stack's parameter ArtifactKeyArn",
        ),
    ] {
        stage.aws.fault("S3", fault, 1);
        let (kind, message) = refused(&stage, event(&stage, place)).await;
        assert_eq!(kind, expected);
        assert!(message.contains(words), "{message}");
        assert!(!message.contains("pipeline's"), "{message}");
    }
    let missing = event(&stage, "s3://releases/web/8.zip");
    let (kind, message) = refused(&stage, missing).await;
    assert_eq!(kind, "RevisionUnavailable");
    assert!(message.contains("s3://releases/web/8.zip"), "{message}");
    let mut none = event(&stage, place);
    none["artifacts"] = json!({});
    let (kind, message) = refused(&stage, none).await;
    assert_eq!(kind, "ConfigurationError");
    assert!(message.contains("the call names none"), "{message}");
    assert!(
        message.contains("Name the artifact in `artifacts`"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuation_belongs_to_its_artifacts() {
    let stage = stage().await;
    let archive = archive_of(SLOW_IMAGE);
    stage.aws.put_object(BUCKET, "web/slow.zip", archive);
    let mut event = event(&stage, "s3://releases/web/slow.zip");
    let answer = said(&stage, event.clone(), SHORT).await;
    event["continuation"] = answer.unwrap()["continuation"].clone();
    let mut other = event.clone();
    other["artifacts"] = json!({"Build": "s3://releases/web/7.zip"});
    let (kind, message) = said(&stage, other, LIFE).await.unwrap_err();
    assert_eq!(kind, "ConfigurationError");
    assert!(
        message.contains("belongs to other user parameters"),
        "{message}"
    );
    let answer = said(&stage, event, LIFE).await.unwrap();
    assert_eq!(answer["status"], "SUCCEEDED");
}

/// An archive with one image.
fn archive_of(image: &str) -> Vec<u8> {
    let image = format!(r#"[{{"name": "app", "imageUri": "{image}"}}]"#);
    zip(&[("images.json", image.as_bytes())])
}

const PLACE: &str = "s3://releases/web/7.zip";
const SLOW_IMAGE: &str = "registry.example.com/demo-app:3-after-2s";

#[tokio::test(flavor = "multi_thread")]
async fn a_running_deploy_does_not_change_with_what_lies_under_its_key() {
    let stage = stage().await;
    let put = |image| stage.aws.put_object(BUCKET, "web/7.zip", archive_of(image));
    put(SLOW_IMAGE);
    let mut event = event(&stage, PLACE);
    let first = said(&stage, event.clone(), SHORT).await.unwrap();
    event["continuation"] = first["continuation"].clone();
    put(NEW_IMAGE);
    let (kind, message) = said(&stage, event.clone(), LIFE).await.unwrap_err();
    assert_eq!(kind, "ConfigurationError");
    assert!(message.contains("was replaced"), "{message}");
    assert!(message.contains("a key of its own"), "{message}");
    stage.wrote(&["PATCH"]);
    assert_eq!(stage.image().await, SLOW_IMAGE);
    // The same files in another archive are the same deploy.
    put(SLOW_IMAGE);
    let answer = said(&stage, event, LIFE).await.unwrap();
    assert_eq!(answer["outputVariables"]["Image"], SLOW_IMAGE);
    stage.wrote(&["PATCH"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_equal_call_with_other_files_is_another_deploy() {
    let stage = stage().await;
    let mut event = event(&stage, PLACE);
    event["deploy"]["execution"] = json!("run-1");
    event["deploy"]["restart"] = json!(true);
    let job = async || {
        let (end, _) = followed(&stage, &event, LIFE).await;
        end.unwrap();
        stage.deployment().await["metadata"]["annotations"]["landfall/job"].clone()
    };
    let first = job().await;
    assert_eq!(job().await, first);
    stage.wrote(&["PATCH"]);
    stage
        .aws
        .put_object(BUCKET, "web/7.zip", archive_of(SLOW_IMAGE));
    assert_ne!(job().await, first);
    assert_eq!(stage.image().await, SLOW_IMAGE);
    stage.wrote(&["PATCH", "PATCH"]);
}
