//! The names of failures in CodePipeline and in the handbook.

use super::cause::Cause;

/// CodePipeline's failure types.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FailureType {
    /// The parameters or the manifest are wrong, or do not fit the cluster.
    ConfigurationError,
    /// SSM, KMS or the cluster denies access.
    PermissionError,
    /// The rollout failed or ran out of time.
    JobFailed,
    /// Someone else changed the target after us.
    RevisionOutOfSync,
    /// An input artifact, or a file in it, does not exist.
    RevisionUnavailable,
    /// The cluster or AWS cannot be reached.
    SystemUnavailable,
}

impl FailureType {
    /// The name in CodePipeline's API.
    pub fn name(self) -> &'static str {
        match self {
            FailureType::ConfigurationError => "ConfigurationError",
            FailureType::PermissionError => "PermissionError",
            FailureType::JobFailed => "JobFailed",
            FailureType::RevisionOutOfSync => "RevisionOutOfSync",
            FailureType::RevisionUnavailable => "RevisionUnavailable",
            FailureType::SystemUnavailable => "SystemUnavailable",
        }
    }
}

/// The reason for a failure. Each has a section in `docs/operations.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FailureCode {
    /// The new version is not ready, and its pods show why.
    Pods(Cause),
    /// The new version is not ready, and no pod shows why.
    NoProgress,
    /// The user parameters are wrong, or do not fit the Deployment.
    Parameters,
    /// An input artifact, or a file in it, cannot be read.
    Artifact,
    /// The function's environment is wrong.
    Environment,
    /// The continuation token cannot be used.
    Continuation,
    /// The token or the CA cannot be read.
    Credentials,
    /// The kubeconfig cannot be used.
    Kubeconfig,
    /// There is no cluster of EKS of this name, or it has no API server.
    EksCluster,
    /// The cluster of EKS takes no calls from where the function is.
    EksNetwork,
    /// EKS does not say where the cluster is.
    DescribeCluster,
    /// The role that opens the cluster cannot be assumed.
    AssumeRole,
    /// The clocks of the function and of AWS differ.
    Clock,
    /// The token of IAM is longer than EKS accepts.
    TokenTooLong,
    /// The Deployment does not exist.
    Missing,
    /// The Deployment is being deleted.
    BeingDeleted,
    /// The Deployment is paused.
    Paused,
    /// The time was over before anything was written.
    TooLate,
    /// Kubernetes' controllers did not process the change.
    ControllerSilent,
    /// No node matches a DaemonSet that had pods before.
    NoNode,
    /// The Deployment was deleted during its rollout.
    Deleted,
    /// Someone else's change came after ours, or in between.
    OutOfSync,
    /// Another execution holds the service lock.
    Locked,
    /// An alarm that guards the deploy rang.
    Alarm,
    /// An alarm that guards the deploy rings already.
    AlarmRinging,
    /// The alarms that guard the deploy cannot be read.
    AlarmsUnreadable,
    /// The smoke test failed.
    Smoke,
    /// The Service does not route to the new pods.
    Endpoints,
    /// A route did not take the weights of a canary.
    Route,
    /// The cluster does not accept the token.
    TokenRefused,
    /// The cluster of EKS does not let the role in.
    RoleRefused,
    /// The client certificate has expired, or is not accepted.
    ClientCertificate,
    /// The token does not reach the cluster.
    TokenLost,
    /// The token lacks a verb.
    Forbidden,
    /// The role's group lacks a verb, or the role lacks the group.
    GroupMissing,
    /// A quota has no room.
    Quota,
    /// A policy of the cluster refuses the object.
    Policy,
    /// An admission webhook does not respond.
    Webhook,
    /// The API server refuses the object.
    ObjectRefused,
    /// The API server is overloaded or broken.
    ClusterUnavailable,
    /// The cluster cannot be reached.
    Unreachable,
    /// The cluster's certificate is not trusted.
    Untrusted,
    /// The other side is not a Kubernetes API.
    NotKubernetes,
    /// The invocation had no time left for a call.
    OutOfTime,
    /// The cluster did not respond during a rollout.
    OutOfSight,
    /// Objects of a release do not fit the cluster.
    ReleaseFaults,
    /// Another manager owns fields of an object of a release.
    Conflict,
    /// Fields of an object change that cannot be changed.
    Immutable,
    /// An object belongs to another release or tool.
    ForeignObject,
    /// A Job of a release did not complete.
    JobFailed,
    /// An object of a release did not get ready.
    ObjectNotReady,
    /// A release was not complete in its time.
    ReleaseTimedOut,
    /// The Secrets in which a release is recorded cannot be used.
    ReleaseRecord,
    /// Landfall has a bug.
    Bug,
    /// The function's own timeout is too short.
    NoTime,
}

