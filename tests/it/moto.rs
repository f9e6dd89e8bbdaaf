//! moto, which many people test AWS code with, keeps the token, the CA and artifacts: the function
//! reads them from there, and the sandbox's SSM is held against it.
//! <https://github.com/getmoto/moto>

mod alarms;
mod by_iam;
mod page;
mod server;

use crate::cluster::Cluster;
use crate::moto::server::call;
use crate::stage::demo_app;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use landfall_sandbox::aws::{ACCOUNT, Aws, InvocationEnd, JobResult, Outcome, REGION};
use serde_json::{Value, json};
use std::time::Duration;

pub use server::Moto;

const LIFE: Duration = Duration::from_secs(30);

#[tokio::test]
#[ignore = "needs moto: make conformance"]
async fn the_token_is_read_from_moto() {
    let (moto, cluster) = (
        Moto::start().await,
        Cluster::given(vec![demo_app(600)]).await,
    );
    moto.store(&cluster).await;
    let arn = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/plain");
    let unauthorized = ("PermissionError", "401");
    let cases = [
        ("plain", "ca", None),
        ("versions:2", "ca", None),
        ("versions:good", "ca", None),
        ("/path/to/token", "ca:1", None),
        (&arn, "ca", None),
        ("versions", "ca", Some(unauthorized)),
        ("versions:1", "ca", Some(unauthorized)),
        ("versions:bad", "ca", Some(unauthorized)),
        (
            "nothing",
            "ca",
            Some(("ConfigurationError", "no parameter `nothing`")),
        ),
        (
            "versions:9",
            "ca",
            Some(("ConfigurationError", "no parameter `versions:9`")),
        ),
        (
            "versions:none",
            "ca",
            Some(("ConfigurationError", "no parameter `versions:none`")),
        ),
        (
            "plain",
            "no-ca",
            Some(("ConfigurationError", "no parameter `no-ca`")),
        ),
        (
            "plain",
            "versions",
            Some(("ConfigurationError", "neither a PEM certificate nor base64")),
        ),
    ];
    for (token, ca, expected) in cases {
        let result = moto.deploy(&cluster, token, ca).await;
        match (&result, expected) {
            (JobResult::Success { .. }, None) => {}
            (JobResult::Failure { kind, message, .. }, Some((expected, text))) => {
                assert_eq!(kind, expected, "{token} {ca}: {message}");
                assert!(message.contains(text), "{token} {ca}: {message}");
                assert!(
                    !message.contains(cluster.token()),
                    "{token} {ca}: {message}"
                );
            }
            (_, _) => panic!("{token} {ca}: {result:#?}"),
        }
        println!("moto: {token} {ca}: {expected:?}");
    }
}

/// SSM repeats such a secret in clear, in `SourceResult`.
#[tokio::test]
#[ignore = "needs moto: make conformance"]
async fn secrets_are_read_from_secrets_manager_through_ssm() {
    let cluster = Cluster::given(vec![demo_app(600)]).await;
    let moto = Moto::like_aws(&cluster, &json!({})).await;
    moto.store(&cluster).await;
    moto.put_secret("landfall/token", cluster.token()).await;
    let reference = "/aws/reference/secretsmanager/landfall/token";
    let body = json!({"Names": [reference, "ca"], "WithDecryption": true});
    let (_, stored) = moto.ssm("GetParameters", &body).await;
    let repeated = stored["Parameters"].to_string();
    assert_eq!(repeated.matches(cluster.token()).count(), 2, "{repeated}");
    let kubeconfig = json!({
        "clusters": [{"name": "real", "cluster": {"server": cluster.url(),
            "certificate-authority-data": STANDARD.encode(cluster.ca())}}],
        "users": [{"name": "landfall", "user": {"token": cluster.token()}}],
        "contexts": [{"name": "real", "context": {"cluster": "real", "user": "landfall"}}],
    });
    moto.put_secret("kubeconfig", &kubeconfig.to_string()).await;
    let token = |name| {
        let token = ("K8S_TOKEN_PARAMETER", name);
        vec![
            ("K8S_CLUSTER", cluster.url()),
            token,
            ("K8S_CA_PARAMETER", "ca"),
        ]
    };
    let kubeconfig = |name| vec![("KUBECONFIG_PARAMETER", name)];
    let unknown = "/aws/reference/secretsmanager/no";
    for (mut variables, missing) in [
        (token(reference), None),
        (kubeconfig("/aws/reference/secretsmanager/kubeconfig"), None),
        (token(unknown), Some(unknown)),
        (kubeconfig(unknown), Some(unknown)),
    ] {
        variables.push(("RUST_LOG", "trace"));
        let event = restart(&cluster);
        let result = moto.run_with(&variables, event, &[cluster.token()]).await;
        match (&result, missing) {
            (JobResult::Success { .. }, None) => {}
            (JobResult::Failure { kind, message, .. }, Some(name)) => {
                assert_eq!(kind, "ConfigurationError", "{message}");
                assert!(message.contains(name), "{message}");
            }
            (_, _) => panic!("{variables:?}: {result:#?}"),
        }
    }
}

