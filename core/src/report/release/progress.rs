//! A release that goes on in the next invocation, and how far it is.

use super::super::model::{Report, SUMMARY_LIMIT};
use super::naming::some_of;
use crate::release::ReleaseWait;
use crate::state::continuation::{Continuation, Phase};
use crate::text::{clip, quote};

/// How much of what an object says of itself is told.
const SAID_LIMIT: usize = 200;

/// The release goes on in the next invocation.
pub fn handed_over(continuation: &Continuation, bound_to: &str, wait: &ReleaseWait) -> Report {
    let nothing_written = continuation.phase == Phase::Start && !continuation.unsure;
    let summary = match continuation.unreachable_since {
        Some(since) => format!(
            "{}the cluster has not answered correctly since {since:.0}; retrying",
            if nothing_written {
                "nothing is written yet: "
            } else {
                ""
            }
        ),
        None => progress(wait),
    };
    Report::Progress {
        token: continuation.encode(bound_to),
        summary: clip(&summary, SUMMARY_LIMIT),
        percent: percent(wait),
    }
}

/// How far a release is: "4 of 9 objects applied, 2 ready; waiting for …".
pub fn progress(wait: &ReleaseWait) -> String {
    if let Some(execution) = &wait.locked_by {
        return format!("waiting for execution `{execution}`, which is deploying the same release");
    }
    let named = wait.waiting.iter().map(|(id, said)| match said.as_str() {
        "" => format!("`{id}`"),
        said => format!("`{id}` ({})", clip(&quote(said), SAID_LIMIT)),
    });
    let named = some_of(named.collect());
    let waiting = match named.as_str() {
        "" => String::new(),
        named => format!("; waiting for {named}"),
    };
    if wait.is_way_back {
        return format!("the release failed and is being rolled back{waiting}");
    }
    if let Some(until) = wait.watched_until {
        return format!("everything serves, and is watched until {until:.0}");
    }
    let ReleaseWait {
        applied,
        objects,
        ready,
        ..
    } = wait;
    format!("{applied} of {objects} objects applied, {ready} ready{waiting}")
}

/// Applying and becoming ready are half of the way each.
fn percent(wait: &ReleaseWait) -> i32 {
    if wait.is_way_back || wait.objects == 0 {
        return 0;
    }
    let percent = (wait.applied + wait.ready) * 100 / (2 * wait.objects);
    // A hundred is said by success alone.
    i32::try_from(percent.min(99)).unwrap_or(0)
}
