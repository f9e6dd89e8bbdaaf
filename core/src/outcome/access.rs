//! Why the function has no access to the cluster.

use super::eks::EksError;
use super::failure::{FailureCode, FailureType};
use super::kubeconfig::KubeconfigError;
use crate::eks;
use crate::kubernetes::token::{Token, appearance};
use crate::text::distance;
use jiff::Timestamp;
use std::fmt;
use std::time::Duration;

/// Why the function has no access to the cluster.
#[derive(Clone, Debug, PartialEq)]
pub enum CredentialsError {
    /// A parameter, or its version or label, does not exist.
    Missing(String),
    /// AWS denies the call: the missing permission, and AWS's message.
    Denied(&'static str, String),
    /// AWS denies the use of the parameter's key.
    KeyDenied(&'static str, String),
    /// Nobody can use the parameter's key.
    KeyUnusable(KeyFault, String),
    /// AWS does not accept the function's own credentials.
    NotSigned(String),
    /// AWS refuses the call because of its time.
    Clock(String),
    /// SSM still throttles after all retries.
    Throttled(String),
    /// SSM has an internal error.
    Broken(String),
    /// SSM refuses the request.
    Refused(String),
    /// SSM cannot be reached.
    Unreachable(String),
    /// The token is empty or cannot be sent.
    NoToken(String, &'static str),
    /// The token has expired: its parameter, when it expired, and how long ago that was.
    Expired(String, Timestamp, Duration),
    /// The CA cannot be used.
    Ca(String),
    /// The client certificate of a kubeconfig cannot be used.
    ClientCertificate(&'static str),
    /// The proxy of a kubeconfig cannot be used.
    Proxy(&'static str),
    /// The kubeconfig cannot be used.
    Kubeconfig(KubeconfigError),
    /// A cluster of EKS cannot be opened by IAM.
    Eks(EksError),
}

/// Why nobody can use a KMS key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyFault {
    /// The key is disabled.
    Disabled,
    /// The key is scheduled for deletion.
    PendingDeletion,
    /// The key does not exist, or has the wrong kind.
    Other,
}

impl KeyFault {
    /// What follows the key's name.
    pub(super) fn state(self) -> &'static str {
        match self {
            KeyFault::Disabled => "is disabled",
            KeyFault::PendingDeletion => "is about to be deleted",
            KeyFault::Other => "cannot be used",
        }
    }
}

/// Where the token is stored.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ParameterPlace {
    /// The SSM parameter, as in K8S_TOKEN_PARAMETER.
    pub parameter: String,
    /// The AWS account.
    pub account: Option<String>,
    /// The region.
    pub region: Option<String>,
}

impl ParameterPlace {
    /// Builds the place. A parameter that is named by its ARN has its own account and region.
    pub fn new(parameter: &str, account: Option<&str>, region: Option<&str>) -> ParameterPlace {
        let mut parts = parameter.split(':').skip(3);
        let own = match parameter.starts_with("arn:") {
            true => parts.next().zip(parts.next()),
            false => None,
        };
        let (region, account) = match own {
            Some((region, account)) => (Some(region), Some(account)),
            None => (region, account),
        };
        ParameterPlace {
            parameter: parameter.to_owned(),
            account: account.map(str::to_owned),
            region: region.map(str::to_owned),
        }
    }
}

impl fmt::Display for ParameterPlace {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = eks::place(self.account.as_deref(), self.region.as_deref());
        write!(formatter, "SSM parameter `{}`{place}", self.parameter)
    }
}

impl From<EksError> for CredentialsError {
    fn from(error: EksError) -> CredentialsError {
        CredentialsError::Eks(error)
    }
}

impl CredentialsError {
    /// The failure type in the report.
    pub fn kind(&self) -> FailureType {
        match self {
            CredentialsError::Eks(error) => error.kind(),
            CredentialsError::Denied(..)
            | CredentialsError::KeyDenied(..)
            | CredentialsError::NotSigned(_)
            | CredentialsError::Expired(..) => FailureType::PermissionError,
            CredentialsError::Throttled(_)
            | CredentialsError::Clock(_)
            | CredentialsError::Broken(_)
            | CredentialsError::Unreachable(_) => FailureType::SystemUnavailable,
            CredentialsError::Missing(_)
            | CredentialsError::KeyUnusable(..)
            | CredentialsError::Refused(_)
            | CredentialsError::NoToken(..)
            | CredentialsError::ClientCertificate(_)
            | CredentialsError::Proxy(_)
            | CredentialsError::Kubeconfig(_)
            | CredentialsError::Ca(_) => FailureType::ConfigurationError,
        }
    }

