//! The alarms that guard a switch, whatever moves its traffic.

use super::context::Context;
use crate::kubernetes::service::Service;
use crate::state::continuation::Phase;
use crate::state::marks;
use crate::strategy::causes::RolloutCause;
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::guarding;
use crate::strategy::service_lock::Lock;
use crate::workload::Workload;
use crate::workload::health::rollout::{Progress, WaitsFor};
use jiff::Timestamp;

impl Context<'_> {
    /// Why the alarms end the switch, if they do: as long as it is ours, goes forward, and the
    /// previous version was not begun to be taken away.
    pub(super) fn judged(&self, service: &Service, lock: Option<&Lock>) -> Option<RolloutCause> {
        let goes_forward = !matches!(self.continuation.phase, Phase::SwitchRollback(_));
        let is_retiring = service.annotation(marks::RETIRING).is_some();
        lock.filter(|_| goes_forward && !is_retiring)?;
        guarding::judged(self.continuation)
    }

    /// The alarms were read at the end of the bake or later.
    pub(super) fn alarms_read(&self, found: &Workload, end: Timestamp) -> Result<(), Decision> {
        let progress = || {
            let progress = Progress {
                waits_for: WaitsFor::Availability,
                available: found.available_replicas(),
                wanted: found.replicas(),
                obstacle: None,
            };
            let candidate = found.name().to_owned();
            (
                progress,
                Stage::Bake {
                    candidate,
                    until: end,
                },
            )
        };
        guarding::read_at(self.request, self.continuation, end, progress)
    }
}
