//! Is the rollout done? A verdict from the Deployment, its newest ReplicaSet and what we wrote.
//!
//! The order of the checks is the specification. It follows `kubectl rollout status` with three
//! differences: nothing older than our own write counts, a deadline that was exceeded before our
//! write is not ours, and the newest ReplicaSet itself must hold the pods.
//! <https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go>

pub mod serving;

use crate::kubernetes::object::{self, Deployment, ReplicaSet, timestamp};
use jiff::{SignedDuration, Timestamp};

/// How far the server's clock may run behind ours when times of the two are compared.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(5);

/// What we remember of a write, to tell its rollout from any other.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct WriteReceipt {
    /// The object that we wrote to; another uid is another object.
    pub uid: String,
    /// The generation that the write returned: a status older than it is evidence of nothing.
    pub generation: i64,
    /// The digest of the pod template that the write returned.
    pub template: String,
    /// When we wrote, by our clock.
    pub at: Timestamp,
    /// The `lastUpdateTime` of a ProgressDeadlineExceeded that was there before the write. The
    /// controller leaves it when a template comes back that has a ReplicaSet already.
    /// <https://github.com/kubernetes/kubernetes/issues/49637>
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_deadline: Option<String>,
}

impl WriteReceipt {
    /// Remembers a write by the object that it returned and the one that was there before.
    pub fn new(before: Option<&Deployment>, after: &Deployment, at: Timestamp) -> WriteReceipt {
        WriteReceipt {
            uid: after.uid().to_owned(),
            generation: after.generation(),
            template: after.template_digest(),
            at,
            stale_deadline: before.and_then(exceeded_at).map(str::to_owned),
        }
    }

    /// Takes up a version that was written at `at`, by us in a lost invocation or by others.
    pub fn adopted(found: &Deployment, at: Timestamp) -> WriteReceipt {
        let stale = exceeded_at(found)
            .filter(|time| timestamp(time).is_some_and(|time| time + CLOCK_SKEW < at));
        WriteReceipt {
            uid: found.uid().to_owned(),
            generation: found.generation(),
            template: found.template_digest(),
            at,
            stale_deadline: stale.map(str::to_owned),
        }
    }
}

/// Where a rollout stands.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// It goes on.
    Progressing(Progress),
    /// Every pod is of the new version and available, by the Deployment's own counters.
    Complete,
    /// Kubernetes itself has given it up.
    Failed(Progress),
}

/// How far a rollout is.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What it waits for.
    pub waits_for: WaitsFor,
    /// New pods that are available.
    pub available: i64,
    /// Pods wanted.
    pub wanted: i64,
    /// What stands in the way, in Kubernetes' words (quota, an admission webhook…).
    pub obstacle: Option<String>,
}

/// What a rollout waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WaitsFor {
    /// The controller has not seen our write yet.
    Observation,
    /// The Deployment is paused, so nothing moves.
    Resumption,
    /// New pods are to be created.
    NewPods,
    /// Old pods are to end; so many are left.
    OldPods(i64),
    /// Pods that were told to end are still ending, and no new one is created before
    /// (`Recreate`); so many.
    EndingPods(i64),
    /// New pods are to become available.
    Availability,
    /// They are, and nothing probes them: they are to be seen a second time.
    SecondLook,
}

/// The verdict of the Deployment alone. Where it says [`Verdict::Complete`],
/// [`holds_the_pods`] must say so too.
pub fn verdict(deployment: &Deployment, written: &WriteReceipt, now: Timestamp) -> Verdict {
    let wanted = deployment.replicas();
    let updated = deployment.updated_replicas();
    let total = deployment.total_replicas();
    let available = deployment.available_replicas();
    let old = (total - updated).max(0);
    let progress = |waits_for| Progress {
        waits_for,
        available: (available - old).clamp(0, wanted.max(0)),
        wanted,
        obstacle: obstacle(deployment),
    };
    let required = written.generation.max(deployment.generation());
    if deployment.observed_generation() < required {
        // A controller that may not create the ReplicaSet leaves the generation behind, too, and
        // says why in a condition: https://github.com/kubernetes/kubernetes/issues/36117
        return Verdict::Progressing(Progress {
            available: 0,
            obstacle: creation_refused(deployment),
            ..progress(WaitsFor::Observation)
        });
    }
    let ending = deployment.terminating_replicas().unwrap_or(0);
    let waits_for = if total == 0 && wanted > 0 && ending > 0 {
        Some(WaitsFor::EndingPods(ending))
    } else if updated < wanted {
        Some(WaitsFor::NewPods)
    } else if total > updated {
        Some(WaitsFor::OldPods(old))
    } else if available < wanted {
        Some(WaitsFor::Availability)
    } else {
        None
    };
    match waits_for {
        // The counters are fresher than the condition: a rollout that got there in the end did.
        None => Verdict::Complete,
        Some(waits_for) if deadline_exceeded(deployment, written, now) => {
            Verdict::Failed(progress(waits_for))
        }
        Some(_) if deployment.is_paused() => Verdict::Progressing(progress(WaitsFor::Resumption)),
        Some(waits_for) => Verdict::Progressing(progress(waits_for)),
    }
}

/// Whether the newest ReplicaSet is of the Deployment's revision and has every pod available.
/// A Deployment none of whose ReplicaSets is to be seen is taken at its own word.
pub fn holds_the_pods(deployment: &Deployment, sets: &[ReplicaSet]) -> bool {
    object::newest(deployment, sets).is_none_or(|set| {
        set.available >= deployment.replicas()
            && deployment
                .revision()
                .is_none_or(|revision| revision == set.revision)
    })
}

/// The time of a ProgressDeadlineExceeded, as the server spells it. The reason is what counts, as
/// for kubectl, not the condition's status.
fn exceeded_at(deployment: &Deployment) -> Option<&str> {
    let condition = deployment.condition("Progressing")?;
    (condition.reason == "ProgressDeadlineExceeded").then_some(condition.last_update_time)
}

/// Whether Kubernetes gave up the rollout *of our write*. A condition that was there before counts
/// once our own wait has been as long as the deadline: where an old template came back and its pods
/// do not progress, the controller never writes it anew.
fn deadline_exceeded(deployment: &Deployment, written: &WriteReceipt, now: Timestamp) -> bool {
    let Some(time) = exceeded_at(deployment) else {
        return false;
    };
    let deadline = SignedDuration::from_secs(deployment.progress_deadline_seconds());
    written.stale_deadline.as_deref() != Some(time) || now.duration_since(written.at) >= deadline
}

/// Why Kubernetes cannot create pods, in its own words.
fn obstacle(deployment: &Deployment) -> Option<String> {
    let failure = deployment
        .condition("ReplicaFailure")
        .filter(|condition| condition.status == "True");
    let failure = failure.map(|failure| failure.message.to_owned());
    failure.or_else(|| creation_refused(deployment))
}

/// Why the controller cannot create the new ReplicaSet.
fn creation_refused(deployment: &Deployment) -> Option<String> {
    let creation = deployment.condition("Progressing")?;
    let refused = creation.reason == "ReplicaSetCreateError";
    refused.then(|| creation.message.to_owned())
}

#[cfg(test)]
mod tests;
