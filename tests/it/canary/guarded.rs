//! A canary that an alarm guards.

use super::interrupted::{ended, expire};
use super::watch::{observed, share_is};
use super::{canary, deploy, is_given_back, route, stage, with_alarm};
use crate::blue_green::{NEW_IMAGE, replicas};
use crate::stage::{LIFE, OLD_IMAGE, Stage};
use landfall_sandbox::aws::{Alarm, AlarmState};
use serde_json::{Value, json};
use std::time::Duration;

fn ring(stage: &Stage) {
    let why = "Threshold Crossed";
    stage.aws.set_alarm("5xx", AlarmState::Alarm, why);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_rings_with_a_share_takes_the_canary_back() {
    let stage = stage().await;
    stage.aws.put_alarm(Alarm::silent("5xx"));
    let parameters = with_alarm(10, "50s");
    let deploy = deploy(&stage, parameters);
    let ringing = async {
        share_is(&stage, 10).await;
        stage
            .aws
            .set_alarm("5xx", AlarmState::Alarm, "Threshold Crossed");
    };
    let ((ended, ()), seen) = observed(&stage, async { tokio::join!(deploy, ringing) }).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    let said = "The canary of Deployment `demo-app` in `default` failed: with 10 % of the traffic, \
        CloudWatch alarm `5xx` is in ALARM since ";
    assert!(message.contains(said), "{message}");
    assert!(message.contains("#alarmsV2:alarm/5xx"), "{message}");
    let shares = [
        json!({"demo-app": 100}),
        json!({"demo-app": 90, "demo-app-blue": 10}),
        json!({"demo-app": 100}),
    ];
    assert_eq!(seen, shares);
    is_given_back(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_canary_whose_alarm_is_silent_gets_everything() {
    let stage = stage().await;
    stage.aws.put_alarm(Alarm::silent("5xx"));
    let mut parameters = canary(NEW_IMAGE);
    parameters["alarms"] = json!(["5xx"]);
    let (summary, _) = deploy(&stage, parameters).await.success();
    assert!(
        summary.contains("Its alarm `5xx` did not ring."),
        "{summary}"
    );
    is_given_back(&stage).await;
}

/// It rings after the last look of the last step, whose bake is shorter than two looks are apart.
#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_rings_at_the_end_of_the_last_step_takes_the_canary_back() {
    let stage = stage().await;
    stage.aws.put_alarm(Alarm::silent("5xx"));
    let parameters = with_alarm(100, "6s");
    let ringing = async {
        share_is(&stage, 100).await;
        tokio::time::sleep(Duration::from_secs(3)).await;
        ring(&stage);
    };
    let story = async { tokio::join!(deploy(&stage, parameters), ringing) };
    let ((ended, ()), seen) = observed(&stage, story).await;
    let (_, message) = ended.failure();
    let said = "failed: with 100 % of the traffic, CloudWatch alarm `5xx` is in ALARM since ";
    assert!(message.contains(said), "{message}");
    assert_eq!(seen.last(), Some(&json!({"demo-app": 100})));
    is_given_back(&stage).await;
}

/// A canary that is killed with a share; then its alarm rings.
async fn killed_with(stage: &mut Stage, parameters: &Value, is_shared: impl AsyncFn(&Stage)) {
    stage.aws.put_alarm(Alarm::silent("5xx"));
    stage.aws.submit(stage.event(parameters), LIFE);
    is_shared(&*stage).await;
    stage.function.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    ring(stage);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_takes_back_the_share_of_a_dead_canary() {
    let mut stage = stage().await;
    let mut parameters = with_alarm(10, "60s");
    parameters["execution"] = json!("run-1");
    killed_with(&mut stage, &parameters, async |stage: &Stage| {
        share_is(stage, 10).await;
    })
    .await;
    let message = ended(&stage, parameters).await.unwrap_err();
    let said = "failed: with 10 % of the traffic, CloudWatch alarm `5xx` is in ALARM since ";
    assert!(
        message.contains(said) || message.contains("CloudWatch alarm `5xx` is in ALARM since "),
        "{message}"
    );
    assert!(!message.contains("was not changed"), "{message}");
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    is_given_back(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_retry_takes_back_the_pods_of_a_dead_canary() {
    let mut stage = stage().await;
    let mut parameters = with_alarm(50, "60s");
    parameters.as_object_mut().unwrap().remove("route");
    parameters["execution"] = json!("run-1");
    killed_with(&mut stage, &parameters, share_of_pods).await;
    let message = ended(&stage, parameters).await.unwrap_err();
    assert!(message.contains("CloudWatch alarm `5xx` is"), "{message}");
    assert!(!message.contains("was not changed"), "{message}");
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
}

/// Waits until the Service sends to pods of both versions.
async fn share_of_pods(stage: &Stage) {
    loop {
        let service = stage.cluster.object("services", "demo-app").await.unwrap();
        let lock = &service["metadata"]["annotations"]["landfall/lock"];
        if lock.as_str().is_some_and(|lock| lock.contains("percent")) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The deploy of another execution is refused while the alarm rings, and before that the share is
/// taken back which may be why it does.
#[tokio::test(flavor = "multi_thread")]
async fn another_execution_takes_the_share_of_a_dead_canary_back_before_it_is_refused() {
    for by_route in [true, false] {
        let mut stage = stage().await;
        let mut parameters = with_alarm(50, "60s");
        if !by_route {
            parameters.as_object_mut().unwrap().remove("route");
        }
        let is_shared = async |stage: &Stage| match by_route {
            true => share_is(stage, 50).await,
            false => share_of_pods(stage).await,
        };
        killed_with(&mut stage, &parameters, is_shared).await;
        expire(&stage).await;
        let message = ended(&stage, parameters).await.unwrap_err();
        assert!(message.contains("was not changed"), "{message}");
        let told = "died with a share of the traffic, which was taken back first";
        assert!(message.contains(told), "{message}");
        let selector = stage.cluster.object("services", "demo-app").await.unwrap();
        let selector = &selector["spec"]["selector"];
        assert!(selector["pod-template-hash"].is_string(), "{selector}");
        let weights = &route(&stage)["spec"]["rules"][0]["backendRefs"];
        assert_eq!(weights.as_array().unwrap().len(), 1, "{weights}");
    }
}
