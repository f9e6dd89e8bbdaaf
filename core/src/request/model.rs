//! The checked request of a job.

use super::canary::{Canary, CanaryStep};
use super::document::containers;
use super::origin::Origin;
use super::pods::{POD, values};
use crate::workload::Kind;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// The checked request of a job.
#[derive(Clone, Default, PartialEq)]
pub struct Request {
    /// What kind of workload is deployed.
    pub kind: Kind,
    /// The Deployment's name.
    pub deployment: String,
    /// The Deployment's namespace.
    pub namespace: String,
    /// The context of the kubeconfig; `None` for its current one, or without a kubeconfig.
    pub cluster: Option<String>,
    /// The images by container name.
    pub images: BTreeMap<String, String>,
    /// The image for the only container, from a file without container names.
    pub sole_image: Option<String>,
    /// The variables and their values; `None` removes a variable.
    pub env: BTreeMap<String, Option<Hidden>>,
    /// The only container that gets `env`; `None` for all.
    pub container: Option<String>,
    /// A whole Deployment, with its variables filled in.
    pub manifest: Option<Value>,
    /// The files that the request was read from.
    pub origin: Origin,
    /// The other objects of the manifest's file, as `Kind/name`, which are not applied.
    pub skipped: Vec<String>,
    /// The deployed commit, if known.
    pub commit: Option<String>,
    /// Whether to write anything.
    pub mode: Mode,
    /// The version that a rollback on demand brings back; `None` for the one that served before.
    pub to: Option<ReturnTarget>,
    /// How to write the change.
    pub method: Method,
    /// Whether to restart the pods even if nothing changed.
    pub restart: bool,
    /// How the new version takes over.
    pub strategy: Strategy,
    /// How long the new version is watched after it serves everything.
    pub bake: Duration,
    /// The CloudWatch alarms that guard the deploy.
    pub alarms: Option<Alarms>,
    /// The time limit for the whole deploy.
    pub timeout: Duration,
    /// How long a temporary problem must last before it counts as final.
    pub patience: Duration,
    /// Whether to roll back on failure.
    pub rollback: bool,
    /// Who deploys: the pipeline's execution, or else the job.
    pub execution: String,
    /// When the deployed change was committed: the start of the lead time.
    pub committed: Option<Timestamp>,
}

impl fmt::Debug for Request {
    /// Leaves out the manifest, which contains values of variables.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Request")
            .field("deployment", &self.deployment)
            .field("namespace", &self.namespace)
            .field("cluster", &self.cluster)
            .field("images", &self.images)
            .field("sole_image", &self.sole_image)
            .field("env", &self.env)
            .field("container", &self.container)
            .field("origin", &self.origin)
            .field("skipped", &self.skipped)
            .field("commit", &self.commit)
            .field("mode", &self.mode)
            .field("to", &self.to)
            .field("method", &self.method)
            .field("restart", &self.restart)
            .field("strategy", &self.strategy)
            .field("bake", &self.bake)
            .field("alarms", &self.alarms)
            .field("timeout", &self.timeout)
            .field("patience", &self.patience)
            .field("rollback", &self.rollback)
            .field("execution", &self.execution)
            .field("committed", &self.committed)
            .finish_non_exhaustive()
    }
}

/// A value that logs and debug output do not show.
#[derive(Clone, PartialEq)]
pub struct Hidden(pub(super) String);

impl Hidden {
    pub(super) fn new(value: String) -> Hidden {
        Hidden(value)
    }

    /// Returns the value for the request to the cluster.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Hidden {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Hidden")
    }
}

/// How to write the change.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Method {
    /// A strategic merge patch of the named fields.
    #[default]
    Patch,
    /// The whole object, replaced by `manifest`.
    Put,
}

/// The purpose of a request.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Mode {
    /// Deploy the new version.
    #[default]
    Deploy,
    /// Report the difference and write nothing.
    Plan,
    /// Bring a version back that served before.
    Rollback,
    /// Report what a rollback would bring back, and write nothing.
    PlanRollback,
}

