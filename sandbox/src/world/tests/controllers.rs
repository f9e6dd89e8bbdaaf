//! What controllers make of Deployments, pods and Services.

use super::*;
use crate::world::controllers::replica_set;

#[test]
fn a_new_deployment_comes_up() {
    let (world, now) = settled();
    let status = &web(&world)["status"];
    for field in [
        "replicas",
        "updatedReplicas",
        "readyReplicas",
        "availableReplicas",
    ] {
        assert_eq!(status[field], 2, "{field}");
    }
    assert!(status.get("unavailableReplicas").is_none());
    assert_eq!(
        status["observedGeneration"],
        web(&world)["metadata"]["generation"]
    );
    assert_eq!(reason(&world, "Progressing"), "NewReplicaSetAvailable");
    assert_eq!(reason(&world, "Available"), "MinimumReplicasAvailable");
    assert_eq!(revision(&world), "1");
    assert_eq!(world.objects("pods").len(), 2);
    assert_eq!(world.next_change(), None);
    assert!(now.duration_since(start()) < SignedDuration::from_secs(5));
    for pod in world.objects("pods") {
        assert_eq!(pod["metadata"]["ownerReferences"][0]["kind"], "ReplicaSet");
        assert!(pod["metadata"]["labels"]["pod-template-hash"].is_string());
    }
}

#[test]
fn a_rollout_keeps_to_its_bounds_and_is_observed_late() {
    let (mut world, mut now) = settled();
    let (status, answered) = patch(&mut world, STRATEGIC, image("web:2"), now);
    assert_eq!(status, 200);
    let generation = answered["metadata"]["generation"].as_i64();
    assert!(
        answered["status"]["observedGeneration"].as_i64() < generation,
        "not observed yet"
    );
    while let Some(at) = world.next_change() {
        now = at;
        world.advance(at);
        let alive = world
            .objects("pods")
            .into_iter()
            .filter(|pod| !object::terminating(pod));
        let (mut all, mut ready) = (0, 0);
        for pod in alive {
            all += 1;
            ready += i32::from(replica_set::ready_since(pod).is_some());
        }
        assert!(all <= 3, "at most one pod of surge");
        assert!(
            ready >= 2,
            "no pod may be missing: 25 % of 2 rounds down to 0"
        );
    }
    assert_eq!(
        sets(&world).iter().map(|set| set.0).collect::<Vec<_>>(),
        [0, 2]
    );
    assert_eq!(revision(&world), "2");
    assert_eq!(reason(&world, "Progressing"), "NewReplicaSetAvailable");
    assert!(now.duration_since(start()) < seconds(60));
}

#[test]
fn a_return_to_an_old_template_takes_its_replica_set_with_a_new_revision() {
    let (mut world, mut now) = settled();
    for (number, expected) in [("web:2", "2"), ("web:1", "3"), ("web:2", "4")] {
        patch(&mut world, STRATEGIC, image(number), now);
        now = world.settle(now);
        assert_eq!(revision(&world), expected);
    }
    assert_eq!(
        sets(&world),
        [
            (0, "web:1".to_owned(), "3".to_owned()),
            (2, "web:2".to_owned(), "4".to_owned())
        ]
    );
    let newest = world
        .objects("replicasets")
        .into_iter()
        .find(|set| set["spec"]["replicas"] == 2);
    let annotations = &newest.expect("it is there")["metadata"]["annotations"];
    assert_eq!(
        annotations["deployment.kubernetes.io/revision-history"],
        "2"
    );
}

#[test]
fn a_stuck_rollout_exceeds_its_deadline_and_a_way_back_starts_with_the_stale_failure() {
    let mut world = World::new(TOKEN);
    let mut object = sample_deployment("web", "web:1");
    object["spec"]["progressDeadlineSeconds"] = 10.into();
    // With one replica the rollback changes no counter, so the failure stays.
    object["spec"]["replicas"] = 1.into();
    world.behave("broken", Behaviour::ImagePull);
    world.apply(object, start());
    let now = world.settle(start());
    patch(&mut world, STRATEGIC, image("web:broken"), now);
    let before = now + seconds(9);
    world.advance(before);
    assert_eq!(reason(&world, "Progressing"), "ReplicaSetUpdated");
    assert_eq!(web(&world)["status"]["availableReplicas"], 1);
    assert_eq!(web(&world)["status"]["unavailableReplicas"], 1);
    let late = now + seconds(15);
    world.advance(late);
    assert_eq!(reason(&world, "Progressing"), "ProgressDeadlineExceeded");

    let (_, answered) = patch(&mut world, STRATEGIC, image("web:1"), late);
    let generation = answered["metadata"]["generation"].as_i64();
    let observed = |world: &World| web(world)["status"]["observedGeneration"].as_i64();
    let mut stale = false;
    let mut at = late;
    while observed(&world) != generation
        || reason(&world, "Progressing") != "NewReplicaSetAvailable"
    {
        at = world.next_change().expect("it is not settled");
        world.advance(at);
        let exceeded = reason(&world, "Progressing") == "ProgressDeadlineExceeded";
        stale |= observed(&world) == generation && exceeded;
    }
    assert!(
        stale,
        "the old failure is still there when the new generation is observed"
    );
    assert!(at.duration_since(late) < seconds(5));
}

