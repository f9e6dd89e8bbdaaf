//! Why a cluster of EKS cannot be opened by IAM.

use super::aws::NOT_SIGNED;
use super::failure::FailureType;
use crate::formats::certificate::CertificateError;
use std::fmt;

/// Why a cluster of EKS cannot be opened by IAM.
#[derive(Clone, Debug, PartialEq)]
pub enum EksError {
    /// Neither the cluster's name nor the function's environment has a region.
    NoRegion,
    /// There is no cluster of this name in the account and the region.
    NoCluster,
    /// The cluster has no API server yet, or not any more: its status.
    NotActive(String),
    /// EKS knows no API server of it, such as for a cluster that is only registered with EKS.
    NoEndpoint,
    /// The CA that EKS answers with cannot be used.
    Ca(CertificateError),
    /// The token has this many bytes, more than EKS accepts.
    TokenTooLong(usize),
    /// A call to AWS failed.
    Call(EksCall, AwsFault),
}

/// A call to AWS on the way into a cluster of EKS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EksCall {
    /// `eks:DescribeCluster`.
    DescribeCluster,
    /// `sts:AssumeRole` of the role with this ARN.
    AssumeRole(String),
    /// The signature of `sts:GetCallerIdentity`, which is the token. Nothing is sent.
    GetCallerIdentity,
}

/// Why a call to AWS failed, with AWS's message.
#[derive(Clone, Debug, PartialEq)]
pub enum AwsFault {
    /// AWS denies the call.
    Denied(String),
    /// AWS does not accept the function's own credentials.
    NotSigned(String),
    /// AWS throttles, after all retries.
    Throttled(String),
    /// The service has an internal error.
    Broken(String),
    /// The service refuses the request.
    Refused(String),
    /// The service cannot be reached.
    Unreachable(String),
}

impl AwsFault {
    /// Classifies an error response by its HTTP status, code and message.
    pub fn answered(status: u16, code: &str, message: &str) -> AwsFault {
        let said = format!("{code}: {message}");
        match code {
            code if NOT_SIGNED.contains(&code) => AwsFault::NotSigned(said),
            code if code.contains("AccessDenied") || message.contains("not authorized to") => {
                AwsFault::Denied(said)
            }
            code if status == 429 || code.contains("hrottl") || code == "RequestLimitExceeded" => {
                AwsFault::Throttled(said)
            }
            _ if status >= 500 => AwsFault::Broken(said),
            _ => AwsFault::Refused(said),
        }
    }
}

impl EksError {
    /// The failure type in the report.
    pub fn kind(&self) -> FailureType {
        match self {
            EksError::Call(_, AwsFault::Denied(_) | AwsFault::NotSigned(_)) => {
                FailureType::PermissionError
            }
            EksError::Call(
                _,
                AwsFault::Throttled(_) | AwsFault::Broken(_) | AwsFault::Unreachable(_),
            ) => FailureType::SystemUnavailable,
            EksError::NoRegion
            | EksError::NoCluster
            | EksError::NotActive(_)
            | EksError::NoEndpoint
            | EksError::Ca(_)
            | EksError::TokenTooLong(_)
            | EksError::Call(_, AwsFault::Refused(_)) => FailureType::ConfigurationError,
        }
    }
}

impl fmt::Display for EksCall {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EksCall::DescribeCluster => formatter.write_str("eks:DescribeCluster"),
            EksCall::AssumeRole(role) => write!(formatter, "sts:AssumeRole of `{role}`"),
            EksCall::GetCallerIdentity => {
                formatter.write_str("the signature of sts:GetCallerIdentity")
            }
        }
    }
}

impl fmt::Display for EksError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EksError::NoRegion => formatter.write_str("the region of the cluster is not known"),
            EksError::NoCluster => formatter.write_str("EKS has no cluster of this name"),
            EksError::NotActive(status) => {
                write!(
                    formatter,
                    "the cluster is not active: its status is {status}"
                )
            }
            EksError::NoEndpoint => formatter.write_str("EKS knows no API server of the cluster"),
            EksError::Ca(why) => {
                write!(
                    formatter,
                    "the CA that EKS has of the cluster cannot be used: {why}"
                )
            }
            EksError::TokenTooLong(bytes) => write!(
                formatter,
                "the token has {bytes} bytes, and EKS accepts {TOKEN_LIMIT}: the session of the \
                 role is too large"
            ),
            EksError::Call(call, fault) => match fault {
                AwsFault::Denied(said) => write!(formatter, "AWS denies {call} ({said})"),
                AwsFault::NotSigned(said) => write!(
                    formatter,
                    "AWS does not accept the function's own credentials for {call} ({said})"
                ),
                AwsFault::Throttled(said) => {
                    write!(formatter, "AWS throttles {call} ({said})")
                }
                AwsFault::Broken(said) => {
                    write!(formatter, "AWS could not answer {call} just now ({said})")
                }
                AwsFault::Refused(said) => write!(formatter, "AWS refused {call} ({said})"),
                AwsFault::Unreachable(why) => {
                    write!(formatter, "AWS could not be reached for {call}: {why}")
                }
            },
        }
    }
}

/// The longest token that EKS accepts.
/// <https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/token/token.go>
pub const TOKEN_LIMIT: usize = 4096;
