//! Artifacts that cannot be read, and what is said of them.

use crate::artifact::{archive, refused, zip};
use landfall_sandbox::aws::AwsFault;

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_an_artifact_from_being_read_is_told() {
    let none: [(&str, Option<&[u8]>); 1] = [("Source", None)];
    insta::assert_snapshot!(refused(&none, None, "app.yaml").await, @r#"
    RevisionUnavailable
    Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) cannot be read: it is not there (NoSuchKey: The specified key does not exist).

    Release the change again, so that the artifact is made anew. A lifecycle rule of the bucket may remove artifacts that are still needed. See docs/operations.md, artifact.
    "#);
    insta::assert_snapshot!(refused(&none, Some(AwsFault::AccessDenied), "app.yaml").await, @r#"
        PermissionError
        Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) cannot be read: S3 denies it (AccessDenied: User: arn:aws:sts::111122223333:assumed-role/pipeline/job is not authorized to perform: s3:GetObject on resource: "arn:aws:s3:::codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV" because no identity-based policy allows the s3:GetObject action).

        The job's credentials are those of the pipeline: its role, the bucket's policy and its endpoint policy must allow s3:GetObject on the artifact. S3 also denies what is not there, where it may not be listed. See docs/operations.md, artifact.
        "#);
    insta::assert_snapshot!(refused(&none, Some(AwsFault::KmsAccessDenied), "app.yaml").await, @r"
    PermissionError
    Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) cannot be read: the key that it is encrypted with is denied (AccessDenied: User: arn:aws:sts::111122223333:assumed-role/pipeline/job is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-central-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab because no identity-based policy allows the kms:Decrypt action).

    The pipeline's role needs kms:Decrypt on the key of the artifact store, and the key's policy must allow it. See docs/operations.md, artifact.
    ");
    insta::assert_snapshot!(refused(&none, Some(AwsFault::ExpiredToken), "app.yaml").await, @r#"
        PermissionError
        Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) cannot be read: the job's credentials have expired (ExpiredToken: The provided token has expired).

        Retry: each job brings credentials of its own. Where this happens again, the job waited too long before it was run. See docs/operations.md, artifact.
        "#);
    insta::assert_snapshot!(refused(&none, Some(AwsFault::Throttling), "app.yaml").await, @r"
    SystemUnavailable
    Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) cannot be read: S3 is overloaded, and stayed so (SlowDown: Please reduce your request rate).

    Retry the stage in a few minutes: S3 or the way to it is overloaded, and nothing is wrong with the artifact. See docs/operations.md, artifact.
    ");
    insta::assert_snapshot!(refused(&none, None, "Build::app.yaml").await, @r#"
        ConfigurationError
        `Build::app.yaml` is to be read from an input artifact that the action does not have; it has `Source`.

        List the artifact among the action's InputArtifacts, or correct the name in the UserParameters, and release the change again. See docs/operations.md, artifact.
        "#);
    insta::assert_snapshot!(refused(&[], None, "app.yaml").await, @r#"
        ConfigurationError
        `app.yaml` is to be read from an input artifact, and the action has none.

        List the artifact among the action's InputArtifacts, or correct the name in the UserParameters, and release the change again. See docs/operations.md, artifact.
        "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_an_artifact_is_instead_is_told() {
    let refused =
        async |content: &[u8], file: &str| refused(&[("Source", Some(content))], None, file).await;
    let pointer = br#"{"fullRepositoryId": "team/app", "cloneUrl": "https://x/y.git"}"#;
    insta::assert_snapshot!(refused(pointer, "app.yaml").await, @r##"
    RevisionUnavailable
    Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) is not a ZIP archive but the pointer to a repository that a source action with the output format `CODEBUILD_CLONE_REF` makes, which only CodeBuild can follow.

    Set the source action's OutputArtifactFormat to CODE_ZIP, or take the file from the artifact of a build that puts it there. See docs/operations.md, artifact.
    "##);
    let manifest = br#"{"apiVersion": "apps/v1", "kind": "Deployment"}"#;
    insta::assert_snapshot!(refused(manifest, "app.yaml").await, @r##"
    RevisionUnavailable
    Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) is not a ZIP archive but a JSON document.

    An S3 source action hands the object on as it is: upload a ZIP archive that has the file in it, or take the file from the artifact of a build. See docs/operations.md, artifact.
    "##);
    insta::assert_snapshot!(refused(b"kind: Deployment\n", "app.yaml").await, @r##"
    RevisionUnavailable
    Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) is not a ZIP archive but a text.

    An S3 source action hands the object on as it is: upload a ZIP archive that has the file in it, or take the file from the artifact of a build. See docs/operations.md, artifact.
    "##);
    insta::assert_snapshot!(refused(b"", "app.yaml").await, @r##"
    RevisionUnavailable
    Artifact `Source` (s3://codepipeline-eu-central-1-111111111111/demo/Source/TdOSFRV) is empty.

    Look at what the action that makes the artifact puts there: it must be a ZIP archive with the file in it. See docs/operations.md, artifact.
    "##);
    let other = zip(&[
        ("app/main.py", b"x"),
        ("k8s/", b""),
        ("k8s/service.yml", b"x"),
    ]);
    insta::assert_snapshot!(refused(&other, "deployment.yaml").await, @r##"
    RevisionUnavailable
    There is no file `deployment.yaml` in artifact `Source`; among others it has `app/main.py`, `k8s/service.yml`.

    Correct the path in the UserParameters, or have the build list the file among its artifacts (`artifacts: files:` in its buildspec). See docs/operations.md, artifact.
    "##);
    let large = zip(&[("app.yaml", &vec![b' '; 3 << 20])]);
    insta::assert_snapshot!(refused(&large, "app.yaml").await, @r"
    RevisionUnavailable
    `app.yaml` has 3 MiB, and at most 2 MiB is read.

    Split the file: `manifest` needs the Deployment alone, and `manifests` takes a folder of smaller files. See docs/operations.md, artifact.
    ");
    let near = zip(&[("k8s/app.yml", b"x"), ("README.md", b"x")]);
    insta::assert_snapshot!(refused(&near, "app.yaml").await, @r#"
        RevisionUnavailable
        There is no file `app.yaml` in artifact `Source`; there is `k8s/app.yml`.

        Correct the path in the UserParameters, or have the build list the file among its artifacts (`artifacts: files:` in its buildspec). See docs/operations.md, artifact.
        "#);
    let encrypted = archive("infozip-encrypted");
    insta::assert_snapshot!(refused(&encrypted, "k8s/deployment.yaml").await, @r##"
    RevisionUnavailable
    `k8s/deployment.yaml` is encrypted with a password.

    Have the action that makes the artifact write a plain ZIP archive, stored or deflated, without a password or links. See docs/operations.md, artifact.
    "##);
    let service = zip(&[("app.yaml", b"kind: Service\nmetadata: {name: web}\n")]);
    insta::assert_snapshot!(refused(&service, "app.yaml").await, @r#"
        ConfigurationError
        Nothing was deployed: `manifest` names `app.yaml`, which has no Deployment; it has `Service/web`.

        Correct the file, or the action's UserParameters, and release the change again. See docs/operations.md, parameters.
        "#);
    let place =
        b"kind: Deployment\nmetadata: {name: demo-app}\nspec: {template: {spec: {containers: \
        [{name: app, image: 'app:${TAG}'}]}}}\n";
    insta::assert_snapshot!(refused(&zip(&[("app.yaml", place)]), "app.yaml").await, @r##"
    ConfigurationError
    Nothing was deployed: `manifest.spec.template.spec.containers[app].image` of `app.yaml` in artifact `Source` is `app:${TAG}`, which is not a valid image: nothing filled in `${TAG}`. In a manifest `variables` do that; elsewhere the step that writes it must.

    Correct the file, or the action's UserParameters, and release the change again. See docs/operations.md, parameters.
    "##);
}
