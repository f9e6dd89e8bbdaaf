//! The fields of a canary: `steps` and `route`.

use super::canary::{Canary, CanaryStep};
use super::checks::kind;
use super::fields::Check;
use super::model::Strategy;
use super::shown::excerpt;
use super::strategy::{LONGEST_BAKE, SECONDS_TO_6H};
use crate::kubernetes::route::{RouteKind, RouteReference};
use serde_json::{Map, Value};
use std::time::Duration;

/// The most steps: one for each percent.
const MOST_STEPS: usize = 100;

/// The largest share without a route, but for the last step: the old version keeps its pods.
const HALF: u8 = 50;

/// What `steps` may be.
const SHAPE: &str =
    r#"[10, 50], [{"weight": 10, "bake": "5m"}, …] or {"every": "1m", "by": 10}; 100 comes last"#;

/// What a route is called.
const ROUTE: &str = "`httproute/NAME` or `ingress/NAME`, in the namespace of the deploy";

impl Check<'_> {
    /// The canary of a request; `bake` is that of steps without one.
    pub(super) fn canary(&mut self, bake: Duration) -> Canary {
        let steps = self.steps(bake);
        let route = self.route();
        let most = steps.iter().filter(|step| step.weight < 100);
        let most = most.map(|step| step.weight).max();
        if let Some(most) = most.filter(|most| *most > HALF && !self.is_there("route")) {
            let problem = format!(
                "ask for {most} %: without a `route` the share is that of the pods, and the new \
                 version has at most as many as the old one, which is {HALF} %"
            );
            self.fault("steps", problem);
        }
        if self.fields.get("rollback") == Some(&Value::Bool(false)) {
            let problem = "cannot be false with the strategy `canary`: it would leave a version \
                           that failed its share of the traffic; leave it out";
            self.fault("rollback", problem);
        }
        Canary { steps, route }
    }

    fn route(&mut self) -> Option<RouteReference> {
        let text = self.text("route")?;
        let route = RouteReference::parse(&text);
        if route.is_none() {
            let problem = format!("must be {ROUTE}, and is `{}`", excerpt(&text, 0));
            self.fault("route", problem);
        }
        route
    }

    /// The steps, which end with 100 %.
    fn steps(&mut self, bake: Duration) -> Vec<CanaryStep> {
        let mut steps = match self.fields.get("steps").cloned() {
            Some(Value::Object(fields)) => self.linear(&fields),
            Some(Value::Array(items)) if (1..=MOST_STEPS).contains(&items.len()) => {
                let items = items.iter().enumerate();
                let steps = items.filter_map(|(index, item)| self.step(index, item, bake));
                steps.collect()
            }
            other => {
                self.no_steps(other);
                Vec::new()
            }
        };
        let falls = steps.windows(2).find(|two| two[1].weight <= two[0].weight);
        if let Some(two) = falls {
            let problem = format!(
                "must rise, and {} % comes after {} %",
                two[1].weight, two[0].weight
            );
            self.fault("steps", problem);
        }
        if steps.last().is_none_or(|last| last.weight < 100) {
            steps.push(CanaryStep { weight: 100, bake });
        }
        steps
    }

    /// Tells what there is in place of steps.
    fn no_steps(&mut self, given: Option<Value>) {
        let problem = match given {
            // A misspelt one is a fault of its own.
            None if self.is_there("steps") => return,
            None => format!("is missing: the shares of the new version, as {SHAPE}"),
            Some(Value::Array(items)) if items.is_empty() => {
                format!("is empty; give the shares of the new version, as {SHAPE}")
            }
            Some(Value::Array(items)) => {
                let count = items.len();
                format!("has {count} steps; at most {MOST_STEPS} are possible")
            }
            Some(other) => format!("must be {SHAPE}, and is {}", kind(&other)),
        };
        self.fault("steps", problem);
    }

    /// One step of a list: a share, or a share and its `bake`.
    fn step(&mut self, index: usize, item: &Value, bake: Duration) -> Option<CanaryStep> {
        let field = format!("steps[{index}]");
        let Value::Object(fields) = item else {
            let weight = self.share(&field, item, 100)?;
            return Some(CanaryStep { weight, bake });
        };
        self.known_parts(&field, fields, &["weight", "bake"])?;
        let Some(weight) = fields.get("weight") else {
            let problem = "is missing: the share in percent";
            self.fault(format!("{field}.weight"), problem);
            return None;
        };
        let weight = self.share(&format!("{field}.weight"), weight, 100)?;
        let bake = match fields.get("bake") {
            None => bake,
            Some(value) => self.time(&format!("{field}.bake"), value, Duration::ZERO)?,
        };
        Some(CanaryStep { weight, bake })
    }

    /// Equal steps: `{"every": "1m", "by": 10}`.
    fn linear(&mut self, fields: &Map<String, Value>) -> Vec<CanaryStep> {
        let parts = self.known_parts("steps", fields, &["every", "by"]);
        if parts.is_none() {
            return Vec::new();
        }
        let (Some(every), Some(by)) = (fields.get("every"), fields.get("by")) else {
            self.fault("steps", format!("must be {SHAPE}"));
            return Vec::new();
        };
        let every = self.time("steps.every", every, Duration::from_secs(1));
        let by = self.share("steps.by", by, 99);
        let (Some(every), Some(by)) = (every, by) else {
            return Vec::new();
        };
        let weights = (by..100).step_by(usize::from(by));
        let step = |weight| CanaryStep {
            weight,
            bake: every,
        };
        weights.map(step).collect()
    }

    fn share(&mut self, field: &str, value: &Value, most: u64) -> Option<u8> {
        let share = value.as_u64().filter(|share| (1..=most).contains(share));
        let share = share.and_then(|share| u8::try_from(share).ok());
        if share.is_none() {
            let found = match value.is_number() {
                true => format!("`{value}`"),
                false => kind(value).to_owned(),
            };
            let problem =
                format!("must be a whole number of percent from 1 to {most}, and is {found}");
            self.fault(field, problem);
        }
        share
    }

    fn time(&mut self, field: &str, value: &Value, shortest: Duration) -> Option<Duration> {
        let number = value.is_number().then(|| value.to_string());
        let Some(text) = value.as_str().map(str::to_owned).or(number) else {
            self.must_be(field, "a duration such as \"5m\"", value);
            return None;
        };
        let words = match shortest.is_zero() {
            true => SECONDS_TO_6H,
            false => "1s to 6h",
        };
        self.duration_of(field, &text, shortest..=LONGEST_BAKE, words)
    }

    /// The times of a deploy, into which its steps must fit.
    pub(super) fn times_of(&mut self, strategy: &Strategy, bake: Duration) -> (Duration, Duration) {
        let times = self.times(bake, strategy.switch());
        self.steps_fit(strategy, times.0);
        times
    }

    /// The steps must be over within the `timeout`.
    fn steps_fit(&mut self, strategy: &Strategy, timeout: Duration) {
        let (Some(canary), Some(switch)) = (strategy.canary(), strategy.switch()) else {
            return;
        };
        // A `bake` that alone is too long is a fault of its own.
        let route = canary.route.as_ref();
        let targets = route.is_some_and(|route| route.kind == RouteKind::Ingress);
        let problem = canary.unfit(timeout, targets);
        if let Some(problem) = problem.filter(|_| switch.bake < timeout) {
            self.fault("steps", problem);
        }
    }
}
