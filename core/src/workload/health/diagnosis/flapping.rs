//! Pods of a version that serves, and end in turns, or are evicted and replaced again and again: no
//! single look shows more than a pod that starts.

use super::classification::of_end;
use super::finding::{CRASHES, Finding};
use super::served::{all, ends, ends_of, last};
use super::since::Look;
use super::whole::of_failed;
use crate::kubernetes::pod::{Container, Ended, Pod, Pods, State};
use crate::outcome::Cause;
use serde_json::Value;

/// The pod that has ended most often, where the pods of a version that serves have together ended
/// as often as if each had been in a crash loop.
pub(super) fn flapping(pods: &Pods, look: &Look) -> Option<Finding> {
    let served = look.since.served?;
    let ended = |pod: &Pod| own_ends(pod).min(ends(pod).saturating_sub(served.ends_of(pod)));
    let restarted = all(pods).map(ended).sum::<u64>();
    // Those that failed by their own fault; pods that nodes end for their reasons do not count.
    let groups = of_failed(pods, look).into_iter();
    let groups = groups.filter(|group| group.cause == Cause::PodFails && has_run(group));
    let evicted = groups.max_by_key(|group| group.ends);
    let replaced = evicted.as_ref().map_or(0, |group| group.ends);
    let replaced = replaced.saturating_sub(served.failed as u64);
    let together = restarted + replaced;
    if together < look.since.wanted.max(1).unsigned_abs() * CRASHES {
        return None;
    }
    if let Some(group) = evicted.filter(|_| replaced > restarted) {
        return Some(Finding {
            together: Some(together),
            is_final: true,
            stale: false,
            ..group
        });
    }
    let worst = all(pods).max_by_key(|pod| ended(pod))?;
    let containers = worst.containers.iter().filter(|it| failed(it).is_some());
    let container = containers.max_by_key(|container| ends_of(container))?;
    Some(Finding {
        // The log of a run that has ended, and is not yet followed by another.
        previous: !matches!(container.state, State::Ended(_)),
        together: Some(together),
        is_final: true,
        ..of_end(worst, container, failed(container)?, look.sight)
    })
}

/// Whether such pods ran: what a kubelet does not admit has served nobody.
/// <https://github.com/kubernetes/kubernetes/blob/v1.35.0/pkg/kubelet/kubelet.go>
fn has_run(group: &Finding) -> bool {
    !group.said.contains("Pod was rejected")
}

/// The same, of those that ended by their own fault, by how they ended last.
fn own_ends(pod: &Pod) -> u64 {
    let serving = pod.containers.iter().filter(|container| !container.init);
    let failed = serving.filter(|container| failed(container).is_some());
    failed.map(ends_of).sum()
}

/// How a container ended last, if that was its own fault. A runtime does not know how those ended
/// whose node went down; a worker may end well after so much work, but not one that a probe kills.
fn failed(container: &Container) -> Option<&Ended> {
    let is_probed = || {
        let spec = serde_json::from_str::<Value>(&container.spec).unwrap_or_default();
        ["livenessProbe", "startupProbe"]
            .iter()
            .any(|probe| spec[*probe].is_object())
    };
    let of_node = ["Unknown", "ContainerStatusUnknown"];
    last(container).filter(|ended| {
        !of_node.contains(&&*ended.reason) && !container.init && (ended.code != 0 || is_probed())
    })
}

#[cfg(test)]
mod tests;
