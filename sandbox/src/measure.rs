//! Measures the function as a whole process, for a rollout that is done at once.
//!
//! The time runs from just before the process starts, with its event waiting, until its report is
//! received. AWS and the cluster take as little time as possible. For comparing machines it also
//! measures a process that does nothing.
//!
//! `bench/` measures other candidates, too; this figure is for checking a change.

use crate::stage::{DEPLOYMENT, TOKEN_PARAMETER};
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::aws::{Aws, Outcome, ParameterKind};
use landfall_sandbox::function::{CREDENTIALS, Function, lambda_environment};
use landfall_sandbox::instant::InstantCluster;
use serde_json::{Value, json};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

const TOKEN: &str = "bearer-token-for-measuring";
/// How many more jobs a warm process handles after its first.
const WARM: u64 = 5;
/// The time limit of a deploy before the measurement fails.
const PATIENCE: Duration = Duration::from_secs(20);
/// A program that ends at once.
const BARE: &str = "/bin/true";
const LIFE: Duration = Duration::from_secs(30);

/// The options of a measurement.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Measure {
    pub(crate) function: PathBuf,
    pub(crate) rounds: u64,
    /// The number of pods of a crashing version; if given, a check of them is measured instead.
    pub(crate) pods: Option<usize>,
}

/// The measurements of one process.
struct Round {
    bare: SignedDuration,
    cold: SignedDuration,
    warm: Vec<SignedDuration>,
    peak_kilobytes: u64,
    calls: usize,
}

impl Measure {
    pub(crate) async fn run(&self) -> Result<bool, String> {
        if let Some(pods) = self.pods {
            return self.crowd(pods).await;
        }
        let cluster = InstantCluster::start(TOKEN).await.map_err(failed)?;
        let mut rounds = Vec::new();
        for round in 0..self.rounds {
            rounds.push(self.round(round, &cluster).await?);
        }
        let warm = rounds.iter().flat_map(|round| round.warm.clone());
        println!(
            "{} rounds; process start (or event) to report received",
            self.rounds
        );
        print_line("cold", rounds.iter().map(|round| round.cold).collect());
        print_line("warm", warm.collect());
        let peak = rounds.iter().map(|round| round.peak_kilobytes).max();
        let calls = rounds.iter().map(|round| round.calls).max();
        println!("peak memory  {:.1} MiB", peak.unwrap_or(0) as f64 / 1024.0);
        println!("calls to the cluster, cold  {}", calls.unwrap_or(0));
        print_line(
            "a bare process",
            rounds.iter().map(|round| round.bare).collect(),
        );
        Ok(true)
    }

    /// Measures the check of a version with many crashing pods.
    async fn crowd(&self, pods: usize) -> Result<bool, String> {
        let mut looks = Vec::new();
        let mut peak = 0;
        let mut bytes = 0;
        for round in 0..self.rounds {
            let cluster = InstantCluster::start_crowded(TOKEN, pods)
                .await
                .map_err(failed)?;
            let aws = Aws::start().await.map_err(failed)?;
            aws.put_parameter(TOKEN_PARAMETER, TOKEN, ParameterKind::SecureString);
            let environment = [("K8S_CLUSTER", cluster.url()), ("K8S_CA", cluster.ca())];
            let function = Function::start(&self.function, &aws, &environment).map_err(failed)?;
            let job = aws.submit(event(round, 0), LIFE);
            match aws.outcome(&job, PATIENCE).await {
                Outcome::Failed(_) => {}
                other @ (Outcome::Succeeded(_) | Outcome::Silent(_) | Outcome::Pending) => {
                    let log = function.log().join("\n");
                    return Err(format!("the deploy did not fail: {other:?}\n{log}"));
                }
            }
            let (time, size) = cluster.look();
            looks.push(time);
            bytes = size;
            peak = peak.max(peak_kilobytes(function.id())?);
        }
        let megabytes = bytes as f64 / 1024.0 / 1024.0;
        println!(
            "{} rounds; {pods} pods that crash, {megabytes:.1} MiB of JSON",
            self.rounds
        );
        print_line("a look at them", looks);
        println!("peak memory  {:.1} MiB", peak as f64 / 1024.0);
        Ok(true)
    }

