//! Deploys by a kubeconfig with one context: each kind of user, and what is read again when.

use super::{CLUSTER, NEW_IMAGE, assert_silent, calls_in, described, user, users, world};
use crate::cluster::TOKEN;
use crate::stage::{Environment, Stage, demo_app, image};
use landfall_sandbox::aws::{ParameterKind, ROLE, Role};
use landfall_sandbox::kubeconfig::{self, Context, User};
use landfall_sandbox::kubernetes::KeyForm;
use serde_json::json;

/// The parameter with the kubeconfig.
pub const PARAMETER: &str = "a-kubeconfig";

/// A function that knows nothing but where its kubeconfig is, which is not there yet.
pub async fn empty(more: Environment<'_>) -> Stage {
    let mut environment = vec![
        ("K8S_CLUSTER", None),
        ("K8S_CA", None),
        ("KUBECONFIG_PARAMETER", Some(PARAMETER)),
        ("RUST_LOG", Some("trace")),
    ];
    environment.extend_from_slice(more);
    let prepare = |world: &mut landfall_sandbox::world::World, now| {
        world.apply(demo_app(600), now);
    };
    Stage::in_sandbox_with(prepare, &environment).await
}

/// The story's cluster as a context.
pub fn context(stage: &Stage, name: &str, user: User) -> Context {
    Context {
        name: name.to_owned(),
        server: stage.cluster.url().to_owned(),
        ca: Some(stage.cluster.ca().to_owned()),
        user,
    }
}

