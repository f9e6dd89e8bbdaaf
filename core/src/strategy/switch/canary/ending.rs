//! The end of a canary, good or bad: the route is given back as it was, and the candidate's Service
//! goes once nothing is sent to it any more.

use super::routed::{CanaryMark, Routed};
use super::stepping::ACCEPTANCE;
use crate::kubernetes::object::timestamp;
use crate::kubernetes::route::{Acceptance, Evidence, InForce, Route, RouteBefore};
use crate::kubernetes::service::Service;
use crate::request::TARGETS;
use crate::snapshot::Query;
use crate::state::continuation::RecordedFailure;
use crate::state::marks::{self, CANARY};
use crate::strategy::decision::Decision;
use crate::strategy::pauses::{CATCHING_UP, EVENTS_WINDOW};
use crate::strategy::service_lock::Lock;
use crate::strategy::switch::context::Context;
use crate::workload::Workload;
use serde_json::{Value, json};
use std::time::Duration;

/// How long proxies may need to learn of the pods of a Service that was switched.
const LEARNING: Duration = Duration::from_secs(5);

/// The notes on a route that are there only while somebody is at work.
const NO_NOTES: [(&str, Option<&str>); 3] = [
    (CANARY, None),
    (marks::ROLLED_BACK, None),
    (marks::CAUSE, None),
];

