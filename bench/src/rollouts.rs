//! Rollouts that take their time: what a candidate uses while it waits, and how soon it tells.

use crate::candidate::Candidate;
use crate::process::{Cluster, PATIENCE, Process, TOKEN, event, milliseconds};
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::instant::DEPLOYMENT;
use landfall_sandbox::kubernetes::Kubernetes;
use landfall_sandbox::world::{Behaviour, World, sample_deployment};
use std::time::Duration;

/// Pods come up one after another, as the surge of a Deployment of two allows.
const PODS: u64 = 2;
/// Of a pod, where only the end of the rollout is of interest.
const SOON: SignedDuration = SignedDuration::from_millis(100);
/// Rollouts whose end is timed, in one process.
const ENDS: usize = 20;

/// What one deploy with a long rollout took.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Waited {
    /// From the start of the process to the report.
    pub(crate) seconds: f64,
    /// Processor time, milliseconds.
    pub(crate) cpu: f64,
    /// MiB.
    pub(crate) peak: f64,
    pub(crate) cluster_calls: usize,
}

pub(crate) async fn cluster(pod: SignedDuration) -> Result<Kubernetes, String> {
    let mut world = World::new(TOKEN);
    world.default_behaviour(Behaviour::Ready { after: pod });
    // The world must not be ahead of the clock when the server takes it over.
    let before = Timestamp::now() - SignedDuration::from_hours(1);
    world.apply(sample_deployment(DEPLOYMENT, &image(0)), before);
    world.settle(before);
    Kubernetes::start(world)
        .await
        .map_err(|error| error.to_string())
}

pub(crate) fn access(cluster: &Kubernetes) -> Cluster<'_> {
    Cluster {
        url: cluster.url(),
        ca: cluster.ca(),
        token: Some(TOKEN),
    }
}

pub(crate) fn image(number: usize) -> String {
    format!("registry.example.com/demo-app:3.{number}")
}

/// One deploy of which the rollout takes about so long.
pub(crate) async fn wait(candidate: &Candidate, rollout: Duration) -> Result<Waited, String> {
    let pod = u64::try_from(rollout.as_millis()).unwrap_or(u64::MAX) / PODS;
    let pod = SignedDuration::from_millis(i64::try_from(pod).unwrap_or(i64::MAX));
    let cluster = cluster(pod).await?;
    let process = Process::start(candidate, access(&cluster), event(&image(1))).await?;
    let report = process.first(rollout + PATIENCE).await?;
    Ok(Waited {
        seconds: report.at.duration_since(process.started).as_secs_f64(),
        cpu: process.cpu()?,
        peak: process.peak()?,
        cluster_calls: cluster.world(|world, _| world.requests().len()),
    })
}

/// From the moment at which the Deployment's status was complete to the report, in milliseconds.
pub(crate) async fn ends(candidate: &Candidate) -> Result<Vec<f64>, String> {
    let cluster = cluster(SOON).await?;
    let process = Process::start(candidate, access(&cluster), event(&image(1))).await?;
    process.first(PATIENCE).await?;
    let mut times = Vec::new();
    for number in 2..2 + ENDS {
        let image = image(number);
        let report = process.deploy(event(&image), PATIENCE);
        let done = cluster.until(|world| complete(world, &image));
        let both = async { tokio::join!(report, done) };
        let both = tokio::time::timeout(PATIENCE * 2, both).await;
        let (report, done) = both.map_err(|_| format!("{} did not end", candidate.name))?;
        times.push(milliseconds(report?.at.duration_since(done)));
    }
    Ok(times)
}

/// Whether all pods that there are run this image and serve.
fn complete(world: &World, image: &str) -> bool {
    world
        .deployment("default", DEPLOYMENT)
        .is_some_and(|deployment| {
            let (spec, status) = (&deployment["spec"], &deployment["status"]);
            let counts = ["replicas", "updatedReplicas", "availableReplicas"];
            spec["template"]["spec"]["containers"][0]["image"] == image
                && status["observedGeneration"] == deployment["metadata"]["generation"]
                && counts.iter().all(|count| status[count] == spec["replicas"])
        })
}
