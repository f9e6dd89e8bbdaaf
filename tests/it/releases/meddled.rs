//! What somebody else changes while a release is at work, by hand or by another release: it stays.

use super::others::lock;
use super::{GOOD, NEVER, image, object, release, release_in, settings, web};
use crate::stage::{SHORT, Stage, TOKEN};
use landfall_sandbox::world::{self, Reply, World};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

/// Its pods take two seconds.
const SLOW: &str = "registry.example.com/web:2.1.0-after-2s";

/// In a real cluster the prober of `kills` does the same.
async fn cluster() -> Stage {
    Stage::in_sandbox(|_, _| {}).await
}

/// What a person does to an object, by `kubectl`.
fn edit(stage: &Stage, resource: &str, name: &str, change: impl FnOnce(&mut Value)) {
    stage.sandbox().world(|world: &mut World, now| {
        let mut object = world.object(resource, "default", name).cloned().unwrap();
        change(&mut object);
        world.apply(object, now);
    });
}

/// A release of a second version, in the middle of whose rollout something is done to it.
async fn upgraded(
    stage: &Stage,
    image_of_web: &str,
    parameters: Value,
    meddle: impl AsyncFnOnce(),
) -> crate::stage::Ended {
    let (config, old) = (settings("info"), web("web", GOOD));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*old)];
    release(stage, &files, json!({})).await.released();
    let added = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: added}\ndata: {A: '1'}\n";
    let (config, new) = (settings("debug"), web("web", image_of_web));
    let files = [
        ("k8s/config.yaml", &*config),
        ("k8s/web.yaml", &*new),
        ("k8s/added.yaml", added),
    ];
    let meddle = async {
        while image(stage, "web").await != image_of_web {
            sleep(Duration::from_millis(20)).await;
        }
        // By then Landfall has checked the objects that are not workloads.
        sleep(Duration::from_millis(300)).await;
        meddle().await;
    };
    tokio::join!(release(stage, &files, parameters), meddle).0
}

/// The containers of the pods of a workload end by an error, and are started again.
fn end_once(stage: &Stage, workload: &str) {
    stage.sandbox().world(|world: &mut World, now| {
        let pods = world.objects("pods").into_iter().cloned();
        for mut pod in pods.collect::<Vec<_>>() {
            let name = pod["metadata"]["name"].as_str().unwrap().to_owned();
            if !name.starts_with(workload) {
                continue;
            }
            let mut statuses = pod["status"]["containerStatuses"].take();
            let before = statuses[0]["restartCount"].as_u64().unwrap_or_default();
            statuses[0]["restartCount"] = (before + 1).into();
            statuses[0]["lastState"] = json!({"terminated": {"exitCode": 1, "reason": "Error"}});
            let request = world::Request {
                method: "PATCH".to_owned(),
                path: format!("/api/v1/namespaces/default/pods/{name}/status"),
                content_type: Some("application/merge-patch+json".to_owned()),
                authorization: Some(format!("Bearer {TOKEN}")),
                certificate: None,
                user_agent: None,
                body: json!({"status": {"containerStatuses": statuses}})
                    .to_string()
                    .into_bytes(),
            };
            let reply = world.answer(&request, now);
            let done = matches!(&reply, Reply::Answer(it) if it.status == 200);
            assert!(done, "{reply:?}");
        }
    });
}

/// What the pods of a workload do that the release did not change counts, too, over all
/// invocations of the bake: none of them sees more than a few ends.
#[tokio::test(flavor = "multi_thread")]
async fn ends_of_containers_are_counted_over_the_whole_bake() {
    let stage = cluster().await;
    let (web, api) = (web("web", GOOD), web("api", GOOD));
    let files = |settings| {
        let files: [(&str, &str); 3] = [
            ("k8s/web.yaml", &*web),
            ("k8s/api.yaml", &*api),
            ("k8s/config.yaml", settings),
        ];
        files
    };
    let (old, new) = (settings("info"), settings("debug"));
    release(&stage, &files(&old), json!({})).await.released();
    let ends = async {
        let level = async || object(&stage, "configmaps", "settings").await.unwrap();
        while level().await["data"]["LEVEL"] != "debug" {
            sleep(Duration::from_millis(20)).await;
        }
        sleep(Duration::from_secs(4)).await;
        for _ in 0..4 {
            end_once(&stage, "api");
            sleep(Duration::from_millis(700)).await;
        }
    };
    let files = files(&new);
    let ended = release_in(SHORT, &stage, &files, json!({"bake": "10s"}));
    let (_, message) = tokio::join!(ended, ends).0.failure();
    let told = "together the pods of `api` have ended 8 times during the bake";
    assert!(message.contains(told), "{message}");
    assert!(!message.contains("new version"), "{message}");
}

