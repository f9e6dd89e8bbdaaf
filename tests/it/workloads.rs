//! Deploys of StatefulSets and DaemonSets, by the parameter `workload`.

use crate::stage::Stage;
use serde_json::{Value, json};

pub const OLD: &str = "registry.example.com/store:1.0.0";
pub const NEW: &str = "registry.example.com/store:2.0.0";

fn template() -> Value {
    json!({"metadata": {"labels": {"app": "store"}},
        "spec": {"containers": [{"name": "app", "image": OLD,
            "readinessProbe": {"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 5}}]}})
}

pub fn stateful_set() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
        "metadata": {"name": "store", "namespace": "default"},
        "spec": {"replicas": 2, "serviceName": "store",
            "selector": {"matchLabels": {"app": "store"}}, "template": template()}})
}

pub fn daemon_set() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": {"name": "store", "namespace": "default"},
        "spec": {"selector": {"matchLabels": {"app": "store"}}, "template": template()}})
}

pub fn to(workload: &str, image: &str) -> Value {
    json!({"workload": workload, "images": {"app": image}, "patience": "1s"})
}

/// Whether every pod has this image and is ready.
pub async fn all_serve(stage: &Stage, image: &str) {
    let images = stage.ready_images().await;
    assert!(!images.is_empty());
    assert!(images.iter().all(|it| it == image), "{images:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stateful_set_is_rolled_out_pod_by_pod() {
    let stage = Stage::given([stateful_set()]).await;
    let (summary, variables) = stage.deploy(to("sts/store", NEW)).await.success();
    let expected = format!("runs revision 2 ({NEW}): 2 of 2 pods available");
    assert!(summary.contains("StatefulSet `store` in "), "{summary}");
    assert!(summary.contains(&expected), "{summary}");
    assert_eq!(variables["Workload"], "statefulset/store");
    assert_eq!(variables["Revision"], "2");
    assert_eq!(variables["PreviousRevision"], "1");
    all_serve(&stage, NEW).await;
    // The same once more changes nothing.
    let (summary, _) = stage.deploy(to("statefulset/store", NEW)).await.success();
    assert!(summary.contains("already ran this version"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stateful_set_that_fails_is_brought_back_and_freed_of_its_broken_pod() {
    let stage = Stage::given([stateful_set()]).await;
    let image = "registry.example.com/store:missing";
    let (kind, message) = stage.deploy(to("sts/store", image)).await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.starts_with("The new version of StatefulSet `store` in "),
        "{message}"
    );
    assert!(message.contains("`app` in pod `store-1`"), "{message}");
    let back = format!("Rolled back: revision 3 ({OLD}) serves again.");
    assert!(message.contains(&back), "{message}");
    all_serve(&stage, OLD).await;
    let set = stage.cluster.object("statefulsets", "store").await.unwrap();
    assert_eq!(set["status"]["readyReplicas"], 2, "{set:#}");
    assert_eq!(
        set["status"]["currentRevision"],
        set["status"]["updateRevision"]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_set_is_rolled_out_and_brought_back_where_it_fails() {
    let stage = Stage::given([daemon_set()]).await;
    let (summary, variables) = stage.deploy(to("ds/store", NEW)).await.success();
    assert!(summary.contains("DaemonSet `store` in "), "{summary}");
    assert!(summary.contains("runs revision 2"), "{summary}");
    assert_eq!(variables["Workload"], "daemonset/store");
    all_serve(&stage, NEW).await;
    let image = "registry.example.com/store:missing";
    let (kind, message) = stage.deploy(to("ds/store", image)).await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    let back = format!("Rolled back: revision 4 ({NEW}) serves again.");
    assert!(message.contains(&back), "{message}");
    all_serve(&stage, NEW).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_set_that_rolls_on_delete_is_applied_and_said_not_to_be_rolled() {
    let mut set = stateful_set();
    set["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    let stage = Stage::given([set]).await;
    let (summary, _) = stage.deploy(to("sts/store", NEW)).await.success();
    assert!(
        summary.contains("It was applied and not rolled out: its update strategy is OnDelete"),
        "{summary}"
    );
    all_serve(&stage, OLD).await;
}
