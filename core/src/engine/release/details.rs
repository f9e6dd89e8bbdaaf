//! What a page of the report of a release has beside the report.

use super::ended::ReleaseEnded;
use super::model::ReleaseOutcome;
use crate::release::ReleaseFailure;
use crate::report::page::{Details, RolledBackTo, Target};
use crate::report::release::{evidence, plan_lines};
use crate::workload::health::diagnosis::Evidence;

impl ReleaseEnded {
    /// What a page of the report has beside the report.
    pub fn details(&self) -> Details {
        let (request, continuation) = (&self.request, &self.continuation);
        let (mut seen, mut rolled_back_to) = (Evidence::default(), None);
        if let ReleaseOutcome::Failed(failure) = &self.outcome
            && let ReleaseFailure::Ended {
                cause, way_back, ..
            } = &**failure
        {
            seen = evidence(cause);
            let whole = way_back.left.is_empty() && way_back.unserved.is_empty();
            rolled_back_to = way_back
                .revision
                .filter(|_| whole)
                .map(|revision| RolledBackTo {
                    revision: Some(revision),
                    ..RolledBackTo::default()
                });
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
            rolled_back_to,
            evidence: seen,
            changes,
            warnings: continuation.warnings.clone(),
            timeline: continuation.timeline.clone().unwrap_or_default(),
        }
    }
}
