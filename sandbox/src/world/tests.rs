//! The world as a client sees it: requests in, answers and time out.

use super::*;
use crate::world::object::{integer, text};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const TOKEN: &str = "a-token";
const STRATEGIC: &str = "application/strategic-merge-patch+json";
const MERGE: &str = "application/merge-patch+json";
const JSON: &str = "application/json-patch+json";
const WEB: &str = "/apis/apps/v1/namespaces/default/deployments/web";
const ALL: &str = "/apis/apps/v1/namespaces/default/deployments";

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn seconds(seconds: i64) -> SignedDuration {
    SignedDuration::from_secs(seconds)
}

/// A settled world with the sample as `web`, and the time.
fn settled() -> (World, Timestamp) {
    let mut world = World::new(TOKEN);
    world.apply(sample_deployment("web", "web:1"), start());
    let now = world.settle(start());
    (world, now)
}

fn request(method: &str, path: &str, content_type: &str, body: &Value) -> Request {
    Request {
        method: method.to_owned(),
        path: path.to_owned(),
        content_type: Some(content_type.to_owned()).filter(|it| !it.is_empty()),
        authorization: Some(format!("Bearer {TOKEN}")),
        user_agent: Some("landfall/0.1".to_owned()),
        body: if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        },
    }
}

/// Status and body of an answer.
fn ask(world: &mut World, request: &Request, now: Timestamp) -> (u16, Value) {
    match world.answer(request, now) {
        Reply::Answer(Answer {
            status,
            body: Body::Json(value),
            ..
        }) => (status, value),
        Reply::Answer(Answer {
            status,
            body: Body::Text(text),
            ..
        }) => (status, text.into()),
        other @ (Reply::Answer(_) | Reply::Watch(_) | Reply::Stall | Reply::Cut) => {
            panic!("not an object: {other:?}")
        }
    }
}

fn get(world: &mut World, path: &str, now: Timestamp) -> (u16, Value) {
    ask(world, &request("GET", path, "", &Value::Null), now)
}

fn patch(world: &mut World, content_type: &str, body: Value, now: Timestamp) -> (u16, Value) {
    ask(world, &request("PATCH", WEB, content_type, &body), now)
}

fn image(image: &str) -> Value {
    json!({"spec": {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}})
}

fn web(world: &World) -> &Value {
    world.deployment("default", "web").expect("it is there")
}

fn reason<'a>(world: &'a World, kind: &str) -> &'a str {
    object::condition(web(world), kind).map_or("", |it| text(it, "/reason"))
}

fn revision(world: &World) -> &str {
    web(world)["metadata"]["annotations"]["deployment.kubernetes.io/revision"]
        .as_str()
        .unwrap_or("")
}

/// (size, image, revision) of each ReplicaSet, by revision.
fn sets(world: &World) -> Vec<(i64, String, String)> {
    let mut sets: Vec<_> = world
        .objects("replicasets")
        .into_iter()
        .map(|set| {
            let revision = &set["metadata"]["annotations"]["deployment.kubernetes.io/revision"];
            (
                integer(set, "/spec/replicas"),
                text(set, "/spec/template/spec/containers/0/image").to_owned(),
                revision.as_str().unwrap_or_default().to_owned(),
            )
        })
        .collect();
    sets.sort_by(|left, right| left.2.cmp(&right.2));
    sets
}

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
fn only_the_right_token_is_let_in_and_none_is_kept() {
    let (mut world, now) = settled();
    for authorization in [
        None,
        Some("Bearer wrong".to_owned()),
        Some(TOKEN.to_owned()),
    ] {
        let request = Request {
            authorization,
            ..request("GET", WEB, "", &Value::Null)
        };
        let (status, body) = ask(&mut world, &request, now);
        assert_eq!((status, &body["message"]), (401, &json!("Unauthorized")));
    }
    assert_eq!(get(&mut world, WEB, now).0, 200);
    assert!(!format!("{:?}", world.requests()).contains(TOKEN));
    assert_eq!(
        world
            .requests()
            .iter()
            .filter(|seen| seen.authorized)
            .count(),
        1
    );
}

