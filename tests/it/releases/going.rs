//! Objects that are being deleted, or that only go when somebody has removed their finalizers.

use super::{GOOD, NEVER, empty, image, object, release, settings, web};
use reqwest::Method;
use serde_json::json;

const FINALIZER: &str = "example.com/clean";

/// The ConfigMap `settings`, which goes when its finalizer is removed.
fn held(value: &str) -> String {
    let name = "metadata: {name: settings";
    settings(value).replace(name, &format!("{name}, finalizers: [{FINALIZER}]"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_being_deleted_is_told_before_anything_is_written() {
    let stage = empty().await;
    let (config, old) = (held("info"), web("web", GOOD));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*old)];
    release(&stage, &files, json!({})).await.released();
    stage.cluster.remove("configmaps", "settings").await;
    let before = stage.writes().map(|writes| writes.len());
    let new = web("web", "registry.example.com/web:2.1.0");
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*new)];
    for more in [json!({"mode": "plan"}), json!({})] {
        let (kind, message) = release(&stage, &files, more).await.failure();
        assert_eq!(kind, "ConfigurationError", "{message}");
        for said in ["k8s/config.yaml:1", "is being deleted", FINALIZER] {
            assert!(message.contains(said), "{said}: {message}");
        }
    }
    assert_eq!(stage.writes().map(|writes| writes.len()), before);
    assert_eq!(image(&stage, "web").await, GOOD);
    stage.cluster.finish("configmaps", "settings").await;
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    let live = object(&stage, "configmaps", "settings").await.unwrap();
    let time = &live["metadata"]["deletionTimestamp"];
    assert!(time.is_null(), "{summary}");
    // Somebody deletes it once more, so that the namespace of the story can go.
    stage.cluster.finish("configmaps", "settings").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_finalizers_keep_is_not_said_to_be_gone() {
    let stage = empty().await;
    let (config, good, bad) = (held("info"), web("web", GOOD), web("web", NEVER));
    let bad = bad.replace(
        "spec:\n  replicas",
        "spec:\n  progressDeadlineSeconds: 2\n  replicas",
    );
    let both = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*good)];
    release(&stage, &both[1..], json!({})).await.released();
    let failing = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*bad)];
    let more = json!({"patience": "0s"});
    let (kind, message) = release(&stage, &failing, more).await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    for said in ["only in part", "ConfigMap/settings", FINALIZER] {
        assert!(message.contains(said), "{said}: {message}");
    }
    assert!(!message.contains("deleted again"), "{message}");
    stage.cluster.finish("configmaps", "settings").await;
    release(&stage, &both, json!({})).await.released();
    let prune = json!({"prune": true});
    let (summary, _) = release(&stage, &both[1..], prune).await.released();
    for said in ["1 deleted", "still there", FINALIZER] {
        assert!(summary.contains(said), "{said}: {summary}");
    }
    stage.cluster.finish("configmaps", "settings").await;
}

/// What it is made anew for is told, and the old one is not said to be there again.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_made_anew_is_waited_for_by_name() {
    let stage = empty().await;
    let fixed = |value: &str| {
        let annotated = format!(
            "metadata: {{annotations: {{landfall/recreate: 'yes'}}, finalizers: [{FINALIZER}], "
        );
        let text = settings(value).replace("metadata: {", &annotated);
        format!("{text}immutable: true\n")
    };
    let old = fixed("info");
    let files = [("k8s/config.yaml", &*old)];
    release(&stage, &files, json!({})).await.released();
    let new = fixed("debug");
    let files = [("k8s/config.yaml", &*new)];
    let plan = json!({"mode": "plan"});
    let (summary, _) = release(&stage, &files, plan).await.released();
    assert!(summary.contains("data.LEVEL: info → debug"), "{summary}");
    let more = json!({"timeout": "3s"});
    let (_, message) = release(&stage, &files, more).await.failure();
    let (headline, rest) = message.split_once('\n').unwrap();
    for said in ["only in part", "ConfigMap/settings", FINALIZER] {
        assert!(headline.contains(said), "{said}: {message}");
    }
    assert!(rest.contains(FINALIZER), "{message}");
    stage.cluster.finish("configmaps", "settings").await;
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    let live = object(&stage, "configmaps", "settings").await.unwrap();
    assert_eq!(live["data"]["LEVEL"], "debug", "{summary}");
    stage.cluster.finish("configmaps", "settings").await;
}

/// The release has deleted it to make it anew, so the way back may do the same.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_made_anew_is_made_anew_on_the_way_back() {
    let stage = empty().await;
    let old = web("web", GOOD);
    release(&stage, &[("k8s/web.yaml", &*old)], json!({}))
        .await
        .released();
    let name = "metadata: {name: web}\nspec:\n";
    let new = web("web", NEVER).replace("app: web", "app: shop").replace(
        name,
        "metadata: {name: web, annotations: {landfall/recreate: 'yes'}}\nspec:\n  \
         progressDeadlineSeconds: 2\n",
    );
    let files = [("k8s/web.yaml", &*new)];
    let more = json!({"patience": "0s"});
    let (kind, message) = release(&stage, &files, more).await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.contains("was rolled back to revision 1"),
        "{message}"
    );
    let live = object(&stage, "deployments", "web").await.unwrap();
    assert_eq!(live["spec"]["selector"]["matchLabels"]["app"], "web");
    assert_eq!(live["status"]["availableReplicas"], 2, "{message}");
    assert_eq!(image(&stage, "web").await, GOOD, "{message}");
}

/// The number of pods that an autoscaler left is the manifest's again when there is none any more.
#[tokio::test(flavor = "multi_thread")]
async fn the_count_of_an_autoscaler_that_is_gone_is_nobodys() {
    let stage = empty().await;
    let web = web("web", GOOD);
    let files = [("k8s/web.yaml", &*web)];
    release(&stage, &files, json!({})).await.released();
    let namespace = stage.cluster.namespace();
    let path = format!("/apis/apps/v1/namespaces/{namespace}/deployments/web/scale");
    let scale = json!({"apiVersion": "autoscaling/v1", "kind": "Scale",
        "metadata": {"name": "web", "namespace": namespace}, "spec": {"replicas": 4}});
    let manager = "kube-controller-manager";
    stage
        .cluster
        .write_as(manager, Method::PUT, &path, &scale)
        .await;
    let plan = json!({"mode": "plan"});
    let (summary, _) = release(&stage, &files, plan).await.released();
    assert!(summary.contains("spec.replicas: 4 → 2"), "{summary}");
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    let live = object(&stage, "deployments", "web").await.unwrap();
    assert_eq!(live["spec"]["replicas"], 2, "{summary}");
}
