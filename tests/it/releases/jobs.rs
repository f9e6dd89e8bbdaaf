//! Jobs of releases that are gone before their end is seen, and the Job before a single workload.

use super::{GOOD, empty, object, release, run, web};
use crate::stage::{LIFE, Stage};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// A Job that is deleted as soon as it has ended.
fn brief(image: &str) -> String {
    super::migration(image).replace(
        "backoffLimit: 0",
        "ttlSecondsAfterFinished: 0\n  backoffLimit: 0",
    )
}

const WORKS: &str = "registry.example.com/migrate:completes";
const FAILS: &str = "registry.example.com/migrate:crash";

async fn migrated(stage: &Stage, image: &str) -> crate::stage::Ended {
    let (job, web) = (brief(image), web("web", GOOD));
    let files = [("k8s/migrate.yaml", &*job), ("k8s/web.yaml", &*web)];
    release(stage, &files, json!({})).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_deleted_as_it_completes_has_completed() {
    let stage = empty().await;
    let (summary, _) = migrated(&stage, WORKS).await.released();
    assert!(summary.contains("`Job/migrate` completed"), "{summary}");
    assert!(
        object(&stage, "jobs", "migrate").await.is_none(),
        "{summary}"
    );
    assert!(
        object(&stage, "deployments", "web").await.is_some(),
        "{summary}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_deleted_as_it_fails_has_failed() {
    let stage = empty().await;
    let (kind, message) = migrated(&stage, FAILS).await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    for said in ["Job/migrate", "backoff limit", "job-failed"] {
        assert!(message.contains(said), "{said}: {message}");
    }
    assert!(
        object(&stage, "deployments", "web").await.is_none(),
        "{message}"
    );
}

/// Nothing tells that it ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_somebody_deletes_has_not_completed() {
    let stage = Stage::in_sandbox(|world, _| {
        let after = jiff::SignedDuration::from_mins(10);
        let log = String::new();
        let runs = landfall_sandbox::world::Behaviour::Completes { after, log };
        world.behave("migrate:long", runs);
    })
    .await;
    let delete = async {
        while object(&stage, "jobs", "migrate").await.is_none() {
            sleep(Duration::from_millis(20)).await;
        }
        sleep(Duration::from_millis(300)).await;
        stage.cluster.remove("jobs", "migrate").await;
    };
    let long = "registry.example.com/migrate:long";
    let (ended, ()) = tokio::join!(migrated(&stage, long), delete);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.contains("deleted it before its end was seen"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_job_before_a_workload_is_in_its_plan() {
    let stage = super::given([crate::stage::demo_app(600)]).await;
    let job = super::migration(WORKS);
    let deploy = async |mode: &str| {
        let image = "registry.example.com/demo-app:2.0.0";
        let parameters = json!({"deployment": "demo-app", "images": {"app": image}, "mode": mode,
            "before": "k8s/migrate.yaml", "execution": "run-7"});
        let event = stage.event(&parameters);
        run(LIFE, &stage, event, &[("k8s/migrate.yaml", &*job)]).await
    };
    let (summary, variables) = deploy("plan").await.success();
    let said = "+ Job/migrate: new, and runs before anything else changes";
    assert!(summary.contains(said), "{summary}");
    assert!(variables["Changes"].contains(said), "{variables:?}");
    assert!(
        variables["Changes"].contains("demo-app:2.0.0"),
        "{variables:?}"
    );
    assert_eq!(variables["ChangeCount"], "2", "{variables:?}");
    stage.wrote(&[]);
    deploy("deploy").await.success();
    let (summary, variables) = deploy("plan").await.success();
    assert!(
        summary.contains("Job/migrate: completed before"),
        "{summary}"
    );
    assert_eq!(variables["ChangeCount"], "0", "{variables:?}");
    let _: Value = object(&stage, "jobs", "migrate").await.unwrap();
}
