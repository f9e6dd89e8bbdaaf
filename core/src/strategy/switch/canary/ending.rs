//! The end of a canary, good or bad: the route is given back as it was, and the candidate's Service
//! goes once nothing is sent to it any more.

use super::mark::CanaryMark;
use super::stepping::TARGETS;
use crate::kubernetes::object::timestamp;
use crate::kubernetes::route::{Acceptance, Evidence, InForce, Route};
use crate::kubernetes::service::Service;
use crate::snapshot::Query;
use crate::state::continuation::RecordedFailure;
use crate::state::marks::{self, CANARY};
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::pauses::{CATCHING_UP, EVENTS_WINDOW};
use crate::strategy::service_lock::Lock;
use crate::strategy::switch::context::Context;
use crate::workload::Workload;
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
        let Some(routed) = self.routed() else {
            return Ok(());
        };
        let Some(route) = self.route(&routed)? else {
            return Ok(());
        };
        let Some(mark) = self.mark_on(route).filter(|mark| !mark.returned) else {
            return Ok(());
        };
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
        // Where it does not send to our Service any more, its weights are not ours.
        let patch = route
            .restored(&routed.backends(), &mark.before, &notes)
            .unwrap_or_else(|_| route.annotated(&notes));
        Err(self.step(routed.patch(patch)))
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
        let Some(route) = self.route(&routed)? else {
            return self.close_candidate_service(&routed);
        };
        let Some(mark) = self.mark_on(route) else {
            return match route.spares(&routed.backends()) {
                true => self.close_candidate_service(&routed),
                false => Ok(()),
            };
        };
        if let Some(pause) = self.until_returned(route, &mark)? {
            return Err(self.wait(Stage::Route(routed.reference.clone()), pause));
        }
        Err(self.step(routed.patch(route.annotated(&NO_NOTES))))
    }

    /// Whether the route was given back, and its controller has not confirmed that.
    pub(in crate::strategy::switch) fn is_share_unconfirmed(&self) -> Result<bool, Query> {
        let Some(routed) = self.routed() else {
            return Ok(false);
        };
        let Some(route) = self.route(&routed)? else {
            return Ok(false);
        };
        match self.mark_on(route).filter(|mark| mark.returned) {
            Some(mark) => Ok(self.until_returned(route, &mark)?.is_some()),
            None => Ok(false),
        }
    }

    /// When to look again whether the candidate gets nothing by the route any more; `None` where
    /// that is so.
    fn until_returned(&self, route: &Route, mark: &CanaryMark) -> Result<Option<Duration>, Query> {
        match route.acceptance() {
            Acceptance::Accepted | Acceptance::NotReported => {}
            Acceptance::Waiting(_) | Acceptance::Refused(_) => return Ok(Some(CATCHING_UP)),
        }
        Ok(match self.in_force(route, mark)? {
            InForce::Yes | InForce::Unseen => None,
            InForce::Until(end) => {
                let left = end.duration_since(self.now).unsigned_abs();
                Some(left.min(EVENTS_WINDOW))
            }
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
        // The new version serves: what is left of the canary is not what it is judged by.
        if self.now >= lock.deadline {
            return Ok(());
        }
        if let Some(route) = self.route(&routed)?
            && let Some(mark) = self.mark_on(route)
            && !mark.returned
        {
            self.see_endpoints(service, found, lock.deadline)?;
            let learning = match route.evidence() {
                Evidence::Conditions => LEARNING,
                Evidence::Event { .. } => TARGETS,
            };
            let switched = service.annotation(marks::DEPLOYED_AT).and_then(timestamp);
            let learnt = switched.map(|switched| switched + learning);
            if let Some(learnt) = learnt.filter(|learnt| self.now < *learnt) {
                let stage = Stage::Endpoints(service.name().to_owned());
                let left = learnt.duration_since(self.now).unsigned_abs();
                return Err(self.wait(stage, left.min(EVENTS_WINDOW)));
            }
        }
        self.give_route_back(None)
    }

    /// What a canary that succeeded has left on its route: the name, and why.
    pub(in crate::strategy::switch) fn left_of_canary(
        &self,
    ) -> Result<Option<(String, String)>, Query> {
        let Some(routed) = self.routed() else {
            return Ok(None);
        };
        let Some(route) = self.route(&routed)? else {
            return Ok(None);
        };
        let mark = self.mark_on(route);
        Ok(mark.map(|_| {
            let why = "its controller did not confirm the weights from before; the next deploy \
                       does the rest"
                .to_owned();
            (routed.reference.to_string(), why)
        }))
    }
}
