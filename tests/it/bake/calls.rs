//! What a bake costs in calls, by sockets: a minute of it is counted, and stands for ten.

use crate::blue_green::{endpoints_are_known, is_switched, switch};
use crate::canary::stand_in::step_is;
use crate::stage::{Stage, demo_app};
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::aws::Alarm;
use landfall_sandbox::gateway::sample_http_route;
use landfall_sandbox::world::sample_service;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
/// What is counted.
const WINDOW: SignedDuration = SignedDuration::from_secs(60);
/// Not what belongs to the beginning of a bake.
const SETTLING: SignedDuration = SignedDuration::from_secs(3);
/// Calls to CloudWatch in ten minutes.
const READINGS: usize = 40;

/// A deploy whose bake, or first step, is longer than what is counted, in one invocation.
async fn stage() -> Stage {
    let stage = Stage::in_sandbox(|world, now| {
        world.install_gateway_api(now);
        world.apply(demo_app(600), now);
        world.apply(sample_service("demo-app"), now);
        world.apply(sample_http_route("demo-app", "demo-app"), now);
    })
    .await;
    stage.aws.put_alarm(Alarm::silent("5xx"));
    endpoints_are_known(&stage).await;
    stage
}

fn with(strategy: &str, more: &Value) -> Value {
    let mut parameters = switch(strategy, NEW_IMAGE);
    parameters["timeout"] = json!("3m");
    parameters["bake"] = json!("70s");
    parameters["alarms"] = json!(["5xx"]);
    for (field, value) in more.as_object().unwrap() {
        parameters[field] = value.clone();
    }
    parameters
}

/// Calls to the cluster and to CloudWatch in a minute of what begins when `begins` returns.
async fn counted(parameters: Value, begins: impl AsyncFnOnce(&Stage)) -> [usize; 2] {
    let stage = stage().await;
    let life = Duration::from_secs(170);
    let job = stage.aws.submit(stage.event(&parameters), life);
    begins(&stage).await;
    let from = Timestamp::now() + SETTLING;
    let until = from + WINDOW;
    while Timestamp::now() < until {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let is_over = stage.aws.outcome(&job, Duration::ZERO).await;
    assert_eq!(
        is_over,
        landfall_sandbox::aws::Outcome::Pending,
        "{}",
        stage.log()
    );
    let within = |at: Timestamp| from <= at && at < until;
    let requests = stage.requests().into_iter();
    let requests = requests
        .filter(|seen| within(seen.time))
        .collect::<Vec<_>>();
    let mut kinds = BTreeMap::<String, usize>::new();
    for seen in &requests {
        let path = seen.path.split('?').next().unwrap_or_default();
        let watch = if seen.path.contains("watch=") {
            " watch"
        } else {
            ""
        };
        *kinds
            .entry(format!("{}{watch} {path}", seen.method))
            .or_default() += 1;
    }
    let read = stage.aws.calls().into_iter();
    let read = read.filter(|call| within(call.at) && call.target.ends_with("DescribeAlarms"));
    let counts = [requests.len(), read.count()];
    println!(
        "{}: {counts:?} in a minute: {kinds:#?}",
        parameters["strategy"]
    );
    counts
}

/// `limit`: calls to the cluster in ten minutes.
fn assert_few(counts: [usize; 2], limit: usize) {
    for (count, limit) in counts.into_iter().zip([limit, READINGS]) {
        assert!(count * 10 <= limit, "{counts:?} in a minute");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_of_a_canary_with_its_share_makes_few_calls() {
    let canary = json!({"route": "httproute/demo-app", "bake": "1s",
        "steps": [{"weight": 10, "bake": "70s"}]});
    let counts = counted(with("canary", &canary), async |stage| {
        step_is(stage, 1).await;
    })
    .await;
    // A look at everything is every 90 s: the minute may have one of the seven of ten minutes.
    assert_few(counts, 60 * 10 / 7);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_of_a_switch_makes_few_calls() {
    let counts = counted(with("blueGreen", &json!({})), async |stage| {
        is_switched(stage).await;
    })
    .await;
    assert_few(counts, 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minute_of_a_rolling_bake_makes_few_calls() {
    let mut rolling = with("rolling", &json!({}));
    rolling.as_object_mut().unwrap().remove("service");
    let counts = counted(rolling, super::watched).await;
    assert_few(counts, 60);
}
