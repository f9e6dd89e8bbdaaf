//! What becomes of deploys, counted for CloudWatch.
//!
//! A metric is a line of the log that has an `_aws` field in it, which says what in the line is a
//! number to keep: the Embedded Metric Format. It costs no call and no permission.
//! <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html>

use super::traffic;
use jiff::{SignedDuration, Timestamp};
use landfall_core::engine::Outcome;
use landfall_core::engine::release::ReleaseOutcome;
use landfall_core::kubernetes::object::timestamp;
use landfall_core::report::Report;
use landfall_core::request::{Asked, Request};
use landfall_core::state::marks;
use serde_json::{Map, Value, json};

/// The log's target of lines that are metrics.
pub const TARGET: &str = "landfall::metrics";

/// The namespace in CloudWatch.
const NAMESPACE: &str = "Landfall";

/// What a metric can be looked up by, from all deploys of a function to those of one Deployment.
/// CloudWatch keeps, and bills, each set of values by itself, so that there are no more.
const DIMENSIONS: [&[&str]; 2] = [
    &["FunctionName"],
    &["FunctionName", "Namespace", "Deployment"],
];

/// Every metric, and its unit by CloudWatch's names.
const METRICS: [(&str, &str); 8] = [
    ("Deploys", "Count"),
    ("Failures", "Count"),
    ("Outages", "Count"),
    ("Rotations", "Count"),
    ("Duration", "Seconds"),
    ("LeadTime", "Seconds"),
    ("ApiCalls", "Count"),
    ("ApiBytes", "Bytes"),
];

/// What a report is about.
#[derive(Clone, Debug, PartialEq)]
pub struct DeployMetrics {
    namespace: String,
    deployment: String,
    strategy: &'static str,
    started: Timestamp,
    committed: Option<Timestamp>,
    is_plan: bool,
    /// Whether something was changed: what already ran has no lead time.
    pub wrote: bool,
    /// Whether nothing serves any more.
    pub outage: bool,
}

impl DeployMetrics {
    /// The deploy that a request asks for, begun at `started`.
    pub fn of(asked: &Asked, started: Timestamp) -> DeployMetrics {
        match asked {
            Asked::Workload(request, _) => DeployMetrics::of_workload(request, started),
            Asked::Release(request) => DeployMetrics {
                namespace: request.namespace.clone(),
                deployment: request.name.clone(),
                strategy: "release",
                started,
                committed: request.committed,
                is_plan: request.mode.is_plan(),
                wrote: false,
                outage: false,
            },
        }
    }

    fn of_workload(request: &Request, started: Timestamp) -> DeployMetrics {
        DeployMetrics {
            namespace: request.namespace.clone(),
            deployment: request.deployment.clone(),
            strategy: request.strategy.name(),
            started,
            committed: request.committed,
            is_plan: request.mode.is_plan(),
            wrote: false,
            outage: false,
        }
    }

    /// Takes note of how a release ended.
    pub fn released(&mut self, outcome: &ReleaseOutcome) {
        if let ReleaseOutcome::Finished(success) = outcome {
            self.wrote = success.wrote;
            self.goes_back(success.committed);
        }
        self.outage = outcome.is_outage();
    }

    /// What goes back to an older commit, as a rollback of the stage does, has no lead time.
    fn goes_back(&mut self, newest: Option<Timestamp>) {
        self.committed = self.committed.filter(|own| Some(*own) >= newest);
    }

    /// Takes note of how it ended.
    pub fn ended(&mut self, outcome: &Outcome) {
        if let Outcome::Finished(success) = outcome {
            self.wrote = success.wrote;
            let newest = success.deployment.annotation(marks::COMMITTED);
            self.goes_back(newest.and_then(timestamp));
        }
        self.outage = outcome.is_outage();
    }
}

/// Logs the metrics of a deploy that ended with this report; of a deploy that goes on what it has
/// asked of the cluster so far, and of a plan nothing. `deploy` is `None` where it is not known
/// what was to be deployed.
pub fn count(function: &str, deploy: Option<&DeployMetrics>, report: &Report, now: Timestamp) {
    let (calls, bytes) = traffic::take();
    if deploy.is_some_and(|deploy| deploy.is_plan) {
        return;
    }
    let failed = match report {
        Report::Success { .. } => false,
        Report::Failure { .. } => true,
        Report::Progress { .. } => {
            tracing::info!(
                target: TARGET,
                FunctionName = function,
                Namespace = deploy.map(|deploy| deploy.namespace.as_str()),
                Deployment = deploy.map(|deploy| deploy.deployment.as_str()),
                ApiCalls = calls,
                ApiBytes = bytes,
                "counted"
            );
            return;
        }
    };
    let since = |start: Timestamp| now.duration_since(start).max(SignedDuration::ZERO);
    let lead = deploy.filter(|deploy| deploy.wrote && !failed);
    let lead = lead.and_then(|deploy| deploy.committed);
    tracing::info!(
        target: TARGET,
        FunctionName = function,
        Namespace = deploy.map(|deploy| deploy.namespace.as_str()),
        Deployment = deploy.map(|deploy| deploy.deployment.as_str()),
        strategy = deploy.map(|deploy| deploy.strategy),
        Deploys = 1,
        Failures = u64::from(failed),
        Outages = u64::from(deploy.is_some_and(|deploy| deploy.outage)),
        Duration = deploy.map(|deploy| since(deploy.started).as_secs_f64()),
        LeadTime = lead.map(|start| since(start).as_secs_f64()),
        ApiCalls = calls,
        ApiBytes = bytes,
        "counted"
    );
}

/// Logs that the token was renewed.
pub fn rotated(function: &str) {
    tracing::info!(target: TARGET, FunctionName = function, Rotations = 1, "counted");
}

/// What tells CloudWatch which of a line's fields are metrics and dimensions: those that are there.
pub fn directive(fields: &Map<String, Value>, now: Timestamp) -> Value {
    let has = |name: &&str| fields.contains_key(*name);
    let dimensions = DIMENSIONS.iter().filter(|set| set.iter().all(&has));
    let metrics = METRICS.iter().filter(|(name, _)| has(name));
    let metrics = metrics.map(|(name, unit)| json!({"Name": name, "Unit": unit}));
    json!({
        "Timestamp": now.as_millisecond(),
        "CloudWatchMetrics": [{
            "Namespace": NAMESPACE,
            "Dimensions": dimensions.collect::<Vec<_>>(),
            "Metrics": metrics.collect::<Vec<_>>(),
        }],
    })
}

#[cfg(test)]
mod tests;
