//! What CodePipeline does with executions: each row of the table in `docs/executions.md`. A job has
//! an id of its own each time the action runs. A retry keeps the execution's id; CodePipeline's
//! rollback of a stage is a new execution with the artifacts and variables of an older one, and
//! nothing in its event says so.

use crate::blue_green::{at_rest, stage};
use crate::metrics::counted;
use crate::releases::others::level;
use crate::releases::{empty, release, settings};
use crate::stage::{Ended, LIFE, OLD_IMAGE, SHORT, Stage};
use futures_util::future::join_all;
use landfall_sandbox::aws::{JobResult, Outcome};
use serde_json::{Value, json};
use std::time::Duration;

/// The ways to deploy a Deployment.
const WAYS: [&str; 4] = ["rolling", "blueGreen", "immutable", "canary"];

/// What an execution fills into the user parameters: image and time of the commit.
type Version = (&'static str, &'static str);

const FIRST: Version = (
    "registry.example.com/demo-app:2.0.0",
    "2026-01-01T10:00:00Z",
);
const SECOND: Version = (
    "registry.example.com/demo-app:3.0.0",
    "2026-01-02T10:00:00Z",
);
const SICK: Version = (
    "registry.example.com/demo-app:4.0.0-crash",
    "2026-01-03T10:00:00Z",
);
const SLOW: Version = (
    "registry.example.com/demo-app:5.0.0-after-4s",
    "2026-01-04T10:00:00Z",
);

/// The action's user parameters in an execution.
fn parameters(way: &str, execution: &str, (image, committed): Version) -> Value {
    let mut parameters = json!({"deployment": "demo-app", "images": {"app": image},
        "strategy": way, "execution": execution, "committed": committed,
        "timeout": "50s", "patience": "1s"});
    if way != "rolling" {
        parameters["service"] = json!("demo-app");
        parameters["bake"] = json!("1s");
    }
    if way == "canary" {
        parameters["steps"] = json!([50]);
    }
    parameters
}

async fn run(stage: &Stage, way: &str, execution: &str, version: Version) -> Ended {
    let parameters = parameters(way, execution, version);
    match way {
        // Both versions serve for a while.
        "rolling" | "canary" => stage.deploy(parameters).await,
        _ => stage.probed(stage.deploy(parameters)).await,
    }
}

