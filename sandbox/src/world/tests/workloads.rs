//! What controllers make of StatefulSets, DaemonSets and Jobs.

use super::*;
use crate::world::controllers::replica_set;

const STORE: &str = "/apis/apps/v1/namespaces/default/statefulsets/db";
const AGENT: &str = "/apis/apps/v1/namespaces/default/daemonsets/agent";
const MIGRATION: &str = "/apis/batch/v1/namespaces/default/jobs/migrate";

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "x"}},
        "spec": {"containers": [{"name": "app", "image": image}]}})
}

fn stateful(size: i64) -> Value {
    json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "db"},
        "spec": {"replicas": size, "serviceName": "db",
            "selector": {"matchLabels": {"app": "x"}}, "template": template("db:1"),
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}})
}

fn daemon() -> Value {
    json!({"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"name": "agent"},
        "spec": {"selector": {"matchLabels": {"app": "x"}}, "template": template("agent:1"),
            "updateStrategy": {"type": "RollingUpdate",
                "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}}})
}

fn job(image: &str) -> Value {
    let mut template = template(image);
    template["spec"]["restartPolicy"] = "Never".into();
    json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "migrate"},
        "spec": {"template": template, "backoffLimit": 1}})
}

fn with(object: Value, now: Timestamp) -> (World, Timestamp) {
    let mut world = World::new(TOKEN);
    world.behave("never-ready", Behaviour::NeverReady);
    let crash = Behaviour::CrashLoop {
        exit_code: 3,
        log: "no such column\n".to_owned(),
        reason: None,
    };
    world.behave("crash", crash);
    world.apply(object, now);
    let now = world.settle(now);
    (world, now)
}

fn change(world: &mut World, path: &str, spec: Value, now: Timestamp) {
    let body = json!({"spec": spec});
    let (status, answered) = ask(world, &request("PATCH", path, MERGE, &body), now);
    assert_eq!(status, 200, "{answered}");
}

fn to(image: &str) -> Value {
    json!({"template": {"spec": {"containers": [{"name": "app", "image": image}]}}})
}

fn status<'a>(world: &'a World, resource: &str, name: &str) -> &'a Value {
    &world.object(resource, "default", name).expect(name)["status"]
}

/// The name and image of each pod that stays.
fn images(world: &World) -> Vec<String> {
    let pods = world.objects("pods").into_iter();
    let pods = pods.filter(|pod| !object::terminating(pod));
    pods.map(|pod| {
        let image = text(pod, "/spec/containers/0/image");
        format!("{} {image}", text(pod, "/metadata/name"))
    })
    .collect()
}

/// The images of all pods that stay, in order.
fn versions(world: &World) -> Vec<String> {
    let all = images(world);
    let mut all: Vec<String> = all
        .iter()
        .filter_map(|it| it.split_once(' '))
        .map(|(_, image)| image.to_owned())
        .collect();
    all.sort_unstable();
    all
}

fn conditions(world: &World) -> Vec<String> {
    let all = object::list(status(world, "jobs", "migrate"), "/conditions").iter();
    all.map(|it| {
        format!(
            "{}={} {}",
            text(it, "/type"),
            text(it, "/status"),
            text(it, "/reason")
        )
    })
    .collect()
}

#[test]
fn a_stateful_set_comes_up_one_pod_after_another() {
    let mut world = World::new(TOKEN);
    world.apply(stateful(3), start());
    let mut most = 0;
    while let Some(at) = world.next_change() {
        world.advance(at);
        let pods = world.objects("pods");
        let unready = pods
            .iter()
            .filter(|pod| replica_set::ready_since(pod).is_none())
            .count();
        most = most.max(unready);
    }
    assert_eq!(most, 1, "in order");
    assert_eq!(images(&world), ["db-0 db:1", "db-1 db:1", "db-2 db:1"]);
    let revision = world.objects("controllerrevisions")[0];
    let name = text(revision, "/metadata/name");
    assert_eq!(revision["data"]["spec"]["template"]["$patch"], "replace");
    let wanted = json!({"observedGeneration": 1, "replicas": 3, "readyReplicas": 3,
        "availableReplicas": 3, "currentReplicas": 3, "updatedReplicas": 3,
        "currentRevision": name, "updateRevision": name, "collisionCount": 0});
    assert_eq!(*status(&world, "statefulsets", "db"), wanted);
    let labels = &world.objects("pods")[2]["metadata"]["labels"];
    assert_eq!(labels["controller-revision-hash"], name);
    assert_eq!(labels["statefulset.kubernetes.io/pod-name"], "db-2");
}

