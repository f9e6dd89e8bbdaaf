//! Which pods get which share of the requests that come in by a route.
//!
//! A route divides by weight between Services, a Service evenly between its ready pods. The share
//! of a Service that does not exist is answered with 500, that of one without ready pods with 503.
//! <https://gateway-api.sigs.k8s.io/reference/spec/#httpbackendref>

use crate::gateway::ACTIONS;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What one rule (or action) of a route does with its requests.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Traffic {
    /// The backends, in the order of the rule.
    pub backends: Vec<Backend>,
}

/// A backend of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Backend {
    /// The Service.
    pub service: String,
    /// Its weight.
    pub weight: u64,
    /// Its ready pods; `None` where there is no such Service.
    pub ready: Option<BTreeSet<String>>,
}

/// What a request gets.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Outcome {
    /// A pod answers.
    Pod(String),
    /// 500: there is no such Service, or no backend with weight.
    Error,
    /// 503: the Service has no ready pod.
    Unavailable,
}

/// Reads the content of a route that is in force (see [`crate::gateway::content`]): one entry for
/// each rule or action with backends. `ready` gives a Service's ready pods, or `None` where it does
/// not exist.
pub fn of_route(content: &Value, ready: impl Fn(&str) -> Option<BTreeSet<String>>) -> Vec<Traffic> {
    let lists = match content.as_array() {
        Some(rules) => rules
            .iter()
            .filter_map(backends_of_rule)
            .collect::<Vec<_>>(),
        None => actions(content),
    };
    let traffic = lists.into_iter().map(|list| Traffic {
        backends: list
            .into_iter()
            .map(|(service, weight)| Backend {
                ready: ready(&service),
                service,
                weight,
            })
            .collect(),
    });
    traffic.collect()
}

impl Traffic {
    /// The share of the requests that each outcome has; together 1.
    pub fn shares(&self) -> BTreeMap<Outcome, f64> {
        let mut shares = BTreeMap::new();
        let mut add = |outcome: Outcome, share: f64| {
            *shares.entry(outcome).or_insert(0.0) += share;
        };
        let sum = self.sum();
        if sum == 0 {
            add(Outcome::Error, 1.0);
        }
        for backend in self.backends.iter().filter(|one| one.weight > 0) {
            let share = fraction(backend.weight, sum);
            match &backend.ready {
                None => add(Outcome::Error, share),
                Some(pods) if pods.is_empty() => add(Outcome::Unavailable, share),
                Some(pods) => {
                    let each = share / fraction(pods.len() as u64, 1);
                    pods.iter()
                        .for_each(|pod| add(Outcome::Pod(pod.clone()), each));
                }
            }
        }
        shares
    }

    /// The shares by version: a pod's name is its Deployment's with two endings. What fails is
    /// under `500` and `503`.
    pub fn by_version(&self) -> BTreeMap<String, f64> {
        let mut versions = BTreeMap::new();
        for (outcome, share) in self.shares() {
            let version = match outcome {
                Outcome::Pod(pod) => pod.rsplitn(3, '-').last().unwrap_or_default().to_owned(),
                Outcome::Error => "500".to_owned(),
                Outcome::Unavailable => "503".to_owned(),
            };
            *versions.entry(version).or_insert(0.0) += share;
        }
        versions
    }

    /// What must not be, where `wanted` pods are needed for all requests: weight on a backend
    /// without ready pods, or fewer ready pods behind a backend than its share of the requests
    /// needs.
    pub fn problem(&self, wanted: usize) -> Option<String> {
        let sum = self.sum();
        if sum == 0 {
            return Some("no backend has weight".to_owned());
        }
        let with_weight = self.backends.iter().filter(|one| one.weight > 0);
        with_weight.into_iter().find_map(|backend| {
            let (service, weight) = (&backend.service, backend.weight);
            let Some(pods) = &backend.ready else {
                return Some(format!(
                    "{service} has weight {weight} of {sum} and does not exist"
                ));
            };
            // A service of a share needs that share of the pods, and a part of one needs one.
            let needed = (weight * wanted as u64).div_ceil(sum);
            let found = pods.len();
            ((found as u64) < needed.max(1)).then(|| {
                format!(
                    "{service} has weight {weight} of {sum} and {found} ready pods, and needs \
                     {needed}"
                )
            })
        })
    }

    fn sum(&self) -> u64 {
        self.backends.iter().map(|backend| backend.weight).sum()
    }
}

/// Prints `web 90 (2 ready), web-canary 10 (1 ready)`.
impl fmt::Display for Traffic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = self.backends.iter().map(|backend| {
            let ready = match &backend.ready {
                Some(pods) => format!("{} ready", pods.len()),
                None => "no Service".to_owned(),
            };
            format!("{} {} ({ready})", backend.service, backend.weight)
        });
        out.write_str(&words.collect::<Vec<_>>().join(", "))
    }
}

fn fraction(part: u64, whole: u64) -> f64 {
    let float = |number: u64| f64::from(u32::try_from(number).unwrap_or(u32::MAX));
    float(part) / float(whole)
}

/// The Services and weights of an HTTPRoute's rule; an absent weight is 1.
fn backends_of_rule(rule: &Value) -> Option<Vec<(String, u64)>> {
    let backends = rule["backendRefs"]
        .as_array()
        .filter(|all| !all.is_empty())?;
    let of = |one: &Value| {
        let weight = one["weight"].as_u64().unwrap_or(1);
        (one["name"].as_str().unwrap_or_default().to_owned(), weight)
    };
    Some(backends.iter().map(of).collect())
}

/// The Services and weights of the actions that an Ingress uses.
fn actions(content: &Value) -> Vec<Vec<(String, u64)>> {
    let rules = content["rules"].as_array().into_iter().flatten();
    let paths = rules.filter_map(|rule| rule["http"]["paths"].as_array());
    let backends = paths.flatten().map(|path| &path["backend"]);
    let backends = backends.chain([&content["default"]]);
    let services = backends.filter(|one| !one["service"].is_null());
    let list = services.map(|backend| {
        let name = backend["service"]["name"].as_str().unwrap_or_default();
        if backend["service"]["port"]["name"] != "use-annotation" {
            return vec![(name.to_owned(), 1)];
        }
        let action = content["actions"][format!("{ACTIONS}{name}")].as_str();
        let action = action.and_then(|text| serde_json::from_str::<Value>(text).ok());
        let action = action.unwrap_or_default();
        let groups = action["forwardConfig"]["targetGroups"].as_array();
        let groups = groups.into_iter().flatten().map(|group| {
            let weight = group["weight"].as_u64().unwrap_or(1);
            (
                group["serviceName"].as_str().unwrap_or_default().to_owned(),
                weight,
            )
        });
        groups.collect::<Vec<_>>()
    });
    // An action that forwards to nothing, such as a redirect, has none.
    list.filter(|backends| !backends.is_empty()).collect()
}

#[cfg(test)]
mod tests;
