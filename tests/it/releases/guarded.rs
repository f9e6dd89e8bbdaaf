//! Releases that CloudWatch's alarms guard, and that are watched after everything serves.

use super::{
    GOOD, empty, image, object, release, release_in, service, settings, web, with_artifact,
};
use crate::alarms::{is_alarm, put_alarms, readings, ring, silence};
use crate::artifact::{BUCKET, zip};
use crate::stage::{LIFE, SHORT, Stage};
use landfall_sandbox::aws::{Alarm, AwsFault, JobResult, Outcome};
use serde_json::{Value, json};
use std::time::Duration;

const FIRST: &str = "registry.example.com/web:1.0.0";

/// A cluster with the first version of the release, and two silent alarms.
async fn first() -> Stage {
    let stage = empty().await;
    put_alarms(&stage);
    let files = files(FIRST, "info");
    let files = named(&files);
    release(&stage, &files, json!({})).await.released();
    stage
}

fn files(image: &str, level: &str) -> [String; 3] {
    [settings(level), web("web", image), service("web")]
}

fn named([config, web, service]: &[String; 3]) -> [(&str, &str); 3] {
    [
        ("k8s/config.yaml", config),
        ("k8s/web.yaml", web),
        ("k8s/service.yaml", service),
    ]
}

/// What a guarded release of the second version asks for.
fn guarded(seconds: u64) -> Value {
    json!({"bake": format!("{seconds}s"), "alarms": ["web 5xx", "all"], "patience": "1s"})
}

async fn second(stage: &Stage, parameters: Value) -> crate::stage::Ended {
    second_in(LIFE, stage, parameters).await
}

async fn second_in(life: Duration, stage: &Stage, parameters: Value) -> crate::stage::Ended {
    let files = files(GOOD, "debug");
    let files = named(&files);
    release_in(life, stage, &files, parameters).await
}

