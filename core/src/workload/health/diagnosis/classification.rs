//! Finds the problem of a pod from the state of its containers.

use super::finding::{Finding, PodSnapshot, STILL_RUNS};
use super::judgement::worst;
use super::phrases::{
    ABSENT, COMMAND, DENIED, MISSING, NODE, PASSING, PLATFORM, UNSYNCED, is_of_a_layer, way_out,
};
use super::quotes::is_mute;
use super::served::{ends, ends_of, last};
use super::since::{Look, Others};
use super::whole::{of_failed, of_hanging, of_whole, others_of_job, words_of};
use crate::kubernetes::pod::{Container, Ended, NO_SCHEDULER, Pod, Pods, State};
use crate::outcome::Cause;
use jiff::Timestamp;
use std::time::Duration;

/// The longest time between two attempts of a kubelet, for pulls and for restarts.
/// <https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#restart-policy>
const BACK_OFF: Duration = Duration::from_secs(300);

pub(super) fn findings(pods: &Pods, look: &Look) -> Vec<Finding> {
    let hanging = of_hanging(pods, look);
    if look.since.others == Some(Others::Hanging) {
        return hanging;
    }
    let others = pods.others.iter();
    let mut found = others.map(|pod| of_pod(pod, look)).collect::<Vec<_>>();
    if look.since.in_place {
        found.extend(hanging);
    }
    let failed = of_failed(pods, look).into_iter();
    found.extend(failed.map(|finding| finding.judged(look)));
    if let Some((message, at)) = &look.sight.set.failure
        && (pods.count() == 0 || look.since.frees_nothing)
    {
        let finding = Finding {
            since: at.or(Some(look.since.written)),
            said: message.clone(),
            stale: look.since.old_pods_end(pods, look.sight),
            ..Finding::new(Cause::of_creation(message), &Pod::default(), look.sight)
        };
        found.push(finding.judged(look));
    }
    found
}

/// The problem of a pod: final ones before temporary ones, then the most specific one.
fn of_pod(pod: &Pod, look: &Look) -> Finding {
    let whole = |cause, said: String, at| Finding {
        said,
        since: at,
        ..Finding::new(cause, pod, look.sight)
    };
    if pod.disrupted {
        let finding = whole(Cause::NodeTrouble, words_of(&pod.why), None);
        return finding.judged(look);
    }
    if let Some(unscheduled) = &pod.unscheduled {
        // Someone set the gate on purpose:
        // https://kubernetes.io/docs/concepts/scheduling-eviction/pod-scheduling-readiness/
        let cause = match unscheduled.reason.as_str() {
            "Unschedulable" => Cause::Unschedulable,
            NO_SCHEDULER => Cause::NoScheduler,
            _ => Cause::NotStarted,
        };
        let finding = whole(cause, unscheduled.message.clone(), unscheduled.since);
        return finding.judged(look);
    }
    let containers = pod.containers.iter();
    let found = containers
        .filter_map(|container| {
            let finding = of_container(pod, container, look)?;
            let stale = is_stale(&finding, pod, container, look);
            // What is known of before is the sum of the pod's containers.
            let others = ends(pod).saturating_sub(finding.ends);
            let before = look.since.served.filter(|_| !container.init);
            let before = before.map_or(0, |served| served.ends_of(pod).saturating_sub(others));
            let has_ended = matches!(container.state, State::Ended(_)) && !container.init;
            let ends = has_ended && pod.ends_once;
            let beside = match ends {
                true => others_of_job(pod, look.sight, |state| *state == State::Running),
                false => Vec::new(),
            };
            Some(Finding {
                stale,
                before,
                beside,
                ..finding
            })
        })
        .map(|finding| finding.judged(look))
        .collect::<Vec<_>>();
    let whole = || of_whole(pod, look).judged(look);
    worst(&found).cloned().unwrap_or_else(whole)
}

