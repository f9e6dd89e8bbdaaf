//! The token is renewed: `{"rotate": true}`. Whatever fails leaves the present one as it is.

mod refused;

use crate::cluster::Cluster;
use crate::stage::{Environment, LIFE, Stage, demo_app, function, image};
use jiff::{SignedDuration, Timestamp};
use landfall::http::{self, Trust};
use landfall_sandbox::aws::{AwsFault, InvocationEnd, Outcome};
use landfall_sandbox::function::Function;
use landfall_sandbox::world::World;
use serde_json::{Value, json};

const PARAMETER: &str = "k8s-bear-token";
const KEY: &str = "arn:aws:kms:eu-central-1:111122223333:key/ours";
const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
const VERBOSE: (&str, Option<&str>) = ("AWS_LAMBDA_LOG_LEVEL", Some("TRACE"));

/// A stage with everything in the log, and the token under a key of the customer's.
pub async fn stage(environment: Environment<'_>) -> Stage {
    let environment = [&[VERBOSE], environment].concat();
    keyed(Stage::given_with([demo_app(600)], &environment).await)
}

/// The same in the sandbox, for what no other cluster does.
pub async fn sandbox() -> Stage {
    let prepare = |world: &mut World, now| world.apply(demo_app(600), now);
    keyed(Stage::in_sandbox_with(prepare, &[VERBOSE]).await)
}

fn keyed(stage: Stage) -> Stage {
    let token = stage.cluster.token();
    stage.aws.put_secret(PARAMETER, token, KEY, "ours");
    stage
}

/// One event without a job, and how its invocation ended.
async fn invoke(stage: &Stage, event: Value) -> InvocationEnd {
    let job = stage.aws.submit(event, LIFE);
    match stage.aws.outcome(&job, LIFE * 2).await {
        Outcome::Silent(end) => end,
        other => panic!("{other:?}\n{}", stage.log()),
    }
}

fn answer(end: InvocationEnd, stage: &Stage) -> Value {
    match end {
        InvocationEnd::Response(answer) => answer,
        other => panic!("{other:?}\n{}", stage.log()),
    }
}

pub async fn rotate(stage: &Stage) -> Value {
    answer(invoke(stage, json!({"rotate": true})).await, stage)
}

/// The words of a rotation that fails. The parameter is as before, and nothing secret was told.
pub async fn failure(stage: &Stage, event: Value) -> String {
    let before = stage.aws.parameter(PARAMETER).unwrap();
    let end = invoke(stage, event).await;
    let InvocationEnd::Error(error) = end else {
        panic!("{end:?}\n{}", stage.log());
    };
    assert_eq!(error["errorType"], "NotRenewed", "{error}");
    assert_eq!(stage.aws.parameter(PARAMETER).unwrap(), before);
    stage.logged("the token was not renewed").await;
    tells_no_token(stage, &[&before.value], &error.to_string());
    error["errorMessage"].as_str().unwrap().to_owned()
}

fn tells_no_token(stage: &Stage, tokens: &[&str], answer: &str) {
    let told = format!("{}\n{answer}", stage.log());
    for token in tokens {
        // Of a JWT, all that is signed and the signature.
        for part in token.split('.').filter(|part| part.len() > 20) {
            assert!(!told.contains(part), "a token is told:\n{told}");
        }
    }
    // Whatever the cluster issues begins like this.
    assert!(!told.contains("eyJ"), "a token is told:\n{told}");
}

/// The status of a request with a token.
async fn ask(cluster: &Cluster, token: &str, path: &str, body: &Value) -> u16 {
    let client = http::client(Trust::Only(cluster.ca())).unwrap();
    let request = client
        .post(format!("{}{path}", cluster.url()))
        .header("Authorization", format!("Bearer {token}"))
        .header("Content-Type", "application/json")
        .body(body.to_string());
    request.send().await.unwrap().status().as_u16()
}

