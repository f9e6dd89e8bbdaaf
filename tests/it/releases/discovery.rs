//! Kinds that are not built in: the API server is asked where they are once while the function is
//! warm, and again when they are not there any more.

use super::{NEVER, release, settings, web};
use crate::stage::Stage;
use landfall_core::retry::ATTEMPTS;
use landfall_sandbox::world::{Fault, On, Refusal, World};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// Nobody writes its status, so that it is not waited for.
const GADGET: &str = "apiVersion: example.com/v1\nkind: Gadget\nmetadata: {name: one, annotations: \
                      {landfall/follow: 'no'}}\nspec: {size: 3}\n";

/// A definition of gadgets under this plural.
fn definition(plural: &str, scope: &str) -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.example.com")},
        "spec": {
            "group": "example.com",
            "scope": scope,
            "names": {"kind": "Gadget", "listKind": "GadgetList", "plural": plural,
                "singular": plural},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {
                "openAPIV3Schema": {"type": "object",
                    "x-kubernetes-preserve-unknown-fields": true}}}],
        },
    })
}

/// Somebody deletes the definition.
fn undefine(stage: &Stage, plural: &str) {
    let name = format!("{plural}.example.com");
    let gone = |world: &mut World, now| world.delete("customresourcedefinitions", "", &name, now);
    assert!(stage.sandbox().world(gone));
}

/// How often the resources of the group were asked for so far.
fn asked(stage: &Stage) -> usize {
    let all = stage.cluster.requests().unwrap();
    all.iter()
        .filter(|seen| seen.path == "/apis/example.com/v1")
        .count()
}

/// Somebody else applies the definition, and it is established.
async fn define(stage: &Stage, plural: &str, scope: &str) {
    install(stage, definition(plural, scope)).await;
}

async fn install(stage: &Stage, definition: Value) {
    let name = definition["metadata"]["name"].as_str().unwrap().to_owned();
    stage
        .sandbox()
        .world(|world, now| world.apply(definition, now));
    let established = |world: &mut World, now| {
        world.advance(now);
        let live = world.object("customresourcedefinitions", "", &name);
        live.is_some_and(|live| live.to_string().contains("Established"))
    };
    while !stage.sandbox().world(established) {
        sleep(Duration::from_millis(20)).await;
    }
}

const FILES: [(&str, &str); 1] = [("k8s/gadget.yaml", GADGET)];

