//! A deploy over several invocations, and what repeats, gets lost or comes late.

use crate::stage::{LIFE, SHORT, Stage, demo_app, image};
use landfall_sandbox::aws::{AwsFault, InvocationEnd, JobResult, Outcome};
use serde_json::json;
use std::time::Duration;

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const SLOW_IMAGE: &str = "registry.example.com/demo-app:2.0.0-after-2s";
const SLOWER_IMAGE: &str = "registry.example.com/demo-app:2.0.0-after-4s";

#[tokio::test(flavor = "multi_thread")]
async fn a_slow_rollout_goes_on_over_many_invocations_with_one_write() {
    let stage = Stage::new().await;
    let (_, variables) = stage.deploy_in(SHORT, image(SLOWER_IMAGE)).await.success();
    assert!(variables["DurationSeconds"].parse::<u32>().unwrap() >= 4);
    assert_eq!(variables["PreviousRevision"], "1");
    stage.wrote(&["PATCH"]);
    let reports = stage.aws.reports();
    assert!(reports.len() > 3, "{}", reports.len());
    let JobResult::Success {
        continuation_token: Some(token),
        summary: Some(summary),
        percent_complete,
        ..
    } = &reports[1].result
    else {
        panic!("{reports:#?}");
    };
    assert!(token.len() <= 2048 && token.starts_with("landfall-1."));
    assert!(summary.contains("of 2 new pods available"), "{summary}");
    assert!(percent_complete.unwrap() < 100);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_rollout_is_rolled_back_over_many_invocations() {
    let stage = {
        let mut deployment = demo_app(600);
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] =
            json!("registry.example.com/demo-app:1.0.0-after-3s");
        Stage::given([deployment]).await
    };
    let mut parameters = image("demo-app:never-ready");
    parameters["timeout"] = json!("5s");
    let (kind, message) = stage.deploy_in(SHORT, parameters).await.failure();
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("the rollout was not complete within 5 s"),
        "{message}"
    );
    assert!(
        message.contains("revision 3 (registry.example.com/demo-app:1.0.0"),
        "{message}"
    );
    stage.wrote(&["PATCH", "PATCH"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_dies_is_taken_up_by_the_repeated_event() {
    let mut stage = Stage::new().await;
    let event = stage.event(&image(SLOW_IMAGE));
    let job = stage.aws.submit(event, LIFE);
    stage.written().await;
    stage.function.kill();
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert!(stage.aws.retry(&job));
    let Outcome::Succeeded(report) = stage.aws.outcome(&job, LIFE).await else {
        panic!("{}", stage.log());
    };
    let JobResult::Success {
        output_variables, ..
    } = report.result
    else {
        panic!("it succeeded");
    };
    assert_eq!(output_variables["PreviousRevision"], "1");
    stage.wrote(&["PATCH"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_repetition_never_overwrites_a_later_deploy() {
    let stage = Stage::new().await;
    let first = stage.event(&image("a:1"));
    stage.run(first.clone(), LIFE).await.success();
    stage.deploy(image("a:2")).await.success();
    let job = stage.aws.submit(first, LIFE);
    let outcome = stage.aws.outcome(&job, LIFE).await;
    assert_eq!(stage.image().await, "a:2");
    stage.wrote(&["PATCH", "PATCH"]);
    drop(outcome);
}

#[tokio::test(flavor = "multi_thread")]
async fn someone_elses_change_is_not_overwritten_by_a_repetition() {
    let stage = Stage::new().await;
    let first = stage.event(&image("a:1"));
    stage.run(first.clone(), LIFE).await.success();
    stage.cluster.set_image("theirs:1").await;
    let job = stage.aws.submit(first, LIFE);
    stage.aws.outcome(&job, LIFE).await;
    assert_eq!(stage.image().await, "theirs:1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_is_none_of_ours_is_refused_in_words() {
    let stage = Stage::new().await;
    for token in [
        "x",
        "landfall-1.e30.0000000000000000",
        "landfall-9.e30.00",
        "{\"previous_job_id\":\"1\"}",
    ] {
        let mut event = stage.event(&image(NEW_IMAGE));
        event["CodePipeline.job"]["data"]["continuationToken"] = json!(token);
        let (kind, message) = stage.run(event, LIFE).await.failure();
        assert_eq!(kind, "ConfigurationError");
        assert!(
            message.starts_with("The deploy cannot continue because its continuation token"),
            "{message}"
        );
    }
    assert_eq!(stage.cluster.requests().unwrap_or_default(), []);
}

/// The token that the first invocation handed over.
fn first_token(stage: &Stage) -> String {
    match &stage.aws.reports()[0].result {
        JobResult::Success {
            continuation_token: Some(token),
            ..
        } => token.clone(),
        other => panic!("it was not handed over: {other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_another_request_is_refused_and_nothing_written() {
    let stage = Stage::new().await;
    stage.deploy_in(SHORT, image(SLOW_IMAGE)).await.success();
    let token = first_token(&stage);
    let writes = stage.writes();
    let mut event = stage.event(&image("other:1"));
    event["CodePipeline.job"]["data"]["continuationToken"] = json!(token);
    let (kind, message) = stage.run(event, LIFE).await.failure();
    assert_eq!(kind, "ConfigurationError");
    assert!(
        message.contains("belongs to other user parameters"),
        "{message}"
    );
    assert_eq!(stage.writes(), writes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replayed_continuation_changes_nothing() {
    let stage = Stage::new().await;
    stage.deploy_in(SHORT, image(SLOW_IMAGE)).await.success();
    let token = first_token(&stage);
    let mut event = stage.event(&image(SLOW_IMAGE));
    event["CodePipeline.job"]["data"]["continuationToken"] = json!(token);
    stage.run(event, LIFE).await.success();
    stage.wrote(&["PATCH"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn ssm_that_stalls_is_handed_over_and_then_served() {
    let stage = Stage::new().await;
    stage.aws.fault("AmazonSSM", AwsFault::Stall, 1);
    stage.deploy_in(SHORT, image(NEW_IMAGE)).await.success();
}

/// A function that is cold needs SSM again, in the middle of a deploy.
#[tokio::test(flavor = "multi_thread")]
async fn access_that_is_lost_in_the_middle_is_told_with_what_was_written() {
    let mut stage = Stage::new().await;
    stage.aws.reinvoke_after(Duration::from_secs(2));
    let event = stage.event(&image(SLOWER_IMAGE));
    let job = stage.aws.submit(event, SHORT);
    while stage.aws.reports().is_empty() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    stage.function.kill();
    let (service, action) = match stage.cluster.eks() {
        Some(_) => ("EKS", "eks:DescribeCluster"),
        None => ("AmazonSSM", "ssm:GetParameters"),
    };
    stage.aws.fault(service, AwsFault::AccessDenied, 1);
    let Outcome::Failed(report) = stage.aws.outcome(&job, LIFE).await else {
        panic!("{}", stage.log());
    };
    let JobResult::Failure { message, .. } = report.result else {
        panic!("it failed");
    };
    assert!(
        message.contains(&format!("AWS denies {action}")),
        "{message}"
    );
    assert!(
        message.contains("was written. Its rollout continues, but is no longer followed."),
        "{message}"
    );
    stage.wrote(&["PATCH"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn reports_are_repeated_while_codepipeline_falters() {
    for fault in [AwsFault::Throttling, AwsFault::Unavailable, AwsFault::Cut] {
        let stage = Stage::new().await;
        stage.aws.fault("CodePipeline", fault, 3);
        stage.deploy(image(NEW_IMAGE)).await.success();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_is_over_is_the_end_of_it() {
    for fault in [AwsFault::InvalidJobState, AwsFault::JobNotFound] {
        let stage = Stage::new().await;
        stage.aws.fault("CodePipeline", fault, 100);
        let job = stage.aws.submit(stage.event(&image(NEW_IMAGE)), LIFE);
        let outcome = stage.aws.outcome(&job, LIFE).await;
        let Outcome::Silent(InvocationEnd::Response(_)) = outcome else {
            panic!("{outcome:?}");
        };
        let calls = stage.aws.calls();
        let sent = calls
            .iter()
            .filter(|call| call.target.contains("CodePipeline"))
            .count();
        assert_eq!(sent, 1, "{fault:?} is not tried again");
        stage.logged("nobody waits for this report").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_without_a_job_is_an_error_and_the_next_one_is_served() {
    let stage = Stage::new().await;
    for body in [
        "{}",
        "[1, 2]",
        "\"x\"",
        "{\"CodePipeline.job\": {\"id\": 7}}",
        "no json at all",
    ] {
        let job = stage.aws.submit_raw(body.as_bytes().to_vec(), LIFE);
        let outcome = stage.aws.outcome(&job, LIFE).await;
        assert!(
            matches!(outcome, Outcome::Silent(InvocationEnd::Error(_))),
            "{outcome:?}"
        );
    }
    let process = stage.function.id();
    let job = stage.aws.submit(stage.event(&image(NEW_IMAGE)), LIFE);
    let outcome = stage.aws.outcome(&job, LIFE).await;
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    assert_eq!(stage.function.id(), process, "it is the same process");
}

#[tokio::test(flavor = "multi_thread")]
async fn hostile_events_with_a_job_id_get_a_report() {
    let stage = Stage::new().await;
    let id = "11111111-abcd-1111-abcd-000000000777";
    for data in [
        json!(null),
        json!([]),
        json!("x"),
        json!({"actionConfiguration": 3}),
        json!({"actionConfiguration": {"configuration": {"UserParameters": 17}}}),
        json!({"actionConfiguration": {"configuration": {"UserParameters": "[]"}}}),
        json!({"actionConfiguration": {"configuration": {"UserParameters": "{\"a\":1e999}"}}}),
        json!({"continuationToken": {"a": 1}, "artifactCredentials": 1}),
    ] {
        let event = json!({"CodePipeline.job": {"id": id, "data": data}});
        let stage_event = stage.aws.submit(event, LIFE);
        let outcome = stage.aws.outcome(&stage_event, LIFE).await;
        // The id is the same each time, so that all but the first come to a job that is over.
        assert!(
            matches!(
                &outcome,
                Outcome::Failed(_) | Outcome::Silent(InvocationEnd::Response(_))
            ),
            "{data}: {outcome:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_may_be_an_object_in_an_event_made_by_hand() {
    let stage = Stage::new().await;
    let mut event = stage.event(&image(NEW_IMAGE));
    let action = &mut event["CodePipeline.job"]["data"]["actionConfiguration"];
    let parameters = &mut action["configuration"]["UserParameters"];
    *parameters = serde_json::from_str(parameters.as_str().unwrap()).unwrap();
    stage.run(event, LIFE).await.success();
}
