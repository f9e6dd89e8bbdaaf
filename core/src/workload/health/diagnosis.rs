//! Why the new version does not serve, and whether it ever will.
//!
//! A false alarm is worse than a late one. So a state that can pass must have lasted for a grace
//! time, by our own looks and by the cluster's times where its clock agrees with ours, and it must
//! be every new pod's, or that of so many that the controller creates no more. What only its author
//! can judge (a slow start, a failing readiness probe) is told while it lasts, and is a failure
//! when the progress deadline says so.

mod classification;
mod evidence;
mod sentence;
mod skipped;
mod symptoms;
mod whole;

pub use crate::outcome::{Cause, SUPPLY};
pub use evidence::{Evidence, LOG_LINES, log_lines};
pub use symptoms::{Sights, Since};

use crate::kubernetes::object::{Deployment, ReplicaSet};
use crate::kubernetes::pod::{Event, Gate, Pod, Pods};
use crate::outcome::Grace;
use classification::findings;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::BTreeSet;
use std::time::Duration;

/// Ends of a container that make a crash loop: a dependency that comes up late costs one or two.
const CRASHES: u64 = 3;
/// The same for what says itself that it waits for another: an init container, a connection that
/// is refused. The kubelet's fourth start is some 75 s after the first.
const CRASHES_OF_WAITING: u64 = 4;
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
    /// Kubernetes' own words, and its word for programs where a pod as a whole failed.
    said: String,
    reason: String,
    /// Its image, and its probes and limits, as the pod has them.
    image: String,
    spec: Value,
    /// The readiness gate that is meant.
    gate: Option<Gate>,
    /// Of pods that are gone already: how many nodes they were on.
    nodes: Option<usize>,
    /// Whether its startup probe is meant.
    starting: bool,
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
    match worst(&found) {
        Some(worst) if worst.is_final && is_doomed(worst, &found, live, pods, since) => {
            Diagnosis::Doomed(worst.clone())
        }
        Some(worst) if worst.is_told(sight, since, patience) => {
            Diagnosis::Suspicious(worst.clone())
        }
        Some(_) | None => Diagnosis::Nothing,
    }
}

/// Whether what is final of some pods is so for the rollout: it is every pod's, or that of so many
/// that the controller waits for one of them.
fn is_doomed(
    worst: &Finding,
    found: &[Finding],
    live: &Deployment,
    pods: &Pods,
    since: &Since<'_>,
) -> bool {
    // As many as may be out of service at once.
    let slack = usize::try_from(live.slack()).unwrap_or(usize::MAX);
    if worst.cause == Cause::PodNotCreated {
        let wanted = usize::try_from(live.replicas()).unwrap_or(usize::MAX);
        return pods.count() == 0 || since.frees_nothing && pods.count() < wanted;
    }
    if let Some(nodes) = worst.nodes {
        return pods.ready == 0 && !pods.cut || pods.others.len() >= slack && nodes >= NODES;
    }
    let hopeless = found.iter().filter(|finding| finding.is_final);
    let hopeless = hopeless.filter(|finding| !finding.pod.is_empty() && finding.nodes.is_none());
    let all = hopeless.clone().count() == pods.count() && !pods.cut;
    let nodes = hopeless.clone().map(|finding| finding.node.as_str());
    let nodes = nodes.filter(|node| !node.is_empty());
    let nodes = nodes.collect::<BTreeSet<_>>().len();
    all || hopeless.count() >= slack && nodes >= NODES
}

/// The finding that explains a rollout which has run out of time, however young it is.
pub fn explain<'a>(
    sight: &Sight,
    since: impl Into<Since<'a>>,
    patience: Duration,
) -> Option<Finding> {
    let pods = sight.pods.as_ref().ok()?;
    worst(&findings(pods, sight, &since.into(), patience)).cloned()
}

