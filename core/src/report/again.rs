//! What to do about a cause, and how the deploy is tried again: "retry the stage" where the same
//! version can serve then, "release the change again" where it takes another one.

use crate::outcome::FailureCode;
use crate::workload::health::diagnosis::Cause;

/// The one thing that needs no more than the cause's own section.
const NEW_VERSION: &str = "Correct the cause and release the change again.";

/// What mends it where it may be the version itself or what is around it.
const EITHER: &str = "If the version itself is at fault, correct it and release the change \
    again; otherwise fix the cause in the cluster and retry the stage.";

/// The same for an object of a release.
const EITHER_OBJECT: &str = "If the manifests are at fault, correct them and release the change \
    again; otherwise fix the cause in the cluster and retry the stage.";

/// The same where there was no time left.
const TIMED_OUT: &str = "If it was only slow, retry the stage or set a longer `timeout`; if the \
    manifests are at fault, correct them and release the change again.";

const ROUTE: &str = "Correct the route, or what its controller needs, then retry the stage.";

const TOKEN_REFUSED: &str = "Store a valid token in the SSM parameter that K8S_TOKEN_PARAMETER \
    names, then retry the stage.";

const EITHER_ALARM: &str = "If the version itself is at fault, correct it and release the change \
    again; if something else made the alarm ring, retry the stage when it is silent.";

const ALARMS_UNREADABLE: &str = "Restore what CloudWatch needs (the alarm itself, or the \
    permission `cloudwatch:DescribeAlarms`), then retry the stage.";

const ROLE_REFUSED: &str = "Let the role into the cluster again by its access entry, then retry \
    the stage.";

const BEING_DELETED: &str = "Wait until the namespace is gone and create it again, then retry \
    the stage.";

const GROUP_MISSING: &str = "Give the access entry of the role the group `landfall`, or this \
    group the permission that is missing, then retry the stage.";

const TOKEN_LOST: &str = "Set K8S_CLUSTER to the API server itself, so that nothing on the way \
    removes the token, then retry the stage.";

const JOB: &str = "Correct the Job and release the change again, or what it works on and retry \
    the stage.";

const RECORD: &str = "Give the release another name, or remove the Secret if nothing else needs \
    it, then retry the stage.";

const CONFLICT: &str = "Leave these fields out of the manifests, or take them over with \
    `\"force\": true`; then release the change again.";

const IMMUTABLE: &str = "Take the change of these fields back, or let the object be deleted and \
    made anew by the annotation `landfall/recreate: \"yes\"`; then release the change again.";

const FOREIGN: &str = "Leave the object out of the manifests, or take it over with \
    `\"force\": true`; then release the change again.";

const POD_KEPT: &str =
    "See why the controller that set the finalizer has not removed it, then retry the stage.";

const NO_NODE: &str = "Give nodes the labels that it asks for and retry the stage, or correct its \
    nodeSelector, affinity and tolerations and release the change again.";

