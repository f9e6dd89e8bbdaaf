//! Why a rollout or a switch failed, as facts; the report turns them into sentences.

use crate::alarm::Judgement;
use crate::change::asked::Lost;
use crate::change::editor::Editor;
use crate::kubernetes::route::{ParentRefusal, RouteReference, WeightChange};
use crate::kubernetes::service::Detour;
use crate::problem::Fault;
use crate::state::continuation::{Reason, RecordedFailure};
use crate::workload::health::diagnosis::{Cause, Evidence};
use crate::workload::health::job::JobFailure;
use crate::workload::health::rollout::Progress;
use crate::workload::health::rollout::serving::Serving;
use std::collections::BTreeMap;
use std::time::Duration;

/// The status with which a server refuses an invalid request.
const UNPROCESSABLE: u16 = 422;

/// Why the new version of a workload failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RolloutFailure {
    /// What happened.
    pub cause: RolloutCause,
    /// The cause that the pods show, if known.
    pub kind: Option<Cause>,
    /// The evidence.
    pub evidence: Evidence,
    /// What failed, if the pods are not the cause.
    pub reason: Option<Reason>,
    /// Where the traffic went when a switch ended, as it was read.
    pub traffic: Option<TrafficState>,
}

impl RolloutFailure {
    /// Builds a failure that the pods did not cause.
    pub fn of(cause: RolloutCause) -> RolloutFailure {
        RolloutFailure {
            reason: cause.reason(),
            cause,
            ..RolloutFailure::default()
        }
    }
}

impl From<RecordedFailure> for RolloutFailure {
    fn from(recorded: RecordedFailure) -> RolloutFailure {
        RolloutFailure {
            cause: RolloutCause::Recorded(recorded.cause),
            kind: recorded.kind,
            evidence: recorded.evidence,
            reason: recorded.reason,
            traffic: None,
        }
    }
}

impl From<RecordedFailure> for Box<RolloutFailure> {
    fn from(recorded: RecordedFailure) -> Box<RolloutFailure> {
        Box::new(recorded.into())
    }
}

/// Why a rollout or a switch failed.
#[derive(Clone, Debug, PartialEq)]
pub enum RolloutCause {
    /// The words that an earlier invocation stored in the cluster or in the continuation.
    Recorded(String),
    /// The pods do not become ready. At least one of the two fields is set.
    Pods {
        /// The problem of the pods.
        told: Option<String>,
        /// What stopped the rollout.
        stopped: Option<Stop>,
    },
    /// The API server stored another template than the requested one.
    OtherTemplate(Lost),
    /// The smoke test failed.
    Smoke {
        /// The path of the request.
        path: String,
        /// The number of attempts.
        tries: u32,
        /// The last error.
        last: String,
    },
    /// Pods are ready, but the Service does not route to them, or also routes to others.
    Endpoints {
        /// The Service.
        service: String,
        /// The Deployment of the pods.
        deployment: String,
    },
    /// The Service could not be switched before the deadline.
    SwitchTimedOut {
        /// How long the deploy was allowed to take.
        timeout: Duration,
        /// The Service.
        service: String,
    },
    /// The Service would also route to a pod that is not the candidate's.
    ForeignPod {
        /// The Service.
        service: String,
        /// The pod.
        pod: String,
        /// The candidate.
        deployment: String,
    },
    /// Someone changed the selector of this Service.
    SelectorChanged(String),
    /// Someone deleted this Service.
    ServiceDeleted(String),
    /// Someone changed this Deployment.
    DeploymentChanged(String),
    /// Someone deleted this Deployment.
    DeploymentDeleted(String),
    /// Someone scaled this Deployment to zero.
    ScaledToZero(String),
    /// Someone keeps a Deployment at another replica count.
    ScaleHeld {
        /// The Deployment.
        deployment: String,
        /// The current replica count.
        replicas: i64,
        /// The wanted replica count.
        wanted: i64,
    },
    /// Its alarms speak against the new version, or cannot be read.
    Alarms(Judgement),
    /// The request does not fit the cluster any more.
    Unfit(Fault),
    /// A canary cannot move traffic by its route any more.
    Route {
        /// The route.
        route: RouteReference,
        /// What is wrong with it.
        problem: RouteProblem,
    },
    /// A canary failed when its candidate had a share of the traffic.
    AtShare {
        /// The share in percent.
        percent: u8,
        /// Why it failed.
        cause: Box<RolloutCause>,
    },
    /// The version is one that another execution left in its bake.
    OfAnother {
        /// The execution.
        execution: String,
        /// Why it failed.
        cause: Box<RolloutCause>,
    },
}

