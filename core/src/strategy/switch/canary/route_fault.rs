//! Why a route cannot divide a Service's traffic, as a fault of the request.

use crate::kubernetes::route::{
    ATTRIBUTES, ActionProblem, MissedShare, ParentRefusal, Place, RouteFault,
};
use crate::text::{list, listed, quote};

/// What is wrong, after the name of the route: "`httproute/web`, which …".
pub(super) fn problem(fault: &RouteFault, service: &str) -> String {
    match fault {
        RouteFault::BeingDeleted => "is being deleted".to_owned(),
        RouteFault::DoesNotSend { to } if to.is_empty() => {
            format!("does not send to Service `{service}`, nor to any other")
        }
        RouteFault::DoesNotSend { to } => {
            format!("does not send to Service `{service}`, but to {}", list(to))
        }
        RouteFault::NotByAction => format!(
            "sends to Service `{service}` by its name: only an action has weights. Let its backend \
             be the action `{service}` (port `use-annotation`), with the annotation \
             alb.ingress.kubernetes.io/actions.{service}"
        ),
        RouteFault::InvalidAction {
            annotation,
            problem,
        } => invalid_action(annotation, problem),
        RouteFault::Repeated { place } => {
            format!("names Service `{service}` more than once in {place}")
        }
        RouteFault::DifferentShares { shares } => different_shares(shares, service),
        RouteFault::NoWeight { place } => {
            format!("gives Service `{service}` no weight in {place}, so there is nothing to divide")
        }
        RouteFault::CanaryHasWeight { place, weight } => format!(
            "gives `{service}-canary` the weight {weight} in {place} already, and has no note of \
             Landfall's about that: give all of it to `{service}`"
        ),
        RouteFault::TooManyBackends { place, limit } => {
            format!("has no room for another backend in {place}, which may have {limit}")
        }
        RouteFault::OtherManager { manager } => format!(
            "is applied by `{}`, which would set the weights back: let that tool leave them alone",
            quote(manager)
        ),
        RouteFault::Controlled { kind, name } => format!(
            "is written by {} `{}`, which controls it and would set the weights back",
            quote(kind),
            quote(name)
        ),
        RouteFault::NoParents => "has no `parentRefs`, so that nothing is routed by it".to_owned(),
        RouteFault::Ignored { parent } => format!(
            "is ignored by {}: no controller has taken notice of it as it is now",
            quote(parent)
        ),
        RouteFault::Undated { parent, controller } => format!(
            "is accepted for {} by `{}`, which does not say of which state of the route that is \
             true (`observedGeneration`): it would not be known whether a share is in force. Use \
             another route, or leave `route` out",
            quote(parent),
            quote(controller)
        ),
        RouteFault::Refused(refusal) => refused(refusal),
        RouteFault::OnlyTargetsSticky { place } => format!(
            "has sticky targets (stickiness.enabled=true in the annotation {ATTRIBUTES}), and ELB \
             takes a second target group in {place} only where the groups are sticky, too: give \
             its `forwardConfig` a `targetGroupStickinessConfig` with `enabled` and \
             `durationSeconds`"
        ),
        RouteFault::NotTaken { class } => format!(
            "has the class `{}` and was not taken by the AWS Load Balancer Controller, so that \
             its actions have no effect",
            quote(class)
        ),
    }
}

/// What is wrong with the steps, after their name.
pub(super) fn missed(missed: &MissedShare, service: &str) -> String {
    let MissedShare {
        place,
        asked,
        given,
    } = missed;
    format!(
        "asks for {asked} %, and the whole weights that the route may have would give {given} % \
         beside the other backends of {place}. Begin with a greater share, or give Service \
         `{service}` a rule of its own"
    )
}

fn invalid_action(annotation: &str, problem: &ActionProblem) -> String {
    let problem = match problem {
        ActionProblem::Missing => "is missing",
        ActionProblem::NotJson => "is not JSON",
        ActionProblem::NotForward => "does not forward to a list of target groups",
    };
    let annotation = quote(annotation);
    format!("has a backend by the annotation {annotation}, which {problem}")
}

fn refused(refusal: &ParentRefusal) -> String {
    format!(
        "is refused for {} by `{}` ({}, {}): {}",
        quote(&refusal.parent),
        quote(&refusal.controller),
        quote(&refusal.condition),
        quote(&refusal.reason),
        quote(&refusal.message)
    )
}

fn different_shares(shares: &[(Place, u64, u64)], service: &str) -> String {
    let shares = shares
        .iter()
        .map(|(place, ours, sum)| format!("{ours} of {sum} in {place}"));
    format!(
        "sends different shares to Service `{service}`: {}. Give it the same share everywhere, or \
         a route of its own",
        listed(shares.collect())
    )
}
