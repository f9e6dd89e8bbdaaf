//! Routes in the world: the Gateway API, and what is in force of each route.

use crate::gateway::{self, HTTP_ROUTES};
use crate::traffic::{Traffic, of_route};
use crate::world::object::{list, text};
use crate::world::state::World;
use crate::world::store::Key;
use jiff::Timestamp;
use std::collections::BTreeSet;

impl World {
    /// Defines HTTPRoutes, which are not part of every cluster.
    pub fn install_gateway_api(&mut self, now: Timestamp) {
        self.apply(gateway::definition(), now);
        self.establish(&Key::new("customresourcedefinitions", "", HTTP_ROUTES));
    }

    /// What the requests that come in by a route get now: one entry for each of its rules, or for
    /// each action of an Ingress (`ingresses`). It is empty while nobody has taken the route.
    pub fn traffic(&self, resource: &str, namespace: &str, name: &str) -> Vec<Traffic> {
        let state = self.routes.get(&Key::new(resource, namespace, name));
        let in_force = state.map(|state| &state.in_force);
        in_force.map_or_else(Vec::new, |content| {
            of_route(content, |service| self.ready_behind(namespace, service))
        })
    }

    /// The ready pods of a Service as its EndpointSlice has them; `None` where there is no such
    /// Service.
    pub fn ready_behind(&self, namespace: &str, service: &str) -> Option<BTreeSet<String>> {
        self.store.get(&Key::new("services", namespace, service))?;
        let slice = Key::new("endpointslices", namespace, &format!("{service}-slice"));
        let slice = self.store.get(&slice);
        let endpoints = slice.map(|slice| list(slice, "/endpoints"));
        let ready = endpoints.unwrap_or_default().iter();
        let ready = ready.filter(|one| one["conditions"]["ready"] == true);
        Some(
            ready
                .map(|one| text(one, "/targetRef/name").to_owned())
                .collect(),
        )
    }
}
