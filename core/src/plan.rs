//! What a deploy would change, for a person to read before it is done: the object as the API server
//! would store it (from a dry run) against the live one, in lines.

use crate::change::difference::{Difference, difference};
use crate::kubernetes::call::Call;
use crate::request::{Request, Switch};
use crate::snapshot::{DryRun, Snapshot};
use crate::state::marks::VERSION;
use crate::strategy::candidate::Candidate;
use crate::strategy::handover::Handover;
use crate::strategy::switch::returning;
use crate::strategy::{Action, Context, Decision};
use crate::workload::Workload;
use serde_json::Value;

/// What a deploy would come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// The Deployment as it would be; none where nothing would be written.
    pub after: Option<Workload>,
    /// The live one, where there is one.
    pub live: Option<Workload>,
    /// What differs.
    pub difference: Difference,
    /// What the API server remarked.
    pub warnings: Vec<String>,
    /// How a switch would hand over.
    pub handover: Option<Handover>,
    /// The candidate of a deploy that is not done, which a rollback on demand would take back.
    pub takes_back: Option<String>,
    /// Whether it brings back what served before, so that an alarm that rings does not hold it up.
    pub returns: bool,
}

/// What a decision means for a plan.
#[derive(Debug, PartialEq)]
pub enum PlanStep {
    /// Nothing yet, or the end that it has anyway.
    GoOn,
    /// This is to be tried, and compared with the live object.
    Try(Box<Call>, Option<Workload>),
    /// It was tried already, and would be this.
    Tried(Option<Workload>, Box<Workload>),
    /// Nothing would be written.
    Nothing(Option<Workload>),
}

/// Takes the first decision that would write for the plan. A switch begins with its Service; what
/// counts is the candidate, which is tried under a name that nobody has.
pub fn step(context: &Context, decision: &Decision) -> PlanStep {
    let (request, snapshot) = (context.request, context.snapshot);
    let author = &context.author();
    let live = || match request.strategy.switch() {
        Some(switch) => switched(request, switch, snapshot).cloned(),
        None => snapshot.seen_deployment(&request.deployment).cloned(),
    };
    match decision {
        // Another execution may be at work on a Service: that is waited for, as in a deploy.
        Decision::Read(_)
        | Decision::Wait(_)
        | Decision::Remember(_)
        | Decision::Steady(_)
        | Decision::Serves(_)
        | Decision::ReadAlarms
        | Decision::GiveUp(_) => PlanStep::GoOn,
        Decision::Act(Action::Step(_)) => {
            let Some(live) = live() else {
                return PlanStep::Nothing(None);
            };
            let rendered = match request.mode.is_rollback() {
                true => returning::planned(context, &live),
                false => Candidate::render(request, &live, author),
            };
            let Ok(candidate) = rendered else {
                return PlanStep::Nothing(Some(live));
            };
            let mut object = candidate.create(request, &live, author);
            object["metadata"]["name"] = format!("{}-plan", candidate.name).into();
            let call =
                Call::create(request.kind.row().resource, &request.namespace, object).dry_run();
            PlanStep::Try(Box::new(call), Some(live))
        }
        Decision::Act(action) => match snapshot.dry_run() {
            Some(DryRun::Would(after)) => PlanStep::Tried(live(), Box::new(after.clone())),
            Some(DryRun::Unable) | None => {
                PlanStep::Try(Box::new(action.call(request).dry_run()), live())
            }
        },
        Decision::Enter(_) | Decision::RollBack(_) | Decision::TakeBack(_) => {
            PlanStep::Nothing(live())
        }
        Decision::Finish(success) => PlanStep::Nothing(Some(success.deployment.clone())),
    }
}

/// The Deployment that the Service sends to.
fn switched<'a>(
    request: &Request,
    switch: &Switch,
    snapshot: &'a Snapshot,
) -> Option<&'a Workload> {
    let service = snapshot.seen_service(&switch.service)?;
    let name = match service.selector().get(VERSION) {
        Some(version) => format!("{}-{version}", request.deployment),
        None => request.deployment.clone(),
    };
    snapshot.seen_deployment(&name)
}

/// The plan that a dry run answered.
pub fn tried(request: &Request, live: Option<Workload>, after: Workload) -> Plan {
    let nothing = Value::Null;
    let mut before = live.as_ref().map_or(&nothing, |it| it.value()).clone();
    let mut wanted = after.value().clone();
    if request.strategy.switch().is_some() {
        // Name, labels and selector of a candidate are its own.
        for object in [&mut before, &mut wanted] {
            let template = object["spec"]["template"].take();
            *object = serde_json::json!({"spec": {"template": template}});
            let labels = object.pointer_mut("/spec/template/metadata/labels");
            if let Some(labels) = labels.and_then(Value::as_object_mut) {
                labels.remove(VERSION);
            }
        }
    }
    Plan {
        difference: difference(&before, &wanted),
        after: Some(after),
        live,
        warnings: Vec::new(),
        handover: None,
        takes_back: None,
        returns: false,
    }
}

#[cfg(test)]
mod tests;
