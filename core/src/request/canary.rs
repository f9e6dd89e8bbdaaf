//! A canary as a request asks for it: its steps, and what divides the traffic.

use crate::kubernetes::route::RouteReference;
use crate::text::words;
use std::time::Duration;

/// The end of the name of the candidate's Service.
const SUFFIX: &str = "-canary";

/// What a step takes beside its bake: its weights are written, accepted and seen in force.
const IN_FORCE: Duration = Duration::from_secs(5);

/// How long a load balancer may need to find new targets healthy before they get a share: by
/// default it asks every 15 s, and a target needs two answers.
pub const TARGETS: Duration = Duration::from_secs(60);

/// The parameters of a canary.
#[derive(Clone, Debug, PartialEq)]
pub struct Canary {
    /// The shares that the candidate gets, one after the other; the last is 100 %.
    pub steps: Vec<CanaryStep>,
    /// The route that divides the traffic.
    pub route: Option<RouteReference>,
}

/// A share of the traffic, and how long the candidate is watched with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CanaryStep {
    /// The share in percent, from 1 to 100.
    pub weight: u8,
    /// How long.
    pub bake: Duration,
}

/// The name of the candidate's Service beside this one, which is there as long as a route needs it.
pub fn candidate_service(service: &str) -> String {
    format!("{service}{SUFFIX}")
}

impl Canary {
    /// How long all steps take together.
    pub fn length(&self) -> Duration {
        self.steps.iter().map(|step| step.bake).sum()
    }

    /// Why the steps cannot be over within the `timeout`, if so; `targets`: whether a load balancer
    /// has to find the new version's pods healthy first.
    pub fn unfit(&self, timeout: Duration, targets: bool) -> Option<String> {
        let steps = u32::try_from(self.steps.len()).unwrap_or(u32::MAX);
        let before = if targets { TARGETS } else { Duration::ZERO };
        let least = self.length() + IN_FORCE * steps + before;
        let balanced = match targets {
            true => format!(
                ", and {} until the load balancer finds the new pods healthy",
                words(TARGETS)
            ),
            false => String::new(),
        };
        (least >= timeout).then(|| {
            format!(
                "take at least {} together, with {} for each to come into force{balanced}, and \
                 must be shorter than `timeout`, which is for the whole deploy and is {}: give \
                 fewer or shorter steps, or a longer `timeout`",
                words(least),
                words(IN_FORCE),
                words(timeout)
            )
        })
    }

    /// The shares in words: `10 %, 50 %, 100 %`.
    pub fn shares(&self) -> String {
        let shares = self.steps.iter().map(|step| format!("{} %", step.weight));
        shares.collect::<Vec<_>>().join(", ")
    }
}
