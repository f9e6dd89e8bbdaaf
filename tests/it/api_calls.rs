//! What a rollout asks of the API server: lists are read once and then watched, and where a watch is
//! cut, mute, garbled or refused, lists take its place and come to the same. Two stories take more
//! than a minute. The rooms run in the order of their names, so this one is among the first.

use crate::blue_green::{SICK_IMAGE, at_rest, endpoints_are_known, switch};
use crate::stage::{OLD_IMAGE, Stage, demo_app, image};
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::aws::Outcome;
use landfall_sandbox::world::{Behaviour, Fault, On, Seen, World, sample_service};
use serde_json::json;
use std::time::Duration;

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";
/// What is logged once where lists take the place of a watch.
const LISTS: &str = "no watch is to be had; lists take its place";

/// A call in a word.
fn word(seen: &Seen) -> String {
    let (path, query) = seen.path.split_once('?').unwrap_or((&seen.path, ""));
    let resource = path.split('/').skip_while(|part| *part != "namespaces");
    let resource = resource.skip(2).collect::<Vec<_>>().join("/");
    let watch = if query.contains("watch=true") {
        " watch"
    } else {
        ""
    };
    format!("{} {resource}{watch}", seen.method)
}

#[tokio::test(flavor = "multi_thread")]
async fn at_most_ten_calls_for_a_rollout_of_a_minute() {
    let stage = Stage::in_sandbox(|world, now| {
        let mut deployment = demo_app(600);
        deployment["spec"]["replicas"] = json!(3);
        world.apply(deployment, now);
        let after = SignedDuration::from_secs(20);
        world.behave("2.0.0", Behaviour::Ready { after });
    })
    .await;
    let began = Timestamp::now();
    let life = Duration::from_secs(120);
    let job = stage.aws.submit(stage.event(&image(NEW_IMAGE)), life);
    let outcome = stage.aws.outcome(&job, life).await;
    assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
    let took = Timestamp::now().duration_since(began);
    assert!(took >= SignedDuration::from_secs(60), "{took}");
    let calls = stage.requests().iter().map(word).collect::<Vec<_>>();
    assert!(calls.len() <= 10, "{calls:#?}");
    for resource in ["pods", "replicasets", "deployments"] {
        let watch = format!("GET {resource} watch");
        assert!(calls.contains(&watch), "{watch}: {calls:#?}");
    }
    // Nothing happens for 20 s in each wave, and yet no list checks that: one is followed, and one
    // is the last look.
    for list in ["GET pods", "GET replicasets"] {
        let lists = calls.iter().filter(|call| *call == list).count();
        assert!(lists <= 2, "{list}: {calls:#?}");
    }
    assert!(!stage.log().contains(LISTS), "{}", stage.log());
}

/// The most calls of a switch that adopts a Deployment, and of a later one: one more than usual, as
/// a watch may have told the candidate's last change before the wait for it is over.
const FIRST_SWITCH: usize = 30;
const LATER_SWITCH: usize = 31;
/// What is read again where a second passes before the first write: then it counts no more.
const SLOW: usize = 6;

/// The calls of a switch, and whether a second has passed before its first write.
fn calls_of_switch(seen: &[Seen]) -> (Vec<String>, bool) {
    let began = seen.first().map(|seen| seen.time).unwrap();
    let calls = seen.iter().map(|seen| {
        let at = seen.time.duration_since(began);
        format!("{:>7.3} {}", at.as_secs_f64(), word(seen))
    });
    let lock = seen.iter().find(|seen| seen.method == "PATCH").unwrap();
    let took = lock.time.duration_since(began);
    (calls.collect(), took >= SignedDuration::from_millis(900))
}

/// New versions that come up in 20 s and in 5 s; the first one is watched for a minute.
#[tokio::test(flavor = "multi_thread")]
async fn few_calls_for_a_switch_with_a_bake_of_a_minute() {
    let stage = Stage::in_sandbox(|world, now| {
        world.apply(demo_app(600), now);
        world.apply(sample_service("demo-app"), now);
        for (version, seconds) in [("2.0.0", 20), ("2.1.0", 5)] {
            let after = SignedDuration::from_secs(seconds);
            world.behave(version, Behaviour::Ready { after });
        }
    })
    .await;
    endpoints_are_known(&stage).await;
    let next = "registry.example.com/demo-app:2.1.0";
    let mut known = 0;
    for (image, bake, limit) in [(NEW_IMAGE, "60s", FIRST_SWITCH), (next, "5s", LATER_SWITCH)] {
        let mut parameters = switch("blueGreen", image);
        parameters["bake"] = json!(bake);
        parameters["timeout"] = json!("3m");
        let life = Duration::from_secs(170);
        let job = stage.aws.submit(stage.event(&parameters), life);
        let outcome = stage.aws.outcome(&job, life).await;
        assert!(matches!(outcome, Outcome::Succeeded(_)), "{outcome:?}");
        let requests = stage.requests();
        let (calls, is_slow) = calls_of_switch(&requests[known..]);
        known = requests.len();
        println!("{}: {calls:#?}", calls.len());
        let limit = if is_slow { limit + SLOW } else { limit };
        assert!(calls.len() <= limit, "{}: {calls:#?}", calls.len());
    }
    assert!(!stage.log().contains(LISTS), "{}", stage.log());
}

