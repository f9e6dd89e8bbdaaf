//! Values that the server fills in. Whoever created an object owns them as well, so they do not
//! tell what a manifest said.

use crate::change::comparison::is_empty;
use serde_json::Value;

/// Fields of workloads and their defaults, each as the server writes it.
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/apps/v1/defaults.go>
/// <https://github.com/kubernetes/kubernetes/blob/master/pkg/apis/core/v1/defaults.go>
const TEXTS: [(&str, &[&str]); 20] = [
    ("apiVersion", &["v1"]),
    ("completionMode", &["NonIndexed"]),
    ("dnsPolicy", &["ClusterFirst"]),
    ("imagePullPolicy", &["Always", "IfNotPresent"]),
    ("maxSurge", &["25%"]),
    ("maxUnavailable", &["25%"]),
    ("podManagementPolicy", &["OrderedReady"]),
    ("podReplacementPolicy", &["TerminatingOrFailed", "Failed"]),
    ("protocol", &["TCP"]),
    ("restartPolicy", &["Always"]),
    ("schedulerName", &["default-scheduler"]),
    ("scheme", &["HTTP"]),
    ("terminationMessagePath", &["/dev/termination-log"]),
    ("terminationMessagePolicy", &["File"]),
    ("type", &["RollingUpdate", "", "ClusterIP"]),
    ("volumeMode", &["Filesystem"]),
    ("whenDeleted", &["Retain"]),
    ("whenScaled", &["Retain"]),
    ("sessionAffinity", &["None"]),
    ("internalTrafficPolicy", &["Cluster"]),
];

/// The same of numbers.
const NUMBERS: [(&str, i64); 15] = [
    ("backoffLimit", 6),
    ("completions", 1),
    ("defaultMode", 420),
    ("failureThreshold", 3),
    ("failedJobsHistoryLimit", 1),
    ("maxUnavailable", 1),
    ("parallelism", 1),
    ("periodSeconds", 10),
    ("progressDeadlineSeconds", 600),
    ("replicas", 1),
    ("revisionHistoryLimit", 10),
    ("successThreshold", 1),
    ("successfulJobsHistoryLimit", 3),
    ("terminationGracePeriodSeconds", 30),
    ("timeoutSeconds", 1),
];

/// Whether a field has a value that the server fills in; of a map, whether all in it is so.
pub(super) fn is_default(field: &str, value: &Value) -> bool {
    match value {
        // The old name of `serviceAccountName`, which the server keeps equal.
        Value::String(_) if field == "serviceAccount" => true,
        Value::String(text) => {
            let mut known = TEXTS.iter().filter(|(known, _)| *known == field);
            known.any(|(_, defaults)| defaults.contains(&text.as_str()))
        }
        Value::Number(number) => {
            let number = number.as_i64();
            is_empty(value)
                || NUMBERS
                    .iter()
                    .any(|(known, default)| *known == field && number == Some(*default))
        }
        Value::Object(fields) => fields.iter().all(|(field, value)| is_default(field, value)),
        Value::Null | Value::Bool(_) | Value::Array(_) => is_empty(value),
    }
}

#[cfg(test)]
mod tests;
