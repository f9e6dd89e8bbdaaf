//! The steps of a canary: the candidate gets its shares one after the other, and is watched with
//! each as long as that says.

use super::routed::{CanaryMark, Routed};
use crate::change::editor::Editor;
use crate::kubernetes::route::{
    Acceptance, Evidence, InForce, Route, RouteBefore, RouteKind, RouteReference, WeightChange,
};
use crate::kubernetes::service::{Service, ServicePod};
use crate::request::TARGETS;
use crate::snapshot::{Kind, Query};
use crate::state::continuation::{Phase, RecordedFailure};
use crate::state::marks::{self, CANARY};
use crate::strategy::causes::RolloutCause;
use crate::strategy::causes::RouteProblem;
use crate::strategy::decision::{Decision, Stage};
use crate::strategy::pauses::{CATCHING_UP, EVENTS_WINDOW, STEP_WINDOW};
use crate::strategy::service_lock::{self, Lock};
use crate::strategy::switch::context::{Context, Next, count};
use crate::strategy::switch::returning::remember;
use crate::workload::Workload;
use jiff::SignedDuration;
use std::time::Duration;

/// How long a controller may need to accept a route that was changed.
pub(super) const ACCEPTANCE: SignedDuration = SignedDuration::from_secs(60);

/// How long a controller may refuse a route whose weights were in force already: it may have been
/// started anew, and not know all of its objects yet.
const REFUSED: SignedDuration = SignedDuration::from_secs(20);

/// How long an error of a controller may last that it repeats by itself.
const RETRIES: SignedDuration = SignedDuration::from_mins(2);

/// What the end may take after the last step: a load balancer looks at the pods of the switched
/// Service, the route is given back, and the old version is scaled down.
const ENDING: Duration = Duration::from_secs(6 * 60);

