//! Why there is no access to the cluster.

use super::failure::Kind;
use crate::kubernetes::token::{Token, appearance};
use jiff::Timestamp;
use std::fmt;

/// Why there is no access.
#[derive(Clone, Debug, PartialEq)]
pub enum CredentialsError {
    /// A parameter (or its version or label) does not exist.
    Missing(String),
    /// AWS denies the call: what it takes, and what AWS says.
    Denied(&'static str, String),
    /// SSM refuses what is asked for.
    Refused(String),
    /// SSM cannot be reached or throttles to the end.
    Unreachable(String),
    /// The token is empty or cannot be sent.
    NoToken(String, &'static str),
    /// The token's own time is over.
    Expired(String, Timestamp),
    /// The CA cannot be used.
    Ca(String),
}

impl CredentialsError {
    /// The type of failure that it is reported as.
    pub fn kind(&self) -> Kind {
        match self {
            CredentialsError::Denied(..) | CredentialsError::Expired(..) => Kind::PermissionError,
            CredentialsError::Unreachable(_) => Kind::SystemUnavailable,
            CredentialsError::Missing(_)
            | CredentialsError::Refused(_)
            | CredentialsError::NoToken(..)
            | CredentialsError::Ca(_) => Kind::ConfigurationError,
        }
    }
}

impl fmt::Display for CredentialsError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CredentialsError::Missing(names) => write!(
                formatter,
                "SSM has no parameter {names} (with that version or label) in this account and \
                 region"
            ),
            CredentialsError::Denied(what, said) => {
                write!(formatter, "AWS denies {what} ({said})")
            }
            CredentialsError::Refused(said) => write!(formatter, "SSM refused the call ({said})"),
            CredentialsError::Unreachable(why) => {
                write!(formatter, "SSM could not be reached: {why}")
            }
            CredentialsError::NoToken(name, why) => {
                write!(formatter, "the token in SSM parameter `{name}` {why}")
            }
            CredentialsError::Expired(name, at) => write!(
                formatter,
                "the token in SSM parameter `{name}` expired at {at:.0}"
            ),
            CredentialsError::Ca(why) => {
                write!(formatter, "the cluster's CA cannot be used: {why}")
            }
        }
    }
}

/// Refuses a token that cannot work, with a better word than the cluster's "Unauthorized".
pub fn check(token: &Token, name: &str, now: Timestamp) -> Result<(), CredentialsError> {
    if let Some(why) = appearance::why_refused(token.reveal()) {
        return Err(CredentialsError::NoToken(name.to_owned(), why));
    }
    match token.expires() {
        Some(expires) if expires <= now => Err(CredentialsError::Expired(name.to_owned(), expires)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
