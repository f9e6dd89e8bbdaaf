//! Why a deploy fails, where it is decided and not read from the pods: in words, because the
//! cluster (`landfall/cause`) and the continuation keep them until the report is made.

use crate::kubernetes::object::Deployment;
use crate::text::{clip, quote, words};
use crate::workload::health::rollout::{Progress, WaitsFor};
use std::time::Duration;

/// How much of a cause is what is wrong with the pods; the rest is for how far the rollout came.
pub const TOLD_LIMIT: usize = 440;

/// How much of somebody else's text goes into a cause, which must leave room for how far the
/// rollout had come.
pub const CAUSE_QUOTE_LIMIT: usize = 380;

/// The pods that a rollback waits for.
pub const PREVIOUS: &str = "previous";

/// The cause of a failure that Kubernetes itself declared. `which` pods: `new` or `previous`.
pub fn deadline_exceeded(live: &Deployment, progress: &Progress, which: &str) -> String {
    let seconds = live.progress_deadline_seconds().max(0).unsigned_abs();
    format!(
        "Kubernetes saw no progress for {} (progressDeadlineSeconds), with {}",
        words(Duration::from_secs(seconds)),
        pods_state(progress, which)
    )
}

/// The cause of a failure by our own clock. `which` pods: `new` or `previous`.
pub fn timed_out(timeout: Duration, progress: &Progress, which: &str) -> String {
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
        WaitsFor::Observation => "and",
        WaitsFor::NewPods
        | WaitsFor::OldPods(_)
        | WaitsFor::EndingPods(_)
        | WaitsFor::SecondLook
        | WaitsFor::Availability => "with",
    };
    format!(
        "the rollout was not done within {} (timeout), {joint} {}",
        words(timeout),
        pods_state(progress, which)
    )
}

/// The cause where Kubernetes may not even create the new version's ReplicaSet.
pub fn no_replica_set(refused: &str) -> String {
    format!(
        "no new pod can be created, as its ReplicaSet is refused: {}",
        clip(&quote(refused), CAUSE_QUOTE_LIMIT)
    )
}

/// The cause where the new version fails its smoke test.
pub fn smoke_failed(path: &str, tries: u32, why: &str) -> String {
    let why = clip(why, CAUSE_QUOTE_LIMIT);
    format!("its smoke test, GET {path}, failed {tries} times, the last time so: {why}")
}

/// The cause where pods are ready and no traffic goes to them.
pub fn endpoints_missing(service: &str, deployment: &str) -> String {
    format!(
        "the endpoints of Service `{service}` never became the ready pods of `{deployment}` and \
         no others"
    )
}

/// The cause where somebody else has changed a Service's selector.
pub fn selector_changed(service: &str) -> String {
    format!("the selector of Service `{service}` was changed by someone else meanwhile")
}

/// The cause where somebody has scaled the new version to zero.
pub fn scaled_away(deployment: &str) -> String {
    format!("`{deployment}` was scaled to zero by someone else")
}

/// The cause where somebody has deleted a Service in the middle.
pub fn service_deleted(service: &str) -> String {
    format!("Service `{service}` was deleted by someone else in the middle of the deploy")
}

/// The cause where the time was over before the switch.
pub fn switch_timed_out(timeout: Duration, service: &str) -> String {
    format!(
        "Service `{service}` could not be switched within {} (timeout)",
        words(timeout)
    )
}

/// The cause: what is wrong with the pods, then what has run out. One of them is there.
pub fn cause(told: Option<String>, stopped: Option<String>) -> String {
    let told = told.map(|told| clip(&told, TOLD_LIMIT));
    told.into_iter()
        .chain(stopped)
        .collect::<Vec<_>>()
        .join("; ")
}

/// How far a rollout is, of the pods that are `which`: new, or [`PREVIOUS`].
pub fn pods_state(progress: &Progress, which: &str) -> String {
    let Progress {
        available, wanted, ..
    } = progress;
    let count = format!(
        "{available} of {wanted} {which} {} available",
        pods(*wanted)
    );
    let state = match progress.waits_for {
        WaitsFor::Observation => "Kubernetes has not taken up the change yet".to_owned(),
        WaitsFor::Resumption => format!("{count}; the Deployment was paused"),
        WaitsFor::OldPods(left) if which == PREVIOUS => {
            format!("{count}; {left} failed {} left", pods(left))
        }
        WaitsFor::OldPods(left) => format!("{count}; {left} old {} left", pods(left)),
        WaitsFor::EndingPods(left) => format!(
            "{count}; {left} old {} still ending, and no new one starts before (Recreate)",
            if left == 1 { "pod is" } else { "pods are" }
        ),
        WaitsFor::SecondLook => format!(
            "{count}; looked at once more in some seconds, as nothing probes whether they serve"
        ),
        WaitsFor::NewPods | WaitsFor::Availability => count,
    };
    match &progress.obstacle {
        Some(obstacle) => format!("{state}; {}", quote(obstacle)),
        None => state,
    }
}

/// The noun for so many pods.
pub fn pods(count: i64) -> &'static str {
    if count == 1 { "pod" } else { "pods" }
}
