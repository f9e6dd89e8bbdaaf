//! The Roles for a release.

use crate::desk::Desk;
use landfall_core::formats::yaml;
use serde_json::{Value, json};

const DEPLOYMENT: &str = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n";
const ZONE: &str = "apiVersion: example.com/v1\nkind: Zone\nmetadata: {name: zone}\n";

fn documents(text: &str) -> Vec<Value> {
    let mut documents = Vec::new();
    yaml::read(text, |document| documents.push(document)).unwrap();
    documents
}

#[tokio::test(flavor = "multi_thread")]
async fn it_prints_what_kubectl_applies_and_changes_nothing() {
    let desk = Desk::new().await;
    desk.put("web.yaml", DEPLOYMENT);
    let file = desk.folder.join("web.yaml");
    let words = format!("--for {} -n shop", file.display());
    let said = desk.run(&words).well(&[
        "# What Landfall needs for the release `web` in namespace `shop`, and no more.",
        &format!(
            "#   landfall-access --for {} --namespace shop\n",
            file.display()
        ),
        "resources: [deployments]\n",
    ]);
    let roles = documents(&said.output);
    assert_eq!(roles.len(), 2, "{}", said.output);
    assert_eq!(roles[0]["metadata"]["name"], "landfall-release-web");
    assert_eq!(roles[1]["subjects"][0]["namespace"], "shop");
    // Neither the cluster nor AWS is asked.
    assert_eq!(desk.read("commands"), "");

    desk.run(&format!("{words} --apply"))
        .well(&["role.rbac.authorization.k8s.io/landfall created"]);
    assert_eq!(desk.read("applied"), said.output);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_nothing_here_defines_is_looked_up() {
    let desk = Desk::new().await;
    desk.put("web.yaml", &[DEPLOYMENT, ZONE].join("---\n"));
    let words = format!("--for {}/web.yaml --context prod", desk.folder.display());
    desk.fails(
        "kubectl-get-raw",
        "Error from server (NotFound): the server could not find it",
    );
    desk.run(&words).badly(&[
        "finding the kinds of the manifests failed: example.com/v1 is neither part of Kubernetes",
        "Zone/zone in ",
        "kubectl --context prod get --raw /apis/example.com/v1",
        "the server could not find it",
        "What to do: Give --for the file of its CustomResourceDefinition",
        "Nothing was changed.",
    ]);
    let list = json!({"kind": "APIResourceList", "groupVersion": "example.com/v1",
        "resources": [{"name": "zones", "kind": "Zone", "namespaced": true}]});
    desk.prints("kubectl-get-raw", &list.to_string());
    desk.run(&words)
        .well(&["- apiGroups: [example.com]\n  resources: [zones]\n"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_said_with_what_to_do() {
    let desk = Desk::new().await;
    let two = DEPLOYMENT.replace("web", "shop");
    desk.put("two.yaml", &[DEPLOYMENT, &two].join("---\n"));
    desk.put("chart.yaml", "kind: {{ .Values.kind }}\n");
    for (file, words) in [
        (
            "two.yaml",
            "the release's name is missing: the manifests have 2 workloads",
        ),
        ("two.yaml", "What to do: Name the release with --release"),
        ("chart.yaml", "chart.yaml"),
        ("chart.yaml", "`helm template`"),
        ("none.yaml", "there is no such file or folder"),
    ] {
        let file = desk.folder.join(file);
        desk.run(&format!("--for {}", file.display()))
            .badly(&[words]);
    }
    let file = desk.folder.join("two.yaml");
    let named = desk.run(&format!("--for {} --release all", file.display()));
    named.well(&["name: landfall-release-all\n"]);
}

/// The kinds in the order of `deploy/rbac-release.yaml`'s comments.
const USUAL: [(&str, &str); 14] = [
    ("v1", "ConfigMap"),
    ("v1", "PersistentVolumeClaim"),
    ("v1", "Secret"),
    ("v1", "Service"),
    ("v1", "ServiceAccount"),
    ("apps/v1", "DaemonSet"),
    ("apps/v1", "Deployment"),
    ("apps/v1", "StatefulSet"),
    ("autoscaling/v2", "HorizontalPodAutoscaler"),
    ("batch/v1", "CronJob"),
    ("batch/v1", "Job"),
    ("networking.k8s.io/v1", "Ingress"),
    ("networking.k8s.io/v1", "NetworkPolicy"),
    ("policy/v1", "PodDisruptionBudget"),
];

#[tokio::test(flavor = "multi_thread")]
async fn the_example_is_what_the_usual_kinds_need() {
    let desk = Desk::new().await;
    let manifests = USUAL.map(|(api_version, kind)| {
        json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": "a"}}).to_string()
    });
    desk.put("all.yaml", &manifests.join("\n---\n"));
    let file = desk.folder.join("all.yaml");
    let said = desk
        .run(&format!("--for {} --release any", file.display()))
        .well(&[]);
    let (printed, shipped) = (
        documents(&said.output),
        documents(include_str!("../../../deploy/rbac-release.yaml")),
    );
    assert_eq!(shipped[0]["rules"], printed[0]["rules"]);
    assert_eq!(shipped[1]["subjects"], printed[1]["subjects"]);
    assert_eq!(
        shipped[1]["roleRef"]["name"],
        shipped[0]["metadata"]["name"]
    );
}
