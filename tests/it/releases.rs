//! Whole releases: the objects of a folder in an input artifact, deployed as one.

mod discovery;
mod going;
mod guarded;
mod handover;
mod jobs;
mod killed;
mod kinds;
mod meddled;
pub mod others;
mod owners;
mod plan;
mod records;
mod refused;
mod returned;
mod ringing;
mod verdicts;

use crate::artifact::{BUCKET, zip};
use crate::stage::{Ended, LIFE, Stage};
use serde_json::{Value, json};
use std::time::Duration;

/// What a release needs beside what every deploy needs.
const GRANT: &str = include_str!("../../deploy/rbac-release.yaml");
/// The image of a release that works.
pub const GOOD: &str = "registry.example.com/web:2.0.0";
/// Its pods never get ready.
pub const NEVER: &str = "registry.example.com/web:never-ready";

/// A Deployment of a release.
pub fn web(name: &str, image: &str) -> String {
    format!(
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: {name}}}\nspec:\n  replicas: 2\n  \
         selector: {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: \
         {name}}}}}\n    spec:\n      containers: [{{name: app, image: '{image}', readinessProbe: \
         {{httpGet: {{path: /, port: 8080}}}}}}]\n"
    )
}

/// A ConfigMap of a release.
pub fn settings(value: &str) -> String {
    format!(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{LEVEL: {value}}}\n"
    )
}

/// A Service of a release.
pub fn service(name: &str) -> String {
    format!(
        "apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\nspec: {{selector: {{app: {name}}}, \
         ports: [{{port: 80, targetPort: 8080}}]}}\n"
    )
}

/// Deploys the files of a folder.
pub async fn release(stage: &Stage, files: &[(&str, &str)], more: Value) -> Ended {
    release_in(LIFE, stage, files, more).await
}

/// The same in invocations that may take so long each.
pub async fn release_in(
    life: Duration,
    stage: &Stage,
    files: &[(&str, &str)],
    more: Value,
) -> Ended {
    let mut parameters = json!({"manifests": "k8s", "release": "shop", "execution": "run-7"});
    for (name, value) in more.as_object().into_iter().flatten() {
        parameters[name] = value.clone();
    }
    let event = stage.event(&parameters);
    run(life, stage, event, files).await
}

/// Runs an event whose input artifact has these files.
async fn run(life: Duration, stage: &Stage, event: Value, files: &[(&str, &str)]) -> Ended {
    stage.run(with_artifact(stage, event, files), life).await
}

/// An event whose input artifact has these files.
fn with_artifact(stage: &Stage, mut event: Value, files: &[(&str, &str)]) -> Value {
    let members = files.iter().map(|(name, text)| (*name, text.as_bytes()));
    let key = format!("demo/Build/{}", event["CodePipeline.job"]["id"]);
    let archive = zip(&members.collect::<Vec<_>>());
    stage.aws.put_object(BUCKET, &key, archive);
    event["CodePipeline.job"]["data"]["inputArtifacts"] = json!([{"name": "Build",
        "location": {"type": "S3", "s3Location": {"bucketName": BUCKET, "objectKey": key}}}]);
    event
}

pub async fn empty() -> Stage {
    given([]).await
}

/// A cluster in which these objects are, and whose function may deploy releases.
async fn given(objects: impl IntoIterator<Item = Value>) -> Stage {
    let stage = Stage::given(objects).await;
    stage.cluster.grant(GRANT).await;
    stage
}

/// The image of the first container of a Deployment.
async fn image(stage: &Stage, name: &str) -> Value {
    let mut live = object(stage, "deployments", name).await.unwrap();
    live["spec"]["template"]["spec"]["containers"][0]["image"].take()
}

