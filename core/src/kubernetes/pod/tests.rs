use super::raw_object::TEXT_LIMIT;
use super::*;
use crate::kubernetes::object::timestamp;
use serde_json::{Value, json};

fn pod(changes: Value) -> Value {
    let mut pod = json!({
        "metadata": {"name": "web-1-a", "managedFields": [{"manager": "kubelet"}],
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "ownerReferences": [{"name": "web-1", "controller": true}]},
        "spec": {"nodeName": "n1", "initContainers": [
            {"name": "setup"}, {"name": "proxy", "restartPolicy": "Always"}]},
        "status": {"phase": "Pending", "conditions": [
            {"type": "PodScheduled", "status": "True",
                "lastTransitionTime": "2026-01-01T00:00:01Z"}]}});
    for (key, value) in changes.as_object().unwrap() {
        *pod.pointer_mut(key).unwrap_or(&mut Value::Null) = value.clone();
        let (parent, name) = key.rsplit_once('/').unwrap();
        pod.pointer_mut(parent).unwrap()[name] = value.clone();
    }
    pod
}

fn read(items: Value) -> Pods {
    let page = json!({"metadata": {"continue": "more"}, "items": items});
    let (pods, next) = Pods::read(page.to_string().as_bytes(), "web-1").unwrap();
    assert_eq!(next, "more");
    pods
}

#[test]
fn which_pods_count() {
    let ready = json!([{"type": "Ready", "status": "True"}]);
    let other = json!([{"name": "web-2", "controller": true}]);
    let deleted = json!("2026-01-01T00:01:00Z");
    for (name, changes, expected) in [
        ("as it is", json!({}), (0, 1)),
        ("ready", json!({"/status/conditions": ready}), (1, 0)),
        (
            "another's",
            json!({"/metadata/ownerReferences": other}),
            (0, 0),
        ),
        (
            "nobody's",
            json!({"/metadata/ownerReferences": null}),
            (0, 0),
        ),
        (
            "going",
            json!({"/metadata/deletionTimestamp": deleted}),
            (0, 0),
        ),
        (
            "evicted",
            json!({"/status/phase": "Failed", "/status/reason": "Evicted"}),
            (0, 0),
        ),
        ("over", json!({"/status/phase": "Succeeded"}), (0, 0)),
    ] {
        let pods = read(json!([pod(changes)]));
        assert_eq!((pods.ready, pods.others.len()), expected, "{name}");
    }
}

/// A ready pod whose first container was restarted so often.
fn restarted(times: usize) -> Value {
    pod(
        json!({"/status/conditions": [{"type": "Ready", "status": "True"}],
        "/status/containerStatuses": [
            {"name": "app", "restartCount": times, "ready": true, "state": {"running": {}}},
            {"name": "log", "restartCount": 0, "ready": true, "state": {"running": {}}}]}),
    )
}

#[test]
fn of_ready_pods_that_ended_before_a_limited_number_is_kept() {
    let count = RESTARTED_LIMIT + 20;
    let all = (1..=count).map(restarted).collect::<Vec<_>>();
    let whole = read(json!(all));
    let mut by_pages = read(json!(all[..150]));
    by_pages.extend(read(json!(all[150..])));
    for pods in [whole, by_pages] {
        assert_eq!(pods.ready, count);
        assert_eq!(pods.restarted.len(), RESTARTED_LIMIT);
        // Those that ended most often, and the containers that did.
        let kept = pods.restarted.iter().map(|pod| &pod.containers[..]);
        let mut kept = kept.map(|containers| match containers {
            [only] => only.restarts,
            several => panic!("{several:?}"),
        });
        assert!(kept.all(|restarts| restarts > 20));
    }
}

