//! The note of a canary on its route.

use crate::kubernetes::route::{Route, RouteBefore};
use crate::state::marks::CANARY;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The note of a canary on its route.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct CanaryMark {
    /// The first job of the deploy.
    pub(super) job: String,
    /// The Service whose traffic it moves.
    pub(super) service: String,
    /// The step, from 1; at 0 the candidate is a backend without weight.
    pub(super) step: usize,
    /// Its share in percent.
    pub(super) weight: u8,
    /// When the weights were written.
    pub(super) at: Timestamp,
    /// How often the controller had told how it fares, right before that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) told: Option<u64>,
    /// When they were seen in force: from then on the step's bake counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Timestamp>,
    /// Whether the weights are those from before again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) returned: bool,
    /// The weights from before.
    pub(super) before: RouteBefore,
}

impl CanaryMark {
    /// Reads the note; one that cannot be read is none.
    pub(super) fn read(route: &Route) -> Option<CanaryMark> {
        serde_json::from_str(route.annotation(CANARY)?).ok()
    }

    /// The note as it is written.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).expect("plain data is always JSON")
    }
}