impl Context<'_> {
    /// Takes up a canary where the route says it is; `None` before its first write.
    pub(in crate::strategy::switch) fn resume_canary(
        &self,
        service: &Service,
        lock: &Lock,
    ) -> Result<Option<Decision>, Decision> {
        let Some(routed) = self.routed() else {
            return Ok(None);
        };
        let Some(route) = self.route(&routed)? else {
            return Err(self.route_failed(&routed, RouteProblem::Deleted));
        };
        let job = &self.continuation.job;
        if route.annotation(marks::ROLLED_BACK) == Some(job) {
            let cause = route.annotation(marks::CAUSE).unwrap_or_default();
            let back = RecordedFailure::of(cause);
            return Ok(Some(Decision::Enter(Phase::SwitchRollback(back))));
        }
        match self.mark_on(route) {
            Some(mark) if mark.job == *job && !mark.returned => {
                self.steps(&routed, route, &mark, service, lock).map(Some)
            }
            // What an interrupted one has left.
            Some(_) => {
                self.in_time()?;
                self.give_route_back(None)?;
                Ok(None)
            }
            // Nothing but a canary gives it weight, and somebody has taken its note away.
            None if self.has_unnoted_weight(&routed, route)?
                && self.made_by_this_deploy()?.is_some() =>
            {
                // Who has set the weights did not take their note away.
                let problem = RouteProblem::Changed {
                    change: WeightChange::Unnoted,
                    editor: None,
                };
                Err(self.route_failed(&routed, problem))
            }
            None => Ok(None),
        }
    }

    /// The candidate is ready: the route learns of it, without giving it anything yet.
    pub(in crate::strategy::switch) fn begin_canary(
        &self,
        routed: &Routed,
        service: &Service,
        live: &Workload,
        (version, found): (&str, &Workload),
        members: &[ServicePod],
    ) -> Next {
        let Some(route) = self.route(routed)? else {
            return Err(self.route_failed(routed, RouteProblem::Deleted));
        };
        if let Some(fault) = self.fault_of_turn(routed, route)? {
            return Ok(self.fail(RolloutCause::Unfit(fault)));
        }
        self.open_candidate_service(routed, service, version, found, members)?;
        self.move_autoscaler(found.name(), live.name(), Some(live.replicas()))?;
        match self.admitted(routed, route, ACCEPTANCE)? {
            Ok(before) => {
                self.rechecked()?;
                self.shift(routed, route, (0, 0), before)
            }
            Err(mut faults) => Ok(self.fail(RolloutCause::Unfit(faults.remove(0)))),
        }
    }

    /// Writes the weights of a step; beside it is the share that the candidate has by now.
    fn shift(
        &self,
        routed: &Routed,
        route: &Route,
        (step, now): (usize, u8),
        before: RouteBefore,
    ) -> Next {
        let weight = match step {
            0 => 0,
            step => routed.canary.steps[step - 1].weight,
        };
        let mark = CanaryMark {
            job: self.continuation.job.clone(),
            service: self.switch.service.clone(),
            step,
            weight,
            at: self.now,
            told: self.times_told(route)?,
            since: None,
            returned: false,
            before,
        };
        let text = mark.text();
        let notes = [
            (CANARY, Some(&*text)),
            (marks::ROLLED_BACK, None),
            (marks::CAUSE, None),
        ];
        let shares = (now, weight);
        match route.shifted(&routed.backends(), shares, &mark.before, &notes) {
            Ok(patch) => Ok(self.step(routed.patch(patch))),
            Err(_) => Err(self.route_failed(routed, RouteProblem::Deleted)),
        }
    }

    fn steps(
        &self,
        routed: &Routed,
        route: &Route,
        mark: &CanaryMark,
        service: &Service,
        lock: &Lock,
    ) -> Next {
        let name = self.name_of(&lock.version);
        let Some(found) = self.snapshot.deployment(&name)? else {
            return Ok(self.fail(RolloutCause::DeploymentDeleted(name)));
        };
        if found.replicas() == 0 {
            return Ok(self.fail(RolloutCause::ScaledToZero(name)));
        }
        if found.annotation(marks::JOB) != Some(&self.continuation.job) {
            return Ok(self.fail(RolloutCause::DeploymentChanged(name)));
        }
        let stood = route.stands_at(&routed.backends(), mark.weight, &mark.before);
        if let Err(change) = stood {
            let editor = self.editor_of(routed)?;
            let problem = RouteProblem::Changed { change, editor };
            return Ok(self.route_failed(routed, problem));
        }
        self.see_way(routed, route, mark, (service, lock))?;
        self.check_template(found)?;
        let until = mark.since.map(|since| since + bake_of(routed, route, mark));
        let stage = Stage::Share {
            candidate: name,
            percent: mark.weight,
            until,
        };
        self.follow(found, lock.deadline, stage.clone())?;
        // With a share, a pod that is not ready is a version that stopped serving.
        if mark.weight > 0 {
            self.heal()?;
        }
        let live = self.live(service)?;
        self.check_pin(service, live)?;
        // Whoever scales it to zero takes its own share from it, too.
        if mark.weight > 0 && live.replicas() == 0 {
            return Ok(self.fail(RolloutCause::ScaledToZero(live.name().to_owned())));
        }
        // With all of the traffic it is the candidate that an autoscaler scales.
        if mark.weight < 100 && found.replicas() < live.replicas() {
            self.rechecked()?;
            return Ok(self.scale_up(found, live.replicas()));
        }
        if mark.weight == 100 {
            self.keep_pace(live, found)?;
        }
        let Some(until) = until else {
            return self.settle(routed, route, mark);
        };
        self.wait_until(until, &stage, STEP_WINDOW)?;
        let wait = |at_most| self.wait(stage, at_most);
        self.see_alarms(until, wait)?;
        self.next_step(routed, route, mark, (service, lock), (live, found))
    }

    /// With a share, what the route sends to stays there and sends to the candidate, and its
    /// controllers go on taking it: otherwise that share of the requests gets errors.
    fn see_way(
        &self,
        routed: &Routed,
        route: &Route,
        mark: &CanaryMark,
        (service, lock): (&Service, &Lock),
    ) -> Result<(), Decision> {
        if mark.weight == 0 || mark.since.is_none() {
            return Ok(());
        }
        let there = self.candidate_service(routed)?;
        if there.is_none_or(|there| there.is_being_deleted()) {
            let name = routed.candidate_service.clone();
            return Err(self.fail(RolloutCause::ServiceDeleted(name)));
        }
        let wanted = service_lock::of_version(&service.selector(), &lock.version);
        if there.is_some_and(|there| there.selector() != wanted) {
            let name = routed.candidate_service.clone();
            return Err(self.fail(RolloutCause::SelectorChanged(name)));
        }
        match route.acceptance() {
            Acceptance::Refused(refusal) => {
                let is_new = |since| self.now < since + REFUSED;
                match refusal.since.is_some_and(is_new) {
                    true => Err(self.wait_for_route(routed, CATCHING_UP)),
                    false => Err(self.route_failed(routed, RouteProblem::Refused(refusal))),
                }
            }
            Acceptance::Accepted | Acceptance::NotReported | Acceptance::Waiting(_) => Ok(()),
        }
    }

    /// Weights that were written are to be accepted, and then to come into force.
    fn settle(&self, routed: &Routed, route: &Route, mark: &CanaryMark) -> Next {
        self.in_time()?;
        let wait = || Ok(self.wait_for_route(routed, CATCHING_UP));
        let is_young = self.now < mark.at + ACCEPTANCE;
        match route.acceptance() {
            Acceptance::Accepted | Acceptance::NotReported => {}
            Acceptance::Waiting(_) if is_young => return wait(),
            Acceptance::Refused(refusal) if is_young && refusal.may_pass() => return wait(),
            Acceptance::Waiting(parents) => {
                let waited = ACCEPTANCE.unsigned_abs();
                let problem = RouteProblem::NotAccepted { parents, waited };
                return Ok(self.route_failed(routed, problem));
            }
            Acceptance::Refused(refusal) => {
                return Ok(self.route_failed(routed, RouteProblem::Refused(refusal)));
            }
        }
        let is_asked = mark.weight > 0 || route.evidence() != Evidence::Conditions;
        let in_force = match is_asked {
            true => self.in_force(route, mark)?,
            false => InForce::Yes,
        };
        match in_force {
            InForce::Yes | InForce::Unseen => {
                let mark = CanaryMark {
                    since: Some(self.now),
                    ..mark.clone()
                };
                let patch = route.annotated(&[(CANARY, Some(&mark.text()))]);
                Ok(self.step(routed.patch(patch)))
            }
            InForce::Until(end) => {
                Ok(self.wait_for_route(routed, self.left(end).min(EVENTS_WINDOW)))
            }
            InForce::Failed { .. } if self.now < mark.at + RETRIES => wait(),
            InForce::Failed { reason, message } => {
                let problem = RouteProblem::NotInForce { reason, message };
                Ok(self.route_failed(routed, problem))
            }
        }
    }

    /// The step was watched for its time.
    fn next_step(
        &self,
        routed: &Routed,
        route: &Route,
        mark: &CanaryMark,
        (service, lock): (&Service, &Lock),
        (live, found): (&Workload, &Workload),
    ) -> Next {
        let members = self.snapshot.service_pods(&service_lock::of_version(
            &service.selector(),
            &lock.version,
        ))?;
        let endpoints = self.snapshot.endpoints(&routed.candidate_service)?;
        self.in_time()?;
        if !endpoints.are_all_of(members, count(found.replicas().max(1))) {
            return Ok(self.wait_for_endpoints(&routed.candidate_service, CATCHING_UP));
        }
        let next = routed.canary.steps.get(mark.step);
        // With all of the traffic it is the candidate that is scaled by it.
        if next.is_none_or(|next| next.weight == 100) {
            let floor = Some(live.replicas());
            self.move_autoscaler(live.name(), found.name(), floor)?;
        }
        self.rechecked()?;
        if next.is_some() {
            let next = (mark.step + 1, mark.weight);
            return self.shift(routed, route, next, mark.before.clone());
        }
        let lock = Lock {
            deadline: lock.deadline.max(self.now + ENDING),
            wanted: Some(live.replicas()),
            ..lock.clone()
        };
        let to = (found.name(), &*lock.version);
        let author = self.author();
        let patch = service_lock::promote(service, &lock, live.name(), to, &author);
        let patch = remember(patch, service, live);
        Ok(self.patch_service(patch, Phase::Switch))
    }

    /// Who changed the weights.
    fn editor_of(&self, routed: &Routed) -> Result<Option<Editor>, Query> {
        let RouteReference { kind, name } = routed.reference;
        let field = match kind {
            RouteKind::HttpRoute => ["f:spec", "f:rules"],
            RouteKind::Ingress => ["f:metadata", "f:annotations"],
        };
        let field = field.map(str::to_owned).to_vec();
        Ok(self
            .snapshot
            .editor(Kind::Route(*kind), name, field)?
            .cloned())
    }
}

/// How long a canary stays at its step. Without weight only a load balancer's look at its new
/// targets is waited for.
fn bake_of(routed: &Routed, route: &Route, mark: &CanaryMark) -> Duration {
    let steps = &routed.canary.steps;
    match (mark.step.checked_sub(1), route.evidence()) {
        (Some(index), _) => steps.get(index).map_or(Duration::ZERO, |step| step.bake),
        (None, Evidence::Conditions) => Duration::ZERO,
        (None, Evidence::Events(_)) => TARGETS,
    }
}