#[test]
fn pods_that_are_being_deleted_are_kept_with_their_nodes() {
    let ending = pod(json!({"/metadata/deletionTimestamp": "2026-01-01T00:01:00Z"}));
    let pods = read(json!([ending, pod(json!({}))]));
    let until = timestamp("2026-01-01T00:01:00Z").unwrap();
    let expected = Ending {
        name: "web-1-a".into(),
        node: "n1".into(),
        until,
        is_over: false,
        finalizers: Vec::new(),
    };
    assert_eq!(pods.endings, [expected]);
    // Those that should be gone first, wherever they come in the list.
    let at = |second: usize| format!("2026-01-01T00:01:{second:02}Z");
    let ends = |second| pod(json!({"/metadata/deletionTimestamp": at(second)}));
    let late = (0..ENDING_LIMIT + 1).map(|second| ends(59 - second));
    let mut pods = read(late.collect());
    pods.extend(read(json!([ends(1), ends(0)])));
    let mut kept = pods
        .endings
        .iter()
        .map(|it| it.until.to_string())
        .collect::<Vec<_>>();
    kept.sort();
    assert_eq!(
        (kept.len(), &kept[..3]),
        (ENDING_LIMIT, &[at(0), at(1), at(39)][..])
    );
}

#[test]
fn what_keeps_a_pod_that_has_ended() {
    let ended = json!({"name": "app", "state": {"terminated": {"exitCode": 0}}});
    let runs = json!({"name": "proxy", "state": {"running": {}}});
    for (changes, is_over) in [
        (json!({}), false),
        (json!({"/status/phase": "Succeeded"}), true),
        (json!({"/status/phase": "Failed"}), true),
        (json!({"/status/containerStatuses": [&ended]}), true),
        (json!({"/status/containerStatuses": [&ended, &runs]}), false),
    ] {
        let mut pod = pod(changes);
        pod["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:01:00Z");
        pod["metadata"]["finalizers"] = json!(["a/1", "a/2", "a/3", "a/4"]);
        let pods = read(json!([pod]));
        assert_eq!(pods.endings[0].is_over, is_over, "{pod}");
        assert_eq!(pods.endings[0].finalizers, ["a/1", "a/2", "a/3"]);
    }
}

#[test]
fn whether_a_container_was_started() {
    let state = |state: Value| json!([{"name": "app", "state": state}]);
    let waits = || state(json!({"waiting": {"reason": "ImagePullBackOff"}}));
    let again = json!([{"name": "app", "restartCount": 1,
        "state": {"waiting": {"reason": "CrashLoopBackOff"}}}]);
    let ready = json!([{"type": "Ready", "status": "True"}]);
    for (name, changes, expected) in [
        ("not scheduled", json!({}), Some(false)),
        (
            "waits",
            json!({"/status/containerStatuses": waits()}),
            Some(false),
        ),
        (
            "runs",
            json!({"/status/containerStatuses": state(json!({"running": {}}))}),
            Some(true),
        ),
        (
            "again",
            json!({"/status/containerStatuses": again}),
            Some(true),
        ),
        (
            "its init container runs",
            json!({"/status/initContainerStatuses": state(json!({"running": {}}))}),
            Some(true),
        ),
        ("ready", json!({"/status/conditions": ready}), Some(true)),
        ("over", json!({"/status/phase": "Succeeded"}), Some(true)),
        (
            "evicted",
            json!({"/status/phase": "Failed", "/status/reason": "Evicted"}),
            None,
        ),
    ] {
        let pods = read(json!([pod(changes)]));
        assert_eq!(pods.have_run(), expected, "{name}");
    }
    assert_eq!(Pods::default().have_run(), None);
    // One that ran may be among those that are being deleted.
    let ending = json!({"/metadata/deletionTimestamp": "2026-01-01T00:00:00Z",
        "/metadata/name": "evicted"});
    let pods = read(json!([pod(json!({})), pod(ending)]));
    assert_eq!(pods.have_run(), None);
}

