//! Problems of a pod as a whole: none of its containers is the cause, or the pod has ended.

use super::eviction::Excess;
use super::finding::{Finding, PodSnapshot, STILL_RUNS, Silent};
use super::since::{Look, SKEW};
use crate::kubernetes::pod::{Container, FAILED_LIMIT, Failed, Pod, Pods, Said, State};
use crate::outcome::Cause;
use crate::text::list;
use jiff::Timestamp;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// How long a kubelet may need to report on a pod that was sent to its node: it does so within
/// seconds, and a node counts as lost after 50.
/// <https://kubernetes.io/docs/reference/command-line-tools-reference/kube-controller-manager/>
const REPORT: Duration = Duration::from_secs(60);

/// How long ago that was, where the cluster's clock can be compared with ours.
fn ago(at: Timestamp, look: &Look) -> Option<Duration> {
    let ago = Duration::try_from(look.sight.at.duration_since(at)).ok();
    ago.filter(|_| look.since.trusts_clock_of(look.sight))
}

/// The problem of a pod of which its node has reported nothing at all.
fn of_silent(pod: &Pod, look: &Look) -> Option<Finding> {
    let silent = pod.containers.is_empty() && pod.phase == "Pending" && !pod.node.is_empty();
    let ago = ago(pod.scheduled?, look).filter(|ago| silent && *ago >= REPORT)?;
    Some(Finding {
        silent: Some((Silent::Start, ago)),
        since: pod.scheduled,
        ..Finding::new(Cause::NodeTrouble, pod, look.sight)
    })
}

/// The pods that are being deleted and should be gone long ago: their node does not confirm that
/// they have ended, or a finalizer keeps them.
/// What they hold up may still go on, so none of them is final.
pub(super) fn of_hanging(pods: &Pods, look: &Look) -> Vec<Finding> {
    let hanging = pods.endings.iter().filter_map(|pod| {
        let late = ago(pod.until, look).filter(|late| *late >= SKEW)?;
        let silent = match pod.is_over {
            true => Silent::Kept(list(&pod.finalizers)),
            false => Silent::End,
        };
        let cause = match pod.is_over && !pod.finalizers.is_empty() {
            true => Cause::PodKept,
            false => Cause::NodeTrouble,
        };
        Some(Finding {
            pod: pod.name.clone(),
            node: pod.node.clone(),
            silent: Some((silent, late)),
            since: Some(pod.until),
            stale: true,
            ..Finding::new(cause, &Pod::default(), look.sight)
        })
    });
    hanging.collect()
}

/// The problem of a pod whose containers are not the cause.
pub(super) fn of_whole(pod: &Pod, look: &Look) -> Finding {
    if let Some(silent) = of_silent(pod, look) {
        return silent;
    }
    let mut main = pod.containers.iter().filter(|container| !container.init);
    let started = main.clone().next().is_some() && main.all(|container| container.ready);
    let (cause, said) = if started || pod.containers_ready {
        if !pod.gates.is_empty() {
            (Cause::ReadinessGate, String::new())
        } else if pod.why.reason.starts_with("Node") {
            (Cause::NodeTrouble, words_of(&pod.why))
        } else {
            (Cause::NotReady, words_of(&pod.why))
        }
    } else if let Some(finding) = of_job(pod, look.sight) {
        return finding;
    } else if pod.phase == "Running" {
        (Cause::NotReady, words_of(&pod.why))
    } else {
        (Cause::NotStarted, String::new())
    };
    let gate = pod.gates.first().filter(|_| cause == Cause::ReadinessGate);
    Finding {
        said,
        gate: gate.cloned(),
        since: pod.scheduled.or(pod.created),
        ..Finding::new(cause, pod, look.sight)
    }
}

/// A pod of a Job that goes on: it has not ended, which is what its Job waits for.
fn of_job(pod: &Pod, sight: &PodSnapshot) -> Option<Finding> {
    let mut main = pod.containers.iter().filter(|container| !container.init);
    let runs = main.find(|container| container.state == State::Running && !is_sidecar(container));
    let runs = runs.filter(|_| sight.set.ends)?;
    Some(Finding {
        container: runs.name.clone(),
        image: runs.image.clone(),
        spec: runs.spec.clone(),
        said: STILL_RUNS.to_owned(),
        since: pod.scheduled.or(pod.created),
        beside: others_of_job(pod, sight, |state| matches!(state, State::Ended(_))),
        ..Finding::new(Cause::NotReady, pod, sight)
    })
}

