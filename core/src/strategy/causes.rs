//! Why a rollout or a switch fails, as facts: the report makes sentences of them.

use crate::change::asked::Lost;
use crate::problem::Fault;
use crate::state::continuation::{Reason, RecordedFailure};
use crate::workload::health::diagnosis::{Cause, Evidence};
use crate::workload::health::rollout::Progress;
use std::time::Duration;

/// What a server says that cannot make of a request what it asks for.
const UNPROCESSABLE: u16 = 422;

/// Why the new version of a Deployment failed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RolloutFailure {
    /// What happened.
    pub cause: RolloutCause,
    /// The cause that the pods show, where one is known.
    pub kind: Option<Cause>,
    /// What was seen of it.
    pub evidence: Evidence,
    /// What failed, where the pods are not to blame.
    pub reason: Option<Reason>,
}

impl RolloutFailure {
    /// A failure that is no fault of the pods.
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
        }
    }
}

impl From<RecordedFailure> for Box<RolloutFailure> {
    fn from(recorded: RecordedFailure) -> Box<RolloutFailure> {
        Box::new(recorded.into())
    }
}

/// What happened to a rollout or a switch that failed.
#[derive(Clone, Debug, PartialEq)]
pub enum RolloutCause {
    /// The words that an earlier invocation has kept in the cluster or in the continuation.
    Recorded(String),
    /// The pods do not come up. At least one of both is known.
    Pods {
        /// What is wrong with them.
        told: Option<String>,
        /// What has run out.
        stopped: Option<Stop>,
    },
    /// The API server stored another template than was asked for.
    OtherTemplate(Lost),
    /// The smoke test failed.
    Smoke {
        /// The path that was asked.
        path: String,
        /// How often.
        tries: u32,
        /// The last error.
        last: String,
    },
    /// Pods are ready and no traffic goes to them, or to others as well.
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
    /// The Service would also send to a pod that is not the candidate's.
    ForeignPod {
        /// The Service.
        service: String,
        /// The pod.
        pod: String,
        /// The candidate.
        deployment: String,
    },
    /// Somebody changed the selector of this Service.
    SelectorChanged(String),
    /// Somebody deleted this Service.
    ServiceDeleted(String),
    /// Somebody changed this Deployment.
    DeploymentChanged(String),
    /// Somebody deleted this Deployment.
    DeploymentDeleted(String),
    /// Somebody scaled this Deployment to zero.
    ScaledToZero(String),
    /// Somebody holds a Deployment at another scale.
    ScaleHeld {
        /// The Deployment.
        deployment: String,
        /// How many replicas it has.
        replicas: i64,
        /// How many it is to have.
        wanted: i64,
    },
    /// What the request asks for does not fit the cluster any more.
    Unfit(Fault),
}

/// What ended a rollout that was not done.
#[derive(Clone, Debug, PartialEq)]
pub enum Stop {
    /// Kubernetes declared that it makes no progress.
    DeadlineExceeded {
        /// For how long there was none.
        deadline: Duration,
        /// How far it was.
        progress: Progress,
    },
    /// Its time was over by our own clock.
    TimedOut {
        /// How long it was allowed to take.
        timeout: Duration,
        /// How far it was.
        progress: Progress,
    },
    /// Kubernetes may not even create a ReplicaSet, and says why.
    NoReplicaSet(String),
}

impl Default for RolloutCause {
    fn default() -> RolloutCause {
        RolloutCause::Recorded(String::new())
    }
}

impl RolloutCause {
    /// What failed, where the pods are not to blame.
    fn reason(&self) -> Option<Reason> {
        Some(match self {
            RolloutCause::Recorded(_) | RolloutCause::Pods { .. } => return None,
            RolloutCause::OtherTemplate(_) => Reason::Refused(UNPROCESSABLE),
            RolloutCause::Smoke { .. } => Reason::Smoke,
            RolloutCause::Endpoints { .. } => Reason::Endpoints,
            RolloutCause::SwitchTimedOut { .. } => Reason::Time,
            RolloutCause::SelectorChanged(_) => Reason::Selector,
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
