//! Canaries without a route: the share is that of the pods behind the Service.

use super::canary;
use super::interrupted::{ended, expire};
use crate::blue_green::{NEW_IMAGE, SICK_IMAGE, at_rest, endpoints_are_known, replicas, service};
use crate::stage::{LIFE, Stage, beside, demo_app};
use landfall_sandbox::world::{sample_autoscaler, sample_service};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::time::Duration;

/// A canary without a route.
fn without_route(image: &str, steps: Value) -> Value {
    let mut parameters = canary(image);
    parameters.as_object_mut().unwrap().remove("route");
    parameters["steps"] = steps;
    parameters
}

/// A Deployment with four pods, and its Service.
async fn stage() -> Stage {
    let mut app = demo_app(600);
    app["spec"]["replicas"] = json!(4);
    let stage = Stage::given([app, sample_service("demo-app")]).await;
    endpoints_are_known(&stage).await;
    while ready(&stage).await.values().sum::<usize>() < 4 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    stage
}

/// The ready pods behind the Service, by Deployment.
async fn ready(stage: &Stage) -> BTreeMap<String, usize> {
    let slices = stage.cluster.objects("endpointslices").await;
    let of_ours =
        |slice: &&Value| slice["metadata"]["labels"]["kubernetes.io/service-name"] == "demo-app";
    let endpoints = slices.iter().filter(of_ours);
    let endpoints = endpoints.filter_map(|slice| slice["endpoints"].as_array());
    let mut count = BTreeMap::new();
    for endpoint in endpoints.flatten() {
        if endpoint["conditions"]["ready"] == true {
            let pod = endpoint["targetRef"]["name"].as_str().unwrap();
            let name = pod.rsplitn(3, '-').last().unwrap().to_owned();
            *count.entry(name).or_default() += 1;
        }
    }
    count
}

