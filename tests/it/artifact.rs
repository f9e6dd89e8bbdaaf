//! Deploys from input artifacts: manifests, images and variables as pipelines carry them.

mod refused;
mod large;
mod many;
mod plan;

use crate::stage::{Ended, LIFE, SHORT, Stage, demo_app, plain};
use landfall_sandbox::aws::AwsFault;
pub use landfall_sandbox::aws::zip;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

pub const BUCKET: &str = "codepipeline-eu-central-1-111111111111";
const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const REVISION: &str = "e0c7b6e7d5d3cb0f3b2b2dbd9e2b4f0f8a3a0001";

/// A job whose input artifacts are these: `None` for one that is not in the bucket.
fn event(stage: &Stage, artifacts: &[(&str, Option<&[u8]>)], parameters: &Value) -> Value {
    let mut event = stage.event(parameters);
    let listed = artifacts.iter().map(|(name, content)| {
        let key = format!("demo/{name}/TdOSFRV");
        if let Some(content) = content {
            stage.aws.put_object(BUCKET, &key, content.to_vec());
        }
        let revision = name.starts_with("Source").then_some(REVISION);
        json!({"name": name, "revision": revision, "location": {"type": "S3",
            "s3Location": {"bucketName": BUCKET, "objectKey": key}}})
    });
    event["CodePipeline.job"]["data"]["inputArtifacts"] = listed.collect();
    event
}

async fn deploy(stage: &Stage, artifacts: &[(&str, Option<&[u8]>)], parameters: Value) -> Ended {
    stage.run(event(stage, artifacts, &parameters), LIFE).await
}

/// How often S3 was asked.
fn reads(stage: &Stage) -> usize {
    let calls = stage.aws.calls();
    calls
        .iter()
        .filter(|call| call.target == "S3.GetObject")
        .count()
}

/// `demo-app` as a manifest, placed where the story's cluster wants it.
fn manifest(stage: &Stage, image: &str) -> Value {
    let mut manifest = demo_app(600);
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = json!(image);
    stage.cluster.place(&mut manifest);
    manifest["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("namespace");
    manifest
}

fn archive(name: &str) -> Vec<u8> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/archives/");
    fs::read(format!("{folder}{name}.zip")).unwrap()
}

/// The parameters that go with the archives in `tests/archives`.
fn article() -> Value {
    json!({"manifest": "k8s/deployment.yaml", "images": "Build::imagedefinitions.json",
        "variables": {"COMMIT": "0a1b2c3", "TIME": "2026-01-01T00:00:00Z"}, "execution": "run-7"})
}