#[test]
fn a_partition_holds_a_stateful_set_back() {
    let (mut world, now) = with(stateful(3), start());
    let held = json!({"updateStrategy": {"rollingUpdate": {"partition": 2}}});
    change(&mut world, STORE, held, now);
    change(&mut world, STORE, to("db:2"), now);
    let now = world.settle(now);
    assert_eq!(images(&world), ["db-0 db:1", "db-1 db:1", "db-2 db:2"]);
    let found = status(&world, "statefulsets", "db");
    assert_eq!(
        (&found["updatedReplicas"], &found["currentReplicas"]),
        (&1.into(), &2.into())
    );
    assert_ne!(found["currentRevision"], found["updateRevision"]);
    // Below the partition a lost pod comes back as it was.
    world.delete("pods", "default", "db-0", now);
    let now = world.settle(now);
    assert_eq!(images(&world)[0], "db-0 db:1");
    let free = json!({"updateStrategy": {"rollingUpdate": {"partition": 0}}});
    change(&mut world, STORE, free, now);
    world.settle(now);
    assert_eq!(images(&world), ["db-0 db:2", "db-1 db:2", "db-2 db:2"]);
    let found = status(&world, "statefulsets", "db");
    assert_eq!(found["currentRevision"], found["updateRevision"]);
}

#[test]
fn a_broken_pod_blocks_its_own_repair_unless_all_go_at_once() {
    for (policy, is_blocked) in [("OrderedReady", true), ("Parallel", false)] {
        let mut set = stateful(3);
        set["spec"]["podManagementPolicy"] = policy.into();
        let (mut world, now) = with(set, start());
        change(&mut world, STORE, to("db:never-ready"), now);
        let now = now + seconds(60);
        world.advance(now);
        assert_eq!(images(&world)[2], "db-2 db:never-ready");
        assert_eq!(status(&world, "statefulsets", "db")["readyReplicas"], 2);
        change(&mut world, STORE, to("db:1"), now);
        let now = now + seconds(60);
        world.advance(now);
        let found = if is_blocked {
            "db-2 db:never-ready"
        } else {
            "db-2 db:1"
        };
        assert_eq!(images(&world)[2], found, "{policy}");
        world.delete("pods", "default", "db-2", now);
        world.settle(now);
        assert_eq!(images(&world), ["db-0 db:1", "db-1 db:1", "db-2 db:1"]);
        let revisions = world.objects("controllerrevisions").into_iter();
        let mut numbers: Vec<i64> = revisions.map(|it| integer(it, "/revision")).collect();
        numbers.sort_unstable();
        assert_eq!(numbers, [2, 3], "the old template has a new number");
    }
}

#[test]
fn an_update_on_delete_waits_for_somebody_to_delete() {
    let mut set = stateful(2);
    set["spec"]["updateStrategy"] = json!({"type": "OnDelete"});
    let (mut world, now) = with(set, start());
    change(&mut world, STORE, to("db:2"), now);
    let now = world.settle(now);
    assert_eq!(images(&world), ["db-0 db:1", "db-1 db:1"]);
    world.delete("pods", "default", "db-0", now);
    let now = world.settle(now);
    assert_eq!(images(&world), ["db-0 db:2", "db-1 db:1"]);
    change(&mut world, STORE, json!({"replicas": 1}), now);
    world.settle(now);
    assert_eq!(images(&world), ["db-0 db:2"]);
}

#[test]
fn the_pods_of_a_stateful_set_keep_their_claims() {
    let mut set = stateful(1);
    set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"]}}]);
    let (mut world, now) = with(set, start());
    let claim = world.object("persistentvolumeclaims", "default", "data-db-0");
    let uid = text(claim.expect("a claim"), "/metadata/uid").to_owned();
    let volume = &world.objects("pods")[0]["spec"]["volumes"][0];
    assert_eq!(volume["persistentVolumeClaim"]["claimName"], "data-db-0");
    world.delete("pods", "default", "db-0", now);
    world.settle(now);
    let claim = world.object("persistentvolumeclaims", "default", "data-db-0");
    assert_eq!(text(claim.expect("still there"), "/metadata/uid"), uid);
}

