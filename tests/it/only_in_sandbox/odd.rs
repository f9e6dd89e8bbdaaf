//! What answers is strange: not HTTP, not JSON, another object, or an answer that is not true.

use crate::stage::{LIFE, OLD_IMAGE, Stage, demo_app, image};
use landfall_sandbox::kubernetes::{Raw, RawBytes};
use landfall_sandbox::world::{Fault, On};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::task::LocalSet;

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";

/// Words of libraries, which nobody can act on.
const FOREIGN: [&str; 8] = [
    "docs.rs",
    "close_notify",
    "hyper",
    "rustls",
    "reqwest",
    "parsed",
    "chunk",
    "os error",
];

async fn stage() -> Stage {
    Stage::in_sandbox(|world, now| world.apply(demo_app(600), now)).await
}

/// A whole answer: its headers and its body.
fn http(headers: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n{headers}\r\n{body}").into()
}

/// The bytes of an answer, whether the connection stays open, and the type and words of the report.
fn bytes() -> Vec<(Vec<u8>, bool, &'static str, &'static str)> {
    let foreign = "ConfigurationError";
    let down = "SystemUnavailable";
    let app = demo_app(600).to_string();
    vec![
        (
            b"SSH-2.0-OpenSSH_9\r\n".to_vec(),
            false,
            foreign,
            "it is not HTTP",
        ),
        (http("x: a\x1bb\r\n", ""), false, foreign, "it is not HTTP"),
        (
            http("transfer-encoding: chunked\r\n", "zzz\r\nfoo\r\n"),
            false,
            foreign,
            "its body is not encoded as its headers say",
        ),
        (
            b"HTTP/1.1 999 Weird\r\ncontent-length: 0\r\n\r\n".to_vec(),
            false,
            foreign,
            "HTTP 999 without a text",
        ),
        (
            http("content-length: 10\r\n", &app),
            false,
            foreign,
            "JSON that ends in the middle",
        ),
        (
            http("content-length: 5000\r\n", "{\"kind\":"),
            false,
            down,
            "the connection was closed in the middle of its answer",
        ),
        (
            http("content-length: 5000\r\n", "{\"kind\":"),
            true,
            down,
            "its answer began and did not end in time",
        ),
        (
            Vec::new(),
            false,
            down,
            "the connection was closed before an answer came",
        ),
        (
            Vec::new(),
            true,
            down,
            "it took the call and did not answer in time",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn strange_bytes_are_told_in_our_own_words() {
    let rows = LocalSet::new();
    let mut running = Vec::new();
    for (sent, stays_open, kind, words) in bytes() {
        running.push(rows.spawn_local(async move {
            let raw = Raw::start(RawBytes { sent, stays_open }).await.unwrap();
            let variables = [("K8S_CLUSTER", Some(raw.url())), ("K8S_CA", Some(raw.ca()))];
            let stage = Stage::in_sandbox_with(|_, _| {}, &variables).await;
            let mut parameters = image(NEW_IMAGE);
            parameters["timeout"] = json!("5s");
            let ended = stage.deploy_in(Duration::from_secs(20), parameters).await;
            let (found, message) = ended.failure();
            assert_eq!(found, kind, "{message}");
            assert!(message.contains(words), "{words} is not in\n{message}");
            assert!(
                message.contains("`demo-app` in `default` was not changed"),
                "{message}"
            );
            for word in FOREIGN {
                assert!(!message.contains(word), "{word} is in\n{message}");
                assert!(!stage.log().contains(word), "{word} is in\n{}", stage.log());
            }
        }));
    }
    rows.await;
    for row in running {
        row.await.unwrap();
    }
}

/// An answer of HTTP that is no API server's, and the words for it.
fn answers() -> Vec<(Fault, &'static str)> {
    let odd = |body: &str| Fault::Odd {
        status: 200,
        header: None,
        body: body.to_owned(),
    };
    let app = demo_app(600);
    let with = |pointer: &str, value: &str| {
        let mut app = app.clone();
        *app.pointer_mut(pointer).unwrap() = json!(value);
        odd(&app.to_string())
    };
    let text = app.to_string();
    let twice = text.replacen("\"spec\":", "\"spec\": {}, \"spec\":", 1);
    vec![
        (odd("<title>Sign in</title>"), "HTTP 200 with \"Sign in\""),
        (odd(""), "HTTP 200 with an empty body"),
        (odd(&format!("{text}{text}")), "more than one JSON value"),
        (
            odd(&format!("\u{feff}{text}")),
            "a byte order mark before its JSON",
        ),
        (odd(&twice), "JSON that has one field twice"),
        (odd("[]"), "JSON that is not of the form asked for"),
        (
            Fault::Odd {
                status: 200,
                header: Some(("content-encoding".into(), "gzip".into())),
                body: text.clone(),
            },
            "it is compressed (`gzip`), which was not asked for",
        ),
        (
            with("/kind", "Pod"),
            "asked for Deployment `demo-app` in `default`, it has Pod `demo-app` in `default`",
        ),
        (
            with("/metadata/name", "payroll"),
            "it has Deployment `payroll` in `default`",
        ),
        (
            with("/metadata/namespace", "other"),
            "it has Deployment `demo-app` in `other`",
        ),
        (
            odd("{\"kind\":\"DeploymentList\",\"items\":[]}"),
            "it has DeploymentList",
        ),
        (
            odd("{\"kind\":\"Status\",\"status\":\"Success\"}"),
            "it has Status",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_not_an_api_servers_changes_nothing() {
    let rows = LocalSet::new();
    let mut running = Vec::new();
    for (fault, words) in answers() {
        running.push(rows.spawn_local(async move {
            let stage = stage().await;
            let sandbox = stage.sandbox();
            sandbox.world(|world, _| world.fault(On::any(), fault.clone(), 100));
            let (kind, message) = stage.refused(image(NEW_IMAGE)).await;
            assert_eq!(kind, "ConfigurationError", "{message}");
            let told =
                "was not changed: the answer at K8S_CLUSTER is not a Kubernetes API server's";
            assert!(message.contains(told), "{message}");
            assert!(message.contains(words), "{words} is not in\n{message}");
        }));
    }
    rows.await;
    for row in running {
        row.await.unwrap();
    }
}

/// A proxy that mixes answers up does so now and then.
#[tokio::test(flavor = "multi_thread")]
async fn a_single_odd_answer_after_the_write_is_no_end_of_it() {
    let rows = LocalSet::new();
    let mut running = Vec::new();
    for (method, skip, times) in [("GET", 1, 2), ("PATCH", 0, 2)] {
        for (fault, words) in answers() {
            running.push(rows.spawn_local(async move {
                let stage = stage().await;
                let on = On::method(method).path("deployments/demo-app").skip(skip);
                stage
                    .sandbox()
                    .world(|world, _| world.fault(on, fault.clone(), times));
                stage.deploy(image(NEW_IMAGE)).await.success();
                assert_eq!(
                    stage.ready_images().await,
                    [NEW_IMAGE; 2],
                    "{method} {words}"
                );
            }));
        }
    }
    rows.await;
    for row in running {
        row.await.unwrap();
    }
}

/// A write that a proxy or a webhook only seems to let through.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_is_answered_with_the_object_as_it_was_is_told_as_that() {
    let mut whole = demo_app(600);
    whole["spec"]["template"]["spec"]["containers"][0]["image"] = json!(NEW_IMAGE);
    for (method, parameters) in [
        ("PATCH", image(NEW_IMAGE)),
        ("PUT", json!({"manifest": whole})),
    ] {
        let stage = stage().await;
        // The trial of a manifest is a write as well; that one is true.
        let (skip, times) = if method == "PUT" { (1, 1) } else { (0, 2) };
        stage.sandbox().world(|world, _| {
            world.fault(On::method(method).skip(skip), Fault::Kept, times);
        });
        stage.deploy(parameters).await.success();
        assert_eq!(stage.ready_images().await, [NEW_IMAGE; 2]);
    }
    let stage = stage().await;
    let kept = |world: &mut landfall_sandbox::world::World| {
        world.fault(On::method("PATCH"), Fault::Kept, 100);
    };
    stage.sandbox().world(|world, _| kept(world));
    let (kind, message) = stage.deploy(image(NEW_IMAGE)).await.failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    insta::assert_snapshot!(message, @r"
    Deployment `demo-app` in `default` was not changed: the API server answered as if it were done, and `spec.template.spec.containers[app].image` is `registry.example.com/demo-app:1.0.0` in its answer, not `registry.example.com/demo-app:2.0.0` as was asked for; what ran before runs on, with 2 of 2 pods available.

    A mutating webhook or another policy of the cluster sets it back (`kubectl get mutatingwebhookconfigurations`), or a proxy on the way answers in the API server's place: find out which, then retry the stage. See docs/operations.md, object-refused.
    ");
    assert_eq!(stage.ready_images().await, [OLD_IMAGE; 2]);
}

/// The same of the writes of a switch, and of a rollback.
#[tokio::test(flavor = "multi_thread")]
async fn no_write_of_a_switch_or_a_rollback_is_believed_for_its_answer_alone() {
    let stage = crate::blue_green::stage().await;
    let kept = Fault::Kept;
    stage.sandbox().world(|world, _| {
        world.fault(On::method("PATCH").path("services/"), kept.clone(), 1000);
    });
    let before: Value = crate::blue_green::service(&stage).await["spec"].take();
    let ended = stage
        .deploy(crate::blue_green::switch("blueGreen", NEW_IMAGE))
        .await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(
        message.contains("the API server answered as if it were done"),
        "{message}"
    );
    assert_eq!(crate::blue_green::service(&stage).await["spec"], before);

    let stage = self::stage().await;
    stage.sandbox().world(|world, _| {
        world.fault(On::method("PATCH").skip(1), kept.clone(), 1000);
    });
    let mut parameters = image("registry.example.com/demo-app:missing");
    parameters["patience"] = json!("2s");
    let (kind, message) = stage.deploy(parameters).await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(
        message.contains("could not be restored: the API server answered"),
        "{message}"
    );
}

/// The server did answer, and says when it will again.
#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_more_time_than_there_is_is_the_cause() {
    let stage = stage().await;
    stage.sandbox().world(|world, _| {
        world.fault(On::any(), Fault::Throttled { retry_after: 3600 }, 100);
    });
    let mut parameters = image(NEW_IMAGE);
    parameters["timeout"] = json!("4s");
    let ended = stage.deploy_in(LIFE / 4, parameters).await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "SystemUnavailable", "{message}");
    insta::assert_snapshot!(message, @r#"
    Deployment `demo-app` in `default` was not changed: the cluster could not get deployments.apps just now (HTTP 429, "Too many requests, please try again later"; it asks to be left alone for 1 h).

    Retry the stage when that time is over. If this happens again, ask whoever runs the API server, or a proxy before it, what keeps it busy. See docs/operations.md, cluster-unavailable.
    "#);
    stage.wrote(&[]);
}
