//! Limits and words that several parts of the engine share.

use jiff::SignedDuration;

/// Lost races over one write before it is given up.
pub(super) const CONFLICTS: u32 = 8;

/// The same for what explains a failure: events and the end of a log.
pub(super) const EXPLANATION_TIMEOUT: SignedDuration = SignedDuration::from_secs(3);

/// What a call that is not granted would give.
pub(super) const ROLLBACK: &str = "have it rolled back";
