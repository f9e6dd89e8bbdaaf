//! Since when a problem can have lasted.
//!
//! The cluster's clock may differ from ours by minutes. The pods of the first check and their
//! restart counts separate old from new. A timestamp of the cluster counts only as long as nothing
//! shows that its clock is wrong.

use super::finding::{Explanation, PodSnapshot};
use super::served::{Served, key};
use crate::kubernetes::object::digest;
use crate::kubernetes::pod::{Event, FAILED_LIMIT, Pod, Pods};
use crate::outcome::{Cause, Grace};
use crate::workload::Workload;
use crate::workload::health::rollout::WriteReceipt;
use crate::workload::replica_set::ReplicaSet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::time::Duration;

/// How far the clocks of the cluster and the function may differ before a new pod looks like an old
/// one.
pub(super) const SKEW: Duration = Duration::from_secs(60);

/// How far the cluster's clock may be off before its timestamps prove nothing: a ReplicaSet is
/// created seconds after the write that causes it.
pub(super) const CLOCK: Duration = Duration::from_secs(10);

/// What earlier checks have shown: since when each cause may have existed.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct SymptomHistory {
    /// The time of the last check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<Timestamp>,
    /// The causes in it, each with the time of the check before the first that showed it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<(Cause, Timestamp)>,
    /// The last message about an image that cannot be pulled, by the image's digest: later the
    /// kubelet only reports that it waits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<(String, String)>,
    /// The pods of the first check of a ReplicaSet that may be older than our write, each with its
    /// restarts; `None` if there are too many, or the ReplicaSet is new.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub first: Option<Vec<(String, u64)>>,
    /// How many pods had failed as a whole, and the check that first showed the last of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed: Option<(usize, Timestamp)>,
    /// Whether a timestamp was in the future: the cluster's clock is ahead.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ahead: bool,
    /// What was there when the version served in full and began to be watched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub served: Option<Served>,
}

impl SymptomHistory {
    /// Whether there was no check yet.
    pub fn is_empty(&self) -> bool {
        self.last.is_none()
    }

    /// After a check at which all pods were ready: an earlier time without readiness is over. A
    /// crash loop is not, as its pods are ready now and then.
    pub fn healed(&self, at: Timestamp) -> SymptomHistory {
        let mut next = self.clone();
        next.last = Some(at);
        next.seen
            .retain(|(cause, _)| cause.grace() != Grace::Deadline);
        next
    }

    /// Removes the least important entry; returns false if nothing is left.
    pub fn shrink(&mut self) -> bool {
        self.words.pop().is_some()
            || self.first.take().is_some()
            || self.seen.pop().is_some()
            || self.served.take().is_some()
    }
}

/// Since when a cause was seen. A missing image was already missing while only a failing pull was
/// reported.
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

/// Whether a volume cannot be mounted because a ConfigMap, a Secret, or a key of one is missing.
fn lacks_object(event: &Event) -> bool {
    let message = &event.message;
    let is_object = message.contains("configmap \"") || message.contains("secret \"");
    let is_missing = is_object && message.ends_with("not found");
    event.reason == "FailedMount" && (is_missing || message.contains("references non-existent"))
}

