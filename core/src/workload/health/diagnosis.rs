//! Why the new version is not ready, and whether it can still become ready.
//!
//! A false alarm is worse than a late one. So a temporary state must last for a grace time, by our
//! own checks and by the cluster's timestamps if its clock agrees with ours, and it must affect
//! every new pod, or so many that the controller creates no more. What only the application's
//! author can judge (a slow start, a failing readiness probe) is shown while it lasts, and is a
//! failure when the progress deadline expires.

mod classification;
mod eviction;
mod evidence;
pub mod finding;
mod flapping;
mod judgement;
mod phrases;
mod pulling;
mod quotes;
mod since;
mod sentence;
mod served;
mod skipped;
mod symptoms;
mod whole;

use crate::outcome::Grace;
pub use crate::outcome::{Cause, SUPPLY};
pub use evidence::{Evidence, LOG_LINES, log_lines};
pub use finding::{Explanation, Finding, PodSnapshot};
use flapping::flapping;
use judgement::worst;
pub use served::{Served, lacks_only_more};
pub use since::{Look, Others, Since, SymptomHistory};

use crate::kubernetes::pod::Pods;
use crate::workload::Workload;
use classification::findings;
use std::collections::BTreeSet;
use std::time::Duration;

/// How many nodes must be affected if not every new pod is.
const NODES: usize = 2;

/// The state of the new version.
#[derive(Clone, Debug, PartialEq)]
pub enum Diagnosis {
    /// No problem is visible.
    Nothing,
    /// A problem that may be temporary, or that only the deadline can judge.
    Suspicious(Finding),
    /// A problem because of which the rollout cannot finish.
    Doomed(Finding),
}

/// Diagnoses a new version from its pods.
pub fn diagnose<'a>(
    live: &Workload,
    sight: &PodSnapshot,
    since: impl Into<Since<'a>>,
    patience: Duration,
) -> Diagnosis {
    let since = &since.into();
    let look = &Look {
        sight,
        since,
        patience,
    };
    let Ok(pods) = &sight.pods else {
        return Diagnosis::Nothing;
    };
    if let Some(flapping) = flapping(pods, look) {
        return Diagnosis::Doomed(flapping);
    }
    let ready = i64::try_from(pods.ready).unwrap_or(i64::MAX);
    let needed = since.needed.filter(|_| !since.grows_by_steps);
    let serves = needed.is_some_and(|needed| lacks_only_more(needed, ready, since.wanted));
    let found = findings(pods, look);
    let (excused, found) = found
        .into_iter()
        .partition::<Vec<_>, _>(|it| serves && it.cause.is_of_room());
    let told = |worst: &&Finding| worst.is_told(look);
    match worst(&found) {
        Some(worst) if worst.is_final && is_doomed(worst, &found, live, pods, since) => {
            Diagnosis::Doomed(worst.clone())
        }
        found => {
            let told = found.filter(told).or(worst(&excused).filter(told));
            told.map_or(Diagnosis::Nothing, |told| {
                Diagnosis::Suspicious(told.clone())
            })
        }
    }
}

/// Whether a final problem of some pods is final for the rollout: it affects every pod, or so many
/// that the controller waits for one of them.
fn is_doomed(
    worst: &Finding,
    found: &[Finding],
    live: &Workload,
    pods: &Pods,
    since: &Since<'_>,
) -> bool {
    if live.kind().ends() && worst.cause.repeats() {
        // How often its pods may fail is said by the Job, and its controller counts.
        return false;
    }
    // As many pods as may be unavailable at once.
    let slack = usize::try_from(live.slack()).unwrap_or(usize::MAX);
    if worst.cause.is_of_creation() {
        let wanted = usize::try_from(live.replicas()).unwrap_or(usize::MAX);
        return pods.count() == 0 || since.frees_nothing && pods.count() < wanted;
    }
    if let Some(nodes) = worst.nodes {
        return pods.ready == 0 && !pods.cut || pods.others.len() >= slack && nodes >= NODES;
    }
    let hopeless = found.iter().filter(|finding| finding.is_final);
    let hopeless = hopeless.filter(|finding| !finding.pod.is_empty() && finding.nodes.is_none());
    let step = since.of_step(i64::try_from(pods.ready).unwrap_or(i64::MAX));
    let slack = step.map_or(slack, |step| slack.min(step));
    let whole = step.unwrap_or(pods.count());
    let all = hopeless.clone().count() >= whole && !pods.cut;
    let nodes = hopeless.clone().map(|finding| finding.node.as_str());
    let nodes = nodes.filter(|node| !node.is_empty());
    let nodes = nodes.collect::<BTreeSet<_>>().len();
    // Where a pod's place is taken by no other, one node is as good as all.
    // Nothing of a switch makes room on any node.
    let is_full = since.frees_nothing && worst.cause == Cause::Unschedulable;
    let nodes_suffice = nodes >= NODES || live.kind().row().in_place || is_full;
    // As long as one pod of a version that has served is ready, the others may become ready again.
    let may_recover = worst.cause.grace() == Grace::Deadline;
    all || !may_recover && hopeless.count() >= slack && nodes_suffice
}

impl Look<'_> {
    /// The explanation for a rollout that has run out of time, however new the problem is.
    pub fn explain(&self) -> Option<Finding> {
        let pods = self.sight.pods.as_ref().ok()?;
        flapping(pods, self).or_else(|| worst(&findings(pods, self)).cloned())
    }
}

/// Finds the explanation for a rollout that has run out of time, however new the problem is.
pub fn explain<'a>(
    sight: &PodSnapshot,
    since: impl Into<Since<'a>>,
    patience: Duration,
) -> Option<Finding> {
    let look = &Look {
        sight,
        since: &since.into(),
        patience,
    };
    look.explain()
}

#[cfg(test)]
mod tests;
