//! Many files of one artifact: folders and globs.

use crate::artifact::{BUCKET, REVISION, archive, zip};
use landfall::artifacts;
use landfall::aws::clients;
use landfall::aws::s3::Store;
use landfall_core::event::{Event, Job};
use landfall_core::outcome::{ArtifactError, FileReference};
use landfall_core::request::{Files, Wanted};
use landfall_sandbox::aws::Aws;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::Instant;

/// S3 with these artifacts, and the job that has them.
struct Read {
    aws: Aws,
    job: Job,
}

impl Read {
    async fn given(artifacts: &[(&str, &[u8])]) -> Read {
        let aws = Aws::start().await.unwrap();
        let mut event = crate::stage::event(1, "{}");
        let listed = artifacts.iter().map(|(name, content)| {
            let key = format!("demo/{name}/TdOSFRV");
            aws.put_object(BUCKET, &key, content.to_vec());
            json!({"name": name, "revision": REVISION, "location": {"type": "S3",
                "s3Location": {"bucketName": BUCKET, "objectKey": key}}})
        });
        event["CodePipeline.job"]["data"]["inputArtifacts"] = listed.collect::<Value>();
        let Event::Deploy(job) = Event::read(&event) else {
            panic!("{event}");
        };
        Read { aws, job }
    }

    /// Reads these `manifests`, written as in the user parameters.
    async fn manifests(&self, wanted: &[&str]) -> Result<Files, ArtifactError> {
        let aws = clients::Aws::read(|name| match name {
            "AWS_REGION" => Some("eu-central-1".to_owned()),
            "AWS_ENDPOINT_URL" => Some(self.aws.endpoint()),
            _ => None,
        });
        let references = wanted.iter().map(|text| match text.split_once("::") {
            Some((artifact, path)) => reference(Some(artifact), path),
            None => reference(None, text),
        });
        let wanted = Wanted {
            manifests: references.collect(),
            ..Wanted::default()
        };
        let until = Instant::now() + Duration::from_secs(60);
        artifacts::read(&Store::new(&aws), &self.job, &wanted, until).await
    }

    /// The artifacts and paths of what was read.
    async fn names(&self, wanted: &[&str]) -> Vec<String> {
        let files = self.manifests(wanted).await.unwrap().manifests;
        let names = files
            .iter()
            .map(|named| format!("{}::{}", named.file.artifact, named.path));
        names.collect()
    }

    /// The type of a failure, what it says, and what to do.
    async fn refused(&self, wanted: &[&str]) -> String {
        let error = self.manifests(wanted).await.unwrap_err();
        format!("{}\n{error}\n{}", error.kind().name(), error.next())
    }

    fn reads(&self) -> usize {
        self.aws.calls().len()
    }
}