async fn object(stage: &Stage, resource: &str, name: &str) -> Option<Value> {
    stage.cluster.object(resource, name).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_applied_followed_and_left_alone_the_second_time() {
    let stage = empty().await;
    let (config, web, service) = (settings("info"), web("web", GOOD), service("web"));
    let files = [
        ("k8s/web.yaml", &*web),
        ("k8s/service.yaml", &*service),
        ("k8s/config.yaml", &*config),
    ];
    let (summary, variables) = release(&stage, &files, json!({})).await.released();
    assert!(
        object(&stage, "configmaps", "settings").await.is_some(),
        "{summary}"
    );
    let live = object(&stage, "deployments", "web").await.unwrap();
    assert_eq!(
        live["status"]["availableReplicas"], 2,
        "{summary} {variables:?}"
    );
    assert_eq!(
        live["metadata"]["annotations"]["landfall/release"],
        format!("{}/shop", stage.cluster.namespace())
    );
    assert!(object(&stage, "secrets", "landfall.shop").await.is_some());
    assert!(
        object(&stage, "secrets", "landfall.shop.v1")
            .await
            .is_some()
    );
    let before = stage.cluster.requests().map(|all| all.len());
    let writes = stage.writes().map(|writes| writes.len());
    let (again, _) = release(&stage, &files, json!({})).await.released();
    assert_eq!(stage.writes().map(|writes| writes.len()), writes, "{again}");
    // What is as it was applied is read, and neither tried nor read again.
    for (number, all) in before.into_iter().zip(stage.cluster.requests()) {
        let of = |name: &str| {
            let ours = all[number..].iter().filter(|seen| seen.path.contains(name));
            ours.map(|seen| &*seen.method).collect::<Vec<_>>()
        };
        assert_eq!(of("/configmaps/settings"), ["GET"]);
        assert_eq!(of("/services/web"), ["GET"]);
        assert_eq!(of("/deployments/web")[0], "GET");
    }
    // What is new was tried before it was read.
    if let Some(all) = stage.cluster.requests() {
        let of = all
            .iter()
            .filter(|seen| seen.path.contains("/services/web"));
        let first = of.take(2).map(|seen| &*seen.method);
        assert_eq!(first.collect::<Vec<_>>(), ["PATCH", "PATCH"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_fails_is_taken_back_as_a_whole() {
    let stage = empty().await;
    let first = [settings("info"), web("web", GOOD), web("worker", GOOD)];
    let files = [
        ("k8s/config.yaml", &*first[0]),
        ("k8s/web.yaml", &*first[1]),
        ("k8s/worker.yaml", &*first[2]),
    ];
    release(&stage, &files, json!({})).await.released();
    let second = [
        settings("debug"),
        web("web", "registry.example.com/web:crash"),
        web("worker", "registry.example.com/worker:2.1.0"),
        service("web"),
    ];
    let files = [
        ("k8s/config.yaml", &*second[0]),
        ("k8s/web.yaml", &*second[1]),
        ("k8s/worker.yaml", &*second[2]),
        ("k8s/service.yaml", &*second[3]),
    ];
    let ended = release(&stage, &files, json!({"patience": "0s"})).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.contains("no DATABASE_URL"), "{message}");
    let config = object(&stage, "configmaps", "settings").await.unwrap();
    assert_eq!(config["data"]["LEVEL"], "info", "{message}");
    for name in ["web", "worker"] {
        let live = object(&stage, "deployments", name).await.unwrap();
        let image = &live["spec"]["template"]["spec"]["containers"][0]["image"];
        assert_eq!(image, GOOD, "{message}");
        assert_eq!(live["status"]["availableReplicas"], 2, "{message}");
    }
    assert!(
        object(&stage, "services", "web").await.is_none(),
        "{message}"
    );
    let parent = object(&stage, "secrets", "landfall.shop").await.unwrap();
    assert!(parent["metadata"]["annotations"]["landfall/lock"].is_null());
    let record = object(&stage, "secrets", "landfall.shop.v2").await.unwrap();
    assert_eq!(
        record["metadata"]["annotations"]["landfall/status"],
        "failed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_left_the_folder_is_pruned_where_that_is_asked_for() {
    let stage = empty().await;
    let (config, web, service) = (settings("info"), web("web", GOOD), service("web"));
    let all = [
        ("k8s/web.yaml", &*web),
        ("k8s/service.yaml", &*service),
        ("k8s/config.yaml", &*config),
    ];
    release(&stage, &all, json!({})).await.released();
    let (summary, _) = release(&stage, &all[..2], json!({})).await.released();
    assert!(
        object(&stage, "configmaps", "settings").await.is_some(),
        "{summary}"
    );
    let plan = json!({"prune": true, "mode": "plan"});
    let (summary, _) = release(&stage, &all[..2], plan).await.released();
    assert!(
        object(&stage, "configmaps", "settings").await.is_some(),
        "{summary}"
    );
    let (summary, _) = release(&stage, &all[..2], json!({"prune": true}))
        .await
        .released();
    assert!(
        object(&stage, "configmaps", "settings").await.is_none(),
        "{summary}"
    );
    assert!(object(&stage, "services", "web").await.is_some());
}

/// What had left the folder and was kept belongs to the release again only by a new revision.
#[tokio::test(flavor = "multi_thread")]
async fn what_comes_back_into_the_folder_is_recorded_although_nothing_differs() {
    let stage = empty().await;
    let (config, first) = (
        settings("info"),
        web("web", "registry.example.com/web:1.0.0"),
    );
    let both = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*first)];
    release(&stage, &both, json!({})).await.released();
    let second = web("web", GOOD);
    let both = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*second)];
    release(&stage, &both[1..], json!({})).await.released();
    let (summary, variables) = release(&stage, &both, json!({})).await.released();
    assert_eq!(variables["Revision"], "3", "{summary}");
    let (summary, variables) = release(&stage, &both, json!({})).await.released();
    assert_eq!(variables["Revision"], "3", "{summary}");
    assert!(summary.contains("nothing was changed"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn all_faults_are_told_at_once_and_nothing_is_written() {
    let stage = empty().await;
    let broken = settings("info").replace("\ndata:", "\ndada:");
    let unknown = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: x}\n";
    let files = [("k8s/config.yaml", &*broken), ("k8s/thing.yaml", unknown)];
    let (kind, message) = release(&stage, &files, json!({})).await.failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    for said in [
        "k8s/config.yaml",
        "dada",
        "k8s/thing.yaml",
        "example.com/v1",
    ] {
        assert!(message.contains(said), "{said}: {message}");
    }
    stage.wrote(&[]);
}

/// A Job of a release.
fn migration(image: &str) -> String {
    format!(
        "apiVersion: batch/v1\nkind: Job\nmetadata: {{name: migrate}}\nspec:\n  backoffLimit: 0\n  \
         template:\n    spec:\n      restartPolicy: Never\n      containers: [{{name: migration, image: \
         '{image}'}}]\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_migration_shows_its_log_and_no_workload_is_touched() {
    let stage = empty().await;
    let (web, works) = (
        web("web", GOOD),
        migration("registry.example.com/migrate:completes"),
    );
    let files = [("k8s/web.yaml", &*web), ("k8s/migrate.yaml", &*works)];
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    let job = object(&stage, "jobs", "migrate").await.unwrap();
    assert_eq!(job["status"]["succeeded"], 1, "{summary}");
    let uid = &job["metadata"]["uid"];

    // As it is unchanged, it does not run again.
    let newer = web.replace("2.0.0", "2.1.0");
    let files = [("k8s/web.yaml", &*newer), ("k8s/migrate.yaml", &*works)];
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    let job = object(&stage, "jobs", "migrate").await.unwrap();
    assert_eq!(job["metadata"]["uid"], *uid, "{summary}");

    let newest = web.replace("2.0.0", "2.2.0");
    let broken = migration("registry.example.com/migrate:crash");
    let files = [("k8s/web.yaml", &*newest), ("k8s/migrate.yaml", &*broken)];
    let ended = release(&stage, &files, json!({})).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    for said in ["Job", "migrate", "no DATABASE_URL"] {
        assert!(message.contains(said), "{said}: {message}");
    }
    let live = object(&stage, "deployments", "web").await.unwrap();
    let image = &live["spec"]["template"]["spec"]["containers"][0]["image"];
    assert_eq!(image, "registry.example.com/web:2.1.0", "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_waits_for_the_job_before_it() {
    let stage = given([crate::stage::demo_app(600)]).await;
    let deploy = async |image: &str, job: &str| {
        let parameters = json!({"deployment": "demo-app", "images": {"app": image},
            "before": "k8s/migrate.yaml", "execution": "run-7"});
        let event = stage.event(&parameters);
        let job = migration(job);
        run(LIFE, &stage, event, &[("k8s/migrate.yaml", &*job)]).await
    };
    let ended = deploy(
        "registry.example.com/demo-app:2.0.0",
        "registry.example.com/migrate:crash",
    );
    let (kind, message) = ended.await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.contains("no DATABASE_URL"), "{message}");
    assert_eq!(stage.image().await, crate::stage::OLD_IMAGE);
    let ended = deploy(
        "registry.example.com/demo-app:2.1.0",
        "registry.example.com/migrate:completes",
    );
    let (summary, _) = ended.await.success();
    assert_eq!(
        stage.image().await,
        "registry.example.com/demo-app:2.1.0",
        "{summary}"
    );
    let job = object(&stage, "jobs", "migrate").await.unwrap();
    assert_eq!(job["status"]["succeeded"], 1, "{summary}");
}
