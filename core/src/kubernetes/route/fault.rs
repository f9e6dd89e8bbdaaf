//! What stands against dividing a Service's traffic by a route.

use super::super::call::FIELD_MANAGER;
use super::super::object::{Object, controlled_by};
use super::backends::Place;
use super::list::{Role, Split};
use jiff::Timestamp;
use serde_json::Value;

/// Why a route cannot divide a Service's traffic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RouteFault {
    /// It is being deleted.
    BeingDeleted,
    /// It does not send to the Service, but to these.
    DoesNotSend {
        /// The Services that it sends to.
        to: Vec<String>,
    },
    /// An Ingress sends to the Service by its name; only an action has weights.
    NotByAction,
    /// An Ingress names an action that cannot be read as one with weights.
    InvalidAction {
        /// The annotation.
        annotation: String,
        /// What is wrong with it.
        problem: ActionProblem,
    },
    /// The Service is several times in one place.
    Repeated {
        /// Where.
        place: Place,
    },
    /// It sends different shares of the requests to the Service in different places.
    DifferentShares {
        /// Each place, with the Service's weight and the sum of all weights there.
        shares: Vec<(Place, u64, u64)>,
    },
    /// The Service has no weight, so there is nothing to divide.
    NoWeight {
        /// Where.
        place: Place,
    },
    /// The candidate's Service has weight already, and no canary of ours is under way.
    CanaryHasWeight {
        /// Where.
        place: Place,
        /// The weight.
        weight: u32,
    },
    /// There is no room for another backend.
    TooManyBackends {
        /// Where.
        place: Place,
        /// The most that are allowed.
        limit: usize,
    },
    /// Another field manager applies the list, and would set it back.
    OtherManager {
        /// The manager.
        manager: String,
    },
    /// Another object controls the route and writes all of it.
    Controlled {
        /// The kind of the owner.
        kind: String,
        /// The name of the owner.
        name: String,
    },
    /// An HTTPRoute that is attached to nothing.
    NoParents,
    /// No controller has taken notice of the route as it is, for this parent.
    Ignored {
        /// The parent: ``Gateway `public` ``.
        parent: String,
    },
    /// A controller does not say which generation of the route it has taken notice of, so that it
    /// would not be known whether it follows a change.
    Undated {
        /// The parent: ``Gateway `public` ``.
        parent: String,
        /// The controller.
        controller: String,
    },
    /// A controller refuses the route.
    Refused(ParentRefusal),
    /// The targets of an action are sticky, and its groups are not: ELB takes no second group then.
    OnlyTargetsSticky {
        /// Where.
        place: Place,
    },
    /// The AWS Load Balancer Controller has not taken the Ingress.
    NotTaken {
        /// The class of the Ingress; empty where it has none.
        class: String,
    },
}

impl RouteFault {
    /// Whether it may be over in a moment, if the route was changed just now.
    pub fn may_pass(&self) -> bool {
        matches!(self, RouteFault::Ignored { .. })
            || matches!(self, RouteFault::Refused(refusal) if refusal.may_pass())
    }

    /// Whether a backend of it is not there.
    pub fn is_of_missing_backend(&self) -> bool {
        matches!(self, RouteFault::Refused(refusal) if refusal.reason == BACKEND_NOT_FOUND)
    }
}

/// A share that whole weights cannot give.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissedShare {
    /// Where.
    pub place: Place,
    /// The share that is asked for, in percent.
    pub asked: u8,
    /// What it would be, to the nearest whole percent.
    pub given: u8,
}

/// The reason of a controller that does not find a backend.
const BACKEND_NOT_FOUND: &str = "BackendNotFound";

/// Why a controller refuses a route for a parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParentRefusal {
    /// The parent: ``Gateway `public` ``.
    pub parent: String,
    /// The controller.
    pub controller: String,
    /// The condition: `Accepted`, `ResolvedRefs`, `PartiallyInvalid`.
    pub condition: String,
    /// The reason, a word for programs: `BackendNotFound`.
    pub reason: String,
    /// The controller's message.
    pub message: String,
    /// Since when, where the controller says so.
    pub since: Option<Timestamp>,
}

impl ParentRefusal {
    /// Whether it may be over in a moment: the controller has not seen the candidate's Service yet,
    /// or is not ready itself.
    pub fn may_pass(&self) -> bool {
        [BACKEND_NOT_FOUND, "Pending"].contains(&self.reason.as_str())
    }
}

/// What is wrong with an action's annotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ActionProblem {
    /// It is not there.
    Missing,
    /// It is not JSON.
    NotJson,
    /// It does not forward to a list of target groups.
    NotForward,
}

/// How a route differs from what a step made of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WeightChange {
    /// It does not send to our Service any more.
    Gone,
    /// It gives other backends other weights.
    Others {
        /// Where.
        place: Place,
    },
    /// It gives the candidate weight, and the note of that is gone.
    Unnoted,
    /// Its weights are others.
    Weights {
        /// Where.
        place: Place,
        /// The weights of our Service and of the candidate's.
        found: (u32, u32),
        /// What they should be.
        wanted: (u32, u32),
    },
}

/// Faults of the object as a whole.
pub(super) fn of_object(object: &Object) -> Vec<RouteFault> {
    let mut faults = Vec::new();
    if object.is_being_deleted() {
        faults.push(RouteFault::BeingDeleted);
    }
    if let Some((kind, name)) = controlled_by(object.value()) {
        faults.push(RouteFault::Controlled {
            kind: kind.to_owned(),
            name: name.to_owned(),
        });
    }
    faults
}

/// Another manager that applies the fields at this path. A list of an HTTPRoute is one field: who
/// applies it has all of it. One that only updates (`kubectl edit`, Helm) does not come back by
/// itself.
pub(super) fn of_manager(object: &Object, path: &[&str]) -> Vec<RouteFault> {
    let entries = object.value().pointer("/metadata/managedFields");
    let entries = entries.and_then(Value::as_array).into_iter().flatten();
    let owns = |entry: &&Value| {
        let fields = path
            .iter()
            .try_fold(&entry["fieldsV1"], |at, key| at.get(key));
        entry["operation"] == "Apply" && entry["manager"] != FIELD_MANAGER && fields.is_some()
    };
    let manager = |entry: &Value| RouteFault::OtherManager {
        manager: entry["manager"].as_str().unwrap_or_default().to_owned(),
    };
    entries.filter(owns).map(manager).collect()
}

/// Faults of the places that send to our Service.
pub(super) fn of_splits(splits: &[Split], limit: usize) -> Vec<RouteFault> {
    let mut faults = Vec::new();
    for split in splits {
        let place = split.place.clone();
        let weights = split.weights();
        let room = split.list.len() + 1 - split.count(Role::Canary);
        if split.count(Role::Service) > 1 || split.count(Role::Canary) > 1 {
            faults.push(RouteFault::Repeated { place });
        } else if weights.canary > 0 {
            let weight = weights.canary;
            faults.push(RouteFault::CanaryHasWeight { place, weight });
        } else if weights.service == 0 {
            faults.push(RouteFault::NoWeight { place });
        } else if room > limit {
            faults.push(RouteFault::TooManyBackends { place, limit });
        }
    }
    let shares = splits.iter().map(|split| {
        let (ours, sum) = split.weights().share();
        (split.place.clone(), ours, sum)
    });
    let shares = shares.collect::<Vec<_>>();
    let differ = shares
        .windows(2)
        .any(|two| two[0].1 * two[1].2 != two[1].1 * two[0].2);
    if differ && faults.is_empty() {
        faults.push(RouteFault::DifferentShares { shares });
    }
    faults
}
