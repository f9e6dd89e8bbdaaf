//! Deploys that CloudWatch's alarms guard.

pub mod retried;
mod returning;

use crate::bake::watched;
use crate::stage::{LIFE, OLD_IMAGE, Stage, image};
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::aws::{Alarm, AlarmState, AwsCall, AwsFault, Outcome};
use landfall_sandbox::world::sample_service;
use serde_json::{Value, json};
use std::time::Duration;

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const REASON: &str = "Threshold Crossed: 1 datapoint [7.0 (29/11/26 07:12:00)] was greater than \
    the threshold (5.0).";
const TARGET: &str = "GraniteServiceVersion20100801.DescribeAlarms";

/// A stage with an alarm of a metric, and a composite one.
async fn stage() -> Stage {
    let stage = Stage::new().await;
    put_alarms(&stage);
    stage
}

pub fn put_alarms(stage: &Stage) {
    stage.aws.put_alarm(Alarm::silent("web 5xx"));
    stage.aws.put_alarm(Alarm {
        rule: Some("ALARM(latency)".into()),
        ..Alarm::silent("all")
    });
}

/// A guarded deploy with a bake of so many seconds.
fn guarded(seconds: u64) -> Value {
    let mut parameters = image(NEW_IMAGE);
    parameters["bake"] = json!(format!("{seconds}s"));
    parameters["alarms"] = json!(["web 5xx", "all"]);
    parameters
}

pub fn ring(stage: &Stage, name: &str) {
    stage.aws.set_alarm(name, AlarmState::Alarm, REASON);
}

pub fn silence(stage: &Stage, name: &str) {
    stage
        .aws
        .set_alarm(name, AlarmState::Ok, "Threshold Crossed: no datapoint");
}

pub fn readings(stage: &Stage) -> Vec<AwsCall> {
    let calls = stage.aws.calls().into_iter();
    calls.filter(|call| call.target == TARGET).collect()
}