#[test]
fn only_spec_and_annotations_move_the_generation() {
    let (mut world, mut now) = settled();
    let rows = [
        (
            "a label",
            json!({"metadata": {"labels": {"a": "b"}}}),
            0,
            true,
        ),
        (
            "an annotation",
            json!({"metadata": {"annotations": {"a": "b"}}}),
            1,
            true,
        ),
        ("the spec", json!({"spec": {"minReadySeconds": 1}}), 1, true),
        ("nothing", json!({"spec": {"minReadySeconds": 1}}), 0, false),
        ("the status", json!({"status": {"replicas": 9}}), 0, false),
    ];
    for (name, body, step, writes) in rows {
        now = world.settle(now);
        let before = web(&world)["metadata"].clone();
        let (status, after) = patch(&mut world, MERGE, body, now);
        assert_eq!(status, 200, "{name}");
        let generation = |it: &Value| it["generation"].as_i64().expect("a number");
        assert_eq!(
            generation(&after["metadata"]) - generation(&before),
            step,
            "{name}"
        );
        let moved = after["metadata"]["resourceVersion"] != before["resourceVersion"];
        assert_eq!(moved, writes, "{name}");
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
            ready += i32::from(controllers::replica_set::ready_since(pod).is_some());
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
    // With one replica the way back is no progress by the numbers, so the failure is not replaced.
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
fn conflicts_and_preconditions_are_told_apart() {
    let (mut world, now) = settled();
    let current = web(&world).clone();
    let old = json!({"metadata": {"resourceVersion": "1"}});
    let (status, body) = patch(&mut world, MERGE, old, now);
    assert_eq!((status, &body["reason"]), (409, &json!("Conflict")));
    assert_eq!(
        body["message"],
        "Operation cannot be fulfilled on deployments.apps \"web\": the object has been modified; \
         please apply your changes to the latest version and try again"
    );
    let rows: [(&str, &str, Value, u16); 6] = [
        (
            "as it is",
            "/metadata/resourceVersion",
            current["metadata"]["resourceVersion"].clone(),
            200,
        ),
        ("no version", "/metadata/resourceVersion", Value::Null, 200),
        (
            "an old version",
            "/metadata/resourceVersion",
            "1".into(),
            409,
        ),
        ("another uid", "/metadata/uid", "other".into(), 409),
        ("another name", "/metadata/name", "other".into(), 400),
        (
            "another namespace",
            "/metadata/namespace",
            "other".into(),
            400,
        ),
    ];
    for (name, pointer, value, expected) in rows {
        let mut object = web(&world).clone();
        if pointer != "/metadata/resourceVersion" || value != current["metadata"]["resourceVersion"]
        {
            *object.pointer_mut(pointer).expect("a field") = value;
        }
        let (status, body) = ask(
            &mut world,
            &request("PUT", WEB, "application/json", &object),
            now,
        );
        assert_eq!(status, expected, "{name}: {body}");
    }
}

#[test]
fn put_fills_in_what_it_leaves_out_and_asks_for_an_existing_object() {
    let (mut world, now) = settled();
    let mut object = sample_deployment("web", "web:1");
    object["spec"]
        .as_object_mut()
        .expect("a spec")
        .remove("replicas");
    let (status, body) = ask(
        &mut world,
        &request("PUT", WEB, "application/json", &object),
        now,
    );
    assert_eq!((status, &body["spec"]["replicas"]), (200, &json!(1)));
    let missing = WEB.replace("web", "api");
    object["metadata"]["name"] = "api".into();
    let (status, body) = ask(
        &mut world,
        &request("PUT", &missing, "application/json", &object),
        now,
    );
    assert_eq!(
        (status, body["message"].as_str()),
        (404, Some("deployments.apps \"api\" not found"))
    );
    assert_eq!(
        body["details"],
        json!({"name": "api", "group": "apps", "kind": "deployments"})
    );
}

#[test]
fn requests_are_refused_in_the_words_of_the_server() {
    let (mut world, now) = settled();
    let post = sample_deployment("web", "web:1");
    let strict = {
        let mut object = sample_deployment("web", "web:1");
        object["spec"]["foo"] = 1.into();
        object
    };
    let number = {
        let mut object = sample_deployment("web", "web:1");
        object["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = 8.into();
        object
    };
    let unhandled = "Deployment in version \"v1\" cannot be handled as a Deployment: ";
    let json = "application/json";
    let rows = [
        ("POST", ALL, json, post, 409, "deployments.apps \"web\" already exists".to_owned()),
        ("PUT", &*format!("{WEB}?fieldValidation=Strict"), json, strict.clone(), 400,
         format!("{unhandled}strict decoding error: unknown field \"spec.foo\"")),
        ("PUT", WEB, json, number, 400, format!(
            "{unhandled}json: cannot unmarshal number into Go struct field \
             EnvVar.spec.template.spec.containers.env.value of type string")),
        ("PATCH", WEB, JSON, json!([{"op": "test", "path": "/spec/replicas", "value": 9}]), 422,
         "the server rejected our request due to an error in our request".to_owned()),
        ("PATCH", WEB, JSON, json!([{"op": "replace", "path": "/spec/no/thing", "value": 9}]), 422,
         "the server rejected our request due to an error in our request".to_owned()),
        ("PATCH", WEB, STRATEGIC, json!({"spec": {"replicas": -1}}), 422,
         "Deployment.apps \"web\" is invalid: spec.replicas: Invalid value: -1: must be greater \
          than or equal to 0".to_owned()),
        ("PATCH", WEB, "text/plain", json!({}), 415, "415: Unsupported Media Type".to_owned()),
        ("PUT", WEB, "text/plain", json!({}), 415,
         "the body of the request was in an unknown format - accepted media types include: \
          application/json, application/yaml, application/vnd.kubernetes.protobuf".to_owned()),
        ("POST", WEB, json, json!({}), 405,
         "the server does not allow this method on the requested resource".to_owned()),
        (
            "POST",
            "/apis/apps/v1/namespaces/nowhere/deployments",
            json,
            {
                let mut object = sample_deployment("web", "web:1");
                object["metadata"]["namespace"] = "nowhere".into();
                object
            },
            404,
            "namespaces \"nowhere\" not found".to_owned(),
        ),
        ("GET", "/apis/apps/v1/namespaces/default/nothings", "", Value::Null, 404,
         "the server could not find the requested resource".to_owned()),
    ];
    for (method, path, content_type, body, expected, message) in rows {
        let (status, body) = ask(&mut world, &request(method, path, content_type, &body), now);
        assert_eq!(
            (status, body["message"].as_str()),
            (expected, Some(&*message)),
            "{method} {path}"
        );
        assert_eq!(body["code"], expected);
    }
    let warned = world.answer(&request("PUT", WEB, json, &strict), now);
    let Reply::Answer(answer) = warned else {
        panic!("no answer")
    };
    let warning = "299 - \"unknown field \\\"spec.foo\\\"\"".to_owned();
    assert_eq!(answer.headers, [("Warning".to_owned(), warning)]);
}

#[test]
fn odd_reads_are_answered_as_the_server_answers_them() {
    let (mut world, now) = settled();
    let rows = [
        (
            format!("{ALL}?limit=x"),
            400,
            "strconv.ParseInt: parsing \"x\": invalid syntax",
        ),
        (
            format!("{ALL}?resourceVersion=x"),
            400,
            "invalid resource version: resourceVersion: Invalid value: \"x\": \
             strconv.ParseUint: parsing \"x\": invalid syntax",
        ),
        (
            format!("{ALL}?continue=x&resourceVersion=1"),
            400,
            "specifying resource version is not allowed when using continue",
        ),
        (
            format!("{ALL}?fieldSelector=spec.replicas%3D1"),
            400,
            "\"spec.replicas\" is not a known field selector: only \"metadata.name\", \
             \"metadata.namespace\"",
        ),
        (
            "/elsewhere".to_owned(),
            403,
            "forbidden: User \"system:serviceaccount:default:landfall\" cannot get path \
             \"/elsewhere\"",
        ),
    ];
    for (path, expected, message) in rows {
        let (status, body) = get(&mut world, &path, now);
        let said = body["message"].as_str();
        assert_eq!((status, said), (expected, Some(message)), "{path}");
    }
    // A watch is one of a list; of a single object there is none.
    let (status, body) = get(&mut world, &format!("{WEB}?watch=1"), now);
    assert_eq!((status, &body["kind"]), (200, &json!("Deployment")));
    let (status, body) = get(&mut world, &format!("{ALL}?resourceVersion=999999"), now);
    assert_eq!((status, &body["reason"]), (504, &json!("Timeout")));
}

#[test]
fn an_object_has_to_be_of_the_kind_that_is_asked_for() {
    let (mut world, now) = settled();
    let unhandled = "cannot be handled as a Deployment";
    let rows = [
        ("Deployment", "apps/v1", 200, String::new()),
        ("", "", 200, String::new()),
        (
            "ReplicaSet",
            "apps/v1",
            400,
            format!(
                "ReplicaSet in version \"v1\" {unhandled}: \
            converting (v1.ReplicaSet) to (apps.Deployment): unknown conversion"
            ),
        ),
        (
            "Deployment",
            "v1",
            400,
            format!(
                "Deployment in version \"v1\" {unhandled}: no kind \
            \"Deployment\" is registered for version \"v1\" in scheme \
            \"pkg/runtime/scheme.go:111\""
            ),
        ),
        (
            "Deployment",
            "apps/v1beta1",
            400,
            "the API version in the data (apps/v1beta1) does not \
            match the expected API version (apps/v1)"
                .to_owned(),
        ),
    ];
    for (kind, version, expected, message) in rows {
        let mut object = sample_deployment("web", "web:1");
        object["kind"] = kind.into();
        object["apiVersion"] = version.into();
        let put = request("PUT", WEB, "application/json", &object);
        let (status, body) = ask(&mut world, &put, now);
        let said = body["message"].as_str().unwrap_or_default();
        assert_eq!(
            (status, said),
            (expected, message.as_str()),
            "{kind} {version}"
        );
    }
}

#[test]
fn a_patch_that_makes_no_deployment_is_refused_with_what_it_makes() {
    let (mut world, now) = settled();
    let wrong = json!({"spec": {"replicas": "two"}});
    let said = |(status, body): (u16, Value)| {
        assert_eq!(status, 422, "{body}");
        text(&body, "/message").to_owned()
    };
    let strategic = said(patch(&mut world, STRATEGIC, wrong.clone(), now));
    assert_eq!(
        strategic,
        " \"\" is invalid: patch: Invalid value: \"map[spec:map[replicas:two]]\": unrecognized \
         type: int32"
    );
    // The other types show the whole object.
    let merge = said(patch(&mut world, MERGE, wrong, now));
    assert!(merge.contains("DEMO_GREETING"), "{merge}");
    assert!(
        merge.ends_with("Go struct field DeploymentSpec.spec.replicas of type int32"),
        "{merge}"
    );
    let (status, body) = patch(
        &mut world,
        MERGE,
        json!({"metadata": {"name": "other"}}),
        now,
    );
    assert_eq!((status, &body["reason"]), (400, &json!("BadRequest")));
    let (status, body) = patch(
        &mut world,
        MERGE,
        json!({"metadata": {"resourceVersion": "x"}}),
        now,
    );
    assert_eq!((status, body.get("reason")), (500, None));
}

#[test]
fn rights_that_are_missing_are_named() {
    let (mut world, now) = settled();
    world.forbid("patch", "deployments");
    world.forbid("list", "pods");
    let (status, body) = patch(&mut world, STRATEGIC, image("web:2"), now);
    assert_eq!(status, 403);
    assert_eq!(
        body["message"],
        "deployments.apps \"web\" is forbidden: User \"system:serviceaccount:default:landfall\" \
         cannot patch resource \"deployments\" in API group \"apps\" in the namespace \"default\""
    );
    let (_, body) = get(&mut world, "/api/v1/namespaces/default/pods", now);
    assert_eq!(
        body["message"],
        "pods is forbidden: User \"system:serviceaccount:default:landfall\" cannot list resource \
         \"pods\" in API group \"\" in the namespace \"default\""
    );
    world.forbid("watch", "deployments");
    let one = format!("{ALL}?watch=1&fieldSelector=metadata.name%3Dweb");
    let (_, body) = get(&mut world, &one, now);
    assert_eq!(
        body["details"]["name"], "web",
        "a Role may be limited to that name"
    );
    world.grant("list", "pods");
    assert_eq!(
        get(&mut world, "/api/v1/namespaces/default/pods", now).0,
        200
    );
}

#[test]
fn a_dry_run_answers_and_stores_nothing() {
    let (mut world, now) = settled();
    let before = web(&world).clone();
    let dry = request(
        "PATCH",
        &format!("{WEB}?dryRun=All"),
        STRATEGIC,
        &image("web:2"),
    );
    let (status, body) = ask(&mut world, &dry, now);
    assert_eq!(status, 200);
    assert_eq!(
        body.pointer("/spec/template/spec/containers/0/image"),
        Some(&json!("web:2"))
    );
    assert_eq!(*web(&world), before);
    assert_eq!(world.next_change(), None);
}

#[test]
fn lists_select_and_go_on_by_pages() {
    let (mut world, now) = settled();
    world.apply(sample_deployment("api", "api:1"), now);
    let now = world.settle(now);
    let pods = "/api/v1/namespaces/default/pods";
    let (_, list) = get(&mut world, &format!("{pods}?labelSelector=app%3Dweb"), now);
    assert_eq!(list["items"].as_array().map(Vec::len), Some(2));
    assert_eq!(list["kind"], "PodList");
    assert!(
        list["items"][0].get("kind").is_none(),
        "items do not say what they are"
    );
    let (mut seen, mut path) = (Vec::new(), format!("{pods}?limit=3"));
    for pages in 1.. {
        let (_, list) = get(&mut world, &path, now);
        let names = list["items"].as_array().expect("items").iter();
        seen.extend(names.map(|pod| text(pod, "/metadata/name").to_owned()));
        let Some(token) = list["metadata"]["continue"].as_str() else {
            assert_eq!(pages, 2);
            break;
        };
        path = format!("{pods}?limit=3&continue={token}");
    }
    seen.dedup();
    assert_eq!(seen.len(), 4);
    world.forget_history();
    assert_eq!(get(&mut world, &path, now).0, 410);
}

#[test]
fn a_watch_tells_what_changed_and_that_it_is_too_late() {
    let (mut world, now) = settled();
    let path = |rest: &str| format!("{ALL}?watch=1&fieldSelector=metadata.name%3Dweb{rest}");
    let begin = |world: &mut World, path: &str| match world
        .answer(&request("GET", path, "", &Value::Null), now)
    {
        Reply::Watch(watch) => watch,
        other @ (Reply::Answer(_) | Reply::Stall | Reply::Cut) => panic!("no watch: {other:?}"),
    };
    let watch = begin(&mut world, &path(""));
    assert_eq!(watch.initial.len(), 1);
    assert_eq!(watch.initial[0]["type"], "ADDED");
    let since = world.resource_version();
    let watch = begin(
        &mut world,
        &path(&format!("&resourceVersion={since}&timeoutSeconds=7")),
    );
    assert_eq!((watch.initial.len(), watch.timeout_seconds), (0, Some(7)));
    world.apply(sample_deployment("api", "api:1"), now);
    patch(&mut world, STRATEGIC, image("web:2"), now);
    let events = world.watch(&watch, since).expect("the log reaches back");
    assert_eq!(events.len(), 1);
    assert_eq!(events[0].1["type"], "MODIFIED");
    world.delete("deployments", "default", "web", now);
    let events = world
        .watch(&watch, events[0].0)
        .expect("the log reaches back");
    assert_eq!(events.last().expect("an event").1["type"], "DELETED");
    world.forget_history();
    assert_eq!(world.watch(&watch, since), Err(Gone));
    let (status, body) = get(&mut world, &path(&format!("&resourceVersion={since}")), now);
    assert_eq!((status, &body["reason"]), (410, &json!("Expired")));
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
fn faults_come_once_and_a_lost_answer_does_not_undo_the_write() {
    let (mut world, now) = settled();
    world.fault(On::method("PATCH"), Fault::CutAfter, 1);
    let lost = world.answer(&request("PATCH", WEB, STRATEGIC, &image("web:2")), now);
    assert_eq!(lost, Reply::Cut);
    assert_eq!(
        text(web(&world), "/spec/template/spec/containers/0/image"),
        "web:2"
    );
    world.fault(On::method("GET").path("/deployments/"), Fault::Stale, 1);
    let (_, stale) = get(&mut world, WEB, now);
    assert_eq!(
        text(&stale, "/spec/template/spec/containers/0/image"),
        "web:1"
    );
    world.fault(On::any(), Fault::Throttled { retry_after: 2 }, 1);
    let reply = world.answer(&request("GET", WEB, "", &Value::Null), now);
    let Reply::Answer(answer) = reply else {
        panic!("no answer")
    };
    assert_eq!(
        (answer.status, answer.headers),
        (429, vec![("Retry-After".into(), "2".into())])
    );
    assert_eq!(
        answer.body,
        Body::Text("Too many requests, please try again later.".to_owned())
    );
    assert_eq!(get(&mut world, WEB, now).0, 200);
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
        let ready = pods.filter(|pod| controllers::replica_set::ready_since(pod).is_some());
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
