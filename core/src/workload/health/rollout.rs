//! The state of a rollout, for every kind, and the facts about the write that started it.

pub mod serving;

use crate::kubernetes::object::timestamp;
use crate::workload::{Kind, Workload};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;
use std::time::Duration;

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
    /// By which its versions are found when it is gone; empty where it is too long to be kept.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub selector: String,
    /// How many pods were wanted then, where that was known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wanted: Option<i64>,
    /// How many pods a DaemonSet at least had before a write that chose its nodes anew; else 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub had: i64,
    /// When it was seen first that it is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gone: Option<Timestamp>,
}

fn is_zero(number: &i64) -> bool {
    *number == 0
}

/// The longest selector that is kept: the continuation has room for little.
const SELECTOR_LIMIT: usize = 200;

/// The selector of a workload, if it is short enough.
fn kept_selector(live: &Workload) -> String {
    Some(live.selector())
        .filter(|selector| selector.len() <= SELECTOR_LIMIT)
        .unwrap_or_default()
}

/// What decides on which nodes a DaemonSet has pods.
const PLACEMENT: [&str; 4] = ["nodeSelector", "affinity", "tolerations", "nodeName"];

/// How many pods are wanted of a written version. Of a DaemonSet its controller says so later: what
/// it said before is true only where it had seen that object, and the write chooses the same nodes.
fn wanted(before: Option<&Workload>, after: &Workload) -> Option<i64> {
    if after.kind() != Kind::DaemonSet {
        return Some(after.replicas());
    }
    let told = before.filter(|it| it.observed_generation() >= it.generation().max(1));
    told.filter(|before| choose_alike(before.template(), after.template()))
        .map(Workload::replicas)
}

/// Whether two pod templates of a DaemonSet ask for the same nodes.
pub fn choose_alike(one: &Value, other: &Value) -> bool {
    let place = |template: &Value| PLACEMENT.map(|field| template["spec"][field].clone());
    place(one) == place(other)
}

impl WriteReceipt {
    /// Records a write from the object before it and the object that it returned.
    pub fn new(before: Option<&Workload>, after: &Workload, at: Timestamp) -> WriteReceipt {
        let wanted = wanted(before, after);
        let chose_anew = wanted.is_none();
        WriteReceipt {
            uid: after.uid().to_owned(),
            generation: after.generation(),
            template: after.template_digest(),
            at,
            stale_deadline: before.and_then(exceeded_at).map(str::to_owned),
            selector: kept_selector(after),
            wanted,
            had: before.filter(|_| chose_anew).map_or(0, Workload::replicas),
            gone: None,
        }
    }

    /// Adopts a version that was written at `at`, by us in a lost invocation or by others.
    pub fn adopted(found: &Workload, at: Timestamp) -> WriteReceipt {
        let stale = exceeded_at(found)
            .filter(|time| timestamp(time).is_some_and(|time| time + CLOCK_SKEW < at));
        WriteReceipt {
            uid: found.uid().to_owned(),
            generation: found.generation(),
            template: found.template_digest(),
            at,
            stale_deadline: stale.map(str::to_owned),
            selector: kept_selector(found),
            wanted: wanted(Some(found), found),
            had: 0,
            gone: None,
        }
    }

    /// The same of a workload before which a version with pods is known to have been.
    pub fn after_pods(self, live: &Workload) -> WriteReceipt {
        match (live.kind(), self.wanted) {
            (Kind::DaemonSet, None | Some(0)) => WriteReceipt {
                wanted: None,
                had: self.had.max(1),
                ..self
            },
            (Kind::Deployment | Kind::StatefulSet | Kind::DaemonSet | Kind::Job, _) => self,
        }
    }

    /// Whether a DaemonSet had pods and wants none since the write chose its nodes anew. Where it
    /// chose them as before, the nodes have left, and the version is not at fault.
    pub fn matches_no_node(&self, live: &Workload) -> bool {
        self.had > 0 && live.replicas() == 0 && self.is_observed(live)
    }
}

/// The state of a rollout.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The rollout is in progress.
    Progressing(Progress),
    /// Every pod has the new version and is available, by the workload's own counters.
    Complete,
    /// Kubernetes itself has failed the rollout.
    Failed(Progress),
}