/// Whether a pod from before our write has not been tried again since: a kubelet backs off for
/// minutes, so its message is old. This happens if a version is deployed that failed before, and
/// whose cause may have been fixed.
fn is_stale(finding: &Finding, pod: &Pod, container: &Container, look: &Look) -> bool {
    if !look.since.is_old(pod, look.sight) {
        return false;
    }
    let ended = last(container).and_then(|ended| ended.finished);
    if finding.ends > 0 {
        let trusted = look.since.trusts_clock_of(look.sight);
        let later = trusted && ended.is_some_and(|ended| ended > look.since.written);
        !later && !look.since.was_restarted(pod)
    } else {
        look.sight.at < look.since.written + BACK_OFF
    }
}

fn of_container(pod: &Pod, container: &Container, look: &Look) -> Option<Finding> {
    let began = began(pod, container);
    let finding = |cause, said: &str| Finding {
        previous: container.last.is_some(),
        since: began,
        said: said.to_owned(),
        ..about(cause, pod, container, look.sight)
    };
    match &container.state {
        State::Unknown => None,
        State::Running if container.init => Some(Finding {
            previous: false,
            ..finding(Cause::NotStarted, STILL_RUNS)
        }),
        State::Running if container.ready => None,
        // Nobody waits until a Job is ready.
        State::Running if look.sight.set.ends && container.started != Some(false) => None,
        State::Running => Some(Finding {
            ends: container.restarts,
            starting: container.started == Some(false),
            // The container runs now; its log before the last start is not relevant.
            previous: false,
            ..finding(Cause::NotReady, "")
        }),
        State::Ended(ended) if (container.init || look.sight.set.ends) && ended.code == 0 => None,
        State::Ended(ended) => Some(Finding {
            previous: false,
            ..of_end(pod, container, ended, look.sight)
        }),
        State::Waiting { reason, message } => match (reason.as_str(), &container.last) {
            ("CrashLoopBackOff", Some(last)) => Some(of_end(pod, container, last, look.sight)),
            ("RunContainerError", Some(last)) if last.code == 128 => {
                Some(of_end(pod, container, last, look.sight))
            }
            ("" | "PodInitializing", _) if !is_first(pod, container) => None,
            ("" | "PodInitializing" | "ContainerCreating", _) => {
                Some(match &look.since.unmounted {
                    Some(said) => finding(Cause::ConfigMissing, said),
                    None => finding(Cause::NotStarted, ""),
                })
            }
            ("ImagePullBackOff", _) if is_mute(message) => {
                let said = look.since.words_about(&container.image).unwrap_or(message);
                Some(finding(of_waiting("ErrImagePull", said), said))
            }
            (reason, _) => {
                let said = if message.is_empty() { reason } else { message };
                Some(finding(of_waiting(reason, message), said))
            }
        },
    }
}

/// Whether it is the first of its pod's containers to be started, which waits for no other: only
/// for its volumes and its network.
fn is_first(pod: &Pod, container: &Container) -> bool {
    let first = pod.containers.first();
    first.is_some_and(|first| first.name == container.name)
}

/// Builds a finding about a container, with the pod's own data about it.
fn about(cause: Cause, pod: &Pod, container: &Container, sight: &PodSnapshot) -> Finding {
    Finding {
        container: container.name.clone(),
        init: container.init,
        image: container.image.clone(),
        spec: container.spec.clone(),
        ..Finding::new(cause, pod, sight)
    }
}

