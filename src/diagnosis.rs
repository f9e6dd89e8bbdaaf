//! Why the new version does not serve, and whether it ever will.
//!
//! A false alarm is worse than a late one. So a state that can pass must have lasted for a grace
//! time by the cluster's own times, and it must be every new pod's, or that of so many that the
//! controller creates no more. What only its author can judge (a slow start, a failing readiness
//! probe) is told while it lasts, and is a failure when the progress deadline says so.

use crate::cluster::object::{Deployment, ReplicaSet};
use crate::cluster::pod::{Container, Ended, Event, Pod, Pods, State};
use crate::report::{clip, one_line, words};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
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
/// Events have whole seconds, by clocks that may be behind ours.
const EVENT_CLOCK: Duration = Duration::from_secs(5);
/// The longest time from one look to the next that is counted as if there had been none between.
const LOOKS: Duration = Duration::from_secs(8);
/// The longest time from a kubelet's try to its next, for pulls and restarts alike.
/// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy>
const BACK_OFF: Duration = Duration::from_secs(300);
/// How far the clocks of cluster and function may differ before a new pod looks like an old one.
const SKEW: Duration = Duration::from_secs(60);
/// How much of somebody else's sentence a cause quotes; it must leave room for names.
const QUOTE: usize = 300;
/// How much of a log line is shown: the beginning tells most.
const LOG_LINE: usize = 240;
/// Log lines that are shown.
pub const LOG_LINES: usize = 20;
/// Kinds of trouble that are told apart in the evidence, and events: a screen in all.
const GROUPS: usize = 5;
/// See [`GROUPS`].
const EVENTS: usize = 8;

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

/// What earlier looks have shown: since when each cause may have been there.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Sights {
    /// The last look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// Causes that it showed, each with the look before the first that did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<(Cause, Timestamp)>,
}

impl Sights {
    /// Whether nothing has been looked at.
    pub fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// With one more look. What it shows for the first time began after the look before, which may
    /// be long ago where the invocations have a gap between them.
    pub fn with(&self, sight: &Sight, written: Timestamp) -> Sights {
        let before = self.last.unwrap_or(written);
        let before = before.max(sight.at - LOOKS).min(sight.at);
        let pods = sight.pods.iter();
        let found = pods.flat_map(|pods| findings(pods, sight, &written.into(), Duration::ZERO));
        let mut seen = Vec::new();
        for cause in found.map(|finding| finding.cause).collect::<BTreeSet<_>>() {
            let known = self.seen.iter().find(|(known, _)| *known == cause);
            seen.push(known.copied().unwrap_or((cause, before)));
        }
        Sights {
            last: Some(sight.at),
            seen,
        }
    }
}

/// Since when something can have lasted.
#[derive(Clone, Debug)]
pub struct Since<'a> {
    /// When the new version was written: nothing of it is older.
    pub written: Timestamp,
    /// What earlier looks have shown; a cause that is not there is not limited by them.
    pub seen: &'a [(Cause, Timestamp)],
}

impl From<Timestamp> for Since<'_> {
    fn from(written: Timestamp) -> Self {
        Since { written, seen: &[] }
    }
}

impl Since<'_> {
    fn of(&self, cause: Cause) -> Timestamp {
        let seen = self.seen.iter().find(|(known, _)| *known == cause);
        seen.map_or(self.written, |(_, since)| self.written.max(*since))
    }
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

fn findings(pods: &Pods, sight: &Sight, since: &Since<'_>, patience: Duration) -> Vec<Finding> {
    let mut found = pods
        .others
        .iter()
        .filter_map(|pod| of_pod(pod, sight, since, patience))
        .collect::<Vec<_>>();
    if let Some((message, at)) = &sight.set.failure
        && pods.count() == 0
    {
        let finding = Finding {
            since: *at,
            said: message.clone(),
            ..Finding::new(Cause::PodNotCreated, &Pod::default(), sight)
        };
        found.push(finding.judged(sight.at, since, patience));
    }
    found
}

/// What is wrong with a pod: what is final before what is not, then what tells most.
fn of_pod(pod: &Pod, sight: &Sight, since: &Since<'_>, patience: Duration) -> Option<Finding> {
    let whole = |cause, said: String, at| Finding {
        said,
        since: at,
        ..Finding::new(cause, pod, sight)
    };
    if pod.disrupted {
        return Some(whole(Cause::NodeTrouble, String::new(), None));
    }
    if let Some(unscheduled) = &pod.unscheduled {
        // A gate is somebody's decision: https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/
        let cause = match unscheduled.reason.as_str() {
            "Unschedulable" => Cause::Unschedulable,
            _ => Cause::NotStarted,
        };
        let finding = whole(cause, unscheduled.message.clone(), unscheduled.since);
        return Some(finding.judged(sight.at, since, patience));
    }
    let containers = pod.containers.iter();
    let found = containers
        .filter_map(|container| {
            let finding = of_container(pod, container, sight)?;
            let stale = is_stale(&finding, pod, container, sight.at, since.written);
            Some(Finding { stale, ..finding })
        })
        .map(|finding| finding.judged(sight.at, since, patience))
        .collect::<Vec<_>>();
    let started = pod.scheduled.or(pod.created);
    worst(&found)
        .cloned()
        .or_else(|| Some(whole(Cause::NotStarted, String::new(), started)))
}

/// Whether a pod that was there before our write has not been tried since: a kubelet backs off for
/// minutes, and what it says is of before. Such a pod is there where a version is deployed that
/// failed before, and whose cause may have been mended.
fn is_stale(
    finding: &Finding,
    pod: &Pod,
    container: &Container,
    now: Timestamp,
    written: Timestamp,
) -> bool {
    if pod.created.is_none_or(|created| created + SKEW >= written) {
        return false;
    }
    let now_ended = match &container.state {
        State::Ended(ended) => Some(ended),
        State::Unknown | State::Waiting { .. } | State::Running => None,
    };
    let last = now_ended.or(container.last.as_ref());
    let ended = last.and_then(|ended| ended.finished);
    if finding.ends > 0 {
        ended.is_none_or(|ended| ended <= written)
    } else {
        now < written + BACK_OFF
    }
}

fn of_container(pod: &Pod, container: &Container, sight: &Sight) -> Option<Finding> {
    let began = began(pod, container);
    let finding = |cause, said: &str| Finding {
        container: container.name.clone(),
        init: container.init,
        previous: container.last.is_some(),
        since: began,
        said: said.to_owned(),
        ..Finding::new(cause, pod, sight)
    };
    match &container.state {
        State::Unknown => None,
        State::Running if container.init => Some(finding(Cause::NotStarted, "it still runs")),
        State::Running if container.ready => None,
        State::Running => Some(Finding {
            ends: container.restarts,
            // It speaks now; what it said before its last start is another story.
            previous: false,
            ..finding(Cause::NotReady, "")
        }),
        State::Ended(ended) if container.init && ended.code == 0 => None,
        State::Ended(ended) => Some(Finding {
            previous: false,
            ..of_end(pod, container, ended, sight)
        }),
        State::Waiting { reason, message } => match (reason.as_str(), &container.last) {
            ("CrashLoopBackOff", Some(last)) => Some(of_end(pod, container, last, sight)),
            ("RunContainerError", Some(last)) if last.code == 128 => {
                Some(of_end(pod, container, last, sight))
            }
            ("" | "PodInitializing", _) => None,
            ("ContainerCreating", _) => Some(finding(Cause::NotStarted, "")),
            (reason, _) => {
                let said = if message.is_empty() { reason } else { message };
                Some(finding(of_waiting(reason, message), said))
            }
        },
    }
}

