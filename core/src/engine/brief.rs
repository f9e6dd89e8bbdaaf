//! A failed call in a few words, for the log and for calls that a deploy does not need.

use crate::kubernetes::CallError;
use crate::kubernetes::call::Call;
use crate::report;

/// Why a call failed that the deploy does not need, and what to grant for its benefit.
pub(super) fn brief(call: &Call, error: &CallError, gain: &str) -> String {
    let CallError::Refused(refusal) = error else {
        return in_short(error);
    };
    report::refusal::brief(refusal, call, gain)
}

/// The error in a few words.
pub fn in_short(error: &CallError) -> String {
    match error {
        CallError::Refused(refusal) if refusal.message.is_empty() => {
            format!("HTTP {}", refusal.code)
        }
        CallError::Refused(refusal) => format!("HTTP {}: {}", refusal.code, refusal.message),
        CallError::Unreachable(unreached) => report::unreached(unreached),
        CallError::Untrusted(untrusted) => report::untrusted(untrusted),
        CallError::NotKubernetes(odd) => report::odd(odd),
        CallError::Kept(kept) => report::kept(kept),
        CallError::OutOfTime => "it did not answer in time".to_owned(),
    }
}
