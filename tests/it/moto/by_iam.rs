//! moto describes a cluster of EKS and lets a role be assumed; the cluster is a real one, whose tokens
//! aws-iam-authenticator's verifier checks.

use crate::cluster::Cluster;
use crate::moto::{Moto, restart};
use crate::peer::{program_path, run_with_input};
use crate::real::{IAM_USER, eks};
use crate::stage::demo_app;
use landfall_sandbox::aws::{ACCOUNT, CREDENTIALS, JobResult, REGION};
use serde_json::json;
use std::process::Command;

/// A role with an access entry that names no group, and a role without an access entry.
const GROUPLESS_KEY: &str = "ASIAIOSFODNGROUPLESS";
const STRANGER_KEY: &str = "ASIAIOSFODNNSTRANGER";
/// The key and the user of the role in another account, as the control plane knows them.
const DEPLOYER_KEY: &str = "ASIAIOSFODNNDEPLOYER";
const DEPLOYER_USER: &str = "arn:aws:sts::444455556666:assumed-role/deployer/landfall";
const DEPLOYER: &str = "arn:aws:iam::444455556666:role/ci/deployer";
const EXTERNAL_ID: &str = "an-external-id-that-nobody-sees";

/// A cluster in which `demo-app` runs, and a moto that knows it.
async fn moto_with_cluster(user: &str) -> (Moto, Cluster, String) {
    let name = eks().expect("make conformance");
    let cluster = Cluster::for_member(user, vec![demo_app(600)]).await;
    let [_, (_, secret), (_, session)] = CREDENTIALS;
    let assumed = json!({"key": DEPLOYER_KEY, "secret": secret, "session": session});
    let moto = Moto::like_aws(&cluster, &assumed).await;
    moto.create_cluster(&name).await;
    (moto, cluster, name)
}

async fn deploy(moto: &Moto, cluster: &Cluster, variables: &[(&str, &str)]) -> JobResult {
    let [_, (_, secret), (_, session)] = CREDENTIALS;
    let secrets = [
        secret,
        session,
        EXTERNAL_ID,
        "k8s-aws-v1.",
        "X-Amz-Signature",
    ];
    let all = [variables, &[("RUST_LOG", "trace")]].concat();
    moto.run_with(&all, restart(cluster), &secrets).await
}

#[tokio::test]
#[ignore = "needs moto and a control plane of our own: make conformance"]
async fn a_cluster_that_moto_describes_is_opened_by_the_own_role() {
    let (moto, cluster, name) = moto_with_cluster(IAM_USER).await;
    let arn = format!("arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{name}");
    for given in [&name, &arn] {
        let result = deploy(&moto, &cluster, &[("EKS_CLUSTER", given)]).await;
        assert!(
            matches!(result, JobResult::Success { .. }),
            "{given}: {result:#?}"
        );
    }
    assert!(!cluster.requests().unwrap().is_empty());
    let result = deploy(&moto, &cluster, &[("EKS_CLUSTER", "nothing")]).await;
    let JobResult::Failure { kind, message, .. } = result else {
        panic!("{result:#?}");
    };
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("nothing"), "{message}");
}

#[tokio::test]
#[ignore = "needs moto and a control plane of our own: make conformance"]
async fn a_cluster_is_opened_by_a_role_that_moto_lets_us_assume() {
    let (moto, cluster, name) = moto_with_cluster(DEPLOYER_USER).await;
    let variables = [
        ("EKS_CLUSTER", name.as_str()),
        ("EKS_ROLE", DEPLOYER),
        ("EKS_EXTERNAL_ID", EXTERNAL_ID),
    ];
    let result = deploy(&moto, &cluster, &variables).await;
    assert!(matches!(result, JobResult::Success { .. }), "{result:#?}");
    assert!(!cluster.requests().unwrap().is_empty());
}

#[tokio::test]
#[ignore = "needs moto and a control plane of our own: make conformance"]
async fn whoever_the_cluster_does_not_know_is_refused_with_the_reason() {
    let (moto, cluster, name) = moto_with_cluster(IAM_USER).await;
    let other = format!("{name}-other");
    moto.create_cluster(&other).await;
    let refused = "does not let the function's role in";
    for (cluster_name, key, words) in [
        (&name, STRANGER_KEY, refused),
        (&name, GROUPLESS_KEY, "lacks the group `landfall`"),
        // The token is for the cluster that EKS describes, and this is another one's API server.
        (&other, CREDENTIALS[0].1, refused),
    ] {
        let variables = [
            ("EKS_CLUSTER", cluster_name.as_str()),
            ("AWS_ACCESS_KEY_ID", key),
        ];
        let result = deploy(&moto, &cluster, &variables).await;
        let JobResult::Failure { kind, message, .. } = result else {
            panic!("{cluster_name} {key}: {result:#?}");
        };
        assert_eq!(kind, "PermissionError", "{cluster_name} {key}: {message}");
        assert!(message.contains(words), "{cluster_name} {key}: {message}");
        assert!(try_commands(&message) > 0, "{message}");
    }
}

/// Tries the commands that a message advises: `kubectl` says that the group may, and the AWS CLI
/// knows the command and its options. How many there are.
fn try_commands(message: &str) -> usize {
    let mut count = 0;
    for command in message.split('`').skip(1).step_by(2) {
        let mut words = command.split(' ');
        let (program, rest) = (words.next().unwrap(), words.collect::<Vec<_>>());
        match program {
            "kubectl" => {
                let kubectl = std::env::var("LANDFALL_KUBECTL").unwrap();
                let said = run_with_input(Command::new(kubectl).args(rest), "");
                assert_eq!(said.trim(), "yes", "{command}");
            }
            "aws" if rest.len() > 2 => {
                let mut aws = Command::new(program_path("python"));
                aws.arg(program_path("aws")).args(rest);
                aws.args(["--generate-cli-skeleton", "output"]);
                run_with_input(&mut aws, "");
            }
            _ => continue,
        }
        count += 1;
    }
    count
}
