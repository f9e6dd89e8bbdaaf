//! Deploys by IAM that go well.

use super::{
    CLUSTER, NEW_IMAGE, assert_silent, by_iam, calls_in, described, iam_stage, user, users, world,
};
use crate::cluster::Cluster;
use crate::stage::{Stage, image};
use landfall_sandbox::aws::{EksCluster, ROLE, Role};
use landfall_sandbox::kubernetes::Kubernetes;
use landfall_sandbox::world::{Fault, On};

#[tokio::test(flavor = "multi_thread")]
async fn the_functions_own_role_is_enough_and_eks_is_asked_once_while_warm() {
    let stage = by_iam(&[]).await;
    for version in [NEW_IMAGE, "repo/app:3", "repo/app:4"] {
        let (summary, _) = stage.deploy(image(version)).await.success();
        assert!(summary.contains(version), "{summary}");
    }
    assert_eq!(calls_in(&stage), ["EKS.DescribeCluster"]);
    let expected = "arn:aws:sts::111122223333:assumed-role/landfall/landfall";
    assert_eq!(users(&stage), user(expected));
    assert_silent(&stage, &[]);
}

const OTHER_ACCOUNT: &str = "444455556666";
const DEPLOYER: &str = "arn:aws:iam::444455556666:role/teams/deployer";
const EXTERNAL_ID: &str = "an-external-id-5ecret";

/// A cluster in another account and another region, behind a role that asks for an external id.
pub async fn abroad() -> Stage {
    let stage = iam_stage(&[
        (
            "EKS_CLUSTER",
            Some("arn:aws:eks:eu-west-1:444455556666:cluster/demo"),
        ),
        ("EKS_ROLE", Some(DEPLOYER)),
        ("EKS_EXTERNAL_ID", Some(EXTERNAL_ID)),
    ])
    .await;
    stage.aws.put_cluster(EksCluster {
        account: OTHER_ACCOUNT.to_owned(),
        region: "eu-west-1".to_owned(),
        ..described(&stage)
    });
    stage.aws.put_role(Role {
        external_id: Some(EXTERNAL_ID.to_owned()),
        ..Role::new(DEPLOYER)
    });
    let keys = stage.aws.keys();
    world(&stage, |world| {
        world.trust_iam(CLUSTER, keys);
        world.enter(DEPLOYER, &["landfall"]);
    });
    stage
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_of_another_account_opens_a_cluster_of_another_region() {
    let stage = abroad().await;
    for version in [NEW_IMAGE, "repo/app:3"] {
        stage.deploy(image(version)).await.success();
    }
    assert_eq!(calls_in(&stage), ["STS.AssumeRole", "EKS.DescribeCluster"]);
    let described = stage.aws.calls().into_iter();
    let described = described.map(|call| call.body["region"].clone());
    assert!(described.into_iter().any(|region| region == "eu-west-1"));
    let expected = "arn:aws:sts::444455556666:assumed-role/deployer/landfall";
    assert_eq!(users(&stage), user(expected));
    assert_silent(&stage, &[EXTERNAL_ID]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_refusal_the_role_is_assumed_and_the_token_made_once_more() {
    let stage = abroad().await;
    stage.deploy(image(NEW_IMAGE)).await.success();
    // As when the role was deleted and made again: its sessions are not known any more.
    stage.aws.keys().revoke(DEPLOYER);
    stage.deploy(image("repo/app:3")).await.success();
    let calls = ["STS.AssumeRole", "EKS.DescribeCluster", "STS.AssumeRole"];
    assert_eq!(calls_in(&stage), calls);
    let requests = stage.requests();
    let refused = requests.iter().filter(|seen| seen.status == 401).count();
    assert_eq!(refused, 1);
    assert_silent(&stage, &[EXTERNAL_ID]);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_access_entry_that_takes_a_moment_is_waited_for_once() {
    let stage = by_iam(&[]).await;
    world(&stage, |world| {
        world.fault(On::any(), Fault::Unauthorized, 1)
    });
    stage.deploy(image(NEW_IMAGE)).await.success();
    assert_eq!(calls_in(&stage), ["EKS.DescribeCluster"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_that_are_about_to_expire_are_not_used_again() {
    let stage = abroad().await;
    stage.aws.put_role(Role {
        external_id: Some(EXTERNAL_ID.to_owned()),
        life: jiff::SignedDuration::from_mins(14),
        ..Role::new(DEPLOYER)
    });
    stage.deploy(image(NEW_IMAGE)).await.success();
    world(&stage, |world| {
        world.fault(On::any(), Fault::Unauthorized, 1)
    });
    stage.deploy(image("repo/app:3")).await.success();
    let assumed = calls_in(&stage);
    let assumed = assumed.iter().filter(|call| *call == "STS.AssumeRole");
    assert_eq!(assumed.count(), 2);
}

/// Puts the story's world behind another server: at another address, or with another CA at the same.
async fn behind_another_server(stage: &mut Stage, port: Option<u16>) {
    let copy = world(stage, |world| world.clone());
    if port.is_some() {
        // The port is free when the old server is gone.
        stage.cluster = Cluster::Sandbox(Kubernetes::start_plain(copy.clone()).await.unwrap());
    }
    let server = Kubernetes::start_on(copy, port.unwrap_or_default());
    stage.cluster = Cluster::Sandbox(server.await.unwrap());
    stage.aws.put_cluster(described(stage));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_moved_or_has_another_ca_is_looked_for_once_and_found() {
    for keeps_port in [true, false] {
        let mut stage = by_iam(&[]).await;
        stage.deploy(image(NEW_IMAGE)).await.success();
        let port = stage.sandbox().port();
        behind_another_server(&mut stage, keeps_port.then_some(port)).await;
        assert_eq!(stage.sandbox().port() == port, keeps_port);
        stage.deploy(image("repo/app:3")).await.success();
        assert_eq!(calls_in(&stage), ["EKS.DescribeCluster"; 2]);
        stage.deploy(image("repo/app:4")).await.success();
        assert_eq!(calls_in(&stage).len(), 2);
        assert_eq!(stage.image().await, "repo/app:4");
        assert_silent(&stage, &[]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_was_made_anew_has_lost_the_entry_and_gets_it_back() {
    let stage = by_iam(&[]).await;
    stage.deploy(image(NEW_IMAGE)).await.success();
    world(&stage, |world| world.leave(ROLE));
    let (kind, _) = stage.deploy(image("repo/app:3")).await.failure();
    assert_eq!(kind, "PermissionError");
    world(&stage, |world| world.enter(ROLE, &["landfall"]));
    stage.deploy(image("repo/app:3")).await.success();
    assert_eq!(stage.image().await, "repo/app:3");
}

/// The deploy is bound to the server where it was begun, not to the one that was known before.
#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_at_a_server_that_moved_before_it_goes_on_there() {
    let mut stage = by_iam(&[]).await;
    stage.deploy(image(NEW_IMAGE)).await.success();
    behind_another_server(&mut stage, None).await;
    let life = std::time::Duration::from_secs(6);
    let slow = image("repo/app:3-after-4s");
    stage.deploy_in(life, slow).await.success();
    assert_eq!(stage.image().await, "repo/app:3-after-4s");
    let reports = stage.aws.reports().len();
    assert!(reports > 2, "it was done in one invocation");
}
