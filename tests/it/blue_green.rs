//! Blue/green deploys. The Service is watched all along: its endpoints are never empty.

use crate::application::Application;
use crate::cluster::Cluster;
use crate::stage::{OLD_IMAGE, Stage, demo_app};
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::world::{sample_autoscaler, sample_deployment, sample_service};
use serde_json::{Value, json};
use std::time::Duration;

pub const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const BAD_IMAGE: &str = "registry.example.com/demo-app:3.0.0";
pub const SICK_IMAGE: &str = "registry.example.com/demo-app:3.0.0-crash";

/// The user parameters of a switch.
pub fn switch(strategy: &str, image: &str) -> Value {
    json!({"deployment": "demo-app", "service": "demo-app", "strategy": strategy,
        "images": {"app": image}, "bake": "1s", "timeout": "50s"})
}

pub async fn stage() -> Stage {
    let stage = Stage::given([demo_app(600), sample_service("demo-app")]).await;
    endpoints_are_known(&stage).await;
    stage
}

/// The same, with an autoscaler.
pub async fn scaled_stage() -> Stage {
    let objects = [
        demo_app(600),
        sample_service("demo-app"),
        sample_autoscaler("demo-app", 1, 5),
    ];
    let stage = Stage::given(objects).await;
    endpoints_are_known(&stage).await;
    stage
}

