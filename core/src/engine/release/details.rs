//! What a page of the report of a release has beside the report.

use super::ended::ReleaseEnded;
use super::model::ReleaseOutcome;
use crate::release::ReleaseFailure;
use crate::report::page::{Details, Target};
use crate::report::release::{evidence, plan_lines};
use crate::workload::health::diagnosis::Evidence;

impl ReleaseEnded {
    /// What a page of the report has beside the report.
    pub fn details(&self) -> Details {
        let (request, continuation) = (&self.request, &self.continuation);
        let mut seen = Evidence::default();
        if let ReleaseOutcome::Failed(failure) = &self.outcome
            && let ReleaseFailure::Ended { cause, .. } = &**failure
        {
            seen = evidence(cause);
        }
        let mut changes = Vec::new();
        if let ReleaseOutcome::Planned(plan) = &self.outcome {
            changes = plan_lines(request, plan);
        }
        Details {
            target: Target {
                kind: "Release",
                name: request.name.clone(),
                namespace: request.namespace.clone(),
                strategy: "release",
                execution: request.execution.clone(),
            },
            is_plan: request.mode.is_plan(),
            started: continuation.started,
            evidence: seen,
            changes,
            warnings: continuation.warnings.clone(),
            timeline: continuation.timeline.clone().unwrap_or_default(),
        }
    }
}
