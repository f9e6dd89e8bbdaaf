//! Deploys without a pipeline: the answer of the function is the report.

mod artifacts;
mod repeated;

use crate::parameters::{fits, schema_of};
use crate::stage::{Environment, LIFE, OLD_IMAGE, SHORT, Stage, demo_app, image};
use landfall_sandbox::aws::{Alarm, AlarmState, InvocationEnd, Job, Outcome};
use serde_json::{Value, json};
use std::time::Duration;

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const SLOW_IMAGE: &str = "registry.example.com/demo-app:2.0.0-after-2s";
const SICK_IMAGE: &str = "registry.example.com/demo-app:3.0.0-crash";
/// How long a story waits for an answer.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often a story calls again.
const CALLS: usize = 20;

/// What the caller got: the answer, or the type and the message of an error.
type Said = Result<Value, (String, String)>;

/// An event with these user parameters, in the story's namespace.
fn call(stage: &Stage, parameters: &Value) -> Value {
    let mut parameters = parameters.clone();
    parameters["namespace"] = json!(stage.cluster.namespace());
    json!({"deploy": parameters})
}

/// What the function says to one event.
async fn said(stage: &Stage, event: Value, life: Duration) -> Said {
    heard(stage, &stage.aws.submit(event, life)).await
}

async fn heard(stage: &Stage, job: &Job) -> Said {
    let outcome = stage.aws.outcome(job, PATIENCE).await;
    let of = |error: &Value, name: &str| error[name].as_str().unwrap().to_owned();
    match outcome {
        Outcome::Silent(InvocationEnd::Response(answer)) => {
            let schema = schema_of("docs/answer.schema.json");
            assert!(fits(&schema, &answer), "{answer}");
            Ok(answer)
        }
        Outcome::Silent(InvocationEnd::Error(error)) => {
            Err((of(&error, "errorType"), of(&error, "errorMessage")))
        }
        other => panic!("{other:?}\n{}", stage.log()),
    }
}

/// Calls until it is over, as a caller does.
async fn followed(stage: &Stage, event: &Value, life: Duration) -> (Said, usize) {
    let mut event = event.clone();
    for calls in 1..=CALLS {
        match said(stage, event.clone(), life).await {
            Ok(answer) if answer["status"] == "IN_PROGRESS" => {
                event["continuation"] = answer["continuation"].clone();
            }
            end => return (end, calls),
        }
    }
    panic!("it does not end\n{}", stage.log());
}