/// The cause behind the kubelet's word for a container that cannot be started.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/images/types.go>
fn of_waiting(reason: &str, message: &str) -> Cause {
    // Images and paths have words of their own in them.
    let words = message.split_whitespace();
    let words = words.filter(|word| *word == "i/o" || !word.contains('/'));
    let message = words.collect::<Vec<_>>().join(" ").to_lowercase();
    let says = |marks: &[&str]| marks.iter().any(|mark| message.contains(mark));
    match reason {
        "InvalidImageName" => Cause::ImageName,
        "ErrImageNeverPull" => Cause::ImageNeverPulled,
        "ErrImagePull" | "ImagePullBackOff" => {
            if says(&PASSING) || says(&["executable file not found", "no match for platform"]) {
                Cause::PullFails
            } else if says(&DENIED) {
                Cause::ImageDenied
            } else if says(&["not found", "notfound", "manifest unknown", "name unknown"]) {
                Cause::ImageNotFound
            } else {
                Cause::PullFails
            }
        }
        "ImageInspectError" | "RegistryUnavailable" => Cause::PullFails,
        // Right after its start a kubelet does not know any Secret.
        // https://github.com/Shopify/krane/blob/main/lib/krane/kubernetes_resource/pod.rb
        "CreateContainerConfigError" if says(&["failed to sync"]) => Cause::NotStarted,
        "CreateContainerConfigError" => Cause::ConfigMissing,
        "CreateContainerError" if says(&PASSING) || says(&NODE) => Cause::NodeTrouble,
        "CreateContainerError" => Cause::ContainerNotCreated,
        "RunContainerError" if says(&PASSING) || says(&NODE) => Cause::NodeTrouble,
        "RunContainerError" | "PostStartHookError" | "CrashLoopBackOff" => {
            Cause::ContainerNotStarted
        }
        _ => Cause::NotStarted,
    }
}

/// Words of a trouble that passes by itself.
const PASSING: [&str; 11] = [
    "timeout",
    "timed out",
    "deadline exceeded",
    "connection re",
    "no such host",
    "server misbehaving",
    "toomanyrequests",
    "too many requests",
    "rate limit",
    "is reserved for",
    "unavailable",
];

/// Words of a node that is in trouble itself.
const NODE: [&str; 4] = [
    "no space left",
    "resource busy",
    "input/output error",
    "too many open files",
];

/// Words of a registry that refuses.
const DENIED: [&str; 5] = [
    "denied",
    "unauthorized",
    "forbidden",
    "authentication required",
    "no basic auth credentials",
];

/// Words of a runtime whose trouble is the image's command, not the node.
const COMMAND: [&str; 4] = [
    "executable file not found",
    "no such file or directory",
    "permission denied",
    "exec format error",
];

fn of_end(pod: &Pod, container: &Container, ended: &Ended, sight: &Sight) -> Finding {
    let says = |marks: &[&str]| marks.iter().any(|mark| ended.message.contains(mark));
    let cannot_run = ["StartError", "ContainerCannotRun"].contains(&ended.reason.as_str());
    let cause = if ended.reason == "OOMKilled" {
        Cause::OutOfMemory
    } else if cannot_run || ended.code == 128 && ended.reason != "Error" {
        // https://github.com/Shopify/krane/pull/694
        if says(&COMMAND) {
            Cause::ContainerNotStarted
        } else {
            Cause::NodeTrouble
        }
    } else if ended.code == 0 {
        Cause::Ends
    } else {
        Cause::Crash
    };
    Finding {
        container: container.name.clone(),
        init: container.init,
        previous: container.last.is_some(),
        // A container that ran for hours, as after a slow rollout, has not been failing as long:
        // its ends are counted instead.
        since: pod.scheduled.or(pod.created),
        ends: container.restarts + 1,
        code: ended.code,
        said: ended.message.clone(),
        ..Finding::new(cause, pod, sight)
    }
}

/// Since when a container could have been started: its pod has a node, and the init containers
/// before it, or its own life before, are over.
fn began(pod: &Pod, container: &Container) -> Option<Timestamp> {
    let own = container.last.as_ref();
    let before = pod.containers.iter().filter(|other| other.init);
    let ends = before.filter_map(|other| match &other.state {
        State::Ended(ended) => Some(ended),
        State::Unknown | State::Waiting { .. } | State::Running => None,
    });
    let finished = ends.chain(own).filter_map(|ended| ended.finished);
    finished.chain(pod.scheduled.or(pod.created)).max()
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

    /// The cause in a sentence without its full stop.
    pub fn sentence(&self, live: &Deployment, explanation: &Explanation) -> String {
        let who = self.who();
        let image = image(live, &self.container);
        let said = quoted(&self.said);
        match self.cause {
            Cause::ImageName => format!("{who} cannot start: `{image}` is no valid image name"),
            Cause::ImageNotFound => {
                format!("{who} cannot start: its registry does not have the image `{image}`")
            }
            Cause::ImageDenied => format!(
                "{who} cannot start: its registry does not let the cluster pull `{image}` ({})",
                core(&self.said)
            ),
            Cause::ImageNeverPulled => {
                let node = &self.node;
                format!(
                    "{who} cannot start: imagePullPolicy is Never, and node `{node}` does not \
                     have `{image}`"
                )
            }
            Cause::PullFails => {
                format!(
                    "{who} cannot start: pulling `{image}` fails ({})",
                    core(&self.said)
                )
            }
            Cause::OutOfMemory | Cause::Crash | Cause::Ends => self.end(live, explanation),
            Cause::ConfigMissing | Cause::ContainerNotCreated => {
                format!("{who} cannot be created: {said}")
            }
            Cause::ContainerNotStarted => format!("{who} cannot be started: {said}"),
            Cause::PodNotCreated => format!("no new pod can be created: {said}"),
            Cause::Unschedulable => format!("no node takes {who}: {said}"),
            Cause::NotReady => self.not_ready(live, explanation),
            Cause::NodeTrouble if self.said.is_empty() => {
                format!("{who} is in trouble with its node `{}`", self.node)
            }
            Cause::NodeTrouble => {
                format!("{who} is in trouble with its node `{}`: {said}", self.node)
            }
            Cause::NotStarted => match (last_warning(explanation), self.said.as_str()) {
                (Some(event), _) => format!("{who} has not started: {}", quoted(&event.message)),
                (None, "") => format!("{who} has not started yet"),
                (None, _) => format!("{who} has not started yet: {said}"),
            },
        }
    }

    /// How a container keeps ending, with its last words.
    fn end(&self, live: &Deployment, explanation: &Explanation) -> String {
        let who = self.who();
        if let Some((kind, answer)) = self.killed_by_probe(explanation) {
            let kind = kind.to_lowercase();
            let probe = probe(live, &self.container, &format!("{kind}Probe"));
            return format!(
                "{who} is killed, {}, as its {kind} probe{probe} fails: {}",
                times(self.ends),
                quoted(answer)
            );
        }
        let ended = self.ended(live);
        let last = explanation.log.as_ref().and_then(|log| log.as_ref().ok());
        let last = last.and_then(|log| telling(log)).or_else(|| {
            let mut lines = self.said.lines().filter(|line| !line.trim().is_empty());
            lines.next_back()
        });
        match last {
            Some(line) => {
                let line = clip(&plain(line), QUOTE).replace('`', "'");
                format!("{who} {ended}: `{line}`")
            }
            None => format!("{who} {ended}"),
        }
    }

    fn ended(&self, live: &Deployment) -> String {
        let (times, code) = (times(self.ends), self.code);
        if self.cause == Cause::Ends {
            return format!(
                "ends by itself with exit code 0, {times}, and a container of a Deployment must \
                 go on running"
            );
        }
        if self.cause != Cause::OutOfMemory {
            return format!("exits with code {code}{}, {times}", meaning(code));
        }
        match memory_limit(live, &self.container) {
            Some(limit) => {
                format!("is killed for using more memory than its limit of {limit}, {times}")
            }
            None => format!("is killed for using too much memory, {times}"),
        }
    }

    /// A container that its kubelet kills ends with these codes, and an event says why.
    fn killed_by_probe<'a>(&self, explanation: &'a Explanation) -> Option<(&'a str, &'a str)> {
        if self.cause != Cause::Crash || ![137, 143].contains(&self.code) {
            return None;
        }
        let events = explanation.events.as_ref()?.as_ref().ok()?.iter();
        let mut probes = events.filter_map(|event| event.message.split_once(" probe failed: "));
        probes.find(|(kind, _)| ["Liveness", "Startup"].contains(kind))
    }

    fn not_ready(&self, live: &Deployment, explanation: &Explanation) -> String {
        let who = self.who();
        let restarted = match self.ends {
            0 => String::new(),
            ends => format!(" (it was started again {})", times(ends)),
        };
        let events = explanation
            .events
            .as_ref()
            .and_then(|read| read.as_ref().ok());
        let mut events = events.into_iter().flatten();
        let answer =
            events.find_map(|event| event.message.strip_prefix("Readiness probe failed: "));
        let probe = probe(live, &self.container, "readinessProbe");
        match answer {
            Some(answer) => format!(
                "{who} runs{restarted}, but its readiness probe{probe} fails: {}",
                quoted(answer)
            ),
            None if probe.is_empty() => format!("{who} runs{restarted} and is not ready"),
            None => format!("{who} runs{restarted}, but its readiness probe{probe} has not passed"),
        }
    }
}