/// A deploy that changes nothing but the pods.
fn restart(cluster: &Cluster) -> Value {
    let parameters = json!({"deployment": "demo-app", "restart": true,
        "namespace": cluster.namespace()});
    crate::stage::event(1, &parameters.to_string())
}

#[tokio::test]
#[ignore = "needs moto: make conformance"]
async fn artifacts_are_read_from_moto() {
    let (moto, cluster) = (
        Moto::start().await,
        Cluster::given(vec![demo_app(600)]).await,
    );
    moto.store(&cluster).await;
    let key = moto.key().await;
    let mut manifest = demo_app(600);
    cluster.place(&mut manifest);
    manifest["metadata"]
        .as_object_mut()
        .unwrap()
        .remove("namespace");
    let text = manifest.to_string();
    let own = crate::artifact::zip(&[("k8s/app.json", text.as_bytes())]);
    // More than what is read first: the directory is asked for by itself.
    let filler = vec![7; 300_000];
    let names = (0..3000)
        .map(|n| format!("node_modules/{n}/package.json"))
        .collect::<Vec<_>>();
    let mut members = vec![("k8s/app.json", text.as_bytes()), ("filler", &*filler)];
    members.extend(names.iter().map(|name| (name.as_str(), &b"{}"[..])));
    let long = crate::artifact::zip(&members);
    moto.bucket("artifacts", REGION).await;
    moto.put("artifacts", "demo/Own", &own, None).await;
    moto.put("artifacts", "demo/Kms", &own, Some(&key)).await;
    moto.put("artifacts", "demo/Long", &long, Some(&key)).await;
    moto.put("artifacts", "a b/größe+(1)", &own, None).await;
    moto.put("artifacts", "demo/Empty", b"", None).await;
    let pointer = br#"{"FullRepositoryName": "team/app", "CommitId": "e0c7"}"#;
    moto.put("artifacts", "demo/Pointer", pointer, None).await;
    let unavailable = |text| Some(("RevisionUnavailable", text));
    for (bucket, key, path, expected) in [
        ("artifacts", "demo/Own", "k8s/app.json", None),
        ("artifacts", "demo/Kms", "Source::k8s/app.json", None),
        ("artifacts", "demo/Long", "k8s/app.json", None),
        ("artifacts", "a b/größe+(1)", "k8s/app.json", None),
        (
            "artifacts",
            "demo/Own",
            "app.json",
            unavailable("there is `k8s/app.json`"),
        ),
        (
            "artifacts",
            "demo/Nothing",
            "k8s/app.json",
            unavailable("NoSuchKey"),
        ),
        (
            "nothing",
            "demo/Own",
            "k8s/app.json",
            unavailable("NoSuchBucket"),
        ),
        (
            "artifacts",
            "demo/Empty",
            "k8s/app.json",
            unavailable("is empty"),
        ),
        (
            "artifacts",
            "demo/Pointer",
            "k8s/app.json",
            unavailable("CODEBUILD_CLONE_REF"),
        ),
    ] {
        let place = json!({"bucketName": bucket, "objectKey": key});
        let artifact = json!({"name": "Source", "location": {"type": "S3", "s3Location": place}});
        let parameters = json!({"manifest": path, "deployment": "demo-app", "restart": true,
            "namespace": cluster.namespace()});
        let mut event = crate::stage::event(1, &parameters.to_string());
        event["CodePipeline.job"]["data"]["inputArtifacts"] = json!([artifact]);
        let result = moto.run(&cluster, ("plain", "ca"), event).await;
        match (&result, expected) {
            (JobResult::Success { .. }, None) => {}
            (JobResult::Failure { kind, message, .. }, Some((expected, text))) => {
                assert_eq!(kind, expected, "{key}: {message}");
                assert!(message.contains(text), "{key}: {message}");
            }
            (_, _) => panic!("{bucket} {key} {path}: {result:#?}"),
        }
        println!("moto: s3://{bucket}/{key} {path}: {expected:?}");
    }
}

