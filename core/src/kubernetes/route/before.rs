//! The weights before a canary, and what a step makes of them.

use super::list::Split;
use super::weights::{Weights, Written};
use serde::{Deserialize, Serialize};

/// The highest weight that every controller takes: a target group of an ALB may have 999, and the
/// AWS controller refuses a route with more.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html>
const LIMIT: u32 = 999;

/// The highest weight of the Gateway API, for what [`LIMIT`] is too coarse for.
/// <https://gateway-api.sigs.k8s.io/reference/spec/#backendref>
const GATEWAY_LIMIT: u32 = 1_000_000;

/// The weights before a canary, in the order of the places: what the route goes back to. It is kept
/// on the route, as JSON.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RouteBefore(Vec<SplitBefore>);

/// The weights of one place before a canary.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitBefore {
    /// That of our Service; `None` where there was none.
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    service: Option<u32>,
    /// Whether the candidate's Service was in the list, without weight.
    #[serde(rename = "c", default, skip_serializing_if = "std::ops::Not::not")]
    canary: bool,
    /// Those of other backends.
    #[serde(rename = "o", default, skip_serializing_if = "Vec::is_empty")]
    others: Vec<Option<u32>>,
    /// Whether the controller takes all weights of the Gateway API.
    #[serde(rename = "m", default, skip_serializing_if = "std::ops::Not::not")]
    millions: bool,
    /// The action of an Ingress as it was written.
    #[serde(rename = "t", default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
}

impl RouteBefore {
    /// The weights as they are now, where no canary is under way.
    pub(super) fn of(splits: &[Split], millions: bool) -> RouteBefore {
        let before = splits.iter().map(|split| {
            let written = split.written();
            SplitBefore {
                service: written.service,
                canary: written.canary.is_some(),
                millions: millions && !written.others.is_empty(),
                others: written.others,
                text: split.text.clone(),
            }
        });
        RouteBefore(before.collect())
    }

    /// The weights of a place before, to which a step has given a share since. Somebody may have
    /// put the places into another order: what stands as the step has left it is known by that.
    /// Where somebody changed the places themselves, what is there now counts: both Services
    /// together have the weight that ours had.
    pub(super) fn of_split(&self, index: usize, split: &Split, percent: u8) -> SplitBefore {
        let weights = split.weights();
        let own = self.0.get(index);
        let mut all = own.into_iter().chain(&self.0);
        if let Some(before) = all.find(|before| before.at(percent) == weights) {
            return before.clone();
        }
        match own.filter(|before| before.others.len() == weights.others.len()) {
            Some(before) => before.clone(),
            None => SplitBefore {
                service: Some(weights.service.saturating_add(weights.canary)),
                others: split.written().others,
                ..SplitBefore::default()
            },
        }
    }
}

impl SplitBefore {
    /// The weights that give the candidate a share of what our Service had. Other backends keep
    /// their figures where whole numbers allow that, and their share of the sum in any case.
    pub(super) fn at(&self, percent: u8) -> Weights {
        let small = self.within(LIMIT, percent);
        match self.millions && !small.gives(percent) {
            true => self.within(GATEWAY_LIMIT, percent),
            false => small,
        }
    }

    /// The same with no weight above a limit.
    fn within(&self, limit: u32, percent: u8) -> Weights {
        let limit = u64::from(limit);
        let percent = u64::from(percent.min(100));
        // Alone, the figures are free: those of percent are what people expect to read.
        let own = match self.others.is_empty() {
            true => 100,
            false => u64::from(self.service.unwrap_or(1)),
        };
        let factor = 100 / greatest_common_divisor(own * percent, 100);
        let canary = own * factor * percent / 100;
        let service = own * factor - canary;
        let others = self
            .others
            .iter()
            .map(|other| u64::from(other.unwrap_or(1)) * factor);
        let others = others.collect::<Vec<_>>();
        let all = others.iter().copied().chain([service, canary]);
        let highest = all.max().unwrap_or(0);
        let fitted = |weight: u64| {
            let weight = match highest > limit {
                true if weight > 0 => ((weight * limit + highest / 2) / highest).max(1),
                _ => weight,
            };
            u32::try_from(weight).unwrap_or(u32::MAX)
        };
        Weights {
            service: fitted(service),
            canary: fitted(canary),
            others: others.into_iter().map(fitted).collect(),
        }
    }

    /// The weights that a place goes back to, which should have those of a share. What somebody
    /// else has made of it since stands: then our Service gets what the candidate's has, and that
    /// is all.
    pub(super) fn restored(&self, split: &Split, percent: u8) -> Written {
        let canary = self.canary.then_some(Some(0));
        let now = split.weights();
        let is_ours = now.others == self.at(percent).others && now.pair() != (0, 0);
        if is_ours {
            return Written {
                service: self.service,
                canary,
                others: self.others.clone(),
            };
        }
        let written = split.written();
        let service = match now.canary {
            0 => written.service,
            weight => Some(now.service.saturating_add(weight)),
        };
        Written {
            service,
            canary,
            others: written.others,
        }
    }

    /// The action of an Ingress as it was written.
    pub(super) fn text(&self) -> Option<&str> {
        self.text.as_deref()
    }
}

/// Euclid's algorithm; of 0 and a number it is the number.
fn greatest_common_divisor(one: u64, other: u64) -> u64 {
    match other {
        0 => one,
        _ => greatest_common_divisor(other, one % other),
    }
}
