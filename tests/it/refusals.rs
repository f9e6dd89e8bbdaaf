//! Switches that are refused before anything is written, and versions that never get to the switch.

use crate::blue_green::{
    NEW_IMAGE, SICK_IMAGE, at_rest, endpoints_are_known, replicas, scaled_stage, service, switch,
};
use crate::stage::{OLD_IMAGE, Stage, demo_app};
use landfall_sandbox::world::{sample_deployment, sample_service};
use serde_json::{Value, json};
use tokio::task::LocalSet;

/// A merge patch, within a test's object.
fn with(mut object: Value, path: &str, value: Value) -> Value {
    let (outer, inner) = path.rsplit_once('/').unwrap();
    object.pointer_mut(outer).unwrap()[inner] = value;
    object
}

/// What is there, what is asked for beside the usual, and the words of the refusal.
fn table() -> Vec<(Vec<Value>, Value, &'static str)> {
    let app = || demo_app(600);
    let usual = || sample_service("demo-app");
    let portless = with(usual(), "/spec/clusterIP", json!("None"));
    let tiered = json!({"app": "demo-app", "tier": "web"});
    let labels = "/spec/template/metadata/labels";
    let mut stray = json!({"apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": "stray", "namespace": "default", "labels": {"app": "demo-app"}}});
    stray["spec"] = app()["spec"]["template"]["spec"].take();
    vec![
        (
            vec![app(), usual(), sample_service("demo-app-preview")],
            json!({"smoke": "/"}),
            "needs a Service `demo-app-preview` for a while, and one of that name is there",
        ),
        (
            vec![app(), with(portless, "/spec/ports", Value::Null)],
            json!({"smoke": "/"}),
            "`smoke` needs a port to ask",
        ),
        (
            vec![
                app(),
                usual(),
                sample_deployment("demo-app-blue", OLD_IMAGE),
            ],
            json!({}),
            "needs a Deployment `demo-app-blue` for the new version, and one of that name is there",
        ),
        (
            vec![app(), usual(), stray],
            json!({}),
            "selects pods of others as well, such as `stray`",
        ),
        (
            vec![with(app(), "/spec/paused", json!(true)), usual()],
            json!({}),
            "paused",
        ),
        (vec![usual()], json!({}), "`demo-app`, which does not exist"),
        (
            vec![
                with(app(), labels, tiered.clone()),
                with(usual(), "/spec/selector", tiered),
            ],
            json!({"images": null, "manifest": with(app(), "/metadata/name", json!("demo-app"))}),
            "lack `tier=web`, by which Service `demo-app` selects its pods",
        ),
        (
            vec![app(), usual()],
            json!({"images": null, "manifest": with(app(), "/spec/template/spec/readinessGates",
                json!([{"conditionType": "target-health.elbv2.k8s.aws/k8s-default-web-0a1b2c"}]))}),
            "have `target-health.elbv2.k8s.aws/k8s-default-web-0a1b2c`. No load balancer knows the \
             new pods before the switch",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_switched_safely_is_left_alone() {
    let rows = LocalSet::new();
    let mut running = Vec::new();
    for strategy in ["blueGreen", "immutable"] {
        for (objects, more, words) in table() {
            // A version of its own has a name that nobody else has.
            if strategy == "immutable" && words.contains("demo-app-blue") {
                continue;
            }
            running.push(rows.spawn_local(async move {
                let stage = Stage::given(objects).await;
                let mut parameters = switch(strategy, NEW_IMAGE);
                for (field, value) in more.as_object().unwrap() {
                    parameters[field] = value.clone();
                }
                parameters
                    .as_object_mut()
                    .unwrap()
                    .retain(|_, it| !it.is_null());
                let before = service(&stage).await;
                let (kind, message) = stage.refused(parameters).await;
                assert!(message.contains(words), "{words}: {kind}: {message}");
                assert_eq!(service(&stage).await, before);
            }));
        }
    }
    rows.await;
    for row in running {
        row.await.unwrap();
    }
}

/// Of a StatefulSet, which the sandbox does not play.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs a real control plane: make conformance"]
async fn a_service_that_finds_pods_of_a_stateful_set_is_refused() {
    let mut set = demo_app(600);
    set["kind"] = json!("StatefulSet");
    set["metadata"]["name"] = json!("store");
    let spec = set["spec"].as_object_mut().unwrap();
    spec.remove("progressDeadlineSeconds");
    spec.insert("serviceName".into(), json!("demo-app"));
    let own = json!({"app": "demo-app", "own": "store"});
    set["spec"]["template"]["metadata"]["labels"] = own.clone();
    set["spec"]["selector"]["matchLabels"] = own;
    let stage = Stage::given([demo_app(600), set, sample_service("demo-app")]).await;
    while stage.ready_images().await.len() < 3 {
        tokio::task::yield_now().await;
    }
    let (kind, message) = stage.refused(switch("blueGreen", NEW_IMAGE)).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    let words = "selects pods of others as well, such as `store-0`";
    assert!(message.contains(words), "{message}");
}

/// It is given some time to be done.
#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_in_the_middle_of_a_rollout_is_not_adopted() {
    let stage = Stage::given([demo_app(600), sample_service("demo-app")]).await;
    endpoints_are_known(&stage).await;
    stage.cluster.set_image("demo-app:never-ready").await;
    while stage.cluster.pods().await.len() < 3 {
        tokio::task::yield_now().await;
    }
    let refused = stage.refused(switch("blueGreen", NEW_IMAGE));
    let (kind, message) = stage.probed(refused).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("in the middle of a rollout"), "{message}");
}

