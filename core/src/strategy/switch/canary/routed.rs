//! The route of a canary, as it is read, and the note of the canary on it.

use crate::kubernetes::call::Call;
use crate::kubernetes::pod::Event;
use crate::kubernetes::route::{
    Backends, Evidence, InForce, Route, RouteBefore, RouteReference, times_told,
};
use crate::kubernetes::service::Service;
use crate::request::{Canary, candidate_service};
use crate::snapshot::Query;
use crate::state::marks::{self, CANARY, CANARY_OF};
use crate::strategy::causes::RolloutCause;
use crate::strategy::causes::RouteProblem;
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::switch::context::Context;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::time::Duration;

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

    /// The route that the request asks for, where there is one and it is there.
    pub(super) fn on_route(&self) -> Result<Option<(Routed<'_>, &Route)>, Query> {
        let Some(routed) = self.routed() else {
            return Ok(None);
        };
        let route = self.route(&routed)?;
        Ok(route.map(|route| (routed, route)))
    }

    /// The note of a canary for our Service on that route.
    pub(super) fn noted(&self) -> Result<Option<CanaryMark>, Query> {
        Ok(self.on_route()?.and_then(|(_, route)| self.mark_on(route)))
    }

    /// The note of a canary for our Service on a route.
    pub(super) fn mark_on(&self, route: &Route) -> Option<CanaryMark> {
        CanaryMark::read(route).filter(|mark| mark.service == self.switch.service)
    }

    /// The share that the candidate has now, as far as the route was read.
    pub(in crate::strategy::switch) fn share_now(&self) -> Option<u8> {
        let mark = self.noted().ok()??;
        let ours = mark.job == self.continuation.job && !mark.returned && mark.weight > 0;
        ours.then_some(mark.weight)
    }

    /// Whether the route, as far as it was read, notes a canary whose share was taken back.
    pub(in crate::strategy::switch) fn was_route_returned(&self) -> bool {
        let mark = self.noted().ok().flatten();
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
        let mark = self.noted().ok()??;
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
        self.on_route().is_err()
    }

    /// Whether the candidate has a share of the traffic.
    pub(in crate::strategy::switch) fn has_share(&self) -> Result<bool, Query> {
        self.on_route()?;
        Ok(self.share_now().is_some())
    }

    /// The share that the route itself gives the candidate, where this deploy gave it one: others
    /// may have changed the weights since.
    pub(in crate::strategy::switch) fn share_given(&self) -> Result<Option<u8>, Query> {
        let Some((routed, route)) = self.on_route()? else {
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

    /// Waits for what the route's controllers make of it.
    pub(super) fn wait_for_route(&self, routed: &Routed, at_most: Duration) -> Decision {
        self.wait(Stage::Route(routed.reference.clone()), at_most)
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
