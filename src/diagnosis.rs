//! Why the new version does not serve, and whether it ever will.
//!
//! A false alarm is worse than a late one. So a state that can pass must have lasted for a grace
//! time by the cluster's own times, and it must be every new pod's, or that of so many that the
//! controller creates no more. What only its author can judge (a slow start, a failing readiness
//! probe) is told while it lasts, and is a failure when the progress deadline says so.

mod classification;
mod evidence;
mod sentence;
mod symptoms;

pub use evidence::{Evidence, LOG_LINES, log_lines};
pub use symptoms::{Sights, Since};

use crate::cluster::object::{Deployment, ReplicaSet};
use crate::cluster::pod::{Event, Pod, Pods};
use classification::findings;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;
use std::time::Duration;

/// Ends of a container that make a crash loop: a dependency that comes up late costs one or two.
const CRASHES: u64 = 3;
/// How many times `patience` is given to what another controller or a person may supply: quota that
/// others free, a webhook that is restarted.
const SUPPLY: u32 = 4;
/// The same for what machines may supply: a new node, a registry that is back.
const MACHINES: u32 = 10;
/// How many nodes must agree where not every new pod is in trouble.
const NODES: usize = 2;

/// A look at the pods of the newest ReplicaSet.
#[derive(Clone, Debug, PartialEq)]
pub struct Sight {
    /// When it was taken.
    pub at: Timestamp,
    /// The ReplicaSet at that time.
    pub set: ReplicaSet,
    /// Its pods; an error where they could not be read, which stops nothing.
    pub pods: Result<Pods, String>,
}

/// What was read to explain a finding. `None` has not been asked for; an error stops nothing.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Explanation {
    /// Events about the pod, or about the ReplicaSet that cannot create any.
    pub events: Option<Result<Vec<Event>, String>>,
    /// The last lines of the container's log.
    pub log: Option<Result<Vec<String>, String>>,
}

/// What is wrong with the new version.
#[derive(Clone, Debug, PartialEq)]
pub enum Diagnosis {
    /// Nothing that can be seen.
    Nothing,
    /// Something that may pass, or that only the deadline can judge.
    Suspicious(Finding),
    /// Something because of which the rollout will never be done.
    Doomed(Finding),
}

/// Why a pod does not serve, the most telling first. Each has a heading in `docs/operations.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Cause {
    /// The image's name is none.
    ImageName,
    /// The registry does not have the image.
    ImageNotFound,
    /// The registry does not let the cluster have it.
    ImageDenied,
    /// It may not be pulled, and the node does not have it.
    ImageNeverPulled,
    /// The container needs more memory than its limit.
    OutOfMemory,
    /// The container ends with an error again and again.
    Crash,
    /// The container ends by itself again and again.
    Ends,
    /// A ConfigMap, a Secret or a key of one is missing.
    ConfigMissing,
    /// The runtime cannot make the container.
    ContainerNotCreated,
    /// The runtime cannot start its command.
    ContainerNotStarted,
    /// Not one pod can be created: quota, admission, a missing ServiceAccount.
    PodNotCreated,
    /// No node takes the pod.
    Unschedulable,
    /// The image cannot be pulled for a reason that may pass.
    PullFails,
    /// It runs and is not ready.
    NotReady,
    /// Its node, not the pod, is in trouble.
    NodeTrouble,
    /// It has not started yet.
    NotStarted,
}

/// How long a state must last before it is taken for final.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Grace {
    /// It cannot pass.
    None,
    /// So many times `patience`.
    Times(u32),
    /// Only the progress deadline and `timeout` can tell.
    Deadline,
}

impl Cause {
    /// The heading in `docs/operations.md`.
    pub fn anchor(self) -> &'static str {
        match self {
            Cause::ImageName => "image-name",
            Cause::ImageNotFound => "image-not-found",
            Cause::ImageDenied => "image-denied",
            Cause::ImageNeverPulled => "image-never-pulled",
            Cause::OutOfMemory => "out-of-memory",
            Cause::Crash => "crash",
            Cause::Ends => "ends",
            Cause::ConfigMissing => "config-missing",
            Cause::ContainerNotCreated => "container-not-created",
            Cause::ContainerNotStarted => "container-not-started",
            Cause::PodNotCreated => "pod-not-created",
            Cause::Unschedulable => "unschedulable",
            Cause::PullFails => "pull-fails",
            Cause::NotReady => "not-ready",
            Cause::NodeTrouble => "node-trouble",
            Cause::NotStarted => "not-started",
        }
    }

    fn grace(self) -> Grace {
        match self {
            Cause::ImageName => Grace::None,
            // A registry may need a moment to show what was just pushed.
            Cause::ImageNotFound
            | Cause::ImageDenied
            | Cause::ImageNeverPulled
            | Cause::OutOfMemory
            | Cause::Crash
            | Cause::Ends
            | Cause::ConfigMissing
            | Cause::ContainerNotCreated
            | Cause::ContainerNotStarted => Grace::Times(1),
            Cause::PodNotCreated => Grace::Times(SUPPLY),
            Cause::Unschedulable | Cause::PullFails => Grace::Times(MACHINES),
            Cause::NotReady | Cause::NodeTrouble | Cause::NotStarted => Grace::Deadline,
        }
    }

    /// Whether the container ran, so that its log may say why.
    fn ran(self) -> bool {
        matches!(
            self,
            Cause::OutOfMemory | Cause::Crash | Cause::Ends | Cause::NotReady
        )
    }

    /// Whether it takes [`CRASHES`] ends to be sure.
    fn repeats(self) -> bool {
        matches!(
            self,
            Cause::OutOfMemory | Cause::Crash | Cause::Ends | Cause::ContainerNotStarted
        )
    }
}

