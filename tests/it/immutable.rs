//! Immutable deploys: a Deployment for each version. The Service is watched all along.

use crate::blue_green::{NEW_IMAGE, SICK_IMAGE, at_rest, replicas, service, stage, switch};
use serde_json::{Value, json};

#[tokio::test(flavor = "multi_thread")]
async fn versions_are_kept_brought_back_and_deleted() {
    let stage = stage().await;
    let deploy = async |image: &str| {
        let ended = stage.probed(stage.deploy(switch("immutable", image))).await;
        let (_, variables) = ended.success();
        at_rest(&stage).await;
        let name = variables["Deployment"].clone();
        let selector = service(&stage).await["spec"]["selector"].take();
        let version = name.strip_prefix("demo-app-").unwrap();
        assert_eq!(
            selector,
            json!({"app": "demo-app", "landfall/version": version})
        );
        assert_eq!(replicas(&stage, &name).await, Some(2));
        name
    };
    let first = deploy(NEW_IMAGE).await;
    let second = deploy("registry.example.com/demo-app:3.0.0").await;
    assert_eq!(replicas(&stage, &first).await, Some(0), "it is kept");
    assert_eq!(deploy(NEW_IMAGE).await, first, "it is brought back");
    assert_eq!(replicas(&stage, &second).await, Some(0));
    let third = deploy("registry.example.com/demo-app:4.0.0").await;
    assert_ne!(third, first);
    assert_eq!(replicas(&stage, &first).await, Some(0));
    assert_eq!(replicas(&stage, &second).await, None, "it is beyond `keep`");
    assert_eq!(
        replicas(&stage, "demo-app").await,
        Some(0),
        "what we did not make stays"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_never_serves_goes_to_zero_and_is_not_kept() {
    let stage = stage().await;
    let ended = stage
        .probed(stage.deploy(switch("immutable", SICK_IMAGE)))
        .await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.contains("exits with code 1"), "{message}");
    assert_eq!(
        service(&stage).await["spec"]["selector"],
        json!({"app": "demo-app"})
    );
    let names = async || {
        let all = stage.cluster.objects("deployments").await;
        let names = all
            .iter()
            .map(|it| it["metadata"]["name"].as_str().unwrap().to_owned());
        names.filter(|name| name != "demo-app").collect::<Vec<_>>()
    };
    let failed = names().await.remove(0);
    assert!(
        message.contains(&format!("`{failed}` was scaled to zero")),
        "{message}"
    );
    assert_eq!(replicas(&stage, &failed).await, Some(0));
    at_rest(&stage).await;
    let ended = stage
        .probed(stage.deploy(switch("immutable", NEW_IMAGE)))
        .await;
    let live = ended.success().1["Deployment"].clone();
    assert_eq!(names().await, [live]);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_same_again_writes_nothing() {
    let stage = stage().await;
    stage.deploy(switch("immutable", NEW_IMAGE)).await.success();
    let before = service(&stage).await["metadata"]["resourceVersion"].take();
    let ended = stage
        .probed(stage.deploy(switch("immutable", NEW_IMAGE)))
        .await;
    let (summary, _) = ended.success();
    assert!(summary.contains("nothing was changed"), "{summary}");
    assert_ne!(before, Value::Null);
    assert_eq!(service(&stage).await["metadata"]["resourceVersion"], before);
}

/// As many superseded versions stay as are asked for; the plain Deployment is none of them.
#[tokio::test(flavor = "multi_thread")]
async fn as_many_versions_are_kept_as_are_asked_for() {
    let stage = stage().await;
    let counts = [(2, 0), (2, 1), (2, 2), (2, 2), (0, 0), (3, 1)];
    for (number, (keep, kept)) in counts.into_iter().enumerate() {
        let image = format!("registry.example.com/demo-app:{}.0.0", number + 2);
        let mut parameters = switch("immutable", &image);
        parameters["keep"] = json!(keep);
        parameters["bake"] = json!("0s");
        let ended = stage.probed(stage.deploy(parameters)).await;
        let live = ended.success().1["Deployment"].clone();
        let all = stage.cluster.objects("deployments").await;
        let names = all
            .iter()
            .map(|it| it["metadata"]["name"].as_str().unwrap());
        let superseded = names.filter(|it| ![&*live, "demo-app"].contains(it));
        assert_eq!(superseded.count(), kept, "deploy {number} keeps {keep}");
        at_rest(&stage).await;
    }
}