impl Context<'_> {
    /// Takes the candidate's share back, which is one write; the same write tells why, so that
    /// whoever goes on goes on backwards.
    pub(in crate::strategy::switch) fn shift_back(
        &self,
        back: Option<&RecordedFailure>,
    ) -> Result<(), Decision> {
        let Some((routed, route)) = self.on_route()? else {
            return Ok(());
        };
        let Some(mark) = self.mark_to_return(&routed, route)? else {
            return Ok(());
        };
        let share = mark.weight;
        let mark = CanaryMark {
            weight: 0,
            at: self.now,
            // The way back waits for no read.
            told: None,
            since: None,
            returned: true,
            ..mark
        };
        let text = mark.text();
        let job = back.map(|_| &*self.continuation.job);
        let notes = [
            (CANARY, Some(&*text)),
            (marks::ROLLED_BACK, job),
            (marks::CAUSE, back.map(|back| &*back.cause)),
        ];
        // The one note that there is room for may be that of another's canary.
        let noted = CanaryMark::read(route);
        let is_anothers = noted.is_some_and(|other| other.service != self.switch.service);
        let notes: &[_] = if is_anothers { &[] } else { &notes };
        // Where it does not send to our Service any more, its weights are not ours.
        let patch = route
            .restored(&routed.backends(), share, &mark.before, notes)
            .unwrap_or_else(|_| route.annotated(notes));
        Err(self.step(routed.patch(patch)))
    }

    /// The shares that the candidate of this execution has had by the route, as its note tells.
    pub(in crate::strategy::switch) fn shares_by_route(&self) -> Result<Vec<u8>, Query> {
        let (Some(routed), Some(mark)) = (self.routed(), self.noted()?) else {
            return Ok(Vec::new());
        };
        let mut versions = self.versions()?.iter();
        let made = versions.find(|one| one.annotation(marks::JOB) == Some(&*mark.job));
        let by = made.and_then(|one| one.annotation(marks::EXECUTION));
        let is_own = mark.job == self.continuation.job || by == Some(&self.request.execution);
        let steps = routed.canary.steps.iter().map(|step| step.weight);
        Ok(steps.take(mark.step).filter(|_| is_own).collect())
    }

    /// What a route has that is to be given back: by its note, or where somebody has taken that
    /// away and the candidate's Service has weight still. Its pods are about to go.
    fn mark_to_return(&self, routed: &Routed, route: &Route) -> Result<Option<CanaryMark>, Query> {
        if let Some(mark) = self.mark_on(route) {
            return Ok(Some(mark).filter(|mark| !mark.returned));
        }
        Ok(self.has_unnoted_weight(routed, route)?.then(|| CanaryMark {
            job: self.continuation.job.clone(),
            service: self.switch.service.clone(),
            step: 0,
            weight: route.percent(&routed.backends()),
            at: self.now,
            told: None,
            since: None,
            returned: false,
            before: RouteBefore::default(),
        }))
    }

    /// Whether a route gives our candidate weight, where it has no note of a canary.
    pub(super) fn has_unnoted_weight(&self, routed: &Routed, route: &Route) -> Result<bool, Query> {
        Ok(!route.spares(&routed.backends()) && !self.is_name_taken(routed)?)
    }

    /// Gives the route back as it was, sees that in force, and takes the candidate's Service away.
    pub(in crate::strategy::switch) fn give_route_back(
        &self,
        back: Option<&RecordedFailure>,
    ) -> Result<(), Decision> {
        let Some(routed) = self.routed() else {
            return Ok(());
        };
        self.shift_back(back)?;
        let route = self.route(&routed)?;
        let Some((route, mark)) = route.and_then(|route| Some((route, self.mark_on(route)?)))
        else {
            return self.close_candidate_service(&routed);
        };
        if let Some(pause) = self.until_returned(&routed, route, &mark)? {
            return Err(self.wait_for_route(&routed, pause));
        }
        Err(self.step(routed.patch(route.annotated(&NO_NOTES))))
    }

    /// Whether the route was given back, and its controller has not confirmed that.
    pub(in crate::strategy::switch) fn is_share_unconfirmed(&self) -> Result<bool, Query> {
        let Some((routed, route)) = self.on_route()? else {
            return Ok(false);
        };
        match self.mark_on(route).filter(|mark| mark.returned) {
            Some(mark) => Ok(self.until_returned(&routed, route, &mark)?.is_some()),
            None => Ok(false),
        }
    }

    /// When to look again whether the candidate gets nothing by the route any more; `None` where
    /// that is so.
    fn until_returned(
        &self,
        routed: &Routed,
        route: &Route,
        mark: &CanaryMark,
    ) -> Result<Option<Duration>, Query> {
        // Somebody has given it weight again.
        if !route.spares(&routed.backends()) {
            return Ok(Some(CATCHING_UP));
        }
        match route.acceptance() {
            Acceptance::Accepted | Acceptance::NotReported => {}
            Acceptance::Waiting(_) | Acceptance::Refused(_) => return Ok(Some(CATCHING_UP)),
        }
        Ok(match self.in_force(route, mark)? {
            InForce::Yes | InForce::Unseen => None,
            InForce::Until(end) => Some(self.left(end).min(EVENTS_WINDOW)),
            InForce::Failed { .. } => Some(EVENTS_WINDOW),
        })
    }

    /// After the last step, when the Service itself sends to the candidate: once that is known
    /// everywhere, the route sends to it again.
    pub(in crate::strategy::switch) fn end_canary(
        &self,
        service: &Service,
        found: &Workload,
        lock: &Lock,
    ) -> Result<(), Decision> {
        let Some(routed) = self.routed() else {
            return Ok(());
        };
        let is_late = self.now >= lock.deadline;
        if let Some(route) = self.route(&routed)?
            && !is_late
            && self.mark_to_return(&routed, route)?.is_some()
        {
            self.see_endpoints(service, found, lock.deadline)?;
            let learning = match route.evidence() {
                Evidence::Conditions => LEARNING,
                Evidence::Events(_) => TARGETS,
            };
            let switched = service.annotation(marks::DEPLOYED_AT).and_then(timestamp);
            let learnt = switched.map(|switched| switched + learning);
            if let Some(learnt) = learnt.filter(|learnt| self.now < *learnt) {
                let pause = self.left(learnt).min(EVENTS_WINDOW);
                return Err(self.wait_for_endpoints(service.name(), pause));
            }
        }
        // The Service sends to a pod of the new version: that is enough, at the latest now.
        self.shift_back(None)?;
        let mark = self.noted()?;
        // The new version serves: it is not judged by a controller that confirms nothing.
        if is_late && mark.is_some_and(|mark| self.now >= mark.at + ACCEPTANCE) {
            return Ok(());
        }
        self.give_route_back(None)
    }

    /// The route that still has something of a canary of this Service.
    fn route_left(&self) -> Result<Option<Routed<'_>>, Query> {
        let Some((routed, route)) = self.on_route()? else {
            return Ok(None);
        };
        let is_left =
            self.mark_on(route).is_some() || self.mark_to_return(&routed, route)?.is_some();
        Ok(is_left.then_some(routed))
    }

    /// What the patch that gives the lock up notes beside: the route, where it still has something
    /// of a canary. Without that another strategy would take away pods that it sends to.
    pub(in crate::strategy::switch) fn note_route(
        &self,
        mut patch: Value,
        service: &Service,
    ) -> Result<Value, Query> {
        let left = self.route_left()?;
        if left.is_some() || service.annotation(marks::ROUTE_LEFT).is_some() {
            let left = left.map(|routed| routed.reference.to_string());
            patch["metadata"]["annotations"][marks::ROUTE_LEFT] = json!(left);
        }
        Ok(patch)
    }

    /// What a canary that succeeded has left on its route: the name, and why.
    pub(in crate::strategy::switch) fn left_of_canary(
        &self,
    ) -> Result<Option<(String, String)>, Query> {
        let why = "its controller did not confirm the weights from before; the next deploy does \
            the rest";
        let left = self.route_left()?;
        Ok(left.map(|routed| (routed.reference.to_string(), why.to_owned())))
    }
}
