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
mod list;
mod weights;

use super::name::{Name, Rule};
use super::object::Object;
use super::permission::Permission;
use super::pod::Event;
use super::resource::{EVENTS, HTTP_ROUTES, INGRESSES, Resource, SERVICES};
pub use acceptance::Acceptance;
pub use backends::{Backends, Place};
pub use before::{RouteBefore, SplitBefore};
pub use fault::{ActionProblem, ParentRefusal, RouteFault, WeightChange};
pub use in_force::{Evidence, InForce, times_told};
use jiff::Timestamp;
use list::Split;
use serde_json::{Map, Value, json};
use std::fmt;
use std::ops::Deref;

/// The kinds of route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RouteKind {
    /// An HTTPRoute of the Gateway API.
    /// <https://gateway-api.sigs.k8s.io/api-types/httproute/>
    HttpRoute,
    /// An Ingress whose backend is a weighted action of the AWS Load Balancer Controller.
    /// <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/guide/ingress/annotations/#actions>
    Ingress,
}

impl RouteKind {
    const ALL: [RouteKind; 2] = [RouteKind::HttpRoute, RouteKind::Ingress];

    /// What a request calls it: `httproute`, `ingress`.
    pub fn word(self) -> &'static str {
        match self {
            RouteKind::HttpRoute => "httproute",
            RouteKind::Ingress => "ingress",
        }
    }

    /// Its resource.
    pub fn resource(self) -> &'static Resource {
        match self {
            RouteKind::HttpRoute => &HTTP_ROUTES,
            RouteKind::Ingress => &INGRESSES,
        }
    }

    /// The permissions that a canary over such a route takes: to read and change the route, to make
    /// and remove the candidate's Service, and to read the events that show a weight in force.
    pub fn permissions(self) -> [Permission; 5] {
        [
            Permission::of("get", self.resource()),
            Permission::of("patch", self.resource()),
            Permission::of("create", &SERVICES),
            Permission::of("delete", &SERVICES),
            Permission::of("list", &EVENTS),
        ]
    }
}

/// A route as a request names it: `httproute/web`, `ingress/web`. It is in the namespace of the
/// Service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteReference {
    /// The kind.
    pub kind: RouteKind,
    /// The name.
    pub name: Name,
}

impl RouteReference {
    /// Reads `KIND/NAME`; `None` if the kind is not known or the name is not valid.
    pub fn parse(text: &str) -> Option<RouteReference> {
        let (word, name) = text.split_once('/')?;
        let kind = RouteKind::ALL
            .into_iter()
            .find(|kind| kind.word() == word)?;
        Some(RouteReference {
            kind,
            name: Name::new(name, Rule::Subdomain)?,
        })
    }
}

/// Prints it as a request has it.
impl fmt::Display for RouteReference {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.kind.word(), self.name)
    }
}

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
            Ok(RouteBefore::of(&splits))
        } else {
            Err(faults)
        }
    }

    /// The merge patch that sends `percent` of what our Service gets to the candidate's Service. It
    /// names the state that was read, so that it is refused where somebody changed the route since.
    ///
    /// # Errors
    ///
    /// The route does not send to our Service (any more).
    pub fn shifted(
        &self,
        backends: &Backends,
        percent: u8,
        before: &RouteBefore,
        annotations: &[Annotation],
    ) -> Result<Value, Vec<RouteFault>> {
        let splits = self.ours(backends)?;
        let lists = splits.iter().enumerate().map(|(index, split)| {
            let wanted = before.of_split(index, split).at(percent);
            (split, split.with(&wanted.weights(), backends))
        });
        let lists = lists.collect::<Vec<_>>();
        Ok(self.patch(&lists, annotations))
    }

    /// The merge patch that gives the route back as it was: all traffic to our Service, without
    /// the candidate's.
    ///
    /// # Errors
    ///
    /// The route does not send to our Service (any more).
    pub fn restored(
        &self,
        backends: &Backends,
        before: &RouteBefore,
        annotations: &[Annotation],
    ) -> Result<Value, Vec<RouteFault>> {
        let splits = self.ours(backends)?;
        let lists = splits.iter().enumerate().map(|(index, split)| {
            let wanted = before.of_split(index, split);
            (split, split.with(&wanted.restored(), backends))
        });
        let lists = lists.collect::<Vec<_>>();
        Ok(self.patch(&lists, annotations))
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
            let wanted = before.of_split(index, split).at(percent);
            let found = split.weights();
            if found != wanted {
                return Err(WeightChange::Weights {
                    place: split.place.clone(),
                    found: found.pair(),
                    wanted: wanted.pair(),
                });
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

    /// Whether a weight written at a time is in force. `events` are those of the object that
    /// [`Route::evidence`] names; `None` where they could not be read. Beside the time: what
    /// [`times_told`] was right before, if that is known.
    pub fn in_force(
        &self,
        events: Option<&[Event]>,
        written: (Timestamp, Option<u64>),
        now: Timestamp,
    ) -> InForce {
        in_force::judge(&self.evidence(), events, written, now)
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

    fn patch(&self, lists: &[(&Split, Vec<Value>)], annotations: &[Annotation]) -> Value {
        let mut marks = Map::new();
        for (name, text) in annotations {
            marks.insert((*name).to_owned(), json!(text));
        }
        let mut patch = json!({"metadata": {"resourceVersion": self.resource_version()}});
        if !lists.is_empty() {
            match self.kind {
                RouteKind::HttpRoute => {
                    patch["spec"] = json!({"rules": http_route::rules(&self.object, lists)});
                }
                RouteKind::Ingress => marks.extend(ingress::actions(&self.object, lists)),
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
