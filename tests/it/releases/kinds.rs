//! Objects of further kinds, and what their annotations ask for.

use super::{GOOD, empty, image, object, release, service, settings, web};
use crate::stage::Stage;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const STORE: &str = "registry.example.com/store:1.0.0";

/// A StatefulSet or DaemonSet of a release.
fn set(kind: &str, name: &str, image: &str) -> String {
    let more = match kind {
        "StatefulSet" => format!("  replicas: 2\n  serviceName: {name}\n"),
        _ => String::new(),
    };
    format!(
        "apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec:\n{more}  selector: \
         {{matchLabels: {{app: {name}}}}}\n  template:\n    metadata: {{labels: {{app: {name}}}}}\n    \
         spec:\n      containers: [{{name: app, image: '{image}', readinessProbe: {{httpGet: {{path: /, \
         port: 8080}}}}}}]\n"
    )
}

/// A manifest with an annotation.
fn with(text: &str, annotation: &str) -> String {
    let (before, after) = text.split_once("}").unwrap();
    format!("{before}, annotations: {{{annotation}}}}}{after}")
}

async fn uid(stage: &Stage, resource: &str, name: &str) -> Value {
    let live = object(stage, resource, name).await.unwrap();
    live["metadata"]["uid"].clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn sets_are_followed_and_a_broken_one_is_freed_of_its_stuck_pod() {
    let stage = empty().await;
    let store = set("StatefulSet", "store", STORE);
    let agent = set("DaemonSet", "agent", "registry.example.com/agent:1.0.0");
    let files = [("k8s/store.yaml", &*store), ("k8s/agent.yaml", &*agent)];
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    let live = object(&stage, "statefulsets", "store").await.unwrap();
    assert_eq!(live["status"]["readyReplicas"], 2, "{summary}");
    let live = object(&stage, "daemonsets", "agent").await.unwrap();
    let wanted = &live["status"]["desiredNumberScheduled"];
    assert_eq!(live["status"]["numberReady"], *wanted, "{summary}");
    let broken = store.replace("store:1.0.0", "store:missing");
    let newer = agent.replace("agent:1.0.0", "agent:2.0.0");
    let files = [("k8s/store.yaml", &*broken), ("k8s/agent.yaml", &*newer)];
    let ended = release(&stage, &files, json!({"patience": "1s"})).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    for said in ["StatefulSet/store", "rolled back to revision 1"] {
        assert!(message.contains(said), "{said}: {message}");
    }
    let live = object(&stage, "statefulsets", "store").await.unwrap();
    assert_eq!(live["status"]["readyReplicas"], 2, "{message}");
    let images = stage.ready_images().await;
    assert!(
        images.iter().all(|image| image.ends_with(":1.0.0")),
        "{images:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wave_that_fails_lets_no_later_one_begin() {
    let stage = empty().await;
    let first = web("web", "registry.example.com/web:crash");
    let first = with(&first, "landfall/wave: '-1'");
    let (config, service) = (settings("info"), service("web"));
    let files = [
        ("k8s/config.yaml", &*config),
        ("k8s/service.yaml", &*service),
        ("k8s/web.yaml", &*first),
    ];
    let ended = release(&stage, &files, json!({"patience": "0s"})).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    let writes = stage.writes().unwrap_or_default();
    let of = |part: &str| writes.iter().any(|it| it.path.contains(part));
    assert!(!of("/services") && !of("/configmaps"), "{writes:#?}");
    assert!(object(&stage, "deployments", "web").await.is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_never_pruned_stays() {
    let stage = empty().await;
    let config = with(&settings("info"), "landfall/prune: never");
    let web = web("web", GOOD);
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*web)];
    release(&stage, &files, json!({})).await.released();
    let prune = json!({"prune": true});
    let (summary, _) = release(&stage, &files[1..], prune).await.released();
    let live = object(&stage, "configmaps", "settings").await;
    assert!(live.is_some(), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_to_be_followed_is_not_waited_for() {
    let stage = empty().await;
    let web = web("web", super::NEVER);
    let web = with(&web, "landfall/follow: 'no'");
    let files = [("k8s/web.yaml", &*web)];
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    assert!(summary.contains("Deployment/web"), "{summary}");
    let live = object(&stage, "deployments", "web").await.unwrap();
    assert!(live["status"]["availableReplicas"].is_null(), "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_immutable_field_is_refused_and_changed_where_recreation_is_asked_for() {
    let stage = empty().await;
    let old = web("web", GOOD);
    release(&stage, &[("k8s/web.yaml", &*old)], json!({}))
        .await
        .released();
    let before = uid(&stage, "deployments", "web").await;
    let new = old.replace("app: web", "app: shop");
    let ended = release(&stage, &[("k8s/web.yaml", &*new)], json!({})).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("spec.selector"), "{message}");
    assert_eq!(uid(&stage, "deployments", "web").await, before);
    let new = with(&new, "landfall/recreate: 'yes'");
    let ended = release(&stage, &[("k8s/web.yaml", &*new)], json!({})).await;
    let (summary, _) = ended.released();
    assert_ne!(uid(&stage, "deployments", "web").await, before, "{summary}");
    assert_eq!(image(&stage, "web").await, GOOD, "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_is_out_of_time_names_what_it_waited_for_and_nothing_else() {
    let stage = empty().await;
    let job = super::migration("registry.example.com/migrate:never-ready");
    let (config, service, web) = (settings("info"), service("web"), web("web", GOOD));
    let late = with(
        &web.replace("name: web", "name: late"),
        "landfall/wave: '1'",
    );
    let files = [
        ("k8s/config.yaml", &*config),
        ("k8s/job.yaml", &*job),
        ("k8s/service.yaml", &*service),
        ("k8s/web.yaml", &*web),
        ("k8s/late.yaml", &*late),
    ];
    let ended = release(&stage, &files, json!({"timeout": "4s"})).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    let (headline, rest) = message.split_once('\n').unwrap();
    assert!(headline.contains("Job/migrate"), "{message}");
    for other in ["settings", "Service/web", "Deployment"] {
        assert!(!headline.contains(other), "{other}: {message}");
    }
    // Nobody has looked at these.
    assert!(!rest.contains("none was ready"), "{message}");
}

pub(super) const DEFINITION: &str = r"apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gadgets.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {kind: Gadget, listKind: GadgetList, plural: gadgets, singular: gadget}
  versions:
  - name: v1
    served: true
    storage: true
    schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {size: {type: integer}}}}}}
";

/// Only an administrator may make definitions, so this one is for the sandbox.
#[tokio::test(flavor = "multi_thread")]
async fn a_definition_and_its_objects_come_in_one_release() {
    let stage = Stage::in_sandbox(|_, _| {}).await;
    let gadget =
        "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: one}\nspec: {size: 3}\n";
    let files = [("k8s/a.yaml", gadget), ("k8s/z.yaml", DEFINITION)];
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    let live = object(&stage, "gadgets.example.com", "one").await;
    assert_eq!(live.unwrap()["spec"]["size"], 3, "{summary}");
    let larger = gadget.replace("size: 3", "size: 4");
    let files = [("k8s/a.yaml", &*larger), ("k8s/z.yaml", DEFINITION)];
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    let live = object(&stage, "gadgets.example.com", "one").await;
    assert_eq!(live.unwrap()["spec"]["size"], 4, "{summary}");
}

/// Whoever looks at what nobody writes the status of waits some seconds for one, and once.
#[tokio::test(flavor = "multi_thread")]
async fn an_unchanged_release_waits_for_no_status_and_no_address() {
    let stage = Stage::in_sandbox(|_, _| {}).await;
    let gadget =
        "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: one}\nspec: {size: 3}\n";
    let balanced = service("web").replace("spec: {", "spec: {type: LoadBalancer, ");
    // Nothing probes its pods.
    let probe = ", readinessProbe: {httpGet: {path: /, port: 8080}}";
    let web = set("StatefulSet", "web", STORE).replace(probe, "");
    let files = [
        ("k8s/gadget.yaml", gadget),
        ("k8s/definition.yaml", DEFINITION),
        ("k8s/service.yaml", &*balanced),
        ("k8s/web.yaml", &*web),
    ];
    release(&stage, &files, json!({})).await.released();
    let began = Instant::now();
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    assert!(summary.contains("so nothing was changed"), "{summary}");
    let took = began.elapsed();
    assert!(took < Duration::from_secs(2), "{took:?}: {summary}");
}

/// Not in a first release either: only pods that nothing probes are looked at twice.
#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_a_load_balancer_is_not_waited_for() {
    let stage = Stage::in_sandbox(|_, _| {}).await;
    let balanced = service("web").replace("spec: {", "spec: {type: LoadBalancer, ");
    let web = web("web", GOOD);
    let files = [("k8s/service.yaml", &*balanced), ("k8s/web.yaml", &*web)];
    let began = Instant::now();
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}: {summary}");
    assert!(summary.contains("`Service/web`"), "{summary}");
}