/// Waits until ready pods of the first candidate are behind the Service.
pub async fn candidate_serves(stage: &Stage) {
    while !ready(stage).await.contains_key("demo-app-blue") {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// What the Service had, one after the other, while a story ran: never fewer than four.
async fn watched<T>(stage: &Stage, story: impl Future<Output = T>) -> (T, Vec<Value>) {
    let mut seen = Vec::new();
    let look = async {
        loop {
            let now = ready(stage).await;
            assert!(now.values().sum::<usize>() >= 4, "{now:?} after {seen:?}");
            let now = json!(now);
            if seen.last() != Some(&now) {
                seen.push(now);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let told = beside(story, look).await;
    (told, seen)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_pods_of_the_new_version_get_their_share_beside_the_old_ones() {
    let stage = stage().await;
    let parameters = without_route(NEW_IMAGE, json!([10, 50]));
    let (ended, seen) = watched(&stage, stage.deploy(parameters)).await;
    let (summary, variables) = ended.success();
    assert_eq!(variables["Strategy"], "canary");
    let said = "It had 20 %, 50 %, 100 % of the pods before; `steps` asked for 10 %, 50 %, 100 %.";
    assert!(summary.contains(said), "{summary}");
    let (old, new) = ("demo-app", "demo-app-blue");
    for share in [
        json!({old: 4}),
        json!({old: 4, new: 1}),
        json!({old: 4, new: 4}),
        json!({new: 4}),
    ] {
        assert!(seen.contains(&share), "{share} is not in {seen:?}");
    }
    assert_eq!(replicas(&stage, "demo-app").await, Some(0));
    let selector = service(&stage).await["spec"]["selector"].take();
    assert_eq!(
        selector,
        json!({"app": "demo-app", "landfall/version": "blue"})
    );
    at_rest(&stage).await;
    let next = without_route("registry.example.com/demo-app:3.0.0", json!([34]));
    let (ended, seen) = watched(&stage, stage.deploy(next)).await;
    assert_eq!(ended.success().1["Deployment"], "demo-app-green");
    let share = json!({"demo-app-blue": 4, "demo-app-green": 3});
    assert!(seen.contains(&share), "{seen:?}");
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_share_of_pods_that_fails_is_taken_back_by_one_patch_of_the_selector() {
    let stage = stage().await;
    let mut parameters = without_route(NEW_IMAGE, json!([{"weight": 10, "bake": "40s"}]));
    parameters["patience"] = json!("2s");
    let strike = async {
        candidate_serves(&stage).await;
        stage.cluster.strike("demo-app-blue", NEW_IMAGE).await;
    };
    let story = async { tokio::join!(stage.deploy(parameters), strike) };
    let ((ended, ()), _) = watched(&stage, story).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.contains("failed: with 20 % of the traffic, "),
        "{message}"
    );
    assert_eq!(
        ready(&stage).await,
        BTreeMap::from([("demo-app".to_owned(), 4)])
    );
    let selector = service(&stage).await["spec"]["selector"].take();
    assert_eq!(selector, json!({"app": "demo-app"}));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_never_serves_gets_no_share_of_the_pods() {
    let stage = stage().await;
    let parameters = without_route(SICK_IMAGE, json!([10]));
    let (ended, seen) = watched(&stage, stage.deploy(parameters)).await;
    let (_, message) = ended.failure();
    assert!(message.contains("exits with code 1"), "{message}");
    assert_eq!(seen, [json!({"demo-app": 4})]);
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn short_invocations_and_an_autoscaler_come_to_the_same_end() {
    let mut app = demo_app(600);
    app["spec"]["replicas"] = json!(4);
    let scaler = sample_autoscaler("demo-app", 1, 6);
    let stage = Stage::given([app, sample_service("demo-app"), scaler]).await;
    endpoints_are_known(&stage).await;
    let short = Duration::from_millis(1500);
    let parameters = without_route(NEW_IMAGE, json!([25, 50]));
    stage.deploy_in(short, parameters).await.success();
    let found = stage.cluster.objects("horizontalpodautoscalers").await;
    assert_eq!(found[0]["spec"]["scaleTargetRef"]["name"], "demo-app-blue");
    assert_eq!(found[0]["spec"]["minReplicas"], 1);
    at_rest(&stage).await;
}

/// A share is what it was when it was reached, whatever becomes of the old version's pods.
#[tokio::test(flavor = "multi_thread")]
async fn the_shares_that_were_reached_are_told() {
    let stage = stage().await;
    let parameters = without_route(NEW_IMAGE, json!([{"weight": 20, "bake": "3s"}]));
    let scale = async {
        candidate_serves(&stage).await;
        stage.cluster.scale(2).await;
    };
    let (ended, ()) = tokio::join!(stage.deploy(parameters), scale);
    let (summary, _) = ended.success();
    let said = "It had 20 %, 100 % of the pods before; `steps` asked for 20 %, 100 %.";
    assert!(summary.contains(said), "{summary}");
    at_rest(&stage).await;
}

/// The function dies with a share: a rollback on demand holds the Service to the old version again.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_on_demand_takes_a_share_of_pods_back() {
    let mut stage = stage().await;
    let parameters = without_route(NEW_IMAGE, json!([{"weight": 20, "bake": "60s"}]));
    stage.aws.submit(stage.event(&parameters), LIFE);
    candidate_serves(&stage).await;
    stage.function.kill();
    expire(&stage).await;
    let mut back = without_route(NEW_IMAGE, json!([20]));
    back["mode"] = json!("rollback");
    back["execution"] = json!("run-9");
    back.as_object_mut().unwrap().remove("images");
    let (end, seen) = watched(&stage, ended(&stage, back)).await;
    let summary = end.unwrap();
    let told = "The last deploy, of `demo-app-blue`, was not done: it was taken back";
    assert!(summary.contains(told), "{summary}");
    assert_eq!(seen.last(), Some(&json!({"demo-app": 4})));
    let selector = service(&stage).await["spec"]["selector"].take();
    assert_eq!(selector, json!({"app": "demo-app"}));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn more_than_half_cannot_be_reached_without_a_route() {
    let stage = stage().await;
    let (kind, message) = stage
        .refused(without_route(NEW_IMAGE, json!([10, 75])))
        .await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("`steps` ask for 75 %"), "{message}");
    let mut plan = without_route(NEW_IMAGE, json!([10]));
    plan["mode"] = json!("plan");
    let (summary, _) = stage.deploy(plan).await.success();
    assert!(
        summary.contains("Whole pods may be more than that share"),
        "{summary}"
    );
}