/// Stores a kubeconfig with these contexts.
pub fn store(stage: &Stage, contexts: &[Context]) {
    let text = kubeconfig::write(contexts);
    let kind = ParameterKind::SecureString;
    stage.aws.put_parameter(PARAMETER, &text, kind);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_opens_it_and_the_parameter_is_read_once_while_warm() {
    let stage = empty(&[]).await;
    store(
        &stage,
        &[context(&stage, "only", User::Token(TOKEN.to_owned()))],
    );
    for version in [NEW_IMAGE, "repo/app:3"] {
        stage.deploy(image(version)).await.success();
    }
    assert_eq!(calls_in(&stage), ["AmazonSSM.GetParameters"]);
    assert_silent(&stage, &[TOKEN]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_certificate_opens_it_in_each_form_of_its_key() {
    for form in [KeyForm::Pkcs8, KeyForm::Pkcs1, KeyForm::Sec1] {
        let stage = empty(&[]).await;
        let pair = stage.sandbox().issue("jane", &["landfall"], form).unwrap();
        let key = pair.key.lines().nth(1).unwrap().to_owned();
        store(&stage, &[context(&stage, "only", User::Certificate(pair))]);
        for version in [NEW_IMAGE, "repo/app:3"] {
            stage.deploy(image(version)).await.success();
        }
        assert_eq!(users(&stage), user("jane"), "{form:?}");
        assert_silent(&stage, &[&key]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_certificate_that_is_not_known_or_not_bound_is_refused() {
    let other = Stage::in_sandbox(|_, _| ()).await;
    let stage = empty(&[]).await;
    let foreign = other.sandbox().issue("jane", &["landfall"], KeyForm::Sec1);
    let unbound = stage.sandbox().issue("joe", &["others"], KeyForm::Sec1);
    for (pair, status) in [(foreign, 401), (unbound, 403)] {
        let pair = User::Certificate(pair.unwrap());
        store(&stage, &[context(&stage, "only", pair)]);
        let (kind, message) = stage.refused(image(NEW_IMAGE)).await;
        assert_eq!(kind, "PermissionError", "{message}");
        assert!(message.contains(&format!("HTTP {status}")), "{message}");
        assert_silent(&stage, &[]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_aws_cli_writes_is_done_by_the_function_itself() {
    const DEPLOYER: &str = "arn:aws:iam::444455556666:role/deployer";
    for role in [None, Some(DEPLOYER)] {
        let stage = empty(&[]).await;
        stage.aws.put_role(Role::new(DEPLOYER));
        // Where it is and its CA are in the kubeconfig: EKS is not asked.
        stage.aws.put_cluster(described(&stage));
        let keys = stage.aws.keys();
        world(&stage, |world| {
            world.trust_iam(CLUSTER, keys);
            world.enter(role.unwrap_or(ROLE), &["landfall"]);
        });
        let eks = User::of_eks(CLUSTER, "eu-west-1", role);
        store(&stage, &[context(&stage, "only", eks)]);
        for version in [NEW_IMAGE, "repo/app:3"] {
            stage.deploy(image(version)).await.success();
        }
        let session = match role {
            None => "arn:aws:sts::111122223333:assumed-role/landfall/landfall",
            Some(_) => "arn:aws:sts::444455556666:assumed-role/deployer/landfall",
        };
        assert_eq!(users(&stage), user(session));
        let mut calls = vec!["AmazonSSM.GetParameters"];
        calls.extend(role.map(|_| "STS.AssumeRole"));
        assert_eq!(calls_in(&stage), calls);
        assert_silent(&stage, &[]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_secrets_manager_is_read_through_ssm() {
    let reference = "/aws/reference/secretsmanager/team/kubeconfig";
    let stage = empty(&[("KUBECONFIG_PARAMETER", Some(reference))]).await;
    let token = User::Token(TOKEN.to_owned());
    let text = kubeconfig::write(&[context(&stage, "only", token)]);
    stage.aws.put_secretsmanager("team/kubeconfig", &text);
    stage.deploy(image(NEW_IMAGE)).await.success();
    // SSM repeats the whole secret beside its value.
    assert_silent(&stage, &[TOKEN, "secretString"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kubeconfig_that_was_changed_is_read_again_once_its_credential_is_refused() {
    let stage = empty(&[]).await;
    let with = |token: &str| [context(&stage, "only", User::Token(token.to_owned()))];
    store(&stage, &with(TOKEN));
    stage.deploy(image(NEW_IMAGE)).await.success();
    world(&stage, |world| world.rotate_token("another-t0ken"));
    store(&stage, &with("another-t0ken"));
    stage.deploy(image("repo/app:3")).await.success();
    assert_eq!(calls_in(&stage), ["AmazonSSM.GetParameters"; 2]);
    // Once the new one is refused as well, that is what is reported.
    world(&stage, |world| world.rotate_token("a-third"));
    let (kind, message) = stage.deploy(image("repo/app:4")).await.failure();
    assert_eq!(kind, "PermissionError", "{message}");
    assert!(message.contains(PARAMETER), "{message}");
    assert_silent(&stage, &[TOKEN, "another-t0ken"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kubeconfig_that_cannot_be_used_is_one_report_without_a_call_to_the_cluster() {
    let stage = empty(&[]).await;
    let (kind, message) = stage.refused(image(NEW_IMAGE)).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains(PARAMETER), "{message}");
    let foreign = User::Exec("gke-gcloud-auth-plugin", Vec::new());
    store(&stage, &[context(&stage, "only", foreign)]);
    let (kind, message) = stage.refused(image(NEW_IMAGE)).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("gke-gcloud-auth-plugin"), "{message}");
    stage.logged(r#""faults":"users["#).await;
    store(
        &stage,
        &[context(&stage, "only", User::Token(TOKEN.to_owned()))],
    );
    let mut parameters = image(NEW_IMAGE);
    parameters["cluster"] = json!("elsewhere");
    let (kind, message) = stage.refused(parameters).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("`elsewhere`"), "{message}");
    assert!(message.contains("only"), "{message}");
    assert_eq!(stage.requests(), []);
    assert_silent(&stage, &[TOKEN]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_is_refused_where_there_is_no_kubeconfig() {
    let prepare = |world: &mut landfall_sandbox::world::World, now| {
        world.apply(demo_app(600), now);
    };
    let stage = Stage::in_sandbox(prepare).await;
    let mut parameters = image(NEW_IMAGE);
    parameters["cluster"] = json!("prod");
    let (kind, message) = stage.refused(parameters).await;
    assert_eq!(kind, "ConfigurationError", "{message}");
    assert!(message.contains("KUBECONFIG_PARAMETER"), "{message}");
    assert_eq!(stage.requests(), []);
}