/// Whatever is wrong with a version, before its switch the Service and the autoscaler are as they
/// were, at the adoption and later.
#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_does_not_get_ready_changes_nothing() {
    let rows = LocalSet::new();
    let mut running = Vec::new();
    for strategy in ["blueGreen", "immutable"] {
        for (image, timeout, words) in [
            (SICK_IMAGE, "40s", "exits with code 1"),
            ("demo-app:missing", "40s", "image"),
            ("demo-app:never-ready", "12s", "readiness probe"),
        ] {
            running.push(rows.spawn_local(never_ready(strategy, image, timeout, words)));
        }
    }
    rows.await;
    for row in running {
        row.await.unwrap();
    }
}

async fn never_ready(strategy: &str, image: &str, timeout: &str, words: &str) {
    let stage = scaled_stage().await;
    let mut live = "demo-app".to_owned();
    for adopted in [false, true] {
        if adopted {
            let ended = stage.probed(stage.deploy(switch(strategy, NEW_IMAGE)));
            live = ended.await.success().1["Deployment"].clone();
        }
        let selector = service(&stage).await["spec"]["selector"].take();
        let mut parameters = switch(strategy, image);
        parameters["timeout"] = json!(timeout);
        parameters["patience"] = json!("3s");
        let (kind, message) = stage.probed(stage.deploy(parameters)).await.failure();
        assert_eq!(kind, "JobFailed", "{message}");
        assert!(message.contains(words), "{words}: {message}");
        assert!(message.contains("not put into service"), "{message}");
        assert_eq!(service(&stage).await["spec"]["selector"], selector);
        let scaler = stage.cluster.object("horizontalpodautoscalers", "demo-app");
        let scaler = scaler.await.unwrap();
        assert_eq!(scaler["spec"]["scaleTargetRef"]["name"], live);
        assert_eq!(scaler["spec"]["minReplicas"], 1);
        for one in stage.cluster.objects("deployments").await {
            let wanted = if one["metadata"]["name"] == live {
                2
            } else {
                0
            };
            assert_eq!(
                one["spec"]["replicas"], wanted,
                "{}",
                one["metadata"]["name"]
            );
        }
        at_rest(&stage).await;
    }
}

/// At the adoption nothing may stay that the Service's own selector would find.
#[tokio::test(flavor = "multi_thread")]
async fn without_rollback_a_version_that_failed_stays_to_be_looked_at() {
    let stage = Stage::given([demo_app(600), sample_service("demo-app")]).await;
    endpoints_are_known(&stage).await;
    let kept = |image: &str| {
        let mut parameters = switch("blueGreen", image);
        parameters["rollback"] = json!(false);
        parameters["patience"] = json!("3s");
        parameters
    };
    let ended = stage.probed(stage.deploy(kept(SICK_IMAGE))).await;
    let (_, message) = ended.failure();
    assert!(message.contains("scaled to zero"), "{message}");
    assert_eq!(
        service(&stage).await["spec"]["selector"],
        json!({"app": "demo-app"})
    );
    at_rest(&stage).await;
    stage.probed(stage.deploy(kept(NEW_IMAGE))).await.success();
    let ended = stage.probed(stage.deploy(kept(SICK_IMAGE))).await;
    let (_, message) = ended.failure();
    assert!(message.contains("`demo-app-green` was left"), "{message}");
    assert_eq!(replicas(&stage, "demo-app-green").await, Some(2));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(2));
    at_rest(&stage).await;
    // The next takes its place.
    let ended = stage.probed(stage.deploy(kept("demo-app:4"))).await;
    assert_eq!(ended.success().1["Deployment"], "demo-app-green");
}
