//! A release that takes more time than one invocation has.

use super::{GOOD, empty, image, object, release, release_in, settings, web};
use crate::stage::SHORT;
use serde_json::json;
use std::time::Duration;
use tokio::time::sleep;

/// How many invocations there were.
fn invocations(stage: &crate::stage::Stage) -> usize {
    stage.aws.invocations().len()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_release_goes_on_in_the_next_invocation() {
    let stage = empty().await;
    let slow = web("slow", "registry.example.com/slow:after-2s");
    let (config, web) = (settings("info"), web("web", GOOD));
    let files = [
        ("k8s/config.yaml", &*config),
        ("k8s/slow.yaml", &*slow),
        ("k8s/web.yaml", &*web),
    ];
    let (summary, _) = release_in(SHORT, &stage, &files, json!({}))
        .await
        .released();
    assert!(invocations(&stage) > 1, "{summary}");
    for name in ["slow", "web"] {
        let live = object(&stage, "deployments", name).await.unwrap();
        assert_eq!(live["status"]["availableReplicas"], 2, "{summary}");
        assert_eq!(live["metadata"]["generation"], 1, "{summary}");
    }
    let parent = object(&stage, "secrets", "landfall.shop").await.unwrap();
    assert!(parent["metadata"]["annotations"]["landfall/lock"].is_null());
    assert_eq!(parent["metadata"]["annotations"]["landfall/revision"], "1");
    let second = object(&stage, "secrets", "landfall.shop.v2").await;
    assert!(second.is_none(), "{second:?}");
}

/// What was begun is not said not to be there, and is taken back as far as it may be.
#[tokio::test(flavor = "multi_thread")]
async fn a_permission_that_is_taken_away_in_the_middle_ends_the_release_and_its_lock() {
    let stage = empty().await;
    let slow = web("slow", "registry.example.com/slow:never-ready");
    let config = settings("info");
    let files = [("k8s/config.yaml", &*config), ("k8s/slow.yaml", &*slow)];
    let forbid = async {
        while object(&stage, "deployments", "slow").await.is_none() {
            sleep(Duration::from_millis(20)).await;
        }
        sleep(Duration::from_millis(300)).await;
        stage.cluster.forbid("get", "configmaps").await;
    };
    let released = release_in(SHORT, &stage, &files, json!({}));
    let (ended, ()) = tokio::join!(released, forbid);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "PermissionError", "{message}");
    for said in [
        "was rolled back only in part",
        "taken away",
        "`get configmaps`",
    ] {
        assert!(message.contains(said), "{said}: {message}");
    }
    assert!(!message.contains("was not changed"), "{message}");
    let live = object(&stage, "deployments", "slow").await;
    assert!(live.is_none(), "{message}");
    let parent = object(&stage, "secrets", "landfall.shop").await.unwrap();
    assert!(parent["metadata"]["annotations"]["landfall/lock"].is_null());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_way_back_goes_on_in_the_next_invocation() {
    let stage = empty().await;
    let slow = "registry.example.com/slow:after-2s";
    let good = [settings("info"), web("slow", slow)];
    let files = [("k8s/config.yaml", &*good[0]), ("k8s/slow.yaml", &*good[1])];
    release(&stage, &files, json!({})).await.released();
    let before = invocations(&stage);
    let broken = [
        settings("debug"),
        web("slow", "registry.example.com/slow:crash"),
        web("web", GOOD),
    ];
    let files = [
        ("k8s/config.yaml", &*broken[0]),
        ("k8s/slow.yaml", &*broken[1]),
        ("k8s/web.yaml", &*broken[2]),
    ];
    let ended = release_in(SHORT, &stage, &files, json!({"patience": "0s"})).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.contains("exits with code 1"), "{message}");
    assert!(invocations(&stage) > before + 1, "{message}");
    assert_eq!(image(&stage, "slow").await, slow, "{message}");
    let live = object(&stage, "deployments", "slow").await.unwrap();
    assert_eq!(live["status"]["availableReplicas"], 2, "{message}");
    let config = object(&stage, "configmaps", "settings").await.unwrap();
    assert_eq!(config["data"]["LEVEL"], "info", "{message}");
    let new = object(&stage, "deployments", "web").await;
    assert!(new.is_none(), "{message}");
    let record = object(&stage, "secrets", "landfall.shop.v2").await.unwrap();
    let annotations = &record["metadata"]["annotations"];
    assert_eq!(annotations["landfall/status"], "failed", "{message}");
}
