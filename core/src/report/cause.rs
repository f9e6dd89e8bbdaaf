//! Why a rollout or a switch failed, in words. The cluster and the continuation keep them, too.

use super::alarms;
use super::route;
use crate::state::continuation::{CAUSE_LIMIT, RecordedFailure};
use crate::strategy::causes::{RolloutCause, RolloutFailure, Stop};
use crate::text::{clip, quote, words};
use crate::workload::health::job::JobFailure;
use crate::workload::health::rollout::{Obstacle, Progress, WaitsFor};
use std::time::Duration;

/// How much of a cause is what is wrong with the pods; the rest is for how far the rollout came.
pub(super) const TOLD_LIMIT: usize = 440;

/// How much of somebody else's text goes into a cause, which must leave room for how far the
/// rollout had come.
pub(super) const CAUSE_QUOTE_LIMIT: usize = 380;

/// How much of a list of indexes goes into a cause.
const INDEXES_LIMIT: usize = 100;

/// The pods that a rollout waits for.
pub const NEW: &str = "new";

/// The pods that a rollback waits for.
pub const PREVIOUS: &str = "previous";

/// A failure as it is kept while the previous version is brought back.
pub fn recorded(failure: RolloutFailure) -> RecordedFailure {
    let mut evidence = failure.evidence;
    evidence.pods.extend(alarms::graph(&failure.cause));
    RecordedFailure {
        cause: cause(&failure.cause, NEW),
        kind: failure.kind,
        evidence,
        reason: failure.reason,
    }
}

/// The cause in a sentence without its full stop. `which` pods: [`NEW`] or [`PREVIOUS`], or those
/// that were there before, without a word.
pub fn cause(cause: &RolloutCause, which: &str) -> String {
    let text = match cause {
        RolloutCause::Recorded(text) => text.clone(),
        RolloutCause::Pods { told, stopped } => pods_text(told.as_deref(), stopped.as_ref(), which),
        RolloutCause::OtherTemplate(lost) => format!(
            "the API server stored another template than was asked for: `{}` {}",
            lost.field,
            lost.problem()
        ),
        RolloutCause::Smoke { path, tries, last } => format!(
            "its smoke test (GET {path}) failed {tries} times; last error: {}",
            clip(last, CAUSE_QUOTE_LIMIT)
        ),
        RolloutCause::Endpoints {
            service,
            deployment,
        } => {
            format!("Service `{service}` never routed only to the ready pods of `{deployment}`")
        }
        RolloutCause::SwitchTimedOut { timeout, service } => format!(
            "Service `{service}` could not be switched within {} (timeout)",
            words(*timeout)
        ),
        RolloutCause::ForeignPod {
            service,
            pod,
            deployment,
        } => format!(
            "Service `{service}` would also send to pod `{pod}`, which is not one of `{deployment}`"
        ),
        RolloutCause::SelectorChanged(service) => {
            format!("someone else changed the selector of Service `{service}` during the deploy")
        }
        RolloutCause::ServiceDeleted(service) => {
            format!("someone else deleted Service `{service}` during the deploy")
        }
        RolloutCause::DeploymentChanged(name) => {
            format!("someone else changed Deployment `{name}` during the deploy")
        }
        RolloutCause::DeploymentDeleted(name) => {
            format!("someone else deleted Deployment `{name}` during the deploy")
        }
        RolloutCause::ScaledToZero(name) => format!("someone else scaled `{name}` to zero"),
        RolloutCause::ScaleHeld {
            deployment,
            replicas,
            wanted,
        } => {
            format!("someone else keeps `{deployment}` at {replicas} of {wanted} replicas")
        }
        RolloutCause::Route { route, problem } => route::problem(route, problem),
        RolloutCause::AtShare { percent, cause } => format!(
            "with {percent} % of the traffic, {}",
            self::cause(cause, which)
        ),
        RolloutCause::OfAnother { execution, cause } => format!(
            "execution `{}` died in the bake of the version that served, and {}",
            quote(execution),
            self::cause(cause, which)
        ),
        RolloutCause::Alarms(judgement) => alarms::judged(judgement),
        RolloutCause::Unfit(fault) => fault.to_string(),
    };
    clip(&text, CAUSE_LIMIT)
}

fn pods_text(told: Option<&str>, stopped: Option<&Stop>, which: &str) -> String {
    let told = told.map(|told| clip(told, TOLD_LIMIT));
    let stopped = stopped.map(|stop| stop_text(stop, which));
    let both = told.into_iter().chain(stopped);
    both.collect::<Vec<_>>().join("; ")
}

