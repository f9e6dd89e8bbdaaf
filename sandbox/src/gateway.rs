//! What the Gateway API and the AWS Load Balancer Controller add to a cluster, as far as tests need
//! it: the definition of HTTPRoute, samples, and what a controller makes of a route.
//!
//! The world's own controller and the one of the real control plane write the same status, made
//! here.

use serde_json::{Value, json};

/// The controller in a route's status.
pub const CONTROLLER: &str = "landfall-sandbox/gateway";

/// The finalizer of the AWS controller on an Ingress that it has taken.
pub const FINALIZER: &str = "ingress.k8s.aws/resources";

/// The resource of HTTPRoutes, with its group.
pub const HTTP_ROUTES: &str = "httproutes.gateway.networking.k8s.io";

/// On a route: why it is refused, as `CONDITION REASON`. Without it every route is accepted.
pub const REFUSE: &str = "landfall-sandbox/refuse";

/// On a route: nobody looks at it.
pub const IGNORE: &str = "landfall-sandbox/ignore";

/// The beginning of the annotation with an action's weights.
pub const ACTIONS: &str = "alb.ingress.kubernetes.io/actions.";

/// The definition of HTTPRoutes: the fields of the standard one that Landfall reads or keeps, in a
/// schema of our own.
///
/// # Panics
///
/// Never: it is JSON.
pub fn definition() -> Value {
    serde_json::from_str(include_str!("gateway/http_route.json")).expect("it is JSON")
}

/// An HTTPRoute of this name from the Gateway `public` to the Service of that name.
pub fn sample_http_route(name: &str, service: &str) -> Value {
    json!({
        "apiVersion": "gateway.networking.k8s.io/v1",
        "kind": "HTTPRoute",
        "metadata": {"name": name, "namespace": "default"},
        "spec": {
            "parentRefs": [{"name": "public"}],
            "rules": [{"backendRefs": [{"name": service, "port": 80}]}]
        }
    })
}

/// An Ingress of this name, of the AWS controller, whose one action sends to that Service.
pub fn sample_ingress(name: &str, service: &str) -> Value {
    let action = json!({"type": "forward", "forwardConfig": {"targetGroups": [
        {"serviceName": service, "servicePort": 80, "weight": 1}]}});
    let action_name = format!("{ACTIONS}{service}");
    let backend = json!({"service": {"name": service, "port": {"name": "use-annotation"}}});
    json!({
        "apiVersion": "networking.k8s.io/v1",
        "kind": "Ingress",
        "metadata": {"name": name, "namespace": "default",
            "annotations": {action_name: action.to_string()}},
        "spec": {
            "ingressClassName": "alb",
            "rules": [{"http": {"paths": [{"path": "/", "pathType": "Prefix",
                "backend": backend}]}}]
        }
    })
}

/// What a route says to its controller about itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order<'a> {
    /// Take it, if it can be taken.
    Take,
    /// Refuse it by this condition and reason.
    Refuse(&'a str, &'a str),
    /// Do not look at it.
    Ignore,
}

/// What a route's annotations tell its controller.
pub fn order(route: &Value) -> Order<'_> {
    let annotation = |name: &str| route["metadata"]["annotations"][name].as_str();
    let words = annotation(REFUSE).and_then(|words| words.split_once(' '));
    match (annotation(IGNORE), words) {
        (Some(_), _) => Order::Ignore,
        (None, Some((condition, reason))) => Order::Refuse(condition, reason),
        (None, None) => Order::Take,
    }
}

/// The Services of the route's namespace that it names.
pub fn services(route: &Value) -> Vec<&str> {
    let rules = route["spec"]["rules"].as_array().into_iter().flatten();
    let backends = rules.filter_map(|rule| rule["backendRefs"].as_array());
    let near = backends.flatten().filter(|one| one["namespace"].is_null());
    near.filter_map(|one| one["name"].as_str()).collect()
}

/// The route's `status.parents`, where `missing` are Services that it names and that do not exist.
/// A condition that does not change keeps its time.
pub fn parents(route: &Value, missing: &[&str], now: &str) -> Value {
    let generation = &route["metadata"]["generation"];
    let order = order(route);
    let refused = match order {
        Order::Refuse(condition, reason) => Some((condition, reason)),
        Order::Take | Order::Ignore => None,
    };
    let partial = "PartiallyInvalid";
    let condition = |kind: &str| {
        let (status, reason, message) = match refused {
            Some((condition, reason)) if condition == kind => {
                // This one is true where something is wrong.
                let status = if kind == partial { "True" } else { "False" };
                let message = "The route is refused, as its annotation says.";
                (status, reason, message.to_owned())
            }
            _ if kind == "ResolvedRefs" && !missing.is_empty() => {
                let message = format!("backend not found: {}", missing.join(", "));
                ("False", "BackendNotFound", message)
            }
            _ => ("True", kind, String::new()),
        };
        json!({"type": kind, "status": status, "reason": reason, "message": message,
            "observedGeneration": generation, "lastTransitionTime": now})
    };
    let mut conditions = vec![condition("Accepted"), condition("ResolvedRefs")];
    conditions.extend(
        refused
            .filter(|one| one.0 == partial)
            .map(|one| condition(one.0)),
    );
    let parents = route["spec"]["parentRefs"].as_array().into_iter().flatten();
    let statuses = parents.map(|parent| {
        json!({"parentRef": parent, "controllerName": CONTROLLER, "conditions": conditions})
    });
    let mut statuses = Value::Array(statuses.collect());
    keep_times(&mut statuses, &route["status"]["parents"]);
    statuses
}

fn keep_times(new: &mut Value, old: &Value) {
    for status in new.as_array_mut().into_iter().flatten() {
        let mut olds = old.as_array().into_iter().flatten();
        let Some(old) = olds.find(|old| old["parentRef"] == status["parentRef"]) else {
            continue;
        };
        let conditions = status["conditions"].as_array_mut().into_iter().flatten();
        for condition in conditions {
            let mut olds = old["conditions"].as_array().into_iter().flatten();
            let same = olds.find(|old| {
                old["type"] == condition["type"] && old["status"] == condition["status"]
            });
            if let Some(same) = same {
                condition["lastTransitionTime"] = same["lastTransitionTime"].clone();
            }
        }
    }
}

/// The part of a route that its controller works by: the rules of an HTTPRoute, the actions of an
/// Ingress.
pub fn content(route: &Value) -> Value {
    if route["kind"] == "HTTPRoute" {
        return route["spec"]["rules"].clone();
    }
    let annotations = route["metadata"]["annotations"].as_object();
    let actions = annotations.into_iter().flatten();
    let actions = actions.filter(|(name, _)| name.starts_with(ACTIONS));
    let actions = actions.map(|(name, text)| (name.clone(), text.clone()));
    json!({"rules": route["spec"]["rules"], "default": route["spec"]["defaultBackend"],
        "actions": Value::Object(actions.collect())})
}