impl Mode {
    /// The mode's name in the user parameters.
    pub fn name(self) -> &'static str {
        match self {
            Mode::Deploy => "deploy",
            Mode::Plan => "plan",
            Mode::Rollback => "rollback",
            Mode::PlanRollback => "planRollback",
        }
    }

    /// Whether nothing is to be written.
    pub fn is_plan(self) -> bool {
        matches!(self, Mode::Plan | Mode::PlanRollback)
    }

    /// Whether a version of the cluster is asked for, not one of the request.
    pub fn is_rollback(self) -> bool {
        matches!(self, Mode::Rollback | Mode::PlanRollback)
    }
}

/// The version that a rollback on demand brings back: a revision's number, an image, or for a
/// switch the name of a version or of its Deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReturnTarget(pub(super) String);

impl ReturnTarget {
    /// The text.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// The number of a revision, if it is one.
    pub fn revision(&self) -> Option<u64> {
        let number = self.0.parse().ok()?;
        // Neither `+3` nor `03`, and none is 0: that is one whose number is not known.
        (number > 0 && self.0 == u64::to_string(&number)).then_some(number)
    }
}

/// How the new version takes over.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Strategy {
    /// Kubernetes' own rolling update.
    #[default]
    Rolling,
    /// Two Deployments alternate behind a Service.
    BlueGreen(Switch),
    /// The same two, between which a growing share of the traffic moves.
    Canary {
        /// The parameters of the switch. Its `bake` is that of steps without one.
        switch: Switch,
        /// The steps, and what divides the traffic.
        canary: Canary,
    },
    /// Each version has its own Deployment behind a Service.
    Immutable {
        /// The parameters of the switch.
        switch: Switch,
        /// How many previous versions stay, scaled to zero.
        keep: usize,
    },
}

/// The parameters of switching a Service from one Deployment to another.
#[derive(Clone, Debug, PartialEq)]
pub struct Switch {
    /// The Service.
    pub service: String,
    /// How long the previous version stays at full scale after the switch.
    pub bake: Duration,
    /// The test of the candidate before the switch.
    pub smoke: Option<Smoke>,
    /// Whether both versions serve for a while.
    pub handover: AskedHandover,
}

/// How a switch is to hand over, as far as the user says so.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AskedHandover {
    /// By what stands in front of the Service.
    #[default]
    Auto,
    /// One patch: never two versions.
    Cut,
    /// Both versions for so long, or for as long as what stands in front of the Service needs.
    Overlap(Option<Duration>),
}

/// The CloudWatch alarms that guard a deploy.
#[derive(Clone, Debug, PartialEq)]
pub struct Alarms {
    /// Their names.
    pub names: Vec<String>,
    /// Whether the deploy may begin although one rings: such a one counts when it rings anew.
    pub ignores_ringing: bool,
}

/// The watch over a new version that a request asks for.
#[derive(Clone, Copy, Debug)]
pub struct Watch<'a> {
    /// The alarms that guard the deploy.
    pub alarms: Option<&'a Alarms>,
    /// Whether the deploy may begin although an alarm rings.
    pub ignores_ringing: bool,
    /// How long it lasts once the new version serves everything.
    pub bake: Duration,
    /// The shares of a canary, each with its own time.
    pub steps: &'a [CanaryStep],
}

/// A request that the candidate must answer with a 2xx status.
#[derive(Clone, Debug, PartialEq)]
pub struct Smoke {
    /// The path of the HTTP request.
    pub path: String,
    /// A text that the response must contain.
    pub contains: Option<String>,
    /// The name or number of the Service's port; the first one by default.
    pub port: Option<String>,
}