/// What is wrong with one pod, or with the making of pods.
#[derive(Clone, Debug, PartialEq)]
pub struct Finding {
    /// Why it does not serve.
    pub cause: Cause,
    /// The pod; empty where none can be created.
    pub pod: String,
    /// Its ReplicaSet.
    pub set: String,
    /// The container; empty where the pod as a whole is meant.
    pub container: String,
    /// Whether that is an init container.
    init: bool,
    node: String,
    since: Option<Timestamp>,
    /// How often the container has ended, and with which exit code.
    ends: u64,
    code: i64,
    /// Whether an earlier life of the container has the log.
    pub previous: bool,
    /// Kubernetes' own words.
    said: String,
    /// Whether it may be of before our write.
    stale: bool,
    /// Whether it lasts longer than its grace.
    is_final: bool,
}

/// The state of a new version by its pods.
pub fn diagnose<'a>(
    live: &Deployment,
    sight: &Sight,
    since: impl Into<Since<'a>>,
    patience: Duration,
) -> Diagnosis {
    let since = &since.into();
    let Ok(pods) = &sight.pods else {
        return Diagnosis::Nothing;
    };
    let found = findings(pods, sight, since, patience);
    let hopeless = found.iter().filter(|finding| finding.is_final);
    let all = hopeless.clone().count() == pods.count().max(1) && !pods.cut;
    let nodes = hopeless.clone().map(|finding| finding.node.as_str());
    let nodes = nodes.filter(|node| !node.is_empty());
    let nodes = nodes.collect::<BTreeSet<_>>().len();
    // As many as may be out of service at once: the controller waits for one of them.
    let slack = usize::try_from(live.slack()).unwrap_or(usize::MAX);
    let blocked = hopeless.count() >= slack && nodes >= NODES;
    match worst(&found) {
        Some(worst) if worst.is_final && (all || blocked) => Diagnosis::Doomed(worst.clone()),
        Some(worst) if worst.is_told(sight.at, since, patience) => {
            Diagnosis::Suspicious(worst.clone())
        }
        Some(_) | None => Diagnosis::Nothing,
    }
}

/// The finding that explains a rollout which has run out of time, however young it is.
pub fn explain(sight: &Sight, since: Timestamp, patience: Duration) -> Option<Finding> {
    let pods = sight.pods.as_ref().ok()?;
    worst(&findings(pods, sight, &since.into(), patience)).cloned()
}

fn worst(found: &[Finding]) -> Option<&Finding> {
    let rank = |finding: &&Finding| (!finding.is_final, finding.cause, u64::MAX - finding.ends);
    found.iter().min_by_key(rank)
}

impl Finding {
    fn new(cause: Cause, pod: &Pod, sight: &Sight) -> Finding {
        Finding {
            cause,
            pod: pod.name.clone(),
            set: sight.set.name.clone(),
            container: String::new(),
            init: false,
            node: pod.node.clone(),
            since: None,
            ends: 0,
            code: 0,
            previous: false,
            said: String::new(),
            stale: false,
            is_final: false,
        }
    }

    /// How long it has lasted at the most: clocks may differ, but nothing is older than our write.
    fn age(&self, now: Timestamp, since: &Since<'_>) -> Duration {
        let since = self.since.unwrap_or(now).max(since.of(self.cause));
        Duration::try_from(now.duration_since(since)).unwrap_or_default()
    }

    fn judged(mut self, now: Timestamp, since: &Since<'_>, patience: Duration) -> Finding {
        let sure = !self.cause.repeats() || self.ends == 0 || self.ends >= CRASHES;
        let lasted = match self.cause.grace() {
            Grace::None => true,
            Grace::Times(times) => self.age(now, since) >= patience * times,
            Grace::Deadline => false,
        };
        self.is_final = sure && lasted && !self.stale;
        self
    }

    /// What every healthy pod passes through is told only when it lasts.
    fn is_told(&self, now: Timestamp, since: &Since<'_>, patience: Duration) -> bool {
        let usual = matches!(self.cause, Cause::NotReady | Cause::NotStarted);
        !usual || self.ends > 0 || self.age(now, since) >= patience
    }

    /// Whether the container's log may say more.
    pub fn has_log(&self) -> bool {
        self.cause.ran() && !self.container.is_empty()
    }

    fn who(&self) -> String {
        let kind = if self.init { "init container " } else { "" };
        match (self.container.as_str(), self.pod.as_str()) {
            ("", pod) => format!("pod `{pod}`"),
            (container, pod) => format!("{kind}`{container}` in pod `{pod}`"),
        }
    }
}

#[cfg(test)]
mod tests;