fn stop_text(stop: &Stop, which: &str) -> String {
    match stop {
        Stop::DeadlineExceeded { deadline, progress } => format!(
            "Kubernetes saw no progress for {} (progressDeadlineSeconds), with {}",
            words(*deadline),
            pods_state(progress, which)
        ),
        Stop::TimedOut { timeout, progress } => timed_out(*timeout, progress, which),
        Stop::NoReplicaSet(refused) => format!(
            "no new pod can be created, because its ReplicaSet is refused: {}",
            clip(&quote(refused), CAUSE_QUOTE_LIMIT)
        ),
        Stop::NoNode(progress) => pods_state(progress, which),
        Stop::JobFailed(failure) => given_up(failure),
        Stop::JobGone(failure) => format!(
            "{}. Its log was deleted with it: give it a `ttlSecondsAfterFinished` of an hour or \
             more, and a failure is told with its last lines",
            given_up(failure)
        ),
    }
}

/// Why Kubernetes gave a Job up.
fn given_up(failure: &JobFailure) -> String {
    let why = match failure.message.as_str() {
        "" => format!("Kubernetes gave the Job up ({})", quote(&failure.reason)),
        message => format!(
            "Kubernetes gave the Job up ({}): {}",
            quote(&failure.reason),
            clip(&quote(message), CAUSE_QUOTE_LIMIT)
        ),
    };
    match failure.indexes.as_str() {
        "" => why,
        indexes => format!(
            "{why}; failed indexes: {}",
            clip(&quote(indexes), INDEXES_LIMIT)
        ),
    }
}

fn timed_out(timeout: Duration, progress: &Progress, which: &str) -> String {
    let joint = match progress.waits_for {
        WaitsFor::Resumption => {
            return format!(
                "the Deployment was paused (spec.paused) in the middle of its rollout, with {} of \
                 {} {which} {} available, and was not resumed within {} (timeout)",
                progress.available,
                progress.wanted,
                pods(progress.wanted),
                words(timeout)
            );
        }
        WaitsFor::Unsuspension
        | WaitsFor::Manager
        | WaitsFor::Parallelism
        | WaitsFor::Completion { .. } => {
            return format!(
                "the Job did not complete within {} (timeout): {}",
                words(timeout),
                pods_state(progress, which)
            );
        }
        WaitsFor::Observation => "and",
        WaitsFor::Nodes
        | WaitsFor::NewPods
        | WaitsFor::OldPods(_)
        | WaitsFor::EndingPods(_)
        | WaitsFor::SecondLook
        | WaitsFor::Availability => "with",
    };
    format!(
        "the rollout was not complete within {} (timeout), {joint} {}",
        words(timeout),
        pods_state(progress, which)
    )
}

/// How far a rollout is, of the pods that are `which`: [`NEW`] or [`PREVIOUS`].
pub(super) fn pods_state(progress: &Progress, which: &str) -> String {
    let Progress {
        available, wanted, ..
    } = progress;
    let count = format!(
        "{available} of {wanted} {} available",
        [which, pods(*wanted)].join(" ").trim_start()
    );
    let state = match progress.waits_for {
        WaitsFor::Observation => "Kubernetes has not processed the change yet".to_owned(),
        WaitsFor::Resumption => format!("{count}; the Deployment was paused"),
        WaitsFor::Nodes => {
            "no node matches it, so Kubernetes wants no pod of it (it had some before)".to_owned()
        }
        WaitsFor::OldPods(left) if which == PREVIOUS => {
            format!("{count}; {left} failed {} left", pods(left))
        }
        WaitsFor::OldPods(left) => format!("{count}; {left} old {} left", pods(left)),
        WaitsFor::EndingPods(left) => format!(
            "{count}; {left} old {} still terminating, and new ones start only after that \
             (Recreate)",
            if left == 1 { "pod is" } else { "pods are" }
        ),
        WaitsFor::SecondLook => format!(
            "{count}; they have no readiness probe, so they are checked again after some seconds"
        ),
        WaitsFor::NewPods | WaitsFor::Availability => count,
        WaitsFor::Completion { active, failed } => {
            format!("{available} of {wanted} completed, {active} running, {failed} failed")
        }
        WaitsFor::Unsuspension => {
            "it is suspended (spec.suspend), so none of its pods runs".to_owned()
        }
        WaitsFor::Manager => "its controller has not started it".to_owned(),
        WaitsFor::Parallelism => "its parallelism is 0, so none of its pods runs".to_owned(),
    };
    match &progress.obstacle {
        Some(Obstacle::Told(told)) => format!("{state}; {}", quote(told)),
        Some(Obstacle::Settling(ready, after)) => format!(
            "{state}; {ready} {} ready, and available only {} after that (minReadySeconds)",
            if *ready == 1 { "pod is" } else { "pods are" },
            words(*after)
        ),
        None => state,
    }
}

/// The noun for so many pods.
pub(super) fn pods(count: i64) -> &'static str {
    if count == 1 { "pod" } else { "pods" }
}
