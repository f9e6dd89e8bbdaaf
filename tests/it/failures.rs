//! Deploys that must fail, in words and with nothing changed that should not be.

use crate::blue_green;
use crate::stage::{LIFE, OLD_IMAGE, Stage, demo_app, event, image, plain};
use landfall_sandbox::aws::{AwsFault, ParameterKind};
use landfall_sandbox::kubernetes::Kubernetes;
use serde_json::json;

const NEW_IMAGE: &str = "registry.example.com/demo-app:2.0.0";

#[tokio::test(flavor = "multi_thread")]
async fn wrong_parameters_are_all_named_at_once() {
    let stage = Stage::new().await;
    let (kind, message) = stage.refused(json!({"deployement": "x", "images": {"app": ""}, "timeout": "5x", "strategy": "blueGreen",
            "manifest": 7, "restart": "yes", "namespace": "Bad_Name",
            "env": {"A": 1}, "container": 3, "execution": "#{codepipeline.PipelineExecutionId}"}),
    )
    .await;
    assert_eq!(kind, "ConfigurationError");
    for field in [
        "`deployement` is unknown; did you mean `deployment`?",
        "`images.app` is empty",
        "`timeout` `5x` is not a valid duration",
        "`service` is missing: the Service that is switched",
        "`manifest` must be a Deployment as a JSON object",
        "`restart` must be true or false",
        "`namespace` is `Bad_Name`, which is not a valid Kubernetes name",
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
    Nothing was deployed: `UserParameters` are not valid JSON. At character 57, the arrow in `…: "demo-app", "env": {"…": "…"→h…`: expected `,` or `}`. CodePipeline puts the value of a #{variable} into the text as it is and escapes nothing: a quote, a backslash or a line break in a value (a commit message, say) breaks the JSON. Use variables whose values have none of them, such as a commit id.

    Correct the action's UserParameters and release the change again. See docs/operations.md, parameters.
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
    let mut paused = demo_app(600);
    paused["metadata"]["name"] = json!("paused");
    paused["spec"]["paused"] = json!(true);
    let stage = Stage::given([demo_app(600), paused]).await;
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
        let (kind, message) = stage.refused(parameters).await;
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
    assert_eq!(stage.image().await, OLD_IMAGE);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rotated_token_is_fetched_anew_once() {
    let stage = Stage::new().await;
    stage.deploy(image("a:1")).await.success();
    let token = stage.cluster.rotate_token().await;
    let (kind, message) = stage.deploy(image("a:2")).await.failure();
    assert_eq!(kind, "PermissionError");
    assert!(
        message.contains("does not accept the bearer token"),
        "{message}"
    );
    stage.aws.put_parameter(
        "k8s-bear-token",
        &format!(" {token}\n"),
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
    let (kind, message) = stage.refused(image(NEW_IMAGE)).await;
    assert_eq!(kind, "PermissionError");
    assert!(
        message.contains("expired at 2023-11-14T22:13:20Z"),
        "{message}"
    );
    let requests = stage.cluster.requests().unwrap_or_default();
    assert_eq!(requests, [], "the cluster need not be asked");
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
        let (found, message) = stage.refused(image(NEW_IMAGE)).await;
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
            "`K8S_CA` cannot be used: it is neither",
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
        let stage = Stage::given_with([demo_app(600)], &variables).await;
        // An address that does not answer is tried for as long as the deploy has time.
        let mut parameters = image(NEW_IMAGE);
        parameters["timeout"] = json!("5s");
        let (found, message) = stage.refused(parameters).await;
        assert_eq!(found, kind, "{message}");
        assert!(message.contains(words), "{words} is not in\n{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ca_may_come_from_ssm() {
    let environment = [("K8S_CA", None), ("K8S_CA_PARAMETER", Some("/cluster/ca"))];
    let stage = Stage::given_with([demo_app(600)], &environment).await;
    stage
        .aws
        .put_parameter("/cluster/ca", stage.cluster.ca(), ParameterKind::String);
    stage.deploy(image(NEW_IMAGE)).await.success();
    let calls = stage.aws.calls();
    let fetched = calls
        .iter()
        .filter(|call| call.target.contains("AmazonSSM"));
    assert_eq!(fetched.count(), 1, "token and CA in one call");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_image_that_does_not_exist_fails_and_the_old_version_comes_back() {
    let stage = Stage::given([demo_app(3)]).await;
    let ended = stage
        .deploy(image("registry.example.com/demo-app:missing"))
        .await;
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed");
    // What is between, events above all, is each cluster's own.
    let message = plain(&message);
    let (cause, rest) = message.split_once("\n\n").unwrap();
    let (_, done) = rest.rsplit_once("\n\n").unwrap();
    insta::assert_snapshot!(format!("{cause}\n\n{done}"), @r#"
    The new version of Deployment `demo-app` in `default` does not serve: `app` in pod `demo-app-POD` cannot start: its registry does not have the image `registry.example.com/demo-app:missing`; Kubernetes saw no progress for 3 s (progressDeadlineSeconds), with 0 of 2 new pods available.

    Rolled back: revision 3 (registry.example.com/demo-app:1.0.0) serves again.
    Push the image and retry the stage, or correct its name and release the change again. See docs/operations.md, image-not-found.
    "#);
    assert_eq!(stage.image().await, OLD_IMAGE);
    assert_eq!(stage.ready_images().await, [OLD_IMAGE; 2]);
    let deployment = stage.deployment().await;
    assert!(deployment["metadata"]["annotations"]["landfall/cause"].is_string());
    // What was rolled back can be deployed again, and a good version leaves no trace of it.
    stage.deploy(image(NEW_IMAGE)).await.success();
    let annotations = stage.deployment().await["metadata"]["annotations"].take();
    assert_eq!(annotations.get("landfall/cause"), None);
    assert_eq!(annotations.get("landfall/rolled-back"), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_rollback_a_failed_version_stays() {
    let stage = Stage::given([demo_app(2)]).await;
    let mut parameters = image("demo-app:never-ready");
    parameters["rollback"] = json!(false);
    let (kind, message) = stage.deploy(parameters).await.failure();
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("It was left as it is, because `rollback` is false: 2 of 2 pods serve."),
        "{message}"
    );
    assert_eq!(stage.image().await, "demo-app:never-ready");
    stage.wrote(&["PATCH"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn our_own_timeout_ends_what_kubernetes_would_wait_for() {
    let stage = Stage::given([demo_app(600)]).await;
    let mut parameters = image("demo-app:never-ready");
    parameters["timeout"] = json!("2s");
    let (kind, message) = stage.deploy(parameters).await.failure();
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("the rollout was not complete within 2 s (timeout)"),
        "{message}"
    );
    assert!(
        message.contains(
            "Rolled back: revision 3 (registry.example.com/demo-app:1.0.0) serves again."
        ),
        "{message}"
    );
    assert_eq!(stage.ready_images().await, [OLD_IMAGE; 2]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_version_that_fails_has_nothing_to_return_to() {
    let stage = Stage::given([]).await;
    let mut manifest = demo_app(2);
    manifest["spec"]["template"]["spec"]["containers"][0]["image"] = json!("demo-app:never-ready");
    let (kind, message) = stage.deploy(json!({"manifest": manifest})).await.failure();
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("there is none to roll back to"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_version_that_is_already_there_is_no_success() {
    let mut deployment = demo_app(2);
    deployment["spec"]["template"]["spec"]["containers"][0]["image"] =
        json!("demo-app:never-ready");
    let stage = Stage::given([deployment]).await;
    let (kind, message) = stage.refused(image("demo-app:never-ready")).await;
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("It already ran this version before the job began"),
        "{message}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_later_deploy_is_left_alone() {
    let stage = Stage::given([demo_app(600)]).await;
    let other = async {
        stage.written().await;
        stage.cluster.set_image("theirs:1").await;
    };
    let (ended, ()) = tokio::join!(stage.deploy(image("demo-app:never-ready")), other);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "RevisionOutOfSync");
    assert!(message.contains("the later change was kept"), "{message}");
    assert_eq!(stage.image().await, "theirs:1");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deployment_that_is_deleted_meanwhile_is_told() {
    let stage = Stage::given([demo_app(600)]).await;
    let other = async {
        stage.written().await;
        stage.cluster.delete().await;
    };
    let (ended, ()) = tokio::join!(stage.deploy(image("demo-app:never-ready")), other);
    let (kind, message) = ended.failure();
    assert_eq!(kind, "JobFailed");
    assert!(
        message.contains("was deleted during its rollout"),
        "{message}"
    );
}

/// A switch tries its new Deployment on the server before it writes anything.
#[tokio::test(flavor = "multi_thread")]
async fn a_new_version_that_the_server_refuses_changes_nothing() {
    let stage = blue_green::stage().await;
    let before = blue_green::service(&stage).await;
    let manifest = json!({"metadata": {"name": "demo-app"}, "spec": {"template": {
        "metadata": {"labels": {"app": "demo-app"}},
        "spec": {"containers": [{"name": "app", "image": NEW_IMAGE, "imagePulPolicy": "Always",
            "ports": [{"containerPort": 70_000}]}]}}}});
    for strategy in ["blueGreen", "immutable"] {
        let (kind, message) = stage
            .refused(json!({"service": "demo-app", "strategy": strategy, "manifest": manifest}))
            .await;
        assert_eq!(kind, "ConfigurationError", "{message}");
        let said = "was not changed: the API server refused to create deployments.apps";
        assert!(message.contains(said), "{message}");
        assert!(message.contains("imagePulPolicy"), "{message}");
    }
    assert_eq!(blue_green::service(&stage).await, before);
}