#[test]
fn what_is_kept_of_a_pod() {
    let ended = json!({"exitCode": 1, "reason": "Error", "finishedAt": "2026-01-01T00:00:09Z",
        "containerID": "x", "message": "m".repeat(9000)});
    let statuses = json!([{"name": "app", "ready": false, "restartCount": 2,
        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
        "lastState": {"terminated": ended}}]);
    let inits = json!([
        {"name": "setup", "state": {"terminated": {"exitCode": 0}}, "lastState": {}},
        {"name": "proxy", "state": {"running": {"startedAt": null}}, "lastState": null}]);
    let changes = json!({"/status/containerStatuses": statuses,
        "/status/initContainerStatuses": inits});
    let pods = read(json!([pod(changes)]));
    let pod = &pods.others[0];
    assert_eq!(
        (&*pod.name, &*pod.node, pod.disrupted),
        ("web-1-a", "n1", false)
    );
    assert_eq!(pod.scheduled, timestamp("2026-01-01T00:00:01Z"));
    let [setup, proxy, app] = &pod.containers[..] else {
        panic!("{pod:?}")
    };
    assert!(
        setup.init && !proxy.init && !app.init,
        "a sidecar does not end"
    );
    assert_eq!(proxy.state, State::Running);
    let last = app.last.as_ref().unwrap();
    assert_eq!(
        (app.restarts, last.code, last.message.len()),
        (2, 1, TEXT_LIMIT)
    );
}

#[test]
fn node_trouble_is_known() {
    let unknown = json!([{"type": "Ready", "status": "Unknown"}]);
    let target = json!([{"type": "DisruptionTarget", "status": "True"}]);
    for (changes, expected) in [
        (json!({}), false),
        (
            json!({"/status/conditions": [{"type": "Ready", "status": "False"}]}),
            false,
        ),
        (json!({"/status/conditions": unknown}), true),
        (json!({"/status/conditions": target}), true),
        (json!({"/status/reason": "NodeLost"}), true),
    ] {
        let pods = read(json!([pod(changes.clone())]));
        assert_eq!(pods.others[0].disrupted, expected, "{changes}");
    }
}

#[test]
fn hostile_pages_are_no_crash() {
    for page in [
        "",
        "{}",
        "[]",
        "null",
        r#"{"items": 3}"#,
        "<html>",
        r#"{"items": [3]}"#,
    ] {
        assert_eq!(Pods::read(page.as_bytes(), "web-1"), None, "{page}");
        assert_eq!(events(page.as_bytes()), None, "{page}");
    }
    for page in [
        r#"{"metadata": {"continue": null}, "items": null}"#,
        r#"{"items": [{}, {"metadata": {}, "status": {"conditions": null}}]}"#,
    ] {
        let nothing = (Pods::default(), String::new());
        assert_eq!(
            Pods::read(page.as_bytes(), "web-1"),
            Some(nothing),
            "{page}"
        );
    }
}

#[test]
fn events_of_both_kinds() {
    let page = json!({"items": [
        {"type": "Warning", "reason": "BackOff", "message": "m", "count": 4,
            "lastTimestamp": "2026-01-01T00:00:04Z", "eventTime": null, "series": null},
        {"type": "Warning", "reason": "FailedScheduling", "count": null,
            "eventTime": "2026-01-01T00:00:01.5Z", "lastTimestamp": null,
            "series": {"count": 3, "lastObservedTime": "2026-01-01T00:00:05.5Z"}},
        {"metadata": {"creationTimestamp": "2026-01-01T00:00:06Z"}}]});
    let read = events(page.to_string().as_bytes()).unwrap();
    let told = read.iter().map(|event| (event.count, event.last));
    let at = |text| timestamp(text);
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            (4, at("2026-01-01T00:00:04Z")),
            (3, at("2026-01-01T00:00:05.5Z")),
            (1, at("2026-01-01T00:00:06Z")),
        ]
    );
}

/// What a pod says of itself beside its containers.
#[test]
fn what_is_true_of_the_pod_as_a_whole() {
    let gates = json!([{"conditionType": "alb/web"}, {"conditionType": "mesh"},
        {"conditionType": "open"}]);
    let conditions = json!([
        {"type": "Ready", "status": "False", "reason": "ReadinessGatesNotReady", "message": "m"},
        {"type": "ContainersReady", "status": "True"},
        {"type": "open", "status": "True"},
        {"type": "alb/web", "status": "False", "reason": "Failed", "message": "404"}]);
    let changes = json!({"/spec/readinessGates": gates, "/status/conditions": conditions,
        "/metadata/uid": "u-1", "/status/phase": "Running"});
    let pods = read(json!([pod(changes)]));
    let found = &pods.others[0];
    assert!(found.containers_ready && !found.disrupted);
    assert_eq!(
        (&*found.uid, &*found.phase, &*found.why.reason),
        ("u-1", "Running", "ReadinessGatesNotReady")
    );
    let gates = found
        .gates
        .iter()
        .map(|gate| (&*gate.name, &*gate.status, &*gate.why.message));
    assert_eq!(
        gates.collect::<Vec<_>>(),
        [("alb/web", "False", "404"), ("mesh", "", "")]
    );
}

