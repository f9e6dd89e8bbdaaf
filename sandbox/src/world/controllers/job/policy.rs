//! What a Job's pod failure policy makes of a pod that has failed: the first rule that matches.
//!
//! <https://github.com/kubernetes/kubernetes/blob/master/pkg/controller/job>:
//! `pod_failure_policy.go`.

use crate::world::object::{condition, list, text};
use serde_json::Value;

/// What becomes of a failed pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It counts as a failure.
    Counts,
    /// It does not.
    Ignored,
    /// Its index fails at once.
    FailsIndex,
    /// The Job fails at once, for this reason.
    FailsJob(String),
}

/// What becomes of a failed pod of a Job.
pub(crate) fn fate(job: &Value, pod: &Value) -> Fate {
    let rules = list(job, "/spec/podFailurePolicy/rules").iter();
    let mut matches = rules.enumerate().filter_map(|(place, rule)| {
        let why = why(rule, pod)?;
        let action = text(rule, "/action");
        Some(match action {
            "FailJob" => Fate::FailsJob(format!("{why} matching {action} rule at index {place}")),
            "FailIndex" => Fate::FailsIndex,
            "Ignore" => Fate::Ignored,
            _ => Fate::Counts,
        })
    });
    matches.next().unwrap_or(Fate::Counts)
}

/// Why a rule matches a pod; `None` if it does not.
fn why(rule: &Value, pod: &Value) -> Option<String> {
    let name = format!(
        "{}/{}",
        text(pod, "/metadata/namespace"),
        text(pod, "/metadata/name")
    );
    let codes = &rule["onExitCodes"];
    if codes.is_object() {
        let ended = ["/status/initContainerStatuses", "/status/containerStatuses"].into_iter();
        let mut ended = ended.flat_map(|statuses| list(pod, statuses));
        return ended.find_map(|status| {
            let code = status.pointer("/state/terminated/exitCode")?.as_i64()?;
            let container = text(status, "/name");
            let is_meant = codes["containerName"]
                .as_str()
                .is_none_or(|it| it == container);
            let is_listed = list(codes, "/values")
                .iter()
                .any(|it| it.as_i64() == Some(code));
            let is_wanted = is_listed == (text(codes, "/operator") == "In");
            (code != 0 && is_meant && is_wanted).then(|| {
                format!("Container {container} for pod {name} failed with exit code {code}")
            })
        });
    }
    list(rule, "/onPodConditions").iter().find_map(|pattern| {
        let kind = text(pattern, "/type");
        let found = condition(pod, kind)?;
        (found["status"] == pattern["status"]).then(|| format!("Pod {name} has condition {kind}"))
    })
}
