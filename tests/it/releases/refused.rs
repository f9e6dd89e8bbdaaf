//! What is refused before anything is written.

use super::{GOOD, empty, release, service, settings, web};
use crate::stage::Stage;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn all_missing_permissions_are_told_at_once_and_nothing_is_written() {
    let stage = empty().await;
    stage.cluster.forbid("patch", "configmaps").await;
    stage.cluster.forbid("delete", "services").await;
    stage.cluster.forbid("create", "deployments").await;
    let (config, web, service) = (settings("info"), web("web", GOOD), service("web"));
    let files = [
        ("k8s/config.yaml", &*config),
        ("k8s/service.yaml", &*service),
        ("k8s/web.yaml", &*web),
    ];
    let (kind, message) = release(&stage, &files, json!({})).await.failure();
    assert_eq!(kind, "PermissionError", "{message}");
    for said in [
        "patch",
        "configmaps",
        "delete",
        "services",
        "create",
        "deployments",
    ] {
        assert!(message.contains(said), "{said}: {message}");
    }
    stage.wrote(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn all_reads_that_are_not_granted_are_told_at_once() {
    let stage = empty().await;
    stage.cluster.forbid("get", "configmaps").await;
    stage.cluster.forbid("get", "services").await;
    let (config, service) = (settings("info"), service("web"));
    let files = [
        ("k8s/config.yaml", &*config),
        ("k8s/service.yaml", &*service),
    ];
    let (kind, message) = release(&stage, &files, json!({})).await.failure();
    assert_eq!(kind, "PermissionError", "{message}");
    for said in ["get", "configmaps", "services"] {
        assert!(message.contains(said), "{said}: {message}");
    }
    stage.wrote(&[]);
}

/// Also of one that is new, which is not read before it is tried.
#[tokio::test(flavor = "multi_thread")]
async fn pods_that_cannot_count_in_time_are_refused_before_anything_is_written() {
    let stage = empty().await;
    let slow = web("web", GOOD).replace("replicas: 2", "replicas: 2\n  minReadySeconds: 900");
    let config = settings("info");
    let files = [("k8s/web.yaml", &*slow), ("k8s/config.yaml", &*config)];
    let parameters = json!({"timeout": "10m"});
    let (kind, message) = release(&stage, &files, parameters).await.failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("minReadySeconds"), "{message}");
    stage.wrote(&[]);
}

/// Its records would have to be there before it is.
#[tokio::test(flavor = "multi_thread")]
async fn the_namespace_of_the_release_itself_has_to_exist_before() {
    let stage = Stage::in_sandbox(|_, _| {}).await;
    let namespace = "apiVersion: v1\nkind: Namespace\nmetadata: {name: fresh}\n";
    let config = settings("info");
    let files = [("k8s/all.yaml", namespace), ("k8s/config.yaml", &*config)];
    for mode in ["plan", "deploy"] {
        let parameters = json!({"namespace": "fresh", "mode": mode});
        let (kind, message) = release(&stage, &files, parameters).await.failure();
        assert_eq!(kind, "ConfigurationError", "{message}");
        let told = "`Namespace/fresh` (k8s/all.yaml:1): it is the namespace of the release itself";
        assert!(message.contains(told), "{message}");
        assert!(!message.contains("ConfigMap/settings"), "{message}");
    }
    stage.wrote(&[]);
}

/// Nothing of the release has to be in its namespace: only its records are, which a plan does not
/// write.
#[tokio::test(flavor = "multi_thread")]
async fn a_namespace_that_is_missing_for_the_records_alone_is_told_by_the_plan() {
    let stage = Stage::in_sandbox(|_, _| {}).await;
    let role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: reader}\n\
                rules: []\n";
    let files = [("k8s/role.yaml", role)];
    for mode in ["plan", "deploy"] {
        let parameters = json!({"namespace": "nowhere", "mode": mode});
        let (kind, message) = release(&stage, &files, parameters).await.failure();
        assert_eq!(kind, "ConfigurationError", "{mode}: {message}");
        for said in [
            "was not changed",
            "namespace `nowhere` does not exist",
            "kubectl create namespace nowhere",
        ] {
            assert!(message.contains(said), "{mode}: {said}: {message}");
        }
    }
    stage.wrote(&[]);
}
