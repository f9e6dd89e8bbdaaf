//! What was there when a version served in full, and was watched from then on.

use crate::kubernetes::object::digest;
use crate::kubernetes::pod::{Container, Ended, Pod, Pods, State};
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;

/// How many pods are stored: a continuation has little room.
const LISTED: usize = 12;

/// What was there when a version served in full, and was watched from then on.
#[derive(Clone, Debug, Default, PartialEq, Deserialize, Serialize)]
pub struct Served {
    /// How many pods were wanted, and available, the last time that all were.
    pub wanted: i64,
    /// How often the containers of each pod had ended when the watch began, the most often first;
    /// without the pods of which none had.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    ends: Vec<(String, u64)>,
    /// How many pods had failed as a whole by then.
    #[serde(default, skip_serializing_if = "is_none")]
    pub(super) failed: usize,
}

fn is_none(count: &usize) -> bool {
    *count == 0
}

impl Served {
    /// Takes note of what serves now.
    pub fn of(wanted: i64, pods: &Pods) -> Served {
        let mut ends = all(pods)
            .map(|pod| (key(pod), ends(pod)))
            .filter(|(_, ends)| *ends > 0)
            .collect::<Vec<_>>();
        ends.sort_by_key(|(_, ends)| Reverse(*ends));
        ends.truncate(LISTED);
        let failed = pods.failed.len();
        Served {
            wanted,
            ends,
            failed,
        }
    }

    /// The same, with so many pods wanted.
    pub fn wanting(&self, wanted: i64) -> Served {
        Served {
            wanted,
            ..self.clone()
        }
    }

    /// How often a pod had ended. One that did not fit had ended no more often than the last one.
    pub(super) fn ends_of(&self, pod: &Pod) -> u64 {
        let key = key(pod);
        let known = self.ends.iter().find(|(known, _)| *known == key);
        let rest = self.ends.get(LISTED - 1);
        known.or(rest).map_or(0, |(_, ends)| *ends)
    }
}

/// Whether a version that needs so many pods lacks only what was asked for since: a cluster without
/// room for more pods does not speak against the version.
pub fn lacks_only_more(needed: i64, ready: i64, wanted: i64) -> bool {
    wanted > needed && ready >= needed.max(1)
}

pub(super) fn all(pods: &Pods) -> impl Iterator<Item = &Pod> {
    pods.others.iter().chain(&pods.restarted)
}

/// How often the containers of a pod have ended. Init containers end well.
pub(super) fn ends(pod: &Pod) -> u64 {
    let serving = pod.containers.iter().filter(|container| !container.init);
    serving.map(ends_of).sum()
}

/// How often a container has ended: a restart is counted when it begins.
pub(super) fn ends_of(container: &Container) -> u64 {
    let is_down = !matches!(container.state, State::Running) && last(container).is_some();
    container.restarts + u64::from(is_down)
}

pub(super) fn last(container: &Container) -> Option<&Ended> {
    match &container.state {
        State::Ended(ended) => Some(ended),
        State::Unknown | State::Waiting { .. } | State::Running => container.last.as_ref(),
    }
}

/// A short, unique name of a pod.
pub(super) fn key(pod: &Pod) -> String {
    let uid = if pod.uid.is_empty() {
        &pod.name
    } else {
        &pod.uid
    };
    digest(uid)[..8].to_owned()
}
