//! How the pods of a Job count.

use crate::world::controllers::pod::script::is_over;
use crate::world::object::{integer, list, terminating, text, time};
use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

/// The finalizer of a pod that is not counted yet.
pub(crate) const TRACKING: &str = "batch.kubernetes.io/job-tracking";

/// The first delay before a failed pod is replaced; it doubles with each failure.
const FIRST_DELAY: SignedDuration = SignedDuration::from_secs(10);

/// The longest delay before a failed pod is replaced.
const LONGEST_DELAY: SignedDuration = SignedDuration::from_mins(10);

/// The delay after so many failures.
pub(crate) fn delay_after(failures: i64) -> SignedDuration {
    let doublings = u32::try_from(failures - 1).unwrap_or(0).min(10);
    (FIRST_DELAY * 2_i32.pow(doublings)).min(LONGEST_DELAY)
}

/// Whether a Job replaces a pod only once it has failed, and not while it is being deleted.
pub(crate) fn replaces_failed_alone(job: &Value) -> bool {
    text(job, "/spec/podReplacementPolicy") == "Failed"
        || job["spec"]["podFailurePolicy"].is_object()
}

/// Whether a pod has ended and is to be counted now.
pub(crate) fn is_counted(job: &Value, pod: &Value) -> bool {
    let mut finalizers = list(pod, "/metadata/finalizers").iter();
    let is_ended = match replaces_failed_alone(job) {
        true => is_over(pod),
        false => !is_active(pod),
    };
    finalizers.any(|it| *it == TRACKING) && is_ended
}

pub(crate) fn is_active(pod: &Value) -> bool {
    !is_over(pod) && !terminating(pod)
}

/// Whether a pod counts as a failure; one that is deleted before its end does, too.
pub(crate) fn is_failed(pod: &Value) -> bool {
    text(pod, "/status/phase") != "Succeeded"
}

pub(crate) fn restarts(pod: &Value) -> i64 {
    let statuses = list(pod, "/status/containerStatuses").iter();
    statuses.map(|it| integer(it, "/restartCount")).sum()
}

/// When the last container of a pod ended.
pub(crate) fn ended_at(pod: &Value) -> Option<Timestamp> {
    let statuses = list(pod, "/status/containerStatuses").iter();
    let ends = statuses.filter_map(|it| time(it, "/state/terminated/finishedAt"));
    ends.max()
        .or_else(|| time(pod, "/metadata/deletionTimestamp"))
}

/// Whether a pod is on its way out.
pub(crate) fn is_ending(pod: &Value) -> bool {
    terminating(pod) && !is_over(pod)
}