    /// The section of the handbook.
    pub fn code(&self) -> FailureCode {
        match self {
            CredentialsError::Eks(error) => error.code(),
            CredentialsError::Clock(_) => FailureCode::Clock,
            CredentialsError::ClientCertificate(_) => FailureCode::ClientCertificate,
            CredentialsError::Kubeconfig(_) => FailureCode::Kubeconfig,
            CredentialsError::Missing(_)
            | CredentialsError::Denied(..)
            | CredentialsError::KeyDenied(..)
            | CredentialsError::KeyUnusable(..)
            | CredentialsError::NotSigned(_)
            | CredentialsError::Throttled(_)
            | CredentialsError::Broken(_)
            | CredentialsError::Refused(_)
            | CredentialsError::Unreachable(_)
            | CredentialsError::NoToken(..)
            | CredentialsError::Expired(..)
            | CredentialsError::Proxy(_)
            | CredentialsError::Ca(_) => FailureCode::Credentials,
        }
    }
}

impl CredentialsError {
    /// Whether a later attempt may succeed without anyone's help.
    pub fn may_pass(&self) -> bool {
        let is_of_environment =
            matches!(self, CredentialsError::Unreachable(why) if why.starts_with("AWS_"));
        self.kind() == FailureType::SystemUnavailable && !is_of_environment
    }
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            // A version or a label follows a colon; an ARN contains other colons.
            CredentialsError::Missing(names) if names.matches(':').count() % 5 == 1 => write!(
                formatter,
                "SSM has no parameter {names}: there is none of this name, or none of its versions \
                 has this number or label"
            ),
            CredentialsError::Missing(names) => write!(formatter, "SSM has no parameter {names}"),
            CredentialsError::Denied(what, said) | CredentialsError::KeyDenied(what, said) => {
                write!(formatter, "AWS denies {what} ({said})")
            }
            CredentialsError::KeyUnusable(fault, said) => {
                let state = fault.state();
                write!(
                    formatter,
                    "the KMS key of an SSM parameter {state} ({said})"
                )
            }
            CredentialsError::NotSigned(said) => write!(
                formatter,
                "AWS does not accept the function's own credentials ({said})"
            ),
            CredentialsError::Clock(said) => write!(
                formatter,
                "AWS refuses calls of this time: the function's clock differs from AWS's ({said})"
            ),
            CredentialsError::Throttled(said) => {
                write!(
                    formatter,
                    "SSM throttles the calls of this account ({said})"
                )
            }
            CredentialsError::Broken(said) => {
                write!(formatter, "SSM could not answer just now ({said})")
            }
            CredentialsError::Refused(said) => write!(formatter, "SSM refused the call ({said})"),
            CredentialsError::Unreachable(why) => {
                write!(formatter, "SSM could not be reached: {why}")
            }
            CredentialsError::NoToken(name, why) => {
                write!(formatter, "the token in SSM parameter `{name}` {why}")
            }
            CredentialsError::Expired(name, at, ago) => write!(
                formatter,
                "the token in SSM parameter `{name}` expired at {at:.0} ({} ago)",
                distance(*ago)
            ),
            CredentialsError::Ca(why) => {
                write!(formatter, "the cluster's CA cannot be used: {why}")
            }
            CredentialsError::ClientCertificate(why) => {
                write!(formatter, "the client certificate of the kubeconfig {why}")
            }
            CredentialsError::Proxy(why) => write!(formatter, "the proxy of the kubeconfig {why}"),
            // The report has the words for it.
            CredentialsError::Kubeconfig(_) => formatter.write_str("the kubeconfig cannot be used"),
            CredentialsError::Eks(error) => write!(formatter, "{error}"),
        }
    }
}

/// Refuses a token that cannot work, with a more helpful message than the cluster's "Unauthorized".
pub fn check(token: &Token, name: &str, now: Timestamp) -> Result<(), CredentialsError> {
    if let Some(why) = appearance::why_refused(token.reveal()) {
        return Err(CredentialsError::NoToken(name.to_owned(), why));
    }
    match token.expires() {
        Some(expires) if expires <= now => {
            let ago = Duration::try_from(now.duration_since(expires)).unwrap_or_default();
            Err(CredentialsError::Expired(name.to_owned(), expires, ago))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
