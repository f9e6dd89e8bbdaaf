//! Deploys that must fail, in words and with nothing changed that should not be.

use crate::stage::{LIFE, OLD_IMAGE, Stage, demo_app, event, plain};
use landfall_sandbox::aws::{AwsFault, JobResult, ParameterKind};
use landfall_sandbox::kubernetes::Kubernetes;
use landfall_sandbox::world::{Behaviour, Fault, On};
use serde_json::{Value, json};

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";

fn image(image: &str) -> Value {
    json!({"deployment": "demo-app", "images": {"app": image}})
}

/// The failure of a deploy that must not have written anything.
async fn refused(stage: &Stage, parameters: Value) -> (String, String) {
    let failure = stage.deploy(parameters).await.failure();
    assert_eq!(stage.writes().len(), 0, "nothing may be written");
    failure
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_parameters_are_all_named_at_once() {
    let stage = Stage::new().await;
    let (kind, message) = refused(
        &stage,
        json!({"deployement": "x", "images": {"app": ""}, "timeout": "5x", "strategy": "blueGreen",
            "manifest": "k8s/deployment.yaml", "restart": "yes", "namespace": "Bad_Name",
            "env": {"A": 1}, "container": 3, "execution": "#{codepipeline.PipelineExecutionId}"}),
    )
    .await;
    assert_eq!(kind, "ConfigurationError");
    for field in [
        "`deployement` is unknown; did you mean `deployment`?",
        "`images.app` is empty",
        "`timeout` `5x` is no duration",
        "`strategy` `blueGreen` is not in this version",
        "`manifest` must be the Deployment itself",
        "`restart` must be true or false",
        "`namespace` is `Bad_Name`, which is no Kubernetes name",
        "`env.A` must be a string",
        "`container` must be a string",
        "`execution` has a variable that CodePipeline did not fill in",
    ] {
        assert!(message.contains(field), "{field} is not in\n{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_that_a_variable_broke_are_shown_where() {
    let stage = Stage::new().await;
    let text = r#"{"deployment": "demo-app", "env": {"MESSAGE": "He said "hi" to us"}}"#;
    let (kind, message) = stage.run(event(1, text), LIFE).await.failure();
    assert_eq!(kind, "ConfigurationError");
    insta::assert_snapshot!(message, @r#"
    Nothing was deployed: `UserParameters` are not valid JSON. At character 57, the arrow in `… "env": {"MESSAGE": "He said "→hi" to us"}}`: expected `,` or `}`. CodePipeline puts the value of a #{variable} into the text as it is and escapes nothing: a quote, a backslash or a line break in a value (a commit message, say) breaks the JSON. Use variables whose values have none of them, such as a commit id.

    Correct the action's UserParameters and release the change again.
    "#);
}

#[tokio::test(flavor = "multi_thread")]
async fn sams_own_sample_gets_an_answer_in_words() {
    let stage = Stage::new().await;
    let sample = include_str!("../../events/sam-sample.json");
    let sample = serde_json::from_str(sample).unwrap();
    let (kind, message) = stage.run(sample, LIFE).await.failure();
    assert_eq!(kind, "ConfigurationError");
    assert!(
        message.contains("they begin with `user-parameter-string`"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_the_deployment_is_refused_before_anything_is_written() {
    let stage = Stage::with(|world, now| {
        world.apply(demo_app(600), now);
        let mut paused = demo_app(600);
        paused["metadata"]["name"] = json!("paused");
        paused["spec"]["paused"] = json!(true);
        world.apply(paused, now);
    })
    .await;
    let selector = json!({"metadata": {"name": "demo-app"}, "spec": {
        "selector": {"matchLabels": {"app": "other"}},
        "template": {"metadata": {"labels": {"app": "other"}},
            "spec": {"containers": [{"name": "app", "image": "x"}]}}}});
    for (parameters, expected) in [
        (
            json!({"deployment": "demo-app", "images": {"web": NEW_IMAGE}}),
            "`images.web` names container `web`, which the Deployment does not have; it has `app`",
        ),
        (
            json!({"deployment": "demo-app", "env": {"A": "b"}, "container": "web"}),
            "`container` names container `web`, which the Deployment does not have",
        ),
        (
            json!({"deployment": "none", "restart": true}),
            "Deployment `none` in `default` does not exist",
        ),
        (
            json!({"deployment": "paused", "restart": true}),
            "is paused",
        ),
        (
            json!({"manifest": selector}),
            "never lets the selector of a Deployment change",
        ),
    ] {
        let (kind, message) = refused(&stage, parameters).await;
        assert_eq!(kind, "ConfigurationError");
        assert!(message.contains(expected), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_api_server_refuses_is_told_in_its_words() {
    let stage = Stage::new().await;
    let manifest = json!({"metadata": {"name": "demo-app"}, "spec": {
        "selector": {"matchLabels": {"app": "demo-app"}}, "replicaz": 2,
        "template": {"metadata": {"labels": {"app": "demo-app"}},
            "spec": {"containers": [{"name": "app", "image": "x"}]}}}});
    let (kind, message) = stage.deploy(json!({"manifest": manifest})).await.failure();
    assert_eq!(kind, "ConfigurationError");
    assert!(
        message.contains(r#"unknown field "spec.replicaz""#),
        "{message}"
    );
    assert_eq!(stage.image(), OLD_IMAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_permission_is_named_by_its_verb() {
    for (verb, resource) in [
        ("get", "deployments"),
        ("patch", "deployments"),
        ("list", "replicasets"),
    ] {
        let stage = Stage::new().await;
        stage
            .kubernetes
            .world(|world, _| world.forbid(verb, resource));
        let (kind, message) = stage.deploy(image(NEW_IMAGE)).await.failure();
        assert_eq!(kind, "PermissionError", "{message}");
        let expected = format!("the token may not {verb} {resource}.apps");
        assert!(message.contains(&expected), "{message}");
        assert!(
            message.contains(&format!("Grant the verb `{verb}`")),
            "{message}"
        );
        assert_eq!(stage.image(), OLD_IMAGE);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_missing_watch_or_pods_permission_stops_nothing() {
    let stage = Stage::new().await;
    stage.kubernetes.world(|world, _| {
        world.forbid("watch", "deployments");
        world.forbid("list", "pods");
    });
    stage.deploy(image(NEW_IMAGE)).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_token_is_fetched_anew_once() {
    let stage = Stage::new().await;
    stage.deploy(image("a:1")).await.success();
    stage
        .kubernetes
        .world(|world, _| world.rotate_token("another-token"));
    let (kind, message) = stage.deploy(image("a:2")).await.failure();
    assert_eq!(kind, "PermissionError");
    assert!(
        message.contains("does not accept the bearer token"),
        "{message}"
    );
    stage.aws.put_parameter(
        "k8s-bear-token",
        " another-token\n",
        ParameterKind::SecureString,
    );
    stage.deploy(image("a:2")).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_token_is_known_by_its_own_word() {
    let stage = Stage::new().await;
    let expired = "e30.eyJleHAiOjE3MDAwMDAwMDB9.c2ln";
    stage
        .aws
        .put_parameter("k8s-bear-token", expired, ParameterKind::SecureString);
    let (kind, message) = refused(&stage, image(NEW_IMAGE)).await;
    assert_eq!(kind, "PermissionError");
    assert!(
        message.contains("expired at 2023-11-14T22:13:20Z"),
        "{message}"
    );
    assert_eq!(stage.requests().len(), 0, "the cluster need not be asked");
}

#[tokio::test(flavor = "multi_thread")]
async fn access_that_is_not_to_be_had_is_told_by_its_kind() {
    for (fault, kind, words) in [
        (
            AwsFault::AccessDenied,
            "PermissionError",
            "ssm:GetParameters",
        ),
        (AwsFault::KmsAccessDenied, "PermissionError", "kms:Decrypt"),
        (AwsFault::ExpiredToken, "PermissionError", "ExpiredToken"),
    ] {
        let stage = Stage::new().await;
        stage.aws.fault("AmazonSSM", fault, 100);
        let (found, message) = refused(&stage, image(NEW_IMAGE)).await;
        assert_eq!(found, kind, "{message}");
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ssm_that_falters_is_asked_again() {
    for fault in [AwsFault::Throttling, AwsFault::Unavailable, AwsFault::Cut] {
        let stage = Stage::new().await;
        stage.aws.fault("AmazonSSM", fault, 2);
        stage.deploy(image(NEW_IMAGE)).await.success();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environment_is_reported_where_it_is_wrong() {
    let other = Kubernetes::other_ca();
    for (variables, kind, words) in [
        (
            vec![("K8S_CLUSTER", None), ("K8S_CA", Some("x"))],
            "ConfigurationError",
            "`K8S_CA` is neither",
        ),
        (
            vec![("K8S_CLUSTER", Some("http://10.0.0.1"))],
            "ConfigurationError",
            "must begin with https",
        ),
        (
            vec![("K8S_CA", Some(&*other))],
            "ConfigurationError",
            "signed by another CA",
        ),
        (
            vec![("K8S_CA", None)],
            "ConfigurationError",
            "no public CA signed it, and no CA of the cluster is given",
        ),
        (
            vec![("K8S_TOKEN_PARAMETER", Some("nope"))],
            "ConfigurationError",
            "no parameter `nope`",
        ),
        (
            vec![("K8S_TOKEN_PARAMETER", Some("k8s-bear-token:9"))],
            "ConfigurationError",
            "k8s-bear-token:9",
        ),
        (
            vec![
                ("K8S_CA", None),
                ("K8S_CA_PARAMETER", Some("k8s-bear-token2")),
            ],
            "ConfigurationError",
            "no parameter `k8s-bear-token2`",
        ),
        (
            vec![("K8S_CLUSTER", Some("https://127.0.0.1:1"))],
            "SystemUnavailable",
            "could not be reached",
        ),
    ] {
        let stage =
            Stage::with_environment(|world, now| world.apply(demo_app(600), now), &variables).await;
        let (found, message) = refused(&stage, image(NEW_IMAGE)).await;
        assert_eq!(found, kind, "{message}");
        assert!(message.contains(words), "{words} is not in\n{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ca_may_come_from_ssm() {
    let environment = [("K8S_CA", None), ("K8S_CA_PARAMETER", Some("/cluster/ca"))];
    let stage =
        Stage::with_environment(|world, now| world.apply(demo_app(600), now), &environment).await;
    stage
        .aws
        .put_parameter("/cluster/ca", stage.kubernetes.ca(), ParameterKind::String);
    stage.deploy(image(NEW_IMAGE)).await.success();
    let calls = stage.aws.calls();
    let fetched = calls
        .iter()
        .filter(|call| call.target.contains("AmazonSSM"));
    assert_eq!(fetched.count(), 1, "token and CA in one call");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_kubernetes_is_told_from_a_missing_deployment() {
    for (fault, words) in [
        (Fault::Html { status: 404 }, "no Kubernetes API"),
        (Fault::Html { status: 200 }, "no Kubernetes API"),
        (
            Fault::Redirect {
                to: "https://login.example.org/?token=x".into(),
            },
            "leads to `login.example.org`",
        ),
        (Fault::Oversized, "bytes"),
    ] {
        let stage = Stage::new().await;
        stage
            .kubernetes
            .world(|world, _| world.fault(On::any(), fault.clone(), 100));
        let (kind, message) = refused(&stage, image(NEW_IMAGE)).await;
        assert_eq!(kind, "ConfigurationError", "{message}");
        assert!(message.contains(words), "{words} is not in\n{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_does_not_exist_fails_and_the_old_version_comes_back() {
    let stage = Stage::with(|world, now| {
        world.apply(demo_app(3), now);
        world.behave("missing", Behaviour::ImagePull);
    })
    .await;
    let ended = stage
        .deploy(image("registry.example.com/demo-app:missing"))
        .await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed");
    insta::assert_snapshot!(plain(&message), @r#"
    The new version of Deployment `demo-app` in `default` does not serve: `app` in pod `demo-app-POD`: ImagePullBackOff (Back-off pulling image "registry.example.com/demo-app:missing": ErrImagePull: rpc error: code = NotFound desc = failed to pull and unpack image "registry.example.com/demo-app:missing": failed to resolve reference "registry.example.com/demo-app:missing": registry.example.com/demo-app:missing: not found); Kubernetes saw no progress for 3 s (progressDeadlineSeconds), with 0 of 2 new pods available.

    Rolled back: the version of revision 1 serves again.
    Correct the cause and release the change again.
    "#);
    assert_eq!(stage.image(), OLD_IMAGE);
    assert_eq!(stage.ready_images(), [OLD_IMAGE; 2]);
    let deployment = stage.deployment();
    assert!(deployment["metadata"]["annotations"]["landfall/cause"].is_string());
    // What was rolled back can be deployed again, and a good version leaves no trace of it.
    stage.deploy(image(NEW_IMAGE)).await.success();
    let annotations = stage.deployment()["metadata"]["annotations"].take();
    assert_eq!(annotations.get("landfall/cause"), None);
    assert_eq!(annotations.get("landfall/rolled-back"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rollback_a_failed_version_stays() {
    let stage = Stage::with(|world, now| {
        world.apply(demo_app(2), now);
        world.behave("sick", Behaviour::NeverReady);
    })
    .await;
    let mut parameters = image("demo-app:sick");
    parameters["rollback"] = json!(false);
    let (kind, message) = stage.deploy(parameters).await.failure();
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("It was left as it is, as `rollback` is false."),
        "{message}"
    );
    assert_eq!(stage.image(), "demo-app:sick");
    assert_eq!(stage.writes().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_timeout_ends_what_kubernetes_would_wait_for() {
    let stage = Stage::with(|world, now| {
        world.apply(demo_app(600), now);
        world.behave("sick", Behaviour::NeverReady);
    })
    .await;
    let mut parameters = image("demo-app:sick");
    parameters["timeout"] = json!("2s");
    let (kind, message) = stage.deploy(parameters).await.failure();
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("the rollout was not done within 2 s (timeout)"),
        "{message}"
    );
    assert!(
        message.contains("Rolled back: the version of revision 1 serves again."),
        "{message}"
    );
    assert_eq!(stage.ready_images(), [OLD_IMAGE; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_version_that_fails_has_nothing_to_return_to() {
    let stage = Stage::with(|world, _| world.behave("sick", Behaviour::NeverReady)).await;
    let mut manifest = demo_app(2);
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = json!("demo-app:sick");
    let (kind, message) = stage.deploy(json!({"manifest": manifest})).await.failure();
    assert_eq!(kind, "JobFailed");
    assert!(message.contains("there is none to return to"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_version_that_is_already_there_is_no_success() {
    let stage = Stage::with(|world, now| {
        let mut deployment = demo_app(2);
        deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!("demo-app:sick");
        world.behave("sick", Behaviour::NeverReady);
        world.apply(deployment, now);
    })
    .await;
    let (kind, message) = refused(&stage, image("demo-app:sick")).await;
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("It ran this version before the job began"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_deploy_is_left_alone() {
    let stage = Stage::with(|world, now| {
        world.apply(demo_app(600), now);
        world.behave("slow", Behaviour::NeverReady);
    })
    .await;
    let other = async {
        stage.written().await;
        stage.kubernetes.world(|world, now| {
            let mut deployment = world.deployment("default", "demo-app").cloned().unwrap();
            deployment["spec"]["template"]["spec"]["containers"][0]["image"] = json!("theirs:1");
            world.apply(deployment, now);
        });
    };
    let (ended, ()) = tokio::join!(stage.deploy(image("demo-app:slow")), other);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "RevisionOutOfSync");
    assert!(
        message.contains("the later change was left alone"),
        "{message}"
    );
    assert_eq!(stage.image(), "theirs:1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_is_deleted_meanwhile_is_told() {
    let stage = Stage::with(|world, now| {
        world.apply(demo_app(600), now);
        world.behave("slow", Behaviour::NeverReady);
    })
    .await;
    let other = async {
        stage.written().await;
        stage
            .kubernetes
            .world(|world, now| world.delete("deployments", "default", "demo-app", now));
    };
    let (ended, ()) = tokio::join!(stage.deploy(image("demo-app:slow")), other);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("was deleted while its rollout was followed"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_api_server_that_stays_down_is_unavailable() {
    let stage = Stage::new().await;
    stage.kubernetes.world(|world, _| {
        world.fault(On::any(), Fault::Unavailable { retry_after: None }, 1000);
    });
    let (kind, message) = stage.deploy(image(NEW_IMAGE)).await.failure();
    assert_eq!(kind, "SystemUnavailable");
    assert!(
        message.starts_with("Deployment `demo-app` in `default` was not changed"),
        "{message}"
    );
    assert_eq!(stage.image(), OLD_IMAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_cannot_be_listed_in_time_do_not_hold_up_the_rollback() {
    let stage = Stage::with(|world, now| {
        world.apply(demo_app(2), now);
        world.behave("sick", Behaviour::NeverReady);
        world.fault(On::method("GET").path("/pods"), Fault::Stall, 1000);
    })
    .await;
    let life = std::time::Duration::from_secs(3);
    let (kind, message) = stage
        .deploy_in(life, image("demo-app:sick"))
        .await
        .failure();
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("the version of revision 1 serves again"),
        "{message}"
    );
    assert_eq!(stage.ready_images(), [OLD_IMAGE; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxys_404_is_no_empty_list() {
    let stage = Stage::with(|world, now| {
        let mut deployment = demo_app(600);
        deployment["spec"]["replicas"] = json!(3);
        world.apply(deployment, now);
        world.apply(
            landfall_sandbox::world::sample_autoscaler("demo-app", 2, 10),
            now,
        );
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
        stage.kubernetes.world(|world, _| {
            world.clear_faults();
            world.fault(
                On::method("GET").path(path),
                Fault::Html { status: 404 },
                1000,
            );
        });
        let (kind, message) = refused(&stage, parameters).await;
        assert_eq!(kind, "ConfigurationError", "{message}");
    }
    assert_eq!(stage.deployment()["spec"]["replicas"], 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_odd_answer_in_the_middle_of_a_rollout_is_no_end_of_it() {
    for status in [200, 404, 502] {
        let stage = Stage::new().await;
        stage.kubernetes.world(|world, _| {
            let read = On::method("GET").path("/deployments/demo-app").skip(1);
            world.fault(read, Fault::Html { status }, 1);
        });
        let (_, variables) = stage.deploy(image(NEW_IMAGE)).await.success();
        assert_eq!(variables["Revision"], "2", "{status}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rollback_that_the_cluster_keeps_refusing_is_not_tried_for_ever() {
    let stage = Stage::with(|world, now| {
        world.apply(demo_app(2), now);
        world.behave("sick", Behaviour::NeverReady);
    })
    .await;
    stage.kubernetes.world(|world, _| {
        world.fault(On::method("PATCH").skip(1), Fault::InternalError, 100_000);
    });
    let job = stage.aws.submit(stage.event(&image("demo-app:sick")), LIFE);
    // The cluster answers every read meanwhile; what is needed is what must be counted.
    let since = async {
        loop {
            let reports = stage.aws.reports();
            let handed_over = reports.iter().find_map(|report| match &report.result {
                JobResult::Success {
                    summary,
                    continuation_token: Some(_),
                    ..
                } => summary.clone(),
                _ => None,
            });
            if let Some(summary) = handed_over {
                break summary;
            }
            tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        }
    };
    let summary = tokio::time::timeout(LIFE * 2, since).await.unwrap();
    assert!(
        summary.contains("the cluster does not answer as it should"),
        "{summary}"
    );
    let since: jiff::Timestamp = summary.split(' ').nth(1).unwrap().parse().unwrap();
    let waited = jiff::Timestamp::now().duration_since(since);
    assert!(
        waited.as_secs() >= 5,
        "it counts from the first failure: {waited}"
    );
    drop(job);
}