fn three_nodes() -> (World, Timestamp) {
    let mut world = World::new(TOKEN);
    for node in ["a", "b", "c"] {
        world.set_node(node, true, start());
    }
    world.apply(daemon(), start());
    let now = world.settle(start());
    (world, now)
}

#[test]
fn a_daemon_set_has_a_pod_on_each_node() {
    let (mut world, now) = three_nodes();
    let wanted = json!({"observedGeneration": 1, "desiredNumberScheduled": 3,
        "currentNumberScheduled": 3, "numberMisscheduled": 0, "numberReady": 3,
        "updatedNumberScheduled": 3, "numberAvailable": 3});
    assert_eq!(*status(&world, "daemonsets", "agent"), wanted);
    let pods = world.objects("pods").into_iter();
    let mut nodes: Vec<&str> = pods.map(|pod| text(pod, "/spec/nodeName")).collect();
    nodes.sort_unstable();
    assert_eq!(nodes, ["a", "b", "c"]);
    world.set_node("d", true, now);
    let now = world.settle(now);
    assert_eq!(status(&world, "daemonsets", "agent")["numberReady"], 4);
    world.remove_node("a", now);
    world.settle(now);
    assert_eq!(
        status(&world, "daemonsets", "agent")["desiredNumberScheduled"],
        3
    );
    assert_eq!(world.objects("pods").len(), 3);
}

#[test]
fn a_daemon_set_is_updated_node_by_node() {
    for (surge, unavailable) in [(0, 1), (1, 0)] {
        let (mut world, mut now) = three_nodes();
        let rolling = json!({"maxSurge": surge, "maxUnavailable": unavailable});
        let mut spec = to("agent:2");
        spec["updateStrategy"] = json!({"rollingUpdate": rolling});
        change(&mut world, AGENT, spec, now);
        while let Some(at) = world.next_change() {
            now = at;
            world.advance(at);
            let pods = world.objects("pods").into_iter();
            let stay: Vec<&Value> = pods.filter(|pod| !object::terminating(pod)).collect();
            let ready = stay
                .iter()
                .filter(|pod| replica_set::ready_since(pod).is_some());
            let ready = i64::try_from(ready.count()).expect("few");
            assert!(ready >= 3 - unavailable, "surge {surge} at {now}");
            assert!(stay.len() <= 4);
        }
        assert_eq!(versions(&world), ["agent:2"; 3]);
        let found = status(&world, "daemonsets", "agent");
        assert_eq!(found["updatedNumberScheduled"], 3);
        assert!(found.get("numberUnavailable").is_none());
        assert_eq!(world.objects("controllerrevisions").len(), 2);
    }
}

#[test]
fn a_node_that_is_not_ready_holds_a_daemon_set_up() {
    let (mut world, now) = three_nodes();
    world.set_node("b", false, now);
    let now = world.settle(now);
    assert_eq!(
        status(&world, "daemonsets", "agent")["numberUnavailable"],
        1
    );
    change(&mut world, AGENT, to("agent:2"), now);
    let now = now + seconds(60);
    world.advance(now);
    // Its pod and one that serves are deleted at once; its own does not end, so that is all.
    assert_eq!(versions(&world), ["agent:1", "agent:2"]);
    assert_eq!(status(&world, "daemonsets", "agent")["numberAvailable"], 2);
    world.set_node("b", true, now);
    world.settle(now);
    assert_eq!(versions(&world), ["agent:2"; 3]);
    assert_eq!(status(&world, "daemonsets", "agent")["numberAvailable"], 3);
}

