//! Stories over an HTTPRoute that also run on the real control plane, with its definition and a
//! small stand-in for a Gateway's controller.

use super::stand_in::{backends, route, stage_over, step_is, weighed};
use super::{canary, deploy, with_alarm};
use crate::blue_green::{NEW_IMAGE, SICK_IMAGE, at_rest, replicas};
use crate::stage::{Stage, demo_app};
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::aws::{Alarm, AlarmState};
use landfall_sandbox::gateway::sample_http_route;
use landfall_sandbox::world::{Seen, sample_service};
use serde_json::{Value, json};
use std::time::Duration;

/// How late a step may be.
const LATE: SignedDuration = SignedDuration::from_secs(2);
/// What rings is acted upon within this time.
const ACTED: SignedDuration = SignedDuration::from_secs(20);
/// From the reading of an alarm that rings until everything goes to the old version.
const BACK: SignedDuration = SignedDuration::from_secs(3);

async fn stage() -> (Stage, impl Drop) {
    let route = sample_http_route("demo-app", "demo-app");
    stage_over(route, vec![demo_app(600), sample_service("demo-app")]).await
}

/// The writes of the route that were not refused, each with the note that it left.
fn writes(stage: &Stage) -> Option<Vec<(Seen, Option<Value>)>> {
    let done = stage.writes()?.into_iter();
    let done = done.filter(|seen| seen.status < 300 && seen.path.contains("routes/demo-app"));
    let noted = |seen: Seen| {
        let body = seen.body.as_ref();
        let note = body.map(|body| &body["metadata"]["annotations"]["landfall/canary"]);
        let note = note.and_then(Value::as_str);
        let note = note.map(|text| serde_json::from_str(text).unwrap());
        (seen, note)
    };
    Some(done.map(noted).collect())
}

fn time(note: &Value, field: &str) -> Timestamp {
    note[field].as_str().unwrap().parse().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn weights_are_written_step_by_step_in_time_and_given_back() {
    let (stage, _controller) = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([10, {"weight": 40, "bake": "4s"}]);
    let (ended, seen) = weighed(&stage, deploy(&stage, parameters)).await;
    ended.success();
    let shares: [&[u64]; 6] = [&[1], &[100, 0], &[90, 10], &[60, 40], &[0, 100], &[1]];
    assert_eq!(seen, shares);
    assert_eq!(backends(&route(&stage).await), [("demo-app".to_owned(), 1)]);
    assert_eq!(replicas(&stage, "demo-app").await, Some(0));
    let candidate = stage.cluster.object("services", "demo-app-canary").await;
    assert_eq!(candidate, None);
    at_rest(&stage).await;
    // Each step comes when the bake of the one before is over.
    for (step, bake) in [(0, 0), (1, 1), (2, 4)] {
        let Some(writes) = writes(&stage) else { break };
        let of = |step: u64| {
            let notes = writes
                .iter()
                .filter_map(|(seen, note)| Some((seen, note.as_ref()?)));
            notes.filter(move |(_, note)| note["step"] == step)
        };
        let (_, begun) = of(step)
            .find(|(_, note)| note["since"].is_string())
            .unwrap();
        let (next, _) = of(step + 1).next().unwrap();
        let due = time(begun, "since") + SignedDuration::from_secs(bake);
        let late = next.time.duration_since(due);
        println!("step {} was {late:#} late", step + 1);
        // The audit log's times have microseconds, the notes' are older.
        assert!(late >= SignedDuration::ZERO, "{late:?} after step {step}");
        assert!(late <= LATE, "{late:?} after step {step}");
    }
    // A version that never serves changes no weight.
    let (ended, seen) = weighed(&stage, deploy(&stage, canary(SICK_IMAGE))).await;
    let (_, message) = ended.failure();
    assert!(message.contains("exits with code 1"), "{message}");
    assert_eq!(seen, [vec![1]]);
    at_rest(&stage).await;
}

/// The whole way back of the traffic: one write, soon after the alarm was read.
#[tokio::test(flavor = "multi_thread")]
async fn everything_goes_to_the_old_version_soon_after_an_alarm_is_read() {
    let (stage, _controller) = stage().await;
    stage.aws.put_alarm(Alarm::silent("5xx"));
    let parameters = with_alarm(10, "50s");
    let rings = async {
        step_is(&stage, 1).await;
        // Not right after a reading.
        tokio::time::sleep(Duration::from_secs(1)).await;
        let why = "Threshold Crossed";
        stage.aws.set_alarm("5xx", AlarmState::Alarm, why);
        let rang = Timestamp::now();
        while backends(&route(&stage).await)[0].1 != 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        (rang, Timestamp::now())
    };
    let story = async { tokio::join!(deploy(&stage, parameters), rings) };
    let ((ended, (rang, back)), seen) = weighed(&stage, story).await;
    let (_, message) = ended.failure();
    assert!(message.contains("with 10 % of the traffic, "), "{message}");
    let shares: [&[u64]; 4] = [&[1], &[100, 0], &[90, 10], &[1]];
    assert_eq!(seen, shares);
    let calls = stage.aws.calls().into_iter();
    let mut calls = calls.filter(|call| call.target.ends_with("DescribeAlarms"));
    let read = calls.find(|call| call.at >= rang).unwrap().at;
    let (acted, took) = (back.duration_since(rang), back.duration_since(read));
    println!("back {acted:#} after the alarm rang, {took:#} after it was read");
    assert!(acted <= ACTED, "{acted:?}");
    assert!(took <= BACK, "{took:?}");
    // From 10 % to nothing by a single write; the last one takes the notes away.
    if let Some(writes) = writes(&stage) {
        let after = writes.iter().filter(|(seen, _)| seen.time >= read);
        let weights = after.filter(|(seen, _)| {
            let body = seen.body.as_ref().unwrap();
            body["spec"]["rules"].is_array()
        });
        assert_eq!(weights.count(), 1, "{writes:#?}");
    }
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    at_rest(&stage).await;
}
