//! A workload that somebody deletes while it is followed: whether its pods go with it.

use super::context::{Context, Next};
use crate::snapshot::Query;
use crate::state::continuation::{Phase, Rollback, Rollout};
use crate::strategy::decision::Decision;
use crate::strategy::pauses::CATCHING_UP;
use crate::strategy::result::{Failure, RollbackResult};
use crate::workload::health::rollout::serving::Serving;
use crate::workload::health::rollout::{Progress, WaitsFor, WriteReceipt};
use crate::workload::replica_set::ReplicaSet;
use jiff::Timestamp;
use std::time::Duration;

/// How long Kubernetes may take to delete the versions of a workload that is deleted. It takes
/// seconds, and what is left then is left on purpose (`--cascade=orphan`), or nobody collects it.
const LEAVING: Duration = Duration::from_secs(10);

/// How soon a tool that replaces objects by force makes it anew.
const ANEW: Duration = Duration::from_secs(2);

impl Context<'_> {
    /// The workload of a rollout is gone.
    pub(super) fn deleted(&self, rollout: &Rollout) -> Next {
        let written = &rollout.written;
        let Some(since) = written.gone else {
            return Ok(Decision::Enter(Phase::Rollout(Rollout {
                written: self.gone(written),
                ..rollout.clone()
            })));
        };
        let has_served = !rollout.wrote || rollout.previous.is_some();
        let deadline = self.continuation.deadline;
        let left = match self.left_behind(written, since, deadline)? {
            Left::Leaving(available) => return Ok(self.leaving(available, deadline, false)),
            Left::Serving(left) => left,
        };
        let serving = left.map(|available| Serving {
            available,
            wanted: i64::from(has_served),
        });
        Ok(Decision::GiveUp(Failure::Deleted(serving)))
    }

    /// The same on the way back: whatever came back is gone.
    pub(super) fn deleted_on_the_way_back(&self, rollback: &Rollback) -> Next {
        let written = &rollback.written;
        let Some(since) = written.gone else {
            return Ok(Decision::Enter(Phase::Rollback(Rollback {
                written: self.gone(written),
                ..rollback.clone()
            })));
        };
        let left = match self.left_behind(written, since, rollback.deadline)? {
            Left::Leaving(available) => {
                return Ok(self.leaving(available, rollback.deadline, true));
            }
            Left::Serving(left) => left,
        };
        let mut failure = rollback.failure.clone();
        failure.evidence.serving = left.map(|available| Serving {
            available,
            wanted: 1,
        });
        Ok(Decision::GiveUp(Failure::Rollout {
            failure: failure.into(),
            rollback_result: RollbackResult::Deleted,
        }))
    }

    fn gone(&self, written: &WriteReceipt) -> WriteReceipt {
        WriteReceipt {
            gone: Some(self.now),
            ..written.clone()
        }
    }

    /// What is left of its versions: those that Kubernetes has yet to collect, and those that have
    /// no owner any more.
    fn left_behind(
        &self,
        written: &WriteReceipt,
        since: Timestamp,
        deadline: Timestamp,
    ) -> Result<Left, Query> {
        if written.selector.is_empty() {
            return Ok(Left::Serving(None));
        }
        let sets = Query::replica_sets(&written.selector);
        let sets = self.snapshot.get::<Vec<ReplicaSet>>(sets)?;
        let is_owned = |set: &&ReplicaSet| set.owner == written.uid;
        let left = sets
            .iter()
            .filter(|set| is_owned(set) || set.owner.is_empty());
        let available = left.clone().map(|set| set.ready.max(set.available)).sum();
        // A ControllerRevision counts no pods.
        let is_counted = left.clone().all(|set| set.keeper.is_empty());
        let is_over = !left.clone().any(|set| is_owned(&set)) || is_counted && available == 0;
        let wait = if is_over { ANEW } else { LEAVING };
        if self.now < deadline.min(since + wait) {
            return Ok(Left::Leaving(available));
        }
        Ok(Left::Serving(is_counted.then_some(available)))
    }

    fn leaving(&self, available: i64, deadline: Timestamp, rollback: bool) -> Decision {
        let progress = Progress {
            waits_for: WaitsFor::OldPods(available),
            available: 0,
            wanted: 0,
            obstacle: None,
        };
        self.wait(progress, deadline, CATCHING_UP, rollback)
    }
}

/// What is left of a workload that was deleted.
enum Left {
    /// Pods that go, and so many are available yet.
    Leaving(i64),
    /// So many pods stay and are available; `None` where that is not known.
    Serving(Option<i64>),
}