/// From the moment at which the pods show it, and `patience` after it, to the way back.
#[tokio::test(flavor = "multi_thread")]
async fn a_doomed_rollout_is_seen_within_a_second() {
    let stage = Stage::in_sandbox(|world, now| world.apply(demo_app(600), now)).await;
    let shown = stage.sandbox().until(|world| {
        let pods = world.objects("pods");
        pods.iter()
            .any(|pod| pod.to_string().contains("ErrImagePull"))
    });
    let back = stage.sandbox().until(|world| {
        let live = world.deployment("default", "demo-app").unwrap();
        let image = &live["spec"]["template"]["spec"]["containers"][0]["image"];
        live["metadata"]["generation"] == 3 && image == OLD_IMAGE
    });
    let mut parameters = image("registry.example.com/demo-app:missing");
    parameters["patience"] = json!("1s");
    let ended = stage.deploy(parameters);
    let (shown, back, ended) = tokio::join!(shown, back, ended);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    let took = back.duration_since(shown);
    assert!(
        took <= SignedDuration::from_millis(2_300),
        "{took}\n{message}"
    );
}

/// Watches of lists alone, or of pods alone, that are not as they should be.
fn broken() -> Vec<(&'static str, Option<Fault>)> {
    vec![
        ("mute", Some(Fault::WatchMute)),
        ("garbled", Some(Fault::WatchGarbled)),
        ("cut", Some(Fault::WatchCut)),
        ("cut before it began", Some(Fault::CutBefore)),
        ("closed at once", Some(Fault::WatchClosed)),
        ("410 in the stream", Some(Fault::WatchError410)),
        ("410", Some(Fault::Gone)),
        ("429", Some(Fault::Throttled { retry_after: 1 })),
        ("503", Some(Fault::Unavailable { retry_after: None })),
        ("a proxy's page", Some(Fault::Html { status: 200 })),
        ("silence", Some(Fault::Stall)),
        ("forbidden", None),
    ]
}

/// Breaks the watches whose path has these words; `None`: of these resources they are forbidden.
fn break_watches(world: &mut World, fault: Option<Fault>, words: &str, resources: &[&str]) {
    match fault {
        Some(fault) => {
            let watches = On::method("GET").path("watch=true").path(words);
            world.fault(watches, fault, 1_000);
        }
        None => {
            for resource in resources {
                world.forbid("watch", *resource);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_a_watch_the_rollout_ends_as_it_would() {
    let stories = broken().into_iter().map(async |(name, fault)| {
        let stage = Stage::in_sandbox(|world, now| {
            world.apply(demo_app(600), now);
            break_watches(world, fault, "labelSelector=", &["pods", "replicasets"]);
        })
        .await;
        let slow = image("registry.example.com/demo-app:2.0.0-after-3s");
        let (_, variables) = stage.deploy(slow).await.success();
        assert_eq!(variables["Revision"], "2", "{name}");
        let (kind, message) = stage.deploy(image("demo-app:crash")).await.failure();
        assert_eq!(kind, "JobFailed", "{name}: {message}");
        assert!(
            message.contains("panic: no DATABASE_URL"),
            "{name}: {message}"
        );
        let refused = ["forbidden", "garbled", "closed at once"].contains(&name);
        let told = stage.log().matches(LISTS).count();
        // Once for each invocation at most.
        let invocations = stage.aws.reports().len();
        assert!(
            told <= invocations && (told > 0 || !refused),
            "{name}: {told}\n{}",
            stage.log()
        );
    });
    futures_util::future::join_all(stories).await;
}

/// All watches of a switch, that of the Deployment, too.
#[tokio::test(flavor = "multi_thread")]
async fn whatever_becomes_of_its_watches_a_switch_ends_as_it_would() {
    let stories = broken().into_iter().map(async |(name, fault)| {
        let stage = Stage::in_sandbox(|world, now| {
            world.apply(demo_app(600), now);
            world.apply(sample_service("demo-app"), now);
            let all = [
                "services",
                "deployments",
                "replicasets",
                "pods",
                "endpointslices",
            ];
            break_watches(world, fault, "", &all);
        })
        .await;
        endpoints_are_known(&stage).await;
        let slow = switch("blueGreen", "registry.example.com/demo-app:2.0.0-after-3s");
        let (_, variables) = stage.deploy(slow).await.success();
        assert_eq!(variables["Deployment"], "demo-app-blue", "{name}");
        let crashes = switch("blueGreen", SICK_IMAGE);
        let (kind, message) = stage.deploy(crashes).await.failure();
        assert_eq!(kind, "JobFailed", "{name}: {message}");
        at_rest(&stage).await;
    });
    futures_util::future::join_all(stories).await;
}
