//! Measures deploys whose rollout is done at once: cold, warm, and job after job.

use crate::candidate::Candidate;
use crate::process::{Cluster, Process, TOKEN, event, milliseconds};
use jiff::Timestamp;
use landfall_sandbox::instant::{InstantCluster, Moment};

/// How many more jobs a process handles after its first, in each round.
const WARM: usize = 5;
/// After how many jobs of one process time and memory are recorded.
pub(crate) const JOBS: [usize; 3] = [1, 10, 50];
/// The stages of a cold deploy, as AWS and the cluster see them.
pub(crate) const STAGES: [&str; 7] = [
    "asks for its job",
    "asks for the token",
    "connects to the cluster",
    "TLS is ready",
    "first call to the cluster",
    "last call to the cluster",
    "report",
];

/// The measurements of one candidate, in milliseconds.
#[derive(Clone, Debug, Default)]
pub(crate) struct Deploys {
    pub(crate) cold: Vec<f64>,
    pub(crate) warm: Vec<f64>,
    pub(crate) cold_cpu: Vec<f64>,
    pub(crate) warm_cpu: Vec<f64>,
    /// The peak memory in MiB, of a cold deploy and some warm ones.
    pub(crate) peak: f64,
    pub(crate) cold_calls: Calls,
    pub(crate) warm_calls: Calls,
    /// For each round, when each of [`STAGES`] was reached; some candidates do not have all of
    /// them.
    pub(crate) stages: Vec<[Option<f64>; STAGES.len()]>,
}

/// The calls of one deploy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Calls {
    pub(crate) cluster: usize,
    pub(crate) aws: usize,
}

/// The state of a process after some jobs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct After {
    pub(crate) jobs: usize,
    /// The time of the last job in milliseconds.
    pub(crate) last: f64,
    /// The peak memory in MiB.
    pub(crate) peak: f64,
}

fn access(cluster: &InstantCluster) -> Cluster<'_> {
    Cluster {
        url: cluster.url(),
        ca: cluster.ca(),
        token: Some(TOKEN),
    }
}

fn image(number: usize, job: usize) -> String {
    format!("registry.example.com/demo-app:2.{number}.{job}")
}

impl Deploys {
    /// Measures one process: a cold job, then some warm ones.
    pub(crate) async fn round(
        &mut self,
        candidate: &Candidate,
        cluster: &InstantCluster,
        number: usize,
    ) -> Result<(), String> {
        let before = cluster.calls();
        let _of_others = cluster.moments();
        let job = event(&image(number, 0));
        let process = Process::start(candidate, access(cluster), job).await?;
        self.cold.push(process.cold().await?);
        let cold_cpu = process.cpu()?;
        self.cold_cpu.push(cold_cpu);
        self.cold_calls = calls(cluster.calls() - before, process.aws.calls().len());
        self.stages.push(stages(&process, &cluster.moments()));
        for job in 1..=WARM {
            self.warm
                .push(process.warm(event(&image(number, job))).await?);
        }
        let all = calls(cluster.calls() - before, process.aws.calls().len());
        let warm = |all: usize, cold: usize| (all - cold).div_ceil(WARM);
        self.warm_calls = Calls {
            cluster: warm(all.cluster, self.cold_calls.cluster),
            aws: warm(all.aws, self.cold_calls.aws),
        };
        let jobs = f64::from(u32::try_from(WARM).expect("a handful"));
        self.warm_cpu.push((process.cpu()? - cold_cpu) / jobs);
        self.peak = self.peak.max(process.peak()?);
        Ok(())
    }
}

fn calls(cluster: usize, aws: usize) -> Calls {
    Calls { cluster, aws }
}

/// When the first deploy of a process reached each stage.
fn stages(process: &Process, moments: &[(Moment, Timestamp)]) -> [Option<f64>; STAGES.len()] {
    let first = |wanted: Moment| moments.iter().find(|(moment, _)| *moment == wanted);
    let last = moments
        .iter()
        .rfind(|(moment, _)| *moment == Moment::Called);
    let asked = process
        .aws
        .invocations()
        .first()
        .and_then(|invocation| invocation.started);
    let token = process.aws.calls().first().map(|call| call.at);
    let report = process.aws.reports().first().map(|report| report.at);
    let at = |moment: Option<&(Moment, Timestamp)>| moment.map(|(_, at)| *at);
    let times = [
        asked,
        token,
        at(first(Moment::Connected)),
        at(first(Moment::Secured)),
        at(first(Moment::Called)),
        at(last),
        report,
    ];
    times.map(|at| at.map(|at| milliseconds(at.duration_since(process.started))))
}

/// Measures job after job in one process.
pub(crate) async fn jobs(
    candidate: &Candidate,
    cluster: &InstantCluster,
) -> Result<Vec<After>, String> {
    let process = Process::start(candidate, access(cluster), event(&image(0, 0))).await?;
    let mut last = process.cold().await?;
    let mut seen = Vec::new();
    for jobs in 1..=JOBS[JOBS.len() - 1] {
        if JOBS.contains(&jobs) {
            seen.push(After {
                jobs,
                last,
                peak: process.peak()?,
            });
        }
        last = process.warm(event(&image(0, jobs))).await?;
    }
    Ok(seen)
}