#[test]
fn pods_fail_as_their_behaviour_says() {
    let crash = Behaviour::CrashLoop {
        exit_code: 3,
        log: "one\nfatal: no database\n".to_owned(),
        reason: None,
    };
    let config = Behaviour::ConfigError {
        message: "secret \"web\" not found".to_owned(),
    };
    let rows = [
        (crash, "CrashLoopBackOff"),
        (Behaviour::ImagePull, "ImagePullBackOff"),
        (Behaviour::InvalidImageName, "InvalidImageName"),
        (config, "CreateContainerConfigError"),
        (Behaviour::NeverReady, ""),
    ];
    for (behaviour, expected) in rows {
        let (mut world, now) = settled();
        world.behave("web:2", behaviour.clone());
        patch(&mut world, STRATEGIC, image("web:2"), now);
        world.advance(now + seconds(5));
        let young = |pod: &&Value| text(pod, "/spec/containers/0/image") == "web:2";
        let pod = world
            .objects("pods")
            .into_iter()
            .find(young)
            .expect("a new pod")
            .clone();
        let state = &pod["status"]["containerStatuses"][0];
        assert_eq!(
            text(state, "/state/waiting/reason"),
            expected,
            "{behaviour:?}"
        );
        assert_eq!(state["ready"], false);
        assert_eq!(
            web(&world)["status"]["availableReplicas"],
            2,
            "{behaviour:?}"
        );
        let log = format!(
            "/api/v1/namespaces/default/pods/{}/log?tailLines=1",
            text(&pod, "/metadata/name")
        );
        let (status, said) = get(&mut world, &log, now);
        if expected == "CrashLoopBackOff" {
            assert_eq!((status, said), (200, json!("fatal: no database\n")));
            assert_eq!(state["restartCount"], 1);
            assert_eq!(state["lastState"]["terminated"]["exitCode"], 3);
        } else {
            assert_eq!(
                status,
                if expected.is_empty() { 200 } else { 400 },
                "{behaviour:?}"
            );
        }
    }
}

#[test]
fn a_used_up_quota_and_a_full_cluster_are_seen_from_outside() {
    let (mut world, now) = settled();
    world.behave("web:2", Behaviour::Quota);
    patch(&mut world, STRATEGIC, image("web:2"), now);
    world.advance(now + seconds(2));
    let failure = object::condition(web(&world), "ReplicaFailure").expect("a failure");
    assert_eq!(failure["reason"], "FailedCreate");
    assert!(text(failure, "/message").contains("exceeded quota"));
    world.behave(
        "web:2",
        Behaviour::Unschedulable {
            message: "0/1 nodes".to_owned(),
        },
    );
    world.advance(now + seconds(4));
    assert!(object::condition(web(&world), "ReplicaFailure").is_none());
    let scheduled = |pod: &Value| {
        object::condition(pod, "PodScheduled")
            .cloned()
            .unwrap_or_default()
    };
    let waiting = world
        .objects("pods")
        .into_iter()
        .map(scheduled)
        .find(|it| it["status"] == "False");
    assert_eq!(
        waiting.expect("a pod that waits")["reason"],
        "Unschedulable"
    );
}

#[test]
fn a_scaled_deployment_keeps_its_count_through_a_rollout() {
    let (mut world, now) = settled();
    assert!(world.scale("default", "web", 5, now));
    let now = world.settle(now);
    assert_eq!(web(&world)["status"]["availableReplicas"], 5);
    patch(&mut world, STRATEGIC, image("web:2"), now);
    let middle = now + SignedDuration::from_millis(1_200);
    world.advance(middle);
    world.scale("default", "web", 8, middle);
    world.settle(middle);
    assert_eq!(web(&world)["status"]["availableReplicas"], 8);
    assert_eq!(
        sets(&world).iter().map(|set| set.0).collect::<Vec<_>>(),
        [0, 8]
    );
    let (status, scale) = get(&mut world, &format!("{WEB}/scale"), middle);
    assert_eq!((status, &scale["spec"]["replicas"]), (200, &json!(8)));
}

