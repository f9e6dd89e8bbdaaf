//! What speaks against a canary over a route, said before anything is written.

use super::mark::CanaryMark;
use super::route_fault;
use super::routed::Routed;
use super::service::taken;
use crate::kubernetes::call::Permission;
use crate::kubernetes::route::{Route, RouteBefore};
use crate::kubernetes::service::Service;
use crate::problem::Fault;
use crate::snapshot::Query;
use crate::strategy::decision::Decision;
use crate::strategy::service_lock::Lock;
use crate::strategy::switch::context::Context;

impl Context<'_> {
    /// A canary that was interrupted can be brought to its end by another over the same route
    /// alone: nothing else knows where its share of the traffic goes.
    pub(in crate::strategy::switch) fn see_no_other_canary(
        &self,
        service: &Service,
    ) -> Result<(), Decision> {
        let Some(route) = Lock::read(service).and_then(|lock| lock.route) else {
            return Ok(());
        };
        let own = self.routed().map(|routed| routed.reference.to_string());
        if own.as_ref() == Some(&route) {
            return Ok(());
        }
        let route = crate::text::quote(&route);
        let problem = format!(
            "must be `canary`, and `route` must be `{route}`: a canary by that route was \
             interrupted, and its share of the traffic must be given back first. Deploy so once, \
             or give all weight to Service `{}` and remove the annotation {} from it",
            service.name(),
            crate::state::marks::LOCK
        );
        Err(self.refuse(None, vec![Fault::new("strategy", problem)]))
    }

    /// What is wrong with the route and the names that a canary needs.
    pub(in crate::strategy::switch) fn faults_of_canary(&self) -> Result<Vec<Fault>, Query> {
        let Some(routed) = self.routed() else {
            return Ok(Vec::new());
        };
        let Some(route) = self.route(&routed)? else {
            let kind = routed.reference.kind.resource().kind.as_ref();
            let problem = format!("there is no such {kind} in this namespace");
            return Ok(vec![route_problem(&routed, &problem)]);
        };
        let mut faults = Vec::new();
        match CanaryMark::read(route) {
            Some(mark) if mark.service != self.switch.service => {
                let other = crate::text::quote(&mark.service);
                let problem = format!(
                    "a canary of Service `{other}` moves traffic by it. Wait until that is over; \
                     if it was interrupted, deploy it once more"
                );
                faults.push(route_problem(&routed, &problem));
            }
            // What an interrupted one has left is given back once the lock is ours.
            Some(_) => {}
            None => {
                if let Err(found) = self.admitted(&routed, route) {
                    faults.extend(found);
                }
            }
        }
        if let Some(there) = self.candidate_service(&routed)?
            && !self.owns_candidate_service(there)
        {
            faults.push(taken(there.name()));
        }
        Ok(faults)
    }

    /// The weights of a route that can be divided, which it is given back in the end.
    pub(super) fn admitted(
        &self,
        routed: &Routed,
        route: &Route,
    ) -> Result<RouteBefore, Vec<Fault>> {
        let service = &self.switch.service;
        route.admission(&routed.backends()).map_err(|faults| {
            let faults = faults.iter();
            let problems = faults.map(|fault| route_fault::problem(fault, service));
            problems
                .map(|problem| route_problem(routed, &format!("it {problem}")))
                .collect()
        })
    }

    /// The permissions that a canary needs.
    pub(in crate::strategy::switch) fn permissions_of_canary(&self) -> Vec<Permission> {
        let routed = self.routed();
        let needed = routed.map(|routed| routed.reference.kind.permissions());
        needed.map(Vec::from).unwrap_or_default()
    }
}

fn route_problem(routed: &Routed, problem: &str) -> Fault {
    Fault::new("route", format!("names `{}`: {problem}", routed.reference))
}
