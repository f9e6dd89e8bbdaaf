//! Versions that never serve: known early, told with their reason, and taken back.

use crate::stage::{OLD_IMAGE, Stage, demo_app, plain};
use jiff::SignedDuration;
use landfall_sandbox::world::{Behaviour, Fault, On};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// A world in which the images that have `sick` in their names behave so. Kubernetes itself gives
/// up only after ten minutes.
async fn with_sick(behaviour: Behaviour) -> Stage {
    Stage::in_sandbox(|world, now| {
        world.timing().back_off = SignedDuration::from_millis(500);
        world.apply(demo_app(600), now);
        world.behave("sick", behaviour);
    })
    .await
}

fn sick(more: Value) -> Value {
    let mut parameters = json!({"deployment": "demo-app", "images": {"app": "demo-app:sick"},
        "patience": "0s"});
    for (field, value) in more.as_object().unwrap() {
        parameters[field] = value.clone();
    }
    parameters
}

fn crash(log: &str) -> Behaviour {
    Behaviour::CrashLoop {
        exit_code: 1,
        log: log.to_owned(),
        reason: None,
    }
}

/// How often it was started differs from run to run.
fn steady(message: &str) -> String {
    let mut words = Vec::new();
    for word in plain(message).split(' ') {
        let number = word.chars().all(|letter| letter.is_ascii_digit());
        words.push(if number && words.last().is_some_and(|last| last == "1,") {
            "N".to_owned()
        } else {
            word.to_owned()
        });
    }
    // The pods are looked at every second.
    words.join(" ").replace("\n4 s after", "\n3 s after")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_loop_is_told_by_its_last_words_and_undone() {
    let log = "\u{1b}[2mstarting with s3cret-value\u{1b}[0m\n\
        panic: no DATABASE_URL\n\ngoroutine 1 [running]:\n";
    let stage = with_sick(crash(log)).await;
    let began = Instant::now();
    let parameters = sick(json!({"env": {"PASSWORD": "s3cret-value"}}));
    let (kind, message) = stage.deploy(parameters).await.failure();
    // The third end comes after two seconds, a look at the pods at most four later.
    assert!(
        began.elapsed() < Duration::from_secs(9),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(kind, "JobFailed");
    let (cause, rest) = message.split_once("\n\n").unwrap();
    assert!(cause.contains("` exits with code 1, "), "{cause}");
    assert!(
        cause.ends_with(" times: `panic: no DATABASE_URL`."),
        "{cause}"
    );
    let log = rest.split("\n\n").nth(2).unwrap();
    let lines = log.lines().skip(1).collect::<Vec<_>>();
    assert_eq!(
        lines,
        [
            "  starting with [hidden]",
            "  panic: no DATABASE_URL",
            "  goroutine 1 [running]:"
        ]
    );
    let told = "Rolled back: revision 3 (registry.example.com/demo-app:1.0.0) serves again.\nCorrect the cause \
        and release the change again. See docs/operations.md, crash.";
    assert!(message.ends_with(told), "{message}");
    assert_eq!(stage.image().await, OLD_IMAGE);
    assert_eq!(stage.ready_images().await, [OLD_IMAGE; 2]);
    let annotations = stage.deployment().await["metadata"]["annotations"].take();
    let kept = annotations["landfall/cause"].as_str().unwrap();
    assert!(kept.contains("panic: no DATABASE_URL"), "{kept}");
    stage.logged(r#""topic":"crash""#).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_heals_is_known_by_its_cause() {
    let says = |message: &str| message.to_owned();
    for (behaviour, topic, words) in [
        (
            Behaviour::ImagePull,
            "image-not-found",
            "does not have the image `demo-app:sick`",
        ),
        (
            Behaviour::InvalidImageName,
            "image-name",
            "`demo-app:sick` is not a valid image name",
        ),
        (
            Behaviour::ConfigError {
                message: says("secret \"db\" not found"),
            },
            "config-missing",
            "cannot be created: secret \"db\" not found",
        ),
        (
            Behaviour::Unschedulable {
                message: says("0/3 nodes are available."),
            },
            "unschedulable",
            "no node can run pod `demo-app-POD`: 0/3 nodes are available",
        ),
        (
            Behaviour::Quota,
            "pod-not-created",
            "no new pod can be created: pods \"",
        ),
        (
            Behaviour::CrashLoop {
                exit_code: 137,
                log: says("allocating"),
                reason: Some(says("OOMKilled")),
            },
            "out-of-memory",
            "is killed for using too much memory",
        ),
    ] {
        let stage = with_sick(behaviour).await;
        let (kind, message) = stage.deploy(sick(json!({}))).await.failure();
        let message = plain(&message);
        assert_eq!(kind, "JobFailed");
        assert!(message.contains(words), "{words} is not in\n{message}");
        let help = format!("See docs/operations.md, {topic}.");
        assert!(message.contains(&help), "{help} is not in\n{message}");
        assert_eq!(stage.ready_images().await, [OLD_IMAGE; 2], "{topic}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_that_heals_is_no_failure() {
    let stage = with_sick(crash("waiting for the database")).await;
    let deploy = stage.deploy(sick(json!({"patience": "20s"})));
    let healing = async {
        // Two looks at pods that have crashed more than three times.
        tokio::time::sleep(Duration::from_millis(8500)).await;
        let ready = Behaviour::Ready {
            after: SignedDuration::from_millis(100),
        };
        stage
            .sandbox()
            .world(|world, _| world.behave("sick", ready));
    };
    let (ended, ()) = tokio::join!(deploy, healing);
    let (_, variables) = ended.success();
    assert_eq!(variables["Revision"], "2");
    stage.logged("exits with code 1").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn old_pods_that_crash_never_count() {
    let stage = Stage::in_sandbox(|world, now| {
        world.apply(demo_app(600), now);
        world.behave(
            "slow",
            Behaviour::Ready {
                after: SignedDuration::from_secs(6),
            },
        );
    })
    .await;
    stage.sandbox().world(|world, _| {
        world.timing().back_off = SignedDuration::from_millis(200);
        world.behave("demo-app:1.0.0", crash("it is old"));
        let pods = world.objects("pods").into_iter();
        let names = pods.map(|pod| pod["metadata"]["name"].as_str().unwrap().to_owned());
        for name in names.collect::<Vec<_>>() {
            world.delete("pods", "default", &name, jiff::Timestamp::now());
        }
    });
    tokio::time::sleep(Duration::from_secs(2)).await;
    let parameters = sick(json!({"images": {"app": "demo-app:slow"}}));
    stage.deploy(parameters).await.success();
    assert_eq!(stage.ready_images().await, ["demo-app:slow"; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_did_not_serve_is_not_brought_back() {
    let stage = Stage::in_sandbox(|world, now| {
        world.behave("demo-app:1.0.0", Behaviour::InvalidImageName);
        world.behave("sick", Behaviour::InvalidImageName);
        let mut deployment = demo_app(3);
        deployment["spec"]["replicas"] = json!(1);
        world.apply(deployment, now);
    })
    .await;
    let (_, message) = stage.deploy(sick(json!({}))).await.failure();
    assert!(message.contains("is not a valid image name"), "{message}");
    let told = "It was left as it is: the previous version did not serve either.";
    assert!(message.contains(told), "{message}");
    assert_eq!(stage.image().await, "demo-app:sick");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_not_be_read_is_said_and_stops_nothing() {
    let stage = with_sick(crash("panic: no DATABASE_URL")).await;
    stage.sandbox().world(|world, _| {
        world.forbid("get", "pods/log");
        world.forbid("list", "events");
    });
    let (_, message) = stage.deploy(sick(json!({}))).await.failure();
    for told in [
        "exits with code 1",
        "could not be read: the token may not list events; grant the verb `list` on `events`",
        "could not be read: the token may not get pods/log; grant the verb `get` on `pods/log`",
        "revision 3 (registry.example.com/demo-app:1.0.0",
    ] {
        assert!(message.contains(told), "{told} is not in\n{message}");
    }
    assert!(!message.contains("DATABASE_URL"), "{message}");
    let stage = with_sick(crash("panic: no DATABASE_URL")).await;
    stage
        .sandbox()
        .world(|world, _| world.forbid("list", "pods"));
    let (_, message) = stage.deploy(sick(json!({"timeout": "6s"}))).await.failure();
    for told in [
        "does not serve: the rollout was not complete within 6 s (timeout)",
        "The new pods could not be read: the token may not list pods; grant the verb `list`",
        "revision 3 (registry.example.com/demo-app:1.0.0",
    ] {
        assert!(message.contains(told), "{told} is not in\n{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_survives_a_handover() {
    let stage = with_sick(crash("panic: no DATABASE_URL")).await;
    // The controller takes longer to see the rollback than is left of the invocation.
    let slow = SignedDuration::from_secs(5);
    stage
        .sandbox()
        .world(|world, _| world.timing().observe = slow);
    let life = Duration::from_secs(8);
    let ended = stage.deploy_in(life, sick(json!({}))).await;
    let (_, message) = ended.failure();
    assert!(stage.aws.invocations().len() > 1, "{}", stage.log());
    assert!(
        message.contains("\n  panic: no DATABASE_URL\n"),
        "{message}"
    );
    assert!(
        message.contains("revision 3 (registry.example.com/demo-app:1.0.0"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_stalls_does_not_hold_up_the_rollback() {
    let stage = with_sick(crash("panic")).await;
    stage.sandbox().world(|world, _| {
        world.fault(On::method("GET").path("/log"), Fault::Stall, 100);
        world.fault(On::method("GET").path("/events"), Fault::Stall, 100);
    });
    let began = Instant::now();
    let (_, message) = stage.deploy(sick(json!({}))).await.failure();
    assert!(
        began.elapsed() < Duration::from_secs(16),
        "{:?}",
        began.elapsed()
    );
    assert!(message.contains("exits with code 1"), "{message}");
    assert!(
        message.contains("it took the call and did not answer in time"),
        "{message}"
    );
    assert_eq!(stage.ready_images().await, [OLD_IMAGE; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_as_a_person_reads_it() {
    let stage = with_sick(crash("panic: no DATABASE_URL\n\ngoroutine 1 [running]:\n")).await;
    stage
        .sandbox()
        .world(|world, _| world.forbid("list", "events"));
    let (_, message) = stage
        .deploy(sick(json!({"patience": "3s"})))
        .await
        .failure();
    insta::assert_snapshot!(steady(&message), @r#"
        The new version of Deployment `demo-app` in `default` does not serve: `app` in pod `demo-app-POD` exits with code 1, N times: `panic: no DATABASE_URL`.

        3 s after the change: 0 of 1 new pod ready, 2 wanted.

        The events of pod `demo-app-POD` could not be read: the token may not list events; grant the verb `list` on `events` to see more the next time.

        The last lines of `app` in pod `demo-app-POD`:
          panic: no DATABASE_URL
          goroutine 1 [running]:

        Rolled back: revision 3 (registry.example.com/demo-app:1.0.0) serves again.
        Correct the cause and release the change again. See docs/operations.md, crash.
        "#);
}

/// The anchors that a source file gives to its causes or topics.
fn anchors(file: &str) -> BTreeSet<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join(file)).unwrap();
    let function = text.split("fn anchor(self)").nth(1).unwrap();
    let function = function.split("\n    }\n").next().unwrap();
    let quoted = function.lines().filter_map(|line| line.split('"').nth(1));
    quoted.map(str::to_owned).collect()
}

#[test]
fn every_failure_has_its_place_in_the_handbook() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let handbook = fs::read_to_string(root.join("docs/operations.md")).unwrap();
    let sections = handbook.split("\n### ").skip(1);
    let sections = sections.filter(|section| !section.starts_with("Which rights"));
    let mut described = BTreeSet::new();
    for section in sections {
        let (heading, text) = section.split_once('\n').unwrap();
        assert!(text.contains('*'), "`{heading}` shows no message");
        assert!(
            described.insert(heading.to_owned()),
            "`{heading}` is there twice"
        );
    }
    let mut told = anchors("core/src/outcome/cause.rs");
    told.extend(anchors("core/src/outcome/failure.rs"));
    assert!(told.len() > 30, "{told:?}");
    assert_eq!(told, described);
}
