//! Artifacts that a call names: with the function's own rights, out of the one bucket that is
//! allowed.

use super::{call, followed, refused, said};
use crate::artifact::zip;
use crate::stage::{LIFE, Stage, demo_app};
use landfall_sandbox::aws::AwsFault;
use serde_json::{Value, json};

const BUCKET: &str = "releases";
const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";

/// A function that may read the bucket for calls.
async fn stage() -> Stage {
    let variables = [("ARTIFACT_BUCKET", Some(BUCKET))];
    let stage = Stage::given_with([demo_app(600)], &variables).await;
    let image = format!(r#"[{{"name": "app", "imageUri": "{NEW_IMAGE}"}}]"#);
    let archive = zip(&[("images.json", image.as_bytes())]);
    stage.aws.put_object(BUCKET, "web/7.zip", archive);
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
    let slow = br#"[{"name": "app", "imageUri": "registry.example.com/demo-app:3-after-2s"}]"#;
    let archive = zip(&[("images.json", slow)]);
    stage.aws.put_object(BUCKET, "web/slow.zip", archive);
    let mut event = event(&stage, "s3://releases/web/slow.zip");
    let answer = said(&stage, event.clone(), crate::stage::SHORT).await;
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