#[test]
fn a_job_says_that_it_will_be_complete_and_then_that_it_is() {
    let mut world = World::new(TOKEN);
    world.apply(job("migrate:1"), start());
    let mut seen: Vec<Vec<String>> = Vec::new();
    let version = world.resource_version();
    let now = world.settle(start());
    let watch = Watch {
        kind: "Job".to_owned(),
        api_version: "batch/v1".to_owned(),
        resource: "jobs".to_owned(),
        namespace: None,
        name: None,
        label_selector: None,
        since: 0,
        timeout_seconds: None,
        bookmarks: false,
        initial: Vec::new(),
        flow: WatchFlow::default(),
    };
    for (_, event) in world.watch(&watch, version).expect("the log") {
        let all = object::list(&event["object"], "/status/conditions").iter();
        seen.push(all.map(|it| text(it, "/type").to_owned()).collect());
    }
    seen.dedup();
    let none: Vec<String> = Vec::new();
    let met = vec!["SuccessCriteriaMet".to_owned()];
    let complete = vec!["SuccessCriteriaMet".to_owned(), "Complete".to_owned()];
    assert_eq!(seen, [none, met, complete]);
    let found = status(&world, "jobs", "migrate");
    assert_eq!(found["succeeded"], 1);
    assert!(found.get("active").is_none() && found["completionTime"].is_string());
    let pod = world.objects("pods")[0];
    assert_eq!(pod["status"]["phase"], "Succeeded");
    let path = format!(
        "/api/v1/namespaces/default/pods/{}/log",
        text(pod, "/metadata/name")
    );
    assert_eq!(get(&mut world, &path, now), (200, "done\n".into()));
}

#[test]
fn a_job_that_crashes_is_tried_again_with_delay_and_then_fails() {
    let mut world = World::new(TOKEN);
    let crash = Behaviour::CrashLoop {
        exit_code: 3,
        log: "no such column\n".to_owned(),
        reason: None,
    };
    world.behave("crash", crash);
    world.apply(job("migrate:crash"), start());
    world.advance(start() + seconds(8));
    assert_eq!(status(&world, "jobs", "migrate")["failed"], 1);
    assert_eq!(
        world.objects("pods").len(),
        1,
        "not before ten seconds are over"
    );
    let now = world.settle(start() + seconds(8));
    let pods = world.objects("pods");
    assert_eq!(pods.len(), 2, "they are kept for their logs");
    let name = text(pods[0], "/metadata/name").to_owned();
    let ended = &pods[0]["status"]["containerStatuses"][0]["state"]["terminated"];
    assert_eq!(
        (&pods[0]["status"]["phase"], &ended["exitCode"]),
        (&"Failed".into(), &3.into())
    );
    let reason = "BackoffLimitExceeded";
    let wanted = ["FailureTarget", "Failed"].map(|kind| format!("{kind}=True {reason}"));
    assert_eq!(conditions(&world), wanted);
    assert_eq!(status(&world, "jobs", "migrate")["failed"], 2);
    let path = format!("/api/v1/namespaces/default/pods/{name}/log");
    assert_eq!(
        get(&mut world, &path, now),
        (200, "no such column\n".into())
    );
}

#[test]
fn a_job_whose_pods_restart_in_place_ends_with_their_removal() {
    let mut broken = job("migrate:crash");
    broken["spec"]["template"]["spec"]["restartPolicy"] = "OnFailure".into();
    let (world, _) = with(broken, start());
    let wanted = ["FailureTarget", "Failed"].map(|it| format!("{it}=True BackoffLimitExceeded"));
    assert_eq!(conditions(&world), wanted);
    assert!(world.objects("pods").is_empty(), "and so are their logs");
    assert_eq!(status(&world, "jobs", "migrate")["failed"], 1);
}

#[test]
fn a_job_beyond_its_deadline_fails_when_its_pods_are_gone() {
    let mut slow = job("migrate:never-ready");
    slow["spec"]["activeDeadlineSeconds"] = 5.into();
    let mut world = World::new(TOKEN);
    world.behave("never-ready", Behaviour::NeverReady);
    world.apply(slow, start());
    world.advance(start() + seconds(4));
    assert_eq!(status(&world, "jobs", "migrate")["active"], 1);
    world.advance(start() + SignedDuration::from_millis(5_010));
    assert_eq!(conditions(&world), ["FailureTarget=True DeadlineExceeded"]);
    world.advance(start() + seconds(6));
    let wanted = ["FailureTarget", "Failed"].map(|it| format!("{it}=True DeadlineExceeded"));
    assert_eq!(conditions(&world), wanted);
    assert!(world.objects("pods").is_empty());
}

