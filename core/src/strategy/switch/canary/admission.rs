//! What speaks against a canary over a route, said before anything is written.

use super::route_fault;
use super::routed::{CanaryMark, Routed};
use super::service::taken;
use crate::kubernetes::call::Permission;
use crate::kubernetes::object::timestamp;
use crate::kubernetes::route::{Evidence, MissedShare, Route, RouteBefore, RouteFault};
use crate::kubernetes::service::Service;
use crate::problem::Fault;
use crate::snapshot::Query;
use crate::state::continuation::Phase;
use crate::state::marks;
use crate::strategy::action::Action;
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::pauses::{CATCHING_UP, EVENTS_WINDOW};
use crate::strategy::service_lock::{self, Lock};
use crate::strategy::switch::context::Context;
use jiff::SignedDuration;

/// How long before the first write a controller may need to look at a route that was changed.
const SETTLING: SignedDuration = SignedDuration::from_secs(20);

impl Context<'_> {
    /// A canary that was interrupted can be brought to its end by another over the same route
    /// alone: nothing else knows where its share of the traffic goes.
    pub(in crate::strategy::switch) fn see_no_other_canary(
        &self,
        service: &Service,
    ) -> Result<(), Decision> {
        let locked = Lock::read(service).and_then(|lock| lock.route);
        let left = service.annotation(marks::ROUTE_LEFT).map(str::to_owned);
        let note = match locked {
            Some(_) => marks::LOCK,
            None => marks::ROUTE_LEFT,
        };
        let Some(route) = locked.or(left) else {
            return Ok(());
        };
        let own = self.route_name();
        if own.as_ref() == Some(&route) {
            return Ok(());
        }
        let route = crate::text::quote(&route);
        let problem = format!(
            "must be `canary`, and `route` must be `{route}`: a canary that used that route was \
             interrupted, and the route still sends a share of the traffic to it. Deploy once \
             with these two fields, which ends it; or send all traffic of the route to Service \
             `{}` and remove the annotation {note} from that Service",
            service.name(),
        );
        Err(self.refuse(None, vec![Fault::new("strategy", problem)]))
    }

    /// A canary of another execution died with a share of the traffic. The share is taken back
    /// before anything else: an alarm that rings because of it would refuse whatever comes.
    pub(in crate::strategy::switch) fn end_dead_share(
        &self,
        service: &Service,
    ) -> Result<(), Decision> {
        if self.continuation.phase != Phase::Start || self.request.mode.is_plan() {
            return Ok(());
        }
        let dead = Lock::read(service);
        let others = |lock: &Lock| lock.execution != self.request.execution;
        let is_dead = match &dead {
            // One that is alive and to be stopped loses its lock before anything else.
            Some(lock) => others(lock) && !lock.holds(self.now),
            // The Service was made anew since: what is left is the note on the route.
            None => self.is_noted_on_route()?,
        };
        if !is_dead {
            return Ok(());
        }
        // Not to a Service without pods.
        if self.has_ready(&service.selector())?
            && let Err(decision) = self.shift_back(None)
        {
            return Err(at_start(decision));
        }
        let is_shared = |dead: &Lock| dead.share.is_some() && dead.selects_by(&service.selector());
        let Some(pinned) = dead.filter(is_shared).and_then(|dead| dead.pinned) else {
            return Ok(());
        };
        if !self.has_ready(&pinned)? {
            return Ok(());
        }
        self.rechecked()?;
        let patch = service_lock::select(service, &pinned, true);
        Err(self.patch_service(patch, Phase::Start))
    }

    /// Whether the route has a note of another deploy's canary of this Service.
    fn is_noted_on_route(&self) -> Result<bool, Query> {
        let mark = self.noted()?;
        Ok(mark.is_some_and(|mark| mark.job != self.continuation.job))
    }

    /// What is wrong with the route and the names that a canary needs.
    pub(in crate::strategy::switch) fn faults_of_canary(&self) -> Result<Vec<Fault>, Decision> {
        let Some(routed) = self.routed() else {
            return Ok(Vec::new());
        };
        let Some(route) = self.route(&routed)? else {
            let kind = routed.reference.kind.resource().kind.as_ref();
            let problem = format!("there is no such {kind} in this namespace");
            return Ok(vec![route_problem(&routed, &problem)]);
        };
        // Which controller it has is known only now.
        let targets = matches!(route.evidence(), Evidence::Events(_));
        let unfit = routed.canary.unfit(self.request.timeout, targets);
        let unfit = unfit.map(|problem| Fault::new("steps", problem));
        let mut faults = Vec::from_iter(unfit);
        faults.extend(self.fault_of_turn(&routed, route)?);
        // What an interrupted one has left is given back once the lock is ours.
        if CanaryMark::read(route).is_none()
            && let Err(found) = self.admitted(&routed, route, SETTLING)?
        {
            faults.extend(found);
        }
        if let Some(there) = self.candidate_service(&routed)?
            && !self.owns_candidate_service(there)
        {
            faults.push(taken(there.name()));
        }
        Ok(faults)
    }

    /// Of two canaries by one route the second waits until the first is over: each has its note
    /// there. One that was interrupted must be brought to its end.
    pub(super) fn fault_of_turn(
        &self,
        routed: &Routed,
        route: &Route,
    ) -> Result<Option<Fault>, Decision> {
        let mark = CanaryMark::read(route).filter(|mark| mark.service != self.switch.service);
        let Some(CanaryMark { service, .. }) = mark else {
            return Ok(None);
        };
        let other = self.snapshot.service(&service)?;
        let lock = other.and_then(Lock::read);
        let by_this = |lock: &Lock| lock.route == Some(routed.reference.to_string());
        if lock.is_some_and(|lock| by_this(&lock) && lock.holds(self.now)) {
            let route = routed.reference.clone();
            return Err(self.wait(Stage::Turn { route, service }, EVENTS_WINDOW));
        }
        let problem = format!(
            "an interrupted canary of Service `{service}` still uses this route. Deploy Service \
             `{service}` by `canary` over this route again, which ends it. If that Service is no \
             longer used, take `{service}-canary` out of the route, and remove its annotation {}",
            marks::CANARY,
            service = crate::text::quote(&service),
        );
        Ok(Some(route_problem(routed, &problem)))
    }

    /// The weights of a route that can be divided, which it is given back in the end, or what
    /// speaks against that. A route that was changed just now, or whose backend was made just now,
    /// may not have been looked at by its controllers: they get some time.
    pub(super) fn admitted(
        &self,
        routed: &Routed,
        route: &Route,
        patience: SignedDuration,
    ) -> Result<Result<RouteBefore, Vec<Fault>>, Decision> {
        let service = &self.switch.service;
        let backends = routed.backends();
        let there = self.candidate_service(routed)?;
        let ours = self.snapshot.service(service)?;
        let sticky = ours.map(|ours| route.only_targets_sticky(&backends, ours));
        let sticky = sticky.unwrap_or_default();
        let mut faults = match route.admission(&backends) {
            Ok(before) if sticky.is_empty() => {
                let shares = routed.canary.steps.iter().map(|step| step.weight);
                let missed = route.missed_share(&backends, &before, shares);
                let fault = |missed: MissedShare| {
                    Fault::new("steps", route_fault::missed(&missed, service))
                };
                return Ok(missed.map_or(Ok(before), |missed| Err(vec![fault(missed)])));
            }
            Ok(_) => sticky,
            Err(faults) => [faults, sticky].concat(),
        };
        // A rule of testers names the candidate's Service, which is made later.
        if there.is_none() && route.sends_to(backends.canary) {
            faults.retain(|fault| !fault.is_of_missing_backend());
        }
        let made = there.and_then(|there| timestamp(there.text("/metadata/creationTimestamp")));
        let changed = route.changed_at().max(made);
        let is_young = changed.is_some_and(|changed| self.now < changed + patience);
        if is_young && !faults.is_empty() && faults.iter().all(RouteFault::may_pass) {
            return Err(self.wait_for_route(routed, CATCHING_UP));
        }
        let problem = |fault: &RouteFault| {
            let problem = route_fault::problem(fault, service);
            route_problem(routed, &format!("it {problem}"))
        };
        Ok(Err(faults.iter().map(problem).collect()))
    }

    /// The permissions that a canary needs.
    pub(in crate::strategy::switch) fn permissions_of_canary(&self) -> Vec<Permission> {
        let routed = self.routed();
        let needed = routed.map(|routed| routed.reference.kind.permissions());
        needed.map(Vec::from).unwrap_or_default()
    }
}

/// The same write, after which this deploy has not begun yet.
fn at_start(decision: Decision) -> Decision {
    let Decision::Act(Action::Step(mut step)) = decision else {
        return decision;
    };
    step.then = Phase::Start;
    Decision::Act(Action::Step(step))
}

fn route_problem(routed: &Routed, problem: &str) -> Fault {
    Fault::new("route", format!("names `{}`: {problem}", routed.reference))
}
