//! Clusters of EKS that cannot be opened: one report each, of the right type, and nothing written.

use super::{CLUSTER, NEW_IMAGE, assert_silent, by_iam, calls_in, described, iam_stage, world};
use crate::stage::{Stage, image};
use landfall_sandbox::aws::{AwsFault, EksCluster, ROLE, Role};
use std::time::Duration;

/// The role that stories assume.
const DEPLOYER: &str = "arn:aws:iam::111122223333:role/deployer";

/// How a deploy ends at this stage: the type, and the message.
async fn refused(stage: &Stage, kind: &str, words: &[&str]) {
    let (found, message) = stage.refused(image(NEW_IMAGE)).await;
    assert_eq!(found, kind, "{message}");
    for part in words {
        assert!(message.contains(part), "`{part}` is not in: {message}");
    }
    assert!(message.contains("See docs/operations.md, "), "{message}");
    assert_eq!(stage.aws.reports().len(), 1);
    assert_silent(stage, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_eks_and_sts_say_is_told() {
    let role: &[_] = &[("EKS_ROLE", Some(DEPLOYER))];
    let rows = [
        (
            AwsFault::AccessDenied,
            "EKS",
            "PermissionError",
            "eks:DescribeCluster",
        ),
        (
            AwsFault::ExpiredToken,
            "EKS",
            "PermissionError",
            "eks:DescribeCluster",
        ),
        (
            AwsFault::Throttling,
            "EKS",
            "SystemUnavailable",
            "eks:DescribeCluster",
        ),
        (
            AwsFault::Unavailable,
            "EKS",
            "SystemUnavailable",
            "eks:DescribeCluster",
        ),
        (
            AwsFault::AccessDenied,
            "STS",
            "PermissionError",
            "sts:AssumeRole",
        ),
        (
            AwsFault::Throttling,
            "STS",
            "SystemUnavailable",
            "sts:AssumeRole",
        ),
    ];
    for (fault, service, kind, words) in rows {
        let environment = if service == "STS" { role } else { &[] };
        let stage = by_iam(environment).await;
        stage.aws.put_role(Role::new(DEPLOYER));
        stage.aws.fault(service, fault, u32::MAX);
        refused(&stage, kind, &[words]).await;
        assert_eq!(stage.requests(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_that_says_nothing_is_given_up_in_time() {
    for service in ["EKS", "STS"] {
        let stage = by_iam(&[("EKS_ROLE", Some(DEPLOYER))]).await;
        stage.aws.put_role(Role::new(DEPLOYER));
        stage.aws.fault(service, AwsFault::Stall, u32::MAX);
        let mut parameters = image(NEW_IMAGE);
        parameters["timeout"] = "10s".into();
        let life = Duration::from_secs(8);
        let (kind, message) = stage.deploy_in(life, parameters).await.failure();
        assert_eq!(kind, "SystemUnavailable", "{message}");
        stage.wrote(&[]);
        assert_silent(&stage, &[]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_eks_does_not_know_or_that_is_not_there_yet() {
    let stage = iam_stage(&[]).await;
    refused(&stage, "ConfigurationError", &[CLUSTER]).await;
    for status in ["CREATING", "DELETING", "FAILED"] {
        let stage = by_iam(&[]).await;
        stage.aws.put_cluster(EksCluster {
            status: status.to_owned(),
            ..described(&stage)
        });
        refused(&stage, "ConfigurationError", &[status]).await;
        assert_eq!(calls_in(&stage), ["EKS.DescribeCluster"]);
    }
    let stage = by_iam(&[]).await;
    stage.aws.put_cluster(EksCluster {
        status: "UPDATING".to_owned(),
        ..described(&stage)
    });
    stage.deploy(image(NEW_IMAGE)).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_in_another_region_or_account_is_not_found() {
    for abroad in [
        ("eu-west-1", "111122223333"),
        ("eu-central-1", "444455556666"),
    ] {
        let stage = iam_stage(&[]).await;
        stage.aws.put_cluster(EksCluster {
            region: abroad.0.to_owned(),
            account: abroad.1.to_owned(),
            ..described(&stage)
        });
        refused(&stage, "ConfigurationError", &[CLUSTER, "eu-central-1"]).await;
    }
}

/// EKS is asked by name, and answers from the account of whoever asks.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_the_same_name_in_another_account_is_not_taken_for_the_one_that_is_meant() {
    let arn = "arn:aws:eks:eu-central-1:444455556666:cluster/demo";
    for role in [None, Some(DEPLOYER)] {
        let stage = by_iam(&[("EKS_CLUSTER", Some(arn)), ("EKS_ROLE", role)]).await;
        stage.aws.put_role(Role::new(DEPLOYER));
        world(&stage, |world| world.enter(DEPLOYER, &["landfall"]));
        refused(&stage, "ConfigurationError", &["444455556666", "EKS_ROLE"]).await;
        assert_eq!(stage.requests(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_or_missing_external_id_is_a_role_that_cannot_be_assumed() {
    for given in [Some("another-id"), None] {
        let stage = by_iam(&[("EKS_ROLE", Some(DEPLOYER)), ("EKS_EXTERNAL_ID", given)]).await;
        stage.aws.put_role(Role {
            external_id: Some("the-right-id".to_owned()),
            ..Role::new(DEPLOYER)
        });
        refused(&stage, "PermissionError", &["sts:AssumeRole", DEPLOYER]).await;
        assert_silent(&stage, &["another-id"]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_access_entry_a_second_token_is_tried_and_no_third() {
    let stage = by_iam(&[]).await;
    world(&stage, |world| world.leave(ROLE));
    let words = [
        "the cluster does not let the function's role in",
        "aws eks create-access-entry --region eu-central-1 --cluster-name ",
        "See docs/operations.md, role-refused.",
    ];
    refused(&stage, "PermissionError", &words).await;
    let codes = stage.requests().into_iter().map(|seen| seen.status);
    assert_eq!(codes.collect::<Vec<_>>(), [401, 401]);
    assert_eq!(calls_in(&stage), ["EKS.DescribeCluster"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_a_cluster_of_another_name_is_refused() {
    let stage = by_iam(&[]).await;
    let keys = stage.aws.keys();
    world(&stage, |world| {
        world.trust_iam("another", keys);
        world.enter(ROLE, &["landfall"]);
    });
    refused(&stage, "PermissionError", &[]).await;
    assert!(stage.requests().iter().all(|seen| seen.status == 401));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_entry_without_the_group_is_known_and_may_nothing() {
    let stage = by_iam(&[]).await;
    world(&stage, |world| world.enter(ROLE, &["readers"]));
    let session = "arn:aws:sts::111122223333:assumed-role/landfall/landfall";
    let words = [
        session,
        "cannot get",
        "its access entry lacks the group `landfall`",
        "--principal-arn arn:aws:iam::111122223333:role/landfall ",
        "See docs/operations.md, group-missing.",
    ];
    refused(&stage, "PermissionError", &words).await;
    assert!(stage.requests().iter().all(|seen| seen.status == 403));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_ways_at_once_are_refused_with_all_their_variables() {
    let mixed = [
        ("K8S_CLUSTER", Some("https://10.0.0.1:6443")),
        ("K8S_TOKEN_PARAMETER", Some("a-token")),
        ("KUBECONFIG_PARAMETER", Some("a-kubeconfig")),
    ];
    let stage = by_iam(&mixed).await;
    let words = ["KUBECONFIG_PARAMETER", "EKS_CLUSTER", "K8S_CLUSTER"];
    refused(&stage, "ConfigurationError", &words).await;
    let stage = by_iam(&[("K8S_CA_PARAMETER", Some("a-ca"))]).await;
    refused(&stage, "ConfigurationError", &["K8S_CA_PARAMETER"]).await;
    assert_eq!(calls_in(&stage), [""; 0]);
}
