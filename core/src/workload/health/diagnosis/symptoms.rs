//! What earlier looks at the pods have shown, and since when something can have lasted.
//!
//! The cluster's clock may be minutes away from ours. What is old and what is new is told by which
//! pods were there at the first look and how often they had been restarted, and a time of the
//! cluster counts only as long as nothing shows that its clock is wrong.

use super::classification::findings;
use super::finding::PodSnapshot;
use super::quotes::{core, is_mute};
use super::since::{CLOCK, Since, SymptomHistory, key, known, restarts};
use crate::kubernetes::object::digest;
use crate::kubernetes::pod::{Container, Pod, Pods, State};
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

/// The longest time from one look to the next that is counted as if there had been none between.
const LOOKS: Duration = Duration::from_secs(8);

/// Pods of the first look that are remembered, and words of registries: a continuation has room
/// for a few.
const REMEMBERED: usize = 12;
/// See [`REMEMBERED`].
const WORDS: usize = 3;

impl SymptomHistory {
    /// With one more look. What it shows for the first time began after the look before, which may
    /// be long ago where the invocations have a gap between them.
    pub fn with(&self, sight: &PodSnapshot, since: &Since<'_>) -> SymptomHistory {
        let before = self.last.unwrap_or(since.written);
        let before = before.max(sight.at - LOOKS).min(sight.at);
        let mut next = SymptomHistory {
            last: Some(sight.at),
            seen: Vec::new(),
            ..self.clone()
        };
        let Ok(pods) = &sight.pods else {
            return next;
        };
        let refused = sight.set.failure.iter().filter_map(|(_, at)| *at);
        let times = pods.others.iter().flat_map(times_of).chain(refused);
        next.ahead |= times.max().is_some_and(|time| time > sight.at + CLOCK);
        next.remember_words(pods);
        if next
            .failed
            .is_none_or(|(count, _)| count < pods.failed.len())
        {
            next.failed = Some((pods.failed.len(), sight.at));
        }
        if self.is_empty() && !since.is_new(&sight.set) && pods.others.len() <= REMEMBERED {
            let first = pods.others.iter().map(|pod| (key(pod), restarts(pod)));
            next.first = Some(first.collect());
        }
        let since = Since {
            words: [since.words.clone(), next.words.clone()].concat(),
            ..since.clone()
        };
        let found = findings(pods, sight, &since, Duration::ZERO);
        for cause in found
            .iter()
            .map(|found| found.cause)
            .collect::<BTreeSet<_>>()
        {
            // What old pods leave when they end is not missing yet.
            let is_held = cause.is_of_creation() && since.old_pods_end(pods, sight);
            let began = known(&self.seen, cause).filter(|_| !is_held);
            next.seen.push((
                cause,
                began.unwrap_or(if is_held { sight.at } else { before }),
            ));
        }
        next
    }

    /// The last telling words about each image.
    fn remember_words(&mut self, pods: &Pods) {
        for container in pods.others.iter().flat_map(|pod| &pod.containers) {
            if let Some(said) = telling_pull(container) {
                let image = digest(&container.image);
                self.words.retain(|(known, _)| *known != image);
                self.words.push((image, core(said)));
            }
        }
        let spare = self.words.len().saturating_sub(WORDS);
        self.words.drain(..spare);
    }
}

/// What a registry was quoted with, where the kubelet quotes it.
fn telling_pull(container: &Container) -> Option<&str> {
    match &container.state {
        State::Waiting { reason, message }
            if ["ErrImagePull", "ImagePullBackOff"].contains(&reason.as_str()) =>
        {
            Some(message.as_str()).filter(|message| !is_mute(message))
        }
        State::Waiting { .. } | State::Unknown | State::Running | State::Ended(_) => None,
    }
}

fn times_of(pod: &Pod) -> impl Iterator<Item = Timestamp> {
    let last = pod.containers.iter().filter_map(|it| it.last.as_ref());
    let ended = last.filter_map(|ended| ended.finished);
    pod.created.into_iter().chain(pod.scheduled).chain(ended)
}

#[cfg(test)]
mod tests;
