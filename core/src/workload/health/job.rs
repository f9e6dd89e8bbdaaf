//! Whether a Job has run to its end: a verdict from its conditions alone. Its counters are none, as
//! pods may fail and be tried again.
//! <https://kubernetes.io/docs/concepts/workloads/controllers/job/#terminal-job-conditions>

use super::rollout::{Obstacle, Progress, Verdict, WaitsFor};
use crate::kubernetes::pod::Event;
use crate::workload::Workload;
use serde_json::Value;

/// Says early that the Job has failed; `Failed` follows when its last pod has ended.
const FAILURE_TARGET: &str = "FailureTarget";

/// Why Kubernetes gave a Job up.
#[derive(Clone, Debug, PartialEq)]
pub struct JobFailure {
    /// `BackoffLimitExceeded`, `DeadlineExceeded`, `PodFailurePolicy`, …
    pub reason: String,
    /// The same in a sentence; possibly empty.
    pub message: String,
    /// The indexes that have failed, as Kubernetes lists them: `1,3-5`; possibly empty.
    pub indexes: String,
}

/// See [`super::verdict`].
pub(super) fn verdict(live: &Workload) -> Verdict {
    let counter = |field: &str| live.number(field).unwrap_or(0);
    let progress = |waits_for| Progress {
        waits_for,
        available: live.available_replicas(),
        wanted: live.replicas(),
        obstacle: other_manager(live)
            .filter(|_| waits_for == WaitsFor::Manager)
            .map(|it| Obstacle::Told(format!("`{it}` runs it (spec.managedBy)"))),
    };
    let runs = WaitsFor::Completion {
        active: counter("/status/active"),
        failed: failed_pods(live),
    };
    if live.true_condition("Complete").is_some() {
        return Verdict::Complete;
    }
    if failure(live).is_some() {
        return Verdict::Failed(progress(runs));
    }
    Verdict::Progressing(progress(
        if live.value().pointer("/spec/suspend") == Some(&Value::Bool(true)) {
            WaitsFor::Unsuspension
        } else if live.number("/spec/parallelism") == Some(0) {
            WaitsFor::Parallelism
        } else if live.text("/status/startTime").is_empty() {
            match other_manager(live) {
                Some(_) => WaitsFor::Manager,
                None => WaitsFor::Observation,
            }
        } else {
            runs
        },
    ))
}

/// How many of its pods have failed. Those that the Job controller has noted and not counted yet
/// are among them, or a Job that has just failed would have no failed pod.
/// <https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.35/#uncountedterminatedpods-v1-batch>
pub fn failed_pods(live: &Workload) -> i64 {
    let noted = live
        .value()
        .pointer("/status/uncountedTerminatedPods/failed");
    let noted = noted.and_then(Value::as_array).map_or(0, Vec::len);
    let counted = live.number("/status/failed").unwrap_or(0);
    counted.saturating_add(i64::try_from(noted).unwrap_or(i64::MAX))
}

/// Why a Job has failed; `None` if it has not.
pub fn failure(live: &Workload) -> Option<JobFailure> {
    let failed = [FAILURE_TARGET, "Failed"];
    let failed = failed
        .into_iter()
        .find(|kind| live.true_condition(kind).is_some())?;
    let condition = live.condition(failed)?;
    Some(JobFailure {
        reason: condition.reason.to_owned(),
        message: condition.message.to_owned(),
        indexes: live.text("/status/failedIndexes").to_owned(),
    })
}

/// The controller that runs a Job in place of Kubernetes' own; its pods may be in another cluster.
/// <https://kubernetes.io/docs/concepts/workloads/controllers/job/#delegation-of-managing-a-job-object-to-external-controller>
pub fn other_manager(live: &Workload) -> Option<&str> {
    let manager = live.text("/spec/managedBy");
    (!["", "kubernetes.io/job-controller"].contains(&manager)).then_some(manager)
}

/// Whether its counters show that a pod of it ran.
pub fn counts_runs(live: &Workload) -> bool {
    let mut counts = ["/status/succeeded", "/status/ready"].into_iter();
    counts.any(|count| live.number(count).is_some_and(|count| count > 0))
}

/// How a Job ended that Kubernetes has deleted since.
#[derive(Clone, Debug, PartialEq)]
pub enum JobEnd {
    /// It completed.
    Completed,
    /// It failed.
    Failed(JobFailure),
}

/// Why the Job controller gives a Job up: the reasons of its condition and of its event.
/// <https://github.com/kubernetes/api/blob/master/batch/v1/types.go>
const GIVEN_UP: [&str; 5] = [
    "BackoffLimitExceeded",
    "DeadlineExceeded",
    "PodFailurePolicy",
    "FailedIndexes",
    "MaxFailedIndexesExceeded",
];

/// How a Job ended, by the events of it that are left; `None` where they do not tell.
pub fn told_end(events: &[Event]) -> Option<JobEnd> {
    let completed = |event: &&Event| event.kind == "Normal" && event.reason == "Completed";
    if events.iter().any(|event| completed(&event)) {
        return Some(JobEnd::Completed);
    }
    let failed =
        |event: &&Event| event.kind == "Warning" && GIVEN_UP.contains(&event.reason.as_str());
    let failed = events.iter().find(failed)?;
    Some(JobEnd::Failed(JobFailure {
        reason: failed.reason.clone(),
        message: failed.message.clone(),
        indexes: String::new(),
    }))
}

/// A Job that Kubernetes deletes sooner than this after its end takes the logs of its pods with it
/// before the usual next look at them.
const BRIEF_LIFE: i64 = 10;

/// Whether a Job is deleted so soon after its end that it is looked at more often.
pub fn is_brief(live: &Workload) -> bool {
    let life = live.number("/spec/ttlSecondsAfterFinished");
    live.kind().ends() && life.is_some_and(|life| life < BRIEF_LIFE)
}

/// Whether a Job has come to its end, one way or the other.
pub fn is_over(live: &Workload) -> bool {
    live.true_condition("Complete").is_some() || failure(live).is_some()
}

#[cfg(test)]
mod tests;
