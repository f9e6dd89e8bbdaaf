//! How long a finding has lasted, and whether it is final.

use super::finding::{CRASHES, CRASHES_OF_WAITING, Explanation, Finding, PodSnapshot};
use super::quotes::{is_mute, last_warning, telling};
use super::since::Since;
use crate::outcome::{Cause, Grace};
use std::time::Duration;

/// How long a state that every healthy pod passes through lasts before it counts, however short the
/// patience: a busy scheduler or kubelet only needs time.
const USUAL: Duration = Duration::from_secs(20);

impl Finding {
    /// How long it has lasted at most: it is not older than our write, or than the check before the
    /// first that showed it. The cluster's own timestamps count if its clock agrees with ours.
    pub(super) fn age(&self, sight: &PodSnapshot, since: &Since<'_>) -> Duration {
        let own = since.of(self.cause);
        let theirs = self.since.filter(|_| since.trusts_clock_of(sight));
        let began = match (theirs, self.since) {
            (Some(theirs), _) => own.max(theirs),
            (None, Some(_)) => own,
            (None, None) => sight.at,
        };
        Duration::try_from(sight.at.duration_since(began)).unwrap_or_default()
    }

    pub(super) fn judged(
        mut self,
        sight: &PodSnapshot,
        since: &Since<'_>,
        patience: Duration,
    ) -> Finding {
        let sure = !self.cause.repeats() || self.ends == 0 || self.ends >= self.ends_to_be_sure();
        let lasted = match self.cause.grace() {
            Grace::None => true,
            Grace::Times(times) => {
                let age = self.age(sight, since);
                age >= patience * times && (!self.cause.is_usual() || age >= USUAL)
            }
            Grace::Deadline => {
                let fell = matches!(self.cause, Cause::NotReady | Cause::NodeTrouble);
                fell && since.has_served && self.age(sight, since) >= patience
            }
        };
        self.is_final = sure && lasted && !self.stale;
        self
    }

    fn ends_to_be_sure(&self) -> u64 {
        let waits = self.init || self.cause == Cause::Crash && is_refused(&self.said);
        if waits { CRASHES_OF_WAITING } else { CRASHES }
    }

    /// Adds what only events show: that a pod's node is not ready, where the node controller cannot
    /// write a reason, and that a kubelet ended a container that ends well.
    pub fn explained(self, explanation: &Explanation) -> Finding {
        let warning = last_warning(explanation);
        let of_node = warning.is_some_and(|event| event.reason == "NodeNotReady");
        if self.cause == Cause::NotReady && self.container.is_empty() && of_node {
            let said = warning.map(|event| event.message.clone());
            return Finding {
                cause: Cause::NodeTrouble,
                said: said.unwrap_or_default(),
                ..self
            };
        }
        if self.cause == Cause::Ends && self.killed_by_probe(explanation).is_some() {
            // It ended well because it was asked to.
            return Finding {
                cause: Cause::Crash,
                ..self
            };
        }
        self
    }

    /// Whether the last log line says that the container only waits for a dependency: then one more
    /// exit must be seen.
    pub fn only_waits(&self, explanation: &Explanation) -> bool {
        let log = explanation.log.as_ref().and_then(|log| log.as_ref().ok());
        let last = log.and_then(|log| telling(log));
        self.cause == Cause::Crash
            && self.is_final
            && self.ends < CRASHES_OF_WAITING
            && last.is_some_and(|last| is_refused(&last))
    }

    /// Whether Kubernetes reports a failing pull without the reason: then events have it.
    pub fn wants_events(&self, sight: &PodSnapshot, since: &Since<'_>, patience: Duration) -> bool {
        self.cause == Cause::PullFails && is_mute(&self.said) && self.age(sight, since) >= patience
    }

    /// Whether to report a state that every healthy pod passes through: only if it lasts.
    pub(super) fn is_told(
        &self,
        sight: &PodSnapshot,
        since: &Since<'_>,
        patience: Duration,
    ) -> bool {
        !self.cause.is_usual() || self.ends > 0 || self.age(sight, since) >= patience
    }
}

pub(super) fn worst(found: &[Finding]) -> Option<&Finding> {
    // One or two evicted pods explain less than the pods that replaced them.
    let telling = |finding: &Finding| {
        let few = finding.stale || finding.ends < CRASHES;
        if finding.cause == Cause::PodFails && few {
            Cause::NodeTrouble
        } else {
            finding.cause
        }
    };
    let rank = |finding: &&Finding| (!finding.is_final, telling(finding), u64::MAX - finding.ends);
    found.iter().min_by_key(rank)
}

/// Whether the last log line says that a connection was refused.
fn is_refused(text: &str) -> bool {
    let text = text.to_lowercase();
    ["connection refused", "econnrefused", "actively refused"]
        .iter()
        .any(|mark| text.contains(mark))
}
