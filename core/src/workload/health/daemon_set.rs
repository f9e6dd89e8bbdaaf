//! Whether the rollout of a DaemonSet is done: a verdict from its own status, as there is nothing
//! else that counts its pods.
//!
//! How many pods are wanted changes with every node that comes or goes, so it is read anew each
//! time. Like a StatefulSet it has no condition and no deadline.
//! <https://kubernetes.io/docs/tasks/manage-daemon/update-daemon-set/>

use super::rollout::{Obstacle, Progress, Verdict, WaitsFor, WriteReceipt, on_delete};
use crate::text::list;
use crate::workload::Workload;
use serde_json::Value;

/// See [`super::verdict`].
pub(super) fn verdict(live: &Workload, written: &WriteReceipt) -> Verdict {
    let wanted = live.replicas();
    let updated = live.updated_replicas();
    let available = live.available_replicas();
    let progress = |waits_for| Progress::counted(live, wanted, waits_for);
    if !written.is_observed(live) {
        return Verdict::Progressing(Progress::unobserved(wanted, None));
    }
    if written.matches_no_node(live) {
        return Verdict::Progressing(Progress {
            waits_for: WaitsFor::Nodes,
            available: 0,
            wanted: written.had,
            obstacle: Some(Obstacle::Told(placement(live))),
        });
    }
    if live.rolls_on_delete() {
        return on_delete(live, wanted);
    }
    if updated < wanted {
        Verdict::Progressing(progress(WaitsFor::NewPods))
    } else if available < wanted {
        Verdict::Progressing(progress(WaitsFor::Availability))
    } else {
        Verdict::Complete
    }
}

/// What decides on which nodes a DaemonSet has pods, in words.
fn placement(live: &Workload) -> String {
    let spec = &live.template()["spec"];
    let mut parts = Vec::new();
    if let Some(labels) = spec["nodeSelector"].as_object() {
        let labels = labels.iter();
        let labels = labels.map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or("")));
        parts.push(format!(
            "nodeSelector {}",
            list(&labels.collect::<Vec<_>>())
        ));
    }
    let required = "requiredDuringSchedulingIgnoredDuringExecution";
    let terms = spec["affinity"]["nodeAffinity"][required]["nodeSelectorTerms"].as_array();
    let terms = terms.into_iter().flatten();
    let rules = terms.flat_map(|term| {
        let lists = ["matchExpressions", "matchFields"].map(|list| term[list].as_array());
        lists.into_iter().flatten().flatten()
    });
    let rules = rules.map(expression).collect::<Vec<_>>();
    if !rules.is_empty() {
        parts.push(format!("nodeAffinity {}", list(&rules)));
    }
    if let Some(name) = spec["nodeName"].as_str() {
        parts.push(format!("nodeName `{name}`"));
    }
    let tolerations = spec["tolerations"].as_array().into_iter().flatten();
    let tolerations = tolerations.map(|one| match one["key"].as_str() {
        Some(key) => key.to_owned(),
        None => "all".to_owned(),
    });
    let tolerations = tolerations.collect::<Vec<_>>();
    parts.push(match tolerations.is_empty() {
        true => "no tolerations".to_owned(),
        false => format!("tolerations {}", list(&tolerations)),
    });
    parts.join(", ")
}

/// A rule of an affinity: `disk In ssd nvme`.
fn expression(rule: &Value) -> String {
    let values = rule["values"].as_array().into_iter().flatten();
    let values = values.filter_map(Value::as_str);
    let texts = ["key", "operator"].map(|field| rule[field].as_str().unwrap_or_default());
    let texts = texts.into_iter().chain(values);
    texts.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
