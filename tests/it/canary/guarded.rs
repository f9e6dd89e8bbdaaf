//! A canary that an alarm guards.

use super::watch::{observed, share_is};
use super::{canary, deploy, is_given_back, stage};
use crate::blue_green::NEW_IMAGE;
use landfall_sandbox::aws::{Alarm, AlarmState};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_rings_with_a_share_takes_the_canary_back() {
    let stage = stage().await;
    stage.aws.put_alarm(Alarm::silent("5xx"));
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 10, "bake": "50s"}]);
    parameters["alarms"] = json!(["5xx"]);
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