/// A custom resource with a finalizer is waited for before its controller is deleted.
#[tokio::test(flavor = "multi_thread")]
async fn what_a_controller_finishes_is_gone_before_the_controller_is() {
    let stage = Stage::in_sandbox(|_, _| {}).await;
    let gadget = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: one, finalizers: \
                  [example.com/clean]}\nspec: {size: 3}\n";
    let controller = web("controller", GOOD);
    let files = [
        ("k8s/definition.yaml", DEFINITION),
        ("k8s/gadget.yaml", gadget),
        ("k8s/web.yaml", &*controller),
    ];
    release(&stage, &files, json!({})).await.released();
    let finish = async {
        let terminating = async || {
            let live = object(&stage, "gadgets.example.com", "one").await.unwrap();
            live["metadata"]["deletionTimestamp"].is_string()
        };
        while !terminating().await {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        tokio::time::sleep(Duration::from_millis(700)).await;
        let is_there = object(&stage, "deployments", "controller").await.is_some();
        stage.cluster.finish("gadgets.example.com", "one").await;
        is_there
    };
    let prune = json!({"prune": true});
    let (ended, was_there) = tokio::join!(release(&stage, &files[..1], prune), finish);
    let (summary, _) = ended.released();
    assert!(was_there, "{summary}");
    assert!(
        object(&stage, "gadgets.example.com", "one").await.is_none(),
        "{summary}"
    );
    assert!(
        object(&stage, "deployments", "controller").await.is_none(),
        "{summary}"
    );
}