fn reference(artifact: Option<&str>, path: &str) -> FileReference {
    FileReference {
        artifact: artifact.map(str::to_owned),
        path: path.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn folders_globs_and_files_give_each_file_once_in_the_order_of_their_names() {
    let source = zip(&[
        ("k8s/web.yaml", b"web"),
        ("k8s/base/", b""),
        ("k8s/base/db.yaml", b"db"),
        ("k8s/README.md", b"x"),
        ("k8s/.sops.yaml", b"x"),
        (".github/workflows/a.yaml", b"x"),
        ("__MACOSX/k8s/._web.yaml", b"x"),
        ("crds/Crd.json", b"crd"),
        ("notes.txt", b"notes"),
    ]);
    let build = zip(&[("rendered/out.yaml", b"out"), ("k8s/web.yaml", b"other")]);
    let read = Read::given(&[("Source", &source), ("Build", &build)]).await;
    let base = ["Source::k8s/base/db.yaml", "Source::k8s/web.yaml"];
    for (wanted, expected) in [
        (&["k8s"][..], &base[..]),
        (&["k8s/", "k8s/**/*.yaml", "k8s/base/db.yaml"], &base),
        (&["k8s/*.yaml"], &base[1..]),
        (&["notes.txt"], &["Source::notes.txt"]),
        (
            &["rendered", "k8s/w*", "crds"],
            &[
                "Source::crds/Crd.json",
                "Source::k8s/web.yaml",
                "Build::rendered/out.yaml",
            ],
        ),
        (
            &["Build::k8s", "Source::k8s/web.yaml"],
            &["Source::k8s/web.yaml", "Build::k8s/web.yaml"],
        ),
        (&["Source::."], &["Source::crds/Crd.json", base[0], base[1]]),
    ] {
        assert_eq!(read.names(wanted).await, expected, "{wanted:?}");
    }
    let files = read.manifests(&["k8s", "rendered/out.yaml"]).await.unwrap();
    let contents = files.manifests.iter().map(|named| &*named.file.content);
    assert_eq!(contents.collect::<Vec<_>>(), [&b"db"[..], b"web", b"out"]);
    assert_eq!(files.manifests[0].file.revision.as_deref(), Some(REVISION));
    assert_eq!(files.manifest, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn archives_of_other_programs_give_their_folders() {
    for name in [
        "python-deflated",
        "python-zip64",
        "python-unicode",
        "infozip-deflated",
        "infozip-stream",
    ] {
        let source = archive(name);
        let read = Read::given(&[("Source", &source)]).await;
        let names = read.names(&["k8s"]).await;
        assert!(
            names.contains(&"Source::k8s/deployment.yaml".to_owned()),
            "{names:?}"
        );
    }
}

/// Two hundred files that lie side by side in a large archive take one read, those that lie far
/// apart one each.
#[tokio::test(flavor = "multi_thread")]
async fn many_files_take_few_reads() {
    let names = (0..200).map(|number| format!("k8s/{number:03}.yaml"));
    let names = names.collect::<Vec<_>>();
    let content = b"kind: ConfigMap\n".repeat(200);
    let large = vec![0; 5 << 20];
    let mut members = vec![("a.bin", large.as_slice())];
    members.extend(names.iter().map(|name| (name.as_str(), content.as_slice())));
    members.extend([
        ("b.bin", &*large),
        ("k8s/last.yaml", b"last"),
        ("c.bin", &large),
    ]);
    let source = zip(&members);
    let read = Read::given(&[("Source", &source)]).await;
    let files = read.manifests(&["k8s"]).await.unwrap().manifests;
    assert_eq!(files.len(), 201);
    assert!(
        files[..200]
            .iter()
            .all(|named| named.file.content == content)
    );
    assert_eq!(files[200].file.content, b"last");
    assert_eq!(read.reads(), 3, "its end, the two hundred and the last");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_matches_nothing_says_what_there_is() {
    let source = zip(&[
        ("README.md", b"x"),
        ("k8s/base/a.yaml", b"x"),
        ("k8s/values.txt", b"x"),
        ("docs/a.md", b"x"),
    ]);
    let build = zip(&[("out.yaml", b"x")]);
    let read = Read::given(&[("Source", &source), ("Build", &build)]).await;
    insta::assert_snapshot!(read.refused(&["k8"]).await, @r"
    RevisionUnavailable
    There is no file `k8`, and no folder `k8` with manifests (.yaml, .yml, .json), in artifact `Source`, `Build`; there is `k8s/base/a.yaml`
    Correct `manifests` in the UserParameters, or have the build list the files among its artifacts (`artifacts: files:` in its buildspec).
    ");
    insta::assert_snapshot!(read.refused(&["k8s", "Source::k8s/*.yaml"]).await, @r"
    RevisionUnavailable
    There is no manifest (.yaml, .yml, .json) that matches `k8s/*.yaml` in artifact `Source`; there is `k8s/base/a.yaml`, `k8s/values.txt`
    Correct `manifests` in the UserParameters, or have the build list the files among its artifacts (`artifacts: files:` in its buildspec).
    ");
    insta::assert_snapshot!(read.refused(&["Source::docs/"]).await, @r"
    RevisionUnavailable
    There is no file `docs`, and no folder `docs` with manifests (.yaml, .yml, .json), in artifact `Source`; there is `docs/a.md`
    Correct `manifests` in the UserParameters, or have the build list the files among its artifacts (`artifacts: files:` in its buildspec).
    ");
    insta::assert_snapshot!(read.refused(&["**/*.yml"]).await, @r"
    RevisionUnavailable
    There is no manifest (.yaml, .yml, .json) that matches `**/*.yml` in artifact `Source`, `Build`; there is `k8s/base/a.yaml`, `out.yaml`
    Correct `manifests` in the UserParameters, or have the build list the files among its artifacts (`artifacts: files:` in its buildspec).
    ");
    let docs = zip(&[("README.md", b"x")]);
    let read = Read::given(&[("Docs", &docs), ("Text", b"kind: Deployment\n")]).await;
    insta::assert_snapshot!(read.refused(&["."]).await, @r"
    RevisionUnavailable
    There is no manifest (.yaml, .yml, .json) in artifact `Docs`; among others it has `README.md`. Artifact `Text` (s3://codepipeline-eu-central-1-111111111111/demo/Text/TdOSFRV) is not a ZIP archive but a text
    Correct `manifests` in the UserParameters, or have the build list the files among its artifacts (`artifacts: files:` in its buildspec). An S3 source action hands the object on as it is: upload a ZIP archive that has the file in it, or take the file from the artifact of a build.
    ");
    insta::assert_snapshot!(read.refused(&["Source::k8s"]).await, @r"
    ConfigurationError
    `Source::k8s` is to be read from an input artifact that the action does not have; it has `Docs`, `Text`
    List the artifact among the action's InputArtifacts, or correct the name in the UserParameters, and release the change again.
    ");
    let read = Read::given(&[]).await;
    insta::assert_snapshot!(read.refused(&["k8s"]).await, @r"
    ConfigurationError
    `k8s` is to be read from an input artifact, and the action has none
    List the artifact among the action's InputArtifacts, or correct the name in the UserParameters, and release the change again.
    ");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_and_too_large_files_are_refused_before_they_are_read() {
    let names = (0..501).map(|number| format!("k8s/{number}.yaml"));
    let names = names.collect::<Vec<_>>();
    let many = names.iter().map(|name| (name.as_str(), &b"x"[..]));
    let many = zip(&many.collect::<Vec<_>>());
    let read = Read::given(&[("Source", &many)]).await;
    insta::assert_snapshot!(read.refused(&["k8s", "k8s/*"]).await, @r"
    ConfigurationError
    501 files match `k8s` and `k8s/*`, and at most 500 are read
    Name fewer files in `manifests`, by a narrower folder or glob: the rest may be a release of its own.
    ");
    assert_eq!(
        read.manifests(&["k8s/1*"]).await.unwrap().manifests.len(),
        111
    );
    let (small, large) = (vec![b'x'; 3 << 20], vec![b'x'; 4 << 20]);
    let source = zip(&[
        ("k8s/a.yaml", &small),
        ("k8s/b.yaml", &large),
        ("k8s/c.yaml", &small),
    ]);
    let read = Read::given(&[("Source", &source), ("Build", &source)]).await;
    insta::assert_snapshot!(read.refused(&["k8s"]).await, @r"
    ConfigurationError
    The 3 files of `manifests` have 10 MiB, and at most 8 MiB is read; the largest is `Source::k8s/b.yaml` with 4 MiB
    Name fewer files in `manifests`, by a narrower folder or glob: the rest may be a release of its own.
    ");
    assert_eq!(read.reads(), 1, "its end alone");
    let both = read.refused(&["Source::k8s/b*", "Build::k8s/*"]).await;
    insta::assert_snapshot!(both, @r"
    ConfigurationError
    The 4 files of `manifests` have 14 MiB, and at most 8 MiB is read; the largest is `Build::k8s/b.yaml` with 4 MiB
    Name fewer files in `manifests`, by a narrower folder or glob: the rest may be a release of its own.
    ");
    assert_eq!(read.names(&["k8s/b.yaml"]).await, ["Source::k8s/b.yaml"]);
    let source = zip(&[("k8s/c.yaml", &[&*large, &large, &small].concat())]);
    let read = Read::given(&[("Source", &source)]).await;
    insta::assert_snapshot!(read.refused(&["k8s"]).await, @r"
    RevisionUnavailable
    `Source::k8s/c.yaml` has 11 MiB, and at most 8 MiB is read
    Split the file: `manifest` needs the Deployment alone, and `manifests` takes a folder of smaller files.
    ");
    let links = archive("infozip-symlink");
    let read = Read::given(&[("Source", &links)]).await;
    insta::assert_snapshot!(read.refused(&["k8s"]).await, @r"
    RevisionUnavailable
    `Source::k8s/link.yaml` is a symbolic link
    Have the action that makes the artifact write a plain ZIP archive, stored or deflated, without a password or links.
    ");
}
