//! The verdict on each kind: one story that must fail and one that must not.

use super::{empty, object, release, service, web};
use crate::stage::Stage;
use serde_json::json;
use std::time::{Duration, Instant};

/// A StatefulSet or DaemonSet with an update strategy.
fn set(kind: &str, image: &str, strategy: &str) -> String {
    let more = match kind {
        "StatefulSet" => "  replicas: 2\n  serviceName: store\n",
        _ => "",
    };
    format!(
        "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: store}}\nspec:\n{more}  \
         updateStrategy: {strategy}\n  selector: {{matchLabels: {{app: store}}}}\n  template:\n    \
         metadata: {{labels: {{app: store}}}}\n    spec:\n      containers: [{{name: app, image: \
         'registry.example.com/store:{image}', readinessProbe: {{httpGet: {{path: /, port: \
         8080}}}}}}]\n"
    )
}

/// Releases a first version, and then a second one with the parameters.
async fn upgraded(stage: &Stage, kind: &str, image: &str, strategy: &str) -> (bool, String) {
    let first = set(kind, "1.0.0", strategy);
    release(stage, &[("k8s/store.yaml", &*first)], json!({}))
        .await
        .released();
    let second = set(kind, image, strategy);
    let parameters = json!({"patience": "1s", "timeout": "20s"});
    let ended = release(stage, &[("k8s/store.yaml", &*second)], parameters).await;
    ended.verdict()
}

async fn images(stage: &Stage) -> Vec<String> {
    let mut images = stage.ready_images().await;
    images.sort();
    images
}