/// Webhooks add containers that the Deployment does not have.
#[test]
fn image_and_probes_are_the_pods_own() {
    let probe = json!({"httpGet": {"port": 15021}});
    let spec = json!([{"name": "mesh", "image": "mesh:9", "readinessProbe": probe,
        "resources": {"limits": {"memory": "64Mi"}}, "env": [{"name": "A", "value": "secret"}]}]);
    let statuses = json!([{"name": "mesh", "image": "docker.io/library/mesh:9"},
        {"name": "other", "image": "other:1", "started": false}]);
    let changes = json!({"/spec/containers": spec, "/status/containerStatuses": statuses});
    let pods = read(json!([pod(changes)]));
    let [mesh, other] = &pods.others[0].containers[..] else {
        panic!("{pods:?}")
    };
    assert_eq!(
        (&*mesh.image, &*other.image, other.started),
        ("mesh:9", "other:1", Some(false))
    );
    assert_eq!(
        mesh.spec,
        json!({"readinessProbe": probe, "resources": {"limits": {"memory": "64Mi"}}}).to_string()
    );
    assert_eq!(other.spec, "");
}

#[test]
fn failed_pods_are_kept_and_ending_ones_of_any_set() {
    let failed = |name: &str| {
        pod(
            json!({"/metadata/name": name, "/status/phase": "Failed", "/status/reason": "Evicted",
            "/status/message": "too much"}),
        )
    };
    let old = json!([{"name": "web-0", "controller": true}]);
    let ending = |time: &str| {
        pod(json!({"/metadata/ownerReferences": old, "/metadata/deletionTimestamp": time}))
    };
    let pods = read(json!([
        failed("a"),
        failed("b"),
        ending("2026-01-01T00:01:00Z"),
        ending("2026-01-01T00:00:30Z"),
        pod(json!({"/metadata/ownerReferences": old, "/status/phase": "Failed"})),
        pod(json!({"/status/phase": "Succeeded"})),
    ]));
    let names = pods.failed.iter().map(|failed| &*failed.name);
    assert_eq!(names.collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(pods.failed[0].why.reason, "Evicted");
    assert_eq!(
        (pods.count(), pods.ending),
        (0, timestamp("2026-01-01T00:01:00Z"))
    );
    let many = (0..300).map(|_| failed("x")).collect::<Vec<_>>();
    let mut both = read(json!(many));
    both.extend(both.clone());
    assert_eq!(both.failed.len(), FAILED_LIMIT);
    let hidden = pods.hide(|text| text.replace("much", "[hidden]"));
    assert_eq!(hidden.failed[0].why.message, "too [hidden]");
}

#[test]
fn a_pod_in_a_line_of_a_watch_is_the_same_as_in_a_list() {
    let ready = json!([{"type": "Ready", "status": "True"}]);
    let failed = json!({"/status/phase": "Failed", "/status/reason": "Evicted"});
    for changes in [json!({}), json!({"/status/conditions": ready}), failed] {
        let pod = pod(changes);
        let list = json!({"metadata": {"resourceVersion": "5"}, "items": [pod]}).to_string();
        let page = PodPage::read(list.as_bytes()).unwrap();
        assert_eq!((&*page.version, &*page.proceed), ("5", ""));
        let line = json!({"type": "ADDED", "object": pod}).to_string();
        let followed = PodRecord::in_line(line.as_bytes());
        assert_eq!(followed.as_ref(), page.pods.first());
        let (read, _) = Pods::read(list.as_bytes(), "web-1").unwrap();
        assert_eq!(Pods::of(&followed, "web-1"), read);
        assert_eq!(Pods::of(&followed, "web-2").count(), 0);
    }
    let status = br#"{"type": "ERROR", "object": {"kind": "Status", "status": "Failure"}}"#;
    assert_eq!(PodRecord::in_line(status), None);
}