/// The status where a token asks for another of an account.
async fn ask_for(cluster: &Cluster, token: &str, account: &str) -> u16 {
    let space = cluster.namespace();
    let path = format!("/api/v1/namespaces/{space}/serviceaccounts/{account}/token");
    let body = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest",
        "spec": {"expirationSeconds": 600}});
    ask(cluster, token, &path, &body).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_is_stored_and_a_warm_function_deploys_with_it() {
    let stage = stage(&[]).await;
    let before = stage.aws.parameter(PARAMETER).unwrap();
    let earlier = Timestamp::now();
    let answer = rotate(&stage).await;
    let after = stage.aws.parameter(PARAMETER).unwrap();
    assert_eq!(answer["parameter"], PARAMETER);
    assert_eq!(answer["version"], before.version + 1);
    let until: Timestamp = answer["validUntil"].as_str().unwrap().parse().unwrap();
    let life = until.duration_since(earlier);
    let day = SignedDuration::from_hours(24);
    assert!((life - day).abs() < SignedDuration::from_secs(10), "{life}");
    assert_eq!(after.version, before.version + 1);
    assert_ne!(after.value, before.value);
    assert_eq!((after.key.as_deref(), after.kind), (Some(KEY), before.kind));
    assert_eq!(after.description.as_deref(), Some("ours"));
    let former = match &stage.cluster {
        Cluster::Sandbox(_) => "does not say when it ends",
        Cluster::Real(_) => "delete secret landfall-token",
    };
    stage.logged(former).await;
    // It may renew itself, and nobody else.
    assert_eq!(ask_for(&stage.cluster, &after.value, "landfall").await, 201);
    assert_eq!(ask_for(&stage.cluster, &after.value, "default").await, 403);
    // The former one dies; the warm function does not ask SSM for the new one.
    stage.cluster.rotate_token().await;
    stage.deploy(image(NEW_IMAGE)).await.success();
    let reads = stage.aws.calls().into_iter();
    let reads = reads.filter(|call| call.target.ends_with(".GetParameters"));
    assert_eq!(reads.count(), 1);
    // The next one begins with a token that ends by itself.
    let next = rotate(&stage).await;
    assert_eq!(next["version"], before.version + 2);
    assert_eq!(stage.log().matches(former).count(), 1, "{}", stage.log());
    let newest = stage.aws.parameter(PARAMETER).unwrap();
    let tokens = [&*before.value, &after.value, &newest.value];
    tells_no_token(&stage, &tokens, &format!("{answer} {next}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cold_function_and_one_that_is_at_work_take_up_the_new_token() {
    let stage = stage(&[]).await;
    let (url, ca) = (stage.cluster.url(), stage.cluster.ca());
    let variables = [("K8S_CLUSTER", url), ("K8S_CA", ca)];
    let second = Function::start(&function(), &stage.aws, &variables).unwrap();
    let event = stage.event(&image("registry.example.com/demo-app:after-3s"));
    let job = stage.aws.submit(event, LIFE);
    stage.written().await;
    rotate(&stage).await;
    stage.cluster.rotate_token().await;
    let outcome = stage.aws.outcome(&job, LIFE * 2).await;
    let log = format!("{}\n{}", stage.log(), second.log().join("\n"));
    assert!(
        matches!(outcome, Outcome::Succeeded(_)),
        "{outcome:?}\n{log}"
    );
    drop(second);
    stage.deploy(image(NEW_IMAGE)).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schedule_that_fires_twice_at_once_does_no_harm() {
    let stage = stage(&[]).await;
    let (url, ca) = (stage.cluster.url(), stage.cluster.ca());
    let variables = [("K8S_CLUSTER", url), ("K8S_CA", ca)];
    let _second = Function::start(&function(), &stage.aws, &variables).unwrap();
    let before = stage.aws.parameter(PARAMETER).unwrap();
    let (one, other) = tokio::join!(rotate(&stage), rotate(&stage));
    let mut versions = [&one, &other].map(|answer| answer["version"].as_u64().unwrap());
    versions.sort_unstable();
    assert_eq!(versions, [before.version + 1, before.version + 2]);
    let newest = stage.aws.parameter(PARAMETER).unwrap();
    assert_eq!(
        ask_for(&stage.cluster, &newest.value, "landfall").await,
        201
    );
    stage.deploy(image(NEW_IMAGE)).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_may_not_have_tokens_is_told_what_to_apply() {
    let stage = stage(&[]).await;
    stage
        .cluster
        .forbid("create", "serviceaccounts/token")
        .await;
    let message = failure(&stage, json!({"rotate": true})).await;
    for words in [
        "The token in SSM parameter `k8s-bear-token` was not renewed: its ServiceAccount may not \
         create tokens for itself (HTTP 403, \"serviceaccounts \"landfall\" is forbidden",
        "The present one was kept",
        "Apply deploy/rbac-rotation.yaml",
    ] {
        assert!(message.contains(words), "{message}");
    }
    stage.deploy(image(NEW_IMAGE)).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_of_ssm_that_is_lost_does_no_harm() {
    let stage = stage(&[]).await;
    let before = stage.aws.parameter(PARAMETER).unwrap();
    stage.aws.fault("PutParameter", AwsFault::CutAfter, 1);
    let answer = rotate(&stage).await;
    assert_eq!(answer["version"], before.version + 2);
    let newest = stage.aws.parameter(PARAMETER).unwrap();
    assert_eq!(newest.key.as_deref(), Some(KEY));
    assert_eq!(
        ask_for(&stage.cluster, &newest.value, "landfall").await,
        201
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn ssm_that_stays_away_leaves_it_open_what_is_stored() {
    let stage = stage(&[]).await;
    stage.aws.fault("PutParameter", AwsFault::Unavailable, 100);
    let message = failure(&stage, json!({"rotate": true})).await;
    for words in [
        "SSM could not answer just now",
        "Whether the new one arrived all the same is not known. Either is valid",
    ] {
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_with_a_job_is_a_deploy_whatever_else_it_says() {
    let stage = stage(&[]).await;
    let before = stage.aws.parameter(PARAMETER).unwrap();
    let mut event = stage.event(&image(NEW_IMAGE));
    event["rotate"] = json!(true);
    stage.run(event, LIFE).await.success();
    assert_eq!(stage.aws.parameter(PARAMETER).unwrap(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_is_away_is_told_with_what_holds() {
    let away = [("K8S_CLUSTER", Some("https://127.0.0.1:9"))];
    let stage = stage(&away).await;
    let message = failure(&stage, json!({"rotate": true})).await;
    for words in [
        "the cluster could not be reached",
        "The present one was kept",
    ] {
        assert!(message.contains(words), "{message}");
    }
}

fn administrator() -> Option<String> {
    let config = std::fs::read_to_string(std::env::var_os("KUBECONFIG")?).ok()?;
    let config: Value = serde_json::from_str(&config).ok()?;
    Some(config["users"][0]["user"]["token"].as_str()?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shorter_life_than_was_asked_for_is_a_warning() {
    let stage = stage(&[]).await;
    match &stage.cluster {
        Cluster::Sandbox(kubernetes) => {
            kubernetes.world(|world, _| world.shorten_tokens(SignedDuration::from_hours(48)));
        }
        // Started with `--service-account-max-token-expiration`; somebody else's may be without.
        Cluster::Real(namespace) if namespace.requests().is_some() => {}
        Cluster::Real(_) => return,
    }
    let words = "a shorter life than was asked for";
    for (lifetime, hours, warned) in [("24h", 24, false), ("168h", 48, true)] {
        let event = json!({"rotate": true, "lifetime": lifetime});
        let answer = answer(invoke(&stage, event).await, &stage);
        let until: Timestamp = answer["validUntil"].as_str().unwrap().parse().unwrap();
        let missing = SignedDuration::from_hours(hours) - until.duration_since(Timestamp::now());
        let second = SignedDuration::from_secs(1);
        assert!((-second..second * 20).contains(&missing), "{missing}");
        let renewed = format!("\"validUntil\":{}", answer["validUntil"]);
        stage.logged(&renewed).await;
        // The warning is a line of its own after this one: whether a renewal was without is known
        // once the next one is in the log.
        let log = stage.log();
        let (before, _) = log.split_once(&renewed).unwrap();
        assert!(!before.contains(words), "{log}");
        if warned {
            stage.logged(words).await;
        }
    }
    // So short that it would end where one renewal fails: that is no renewal.
    if let Cluster::Sandbox(kubernetes) = &stage.cluster {
        kubernetes.world(|world, _| world.shorten_tokens(SignedDuration::from_hours(1)));
        let before = stage.aws.parameter(PARAMETER).unwrap();
        let message = failure(&stage, json!({"rotate": true})).await;
        for words in ["less than 16 hours", "was kept", "max-token-expiration"] {
            assert!(message.contains(words), "{message}");
        }
        assert_eq!(stage.aws.parameter(PARAMETER).unwrap(), before);
    }
}
