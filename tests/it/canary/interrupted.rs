//! Canaries that are interrupted: by the end of an invocation, by other people, by another deploy.

use super::watch::{observed, share_is};
use super::{canary, deploy, is_given_back, route, stage};
use crate::blue_green::{NEW_IMAGE, replicas};
use crate::stage::{LIFE, Stage};
use landfall_sandbox::aws::{JobResult, Outcome};
use landfall_sandbox::gateway::{HTTP_ROUTES, REFUSE};
use serde_json::{Value, json};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn many_short_invocations_come_to_the_same_end() {
    let stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([20]);
    let short = stage.deploy_in(Duration::from_millis(2500), parameters);
    let (ended, seen) = observed(&stage, short).await;
    ended.success();
    let shares = [
        json!({"demo-app": 100}),
        json!({"demo-app": 80, "demo-app-blue": 20}),
        json!({"demo-app-blue": 100}),
    ];
    assert_eq!(seen, shares);
    is_given_back(&stage).await;
}

/// Somebody else changes the route while the candidate has its share.
fn change(stage: &Stage, make: impl FnOnce(&mut Value)) {
    let mut route = route(stage);
    make(&mut route);
    stage.sandbox().world(|world, now| world.apply(route, now));
}

async fn fails_when(make: impl FnOnce(&mut Value)) -> (String, Stage) {
    let stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 10, "bake": "8s"}]);
    let meddle = async {
        share_is(&stage, 10).await;
        change(&stage, make);
    };
    let story = async { tokio::join!(deploy(&stage, parameters), meddle) };
    let ((ended, ()), _) = observed(&stage, story).await;
    let (_, message) = ended.failure();
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    (message, stage)
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_of_somebody_else_end_the_canary() {
    let (message, stage) = fails_when(|route| {
        route["spec"]["rules"][0]["backendRefs"][1]["weight"] = json!(90);
    })
    .await;
    assert!(
        message.contains("changed HTTPRoute `demo-app`"),
        "{message}"
    );
    assert!(message.contains("90:90 instead of 90:10"), "{message}");
    is_given_back(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_the_controller_refuses_is_taken_back() {
    let stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 10, "bake": "2s"}]);
    let refuse = async {
        share_is(&stage, 10).await;
        change(&stage, |route| {
            route["metadata"]["annotations"][REFUSE] = json!("ResolvedRefs UnsupportedProtocol");
        });
        // It was the new backend that it did not like.
        while route(&stage)["spec"]["rules"][0]["backendRefs"][1] != Value::Null {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        change(&stage, |route| {
            route["metadata"]["annotations"]
                .as_object_mut()
                .unwrap()
                .remove(REFUSE);
        });
    };
    let story = async { tokio::join!(deploy(&stage, parameters), refuse) };
    let ((ended, ()), _) = observed(&stage, story).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed");
    assert!(message.contains("UnsupportedProtocol"), "{message}");
    is_given_back(&stage).await;
}

/// As long as nobody says that the weights from before are in force, the candidate may get its
/// share, and must not lose its pods.
#[tokio::test(flavor = "multi_thread")]
async fn a_route_that_stays_refused_keeps_the_candidate_up_and_is_told() {
    let stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 10, "bake": "3s"}]);
    parameters["timeout"] = json!("20s");
    let refuse = async {
        share_is(&stage, 10).await;
        change(&stage, |route| {
            route["metadata"]["annotations"][REFUSE] = json!("Accepted UnsupportedValue");
            // Somebody changes the weights, so that the canary fails.
            route["spec"]["rules"][0]["backendRefs"][1]["weight"] = json!(20);
        });
    };
    let (ended, ()) = tokio::join!(deploy(&stage, parameters), refuse);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.starts_with("The canary of Deployment `demo-app`"),
        "{message}"
    );
    for told in [
        "HTTPRoute `demo-app` has its weights from before, but its controller did not confirm them \
         within 20 s, so `demo-app-blue` may still get a share, and was left up.",
        "`kubectl --namespace default get httproute demo-app --output yaml`",
    ] {
        assert!(message.contains(told), "{message}");
    }
    // It does: a route that is refused is not followed.
    share_is(&stage, 10).await;
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(2));
    change(&stage, |route| {
        let notes = route["metadata"]["annotations"].as_object_mut();
        notes.unwrap().remove(REFUSE);
    });
    expire(&stage);
    let mut next = canary("registry.example.com/demo-app:3.0.0");
    next["steps"] = json!([20]);
    deploy(&stage, next).await.success();
    is_given_back(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deleted_route_ends_the_canary_and_the_old_version_stays() {
    let stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 10, "bake": "5s"}]);
    let remove = async {
        share_is(&stage, 10).await;
        stage.cluster.remove(HTTP_ROUTES, "demo-app").await;
    };
    let (ended, ()) = tokio::join!(deploy(&stage, parameters), remove);
    let (_, message) = ended.failure();
    assert!(
        message.contains("someone else deleted HTTPRoute `demo-app`"),
        "{message}"
    );
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
}

/// What is reported of a deploy after another one was killed, which never reports.
async fn ended(stage: &Stage, parameters: Value) -> Result<String, String> {
    let job = stage
        .aws
        .submit(stage.event(&parameters), Duration::from_secs(20));
    let report = match stage.aws.outcome(&job, LIFE + LIFE).await {
        Outcome::Succeeded(report) | Outcome::Failed(report) => report,
        other => panic!("{other:?}"),
    };
    match report.result {
        JobResult::Success { summary, .. } => Ok(summary.unwrap_or_default()),
        JobResult::Failure { message, .. } => Err(message),
    }
}

/// The lock of a canary that is not alive any more.
fn expire(stage: &Stage) {
    stage.sandbox().world(|world, now| {
        let mut service = world
            .object("services", "default", "demo-app")
            .unwrap()
            .clone();
        let notes = &mut service["metadata"]["annotations"];
        let lock = notes["landfall/lock"].as_str().unwrap();
        let mut lock = serde_json::from_str::<Value>(lock).unwrap();
        lock["since"] = json!("2020-01-01T00:00:00Z");
        lock["deadline"] = json!("2020-01-01T01:00:00Z");
        notes["landfall/lock"] = json!(lock.to_string());
        world.apply(service, now);
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_canary_takes_back_what_an_interrupted_one_has_left() {
    let mut stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 30, "bake": "60s"}]);
    stage.aws.submit(stage.event(&parameters), LIFE);
    share_is(&stage, 30).await;
    stage.function.kill();
    expire(&stage);
    // Another strategy does not know where that share goes.
    let mut other = canary("registry.example.com/demo-app:3.0.0");
    for (field, value) in [
        ("strategy", json!("blueGreen")),
        ("steps", Value::Null),
        ("route", Value::Null),
    ] {
        other[field] = value;
    }
    other
        .as_object_mut()
        .unwrap()
        .retain(|_, value| !value.is_null());
    let message = ended(&stage, other).await.unwrap_err();
    assert!(
        message.contains("a canary by that route was interrupted"),
        "{message}"
    );
    let mut next = canary("registry.example.com/demo-app:3.0.0");
    next["steps"] = json!([20]);
    let (end, seen) = observed(&stage, ended(&stage, next)).await;
    assert!(end.unwrap().contains("demo-app:3.0.0"));
    let old = json!({"demo-app": 100});
    assert!(
        seen.contains(&old),
        "all went back before the next began: {seen:?}"
    );
    is_given_back(&stage).await;
}
