//! `template.yaml` against what the function does: the rights that it uses, the variables that it
//! reads, the metrics that it counts.

use crate::stage::{LIFE, SHORT, Stage, demo_app, image};
use crate::ways_in;
use landfall_sandbox::aws::{Alarm, InvocationEnd, Outcome};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

/// What SSM and S3 do with a key of the customer's, or a secret, for a call of ours, in our name.
/// <https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html>
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/integration-ps-secretsmanager.html>
const THROUGH_OTHERS: [(&str, &[&str]); 3] = [
    (
        "ssm:GetParameters",
        &["kms:Decrypt", "secretsmanager:GetSecretValue"],
    ),
    ("ssm:PutParameter", &["kms:Encrypt", "kms:GenerateDataKey"]),
    ("s3:GetObject", &["kms:Decrypt"]),
];

/// What Lambda itself does with the role: the log, and the way into a VPC.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-vpc.html#configuration-vpc-permissions>
const OF_LAMBDA: [&str; 8] = [
    "logs:CreateLogStream",
    "logs:PutLogEvents",
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
];

#[tokio::test(flavor = "multi_thread")]
async fn the_role_may_do_what_the_function_does_and_nothing_else() {
    let bus = [("EVENT_BUS", Some("deploys"))];
    let stage = Stage::given_with([demo_app(600)], &bus).await;
    let slow = image("registry.example.com/demo-app:2.0.0-after-2s");
    stage.deploy_in(SHORT, slow).await.success();
    let plan = json!({"deployment": "demo-app", "images": {"app": "demo-app:3"}, "mode": "plan"});
    stage.deploy(plan).await.success();
    let wrong = json!({"deployment": "nothing", "restart": true});
    stage.deploy(wrong).await.failure();
    let archive = crate::artifact::zip(&[("image.json", br#"{"ImageURI": "demo-app:4"}"#)]);
    let place = json!({"bucketName": "artifacts", "objectKey": "build"});
    stage.aws.put_object("artifacts", "build", archive);
    let mut event = stage.event(&json!({"deployment": "demo-app", "images": "image.json"}));
    event["CodePipeline.job"]["data"]["inputArtifacts"] =
        json!([{"name": "Build", "location": {"type": "S3", "s3Location": place}}]);
    stage.run(event, LIFE).await.success();
    let job = stage.aws.submit(json!({"rotate": true}), LIFE);
    let rotated = stage.aws.outcome(&job, LIFE * 2).await;
    let renewed = matches!(rotated, Outcome::Silent(InvocationEnd::Response(_)));
    assert!(renewed, "{rotated:?}\n{}", stage.log());

    stage.aws.put_alarm(Alarm::silent("5xx"));
    let mut guarded = image("demo-app:5");
    guarded["alarms"] = json!(["5xx"]);
    stage.deploy(guarded).await.success();

    let called = called().await;
    let own_role = ways_in::by_iam(&[]).await;
    own_role.deploy(image("demo-app:2")).await.success();
    let other_role = ways_in::eks::abroad().await;
    other_role.deploy(image("demo-app:2")).await.success();
    // Nothing of SSM where nothing is stored.
    let report = "codepipeline:PutJobSuccessResult";
    assert_eq!(actions(&own_role), to_set(["eks:DescribeCluster", report]));
    // That role asks EKS for the cluster, so that the function's own need not.
    assert_eq!(
        actions(&other_role),
        to_set(["sts:AssumeRole", "eks:DescribeCluster", report])
    );

    let mut expected: BTreeSet<&str> = OF_LAMBDA.into();
    let mut made = actions(&stage);
    made.extend(actions(&own_role));
    made.extend(actions(&other_role));
    made.extend(called);
    expected.extend(made.iter().map(String::as_str));
    for (call, through) in THROUGH_OTHERS {
        assert!(expected.contains(call), "{call} was not made: {expected:?}");
        expected.extend(through);
    }
    let template = template();
    let policy = &template["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"];
    let mut granted = BTreeSet::new();
    allowed(&policy["Statement"], &mut granted);
    assert_eq!(granted, expected);
}

/// The rights that a call without a pipeline takes, whose artifact is in a bucket: also that.
async fn called() -> BTreeSet<String> {
    let variables = [("ARTIFACT_BUCKET", Some("artifacts"))];
    let stage = Stage::given_with([demo_app(600)], &variables).await;
    let archive = crate::artifact::zip(&[("image.json", br#"{"ImageURI": "demo-app:6"}"#)]);
    stage.aws.put_object("artifacts", "build", archive);
    stage.aws.open_bucket("artifacts");
    let parameters = json!({"deployment": "demo-app", "images": "image.json",
        "namespace": stage.cluster.namespace()});
    let event = json!({"deploy": parameters, "artifacts": {"Build": "s3://artifacts/build"}});
    let job = stage.aws.submit(event, LIFE);
    let answered = stage.aws.outcome(&job, LIFE * 2).await;
    let is_done = matches!(&answered, Outcome::Silent(InvocationEnd::Response(answer))
        if answer["status"] == "SUCCEEDED");
    assert!(is_done, "{answered:?}\n{}", stage.log());
    let mut made = actions(&stage);
    let own = made.insert("s3:GetObject".to_owned());
    assert!(own, "only here it is the function's own right");
    made
}

/// The rights that the function's calls took.
fn actions(stage: &Stage) -> BTreeSet<String> {
    let calls = stage.aws.calls();
    let actions = calls.iter().filter_map(|call| action(&call.target));
    actions.collect()
}

fn to_set<const N: usize>(actions: [&str; N]) -> BTreeSet<String> {
    actions.map(str::to_owned).into()
}

/// The right that a call takes; none for S3, where the job's own credentials are used (the sandbox
/// refuses the function's).
fn action(target: &str) -> Option<String> {
    match target.split_once('.').unwrap() {
        ("AmazonSSM", operation) => Some(format!("ssm:{operation}")),
        ("CodePipeline_20150709", operation) => Some(format!("codepipeline:{operation}")),
        ("AWSEvents", operation) => Some(format!("events:{operation}")),
        ("EKS", operation) => Some(format!("eks:{operation}")),
        ("GraniteServiceVersion20100801", operation) => Some(format!("cloudwatch:{operation}")),
        ("STS", operation) => Some(format!("sts:{operation}")),
        ("S3", "GetObject") => None,
        _ => panic!("{target} is a call of a service that is new"),
    }
}

/// The actions of all statements that allow something, also of those that depend on a condition.
fn allowed<'a>(statements: &'a Value, found: &mut BTreeSet<&'a str>) {
    match statements {
        Value::Array(several) => several.iter().for_each(|one| allowed(one, found)),
        Value::Object(one) if one["Effect"] == "Allow" => match &one["Action"] {
            Value::Array(actions) => found.extend(actions.iter().map(|it| it.as_str().unwrap())),
            action => _ = found.insert(action.as_str().unwrap()),
        },
        // A denial, or the name of a condition.
        _ => {}
    }
}

#[test]
fn the_template_sets_the_variables_that_the_function_reads() {
    let read = fs::read_to_string(root().join("core/src/environment.rs")).unwrap();
    let read = read.split("#[cfg(test)]").next().unwrap();
    let ours = |text: &&str| {
        let prefixes = ["K8S_", "EKS_", "KUBECONFIG_", "ARTIFACT_", "EVENT_"];
        prefixes.iter().any(|prefix| text.starts_with(prefix)) && !text.contains(' ')
    };
    let variables: BTreeSet<&str> = read.split('"').filter(ours).collect();
    let template = template();
    let function = &template["Resources"]["Function"]["Properties"];
    let set = function["Environment"]["Variables"].as_object().unwrap();
    let set: BTreeSet<&str> = set.keys().map(String::as_str).collect();
    assert_eq!(set, variables);
    // AWS_LAMBDA_LOG_LEVEL is Lambda's to set.
    assert_eq!(function["LoggingConfig"]["ApplicationLogLevel"], "LogLevel");
    let parameter = &template["Parameters"]["TokenParameter"]["Default"];
    assert_eq!(parameter, "k8s-bear-token");
}

#[test]
fn the_template_draws_the_metrics_that_the_function_counts() {
    let source = fs::read_to_string(root().join("src/telemetry/metrics.rs")).unwrap();
    let dashboard = &template()["Resources"]["Overview"]["Properties"]["DashboardBody"][0];
    let body: Value = serde_json::from_str(dashboard.as_str().unwrap()).unwrap();
    let widgets = body["widgets"].as_array().unwrap().iter();
    let metrics = widgets.filter_map(|widget| widget["properties"]["metrics"].as_array());
    let metrics = metrics.flatten();
    let ours = metrics.filter(|metric| metric[0] == "Landfall");
    let drawn: BTreeSet<&str> = ours.map(|metric| metric[1].as_str().unwrap()).collect();
    assert_eq!(drawn.len(), 6);
    for name in drawn {
        assert!(source.contains(&format!("(\"{name}\", ")), "{name}");
    }
}

#[test]
fn the_template_is_of_this_version() {
    let metadata = &template()["Metadata"]["AWS::ServerlessRepo::Application"];
    assert_eq!(metadata["SemanticVersion"], env!("CARGO_PKG_VERSION"));
    for file in ["LicenseUrl", "ReadmeUrl"] {
        assert!(root().join(metadata[file].as_str().unwrap()).is_file());
    }
}

/// What a report of a fault needs first. The function tells it without Lambda around it.
#[test]
fn the_function_tells_its_version() {
    let mut function = Command::new(env!("CARGO_BIN_EXE_landfall"));
    let told = function.arg("--version").env_clear().output().unwrap();
    assert!(told.status.success());
    let expected = concat!("landfall ", env!("CARGO_PKG_VERSION"), "\n");
    assert_eq!(String::from_utf8(told.stdout).unwrap(), expected);
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The template without its functions' names: `!Ref Name` is `Name`, `!If [A, b, c]` a list.
fn template() -> Value {
    let text = fs::read_to_string(root().join("template.yaml")).unwrap();
    let mut parts = text.split('!');
    let mut plain = parts.next().unwrap().to_owned();
    for part in parts {
        let tag = part.find(|letter: char| !letter.is_ascii_alphanumeric());
        plain.push_str(&part[tag.unwrap_or(part.len())..]);
    }
    let mut found = Vec::new();
    landfall_core::formats::yaml::read(&plain, |document| found.push(document)).unwrap();
    assert_eq!(found.len(), 1);
    found.remove(0)
}