/// Since when a problem can have lasted, and other facts about time.
#[derive(Clone, Debug, Default)]
pub struct Since<'a> {
    /// When the new version was written: nothing of it is older.
    pub written: Timestamp,
    /// What earlier checks have shown; other causes are not limited by them.
    pub seen: &'a [(Cause, Timestamp)],
    /// The messages about images that cannot be pulled, by their digests.
    pub(super) words: Vec<(String, String)>,
    pub(super) first: Option<&'a [(String, u64)]>,
    /// What was there when the version served in full.
    pub(super) served: Option<&'a Served>,
    /// How many pods the version must have ready: more were asked for since.
    pub needed: Option<i64>,
    /// Whether the deploy itself asks for more pods step by step, as those of a canary: those that
    /// come belong to its verdict.
    pub grows_by_steps: bool,
    /// How many pods the version is to have.
    pub(super) wanted: i64,
    pub(super) ahead: bool,
    pub(super) failed: Option<(usize, Timestamp)>,
    /// What is said of a volume whose object nobody has supplied.
    pub(super) unmounted: Option<String>,
    /// Whether our write created a ReplicaSet that was not the newest before.
    pub(super) is_ours: bool,
    /// The same, as far as timestamps show it.
    pub(super) may_be_ours: bool,
    /// Whether old pods of the Deployment are terminating, by its own count.
    pub(super) ending: bool,
    /// Whether new pods do not wait for old ones: this rollout will not make room for them.
    pub frees_nothing: bool,
    /// Whether all pods were ready before and get the traffic: a slow start does not explain it.
    pub has_served: bool,
    /// Whether the place of a pod is taken by no other.
    pub(super) in_place: bool,
    /// If the pods are of earlier versions, which of them count.
    pub(super) others: Option<Others>,
}

/// A look at the pods, and by what it is judged.
#[derive(Debug)]
pub struct Look<'a> {
    /// What was seen.
    pub sight: &'a PodSnapshot,
    /// Since when it can have lasted.
    pub since: &'a Since<'a>,
    /// How long what may pass by itself is waited for.
    pub patience: Duration,
}

/// Which pods of earlier versions hold a rollout up.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Others {
    /// Each that is not ready.
    Unready,
    /// Those that do not end.
    Hanging,
}

impl From<Timestamp> for Since<'_> {
    fn from(written: Timestamp) -> Self {
        Since {
            written,
            ..Since::default()
        }
    }
}