fn short() -> Value {
    json!({"timeout": "5s"})
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changed_is_not_taken_back() {
    let stage = cluster().await;
    let ended = upgraded(&stage, NEVER, short(), async || {
        edit(&stage, "configmaps", "settings", |config| {
            config["data"]["LEVEL"] = json!("theirs");
        });
        edit(&stage, "configmaps", "added", |config| {
            config["data"]["A"] = json!("theirs");
        });
    });
    let (kind, message) = ended.await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    let config = object(&stage, "configmaps", "settings").await.unwrap();
    assert_eq!(config["data"]["LEVEL"], "theirs", "{message}");
    let added = object(&stage, "configmaps", "added").await.unwrap();
    assert_eq!(added["data"]["A"], "theirs", "{message}");
    assert_eq!(image(&stage, "web").await, GOOD, "{message}");
    for said in [
        "rolled back only in part",
        "`ConfigMap/settings`",
        "`ConfigMap/added`",
        "(`kubectl` has changed it since)",
    ] {
        assert!(message.contains(said), "{said}: {message}");
    }
}

/// Labels, other keys and the number of pods are no version.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_added_or_scaled_is_taken_back_around_it() {
    let stage = cluster().await;
    let ended = upgraded(&stage, NEVER, short(), async || {
        edit(&stage, "configmaps", "settings", |config| {
            config["metadata"]["labels"]["seen"] = json!("yes");
            config["data"]["THEIRS"] = json!("1");
        });
        edit(&stage, "configmaps", "added", |config| {
            config["metadata"]["labels"]["seen"] = json!("yes");
        });
        let world = stage.sandbox();
        world.world(|world: &mut World, now| world.scale("default", "web", 3, now));
    });
    let (kind, message) = ended.await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.contains("was rolled back to revision 1"),
        "{message}"
    );
    let config = object(&stage, "configmaps", "settings").await.unwrap();
    assert_eq!(config["data"]["LEVEL"], "info", "{message}");
    assert_eq!(config["data"]["THEIRS"], "1", "{message}");
    assert!(
        object(&stage, "configmaps", "added").await.is_none(),
        "{message}"
    );
    assert_eq!(image(&stage, "web").await, GOOD, "{message}");
    let live = object(&stage, "deployments", "web").await.unwrap();
    assert_eq!(live["spec"]["replicas"], 3, "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_deleted_stays_away() {
    let stage = cluster().await;
    let ended = upgraded(&stage, NEVER, short(), async || {
        stage.cluster.remove("configmaps", "settings").await;
    });
    let (_, message) = ended.await.failure();
    assert!(
        object(&stage, "configmaps", "settings").await.is_none(),
        "{message}"
    );
    assert!(
        message.contains("someone else has deleted it since"),
        "{message}"
    );
    assert_eq!(image(&stage, "web").await, GOOD, "{message}");
}

/// What is changed while the workloads are followed is seen before the release is said to serve.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_changes_during_the_rollout_is_no_success() {
    let stage = cluster().await;
    let ended = upgraded(&stage, SLOW, json!({}), async || {
        edit(&stage, "configmaps", "settings", |config| {
            config["data"]["LEVEL"] = json!("theirs");
        });
    });
    let (kind, message) = ended.await.failure();
    assert_eq!(kind, "RevisionOutOfSync", "{message}");
    for said in ["`kubectl` changed", "data.LEVEL", "`ConfigMap/settings`"] {
        assert!(message.contains(said), "{said}: {message}");
    }
    let config = object(&stage, "configmaps", "settings").await.unwrap();
    assert_eq!(config["data"]["LEVEL"], "theirs", "{message}");
    let stage = cluster().await;
    let ended = upgraded(&stage, SLOW, json!({}), async || {
        stage.cluster.remove("configmaps", "added").await;
    });
    let (kind, message) = ended.await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.contains("someone else deleted `ConfigMap/added`"),
        "{message}"
    );
}