/// What a person wants to see under the cause. It fits anywhere: [`Evidence::shrink`] gives up what
/// tells least.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Evidence {
    /// What the pods show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pods: Vec<String>,
    /// What happened to the worst of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<String>,
    /// What it said last. Its first line is a heading.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub log: Vec<String>,
}

impl Evidence {
    /// Gathers it. `written` is when the new version was.
    pub fn of(
        live: &Deployment,
        sight: Option<&Sight>,
        finding: Option<&Finding>,
        explanation: &Explanation,
        written: Timestamp,
        patience: Duration,
    ) -> Evidence {
        let pods = sight.map_or_else(Vec::new, |sight| {
            pod_lines(live, sight, finding, written, patience)
        });
        let about = finding.map(|finding| match finding.pod.as_str() {
            "" => format!("ReplicaSet `{}`", finding.set),
            pod => format!("pod `{pod}`"),
        });
        let about = about.unwrap_or_default();
        let events = match &explanation.events {
            None => Vec::new(),
            Some(Err(why)) => vec![format!("The events of {about} could not be read: {why}.")],
            Some(Ok(events)) => event_lines(&about, events, written),
        };
        let who = finding.map(Finding::who).unwrap_or_default();
        let log = match &explanation.log {
            None => Vec::new(),
            Some(Err(why)) => vec![format!("The log of {who} could not be read: {why}.")],
            Some(Ok(lines)) if lines.is_empty() => vec![format!("The log of {who} is empty.")],
            Some(Ok(lines)) => {
                let heading = format!("The last lines of {who}:");
                let lines = lines.iter().map(|line| format!("  {line}"));
                std::iter::once(heading).chain(lines).collect()
            }
        };
        Evidence { pods, events, log }
    }

    /// The same with its texts run through `mask`.
    pub fn hide(mut self, mask: impl Fn(&str) -> String) -> Evidence {
        for list in [&mut self.pods, &mut self.events, &mut self.log] {
            list.iter_mut().for_each(|line| *line = mask(line));
        }
        self
    }

    /// Leaves out the line that tells least; false where nothing is left.
    pub fn shrink(&mut self) -> bool {
        /// Lines of each part that are kept as long as there is another to give up.
        const KEPT: [usize; 3] = [3, 4, 6];
        let lengths = [self.pods.len(), self.events.len(), self.log.len()];
        let over = (0..3).find(|part| lengths[*part] > KEPT[*part]);
        match over.or_else(|| (0..3).find(|part| lengths[*part] > 0)) {
            Some(0) => _ = self.pods.pop(),
            Some(1) => _ = self.events.pop(),
            // The last lines tell most; a heading alone tells nothing.
            Some(_) if self.log.len() > 2 => _ = self.log.remove(1),
            Some(_) => self.log.clear(),
            None => return false,
        }
        true
    }

    /// The text, in at most so many bytes.
    pub fn text(&self, limit: usize) -> String {
        let mut fitting = self.clone();
        loop {
            let parts = [&fitting.pods, &fitting.events, &fitting.log];
            let parts = parts.into_iter().filter(|part| !part.is_empty());
            let text = parts.map(|part| part.join("\n")).collect::<Vec<_>>();
            let text = text.join("\n\n");
            if text.len() <= limit || !fitting.shrink() {
                return text;
            }
        }
    }
}

/// How the new pods stand, then a line for each kind of trouble beside the cause itself.
fn pod_lines(
    live: &Deployment,
    sight: &Sight,
    told: Option<&Finding>,
    written: Timestamp,
    patience: Duration,
) -> Vec<String> {
    let pods = match &sight.pods {
        Ok(pods) => pods,
        Err(why) => return vec![format!("The new pods could not be read: {why}.")],
    };
    let after = Duration::try_from(sight.at.duration_since(written)).unwrap_or_default();
    let ready = match pods.count() {
        0 => "no new pod".to_owned(),
        1 => format!("{} of 1 new pod ready", pods.ready),
        count => format!("{} of {count} new pods ready", pods.ready),
    };
    let after = words(Duration::from_secs(after.as_secs()));
    let wanted = live.replicas();
    let mut lines = vec![format!(
        "{after} after the change: {ready}, {wanted} wanted."
    )];
    let mut groups: Vec<(Finding, usize)> = Vec::new();
    for finding in findings(pods, sight, &written.into(), patience) {
        let place = groups.iter().position(|(other, _)| {
            (other.cause, &other.container, other.code)
                == (finding.cause, &finding.container, finding.code)
        });
        match place {
            Some(place) => groups[place].1 += 1,
            None if groups.len() < GROUPS => groups.push((finding, 1)),
            None => {}
        }
    }
    let is_told = |finding: &Finding| {
        told.is_some_and(|told| told.cause == finding.cause && told.container == finding.container)
    };
    for (finding, count) in groups {
        let more = match count - 1 {
            0 => String::new(),
            1 => " (and one more pod)".to_owned(),
            others => format!(" (and {others} more pods)"),
        };
        if !is_told(&finding) {
            let sentence = finding.sentence(live, &Explanation::default());
            lines.push(format!("- {sentence}{more}"));
        } else if count > 1 {
            lines.push(format!("- the same is wrong with {count} pods"));
        }
    }
    lines
}

