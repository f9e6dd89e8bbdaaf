//! What shows that a weight is in force: an accepted route is understood, not yet followed.

use super::super::object::Object;
use super::super::pod::Event;
use super::acceptance::{controllers, kind, namespace, parents};
use jiff::{SignedDuration, Timestamp};

/// The controller names of the AWS Load Balancer Controller in a route's status. It sets the
/// conditions before it calls ELB.
const AWS_CONTROLLERS: &str = "gateway.k8s.aws/";

/// The event of the AWS controller after ELB has taken everything.
const RECONCILED: &str = "SuccessfullyReconciled";

/// The beginning of its events after ELB refused: `FailedDeployModel`, `FailedBuildModel`.
const FAILED: &str = "Failed";

/// How long a proxy needs at most from an accepted route to its new weights. The controllers push
/// a change when they accept it, and the proxies take it in well below a second.
const PROPAGATION: SignedDuration = SignedDuration::from_secs(5);

/// How long the event is waited for. A queue of the controller, or throttling by ELB, delays it by
/// minutes; without events that can be read it takes as long.
const EVENT_WAIT: SignedDuration = SignedDuration::from_mins(2);

/// What shows that a weight is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Evidence {
    /// A moment after the conditions, nothing else.
    Conditions,
    /// An event of each of these objects after the write.
    Events(Vec<Reporter>),
}

/// An object whose events tell how its controller fares.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reporter {
    /// `Gateway` or `Ingress`.
    pub kind: String,
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
}

/// Whether a weight is in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum InForce {
    /// It is.
    Yes,
    /// Nothing showed it, for as long as it may take.
    Unseen,
    /// Not known before this time.
    Until(Timestamp),
    /// The controller could not do it; it tries again.
    Failed {
        /// `FailedDeployModel`, …
        reason: String,
        /// The controller's message.
        message: String,
    },
}

/// The evidence for an HTTPRoute. Each Gateway of the AWS controller has its own load balancer.
pub(super) fn of_http_route(object: &Object) -> Evidence {
    let is_aws = |parent: &&serde_json::Value| {
        let mut controllers = controllers(object, parent).into_iter();
        kind(parent) == "Gateway" && controllers.any(|one| one.starts_with(AWS_CONTROLLERS))
    };
    let gateway = |parent: &serde_json::Value| Reporter {
        kind: "Gateway".to_owned(),
        namespace: namespace(object, parent),
        name: parent["name"].as_str().unwrap_or_default().to_owned(),
    };
    let mut reporters: Vec<Reporter> = Vec::new();
    for one in parents(object).iter().filter(is_aws).map(gateway) {
        // A parent is named once for each of its listeners.
        if !reporters.contains(&one) {
            reporters.push(one);
        }
    }
    match reporters.is_empty() {
        true => Evidence::Conditions,
        false => Evidence::Events(reporters),
    }
}

/// The evidence for an Ingress.
pub(super) fn of_ingress(object: &Object) -> Evidence {
    Evidence::Events(vec![Reporter {
        kind: "Ingress".to_owned(),
        namespace: object.text("/metadata/namespace").to_owned(),
        name: object.name().to_owned(),
    }])
}

/// How often the controller has told how it fares, by all of its events.
pub fn times_told(events: &[Event]) -> u64 {
    let told = events.iter().filter(|event| tells(event));
    told.map(|event| event.count).sum()
}

fn tells(event: &Event) -> bool {
    event.reason == RECONCILED || event.reason.starts_with(FAILED)
}

/// Whether a weight written at `written` is in force: once each of those that tell of it says so.
/// `events` are theirs, one list each. `before`: how often the controller had told how it fares
/// right before that, by all of them, if it is known.
///
/// An event's time has whole seconds, so one of the same second may be from before the write. It
/// counts if it was not there before; not at once, because the controller may have been at work on
/// what was there before. Then it tells once more.
pub(super) fn judge(
    evidence: &Evidence,
    events: &[&[Event]],
    (written, before): (Timestamp, Option<u64>),
    now: Timestamp,
) -> InForce {
    let settled = written + PROPAGATION;
    let Evidence::Events(reporters) = evidence else {
        return match now >= settled {
            true => InForce::Yes,
            false => InForce::Until(settled),
        };
    };
    let told = events.iter().map(|events| times_told(events)).sum::<u64>();
    let is_new = before.is_some_and(|before| told > before);
    let of = |index: usize| events.get(index).copied().unwrap_or_default();
    let all = (0..reporters.len()).map(|index| judge_one(of(index), (written, is_new), now));
    let slowest = all.max_by_key(|in_force| match in_force {
        InForce::Yes => 0,
        InForce::Unseen => 1,
        InForce::Until(_) => 2,
        InForce::Failed { .. } => 3,
    });
    slowest.unwrap_or(InForce::Unseen)
}

/// The same by the events of one object. `is_new`: one of them was not there before.
fn judge_one(events: &[Event], (written, is_new): (Timestamp, bool), now: Timestamp) -> InForce {
    let settled = written + PROPAGATION;
    let is_later = |event: &&Event| event.last.is_some_and(|last| last > written);
    let is_same = |event: &&Event| {
        let last = event.last.map(Timestamp::as_second);
        is_new && last == Some(written.as_second())
    };
    let told = events.iter().filter(|event| tells(event));
    let later = told.clone().filter(is_later);
    let same = told.filter(is_same);
    let latest = later.max_by_key(|event| event.last).map(|it| (it, true));
    let same = same.max_by_key(|event| event.last).map(|it| (it, false));
    match latest.or(same) {
        Some((event, is_later)) if event.reason == RECONCILED => match is_later || now >= settled {
            true => InForce::Yes,
            false => InForce::Until(settled),
        },
        Some((event, _)) => InForce::Failed {
            reason: event.reason.clone(),
            message: event.message.clone(),
        },
        None => match written + EVENT_WAIT {
            end if now >= end => InForce::Unseen,
            end => InForce::Until(end),
        },
    }
}
