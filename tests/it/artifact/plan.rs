//! Plans: what a deploy would change.

use crate::artifact::{NEW_IMAGE, manifest};
use crate::stage::{OLD_IMAGE, Stage, demo_app};
use landfall_sandbox::world::sample_service;
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_tells_the_difference_and_writes_nothing() {
    let stage = Stage::new().await;
    let parameters = |image: &str| {
        json!({"deployment": "demo-app", "images": {"app": image}, "mode": "plan",
            "env": {"PASSWORD": "env-value-5ecret"}, "container": "app", "execution": "run-7"})
    };
    let (summary, variables) = stage.deploy(parameters(NEW_IMAGE)).await.success();
    insta::assert_snapshot!(summary, @r#"
        Plan: 2 things would change in Deployment `demo-app` in `default`. Nothing was written.
        + spec.template.spec.containers[app].env[PASSWORD]: {"name":"PASSWORD","value":"(hidden)"}
        spec.template.spec.containers[app].image: registry.example.com/demo-app:1.0.0 → registry.example.com/demo-app:2.0.0
        "#);
    assert_eq!(variables["Mode"], "plan");
    assert_eq!(variables["ChangeCount"], "2");
    assert_eq!(variables["Image"], NEW_IMAGE);
    let all = format!("{variables:?}");
    assert!(
        variables["Changes"].contains("(hidden)") && !all.contains("5ecret"),
        "{all}"
    );
    let same = json!({"deployment": "demo-app", "images": {"app": OLD_IMAGE}, "mode": "plan"});
    let (summary, variables) = stage.deploy(same).await.success();
    insta::assert_snapshot!(summary, @r#"Plan: nothing would change in Deployment `demo-app` in `default`. Nothing was written."#);
    assert_eq!(variables["Changes"], "");
    // What the API server would refuse is known before.
    let mut wrong = manifest(&stage, NEW_IMAGE);
    wrong["spec"]["template"]["spec"]["containers"][0]["imagePulPolicy"] = json!("Always");
    let wrong = json!({"manifest": wrong, "mode": "plan"});
    let (kind, message) = stage.deploy(wrong).await.failure();
    assert_eq!(kind, "ConfigurationError");
    assert!(message.contains("imagePulPolicy"), "{message}");
    let restart = json!({"deployment": "demo-app", "restart": true, "mode": "plan"});
    let (summary, _) = stage.deploy(restart).await.success();
    assert!(summary.contains("1 thing would change"), "{summary}");
    assert!(summary.contains("restartedAt"), "{summary}");
    assert_eq!(stage.image().await, OLD_IMAGE);
    let deployment = stage.deployment().await;
    assert!(
        deployment["metadata"]["annotations"]["landfall/job"].is_null(),
        "{deployment:#}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_something_new_tells_it_whole() {
    let stage = Stage::given([]).await;
    let plan = json!({"manifest": manifest(&stage, NEW_IMAGE), "mode": "plan"});
    let (summary, _) = stage.deploy(plan).await.success();
    assert!(
        summary.contains("`demo-app` in `default` would be created"),
        "{summary}"
    );
    assert!(summary.contains(NEW_IMAGE), "{summary}");
    assert_eq!(stage.cluster.deployment().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_of_a_switch_tells_what_the_newcomer_brings() {
    for strategy in ["blueGreen", "immutable"] {
        let stage = Stage::given([demo_app(600), sample_service("demo-app")]).await;
        crate::blue_green::endpoints_are_known(&stage).await;
        let mut parameters = crate::blue_green::switch(strategy, NEW_IMAGE);
        parameters["mode"] = json!("plan");
        let (summary, variables) = stage.deploy(parameters).await.success();
        let line = format!("containers[app].image: {OLD_IMAGE} → {NEW_IMAGE}");
        assert!(summary.contains(&line), "{summary}");
        assert!(summary.contains("switches Service `demo-app`"), "{summary}");
        assert_eq!(variables["ChangeCount"], "1", "{variables:?}");
        assert_eq!(stage.image().await, OLD_IMAGE);
        let service = crate::blue_green::service(&stage).await;
        assert!(
            service["metadata"]["annotations"]["landfall/lock"].is_null(),
            "{service:#}"
        );
        assert_eq!(stage.cluster.objects("deployments").await.len(), 1);
    }
}
