//! What no traffic goes to any more is scaled down or deleted.

use super::context::{Context, Next};
use crate::kubernetes::call::Call;
use crate::kubernetes::resource::DEPLOYMENTS;
use crate::kubernetes::service::{Selector, Service, read_selector};
use crate::request::Strategy;
use crate::snapshot::{Items, Query};
use crate::state::continuation::Phase;
use crate::state::marks;
use crate::strategy::decision::Decision;
use crate::strategy::result::Failure;
use crate::strategy::{candidate, immutable, service_lock};
use crate::workload::{TEMPLATE_HASH, Workload};
use serde_json::Value;

impl Context<'_> {
    /// Scales down all others of the family, deletes what is beyond `keep`, and gives the lock up.
    pub(super) fn retire(&self, service: &Service, found: &Workload) -> Next {
        self.move_autoscaler("", found.name(), None)?;
        if let Some(running) = self.other_that_runs(found)? {
            if service.annotation(marks::RETIRING).is_none() {
                self.see_serving_now(service, found)?;
                self.is_unselected_by(service, running)?;
                return Ok(self.patch_service(service_lock::retire(service), Phase::Switch));
            }
            self.unselected(running)?;
            return Ok(self.scale_down(running, candidate::scale_down(running)));
        }
        if let Strategy::Immutable { keep, .. } = &self.request.strategy {
            let others = self.versions()?.iter();
            let others = others.filter(|one| one.name() != found.name() && !one.is_being_deleted());
            let others = others.collect::<Vec<_>>();
            let from = service_lock::from(service).unwrap_or_default();
            let surplus = immutable::surplus(&others, from, *keep);
            let mut surplus = surplus.into_iter().filter(|one| !self.is_left(one.name()));
            if let Some(one) = surplus.next() {
                self.unselected(one)?;
                return Ok(self.delete(one));
            }
        }
        self.clear_preview()?;
        let patch = self.note_route(service_lock::release(service, None), service)?;
        Ok(self.patch_service(patch, Phase::Switch))
    }

    /// Another one of the family that is not at zero, and could be brought there.
    pub(super) fn other_that_runs(&self, found: &Workload) -> Result<Option<&Workload>, Query> {
        let plain = self.plain()?;
        let mut all = plain.into_iter().chain(self.versions()?);
        Ok(all.find(|one| {
            let other = one.name() != found.name() && !one.is_being_deleted();
            other && one.replicas() > 0 && !self.is_left(one.name())
        }))
    }

    /// The Service was read again right now, or a write of ours has returned it, and does not send
    /// to this Deployment.
    pub(super) fn unselected(&self, deployment: &Workload) -> Result<(), Decision> {
        let service = Query::service(&self.switch.service);
        if self.snapshot.certain(service).is_err() {
            self.rechecked()?;
        }
        match self.seen_service() {
            Some(service) => self.is_unselected_by(service, deployment),
            None => Ok(()),
        }
    }

    fn is_unselected_by(&self, service: &Service, deployment: &Workload) -> Result<(), Decision> {
        if selects(&service.selector(), deployment, &self.request.deployment) {
            let by = None;
            return Err(Decision::GiveUp(Failure::OutOfSync { by, wrote: true }));
        }
        Ok(())
    }

    /// That the new version serves was read, and not told by a watch: its Deployment, and what the
    /// Service sends to. The old one's is written as it is known, or not at all.
    fn see_serving_now(&self, service: &Service, found: &Workload) -> Result<(), Query> {
        self.snapshot.certain(Query::deployment(found.name()))?;
        let endpoints = Query::List(Items::EndpointSlices, service.name().to_owned());
        self.snapshot.certain(endpoints)
    }

    /// Scales one down, where that is not what the deploy is judged by.
    pub(super) fn scale_down(&self, one: &Workload, patch: Value) -> Decision {
        self.clearing(self.patch_deployment(one.name(), patch), one.name())
    }

    pub(super) fn delete(&self, deployment: &Workload) -> Decision {
        let (namespace, name) = (&self.request.namespace, deployment.name());
        let call = Call::delete(&DEPLOYMENTS, namespace, name, deployment.uid());
        self.clearing(call, name)
    }
}

/// Whether a selector finds a Deployment's pods, by the labels of its template. What the controller
/// adds tells the plain one's pods alone.
pub(super) fn selects(selector: &Selector, deployment: &Workload, plain: &str) -> bool {
    let labels = deployment.value().pointer("/spec/template/metadata/labels");
    let mut labels = read_selector(labels);
    if let Some(hash) = selector.get(TEMPLATE_HASH)
        && deployment.name() == plain
    {
        labels.insert(TEMPLATE_HASH.to_owned(), hash.clone());
    }
    let mut pairs = selector.iter();
    pairs.all(|(key, value)| labels.get(key) == Some(value))
}