    /// Measures one process: a cold job, then some warm ones.
    async fn round(&self, round: u64, cluster: &InstantCluster) -> Result<Round, String> {
        let aws = Aws::start().await.map_err(failed)?;
        aws.put_parameter(TOKEN_PARAMETER, TOKEN, ParameterKind::SecureString);
        let environment = [("K8S_CLUSTER", cluster.url()), ("K8S_CA", cluster.ca())];
        let bare = bare_process(&environment)?;
        let calls_before = cluster.calls();
        let job = aws.submit(event(round, 0), LIFE);
        let started = Timestamp::now();
        let function = Function::start(&self.function, &aws, &environment).map_err(failed)?;
        let cold = succeeded(&aws, &job, &function)
            .await?
            .duration_since(started);
        let calls = cluster.calls() - calls_before;
        let mut warm = Vec::new();
        for number in 1..=WARM {
            let started = Timestamp::now();
            let job = aws.submit(event(round, number), LIFE);
            warm.push(
                succeeded(&aws, &job, &function)
                    .await?
                    .duration_since(started),
            );
        }
        Ok(Round {
            bare,
            cold,
            warm,
            peak_kilobytes: peak_kilobytes(function.id())?,
            calls,
        })
    }
}

fn failed(error: std::io::Error) -> String {
    error.to_string()
}

/// Starts and ends a process that does nothing, in the same way as the function's.
fn bare_process(environment: &[(&str, &str)]) -> Result<SignedDuration, String> {
    let started = Timestamp::now();
    let mut child = Command::new(BARE)
        .env_clear()
        .envs(lambda_environment())
        .envs(CREDENTIALS)
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("{BARE}: {error}"))?;
    child.wait().map_err(failed)?;
    Ok(Timestamp::now().duration_since(started))
}

fn event(round: u64, number: u64) -> Value {
    let parameters = json!({
        "deployment": DEPLOYMENT,
        "images": {"app": format!("registry.example.com/demo-app:2.{round}.{number}")},
        // Only a check of pods uses it.
        "patience": "0s",
    });
    json!({"CodePipeline.job": {
        "id": format!("{round:08x}-abcd-1111-abcd-{number:012x}"),
        "accountId": "111111111111",
        "data": {"actionConfiguration": {"configuration": {
            "FunctionName": "landfall", "UserParameters": parameters.to_string()}}}}})
}

/// Waits for a successful report of a job, and returns when it came.
async fn succeeded(
    aws: &Aws,
    job: &landfall_sandbox::aws::Job,
    function: &Function,
) -> Result<Timestamp, String> {
    match aws.outcome(job, PATIENCE).await {
        Outcome::Succeeded(report) => Ok(report.at),
        other @ (Outcome::Failed(_) | Outcome::Silent(_) | Outcome::Pending) => Err(format!(
            "the deploy did not succeed: {other:?}\n{}",
            function.log().join("\n")
        )),
    }
}

/// The peak memory of a process, from Linux.
fn peak_kilobytes(process: u32) -> Result<u64, String> {
    let path = format!("/proc/{process}/status");
    let status = std::fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let number = line.and_then(|line| line.split_whitespace().nth(1)?.parse().ok());
    number.ok_or_else(|| format!("{path} has no VmHWM"))
}

fn print_line(name: &str, mut times: Vec<SignedDuration>) {
    times.sort();
    let milliseconds = |at: usize| {
        times
            .get(at)
            .map_or(0.0, |time| time.as_secs_f64() * 1000.0)
    };
    println!(
        "{name}  median {:.2} ms, best {:.2} ms, 90 % {:.2} ms",
        milliseconds(times.len() / 2),
        milliseconds(0),
        milliseconds(times.len() * 9 / 10),
    );
}