/// The events that tell something, the last one last, each kind once.
fn event_lines(about: &str, events: &[Event], written: Timestamp) -> Vec<String> {
    let written = written.checked_sub(EVENT_CLOCK).unwrap_or(written);
    // `Error: ErrImagePull` repeats a word of the pod's own.
    let is_word = |message: &str| {
        let word = message.strip_prefix("Error: ");
        word.is_some_and(|word| !word.contains(' '))
    };
    let telling = |event: &&Event| {
        event.kind != "Normal" && event.last >= Some(written) && !is_word(&event.message)
    };
    let mut kept: Vec<Event> = Vec::new();
    for event in events.iter().filter(telling) {
        let same =
            |other: &&mut Event| (&other.reason, &other.message) == (&event.reason, &event.message);
        match kept.iter_mut().find(same) {
            Some(other) => {
                other.count += event.count;
                other.last = other.last.max(event.last);
            }
            None => kept.push(event.clone()),
        }
    }
    kept.sort_by_key(|event| event.last);
    let skipped = kept.len().saturating_sub(EVENTS);
    let lines = kept.iter().skip(skipped).map(|event| {
        let message = clip(&plain(&event.message), QUOTE);
        format!("- {}, {}: {message}", event.reason, times(event.count))
    });
    let lines = lines.collect::<Vec<_>>();
    if lines.is_empty() {
        return lines;
    }
    [vec![format!("Events of {about}:")], lines].concat()
}

/// The newest warning: why a pod waits is often told there alone, as for a volume's Secret.
fn last_warning(explanation: &Explanation) -> Option<&Event> {
    let events = explanation.events.as_ref()?.as_ref().ok()?.iter();
    let warnings = events.filter(|event| event.kind == "Warning");
    warnings.max_by_key(|event| event.last)
}

/// The last lines of a log, without what a terminal would make of them.
pub fn log_lines(text: &str) -> Vec<String> {
    let lines = text.lines().map(|line| clip(&plain(line), LOG_LINE));
    let lines = lines.filter(|line| !line.is_empty()).collect::<Vec<_>>();
    lines[lines.len().saturating_sub(LOG_LINES)..].to_vec()
}

/// The line that most likely says why: the last one that speaks of an error, else the last.
fn telling(log: &[String]) -> Option<&str> {
    const MARKS: [&str; 8] = [
        "panic",
        "fatal",
        "error",
        "exception",
        "failed",
        "cannot",
        "refused",
        "denied",
    ];
    let marked = log.iter().rev().find(|line| {
        let line = line.to_lowercase();
        MARKS.iter().any(|mark| line.contains(mark))
    });
    marked.or(log.last()).map(String::as_str)
}

/// One line without escape sequences, other control characters and trailing blanks.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        if character == '\u{1b}' {
            skip_escape(&mut characters);
        } else if character == '\t' || character == '\n' {
            plain.push(' ');
        } else if !character.is_control() {
            plain.push(character);
        }
    }
    plain.trim_end().to_owned()
}

/// <https://en.wikipedia.org/wiki/ANSI_escape_code>: `ESC [ parameters letter`, `ESC ] text BEL`,
/// or two characters.
fn skip_escape(characters: &mut std::iter::Peekable<std::str::Chars<'_>>) {
    match characters.next() {
        Some('[') => _ = characters.find(|letter| ('@'..='~').contains(letter)),
        Some(']') => _ = characters.find(|letter| ['\u{7}', '\u{1b}'].contains(letter)),
        Some(_) | None => {}
    }
}

fn quoted(text: &str) -> String {
    let line = one_line(&plain(text));
    clip(line.trim_end_matches('.'), QUOTE)
}

/// What a registry said, without the layers around it: the end tells.
fn core(text: &str) -> String {
    const LIMIT: usize = 160;
    let text = one_line(&plain(text));
    let text = text.rsplit(" desc = ").next().unwrap_or_default();
    let text = text.trim_end_matches('.');
    let from =
        (text.len().saturating_sub(LIMIT)..=text.len()).find(|at| text.is_char_boundary(*at));
    match from {
        Some(from) if from > 0 => format!("…{}", &text[from..]),
        _ => text.to_owned(),
    }
}

fn times(count: u64) -> String {
    match count {
        0 | 1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    }
}

/// What shells and kernels mean by some exit codes.
/// <https://tldp.org/LDP/abs/html/exitcodes.html>
fn meaning(code: i64) -> &'static str {
    match code {
        126 => " (its command cannot be executed)",
        127 => " (its command was not found)",
        134 => " (aborted)",
        137 => " (killed)",
        139 => " (segmentation fault)",
        143 => " (terminated)",
        _ => "",
    }
}

fn image(live: &Deployment, container: &str) -> String {
    let image = live
        .container(container)
        .and_then(|it| it.get("image")?.as_str());
    image.unwrap_or("its image").to_owned()
}

fn memory_limit<'a>(live: &'a Deployment, container: &str) -> Option<&'a str> {
    live.container(container)?
        .pointer("/resources/limits/memory")?
        .as_str()
}

/// A probe in brackets: ` (HTTP GET :8080/health)`; empty where there is none.
fn probe(live: &Deployment, container: &str, kind: &str) -> String {
    let probe = live.container(container).and_then(|it| it.get(kind));
    let Some(probe) = probe.filter(|probe| probe.is_object()) else {
        return String::new();
    };
    let text = |value: Option<&Value>| match value {
        Some(Value::String(text)) => text.clone(),
        Some(other) => other.to_string(),
        None => String::new(),
    };
    let port = |action: &Value| text(action.get("port"));
    let what = if let Some(get) = probe.get("httpGet") {
        format!("HTTP GET :{}{}", port(get), text(get.get("path")))
    } else if let Some(socket) = probe.get("tcpSocket") {
        format!("TCP :{}", port(socket))
    } else if let Some(grpc) = probe.get("grpc") {
        format!("gRPC :{}", port(grpc))
    } else {
        "a command".to_owned()
    };
    format!(" ({what})")
}

#[cfg(test)]
mod tests {
    use super::*;
    use insta::assert_snapshot;
    use serde_json::json;

    const PATIENCE: Duration = Duration::from_secs(30);

    fn at(seconds: u64) -> Timestamp {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
        start + Duration::from_secs(seconds)
    }

    /// Two pods wanted, so that one may be too many.
    fn live(replicas: i64) -> Deployment {
        let probe = |path: &str| json!({"httpGet": {"path": path, "port": "http"}});
        Deployment::new(
            json!({"metadata": {"name": "web"}, "spec": {"replicas": replicas,
            "template": {"spec": {
                "initContainers": [{"name": "setup", "image": "setup:2"}],
                "containers": [{"name": "app", "image": "registry/app:2",
                    "readinessProbe": probe("/ready"), "livenessProbe": probe("/alive"),
                    "resources": {"limits": {"memory": "256Mi"}}},
                    {"name": "bare", "image": "bare:1"}]}}}}),
        )
    }

