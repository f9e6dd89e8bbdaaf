//! Rollbacks on demand of blue/green and immutable. The Service is watched all along.

use super::with;
use crate::blue_green::{NEW_IMAGE, SICK_IMAGE, at_rest, replicas, service, stage, switch};
use crate::executions::serves;
use crate::stage::{OLD_IMAGE, Stage};
use serde_json::{Value, json};
use std::time::Duration;

const NEWER_IMAGE: &str = "registry.example.com/demo-app:4.0.0";

fn back(strategy: &str, execution: &str) -> Value {
    json!({"deployment": "demo-app", "service": "demo-app", "strategy": strategy,
        "mode": "rollback", "execution": execution, "bake": "1s", "timeout": "50s",
        "patience": "1s"})
}

async fn version_of(stage: &Stage) -> String {
    let selector = service(stage).await["spec"]["selector"].take();
    selector["landfall/version"].as_str().unwrap().to_owned()
}

/// A stage on which two versions were deployed, one after the other.
async fn twice(strategy: &str) -> Stage {
    let stage = stage().await;
    for image in [NEW_IMAGE, NEWER_IMAGE] {
        stage.deploy(switch(strategy, image)).await.success();
    }
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn the_other_of_two_comes_back_by_a_switch() {
    let stage = twice("blueGreen").await;
    let ended = stage.probed(stage.deploy(back("blueGreen", "run-3"))).await;
    let (summary, variables) = ended.success();
    let told = "It was rolled back from `demo-app-green` to the version of `demo-app-blue`.";
    assert!(summary.contains(told), "{summary}");
    assert_eq!(variables["Deployment"], "demo-app-blue");
    assert_eq!(variables["Image"], NEW_IMAGE);
    assert_eq!(version_of(&stage).await, "blue");
    serves(&stage, (NEW_IMAGE, "")).await;
    assert_eq!(replicas(&stage, "demo-app-green").await, Some(0));
    at_rest(&stage).await;
    // A retry of the stage has the same execution, and changes nothing.
    let before = service(&stage).await["metadata"]["resourceVersion"].take();
    let ended = stage.probed(stage.deploy(back("blueGreen", "run-3"))).await;
    let (summary, again) = ended.success();
    assert!(summary.contains("nothing was changed"), "{summary}");
    let told = "This execution had already rolled it back from `demo-app-green`";
    assert!(summary.contains(told), "{summary}");
    assert_eq!(again["Deployment"], "demo-app-blue");
    let after = service(&stage).await["metadata"]["resourceVersion"].take();
    assert_eq!(after, before);
    // Another execution is another rollback.
    let ended = stage.probed(stage.deploy(back("blueGreen", "run-4"))).await;
    assert_eq!(ended.success().1["Image"], NEWER_IMAGE);
    assert_eq!(version_of(&stage).await, "green");
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_version_of_the_plain_deployment_comes_back_as_well() {
    let stage = stage().await;
    stage.deploy(switch("blueGreen", NEW_IMAGE)).await.success();
    let ended = stage.probed(stage.deploy(back("blueGreen", "run-2"))).await;
    let (_, variables) = ended.success();
    assert_eq!(variables["Deployment"], "demo-app-green");
    assert_eq!(variables["Image"], OLD_IMAGE);
    serves(&stage, (OLD_IMAGE, "")).await;
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_immutable_version_comes_back_under_its_name() {
    let stage = stage().await;
    let deployed = stage.deploy(switch("immutable", NEW_IMAGE)).await;
    let first = deployed.success().1["Deployment"].clone();
    let deployed = stage.deploy(switch("immutable", NEWER_IMAGE)).await;
    let second = deployed.success().1["Deployment"].clone();
    let ended = stage.probed(stage.deploy(back("immutable", "run-3"))).await;
    assert_eq!(ended.success().1["Deployment"], first);
    assert_eq!(replicas(&stage, &second).await, Some(0), "it is kept");
    at_rest(&stage).await;
    // The pipeline's next deploy of that version knows it.
    let ended = stage.deploy(switch("immutable", NEW_IMAGE)).await;
    let (summary, _) = ended.success();
    assert!(summary.contains("nothing was changed"), "{summary}");
    let ended = stage.probed(stage.deploy(back("immutable", "run-4"))).await;
    assert_eq!(ended.success().1["Deployment"], second);
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_is_named_by_deployment_version_or_image() {
    let stage = twice("blueGreen").await;
    let to = |execution: &str, to: &str| with(back("blueGreen", execution), "to", to);
    let (_, variables) = stage.deploy(to("run-3", OLD_IMAGE)).await.success();
    assert_eq!(variables["Deployment"], "demo-app-blue");
    assert_eq!(variables["Image"], OLD_IMAGE);
    // What serves is not switched to once more.
    for same in [OLD_IMAGE, "blue", "demo-app-blue"] {
        let (summary, _) = stage.deploy(to("run-4", same)).await.success();
        assert!(
            summary.contains("already routed to this version"),
            "{summary}"
        );
    }
    let (_, variables) = stage.deploy(to("run-5", "green")).await.success();
    assert_eq!(variables["Image"], NEWER_IMAGE);
    // The blue one and the plain one have the same image.
    let (kind, message) = stage.deploy(to("run-6", OLD_IMAGE)).await.failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("is the image of"), "{message}");
    let (kind, message) = stage
        .deploy(with(back("blueGreen", "run-7"), "to", 1))
        .await
        .failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(
        message.contains("no Deployment of `demo-app` has that name"),
        "{message}"
    );
    assert_eq!(version_of(&stage).await, "green");
    at_rest(&stage).await;
}

/// Of two Deployments the idle one got the failed version, in the place of what served before.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_failed_deploy_has_written_over_is_not_brought_back() {
    let stage = twice("blueGreen").await;
    stage
        .deploy(switch("blueGreen", SICK_IMAGE))
        .await
        .failure();
    let (kind, message) = stage.deploy(back("blueGreen", "run-4")).await.failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(
        message.contains("the version that served before is lost"),
        "{message}"
    );
    assert_eq!(version_of(&stage).await, "green");
    at_rest(&stage).await;
    let to = with(back("blueGreen", "run-5"), "to", "demo-app");
    let ended = stage.probed(stage.deploy(to)).await;
    assert_eq!(ended.success().1["Image"], OLD_IMAGE);
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_was_never_switched_has_nothing_to_go_back_to() {
    let stage = stage().await;
    for strategy in ["blueGreen", "immutable"] {
        let (kind, message) = stage.refused(back(strategy, "run-1")).await;
        assert_eq!(kind, "ConfigurationError", "{message}");
        assert!(message.contains("was never switched"), "{message}");
    }
}

/// It served once, and serves no more: the one that is to be left keeps the traffic.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_fails_this_time_gets_no_traffic() {
    let stage = twice("immutable").await;
    let smoke = json!({"path": "/health", "contains": "words that it never says"});
    let smoke = with(back("immutable", "run-3"), "smoke", smoke);
    let ended = stage.probed(stage.deploy(smoke)).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.contains("smoke"), "{message}");
    serves(&stage, (NEWER_IMAGE, "")).await;
    at_rest(&stage).await;
    // A retry of the stage tries again.
    let ended = stage.probed(stage.deploy(back("immutable", "run-3"))).await;
    assert_eq!(ended.success().1["Image"], NEW_IMAGE);
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_tells_to_which_version_it_would_be_switched() {
    for strategy in ["blueGreen", "immutable"] {
        let stage = twice(strategy).await;
        let before = service(&stage).await["metadata"]["resourceVersion"].take();
        let plan = with(back(strategy, "run-3"), "mode", "planRollback");
        let (summary, variables) = stage.deploy(plan).await.success();
        assert!(summary.contains("Nothing was written"), "{summary}");
        let change = format!("{NEWER_IMAGE} → {NEW_IMAGE}");
        assert!(summary.contains(&change), "{summary}");
        assert_eq!(variables["Mode"], "planRollback");
        let after = service(&stage).await["metadata"]["resourceVersion"].take();
        assert_eq!(after, before);
    }
}

/// Somebody gives the Deployment another image while it bakes: what was to come back is not there.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_somebody_changes_is_not_reported_as_brought_back() {
    let stage = twice("blueGreen").await;
    let parameters = with(back("blueGreen", "run-3"), "bake", "20s");
    let change = async {
        while version_of(&stage).await != "blue" {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        tokio::time::sleep(Duration::from_millis(500)).await;
        let other = "registry.example.com/demo-app:9.0.0";
        stage.cluster.set_image_of("demo-app-blue", other).await;
    };
    let (ended, ()) = tokio::join!(stage.deploy(parameters), change);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.contains("someone else changed Deployment"),
        "{message}"
    );
    assert_eq!(version_of(&stage).await, "green");
    at_rest(&stage).await;
}

/// A rollback by `canary` takes what comes back through the same steps.
#[tokio::test(flavor = "multi_thread")]
async fn a_canary_brings_back_what_served_before_by_its_steps() {
    let stage = stage().await;
    let steps = json!([{"weight": 50, "bake": "1s"}]);
    for image in [NEW_IMAGE, NEWER_IMAGE] {
        let deploy = with(switch("canary", image), "steps", steps.clone());
        stage.deploy(deploy).await.success();
    }
    let rollback = |execution: &str| with(back("canary", execution), "steps", steps.clone());
    let (summary, variables) = stage.deploy(rollback("run-3")).await.success();
    let told = "It was rolled back from `demo-app-green` to the version of `demo-app-blue`.";
    assert!(summary.contains(told), "{summary}");
    assert_eq!(variables["Image"], NEW_IMAGE);
    serves(&stage, (NEW_IMAGE, "")).await;
    at_rest(&stage).await;
    let (summary, _) = stage.deploy(rollback("run-3")).await.success();
    assert!(summary.contains("nothing was changed"), "{summary}");
}
