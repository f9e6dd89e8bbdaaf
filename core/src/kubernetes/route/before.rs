//! The weights before a canary, and what a step makes of them.

use super::list::Split;
use super::weights::{Weights, Written};
use serde::{Deserialize, Serialize};

/// The highest weight that we write. The Gateway API allows a million, a target group of an ALB
/// 999, and the AWS controller refuses a route with more.
/// <https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetGroupTuple.html>
const LIMIT: u64 = 999;

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
}

impl RouteBefore {
    /// The weights as they are now, where no canary is under way.
    pub(super) fn of(splits: &[Split]) -> RouteBefore {
        let before = splits.iter().map(|split| {
            let written = split.written();
            SplitBefore {
                service: written.service,
                canary: written.canary.is_some(),
                others: written.others,
            }
        });
        RouteBefore(before.collect())
    }

    /// The weights of a place before. Where somebody changed the route's places since, what is
    /// there now counts: both Services together have the weight that ours had.
    pub(super) fn of_split(&self, index: usize, split: &Split) -> SplitBefore {
        let written = split.written();
        let is_same = |before: &&SplitBefore| before.others.len() == written.others.len();
        if let Some(before) = self.0.get(index).filter(is_same) {
            return before.clone();
        }
        let weights = split.weights();
        SplitBefore {
            service: Some(weights.service.saturating_add(weights.canary)),
            canary: false,
            others: written.others,
        }
    }
}

impl SplitBefore {
    /// The weights that give the candidate a share of what our Service had. Other backends keep
    /// their figures where whole numbers allow that, and their share of the sum in any case.
    pub(super) fn at(&self, percent: u8) -> Weights {
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
        let highest = others
            .iter()
            .copied()
            .chain([service, canary])
            .max()
            .unwrap_or(0);
        let fitted = |weight: u64| {
            let weight = match highest > LIMIT {
                true if weight > 0 => ((weight * LIMIT + highest / 2) / highest).max(1),
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

    /// The weights as they were written before.
    pub(super) fn restored(&self) -> Written {
        Written {
            service: self.service,
            canary: self.canary.then_some(Some(0)),
            others: self.others.clone(),
        }
    }
}

/// Euclid's algorithm; of 0 and a number it is the number.
fn greatest_common_divisor(one: u64, other: u64) -> u64 {
    match other {
        0 => one,
        _ => greatest_common_divisor(other, one % other),
    }
}