    fn pod(containers: Vec<Container>) -> Pod {
        Pod {
            name: "web-2-a".into(),
            node: "n1".into(),
            created: Some(at(0)),
            scheduled: Some(at(0)),
            containers,
            ..Pod::default()
        }
    }

    fn on(node: &str, pod: Pod) -> Pod {
        Pod {
            name: format!("web-2-{node}"),
            node: node.into(),
            ..pod
        }
    }

    fn container(state: State) -> Container {
        Container {
            name: "app".into(),
            state,
            ..Container::default()
        }
    }

    fn waiting(reason: &str, message: &str) -> Container {
        container(State::Waiting {
            reason: reason.into(),
            message: message.into(),
        })
    }

    fn ended(code: i64, reason: &str, message: &str) -> Ended {
        Ended {
            code,
            reason: reason.into(),
            message: message.into(),
            finished: Some(at(2)),
        }
    }

    /// A container that waits to be started again, having ended `restarts` + 1 times.
    fn looping(restarts: u64, last: Ended) -> Container {
        Container {
            restarts,
            last: Some(last),
            ..waiting(
                "CrashLoopBackOff",
                "back-off 20s restarting failed container",
            )
        }
    }

    fn crash(restarts: u64) -> Container {
        looping(restarts, ended(1, "Error", ""))
    }

    fn init(container: Container) -> Container {
        Container {
            name: "setup".into(),
            init: true,
            ..container
        }
    }

    fn running(ready: bool) -> Container {
        Container {
            ready,
            ..container(State::Running)
        }
    }

    fn unscheduled(reason: &str) -> Pod {
        let message = "0/3 nodes are available: 3 Insufficient cpu.";
        Pod {
            unscheduled: Some(crate::cluster::pod::Unscheduled {
                reason: reason.into(),
                message: message.into(),
                since: Some(at(0)),
            }),
            scheduled: None,
            node: String::new(),
            ..pod(vec![])
        }
    }

    fn pods(ready: usize, others: Vec<Pod>) -> Pods {
        Pods {
            ready,
            others,
            cut: false,
        }
    }

    fn sight(seconds: u64, pods: Pods) -> Sight {
        Sight {
            at: at(seconds),
            set: ReplicaSet {
                name: "web-2".into(),
                ..ReplicaSet::default()
            },
            pods: Ok(pods),
        }
    }

    #[derive(Debug, PartialEq)]
    enum Told {
        Nothing,
        Suspicious(Cause),
        Doomed(Cause),
    }
    use Told::{Doomed, Suspicious};

    fn told(replicas: i64, sight: &Sight) -> Told {
        match diagnose(&live(replicas), sight, at(0), PATIENCE) {
            Diagnosis::Nothing => Told::Nothing,
            Diagnosis::Suspicious(finding) => Suspicious(finding.cause),
            Diagnosis::Doomed(finding) => Doomed(finding.cause),
        }
    }

    const NOT_FOUND: &str = "rpc error: code = NotFound desc = failed to pull and unpack image \
        \"registry/app:2\": registry/app:2: not found";
    const DENIED: &str = "pull access denied, repository does not exist or may require \
        authorization: server message: insufficient_scope";
    const TIMEOUT: &str = "Head \"https://registry/v2/app\": dial tcp 10.0.0.1:443: i/o timeout";
    const SYNC: &str = "failed to sync secret cache: timed out waiting for the condition";
    const NO_COMMAND: &str = "exec: \"/srv\": stat /srv: no such file or directory: unknown";

