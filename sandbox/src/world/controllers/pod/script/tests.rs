use super::*;
use crate::world::{Barred, Behaviour, sample_deployment};
use jiff::Timestamp;
use std::sync::Arc;

const IMAGE: &str = "registry.example.com/web:2";

fn world(script: Script) -> (World, Timestamp) {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    let mut world = World::new("token");
    world.behave(IMAGE, Behaviour::Scripted(Arc::new(script)));
    world.apply(sample_deployment("web", IMAGE), now);
    (world, now)
}

fn after(world: &mut World, now: Timestamp, seconds: i64) -> Vec<Value> {
    world.advance(now + SignedDuration::from_secs(seconds));
    world.objects("pods").into_iter().cloned().collect()
}

#[test]
fn a_pod_shows_what_is_written_down_for_its_age() {
    let crash = json!({"containers": {"app": {"waiting": ["CrashLoopBackOff", "back-off 10s"],
        "restarts": 1, "last": [1, "Error", ""]}}});
    let (mut world, now) = world(Script::read(&json!([
        [0, "creating"],
        [3, "ready"],
        [9, crash]
    ])));
    let told = |pods: &[Value]| {
        let of = |pod: &Value| {
            let container = &pod["status"]["containerStatuses"][0];
            let waiting = text(container, "/state/waiting/reason");
            format!(
                "{} {waiting} {}",
                text(pod, "/status/phase"),
                container["ready"]
            )
        };
        pods.iter().map(of).collect::<Vec<_>>()
    };
    let rows = [
        (2, "Pending ContainerCreating false"),
        (5, "Running  true"),
        (12, "Running CrashLoopBackOff false"),
    ];
    for (second, expected) in rows {
        let pods = after(&mut world, now, second);
        assert_eq!(told(&pods), [expected, expected], "second {second}");
    }
}

#[test]
fn a_pod_that_failed_is_replaced_and_stays() {
    let evicted = json!({"phase": "Failed", "reason": "Evicted", "message": "too much"});
    let lives = json!([[[0, "creating"], [2, evicted]], [[0, "ready"]]]);
    let (mut world, now) = world(Script::read(&lives));
    let pods = after(&mut world, now, 10);
    let phases = pods
        .iter()
        .map(|pod| text(pod, "/status/phase"))
        .collect::<Vec<_>>();
    assert_eq!(
        phases.iter().filter(|it| **it == "Failed").count(),
        1,
        "{phases:?}"
    );
    assert_eq!(
        phases.iter().filter(|it| **it == "Running").count(),
        2,
        "{phases:?}"
    );
}

#[test]
fn pods_are_created_when_there_is_room_again() {
    let script = Script {
        barred: Some(Barred {
            message: "pods \"POD\" is forbidden: exceeded quota: pods".to_owned(),
            lasts: SignedDuration::from_secs(30),
            room: 1,
        }),
        ..Script::read(&json!([[0, "ready"]]))
    };
    let (mut world, now) = world(script);
    assert_eq!(after(&mut world, now, 20).len(), 1);
    let conditions = world.deployment("default", "web").expect("it is there")["status"].to_string();
    assert!(conditions.contains("exceeded quota"), "{conditions}");
    assert_eq!(after(&mut world, now, 60).len(), 2);
}
