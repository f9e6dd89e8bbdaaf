//! What is wrong with a pod, by what its containers show.

use super::symptoms::Since;
use super::{Cause, Finding, Sight, worst};
use crate::cluster::pod::{Container, Ended, Pod, Pods, State};
use jiff::Timestamp;
use std::time::Duration;

/// The longest time from a kubelet's try to its next, for pulls and restarts alike.
/// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy>
const BACK_OFF: Duration = Duration::from_secs(300);
/// How far the clocks of cluster and function may differ before a new pod looks like an old one.
const SKEW: Duration = Duration::from_secs(60);

pub(super) fn findings(
    pods: &Pods,
    sight: &Sight,
    since: &Since<'_>,
    patience: Duration,
) -> Vec<Finding> {
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
pub(super) fn of_waiting(reason: &str, message: &str) -> Cause {
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
