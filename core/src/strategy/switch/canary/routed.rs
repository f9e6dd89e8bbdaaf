//! The route of a canary, as it is read.

use super::mark::CanaryMark;
use crate::kubernetes::call::Call;
use crate::kubernetes::pod::Event;
use crate::kubernetes::route::{Backends, Evidence, InForce, Route, RouteReference, times_told};
use crate::kubernetes::service::Service;
use crate::request::{Canary, candidate_service};
use crate::snapshot::Query;
use crate::state::marks::{self, CANARY_OF};
use crate::strategy::causes::RolloutCause;
use crate::strategy::decision::Decision;
use crate::strategy::route_problem::RouteProblem;
use crate::strategy::switch::context::Context;
use serde_json::Value;

/// What a canary over a route is about.
pub(in crate::strategy::switch) struct Routed<'a> {
    /// The steps.
    pub(super) canary: &'a Canary,
    /// The route.
    pub(in crate::strategy::switch) reference: &'a RouteReference,
    /// The name of the candidate's Service.
    pub(super) candidate_service: String,
    namespace: &'a str,
    service: &'a str,
}

impl Routed<'_> {
    /// Between which Services traffic is divided.
    pub(super) fn backends(&self) -> Backends<'_> {
        Backends {
            namespace: self.namespace,
            service: self.service,
            canary: &self.candidate_service,
        }
    }

    /// A write of the route.
    pub(super) fn patch(&self, patch: Value) -> Call {
        let resource = self.reference.kind.resource();
        Call::merge_patch(resource, self.namespace, &self.reference.name, patch)
    }
}