/// Whether a container is a sidecar, for which no pod of a Job waits.
/// <https://kubernetes.io/docs/concepts/workloads/pods/sidecar-containers/>
fn is_sidecar(container: &Container) -> bool {
    let spec = serde_json::from_str::<Value>(&container.spec);
    spec.is_ok_and(|spec| spec["restartPolicy"] == "Always")
}

/// The containers of a Job's pod, without init containers and sidecars, that are in such a state.
pub(super) fn others_of_job(
    pod: &Pod,
    sight: &PodSnapshot,
    is_so: impl Fn(&State) -> bool,
) -> Vec<String> {
    let all = pod.containers.iter().filter(|_| sight.set.ends);
    let all = all.filter(|container| !container.init && !is_sidecar(container));
    let all = all.filter(|container| is_so(&container.state));
    all.map(|container| container.name.clone()).collect()
}

pub(super) fn words_of(said: &Said) -> String {
    match (said.reason.as_str(), said.message.as_str()) {
        (reason, "") => reason.to_owned(),
        ("", message) => message.to_owned(),
        (reason, message) => format!("{reason}: {message}"),
    }
}

/// Groups the failed pods by reason: a loop like that of a crashing container.
pub(super) fn of_failed(pods: &Pods, look: &Look) -> Vec<Finding> {
    let mut groups = BTreeMap::<(Cause, &str), Vec<&Failed>>::new();
    for failed in &pods.failed {
        if !look.since.was_before(failed.created, look.sight) {
            let group = (cause_of_failed(&failed.why), failed.why.reason.as_str());
            groups.entry(group).or_default().push(failed);
        }
    }
    let finding = |((cause, reason), group): ((Cause, &str), Vec<&Failed>)| {
        let newest = group.iter().max_by_key(|failed| failed.created)?;
        let nodes = group.iter().map(|failed| failed.node.as_str());
        let times = group.iter().map(|failed| failed.created);
        Some(Finding {
            pod: newest.name.clone(),
            node: newest.node.clone(),
            ends: group.len() as u64,
            is_cut: pods.cut || pods.failed.len() >= FAILED_LIMIT,
            said: newest.why.message.clone(),
            reason: reason.to_owned(),
            stale: !look.since.goes_on_failing(look.sight, look.patience),
            nodes: Some(nodes.collect::<BTreeSet<_>>().len()),
            since: times.min().flatten().or(Some(look.since.written)),
            ..Finding::new(cause, &Pod::default(), look.sight)
        })
    };
    groups.into_iter().filter_map(finding).collect()
}

/// Whether a pod failed because of what it requests or uses, or because of its node.
/// <https://kubernetes.io/docs/concepts/scheduling-eviction/node-pressure-eviction/>
fn cause_of_failed(why: &Said) -> Cause {
    const OF_NODE: [&str; 13] = [
        "OutOf",
        "Node",
        "Shutdown",
        "Terminated",
        "Preempt",
        "Taint",
        "DeletionByTaintManager",
        "DeletionByPodGC",
        "EvictionByEvictionAPI",
        "TerminationByKubelet",
        "InsufficientResource",
        // Its kubelet, or the runtime, has lost its containers.
        "ContainerStatusUnknown",
        // The disks of other drivers took the room that the scheduler counted on.
        "VolumeAttachment",
    ];
    let pressure = ["node was low on", "node had condition", "node is low on"];
    let message = why.message.to_lowercase();
    let is_of_node = OF_NODE.iter().any(|mark| why.reason.starts_with(mark));
    let is_low = pressure.iter().any(|mark| message.contains(mark));
    if is_of_node || is_low && Excess::read(&why.message).is_none() {
        Cause::NodeTrouble
    } else {
        Cause::PodFails
    }
}

impl Finding {
    /// Which containers keep a Job's pod from ending, beside one that has ended.
    pub(super) fn with_others(&self) -> String {
        let others = list(&self.beside);
        match (self.beside.len(), self.said == STILL_RUNS) {
            (0, _) => String::new(),
            (1, true) => format!(", although {others} has ended, so its pod does not end"),
            (_, true) => format!(", although {others} have ended, so its pod does not end"),
            (1, false) => format!("; its pod does not end, because {others} still runs"),
            (_, false) => format!("; its pod does not end, because {others} still run"),
        }
    }
}
