//! How many pods a controller changes at once.

use super::{Kind, Workload};
use serde_json::Value;

impl Workload {
    /// How many pods may be missing or too many during a rollout; at least one. When so many new
    /// pods are not available, the controller waits for one of them.
    /// <https://kubernetes.io/docs/concepts/workloads/controllers/deployment/#rolling-update-deployment>
    pub fn slack(&self) -> i64 {
        let wanted = self.replicas();
        match self.kind() {
            Kind::Deployment if self.text("/spec/strategy/type") == "Recreate" => wanted.max(1),
            // The surge is rounded up, what may be missing is rounded down.
            Kind::Deployment => {
                let rolling = self.value().pointer("/spec/strategy/rollingUpdate");
                let surge = share(rolling, "maxSurge", 25, wanted, 99);
                let missing = share(rolling, "maxUnavailable", 25, wanted, 0);
                surge.saturating_add(missing).max(1)
            }
            // Here both are rounded up, and one pod may be missing if nothing is said.
            Kind::StatefulSet | Kind::DaemonSet => {
                let rolling = self.value().pointer("/spec/updateStrategy/rollingUpdate");
                let surge = share(rolling, "maxSurge", 0, wanted, 99);
                let missing = match rolling.and_then(|it| it.get("maxUnavailable")) {
                    None => 1,
                    Some(_) => share(rolling, "maxUnavailable", 0, wanted, 99),
                };
                surge.saturating_add(missing).max(1)
            }
            Kind::Job => self.number("/spec/parallelism").unwrap_or(1).max(1),
        }
    }
}

/// A field that is a number of pods, or a percentage of the wanted ones; `percent` if it is absent.
fn share(rolling: Option<&Value>, field: &str, percent: i64, wanted: i64, round: i64) -> i64 {
    let of = |percent: i64| wanted.saturating_mul(percent).saturating_add(round) / 100;
    match rolling.and_then(|rolling| rolling.get(field)) {
        Some(Value::String(text)) => of(text.trim_end_matches('%').parse().unwrap_or(percent)),
        Some(count) if count.is_i64() => count.as_i64().unwrap_or(0),
        _ => of(percent),
    }
}