#[tokio::test]
#[ignore = "needs moto: make conformance"]
async fn the_token_is_renewed_in_moto_under_its_key() {
    let (moto, cluster) = (Moto::start().await, Cluster::given(Vec::new()).await);
    moto.store(&cluster).await;
    let aws = Aws::start().await.unwrap();
    for (name, version) in [("plain", 2), ("/path/to/token", 2)] {
        let function = moto.function(&aws, &cluster, (name, "ca"));
        let job = aws.submit(json!({"rotate": true}), LIFE);
        let Outcome::Silent(InvocationEnd::Response(answer)) = aws.outcome(&job, LIFE).await else {
            panic!("{}", function.log().join("\n"));
        };
        assert_eq!(
            (&answer["parameter"], &answer["version"]),
            (&json!(name), &json!(version))
        );
        let body = json!({"Name": name, "WithDecryption": true});
        let (_, history) = moto.ssm("GetParameterHistory", &body).await;
        let versions = history["Parameters"].as_array().unwrap();
        let (first, last) = (&versions[0], versions.last().unwrap());
        assert_eq!(last["Version"], version);
        assert!(first["KeyId"].as_str().unwrap().len() > 30, "{first}");
        assert_eq!(first["KeyId"], last["KeyId"]);
        assert!(last["Value"].as_str().unwrap().starts_with("eyJ"));
    }
}

/// Where moto and the sandbox answer differently, and AWS's own model is with the sandbox.
enum Differs {
    Nowhere,
    /// moto leaves out `Selector`, which SSM answers.
    /// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Parameter.html>
    NoSelector,
    /// moto does not check the request, and SSM refuses it.
    Unchecked,
    /// moto takes a label that it does not find for a part of the name.
    LabelIsName,
}

#[tokio::test]
#[ignore = "needs moto: make conformance"]
async fn the_sandbox_answers_as_moto_does() {
    use Differs::{LabelIsName, NoSelector, Nowhere, Unchecked};
    let moto = Moto::start().await;
    let aws = Aws::start().await.unwrap();
    let sandbox = aws.endpoint().trim_start_matches("http://").to_owned();
    let put = |name: &str, value: &str, kind: &str| {
        let more = json!({"Name": name, "Value": value, "Type": kind});
        ("PutParameter", more, Nowhere)
    };
    let overwrite = json!({"Name": "t", "Value": "2", "Type": "SecureString", "Overwrite": true});
    let mut requests = vec![
        put("t", "1", "SecureString"),
        ("PutParameter", overwrite, Nowhere),
        put("t", "again", "SecureString"),
        put("/a/path", "text", "String"),
    ];
    assert_eq!(compare(&moto, &sandbox, requests.split_off(0)).await, 4);
    moto.label("t", 1, "old").await;
    assert!(aws.label_parameter("t", 1, "old"));
    let arn = format!("arn:aws:ssm:{REGION}:{ACCOUNT}:parameter");
    let eleven: Vec<_> = (0..11).map(|number| format!("p{number}")).collect();
    let one = |name: &str, differs| ("GetParameter", json!({"Name": name}), differs);
    let several = |names: Value, differs| {
        let body = json!({"Names": names, "WithDecryption": true});
        ("GetParameters", body, differs)
    };
    let history = |body: Value| ("GetParameterHistory", body, Nowhere);
    requests = vec![
        history(json!({"Name": "t"})),
        history(json!({"Name": "t", "WithDecryption": true, "MaxResults": 1})),
        history(json!({"Name": "/a/path"})),
        history(json!({"Name": "nope"})),
        one("t", Nowhere),
        one("/a/path", Nowhere),
        one("nope", Nowhere),
        one("t:9", Nowhere),
        one("t:1", NoSelector),
        one("t:old", NoSelector),
        one("t:none", LabelIsName),
        one("t:1:2", LabelIsName),
        one(&format!("{arn}/t"), Nowhere),
        one(&format!("{arn}/a/path"), Nowhere),
        one("to ken", Unchecked),
        one("", Unchecked),
        several(json!(["t"]), Nowhere),
        several(json!(["t", "/a/path"]), Nowhere),
        several(json!(["t", "nope", "t:9", "t:none"]), Nowhere),
        several(json!(["t:1"]), NoSelector),
        several(json!(["t:old", "/a/path"]), NoSelector),
        several(json!([format!("{arn}/t")]), Nowhere),
        several(json!(eleven), Nowhere),
        several(json!([]), Unchecked),
        several(json!(["t", "t"]), Unchecked),
    ];
    let count = requests.len();
    assert_eq!(compare(&moto, &sandbox, requests).await, count);
}

