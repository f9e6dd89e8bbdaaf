//! Who deploys, and to what.

use crate::candidate::Candidate;
use crate::kubectl::{Home, Used};
use crate::plane::Plane;
use landfall_sandbox::world::sample_deployment;
use serde_json::{Value, json};

const KUBECTL: &str = "kubectl";
/// How long `kubectl` waits where it prepares something.
const SETTLE: &str = "--timeout=900s";

/// Who deploys: a candidate, or `kubectl` as a build step.
pub(super) struct Deployer {
    pub(super) candidate: Option<Candidate>,
    /// The ServiceAccount by which its calls are told from others'.
    pub(super) account: String,
    pub(super) token: String,
}

impl Deployer {
    pub(super) fn new(
        plane: &Plane,
        kind: &str,
        candidate: Option<&Candidate>,
    ) -> Result<Deployer, String> {
        let name = candidate.map_or(KUBECTL, |candidate| candidate.name);
        let account = format!("{kind}-{name}");
        let token = plane.account(&account)?;
        Ok(Deployer {
            candidate: candidate.cloned(),
            account,
            token,
        })
    }

    pub(super) fn name(&self) -> &'static str {
        self.candidate.as_ref().map_or(KUBECTL, |it| it.name)
    }

    pub(super) fn title(&self) -> &'static str {
        let title = "kubectl set image, rollout status";
        self.candidate.as_ref().map_or(title, |it| it.title)
    }
}

pub(super) fn image(deployer: &str, number: usize, ready: &str) -> String {
    format!("registry.example.com/demo-app:{deployer}-{number}-after-{ready}")
}

/// A Deployment that brings up so many pods at a time, and takes none away before.
pub(super) fn deployment(name: &str, image: &str, pods: usize, wave: usize) -> Value {
    let mut deployment = sample_deployment(name, image);
    deployment["spec"]["replicas"] = json!(pods);
    deployment["spec"]["strategy"] = json!({"type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": wave, "maxUnavailable": 0}});
    deployment
}

/// Waits until all pods serve.
pub(super) fn settle(plane: &Plane, name: &str) -> Result<(), String> {
    let status = ["rollout", "status", &format!("deployment/{name}"), SETTLE];
    plane.kubectl.ask(&status, "").map(|_| ())
}

/// The commands of a build step that deploys, in a container without caches.
pub(super) async fn build_step(
    plane: &Plane,
    (url, token): (&str, &str),
    (name, image): (&str, &str),
) -> Result<Used, String> {
    let flags = plane.flags(url, token);
    let kubectl = plane.kubectl.clone();
    let (home, deployment) = (Home::make(name)?, format!("deployment/{name}"));
    let container = format!("app={image}");
    let steps = tokio::task::spawn_blocking(move || {
        let set = ["set", "image", &deployment, &container];
        let status = ["rollout", "status", &deployment, SETTLE];
        let mut used = Used::default();
        for step in [&set[..], &status[..]] {
            let step = step.iter().copied().chain(flags.iter().map(String::as_str));
            let step = step.collect::<Vec<_>>();
            used = used.and(kubectl.measure(&step, home.path(), 0)?);
        }
        Ok(used)
    });
    steps.await.map_err(|error| error.to_string())?
}
