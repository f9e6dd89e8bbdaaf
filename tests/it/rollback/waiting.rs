//! A rollback on demand that waits for a deploy which is under way: it brings back what served before
//! that one, whatever becomes of it.

use crate::alarms::retried::reported;
use crate::blue_green::{NEW_IMAGE, at_rest, service, stage, switch};
use crate::executions::serves;
use crate::stage::{LIFE, OLD_IMAGE, Stage};
use landfall_sandbox::aws::{JobResult, Outcome};
use landfall_sandbox::function::Function;
use serde_json::{Value, json};
use std::time::Duration;

fn back(strategy: &str, execution: &str) -> Value {
    json!({"deployment": "demo-app", "service": "demo-app", "strategy": strategy,
        "mode": "rollback", "execution": execution, "bake": "1s", "timeout": "50s",
        "patience": "1s"})
}

/// A deploy of this image while a rollback waits for it: whether that succeeds, and both reports.
async fn both(stage: &Stage, strategy: &str, image: &str) -> (bool, String) {
    let variables = [
        ("K8S_CLUSTER", stage.cluster.url()),
        ("K8S_CA", stage.cluster.ca()),
    ];
    let _second = Function::start(&crate::stage::function(), &stage.aws, &variables).unwrap();
    let mut parameters = switch(strategy, image);
    parameters["patience"] = json!("4s");
    parameters["execution"] = json!("run-2");
    let deploy = stage.aws.submit(stage.event(&parameters), LIFE);
    while !service(stage).await["metadata"]["annotations"]["landfall/lock"].is_string() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let back = stage.event(&back(strategy, "run-9"));
    let back = stage.aws.submit(back, LIFE);
    let deployed = stage.aws.outcome(&deploy, LIFE).await;
    let Outcome::Succeeded(report) = stage.aws.outcome(&back, LIFE).await else {
        panic!("{}", stage.log());
    };
    let JobResult::Success { summary, .. } = report.result else {
        panic!("{report:?}");
    };
    let succeeded = matches!(deployed, Outcome::Succeeded(_));
    (succeeded, summary.unwrap_or_default())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_fails_by_itself_meanwhile_leaves_nothing_to_take_back() {
    for strategy in ["blueGreen", "immutable"] {
        let stage = stage().await;
        stage.deploy(switch(strategy, NEW_IMAGE)).await.success();
        let sick = "registry.example.com/demo-app:3.0.0-crash";
        let (succeeded, summary) = both(&stage, strategy, sick).await;
        assert!(!succeeded, "{strategy}");
        assert!(summary.contains("was not done"), "{strategy}: {summary}");
        serves(&stage, (NEW_IMAGE, "")).await;
        // A retry of the stage does not go one version further, and another execution does.
        let summary = reported(&stage, &back(strategy, "run-9")).await.unwrap();
        let told = "This execution had already taken back the last deploy";
        assert!(summary.contains(told), "{strategy}: {summary}");
        serves(&stage, (NEW_IMAGE, "")).await;
        match strategy {
            // The failed one was written over what served before.
            "blueGreen" => {}
            _ => {
                reported(&stage, &back(strategy, "run-10")).await.unwrap();
                serves(&stage, (OLD_IMAGE, "")).await;
            }
        }
        at_rest(&stage).await;
    }
}

/// The Deployment that was there before any switch.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_switch_that_fails_meanwhile_leaves_the_plain_deployment() {
    let stage = stage().await;
    let sick = "registry.example.com/demo-app:3.0.0-crash";
    let (succeeded, summary) = both(&stage, "blueGreen", sick).await;
    assert!(!succeeded);
    assert!(summary.contains("was not done"), "{summary}");
    serves(&stage, (OLD_IMAGE, "")).await;
    at_rest(&stage).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_succeeds_meanwhile_is_taken_back() {
    for strategy in ["blueGreen", "immutable"] {
        let stage = stage().await;
        stage.deploy(switch(strategy, NEW_IMAGE)).await.success();
        let slow = "registry.example.com/demo-app:3.0.0-after-2s";
        let (_, summary) = both(&stage, strategy, slow).await;
        assert!(
            summary.contains("It was rolled back"),
            "{strategy}: {summary}"
        );
        serves(&stage, (NEW_IMAGE, "")).await;
        at_rest(&stage).await;
    }
}

/// Two people ask for a rollback of the same deploy: it goes one version back, not two, nor forth
/// again, and a retry of either changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn two_rollbacks_of_one_deploy_bring_back_one_version() {
    let stage = stage().await;
    let variables = [
        ("K8S_CLUSTER", stage.cluster.url()),
        ("K8S_CA", stage.cluster.ca()),
    ];
    let start = || Function::start(&crate::stage::function(), &stage.aws, &variables).unwrap();
    let _others = [start(), start()];
    stage.deploy(switch("immutable", NEW_IMAGE)).await.success();
    let slow = "registry.example.com/demo-app:3.0.0-after-2s";
    let mut parameters = switch("immutable", slow);
    parameters["execution"] = json!("run-2");
    let deploy = stage.aws.submit(stage.event(&parameters), LIFE);
    while !service(&stage).await["metadata"]["annotations"]["landfall/lock"].is_string() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let asked = |execution| stage.event(&back("immutable", execution));
    let both = ["run-8", "run-9"].map(|execution| stage.aws.submit(asked(execution), LIFE));
    let deployed = stage.aws.outcome(&deploy, LIFE).await;
    assert!(matches!(deployed, Outcome::Succeeded(_)), "{deployed:?}");
    let mut summaries = Vec::new();
    for job in &both {
        let Outcome::Succeeded(report) = stage.aws.outcome(job, LIFE).await else {
            panic!("{}", stage.log());
        };
        let JobResult::Success { summary, .. } = report.result else {
            panic!("{report:?}");
        };
        summaries.push(summary.unwrap_or_default());
    }
    let with = |words: &str| summaries.iter().filter(|it| it.contains(words)).count();
    let counted = (
        with("It was rolled back"),
        with("so it brought nothing back"),
    );
    assert_eq!(counted, (1, 1), "{summaries:?}");
    serves(&stage, (NEW_IMAGE, "")).await;
    for execution in ["run-8", "run-9"] {
        reported(&stage, &back("immutable", execution))
            .await
            .unwrap();
        serves(&stage, (NEW_IMAGE, "")).await;
    }
    at_rest(&stage).await;
    // Whoever asks later means what serves now.
    reported(&stage, &back("immutable", "run-10"))
        .await
        .unwrap();
    serves(&stage, (slow, "")).await;
}

