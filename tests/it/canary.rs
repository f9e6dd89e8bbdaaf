//! Canaries over an HTTPRoute. What the requests get is looked at all along: no backend has weight
//! without the ready pods that its share needs.

pub mod faults;
mod guarded;
mod ingress;
pub mod interrupted;
pub mod pods;
mod real;
pub mod stand_in;
mod turns;
mod watch;

use crate::blue_green::{NEW_IMAGE, at_rest, endpoints_are_known, replicas, service};
use crate::stage::{Ended, Stage, demo_app};
use jiff::SignedDuration;
use landfall_sandbox::gateway::{HTTP_ROUTES, sample_http_route};
use landfall_sandbox::world::{World, sample_autoscaler, sample_service};
use serde_json::{Value, json};
use std::time::Duration;
use watch::{observed, observed_failing, share_is, share_of};

/// The user parameters of a canary.
fn canary(image: &str) -> Value {
    json!({"deployment": "demo-app", "service": "demo-app", "strategy": "canary",
        "route": "httproute/demo-app", "steps": [10, 50], "bake": "1s",
        "images": {"app": image}, "timeout": "100s"})
}

/// Those of one whose first share is watched for so long, and which an alarm guards.
fn with_alarm(weight: u8, bake: &str) -> Value {
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": weight, "bake": bake}]);
    parameters["alarms"] = json!(["5xx"]);
    parameters
}

/// A cluster in which `demo-app` serves over a route; `prepare` makes the difference.
async fn stage_with(prepare: impl FnOnce(&mut World, jiff::Timestamp)) -> Stage {
    stage_since(SignedDuration::ZERO, prepare).await
}

/// The same, where nobody has changed anything for some time.
async fn stage_since(
    ago: SignedDuration,
    prepare: impl FnOnce(&mut World, jiff::Timestamp),
) -> Stage {
    let stage = Stage::in_sandbox(|world, now| {
        let now = now - ago;
        world.install_gateway_api(now);
        world.apply(demo_app(600), now);
        world.apply(sample_service("demo-app"), now);
        world.apply(sample_http_route("demo-app", "demo-app"), now);
        prepare(world, now);
    })
    .await;
    endpoints_are_known(&stage).await;
    stage
}

async fn stage() -> Stage {
    stage_with(|_, _| {}).await
}

fn route(stage: &Stage) -> Value {
    stage.sandbox().world(|world, _| {
        let route = world.object(HTTP_ROUTES, "default", "demo-app");
        route.cloned().unwrap_or_default()
    })
}

/// A deploy in as many invocations as it takes.
async fn deploy(stage: &Stage, parameters: Value) -> Ended {
    stage.deploy_in(Duration::from_secs(20), parameters).await
}

