//! A canary as a request asks for it: its steps, and what divides the traffic.

use crate::kubernetes::route::RouteReference;
use std::time::Duration;

/// The end of the name of the candidate's Service.
const SUFFIX: &str = "-canary";

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

    /// The shares in words: `10 %, 50 %, 100 %`.
    pub fn shares(&self) -> String {
        let shares = self.steps.iter().map(|step| format!("{} %", step.weight));
        shares.collect::<Vec<_>>().join(", ")
    }
}