/// The same where the first one stops a canary: it brings nothing back, so that what serves does
/// not tell the second one that it is late.
#[tokio::test(flavor = "multi_thread")]
async fn two_rollbacks_of_one_canary_bring_nothing_back() {
    let stage = stage().await;
    let variables = [
        ("K8S_CLUSTER", stage.cluster.url()),
        ("K8S_CA", stage.cluster.ca()),
    ];
    let start = || Function::start(&crate::stage::function(), &stage.aws, &variables).unwrap();
    let _others = [start(), start()];
    stage.deploy(switch("blueGreen", NEW_IMAGE)).await.success();
    let steps = json!([{"weight": 30, "bake": "60s"}]);
    let newer = "registry.example.com/demo-app:3.0.0";
    let mut parameters = switch("canary", newer);
    parameters["steps"] = steps.clone();
    parameters["timeout"] = json!("3m");
    parameters["execution"] = json!("run-2");
    let deploy = stage.aws.submit(stage.event(&parameters), LIFE);
    let lock = async || service(&stage).await["metadata"]["annotations"]["landfall/lock"].take();
    while !lock()
        .await
        .as_str()
        .is_some_and(|lock| lock.contains("share"))
    {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let asked = |execution| {
        let mut back = back("canary", execution);
        back["steps"] = steps.clone();
        back["timeout"] = json!("3m");
        back
    };
    let both =
        ["run-8", "run-9"].map(|execution| stage.aws.submit(stage.event(&asked(execution)), LIFE));
    let mut summaries = Vec::new();
    for job in &both {
        let Outcome::Succeeded(report) = stage.aws.outcome(job, LIFE).await else {
            panic!("{}", stage.log());
        };
        let JobResult::Success { summary, .. } = report.result else {
            panic!("{report:?}");
        };
        summaries.push(summary.unwrap_or_default());
    }
    let with = |words: &str| summaries.iter().filter(|it| it.contains(words)).count();
    let counted = (
        with("was not done: it was taken back"),
        with("so it brought nothing back"),
    );
    assert_eq!(counted, (1, 1), "{summaries:?}");
    let deployed = stage.aws.outcome(&deploy, LIFE).await;
    assert!(matches!(deployed, Outcome::Failed(_)), "{deployed:?}");
    for execution in ["run-8", "run-9"] {
        serves(&stage, (NEW_IMAGE, "")).await;
        reported(&stage, &asked(execution)).await.unwrap();
    }
    serves(&stage, (NEW_IMAGE, "")).await;
    at_rest(&stage).await;
}

/// Without a lock the second of two rollbacks follows the first one, which is in its bake. A retry
/// of it stays with that when it is over, and a third one goes further.
#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_rollback_follows_another_one_through_its_bake() {
    let stage = Stage::new().await;
    let variables = [
        ("K8S_CLUSTER", stage.cluster.url()),
        ("K8S_CA", stage.cluster.ca()),
    ];
    let _second = Function::start(&crate::stage::function(), &stage.aws, &variables).unwrap();
    let newer = "registry.example.com/demo-app:3.0.0";
    for (image, execution) in [(NEW_IMAGE, "run-1"), (newer, "run-2")] {
        let deploy = super::deploy(image, execution);
        stage.deploy(deploy).await.success();
    }
    let back = |execution| super::with(super::back(execution), "bake", "6s");
    let first = stage.aws.submit(stage.event(&back("run-8")), LIFE);
    while stage.ready_images().await != [NEW_IMAGE, NEW_IMAGE] {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    let second = stage.aws.submit(stage.event(&back("run-9")), LIFE);
    for job in [first, second] {
        let ended = stage.aws.outcome(&job, LIFE).await;
        assert!(matches!(ended, Outcome::Succeeded(_)), "{ended:?}");
    }
    assert_eq!(stage.image().await, NEW_IMAGE);
    for execution in ["run-8", "run-9"] {
        reported(&stage, &back(execution)).await.unwrap();
        assert_eq!(stage.image().await, NEW_IMAGE, "{execution}");
    }
    reported(&stage, &back("run-10")).await.unwrap();
    assert_eq!(stage.image().await, newer);
}
