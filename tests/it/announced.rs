//! The event that EventBridge gets of each deploy's end.

use crate::blue_green::{self, SICK_IMAGE};
use crate::canary::interrupted;
use crate::canary::pods::candidate_serves;
use crate::canary::stand_in::step_is;
use crate::parameters::{fits, schema_of};
use crate::stage::{Environment, LIFE, OLD_IMAGE, SHORT, Stage, demo_app, image};
use jiff::SignedDuration;
use landfall_sandbox::aws::{Alarm, AlarmState, AwsFault};
use landfall_sandbox::gateway::sample_http_route;
use landfall_sandbox::world::{World, sample_service};
use serde_json::{Value, json};
use std::time::Duration;

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const SLOW_IMAGE: &str = "registry.example.com/demo-app:2.0.0-after-2s";
const BUS: &str = "arn:aws:events:eu-central-1:111111111111:event-bus/deploys";
const WITH_BUS: Environment<'_> = &[("EVENT_BUS", Some(BUS))];

async fn stage() -> Stage {
    Stage::given_with([demo_app(600)], WITH_BUS).await
}

/// Waits until no invocation runs any more: an event follows its report.
async fn over(stage: &Stage) {
    let runs = |stage: &Stage| {
        let invocations = stage.aws.invocations();
        invocations.iter().any(|it| it.end.is_none())
    };
    while runs(stage) {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The details of all events, which follow the schema.
async fn events(stage: &Stage) -> Vec<Value> {
    over(stage).await;
    let schema = schema_of("docs/event.schema.json");
    let calls = stage.aws.calls().into_iter();
    let calls = calls.filter(|call| call.target == "AWSEvents.PutEvents");
    let details = calls.map(|call| {
        let [entry] = call.body["Entries"].as_array().unwrap().as_slice() else {
            panic!("{:#}", call.body);
        };
        assert_eq!(entry["Source"], "landfall");
        assert_eq!(entry["DetailType"], "Landfall Deploy Ended");
        assert_eq!(entry["EventBusName"], BUS);
        let detail = serde_json::from_str(entry["Detail"].as_str().unwrap()).unwrap();
        assert!(fits(&schema, &detail), "{detail:#}");
        detail
    });
    details.collect()
}

async fn event(stage: &Stage) -> Value {
    let mut events = events(stage).await;
    assert_eq!(events.len(), 1, "{events:#?}");
    events.remove(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_is_told_as_data_with_versions_and_seconds() {
    let stage = stage().await;
    let mut parameters = image(SICK_IMAGE);
    parameters["env"] = json!({"PASSWORD": "env-value-5ecret"});
    let (_, message) = stage.deploy(parameters).await.failure();
    let event = event(&stage).await;
    assert_eq!(event["outcome"], "FAILED");
    let told = event["message"].as_str().unwrap();
    assert_eq!(told.replace(stage.cluster.namespace(), "default"), message);
    assert_eq!(
        event["failure"],
        json!({"type": "JobFailed", "section": "crash"})
    );
    assert_eq!(event["rolledBackTo"]["image"], OLD_IMAGE, "{event:#}");
    let revision = event["rolledBackTo"]["revision"].as_u64().unwrap();
    assert!(
        message.contains(&format!("revision {revision} (")),
        "{message}"
    );
    assert_eq!(event["outage"], false);
    assert!(event["seconds"].as_u64().is_some(), "{event:#}");
    let images = event["versions"].as_array().unwrap().iter();
    let images = images.map(|version| version["image"].as_str().unwrap());
    assert_eq!(images.collect::<Vec<_>>(), [OLD_IMAGE, SICK_IMAGE]);
    assert!(!event.to_string().contains("5ecret"), "{event:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_switch_that_is_taken_back_names_who_gets_the_traffic() {
    for (strategy, field, value) in [
        ("blueGreen", "bake", json!("20s")),
        ("canary", "steps", json!([{"weight": 50, "bake": "20s"}])),
    ] {
        let objects = [demo_app(600), sample_service("demo-app")];
        let stage = Stage::given_with(objects, WITH_BUS).await;
        blue_green::endpoints_are_known(&stage).await;
        stage.aws.put_alarm(Alarm::silent("errors"));
        let mut parameters = blue_green::switch(strategy, NEW_IMAGE);
        parameters[field] = value;
        parameters["alarms"] = json!(["errors"]);
        let rings = async {
            candidate_serves(&stage).await;
            stage.aws.set_alarm("errors", AlarmState::Alarm, "too many");
        };
        let (ended, ()) = tokio::join!(stage.deploy(parameters), rings);
        ended.failure();
        let event = event(&stage).await;
        assert_eq!(event["rolledBackTo"]["deployment"], "demo-app", "{event:#}");
    }
}

/// Waits until the canary has its share of the traffic.
async fn shared(stage: &Stage, by_route: bool) {
    match by_route {
        true => {
            step_is(stage, 1).await;
        }
        false => candidate_serves(stage).await,
    }
}

/// Waits until the Service notes that the deploy failed.
async fn given_up(stage: &Stage) {
    while !blue_green::service(stage).await["metadata"]["annotations"]["landfall/rolled-back"]
        .is_string()
    {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// A retry has not seen the share that a dead canary had, and takes it back; and who dies on the way
/// back has lost what it saw.
#[tokio::test(flavor = "multi_thread")]
async fn a_share_that_was_given_by_a_dead_function_is_told_as_taken_back() {
    for (by_route, on_the_way_back) in [(true, false), (true, true), (false, false), (false, true)]
    {
        let prepare = |world: &mut World, now| {
            world.install_gateway_api(now);
            world.timing().termination = SignedDuration::from_secs(3);
            world.apply(demo_app(600), now);
            world.apply(sample_service("demo-app"), now);
            world.apply(sample_http_route("demo-app", "demo-app"), now);
        };
        let mut stage = Stage::in_sandbox_with(prepare, WITH_BUS).await;
        blue_green::endpoints_are_known(&stage).await;
        stage.aws.put_alarm(Alarm::silent("errors"));
        let mut parameters = blue_green::switch("canary", NEW_IMAGE);
        parameters["steps"] = json!([{"weight": 50, "bake": "50s"}]);
        parameters["alarms"] = json!(["errors"]);
        parameters["execution"] = json!("run-1");
        parameters["timeout"] = json!("100s");
        if by_route {
            parameters["route"] = json!("httproute/demo-app");
        }
        let job = stage.aws.submit(stage.event(&parameters), LIFE);
        shared(&stage, by_route).await;
        if on_the_way_back {
            stage.aws.set_alarm("errors", AlarmState::Alarm, "too many");
            given_up(&stage).await;
        }
        stage.function.kill();
        tokio::time::sleep(Duration::from_millis(200)).await;
        stage.aws.set_alarm("errors", AlarmState::Alarm, "too many");
        if on_the_way_back {
            assert!(stage.aws.retry(&job));
            stage.aws.outcome(&job, LIFE).await;
        } else {
            interrupted::ended(&stage, parameters).await.unwrap_err();
        }
        let event = event(&stage).await;
        let told = &event["rolledBackTo"]["deployment"];
        assert_eq!(
            *told, "demo-app",
            "{by_route}, {on_the_way_back}: {event:#}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_end_is_told_once_and_a_deploy_that_goes_on_not_yet() {
    let stage = stage().await;
    stage.deploy_in(SHORT, image(SLOW_IMAGE)).await.success();
    let first = event(&stage).await;
    assert_eq!(first["outcome"], "SUCCEEDED");
    assert_eq!(first["variables"]["Image"], SLOW_IMAGE);
    assert_eq!(first["rolledBackTo"], Value::Null);
    let mut plan = image(NEW_IMAGE);
    plan["mode"] = json!("plan");
    stage.deploy(plan).await.success();
    stage
        .deploy(json!({"deployment": "demo-app", "imagse": {}}))
        .await
        .failure();
    let outcomes = events(&stage).await;
    let outcomes = outcomes
        .iter()
        .map(|event| event["outcome"].as_str().unwrap());
    assert_eq!(
        outcomes.collect::<Vec<_>>(),
        ["SUCCEEDED", "PLANNED", "FAILED"]
    );
}

/// Nobody knows what is secret in a text that is not JSON.
#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_cannot_be_read_are_not_quoted() {
    let stage = stage().await;
    let mut event = stage.event(&image(NEW_IMAGE));
    let configuration = "/CodePipeline.job/data/actionConfiguration/configuration/UserParameters";
    *event.pointer_mut(configuration).unwrap() =
        json!("{\"deployment\": \"demo-app\", \"env\": {\"PASSWORD\": env-value-5ecret}}");
    let (kind, _) = stage.run(event, LIFE).await.failure();
    assert_eq!(kind, "ConfigurationError");
    let event = self::event(&stage).await;
    assert_eq!(event["failure"]["section"], "parameters", "{event:#}");
    assert!(!event.to_string().contains("5ecret"), "{event:#}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_without_a_pipeline_is_told_too() {
    let stage = stage().await;
    let mut parameters = image(NEW_IMAGE);
    parameters["namespace"] = json!(stage.cluster.namespace());
    let job = stage.aws.submit(json!({"deploy": parameters}), LIFE);
    stage.aws.outcome(&job, LIFE).await;
    assert_eq!(event(&stage).await["outcome"], "SUCCEEDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_is_not_taken_changes_no_verdict() {
    for (fault, why) in [
        (AwsFault::AccessDenied, "events:PutEvents"),
        (AwsFault::Stall, "it did not answer in time"),
        (AwsFault::Throttling, "ThrottlingException: Rate exceeded"),
    ] {
        let stage = stage().await;
        stage.aws.fault("AWSEvents.PutEvents", fault, 100);
        stage.deploy(image(NEW_IMAGE)).await.success();
        let told = "EventBridge did not confirm the event of the deploy's end";
        // The log may come a little after the end of the invocation.
        over(&stage).await;
        for _ in 0..100 {
            if !stage.log().contains(told) {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
        let log = stage.log();
        assert!(log.contains(told) && log.contains(why), "{fault:?}\n{log}");
    }
    let stage = stage().await;
    stage
        .aws
        .fault("AWSEvents.PutEvents", AwsFault::Throttling, 1);
    stage.deploy(image(NEW_IMAGE)).await.success();
    assert_eq!(events(&stage).await.len(), 2, "the second attempt is taken");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_bus_nothing_is_sent_and_a_wrong_one_is_a_fault() {
    let stage = Stage::new().await;
    stage.deploy(image(NEW_IMAGE)).await.success();
    assert!(events(&stage).await.is_empty());
    let wrong = Stage::given_with([demo_app(600)], &[("EVENT_BUS", Some("a bus"))]).await;
    let (kind, message) = wrong.deploy(image(NEW_IMAGE)).await.failure();
    assert_eq!(kind, "ConfigurationError");
    assert!(message.contains("EVENT_BUS"), "{message}");
}
