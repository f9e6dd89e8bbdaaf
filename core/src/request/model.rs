//! What a job asks for, once everything is checked.

use super::document::{containers, manifest_values};
use super::origin::Origin;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// What a job asks for, checked.
#[derive(Clone, PartialEq)]
pub struct Request {
    /// The Deployment's name.
    pub deployment: String,
    /// Its namespace.
    pub namespace: String,
    /// Container name to image.
    pub images: BTreeMap<String, String>,
    /// The image for the one container that there is, from a file that names none.
    pub sole_image: Option<String>,
    /// Variable to value; `None` removes it.
    pub env: BTreeMap<String, Option<Hidden>>,
    /// The one container that gets `env`; `None` for all.
    pub container: Option<String>,
    /// A whole Deployment, its variables filled in.
    pub manifest: Option<Value>,
    /// The files that it was read from.
    pub origin: Origin,
    /// What else was in the manifest's file, `FailureType/name`, and is not applied.
    pub beside: Vec<String>,
    /// The commit that is deployed, where it is known.
    pub commit: Option<String>,
    /// Whether anything is to be written.
    pub mode: Mode,
    /// How the change is written.
    pub method: Method,
    /// Roll the pods even where nothing changed.
    pub restart: bool,
    /// How the new version takes over.
    pub strategy: Strategy,
    /// For the whole deploy.
    pub timeout: Duration,
    /// How long a state that may pass must last before it is taken for final.
    pub patience: Duration,
    /// On failure bring the previous version back.
    pub rollback: bool,
    /// Who deploys: the pipeline's execution, else the job.
    pub execution: String,
    /// When what is deployed was committed: the lead time is counted from there.
    pub committed: Option<Timestamp>,
}

impl fmt::Debug for Request {
    /// Without the manifest, which has values of variables in it.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("deployment", &self.deployment)
            .field("namespace", &self.namespace)
            .field("images", &self.images)
            .field("sole_image", &self.sole_image)
            .field("env", &self.env)
            .field("container", &self.container)
            .field("origin", &self.origin)
            .field("beside", &self.beside)
            .field("commit", &self.commit)
            .field("mode", &self.mode)
            .field("method", &self.method)
            .field("restart", &self.restart)
            .field("strategy", &self.strategy)
            .field("timeout", &self.timeout)
            .field("patience", &self.patience)
            .field("rollback", &self.rollback)
            .field("execution", &self.execution)
            .field("committed", &self.committed)
            .finish_non_exhaustive()
    }
}

/// A value that no log and no debug output shows.
#[derive(Clone, PartialEq)]
pub struct Hidden(pub(super) String);

impl Hidden {
    /// The value itself, for the request that needs it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hidden")
    }
}

/// How the change is written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// A strategic merge patch of the fields named.
    Patch,
    /// The whole object, replaced by `manifest`.
    Put,
}

/// What a request is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Mode {
    /// The new version is to serve.
    Deploy,
    /// The difference is to be told and nothing written.
    Plan,
}

/// How the new version takes over.
#[derive(Clone, Debug, PartialEq)]
pub enum Strategy {
    /// Kubernetes' own rolling update.
    Rolling,
    /// Two Deployments take turns behind a Service.
    BlueGreen(Switch),
    /// A Deployment for each version behind a Service.
    Immutable {
        /// How the Service is switched.
        switch: Switch,
        /// How many superseded versions stay, scaled to zero.
        keep: usize,
    },
}

/// How a Service is switched from one Deployment to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Switch {
    /// The Service.
    pub service: String,
    /// How long the old version is kept at full scale after the switch.
    pub bake: Duration,
    /// What is asked of the new version before the switch.
    pub smoke: Option<Smoke>,
}

/// A question that the new version must answer with a status of 2xx.
#[derive(Clone, Debug, PartialEq)]
pub struct Smoke {
    /// A path of HTTP.
    pub path: String,
    /// A text that must be in the answer.
    pub contains: Option<String>,
    /// The name or the number of the Service's port; its first one where absent.
    pub port: Option<String>,
}

impl Strategy {
    /// The name as the user parameters have it.
    pub fn name(&self) -> &'static str {
        match self {
            Strategy::Rolling => "rolling",
            Strategy::BlueGreen(_) => "blueGreen",
            Strategy::Immutable { .. } => "immutable",
        }
    }

    /// How the Service is switched, where one is.
    pub fn switch(&self) -> Option<&Switch> {
        match self {
            Strategy::Rolling => None,
            Strategy::BlueGreen(switch) | Strategy::Immutable { switch, .. } => Some(switch),
        }
    }
}

impl Request {
    /// The image for a container, given whether it is one that `images` may mean without its name.
    pub fn image(&self, container: &str, is_sole: bool) -> Option<&String> {
        let sole = self.sole_image.as_ref().filter(|_| is_sole);
        self.images.get(container).or(sole)
    }

    /// Every value that must appear in no text: the variables that the request sets, but for values
    /// that are words of the request's own names, which no text can do without.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let env = self.env.values().flatten().map(Hidden::reveal);
        let manifest = self.manifest.iter().flat_map(manifest_values);
        env.chain(manifest).filter(|value| !self.names(value))
    }

    fn names(&self, value: &str) -> bool {
        let names = [&self.deployment, &self.namespace, &self.execution];
        let names = names.into_iter().chain(&self.container);
        let names = names.chain(&self.commit).chain(&self.sole_image);
        let names = names.chain(self.images.keys()).chain(self.images.values());
        let in_manifest = self.manifest.iter().flat_map(containers);
        let in_manifest = in_manifest.filter_map(|(_, container)| container["image"].as_str());
        let mut names = names.map(String::as_str).chain(in_manifest);
        value == "true" || value == "false" || names.any(|name| name.contains(value))
    }
}
