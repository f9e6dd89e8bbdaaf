//! The fields of a canary: `steps` and `route`.

use super::canary::{Canary, CanaryStep};
use super::checks::kind;
use super::fields::Check;
use super::model::Strategy;
use super::shown::excerpt;
use super::strategy::{LONGEST_BAKE, SECONDS_TO_6H};
use crate::kubernetes::route::{RouteKind, RouteReference};
use crate::text::duration;
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
            None => {
                if !self.is_there("steps") {
                    let problem = format!("is missing: the shares of the new version, as {SHAPE}");
                    self.fault("steps", problem);
                }
                Vec::new()
            }
            Some(Value::Array(items)) if !items.is_empty() && items.len() <= MOST_STEPS => {
                let items = items.iter().enumerate();
                items
                    .filter_map(|(index, item)| self.step(index, item, bake))
                    .collect()
            }
            Some(Value::Object(fields)) => self.linear(&fields),
            Some(other) => {
                let problem = match &other {
                    Value::Array(items) if items.is_empty() => {
                        format!("is empty; give the shares of the new version, as {SHAPE}")
                    }
                    Value::Array(items) => {
                        format!(
                            "has {} steps; at most {MOST_STEPS} are possible",
                            items.len()
                        )
                    }
                    other @ (Value::Null
                    | Value::Bool(_)
                    | Value::Number(_)
                    | Value::String(_)
                    | Value::Object(_)) => format!("must be {SHAPE}, and is {}", kind(other)),
                };
                self.fault("steps", problem);
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

    /// One step of a list: a share, or a share and its `bake`.
    fn step(&mut self, index: usize, item: &Value, bake: Duration) -> Option<CanaryStep> {
        let field = format!("steps[{index}]");
        let Value::Object(fields) = item else {
            let weight = self.share(&field, item, 100)?;
            return Some(CanaryStep { weight, bake });
        };
        self.known_parts(&field, fields, &["weight", "bake"])?;
        let Some(weight) = fields.get("weight") else {
            self.fault(
                format!("{field}.weight"),
                "is missing: the share in percent",
            );
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
        if self
            .known_parts("steps", fields, &["every", "by"])
            .is_none()
        {
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
        weights
            .map(|weight| CanaryStep {
                weight,
                bake: every,
            })
            .collect()
    }

    fn known_parts(
        &mut self,
        field: &str,
        fields: &Map<String, Value>,
        known: &[&str],
    ) -> Option<()> {
        let unknown = fields.keys().find(|name| !known.contains(&name.as_str()));
        let Some(unknown) = unknown else {
            return Some(());
        };
        let known = known.join("` and `");
        let field = format!("{field}.{}", excerpt(unknown, 0));
        self.fault(field, format!("is unknown; there are `{known}`"));
        None
    }

    fn share(&mut self, field: &str, value: &Value, most: u64) -> Option<u8> {
        let share = value.as_u64().filter(|share| (1..=most).contains(share));
        let share = share.and_then(|share| u8::try_from(share).ok());
        if share.is_none() {
            let found = match value {
                Value::Number(number) => format!("`{number}`"),
                other @ (Value::Null
                | Value::Bool(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_)) => kind(other).to_owned(),
            };
            let problem =
                format!("must be a whole number of percent from 1 to {most}, and is {found}");
            self.fault(field, problem);
        }
        share
    }

    fn time(&mut self, field: &str, value: &Value, shortest: Duration) -> Option<Duration> {
        let text = match value {
            Value::String(text) => text.clone(),
            Value::Number(number) => number.to_string(),
            other @ (Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) => {
                let problem = format!("must be a duration such as \"5m\", and is {}", kind(other));
                self.fault(field, problem);
                return None;
            }
        };
        let problem = match duration(&text) {
            Some(time) if (shortest..=LONGEST_BAKE).contains(&time) => return Some(time),
            Some(_) if shortest.is_zero() => {
                format!("must be from {SECONDS_TO_6H}, and is `{text}`")
            }
            Some(_) => format!("must be from 1s to 6h, and is `{text}`"),
            None => {
                let text = excerpt(&text, 0);
                format!("`{text}` is not a valid duration; write 90s, 15m or 2h")
            }
        };
        self.fault(field, problem);
        None
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