impl Strategy {
    /// The strategy's name in the user parameters.
    pub fn name(&self) -> &'static str {
        match self {
            Strategy::Rolling => "rolling",
            Strategy::BlueGreen(_) => "blueGreen",
            Strategy::Canary { .. } => "canary",
            Strategy::Immutable { .. } => "immutable",
        }
    }

    /// The parameters of the switch, if the strategy has one.
    pub fn switch(&self) -> Option<&Switch> {
        match self {
            Strategy::Rolling => None,
            Strategy::BlueGreen(switch)
            | Strategy::Canary { switch, .. }
            | Strategy::Immutable { switch, .. } => Some(switch),
        }
    }

    /// The parameters of the canary, if the strategy is one.
    pub fn canary(&self) -> Option<&Canary> {
        match self {
            Strategy::Canary { canary, .. } => Some(canary),
            Strategy::Rolling | Strategy::BlueGreen(_) | Strategy::Immutable { .. } => None,
        }
    }
}

impl Request {
    /// Builds a request that changes nothing: a workload that something else has written is
    /// followed, and left as it is.
    pub fn following(
        kind: Kind,
        name: &str,
        namespace: &str,
        (timeout, patience): (Duration, Duration),
        execution: &str,
    ) -> Request {
        Request {
            kind,
            deployment: name.to_owned(),
            namespace: namespace.to_owned(),
            timeout,
            patience,
            execution: execution.to_owned(),
            ..Request::default()
        }
    }

    /// Whether the deploy may begin although an alarm rings. That is why people go back.
    pub fn ignores_ringing(&self) -> bool {
        let alarms = self.alarms.as_ref();
        self.mode.is_rollback() || alarms.is_some_and(|alarms| alarms.ignores_ringing)
    }

    /// The watch over the new version.
    pub fn watch(&self) -> Watch<'_> {
        Watch {
            alarms: self.alarms.as_ref(),
            ignores_ringing: self.ignores_ringing(),
            bake: self.bake,
            steps: self.strategy.canary().map_or(&[][..], |it| &it.steps[..]),
        }
    }

    /// Whether the new version is watched after it serves everything.
    pub fn is_watched(&self) -> bool {
        !self.bake.is_zero() || self.alarms.is_some()
    }

    /// Whether it asks for what served before, whichever version that is.
    pub fn is_back_to_former(&self) -> bool {
        self.mode.is_rollback() && self.to.is_none()
    }

    /// Whether it asks for no change.
    pub fn only_follows(&self) -> bool {
        self.images.is_empty()
            && self.sole_image.is_none()
            && self.env.is_empty()
            && self.manifest.is_none()
            && !self.restart
    }

    /// The image for a container. `is_sole` says whether an image without a container name may be
    /// meant for it.
    pub fn image(&self, container: &str, is_sole: bool) -> Option<&String> {
        let sole = self.sole_image.as_ref().filter(|_| is_sole);
        self.images.get(container).or(sole)
    }

    /// The values that no text may show: the variables that the request sets. Words that are also
    /// names in the request are excluded, because no text can avoid them.
    pub fn secrets(&self) -> impl Iterator<Item = &str> {
        let env = self.env.values().flatten().map(Hidden::reveal);
        let manifest = self.manifest.iter();
        let manifest = manifest.flat_map(|manifest| values(POD, manifest));
        env.chain(manifest).filter(|value| !self.names(value))
    }

    fn names(&self, value: &str) -> bool {
        let names = [&self.deployment, &self.namespace, &self.execution];
        let names = names
            .into_iter()
            .chain(&self.container)
            .chain(&self.cluster);
        let names = names.chain(&self.commit).chain(&self.sole_image);
        let names = names.chain(self.images.keys()).chain(self.images.values());
        let names = names.chain(self.to.iter().map(|to| &to.0));
        let names = names.chain(self.alarms.iter().flat_map(|alarms| &alarms.names));
        let in_manifest = self.manifest.iter().flat_map(containers);
        let in_manifest = in_manifest.filter_map(|(_, container)| container["image"].as_str());
        let mut names = names.map(String::as_str).chain(in_manifest);
        value == "true" || value == "false" || names.any(|name| name.contains(value))
    }
}