/// Plays a story in each way, all of them at once: each has a cluster of its own, and mostly waits.
async fn each_way(story: impl AsyncFn(&'static str)) {
    join_all(WAYS.map(|way| story(way))).await;
}

/// Waits until the version's two pods are the only ones: a switch does not wait for the others to
/// end.
pub async fn serves(stage: &Stage, (image, _): Version) {
    let end = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let images = stage.ready_images().await;
        if images == [image; 2] {
            return;
        }
        assert!(tokio::time::Instant::now() < end, "{images:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// SUPERSEDED and QUEUED: one execution at a time is in the stage.
#[tokio::test(flavor = "multi_thread")]
async fn executions_take_turns_in_a_stage() {
    each_way(async |way| {
        let stage = stage().await;
        for (execution, version) in [("run-1", FIRST), ("run-2", SECOND)] {
            let ended = run(&stage, way, execution, version).await;
            let (_, variables) = ended.success();
            assert_eq!(variables["Image"], version.0);
            assert_eq!(variables["Execution"], execution);
            serves(&stage, version).await;
        }
    })
    .await;
}

/// A manual or an automatic rollback of the stage: the older commit is what is asked for.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_of_the_stage_deploys_the_older_version() {
    each_way(async |way| {
        let stage = stage().await;
        run(&stage, way, "run-1", FIRST).await.success();
        run(&stage, way, "run-2", SECOND).await.success();
        let (summary, variables) = run(&stage, way, "run-3", FIRST).await.success();
        assert!(!summary.contains("nothing was changed"), "{summary}");
        assert_eq!(variables["Image"], FIRST.0);
        serves(&stage, FIRST).await;
        // The next execution of the pipeline is not held up by it.
        let (summary, _) = run(&stage, way, "run-4", SECOND).await.success();
        assert!(!summary.contains("nothing was changed"), "{summary}");
        serves(&stage, SECOND).await;
        assert_eq!(lead_times(&stage, 4).await, [true, true, false, true]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_of_the_stage_releases_the_older_manifests() {
    let stage = empty().await;
    let files = [settings("info"), settings("debug")];
    let at = async |execution: &str, file: &str| {
        let committed = match file == files[0].as_str() {
            true => FIRST.1,
            false => SECOND.1,
        };
        let more = json!({"execution": execution, "committed": committed});
        release(&stage, &[("k8s/settings.yaml", file)], more)
            .await
            .released()
    };
    at("run-1", &files[0]).await;
    at("run-2", &files[1]).await;
    let (summary, _) = at("run-3", &files[0]).await;
    assert!(!summary.contains("nothing was changed"), "{summary}");
    assert_eq!(level(&stage).await, "info");
    // It is retried: the same execution again.
    at("run-3", &files[0]).await;
    assert_eq!(level(&stage).await, "info");
    assert_eq!(lead_times(&stage, 4).await, [true, true, false, false]);
}

/// Whether a lead time was counted, for each of the deploys so far. What goes back has none.
async fn lead_times(stage: &Stage, deploys: usize) -> Vec<bool> {
    let lines = counted(stage, deploys).await;
    let lead = |line: &Value| line["LeadTime"].is_number();
    lines.iter().map(lead).collect()
}

/// Landfall has brought the previous version back before CodePipeline rolls the stage back.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_of_the_stage_after_a_failed_deploy_finds_the_version_there() {
    each_way(async |way| {
        let stage = stage().await;
        run(&stage, way, "run-1", FIRST).await.success();
        let (kind, message) = run(&stage, way, "run-2", SICK).await.failure();
        assert_eq!(kind, "JobFailed", "{message}");
        let (summary, variables) = run(&stage, way, "run-3", FIRST).await.success();
        assert!(summary.contains("nothing was changed"), "{summary}");
        assert_eq!(variables["Image"], FIRST.0);
        serves(&stage, FIRST).await;
    })
    .await;
}

/// The same where the action has `"rollback": false`: then it is CodePipeline's to go back.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_of_the_stage_mends_what_was_left_broken() {
    each_way(async |way| {
        // A canary always goes back.
        if way == "canary" {
            return;
        }
        let stage = stage().await;
        run(&stage, way, "run-1", FIRST).await.success();
        let mut broken = parameters(way, "run-2", SICK);
        broken["rollback"] = json!(false);
        stage.deploy(broken).await.failure();
        run(&stage, way, "run-3", FIRST).await.success();
        serves(&stage, FIRST).await;
        if way != "rolling" {
            at_rest(&stage).await;
        }
    })
    .await;
}

/// FAILED_ACTIONS, by a person or by `onFailure: RETRY`: it is tried again, and judged anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_failed_action_is_tried_again_in_a_retry() {
    each_way(async |way| {
        let stage = stage().await;
        run(&stage, way, "run-1", FIRST).await.success();
        for _ in 0..2 {
            let (kind, message) = run(&stage, way, "run-2", SICK).await.failure();
            assert_eq!(kind, "JobFailed", "{message}");
            assert!(message.contains("exits with code 1"), "{message}");
            serves(&stage, FIRST).await;
        }
    })
    .await;
}

/// ALL_ACTIONS: what succeeded runs again, and finds its version.
#[tokio::test(flavor = "multi_thread")]
async fn an_action_that_succeeded_changes_nothing_in_a_retry() {
    each_way(async |way| {
        let stage = stage().await;
        run(&stage, way, "run-1", FIRST).await.success();
        let writes = stage.writes().map(|all| all.len());
        let (summary, variables) = run(&stage, way, "run-1", FIRST).await.success();
        assert!(summary.contains("nothing was changed"), "{summary}");
        assert_eq!(variables["Image"], FIRST.0);
        assert_eq!(stage.writes().map(|all| all.len()), writes);
    })
    .await;
}

/// The action timed out or was stopped, and its function died: the retry goes on with what it left,
/// and its own lock does not hold it up.
#[tokio::test(flavor = "multi_thread")]
async fn a_retry_takes_over_from_a_dead_deploy_of_its_execution() {
    each_way(async |way| {
        let mut stage = stage().await;
        let event = stage.event(&parameters(way, "run-1", SLOW));
        let job = stage.aws.submit(event, LIFE);
        wait_for_images(&stage, SLOW.0).await;
        stage.function.kill();
        tokio::time::sleep(Duration::from_millis(200)).await;
        // The dead invocation has reported nothing, so this is not a story of the stage's own.
        let again = stage.event(&parameters(way, "run-1", SLOW));
        let again = stage.aws.submit(again, LIFE);
        let outcome = stage.aws.outcome(&again, Duration::from_secs(25)).await;
        let Outcome::Succeeded(report) = outcome else {
            panic!("{way}: {outcome:?}\n{}", stage.log());
        };
        let JobResult::Success {
            output_variables, ..
        } = report.result
        else {
            panic!("{report:?}");
        };
        assert_eq!(output_variables["Image"], SLOW.0);
        serves(&stage, SLOW).await;
        drop(job);
    })
    .await;
}

/// Waits until a Deployment has this image.
async fn wait_for_images(stage: &Stage, image: &str) {
    loop {
        let all = stage.cluster.objects("deployments").await;
        let place = "/spec/template/spec/containers/0/image";
        if all
            .iter()
            .any(|one| one.pointer(place) == Some(&json!(image)))
        {
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Lambda repeats an event for hours: one of an execution that others came after changes nothing.
#[tokio::test(flavor = "multi_thread")]
async fn a_late_repetition_of_an_older_execution_is_out_of_sync() {
    each_way(async |way| {
        let stage = stage().await;
        let first = stage.event(&parameters(way, "run-1", FIRST));
        stage.run(first.clone(), LIFE).await.success();
        run(&stage, way, "run-2", SECOND).await.success();
        // The job is over, so nobody hears what it says.
        let job = stage.aws.submit(first, LIFE);
        drop(stage.aws.outcome(&job, LIFE).await);
        serves(&stage, SECOND).await;
    })
    .await;
}

/// Stopped and abandoned, or PARALLEL: a rolling deploy that another execution came after.
#[tokio::test(flavor = "multi_thread")]
async fn the_older_of_two_rolling_deploys_is_out_of_sync() {
    let stage = stage().await;
    let older = stage.event(&parameters("rolling", "run-1", SLOW));
    let job = stage.aws.submit(older, SHORT);
    wait_for_images(&stage, SLOW.0).await;
    run(&stage, "rolling", "run-2", SECOND).await.success();
    let Outcome::Failed(report) = stage.aws.outcome(&job, LIFE).await else {
        panic!("{}", stage.log());
    };
    let JobResult::Failure { kind, message, .. } = report.result else {
        panic!("{report:?}");
    };
    assert_eq!(kind, "RevisionOutOfSync", "{message}");
    assert!(message.contains("run-2"), "{message}");
    serves(&stage, SECOND).await;
}

/// PARALLEL: an older execution is retried after a newer one. A person has asked for its version.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_execution_that_is_retried_deploys_its_version() {
    each_way(async |way| {
        let stage = stage().await;
        run(&stage, way, "run-1", FIRST).await.success();
        run(&stage, way, "run-2", SECOND).await.success();
        run(&stage, way, "run-1", FIRST).await.success();
        serves(&stage, FIRST).await;
    })
    .await;
}

/// An action with `"mode": "rollback"`: a retry is told from a rollback of its stage by the id.
#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_on_demand_is_done_once_for_each_execution() {
    each_way(async |way| {
        let stage = stage().await;
        run(&stage, way, "run-1", FIRST).await.success();
        let back = async |execution: &str| {
            let mut parameters = parameters(way, execution, FIRST);
            for field in ["images", "committed"] {
                parameters.as_object_mut().unwrap().remove(field);
            }
            parameters["mode"] = json!("rollback");
            stage.deploy(parameters).await.success()
        };
        back("run-2").await;
        serves(&stage, (OLD_IMAGE, "")).await;
        let (summary, _) = back("run-2").await;
        assert!(summary.contains("nothing was changed"), "{summary}");
        serves(&stage, (OLD_IMAGE, "")).await;
        back("run-3").await;
        serves(&stage, FIRST).await;
    })
    .await;
}
