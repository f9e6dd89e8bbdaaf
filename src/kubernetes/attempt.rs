//! One attempt of a call: how long it may take, and the errors that it ends with.

use landfall_core::kubernetes::CallError;
use landfall_core::kubernetes::call::Call;
use landfall_core::kubernetes::contact::OddAnswer;
use landfall_core::retry::Failure;
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use std::time::Duration;

/// How long a read may take before it is tried again.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a write may take: the API server gives admission webhooks up to 30 s and the whole
/// request 34 s.
const WRITE_TIMEOUT: Duration = Duration::from_secs(36);

/// A failed attempt, and whether another one may help.
pub(super) type Attempt = (CallError, Failure);

pub(super) fn time_limit(call: &Call) -> Duration {
    if call.verb.writes() {
        WRITE_TIMEOUT
    } else {
        READ_TIMEOUT
    }
}

pub(super) fn permanent(error: CallError) -> Attempt {
    (error, Failure::Permanent)
}

pub(super) fn odd(answer: OddAnswer) -> CallError {
    CallError::NotKubernetes(Box::new(answer))
}

/// How an answer is compressed. None may be: that was not asked for, and is not undone here.
pub(super) fn compression(headers: &HeaderMap) -> Option<String> {
    let how = headers.get(CONTENT_ENCODING)?.to_str().ok()?.trim();
    let is_word = how.len() <= 20 && how.bytes().all(|byte| byte.is_ascii_alphanumeric());
    match how {
        "" | "identity" => None,
        how if is_word => Some(how.to_owned()),
        _ => Some("unknown".to_owned()),
    }
}