/// The next step where a version was not taken into service, or not for long.
pub(super) fn after(code: FailureCode) -> &'static str {
    match code {
        FailureCode::Pods(cause) => of_pods(cause),
        FailureCode::NoProgress | FailureCode::Endpoints => EITHER,
        FailureCode::Route => ROUTE,
        FailureCode::TokenRefused => TOKEN_REFUSED,
        FailureCode::RoleRefused => ROLE_REFUSED,
        FailureCode::ClientCertificate => {
            "Store a kubeconfig with a valid client certificate, then retry the stage."
        }
        FailureCode::GroupMissing => GROUP_MISSING,
        FailureCode::TokenLost => TOKEN_LOST,
        FailureCode::Forbidden => "Grant the permission that is missing, then retry the stage.",
        FailureCode::Quota => {
            "Raise the quota or delete what is no longer needed, then retry the stage."
        }
        FailureCode::Policy => {
            "Change what the policy names and release the change again; if the policy itself is \
             changed instead, retry the stage."
        }
        FailureCode::Webhook => "Restore the webhook, then retry the stage.",
        FailureCode::BeingDeleted => BEING_DELETED,
        FailureCode::ClusterUnavailable
        | FailureCode::Unreachable
        | FailureCode::OutOfTime
        | FailureCode::OutOfSight
        | FailureCode::TooLate => "Retry the stage when the API server is healthy again.",
        FailureCode::OutOfSync => {
            "Find out who made the change and whether to keep it; if not, retry the stage."
        }
        FailureCode::Paused => "Resume it, then retry the stage.",
        FailureCode::NoNode => NO_NODE,
        FailureCode::ControllerSilent => {
            "Check the cluster's kube-controller-manager; when it works again, retry the stage."
        }
        FailureCode::Credentials
        | FailureCode::Kubeconfig
        | FailureCode::EksCluster
        | FailureCode::EksNetwork
        | FailureCode::DescribeCluster
        | FailureCode::AssumeRole
        | FailureCode::Clock
        | FailureCode::TokenTooLong
        | FailureCode::Environment
        | FailureCode::Untrusted
        | FailureCode::NotKubernetes
        | FailureCode::Continuation
        | FailureCode::Locked
        | FailureCode::NoTime
        | FailureCode::Bug => "Correct the cause, then retry the stage.",
        FailureCode::Alarm => EITHER_ALARM,
        FailureCode::AlarmRinging => "Retry the stage when the alarm is silent again.",
        FailureCode::AlarmsUnreadable => ALARMS_UNREADABLE,
        FailureCode::JobFailed => JOB,
        FailureCode::ObjectNotReady => EITHER_OBJECT,
        FailureCode::ReleaseTimedOut => TIMED_OUT,
        FailureCode::ReleaseRecord => RECORD,
        FailureCode::ReleaseFaults => "Correct the manifests and release the change again.",
        FailureCode::Conflict => CONFLICT,
        FailureCode::Immutable => IMMUTABLE,
        FailureCode::ForeignObject => FOREIGN,
        FailureCode::Parameters
        | FailureCode::Artifact
        | FailureCode::Missing
        | FailureCode::Deleted
        | FailureCode::Smoke
        | FailureCode::ObjectRefused => NEW_VERSION,
    }
}

fn of_pods(cause: Cause) -> &'static str {
    match cause {
        Cause::ImageNotFound => {
            "Push the image and retry the stage, or correct its name and release the change again."
        }
        Cause::ImageDenied => {
            "Let the cluster pull the image and retry the stage, or correct its name and release \
             the change again."
        }
        Cause::ConfigMissing => {
            "Create what is missing and retry the stage, or correct its name and release the \
             change again."
        }
        Cause::PodNotCreated => {
            "Remove what keeps its pods from being created and retry the stage; if the version \
             itself is at fault, correct it and release the change again."
        }
        Cause::Unschedulable => {
            "Provide what its pods wait for (room on a node, a volume) and retry the stage, or \
             correct what they ask for and release the change again."
        }
        Cause::WebhookAway => after(FailureCode::Webhook),
        Cause::NoScheduler => {
            "Check the scheduler that the pods name and retry the stage, or correct \
             `schedulerName` and release the change again."
        }
        Cause::ImageRefused => {
            "Correct it and release the change again; if that does not change the version itself, \
             retry the stage."
        }
        Cause::PullFails => "Check the registry and the network path to it, then retry the stage.",
        Cause::NodeTrouble => "Check the node, then retry the stage.",
        Cause::PodKept => POD_KEPT,
        Cause::ReadinessGate | Cause::NotStarted | Cause::PodFails => EITHER,
        Cause::ImageName
        | Cause::ImagePlatform
        | Cause::ImageNeverPulled
        | Cause::OutOfMemory
        | Cause::Crash
        | Cause::Ends
        | Cause::ContainerNotCreated
        | Cause::ContainerNotStarted
        | Cause::NotReady => NEW_VERSION,
    }
}

#[cfg(test)]
mod tests;