/// The type and the message of a deploy that was refused before anything was asked of the cluster.
async fn refused(stage: &Stage, event: Value) -> (String, String) {
    let (kind, message) = said(stage, event, LIFE).await.unwrap_err();
    assert_eq!(
        stage.cluster.requests().unwrap_or_default(),
        [],
        "{message}"
    );
    (kind, message)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_succeeds_is_answered_with_its_report() {
    let stage = Stage::new().await;
    let mut parameters = image(NEW_IMAGE);
    parameters["execution"] = json!("release-7");
    let answer = said(&stage, call(&stage, &parameters), LIFE).await.unwrap();
    assert_eq!(answer["status"], "SUCCEEDED");
    assert_eq!(answer["outputVariables"]["Image"], NEW_IMAGE);
    assert_eq!(answer["outputVariables"]["Execution"], "release-7");
    let id = format!("{}/demo-app@2", stage.cluster.namespace());
    assert_eq!(answer["externalExecutionId"], id);
    assert_eq!(stage.image().await, NEW_IMAGE);
    stage.wrote(&["PATCH"]);
    // Nobody else is told anything, and nothing is read that was not asked for.
    let calls = stage.aws.calls();
    let others = calls
        .iter()
        .filter(|call| call.target.starts_with("CodePipeline") || call.target.starts_with("S3"));
    assert_eq!(others.count(), 0);
    let annotations = &stage.deployment().await["metadata"]["annotations"];
    assert_eq!(annotations["landfall/execution"], "release-7");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_step_names_another_execution_only_after_a_deploy_that_began() {
    let stage = Stage::new().await;
    stage.aws.put_alarm(Alarm::silent("errors"));
    stage.aws.set_alarm("errors", AlarmState::Alarm, "too many");
    let mut parameters = image(SICK_IMAGE);
    parameters["execution"] = json!("release-7");
    parameters["patience"] = json!("1s");
    parameters["alarms"] = json!(["errors"]);
    let event = call(&stage, &parameters);
    let (_, message) = said(&stage, event.clone(), LIFE).await.unwrap_err();
    let next = "Call again when the alarm is silent again.";
    assert!(message.contains(next), "{message}");
    stage.aws.set_alarm("errors", AlarmState::Ok, "");
    let (_, message) = said(&stage, event, LIFE).await.unwrap_err();
    assert!(message.contains("exits with code 1"), "{message}");
    let next = "call again with another `execution`";
    assert!(message.contains(next), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_is_answered_with_its_changes() {
    let stage = Stage::new().await;
    let mut parameters = image(NEW_IMAGE);
    parameters["mode"] = json!("plan");
    let answer = said(&stage, call(&stage, &parameters), LIFE).await.unwrap();
    assert_eq!(answer["outputVariables"]["ChangeCount"], "1");
    stage.wrote(&[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_takes_longer_than_a_life_is_continued_by_the_caller() {
    let stage = Stage::new().await;
    let event = call(&stage, &image(SLOW_IMAGE));
    let first = said(&stage, event.clone(), SHORT).await.unwrap();
    assert_eq!(first["status"], "IN_PROGRESS");
    assert_eq!(first["callBackDelay"], 30);
    let mut next = event.clone();
    next["continuation"] = first["continuation"].clone();
    let (end, calls) = followed(&stage, &next, SHORT).await;
    let answer = end.unwrap();
    assert_eq!(answer["outputVariables"]["PreviousRevision"], "1");
    assert!(calls < CALLS, "{calls}");
    stage.wrote(&["PATCH"]);
    // The answer to a call that was made twice may be lost: an old continuation is harmless.
    assert_eq!(
        said(&stage, next, LIFE).await.unwrap()["status"],
        "SUCCEEDED"
    );
    stage.wrote(&["PATCH"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_that_fails_is_an_error_of_its_type() {
    let stage = Stage::new().await;
    let mut parameters = image(SICK_IMAGE);
    parameters["patience"] = json!("1s");
    let (end, _) = followed(&stage, &call(&stage, &parameters), LIFE).await;
    let (kind, message) = end.unwrap_err();
    assert_eq!(kind, "JobFailed");
    assert!(message.contains("exits with code 1"), "{message}");
    assert!(message.contains("docs/operations.md"), "{message}");
    assert_eq!(stage.image().await, OLD_IMAGE);
    // It counts as a failed deploy, as one of a pipeline does.
    stage.logged("\"Failures\":1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failure_after_a_continuation_is_an_error_too() {
    let stage = Stage::new().await;
    let mut parameters = image("registry.example.com/demo-app:never-ready");
    parameters["timeout"] = json!("3s");
    let (end, calls) = followed(&stage, &call(&stage, &parameters), SHORT).await;
    let (kind, message) = end.unwrap_err();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(calls > 1);
    stage.wrote(&["PATCH", "PATCH"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_with_an_event_is_told_and_nothing_is_asked() {
    let stage = Stage::new().await;
    let all = json!({"deploy": "{}", "continuation": 5, "artifacts": {"A": "/tmp"}, "Deploy": 1});
    let (kind, message) = refused(&stage, all).await;
    assert_eq!(kind, "ConfigurationError");
    for words in [
        "Nothing was deployed: the event is not a valid call.",
        "`deploy` must be an object",
        "`continuation` must be the text",
        "`artifacts.A` must be the place of a ZIP archive",
        "`Deploy` is unknown",
        "docs/without-codepipeline.md",
    ] {
        assert!(message.contains(words), "{words}: {message}");
    }
    let (kind, message) = refused(&stage, json!({"deploy": {"image": "x"}})).await;
    assert_eq!(kind, "ConfigurationError");
    assert!(message.contains("`image`"), "{message}");
    assert!(
        message.contains("Correct the user parameters in `deploy`"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_continuation_of_another_call_is_refused() {
    let stage = Stage::new().await;
    let event = call(&stage, &image(SLOW_IMAGE));
    let answer = said(&stage, event, SHORT).await.unwrap();
    let writes = stage.writes();
    for (parameters, token) in [
        (image("other:1"), answer["continuation"].clone()),
        (image(SLOW_IMAGE), json!("landfall-1.e30.0000000000000000")),
        (image(SLOW_IMAGE), json!({"x": 1})),
    ] {
        let mut event = call(&stage, &parameters);
        event["continuation"] = token;
        let (kind, message) = said(&stage, event, LIFE).await.unwrap_err();
        assert_eq!(kind, "ConfigurationError", "{message}");
        assert!(message.contains("continu"), "{message}");
    }
    assert_eq!(stage.writes(), writes);
}

/// Whoever may invoke the function may send it anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_event_is_answered_in_words() {
    let stage = Stage::new().await;
    let long = "x".repeat(2_000_000);
    let mut deep = json!({});
    for _ in 0..100 {
        deep = json!([deep]);
    }
    let many = (0..5_000).map(|number| (format!("field{number}"), json!(1)));
    let events = [
        json!({"deploy": {"deployment": long}}),
        json!({"deploy": {long.clone(): 1}}),
        json!({"deploy": {"manifest": deep}}),
        json!({"deploy": many.collect::<serde_json::Map<_, _>>()}),
        json!({"deploy": {"deployment": "../../secrets/x", "restart": true}}),
        json!({"deploy": {"deployment": "web\u{1b}[2J\u{0}", "restart": true}}),
        json!({"deploy": {"deployment": "web", "restart": true, "execution": "\u{7}"}}),
        json!({"deploy": {}, "artifacts": {"A": format!("s3://{long}/x")}}),
        json!({"deploy": {}, "artifacts": {long.clone(): "s3://a/b"}}),
        json!({"deploy": {}, long.clone(): 1, "\u{1b}]0;x\u{7}": 2}),
        json!({"deploy": {}, "continuation": long}),
    ];
    for event in events {
        let (kind, message) = refused(&stage, event).await;
        assert_eq!(kind, "ConfigurationError", "{message}");
        assert!(message.len() <= 5_500, "{}", message.len());
        let odd = message.chars().find(|it| it.is_control() && *it != '\n');
        assert_eq!(odd, None, "{message}");
    }
    // And it still works.
    let answer = said(&stage, call(&stage, &image(NEW_IMAGE)), LIFE).await;
    assert_eq!(answer.unwrap()["status"], "SUCCEEDED");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_answered_or_logged() {
    for level in ["trace", "debug"] {
        let level: Environment<'_> = &[
            ("RUST_LOG", Some(level)),
            ("AWS_LAMBDA_LOG_LEVEL", Some(level)),
        ];
        let stage = Stage::given_with([demo_app(600)], level).await;
        let mut parameters = json!({"deployment": "demo-app", "images": {"app": "good:1"},
            "env": {"PASSWORD": "env-value-5ecret"}, "execution": "run-1"});
        let mut all = Vec::new();
        all.push(said(&stage, call(&stage, &parameters), LIFE).await);
        parameters["images"]["app"] = json!(SICK_IMAGE);
        parameters["patience"] = json!("1s");
        all.push(said(&stage, call(&stage, &parameters), LIFE).await);
        parameters["container"] = json!("nothing");
        all.push(said(&stage, call(&stage, &parameters), LIFE).await);
        parameters["env"] = json!({"PASSWORD": {"a": "env-value-5ecret"}});
        all.push(said(&stage, call(&stage, &parameters), LIFE).await);
        for wrong in [
            json!({"deploy": "env-value-5ecret"}),
            json!({"deploy": {}, "continuation": ["env-value-5ecret"]}),
        ] {
            all.push(said(&stage, wrong, LIFE).await);
        }
        let failed = all.iter().filter(|said| said.is_err());
        assert_eq!(failed.count(), all.len() - 1, "{all:?}");
        let (text, log) = (format!("{all:?}"), stage.log());
        let token = stage.cluster.token();
        for secret in ["env-value-5ecret", "not-a-real-secret-access-key", token] {
            assert!(!log.contains(secret), "{secret} is in the log:\n{log}");
            assert!(!text.contains(secret), "{secret} is in an answer: {text}");
        }
    }
}
