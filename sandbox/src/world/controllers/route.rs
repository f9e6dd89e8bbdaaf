//! The controllers of routes: a Gateway's for HTTPRoutes, the AWS one for Ingresses of class `alb`.
//!
//! Both see a change a moment late. The Gateway's says so in the route's status, then the change is
//! in force; the AWS one puts its finalizer on the Ingress and tells by an event.

use crate::gateway::{self, FINALIZER, HTTP_ROUTES, Order};
use crate::world::object::{list, map_mut, terminating, text, written};
use crate::world::route_state::RouteState;
use crate::world::state::{Task, World};
use crate::world::store::Key;
use serde_json::{Value, json};

impl World {
    /// One round for one route.
    pub(crate) fn sync_route(&mut self, key: &Key) {
        let Some(route) = self.store.get(key).cloned() else {
            self.routes.remove(key);
            return;
        };
        let is_ingress = key.resource == "ingresses";
        let is_alb = text(&route, "/spec/ingressClassName") == "alb";
        if (is_ingress && !is_alb) || gateway::order(&route) == Order::Ignore {
            return;
        }
        if terminating(&route) {
            return self.let_route_go(key, &route);
        }
        let content = gateway::content(&route);
        let now = self.clock;
        let state = self.routes.entry(key.clone()).or_insert(RouteState {
            seen: Value::Null,
            since: now,
            in_force: json!([]),
        });
        if state.seen != content {
            (state.seen, state.since) = (content, now);
        }
        let (since, is_new) = (state.since, state.seen != state.in_force);
        let accepted = since + self.timing.route_accepted;
        let in_force = accepted + self.timing.route_in_force;
        if now < accepted {
            return self.plan(Task::Other(key.clone()), accepted);
        }
        if is_ingress {
            self.take_ingress(key, &route);
        } else {
            self.judge_route(key, &route);
        }
        if !is_new || is_refused(&route) {
            return;
        }
        if now < in_force {
            return self.plan(Task::Other(key.clone()), in_force);
        }
        if let Some(state) = self.routes.get_mut(key) {
            state.in_force = state.seen.clone();
        }
        if is_ingress {
            let words = "Successfully reconciled";
            self.event(&route, "ingress", "Normal", "SuccessfullyReconciled", words);
        }
    }

    /// A Service came or went: what names it may be resolved differently.
    pub(crate) fn wake_routes(&mut self, namespace: &str) {
        for key in self.store.keys(HTTP_ROUTES, Some(namespace)) {
            self.plan_step(Task::Other(key));
        }
    }

    /// Writes the status.
    fn judge_route(&mut self, key: &Key, route: &Value) {
        let is_missing = |name: &&str| {
            let service = Key::new("services", &key.namespace, name);
            self.store.get(&service).is_none()
        };
        let missing = gateway::services(route);
        let missing = missing.into_iter().filter(is_missing).collect::<Vec<_>>();
        let mut new = route.clone();
        new["status"]["parents"] = gateway::parents(route, &missing, &written(self.clock));
        self.write(key, new);
    }

    fn take_ingress(&mut self, key: &Key, ingress: &Value) {
        let finalizers = list(ingress, "/metadata/finalizers");
        if finalizers.iter().any(|one| one == FINALIZER) {
            return;
        }
        let mut finalizers = finalizers.to_vec();
        finalizers.push(FINALIZER.into());
        let mut new = ingress.clone();
        map_mut(&mut new, "metadata").insert("finalizers".to_owned(), finalizers.into());
        self.write(key, new);
    }

    /// Takes the finalizer off a deleted Ingress.
    fn let_route_go(&mut self, key: &Key, route: &Value) {
        let mut finalizers = list(route, "/metadata/finalizers").to_vec();
        finalizers.retain(|one| one != FINALIZER);
        let mut new = route.clone();
        map_mut(&mut new, "metadata").insert("finalizers".to_owned(), finalizers.into());
        self.write(key, new);
    }
}

/// Whether the controller does not route by what the route says now.
fn is_refused(route: &Value) -> bool {
    matches!(
        gateway::order(route),
        Order::Refuse("Accepted" | "PartiallyInvalid", _)
    )
}
