//! Since when something can have lasted.
//!
//! The cluster's clock may be minutes away from ours. What is old and what is new is told by which
//! pods were there at the first look and how often they had been restarted, and a time of the
//! cluster counts only as long as nothing shows that its clock is wrong.

use super::finding::{Explanation, PodSnapshot};
use crate::kubernetes::object::{Deployment, ReplicaSet, digest};
use crate::kubernetes::pod::{FAILED_LIMIT, Pod, Pods};
use crate::outcome::Cause;
use crate::workload::health::rollout::WriteReceipt;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How far the clocks of cluster and function may differ before a new pod looks like an old one.
pub(super) const SKEW: Duration = Duration::from_secs(60);

/// How far the cluster's clock may be away before its times are evidence of nothing: the creation
/// of a ReplicaSet is seconds after the write that makes it.
pub(super) const CLOCK: Duration = Duration::from_secs(10);

/// What earlier looks have shown: since when each cause may have been there.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct SymptomHistory {
    /// The last look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// Causes that it showed, each with the look before the first that did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<(Cause, Timestamp)>,
    /// What was last said of an image that cannot be pulled, by the image's digest: later the
    /// kubelet only says that it waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<(String, String)>,
    /// The pods of a first look at a ReplicaSet that may be older than our write, each with its
    /// restarts; `None` where there are too many, or the ReplicaSet is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Vec<(String, u64)>>,
    /// How many pods had failed as a whole, and the look that showed the last of them first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<(usize, Timestamp)>,
    /// Whether a time was seen that is in the future: the cluster's clock is ahead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ahead: bool,
}

impl SymptomHistory {
    /// Whether nothing has been looked at.
    pub fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// Gives up what tells least; false where nothing is left.
    pub fn shrink(&mut self) -> bool {
        self.words.pop().is_some() || self.first.take().is_some() || self.seen.pop().is_some()
    }
}

/// Since when a cause was seen. That an image is missing was so while it was only said that its
/// pull fails.
pub(super) fn known(seen: &[(Cause, Timestamp)], cause: Cause) -> Option<Timestamp> {
    let find = |wanted| {
        let mut seen = seen.iter();
        seen.find(|(known, _)| *known == wanted).map(|(_, at)| *at)
    };
    let pull = || {
        cause
            .is_of_image()
            .then(|| find(Cause::PullFails))
            .flatten()
    };
    find(cause).or_else(pull)
}

/// A short name of a pod that no other has.
pub(super) fn key(pod: &Pod) -> String {
    let uid = if pod.uid.is_empty() {
        &pod.name
    } else {
        &pod.uid
    };
    digest(uid)[..8].to_owned()
}

pub(super) fn restarts(pod: &Pod) -> u64 {
    pod.containers
        .iter()
        .map(|container| container.restarts)
        .sum()
}

/// Since when something can have lasted, and what else is known of the time.
#[derive(Clone, Debug)]
pub struct Since<'a> {
    /// When the new version was written: nothing of it is older.
    pub written: Timestamp,
    /// What earlier looks have shown; a cause that is not there is not limited by them.
    pub seen: &'a [(Cause, Timestamp)],
    /// What was said of images that cannot be pulled, by their digests.
    pub(super) words: Vec<(String, String)>,
    pub(super) first: Option<&'a [(String, u64)]>,
    pub(super) ahead: bool,
    pub(super) failed: Option<(usize, Timestamp)>,
    /// Whether a ReplicaSet that has not been the newest before was made by our write.
    pub(super) is_ours: bool,
    /// The same as far as can be told by the time.
    pub(super) may_be_ours: bool,
    /// Whether old pods of the Deployment are ending, by its own count.
    pub(super) ending: bool,
    /// Whether new pods wait for no old ones: nothing of this rollout will make room for them.
    pub(super) frees_nothing: bool,
}

impl From<Timestamp> for Since<'_> {
    fn from(written: Timestamp) -> Self {
        Since {
            written,
            seen: &[],
            words: Vec::new(),
            first: None,
            failed: None,
            ahead: false,
            is_ours: false,
            may_be_ours: false,
            ending: false,
            frees_nothing: false,
        }
    }
}

