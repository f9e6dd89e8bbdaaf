//! The ways into a cluster: EKS by IAM, kubeconfigs, client certificates.

pub mod eks;
mod eks_refused;
mod hostile;
mod kubeconfig;
mod several;

use crate::stage::{Environment, Stage, demo_app};
use landfall_sandbox::aws::{AwsCall, EksCluster, ROLE};
use landfall_sandbox::world::World;
use std::collections::BTreeSet;

/// The name of the cluster in EKS.
const CLUSTER: &str = "demo";
/// The image of most deploys.
const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";

/// A function that knows a cluster by its name in EKS and nothing else, with an access entry for its
/// role.
pub async fn by_iam(more: Environment<'_>) -> Stage {
    let stage = iam_stage(more).await;
    stage.aws.put_cluster(described(&stage));
    let keys = stage.aws.keys();
    world(&stage, |world| {
        world.trust_iam(CLUSTER, keys);
        world.enter(ROLE, &["landfall"]);
    });
    stage
}

/// The same, and EKS knows no cluster yet.
async fn iam_stage(more: Environment<'_>) -> Stage {
    let mut environment = vec![
        ("K8S_CLUSTER", None),
        ("K8S_CA", None),
        ("EKS_CLUSTER", Some(CLUSTER)),
        ("RUST_LOG", Some("trace")),
    ];
    environment.extend_from_slice(more);
    let prepare = |world: &mut World, now| world.apply(demo_app(600), now);
    Stage::in_sandbox_with(prepare, &environment).await
}

/// The story's cluster as EKS describes it.
fn described(stage: &Stage) -> EksCluster {
    EksCluster::active(CLUSTER, stage.cluster.url(), stage.cluster.ca())
}

fn world<T>(stage: &Stage, change: impl FnOnce(&mut World) -> T) -> T {
    stage.sandbox().world(|world, _| change(world))
}

/// The calls to AWS on the way into the cluster, by their names.
fn calls_in(stage: &Stage) -> Vec<String> {
    let calls = stage.aws.calls().into_iter();
    let calls = calls.map(|call: AwsCall| call.target);
    calls.filter(|it| !it.starts_with("Code")).collect()
}

/// The users by whose credentials the story's cluster was called.
fn users(stage: &Stage) -> BTreeSet<String> {
    let requests = stage.requests().into_iter();
    requests.map(|seen| seen.user).collect()
}

fn user(name: &str) -> BTreeSet<String> {
    BTreeSet::from([name.to_owned()])
}

/// What is said and logged has no secret: neither keys, nor tokens of EKS, nor these.
#[track_caller]
fn assert_silent(stage: &Stage, more: &[&str]) {
    let said = format!("{:?} {}", stage.aws.reports(), stage.log());
    let secrets = stage.aws.keys().secrets();
    let fixed = ["k8s-aws-v1.", "X-Amz-Signature", "PRIVATE KEY"];
    for secret in secrets
        .iter()
        .map(String::as_str)
        .chain(fixed)
        .chain(more.iter().copied())
    {
        assert!(!said.contains(secret), "{secret} is in {said}");
    }
}