    /// What the one new pod of two shows, how old it is, and what follows.
    #[test]
    fn what_one_pod_means() {
        let one = |container| pod(vec![container]);
        let image = |message: &str| one(waiting("ImagePullBackOff", message));
        let oom = |restarts| one(looping(restarts, ended(137, "OOMKilled", "")));
        let config = |message: &str| one(waiting("CreateContainerConfigError", message));
        let create = |message: &str| one(waiting("CreateContainerError", message));
        let start = |message: &str| looping(2, ended(128, "StartError", message));
        let now = |code, restarts| Container {
            restarts,
            ..container(State::Ended(ended(code, "Error", "")))
        };
        let restarted = Container {
            restarts: 1,
            last: Some(ended(1, "Error", "")),
            ..running(false)
        };
        let sidecar = Container {
            name: "proxy".into(),
            ..crash(2)
        };
        let done = init(container(State::Ended(ended(0, "Completed", ""))));
        let late = init(container(State::Ended(Ended {
            finished: Some(at(100)),
            ..ended(0, "Completed", "")
        })));
        let missing = || waiting("ErrImagePull", NOT_FOUND);
        let disrupted = Pod {
            disrupted: true,
            ..one(crash(9))
        };
        let rows = [
            ("just created", 1, pod(vec![]), Told::Nothing),
            (
                "being started",
                29,
                one(waiting("ContainerCreating", "")),
                Told::Nothing,
            ),
            (
                "for long",
                30,
                one(waiting("ContainerCreating", "")),
                Suspicious(Cause::NotStarted),
            ),
            (
                "for hours",
                9999,
                one(waiting("ContainerCreating", "")),
                Suspicious(Cause::NotStarted),
            ),
            (
                "no valid name",
                1,
                one(waiting("InvalidImageName", "")),
                Doomed(Cause::ImageName),
            ),
            (
                "no image",
                29,
                image(NOT_FOUND),
                Suspicious(Cause::ImageNotFound),
            ),
            (
                "no image for long",
                30,
                image(NOT_FOUND),
                Doomed(Cause::ImageNotFound),
            ),
            (
                "no access",
                29,
                image(DENIED),
                Suspicious(Cause::ImageDenied),
            ),
            (
                "no access for long",
                30,
                image(DENIED),
                Doomed(Cause::ImageDenied),
            ),
            (
                "registry silent",
                299,
                image(TIMEOUT),
                Suspicious(Cause::PullFails),
            ),
            (
                "registry silent for long",
                300,
                image(TIMEOUT),
                Doomed(Cause::PullFails),
            ),
            (
                "rate limit",
                299,
                image("toomanyrequests: denied"),
                Suspicious(Cause::PullFails),
            ),
            (
                "unsaid",
                299,
                image("Back-off pulling image"),
                Suspicious(Cause::PullFails),
            ),
            (
                "never pulled",
                30,
                one(waiting("ErrImageNeverPull", "")),
                Doomed(Cause::ImageNeverPulled),
            ),
            (
                "an init container before it",
                129,
                pod(vec![late.clone(), missing()]),
                Suspicious(Cause::ImageNotFound),
            ),
            (
                "the same for long",
                130,
                pod(vec![late, missing()]),
                Doomed(Cause::ImageNotFound),
            ),
            (
                "crashed once",
                900,
                one(now(1, 0)),
                Suspicious(Cause::Crash),
            ),
            (
                "crashed once, in back-off",
                900,
                one(crash(0)),
                Suspicious(Cause::Crash),
            ),
            (
                "crashed twice",
                900,
                one(crash(1)),
                Suspicious(Cause::Crash),
            ),
            (
                "three times, but young",
                29,
                one(crash(2)),
                Suspicious(Cause::Crash),
            ),
            ("three times", 30, one(crash(2)), Doomed(Cause::Crash)),
            (
                "three times, just now",
                30,
                one(now(1, 2)),
                Doomed(Cause::Crash),
            ),
            (
                "started again and running",
                900,
                one(restarted),
                Suspicious(Cause::NotReady),
            ),
            (
                "by itself",
                60,
                one(looping(2, ended(0, "Completed", ""))),
                Doomed(Cause::Ends),
            ),
            (
                "out of memory once",
                900,
                oom(0),
                Suspicious(Cause::OutOfMemory),
            ),
            ("out of memory", 60, oom(2), Doomed(Cause::OutOfMemory)),
            (
                "node trouble at its start",
                900,
                one(start("cgroup: device busy")),
                Suspicious(Cause::NodeTrouble),
            ),
            (
                "no such command",
                60,
                one(start(NO_COMMAND)),
                Doomed(Cause::ContainerNotStarted),
            ),
            (
                "exit 128 by itself",
                900,
                one(looping(5, ended(128, "", ""))),
                Suspicious(Cause::NodeTrouble),
            ),
            (
                "an application's own exit 128, such as git's",
                900,
                one(looping(5, ended(128, "Error", ""))),
                Doomed(Cause::Crash),
            ),
            ("a Secret's cache", 20, config(SYNC), Told::Nothing),
            (
                "the same for long",
                900,
                config(SYNC),
                Suspicious(Cause::NotStarted),
            ),
            (
                "no Secret",
                29,
                config("secret \"db\" not found"),
                Suspicious(Cause::ConfigMissing),
            ),
            (
                "no Secret for long",
                30,
                config("secret \"db\" not found"),
                Doomed(Cause::ConfigMissing),
            ),
            (
                "no container",
                30,
                create("no command specified"),
                Doomed(Cause::ContainerNotCreated),
            ),
            (
                "a slow runtime",
                900,
                create("context deadline exceeded"),
                Suspicious(Cause::NodeTrouble),
            ),
            (
                "a hook",
                30,
                one(waiting("PostStartHookError", "exit 1")),
                Doomed(Cause::ContainerNotStarted),
            ),
            (
                "an unknown word",
                900,
                one(waiting("SomethingNew", "")),
                Suspicious(Cause::NotStarted),
            ),
            ("warming up", 29, one(running(false)), Told::Nothing),
            (
                "never ready",
                9999,
                one(running(false)),
                Suspicious(Cause::NotReady),
            ),
            (
                "init is done",
                20,
                pod(vec![done.clone(), running(false)]),
                Told::Nothing,
            ),
            (
                "init runs",
                20,
                pod(vec![init(running(false))]),
                Told::Nothing,
            ),
            (
                "init runs for long",
                900,
                pod(vec![init(running(false))]),
                Suspicious(Cause::NotStarted),
            ),
            (
                "init fails",
                60,
                pod(vec![init(crash(2)), waiting("PodInitializing", "")]),
                Doomed(Cause::Crash),
            ),
            (
                "init failed once",
                60,
                pod(vec![init(now(1, 0))]),
                Suspicious(Cause::Crash),
            ),
            (
                "a sidecar fails",
                60,
                pod(vec![done, sidecar, running(true)]),
                Doomed(Cause::Crash),
            ),
            (
                "no node",
                299,
                unscheduled("Unschedulable"),
                Suspicious(Cause::Unschedulable),
            ),
            (
                "no node for long",
                300,
                unscheduled("Unschedulable"),
                Doomed(Cause::Unschedulable),
            ),
            (
                "held back",
                9999,
                unscheduled("SchedulingGated"),
                Suspicious(Cause::NotStarted),
            ),
            (
                "a lost node",
                9999,
                disrupted,
                Suspicious(Cause::NodeTrouble),
            ),
        ];
        for (name, seconds, pod, expected) in rows {
            assert_eq!(
                told(2, &sight(seconds, pods(0, vec![pod]))),
                expected,
                "{name}"
            );
        }
    }

    /// How many of the new pods must be in trouble.
    #[test]
    fn what_several_pods_mean() {
        let sick = |node: &str| on(node, pod(vec![crash(5)]));
        let young = |node: &str| on(node, pod(vec![running(false)]));
        let rows = [
            ("none", 2, 2, vec![], Told::Nothing),
            (
                "all",
                2,
                0,
                vec![sick("a"), sick("b")],
                Doomed(Cause::Crash),
            ),
            (
                "all of one node",
                2,
                0,
                vec![sick("a"), sick("a")],
                Doomed(Cause::Crash),
            ),
            (
                "one is ready",
                2,
                1,
                vec![sick("a")],
                Suspicious(Cause::Crash),
            ),
            (
                "one is young",
                5,
                0,
                vec![sick("a"), sick("b"), young("c")],
                Suspicious(Cause::Crash),
            ),
            (
                "one of five",
                5,
                4,
                vec![sick("a")],
                Suspicious(Cause::Crash),
            ),
            // Of eight, two may be too many and two missing: four sick ones block the rollout.
            (
                "less than may be missing",
                8,
                3,
                vec![sick("a"), sick("b"), sick("c")],
                Suspicious(Cause::Crash),
            ),
            (
                "as many as may be missing",
                8,
                3,
                vec![sick("a"), sick("b"), sick("c"), sick("d")],
                Doomed(Cause::Crash),
            ),
            (
                "all of them on one node",
                8,
                3,
                vec![sick("a"), sick("a"), sick("a"), sick("a")],
                Suspicious(Cause::Crash),
            ),
        ];
        for (name, replicas, ready, others, expected) in rows {
            let mut seen = sight(60, pods(ready, others));
            assert_eq!(told(replicas, &seen), expected, "{name}");
            if let (Ok(pods), Doomed(_)) = (&mut seen.pods, expected)
                && pods.ready == 0
            {
                pods.cut = true;
                let unseen = told(replicas, &seen);
                assert!(
                    matches!(unseen, Suspicious(_) | Doomed(_)),
                    "{name}: {unseen:?}"
                );
            }
        }
    }

    #[test]
    fn pods_that_cannot_be_created() {
        let quota = |since| Some(("exceeded quota".to_owned(), Some(at(since))));
        let failing = |seconds, pods, since| Sight {
            set: ReplicaSet {
                failure: quota(since),
                ..ReplicaSet::default()
            },
            ..sight(seconds, pods)
        };
        let none = || pods(0, vec![]);
        for (name, sight, expected) in [
            ("no pod yet", sight(900, none()), Told::Nothing),
            (
                "quota",
                failing(119, none(), 0),
                Suspicious(Cause::PodNotCreated),
            ),
            (
                "quota for long",
                failing(120, none(), 0),
                Doomed(Cause::PodNotCreated),
            ),
            (
                "quota, only now",
                failing(900, none(), 800),
                Suspicious(Cause::PodNotCreated),
            ),
            (
                "surge throttled",
                failing(900, pods(1, vec![]), 0),
                Told::Nothing,
            ),
            (
                "one pod is coming",
                failing(20, pods(0, vec![pod(vec![])]), 0),
                Told::Nothing,
            ),
        ] {
            assert_eq!(told(2, &sight), expected, "{name}");
        }
        let unread = Sight {
            pods: Err("HTTP 403".into()),
            ..failing(900, none(), 0)
        };
        assert_eq!(told(2, &unread), Told::Nothing);
    }

