//! How a release, or its part in this invocation, ended, with what its report is made of.

use super::model::ReleaseOutcome;
use crate::kubernetes::known_kinds::KnownKinds;
use crate::outcome::CredentialSource;
use crate::release::{ReleaseFailure, ReleaseWait};
use crate::report::page::{Details, RolledBackTo, Target};
use crate::report::release::{evidence, plan_lines};
use crate::report::{self, Report};
use crate::request::release::ReleaseRequest;
use crate::state::continuation::Continuation;
use crate::workload::health::diagnosis::Evidence;
use jiff::Timestamp;

/// The outcome of a release in this invocation, with its data.
#[derive(Clone, Debug)]
pub struct ReleaseEnded {
    /// How it ended.
    pub outcome: ReleaseOutcome,
    /// The request.
    pub request: ReleaseRequest,
    /// The state for the next invocation.
    pub continuation: Continuation,
    /// What to give to the next [`remember`](super::ReleaseEngine::remember) of the same server.
    pub kinds: KnownKinds,
}

impl ReleaseEnded {
    /// Whether what comes after the release may begin: it serves, or was only planned.
    pub fn is_passed(&self) -> bool {
        matches!(
            self.outcome,
            ReleaseOutcome::Finished(_) | ReleaseOutcome::Planned(_)
        )
    }

    /// Whether the same call again would be told the same end, and try nothing.
    pub fn is_final(&self) -> bool {
        matches!(&self.outcome, ReleaseOutcome::Failed(failure) if failure.is_final())
    }

    /// What keeps it from beginning, by names alone, for the log.
    pub fn names(&self) -> Vec<String> {
        match &self.outcome {
            ReleaseOutcome::Failed(failure) => report::release::names(failure),
            _ => Vec::new(),
        }
    }

    /// The report of a workload, with what was planned for the Job before it.
    pub fn before(&self, report: Report) -> Report {
        let ReleaseOutcome::Planned(plan) = &self.outcome else {
            return report;
        };
        report::release::planned_before(report, &self.request, plan)
    }

    /// Builds the report for CodePipeline. `bound_to` identifies the request of a continuation
    /// token; `source` is where the access to the cluster comes from.
    pub fn report(&self, bound_to: &str, source: &CredentialSource, now: Timestamp) -> Report {
        let (request, continuation) = (&self.request, &self.continuation);
        match &self.outcome {
            ReleaseOutcome::Finished(success) => {
                let started = continuation.started;
                let warnings = &continuation.warnings;
                let guard = &continuation.guard;
                report::release::success(request, success, (guard, warnings), started, now)
            }
            ReleaseOutcome::Planned(plan) => {
                report::release::planned(request, &continuation.guard, plan)
            }
            ReleaseOutcome::Failed(failure) => report::release::failure(request, failure, source),
            ReleaseOutcome::Broken(call, error) => {
                report::release::broken(request, continuation, call, error, source)
            }
            ReleaseOutcome::LockedOut(error) => {
                report::release::access_lost(request, &continuation.phase, error, source)
            }
            ReleaseOutcome::LostSight(since, why) => {
                report::release::lost_sight(request, continuation, *since, why)
            }
            ReleaseOutcome::HandedOver(wait) => {
                // The bake's time may be over, and only the last reading of the alarms is open.
                let watched_until = wait.watched_until.filter(|until| now < *until);
                let wait = ReleaseWait {
                    watched_until,
                    ..(**wait).clone()
                };
                report::release::handed_over(continuation, bound_to, &wait)
            }
        }
    }

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
