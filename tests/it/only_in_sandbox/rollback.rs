//! Faults while a failed deploy is taken back.

use crate::stage::{LIFE, OLD_IMAGE, Stage, demo_app, image};
use landfall_sandbox::aws::JobResult;
use landfall_sandbox::world::{Fault, On};
use serde_json::json;
use std::time::Duration;

/// The object has room for the notes of the deploy, and none for those of its rollback.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_whose_notes_do_not_fit_is_done_without_them() {
    const LIMIT: usize = 256 * 1024;
    const ROOM: usize = 480;
    let stage = Stage::in_sandbox(|world, now| {
        let mut deployment = demo_app(2);
        deployment["metadata"]["annotations"] = json!({"long": "x".repeat(LIMIT - ROOM)});
        world.apply(deployment, now);
    })
    .await;
    let (kind, message) = stage.deploy(image("demo-app:never-ready")).await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.contains("Rolled back: revision"), "{message}");
    let notes = stage.deployment().await["metadata"]["annotations"].take();
    assert_eq!(notes.get("landfall/rolled-back"), None);
    assert_eq!(notes["long"].as_str().unwrap().len(), LIMIT - ROOM);
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_cannot_be_listed_in_time_do_not_hold_up_the_rollback() {
    let stage = Stage::in_sandbox(|world, now| {
        world.apply(demo_app(2), now);
        world.fault(On::method("GET").path("/pods"), Fault::Stall, 1000);
    })
    .await;
    let life = Duration::from_secs(3);
    let (kind, message) = stage
        .deploy_in(life, image("demo-app:never-ready"))
        .await
        .failure();
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("revision 3 (registry.example.com/demo-app:1.0.0"),
        "{message}"
    );
    assert_eq!(stage.ready_images().await, [OLD_IMAGE; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_odd_answer_on_the_way_back_is_no_end_of_it() {
    let stage = Stage::in_sandbox(|world, now| {
        world.apply(demo_app(2), now);
        let read = On::method("GET").path("/replicasets/demo-app");
        world.fault(read, Fault::Html { status: 404 }, 1);
    })
    .await;
    let (kind, message) = stage.deploy(image("demo-app:never-ready")).await.failure();
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("revision 3 (registry.example.com/demo-app:1.0.0"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_the_cluster_keeps_refusing_is_not_tried_for_ever() {
    let stage = Stage::in_sandbox(|world, now| {
        world.apply(demo_app(2), now);
    })
    .await;
    stage.sandbox().world(|world, _| {
        world.fault(On::method("PATCH").skip(1), Fault::InternalError, 100_000);
    });
    let job = stage
        .aws
        .submit(stage.event(&image("demo-app:never-ready")), LIFE);
    // The cluster answers every read meanwhile; what is needed is what must be counted.
    let since = async {
        loop {
            let reports = stage.aws.reports();
            let handed_over = reports.iter().find_map(|report| match &report.result {
                JobResult::Success {
                    summary,
                    continuation_token: Some(_),
                    ..
                } => summary.clone(),
                _ => None,
            });
            if let Some(summary) = handed_over {
                break summary;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    };
    let summary = tokio::time::timeout(LIFE * 2, since).await.unwrap();
    assert!(
        summary.contains("the cluster has not answered correctly"),
        "{summary}"
    );
    let (_, since) = summary.split_once("since ").unwrap();
    let (since, _) = since.split_once(';').unwrap();
    let since: jiff::Timestamp = since.parse().unwrap();
    let waited = jiff::Timestamp::now().duration_since(since);
    assert!(
        waited.as_secs() >= 5,
        "it counts from the first failure: {waited}"
    );
    drop(job);
}
