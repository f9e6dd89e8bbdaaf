//! Runs the candidates and `kubectl` against a real control plane. Its rollouts take the same time
//! for all; the rest of the time is the candidate's.

use crate::candidate::Candidate;
use crate::kubectl::{Home, Kubectl, Used, variable};
use crate::process::{Cluster, PATIENCE, Process, event};
use crate::spread::Spread;
use landfall_sandbox::instant::DEPLOYMENT;
use landfall_sandbox::world::sample_deployment;
use serde_json::{Value, json};

/// The Roles that a user applies; the token is created for the benchmark.
const ROLES: &str = include_str!("../../deploy/rbac.yaml");
const KUBECTL: &str = "kubectl";

/// The cluster that `landfall-control-plane` started, from the variables that it sets.
struct Plane {
    kubectl: Kubectl,
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
            kubectl: Kubectl::find()?,
            url: variable("LANDFALL_CLUSTER")?,
            ca: ca.map_err(|error| format!("{authority}: {error}"))?,
            token: String::new(),
            version: variable("LANDFALL_CLUSTER_VERSION")?,
        };
        plane.kubectl.ask(&["apply", "--filename=-"], ROLES)?;
        let first = sample_deployment(DEPLOYMENT, "registry.example.com/demo-app:1.0");
        plane
            .kubectl
            .ask(&["apply", "--filename=-"], &first.to_string())?;
        plane.kubectl.ask(
            &["rollout", "status", &format!("deployment/{DEPLOYMENT}")],
            "",
        )?;
        let token = plane
            .kubectl
            .ask(&["create", "token", "landfall", "--namespace=default"], "")?;
        token.trim().clone_into(&mut plane.token);
        Ok(plane)
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
        let home = Home::make(&round.to_string())?;
        let steps = [
            ["set", "image", &deployment, &container],
            ["rollout", "status", &deployment, "--timeout=15m"],
        ];
        let mut used = Used::default();
        for step in &steps {
            used = used.and(self.kubectl.measure(step, home.path(), 0)?);
        }
        measured.seconds.push(used.seconds);
        measured.cpu.push(used.cpu);
        measured.peak = measured.peak.max(used.peak);
        Ok(())
    }
}
