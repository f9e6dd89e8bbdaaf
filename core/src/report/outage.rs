//! What serves after a deploy that failed. An outage is told before anything else.

use super::cause::{PREVIOUS, cause, pods};
use super::model::target;
use crate::request::Request;
use crate::strategy::causes::RolloutCause;
use crate::strategy::{Failure, RollbackResult, TrafficState, Version};
use crate::text::clip;
use crate::workload::Kind;
use crate::workload::health::diagnosis::Evidence;
use crate::workload::health::rollout::serving::Serving;

/// How much of what holds the previous version up is told, in the first line and at the end.
const WHY_LIMIT: usize = 300;

impl Failure {
    /// Whether pods are wanted, served before and do not serve now.
    pub fn is_outage(&self) -> bool {
        if let Failure::Rollout {
            failure,
            rollback_result,
        } = self
        {
            return is_outage(&failure.evidence, rollback_result);
        }
        if let Failure::SetAside { present, .. } = self {
            return is_of_switch(present);
        }
        matches!(self, Failure::Deleted(Some(left)) if left.is_outage())
    }
}

/// Whether nothing gets traffic of a switch that a call has ended.
pub fn is_of_switch(present: &TrafficState) -> bool {
    present.serving().is_outage()
}

/// A first version that never served is no outage: nothing was there to go out.
fn is_outage(evidence: &Evidence, rollback_result: &RollbackResult) -> bool {
    let nothing_before = *rollback_result == RollbackResult::NothingToRollBackTo;
    !nothing_before && evidence.serving.is_some_and(|serving| serving.is_outage())
}

/// The first line of a failure, behind an outage where one was seen.
pub(super) fn told(request: &Request, serving: Option<Serving>, headline: String) -> String {
    if !serving.is_some_and(|serving| serving.is_outage()) {
        return headline;
    }
    match request.strategy.switch() {
        Some(switch) => format!(
            "Outage: no pod of Service `{}` in `{}` serves. {headline}",
            switch.service, request.namespace
        ),
        None => format!("Outage: no pod of {} serves. {headline}", target(request)),
    }
}

/// The same for a rollout or a switch, with what holds the previous version up.
pub(super) fn first(
    request: &Request,
    headline: String,
    evidence: &Evidence,
    rollback_result: &RollbackResult,
) -> String {
    if !is_outage(evidence, rollback_result) {
        return headline;
    }
    let mut back = String::new();
    if let RollbackResult::RollbackFailed(version, why) = rollback_result {
        back = format!(
            "{} was restored, but it does not serve either: {}. ",
            capital(&named(version)),
            clip(&cause(why, PREVIOUS), WHY_LIMIT)
        );
    }
    told(request, evidence.serving, format!("{back}{headline}"))
}

/// What became of a version that was brought back and is not known to serve as it should.
pub(super) fn rollback_failed(
    version: &Version,
    why: &RolloutCause,
    serving: Option<Serving>,
) -> String {
    let named = capital(&named(version));
    let why = clip(&cause(why, PREVIOUS), WHY_LIMIT);
    match serving {
        Some(serving) if !serving.is_outage() && serving.is_whole() => format!(
            "{named} was restored, and {} still serve; the rollback itself was not confirmed as \
             complete: {why}.",
            counted(serving)
        ),
        Some(serving) if !serving.is_outage() => format!(
            "{named} was restored, and {} serve; the rollback is not complete: {why}.",
            counted(serving)
        ),
        Some(_) | None => format!("{named} was restored, but it does not serve: {why}."),
    }
}

/// A version by its number in `kubectl rollout history` and its images.
pub(super) fn named(version: &Version) -> String {
    match version.image.as_str() {
        "" => format!("revision {}", version.revision),
        image => format!("revision {} ({image})", version.revision),
    }
}

/// How many pods serve of those that are wanted.
pub(super) fn counted(serving: Serving) -> String {
    format!(
        "{} of {} {}",
        serving.available.min(serving.wanted),
        serving.wanted,
        pods(serving.wanted)
    )
}

/// How many pods serve where something was left as it is, behind a colon.
pub(super) fn still_serving(serving: Option<Serving>) -> String {
    let serving = serving.filter(|serving| !serving.is_outage());
    let serving = serving.map(|serving| format!(": {} serve", counted(serving)));
    serving.unwrap_or_default()
}

fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase());
    let first = first.into_iter().flatten();
    first.chain(characters).collect()
}

/// A version that lacks room alone.
pub(super) fn outgrown(kind: Kind, wanted: i64) -> String {
    format!(
        "It was left as it is: {wanted} {} wanted when it was deployed, and as many of the new \
         version are available; {} since, and the cluster has no room for the others. Until it \
         has, pods of the previous version serve beside them.",
        if wanted == 1 { "pod was" } else { "pods were" },
        match kind {
            Kind::DaemonSet => "nodes were added",
            Kind::Deployment | Kind::StatefulSet | Kind::Job => "it was scaled up",
        },
    )
}

#[cfg(test)]
mod tests;
