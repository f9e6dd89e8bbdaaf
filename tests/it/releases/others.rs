//! Somebody else at the same release, or at its objects.

use super::{GOOD, NEVER, empty, image, object, release, release_in, settings, web, with_artifact};
use crate::stage::{LIFE, SHORT, Stage};
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::aws::Outcome;
use landfall_sandbox::world::{Fault, On, Seen};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// An execution takes or gives back the lock of the release.
pub async fn lock(stage: &Stage, execution: Option<&str>) {
    let now = Timestamp::now();
    let lock = execution.map(|execution| {
        let until = now + SignedDuration::from_mins(30);
        json!({"execution": execution, "job": "a job", "since": now, "until": until}).to_string()
    });
    let change = json!({"landfall/lock": lock});
    let part = ["metadata", "annotations"];
    stage
        .cluster
        .change("secrets", "landfall.shop", part, change)
        .await;
}

async fn released(stage: &Stage, level: &str) {
    let (config, web) = (settings(level), web("web", GOOD));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*web)];
    release(stage, &files, json!({})).await.released();
}

pub async fn level(stage: &Stage) -> Value {
    let config = object(stage, "configmaps", "settings").await.unwrap();
    config["data"]["LEVEL"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_waits_for_another_execution_and_then_goes_on() {
    let stage = empty().await;
    released(&stage, "info").await;
    lock(&stage, Some("run-6")).await;
    let config = settings("debug");
    let files = [("k8s/config.yaml", &*config)];
    let held = async {
        sleep(Duration::from_millis(1500)).await;
        assert_eq!(level(&stage).await, "info");
        lock(&stage, None).await;
    };
    let (ended, ()) = tokio::join!(release(&stage, &files, json!({})), held);
    let (summary, _) = ended.released();
    assert_eq!(level(&stage).await, "debug", "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_is_locked_for_its_whole_timeout_names_the_execution() {
    let stage = empty().await;
    released(&stage, "info").await;
    lock(&stage, Some("run-6")).await;
    let config = settings("debug");
    let files = [("k8s/config.yaml", &*config)];
    let ended = release(&stage, &files, json!({"timeout": "5s"})).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "RevisionOutOfSync", "{message}");
    assert!(message.contains("run-6"), "{message}");
    assert_eq!(level(&stage).await, "info", "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stage_that_is_tried_again_takes_over_from_its_dead_deploy() {
    let stage = empty().await;
    released(&stage, "info").await;
    lock(&stage, Some("run-7")).await;
    let config = settings("debug");
    let files = [("k8s/config.yaml", &*config)];
    let ended = release(&stage, &files, json!({"timeout": "10s"})).await;
    let (summary, _) = ended.released();
    assert_eq!(level(&stage).await, "debug", "{summary}");
    let parent = object(&stage, "secrets", "landfall.shop").await.unwrap();
    assert!(parent["metadata"]["annotations"]["landfall/lock"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_execution_is_never_overwritten() {
    let stage = empty().await;
    released(&stage, "info").await;
    lock(&stage, Some("run-9")).await;
    let (early, late) = (settings("debug"), settings("error"));
    let early = [("k8s/config.yaml", &*early)];
    let late = [("k8s/config.yaml", &*late)];
    let later = async {
        sleep(Duration::from_millis(500)).await;
        let parameters = json!({"execution": "run-9"});
        release(&stage, &late, parameters).await.released();
    };
    let parameters = json!({"execution": "run-8"});
    let (ended, ()) = tokio::join!(release_in(SHORT, &stage, &early, parameters), later);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "RevisionOutOfSync", "{message}");
    assert!(message.contains("run-9"), "{message}");
    assert_eq!(level(&stage).await, "error", "{message}");
}

/// Lambda delivers an event at least once, and now and then once more much later.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_comes_again_after_a_later_release_changes_nothing() {
    let stage = empty().await;
    let mut jobs = Vec::new();
    for (level, execution) in [("info", "run-8"), ("debug", "run-9")] {
        let config = settings(level);
        let parameters = json!({"manifests": "k8s", "release": "shop", "execution": execution});
        let event = stage.event(&parameters);
        let event = with_artifact(&stage, event, &[("k8s/config.yaml", &*config)]);
        let job = stage.aws.submit(event, LIFE);
        let ended = stage.aws.outcome(&job, LIFE).await;
        assert!(matches!(ended, Outcome::Succeeded(_)), "{ended:?}");
        jobs.push(job);
    }
    let writes = stage.writes().map(|writes| writes.len());
    assert!(stage.aws.retry(&jobs[0]));
    let ended = stage.aws.outcome(&jobs[0], LIFE).await;
    assert_eq!(level(&stage).await, "debug", "{ended:?}");
    assert_eq!(stage.writes().map(|writes| writes.len()), writes);
    // The newest one may come as often as it likes.
    assert!(stage.aws.retry(&jobs[1]));
    let ended = stage.aws.outcome(&jobs[1], LIFE).await;
    assert!(matches!(ended, Outcome::Succeeded(_)), "{ended:?}");
    assert_eq!(stage.writes().map(|writes| writes.len()), writes);
}

/// Its function may have died after everything was done, and before it was reported.
#[tokio::test(flavor = "multi_thread")]
async fn a_repetition_tells_what_served_before() {
    let stage = empty().await;
    released(&stage, "info").await;
    let config = settings("debug");
    let files = [("k8s/config.yaml", &*config)];
    let at = async |execution: &str| {
        let ended = release(&stage, &files, json!({"execution": execution}));
        ended.await.released()
    };
    let (_, first) = at("run-8").await;
    let (summary, again) = at("run-8").await;
    assert!(summary.contains("nothing was changed"), "{summary}");
    for variables in [&first, &again] {
        assert_eq!(variables["Revision"], "2", "{summary}");
        assert_eq!(variables["PreviousRevision"], "1", "{summary}");
    }
    // To another execution it served before.
    let (_, other) = at("run-9").await;
    assert_eq!(other["PreviousRevision"], "2");
}

/// The way back of a release takes long, because the API server refuses a write for some seconds:
/// when it goes on, another execution has begun.
#[tokio::test(flavor = "multi_thread")]
async fn a_way_back_stops_where_a_later_execution_begins() {
    let stage = Stage::in_sandbox(|_, _| {}).await;
    released(&stage, "info").await;
    let (config, web) = (settings("debug"), web("web", NEVER));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*web)];
    let later = async {
        while image(&stage, "web").await != NEVER {
            sleep(Duration::from_millis(20)).await;
        }
        stage.sandbox().world(|world, _| {
            let write = On::method("PATCH").path("configmaps/settings");
            world.fault(write, Fault::Throttled { retry_after: 1 }, 3);
        });
        let writes = || {
            let all = stage.cluster.requests().unwrap_or_default();
            let is_write =
                |seen: &&Seen| seen.method == "PATCH" && seen.path.contains("configmaps/settings");
            all.iter().filter(is_write).count()
        };
        let before = writes();
        while writes() == before {
            sleep(Duration::from_millis(20)).await;
        }
        lock(&stage, Some("run-9")).await;
    };
    let (ended, ()) = tokio::join!(release(&stage, &files, json!({"timeout": "5s"})), later);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    for said in [
        "rolled back only in part",
        "Not taken back: `Deployment/web` (execution `run-9` has deployed this release since)",
    ] {
        assert!(message.contains(said), "{said}: {message}");
    }
    assert_eq!(image(&stage, "web").await, NEVER, "{message}");
    let parent = object(&stage, "secrets", "landfall.shop").await.unwrap();
    let lock = parent["metadata"]["annotations"]["landfall/lock"].to_string();
    assert!(lock.contains("run-9"), "{lock}: {message}");
}

/// A release that waits for a pod which never gets ready, while somebody else is at work.
async fn meddled(stage: &Stage, meddle: impl AsyncFnOnce()) -> (String, String) {
    released(stage, "info").await;
    let (config, web) = (settings("debug"), web("web", NEVER));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*web)];
    let meddle = async {
        while image(stage, "web").await != NEVER {
            sleep(Duration::from_millis(20)).await;
        }
        meddle().await;
    };
    let (ended, ()) = tokio::join!(release(stage, &files, json!({})), meddle);
    ended.failure()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changes_in_the_middle_is_reported_and_kept() {
    let stage = empty().await;
    let theirs = "registry.example.com/web:1.2.3";
    let change = async || {
        stage.cluster.set_image_of("web", theirs).await;
    };
    let (kind, message) = meddled(&stage, change).await;
    assert_eq!(kind, "RevisionOutOfSync", "{message}");
    for said in [
        "Deployment/web",
        "changed it after this release",
        "out-of-sync",
    ] {
        assert!(message.contains(said), "{said}: {message}");
    }
    assert!(message.contains("What was written stays"), "{message}");
    assert_eq!(image(&stage, "web").await, theirs, "{message}");
    assert_eq!(level(&stage).await, "debug", "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_deletes_in_the_middle_is_reported_and_stays_away() {
    let stage = empty().await;
    let delete = async || stage.cluster.remove("deployments", "web").await;
    let (kind, message) = meddled(&stage, delete).await;
    assert_eq!(kind, "JobFailed", "{message}");
    for said in [
        "Deployment/web",
        "someone else deleted it",
        "What was written stays",
    ] {
        assert!(message.contains(said), "{said}: {message}");
    }
    let live = object(&stage, "deployments", "web").await;
    assert!(live.is_none(), "{message}");
}
