//! Objects that were there before the release, by another tool.

use super::{GOOD, empty, image, object, release, settings, web};
use crate::stage::Stage;
use reqwest::Method;
use serde_json::{Value, json};

/// A cluster in which a tool made the ConfigMap `settings`, and how often the function may have
/// written by then.
async fn made(manager: &str, method: Method, metadata: Value) -> (Stage, Option<usize>) {
    let stage = empty().await;
    let mut object = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata,
        "data": {"LEVEL": "warn", "LEFT": "over"}});
    object["metadata"]["name"] = json!("settings");
    let namespace = stage.cluster.namespace();
    let all = format!("/api/v1/namespaces/{namespace}/configmaps");
    let path = match method {
        Method::POST => all,
        _ => format!("{all}/settings"),
    };
    stage
        .cluster
        .write_as(manager, method, &path, &object)
        .await;
    let writes = writes(&stage);
    (stage, writes)
}

fn writes(stage: &Stage) -> Option<usize> {
    stage.writes().map(|writes| writes.len())
}

/// What `kubectl apply` notes.
fn noted() -> Value {
    let last = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings"},
        "data": {"LEVEL": "warn", "LEFT": "over"}});
    json!({"annotations": {
        "kubectl.kubernetes.io/last-applied-configuration": last.to_string()}})
}

const KUBECTL: &str = "kubectl-client-side-apply";

