//! The Secrets of a release, deleted or damaged by somebody.

use super::others::level;
use super::returned::at;
use super::{GOOD, empty, object, release, settings, web};
use crate::stage::Stage;
use reqwest::Method;
use serde_json::{Value, json};

/// Releases three revisions, of which the last one has another ConfigMap.
async fn three(stage: &Stage) {
    at(stage, "run-1", "info", GOOD).await;
    at(stage, "run-2", "debug", GOOD).await;
    let (config, web) = (settings("error"), web("web", GOOD));
    let more = config.replace("settings", "more");
    let files = [
        ("k8s/config.yaml", &*config),
        ("k8s/web.yaml", &*web),
        ("k8s/more.yaml", &*more),
    ];
    let last = json!({"execution": "run-3"});
    release(stage, &files, last).await.released();
}

async fn last(stage: &Stage, more: Value) -> String {
    let (config, web) = (settings("trace"), web("web", GOOD));
    let files = [("k8s/config.yaml", &*config), ("k8s/web.yaml", &*web)];
    let mut parameters = json!({"execution": "run-4", "prune": true});
    for (name, value) in more.as_object().into_iter().flatten() {
        parameters[name] = value.clone();
    }
    release(stage, &files, parameters).await.released().0
}

/// Its records tell how far it came, so that what is new gets a number of its own.
#[tokio::test(flavor = "multi_thread")]
async fn a_parent_that_was_deleted_alone_is_made_again_from_its_records() {
    let stage = empty().await;
    three(&stage).await;
    // As if there had been many before.
    stage.cluster.remove("secrets", "landfall.shop.v1").await;
    stage.cluster.remove("secrets", "landfall.shop").await;
    let summary = last(&stage, json!({"mode": "plan"})).await;
    assert!(summary.contains("would become revision 4"), "{summary}");
    assert!(summary.contains("- ConfigMap/more: deleted"), "{summary}");
    let summary = last(&stage, json!({})).await;
    assert!(summary.contains("serves as revision 4"), "{summary}");
    assert_eq!(object(&stage, "configmaps", "more").await, None);
    let back = json!({"release": "shop", "mode": "rollback", "execution": "run-5"});
    stage.cluster.remove("secrets", "landfall.shop").await;
    let (summary, _) = stage.deploy(back).await.released();
    assert!(
        summary.contains("from revision 4 to revision 3"),
        "{summary}"
    );
    assert_eq!(level(&stage).await, "error", "{summary}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_lost_is_told_before_the_approval() {
    for damaged in [false, true] {
        let stage = empty().await;
        three(&stage).await;
        let name = "landfall.shop.v3";
        match damaged {
            true => {
                let mut record = object(&stage, "secrets", name).await.unwrap();
                record["data"]["release"] = json!("aGVsbG8=");
                let namespace = stage.cluster.namespace();
                let path = format!("/api/v1/namespaces/{namespace}/secrets/{name}");
                let cluster = &stage.cluster;
                cluster
                    .write_as("someone", Method::PUT, &path, &record)
                    .await;
            }
            false => stage.cluster.remove("secrets", name).await,
        }
        let said = "so what only this revision had is not known and may stay, and a rollback goes \
                    to the last revision before it whose record can be read: revision 3.";
        for more in [json!({"mode": "plan"}), json!({})] {
            let summary = last(&stage, more).await;
            assert!(summary.contains(said), "{summary}");
        }
        assert!(object(&stage, "configmaps", "more").await.is_some());
        // It has a record again.
        let summary = last(&stage, json!({"mode": "plan"})).await;
        assert!(!summary.contains(said), "{summary}");
    }
}
