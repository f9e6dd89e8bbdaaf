//! Why a call to the cluster failed.

use super::answer::{MAX_ERROR_TEXT, excerpt};
use super::contact::{Unreached, Untrusted};
use super::token::Life;
use crate::text::clip;
use jiff::Timestamp;
use serde_json::Value;

/// Why a call failed.
#[derive(Clone, Debug, PartialEq)]
pub enum CallError {
    /// The API server refused it.
    Refused(Refusal),
    /// Nothing answered, or not in time, at every try.
    Unreachable(Box<Unreached>),
    /// The server's certificate is not the CA's, or not for this name.
    Untrusted(Box<Untrusted>),
    /// Whatever answers is not the Kubernetes API.
    NotKubernetes(String),
    /// The invocation's time was over first.
    OutOfTime,
}

impl CallError {
    /// Whether a write may have been done all the same: its answer was lost, or the server broke
    /// on the way.
    pub fn may_have_been_done(&self) -> bool {
        match self {
            CallError::Unreachable(unreached) => unreached.unsure,
            CallError::Refused(refusal) => !refusal.stored_nothing(),
            CallError::Untrusted(_) | CallError::NotKubernetes(_) | CallError::OutOfTime => false,
        }
    }
}

/// An answer that is an error.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Refusal {
    /// The HTTP status.
    pub code: u16,
    /// Kubernetes' reason; empty where the body was no `Status`.
    pub reason: String,
    /// The server's message, or the body's text where it was no `Status`.
    pub message: String,
    /// Whether the body was a Kubernetes `Status`.
    pub is_status: bool,
    /// What the token says of its own time, and when it was refused; beside a 401.
    pub token: Option<(Life, Timestamp)>,
    /// Whether the token has the right, where that was asked because the message does not tell.
    pub allowed: Option<bool>,
}

impl Refusal {
    /// Reads an answer that is an error; also for how many seconds the server asks to wait, where
    /// its body tells. `mask` hides what is secret.
    pub fn read(code: u16, body: &[u8], mask: impl Fn(&str) -> String) -> (Refusal, Option<u64>) {
        let status = serde_json::from_slice::<Value>(body).ok();
        let Some(status) = status.filter(|status| status["kind"] == "Status") else {
            let refusal = Refusal {
                code,
                message: excerpt(body, mask),
                ..Refusal::default()
            };
            return (refusal, None);
        };
        let text = |field: &str| status[field].as_str().unwrap_or_default();
        let refusal = Refusal {
            code,
            reason: text("reason").to_owned(),
            message: clip(&without_object(&mask(text("message"))), MAX_ERROR_TEXT),
            is_status: true,
            ..Refusal::default()
        };
        let seconds = status["details"]["retryAfterSeconds"].as_u64();
        (refusal, seconds.filter(|seconds| *seconds > 0))
    }
}

/// A refused JSON patch quotes the whole object, with values that nobody told us to hide.
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