pub fn is_alarm(message: &str, name: &str) {
    let told = format!("CloudWatch alarm `{name}` is in ALARM since ");
    assert!(message.contains(&told), "{message}");
    assert!(message.contains(REASON.trim_end_matches('.')), "{message}");
    let encoded = name.replace(' ', "%20");
    let link = format!(
        "https://eu-central-1.console.aws.amazon.com/cloudwatch/home?region=eu-central-1\
         #alarmsV2:alarm/{encoded}"
    );
    assert!(message.contains(&link), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_whose_alarms_are_silent_says_so() {
    let stage = stage().await;
    let (summary, _) = stage.deploy(guarded(12)).await.success();
    assert!(
        summary.contains("Its alarms `web 5xx` and `all` did not ring."),
        "{summary}"
    );
    let readings = readings(&stage);
    // Before the first write and after the bake; this one is shorter than what is between two.
    assert!((2..=3).contains(&readings.len()), "{readings:#?}");
    for reading in &readings {
        assert_eq!(reading.status, Some(200));
        assert_eq!(reading.body["AlarmNames"], json!(["web 5xx", "all"]));
        let types = json!(["MetricAlarm", "CompositeAlarm"]);
        assert_eq!(reading.body["AlarmTypes"], types);
    }
    // The new version, and that its watch is over.
    stage.wrote(&["PATCH", "PATCH"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_alarms_cloudwatch_is_not_asked() {
    let stage = stage().await;
    ring(&stage, "web 5xx");
    let (summary, _) = stage.deploy(image(NEW_IMAGE)).await.success();
    assert!(!summary.contains("alarm"), "{summary}");
    assert_eq!(readings(&stage), []);
}

/// It rings as soon as the function watches the new version.
async fn rung_in_the_bake(name: &str) {
    let stage = stage().await;
    let ringing = async {
        watched(&stage).await;
        ring(&stage, name);
        Timestamp::now()
    };
    let (ended, rang) = tokio::join!(stage.deploy(guarded(50)), ringing);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    is_alarm(&message, name);
    assert!(
        message.starts_with("The deploy of Deployment `demo-app`"),
        "{message}"
    );
    assert!(message.contains("Rolled back: revision 3"), "{message}");
    assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
    stage.wrote(&["PATCH", "PATCH"]);
    let Some(writes) = stage.writes() else { return };
    let acted = writes[1].time.duration_since(rang);
    assert!(acted <= SignedDuration::from_secs(20), "{acted:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_rings_during_the_bake_brings_the_previous_version_back() {
    rung_in_the_bake("web 5xx").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_composite_alarm_rings_as_well() {
    rung_in_the_bake("all").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_rings_during_the_rollout_ends_it() {
    let stage = stage().await;
    let mut parameters = guarded(0);
    parameters["images"]["app"] = json!("registry.example.com/demo-app:2.0.0-after-30s");
    let ringing = async {
        stage.written().await;
        ring(&stage, "web 5xx");
    };
    let (ended, ()) = tokio::join!(stage.deploy(parameters), ringing);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    is_alarm(&message, "web 5xx");
    assert!(message.contains("Rolled back"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_rings_already_refuses_the_deploy() {
    let stage = stage().await;
    ring(&stage, "all");
    let (kind, message) = stage.refused(guarded(1)).await;
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.starts_with("Deployment `demo-app` in `default` was not changed"),
        "{message}"
    );
    is_alarm(&message, "all");
    assert!(message.contains("\"ringing\": \"ignore\""), "{message}");
    assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_deploy_that_is_the_fix_is_let_although_an_alarm_rings() {
    let stage = stage().await;
    ring(&stage, "all");
    let mut parameters = guarded(12);
    parameters["alarms"] = json!({"names": ["web 5xx", "all"], "ringing": "ignore"});
    let (summary, _) = stage.deploy(parameters).await.success();
    assert!(
        summary.contains("Its alarm `web 5xx` did not ring."),
        "{summary}"
    );
    assert!(
        summary.contains("`all` rings since before the deploy"),
        "{summary}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_ignored_alarm_that_rings_anew_counts() {
    let stage = stage().await;
    ring(&stage, "all");
    let mut parameters = guarded(50);
    parameters["alarms"] = json!({"names": ["all"], "ringing": "ignore"});
    let again = async {
        watched(&stage).await;
        silence(&stage, "all");
        tokio::time::sleep(Duration::from_millis(300)).await;
        ring(&stage, "all");
    };
    let (ended, ()) = tokio::join!(stage.deploy(parameters), again);
    let (_, message) = ended.failure();
    is_alarm(&message, "all");
    assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn names_that_are_not_there_are_a_fault_before_anything_is_written() {
    let stage = stage().await;
    let mut parameters = guarded(1);
    parameters["alarms"] = json!(["web 5xx", "Web 5xx", "none"]);
    let (kind, message) = stage.refused(parameters).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    let told = "`alarms` name `Web 5xx` and `none`, which are neither metric alarms nor composite";
    assert!(message.contains(told), "{message}");
}

/// CloudWatch would look for it by its name here.
#[tokio::test(flavor = "multi_thread")]
async fn alarms_of_another_region_or_account_are_a_fault_before_anything_is_written() {
    let stage = stage().await;
    for arn in [
        "arn:aws:cloudwatch:us-east-1:111122223333:alarm:web 5xx",
        "arn:aws:cloudwatch:eu-central-1:999999999999:alarm:web 5xx",
    ] {
        let mut parameters = guarded(1);
        parameters["alarms"] = json!(["all", arn]);
        let (kind, message) = stage.refused(parameters).await;
        assert_eq!(kind, "ConfigurationError", "{message}");
        let told = "`alarms[1]` is an ARN, and must be the name alone: alarms are read in the \
            function's own account and region";
        assert!(message.contains(told), "{message}");
    }
    assert!(readings(&stage).is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_data_is_no_ringing_and_is_told() {
    let stage = stage().await;
    stage.aws.set_alarm(
        "all",
        AlarmState::InsufficientData,
        "Unchecked: Initial creation",
    );
    let moving = async {
        watched(&stage).await;
        stage
            .aws
            .set_alarm("web 5xx", AlarmState::InsufficientData, "no data");
    };
    let (ended, ()) = tokio::join!(stage.deploy(guarded(12)), moving);
    let (summary, _) = ended.success();
    for name in ["all", "web 5xx"] {
        let told = format!("`{name}` has too little data (INSUFFICIENT_DATA)");
        assert!(summary.contains(&told), "{summary}");
    }
    assert!(!summary.contains("did not ring"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_told_before_anything_is_written() {
    let stage = stage().await;
    stage
        .aws
        .fault("DescribeAlarms", AwsFault::AccessDenied, 1000);
    let (kind, message) = stage.refused(guarded(1)).await;
    assert_eq!(kind, "PermissionError", "{message}");
    assert!(message.contains("cloudwatch:DescribeAlarms"), "{message}");
    assert!(
        message.contains("the parameter `Alarms` of template.yaml"),
        "{message}"
    );
    // A deploy without alarms needs none.
    stage.deploy(image(NEW_IMAGE)).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn throttling_alone_stops_nothing_and_is_told() {
    let stage = stage().await;
    let throttle = async {
        stage.written().await;
        stage
            .aws
            .fault("DescribeAlarms", AwsFault::Throttling, 1000);
    };
    let (ended, ()) = tokio::join!(stage.deploy(guarded(12)), throttle);
    let (summary, _) = ended.success();
    assert!(
        summary.contains("The last reading of the alarms failed"),
        "{summary}"
    );
    assert!(summary.contains("CloudWatch throttles"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_of_a_moment_before_the_first_write_is_waited_for() {
    let stage = stage().await;
    stage.aws.fault("DescribeAlarms", AwsFault::Unavailable, 3);
    stage.deploy(guarded(1)).await.success();
    // The new version, and that its watch is over.
    stage.wrote(&["PATCH", "PATCH"]);
}

/// The start of the watch is in the cluster.
#[tokio::test(flavor = "multi_thread")]
async fn what_rings_while_the_process_is_dead_is_seen_by_the_next() {
    let mut stage = stage().await;
    let job = stage.aws.submit(stage.event(&guarded(40)), LIFE);
    watched(&stage).await;
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
    assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
    stage.wrote(&["PATCH", "PATCH"]);
}

/// An invocation knows what the one before it has seen.
#[tokio::test(flavor = "multi_thread")]
async fn what_rang_between_two_invocations_counts() {
    let stage = stage().await;
    stage.aws.reinvoke_after(Duration::from_secs(2));
    let life = Duration::from_secs(6);
    let ringing = async {
        watched(&stage).await;
        while stage.aws.reports().is_empty() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        ring(&stage, "web 5xx");
        tokio::time::sleep(Duration::from_millis(500)).await;
        silence(&stage, "web 5xx");
    };
    let (ended, ()) = tokio::join!(stage.deploy_in(life, guarded(40)), ringing);
    let (_, message) = ended.failure();
    let told = "CloudWatch alarm `web 5xx` was not OK during the deploy, and came back to it at ";
    assert!(message.contains(told), "{message}");
    assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_points_out_what_rings_and_what_cannot_ring_in_time() {
    let stage = stage().await;
    stage.aws.put_alarm(Alarm {
        datapoints: 3,
        ..Alarm::silent("slow")
    });
    let mut parameters = guarded(120);
    parameters["mode"] = json!("plan");
    parameters["alarms"] = json!(["web 5xx", "slow"]);
    let (summary, _) = stage.deploy(parameters.clone()).await.success();
    let told = "`slow` needs 3 min of bad data to ring (its period times its datapoints), and the \
        bake is 2 min";
    assert!(summary.contains(told), "{summary}");
    assert!(!summary.contains("web 5xx"), "{summary}");
    ring(&stage, "web 5xx");
    let (summary, _) = stage.deploy(parameters).await.success();
    assert!(
        summary.contains("so a deploy would be refused now"),
        "{summary}"
    );
    stage.wrote(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_goes_back_is_not_refused_for_what_rings() {
    let stage = stage().await;
    stage.deploy(image(NEW_IMAGE)).await.success();
    ring(&stage, "web 5xx");
    let back = json!({"deployment": "demo-app", "mode": "rollback", "execution": "back-1",
        "alarms": ["web 5xx"]});
    stage.deploy(back).await.success();
    assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_already_has_nothing_to_guard() {
    let stage = stage().await;
    ring(&stage, "web 5xx");
    let mut parameters = guarded(30);
    parameters["images"]["app"] = json!(OLD_IMAGE);
    let (summary, _) = stage.deploy(parameters).await.success();
    assert!(summary.contains("nothing was changed"), "{summary}");
    assert!(!summary.contains("ring"), "{summary}");
}

/// A guarded switch with a bake of so many seconds.
pub fn switch(strategy: &str, seconds: u64) -> Value {
    let mut parameters = guarded(seconds);
    parameters["strategy"] = json!(strategy);
    parameters["service"] = json!("demo-app");
    parameters
}

pub async fn behind_a_service() -> Stage {
    let stage = Stage::given([crate::stage::demo_app(600), sample_service("demo-app")]).await;
    put_alarms(&stage);
    stage
}

async fn version(stage: &Stage) -> Value {
    let service = stage.cluster.object("services", "demo-app").await.unwrap();
    service["spec"]["selector"]["landfall/version"].clone()
}

pub async fn ring_once_switched(stage: &Stage) {
    while version(stage).await.is_null() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    ring(stage, "web 5xx");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_alarm_that_rings_after_the_switch_switches_back() {
    let stage = behind_a_service().await;
    let deploy = stage.deploy(switch("blueGreen", 50));
    let (ended, ()) = tokio::join!(deploy, ring_once_switched(&stage));
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    is_alarm(&message, "web 5xx");
    assert!(message.contains("routes to `demo-app` again"), "{message}");
    assert_eq!(version(&stage).await, Value::Null);
    assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_whose_alarms_are_silent_is_kept() {
    let stage = behind_a_service().await;
    let (summary, _) = stage.deploy(switch("immutable", 12)).await.success();
    assert!(
        summary.contains("Its alarms `web 5xx` and `all` did not ring."),
        "{summary}"
    );
    assert_ne!(version(&stage).await, Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_is_refused_while_an_alarm_rings() {
    let stage = behind_a_service().await;
    ring(&stage, "all");
    let (_, message) = stage.refused(switch("blueGreen", 5)).await;
    is_alarm(&message, "all");
}
