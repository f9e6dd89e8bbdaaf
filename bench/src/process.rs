//! A running candidate, and Linux's data about its process.

use crate::candidate::Candidate;
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::aws::{Aws, EksCluster, Job, Outcome, ParameterKind, Report};
use landfall_sandbox::function::{CREDENTIALS, Function, lambda_environment};
use landfall_sandbox::instant::DEPLOYMENT;
use nix::sys::signal::{Signal, kill};
use nix::time::clock_getcpuclockid;
use nix::unistd::Pid;
use serde_json::{Value, json};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

/// The bearer token of every cluster that the benchmark starts.
pub(crate) const TOKEN: &str = "bearer-token-for-the-benchmark";
const TOKEN_PARAMETER: &str = "k8s-bear-token";
/// The name of the cluster in EKS.
const EKS_CLUSTER: &str = "bench";
/// A program that ends at once.
const BARE: &str = "/bin/true";
/// How long a deploy may take in addition to its rollout before the measurement fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// Lambda's own limit, so that no candidate is cut short.
const LIFE: Duration = Duration::from_secs(900);

/// How a candidate reaches the cluster.
#[derive(Clone, Copy)]
pub(crate) struct Cluster<'a> {
    pub(crate) url: &'a str,
    pub(crate) ca: &'a str,
    /// The bearer token in SSM; `None` for a cluster of EKS that is opened by IAM.
    pub(crate) token: Option<&'a str>,
}

/// A candidate's process and its AWS.
pub(crate) struct Process {
    pub(crate) aws: Aws,
    pub(crate) function: Function,
    pub(crate) started: Timestamp,
    first: Job,
}

impl Process {
    /// Starts a process with its first event waiting.
    pub(crate) async fn start(
        candidate: &Candidate,
        cluster: Cluster<'_>,
        event: Value,
    ) -> Result<Process, String> {
        let aws = Aws::start().await.map_err(|error| error.to_string())?;
        Process::start_in(aws, candidate, cluster, event)
    }

    /// The same in an AWS that has input artifacts already.
    pub(crate) fn start_in(
        aws: Aws,
        candidate: &Candidate,
        cluster: Cluster<'_>,
        event: Value,
    ) -> Result<Process, String> {
        let mut environment = match cluster.token {
            Some(token) => {
                aws.put_parameter(TOKEN_PARAMETER, token, ParameterKind::SecureString);
                vec![("K8S_CLUSTER", cluster.url), ("K8S_CA", cluster.ca)]
            }
            None => {
                aws.put_cluster(EksCluster::active(EKS_CLUSTER, cluster.url, cluster.ca));
                vec![("EKS_CLUSTER", EKS_CLUSTER)]
            }
        };
        let first = aws.submit(event, LIFE);
        let own = candidate.environment.iter();
        environment.extend(own.map(|(name, value)| (*name, value.as_str())));
        let started = Timestamp::now();
        let program = &candidate.program;
        let function = Function::start_program(program, &candidate.arguments, &aws, &environment);
        let function = function.map_err(|error| format!("{}: {error}", program.display()))?;
        Ok(Process {
            aws,
            function,
            started,
            first,
        })
    }

    /// Waits for the report of the first job, which must be a success.
    pub(crate) async fn first(&self, patience: Duration) -> Result<Report, String> {
        self.succeeded(&self.first, patience).await
    }

    /// The time from the start of the process to the first job's report.
    pub(crate) async fn cold(&self) -> Result<f64, String> {
        let report = self.first(PATIENCE).await?;
        Ok(milliseconds(report.at.duration_since(self.started)))
    }

    /// Runs another job; returns the time from its event to its report.
    pub(crate) async fn warm(&self, event: Value) -> Result<f64, String> {
        let started = Timestamp::now();
        let report = self.deploy(event, PATIENCE).await?;
        Ok(milliseconds(report.at.duration_since(started)))
    }

    /// Runs another job and returns its report.
    pub(crate) async fn deploy(&self, event: Value, patience: Duration) -> Result<Report, String> {
        let job = self.aws.submit(event, LIFE);
        self.succeeded(&job, patience).await
    }

    /// Returns how the first job ended.
    pub(crate) async fn outcome(&self, patience: Duration) -> Outcome {
        self.aws.outcome(&self.first, patience).await
    }

    async fn succeeded(&self, job: &Job, patience: Duration) -> Result<Report, String> {
        match self.aws.outcome(job, patience).await {
            Outcome::Succeeded(report) => Ok(report),
            other @ (Outcome::Failed(_) | Outcome::Silent(_) | Outcome::Pending) => Err(format!(
                "the deploy did not succeed: {other:?}\n{}",
                self.function.log().join("\n")
            )),
        }
    }

    fn id(&self) -> Result<Pid, String> {
        let id = i32::try_from(self.function.id()).map_err(|error| error.to_string())?;
        Ok(Pid::from_raw(id))
    }

    /// The CPU time of all threads so far, user and system.
    pub(crate) fn cpu(&self) -> Result<f64, String> {
        let clock = clock_getcpuclockid(self.id()?).and_then(|clock| clock.now());
        let time = Duration::from(clock.map_err(|error| format!("its processor clock: {error}"))?);
        Ok(time.as_secs_f64() * 1000.0)
    }

    /// The peak memory in MiB.
    pub(crate) fn peak(&self) -> Result<f64, String> {
        let path = format!("/proc/{}/status", self.function.id());
        let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
        let line = status.lines().find(|line| line.starts_with("VmHWM:"));
        let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
        Ok(kilobytes.ok_or_else(|| format!("{path} has no VmHWM"))? / 1024.0)
    }

    /// Sends SIGTERM.
    pub(crate) fn terminate(&self) -> Result<(), String> {
        kill(self.id()?, Signal::SIGTERM).map_err(|error| error.to_string())
    }
}

/// Starts and ends a process that does nothing, in the same way as a candidate's, to compare
/// machines.
pub(crate) fn bare() -> Result<f64, String> {
    let failed = |error: std::io::Error| format!("{BARE}: {error}");
    let started = Timestamp::now();
    let mut child = Command::new(BARE)
        .env_clear()
        .envs(lambda_environment())
        .envs(CREDENTIALS)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    child.wait().map_err(failed)?;
    Ok(milliseconds(Timestamp::now().duration_since(started)))
}

/// An event that gives `demo-app` a new image.
pub(crate) fn event(image: &str) -> Value {
    event_with(&json!({"deployment": DEPLOYMENT, "images": {"app": image}}))
}

/// An event with a new job id: the same id again would count as a repetition.
pub(crate) fn event_with(parameters: &Value) -> Value {
    static JOBS: AtomicUsize = AtomicUsize::new(0);
    let number = JOBS.fetch_add(1, Ordering::Relaxed);
    json!({"CodePipeline.job": {
        "id": format!("{number:08x}-abcd-1111-abcd-000000000001"),
        "accountId": "111111111111",
        "data": {"actionConfiguration": {"configuration": {
            "FunctionName": "landfall", "UserParameters": parameters.to_string()}}}}})
}

pub(crate) fn milliseconds(time: SignedDuration) -> f64 {
    time.as_secs_f64() * 1000.0
}
