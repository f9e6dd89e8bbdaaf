//! The alarms that guard a switch, whatever moves its traffic.

use super::context::Context;
use crate::kubernetes::service::Service;
use crate::state::continuation::Phase;
use crate::state::marks;
use crate::strategy::causes::RolloutCause;
use crate::strategy::guarding;
use crate::strategy::service_lock::Lock;

impl Context<'_> {
    /// Why the alarms end the switch, if they do: as long as it is ours, goes forward, and the
    /// previous version was not begun to be taken away.
    pub(super) fn judged(&self, service: &Service, lock: Option<&Lock>) -> Option<RolloutCause> {
        let goes_forward = !matches!(self.continuation.phase, Phase::SwitchRollback(_));
        let is_retiring = service.annotation(marks::RETIRING).is_some();
        lock.filter(|_| goes_forward && !is_retiring)?;
        guarding::judged(self.continuation)
    }
}
