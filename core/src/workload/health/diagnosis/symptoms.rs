//! What earlier checks of the pods have shown, and since when a problem can have lasted.
//!
//! The cluster's clock may differ from ours by minutes. The pods of the first check and their
//! restart counts separate old from new. A timestamp of the cluster counts only as long as nothing
//! shows that its clock is wrong.

use super::classification::findings;
use super::finding::PodSnapshot;
use super::quotes::{core, is_mute};
use super::served::key;
use super::since::{CLOCK, Look, Since, SymptomHistory, known};
use crate::kubernetes::object::digest;
use crate::kubernetes::pod::{Container, Pod, Pods, State};
use crate::outcome::Cause;
use jiff::Timestamp;
use std::collections::BTreeSet;
use std::time::Duration;

/// The longest time between two checks that count as consecutive.
const LOOKS: Duration = Duration::from_secs(8);

/// How many pods of the first check, and how many registry messages, are stored: a continuation has
/// little room.
const REMEMBERED: usize = 12;
/// See [`REMEMBERED`].
const WORDS: usize = 3;

impl SymptomHistory {
    /// Adds a check. A problem that it shows for the first time began after the previous check,
    /// which may be long ago if there was a gap between the invocations.
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
            let first = pods.others.iter().map(|pod| (key(pod), pod.restarts()));
            next.first = Some(first.collect());
        }
        let since = Since {
            words: [since.words.clone(), next.words.clone()].concat(),
            ..since.clone()
        };
        let look = Look {
            sight,
            since: &since,
            patience: Duration::ZERO,
        };
        let found = findings(pods, &look);
        let causes = found.iter().map(|found| found.cause);
        // Whatever the cause, a version that has served is not ready then.
        let fell = (since.has_served && pods.ready == 0).then_some(Cause::NotReady);
        for cause in causes.chain(fell).collect::<BTreeSet<_>>() {
            // The room that terminating pods will free is not missing yet.
            let is_held = cause.is_of_creation() && since.old_pods_end(pods, sight);
            let began = known(&self.seen, cause).filter(|_| !is_held);
            next.seen.push((
                cause,
                began.unwrap_or(if is_held { sight.at } else { before }),
            ));
        }
        next
    }

    /// Stores the last meaningful message about each image.
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

/// The registry's message, if the kubelet quotes it.
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