impl FailureCode {
    /// The section in `docs/operations.md`.
    pub fn anchor(self) -> &'static str {
        match self {
            FailureCode::Pods(cause) => cause.anchor(),
            FailureCode::NoProgress => "no-progress",
            FailureCode::Parameters => "parameters",
            FailureCode::Artifact => "artifact",
            FailureCode::Environment => "environment",
            FailureCode::Continuation => "continuation",
            FailureCode::Credentials => "credentials",
            FailureCode::Kubeconfig => "kubeconfig",
            FailureCode::EksCluster => "eks-cluster",
            FailureCode::EksNetwork => "eks-network",
            FailureCode::DescribeCluster => "describe-cluster",
            FailureCode::AssumeRole => "assume-role",
            FailureCode::Clock => "clock",
            FailureCode::TokenTooLong => "token-too-long",
            FailureCode::RoleRefused => "role-refused",
            FailureCode::ClientCertificate => "client-certificate",
            FailureCode::GroupMissing => "group-missing",
            FailureCode::Missing => "missing",
            FailureCode::BeingDeleted => "being-deleted",
            FailureCode::Paused => "paused",
            FailureCode::TooLate => "too-late",
            FailureCode::ControllerSilent => "controller-silent",
            FailureCode::NoNode => "no-node",
            FailureCode::Deleted => "deleted",
            FailureCode::OutOfSync => "out-of-sync",
            FailureCode::Locked => "locked",
            FailureCode::Alarm => "alarm",
            FailureCode::AlarmRinging => "alarm-ringing",
            FailureCode::AlarmsUnreadable => "alarms-unreadable",
            FailureCode::Smoke => "smoke-test",
            FailureCode::Endpoints => "endpoints",
            FailureCode::Route => "route",
            FailureCode::TokenRefused => "token-refused",
            FailureCode::TokenLost => "token-lost",
            FailureCode::Forbidden => "forbidden",
            FailureCode::Quota => "quota",
            FailureCode::Policy => "policy",
            FailureCode::Webhook => "webhook",
            FailureCode::ObjectRefused => "object-refused",
            FailureCode::ClusterUnavailable => "cluster-unavailable",
            FailureCode::Unreachable => "unreachable",
            FailureCode::Untrusted => "untrusted",
            FailureCode::NotKubernetes => "not-kubernetes",
            FailureCode::OutOfTime => "out-of-time",
            FailureCode::OutOfSight => "out-of-sight",
            FailureCode::ReleaseFaults => "release-faults",
            FailureCode::Conflict => "conflict",
            FailureCode::Immutable => "immutable",
            FailureCode::ForeignObject => "foreign-object",
            FailureCode::JobFailed => "job-failed",
            FailureCode::ObjectNotReady => "object-not-ready",
            FailureCode::ReleaseTimedOut => "release-timed-out",
            FailureCode::ReleaseRecord => "release-record",
            FailureCode::Bug => "bug",
            FailureCode::NoTime => "no-time",
        }
    }

    /// The code for a failed rollout.
    pub fn of(cause: Option<Cause>) -> FailureCode {
        cause.map_or(FailureCode::NoProgress, FailureCode::Pods)
    }
}