impl<'a> Since<'a> {
    /// Builds it for a rollout: its write, whether it was ours, and whether it replaced a ready
    /// version.
    pub fn of_rollout(
        written: &WriteReceipt,
        wrote: bool,
        replaces: bool,
        live: &Workload,
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
            served: sights.served.as_ref(),
            needed: sights.served.as_ref().map(|served| served.wanted),
            wanted: live.replicas(),
            failed: sights.failed,
            ahead: sights.ahead,
            is_ours: wrote && replaces,
            may_be_ours: wrote,
            ending: live.terminating_replicas().is_some_and(|count| count > 0),
            in_place: live.kind().row().in_place,
            ..Since::default()
        }
    }

    /// For volumes whose objects, by the events of a pod, were missing at a try later than they had
    /// to be `supplied`: a kubelet tries again every two minutes at the latest.
    pub fn missing(self, explanation: &Explanation, supplied: Timestamp) -> Self {
        let events = explanation.events.iter().flatten().flatten();
        let failed = events.clone().filter(|event| lacks_object(event));
        let failed = failed.max_by_key(|event| event.last);
        let failed = failed.filter(|failed| {
            // What is said of a container comes after its volumes.
            let mut later = events.filter(|event| event.last > failed.last);
            failed.last > Some(supplied) && !later.any(|event| !event.container.is_empty())
        });
        Since {
            unmounted: failed.map(|failed| failed.message.clone()),
            ..self
        }
    }

    /// For the pods of earlier versions: what served does not speak of them.
    pub fn of_others(self, others: Option<Others>) -> Self {
        let served = self.served.filter(|_| others.is_none());
        let needed = self.needed.filter(|_| others.is_none());
        Since {
            served,
            needed,
            others,
            ..self
        }
    }

    /// How many pods a step of a canary has asked for beside those that serve: they are made
    /// together, and nothing else is waited for.
    pub(super) fn of_step(&self, ready: i64) -> Option<usize> {
        let served = self.served.filter(|_| self.grows_by_steps)?;
        let is_step = self.wanted > served.wanted && ready >= served.wanted;
        usize::try_from(self.wanted - served.wanted)
            .ok()
            .filter(|_| is_step)
    }

    pub(super) fn of(&self, cause: Cause) -> Timestamp {
        let seen = known(self.seen, cause);
        seen.map_or(self.written, |since| self.written.max(since))
    }

    /// Since when no pod has been ready of a version that has served.
    pub(super) fn none_ready(&self, sight: &PodSnapshot) -> Option<Timestamp> {
        let pods = sight.pods.as_ref().ok()?;
        let none = self.has_served && pods.ready == 0 && !pods.cut;
        none.then(|| known(self.seen, Cause::NotReady)).flatten()
    }

    /// An earlier message about an image.
    pub(super) fn words_about(&self, image: &str) -> Option<&str> {
        let image = digest(image);
        let mut words = self.words.iter().rev();
        words
            .find(|(known, _)| *known == image)
            .map(|(_, said)| said.as_str())
    }

    /// The time between our write and a ReplicaSet's creation.
    fn distance(&self, set: &ReplicaSet) -> Option<Duration> {
        let created = set.created?;
        Some(created.duration_since(self.written).unsigned_abs())
    }

    /// Whether our write created the version, so all its pods are new.
    pub(super) fn is_new(&self, set: &ReplicaSet) -> bool {
        let near = self.distance(set).is_some_and(|distance| distance <= SKEW);
        // A ControllerRevision does not tell whether it came back, so only its age counts.
        let is_ours = self.is_ours && set.keeper.is_empty();
        !set.returned && set.created.is_some() && (is_ours || self.may_be_ours && near)
    }

    /// Whether the version was there long before our write, and did not come back by it.
    pub(super) fn is_older(&self, set: &ReplicaSet) -> bool {
        let created = set.created.filter(|_| !set.returned);
        created.is_some_and(|created| created + SKEW < self.written)
    }

    /// Whether the cluster's timestamps can be compared with ours.
    pub(super) fn trusts_clock_of(&self, sight: &PodSnapshot) -> bool {
        let far = self
            .distance(&sight.set)
            .is_some_and(|distance| distance > CLOCK);
        !(self.ahead || far && self.is_new(&sight.set))
    }

    /// Whether a pod existed before our write, as far as this can be known.
    pub(super) fn is_old(&self, pod: &Pod, sight: &PodSnapshot) -> bool {
        if self.is_new(&sight.set) {
            return false;
        }
        match self.first {
            Some(first) => match first.iter().find(|(known, _)| *known == key(pod)) {
                None => false,
                // A pod with two restarts at the first check, seconds after our write, is older
                // than it.
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

    /// Whether a failed pod may be older than our write.
    pub(super) fn was_before(&self, created: Option<Timestamp>, sight: &PodSnapshot) -> bool {
        let old = created.is_none_or(|created| created + SKEW < self.written);
        old && !self.is_new(&sight.set)
    }

    /// Whether pods still fail as a whole: if the last one failed a while ago, its replacement may
    /// be healthy.
    pub(super) fn goes_on_failing(&self, sight: &PodSnapshot, patience: Duration) -> bool {
        self.failed.is_none_or(|(count, last)| {
            count >= FAILED_LIMIT || last + patience / 2 > sight.at || last == sight.at
        })
    }

    /// Whether a pod was restarted since the first check.
    pub(super) fn was_restarted(&self, pod: &Pod) -> bool {
        let mut first = self.first.iter().copied().flatten();
        first
            .find(|(known, _)| *known == key(pod))
            .is_some_and(|(_, before)| pod.restarts() > *before)
    }

    /// Whether old pods are terminating within their grace period: the room that they free may be
    /// all that is missing.
    pub(super) fn old_pods_end(&self, pods: &Pods, sight: &PodSnapshot) -> bool {
        match pods.ending {
            Some(end) => !self.trusts_clock_of(sight) || end + SKEW > sight.at,
            None => self.ending,
        }
    }
}
