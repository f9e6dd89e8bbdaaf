//! The Deployment that a Service sends to.

use super::context::Context;
use crate::kubernetes::object::timestamp;
use crate::kubernetes::service::Service;
use crate::problem::Fault;
use crate::snapshot::Query;
use crate::state::marks::{self, VERSION};
use crate::strategy::causes::RolloutCause;
use crate::strategy::decision::Decision;
use crate::strategy::service_lock::overlap::Overlap;
use crate::strategy::service_lock::{self, Lock};
use crate::workload::{TEMPLATE_HASH, Workload};

impl Context<'_> {
    /// The Deployment that the Service sends to.
    pub(super) fn live(&self, service: &Service) -> Result<&Workload, Decision> {
        let own = Lock::read(service).filter(|lock| lock.job == self.continuation.job);
        let pinned = own.as_ref().and_then(|lock| lock.pinned.clone());
        let is_pinned = pinned.is_some();
        let overlap = Overlap::read(service).and(service_lock::from(service));
        let selector = pinned.unwrap_or_else(|| service.selector());
        let name = match (selector.get(VERSION), overlap) {
            (Some(version), _) => self.name_of(version),
            (None, _) if is_pinned => self.request.deployment.clone(),
            (None, Some(from)) => from.to_owned(),
            (None, None) => self.found_behind(service)?,
        };
        if let Some(live) = self.snapshot.deployment(&name)? {
            return Ok(live);
        }
        if own.is_some() {
            return Err(self.fail(RolloutCause::DeploymentDeleted(name)));
        }
        let problem = if name == self.request.deployment {
            format!(
                "names `{name}`, which does not exist. This strategy takes over from a version \
                 that serves: deploy the first one with the strategy `rolling`"
            )
        } else if service_lock::to(service) == Some(&self.request.deployment) {
            let name = &self.request.deployment;
            let (plain, _) = name.rsplit_once('-').unwrap_or((name, ""));
            format!(
                "names `{name}`, which a switch made: give the name it was made from, `{plain}`"
            )
        } else {
            let service = service.name();
            format!("is wrong: Service `{service}` sends to `{name}`, which does not exist")
        };
        Err(self.refuse(None, vec![Fault::new("deployment", problem)]))
    }

    /// The Deployment behind a Service that tells no version: the plain one, unless somebody has
    /// set the selector back. Then it is the one that was switched to last, or that runs alone.
    fn found_behind(&self, service: &Service) -> Result<String, Query> {
        let selector = service.selector();
        let plain = &self.request.deployment;
        if selector.contains_key(TEMPLATE_HASH) {
            return Ok(plain.clone());
        }
        let members = self.snapshot.service_pods(&selector)?;
        let is_up = |one: &&Workload| one.replicas() > 0;
        let serves = |one: &&Workload| {
            let mut ready = members.iter().filter(|member| member.ready);
            one.replicas() > 0 && ready.any(|member| member.is_under(one.name()))
        };
        let own = self.snapshot.deployment(plain)?;
        if own.is_some_and(|own| serves(&own)) {
            return Ok(plain.clone());
        }
        let to = service.annotation(marks::TO);
        let running = || self.versions().map(|all| all.iter().filter(is_up));
        if let Some(last) = running()?.find(|one| Some(one.name()) == to && serves(one)) {
            return Ok(last.name().to_owned());
        }
        // The one that was there first: what came later may never have been judged.
        let job = Some(&*self.continuation.job);
        let others = running()?.filter(|one| one.annotation(marks::JOB) != job);
        let others = others.collect::<Vec<_>>();
        let begun = |one: &&&Workload| one.annotation(marks::DEPLOYED_AT).and_then(timestamp);
        let first = others.iter().filter(|one| serves(one)).min_by_key(begun);
        let is_own = own.is_some_and(|own| is_up(&own));
        let first = first.or_else(|| others.iter().filter(|_| !is_own).min_by_key(begun));
        Ok(first.map_or_else(|| plain.clone(), |one| one.name().to_owned()))
    }
}
