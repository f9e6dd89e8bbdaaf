//! Others are at work on the same Service: another pipeline, or somebody with `kubectl`.

use crate::blue_green::{
    NEW_IMAGE, SICK_IMAGE, at_rest, endpoints_are_known, lock, replicas, service, stage, switch,
};
use crate::stage::{LIFE, OLD_IMAGE, Stage, demo_app};
use landfall_sandbox::aws::{JobResult, Outcome};
use landfall_sandbox::function::Function;
use landfall_sandbox::world::sample_service;
use serde_json::{Value, json};
use std::time::Duration;
use tokio::time::sleep;

const OTHER_IMAGE: &str = "registry.example.com/demo-app:4.0.0";
const LOOK: Duration = Duration::from_millis(10);
const PATIENCE: Duration = Duration::from_secs(90);

/// Waits until the Service has something, by a JSON pointer.
async fn has(stage: &Stage, pointer: &str, wanted: impl Fn(&Value) -> bool) {
    loop {
        let service = service(stage).await;
        if service.pointer(pointer).is_some_and(&wanted) {
            return;
        }
        sleep(LOOK).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_waited_for_until_it_is_given_up() {
    let stage = stage().await;
    let place = ["metadata", "annotations"];
    let cluster = &stage.cluster;
    cluster
        .change("services", "demo-app", place, lock(600))
        .await;
    let give_up = async {
        sleep(Duration::from_secs(2)).await;
        stage.wrote(&[]);
        let none = json!({"landfall/lock": null});
        cluster.change("services", "demo-app", place, none).await;
    };
    let deploy = stage.deploy(switch("blueGreen", NEW_IMAGE));
    let (ended, ()) = stage.probed(async { tokio::join!(deploy, give_up) }).await;
    assert_eq!(ended.success().1["Deployment"], "demo-app-blue");
    at_rest(&stage).await;
}

/// Two pipelines deploy to one Service at once: the images, and whether each succeeds.
async fn race(strategy: &str, images: [&str; 2]) {
    let stage = stage().await;
    let variables = [
        ("K8S_CLUSTER", stage.cluster.url()),
        ("K8S_CA", stage.cluster.ca()),
    ];
    let binary = crate::stage::function();
    let _second = Function::start(&binary, &stage.aws, &variables).unwrap();
    let race = async {
        let jobs = images.map(|image| {
            let mut parameters = switch(strategy, image);
            parameters["patience"] = json!("3s");
            stage.aws.submit(stage.event(&parameters), LIFE)
        });
        [
            stage.aws.outcome(&jobs[0], PATIENCE).await,
            stage.aws.outcome(&jobs[1], PATIENCE).await,
        ]
    };
    let ended = stage.probed(race).await;
    for (image, ended) in images.iter().zip(&ended) {
        match ended {
            Outcome::Succeeded(report) => {
                assert!(!image.contains("crash"));
                let JobResult::Success {
                    output_variables, ..
                } = &report.result
                else {
                    panic!("{report:?}");
                };
                assert_eq!(output_variables["Image"], *image);
            }
            Outcome::Failed(report) => {
                assert!(image.contains("crash"), "{report:?}\n{}", stage.log());
            }
            other => panic!("{image}: {other:?}\n{}", stage.log()),
        }
    }
    let selector = service(&stage).await["spec"]["selector"].take();
    let live = format!(
        "demo-app-{}",
        selector["landfall/version"].as_str().unwrap()
    );
    let live = stage.cluster.object("deployments", &live).await.unwrap();
    let serving = &live["spec"]["template"]["spec"]["containers"][0]["image"];
    assert!(
        images
            .iter()
            .any(|it| serving == it && !it.contains("crash"))
    );
    let all = stage.cluster.objects("deployments").await.into_iter();
    let running = all.filter(|it| it["spec"]["replicas"] != 0).count();
    assert_eq!(running, 1);
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pipelines_deploy_one_after_the_other() {
    race("blueGreen", [NEW_IMAGE, OTHER_IMAGE]).await;
    race("immutable", [NEW_IMAGE, OTHER_IMAGE]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_pipelines_may_deploy_the_same() {
    race("blueGreen", [NEW_IMAGE, NEW_IMAGE]).await;
    race("immutable", [NEW_IMAGE, NEW_IMAGE]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pipeline_whose_version_fails_does_not_keep_the_other_from_its_deploy() {
    race("blueGreen", [SICK_IMAGE, NEW_IMAGE]).await;
    race("immutable", [SICK_IMAGE, NEW_IMAGE]).await;
}

/// Waits until the Service sends to the new version, and its bake is under way.
async fn switched(stage: &Stage) {
    has(stage, "/spec/selector/landfall~1version", |it| {
        it == "green"
    })
    .await;
    sleep(Duration::from_millis(300)).await;
}

/// Somebody sends the Service back to the old version while both are up: that stands.
#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_is_switched_by_hand_during_the_bake_is_left_so() {
    let stage = stage().await;
    stage.deploy(switch("blueGreen", NEW_IMAGE)).await.success();
    let mut parameters = switch("blueGreen", OTHER_IMAGE);
    parameters["bake"] = json!("20s");
    let by_hand = async {
        switched(&stage).await;
        let selector = json!({"landfall/version": "blue"});
        let place = ["spec", "selector"];
        stage
            .cluster
            .change("services", "demo-app", place, selector)
            .await;
    };
    let deploy = stage.deploy(parameters);
    let (ended, ()) = stage.probed(async { tokio::join!(deploy, by_hand) }).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "RevisionOutOfSync", "{message}");
    let selector = service(&stage).await["spec"]["selector"].take();
    assert_eq!(selector["landfall/version"], "blue", "{message}");
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(2));
    // Nothing is held, and the next deploy goes on from there.
    at_rest(&stage).await;
    let next = stage.deploy(switch("blueGreen", "registry.example.com/demo-app:5.0.0"));
    let (_, variables) = stage.probed(next).await.success();
    assert_eq!(variables["Deployment"], "demo-app-green");
}

/// Somebody takes what the deploy has noted on the Service while both versions are up.
#[tokio::test(flavor = "multi_thread")]
async fn notes_that_are_taken_away_during_the_bake_do_not_shorten_it() {
    let everything: fn(&Value) -> Value = |annotations| {
        let names = annotations.as_object().unwrap().keys();
        let own = names.filter(|name| name.starts_with("landfall/"));
        own.map(|name| (name.clone(), Value::Null)).collect()
    };
    for gone in [everything, |_| json!({"landfall/lock": null})] {
        let stage = stage().await;
        stage.deploy(switch("blueGreen", NEW_IMAGE)).await.success();
        let mut parameters = switch("blueGreen", OTHER_IMAGE);
        parameters["bake"] = json!("20s");
        let by_hand = async {
            switched(&stage).await;
            let gone = gone(&service(&stage).await["metadata"]["annotations"]);
            let place = ["metadata", "annotations"];
            let cluster = &stage.cluster;
            cluster.change("services", "demo-app", place, gone).await;
        };
        let deploy = stage.deploy(parameters);
        let (ended, ()) = stage.probed(async { tokio::join!(deploy, by_hand) }).await;
        let (kind, message) = ended.failure();
        assert_eq!(kind, "RevisionOutOfSync", "{message}");
        assert!(message.contains("demo-app-green"), "{message}");
        for version in ["demo-app-blue", "demo-app-green"] {
            assert_eq!(replicas(&stage, version).await, Some(2), "{message}");
        }
        // The next one of the same version brings it to its end.
        let next = stage.deploy(switch("blueGreen", OTHER_IMAGE));
        let (_, variables) = stage.probed(next).await.success();
        assert_eq!(variables["Deployment"], "demo-app-green");
        assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
        at_rest(&stage).await;
    }
}

/// While an adoption waits for its candidate, somebody gives the plain Deployment another image.
#[tokio::test(flavor = "multi_thread")]
async fn a_plain_deployment_that_is_changed_by_hand_ends_its_adoption() {
    let stage = stage().await;
    let image = "registry.example.com/demo-app:5.0.0-after-4s";
    let by_hand = async {
        has(
            &stage,
            "/metadata/annotations/landfall~1lock",
            Value::is_string,
        )
        .await;
        sleep(Duration::from_millis(500)).await;
        stage.cluster.set_image(NEW_IMAGE).await;
    };
    // Its pods go, so that the Service has none until its selector is back: docs/strategies.md.
    let deploy = stage.deploy(switch("blueGreen", image));
    let (ended, ()) = tokio::join!(deploy, by_hand);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.contains("someone else changed Deployment"),
        "{message}"
    );
    let selector = service(&stage).await["spec"]["selector"].take();
    assert_eq!(selector, json!({"app": "demo-app"}));
    assert_eq!(replicas(&stage, "demo-app-blue").await, Some(0));
    at_rest(&stage).await;
    endpoints_are_known(&stage).await;
    // The next adopts what is there now.
    let next = stage.deploy(switch("blueGreen", OTHER_IMAGE));
    stage.probed(next).await.success();
    at_rest(&stage).await;
}

/// All thirty are ready at every moment.
#[tokio::test(flavor = "multi_thread")]
async fn thirty_pods_are_switched_at_once() {
    let mut app = demo_app(600);
    app["spec"]["replicas"] = json!(30);
    let stage = Stage::given([app, sample_service("demo-app")]).await;
    while stage.ready_images().await.len() < 30 {
        sleep(LOOK).await;
    }
    sleep(Duration::from_secs(1)).await;
    for (image, strategy) in [(NEW_IMAGE, "blueGreen"), (OTHER_IMAGE, "immutable")] {
        let ended = stage.probed_for(30, stage.deploy(switch(strategy, image)));
        let (_, variables) = ended.await.success();
        assert_eq!(replicas(&stage, &variables["Deployment"]).await, Some(30));
        at_rest(&stage).await;
    }
    let mut sick = switch("blueGreen", SICK_IMAGE);
    sick["patience"] = json!("3s");
    let (kind, _) = stage.probed_for(30, stage.deploy(sick)).await.failure();
    assert_eq!(kind, "JobFailed");
    at_rest(&stage).await;
}

/// A pod counts when it has been ready for that time; a budget for disruptions is none of ours.
#[tokio::test(flavor = "multi_thread")]
async fn pods_are_ready_for_their_least_time_before_they_get_traffic() {
    let mut app = demo_app(600);
    app["spec"]["minReadySeconds"] = json!(5);
    let mut objects = vec![app, sample_service("demo-app")];
    if crate::real::is_named() {
        objects.push(
            json!({"apiVersion": "policy/v1", "kind": "PodDisruptionBudget",
            "metadata": {"name": "demo-app"},
            "spec": {"minAvailable": 2, "selector": {"matchLabels": {"app": "demo-app"}}}}),
        );
    }
    let stage = Stage::given(objects).await;
    endpoints_are_known(&stage).await;
    let began = tokio::time::Instant::now();
    let switched = async {
        has(&stage, "/spec/selector/landfall~1version", Value::is_string).await;
        began.elapsed()
    };
    let deploy = stage.deploy(switch("blueGreen", NEW_IMAGE));
    let (ended, switched) = stage.probed(async { tokio::join!(deploy, switched) }).await;
    ended.success();
    // Kubernetes writes down when a pod became ready in whole seconds.
    assert!(switched >= Duration::from_secs(4), "{switched:?}");
    at_rest(&stage).await;
    let ended = stage.probed(stage.deploy(switch("blueGreen", OTHER_IMAGE)));
    assert_eq!(ended.await.success().1["Deployment"], "demo-app-green");
    assert_ne!(stage.ready_images().await, [OLD_IMAGE, OLD_IMAGE]);
}
