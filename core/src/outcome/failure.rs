//! What CodePipeline and the handbook call a failure.

use super::cause::Cause;

/// CodePipeline's types of failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
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

impl Kind {
    /// The name in CodePipeline's API.
    pub fn name(self) -> &'static str {
        match self {
            Kind::ConfigurationError => "ConfigurationError",
            Kind::PermissionError => "PermissionError",
            Kind::JobFailed => "JobFailed",
            Kind::RevisionOutOfSync => "RevisionOutOfSync",
            Kind::RevisionUnavailable => "RevisionUnavailable",
            Kind::SystemUnavailable => "SystemUnavailable",
        }
    }
}

/// What a failure is about. Each has a heading in `docs/operations.md`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Topic {
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

impl Topic {
    /// The heading in `docs/operations.md`.
    pub fn anchor(self) -> &'static str {
        match self {
            Topic::Pods(cause) => cause.anchor(),
            Topic::NoProgress => "no-progress",
            Topic::Parameters => "parameters",
            Topic::Artifact => "artifact",
            Topic::Environment => "environment",
            Topic::Continuation => "continuation",
            Topic::Credentials => "credentials",
            Topic::Missing => "missing",
            Topic::BeingDeleted => "being-deleted",
            Topic::Paused => "paused",
            Topic::TooLate => "too-late",
            Topic::ControllerSilent => "controller-silent",
            Topic::Deleted => "deleted",
            Topic::OutOfSync => "out-of-sync",
            Topic::Locked => "locked",
            Topic::Smoke => "smoke-test",
            Topic::Endpoints => "endpoints",
            Topic::TokenRefused => "token-refused",
            Topic::TokenLost => "token-lost",
            Topic::Forbidden => "forbidden",
            Topic::Quota => "quota",
            Topic::Policy => "policy",
            Topic::Webhook => "webhook",
            Topic::ObjectRefused => "object-refused",
            Topic::ClusterUnavailable => "cluster-unavailable",
            Topic::Unreachable => "unreachable",
            Topic::Untrusted => "untrusted",
            Topic::NotKubernetes => "not-kubernetes",
            Topic::OutOfTime => "out-of-time",
            Topic::OutOfSight => "out-of-sight",
            Topic::Bug => "bug",
            Topic::NoTime => "no-time",
        }
    }

    /// What a rollout failed of.
    pub fn of(cause: Option<Cause>) -> Topic {
        cause.map_or(Topic::NoProgress, Topic::Pods)
    }
}
