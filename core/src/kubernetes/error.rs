//! Why a call to the cluster failed.

use super::answer::{MAX_ERROR_TEXT, excerpt};
use super::contact::{Kept, OddAnswer, Unreached, Untrusted};
use super::token::{Identity, Life};
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
        let is_contact = matches!(self, CallError::Untrusted(_) | CallError::Unreachable(_));
        is_contact && !self.may_have_been_done()
    }

    /// Whether the API server does not serve this path: a text, and no `Status`.
    /// <https://github.com/kubernetes/apiserver/blob/master/pkg/util/notfoundhandler/not_found_handler.go>
    pub fn is_not_served(&self) -> bool {
        if let CallError::Refused(refusal) = self {
            let told = "the server could not find the requested resource";
            let of_path = !refusal.is_status || refusal.message.starts_with(told);
            return refusal.code == 404 && of_path;
        }
        matches!(self, CallError::NotKubernetes(odd)
            if matches!(&**odd, OddAnswer::Text(404, Some(text))
                if text.contains("404 page not found")))
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
    /// For a 401: what the token says about itself.
    pub token: Option<Box<RefusedToken>>,
    /// Whether the token has the permission, if Landfall asked because the message does not say.
    pub allowed: Option<bool>,
    /// How long the server asks to be left alone, where it does.
    pub wait: Option<Duration>,
    /// What the server says of single fields.
    pub causes: Vec<FieldCause>,
}

/// A token that the server refused, in its own words.
#[derive(Clone, Debug, PartialEq)]
pub struct RefusedToken {
    /// Its lifetime.
    pub life: Life,
    /// Whose it is, if it says so.
    pub identity: Option<Identity>,
    /// When it was refused.
    pub at: Timestamp,
}

/// What the server says of one field.
/// <https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/>
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldCause {
    /// A word for programs, such as `FieldManagerConflict` or `FieldValueInvalid`.
    pub reason: String,
    /// The field; empty where it is about the whole object.
    pub field: String,
    /// What is wrong with it, without the value that it has.
    pub message: String,
}

/// The most causes that are read: a page of them is more than people read.
const MAX_CAUSES: usize = 100;

/// How much is kept of what a cause says.
const MAX_CAUSE_TEXT: usize = 1024;

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
            causes: causes(&status["details"]["causes"], mask),
            ..Refusal::default()
        }
    }
}

fn causes(causes: &Value, mask: impl Fn(&str) -> String) -> Vec<FieldCause> {
    let causes = causes.as_array().into_iter().flatten();
    let read = |cause: &Value| {
        let text = |field: &str| cause[field].as_str().unwrap_or_default();
        let clipped = |text: &str| clip(&mask(text), MAX_CAUSE_TEXT);
        FieldCause {
            reason: clipped(text("reason")),
            field: clipped(text("field")),
            message: clipped(&without_value(text("message"))),
        }
    };
    causes.take(MAX_CAUSES).map(read).collect()
}

/// Removes the refused value from `Invalid value: VALUE: what is wrong`, and the difference of the
/// objects that some messages end with: a template has the values of variables in it.
/// <https://github.com/kubernetes/apimachinery/blob/master/pkg/util/validation/field/errors.go>
fn without_value(message: &str) -> String {
    let message = message.split("\n@@ ").next().unwrap_or_default();
    // What is required is not there, and what follows are the values that it may have.
    let valued = message.split_once(" value: ");
    let Some((kind, rest)) = valued.filter(|(kind, _)| *kind != "Required") else {
        return message.trim_end().to_owned();
    };
    let after = rest.get(value_length(rest)..).unwrap_or_default();
    match after.strip_prefix(": ") {
        Some(wrong) => wrong.trim_end().to_owned(),
        None => format!("{kind} value"),
    }
}

/// The length of the value that a text begins with: a quoted text, JSON, or a plain word.
fn value_length(text: &str) -> usize {
    let (mut depth, mut is_quoted, mut is_escaped) = (0_usize, false, false);
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_quoted => is_escaped = true,
            b'"' => is_quoted = !is_quoted,
            _ if is_quoted => {}
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            b':' if depth == 0 => return index,
            _ => {}
        }
    }
    text.len()
}

/// Removes the object from the message: a refused JSON patch quotes the whole object, with values
/// that the redactor does not know.
/// <https://github.com/kubernetes/apiserver/blob/master/pkg/endpoints/handlers/patch.go>
fn without_object(message: &str) -> String {
    // An apply of a value of the wrong type quotes that value.
    // https://github.com/kubernetes-sigs/structured-merge-diff/blob/master/typed/helpers.go
    let message = match message.split_once(", got &value.") {
        Some((before, _)) => before,
        None => message,
    };
    const QUOTE: &str = "patch: Invalid value: ";
    let Some((before, rest)) = message.split_once(QUOTE) else {
        return message.to_owned();
    };
    let after = rest.rsplit_once("}\": ").map_or("", |(_, after)| after);
    format!("{before}{QUOTE}(the object): {after}")
}

#[cfg(test)]
mod tests;
