//! Runs the candidates and `kubectl` against a real control plane. Its rollouts take the same time
//! for all; the rest of the time is the candidate's.

use crate::candidate::Candidate;
use crate::process::{Cluster, PATIENCE, Process, event};
use crate::spread::Spread;
use jiff::Timestamp;
use landfall_sandbox::instant::DEPLOYMENT;
use landfall_sandbox::world::sample_deployment;
use serde_json::{Value, json};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use wait4::Wait4 as _;

/// The Roles that a user applies; the token is created for the benchmark.
const ROLES: &str = include_str!("../../deploy/rbac.yaml");
const KUBECTL: &str = "kubectl";

/// The cluster that `landfall-control-plane` started, from the variables that it sets.
struct Plane {
    kubectl: PathBuf,
    url: String,
    ca: String,
    token: String,
    version: String,
}

/// The measurements of one candidate.
#[derive(Default)]
struct Measured {
    seconds: Vec<f64>,
    cpu: Vec<f64>,
    peak: f64,
}

/// Runs all rounds; `run` reads the result.
pub(crate) async fn measure(candidates: &[Candidate], rounds: usize) -> Result<Value, String> {
    let plane = Plane::prepare()?;
    let mut all = Vec::new();
    all.resize_with(candidates.len() + 1, Measured::default);
    for round in 0..rounds {
        for (candidate, measured) in candidates.iter().zip(&mut all) {
            plane.deploy(candidate, round, measured).await?;
        }
        plane.build_step(round, &mut all[candidates.len()])?;
    }
    let names = candidates
        .iter()
        .map(|candidate| (candidate.name, candidate.title));
    let kubectl = (KUBECTL, "kubectl set image, rollout status");
    let rows = names
        .chain([kubectl])
        .zip(all)
        .map(|((name, title), measured)| {
            json!({"name": name, "title": title,
            "seconds": Spread::of(measured.seconds).map(|spread| spread.json()),
            "cpu": Spread::of(measured.cpu).map(|spread| spread.json()), "peak": measured.peak})
        });
    let rows = rows.collect::<Vec<_>>();
    Ok(json!({"version": plane.version, "rounds": rounds, "rows": rows}))
}

fn variable(name: &str) -> Result<String, String> {
    let value = std::env::var(name);
    value.map_err(|_| format!("{name} is not set: `make bench` runs this inside a control plane"))
}

fn image(name: &str, round: usize) -> String {
    format!("registry.example.com/demo-app:bench-{name}-{round}")
}

impl Plane {
    fn prepare() -> Result<Plane, String> {
        // The variable is set if the control plane was started for the benchmark.
        variable("LANDFALL_CLUSTER_AUDIT")?;
        let authority = variable("LANDFALL_CLUSTER_CA")?;
        let ca = std::fs::read_to_string(&authority);
        let mut plane = Plane {
            kubectl: variable("LANDFALL_KUBECTL")?.into(),
            url: variable("LANDFALL_CLUSTER")?,
            ca: ca.map_err(|error| format!("{authority}: {error}"))?,
            token: String::new(),
            version: variable("LANDFALL_CLUSTER_VERSION")?,
        };
        plane.ask(&["apply", "--filename=-"], ROLES)?;
        let first = sample_deployment(DEPLOYMENT, "registry.example.com/demo-app:1.0");
        plane.ask(&["apply", "--filename=-"], &first.to_string())?;
        plane.ask(
            &["rollout", "status", &format!("deployment/{DEPLOYMENT}")],
            "",
        )?;
        let token = plane.ask(&["create", "token", "landfall", "--namespace=default"], "")?;
        token.trim().clone_into(&mut plane.token);
        Ok(plane)
    }

    fn ask(&self, arguments: &[&str], input: &str) -> Result<String, String> {
        let failed = |error: std::io::Error| format!("kubectl: {error}");
        let mut child = Command::new(&self.kubectl)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        if let Some(mut pipe) = child.stdin.take() {
            pipe.write_all(input.as_bytes()).map_err(failed)?;
        }
        let ended = child.wait_with_output().map_err(failed)?;
        if !ended.status.success() {
            let words = String::from_utf8_lossy(&ended.stderr);
            return Err(format!("kubectl {}: {words}", arguments.join(" ")));
        }
        Ok(String::from_utf8_lossy(&ended.stdout).into_owned())
    }

    /// Runs a cold deploy of a function.
    async fn deploy(
        &self,
        candidate: &Candidate,
        round: usize,
        measured: &mut Measured,
    ) -> Result<(), String> {
        let access = Cluster {
            url: &self.url,
            ca: &self.ca,
            token: Some(&self.token),
        };
        let event = event(&image(candidate.name, round));
        let process = Process::start(candidate, access, event).await?;
        let report = process.first(PATIENCE).await?;
        measured
            .seconds
            .push(report.at.duration_since(process.started).as_secs_f64());
        measured.cpu.push(process.cpu()?);
        measured.peak = measured.peak.max(process.peak()?);
        Ok(())
    }

    /// Runs the commands of a buildspec. A build starts in a new container without caches.
    fn build_step(&self, round: usize, measured: &mut Measured) -> Result<(), String> {
        let deployment = format!("deployment/{DEPLOYMENT}");
        let container = format!("app={}", image(KUBECTL, round));
        let folder = format!("landfall-bench-{}-{round}", std::process::id());
        let home = std::env::temp_dir().join(folder);
        std::fs::create_dir(&home).map_err(|error| format!("{}: {error}", home.display()))?;
        let started = Timestamp::now();
        let steps = [
            ["set", "image", &deployment, &container],
            ["rollout", "status", &deployment, "--timeout=15m"],
        ];
        let run = steps
            .iter()
            .map(|step| self.step(step, &home))
            .collect::<Result<Vec<_>, _>>();
        let took = Timestamp::now().duration_since(started);
        let _gone = std::fs::remove_dir_all(&home);
        measured.seconds.push(took.as_secs_f64());
        let run = run?;
        measured.cpu.push(run.iter().map(|(cpu, _)| cpu).sum());
        measured.peak = run
            .iter()
            .map(|(_, peak)| *peak)
            .fold(measured.peak, f64::max);
        Ok(())
    }

    /// The CPU time in milliseconds and the memory in MiB of one command.
    fn step(&self, arguments: &[&str], home: &Path) -> Result<(f64, f64), String> {
        let failed = |error: std::io::Error| format!("kubectl {}: {error}", arguments.join(" "));
        let mut child = Command::new(&self.kubectl)
            .args(arguments)
            .env("HOME", home)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::inherit())
            .spawn()
            .map_err(failed)?;
        let used = child.wait4().map_err(failed)?;
        if !used.status.success() {
            return Err(format!("kubectl {}: {}", arguments.join(" "), used.status));
        }
        let time = used.rusage.utime + used.rusage.stime;
        let bytes = used.rusage.maxrss as f64;
        Ok((time.as_secs_f64() * 1000.0, bytes / 1024.0 / 1024.0))
    }
}