    /// A slow pull, and only then a Secret that is missing for a moment.
    #[test]
    fn a_state_that_began_late_has_its_grace() {
        let missing = || waiting("CreateContainerConfigError", "secret \"web\" not found");
        let creating = || waiting("ContainerCreating", "");
        let mut sights = Sights::default();
        for (seconds, container, expected) in [
            (30, creating(), false),
            (34, missing(), false),
            (58, missing(), false),
            (60, missing(), true),
            // It went away, and its time begins anew.
            (64, creating(), false),
            (68, missing(), false),
            (94, missing(), true),
        ] {
            let seen = sight(seconds, pods(0, vec![pod(vec![container])]));
            sights = sights.with(&seen, at(0));
            let since = Since {
                written: at(0),
                seen: &sights.seen,
            };
            let diagnosis = diagnose(&live(1), &seen, since, PATIENCE);
            let doomed = matches!(diagnosis, Diagnosis::Doomed(_));
            assert_eq!(doomed, expected, "{seconds}: {sights:?}");
        }
    }

    /// The same version again, whose cause was mended: its old pod is still in its back-off.
    #[test]
    fn what_a_pod_showed_before_our_write_is_not_final() {
        let crashed = |seconds| {
            let mut last = ended(1, "Error", "");
            last.finished = Some(at(seconds));
            looping(8, last)
        };
        let pulling = || waiting("ImagePullBackOff", "manifest unknown");
        for (name, now, container, expected) in [
            ("the crash is older", 390, crashed(290), false),
            ("it crashed again", 390, crashed(310), true),
            ("no pull was tried yet", 590, pulling(), false),
            ("one was, after the longest back-off", 601, pulling(), true),
        ] {
            let seen = sight(now, pods(0, vec![pod(vec![container])]));
            let diagnosis = diagnose(&live(1), &seen, at(300), PATIENCE);
            let doomed = matches!(diagnosis, Diagnosis::Doomed(_));
            assert_eq!(doomed, expected, "{name}");
        }
    }

    #[test]
    fn names_are_no_words() {
        for (reason, message, expected) in [
            (
                "CreateContainerConfigError",
                "couldn't find key TIMEOUT in ConfigMap shop/web",
                Cause::ConfigMissing,
            ),
            (
                "ErrImagePull",
                "failed to resolve reference \"r.example/timeout-svc:2\": not found",
                Cause::ImageNotFound,
            ),
            (
                "ErrImagePull",
                "failed to pull r.example/web:2: dial tcp: i/o timeout",
                Cause::PullFails,
            ),
            (
                "ErrImagePull",
                "no match for platform in manifest: not found",
                Cause::PullFails,
            ),
            (
                "CreateContainerError",
                "mkdir /var/lib/x: no space left on device",
                Cause::NodeTrouble,
            ),
        ] {
            assert_eq!(of_waiting(reason, message), expected, "{message}");
        }
    }

    /// A cluster whose clock is behind must not make a state older than our own write.
    #[test]
    fn nothing_is_older_than_the_write() {
        let seen = sight(60, pods(0, vec![pod(vec![crash(5)])]));
        for (written, expected) in [(30, true), (31, false)] {
            let diagnosis = diagnose(&live(2), &seen, at(written), PATIENCE);
            assert_eq!(
                matches!(diagnosis, Diagnosis::Doomed(_)),
                expected,
                "{written}"
            );
        }
        let impatient = diagnose(&live(2), &seen, at(60), Duration::ZERO);
        assert!(matches!(impatient, Diagnosis::Doomed(_)));
    }

    fn event(reason: &str, message: &str, count: u64) -> Event {
        Event {
            kind: "Warning".into(),
            reason: reason.into(),
            message: message.into(),
            count,
            last: Some(at(40 + count)),
        }
    }

    fn explained(events: Vec<Event>, log: &str) -> Explanation {
        Explanation {
            events: Some(Ok(events)),
            log: Some(Ok(log_lines(log))),
        }
    }

