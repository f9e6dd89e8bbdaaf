//! What the API server answers, refuses and stores.

use super::*;

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
