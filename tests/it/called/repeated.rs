//! The same call again: the AWS CLI and the SDKs send a call once more that was not answered in
//! their time, while the first one runs on. With an `execution` both are one deploy.

use super::{OLD_IMAGE, PATIENCE, Said, call, heard, said};
use crate::blue_green::{at_rest, stage};
use crate::stage::{LIFE, Stage};
use landfall_sandbox::function::Function;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

const SLOW_IMAGE: &str = "registry.example.com/demo-app:5.0.0-after-3s";
const SICK_IMAGE: &str = "registry.example.com/demo-app:4.0.0-crash";
const WAYS: [&str; 3] = ["rolling", "blueGreen", "immutable"];

fn parameters(way: &str, execution: &str, image: &str) -> Value {
    let mut parameters = json!({"deployment": "demo-app", "images": {"app": image},
        "strategy": way, "execution": execution, "timeout": "50s", "patience": "1s"});
    if way != "rolling" {
        parameters["service"] = json!("demo-app");
        parameters["bake"] = json!("1s");
    }
    parameters
}

/// Another environment of the function, as Lambda starts one for a call beside the first.
fn second(stage: &Stage) -> Function {
    let variables = [
        ("K8S_CLUSTER", stage.cluster.url()),
        ("K8S_CA", stage.cluster.ca()),
    ];
    Function::start(&crate::stage::function(), &stage.aws, &variables).unwrap()
}

/// What two callers get who send the same call, the second one a moment after the first.
async fn twice(stage: &Stage, event: &Value) -> [Said; 2] {
    let _second = second(stage);
    let first = stage.aws.submit(event.clone(), LIFE);
    sleep(Duration::from_millis(1200)).await;
    let again = stage.aws.submit(event.clone(), LIFE);
    let (first, again) = tokio::join!(heard(stage, &first), heard(stage, &again));
    [first, again]
}

/// How many versions were made: Deployments and pod templates beside the first.
async fn made(stage: &Stage) -> usize {
    stage.cluster.objects("replicasets").await.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_comes_again_while_the_first_runs_joins_it() {
    for way in WAYS {
        let stage = stage().await;
        let before = made(&stage).await;
        let event = call(&stage, &parameters(way, "run-1", SLOW_IMAGE));
        let both = stage.probed(twice(&stage, &event)).await;
        for said in both {
            let answer = said.unwrap_or_else(|error| panic!("{way}: {error:?}"));
            assert_eq!(answer["status"], "SUCCEEDED", "{way}: {answer}");
            assert_eq!(answer["outputVariables"]["Image"], SLOW_IMAGE, "{way}");
        }
        assert_eq!(made(&stage).await, before + 1, "{way}");
        if way == "rolling" {
            stage.wrote(&["PATCH"]);
        } else {
            at_rest(&stage).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn both_are_told_of_a_failure_and_it_is_not_tried_twice() {
    for way in WAYS {
        let stage = stage().await;
        let before = made(&stage).await;
        let event = call(&stage, &parameters(way, "run-1", SICK_IMAGE));
        for said in stage.probed(twice(&stage, &event)).await {
            let (kind, message) = said.expect_err(way);
            assert_eq!(kind, "JobFailed", "{way}: {message}");
            assert!(message.contains("exits with code 1"), "{way}: {message}");
        }
        // Also long after: the CLI ends with 0 all the same, and scripts call again.
        let writes = stage.writes();
        let (kind, message) = said(&stage, event, LIFE).await.expect_err(way);
        assert_eq!(kind, "JobFailed", "{way}: {message}");
        assert!(message.contains("exits with code 1"), "{way}: {message}");
        assert_eq!(stage.writes(), writes, "{way}");
        assert!(made(&stage).await <= before + 1, "{way}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_are_restarted_once_for_an_execution() {
    let stage = Stage::new().await;
    let restart = |execution: &str| {
        let parameters = json!({"deployment": "demo-app", "restart": true, "execution": execution});
        call(&stage, &parameters)
    };
    for _ in 0..2 {
        let answer = said(&stage, restart("run-1"), LIFE).await.unwrap();
        assert_eq!(answer["status"], "SUCCEEDED");
        stage.wrote(&["PATCH"]);
    }
    said(&stage, restart("run-2"), LIFE).await.unwrap();
    stage.wrote(&["PATCH", "PATCH"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn another_execution_tries_again_and_an_old_one_gives_way() {
    let stage = Stage::new().await;
    let of = |execution: &str, image: &str| call(&stage, &parameters("rolling", execution, image));
    let image = "registry.example.com/demo-app:2.0.0";
    said(&stage, of("run-1", image), LIFE).await.unwrap();
    said(&stage, of("run-2", SICK_IMAGE), LIFE)
        .await
        .unwrap_err();
    let writes = stage.writes().map(|all| all.len());
    said(&stage, of("run-2-again", SICK_IMAGE), LIFE)
        .await
        .unwrap_err();
    assert_ne!(stage.writes().map(|all| all.len()), writes);
    said(&stage, of("run-3", OLD_IMAGE), LIFE).await.unwrap();
    let (kind, message) = said(&stage, of("run-1", image), LIFE).await.unwrap_err();
    assert_eq!(kind, "RevisionOutOfSync", "{message}");
    assert_eq!(stage.image().await, OLD_IMAGE);
    assert!(PATIENCE > LIFE);
}

/// The process died with the first call, whose caller calls again.
#[tokio::test(flavor = "multi_thread")]
async fn a_call_takes_up_what_a_dead_one_left() {
    for way in WAYS {
        let mut stage = stage().await;
        let event = call(&stage, &parameters(way, "run-1", SLOW_IMAGE));
        let first = stage.aws.submit(event.clone(), LIFE);
        sleep(Duration::from_millis(1500)).await;
        stage.function.kill();
        sleep(Duration::from_millis(200)).await;
        let answer = said(&stage, event, LIFE).await.unwrap();
        assert_eq!(answer["status"], "SUCCEEDED", "{way}");
        drop(first);
    }
}