#[test]
fn recreate_waits_until_the_old_pods_are_gone_and_pause_stops_all() {
    let (mut world, now) = settled();
    let recreate = json!({"spec": {"strategy": {"type": "Recreate", "rollingUpdate": null}}});
    patch(&mut world, STRATEGIC, recreate, now);
    let now = world.settle(now);
    patch(&mut world, STRATEGIC, image("web:2"), now);
    while let Some(at) = world.next_change() {
        world.advance(at);
        let mut images: Vec<&str> = world
            .objects("pods")
            .into_iter()
            .map(|pod| text(pod, "/spec/containers/0/image"))
            .collect();
        images.dedup();
        assert!(images.len() <= 1, "never both: {images:?}");
    }
    assert_eq!(web(&world)["status"]["availableReplicas"], 2);
    let now = world.settle(now);
    patch(&mut world, MERGE, json!({"spec": {"paused": true}}), now);
    let now = world.settle(now);
    patch(&mut world, STRATEGIC, image("web:3"), now);
    world.settle(now);
    assert_eq!(reason(&world, "Progressing"), "DeploymentPaused");
    assert_eq!(world.objects("replicasets").len(), 2);
    assert_eq!(
        web(&world)["status"]["observedGeneration"],
        web(&world)["metadata"]["generation"]
    );
}

#[test]
fn old_replica_sets_beyond_the_limit_go() {
    let (mut world, mut now) = settled();
    patch(
        &mut world,
        MERGE,
        json!({"spec": {"revisionHistoryLimit": 1}}),
        now,
    );
    for number in 2..6 {
        now = world.settle(now);
        patch(&mut world, STRATEGIC, image(&format!("web:{number}")), now);
    }
    world.settle(now);
    let revisions: Vec<String> = sets(&world).into_iter().map(|set| set.2).collect();
    assert_eq!(revisions, ["4", "5"]);
}

#[test]
fn a_service_has_the_ready_pods_that_it_selects() {
    let (mut world, now) = settled();
    world.apply(sample_service("web"), now);
    let now = world.settle(now);
    let slice = world
        .object("endpointslices", "default", "web-slice")
        .expect("a slice");
    let ready = slice["endpoints"].as_array().expect("endpoints").iter();
    assert_eq!(
        ready.filter(|it| it["conditions"]["ready"] == true).count(),
        2
    );
    let path = "/api/v1/namespaces/default/services/web";
    let select = json!({"spec": {"selector": {"app": "none"}}});
    assert_eq!(
        ask(&mut world, &request("PATCH", path, MERGE, &select), now).0,
        200
    );
    world.settle(now);
    let slice = world
        .object("endpointslices", "default", "web-slice")
        .expect("a slice");
    assert_eq!(slice["endpoints"], json!([]));
}

#[test]
fn a_deleted_deployment_takes_its_pods_along() {
    let (mut world, now) = settled();
    let options = json!({"preconditions": {"uid": "other"}});
    let (status, _) = ask(
        &mut world,
        &request("DELETE", WEB, "application/json", &options),
        now,
    );
    assert_eq!(status, 409);
    let (status, body) = ask(&mut world, &request("DELETE", WEB, "", &Value::Null), now);
    assert_eq!((status, &body["status"]), (200, &json!("Success")));
    assert!(
        world
            .objects("pods")
            .iter()
            .all(|pod| object::terminating(pod))
    );
    world.settle(now);
    assert!(world.objects("pods").is_empty() && world.objects("replicasets").is_empty());
}

#[test]
fn the_same_calls_give_the_same_world() {
    let run = || {
        let (mut world, now) = settled();
        patch(&mut world, STRATEGIC, image("web:2"), now);
        world.settle(now);
        let all = ["deployments", "replicasets", "pods", "events"];
        all.map(|resource| json!(world.objects(resource)).to_string())
    };
    assert_eq!(run(), run());
}

#[test]
fn a_lagging_controller_observes_late_and_an_unchanged_condition_keeps_its_times() {
    let (mut world, now) = settled();
    let before = object::condition(web(&world), "Available").cloned();
    let now = now + seconds(60);
    world.timing().observe = seconds(5);
    let (_, answered) = patch(&mut world, STRATEGIC, image("web:2"), now);
    let generation = &answered["metadata"]["generation"];
    world.advance(now + seconds(4));
    assert_ne!(web(&world)["status"]["observedGeneration"], *generation);
    assert_eq!(world.objects("replicasets").len(), 1);
    world.advance(now + seconds(6));
    assert_eq!(web(&world)["status"]["observedGeneration"], *generation);
    world.settle(now);
    assert_eq!(object::condition(web(&world), "Available").cloned(), before);
}

#[test]
fn a_smaller_count_takes_the_pods_that_serve_nobody() {
    let (mut world, now) = settled();
    let serving = |world: &World| -> Vec<String> {
        let pods = world.objects("pods").into_iter();
        let ready = pods.filter(|pod| replica_set::ready_since(pod).is_some());
        ready
            .map(|pod| text(pod, "/metadata/name").to_owned())
            .collect()
    };
    let before = serving(&world);
    world.behave("web:1", Behaviour::ImagePull);
    world.scale("default", "web", 4, now);
    let now = now + seconds(3);
    world.advance(now);
    assert_eq!(world.objects("pods").len(), 4);
    world.scale("default", "web", 2, now);
    world.settle(now);
    assert_eq!(world.objects("pods").len(), 2);
    assert_eq!(serving(&world), before);
}