/// Waits until the second version serves everything.
async fn serves(stage: &Stage) {
    loop {
        let live = object(stage, "deployments", "web").await.unwrap();
        let status = &live["status"];
        let is_seen = status["observedGeneration"] == live["metadata"]["generation"];
        let is_new = image(stage, "web").await == GOOD && status["updatedReplicas"] == 2;
        if is_new && is_seen && status["availableReplicas"] == 2 {
            return tokio::time::sleep(Duration::from_millis(1500)).await;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The release is the first version again.
async fn is_back(stage: &Stage, message: &str) {
    assert!(message.contains("rolled back to revision 1"), "{message}");
    assert_eq!(image(stage, "web").await, FIRST, "{message}");
    let settings = object(stage, "configmaps", "settings").await.unwrap();
    assert_eq!(settings["data"]["LEVEL"], "info", "{message}");
    assert_eq!(stage.ready_images().await, [FIRST, FIRST]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_is_watched_and_its_alarms_are_told() {
    let stage = first().await;
    let (summary, variables) = second(&stage, guarded(3)).await.released();
    for told in [
        "It was watched for 3 s after everything served (`bake`).",
        "Its alarms `web 5xx` and `all` did not ring.",
    ] {
        assert!(summary.contains(told), "{summary}");
    }
    assert!(variables["DurationSeconds"].parse::<u32>().unwrap() >= 3);
    assert!(readings(&stage).len() >= 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_rings_already_refuses_the_release() {
    let stage = first().await;
    ring(&stage, "web 5xx");
    let before = stage.writes().map(|writes| writes.len());
    let (kind, message) = second(&stage, guarded(3)).await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.starts_with("Release `shop` in `"), "{message}");
    assert!(message.contains(" was not changed: "), "{message}");
    is_alarm(&message, "web 5xx");
    assert_eq!(stage.writes().map(|writes| writes.len()), before);
    // The release that is the fix.
    let mut fix = guarded(2);
    fix["alarms"] = json!({"names": ["web 5xx"], "ringing": "ignore"});
    let (summary, _) = second(&stage, fix).await.released();
    assert!(
        summary.contains("`web 5xx` rings since before the deploy"),
        "{summary}"
    );
    // What is as it should be has nothing to guard.
    let (summary, _) = second(&stage, guarded(3)).await.released();
    assert!(summary.contains("nothing was changed"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_rings_during_the_bake_takes_the_release_back() {
    let stage = first().await;
    let ringing = async {
        serves(&stage).await;
        ring(&stage, "web 5xx");
    };
    let (ended, ()) = tokio::join!(second(&stage, guarded(50)), ringing);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    is_alarm(&message, "web 5xx");
    assert!(
        message.contains("The graph of `web 5xx`: https://"),
        "{message}"
    );
    is_back(&stage, &message).await;
}

/// A rollout that never ends would not be given up for a long time.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_rings_during_the_rollout_takes_the_release_back() {
    let stage = first().await;
    let never = web("web", super::NEVER);
    let files = [("k8s/web.yaml", &*never)];
    let ringing = async {
        while image(&stage, "web").await == FIRST {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        ring(&stage, "web 5xx");
    };
    let ended = release(&stage, &files, json!({"alarms": ["web 5xx"]}));
    let (ended, ()) = tokio::join!(ended, ringing);
    let (_, message) = ended.failure();
    is_alarm(&message, "web 5xx");
    assert!(message.contains("rolled back to revision 1"), "{message}");
    assert_eq!(image(&stage, "web").await, FIRST);
}

/// What the dead release left may be why it rings: the retry takes it back.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_rings_after_a_release_died_does_not_refuse_its_retry() {
    let mut stage = first().await;
    let files = files(GOOD, "debug");
    let files = named(&files);
    let mut parameters = guarded(50);
    for (field, value) in [
        ("manifests", "k8s"),
        ("release", "shop"),
        ("execution", "run-8"),
    ] {
        parameters[field] = json!(value);
    }
    let event = |stage: &Stage| with_artifact(stage, stage.event(&parameters), &files);
    stage.aws.submit(event(&stage), LIFE);
    serves(&stage).await;
    stage.function.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    ring(&stage, "web 5xx");
    let job = stage.aws.submit(event(&stage), LIFE);
    let Outcome::Failed(report) = stage.aws.outcome(&job, LIFE).await else {
        panic!("{}", stage.log());
    };
    let JobResult::Failure { message, .. } = report.result else {
        panic!("it failed");
    };
    is_alarm(&message, "web 5xx");
    assert!(!message.contains("was not changed"), "{message}");
    assert_eq!(image(&stage, "web").await, FIRST, "{message}");
    let settings = object(&stage, "configmaps", "settings").await.unwrap();
    assert_eq!(settings["data"]["LEVEL"], "info", "{message}");
}

/// By the time of the last change of state.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_rang_between_two_readings_counts() {
    let stage = first().await;
    let ringing = async {
        serves(&stage).await;
        ring(&stage, "web 5xx");
        tokio::time::sleep(Duration::from_millis(200)).await;
        silence(&stage, "web 5xx");
    };
    let (ended, ()) = tokio::join!(second(&stage, guarded(50)), ringing);
    let (_, message) = ended.failure();
    let told = "CloudWatch alarm `web 5xx` was not OK during the deploy, and came back to it at ";
    assert!(message.contains(told), "{message}");
    is_back(&stage, &message).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workload_that_falls_ill_during_the_bake_takes_the_release_back() {
    // By the invocation that saw it serve, and by the next one.
    for bake in ["15s", "40s"] {
        let stage = first().await;
        let illness = async {
            serves(&stage).await;
            stage.cluster.strike("web", GOOD).await;
        };
        let parameters = json!({"bake": bake, "patience": "1s"});
        let (ended, ()) = tokio::join!(second(&stage, parameters), illness);
        let (kind, message) = ended.failure();
        assert_eq!(kind, "JobFailed", "{message}");
        assert!(message.contains("exits with code 1"), "{message}");
        is_back(&stage, &message).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bake_of_a_release_goes_on_over_many_invocations() {
    let stage = first().await;
    let parameters = json!({"bake": "5s"});
    let (_, variables) = second_in(SHORT, &stage, parameters).await.released();
    let seconds = variables["DurationSeconds"].parse::<u32>().unwrap();
    // It does not begin anew in each of them.
    assert!((5..25).contains(&seconds), "{seconds}");
    let reports = stage.aws.reports();
    let watched = reports.iter().filter(|report| match &report.result {
        JobResult::Success {
            summary: Some(summary),
            ..
        } => summary.starts_with("everything serves, and is watched until "),
        _ => false,
    });
    assert!(watched.count() >= 2, "{reports:#?}");
}

/// The record in the cluster tells when the release began.
#[tokio::test(flavor = "multi_thread")]
async fn what_rings_while_the_process_is_dead_takes_the_release_back() {
    let mut stage = first().await;
    let files = files(GOOD, "debug");
    let files = named(&files);
    let mut parameters = guarded(50);
    parameters["manifests"] = json!("k8s");
    parameters["release"] = json!("shop");
    let event = with_artifact(&stage, stage.event(&parameters), &files);
    let job = stage.aws.submit(event, LIFE);
    serves(&stage).await;
    stage.function.kill();
    ring(&stage, "web 5xx");
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(stage.aws.retry(&job));
    let outcome = stage.aws.outcome(&job, Duration::from_secs(60)).await;
    let Outcome::Failed(report) = outcome else {
        panic!("{outcome:?}\n{}", stage.log());
    };
    let message = format!("{report:?}");
    assert!(
        message.contains("CloudWatch alarm `web 5xx` is in ALARM"),
        "{message}"
    );
    is_back(&stage, &message).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_keeps_a_guarded_release_from_beginning_is_told() {
    let stage = first().await;
    let before = stage.writes().map(|writes| writes.len());
    let mut parameters = guarded(1);
    parameters["alarms"] = json!(["web 5xx", "none"]);
    let (kind, message) = second(&stage, parameters).await.failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("`alarms` names `none`"), "{message}");
    stage
        .aws
        .fault("DescribeAlarms", AwsFault::AccessDenied, 1000);
    let (kind, message) = second(&stage, guarded(1)).await.failure();
    assert_eq!(kind, "PermissionError", "{message}");
    assert!(message.contains("cloudwatch:DescribeAlarms"), "{message}");
    assert_eq!(stage.writes().map(|writes| writes.len()), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_a_moment_before_a_release_is_waited_for() {
    let stage = first().await;
    stage.aws.fault("DescribeAlarms", AwsFault::Unavailable, 3);
    second(&stage, guarded(1)).await.released();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_plan_of_a_release_points_out_what_rings_and_what_cannot_ring_in_time() {
    let stage = first().await;
    stage.aws.put_alarm(Alarm {
        datapoints: 3,
        ..Alarm::silent("slow")
    });
    let mut parameters = guarded(120);
    parameters["mode"] = json!("plan");
    parameters["alarms"] = json!(["web 5xx", "slow"]);
    ring(&stage, "web 5xx");
    let before = stage.writes().map(|writes| writes.len());
    let (summary, _) = second(&stage, parameters).await.released();
    for told in [
        "`slow` needs 3 min of bad data to ring (its period times its datapoints), and the bake is \
         2 min",
        "so a deploy would be refused now",
    ] {
        assert!(summary.contains(told), "{summary}");
    }
    assert_eq!(stage.writes().map(|writes| writes.len()), before);
}

/// The Job before a workload is the first thing that such a deploy writes.
#[tokio::test(flavor = "multi_thread")]
async fn one_that_rings_keeps_the_job_before_a_workload_from_running() {
    let stage = empty().await;
    put_alarms(&stage);
    ring(&stage, "web 5xx");
    let job = "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate}\nspec: {template: \
        {spec: {restartPolicy: Never, containers: [{name: migrate, image: \
        'registry.example.com/migrate:1'}]}}}\n";
    let mut event = stage.event(
        &json!({"deployment": "demo-app", "before": "k8s/migrate.yaml",
        "images": {"app": "registry.example.com/demo-app:2.0.0"}, "alarms": ["web 5xx"]}),
    );
    let key = "demo/Build/before";
    let archive = zip(&[("k8s/migrate.yaml", job.as_bytes())]);
    stage.aws.put_object(BUCKET, key, archive);
    event["CodePipeline.job"]["data"]["inputArtifacts"] = json!([{"name": "Build",
        "location": {"type": "S3", "s3Location": {"bucketName": BUCKET, "objectKey": key}}}]);
    let (_, message) = stage.run(event, LIFE).await.failure();
    is_alarm(&message, "web 5xx");
    assert_eq!(object(&stage, "jobs", "migrate").await, None, "{message}");
}
