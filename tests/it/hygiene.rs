//! What must appear nowhere, at whatever level and whatever happens.

use crate::cluster::Cluster;
use crate::stage::{Stage, demo_app};
use landfall_sandbox::aws::AwsFault;
use landfall_sandbox::world::{Fault, On};
use serde_json::{Value, json};
use std::time::Duration;

/// Beside the cluster's token.
const SECRETS: [&str; 4] = [
    "ASIA-ARTIFACT-KEY-ID",
    "artifact-secret-access-key",
    "artifact-session-token",
    "env-value-5ecret",
];

async fn stage(level: &str) -> Stage {
    let environment = [
        ("RUST_LOG", Some(level)),
        ("AWS_LAMBDA_LOG_LEVEL", Some(level)),
    ];
    Stage::given_with([demo_app(600)], &environment).await
}

fn parameters(image: &str) -> Value {
    json!({"deployment": "demo-app", "images": {"app": image},
        "env": {"PASSWORD": "env-value-5ecret"},
        "execution": "run-1"})
}

/// Parameters of a deploy that fails after a while.
fn never_ready() -> Value {
    let mut parameters = parameters("never-ready:1");
    parameters["timeout"] = json!("4s");
    parameters
}

#[tokio::test(flavor = "multi_thread")]
async fn no_secret_is_logged_or_reported_at_any_level() {
    for level in [
        "trace",
        "TRACE",
        "debug",
        "landfall=trace,aws_smithy_runtime=trace,hyper=trace",
    ] {
        let stage = stage(level).await;
        stage.deploy(parameters("good:1")).await.success();
        stage.deploy(never_ready()).await.failure();
        stage.aws.fault("CodePipeline", AwsFault::Throttling, 1);
        if let Cluster::Sandbox(kubernetes) = &stage.cluster {
            kubernetes.world(|world, _| {
                world.fault(On::any(), Fault::InternalError, 1);
                world.fault(On::any(), Fault::CutAfter, 1);
            });
        }
        // A third of it is kept for the report, whose repetition may pause for a second.
        stage
            .deploy_in(Duration::from_secs(9), parameters("good:2"))
            .await
            .success();
        let broken = r#"{"env": {"PASSWORD": "env-value-5ecret" x"}}"#;
        let broken = crate::stage::event(800, broken);
        stage.run(broken, Duration::from_secs(10)).await.failure();
        for body in [
            "{\"CodePipeline.job\": \"env-value-5ecret\"}",
            "env-value-5ecret",
        ] {
            let job = stage
                .aws
                .submit_raw(body.as_bytes().to_vec(), Duration::from_secs(5));
            stage.aws.outcome(&job, Duration::from_secs(5)).await;
        }
        let log = stage.log();
        let reports = format!("{:?}", stage.aws.reports());
        for secret in SECRETS.into_iter().chain([stage.cluster.token()]) {
            assert!(
                !log.contains(secret),
                "{secret} is in the log at {level}:\n{log}"
            );
            let quoted = secret == "env-value-5ecret" && reports.contains("not valid JSON");
            assert!(
                quoted || !reports.contains(secret),
                "{secret} is in a report: {reports}"
            );
        }
        assert!(
            !log.contains("artifactCredentials"),
            "the raw event is in the log"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_the_cluster_echoes_is_hidden() {
    let stage = stage("trace").await;
    // Kubernetes quotes the value of a variable that it refuses.
    let manifest = json!({"metadata": {"name": "demo-app"}, "spec": {
        "selector": {"matchLabels": {"app": "demo-app"}},
        "template": {"metadata": {"labels": {"app": "demo-app"}}, "spec": {"containers": [
            {"name": "app", "image": "x", "env-value-5ecret": 1,
                "env": [{"name": "A", "value": "env-value-5ecret"}]}]}}}});
    let (_, message) = stage.deploy(json!({"manifest": manifest})).await.failure();
    assert!(message.contains("[hidden]"), "{message}");
    assert!(!message.contains("env-value-5ecret") && !stage.log().contains("env-value-5ecret"));
}

#[tokio::test(flavor = "multi_thread")]
async fn every_line_is_one_json_object_with_what_the_contract_names() {
    let stage = stage("info").await;
    stage.deploy(parameters("good:1")).await.success();
    stage.deploy(never_ready()).await.failure();
    stage.logged("reporting failure").await;
    let log = stage.function.log();
    assert!(log.len() > 10);
    for line in log {
        let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("{line}"));
        for field in ["timestamp", "level", "message", "requestId", "jobId"] {
            assert!(line[field].is_string(), "{field} is missing in {line}");
        }
        line["timestamp"]
            .as_str()
            .unwrap()
            .parse::<jiff::Timestamp>()
            .unwrap();
    }
    let last: Value = serde_json::from_str(stage.function.log().last().unwrap()).unwrap();
    assert_eq!(last["execution"], "run-1");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_level_is_the_functions_own() {
    let stage = stage("error").await;
    stage.deploy(parameters("good:1")).await.success();
    assert_eq!(stage.function.log(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_a_name_is_no_secret() {
    let stage = stage("info").await;
    let parameters = json!({"deployment": "demo-app", "env": {"NAME": "demo-app", "ON": "true"}});
    let (summary, _) = stage.deploy(parameters).await.success();
    assert!(
        summary.starts_with("Deployment `demo-app` in `default`"),
        "{summary}"
    );
}

/// An AWS service that quotes the credentials of the call that it refuses, as a signature that does
/// not match makes the real one do.
async fn echo() -> String {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        let [_, (_, secret), (_, token)] = landfall_sandbox::function::CREDENTIALS;
        let message = format!("x-amz-security-token:{token} signed with {secret}");
        let body = json!({"__type": "InvalidSignatureException", "message": message}).to_string();
        let head = "HTTP/1.1 400 Bad Request\r\ncontent-type: application/x-amz-json-1.1";
        let length = body.len();
        let answer = format!("{head}\r\ncontent-length: {length}\r\n\r\n{body}");
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = [0; 8192];
            _ = stream.read(&mut request).await;
            _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test(flavor = "multi_thread")]
async fn the_functions_own_credentials_are_hidden_wherever_aws_quotes_them() {
    let url = echo().await;
    for service in ["AWS_ENDPOINT_URL_SSM", "AWS_ENDPOINT_URL_CODEPIPELINE"] {
        let environment = [("RUST_LOG", Some("trace")), (service, Some(&*url))];
        let stage = Stage::given_with([demo_app(2)], &environment).await;
        let life = Duration::from_secs(20);
        let job = stage.aws.submit(stage.event(&parameters("good:1")), life);
        let outcome = stage.aws.outcome(&job, life).await;
        let told = format!("{outcome:?} {} {:?}", stage.log(), stage.aws.reports());
        assert!(
            told.contains("InvalidSignatureException: x-amz-security-token:[hidden]"),
            "{told}"
        );
        for (_, secret) in landfall_sandbox::function::CREDENTIALS.into_iter().skip(1) {
            assert!(!told.contains(secret), "{told}");
        }
    }
}
