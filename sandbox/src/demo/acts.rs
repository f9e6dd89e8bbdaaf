//! The acts of the demo, and how each is to end.

use crate::picture::ERRORS;
use crate::stage::Stage;
use landfall_sandbox::aws::{JobResult, Outcome};
use serde_json::Value;
use std::collections::BTreeSet;

/// One deploy to watch.
pub(super) struct Act {
    pub(super) file: &'static str,
    pub(super) heading: &'static str,
    pub(super) story: &'static str,
    pub(super) expected: Expected,
    /// Whether it needs what the act before it has left.
    pub(super) continues: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    NewVersion,
    RolledBack,
    Refused,
    /// Another Deployment gets the traffic.
    Switched,
    /// The Service still routes to the same Deployment.
    NotSwitched,
    /// The Service still routes to the same Deployment, and a route, too: an alarm rang.
    TakenBack,
    /// The workloads of the release are new.
    Released,
    /// The workloads of the release are what they were.
    NotReleased,
}

pub(super) const ACTS: [Act; 9] = [
    Act {
        file: "rolling.json",
        heading: "A new version",
        story: "The pipeline changes DEMO_GREETING; the pods are replaced one by one.",
        expected: Expected::NewVersion,
        continues: false,
    },
    Act {
        file: "crashing.json",
        heading: "A version that crashes",
        story: "Its container ends again and again: the log says why, the old version comes back.",
        expected: Expected::RolledBack,
        continues: false,
    },
    Act {
        file: "failing.json",
        heading: "A version that does not exist",
        story: "No registry has the image: the deploy fails, the old version goes on serving.",
        expected: Expected::RolledBack,
        continues: false,
    },
    Act {
        file: "wrong.json",
        heading: "Wrong parameters",
        story: "The parameters are refused, all faults at once; nothing is changed.",
        expected: Expected::Refused,
        continues: true,
    },
    Act {
        file: "blue-green.json",
        heading: "Blue and green",
        story: "New pods come up beside the old ones; then the Service is switched, all at once.",
        expected: Expected::Switched,
        continues: false,
    },
    Act {
        file: "smoke.json",
        heading: "A version that fails its smoke test",
        story: "Its pods are ready, but it answers with 500: the Service is never switched to it.",
        expected: Expected::NotSwitched,
        continues: true,
    },
    Act {
        file: "canary-alarm.json",
        heading: "A canary whose alarm rings",
        story: "It gets 10 % of the requests and answers with errors. CloudWatch's alarm rings, \
                and one change takes the requests back.",
        expected: Expected::TakenBack,
        continues: false,
    },
    Act {
        file: "shop.json",
        heading: "A whole release",
        story: "Settings, a migration, a Service and two workloads are applied in their order.",
        expected: Expected::Released,
        continues: false,
    },
    Act {
        file: "migration.json",
        heading: "A release whose migration fails",
        story: "No workload is touched: the report has the last words of the migration.",
        expected: Expected::NotReleased,
        continues: true,
    },
];

impl Act {
    /// What is not as it should be.
    pub(super) fn problem(
        &self,
        outcome: &Outcome,
        before: &Moment,
        after: &Moment,
    ) -> Option<&'static str> {
        let same_containers = before.containers == after.containers;
        let untouched = before.generation == after.generation;
        let (failure, changed) = match self.expected {
            Expected::NewVersion => (None, !same_containers),
            Expected::RolledBack => (Some("JobFailed"), same_containers && !untouched),
            Expected::Refused => (Some("ConfigurationError"), untouched),
            Expected::Switched => (None, before.selector != after.selector),
            Expected::NotSwitched => (Some("JobFailed"), before.selector == after.selector),
            Expected::TakenBack => {
                let kept = before.selector == after.selector && before.route == after.route;
                (Some("JobFailed"), kept)
            }
            Expected::Released => (None, before.shop != after.shop),
            Expected::NotReleased => (Some("JobFailed"), before.shop == after.shop),
        };
        if ended_with(outcome) != Some(failure) {
            return Some("another report was expected");
        }
        if self.expected == Expected::TakenBack && !(after.had_errors && names_alarm(outcome)) {
            return Some("the alarm was not what took it back");
        }
        if !changed {
            return Some("what is in the cluster is not what it should be");
        }
        None
    }
}

/// The failure type; `None` inside for a success.
fn ended_with(outcome: &Outcome) -> Option<Option<&str>> {
    match outcome {
        Outcome::Succeeded(_) => Some(None),
        Outcome::Failed(report) => match &report.result {
            JobResult::Failure { kind, .. } => Some(Some(kind)),
            JobResult::Success { .. } => None,
        },
        Outcome::Silent(_) | Outcome::Pending => None,
    }
}

fn names_alarm(outcome: &Outcome) -> bool {
    let Outcome::Failed(report) = outcome else {
        return false;
    };
    let JobResult::Failure { message, .. } = &report.result else {
        return false;
    };
    message.contains("with 10 % of the traffic") && message.contains("is in ALARM")
}

/// The state of the cluster by which an act is judged.
pub(super) struct Moment {
    pub(super) hashes: BTreeSet<String>,
    containers: Value,
    generation: Value,
    /// The Service's selector.
    selector: Value,
    /// The rules of the route.
    route: Value,
    /// Whether there is a version that answers with errors.
    had_errors: bool,
    /// The templates of the release's workloads.
    shop: Value,
}

impl Moment {
    pub(super) fn of(stage: &Stage) -> Moment {
        let deployment = stage.deployment();
        Moment {
            hashes: stage.hashes(),
            containers: deployment["spec"]["template"]["spec"]["containers"].clone(),
            generation: deployment["metadata"]["generation"].clone(),
            selector: stage.service()["spec"]["selector"].clone(),
            route: stage.route()["spec"]["rules"].clone(),
            had_errors: stage.candidate().to_string().contains(ERRORS),
            shop: stage.shop_templates(),
        }
    }
}
