//! What is said of a canary's route: why it failed, how far it is, and what became of it.

use super::model::who;
use crate::kubernetes::route::{ParentRefusal, RouteReference, WeightChange};
use crate::request::Request;
use crate::strategy::RouteProblem;
use crate::text::{clip, listed, quote, words};
use jiff::Timestamp;
use std::time::Duration;

/// How much of a controller's text goes into a cause, which must leave room for the rest.
const QUOTE_LIMIT: usize = 300;

/// A route as people name it: ``HTTPRoute `web` ``.
pub(super) fn named(route: &RouteReference) -> String {
    format!("{} `{}`", route.kind.resource().kind, route.name)
}

/// What went wrong with a route.
pub(super) fn problem(route: &RouteReference, problem: &RouteProblem) -> String {
    let route = named(route);
    match problem {
        RouteProblem::Deleted => format!("someone else deleted {route} during the deploy"),
        RouteProblem::Changed { change, editor } => {
            let who = who(None, editor.as_ref());
            let what = match change {
                WeightChange::Gone => "sends to another Service now".to_owned(),
                WeightChange::Unnoted => {
                    "gives the new version weight without Landfall's note of that".to_owned()
                }
                WeightChange::Others { place } => {
                    format!("gives other backends other weights in {place}")
                }
                WeightChange::Weights {
                    place,
                    found,
                    wanted,
                } => format!(
                    "has the weights {}:{} instead of {}:{} in {place}",
                    found.0, found.1, wanted.0, wanted.1
                ),
            };
            format!("{who} changed {route} during the deploy, which {what}")
        }
        RouteProblem::Refused(refusal) => refused(&route, refusal),
        RouteProblem::NotAccepted { parents, waited } => format!(
            "{route} was changed, and {} took no notice of it for {}",
            listed(parents.iter().map(|parent| quote(parent)).collect()),
            words(*waited)
        ),
        RouteProblem::NotInForce { reason, message } => {
            let said = clip(&quote(message), QUOTE_LIMIT);
            format!(
                "the controller of {route} could not bring its weights into force ({}): {said}",
                quote(reason)
            )
        }
    }
}

fn refused(route: &str, refusal: &ParentRefusal) -> String {
    let said = match refusal.message.as_str() {
        "" => String::new(),
        message => format!(": {}", clip(&quote(message), QUOTE_LIMIT)),
    };
    format!(
        "{route} is refused for {} by `{}` ({}, {}){said}",
        refusal.parent,
        quote(&refusal.controller),
        quote(&refusal.condition),
        quote(&refusal.reason)
    )
}

/// How far a canary is.
pub(super) fn share(candidate: &str, percent: u8, until: Option<Timestamp>, pods: &str) -> String {
    let until = until.map_or_else(String::new, |until| format!(" until {until:.0}"));
    format!("`{candidate}` gets {percent} % of the traffic ({pods}){until}")
}

/// A route that its controller has not taken notice of, or that is not in force yet.
pub(super) fn settling(route: &RouteReference) -> String {
    format!("waiting for the controller of {}", named(route))
}

/// A route by which a canary of another Service moves traffic.
pub(super) fn turn(route: &RouteReference, service: &str) -> String {
    format!(
        "waiting for the canary of Service `{}`, which moves traffic by {}",
        quote(service),
        named(route)
    )
}

/// The route after a canary that failed.
pub(super) fn unweighted(request: &Request) -> String {
    let route = request.strategy.canary().and_then(|it| it.route.as_ref());
    route.map_or_else(String::new, |route| {
        format!(", and {} sends nothing to the new one", named(route))
    })
}

/// The route after a canary that failed, where its controller does not follow.
pub(super) fn unconfirmed(request: &Request, waited: Duration) -> String {
    let route = request.strategy.canary().and_then(|it| it.route.as_ref());
    let route = route.map_or_else(|| "Its route".to_owned(), named);
    let waited = words(waited);
    format!(
        "{route} gives the new version nothing any more, but its controller did not confirm that \
         within {waited}"
    )
}

/// Where to look what keeps a controller from following a route.
pub(super) fn see(request: &Request) -> String {
    let route = request.strategy.canary().and_then(|it| it.route.as_ref());
    route.map_or_else(String::new, |route| {
        let kind = route.kind.resource().kind.to_lowercase();
        format!(
            "First see what its controller says of the route: `kubectl --namespace {} get {kind} \
             {} --output yaml`.",
            request.namespace, route.name
        )
    })
}

/// The shares that a canary had before its end.
pub(super) fn shares(request: &Request, reached: &[u8]) -> String {
    let Some(canary) = request.strategy.canary().filter(|_| !reached.is_empty()) else {
        return String::new();
    };
    let shares = reached.iter().map(|share| format!("{share} %"));
    let shares = shares.collect::<Vec<_>>().join(", ");
    match canary.route.as_ref().map(named) {
        Some(route) => format!(" {route} gave it {shares} of the traffic before."),
        None => format!(
            " It had {shares} of the pods before; `steps` asked for {}.",
            canary.shares()
        ),
    }
}

/// The way in which a canary moves traffic, for a plan.
pub(super) fn plan(request: &Request) -> Option<String> {
    let canary = request.strategy.canary()?;
    let switch = request.strategy.switch()?;
    let shares = canary.shares();
    let (service, length) = (&switch.service, words(canary.length()));
    let Some(by) = canary.route.as_ref().map(named) else {
        return Some(format!(
            " The strategy `canary` starts it beside the old version with as many pods as {shares} \
             of the pods of Service `{service}` take, within {length}, and then switches the \
             Service. Whole pods may be more than that share."
        ));
    };
    Some(format!(
        " The strategy `canary` starts it beside the old version, gives it {shares} of the traffic \
         of Service `{service}` by {by} within {length}, and then switches the Service."
    ))
}
