//! The alarms that guard a switch, whatever moves its traffic.

use super::context::Context;
use crate::kubernetes::service::Service;
use crate::snapshot::Query;
use crate::state::continuation::Phase;
use crate::state::marks;
use crate::strategy::causes::RolloutCause;
use crate::strategy::decision::Decision;
use crate::strategy::guarding;
use crate::strategy::service_lock::Lock;

impl Context<'_> {
    /// Why the alarms end the switch, if they do: as long as it is ours, goes forward, and the
    /// previous version was not begun to be taken away.
    pub(super) fn judged(
        &self,
        service: &Service,
        lock: Option<&Lock>,
    ) -> Result<Option<RolloutCause>, Query> {
        let goes_forward = !matches!(self.continuation.phase, Phase::SwitchRollback(_));
        let is_retiring = service.annotation(marks::RETIRING).is_some();
        let lock = lock.filter(|_| goes_forward && !is_retiring);
        let (Some(lock), Some(cause)) = (lock, guarding::judged(self.continuation)) else {
            return Ok(None);
        };
        let job = Some(&*self.continuation.job);
        if service.annotation(marks::JOB) != job {
            return Ok(Some(cause));
        }
        let found = self.snapshot.deployment(&self.name_of(&lock.version))?;
        let found = found.filter(|found| found.annotation(marks::JOB) != job);
        let by = found.and_then(|found| found.annotation(marks::EXECUTION));
        let by = by.filter(|by| *by != self.request.execution);
        Ok(Some(match by {
            None => cause,
            Some(execution) => RolloutCause::OfAnother {
                execution: execution.to_owned(),
                cause: Box::new(cause),
            },
        }))
    }

    /// A deploy of another execution died in its bake, and an alarm rings since: it is taken over,
    /// to be taken back.
    pub(super) fn judge_dead_bake(&self, service: &Service) -> Result<(), Decision> {
        let dead = guarding::rang_in_dead_bake(self.request, self.continuation, service);
        let Some(dead) = dead else {
            return Ok(());
        };
        let live = self.live(service)?;
        Err(self.inherit(service, live, &dead))
    }
}
