//! What a deploy would change, told instead of done.

use super::alarms::{self, Beginning};
use super::handover;
use super::model::{CHANGES, Report, SUMMARY_LIMIT, VARIABLE_LIMIT, target};
use super::returned::would_take_back;
use super::route;
use super::success::{image, named, skipped, succeeded, warned};
use crate::change::difference::Difference;
use crate::plan::Plan;
use crate::request::Request;
use crate::state::guard::Guard;
use crate::workload::Workload;

/// Room for how many lines of a plan were left out.
const PLAN_TAIL: usize = 30;

/// What a deploy would change. Nothing was written.
pub fn planned(request: &Request, guard: &Guard, plan: &Plan) -> Report {
    let target = target(request);
    let Plan {
        after,
        live,
        difference,
        warnings,
        handover,
        takes_back,
        ..
    } = plan;
    let serving = live.as_ref().or(after.as_ref());
    let count = difference.count();
    let headline = headline(&target, plan);
    let lines = |limit| told(difference, limit);
    let strategy = match request.strategy.switch() {
        Some(_) if request.strategy.canary().is_some() => {
            let handover = handover.as_ref().map(handover::planned);
            route::plan(request).unwrap_or_default() + &handover.unwrap_or_default()
        }
        Some(switch) => format!(
            " The strategy `{}` starts it beside the old version and switches Service `{}`.{}",
            request.strategy.name(),
            switch.service,
            handover.as_ref().map(handover::planned).unwrap_or_default()
        ),
        None => String::new(),
    };
    let strategy = takes_back.as_deref().map_or(strategy, would_take_back);
    let rest = format!(
        "{headline}. Nothing was written.{strategy}{}{}{}",
        alarms::planned(request.watch(), guard, beginning(plan)),
        warned(warnings),
        skipped(request)
    );
    let listed = lines(SUMMARY_LIMIT - rest.len().min(SUMMARY_LIMIT / 2));
    let summary = match listed.is_empty() {
        true => rest,
        false => format!("{rest}\n{listed}"),
    };
    let revision = live
        .as_ref()
        .and_then(Workload::revision)
        .unwrap_or_default()
        .to_string();
    let images = after
        .as_ref()
        .or(serving)
        .map(|object| image(request, object));
    let name = match (request.strategy.switch(), serving) {
        (Some(_), Some(serving)) => serving.name().to_owned(),
        _ => request.deployment.clone(),
    };
    let external = format!("{}/{name}@{revision}", request.namespace);
    let variables = [
        ("Namespace", request.namespace.clone()),
        named(request.kind, name),
        ("Revision", revision),
        ("Image", images.unwrap_or_default()),
        ("Strategy", request.strategy.name().to_owned()),
        ("Mode", request.mode.name().to_owned()),
        ("ChangeCount", count.to_string()),
        (CHANGES, lines(VARIABLE_LIMIT)),
    ];
    succeeded(request, &summary, &external, variables)
}

/// What an alarm that rings would do to the deploy.
fn beginning(plan: &Plan) -> Beginning {
    match (&plan.after, plan.returns) {
        (None, _) => Beginning::Unneeded,
        (Some(_), true) => Beginning::Return,
        (Some(_), false) => Beginning::Refused,
    }
}

/// What a plan comes to.
fn headline(target: &str, plan: &Plan) -> String {
    let count = plan.difference.count();
    match (&plan.live, &plan.after) {
        (_, None) => format!("Plan: nothing would change in {target}"),
        (_, Some(_)) if count == 0 => format!("Plan: nothing would change in {target}"),
        (None, Some(_)) => format!("Plan: {target} would be created"),
        (Some(_), Some(_)) if count == 1 => format!("Plan: 1 thing would change in {target}"),
        (Some(_), Some(_)) => format!("Plan: {count} things would change in {target}"),
    }
}

/// As many lines of a difference as fit, and how many are left out.
fn told(difference: &Difference, limit: usize) -> String {
    let mut text = String::new();
    for (index, line) in difference.lines.iter().enumerate() {
        if text.len() + line.len() + PLAN_TAIL > limit {
            let left = difference.count() - index;
            text.push_str(&format!("\n… and {left} more"));
            return text;
        }
        text.push_str(if text.is_empty() { "" } else { "\n" });
        text.push_str(line);
    }
    match difference.more {
        0 => text,
        more => format!("{text}\n… and {more} more"),
    }
}
