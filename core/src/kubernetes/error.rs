//! Why a call to the cluster failed.

use super::contact::{Unreached, Untrusted};
use super::token::Life;
use jiff::Timestamp;

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
