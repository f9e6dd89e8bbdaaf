//! Why a cluster of EKS cannot be opened by IAM.

use super::aws::{NOT_SIGNED, is_of_clock};
use super::failure::{FailureCode, FailureType};
use crate::formats::certificate::CertificateError;
use crate::text::quote;
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
    /// The function's clock and AWS's differ too much for a signature.
    Clock(String),
    /// The service cannot be reached.
    Unreachable(String),
}

/// What follows the reason in the message about a signature: the request as AWS read it, with the
/// session token in it.
const CANONICAL: &str = "The Canonical String";

impl AwsFault {
    /// Classifies an error response by its HTTP status, code and message.
    pub fn answered(status: u16, code: &str, message: &str) -> AwsFault {
        let (message, _) = message.split_once(CANONICAL).unwrap_or((message, ""));
        let said = format!("{code}: {}", message.trim_end());
        match code {
            _ if is_of_clock(&said) => AwsFault::Clock(said),
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
                AwsFault::Throttled(_)
                | AwsFault::Broken(_)
                | AwsFault::Clock(_)
                | AwsFault::Unreachable(_),
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

    /// The section of the handbook.
    pub fn code(&self) -> FailureCode {
        match self {
            EksError::NoRegion
            | EksError::NoCluster
            | EksError::NotActive(_)
            | EksError::NoEndpoint
            | EksError::Ca(_)
            | EksError::Call(EksCall::GetCallerIdentity, _) => FailureCode::EksCluster,
            EksError::TokenTooLong(_) => FailureCode::TokenTooLong,
            EksError::Call(_, AwsFault::Clock(_)) => FailureCode::Clock,
            EksError::Call(EksCall::AssumeRole(_), _) => FailureCode::AssumeRole,
            EksError::Call(EksCall::DescribeCluster, _) => FailureCode::DescribeCluster,
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
            EksError::NotActive(status) => match &**status {
                "CREATING" | "PENDING" => {
                    write!(
                        formatter,
                        "the cluster is still being made (status {status})"
                    )
                }
                "DELETING" => formatter.write_str("the cluster is being deleted (status DELETING)"),
                "FAILED" => formatter.write_str("the cluster could not be made (status FAILED)"),
                other => write!(
                    formatter,
                    "the cluster is not active: its status is `{}`",
                    quote(other)
                ),
            },
            EksError::NoEndpoint => formatter.write_str(
                "EKS knows no API server of the cluster, as of one that is only registered with it",
            ),
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
            EksError::Call(call, fault) => fault.write(formatter, call),
        }
    }
}

impl AwsFault {
    /// AWS's own words, in one line.
    fn said(&self) -> String {
        match self {
            AwsFault::Denied(said)
            | AwsFault::NotSigned(said)
            | AwsFault::Throttled(said)
            | AwsFault::Broken(said)
            | AwsFault::Refused(said)
            | AwsFault::Clock(said)
            | AwsFault::Unreachable(said) => quote(said),
        }
    }

    fn write(&self, formatter: &mut fmt::Formatter<'_>, call: &EksCall) -> fmt::Result {
        let said = self.said();
        match self {
            AwsFault::Denied(_) => write!(formatter, "AWS denies {call} ({said})"),
            AwsFault::NotSigned(_) => write!(
                formatter,
                "AWS does not accept the function's own credentials for {call} ({said})"
            ),
            AwsFault::Throttled(_) => write!(formatter, "AWS throttles {call} ({said})"),
            AwsFault::Broken(_) => {
                write!(formatter, "AWS could not answer {call} just now ({said})")
            }
            AwsFault::Refused(_) => write!(formatter, "AWS refused {call} ({said})"),
            AwsFault::Clock(_) => write!(
                formatter,
                "AWS refuses {call}, as the clocks of the function and of AWS differ ({said})"
            ),
            AwsFault::Unreachable(_) => {
                write!(formatter, "AWS could not be reached for {call}: {said}")
            }
        }
    }
}

/// The longest token that EKS accepts.
/// <https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/master/pkg/token/token.go>
pub const TOKEN_LIMIT: usize = 4096;

#[cfg(test)]
mod tests;
