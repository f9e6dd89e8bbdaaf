//! A release that begins while an alarm rings: what served before may come back, and nothing else.

use super::others::level;
use super::returned::{at, note};
use super::{GOOD, empty, image, object, release, settings, web, with_artifact};
use crate::alarms::{is_alarm, put_alarms, ring};
use crate::stage::{Ended, LIFE, Stage};
use landfall_sandbox::aws::Outcome;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

const NEWER: &str = "registry.example.com/web:2.1.0";

/// Two revisions, of which the second one makes an alarm ring.
async fn two() -> Stage {
    let stage = empty().await;
    put_alarms(&stage);
    at(&stage, "run-1", "info", GOOD).await;
    at(&stage, "run-2", "debug", NEWER).await;
    ring(&stage, "web 5xx");
    stage
}

async fn guarded(stage: &Stage, (level, image): (&str, &str), more: Value) -> Ended {
    let (config, web) = (settings(level), web("web", image));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*web)];
    let mut parameters = json!({"alarms": ["web 5xx"], "bake": "1s", "patience": "1s"});
    for (name, value) in more.as_object().into_iter().flatten() {
        parameters[name] = value.clone();
    }
    release(stage, &files, parameters).await
}

/// As a rollback of the stage does it: a new execution with the older artifacts.
#[tokio::test(flavor = "multi_thread")]
async fn what_served_before_comes_back_although_an_alarm_rings() {
    let stage = two().await;
    let old = ("info", GOOD);
    let plan = json!({"execution": "run-3", "mode": "plan"});
    let (summary, _) = guarded(&stage, old, plan).await.released();
    let said = "which would not hold it up, because this version served before";
    assert!(summary.contains(said), "{summary}");
    let (summary, _) = guarded(&stage, old, json!({"execution": "run-3"}))
        .await
        .released();
    let said = "it brings back what served before revision 2 did";
    assert!(summary.contains(said), "{summary}");
    assert_eq!(note(&stage, 3, "returned-from").await, "2");
    // What it has left does not come back as long as the alarm rings.
    let newer = guarded(&stage, ("debug", NEWER), json!({"execution": "run-4"})).await;
    is_alarm(&newer.failure().1, "web 5xx");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_else_begins_while_an_alarm_rings() {
    let stage = two().await;
    let before = stage.writes().map(|writes| writes.len());
    for other in [("warn", GOOD), ("info", "registry.example.com/web:2.2.0")] {
        let plan = json!({"execution": "run-3", "mode": "plan"});
        let (summary, _) = guarded(&stage, other, plan).await.released();
        assert!(summary.contains("would be refused now"), "{summary}");
        let refused = guarded(&stage, other, json!({"execution": "run-3"})).await;
        is_alarm(&refused.failure().1, "web 5xx");
    }
    assert_eq!(stage.writes().map(|writes| writes.len()), before);
    let ignored = json!({"execution": "run-3", "alarms": {"names": ["web 5xx"],
        "ringing": "ignore"}});
    guarded(&stage, ("warn", GOOD), ignored).await.released();
}

/// The retry has its execution and another job.
#[tokio::test(flavor = "multi_thread")]
async fn a_return_that_died_is_brought_to_its_end_although_the_alarm_rings() {
    let mut stage = two().await;
    let (config, web) = (settings("info"), web("web", GOOD));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*web)];
    let going = json!({"manifests": "k8s", "release": "shop", "execution": "run-3",
        "alarms": ["web 5xx"], "bake": "3s", "patience": "1s"});
    let event = |stage: &Stage| with_artifact(stage, stage.event(&going), &files);
    stage.aws.submit(event(&stage), LIFE);
    while object(&stage, "secrets", "landfall.shop.v3")
        .await
        .is_none()
    {
        sleep(Duration::from_millis(20)).await;
    }
    stage.function.kill();
    sleep(Duration::from_millis(200)).await;
    assert_eq!(note(&stage, 3, "status").await, "pending");
    let retry = stage.aws.submit(event(&stage), LIFE);
    let outcome = stage.aws.outcome(&retry, LIFE).await;
    let summary = format!("{outcome:?}");
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{summary}");
    assert_eq!(level(&stage).await, "info", "{summary}");
    assert_eq!(image(&stage, "web").await, GOOD, "{summary}");
    assert_eq!(note(&stage, 4, "returned-from").await, "2");
}

/// The alarm is told before the permission: it is why nothing is changed.
#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_rings_is_told_to_who_may_not_list_the_records() {
    let stage = two().await;
    stage.cluster.forbid("list", "secrets").await;
    let before = stage.writes().map(|writes| writes.len());
    let plan = json!({"execution": "run-3", "mode": "plan"});
    let (summary, _) = guarded(&stage, ("info", GOOD), plan).await.released();
    assert!(summary.contains("would be refused now"), "{summary}");
    let refused = guarded(&stage, ("info", GOOD), json!({"execution": "run-3"})).await;
    is_alarm(&refused.failure().1, "web 5xx");
    assert_eq!(stage.writes().map(|writes| writes.len()), before);
}