/// A cluster in which a gadget was released, so that the function knows where gadgets are.
async fn released() -> Stage {
    let stage = Stage::in_sandbox(|_, _| {}).await;
    define(&stage, "gadgets", "Namespaced").await;
    release(&stage, &FILES, json!({})).await.released();
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_is_looked_up_once_while_the_function_is_warm() {
    let stage = released().await;
    assert_eq!(asked(&stage), 1);
    let larger = GADGET.replace("size: 3", "size: 4");
    let files = [("k8s/gadget.yaml", &*larger)];
    let plan = json!({"mode": "plan"});
    release(&stage, &files, plan).await.released();
    release(&stage, &files, json!({})).await.released();
    assert_eq!(asked(&stage), 1);
    let live = stage.cluster.object("gadgets.example.com", "one").await;
    assert_eq!(live.unwrap()["spec"]["size"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_is_elsewhere_now_is_looked_up_again_and_no_fault() {
    let stage = released().await;
    // Somebody has renamed it, and then widened it to the whole cluster.
    undefine(&stage, "gadgets");
    define(&stage, "widgets", "Namespaced").await;
    let (summary, _) = release(&stage, &FILES, json!({})).await.released();
    let live = stage.cluster.object("widgets.example.com", "one").await;
    assert!(live.is_some(), "{summary}");
    undefine(&stage, "widgets");
    define(&stage, "gizmos", "Cluster").await;
    let (summary, _) = release(&stage, &FILES, json!({})).await.released();
    let has = |world: &mut World| world.object("gizmos.example.com", "", "one").is_some();
    let is_there = stage.sandbox().world(|world, _| has(world));
    assert!(is_there, "{summary}");
    assert_eq!(asked(&stage), 3);
}

/// What is not served any more is asked for once, and told as what it is.
#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_is_gone_is_a_fault_and_is_found_when_it_is_back() {
    let stage = released().await;
    undefine(&stage, "gadgets");
    let (kind, message) = release(&stage, &FILES, json!({})).await.failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("example.com/v1"), "{message}");
    assert_eq!(message.matches("Gadget/one").count(), 1, "{message}");
    assert_eq!(asked(&stage), 2);
    define(&stage, "gadgets", "Namespaced").await;
    release(&stage, &FILES, json!({})).await.released();
    assert_eq!(asked(&stage), 3);
}

/// Its scope and its plural may be others than those that were remembered.
#[tokio::test(flavor = "multi_thread")]
async fn a_kind_that_the_release_brings_is_as_its_definition_says() {
    let stage = released().await;
    undefine(&stage, "gadgets");
    let new = definition("widgets", "Namespaced").to_string();
    let files = [("k8s/gadget.yaml", GADGET), ("k8s/new.yaml", &*new)];
    let (summary, _) = release(&stage, &files, json!({"force": true}))
        .await
        .released();
    let live = stage.cluster.object("widgets.example.com", "one").await;
    assert!(live.is_some(), "{summary}");
    assert_eq!(asked(&stage), 1);
    // What the release brought is not remembered, and what another one needs of it is asked for.
    let other = GADGET.replace("name: one", "name: two");
    let files = [("k8s/gadget.yaml", &*other)];
    let more = json!({"release": "others"});
    release(&stage, &files, more).await.released();
    assert_eq!(asked(&stage), 2);
}

/// Whether it is gone with its definition, or there in another version, is not known.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_served_any_more_is_not_said_to_be_deleted() {
    let stage = released().await;
    undefine(&stage, "gadgets");
    let config = settings("info");
    let files = [("k8s/config.yaml", &*config)];
    for mode in ["plan", "deploy"] {
        let more = json!({"prune": true, "mode": mode});
        let (summary, _) = release(&stage, &files, more).await.released();
        let said = "the cluster does not serve its kind in `example.com/v1` any more";
        assert!(summary.contains(said), "{summary}");
        assert!(!summary.contains("1 deleted"), "{summary}");
    }
}

/// What the real API server says where the definition lacks the version of the last apply, or that
/// version a field.
const OTHER_VERSION: &str =
    "request to convert CR to an invalid group/version: example.com/v1alpha1";

/// What we applied is noted in an earlier version of the kind.
fn note_earlier_version(stage: &Stage) {
    stage.sandbox().world(|world, now| {
        let live = world.object("gadgets.example.com", "default", "one");
        let mut live = live.cloned().unwrap();
        live["metadata"]["managedFields"][0]["apiVersion"] = json!("example.com/v1alpha1");
        world.apply(live, now);
    });
}

/// How often our own entry was written in the version of the manifest.
fn noted_in_ours(stage: &Stage) -> usize {
    let writes = stage.writes().unwrap().into_iter();
    let notes = writes.filter_map(|write| {
        let patch = write.body?;
        let note = patch.as_array()?.first()?.clone();
        (note["path"] == "/metadata/managedFields").then(|| note["value"].to_string())
    });
    let ours = notes.filter(|note| note.contains("\"example.com/v1\""));
    ours.filter(|note| !note.contains("v1alpha1")).count()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_object_that_moves_to_another_version_cannot_be_tried_and_is_applied() {
    let stage = released().await;
    note_earlier_version(&stage);
    stage.sandbox().world(|world, _| {
        world.refuse(Refusal {
            method: Some("PATCH".to_owned()),
            resource: "gadgets".to_owned(),
            having: String::new(),
            trials_only: true,
            skip: 0,
            from: None,
            until: None,
            status: 500,
            reason: String::new(),
            message: OTHER_VERSION.to_owned(),
        });
    });
    let larger = GADGET.replace("size: 3", "size: 4");
    let files = [("k8s/gadget.yaml", &*larger)];
    let plan = json!({"mode": "plan"});
    let (summary, _) = release(&stage, &files, plan).await.released();
    let said = "it moves to another version of its kind";
    assert!(summary.contains(said), "{summary}");
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    let live = stage.cluster.object("gadgets.example.com", "one").await;
    assert_eq!(live.unwrap()["spec"]["size"], 4, "{summary}");
    assert_eq!(noted_in_ours(&stage), 1, "{summary}");
}

/// Somebody changed the definition after the dry run.
#[tokio::test(flavor = "multi_thread")]
async fn an_object_whose_apply_is_refused_in_another_version_is_moved_to_ours() {
    let stage = released().await;
    note_earlier_version(&stage);
    let body = json!({"apiVersion": "v1", "kind": "Status", "status": "Failure", "code": 500,
        "message": OTHER_VERSION});
    stage.sandbox().world(|world, _| {
        let refused = Fault::Odd {
            status: 500,
            header: None,
            body: body.to_string(),
        };
        // The dry run is let through, and every attempt of the first apply is refused.
        let apply = On::method("PATCH").path("/gadgets/one").skip(1);
        world.fault(apply, refused, ATTEMPTS);
    });
    let larger = GADGET.replace("size: 3", "size: 4");
    let files = [("k8s/gadget.yaml", &*larger)];
    let (summary, _) = release(&stage, &files, json!({})).await.released();
    let writes = stage.writes().unwrap();
    let refused = writes.iter().filter(|seen| seen.status == 500);
    assert_eq!(refused.count(), ATTEMPTS as usize, "{summary}");
    let live = stage.cluster.object("gadgets.example.com", "one").await;
    assert_eq!(live.unwrap()["spec"]["size"], 4, "{summary}");
    assert_eq!(noted_in_ours(&stage), 1, "{summary}");
}

/// It is there in the newer version, as the failed release left it.
#[tokio::test(flavor = "multi_thread")]
async fn a_former_version_that_is_not_served_is_no_deletion_on_the_way_back() {
    let stage = released().await;
    let newer = stage.sandbox().world(|world, _| {
        let name = "gadgets.example.com";
        world.object("customresourcedefinitions", "", name).cloned()
    });
    let mut newer = newer.unwrap();
    let mut version = newer["spec"]["versions"][0].clone();
    version["name"] = json!("v2");
    newer["spec"]["versions"] = json!([version]);
    install(&stage, newer).await;
    let gadget = GADGET.replace("example.com/v1", "example.com/v2");
    let gadget = gadget.replace("size: 3", "size: 4");
    let web = web("web", NEVER);
    let files = [("k8s/gadget.yaml", &*gadget), ("k8s/web.yaml", &*web)];
    let fails = json!({"timeout": "3s", "patience": "0s"});
    let (_, message) = release(&stage, &files, fails).await.failure();
    let said = "the cluster does not serve its kind in `example.com/v1` any more";
    assert!(message.contains(said), "{message}");
    assert!(!message.contains("deleted it since"), "{message}");
    let live = stage.cluster.object("gadgets.example.com", "one").await;
    assert_eq!(live.unwrap()["spec"]["size"], 4, "{message}");
}
