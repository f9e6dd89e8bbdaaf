//! Routes: objects that divide the requests to a Service between it and the Service of a
//! candidate. Everything here is computed from objects that were read; nothing is sent.
//!
//! An HTTPRoute has weights in its rules, an Ingress of the AWS Load Balancer Controller in the
//! annotation of an action. Both are a list of backends; the place of such a list (a rule, an
//! action) is where traffic is divided. Only the places that send to our Service are changed, and
//! in them only the weights, and the backend of the candidate's Service that is ours. Other
//! backends in the same place keep their share of all requests.

mod acceptance;
mod backends;
mod before;
mod fault;
mod http_route;
mod in_force;
mod ingress;
mod kind;
mod list;
mod weights;

use super::object::{Object, timestamp};
use super::pod::Event;
pub use acceptance::Acceptance;
pub use backends::{Backends, Place};
pub use before::{RouteBefore, SplitBefore};
pub use fault::{ActionProblem, MissedShare, ParentRefusal, RouteFault, WeightChange};
pub use in_force::{Evidence, InForce, Reporter, times_told};
pub use ingress::ATTRIBUTES;
use jiff::Timestamp;
pub use kind::{RouteKind, RouteReference};
use list::{Changed, Split};
use serde_json::{Map, Value, json};
use std::ops::Deref;

/// An annotation to write with a weight; `None` removes it.
pub type Annotation<'a> = (&'a str, Option<&'a str>);

/// A route, as the API server returned it.
#[derive(Clone, Debug, PartialEq)]
pub struct Route {
    kind: RouteKind,
    object: Object,
}

impl Route {
    /// Wraps the object.
    pub fn read(kind: RouteKind, object: &Value) -> Route {
        Route {
            kind,
            object: Object::new(object.clone()),
        }
    }

    /// Its kind.
    pub fn kind(&self) -> RouteKind {
        self.kind
    }

    /// Checks everything that a canary needs, before anything is written, and returns the weights
    /// to which the route goes back in the end. All faults are returned together.
    ///
    /// # Errors
    ///
    /// What stands against dividing the traffic by this route.
    pub fn admission(&self, backends: &Backends) -> Result<RouteBefore, Vec<RouteFault>> {
        let mut faults = fault::of_object(&self.object);
        let (splits, invalid) = self.splits(backends);
        let is_readable = invalid.is_empty();
        faults.extend(invalid);
        if splits.is_empty() && is_readable {
            faults.push(RouteFault::DoesNotSend {
                to: self.services(),
            });
        }
        faults.extend(fault::of_splits(&splits, self.limit()));
        match self.kind {
            RouteKind::HttpRoute => {
                faults.extend(fault::of_manager(&self.object, &["f:spec", "f:rules"]));
                faults.extend(acceptance::faults(&self.object));
            }
            RouteKind::Ingress => {
                for split in &splits {
                    let annotation = format!("f:{}", ingress::annotation(&split.place));
                    let path = ["f:metadata", "f:annotations", annotation.as_str()];
                    faults.extend(fault::of_manager(&self.object, &path));
                }
                faults.extend(ingress::not_taken(&self.object));
            }
        }
        if faults.is_empty() {
            let millions = self.evidence() == Evidence::Conditions;
            Ok(RouteBefore::of(&splits, millions))
        } else {
            Err(faults)
        }
    }

    /// What stands against a second target group, by the attributes of these: `service` is our
    /// Service.
    pub fn only_targets_sticky(&self, backends: &Backends, service: &Object) -> Vec<RouteFault> {
        match self.kind {
            RouteKind::HttpRoute => Vec::new(),
            RouteKind::Ingress => {
                let splits = self.splits(backends).0;
                ingress::only_targets_sticky(&self.object, &splits, service.annotation(ATTRIBUTES))
            }
        }
    }

