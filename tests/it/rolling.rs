//! Deploys that go well.

use crate::stage::{OLD_IMAGE, Stage, demo_app};
use landfall_sandbox::world::sample_autoscaler;
use serde_json::{Value, json};

const NEW_IMAGE: &str = "registry.example.com:5000/demo-app:2.0.0";

pub fn manifest() -> Value {
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "demo-app", "labels": {"app": "demo-app"}},
        "spec": {
            "selector": {"matchLabels": {"app": "demo-app"}},
            "template": {
                "metadata": {"labels": {"app": "demo-app"}},
                "spec": {"containers": [{
                    "name": "app", "image": NEW_IMAGE,
                    "resources": {"requests": {"cpu": "0.5", "memory": "1024Mi"}}
                }]}
            }
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_is_rolled_out_and_seen_serving() {
    let stage = Stage::new().await;
    let ended = stage
        .deploy(
            json!({"deployment": "demo-app", "images": {"app": NEW_IMAGE}, "execution": "run-7"}),
        )
        .await;
    let (summary, variables) = ended.success();
    assert!(
        summary.starts_with(&format!(
            "Deployment `demo-app` in `default` runs revision 2 ({NEW_IMAGE}): \
             2 of 2 pods available"
        )),
        "{summary}"
    );
    assert_eq!(variables["Revision"], "2");
    assert_eq!(variables["PreviousRevision"], "1");
    assert_eq!(variables["Image"], NEW_IMAGE);
    assert_eq!(variables["Strategy"], "rolling");
    assert!(variables["DurationSeconds"].parse::<u32>().unwrap() < 30);
    assert_eq!(stage.ready_images().await, [NEW_IMAGE, NEW_IMAGE]);
    let deployment = stage.deployment().await;
    assert_eq!(
        deployment["metadata"]["annotations"]["landfall/execution"],
        "run-7"
    );
    stage.wrote(&["PATCH"]);
    let Some(writes) = stage.writes() else { return };
    let body = writes[0].body.clone().unwrap();
    assert_eq!(
        body["spec"],
        json!({"template": {"spec": {"containers": [{"name": "app", "image": NEW_IMAGE}]}}})
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_is_set_and_another_removed() {
    let stage = Stage::new().await;
    stage
        .deploy(json!({"deployment": "demo-app", "env": {"DEMO_GREETING": null, "NEW": "x"}}))
        .await
        .success();
    assert_eq!(
        stage.container().await["env"],
        json!([{"name": "NEW", "value": "x"}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_variable_from_a_secret_becomes_a_plain_one() {
    let stage = {
        let mut deployment = demo_app(600);
        deployment["spec"]["template"]["spec"]["containers"][0]["env"] = json!([{"name": "MODE",
            "valueFrom": {"configMapKeyRef": {"name": "c", "key": "k"}}}]);
        Stage::given([deployment]).await
    };
    stage
        .deploy(json!({"deployment": "demo-app", "env": {"MODE": "fast"}}))
        .await
        .success();
    assert_eq!(
        stage.container().await["env"],
        json!([{"name": "MODE", "value": "fast"}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_named_container_gets_the_variable() {
    let stage = {
        let mut deployment = demo_app(600);
        let containers = &mut deployment["spec"]["template"]["spec"]["containers"];
        let sidecar = json!({"name": "sidecar", "image": "s:1"});
        containers.as_array_mut().unwrap().push(sidecar);
        Stage::given([deployment]).await
    };
    stage
        .deploy(json!({"deployment": "demo-app", "env": {"A": "1"}, "container": "sidecar"}))
        .await
        .success();
    let containers = stage.deployment().await["spec"]["template"]["spec"]["containers"].take();
    assert_eq!(containers[1]["env"], json!([{"name": "A", "value": "1"}]));
    assert_eq!(containers[0]["env"].as_array().unwrap().len(), 1);
    stage
        .deploy(json!({"deployment": "demo-app", "env": {"B": "2"}}))
        .await
        .success();
    let containers = stage.deployment().await["spec"]["template"]["spec"]["containers"].take();
    for container in containers.as_array().unwrap() {
        let variables = container["env"].as_array().unwrap();
        assert!(
            variables.contains(&json!({"name": "B", "value": "2"})),
            "{container}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_to_change_is_a_success_without_a_write() {
    let stage = Stage::new().await;
    let ended = stage
        .deploy(json!({"deployment": "demo-app", "images": {"app": OLD_IMAGE}}))
        .await;
    let (summary, variables) = ended.success();
    assert!(
        summary.contains("already ran this version, so nothing was changed"),
        "{summary}"
    );
    assert_eq!(
        (&*variables["Revision"], &*variables["PreviousRevision"]),
        ("1", "1")
    );
    stage.wrote(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_rolls_the_pods_where_nothing_changed() {
    let stage = Stage::new().await;
    let ended = stage
        .deploy(json!({"deployment": "demo-app", "restart": true}))
        .await;
    let (_, variables) = ended.success();
    assert_eq!(variables["Revision"], "2");
    let annotations =
        stage.deployment().await["spec"]["template"]["metadata"]["annotations"].take();
    assert!(annotations["kubectl.kubernetes.io/restartedAt"].is_string());
    assert_eq!(stage.image().await, OLD_IMAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn put_replaces_the_object_and_keeps_the_live_replicas() {
    let stage = {
        let mut deployment = demo_app(600);
        deployment["spec"]["replicas"] = json!(3);
        Stage::given([deployment]).await
    };
    let ended = stage
        .deploy(json!({"manifest": manifest(), "execution": "run-8"}))
        .await;
    let (_, variables) = ended.success();
    assert_eq!(variables["Deployment"], "demo-app");
    assert_eq!(variables["Revision"], "2");
    let deployment = stage.deployment().await;
    assert_eq!(deployment["spec"]["replicas"], 3);
    assert_eq!(
        stage.container().await.get("env"),
        None,
        "the whole object is replaced"
    );
    stage.wrote(&["PUT"]);
    for write in stage.writes().into_iter().flatten() {
        assert!(write.body.unwrap()["metadata"]["resourceVersion"].is_string());
    }
    assert_eq!(stage.ready_images().await.len(), 3);
    // The same again changes nothing, whichever way.
    for method in ["put", "patch"] {
        let ended = stage
            .deploy(json!({"manifest": manifest(), "execution": "run-9", "method": method}))
            .await;
        let (summary, variables) = ended.success();
        assert!(summary.contains("already ran this version"), "{summary}");
        assert_eq!(variables["Revision"], "2");
    }
    stage.wrote(&["PUT"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn put_leaves_the_replicas_of_an_autoscaler_alone() {
    let stage = {
        let mut deployment = demo_app(600);
        deployment["spec"]["replicas"] = json!(4);
        Stage::given([deployment, sample_autoscaler("demo-app", 2, 10)]).await
    };
    let mut manifest = manifest();
    manifest["spec"]["replicas"] = json!(1);
    stage.deploy(json!({"manifest": manifest})).await.success();
    assert_eq!(stage.deployment().await["spec"]["replicas"], 4);
}

#[tokio::test(flavor = "multi_thread")]
async fn put_sets_the_replicas_of_a_manifest_that_nobody_else_scales() {
    let stage = Stage::given([demo_app(600), sample_autoscaler("another", 2, 10)]).await;
    let mut manifest = manifest();
    manifest["spec"]["replicas"] = json!(3);
    stage.deploy(json!({"manifest": manifest})).await.success();
    assert_eq!(stage.deployment().await["spec"]["replicas"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn put_creates_what_is_missing() {
    let stage = Stage::given([]).await;
    let ended = stage
        .deploy(json!({"manifest": manifest(), "images": {"app": "other:1"}, "env": {"A": "b"}}))
        .await;
    let (_, variables) = ended.success();
    assert_eq!(
        (&*variables["Revision"], &*variables["PreviousRevision"]),
        ("1", "")
    );
    assert_eq!(stage.image().await, "other:1");
    assert_eq!(
        stage.container().await["env"],
        json!([{"name": "A", "value": "b"}])
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_manifest_can_be_patched_in_as_well() {
    let stage = Stage::new().await;
    stage
        .deploy(json!({"manifest": manifest(), "method": "patch"}))
        .await
        .success();
    assert_eq!(stage.image().await, NEW_IMAGE);
    let env = stage.container().await["env"].take();
    assert_eq!(
        env[0]["name"], "DEMO_GREETING",
        "what it does not name stays"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_autoscaler_that_scales_meanwhile_is_no_other_deploy() {
    const SLOW_IMAGE: &str = "registry.example.com/demo-app:2.0.0-after-1500ms";
    let stage = Stage::new().await;
    let scale = async {
        stage.written().await;
        stage.cluster.scale(5).await;
    };
    let deploy = stage.deploy(json!({"deployment": "demo-app", "images": {"app": SLOW_IMAGE}}));
    let (ended, ()) = tokio::join!(deploy, scale);
    ended.success();
    assert_eq!(stage.deployment().await["spec"]["replicas"], 5);
    assert_eq!(stage.ready_images().await, [SLOW_IMAGE; 5]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_warm_function_keeps_token_and_connection() {
    let stage = Stage::new().await;
    for image in ["a:1", "a:2", "a:3"] {
        stage
            .deploy(json!({"deployment": "demo-app", "images": {"app": image}}))
            .await
            .success();
    }
    // By a token or by IAM.
    let sources = ["AmazonSSM.GetParameters", "EKS.DescribeCluster"];
    let calls = stage.aws.calls();
    let fetched = calls.iter().filter(|call| sources.contains(&&*call.target));
    assert_eq!(fetched.count(), 1);
}
