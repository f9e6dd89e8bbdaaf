//! What holds no longer: after a change of a Deployment, a write or a wait.

use super::{Items, Kind, Query, Snapshot};
use crate::workload::Workload;

impl Query {
    /// Whether the answer holds after any change of a Deployment: nothing in it is of its versions,
    /// pods and endpoints.
    fn outlives_rollout(&self) -> bool {
        matches!(
            self,
            Query::Get(Kind::Deployment | Kind::Service | Kind::Route(_), _)
                | Query::List(Items::Deployments | Items::Autoscalers, _)
                | Query::List(Items::Ingresses | Items::TargetGroupBindings, _)
                | Query::Permission(_)
        )
    }
}

impl Snapshot {
    /// The Deployment that is watched has changed, and is this one now: what was seen of its pods
    /// is older.
    pub fn invalidate_pods(&mut self, name: &str, now: Option<Workload>) {
        let selector = now.as_ref().or(self.seen_deployment(name));
        let own = selector.map(Workload::selector);
        self.answers.retain(|(query, _)| {
            let is_of_other = matches!(query, Query::List(Items::ReplicaSets, selector)
                if Some(selector) != own.as_ref());
            is_of_other || query.outlives_rollout()
        });
        self.set(Query::deployment(name), now);
    }

    /// The Deployment is read again, and what was read of its versions holds if it has not changed
    /// since: all its pods were ready, and one that is not changes its status.
    pub fn invalidate_if_changed(&mut self, name: &str) {
        let query = Query::deployment(name);
        let seen = self.seen_deployment(name);
        let version = seen.map(|it| it.resource_version().to_owned());
        self.answers.retain(|(asked, _)| *asked != query);
        self.doubted = Some((query, version));
    }

    /// The Deployment that was to be read again is this one now.
    pub(super) fn settle_doubt(&mut self, query: &Query, now: Option<&Workload>) {
        let Some((_, before)) = self.doubted.take_if(|(asked, _)| asked == query) else {
            return;
        };
        let version = now.map(|it| it.resource_version());
        if version.is_none() || version != before.as_deref() {
            self.invalidate_versions();
        }
    }

    /// Drops what changes with any Deployment: its versions, pods and endpoints.
    pub(super) fn invalidate_versions(&mut self) {
        self.answers.retain(|(query, _)| query.outlives_rollout());
        self.forget_failed_smoke();
    }

    /// After a write or a wait everything may have changed. A smoke test that has passed stays so,
    /// and pods are looked at in their own time.
    pub fn invalidate_all(&mut self) {
        self.answers.clear();
        self.told.clear();
        self.retired.clear();
        self.doubted = None;
        self.since = None;
        self.forget_failed_smoke();
    }

    fn forget_failed_smoke(&mut self) {
        self.smoke.last = self.smoke.last.take().filter(Result::is_ok);
    }
}
