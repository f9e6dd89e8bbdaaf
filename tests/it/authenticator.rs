//! aws-iam-authenticator, which lets people into EKS: its own verifier looks at our tokens. STS is
//! a stand-in that checks the signature. <https://github.com/kubernetes-sigs/aws-iam-authenticator>

use crate::aws_cli::{self, Signing};
use crate::peer::{authenticator_path, new_folder, run_with_input};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use std::process::Command;

const PREFIX: &str = "k8s-aws-v1.";
const SESSION: &str = "a+session/token==";
const ARN: &str = "arn:aws:sts::111122223333:assumed-role/landfall/landfall";

/// By a session of the role, a moment ago.
fn signing(region: &str) -> Signing {
    let time = Timestamp::now() - SignedDuration::from_secs(1);
    Signing {
        time,
        ..Signing::example(region, Some(SESSION))
    }
}

/// What the verifier of the cluster `prod` says of each token.
fn verify(partition: &str, region: &str, tokens: &[String]) -> Vec<String> {
    let known = signing(region);
    let user = json!({"key": known.key, "secret": known.secret, "session": SESSION,
        "account": "111122223333", "arn": ARN, "userId": "AROAEXAMPLE:landfall"});
    let cluster = json!({"cluster": "prod", "partition": partition, "region": region,
        "identities": [user]});
    let folder = new_folder("authenticator");
    let file = folder.join("configuration.json");
    std::fs::write(&file, cluster.to_string()).unwrap();
    let mut command = Command::new(authenticator_path());
    command.arg("verify").arg(&file);
    let output = run_with_input(&mut command, &tokens.join("\n"));
    std::fs::remove_dir_all(folder).unwrap();
    let answers = output.lines().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(answers.len(), tokens.len(), "{output}");
    answers
}

/// The token with another URL in it.
fn tampered(token: &str, change: impl Fn(String) -> String) -> String {
    let coded = token.strip_prefix(PREFIX).unwrap();
    let url = String::from_utf8(URL_SAFE_NO_PAD.decode(coded).unwrap()).unwrap();
    let changed = change(url.clone());
    assert_ne!(changed, url);
    format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(changed))
}

#[tokio::test]
#[ignore = "needs aws-iam-authenticator: make conformance"]
async fn a_token_opens_its_own_cluster_for_a_quarter_of_an_hour() {
    let good = signing("eu-central-1");
    let ago = |minutes| Timestamp::now() - SignedDuration::from_mins(minutes);
    let token = good.ours().await;
    let other = |change: fn(&mut Signing)| {
        let mut signing = good.clone();
        change(&mut signing);
        signing
    };
    let wrong = "SignatureDoesNotMatch";
    let unknown = "InvalidClientTokenId";
    let late = Signing {
        time: ago(14),
        ..good.clone()
    };
    let too_late = Signing {
        time: ago(16),
        ..good.clone()
    };
    let region = |url: String| url.replace("eu-central-1", "eu-west-1");
    let later = |url: String| url.replace("X-Amz-Expires=60", "X-Amz-Expires=900");
    let cases = [
        ("ours", token.clone(), ARN),
        (
            "another region",
            other(|it| it.region = "us-east-1".into()).ours().await,
            ARN,
        ),
        (
            "FIPS",
            other(|it| (it.region, it.fips) = ("us-east-1".into(), true))
                .ours()
                .await,
            ARN,
        ),
        (
            "dual stack",
            other(|it| it.dual_stack = true).ours().await,
            ARN,
        ),
        ("14 minutes old", late.ours().await, ARN),
        ("16 minutes old", too_late.ours().await, "is expired"),
        (
            "another cluster",
            other(|it| it.cluster = "test".into()).ours().await,
            wrong,
        ),
        (
            "another secret",
            other(|it| it.secret = "x".into()).ours().await,
            wrong,
        ),
        (
            "another key",
            other(|it| it.key = "AKIAOTHER".into()).ours().await,
            unknown,
        ),
        (
            "another session",
            other(|it| it.session = Some("x".into())).ours().await,
            unknown,
        ),
        (
            "no session",
            other(|it| it.session = None).ours().await,
            unknown,
        ),
        (
            "China",
            other(|it| it.region = "cn-north-1".into()).ours().await,
            "does not support",
        ),
        ("tampered region", tampered(&token, region), wrong),
        ("tampered life", tampered(&token, later), wrong),
        ("half", token[..token.len() / 2].to_owned(), "refused"),
        (
            "no token of EKS",
            "eyJhbGciOiJSUzI1NiJ9.e30.c2ln".to_owned(),
            "missing expected",
        ),
        (
            "of the AWS CLI",
            aws_cli::theirs(std::slice::from_ref(&good)).remove(0),
            ARN,
        ),
        (
            "of the AWS CLI for another cluster",
            aws_cli::theirs(&[other(|it| it.cluster = "test".into())]).remove(0),
            wrong,
        ),
    ];
    let tokens = cases
        .iter()
        .map(|(_, token, _)| token.clone())
        .collect::<Vec<_>>();
    let answers = verify("aws", "eu-central-1", &tokens);
    for ((name, _, expected), answer) in cases.iter().zip(answers) {
        let accepted = answer == format!("accepted {ARN}");
        assert_eq!(accepted, *expected == ARN, "{name}: {answer}");
        assert!(answer.contains(expected), "{name}: {answer}");
    }
}

#[tokio::test]
#[ignore = "needs aws-iam-authenticator: make conformance"]
async fn a_token_opens_the_clusters_of_its_partition() {
    let cases = [
        ("aws", "ap-southeast-2"),
        ("aws-us-gov", "us-gov-west-1"),
        ("aws-cn", "cn-north-1"),
        ("aws-iso", "us-iso-east-1"),
        ("aws-iso-b", "us-isob-east-1"),
        ("aws-iso-e", "eu-isoe-west-1"),
        ("aws-iso-f", "us-isof-south-1"),
        ("aws-eusc", "eusc-de-east-1"),
    ];
    for (partition, region) in cases {
        let token = signing(region).ours().await;
        let answers = verify(partition, region, &[token]);
        assert_eq!(answers, [format!("accepted {ARN}")], "{partition}");
    }
}