/// The state of a workload whose pods get a new version when somebody deletes them: all pods must
/// be there, and those that have the new version must be available. Its counters do not tell
/// whether a pod that is not available is one of them: the pods do.
pub(super) fn on_delete(live: &Workload, wanted: i64) -> Verdict {
    let progress = |waits_for| Progress::counted(live, wanted, waits_for);
    if live.total_replicas() < wanted {
        Verdict::Progressing(progress(WaitsFor::NewPods))
    } else if live.updated_replicas() > 0 && live.available_replicas() < wanted {
        Verdict::Progressing(progress(WaitsFor::Availability))
    } else {
        Verdict::Complete
    }
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
    /// What holds the rollout up.
    pub obstacle: Option<Obstacle>,
}

/// What holds a rollout up.
#[derive(Clone, Debug, PartialEq)]
pub enum Obstacle {
    /// In Kubernetes' words (quota, an admission webhook, …), or what its pods show.
    Told(String),
    /// So many pods are ready, and count as available only after so long: `minReadySeconds`.
    Settling(i64, Duration),
}

impl Obstacle {
    fn settling(live: &Workload) -> Option<Obstacle> {
        let pods = live.ready_replicas() - live.available_replicas();
        let after = u64::try_from(live.min_ready_seconds()).unwrap_or_default();
        let is_settling = pods > 0 && after > 0;
        is_settling.then(|| Obstacle::Settling(pods, Duration::from_secs(after)))
    }
}

impl Progress {
    /// The progress by the workload's own counters. As many available pods as there are old ones
    /// may be these.
    pub(super) fn counted(live: &Workload, wanted: i64, waits_for: WaitsFor) -> Progress {
        let old = (live.total_replicas() - live.updated_replicas()).max(0);
        Progress {
            waits_for,
            available: (live.available_replicas() - old).clamp(0, wanted.max(0)),
            wanted,
            obstacle: Obstacle::settling(live),
        }
    }

    /// The controller has not seen the change: the counters are those of another version.
    pub(super) fn unobserved(wanted: i64, obstacle: Option<String>) -> Progress {
        Progress {
            waits_for: WaitsFor::Observation,
            available: 0,
            wanted,
            obstacle: obstacle.map(Obstacle::Told),
        }
    }
}

impl WriteReceipt {
    /// Whether the status is that of the write, and of the newest change.
    pub(super) fn is_observed(&self, live: &Workload) -> bool {
        live.observed_generation() >= self.generation.max(live.generation())
    }
}

/// What a rollout waits for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum WaitsFor {
    /// The controller must process our write.
    Observation,
    /// The workload is paused.
    Resumption,
    /// New pods must be created.
    NewPods,
    /// This many old pods must end.
    OldPods(i64),
    /// This many pods are terminating, and no new one is created before they end (`Recreate`).
    EndingPods(i64),
    /// A node must match the DaemonSet, which had pods before.
    Nodes,
    /// New pods must become available.
    Availability,
    /// The pods are available but have no probe: they must be checked a second time.
    SecondLook,
    /// The pods of a Job must run to their end.
    Completion {
        /// How many run.
        active: i64,
        /// How many have failed so far.
        failed: i64,
    },
    /// A Job is suspended.
    Unsuspension,
    /// A Job waits for the controller that runs it in place of Kubernetes' own.
    Manager,
    /// A Job may have no pod at a time.
    Parallelism,
}

impl WaitsFor {
    /// Whether somebody has stopped it: nothing happens until it is let go on.
    pub fn is_stopped(self) -> bool {
        matches!(
            self,
            WaitsFor::Resumption
                | WaitsFor::Unsuspension
                | WaitsFor::Manager
                | WaitsFor::Parallelism
        )
    }
}

/// The time of a ProgressDeadlineExceeded, in the server's format. Like in kubectl, the reason
/// decides, not the condition's status.
pub(super) fn exceeded_at(live: &Workload) -> Option<&str> {
    let condition = live.condition("Progressing")?;
    (condition.reason == "ProgressDeadlineExceeded").then_some(condition.last_update_time)
}
