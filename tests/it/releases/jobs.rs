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
    // Its log is told, or that it is gone.
    let is_told = message.contains("no DATABASE_URL");
    assert_ne!(
        is_told,
        message.contains("Its log was deleted"),
        "{message}"
    );
    assert!(
        object(&stage, "deployments", "web").await.is_none(),
        "{message}"
    );
}

/// Its pods are looked at while it is there, and its log is not lost with it.
#[tokio::test(flavor = "multi_thread")]
async fn the_log_of_a_job_that_is_deleted_right_after_its_failure_is_told() {
    let stage = empty().await;
    let (job, web) = (brief(FAILS), web("web", GOOD));
    let job = job.replace("Finished: 0", "Finished: 3");
    let files = [("k8s/migrate.yaml", &*job), ("k8s/web.yaml", &*web)];
    let (kind, message) = release(&stage, &files, json!({})).await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.contains("no DATABASE_URL"), "{message}");
    assert!(!message.contains("Its log was deleted"), "{message}");
}

/// It did nothing, so that it goes, and the report does not say that it did.
#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_pod_never_starts_is_taken_back() {
    let stage = empty().await;
    let job = super::migration("registry.example.com/migrate:missing");
    let files = [("k8s/migrate.yaml", &*job)];
    let ended = release(&stage, &files, json!({"patience": "0s"})).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.contains("deleted again: `Job/migrate`"),
        "{message}"
    );
    assert!(!message.contains("it ran"), "{message}");
    assert_eq!(object(&stage, "jobs", "migrate").await, None, "{message}");
    let ended = super::migration(FAILS);
    let files = [("k8s/migrate.yaml", &*ended)];
    let (_, message) = release(&stage, &files, json!({})).await.failure();
    assert!(message.contains("`Job/migrate` (it ran"), "{message}");
    assert!(object(&stage, "jobs", "migrate").await.is_some());
}

/// A Job of three pods, each for its index.
fn indexed(image: &str, more: &str) -> String {
    let spec = format!("completionMode: Indexed\n  completions: 3\n  parallelism: 3\n{more}");
    super::migration(image).replace("backoffLimit: 0", &spec)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_with_indexes_is_done_when_all_of_them_are() {
    let stage = empty().await;
    let job = indexed(WORKS, "  backoffLimitPerIndex: 1");
    let files = [("k8s/migrate.yaml", &*job)];
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    assert!(summary.contains("`Job/migrate` completed"), "{summary}");
    let live = object(&stage, "jobs", "migrate").await.unwrap();
    assert_eq!(live["status"]["completedIndexes"], "0-2", "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_whose_indexes_fail_names_them_and_shows_a_log() {
    let stage = empty().await;
    let job = indexed(FAILS, "  backoffLimitPerIndex: 0");
    let files = [("k8s/migrate.yaml", &*job)];
    let (kind, message) = release(&stage, &files, json!({})).await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    for said in ["FailedIndexes", "failed indexes: 0-2", "no DATABASE_URL"] {
        assert!(message.contains(said), "{said}: {message}");
    }
}

/// A rule that fails the Job ends it at the first pod, and one that ignores a failure does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_pod_failure_policy_is_heeded() {
    for (action, reason) in [("FailJob", "PodFailurePolicy"), ("Ignore", "timeout")] {
        let stage = empty().await;
        let policy = format!(
            "backoffLimit: 0\n  podFailurePolicy: {{rules: [{{action: {action}, onExitCodes: \
             {{operator: In, values: [1]}}}}]}}"
        );
        let job = super::migration(FAILS).replace("backoffLimit: 0", &policy);
        let files = [("k8s/migrate.yaml", &*job)];
        let ended = release(&stage, &files, json!({"timeout": "8s"})).await;
        let (kind, message) = ended.failure();
        assert_eq!(kind, "JobFailed", "{message}");
        assert!(message.contains(reason), "{action}: {message}");
        assert!(message.contains("no DATABASE_URL"), "{action}: {message}");
    }
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
