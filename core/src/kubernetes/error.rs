//! Why a call to the cluster failed.

use super::answer::{MAX_ERROR_TEXT, excerpt};
use super::contact::{Kept, OddAnswer, Unreached, Untrusted};
use super::token::Life;
use crate::text::clip;
use jiff::Timestamp;
use serde_json::Value;
use std::time::Duration;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq)]
pub enum CallError {
    /// The API server refused the call.
    Refused(Refusal),
    /// The cluster did not respond, or not in time, at any attempt.
    Unreachable(Box<Unreached>),
    /// The CA did not sign the server's certificate, or the certificate is not valid for this name.
    Untrusted(Box<Untrusted>),
    /// Whatever answers is not the Kubernetes API.
    NotKubernetes(Box<OddAnswer>),
    /// The server says that it is done, and shows that it is not.
    Kept(Box<Kept>),
    /// The invocation's time was over first.
    OutOfTime,
}

impl CallError {
    /// Whether the server may have moved, or have another certificate: it was not reached, or not
    /// trusted, and nothing can have been done.
    pub fn may_be_elsewhere(&self) -> bool {
        match self {
            CallError::Untrusted(_) => true,
            CallError::Unreachable(_) => !self.may_have_been_done(),
            CallError::Refused(_)
            | CallError::NotKubernetes(_)
            | CallError::Kept(_)
            | CallError::OutOfTime => false,
        }
    }

    /// Whether a write may have happened anyway: its response was lost, or the server failed during
    /// it.
    pub fn may_have_been_done(&self) -> bool {
        match self {
            CallError::Unreachable(unreached) => unreached.unsure,
            CallError::Refused(refusal) => !refusal.stored_nothing(),
            CallError::NotKubernetes(odd) => odd.may_have_been_done(),
            CallError::Untrusted(_) | CallError::Kept(_) | CallError::OutOfTime => false,
        }
    }
}

/// A response that is an error.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusal {
    /// The HTTP status.
    pub code: u16,
    /// Kubernetes' reason; empty if the body was not a `Status`.
    pub reason: String,
    /// The server's message, or the body's text if it was not a `Status`.
    pub message: String,
    /// Whether the body was a Kubernetes `Status`.
    pub is_status: bool,
    /// For a 401: what the token says about its lifetime, and when it was refused.
    pub token: Option<(Life, Timestamp)>,
    /// Whether the token has the permission, if Landfall asked because the message does not say.
    pub allowed: Option<bool>,
    /// How long the server asks to be left alone, where it does.
    pub wait: Option<Duration>,
}

impl Refusal {
    /// Reads an answer that is an error. `mask` hides what is secret.
    pub fn read(code: u16, body: &[u8], mask: impl Fn(&str) -> String) -> Refusal {
        let status = serde_json::from_slice::<Value>(body).ok();
        let Some(status) = status.filter(|status| status["kind"] == "Status") else {
            return Refusal {
                code,
                message: excerpt(body, mask),
                ..Refusal::default()
            };
        };
        let text = |field: &str| status[field].as_str().unwrap_or_default();
        let seconds = status["details"]["retryAfterSeconds"].as_u64();
        let seconds = seconds.filter(|seconds| *seconds > 0);
        Refusal {
            code,
            reason: text("reason").to_owned(),
            message: clip(&without_object(&mask(text("message"))), MAX_ERROR_TEXT),
            is_status: true,
            wait: seconds.map(Duration::from_secs),
            ..Refusal::default()
        }
    }
}

/// Removes the object from the message: a refused JSON patch quotes the whole object, with values
/// that the redactor does not know.
/// <https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/handlers/patch.go>
fn without_object(message: &str) -> String {
    const QUOTE: &str = "patch: Invalid value: ";
    let Some((before, rest)) = message.split_once(QUOTE) else {
        return message.to_owned();
    };
    let after = rest.rsplit_once("}\": ").map_or("", |(_, after)| after);
    format!("{before}{QUOTE}(the object): {after}")
}

#[cfg(test)]
mod tests;
