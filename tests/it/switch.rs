//! Blue/green and immutable deploys.

use crate::stage::{OLD_IMAGE, Stage, demo_app};
use landfall_sandbox::world::{sample_autoscaler, sample_service};
use serde_json::{Value, json};

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const NEWER_IMAGE: &str = "registry.example.com/demo-app:3.0.0";

fn parameters(strategy: &str, image: &str, more: Value) -> Value {
    let mut all = json!({"deployment": "demo-app", "service": "demo-app", "strategy": strategy,
        "images": {"app": image}, "bake": "1s"});
    for (name, value) in more.as_object().unwrap() {
        all[name] = value.clone();
    }
    all
}

async fn stage() -> Stage {
    Stage::given([demo_app(600), sample_service("demo-app")]).await
}

fn object(stage: &Stage, resource: &str, name: &str) -> Value {
    let found = stage
        .sandbox()
        .world(|world, _| world.object(resource, "default", name).cloned());
    found.unwrap_or_default()
}

fn replicas(stage: &Stage, name: &str) -> Option<i64> {
    object(stage, "deployments", name)["spec"]["replicas"].as_i64()
}

/// What the Service keeps when nobody is at work.
fn at_rest(stage: &Stage) {
    let service = object(stage, "services", "demo-app");
    let notes = service["metadata"]["annotations"].as_object().cloned();
    let notes = notes.unwrap_or_default();
    for note in ["lock", "wide-selector", "selector-before"] {
        assert!(!notes.contains_key(&format!("landfall/{note}")), "{notes:#?}");
    }
    assert_eq!(object(stage, "services", "demo-app-preview"), Value::Null);
}

#[tokio::test(flavor = "multi_thread")]
async fn blue_and_green_take_turns() {
    let stage = stage().await;
    let (summary, variables) = stage
        .deploy(parameters("blueGreen", NEW_IMAGE, json!({"smoke": "/"})))
        .await
        .success();
    println!("{summary}\n{variables:#?}");
    assert_eq!(variables["Deployment"], "demo-app-blue");
    let selector = &object(&stage, "services", "demo-app")["spec"]["selector"];
    assert_eq!(*selector, json!({"app": "demo-app", "landfall/version": "blue"}));
    assert_eq!(replicas(&stage, "demo-app"), Some(0));
    assert_eq!(replicas(&stage, "demo-app-blue"), Some(2));
    at_rest(&stage);
    let (summary, _) = stage
        .deploy(parameters("blueGreen", NEWER_IMAGE, json!({})))
        .await
        .success();
    println!("{summary}");
    assert_eq!(replicas(&stage, "demo-app-blue"), Some(0));
    assert_eq!(replicas(&stage, "demo-app-green"), Some(2));
    stage
        .deploy(parameters("blueGreen", OLD_IMAGE, json!({})))
        .await
        .success();
    assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
    at_rest(&stage);
    let (summary, _) = stage
        .deploy(parameters("blueGreen", OLD_IMAGE, json!({})))
        .await
        .success();
    assert!(summary.contains("nothing was changed"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_version_is_a_deployment_of_its_own() {
    let stage = stage().await;
    let deploy = async |image: &str| {
        let (summary, variables) = stage
            .deploy(parameters("immutable", image, json!({"keep": 1})))
            .await
            .success();
        println!("{summary}");
        at_rest(&stage);
        variables["Deployment"].clone()
    };
    let first = deploy(NEW_IMAGE).await;
    let second = deploy(NEWER_IMAGE).await;
    assert_ne!(first, second);
    assert_eq!(replicas(&stage, &first), Some(0));
    assert_eq!(replicas(&stage, "demo-app"), Some(0));
    assert_eq!(deploy(NEW_IMAGE).await, first, "it is brought back");
    let third = deploy("registry.example.com/demo-app:4.0.0").await;
    assert_eq!(replicas(&stage, &first), Some(0));
    assert_eq!(replicas(&stage, &second), None, "it is beyond keep");
    assert_eq!(replicas(&stage, &third), Some(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_autoscaler_follows_and_its_floor_is_held() {
    let objects = [
        demo_app(600),
        sample_service("demo-app"),
        sample_autoscaler("demo-app", 1, 5),
    ];
    let stage = Stage::given(objects).await;
    stage
        .deploy(parameters("blueGreen", NEW_IMAGE, json!({})))
        .await
        .success();
    let scaler = object(&stage, "horizontalpodautoscalers", "demo-app");
    assert_eq!(scaler["spec"]["scaleTargetRef"]["name"], "demo-app-blue");
    assert_eq!(scaler["spec"]["minReplicas"], 1);
    at_rest(&stage);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_that_never_serves_gets_no_traffic() {
    for (strategy, left) in [("blueGreen", Some(0)), ("immutable", None)] {
        let stage = stage().await;
        let (kind, message) = stage
            .deploy(parameters(strategy, "registry.example.com/demo-app:Demo", json!({})))
            .await
            .failure();
        println!("{kind} {message}");
        let service = object(&stage, "services", "demo-app");
        assert_eq!(service["spec"]["selector"], json!({"app": "demo-app"}));
        assert_eq!(replicas(&stage, "demo-app"), Some(2));
        let blue = stage
            .sandbox()
            .world(|world, _| world.objects("deployments").len());
        assert_eq!(blue, if left.is_some() { 2 } else { 1 });
        assert_eq!(replicas(&stage, "demo-app-blue"), left);
        assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
        at_rest(&stage);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_switched_is_refused_in_words() {
    for (name, change, words) in [
        ("other", json!({"metadata": {"name": "other"}}), "does not exist"),
        ("nothing", json!({"spec": {"selector": {"app": "nothing"}}}), "selects no pods"),
        ("bare", json!({"spec": {"selector": null}}), "has no selector"),
    ] {
        let mut service = sample_service("demo-app");
        for (part, value) in change.as_object().unwrap() {
            for (field, value) in value.as_object().unwrap() {
                service[part][field] = value.clone();
            }
        }
        let stage = Stage::given([demo_app(600), service]).await;
        let (kind, message) = stage
            .refused(parameters("blueGreen", NEW_IMAGE, json!({})))
            .await;
        println!("{message}");
        assert_eq!(kind, "ConfigurationError", "{name}");
        assert!(message.contains(words), "{name}: {message}");
    }
}