impl<'a> Since<'a> {
    /// What is known of a rollout that is followed: its write, whether it was ours, and whether
    /// it replaced a version that served.
    pub fn of_rollout(
        written: &WriteReceipt,
        wrote: bool,
        replaces: bool,
        live: &Deployment,
        sights: &'a SymptomHistory,
        explanation: &Explanation,
    ) -> Since<'a> {
        let mut words = sights.words.clone();
        let events = explanation.events.iter().flatten().flatten();
        words.extend(events.filter_map(|event| {
            let rest = event.message.strip_prefix("Failed to pull image \"")?;
            let (image, said) = rest.split_once("\": ")?;
            Some((digest(image), said.to_owned()))
        }));
        Since {
            written: written.at,
            seen: &sights.seen,
            words,
            first: sights.first.as_deref(),
            failed: sights.failed,
            ahead: sights.ahead,
            is_ours: wrote && replaces,
            may_be_ours: wrote,
            ending: live.terminating_replicas().is_some_and(|count| count > 0),
            frees_nothing: false,
        }
    }

    /// The same where new pods wait for no old ones, as those of a switch: nothing of the rollout
    /// will make room for them.
    pub fn freeing_nothing(self, frees_nothing: bool) -> Self {
        Since {
            frees_nothing,
            ..self
        }
    }

    pub(super) fn of(&self, cause: Cause) -> Timestamp {
        let seen = known(self.seen, cause);
        seen.map_or(self.written, |since| self.written.max(since))
    }

    /// What was said of an image before.
    pub(super) fn words_about(&self, image: &str) -> Option<&str> {
        let image = digest(image);
        let mut words = self.words.iter().rev();
        words
            .find(|(known, _)| *known == image)
            .map(|(_, said)| said.as_str())
    }

    /// How far a ReplicaSet's creation is from our write.
    fn distance(&self, set: &ReplicaSet) -> Option<Duration> {
        let created = set.created?;
        Some(created.duration_since(self.written).unsigned_abs())
    }

    /// Whether our write made the ReplicaSet, so that all its pods are new.
    pub(super) fn is_new(&self, set: &ReplicaSet) -> bool {
        let near = self.distance(set).is_some_and(|distance| distance <= SKEW);
        !set.returned && set.created.is_some() && (self.is_ours || self.may_be_ours && near)
    }

    /// Whether times of the cluster can be compared with ours.
    pub(super) fn trusts_clock_of(&self, sight: &PodSnapshot) -> bool {
        let far = self
            .distance(&sight.set)
            .is_some_and(|distance| distance > CLOCK);
        !(self.ahead || far && self.is_new(&sight.set))
    }

    /// Whether a pod was there before our write, as far as can be told.
    pub(super) fn is_old(&self, pod: &Pod, sight: &PodSnapshot) -> bool {
        if self.is_new(&sight.set) {
            return false;
        }
        match self.first {
            Some(first) => match first.iter().find(|(known, _)| *known == key(pod)) {
                None => false,
                // What has been restarted twice by the first look, seconds after our write, is
                // older than it.
                Some((_, restarts)) if *restarts >= 2 => true,
                Some(_) => self.looks_old(pod),
            },
            None => self.looks_old(pod),
        }
    }

    fn looks_old(&self, pod: &Pod) -> bool {
        let created = pod.created;
        created.is_some_and(|created| created + SKEW < self.written)
    }

    /// Whether a failed pod may be of before our write.
    pub(super) fn was_before(&self, created: Option<Timestamp>, sight: &PodSnapshot) -> bool {
        let old = created.is_none_or(|created| created + SKEW < self.written);
        old && !self.is_new(&sight.set)
    }

    /// Whether pods go on failing as a whole: where the last of them is a while ago, the one in its
    /// place may be well.
    pub(super) fn goes_on_failing(&self, sight: &PodSnapshot, patience: Duration) -> bool {
        self.failed.is_none_or(|(count, last)| {
            count >= FAILED_LIMIT || last + patience / 2 > sight.at || last == sight.at
        })
    }

    /// Whether a pod has been restarted since the first look.
    pub(super) fn was_restarted(&self, pod: &Pod) -> bool {
        let mut first = self.first.iter().copied().flatten();
        first
            .find(|(known, _)| *known == key(pod))
            .is_some_and(|(_, before)| restarts(pod) > *before)
    }

    /// Whether old pods are ending within their grace period: what they leave may be all that is
    /// missing.
    pub(super) fn old_pods_end(&self, pods: &Pods, sight: &PodSnapshot) -> bool {
        match pods.ending {
            Some(end) => !self.trusts_clock_of(sight) || end + SKEW > sight.at,
            None => self.ending,
        }
    }
}
