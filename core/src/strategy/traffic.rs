//! Where the traffic of a switch goes when it ends.

use crate::kubernetes::service::Detour;
use crate::workload::health::rollout::serving::Serving;
use std::collections::BTreeMap;

/// What is there when a switch ends otherwise than it should, as it was read.
#[derive(Clone, Debug, PartialEq)]
pub struct TrafficState {
    /// The Service.
    pub service: String,
    /// Whether there is one.
    pub is_there: bool,
    /// Why it does not send to the pods that a selector finds.
    pub detour: Option<Detour>,
    /// The Deployments that it sends to, each with the number of pods; what belongs to none is
    /// named itself.
    pub sends: BTreeMap<String, usize>,
    /// The Deployments of the family that are scaled up, and how far.
    pub up: BTreeMap<String, i64>,
    /// The Deployment that this deploy made, as long as it is there.
    pub version: Option<String>,
}

impl TrafficState {
    /// Whether pods of more than one version get traffic.
    pub fn is_mixed(&self) -> bool {
        self.sends.len() > 1
    }

    /// The pods that get traffic. One at least is wanted: a switch begins with a Service that sends
    /// to pods.
    pub fn serving(&self) -> Serving {
        let available = self.sends.values().sum::<usize>();
        Serving {
            available: i64::try_from(available).unwrap_or(i64::MAX),
            wanted: match self.detour {
                // Where its name leads to is none of its pods' concern.
                Some(Detour::ExternalName(_)) => 0,
                Some(Detour::NoSelector) | None => self.up.values().sum::<i64>().max(1),
            },
        }
    }
}
