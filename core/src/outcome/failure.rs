//! What CodePipeline and the handbook call a failure.

use super::cause::Cause;

/// CodePipeline's types of failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FailureType {
    /// Parameters or manifest are wrong, or do not fit the cluster.
    ConfigurationError,
    /// SSM, KMS or the cluster denies access.
    PermissionError,
    /// The rollout failed or ran out of time.
    JobFailed,
    /// Someone else deployed after us.
    RevisionOutOfSync,
    /// An input artifact, or what it should have, is not there.
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

/// What a failure is about. Each has a heading in `docs/operations.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum FailureCode {
    /// The new version does not serve, and its pods say why.
    Pods(Cause),
    /// The new version does not serve, and no pod says why.
    NoProgress,
    /// The user parameters are wrong, or do not fit the Deployment.
    Parameters,
    /// An input artifact cannot be read, or a file in it.
    Artifact,
    /// The function's environment is wrong.
    Environment,
    /// The continuation token cannot be used.
    Continuation,
    /// Token or CA cannot be had.
    Credentials,
    /// The Deployment is not there.
    Missing,
    /// It is being deleted.
    BeingDeleted,
    /// It is paused.
    Paused,
    /// The time was over before anything was written.
    TooLate,
    /// Kubernetes' controllers do not take up what was written.
    ControllerSilent,
    /// It went away while it was followed.
    Deleted,
    /// Someone else's change came after ours, or in between.
    OutOfSync,
    /// Another execution is at work on the Service.
    Locked,
    /// The smoke test failed.
    Smoke,
    /// The Service does not send to the new pods.
    Endpoints,
    /// The cluster does not accept the token.
    TokenRefused,
    /// The token does not reach the cluster.
    TokenLost,
    /// The token lacks a verb.
    Forbidden,
    /// A quota has no room.
    Quota,
    /// A policy of the cluster refuses the object.
    Policy,
    /// An admission webhook does not answer.
    Webhook,
    /// The API server refuses the object.
    ObjectRefused,
    /// The API server is overloaded or broken.
    ClusterUnavailable,
    /// Nothing answers.
    Unreachable,
    /// The cluster's certificate is not trusted.
    Untrusted,
    /// What answers is no Kubernetes.
    NotKubernetes,
    /// The invocation was too short for a call.
    OutOfTime,
    /// The cluster went silent in the middle of a rollout.
    OutOfSight,
    /// Landfall itself broke.
    Bug,
    /// The function's own timeout is too short.
    NoTime,
}

impl FailureCode {
    /// The heading in `docs/operations.md`.
    pub fn anchor(self) -> &'static str {
        match self {
            FailureCode::Pods(cause) => cause.anchor(),
            FailureCode::NoProgress => "no-progress",
            FailureCode::Parameters => "parameters",
            FailureCode::Artifact => "artifact",
            FailureCode::Environment => "environment",
            FailureCode::Continuation => "continuation",
            FailureCode::Credentials => "credentials",
            FailureCode::Missing => "missing",
            FailureCode::BeingDeleted => "being-deleted",
            FailureCode::Paused => "paused",
            FailureCode::TooLate => "too-late",
            FailureCode::ControllerSilent => "controller-silent",
            FailureCode::Deleted => "deleted",
            FailureCode::OutOfSync => "out-of-sync",
            FailureCode::Locked => "locked",
            FailureCode::Smoke => "smoke-test",
            FailureCode::Endpoints => "endpoints",
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
            FailureCode::Bug => "bug",
            FailureCode::NoTime => "no-time",
        }
    }

    /// What a rollout failed of.
    pub fn of(cause: Option<Cause>) -> FailureCode {
        cause.map_or(FailureCode::NoProgress, FailureCode::Pods)
    }
}