/// Classifies the kubelet's reason for a container that cannot be started.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/kubelet/images/types.go>
pub(super) fn of_waiting(reason: &str, message: &str) -> Cause {
    let refused = way_out(message).is_some();
    let is_of_a_layer = is_of_a_layer(message);
    let message = without_names(message);
    let says = |marks: &[&str]| marks.iter().any(|mark| message.contains(mark));
    match reason {
        "InvalidImageName" => Cause::ImageName,
        "ErrImageNeverPull" => Cause::ImageNeverPulled,
        "SignatureValidationFailed" if !says(&PASSING) => Cause::ImageRefused,
        "ErrImagePull" | "ImagePullBackOff" | "ImageInspectError" => {
            if says(&PLATFORM) {
                Cause::ImagePlatform
            } else if says(&NODE) {
                Cause::NodeTrouble
            } else if refused && !says(&PASSING) {
                Cause::ImageRefused
            } else if says(&["name invalid", "invalid reference format"]) {
                Cause::ImageName
            } else if says(&PASSING) || says(&["executable file not found"]) {
                Cause::PullFails
            } else if says(&DENIED) {
                Cause::ImageDenied
            } else if says(&ABSENT) && !is_of_a_layer && reason != "ImageInspectError" {
                // An inspection is of what the node has itself: it asks no registry.
                Cause::ImageNotFound
            } else {
                Cause::PullFails
            }
        }
        "RegistryUnavailable" | "SignatureValidationFailed" => Cause::PullFails,
        "CreateContainerConfigError" if says(&UNSYNCED) => Cause::NotStarted,
        "CreateContainerConfigError" if says(&MISSING) => Cause::ConfigMissing,
        "CreateContainerConfigError" if says(&PASSING) => Cause::NotStarted,
        "CreateContainerConfigError" => Cause::ContainerNotCreated,
        "CreateContainerError" if says(&PASSING) || says(&NODE) => Cause::NodeTrouble,
        "CreateContainerError" | "PreCreateHookError" => Cause::ContainerNotCreated,
        "RunContainerError" => of_start(&message),
        "PreStartHookError" | "PostStartHookError" | "CrashLoopBackOff" => {
            Cause::ContainerNotStarted
        }
        _ => Cause::NotStarted,
    }
}

/// Removes the names of images and paths, which may contain any words.
fn without_names(message: &str) -> String {
    let words = message.split_whitespace();
    let words = words.filter(|word| *word == "i/o" || !word.contains('/'));
    words.collect::<Vec<_>>().join(" ").to_lowercase()
}

/// Decides whether the container or the node is the cause if a runtime cannot start a command. The
/// message also contains the command's name.
/// <https://github.com/Shopify/krane/pull/694>
fn of_start(message: &str) -> Cause {
    let says = |marks: &[&str]| marks.iter().any(|mark| message.contains(mark));
    if !says(&COMMAND) && (says(&PASSING) || says(&NODE)) {
        Cause::NodeTrouble
    } else {
        Cause::ContainerNotStarted
    }
}

pub(super) fn of_end(
    pod: &Pod,
    container: &Container,
    ended: &Ended,
    sight: &PodSnapshot,
) -> Finding {
    let cannot_run = ["StartError", "ContainerCannotRun"].contains(&ended.reason.as_str());
    let has_words = !ended.message.is_empty();
    // A limit below what the runtime itself needs ends the container before its command.
    // https://github.com/aws/amazon-ecs-agent/issues/3021
    // https://github.com/containers/crun/pull/635
    let low = ["OOM-killed", "the memory limit could be too low"];
    let starved = cannot_run && low.iter().any(|it| ended.message.contains(it));
    let cause = if ended.reason == "OOMKilled" || starved {
        Cause::OutOfMemory
    } else if cannot_run || ended.code == 128 && ended.reason != "Error" && has_words {
        of_start(&without_names(&ended.message))
    } else if ended.code == 0 {
        Cause::Ends
    } else {
        Cause::Crash
    };
    Finding {
        previous: container.last.is_some(),
        // A container that ran for hours, for example after a slow rollout, has not failed that
        // long: its exits are counted instead.
        since: pod.scheduled.or(pod.created),
        ends: ends_of(container),
        code: ended.code,
        said: ended.message.clone(),
        ..about(cause, pod, container, sight)
    }
}

/// Since when a container could have been started: its pod has a node, and the earlier init
/// containers, or its own previous run, have ended.
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
