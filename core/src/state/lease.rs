//! When a lock counts. It expires by itself: nobody has to be alive to give it back.

use jiff::Timestamp;
use std::time::Duration;

/// How long after its deadline a lock counts: the last write may still be under way, and clocks
/// differ.
const MARGIN: Duration = Duration::from_secs(120);

/// How long a deploy may live: CodePipeline gives a Lambda action 24 hours in all.
/// <https://docs.aws.amazon.com/codepipeline/latest/userguide/limits.html>
pub const LONGEST_DEPLOY: Duration = Duration::from_secs(86_400);

/// When a lock counts no longer. No deploy lives longer than its action, whatever the lock says.
pub fn expires(since: Timestamp, until: Timestamp) -> Timestamp {
    let last = since.saturating_add(LONGEST_DEPLOY);
    let last = last.map_or(until, |last| last.min(until));
    last.checked_add(MARGIN).unwrap_or(Timestamp::MAX)
}

/// Whether a lock counts. One that begins in the future was written by no clock of ours.
pub fn holds(since: Timestamp, until: Timestamp, now: Timestamp) -> bool {
    let known = now.checked_add(MARGIN).unwrap_or(Timestamp::MAX);
    since <= known && expires(since, until) > now
}

#[cfg(test)]
mod tests;
