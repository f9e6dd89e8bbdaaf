use super::{TOKEN, start};
use crate::gateway::{FINALIZER, HTTP_ROUTES, IGNORE, REFUSE, sample_http_route, sample_ingress};
use crate::world::{World, sample_deployment, sample_service};
use jiff::SignedDuration;
use serde_json::{Value, json};

/// A world with a Deployment and a Service `web`, and a route to it.
fn world(route: &Value) -> World {
    let mut world = World::new(TOKEN);
    world.install_gateway_api(start());
    world.apply(sample_deployment("web", "web:1"), start());
    world.apply(sample_service("web"), start());
    world.apply(route.clone(), start());
    world.settle(start());
    world
}

fn words(world: &World, resource: &str) -> Vec<String> {
    let traffic = world.traffic(resource, "default", "web");
    traffic.iter().map(ToString::to_string).collect()
}

fn condition(world: &World, index: usize) -> Value {
    let route = world.object(HTTP_ROUTES, "default", "web").unwrap();
    let condition = &route["status"]["parents"][0]["conditions"][index];
    let generation = &route["metadata"]["generation"];
    json!([
        condition["status"],
        condition["reason"],
        condition["observedGeneration"] == *generation
    ])
}

/// The route after somebody has divided it between `web` and `web-canary`.
fn divided(world: &mut World, own: u32, canary: u32) {
    let mut route = world.object(HTTP_ROUTES, "default", "web").unwrap().clone();
    route["spec"]["rules"][0]["backendRefs"] = json!([
        {"name": "web", "port": 80, "weight": own},
        {"name": "web-canary", "port": 80, "weight": canary}]);
    let now = world.clock;
    world.apply(route, now);
}

#[test]
fn a_route_is_accepted_a_moment_after_it_came_and_in_force_a_moment_later() {
    let mut world = world(&sample_http_route("web", "web"));
    assert_eq!(words(&world, HTTP_ROUTES), ["web 1 (2 ready)"]);
    let route = world.object(HTTP_ROUTES, "default", "web").unwrap();
    assert_eq!(
        route["spec"]["rules"][0]["backendRefs"][0]["weight"], 1,
        "the default"
    );
    assert_eq!(condition(&world, 0), json!(["True", "Accepted", true]));
    world.timing().route_accepted = SignedDuration::from_secs(3);
    world.timing().route_in_force = SignedDuration::from_secs(2);
    let mut canary = sample_service("web-canary");
    canary["spec"]["selector"] = json!({"app": "nobody"});
    let now = world.clock;
    world.apply(canary, now);
    divided(&mut world, 90, 10);
    let after = |world: &mut World, seconds: i64| {
        world.advance(now + SignedDuration::from_secs(seconds));
        (
            condition(world, 0)[2] == true,
            words(world, HTTP_ROUTES).remove(0),
        )
    };
    let old = "web 1 (2 ready)".to_owned();
    assert_eq!(after(&mut world, 2), (false, old.clone()));
    assert_eq!(after(&mut world, 4), (true, old));
    let new = "web 90 (2 ready), web-canary 10 (0 ready)".to_owned();
    assert_eq!(after(&mut world, 6), (true, new));
}

#[test]
fn a_backend_that_does_not_exist_is_not_resolved_until_it_does() {
    let mut world = world(&sample_http_route("web", "web"));
    divided(&mut world, 1, 1);
    let now = world.clock;
    world.settle(now);
    assert_eq!(
        condition(&world, 1),
        json!(["False", "BackendNotFound", true])
    );
    let shares = world.traffic(HTTP_ROUTES, "default", "web")[0].by_version();
    assert!((shares["500"] - 0.5).abs() < 1e-9, "{shares:?}");
    let now = world.clock;
    world.apply(sample_service("web-canary"), now);
    world.settle(now);
    assert_eq!(condition(&world, 1), json!(["True", "ResolvedRefs", true]));
    world.delete("services", "default", "web-canary", now);
    let now = world.clock;
    world.settle(now);
    assert_eq!(condition(&world, 1)[0], "False");
}

#[test]
fn a_route_is_refused_or_ignored_as_it_says() {
    let mut route = sample_http_route("web", "web");
    route["metadata"]["annotations"] = json!({REFUSE: "Accepted NoMatchingParent"});
    let refused = world(&route);
    assert_eq!(
        condition(&refused, 0),
        json!(["False", "NoMatchingParent", true])
    );
    assert!(words(&refused, HTTP_ROUTES).is_empty());
    route["metadata"]["annotations"] = json!({REFUSE: "PartiallyInvalid UnsupportedValue"});
    assert_eq!(
        condition(&world(&route), 2),
        json!(["True", "UnsupportedValue", true])
    );
    route["metadata"]["annotations"] = json!({IGNORE: "true"});
    let world = world(&route);
    let route = world.object(HTTP_ROUTES, "default", "web").unwrap();
    assert!(
        route
            .get("status")
            .is_none_or(|status| status["parents"].is_null())
    );
    assert!(words(&world, HTTP_ROUTES).is_empty());
}

#[test]
fn an_ingress_is_taken_and_its_event_tells_that_it_is_in_force() {
    let mut world = world(&sample_ingress("web", "web"));
    assert_eq!(words(&world, "ingresses"), ["web 1 (2 ready)"]);
    let ingress = world.object("ingresses", "default", "web").unwrap();
    assert_eq!(ingress["metadata"]["finalizers"], json!([FINALIZER]));
    let reconciled = |world: &World| {
        let events = world.objects("events").into_iter();
        let of = events.filter(|event| event["reason"] == "SuccessfullyReconciled");
        of.map(|event| event["count"].as_u64().unwrap())
            .sum::<u64>()
    };
    assert_eq!(reconciled(&world), 1);
    let mut changed = ingress.clone();
    changed["metadata"]["annotations"]["alb.ingress.kubernetes.io/actions.web"] = json!(
        json!({"type": "forward", "forwardConfig": {"targetGroups": [
            {"serviceName": "web", "servicePort": 80, "weight": 9},
            {"serviceName": "gone", "servicePort": 80, "weight": 1}]}})
        .to_string()
    );
    let now = world.clock;
    world.apply(changed, now);
    world.settle(now);
    assert_eq!(
        words(&world, "ingresses"),
        ["web 9 (2 ready), gone 1 (no Service)"]
    );
    assert_eq!(reconciled(&world), 2);
    let now = world.clock;
    assert!(world.delete("ingresses", "default", "web", now));
    world.settle(now);
    assert!(world.object("ingresses", "default", "web").is_none());
    assert!(words(&world, "ingresses").is_empty());
}