/// Sends each request to both and holds the answers against each other; how many were sent.
async fn compare(moto: &Moto, sandbox: &str, requests: Vec<(&str, Value, Differs)>) -> usize {
    let count = requests.len();
    for (operation, body, differs) in requests {
        let case = format!("{operation} {body}");
        let theirs = shape(moto.ssm(operation, &body).await);
        let mut ours = shape(call(sandbox, "ssm", &format!("AmazonSSM.{operation}"), &body).await);
        match differs {
            Differs::Nowhere => {}
            Differs::NoSelector => assert!(take_selectors(&mut ours.1) > 0, "{case}: {ours:?}"),
            Differs::Unchecked => {
                assert_eq!(ours, refused("ValidationException"), "{case}");
                assert_ne!(theirs, ours, "moto checks {case} by now");
                continue;
            }
            Differs::LabelIsName => {
                assert_eq!(ours, refused("ParameterVersionNotFound"), "{case}");
                assert_eq!(theirs, refused("ParameterNotFound"), "{case}");
                continue;
            }
        }
        assert_eq!(ours, theirs, "sandbox, moto: {case}");
        println!("sandbox as moto: {case}");
    }
    count
}

fn refused(kind: &str) -> (u16, Value) {
    (400, json!({"__type": kind}))
}

/// An answer without what differs from run to run: times, ciphertexts, the words of an error, the
/// order of several parameters.
fn shape((status, mut body): (u16, Value)) -> (u16, Value) {
    if let Some(kind) = body.get("__type") {
        return (status, json!({"__type": kind}));
    }
    // Each counts in its own way.
    match body.get_mut("NextToken") {
        Some(Value::String(token)) => *token = "a token".to_owned(),
        _ => drop(body.as_object_mut().unwrap().remove("NextToken")),
    }
    if let Some(several) = body.get_mut("Parameters").and_then(Value::as_array_mut) {
        several.sort_by_key(|one| one["Name"].as_str().map(str::to_owned));
    }
    for parameter in parameters(&mut body) {
        assert!(parameter["LastModifiedDate"].is_f64(), "{parameter}");
        parameter["LastModifiedDate"] = json!("a time");
        if parameter["Value"].as_str().unwrap().len() > 10 {
            parameter["Value"] = json!("a ciphertext");
        }
    }
    (status, body)
}

fn take_selectors(body: &mut Value) -> usize {
    let taken = parameters(body)
        .into_iter()
        .filter_map(|parameter| parameter.as_object_mut().unwrap().remove("Selector"));
    taken.count()
}

fn parameters(body: &mut Value) -> Vec<&mut Value> {
    let body = body.as_object_mut().unwrap();
    let found = body.iter_mut().flat_map(|(name, value)| match &**name {
        "Parameter" => vec![value],
        "Parameters" => value.as_array_mut().unwrap().iter_mut().collect(),
        _ => Vec::new(),
    });
    found.collect()
}
