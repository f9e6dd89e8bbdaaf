//! Stories that only the sandbox can provoke: connections that break, servers that stall, answers of
//! what is no Kubernetes, stale reads, a cluster that is done at once.

mod odd;
mod rollback;

use crate::rolling::manifest;
use crate::rotation;
use crate::stage::{OLD_IMAGE, SHORT, Stage, TOKEN, demo_app, image};
use jiff::SignedDuration;
use landfall_sandbox::world::{Behaviour, Fault, On, World, sample_autoscaler};
use serde_json::json;
use std::time::Duration;

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";

#[tokio::test(flavor = "multi_thread")]
async fn at_most_five_calls_for_a_rollout_that_is_done_at_once() {
    let stage = Stage::in_sandbox(|world, now| {
        let mut deployment = demo_app(600);
        deployment["spec"]["replicas"] = json!(0);
        world.apply(deployment, now);
        world.timing().observe = SignedDuration::from_nanos(1);
        world.timing().step = SignedDuration::from_nanos(1);
    })
    .await;
    let ended = stage
        .deploy(json!({"deployment": "demo-app", "images": {"app": NEW_IMAGE}}))
        .await;
    let (summary, _) = ended.success();
    assert!(
        summary.contains("it is scaled to zero, so no pod runs"),
        "{summary}"
    );
    let requests = stage.requests();
    assert!(requests.len() <= 5, "{requests:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_race_is_run_again() {
    for method in ["PATCH", "PUT"] {
        let stage = Stage::in_sandbox(|world, now| world.apply(demo_app(600), now)).await;
        stage.sandbox().world(|world, _| {
            world.fault(On::method(method), Fault::Conflict, 3);
        });
        let parameters = match method {
            "PUT" => json!({"manifest": manifest()}),
            _ => json!({"deployment": "demo-app", "images": {"app": NEW_IMAGE}}),
        };
        stage.deploy(parameters).await.success();
        assert!(stage.image().await.ends_with("demo-app:2.0.0"));
        // A manifest is tried first, and it is the trial that loses the race.
        let writes = if method == "PUT" { 1 } else { 4 };
        assert_eq!(stage.writes().unwrap().len(), writes, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_remarks_on_a_write_is_told() {
    let stage = Stage::in_sandbox(|world, now| world.apply(demo_app(600), now)).await;
    let mut twice = manifest();
    twice["spec"]["template"]["spec"]["containers"][0]["env"] =
        json!([{"name": "A", "value": "first"}, {"name": "A", "value": "second"}]);
    for mode in ["plan", "deploy"] {
        let parameters = json!({"manifest": twice, "mode": mode});
        let (summary, _) = stage.deploy(parameters).await.success();
        let told = "Warning: spec.template.spec.containers[0].env[1]: hides previous definition \
            of \"A\"";
        assert_eq!(summary.matches(told).count(), 1, "{mode}: {summary}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn watches_that_break_off_are_no_failure() {
    for fault in [
        Fault::Gone,
        Fault::WatchError410,
        Fault::WatchClosed,
        Fault::CutBefore,
        Fault::Html { status: 405 },
        Fault::InternalError,
    ] {
        let stage = Stage::in_sandbox(|world, now| world.apply(demo_app(600), now)).await;
        stage.sandbox().world(|world, _| {
            world.fault(On::method("GET").path("watch=true"), fault.clone(), 100);
        });
        let parameters = json!({"deployment": "demo-app", "images": {"app": NEW_IMAGE}});
        let (_, variables) = stage.deploy(parameters).await.success();
        assert_eq!(variables["Revision"], "2", "{fault:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_asks_for_patience_gets_it() {
    for (method, fault) in [
        ("GET", Fault::Throttled { retry_after: 1 }),
        ("PATCH", Fault::Throttled { retry_after: 1 }),
        (
            "PATCH",
            Fault::Unavailable {
                retry_after: Some(1),
            },
        ),
        ("GET", Fault::Unavailable { retry_after: None }),
        ("PATCH", Fault::InternalError),
        ("PATCH", Fault::CutBefore),
        ("PATCH", Fault::CutAfter),
        ("PATCH", Fault::Html { status: 200 }),
        ("PATCH", Fault::Html { status: 502 }),
        ("GET", Fault::CutBefore),
    ] {
        let stage = Stage::in_sandbox(|world, now| world.apply(demo_app(600), now)).await;
        stage.sandbox().world(|world, _| {
            world.fault(On::method(method), fault.clone(), 2);
        });
        let parameters = json!({"deployment": "demo-app", "images": {"app": NEW_IMAGE}});
        let (_, variables) = stage.deploy(parameters).await.success();
        assert_eq!(variables["Revision"], "2", "{method} {fault:?}");
        assert_eq!(stage.ready_images().await, [NEW_IMAGE; 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_read_is_evidence_of_nothing() {
    let stage = Stage::in_sandbox(|world, now| world.apply(demo_app(600), now)).await;
    stage.sandbox().world(|world, _| {
        world.fault(
            On::method("GET").path("watch=true"),
            Fault::WatchClosed,
            100,
        );
        world.fault(
            On::method("GET").path("deployments/demo-app").skip(1),
            Fault::Stale,
            1,
        );
    });
    let parameters = json!({"deployment": "demo-app", "images": {"app": NEW_IMAGE}});
    stage.deploy(parameters).await.success();
    assert_eq!(stage.ready_images().await, [NEW_IMAGE; 2]);
}
#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_kubernetes_is_told_from_a_missing_deployment() {
    for (fault, words) in [
        (
            Fault::Html { status: 404 },
            "HTTP 404 with \"404 404 nginx\"",
        ),
        (
            Fault::Html { status: 200 },
            "HTTP 200 with \"200 200 nginx\"",
        ),
        (
            Fault::Redirect {
                to: "https://login.example.org/?token=x".into(),
            },
            "leads to `login.example.org`",
        ),
        (Fault::Oversized, "it has more than 8 MiB"),
    ] {
        let stage = Stage::in_sandbox(|world, now| world.apply(demo_app(600), now)).await;
        stage
            .sandbox()
            .world(|world, _| world.fault(On::any(), fault.clone(), 100));
        let (kind, message) = stage.refused(image(NEW_IMAGE)).await;
        assert_eq!(kind, "ConfigurationError", "{message}");
        assert!(message.contains(words), "{words} is not in\n{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_stays_down_is_unavailable() {
    let stage = Stage::in_sandbox(|world, now| world.apply(demo_app(600), now)).await;
    stage.sandbox().world(|world, _| {
        world.fault(On::any(), Fault::Unavailable { retry_after: None }, 1000);
    });
    let mut parameters = image(NEW_IMAGE);
    parameters["timeout"] = json!("6s");
    let (kind, message) = stage.deploy(parameters).await.failure();
    assert_eq!(kind, "SystemUnavailable");
    assert!(
        message.starts_with("Deployment `demo-app` in `default` was not changed"),
        "{message}"
    );
    assert_eq!(stage.image().await, OLD_IMAGE);
}

/// Longer than the tries of one call take, and over several invocations.
#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_comes_back_before_the_first_write_is_waited_for() {
    let stage = Stage::in_sandbox(|world, now| {
        world.apply(demo_app(600), now);
        world.fault(On::any(), Fault::Unavailable { retry_after: None }, 7);
    })
    .await;
    stage.deploy(image(NEW_IMAGE)).await.success();
    assert_eq!(stage.image().await, NEW_IMAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxys_404_is_no_empty_list() {
    let stage = Stage::in_sandbox(|world, now| {
        let mut deployment = demo_app(600);
        deployment["spec"]["replicas"] = json!(3);
        world.apply(deployment, now);
        world.apply(sample_autoscaler("demo-app", 2, 10), now);
    })
    .await;
    for (path, parameters) in [
        ("/horizontalpodautoscalers", {
            let mut manifest = demo_app(600);
            manifest["spec"]["replicas"] = json!(9);
            json!({"manifest": manifest})
        }),
        ("/replicasets", image(NEW_IMAGE)),
    ] {
        stage.sandbox().world(|world, _| {
            world.clear_faults();
            world.fault(
                On::method("GET").path(path),
                Fault::Html { status: 404 },
                1000,
            );
        });
        let (kind, message) = stage.refused(parameters).await;
        assert_eq!(kind, "ConfigurationError", "{message}");
    }
    assert_eq!(stage.deployment().await["spec"]["replicas"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_odd_answer_in_the_middle_of_a_rollout_is_no_end_of_it() {
    for status in [200, 404, 502] {
        let stage = Stage::in_sandbox(|world, now| world.apply(demo_app(600), now)).await;
        stage.sandbox().world(|world, _| {
            let read = On::method("GET").path("/deployments/demo-app").skip(1);
            world.fault(read, Fault::Html { status }, 1);
        });
        let (_, variables) = stage.deploy(image(NEW_IMAGE)).await.success();
        assert_eq!(variables["Revision"], "2", "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_that_stalls_is_handed_over_and_then_served() {
    for method in ["GET", "PATCH"] {
        let stage = Stage::in_sandbox(|world, now| world.apply(demo_app(600), now)).await;
        stage
            .sandbox()
            .world(|world, _| world.fault(On::method(method), Fault::Stall, 1));
        let (_, variables) = stage.deploy_in(SHORT, image(NEW_IMAGE)).await.success();
        assert_eq!(variables["Revision"], "2");
        assert_eq!(stage.ready_images().await, [NEW_IMAGE; 2]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_a_pod_echoes_is_hidden_everywhere() {
    let environment = [("RUST_LOG", Some("trace"))];
    let stage = Stage::in_sandbox_with(
        |world, now| {
            world.apply(demo_app(2), now);
            let message = format!("cannot use env-value-5ecret with {TOKEN}");
            world.behave("echo", Behaviour::ConfigError { message });
        },
        &environment,
    )
    .await;
    let mut parameters = image("echo:1");
    parameters["env"] = json!({"PASSWORD": "env-value-5ecret"});
    let (_, message) = stage
        .deploy_in(Duration::from_secs(4), parameters)
        .await
        .failure();
    assert!(
        message.contains("cannot use [hidden] with [hidden]"),
        "{message}"
    );
    let cluster = stage.deployment().await["metadata"]["annotations"].to_string();
    assert!(cluster.contains("cannot use [hidden]"), "{cluster}");
    let all = format!("{cluster} {} {:?}", stage.log(), stage.aws.reports());
    assert!(
        !all.contains("env-value-5ecret") && !all.contains(TOKEN),
        "{all}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_token_that_the_cluster_does_not_take_is_not_stored() {
    let reviews = || On::method("POST").path("selfsubjectreviews");
    let tokens = || On::method("POST").path("/token");
    for (on, fault, words) in [
        (
            reviews().skip(1),
            Fault::Unauthorized,
            "issued a new one and does not accept it",
        ),
        (
            reviews().skip(1),
            Fault::Html { status: 200 },
            "is not a Kubernetes API server's: HTTP 200",
        ),
        (
            reviews(),
            Fault::Html { status: 403 },
            "is not a Kubernetes API server",
        ),
        (
            reviews(),
            Fault::InternalError,
            "could not ask whose the present one is just now",
        ),
        (
            tokens(),
            Fault::Html { status: 201 },
            "HTTP 201 with what is not JSON",
        ),
        (
            tokens(),
            Fault::Unavailable { retry_after: None },
            "could not issue a new one just now",
        ),
    ] {
        let stage = rotation::sandbox().await;
        let plan = |world: &mut World, _| world.fault(on, fault, 100);
        stage.sandbox().world(plan);
        let message = rotation::failure(&stage, json!({"rotate": true})).await;
        for words in [words, "The present one was kept"] {
            assert!(message.contains(words), "{message}");
        }
        stage.sandbox().world(|world, _| world.clear_faults());
        rotation::rotate(&stage).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_of_the_cluster_does_no_harm() {
    let stage = rotation::sandbox().await;
    stage.sandbox().world(|world, _| {
        world.fault(On::method("POST").path("/token"), Fault::CutAfter, 1);
        world.fault(On::method("POST").path("reviews"), Fault::CutBefore, 1);
    });
    rotation::rotate(&stage).await;
    stage.deploy(image(NEW_IMAGE)).await.success();
}