/// Waits until the Service sends to both pods: only then does a story begin.
pub async fn endpoints_are_known(stage: &Stage) {
    loop {
        let slices = stage.cluster.objects("endpointslices").await;
        let ready = slices
            .iter()
            .filter_map(|slice| slice["endpoints"].as_array());
        let ready = ready
            .flatten()
            .filter(|it| it["conditions"]["ready"] == true);
        if ready.count() >= 2 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

pub async fn service(stage: &Stage) -> Value {
    stage.cluster.object("services", "demo-app").await.unwrap()
}

pub async fn replicas(stage: &Stage, name: &str) -> Option<i64> {
    let found = stage.cluster.object("deployments", name).await?;
    found["spec"]["replicas"].as_i64()
}

/// What a Service keeps when nobody is at work.
pub async fn at_rest(stage: &Stage) {
    let service = service(stage).await;
    let notes = service["metadata"]["annotations"].clone();
    for note in ["lock", "wide-selector", "selector-before"] {
        assert!(notes[format!("landfall/{note}")].is_null(), "{notes:#}");
    }
    let preview = stage.cluster.object("services", "demo-app-preview").await;
    assert_eq!(preview, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plain_deployment_is_adopted_and_two_take_turns() {
    let stage = stage().await;
    let turns = [
        ("registry.example.com/demo-app:2.0.0", "blue", "demo-app"),
        (
            "registry.example.com/demo-app:3.0.0",
            "green",
            "demo-app-blue",
        ),
        (
            "registry.example.com/demo-app:4.0.0",
            "blue",
            "demo-app-green",
        ),
    ];
    for (image, version, before) in turns {
        let ended = stage.probed(stage.deploy(switch("blueGreen", image))).await;
        let (summary, variables) = ended.success();
        let name = format!("demo-app-{version}");
        assert_eq!(variables["Deployment"], name, "{summary}");
        assert_eq!(variables["Image"], image);
        assert_eq!(variables["Strategy"], "blueGreen");
        assert!(
            summary.contains(&name) && summary.contains(before),
            "{summary}"
        );
        let selector = service(&stage).await["spec"]["selector"].take();
        assert_eq!(
            selector,
            json!({"app": "demo-app", "landfall/version": version})
        );
        assert_eq!(replicas(&stage, before).await, Some(0));
        assert_eq!(replicas(&stage, &name).await, Some(2));
        at_rest(&stage).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_never_serves_gets_no_traffic() {
    let stage = stage().await;
    let ended = stage
        .probed(stage.deploy(switch("blueGreen", SICK_IMAGE)))
        .await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.contains("exits with code 1"), "{message}");
    assert_eq!(
        service(&stage).await["spec"]["selector"],
        json!({"app": "demo-app"})
    );
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    at_rest(&stage).await;
    // Nothing stands in the way of the next.
    let ended = stage
        .probed(stage.deploy(switch("blueGreen", NEW_IMAGE)))
        .await;
    assert_eq!(ended.success().1["Deployment"], "demo-app-blue");
    at_rest(&stage).await;
}

/// Waits until the Service selects the first candidate.
pub async fn is_switched(stage: &Stage) {
    while service(stage).await["spec"]["selector"]["landfall/version"] != "blue" {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// The old version is still at full scale, so that it takes over at once.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_is_lost_during_the_bake_is_switched_back() {
    let stage = stage().await;
    let mut parameters = switch("blueGreen", NEW_IMAGE);
    parameters["bake"] = json!("20s");
    let lose = async {
        is_switched(&stage).await;
        tokio::time::sleep(Duration::from_millis(300)).await;
        match &stage.cluster {
            Cluster::Sandbox(kubernetes) => kubernetes.world(|world, now| {
                world.delete("deployments", "default", "demo-app-blue", now);
            }),
            Cluster::Real(namespace) => {
                let path = namespace.path("apps/v1", "deployments/demo-app-blue");
                namespace.delete(&path).await;
            }
        }
    };
    let (ended, ()) = tokio::join!(stage.deploy(parameters), lose);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.contains("deleted Deployment `demo-app-blue`"),
        "{message}"
    );
    assert_eq!(
        service(&stage).await["spec"]["selector"]["landfall/version"],
        Value::Null
    );
    assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
    at_rest(&stage).await;
}

/// It crashes when it serves. For a moment nothing is ready; a mixture never serves.
async fn fall_ill(rollback: bool) -> (Stage, String) {
    let stage = stage().await;
    let mut parameters = switch("blueGreen", NEW_IMAGE);
    for (field, value) in [("bake", json!("30s")), ("patience", json!("1s"))] {
        parameters[field] = value;
    }
    parameters["rollback"] = json!(rollback);
    let illness = async {
        is_switched(&stage).await;
        tokio::time::sleep(Duration::from_millis(500)).await;
        stage.cluster.strike("demo-app-blue", NEW_IMAGE).await;
    };
    let deploy = async { tokio::join!(stage.deploy(parameters), illness) };
    let (ended, ()) = stage.probed_for(0, deploy).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.contains("exits with code 1"), "{message}");
    at_rest(&stage).await;
    (stage, message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_falls_ill_during_the_bake_is_switched_back() {
    let (stage, message) = fall_ill(true).await;
    let words = "Service `demo-app` routes to `demo-app` again. `demo-app-blue` was scaled to zero";
    assert!(message.contains(words), "{message}");
    let selector = service(&stage).await["spec"]["selector"].take();
    assert_eq!(selector, json!({"app": "demo-app"}));
    endpoints_are_known(&stage).await;
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    let next = stage.deploy(switch("blueGreen", "registry.example.com/demo-app:4.0.0"));
    stage.probed(next).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rollback_a_version_that_falls_ill_goes_on() {
    let (stage, message) = fall_ill(false).await;
    assert!(message.contains("because `rollback` is false"), "{message}");
    let selector = service(&stage).await["spec"]["selector"].take();
    assert_eq!(selector["landfall/version"], "blue");
    assert_eq!(replicas(&stage, "demo-app").await, Some(2));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(2));
}

/// A lock of another execution whose deadline is so far away.
pub fn lock(seconds: i64) -> Value {
    let now = Timestamp::now();
    let lock = json!({"execution": "another", "job": "theirs", "version": "blue", "since": now,
        "deadline": now + SignedDuration::from_secs(seconds)});
    json!({"landfall/lock": lock.to_string()})
}

#[tokio::test(flavor = "multi_thread")]
async fn another_execution_at_work_is_waited_for_and_then_named() {
    let stage = stage().await;
    let annotations = ["metadata", "annotations"];
    stage
        .cluster
        .change("services", "demo-app", annotations, lock(600))
        .await;
    let mut parameters = switch("blueGreen", NEW_IMAGE);
    parameters["timeout"] = json!("3s");
    let (kind, message) = stage.probed(stage.refused(parameters)).await;
    assert!(message.contains("another"), "{kind}: {message}");
    assert_eq!(
        stage.cluster.object("deployments", "demo-app-blue").await,
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_of_a_dead_one_ends_by_itself() {
    let stage = stage().await;
    let annotations = ["metadata", "annotations"];
    stage
        .cluster
        .change("services", "demo-app", annotations, lock(-600))
        .await;
    stage
        .probed(stage.deploy(switch("blueGreen", NEW_IMAGE)))
        .await
        .success();
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_autoscaler_goes_along() {
    let stage = scaled_stage().await;
    stage
        .probed(stage.deploy(switch("blueGreen", NEW_IMAGE)))
        .await
        .success();
    let scaler = stage
        .cluster
        .object("horizontalpodautoscalers", "demo-app")
        .await
        .unwrap();
    assert_eq!(scaler["spec"]["scaleTargetRef"]["name"], "demo-app-blue");
    assert_eq!(scaler["spec"]["minReplicas"], 1);
    assert!(scaler["metadata"]["annotations"]["landfall/min-replicas"].is_null());
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_others_share_is_refused() {
    let mut other = sample_deployment("other", OLD_IMAGE);
    other["spec"]["template"]["metadata"]["labels"] = json!({"app": "demo-app", "own": "other"});
    other["spec"]["selector"]["matchLabels"] = json!({"own": "other"});
    let stage = Stage::given([demo_app(600), other, sample_service("demo-app")]).await;
    let (kind, message) = stage.refused(switch("blueGreen", NEW_IMAGE)).await;
    assert_eq!(kind, "ConfigurationError");
    assert!(
        message.contains("selects pods of others as well, such as `other-"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_cannot_be_switched_is_refused() {
    let rows = [
        (
            json!({"spec": {"selector": {"app": "nobody"}}}),
            "selects no pods",
        ),
        (json!({"spec": {"selector": null}}), "has no selector"),
        (
            json!({"spec": {"type": "ExternalName", "externalName": "example.com"}}),
            "ExternalName",
        ),
        (json!({"metadata": {"name": "another"}}), "does not exist"),
    ];
    for (difference, words) in rows {
        let mut service = sample_service("demo-app");
        for (part, fields) in difference.as_object().unwrap() {
            for (field, value) in fields.as_object().unwrap() {
                service[part][field] = value.clone();
            }
        }
        let stage = Stage::given([demo_app(600), service]).await;
        let (kind, message) = stage.refused(switch("blueGreen", NEW_IMAGE)).await;
        assert_eq!(kind, "ConfigurationError", "{message}");
        assert!(message.contains(words), "{words}: {message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_a_version_that_passes_its_smoke_test_is_switched_to() {
    let old = Application::new(OLD_IMAGE, 500, "an old one is not asked").await;
    let good = Application::new(NEW_IMAGE, 200, "all is well").await;
    let bad = Application::new(BAD_IMAGE, 500, "no database").await;
    let service = Application::behind(sample_service("demo-app"));
    let stage = Stage::given([old.of(demo_app(600)), service]).await;
    for application in [&old, &good, &bad] {
        application.join(&stage.cluster);
    }
    endpoints_are_known(&stage).await;
    let smoked = |of: &Application, contains: &str| {
        let mut parameters = switch("blueGreen", NEW_IMAGE);
        parameters.as_object_mut().unwrap().remove("images");
        parameters["manifest"] = of.of(demo_app(600));
        parameters["smoke"] = json!({"path": "/health", "contains": contains});
        parameters
    };
    for (version, contains, words) in [
        (
            &bad,
            "well",
            "(GET /health) failed 3 times; last error: HTTP 500: no database",
        ),
        (&good, "perfect", "does not contain `perfect`"),
    ] {
        let deploy = stage.deploy(smoked(version, contains));
        let (kind, message) = stage.probed(deploy).await.failure();
        assert_eq!(kind, "JobFailed", "{message}");
        assert!(message.contains(words), "{message}");
        assert_eq!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
        assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
        at_rest(&stage).await;
    }
    stage
        .probed(stage.deploy(smoked(&good, "well")))
        .await
        .success();
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(2));
    assert_eq!(replicas(&stage, "demo-app").await, Some(0));
    at_rest(&stage).await;
    // The preview Service asks the candidate alone; a try may come before its endpoints are known.
    for (application, asked) in [(&old, 0..=0), (&bad, 1..=3), (&good, 2..=4)] {
        let count = application.asked(&stage.cluster);
        assert!(
            count.is_none_or(|count| asked.contains(&count)),
            "{count:?}"
        );
    }
}

/// As `kubectl replace` of the Service's file does it.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_whose_selector_was_set_back_is_held_to_its_version_again() {
    let stage = stage().await;
    stage.deploy(switch("blueGreen", NEW_IMAGE)).await.success();
    let wide = json!({"landfall/version": null});
    let part = ["spec", "selector"];
    stage
        .cluster
        .change("services", "demo-app", part, wide)
        .await;
    let next = "registry.example.com/demo-app:2.1.0";
    stage.deploy(switch("blueGreen", next)).await.success();
    let selector = service(&stage).await["spec"]["selector"].clone();
    assert_eq!(
        selector,
        json!({"app": "demo-app", "landfall/version": "green"})
    );
    at_rest(&stage).await;
}

/// An autoscaler gives the new version a pod more during the bake: the old one keeps pace, so that
/// the way back stays open, and does not fall back to fewer pods.
#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_stays_open_while_the_new_version_is_scaled_up() {
    let stage = scaled_stage().await;
    let mut parameters = switch("blueGreen", NEW_IMAGE);
    parameters["bake"] = json!("30s");
    let meddle = async {
        is_switched(&stage).await;
        stage.cluster.scale_of("demo-app-blue", 3).await;
        let available = async || {
            let found = stage.cluster.object("deployments", "demo-app").await;
            found.unwrap()["status"]["availableReplicas"].as_i64()
        };
        while available().await != Some(3) {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        // The pods keep serving; they just are not what was asked for any more.
        let other = "registry.example.com/demo-app:9.0.0";
        stage.cluster.set_image_of("demo-app-blue", other).await;
    };
    let story = async { tokio::join!(stage.deploy(parameters), meddle) };
    let (ended, ()) = stage.probed(story).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.contains("Service `demo-app` now routes to `demo-app` (3 pods)"),
        "{message}"
    );
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    at_rest(&stage).await;
}
