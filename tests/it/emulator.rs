//! AWS's own Runtime Interface Emulator runs the function with each event, as SAM's local testing
//! does it, without its container.
//! <https://github.com/aws/aws-lambda-runtime-interface-emulator>

use crate::cluster::Cluster;
use crate::peer::{Peer, free_address, post};
use crate::stage::demo_app;
use landfall_sandbox::aws::{Aws, JobResult, ParameterKind, Report};
use landfall_sandbox::function::{CREDENTIALS, lambda_environment};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The function's timeout where a story says nothing else.
const LIFE: Duration = Duration::from_secs(30);
/// The path that the emulator takes events on.
const INVOCATIONS: &str = "/2015-03-31/functions/function/invocations";

/// What an event's one report must be.
#[derive(Debug, PartialEq)]
enum Expected {
    Success,
    Failure(&'static str),
    /// There is no job to report to: Lambda shows an error of this type.
    Error(&'static str),
    /// There is none, and the token is renewed: the answer has a time.
    Renewed,
    /// There is none, and the deploy succeeds: the answer is the report.
    Answer,
}

/// Every file in `events/`.
const EVENTS: [(&str, Expected); 31] = [
    // There are no alarms in this story's account.
    ("alarms", Expected::Failure("ConfigurationError")),
    // There is nothing in this story's S3.
    ("artifact", Expected::Failure("RevisionUnavailable")),
    ("aws-sample", Expected::Failure("ConfigurationError")),
    ("bare", Expected::Success),
    // There is no Service in this story's cluster.
    ("blue-green", Expected::Failure("ConfigurationError")),
    ("broken-json", Expected::Failure("ConfigurationError")),
    ("call", Expected::Answer),
    // The function of this story reads no bucket for calls.
    ("call-artifact", Expected::Error("ConfigurationError")),
    ("call-fails", Expected::Error("JobFailed")),
    ("canary", Expected::Failure("ConfigurationError")),
    ("canary-alarm", Expected::Failure("ConfigurationError")),
    ("canary-fails", Expected::Failure("ConfigurationError")),
    // The function of this story has no kubeconfig.
    ("cluster", Expected::Failure("ConfigurationError")),
    ("continuation", Expected::Failure("ConfigurationError")),
    ("crashing", Expected::Failure("JobFailed")),
    ("failing", Expected::Failure("JobFailed")),
    ("image", Expected::Success),
    ("manifest", Expected::Success),
    ("migration", Expected::Failure("RevisionUnavailable")),
    ("no-job", Expected::Error("NoJob")),
    ("page", Expected::Success),
    ("plan", Expected::Failure("RevisionUnavailable")),
    ("release", Expected::Failure("RevisionUnavailable")),
    ("restart", Expected::Success),
    // Nothing served before.
    ("rollback", Expected::Failure("ConfigurationError")),
    ("rolling", Expected::Success),
    ("rotate", Expected::Renewed),
    ("sam-sample", Expected::Failure("ConfigurationError")),
    ("shop", Expected::Failure("RevisionUnavailable")),
    ("smoke", Expected::Failure("ConfigurationError")),
    ("wrong", Expected::Failure("ConfigurationError")),
];

#[tokio::test]
#[ignore = "needs AWS's runtime emulator: make conformance"]
async fn each_event_gets_its_one_report() {
    let known: BTreeSet<_> = EVENTS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(names_of_events(), known, "the table and the folder");
    for (name, expected) in EVENTS {
        let lambda = Lambda::start(demo_app(3), LIFE).await;
        let answer = lambda.invoke(&lambda.event(name), LIFE).await;
        let reports = lambda.aws.reports();
        if let Expected::Error(kind) = expected {
            assert_eq!(answer["errorType"], kind, "{name}: {answer}");
            assert_eq!(reports, [], "{name}");
        } else if expected == Expected::Answer {
            assert_eq!(answer["status"], "SUCCEEDED", "{name}: {answer}");
            assert_eq!(reports, [], "{name}");
        } else if expected == Expected::Renewed {
            assert!(answer["validUntil"].is_string(), "{name}: {answer}");
            assert_eq!(reports, [], "{name}");
        } else {
            assert_eq!(answer, Value::Null, "{name}");
            assert_eq!(reports.len(), 1, "{name}: {reports:#?}");
            assert_eq!(reported(&reports[0]), expected, "{name}: {reports:#?}");
        }
        assert_eq!(lambda.aws.refused(), [], "{name}");
        println!("emulator: {name}: {expected:?}");
    }
}

#[tokio::test]
#[ignore = "needs AWS's runtime emulator: make conformance"]
async fn a_warm_function_deploys_again() {
    let lambda = Lambda::start(demo_app(3), LIFE).await;
    for (count, name) in ["rolling", "wrong", "no-job", "image"].iter().enumerate() {
        lambda.invoke(&lambda.event(name), LIFE).await;
        let log = lambda.emulator.log();
        assert_eq!(log.matches("INIT START").count(), 1, "{log}");
        assert_eq!(log.matches("END RequestId").count(), count + 1, "{log}");
    }
    let kinds: Vec<_> = lambda.aws.reports().iter().map(reported).collect();
    let wrong = Expected::Failure("ConfigurationError");
    assert_eq!(kinds, [Expected::Success, wrong, Expected::Success]);
    let calls = lambda.aws.calls();
    let reads = calls
        .iter()
        .filter(|call| call.target.starts_with("AmazonSSM"));
    assert_eq!(reads.count(), 1, "a warm function keeps its token");
}

#[tokio::test]
#[ignore = "needs AWS's runtime emulator: make conformance"]
async fn a_rollout_longer_than_the_function_is_handed_over() {
    // One pod after the other: the whole takes longer than one life of the function.
    let life = Duration::from_secs(4);
    let lambda = Lambda::start(demo_app(600), life).await;
    let mut event = lambda.event("image");
    let parameters = &mut event["CodePipeline.job"]["data"]["actionConfiguration"];
    let parameters = &mut parameters["configuration"]["UserParameters"];
    let slow = parameters
        .as_str()
        .unwrap()
        .replace(":2.0.0", ":2.0.0-after-3s");
    *parameters = json!(slow);
    for handed_over in 0..6 {
        let answer = lambda.invoke(&event, life).await;
        assert_eq!(answer, Value::Null, "invocation {handed_over}");
        let reports = lambda.aws.reports();
        assert_eq!(reports.len(), handed_over + 1, "{reports:#?}");
        let JobResult::Success {
            continuation_token: Some(token),
            ..
        } = &reports[handed_over].result
        else {
            assert_eq!(reported(&reports[handed_over]), Expected::Success);
            assert!(handed_over > 0, "it was done within one life");
            let log = lambda.emulator.log();
            assert!(!log.contains("Task timed out"), "{log}");
            return;
        };
        // The sandbox has opened the next job; we bring it, as CodePipeline would.
        let next = lambda.aws.invocations().pop().unwrap().job.unwrap();
        let job = &mut event["CodePipeline.job"];
        job["id"] = json!(next);
        job["data"]["continuationToken"] = json!(token);
    }
    panic!("it does not end: {:#?}", lambda.aws.reports());
}

/// The function in the emulator, with the services that it calls. What is dropped first comes
/// first.
struct Lambda {
    emulator: Peer,
    address: SocketAddr,
    aws: Aws,
    cluster: Cluster,
}

impl Lambda {
    /// `life` is the function's timeout.
    async fn start(deployment: Value, life: Duration) -> Lambda {
        let cluster = Cluster::given(vec![deployment]).await;
        let aws = Aws::start().await.unwrap();
        aws.put_parameter(
            "k8s-bear-token",
            cluster.token(),
            ParameterKind::SecureString,
        );
        let (address, runtime) = (free_address(), free_address());
        let emulator = Peer::start("aws-lambda-rie", |command, task| {
            let function = task.join("bootstrap");
            std::os::unix::fs::symlink(bootstrap(), &function).unwrap();
            command
                .arg("--runtime-interface-emulator-address")
                .arg(address.to_string())
                .arg("--runtime-api-address")
                .arg(runtime.to_string())
                .arg(&function)
                .envs(lambda_environment())
                .envs(CREDENTIALS)
                .env("LAMBDA_TASK_ROOT", task)
                .env("AWS_LAMBDA_FUNCTION_TIMEOUT", life.as_secs().to_string())
                .env("AWS_ENDPOINT_URL_CODEPIPELINE", aws.endpoint())
                .env("AWS_ENDPOINT_URL_SSM", aws.endpoint())
                .env("AWS_ENDPOINT_URL_S3", aws.endpoint())
                .env("AWS_ENDPOINT_URL_CLOUDWATCH", aws.endpoint())
                .env("K8S_CLUSTER", cluster.url())
                .env("K8S_CA", cluster.ca());
        });
        let mut lambda = Lambda {
            emulator,
            address,
            aws,
            cluster,
        };
        lambda.emulator.listens(address).await;
        lambda
    }

    /// An event as its file has it, but for the namespace of the story.
    fn event(&self, name: &str) -> Value {
        let path = events().join(format!("{name}.json"));
        let mut event: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
        let place = "/CodePipeline.job/data/actionConfiguration/configuration/UserParameters";
        if let Some(field) = event.pointer_mut(place)
            && let Some(text) = field.as_str()
            && let Ok(mut parameters) = serde_json::from_str::<Value>(text)
            && parameters.is_object()
        {
            parameters["namespace"] = json!(self.cluster.namespace());
            *field = json!(parameters.to_string());
        }
        if let Some(parameters) = event.get_mut("deploy") {
            parameters["namespace"] = json!(self.cluster.namespace());
        }
        event
    }

    /// Sends an event and gives what Lambda shows for it.
    async fn invoke(&self, event: &Value, life: Duration) -> Value {
        let job = event["CodePipeline.job"]["id"].as_str();
        let open = |job: &str| {
            let invocations = self.aws.invocations();
            let mut jobs = invocations.iter().filter_map(|one| one.job.as_deref());
            jobs.any(|one| one == job)
        };
        if job.is_some_and(|job| !open(job)) {
            self.aws.submit(event.clone(), life);
        }
        let address = self.address.to_string();
        let (status, body) = post(&address, INVOCATIONS, "", &event.to_string()).await;
        assert_eq!(status, 200, "{body}");
        serde_json::from_str(&body).unwrap_or(Value::String(body))
    }
}

/// The form that is shipped where `LANDFALL_BOOTSTRAP` names it, else the one built for the tests.
fn bootstrap() -> PathBuf {
    let given = std::env::var_os("LANDFALL_BOOTSTRAP");
    let path = given.unwrap_or_else(|| OsString::from(env!("CARGO_BIN_EXE_landfall")));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    assert!(path.is_file(), "{} is missing", path.display());
    path
}

fn events() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("events")
}

fn names_of_events() -> BTreeSet<String> {
    let files = fs::read_dir(events()).unwrap();
    let paths = files.map(|entry| entry.unwrap().path());
    paths
        .map(|path| path.file_stem().unwrap().to_string_lossy().into_owned())
        .collect()
}

fn reported(report: &Report) -> Expected {
    match &report.result {
        JobResult::Success {
            continuation_token: None,
            ..
        } => Expected::Success,
        JobResult::Success { summary, .. } => panic!("it goes on: {summary:?}"),
        JobResult::Failure { kind, message, .. } => {
            ["ConfigurationError", "RevisionUnavailable", "JobFailed"]
                .into_iter()
                .find(|known| known == kind)
                .map(Expected::Failure)
                .unwrap_or_else(|| panic!("{kind}: {message}"))
        }
    }
}