impl Context<'_> {
    /// The canary over a route that the request asks for.
    pub(in crate::strategy::switch) fn routed(&self) -> Option<Routed<'_>> {
        let canary = self.request.strategy.canary()?;
        Some(Routed {
            canary,
            reference: canary.route.as_ref()?,
            candidate_service: candidate_service(&self.switch.service),
            namespace: &self.request.namespace,
            service: &self.switch.service,
        })
    }

    /// The route as locks and notes name it.
    pub(in crate::strategy::switch) fn route_name(&self) -> Option<String> {
        self.routed().map(|routed| routed.reference.to_string())
    }

    /// The route, where it is there.
    pub(super) fn route(&self, routed: &Routed) -> Result<Option<&Route>, Query> {
        let reference = routed.reference;
        self.snapshot.route(reference.kind, &reference.name)
    }

    /// The note of a canary for our Service on the route.
    pub(super) fn mark_on(&self, route: &Route) -> Option<CanaryMark> {
        CanaryMark::read(route).filter(|mark| mark.service == self.switch.service)
    }

    /// The share that the candidate has now, as far as the route was read.
    pub(in crate::strategy::switch) fn share_now(&self) -> Option<u8> {
        let routed = self.routed()?;
        let route = self.route(&routed).ok()??;
        let mark = self.mark_on(route)?;
        let ours = mark.job == self.continuation.job && !mark.returned && mark.weight > 0;
        ours.then_some(mark.weight)
    }

    /// Whether the route, as far as it was read, notes a canary whose share was taken back.
    pub(in crate::strategy::switch) fn was_route_returned(&self) -> bool {
        let Some(routed) = self.routed() else {
            return false;
        };
        let route = self.route(&routed).ok().flatten();
        let mark = route.and_then(|route| self.mark_on(route));
        mark.is_some_and(|mark| mark.returned)
    }

    /// The execution of a canary whose share was taken back by the note on the route alone, as its
    /// Service was made anew since. Without an execution a job is one.
    pub(in crate::strategy::switch) fn returned_by_note(
        &self,
        service: &Service,
    ) -> Option<String> {
        // A canary that has ended leaves a note on the Service.
        if service.annotation(marks::ROUTE_LEFT).is_some() {
            return None;
        }
        let routed = self.routed()?;
        let mark = self.mark_on(self.route(&routed).ok()??)?;
        if !mark.returned || mark.job == self.continuation.job {
            return None;
        }
        let mut versions = self.versions().ok()?.iter();
        let candidate = versions.find(|one| one.annotation(marks::JOB) == Some(&*mark.job));
        let execution = candidate.and_then(|one| one.annotation(marks::EXECUTION));
        Some(execution.map_or(mark.job, str::to_owned))
    }

    /// Whether there is a route, and what it says is not known.
    pub(in crate::strategy::switch) fn is_route_unread(&self) -> bool {
        let routed = self.routed();
        routed.is_some_and(|routed| self.route(&routed).is_err())
    }

    /// Whether the candidate has a share of the traffic.
    pub(in crate::strategy::switch) fn has_share(&self) -> Result<bool, Query> {
        if let Some(routed) = self.routed() {
            self.route(&routed)?;
        }
        Ok(self.share_now().is_some())
    }

    /// The share that the route itself gives the candidate, where this deploy gave it one: others
    /// may have changed the weights since.
    pub(in crate::strategy::switch) fn share_given(&self) -> Result<Option<u8>, Query> {
        let Some(routed) = self.routed() else {
            return Ok(None);
        };
        let Some(route) = self.route(&routed)? else {
            return Ok(None);
        };
        let percent = match route.sends_to(routed.service) {
            true => route.percent(&routed.backends()),
            // Nothing is left to divide it with.
            false if route.sends_to(&routed.candidate_service) => 100,
            false => 0,
        };
        let noted = self.share_now();
        Ok(noted.map(|_| percent).filter(|percent| *percent > 0))
    }

    /// The candidate's Service, where it is there.
    pub(super) fn candidate_service(&self, routed: &Routed) -> Result<Option<&Service>, Query> {
        self.snapshot.service(&routed.candidate_service)
    }

    /// Whether the candidate's Service is somebody else's.
    pub(super) fn is_name_taken(&self, routed: &Routed) -> Result<bool, Query> {
        let there = self.candidate_service(routed)?;
        Ok(there.is_some_and(|there| !self.owns_candidate_service(there)))
    }

    /// Whether Landfall made it for our Service.
    pub(super) fn owns_candidate_service(&self, found: &Service) -> bool {
        found.annotation(CANARY_OF) == Some(&self.switch.service)
    }

    /// Whether the weights that a note is about are in force.
    pub(super) fn in_force(&self, route: &Route, mark: &CanaryMark) -> Result<InForce, Query> {
        let events = self.route_events(route)?;
        let events = events.iter().map(|events| events.unwrap_or_default());
        let events = events.collect::<Vec<_>>();
        Ok(route.in_force(&events, (mark.at, mark.told), self.now))
    }

    /// How often the controller of a route has told how it fares, where that is asked for and all
    /// that tell it could be read.
    pub(super) fn times_told(&self, route: &Route) -> Result<Option<u64>, Query> {
        let events = self.route_events(route)?;
        let told = events.iter().map(|events| Some(times_told((*events)?)));
        let told = told.collect::<Option<Vec<_>>>();
        let told = told.filter(|told| !told.is_empty());
        Ok(told.map(|told| told.iter().sum()))
    }

    /// The events of each object that tells of the route, as far as they could be read.
    fn route_events(&self, route: &Route) -> Result<Vec<Option<&[Event]>>, Query> {
        let Evidence::Events(reporters) = route.evidence() else {
            return Ok(Vec::new());
        };
        let events = reporters.into_iter().map(|reporter| {
            let query = Query::RouteEvents {
                kind: reporter.kind,
                namespace: reporter.namespace,
                name: reporter.name,
            };
            Ok(self.snapshot.get::<Option<Vec<_>>>(query)?.as_deref())
        });
        events.collect()
    }

    /// The failure of a canary by its route.
    pub(super) fn route_failed(&self, routed: &Routed, problem: RouteProblem) -> Decision {
        self.fail(RolloutCause::Route {
            route: routed.reference.clone(),
            problem,
        })
    }
}

#[cfg(test)]
mod tests;