#[tokio::test(flavor = "multi_thread")]
async fn manifest_images_and_variables_come_from_artifacts() {
    for name in [
        "python-deflated",
        "python-zip64",
        "infozip-deflated",
        "infozip-stream",
    ] {
        let stage = Stage::in_sandbox(|world, now| world.apply(demo_app(600), now)).await;
        let archive = archive(name);
        let artifacts: [(&str, Option<&[u8]>); 2] =
            [("Source", Some(&archive)), ("Build", Some(&archive))];
        let (summary, variables) = deploy(&stage, &artifacts, article()).await.success();
        assert!(summary.contains(NEW_IMAGE), "{summary}");
        assert_eq!(variables["Image"], NEW_IMAGE);
        assert_eq!(variables["Commit"], "0a1b2c3");
        assert_eq!(variables["Execution"], "run-7");
        let container = stage.container().await;
        assert_eq!(container["image"], NEW_IMAGE);
        let env = json!([{"name": "COMMIT", "value": "0a1b2c3"},
            {"name": "SHELL_STYLE", "value": "${HOME} and $(COMMIT)"}]);
        assert_eq!(container["env"], env);
        let notes = stage.deployment().await["metadata"]["annotations"].take();
        assert_eq!(notes["example.com/built-at"], "2026-01-01T00:00:00Z");
        assert_eq!(notes["landfall/commit"], "0a1b2c3");
        let line = format!("execution run-7, commit 0a1b2c3, image {NEW_IMAGE}");
        assert_eq!(notes["kubernetes.io/change-cause"], line);
        assert_eq!(
            reads(&stage),
            2,
            "{name}: each artifact is small enough for one read"
        );
        for secret in [
            "artifact-secret-access-key",
            "artifact-session-token",
            "ASIA-ARTIFACT",
        ] {
            assert!(!stage.log().contains(secret), "{}", stage.log());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_artifact_that_has_the_file_gives_it_and_the_rest_of_it_is_told() {
    let stage = Stage::new().await;
    let service = "---\nkind: Service\nmetadata: {name: demo-app}\n";
    let text = format!("---\n{}\n{service}", manifest(&stage, NEW_IMAGE));
    let (docs, source) = (
        zip(&[("README.md", b"x")]),
        zip(&[("app.yaml", text.as_bytes())]),
    );
    let artifacts: [(&str, Option<&[u8]>); 2] = [("Docs", Some(&docs)), ("Source", Some(&source))];
    let parameters = json!({"manifest": "./app.yaml"});
    let (summary, variables) = deploy(&stage, &artifacts, parameters).await.success();
    assert!(
        summary.contains("which were not applied: `Service/demo-app`"),
        "{summary}"
    );
    assert_eq!(variables["NotApplied"], "Service/demo-app");
    assert_eq!(variables["Commit"], REVISION);
    assert_eq!(stage.image().await, NEW_IMAGE);
    // The same once more changes nothing.
    let parameters = json!({"manifest": "Source::app.yaml"});
    let (summary, _) = deploy(&stage, &artifacts, parameters).await.success();
    assert!(summary.contains("demo-app"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ecr_sources_image_goes_into_the_one_container() {
    let stage = Stage::new().await;
    let image = format!("registry.example.com/demo-app@sha256:{}", "0".repeat(64));
    let detail = json!({"ImageSizeInBytes": "44728918", "ImageURI": image}).to_string();
    let ecr = zip(&[("imageDetail.json", detail.as_bytes())]);
    let parameters = json!({"deployment": "demo-app", "images": "imageDetail.json"});
    let artifacts: [(&str, Option<&[u8]>); 1] = [("Ecr", Some(&ecr))];
    let (_, variables) = deploy(&stage, &artifacts, parameters).await.success();
    assert_eq!(
        (stage.image().await, &variables["Image"]),
        (image.clone(), &image)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_read_that_is_not_asked_for() {
    let stage = Stage::new().await;
    let artifacts: [(&str, Option<&[u8]>); 1] = [("Source", None)];
    deploy(&stage, &artifacts, crate::stage::image(NEW_IMAGE))
        .await
        .success();
    assert_eq!(reads(&stage), 0);
    // Neither where the parameters are wrong anyway.
    let wrong = json!({"manifest": "app.yaml", "bogus": 1});
    deploy(&stage, &artifacts, wrong).await.failure();
    assert_eq!(reads(&stage), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_elsewhere_and_a_bucket_in_trouble() {
    let stage = Stage::new().await;
    let text = manifest(&stage, NEW_IMAGE).to_string();
    let source = zip(&[("app.json", text.as_bytes())]);
    let artifacts: [(&str, Option<&[u8]>); 1] = [("Source", Some(&source))];
    stage.aws.locate_bucket(BUCKET, "us-west-2");
    let parameters = json!({"manifest": "app.json"});
    deploy(&stage, &artifacts, parameters.clone())
        .await
        .success();
    assert_eq!(
        reads(&stage),
        2,
        "once in the wrong region, and once in the right one"
    );
    for fault in [
        AwsFault::Throttling,
        AwsFault::Unavailable,
        AwsFault::Cut,
        AwsFault::Slow(Duration::from_millis(50)),
    ] {
        stage.aws.fault("S3", fault, 1);
        deploy(&stage, &artifacts, parameters.clone())
            .await
            .success();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_goes_on_reads_its_files_again() {
    let stage = Stage::new().await;
    let text = manifest(&stage, "registry.example.com/demo-app:2.0.0-after-2s").to_string();
    let source = zip(&[("app.json", text.as_bytes())]);
    let artifacts: [(&str, Option<&[u8]>); 1] = [("Source", Some(&source))];
    let event = event(&stage, &artifacts, &json!({"manifest": "app.json"}));
    stage.run(event, SHORT).await.success();
    assert!(reads(&stage) > 1);
    stage.wrote(&["PUT"]);
}

/// An artifact that has no files leaves it to the next; one that may have the file does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_bare_path_goes_past_artifacts_that_have_no_files() {
    let pointer: &[u8] = br#"{"fullRepositoryId": "team/app", "cloneUrl": "https://x/y.git"}"#;
    let text: &[u8] = b"kind: Deployment\n";
    for first in [Some(pointer), Some(text), Some(b""), None] {
        let stage = Stage::new().await;
        let manifest = manifest(&stage, NEW_IMAGE).to_string();
        let build = zip(&[("/k8s/deployment.yaml", manifest.as_bytes())]);
        let artifacts = [("Source", first), ("Build", Some(build.as_slice()))];
        let parameters = json!({"manifest": "k8s/deployment.yaml"});
        deploy(&stage, &artifacts, parameters).await.success();
        assert_eq!(stage.image().await, NEW_IMAGE);
    }
    let damaged = archive("python-deflated");
    let damaged = [&damaged[..60], &[0; 40], &damaged[100..]].concat();
    let build = zip(&[("app.yaml", b"x")]);
    let told = async |first: Option<&[u8]>, file: &str| {
        let artifacts = [("Source", first), ("Build", Some(build.as_slice()))];
        refused(&artifacts, None, file).await
    };
    insta::assert_snapshot!(told(Some(pointer), "deployment.yaml").await, @r##"
    RevisionUnavailable
    There is no file `deployment.yaml` in artifact `Build`; among others it has `app.yaml`. Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) is not a ZIP archive but the pointer to a repository that a source action with the output format `CODEBUILD_CLONE_REF` makes, which only CodeBuild can follow.

    Correct the path in the UserParameters, or have the build list the file among its artifacts (`artifacts: files:` in its buildspec). Set the source action's OutputArtifactFormat to CODE_ZIP, or take the file from the artifact of a build that puts it there. See docs/operations.md, artifact.
    "##);
    insta::assert_snapshot!(told(None, "app.yml").await, @r##"
    RevisionUnavailable
    There is no file `app.yml` in artifact `Build`; there is `app.yaml`. Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) cannot be read: it is not there (NoSuchKey: The specified key does not exist).

    Correct the path in the UserParameters, or have the build list the file among its artifacts (`artifacts: files:` in its buildspec). Release the change again, so that the artifact is made anew. A lifecycle rule of the bucket may remove artifacts that are still needed. See docs/operations.md, artifact.
    "##);
    insta::assert_snapshot!(told(Some(text), "Source::app.yaml").await, @r##"
    RevisionUnavailable
    Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) is not a ZIP archive but a text.

    An S3 source action hands the object on as it is: upload a ZIP archive that has the file in it, or take the file from the artifact of a build. See docs/operations.md, artifact.
    "##);
    insta::assert_snapshot!(told(Some(&damaged), "k8s/deployment.yaml").await, @r##"
    RevisionUnavailable
    `k8s/deployment.yaml` is damaged in its archive: a member is not where it should be.

    Release the change again, so that the artifact is made anew; then look at the program that makes the archive. Where another artifact has the file, name that: `ArtifactName::k8s/deployment.yaml`. See docs/operations.md, artifact.
    "##);
    let artifacts = [("Source", Some(pointer)), ("Build", Some(text))];
    insta::assert_snapshot!(refused(&artifacts, None, "app.yaml").await, @r##"
    RevisionUnavailable
    No artifact has the file `app.yaml`. Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) is not a ZIP archive but the pointer to a repository that a source action with the output format `CODEBUILD_CLONE_REF` makes, which only CodeBuild can follow. Artifact `Build` (s3://codepipeline-eu-central-1-111111111111/demo/Build/TdOSFRV) is not a ZIP archive but a text.

    Set the source action's OutputArtifactFormat to CODE_ZIP, or take the file from the artifact of a build that puts it there. An S3 source action hands the object on as it is: upload a ZIP archive that has the file in it, or take the file from the artifact of a build. See docs/operations.md, artifact.
    "##);
    let artifacts = [("Source", Some(text)), ("Build", Some(text))];
    let fault = Some(AwsFault::AccessDenied);
    insta::assert_snapshot!(refused(&artifacts, fault, "app.yaml").await, @r##"
    PermissionError
    Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) cannot be read: S3 denies it (AccessDenied: User: arn:aws:sts::111122223333:assumed-role/pipeline/job is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV" because no identity-based policy allows the s3:GetObject action).

    The job's credentials are those of the pipeline: its role, the bucket's policy and its endpoint policy must allow s3:GetObject on the artifact. S3 also denies what is not there, where it may not be listed. Where another artifact has the file, name that: `ArtifactName::app.yaml`. See docs/operations.md, artifact.
    "##);
}

/// The type, the first line and the last of a failure.
async fn refused(
    artifacts: &[(&str, Option<&[u8]>)],
    fault: Option<AwsFault>,
    file: &str,
) -> String {
    let stage = Stage::new().await;
    if let Some(fault) = fault {
        stage.aws.fault("S3", fault, 9);
    }
    // One bucket is always there.
    stage.aws.put_object(BUCKET, "x", Vec::new());
    let (kind, message) = deploy(&stage, artifacts, json!({"manifest": file}))
        .await
        .failure();
    stage.wrote(&[]);
    plain(&format!("{kind}\n{message}"))
}