const PARTITION: &str = "{type: RollingUpdate, rollingUpdate: {partition: 1}}";
const ON_DELETE: &str = "{type: OnDelete}";
const SURGE: &str = "{type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}";

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_is_done_when_the_pods_above_it_are() {
    let stage = empty().await;
    let (serves, told) = upgraded(&stage, "StatefulSet", "2.0.0", PARTITION).await;
    assert!(serves, "{told}");
    let images = images(&stage).await;
    assert!(
        images[0].ends_with(":1.0.0") && images[1].ends_with(":2.0.0"),
        "{images:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_pod_above_the_partition_fails_and_is_taken_back() {
    let stage = empty().await;
    let (serves, told) = upgraded(&stage, "StatefulSet", "missing", PARTITION).await;
    assert!(!serves && told.contains("StatefulSet/store"), "{told}");
    let images = images(&stage).await;
    assert_eq!(images.len(), 2, "{told}");
    assert!(images.iter().all(|it| it.ends_with(":1.0.0")), "{images:?}");
}

/// Its pods keep their version until somebody deletes them: there is nothing to wait for.
#[tokio::test(flavor = "multi_thread")]
async fn what_rolls_on_delete_is_done_at_once_and_says_so() {
    for kind in ["StatefulSet", "DaemonSet"] {
        let stage = empty().await;
        let (serves, told) = upgraded(&stage, kind, "missing", ON_DELETE).await;
        assert!(serves && told.contains("OnDelete"), "{kind}: {told}");
        let images = images(&stage).await;
        assert!(images.iter().all(|it| it.ends_with(":1.0.0")), "{images:?}");
    }
}

/// Pods that have the new version must serve: all of a new set, and those that scaling adds.
#[tokio::test(flavor = "multi_thread")]
async fn new_pods_of_what_rolls_on_delete_are_followed() {
    for (kind, resource) in [("StatefulSet", "statefulsets"), ("DaemonSet", "daemonsets")] {
        let stage = empty().await;
        for (image, serves) in [("missing", false), ("1.0.0", true)] {
            let first = set(kind, image, ON_DELETE);
            let parameters = json!({"patience": "1s", "timeout": "20s"});
            let files = [("k8s/store.yaml", &*first)];
            let (done, told) = release(&stage, &files, parameters).await.verdict();
            assert_eq!(done, serves, "{kind}: {told}");
            assert!(serves || told.contains(":missing"), "{kind}: {told}");
            // There is no old pod of which that had to be said.
            assert!(!told.contains("OnDelete"), "{kind}: {told}");
            let live = object(&stage, resource, "store").await;
            assert_eq!(live.is_some(), serves, "{kind}: {told}");
        }
    }
    let stage = empty().await;
    let first = set("StatefulSet", "1.0.0", ON_DELETE);
    release(&stage, &[("k8s/store.yaml", &*first)], json!({}))
        .await
        .released();
    let larger = set("StatefulSet", "crash", ON_DELETE).replace("replicas: 2", "replicas: 3");
    let files = [("k8s/store.yaml", &*larger)];
    let parameters = json!({"patience": "1s", "timeout": "20s"});
    let (serves, told) = release(&stage, &files, parameters).await.verdict();
    assert!(
        !serves && told.contains("rolled back to revision 1"),
        "{told}"
    );
    let live = object(&stage, "statefulsets", "store").await.unwrap();
    assert_eq!(live["spec"]["replicas"], 2, "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_set_that_surges_is_followed_to_its_last_node() {
    let stage = empty().await;
    let (serves, told) = upgraded(&stage, "DaemonSet", "2.0.0", SURGE).await;
    assert!(serves, "{told}");
    let images = images(&stage).await;
    assert!(images.iter().all(|it| it.ends_with(":2.0.0")), "{images:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_surge_that_is_broken_fails_while_the_old_pods_serve() {
    let stage = empty().await;
    let (serves, told) = upgraded(&stage, "DaemonSet", "crash", SURGE).await;
    assert!(!serves && told.contains("DaemonSet/store"), "{told}");
    let images = images(&stage).await;
    assert!(!images.is_empty(), "{told}");
    assert!(images.iter().all(|it| it.ends_with(":1.0.0")), "{images:?}");
}

fn api(service: &str) -> String {
    format!(
        "apiVersion: apiregistration.k8s.io/v1\nkind: APIService\nmetadata: {{name: \
         v1.example.com}}\nspec: {{group: example.com, version: v1, groupPriorityMinimum: 100, \
         versionPriority: 1, insecureSkipTLSVerify: true, service: {{name: {service}, namespace: \
         default}}}}\n"
    )
}

/// Only an administrator may make APIServices, so these are for the sandbox.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_is_waited_for_until_its_server_answers() {
    let (web, service) = (web("web", super::GOOD), service("web"));
    for (of, serves) in [("web", true), ("nobody", false)] {
        let stage = Stage::in_sandbox(|_, _| {}).await;
        let api = api(of);
        let files = [
            ("k8s/web.yaml", &*web),
            ("k8s/service.yaml", &*service),
            ("k8s/api.yaml", &*api),
        ];
        let ended = release(&stage, &files, json!({"timeout": "8s"})).await;
        let (done, told) = ended.verdict();
        assert_eq!(done, serves, "{told}");
        assert!(serves || told.contains("ServiceNotFound"), "{told}");
        let live = object(
            &stage,
            "apiservices.apiregistration.k8s.io",
            "v1.example.com",
        )
        .await;
        assert!(serves || live.is_none(), "{told}");
    }
}

const CLAIM: &str = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: \
    {accessModes: [ReadWriteOnce], storageClassName: local, resources: {requests: {storage: \
    1Gi}}}\n";

/// A class that waits for the first pod, and a claim that no pod uses.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_waits_for_its_pod_holds_nothing_up() {
    let stage = Stage::in_sandbox(|world, now| {
        let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
            "metadata": {"name": "local"}, "provisioner": "example.com/none",
            "volumeBindingMode": "WaitForFirstConsumer"});
        world.apply(class, now);
    })
    .await;
    let files = [("k8s/claim.yaml", CLAIM)];
    let parameters = json!({"release": "shop"});
    let (summary, _) = release(&stage, &files, parameters).await.released();
    assert!(summary.contains("it has no volume yet"), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_lost_its_volume_fails_and_stays() {
    let stage = Stage::in_sandbox(|world, now| {
        let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"],
            "storageClassName": "local", "resources": {"requests": {"storage": "1Gi"}}},
            "status": {"phase": "Lost"}});
        world.apply(claim, now);
    })
    .await;
    let files = [("k8s/claim.yaml", CLAIM)];
    let (done, told) = release(&stage, &files, json!({"force": true}))
        .await
        .verdict();
    assert!(!done && told.contains("it has lost its volume"), "{told}");
    assert!(
        object(&stage, "persistentvolumeclaims", "data")
            .await
            .is_some(),
        "{told}"
    );
}

/// Pods without a probe are looked at twice when they are new, and not where nothing changed.
#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_release_waits_for_nothing() {
    let stage = empty().await;
    let probe = ", readinessProbe: {httpGet: {path: /, port: 8080}}";
    let plain = web("web", super::GOOD).replace(probe, "");
    assert!(!plain.contains("Probe"));
    let files = [("k8s/web.yaml", &*plain)];
    let began = Instant::now();
    release(&stage, &files, json!({})).await.released();
    assert!(began.elapsed() > Duration::from_secs(4));
    let began = Instant::now();
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    assert!(summary.contains("nothing was changed"), "{summary}");
    assert!(began.elapsed() < Duration::from_secs(4), "{summary}");
    // Where something else changes, it still waits for nothing of this one.
    let config = super::settings("debug");
    let files = [("k8s/web.yaml", &*plain), ("k8s/config.yaml", &*config)];
    let began = Instant::now();
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    assert!(began.elapsed() < Duration::from_secs(4), "{summary}");
}