    #[test]
    fn sentences() {
        let killed = |code| looping(3, ended(code, "Error", ""));
        let probes = || {
            vec![
                event(
                    "Unhealthy",
                    "Readiness probe failed: Get \"http://10.0.0.1:80/ready\": EOF",
                    2,
                ),
                event(
                    "Unhealthy",
                    "Liveness probe failed: HTTP probe failed with statuscode: 500",
                    1,
                ),
            ]
        };
        let unlimited = Container {
            name: "bare".into(),
            ..looping(2, ended(137, "OOMKilled", ""))
        };
        let mount = "MountVolume.SetUp failed for volume \"tls\" : secret \"tls\" not found";
        let go = "starting\n\u{1b}[31mpanic: no DATABASE_URL\u{1b}[0m\n\ngoroutine 1 [running]:\n";
        let nothing = Explanation::default;
        let rows = [
            (pod(vec![crash(6)]), explained(vec![], go)),
            (pod(vec![crash(2)]), nothing()),
            (
                pod(vec![looping(2, ended(3, "Error", "last\nwords\n"))]),
                nothing(),
            ),
            (pod(vec![killed(137)]), explained(probes(), "bye")),
            (pod(vec![killed(137)]), explained(vec![], "bye")),
            (pod(vec![killed(127)]), nothing()),
            (
                pod(vec![looping(2, ended(0, "Completed", ""))]),
                explained(vec![], "done"),
            ),
            (
                pod(vec![looping(2, ended(137, "OOMKilled", ""))]),
                nothing(),
            ),
            (pod(vec![unlimited]), nothing()),
            (pod(vec![init(crash(2))]), nothing()),
            (pod(vec![waiting("InvalidImageName", "x")]), nothing()),
            (pod(vec![waiting("ErrImagePull", NOT_FOUND)]), nothing()),
            (pod(vec![waiting("ErrImagePull", DENIED)]), nothing()),
            (pod(vec![waiting("ErrImagePull", TIMEOUT)]), nothing()),
            (pod(vec![waiting("ErrImageNeverPull", "x")]), nothing()),
            (
                pod(vec![waiting(
                    "CreateContainerConfigError",
                    "secret \"db\" not found",
                )]),
                nothing(),
            ),
            (
                pod(vec![looping(2, ended(128, "StartError", NO_COMMAND))]),
                nothing(),
            ),
            (pod(vec![running(false)]), explained(probes(), "")),
            (pod(vec![running(false)]), nothing()),
            (
                pod(vec![waiting("ContainerCreating", "")]),
                explained(vec![event("FailedMount", mount, 7)], ""),
            ),
            (unscheduled("Unschedulable"), nothing()),
        ];
        let sentences = rows.map(|(pod, explanation)| {
            let found = explain(&sight(60, pods(0, vec![pod])), at(0), PATIENCE).unwrap();
            found.sentence(&live(2), &explanation)
        });
        assert_snapshot!(sentences.join("\n"), @r#"
        `app` in pod `web-2-a` exits with code 1, 7 times: `panic: no DATABASE_URL`
        `app` in pod `web-2-a` exits with code 1, 3 times
        `app` in pod `web-2-a` exits with code 3, 3 times: `words`
        `app` in pod `web-2-a` is killed, 4 times, as its liveness probe (HTTP GET :http/alive) fails: HTTP probe failed with statuscode: 500
        `app` in pod `web-2-a` exits with code 137 (killed), 4 times: `bye`
        `app` in pod `web-2-a` exits with code 127 (its command was not found), 4 times
        `app` in pod `web-2-a` ends by itself with exit code 0, 3 times, and a container of a Deployment must go on running: `done`
        `app` in pod `web-2-a` is killed for using more memory than its limit of 256Mi, 3 times
        `bare` in pod `web-2-a` is killed for using too much memory, 3 times
        init container `setup` in pod `web-2-a` exits with code 1, 3 times
        `app` in pod `web-2-a` cannot start: `registry/app:2` is no valid image name
        `app` in pod `web-2-a` cannot start: its registry does not have the image `registry/app:2`
        `app` in pod `web-2-a` cannot start: its registry does not let the cluster pull `registry/app:2` (pull access denied, repository does not exist or may require authorization: server message: insufficient_scope)
        `app` in pod `web-2-a` cannot start: pulling `registry/app:2` fails (Head "https://registry/v2/app": dial tcp 10.0.0.1:443: i/o timeout)
        `app` in pod `web-2-a` cannot start: imagePullPolicy is Never, and node `n1` does not have `registry/app:2`
        `app` in pod `web-2-a` cannot be created: secret "db" not found
        `app` in pod `web-2-a` cannot be started: exec: "/srv": stat /srv: no such file or directory: unknown
        `app` in pod `web-2-a` runs, but its readiness probe (HTTP GET :http/ready) fails: Get "http://10.0.0.1:80/ready": EOF
        `app` in pod `web-2-a` runs, but its readiness probe (HTTP GET :http/ready) has not passed
        `app` in pod `web-2-a` has not started: MountVolume.SetUp failed for volume "tls" : secret "tls" not found
        no node takes pod `web-2-a`: 0/3 nodes are available: 3 Insufficient cpu
        "#);
    }

    #[test]
    fn what_a_person_sees() {
        let sick = |node: &str| on(node, pod(vec![crash(2)]));
        let seen = sight(
            34,
            pods(
                1,
                vec![sick("a"), sick("b"), on("c", unscheduled("Unschedulable"))],
            ),
        );
        let finding = explain(&seen, at(0), PATIENCE).unwrap();
        let mut old = event("Old", "from before the write", 1);
        old.last = at(0).checked_sub(Duration::from_secs(6)).ok();
        let mut normal = event("Pulled", "it is there", 1);
        normal.kind = "Normal".into();
        let twice = event("BackOff", "Back-off restarting failed container", 2);
        let events = vec![
            twice.clone(),
            old,
            normal,
            twice,
            event("Unhealthy", "Readiness\nfailed", 1),
            event("Failed", "Error: ErrImagePull", 1),
            event("Failed", "Error: it has more words", 3),
        ];
        let log = explained(events, "one\r\n\ttwo \u{7}\n\n\u{1b}]0;title\u{7}three");
        let show = |explanation: &Explanation| {
            let evidence = Evidence::of(
                &live(4),
                Some(&seen),
                Some(&finding),
                explanation,
                at(0),
                PATIENCE,
            );
            evidence.text(4000)
        };
        let unread = Explanation {
            events: Some(Err("the token may not list events".into())),
            log: Some(Err("the token may not get pods/log".into())),
        };
        let blind = Sight {
            pods: Err("HTTP 403".into()),
            ..seen.clone()
        };
        let blind = Evidence::of(
            &live(4),
            Some(&blind),
            None,
            &Explanation::default(),
            at(0),
            PATIENCE,
        );
        let texts = [show(&log), show(&unread), blind.text(4000)];
        assert_snapshot!(texts.join("\n--\n"), @r#"
        34 s after the change: 1 of 4 new pods ready, 4 wanted.
        - the same is wrong with 2 pods
        - no node takes pod `web-2-c`: 0/3 nodes are available: 3 Insufficient cpu

        Events of pod `web-2-a`:
        - Unhealthy, once: Readiness failed
        - BackOff, 4 times: Back-off restarting failed container
        - Failed, 3 times: Error: it has more words

        The last lines of `app` in pod `web-2-a`:
          one
           two
          three
        --
        34 s after the change: 1 of 4 new pods ready, 4 wanted.
        - the same is wrong with 2 pods
        - no node takes pod `web-2-c`: 0/3 nodes are available: 3 Insufficient cpu

        The events of pod `web-2-a` could not be read: the token may not list events.

        The log of `app` in pod `web-2-a` could not be read: the token may not get pods/log.
        --
        The new pods could not be read: HTTP 403.
        "#);
    }

    #[test]
    fn evidence_gives_up_what_tells_least() {
        let lines = |name: &str, count: usize| (0..count).map(|n| format!("{name} {n}")).collect();
        let mut evidence = Evidence {
            pods: lines("pod", 9),
            events: lines("event", 9),
            log: lines("log", 21),
        };
        let whole = evidence.text(10_000);
        assert_eq!(whole.lines().count(), 9 + 9 + 21 + 2);
        for limit in [0, 1, 7, 50, 100, 200, 300] {
            let text = evidence.text(limit);
            assert!(text.len() <= limit, "{limit}: {text}");
            assert!(limit < 20 || text.ends_with("log 20"), "{limit}: {text}");
        }
        assert!(
            evidence.text(41).starts_with("log 0\nlog "),
            "the heading stays"
        );
        let mut steps = 0;
        while evidence.shrink() {
            steps += 1;
        }
        assert!(steps < 9 + 9 + 21 && evidence == Evidence::default());
    }

    #[test]
    fn log_lines_are_the_last_ones_without_a_terminals_tricks() {
        let many = (0..50).map(|n| format!("{n}\n")).collect::<String>();
        assert_eq!(log_lines(&many).first().map(String::as_str), Some("30"));
        assert_eq!(log_lines(&many).len(), LOG_LINES);
        assert_eq!(log_lines(" \n\r\n\u{1b}[2J\n"), Vec::<String>::new());
        assert_eq!(log_lines("\u{1b}[1;31mred\u{1b}[0m\u{1b}"), ["red"]);
        assert_eq!(log_lines("a\u{0}b\u{9b}c\u{8}d"), ["abcd"]);
        assert!(log_lines(&"é".repeat(9000))[0].len() <= LOG_LINE);
    }

    #[test]
    fn the_telling_line() {
        for (log, expected) in [
            ("a\nb", Some("b")),
            ("panic: x\ngoroutine 1\nexit status 2", Some("panic: x")),
            (
                "Traceback\n  File x\nKeyError: 'DB'",
                Some("KeyError: 'DB'"),
            ),
            (
                "Exception in thread main\n\tat App.main",
                Some("Exception in thread main"),
            ),
            ("", None),
        ] {
            assert_eq!(telling(&log_lines(log)), expected, "{log}");
        }
    }

    #[test]
    fn a_registrys_words_without_what_is_around_them() {
        assert_eq!(core("x desc = y desc = the end."), "the end");
        assert_eq!(core(""), "");
        let long = core(&"é".repeat(500));
        assert!(long.starts_with('…') && long.len() < 170);
    }
}
