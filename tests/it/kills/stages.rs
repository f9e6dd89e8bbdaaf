//! The stage of a deploy, by what it has left in the cluster.

use crate::kills::NO_TRACE;
use serde_json::Value;

/// Where a job's deploy was when the function died.
pub(super) fn stage_of(service: &Value, deployments: &[Value], job: &str) -> String {
    let note = |name: &str| &service["metadata"]["annotations"][format!("landfall/{name}")];
    let Some(lock) = note("lock").as_str() else {
        return NO_TRACE.into();
    };
    let lock = serde_json::from_str::<Value>(lock).unwrap();
    if lock["job"] != job {
        return NO_TRACE.into();
    }
    let candidate = deployments
        .iter()
        .find(|it| it["metadata"]["annotations"]["landfall/job"] == job);
    let running = deployments.iter().filter(|it| it["spec"]["replicas"] != 0);
    if note("rolled-back") == job {
        return "5 taking back".into();
    }
    match (note("job") == job, candidate) {
        (true, _) if running.count() > 1 => "4 switched, baking".into(),
        (true, _) => "4 switched, retiring".into(),
        (false, None) => "2 claimed".into(),
        (false, Some(found)) => {
            let ready = found["status"]["availableReplicas"] == found["spec"]["replicas"];
            let ready = if ready { "ready" } else { "not ready" };
            format!("3 candidate {ready}")
        }
    }
}