#[test]
fn a_job_can_be_suspended_and_go_on() {
    let mut job = job("migrate:1");
    job["spec"]["suspend"] = true.into();
    let (mut world, now) = with(job, start());
    assert_eq!(conditions(&world), ["Suspended=True JobSuspended"]);
    assert!(status(&world, "jobs", "migrate").get("startTime").is_none());
    assert!(world.objects("pods").is_empty());
    change(&mut world, MIGRATION, json!({"suspend": false}), now);
    world.settle(now);
    let wanted = [
        "Suspended=False JobResumed",
        "SuccessCriteriaMet=True CompletionsReached",
        "Complete=True CompletionsReached",
    ];
    assert_eq!(conditions(&world), wanted);
}

#[test]
fn a_job_has_as_many_pods_as_it_asks_for_and_goes_after_its_time() {
    let mut job = job("migrate:1");
    job["spec"]["completions"] = 3.into();
    job["spec"]["parallelism"] = 2.into();
    job["spec"]["ttlSecondsAfterFinished"] = 60.into();
    let mut world = World::new(TOKEN);
    world.apply(job, start());
    world.advance(start() + SignedDuration::from_millis(200));
    assert_eq!(world.objects("pods").len(), 2);
    world.advance(start() + seconds(30));
    assert_eq!(status(&world, "jobs", "migrate")["succeeded"], 3);
    world.settle(start() + seconds(30));
    assert!(world.objects("jobs").is_empty() && world.objects("pods").is_empty());
}

#[test]
fn the_garbage_of_a_deleted_owner_is_collected_or_orphaned() {
    for (policy, pods) in [("Background", 0), ("Orphan", 1)] {
        let (mut world, now) = with(job("migrate:1"), start());
        let path = format!("{MIGRATION}?propagationPolicy={policy}");
        let (status, _) = ask(&mut world, &request("DELETE", &path, "", &Value::Null), now);
        assert_eq!(status, 200);
        world.settle(now);
        assert_eq!(world.objects("pods").len(), pods, "{policy}");
        let left = world.objects("pods").into_iter();
        left.for_each(|pod| assert!(pod["metadata"].get("ownerReferences").is_none()));
    }
}

#[test]
fn a_claim_is_bound_at_once_or_with_its_first_pod() {
    let claim = |name: &str, class: &str| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": name},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": class,
                "resources": {"requests": {"storage": "1Gi"}}}})
    };
    let class = json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass",
        "metadata": {"name": "late"}, "provisioner": "x",
        "volumeBindingMode": "WaitForFirstConsumer"});
    let mut world = World::new(TOKEN);
    world.apply(class, start());
    world.apply(claim("now", "fast"), start());
    world.apply(claim("later", "late"), start());
    let now = world.settle(start());
    let phase = |world: &World, name: &str| {
        let claim = world.object("persistentvolumeclaims", "default", name);
        text(claim.expect(name), "/status/phase").to_owned()
    };
    assert_eq!(phase(&world, "now"), "Bound");
    assert_eq!(phase(&world, "later"), "Pending");
    let mut set = stateful(1);
    set["spec"]["template"]["spec"]["volumes"] =
        json!([{"name": "data", "persistentVolumeClaim": {"claimName": "later"}}]);
    world.apply(set, now);
    world.settle(now);
    assert_eq!(phase(&world, "later"), "Bound");
}

#[test]
fn an_api_service_is_available_with_the_pods_behind_it() {
    let mut world = World::new(TOKEN);
    let remote = json!({"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
        "metadata": {"name": "v1.metrics"},
        "spec": {"group": "metrics", "version": "v1", "groupPriorityMinimum": 1,
            "versionPriority": 1, "service": {"namespace": "default", "name": "web"}}});
    world.apply(remote, start());
    let now = world.settle(start());
    let available = |world: &World| {
        let service = world
            .object("apiservices", "", "v1.metrics")
            .expect("it is there");
        let available = object::condition(service, "Available").expect("a condition");
        format!(
            "{} {}",
            text(available, "/status"),
            text(available, "/reason")
        )
    };
    assert_eq!(available(&world), "False ServiceNotFound");
    world.apply(sample_service("web"), now);
    let now = world.settle(now);
    assert_eq!(available(&world), "False MissingEndpoints");
    world.apply(sample_deployment("web", "web:1"), now);
    world.settle(now);
    assert_eq!(available(&world), "True Passed");
}