    /// The first share that whole weights cannot give where there are other backends.
    pub fn missed_share(
        &self,
        backends: &Backends,
        before: &RouteBefore,
        shares: impl Iterator<Item = u8> + Clone,
    ) -> Option<MissedShare> {
        let splits = self.splits(backends).0;
        splits.iter().enumerate().find_map(|(index, split)| {
            let before = before.of_split(index, split, 0);
            let missed = |asked: u8| {
                let weights = before.at(asked);
                (!weights.gives(asked)).then(|| MissedShare {
                    place: split.place.clone(),
                    asked,
                    given: weights.nearest(),
                })
            };
            shares.clone().find_map(missed)
        })
    }

    /// The merge patch that sends another share of what our Service gets to the candidate's
    /// Service, in percent: from one to the other. It names the state that was read, so that it is
    /// refused where somebody changed the route since.
    ///
    /// # Errors
    ///
    /// The route does not send to our Service (any more).
    pub fn shifted(
        &self,
        backends: &Backends,
        (from, to): (u8, u8),
        before: &RouteBefore,
        annotations: &[Annotation],
    ) -> Result<Value, Vec<RouteFault>> {
        let splits = self.ours(backends)?;
        let changed = splits.iter().enumerate().map(|(index, split)| {
            let wanted = before.of_split(index, split, from).at(to);
            Changed {
                split,
                list: split.with(&wanted.weights(), backends),
                text: None,
            }
        });
        let changed = changed.collect::<Vec<_>>();
        Ok(self.patch(&changed, annotations))
    }

    /// The merge patch that gives the route back as it was, where it has the weights of a share:
    /// all traffic to our Service, without the candidate's. What somebody else has made of it since
    /// stands, but for the candidate's Service.
    ///
    /// # Errors
    ///
    /// The route does not send to our Service (any more).
    pub fn restored(
        &self,
        backends: &Backends,
        percent: u8,
        before: &RouteBefore,
        annotations: &[Annotation],
    ) -> Result<Value, Vec<RouteFault>> {
        let splits = self.ours(backends)?;
        let changed = splits.iter().enumerate().map(|(index, split)| {
            let before = before.of_split(index, split, percent);
            let wanted = before.restored(split, percent);
            Changed {
                split,
                list: split.with(&wanted, backends),
                text: before.text().map(str::to_owned),
            }
        });
        let changed = changed.collect::<Vec<_>>();
        Ok(self.patch(&changed, annotations))
    }

    /// The merge patch that writes annotations alone.
    pub fn annotated(&self, annotations: &[Annotation]) -> Value {
        self.patch(&[], annotations)
    }

    /// Whether all weights are exactly those of a step: the first place where they are not says
    /// what somebody else made of it.
    ///
    /// # Errors
    ///
    /// Which weights the route has, and which it should have.
    pub fn stands_at(
        &self,
        backends: &Backends,
        percent: u8,
        before: &RouteBefore,
    ) -> Result<(), WeightChange> {
        let splits = self.splits(backends).0;
        if splits.is_empty() {
            return Err(WeightChange::Gone);
        }
        for (index, split) in splits.iter().enumerate() {
            let wanted = before.of_split(index, split, percent).at(percent);
            let found = split.weights();
            let place = split.place.clone();
            if found.pair() != wanted.pair() {
                return Err(WeightChange::Weights {
                    place,
                    found: found.pair(),
                    wanted: wanted.pair(),
                });
            }
            if found != wanted {
                return Err(WeightChange::Others { place });
            }
        }
        Ok(())
    }

    /// Whether the candidate's Service is in none of our places, or without weight in all of them.
    pub fn spares(&self, backends: &Backends) -> bool {
        let splits = self.splits(backends).0;
        splits.iter().all(|split| split.weights().canary == 0)
    }

    /// The share of our Service's traffic that the candidate's gets now, in percent, where it is
    /// the highest.
    pub fn percent(&self, backends: &Backends) -> u8 {
        let splits = self.splits(backends).0;
        let shares = splits.iter().map(|split| split.weights().percent());
        shares.max().unwrap_or(0)
    }