fn worst(found: &[Finding]) -> Option<&Finding> {
    // A pod or two that were evicted explain less than what those in their place show.
    let telling = |finding: &Finding| {
        let few = finding.stale || finding.ends < CRASHES;
        if finding.cause == Cause::PodFails && few {
            Cause::NodeTrouble
        } else {
            finding.cause
        }
    };
    let rank = |finding: &&Finding| (!finding.is_final, telling(finding), u64::MAX - finding.ends);
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
            reason: String::new(),
            image: String::new(),
            spec: Value::Null,
            gate: None,
            nodes: None,
            starting: false,
            stale: false,
            is_final: false,
        }
    }

    /// How long it has lasted at the most: nothing is older than our write and the look before
    /// the first that showed it. The cluster's own times count where its clock agrees with ours.
    fn age(&self, sight: &Sight, since: &Since<'_>) -> Duration {
        let own = since.of(self.cause);
        let theirs = self.since.filter(|_| since.trusts_clock_of(sight));
        let began = match (theirs, self.since) {
            (Some(theirs), _) => own.max(theirs),
            (None, Some(_)) => own,
            (None, None) => sight.at,
        };
        Duration::try_from(sight.at.duration_since(began)).unwrap_or_default()
    }

    fn judged(mut self, sight: &Sight, since: &Since<'_>, patience: Duration) -> Finding {
        let sure = !self.cause.repeats() || self.ends == 0 || self.ends >= self.ends_to_be_sure();
        let lasted = match self.cause.grace() {
            Grace::None => true,
            Grace::Times(times) => self.age(sight, since) >= patience * times,
            Grace::Deadline => false,
        };
        self.is_final = sure && lasted && !self.stale;
        self
    }

    fn ends_to_be_sure(&self) -> u64 {
        let waits = self.init || self.cause == Cause::Crash && is_refused(&self.said);
        if waits { CRASHES_OF_WAITING } else { CRASHES }
    }

    /// What events alone tell: the controller of nodes says of a pod that its node is not ready
    /// where it can write no reason.
    pub fn explained(self, explanation: &Explanation) -> Finding {
        let warning = sentence::last_warning(explanation);
        let of_node = warning.is_some_and(|event| event.reason == "NodeNotReady");
        if self.cause == Cause::NotReady && self.container.is_empty() && of_node {
            let said = warning.map(|event| event.message.clone());
            return Finding {
                cause: Cause::NodeTrouble,
                said: said.unwrap_or_default(),
                ..self
            };
        }
        self
    }

    /// Whether its last words, which are read at the very end, say that it only waits for another:
    /// then one end more is to be seen.
    pub fn only_waits(&self, explanation: &Explanation) -> bool {
        let log = explanation.log.as_ref().and_then(|log| log.as_ref().ok());
        let last = log.and_then(|log| sentence::telling(log));
        self.cause == Cause::Crash
            && self.is_final
            && self.ends < CRASHES_OF_WAITING
            && last.is_some_and(is_refused)
    }

    /// Whether Kubernetes only says that a pull fails, and no longer why: then events do.
    pub fn wants_events(&self, sight: &Sight, since: &Since<'_>, patience: Duration) -> bool {
        self.cause == Cause::PullFails
            && classification::is_mute(&self.said)
            && self.age(sight, since) >= patience
    }

    /// What every healthy pod passes through is told only when it lasts.
    fn is_told(&self, sight: &Sight, since: &Since<'_>, patience: Duration) -> bool {
        let usual = matches!(
            self.cause,
            Cause::ReadinessGate | Cause::NotReady | Cause::NotStarted
        );
        !usual || self.ends > 0 || self.age(sight, since) >= patience
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

/// Whether somebody's last words are that what it needs does not listen yet.
fn is_refused(text: &str) -> bool {
    let text = text.to_lowercase();
    ["connection refused", "econnrefused", "actively refused"]
        .iter()
        .any(|mark| text.contains(mark))
}

#[cfg(test)]
mod tests;