/// What stopped an incomplete rollout.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// Kubernetes reported that the rollout makes no progress.
    DeadlineExceeded {
        /// The progress deadline.
        deadline: Duration,
        /// The progress until then.
        progress: Progress,
    },
    /// The time limit expired by our own clock.
    TimedOut {
        /// The time limit.
        timeout: Duration,
        /// The progress until then.
        progress: Progress,
    },
    /// Kubernetes may not create the ReplicaSet, for this reason.
    NoReplicaSet(String),
    /// No node matches a DaemonSet that had pods before.
    NoNode(Progress),
    /// Kubernetes has given the Job up.
    JobFailed(JobFailure),
    /// The same, and has deleted it before the logs of its pods were read.
    JobGone(JobFailure),
}

impl Default for RolloutCause {
    fn default() -> RolloutCause {
        RolloutCause::Recorded(String::new())
    }
}

impl RolloutCause {
    /// What failed, if the pods are not the cause.
    fn reason(&self) -> Option<Reason> {
        Some(match self {
            RolloutCause::Recorded(_) | RolloutCause::Pods { .. } => return None,
            RolloutCause::OtherTemplate(_) => Reason::Refused(UNPROCESSABLE),
            RolloutCause::Smoke { .. } => Reason::Smoke,
            RolloutCause::Endpoints { .. } => Reason::Endpoints,
            RolloutCause::SwitchTimedOut { .. } => Reason::Time,
            RolloutCause::Alarms(Judgement::Rang(_)) => Reason::Alarm,
            RolloutCause::Alarms(Judgement::Unreadable(..)) => Reason::AlarmsUnreadable,
            RolloutCause::SelectorChanged(_) => Reason::Selector,
            RolloutCause::AtShare { cause, .. } | RolloutCause::OfAnother { cause, .. } => {
                return cause.reason();
            }
            RolloutCause::Route {
                problem: RouteProblem::Deleted | RouteProblem::Changed { .. },
                ..
            } => Reason::Changed,
            RolloutCause::Route { .. } => Reason::Route,
            RolloutCause::ForeignPod { .. }
            | RolloutCause::ServiceDeleted(_)
            | RolloutCause::DeploymentChanged(_)
            | RolloutCause::DeploymentDeleted(_)
            | RolloutCause::ScaledToZero(_)
            | RolloutCause::ScaleHeld { .. }
            | RolloutCause::Unfit(_) => Reason::Changed,
        })
    }
}

/// What goes wrong with a route while a canary moves traffic by it.
#[derive(Clone, Debug, PartialEq)]
pub enum RouteProblem {
    /// Someone deleted it.
    Deleted,
    /// Someone changed its weights.
    Changed {
        /// What they are now, and what they should be.
        change: WeightChange,
        /// Who did it, where the server notes that.
        editor: Option<Editor>,
    },
    /// A controller refuses the weights.
    Refused(ParentRefusal),
    /// These parents did not take notice of the weights.
    NotAccepted {
        /// The parents.
        parents: Vec<String>,
        /// How long that was waited for.
        waited: Duration,
    },
    /// The controller could not bring the weights into force.
    NotInForce {
        /// The reason of its event.
        reason: String,
        /// Its message.
        message: String,
    },
}

/// What is there when a switch ends otherwise than it should, as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct TrafficState {
    /// The Service.
    pub service: String,
    /// Whether there is one.
    pub is_there: bool,
    /// Why it does not send to the pods that a selector finds.
    pub detour: Option<Detour>,
    /// The Deployments that it sends to, each with the number of pods; what belongs to none is
    /// named itself.
    pub sends: BTreeMap<String, usize>,
    /// The Deployments of the family that are scaled up, and how far.
    pub up: BTreeMap<String, i64>,
    /// The Deployment that this deploy made, as long as it is there.
    pub version: Option<String>,
}

impl TrafficState {
    /// Whether pods of more than one version get traffic.
    pub fn is_mixed(&self) -> bool {
        self.sends.len() > 1
    }

    /// The pods that get traffic. One at least is wanted: a switch begins with a Service that sends
    /// to pods.
    pub fn serving(&self) -> Serving {
        let available = self.sends.values().sum::<usize>();
        Serving {
            available: i64::try_from(available).unwrap_or(i64::MAX),
            wanted: match self.detour {
                // Where its name leads to is none of its pods' concern.
                Some(Detour::ExternalName(_)) => 0,
                Some(Detour::NoSelector) | None => self.up.values().sum::<i64>().max(1),
            },
        }
    }
}