    /// What the route's controllers say of its present generation. An Ingress has no such status.
    pub fn acceptance(&self) -> Acceptance {
        match self.kind {
            RouteKind::HttpRoute => acceptance::of(&self.object),
            RouteKind::Ingress => Acceptance::NotReported,
        }
    }

    /// What shows that a weight is in force, once it is accepted.
    pub fn evidence(&self) -> Evidence {
        match self.kind {
            RouteKind::HttpRoute => in_force::of_http_route(&self.object),
            RouteKind::Ingress => in_force::of_ingress(&self.object),
        }
    }

    /// Whether a weight written at a time is in force. `events` are those of each object that
    /// [`Route::evidence`] names; none where they could not be read. Beside the time: the sum of
    /// what [`times_told`] was right before, if that is known.
    pub fn in_force(
        &self,
        events: &[&[Event]],
        written: (Timestamp, Option<u64>),
        now: Timestamp,
    ) -> InForce {
        in_force::judge(&self.evidence(), events, written, now)
    }

    /// When somebody last changed it, as far as the server notes that. What its controllers say of
    /// it does not count.
    pub fn changed_at(&self) -> Option<Timestamp> {
        let entries = self.value().pointer("/metadata/managedFields");
        let entries = entries.and_then(Value::as_array).into_iter().flatten();
        let own = entries.filter(|entry| entry.get("subresource").is_none());
        own.filter_map(|entry| timestamp(entry["time"].as_str()?))
            .max()
    }

    /// Whether it sends to this Service anywhere.
    pub fn sends_to(&self, service: &str) -> bool {
        self.services().iter().any(|name| name == service)
    }

    /// The places that send to our Service.
    fn ours(&self, backends: &Backends) -> Result<Vec<Split>, Vec<RouteFault>> {
        let (splits, faults) = self.splits(backends);
        if !splits.is_empty() {
            return Ok(splits);
        }
        let to = self.services();
        Err(if faults.is_empty() {
            vec![RouteFault::DoesNotSend { to }]
        } else {
            faults
        })
    }

    /// The places that send to our Service, and what cannot be read as one.
    fn splits(&self, backends: &Backends) -> (Vec<Split>, Vec<RouteFault>) {
        match self.kind {
            RouteKind::HttpRoute => (http_route::splits(&self.object, backends), Vec::new()),
            RouteKind::Ingress => ingress::splits(&self.object, backends),
        }
    }

    /// The names of all Services that the route sends to.
    fn services(&self) -> Vec<String> {
        match self.kind {
            RouteKind::HttpRoute => http_route::services(&self.object),
            RouteKind::Ingress => ingress::services(&self.object),
        }
    }

    /// The most backends in one place.
    fn limit(&self) -> usize {
        match self.kind {
            RouteKind::HttpRoute => http_route::BACKENDS_LIMIT,
            RouteKind::Ingress => ingress::TARGET_GROUPS_LIMIT,
        }
    }

    fn patch(&self, changed: &[Changed], annotations: &[Annotation]) -> Value {
        let mut marks = Map::new();
        for (name, text) in annotations {
            marks.insert((*name).to_owned(), json!(text));
        }
        let mut patch = json!({"metadata": {"resourceVersion": self.resource_version()}});
        if !changed.is_empty() {
            match self.kind {
                RouteKind::HttpRoute => {
                    patch["spec"] = json!({"rules": http_route::rules(&self.object, changed)});
                }
                RouteKind::Ingress => marks.extend(ingress::actions(&self.object, changed)),
            }
        }
        if !marks.is_empty() {
            patch["metadata"]["annotations"] = Value::Object(marks);
        }
        patch
    }
}

impl Deref for Route {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.object
    }
}

#[cfg(test)]
mod tests;