#[test]
fn a_namespace_goes_when_all_that_is_in_it_is_gone() {
    let space = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    let mut held = json!({"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "held", "namespace": "shop", "finalizers": ["x/y"]}});
    let mut inside = sample_deployment("web", "web:1");
    inside["metadata"]["namespace"] = "shop".into();
    let mut world = World::new(TOKEN);
    for object in [space, held.clone(), inside] {
        world.apply(object, start());
    }
    let now = world.settle(start());
    let phase = |world: &World| {
        let space = world.object("namespaces", "", "shop");
        space.map(|space| text(space, "/status/phase").to_owned())
    };
    assert_eq!(phase(&world).as_deref(), Some("Active"));
    world.delete("namespaces", "", "shop", now);
    let now = now + seconds(30);
    world.advance(now);
    assert_eq!(phase(&world).as_deref(), Some("Terminating"));
    let space = world.object("namespaces", "", "shop").expect("it is there");
    let why = object::condition(space, "NamespaceFinalizersRemaining").expect("a reason");
    assert!(
        text(why, "/message").ends_with("x/y in 1 resource instances"),
        "{why}"
    );
    held["metadata"]["finalizers"] = json!([]);
    world.apply(held, now);
    world.advance(now + seconds(30));
    assert_eq!(phase(&world), None);
    assert!(world.objects("deployments").is_empty() && world.objects("configmaps").is_empty());
}

/// A Job of pods with indexes, and what its spec says beside that.
fn indexed(image: &str, more: &Value) -> Value {
    let mut job = job(image);
    let spec = &mut job["spec"];
    spec["completionMode"] = "Indexed".into();
    for (field, value) in more.as_object().expect("fields") {
        spec[field] = value.clone();
    }
    job
}

fn pod_names(world: &World) -> Vec<String> {
    let names = world.objects("pods").into_iter();
    let names = names.map(|pod| text(pod, "/metadata/name"));
    let stems = names.map(|name| {
        name.rsplit_once('-')
            .map_or("", |(stem, _)| stem)
            .to_owned()
    });
    let mut stems: Vec<String> = stems.collect();
    stems.sort();
    stems
}

#[test]
fn each_index_of_a_job_has_its_pod() {
    let more = json!({"completions": 3, "parallelism": 2});
    let (world, _) = with(indexed("migrate:1", &more), start());
    let found = status(&world, "jobs", "migrate");
    assert_eq!(found["completedIndexes"], "0-2");
    assert_eq!(found["succeeded"], 3);
    assert!(found.get("failedIndexes").is_none());
    assert_eq!(pod_names(&world), ["migrate-0", "migrate-1", "migrate-2"]);
}

#[test]
fn an_index_is_given_up_by_its_own_limit() {
    let limits = |completions: i64, more: &Value| {
        let mut all = json!({"completions": completions, "backoffLimitPerIndex": 0});
        for (field, value) in more.as_object().expect("fields") {
            all[field] = value.clone();
        }
        all
    };
    let fail_index = json!({"rules": [{"action": "FailIndex",
        "onExitCodes": {"operator": "In", "values": [3]}}]});
    for (more, reason, failed) in [
        (
            limits(3, &json!({"parallelism": 3})),
            "FailedIndexes",
            "0-2",
        ),
        (
            limits(4, &json!({"maxFailedIndexes": 1})),
            "MaxFailedIndexesExceeded",
            "0,1",
        ),
        (
            limits(
                1,
                &json!({"backoffLimitPerIndex": 5, "podFailurePolicy": fail_index}),
            ),
            "FailedIndexes",
            "0",
        ),
    ] {
        let mut job = indexed("migrate:crash", &more);
        job["spec"]["backoffLimit"] = 6.into();
        let (world, _) = with(job, start());
        let wanted = ["FailureTarget", "Failed"].map(|it| format!("{it}=True {reason}"));
        assert_eq!(conditions(&world), wanted, "{more}");
        assert_eq!(status(&world, "jobs", "migrate")["failedIndexes"], failed);
    }
    // Each index is tried once more, after its own delay.
    let more = json!({"completions": 2, "parallelism": 2, "backoffLimitPerIndex": 1});
    let mut job = indexed("migrate:crash", &more);
    job["spec"]["backoffLimit"] = 6.into();
    let (world, _) = with(job, start());
    let twice = ["migrate-0", "migrate-0", "migrate-1", "migrate-1"];
    assert_eq!(pod_names(&world), twice);
    assert_eq!(status(&world, "jobs", "migrate")["failed"], 4);
}

#[test]
fn a_success_policy_ends_a_job_before_all_its_indexes() {
    for (rules, rule, done) in [
        (
            json!([{"succeededIndexes": "1"}, {"succeededIndexes": "0"}]),
            1,
            "0",
        ),
        (json!([{"succeededCount": 2}]), 0, "0,1"),
        (
            json!([{"succeededIndexes": "0-3", "succeededCount": 1}]),
            0,
            "0",
        ),
    ] {
        let more = json!({"completions": 4, "parallelism": 1, "successPolicy": {"rules": rules}});
        let (world, _) = with(indexed("migrate:1", &more), start());
        let found = status(&world, "jobs", "migrate");
        assert_eq!(found["completedIndexes"], done, "{rules}");
        let wanted =
            ["SuccessCriteriaMet", "Complete"].map(|it| format!("{it}=True SuccessPolicy"));
        assert_eq!(conditions(&world), wanted, "{rules}");
        let message = format!("Matched rules at index {rule}");
        assert_eq!(found["conditions"][0]["message"], message);
    }
    // One that is never met is no end.
    let never = json!({"completions": 2, "successPolicy": {"rules": [{"succeededCount": 3}]}});
    let (world, _) = with(indexed("migrate:1", &never), start());
    let wanted = ["SuccessCriteriaMet", "Complete"];
    assert_eq!(
        conditions(&world),
        wanted.map(|it| format!("{it}=True CompletionsReached"))
    );
}

#[test]
fn a_pod_that_is_being_deleted_is_replaced_as_the_job_says() {
    for (policy, pods) in [("TerminatingOrFailed", 2), ("Failed", 1)] {
        let mut job = job("migrate:never-ready");
        job["spec"]["podReplacementPolicy"] = policy.into();
        job["spec"]["backoffLimit"] = 6.into();
        let (mut world, now) = with(job, start());
        world.timing().termination = seconds(60);
        let name = text(world.objects("pods")[0], "/metadata/name").to_owned();
        assert!(world.delete("pods", "default", &name, now));
        world.advance(now + seconds(30));
        assert_eq!(world.objects("pods").len(), pods, "{policy}");
        world.advance(now + seconds(120));
        let active = world.objects("pods").into_iter();
        let active = active.filter(|pod| text(pod, "/status/phase") != "Failed");
        assert_eq!(active.count(), 1, "{policy}");
        assert_eq!(status(&world, "jobs", "migrate")["failed"], 1, "{policy}");
    }
}

#[test]
fn a_pod_failure_policy_decides_by_its_first_rule_that_matches() {
    let with_rules = |rules: Value| {
        let mut job = job("migrate:crash");
        job["spec"]["backoffLimit"] = 0.into();
        job["spec"]["podFailurePolicy"] = json!({"rules": rules});
        job
    };
    let codes = |action: &str, operator: &str, code: i64| {
        let codes = json!({"operator": operator, "values": [code]});
        json!({"action": action, "onExitCodes": codes})
    };
    for (rules, reason) in [
        (json!([codes("FailJob", "In", 3)]), "PodFailurePolicy"),
        (json!([codes("FailJob", "NotIn", 4)]), "PodFailurePolicy"),
        (json!([codes("FailJob", "In", 4)]), "BackoffLimitExceeded"),
        (
            json!([codes("Count", "In", 3), codes("FailJob", "In", 3)]),
            "BackoffLimitExceeded",
        ),
    ] {
        let (world, _) = with(with_rules(rules.clone()), start());
        let wanted = ["FailureTarget", "Failed"].map(|it| format!("{it}=True {reason}"));
        assert_eq!(conditions(&world), wanted, "{rules}");
    }
    let mut world = World::new(TOKEN);
    let crash = Behaviour::CrashLoop {
        exit_code: 3,
        log: String::new(),
        reason: None,
    };
    world.behave("crash", crash);
    world.apply(with_rules(json!([codes("Ignore", "In", 3)])), start());
    world.advance(start() + seconds(60));
    assert!(conditions(&world).is_empty());
    assert!(status(&world, "jobs", "migrate").get("failed").is_none());
    assert!(world.objects("pods").len() > 1);
}