/// What this release did not set is nobody's fault, and with `force` neither is what it set.
#[tokio::test(flavor = "multi_thread")]
async fn what_somebody_adds_during_the_rollout_is_no_failure() {
    let stage = cluster().await;
    let ended = upgraded(&stage, SLOW, json!({}), async || {
        edit(&stage, "configmaps", "settings", |config| {
            config["metadata"]["labels"]["seen"] = json!("yes");
            config["data"]["THEIRS"] = json!("1");
        });
    });
    ended.await.released();
    let stage = cluster().await;
    let ended = upgraded(&stage, SLOW, json!({"force": true}), async || {
        edit(&stage, "configmaps", "settings", |config| {
            config["data"]["LEVEL"] = json!("theirs");
        });
    });
    ended.await.released();
}

/// Whoever restarts the pods in the middle does not change what was asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_in_the_middle_is_followed_on() {
    let stage = cluster().await;
    let restart = |web: &mut Value| {
        web["spec"]["template"]["metadata"]["annotations"]["kubectl.kubernetes.io/restartedAt"] =
            json!("2026-01-01T00:00:00Z");
    };
    let ended = upgraded(&stage, SLOW, json!({}), async || {
        edit(&stage, "deployments", "web", restart);
    });
    let (summary, _) = ended.await.released();
    assert_eq!(image(&stage, "web").await, SLOW, "{summary}");
}

/// The lock has expired, or somebody has broken it: the release is another execution's now.
#[tokio::test(flavor = "multi_thread")]
async fn a_release_that_was_taken_over_in_the_middle_is_not_reported_as_done() {
    let stage = cluster().await;
    let take_over = async || lock(&stage, Some("run-9")).await;
    let ended = upgraded(&stage, SLOW, json!({}), take_over).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "RevisionOutOfSync", "{message}");
    assert!(message.contains("run-9"), "{message}");
    let parent = object(&stage, "secrets", "landfall.shop").await.unwrap();
    let lock = parent["metadata"]["annotations"]["landfall/lock"].to_string();
    assert!(lock.contains("run-9"), "{lock}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_overwrites_no_later_release() {
    let stage = cluster().await;
    let take_over = async || lock(&stage, Some("run-9")).await;
    let ended = upgraded(&stage, NEVER, short(), take_over).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    let said = "execution `run-9` has deployed this release since";
    assert!(message.contains(said), "{message}");
    assert_eq!(image(&stage, "web").await, NEVER, "{message}");
    let config = object(&stage, "configmaps", "settings").await.unwrap();
    assert_eq!(config["data"]["LEVEL"], "debug", "{message}");
}

/// Its pods go with it, so that nothing serves; that is the first thing to say, and is counted.
#[tokio::test(flavor = "multi_thread")]
async fn a_workload_that_somebody_deletes_in_the_middle_is_an_outage() {
    let stage = cluster().await;
    let ended = upgraded(&stage, SLOW, json!({}), async || {
        stage.cluster.remove("deployments", "web").await;
    });
    let (kind, message) = ended.await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    let first = "Outage: no pod of `Deployment/web` serves. ";
    assert!(message.starts_with(first), "{message}");
    assert!(object(&stage, "deployments", "web").await.is_none());
    stage.logged(r#""Outages":1"#).await;
}

/// One that is new with the release has never served.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_workload_that_somebody_deletes_is_no_outage() {
    let stage = cluster().await;
    let (config, new) = (settings("info"), web("web", SLOW));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*new)];
    let meddle = async {
        while object(&stage, "deployments", "web").await.is_none() {
            sleep(Duration::from_millis(20)).await;
        }
        sleep(Duration::from_millis(300)).await;
        stage.cluster.remove("deployments", "web").await;
    };
    let (ended, ()) = tokio::join!(release(&stage, &files, json!({})), meddle);
    let (_, message) = ended.failure();
    assert!(!message.contains("Outage"), "{message}");
    stage.logged(r#""Outages":0"#).await;
}
