//! Whether the rollout is done: a verdict from the Deployment, its newest ReplicaSet and our write.
//!
//! The order of the checks is the specification. It follows `kubectl rollout status` with three
//! differences: nothing older than our own write counts; a deadline that was exceeded before our
//! write is ignored; and the newest ReplicaSet itself must have the pods.
//! <https://github.com/kubernetes/kubectl/blob/master/pkg/polymorphichelpers/rollout_status.go>

pub mod serving;

use crate::kubernetes::object::{self, Deployment, ReplicaSet, timestamp};
use jiff::{SignedDuration, Timestamp};

/// How far the server's clock may be behind ours when timestamps are compared.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(5);

/// The facts about a write that identify its rollout.
#[derive(Clone, Debug, PartialEq, serde::Deserialize, serde::Serialize)]
pub struct WriteReceipt {
    /// The uid of the written object; another uid is another object.
    pub uid: String,
    /// The generation that the write returned: an older status proves nothing.
    pub generation: i64,
    /// The digest of the pod template that the write returned.
    pub template: String,
    /// When we wrote, by our clock.
    pub at: Timestamp,
    /// The `lastUpdateTime` of a ProgressDeadlineExceeded from before the write. The controller
    /// keeps it if a template returns that already has a ReplicaSet.
    /// <https://github.com/kubernetes/kubernetes/issues/49637>
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stale_deadline: Option<String>,
}

impl WriteReceipt {
    /// Records a write from the object before it and the object that it returned.
    pub fn new(before: Option<&Deployment>, after: &Deployment, at: Timestamp) -> WriteReceipt {
        WriteReceipt {
            uid: after.uid().to_owned(),
            generation: after.generation(),
            template: after.template_digest(),
            at,
            stale_deadline: before.and_then(exceeded_at).map(str::to_owned),
        }
    }

    /// Adopts a version that was written at `at`, by us in a lost invocation or by others.
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

/// The state of a rollout.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The rollout is in progress.
    Progressing(Progress),
    /// Every pod has the new version and is available, by the Deployment's own counters.
    Complete,
    /// Kubernetes itself has failed the rollout.
    Failed(Progress),
}

/// The progress of a rollout.
#[derive(Clone, Debug, PartialEq)]
pub struct Progress {
    /// What the rollout waits for.
    pub waits_for: WaitsFor,
    /// The number of available new pods.
    pub available: i64,
    /// The number of wanted pods.
    pub wanted: i64,
    /// What blocks the rollout, in Kubernetes' words (quota, an admission webhook, …).
    pub obstacle: Option<String>,
}

/// What a rollout waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WaitsFor {
    /// The controller must process our write.
    Observation,
    /// The Deployment is paused.
    Resumption,
    /// New pods must be created.
    NewPods,
    /// This many old pods must end.
    OldPods(i64),
    /// This many pods are terminating, and no new one is created before they end (`Recreate`).
    EndingPods(i64),
    /// New pods must become available.
    Availability,
    /// The pods are available but have no probe: they must be checked a second time.
    SecondLook,
}

/// The verdict from the Deployment alone. For [`Verdict::Complete`], [`holds_the_pods`] must agree.
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
        // A controller that may not create the ReplicaSet also leaves the generation behind, and
        // sets a condition with the reason: https://github.com/kubernetes/kubernetes/issues/36117
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
        // The counters are newer than the condition: a rollout that finished late still finished.
        None => Verdict::Complete,
        Some(waits_for) if deadline_exceeded(deployment, written, now) => {
            Verdict::Failed(progress(waits_for))
        }
        Some(_) if deployment.is_paused() => Verdict::Progressing(progress(WaitsFor::Resumption)),
        Some(waits_for) => Verdict::Progressing(progress(waits_for)),
    }
}

/// Whether the newest ReplicaSet has the Deployment's revision and all pods are available. If no
/// ReplicaSet is visible, the Deployment's own counters decide.
pub fn holds_the_pods(deployment: &Deployment, sets: &[ReplicaSet]) -> bool {
    object::newest(deployment, sets).is_none_or(|set| {
        set.available >= deployment.replicas()
            && deployment
                .revision()
                .is_none_or(|revision| revision == set.revision)
    })
}

/// The time of a ProgressDeadlineExceeded, in the server's format. Like in kubectl, the reason
/// decides, not the condition's status.
fn exceeded_at(deployment: &Deployment) -> Option<&str> {
    let condition = deployment.condition("Progressing")?;
    (condition.reason == "ProgressDeadlineExceeded").then_some(condition.last_update_time)
}

/// Whether Kubernetes failed the rollout *of our write*. An older condition counts once our own
/// wait has been as long as the deadline: if an old template returns and its pods do not progress,
/// the controller never writes the condition again.
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