/// What is there when nobody is at work: the route as it was, and no Service of a candidate.
async fn is_given_back(stage: &Stage) {
    at_rest(stage).await;
    let route = route(stage);
    let backends = &route["spec"]["rules"][0]["backendRefs"];
    let names = backends.as_array().unwrap().iter();
    let names = names.map(|one| (one["name"].as_str().unwrap(), one["weight"].as_u64()));
    assert_eq!(
        names.collect::<Vec<_>>(),
        [("demo-app", Some(1))],
        "{route:#}"
    );
    let notes = route["metadata"]["annotations"].as_object();
    let ours = notes.into_iter().flatten();
    let mut ours = ours.filter(|(name, _)| name.starts_with("landfall/"));
    assert_eq!(ours.next(), None);
    let candidate = stage.cluster.object("services", "demo-app-canary").await;
    assert_eq!(candidate, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_new_version_gets_its_shares_one_after_the_other() {
    let stage = stage().await;
    let (ended, seen) = observed(&stage, deploy(&stage, canary(NEW_IMAGE))).await;
    let (summary, variables) = ended.success();
    assert_eq!(variables["Strategy"], "canary");
    assert_eq!(variables["Deployment"], "demo-app-blue");
    let said = "HTTPRoute `demo-app` gave it 10 %, 50 %, 100 % of the traffic before.";
    assert!(summary.contains(said), "{summary}");
    let (old, new) = ("demo-app", "demo-app-blue");
    let shares = [
        json!({old: 100}),
        json!({old: 90, new: 10}),
        json!({old: 50, new: 50}),
        json!({new: 100}),
    ];
    assert_eq!(seen, shares);
    assert_eq!(replicas(&stage, "demo-app").await, Some(0));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(2));
    is_given_back(&stage).await;
    // The next one takes turns.
    let next = canary("registry.example.com/demo-app:3.0.0");
    let (ended, _) = observed(&stage, deploy(&stage, next)).await;
    assert_eq!(ended.success().1["Deployment"], "demo-app-green");
    is_given_back(&stage).await;
}

/// Two Services behind one route: all of the traffic moves by one write, once the targets of the
/// new version are known to be healthy.
#[tokio::test(flavor = "multi_thread")]
async fn with_one_step_the_traffic_moves_at_once_and_never_to_both() {
    let stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([100]);
    let (ended, seen) = observed(&stage, deploy(&stage, parameters.clone())).await;
    ended.success();
    assert_eq!(
        seen,
        [json!({"demo-app": 100}), json!({"demo-app-blue": 100})]
    );
    is_given_back(&stage).await;
    // What fails after it goes back at once, too.
    parameters["images"]["app"] = json!("registry.example.com/demo-app:3.0.0");
    parameters["bake"] = json!("20s");
    parameters["patience"] = json!("1s");
    let illness = async {
        share_of(&stage, "demo-app-green", 100).await;
        let image = "registry.example.com/demo-app:3.0.0";
        stage.cluster.strike("demo-app-green", image).await;
    };
    let story = async { tokio::join!(deploy(&stage, parameters), illness) };
    let ((ended, ()), seen) = observed_failing(&stage, story).await;
    ended.failure();
    assert_eq!(seen.last(), Some(&json!({"demo-app-blue": 100})));
    is_given_back(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_never_serves_gets_no_share() {
    let stage = stage().await;
    let sick = canary(crate::blue_green::SICK_IMAGE);
    let (ended, seen) = observed(&stage, deploy(&stage, sick)).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.starts_with("The canary of"), "{message}");
    assert!(message.contains("exits with code 1"), "{message}");
    assert_eq!(seen, [json!({"demo-app": 100})]);
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    is_given_back(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_fails_with_a_share_is_taken_back_by_one_write_of_the_route() {
    let stage = stage().await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([{"weight": 10, "bake": "40s"}]);
    parameters["patience"] = json!("2s");
    let deploy = deploy(&stage, parameters);
    let strike = async {
        share_is(&stage, 10).await;
        stage.cluster.strike("demo-app-blue", NEW_IMAGE).await;
    };
    let ((ended, ()), seen) =
        observed_failing(&stage, async { tokio::join!(deploy, strike) }).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    let said =
        "The canary of Deployment `demo-app` in `default` failed: with 10 % of the traffic, ";
    assert!(message.contains(said), "{message}");
    let said = "HTTPRoute `demo-app` sends nothing to the new one";
    assert!(message.contains(said), "{message}");
    let shares = [
        json!({"demo-app": 100}),
        json!({"demo-app": 90, "demo-app-blue": 10}),
        json!({"demo-app": 100}),
    ];
    assert!(
        seen.starts_with(&shares[..2]) && seen.ends_with(&shares[2..]),
        "{seen:?}"
    );
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    is_given_back(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_autoscaler_keeps_to_the_old_version_until_the_new_one_has_everything() {
    let stage = stage_with(|world, now| {
        world.apply(sample_autoscaler("demo-app", 1, 5), now);
    })
    .await;
    let mut parameters = canary(NEW_IMAGE);
    parameters["steps"] = json!([50]);
    parameters["bake"] = json!("3s");
    let looks = async {
        share_is(&stage, 50).await;
        let scaler = autoscaler(&stage).await;
        assert_eq!(scaler["spec"]["scaleTargetRef"]["name"], "demo-app");
        assert_eq!(
            scaler["spec"]["minReplicas"], 2,
            "what serves is not scaled down"
        );
        share_is(&stage, 100).await;
        let scaler = autoscaler(&stage).await;
        assert_eq!(scaler["spec"]["scaleTargetRef"]["name"], "demo-app-blue");
    };
    let story = async { tokio::join!(deploy(&stage, parameters), looks) };
    let ((ended, ()), _) = observed(&stage, story).await;
    ended.success();
    let scaler = autoscaler(&stage).await;
    assert_eq!(scaler["spec"]["scaleTargetRef"]["name"], "demo-app-blue");
    assert_eq!(scaler["spec"]["minReplicas"], 1);
    is_given_back(&stage).await;
}

async fn autoscaler(stage: &Stage) -> Value {
    let found = stage.cluster.objects("horizontalpodautoscalers").await;
    found.into_iter().next().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_tells_the_shares_and_writes_nothing() {
    let stage = stage().await;
    let before = route(&stage);
    let mut parameters = canary(NEW_IMAGE);
    parameters["mode"] = json!("plan");
    let (summary, _) = stage.deploy(parameters).await.success();
    assert!(
        summary.contains(
            "gives it 10 %, 50 %, 100 % of the traffic of Service `demo-app` by HTTPRoute \
             `demo-app` within 3s"
        ) || summary.contains("10 %, 50 %, 100 %"),
        "{summary}"
    );
    assert_eq!(route(&stage), before);
    assert_eq!(replicas(&stage, "demo-app-blue").await, None);
    assert!(service(&stage).await["metadata"]["annotations"]["landfall/lock"].is_null());
}
