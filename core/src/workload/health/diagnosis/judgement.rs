//! How long a finding has lasted, and whether it is final.

use super::finding::{CRASHES, CRASHES_OF_WAITING, Explanation, Finding};
use super::quotes::{is_mute, telling};
use super::since::Look;
use crate::outcome::{Cause, Grace, SUPPLY};
use std::time::Duration;

/// How long a state that every healthy pod passes through lasts before it counts, however short the
/// patience: a busy scheduler or kubelet only needs time.
const USUAL: Duration = Duration::from_secs(20);

impl Finding {
    /// How long it has lasted at most: it is not older than our write, or than the check before the
    /// first that showed it. The cluster's own timestamps count if its clock agrees with ours.
    pub(super) fn age(&self, look: &Look) -> Duration {
        let own = look.since.of(self.cause);
        let theirs = self
            .since
            .filter(|_| look.since.trusts_clock_of(look.sight));
        let began = match (theirs, self.since) {
            (Some(theirs), _) => own.max(theirs),
            (None, Some(_)) => own,
            (None, None) => look.sight.at,
        };
        Duration::try_from(look.sight.at.duration_since(began)).unwrap_or_default()
    }

    /// Whether it speaks against its version, of which as many pods as it needs are available:
    /// `slow` is how long one of the others may take to get ready.
    pub fn speaks_against(&self, look: &Look, slow: Duration) -> bool {
        let is_slow =
            matches!(self.cause, Cause::NotReady | Cause::ReadinessGate) && self.age(look) >= slow;
        is_slow || self.cause.speaks_against()
    }

    pub(super) fn judged(mut self, look: &Look) -> Finding {
        let is_sure = || self.ends == 0 || self.counted_ends() >= self.ends_to_be_sure();
        let sure = !self.cause.repeats() || is_sure();
        let lasted = match self.cause.grace() {
            Grace::None => true,
            Grace::Times(times) => {
                let age = self.age(look);
                age >= look.patience * times && (!self.cause.is_usual() || age >= USUAL)
            }
            Grace::Deadline => {
                let fell = matches!(self.cause, Cause::NotReady | Cause::NodeTrouble);
                fell && look.since.has_served && self.age(look) >= look.patience
            }
        };
        let down = look.since.none_ready(look.sight).is_some_and(|began| {
            Duration::try_from(look.sight.at.duration_since(began))
                .is_ok_and(|it| it >= look.patience)
        });
        self.is_final = (sure && lasted || down) && !self.stale;
        self
    }

    /// How often its container has ended since its version began to serve, if it did.
    fn counted_ends(&self) -> u64 {
        self.ends.saturating_sub(self.before)
    }

    fn ends_to_be_sure(&self) -> u64 {
        let waits = self.init || self.cause == Cause::Crash && waits_for_another(&self.said);
        if waits { CRASHES_OF_WAITING } else { CRASHES }
    }

    /// Adds what only events show: that a pod's node is not ready, where the node controller cannot
    /// write a reason, and that a kubelet ended a container that ends well.
    pub fn explained(self, explanation: &Explanation) -> Finding {
        let warning = self.last_warning(explanation);
        if self.cause == Cause::NoScheduler
            && let Some(event) = warning.filter(|event| event.reason == "FailedScheduling")
        {
            // A scheduler of its own, as Fargate's, that says it in an event alone.
            return Finding {
                cause: Cause::Unschedulable,
                said: event.message.clone(),
                ..self
            };
        }
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

    /// Whether what explains a finding says that it is not final yet: the last log line, that the
    /// container only waits for a dependency, so that one more exit must be seen; an event, that a
    /// node is being bought for the pod, or another cause, which has longer.
    pub fn only_waits(&self, explanation: &Explanation, look: &Look) -> bool {
        if look.since.none_ready(look.sight).is_some() || !self.is_final || self.together.is_some()
        {
            return false;
        }
        let explained = self.clone().explained(explanation);
        if explained.cause == Cause::Unschedulable {
            let gets_a_node = explained.gets_a_node(explanation);
            return gets_a_node || !explained.judged(look).is_final;
        }
        let log = explanation.log.as_ref().and_then(|log| log.as_ref().ok());
        let last = log.and_then(|log| telling(log));
        self.cause == Cause::Crash
            && self.counted_ends() < CRASHES_OF_WAITING
            && last.is_some_and(|last| waits_for_another(&last))
    }

    /// Whether an autoscaler has said last that it buys a node for the pod.
    /// <https://github.com/kubernetes/autoscaler/blob/master/cluster-autoscaler/FAQ.md>
    /// <https://karpenter.sh/docs/troubleshooting/>
    fn gets_a_node(&self, explanation: &Explanation) -> bool {
        let answers = ["TriggeredScaleUp", "Nominated", "NotTriggerScaleUp"];
        let events = self.events(explanation).into_iter();
        let last = events
            .filter(|event| answers.contains(&event.reason.as_str()))
            .max_by_key(|event| event.last);
        last.is_some_and(|last| last.reason != "NotTriggerScaleUp")
    }

    /// Whether only events have the reason: of a failing pull that is reported without one, and of
    /// a container that waits for longer than others have to supply its volumes.
    pub fn wants_events(&self, look: &Look) -> bool {
        let age = self.age(look);
        let is_mute = self.cause == Cause::PullFails && is_mute(&self.said);
        let is_silent = self.cause == Cause::NotStarted && self.said.is_empty();
        let waits = is_silent && !self.container.is_empty();
        is_mute && age >= look.patience || waits && age >= look.patience * SUPPLY
    }

    /// Whether to report a state that every healthy pod passes through: only if it lasts.
    pub(super) fn is_told(&self, look: &Look) -> bool {
        !self.cause.is_usual() || self.ends > 0 || self.age(look) >= look.patience
    }
}

pub(super) fn worst(found: &[Finding]) -> Option<&Finding> {
    // One or two evicted pods explain less than the pods that replaced them.
    let telling = |finding: &Finding| {
        let few = finding.stale || finding.ends < CRASHES;
        if finding.cause == Cause::PodFails && few {
            Cause::NodeTrouble
        } else if finding.cause == Cause::NodeTrouble && finding.nodes.is_some() && !few {
            // That many explain more than the pod in their place, which has just begun.
            Cause::ReadinessGate
        } else {
            finding.cause
        }
    };
    let rank = |finding: &&Finding| (!finding.is_final, telling(finding), u64::MAX - finding.ends);
    found.iter().min_by_key(rank)
}

/// Whether the last log line says that what the program needs is not there yet.
fn waits_for_another(text: &str) -> bool {
    const MARKS: [&str; 12] = [
        "connection refused",
        "econnrefused",
        "actively refused",
        // The name of a Service whose pods, or whose resolver, are only starting.
        "eai_again",
        "temporary failure in name resolution",
        "server misbehaving",
        "no route to host",
        "etimedout",
        "connection timed out",
        // PostgreSQL, Redis, RabbitMQ.
        "the database system is starting up",
        "loading the dataset in memory",
        "not yet available",
    ];
    let text = text.to_lowercase();
    MARKS.iter().any(|mark| text.contains(mark))
}
