//! The kinds of route, and a route as a request names it.

use super::super::name::{Name, Rule};
use super::super::permission::Permission;
use super::super::resource::{EVENTS, HTTP_ROUTES, INGRESSES, Resource, SERVICES};
use std::fmt;

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
    pub(super) const ALL: [RouteKind; 2] = [RouteKind::HttpRoute, RouteKind::Ingress];

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
