//! Everything that happens without a request: one controller per file.

pub(crate) mod api_service;
pub(crate) mod claim;
pub(crate) mod daemon_set;
pub(crate) mod deployment;
pub(crate) mod endpoints;
pub(crate) mod events;
pub(crate) mod garbage;
pub(crate) mod job;
pub(crate) mod namespace;
pub(crate) mod node;
pub(crate) mod pod;
pub(crate) mod replica_set;
pub(crate) mod revision;
pub(crate) mod route;
pub(crate) mod stateful_set;
pub(crate) mod target_group;

use crate::balancer::TARGET_GROUP_BINDINGS;
use crate::gateway::HTTP_ROUTES;
use crate::world::state::World;
use crate::world::store::Key;

/// Whether [`World::sync_other`] knows a resource.
pub(crate) fn has_controller(resource: &str) -> bool {
    matches!(
        resource,
        "statefulsets"
            | "daemonsets"
            | "jobs"
            | "nodes"
            | "persistentvolumeclaims"
            | "apiservices"
            | "namespaces"
            | "ingresses"
            | HTTP_ROUTES
            | TARGET_GROUP_BINDINGS
    )
}

impl World {
    /// One round of the controller of a resource, for one object.
    pub(crate) fn sync_other(&mut self, key: &Key) {
        match key.resource.as_str() {
            "statefulsets" => self.sync_stateful_set(key),
            "daemonsets" => self.sync_daemon_set(key),
            "jobs" => self.sync_job(key),
            "nodes" => self.sync_node(key),
            "persistentvolumeclaims" => self.sync_claim(key),
            "apiservices" => self.sync_api_service(key),
            "namespaces" => self.sync_namespace(key),
            "ingresses" | HTTP_ROUTES => self.sync_route(key),
            TARGET_GROUP_BINDINGS => self.sync_target_group(key),
            _ => {}
        }
    }
}