async fn config(stage: &Stage) -> Value {
    object(stage, "configmaps", "settings").await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_kubectl_applied_is_taken_over() {
    let (stage, _) = made(KUBECTL, Method::POST, noted()).await;
    let text = settings("info");
    let files = [("k8s/config.yaml", &*text)];
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    let live = config(&stage).await;
    assert_eq!(live["data"], json!({"LEVEL": "info"}), "{summary}");
    let annotations = &live["metadata"]["annotations"];
    let left = &annotations["kubectl.kubernetes.io/last-applied-configuration"];
    assert!(left.is_null(), "{live}");
    let managers = live["metadata"]["managedFields"].to_string();
    assert!(!managers.contains(KUBECTL), "{live}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_taken_over_is_put_back() {
    let (stage, _) = made(KUBECTL, Method::POST, noted()).await;
    let before = config(&stage).await["data"].clone();
    let (text, web) = (
        settings("info"),
        web("web", "registry.example.com/web:crash"),
    );
    let files = [("k8s/config.yaml", &*text), ("k8s/web.yaml", &*web)];
    let ended = release(&stage, &files, json!({"patience": "0s"})).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert_eq!(config(&stage).await["data"], before, "{message}");
    assert!(object(&stage, "deployments", "web").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_helm_owns_is_taken_by_force_alone() {
    let metadata = json!({"labels": {"app.kubernetes.io/managed-by": "Helm"}, "annotations": {
        "meta.helm.sh/release-name": "old-shop", "meta.helm.sh/release-namespace": "default"}});
    let (stage, before) = made("helm", Method::POST, metadata).await;
    let (text, web) = (settings("info"), web("web", GOOD));
    let files = [("k8s/config.yaml", &*text), ("k8s/web.yaml", &*web)];
    let (kind, message) = release(&stage, &files, json!({})).await.failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    for said in ["k8s/config.yaml", "Helm", "old-shop", "force"] {
        assert!(message.contains(said), "{said}: {message}");
    }
    assert_eq!(writes(&stage), before, "{message}");
    let (summary, _) = release(&stage, &files, json!({"force": true}))
        .await
        .released();
    assert_eq!(config(&stage).await["data"]["LEVEL"], "info", "{summary}");
    assert_eq!(image(&stage, "web").await, GOOD, "{summary}");
    // From then on it is the release's alone: nothing says any more that it is Helm's.
    assert!(
        summary.contains("`ConfigMap/settings` (of Helm release"),
        "{summary}"
    );
    let live = config(&stage).await;
    for list in ["labels", "annotations"] {
        let all = live["metadata"][list].to_string().to_lowercase();
        assert!(!all.contains("helm"), "{live}");
    }
    let before = writes(&stage);
    for more in [json!({}), json!({"force": true})] {
        let (summary, _) = release(&stage, &files, more).await.released();
        assert!(summary.contains("nothing was changed"), "{summary}");
        assert!(!summary.contains("Helm"), "{summary}");
    }
    assert_eq!(writes(&stage), before, "{summary}");
}

/// Each tool's marks go, a plan tells which, and they come back with what they were on.
#[tokio::test(flavor = "multi_thread")]
async fn what_marks_an_object_as_another_tools_goes_when_it_is_taken_and_comes_back_with_it() {
    let helm = ["app.kubernetes.io/managed-by", "meta.helm.sh/release-name"];
    let metadata = json!({
        "labels": {"app.kubernetes.io/managed-by": "Helm", "team": "shop",
            "kapp.k14s.io/app": "17", "kustomize.toolkit.fluxcd.io/name": "apps"},
        "annotations": {"meta.helm.sh/release-name": "old-shop", "note": "theirs",
            "config.k8s.io/owning-inventory": "x"}});
    let (stage, before) = made("helm", Method::POST, metadata).await;
    // The manifest of a rendered chart says so itself.
    let text = settings("info").replace(
        "{name: settings}",
        "{name: settings, labels: {app.kubernetes.io/managed-by: Helm}}",
    );
    let was = config(&stage).await;
    let broken = web("web", "registry.example.com/web:crash");
    let files = [("k8s/config.yaml", &*text), ("k8s/web.yaml", &*broken)];
    let force = |more: Value| {
        let mut all = json!({"force": true, "patience": "0s"});
        for (name, value) in more.as_object().into_iter().flatten() {
            all[name] = value.clone();
        }
        all
    };
    let plan = force(json!({"mode": "plan"}));
    let (summary, _) = release(&stage, &files, plan).await.released();
    for said in [
        "- metadata.annotations.meta.helm.sh/release-name: old-shop",
        "- metadata.labels.kapp.k14s.io/app: 17",
        "- metadata.labels.kustomize.toolkit.fluxcd.io/name: apps",
        "- metadata.annotations.config.k8s.io/owning-inventory: x",
    ] {
        assert!(summary.contains(said), "{said}: {summary}");
    }
    assert_eq!(writes(&stage), before, "{summary}");
    let (_, message) = release(&stage, &files, force(json!({}))).await.failure();
    let live = config(&stage).await;
    for list in ["labels", "annotations"] {
        assert_eq!(live["metadata"][list], was["metadata"][list], "{message}");
    }
    let works = web("web", GOOD);
    let files = [("k8s/config.yaml", &*text), ("k8s/web.yaml", &*works)];
    let (summary, _) = release(&stage, &files, force(json!({}))).await.released();
    let live = config(&stage).await;
    let labels = &live["metadata"]["labels"];
    assert_eq!(
        (&labels[helm[0]], &labels["team"]),
        (&json!("Helm"), &json!("shop"))
    );
    let annotations = &live["metadata"]["annotations"];
    assert_eq!(
        (&annotations[helm[1]], &annotations["note"]),
        (&Value::Null, &json!("theirs"))
    );
    for gone in ["kapp.k14s.io", "fluxcd.io", "owning-inventory"] {
        assert!(
            !live["metadata"]["labels"].to_string().contains(gone),
            "{live}"
        );
        assert!(!annotations.to_string().contains(gone), "{live}");
    }
    // Without `force` it is not another tool's any more.
    let (summary_of_next, _) = release(&stage, &files, json!({})).await.released();
    assert!(summary_of_next.contains("nothing was changed"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_field_of_another_manager_is_a_conflict_that_names_it() {
    let (stage, before) = made("tuner", Method::PATCH, json!({})).await;
    let (text, web) = (settings("info"), web("web", GOOD));
    let files = [("k8s/config.yaml", &*text), ("k8s/web.yaml", &*web)];
    let (kind, message) = release(&stage, &files, json!({})).await.failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    for said in ["k8s/config.yaml", "tuner", "LEVEL", "force"] {
        assert!(message.contains(said), "{said}: {message}");
    }
    assert_eq!(writes(&stage), before, "{message}");
    let (summary, _) = release(&stage, &files, json!({"force": true}))
        .await
        .released();
    let live = config(&stage).await;
    assert_eq!(live["data"]["LEVEL"], "info", "{summary}");
    assert_eq!(live["data"]["LEFT"], "over", "{summary}");
}

/// Helm took it over since (`helm install --take-ownership`): to delete it would be an outage there.
#[tokio::test(flavor = "multi_thread")]
async fn what_helm_has_adopted_is_not_pruned() {
    let stage = empty().await;
    let (text, web) = (settings("info"), web("web", GOOD));
    let files = [("k8s/config.yaml", &*text), ("k8s/web.yaml", &*web)];
    release(&stage, &files, json!({})).await.released();
    let label = json!({"app.kubernetes.io/managed-by": "Helm"});
    let release_name = json!({"meta.helm.sh/release-name": "other"});
    let (labels, annotations) = (["metadata", "labels"], ["metadata", "annotations"]);
    stage
        .cluster
        .change("configmaps", "settings", labels, label)
        .await;
    stage
        .cluster
        .change("configmaps", "settings", annotations, release_name)
        .await;
    let prune = json!({"prune": true});
    let (summary, _) = release(&stage, &files[1..], prune).await.released();
    let said = "it belongs to Helm release";
    assert!(summary.contains(said), "{summary}");
    assert!(object(&stage, "configmaps", "settings").await.is_some());
}
