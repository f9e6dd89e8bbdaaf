use crate::balancer::sample_binding;
use crate::world::{World, sample_deployment, sample_service};
use jiff::{SignedDuration, Timestamp};

/// A Deployment of two pods behind a Service and a target group.
fn world() -> (World, Timestamp) {
    let now = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut world = World::new("token");
    world.timing().targets_seen = SignedDuration::from_secs(1);
    world.timing().target_healthy = SignedDuration::from_secs(20);
    world.install_target_groups(now);
    world.apply(sample_deployment("web", "web:1"), now);
    world.apply(sample_service("web"), now);
    world.apply(sample_binding("web", "web"), now);
    let now = world.settle(now);
    (world, now)
}

fn select(world: &mut World, label: &str, now: Timestamp) {
    let mut service = world.object("services", "default", "web").unwrap().clone();
    service["spec"]["selector"] = serde_json::json!({"app": label});
    world.apply(service, now);
}

#[test]
fn a_target_is_healthy_some_time_after_it_is_an_endpoint() {
    let (mut world, now) = world();
    assert_eq!(world.healthy_targets("default", "web").len(), 2);
    assert!(world.healthy_targets("default", "other").is_empty());
    world.scale("default", "web", 3, now);
    let pods = |world: &World| world.ready_behind("default", "web").unwrap().len();
    let mut at = now;
    while pods(&world) < 3 {
        at += SignedDuration::from_millis(10);
        world.advance(at);
    }
    let in_time = |seconds| at + SignedDuration::from_secs(seconds);
    world.advance(in_time(15));
    assert_eq!(world.healthy_targets("default", "web").len(), 2, "initial");
    world.advance(in_time(25));
    assert_eq!(world.healthy_targets("default", "web").len(), 3);
}

/// What is deregistered is gone before what is new is healthy.
#[test]
fn a_change_of_all_endpoints_leaves_no_healthy_target_for_a_while() {
    let (mut world, now) = world();
    world.apply(sample_deployment("other", "other:1"), now);
    let now = world.settle(now);
    select(&mut world, "other", now);
    let in_time = |seconds| now + SignedDuration::from_secs(seconds);
    world.advance(in_time(3));
    assert_eq!(world.ready_behind("default", "web").unwrap().len(), 2);
    assert!(world.healthy_targets("default", "web").is_empty());
    world.advance(in_time(30));
    let healthy = world.healthy_targets("default", "web");
    assert!(healthy.iter().all(|name| name.starts_with("other-")));
    assert_eq!(healthy.len(), 2);
}
