//! Several clusters in one process: each has its own connection, credential and redaction.

use super::kubeconfig::{context, empty, store};
use super::{CLUSTER, assert_silent, calls_in, world};
use crate::cluster::{self, Cluster, TOKEN};
use crate::stage::{LIFE, OLD_IMAGE, SHORT, demo_app};
use jiff::{SignedDuration, Timestamp};
use landfall_sandbox::aws::ROLE;
use landfall_sandbox::kubeconfig::{Context, User};
use landfall_sandbox::kubernetes::{KeyForm, Kubernetes};
use landfall_sandbox::world::{Behaviour, Seen};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Another cluster with the same Deployment, which takes another token.
async fn another(token: &str) -> Kubernetes {
    let mut world = cluster::world();
    world.rotate_token(token);
    let earlier = Timestamp::now() - SignedDuration::from_mins(1);
    world.apply(demo_app(600), earlier);
    world.settle(earlier);
    Kubernetes::start(world).await.unwrap()
}

fn context_of(kubernetes: &Kubernetes, name: &str, user: User) -> Context {
    Context {
        name: name.to_owned(),
        server: kubernetes.url().to_owned(),
        ca: Some(kubernetes.ca().to_owned()),
        user,
    }
}

fn to(cluster: &str, image: &str) -> Value {
    json!({"deployment": "demo-app", "images": {"app": image}, "cluster": cluster})
}

fn requests(kubernetes: &Kubernetes) -> Vec<Seen> {
    kubernetes.world(|world, _| world.requests().to_vec())
}

fn users(seen: &[Seen]) -> BTreeSet<&str> {
    seen.iter().map(|seen| &*seen.user).collect()
}

fn image_of(kubernetes: &Kubernetes) -> Value {
    kubernetes.world(|world, _| {
        let deployment = world.deployment("default", "demo-app").unwrap();
        deployment["spec"]["template"]["spec"]["containers"][0]["image"].clone()
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn clusters_take_turns_in_one_warm_process_each_by_its_own_way() {
    let stage = empty(&[]).await;
    let (second, third) = (another("unused-2").await, another("unused-3").await);
    let pair = second.issue("jane", &["landfall"], KeyForm::Pkcs8).unwrap();
    let key = pair.key.lines().nth(1).unwrap().to_owned();
    let keys = stage.aws.keys();
    third.world(|world, _| {
        world.trust_iam(CLUSTER, keys);
        world.enter(ROLE, &["landfall"]);
    });
    store(
        &stage,
        &[
            context(&stage, "first", User::Token(TOKEN.to_owned())),
            context_of(&second, "second", User::Certificate(pair)),
            context_of(&third, "third", User::of_eks(CLUSTER, "us-east-1", None)),
        ],
    );
    for round in 1..=3 {
        for name in ["first", "second", "third"] {
            let version = format!("repo/{name}:{round}");
            stage.deploy(to(name, &version)).await.success();
        }
    }
    assert_eq!(stage.image().await, "repo/first:3");
    assert_eq!(image_of(&second), "repo/second:3");
    assert_eq!(image_of(&third), "repo/third:3");
    let account = "system:serviceaccount:default:landfall";
    assert_eq!(users(&stage.requests()), BTreeSet::from([account]));
    assert_eq!(users(&requests(&second)), BTreeSet::from(["jane"]));
    let session = "arn:aws:sts::111122223333:assumed-role/landfall/landfall";
    assert_eq!(users(&requests(&third)), BTreeSet::from([session]));
    // What one is asked to run is never sent to another.
    for (kubernetes, own) in [
        (stage.sandbox(), "first"),
        (&second, "second"),
        (&third, "third"),
    ] {
        let bodies = format!("{:?}", requests(kubernetes));
        for other in ["first", "second", "third"] {
            let sent = bodies.contains(&format!("repo/{other}:"));
            assert_eq!(sent, other == own, "{own} got {other}");
        }
    }
    assert!(
        calls_in(&stage)
            .iter()
            .all(|call| call == "AmazonSSM.GetParameters")
    );
    assert_silent(&stage, &[TOKEN, &key]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_of_another_context_is_hidden_as_well() {
    const OTHER: &str = "t0ken-of-the-other-cluster";
    let stage = empty(&[]).await;
    let second = another(OTHER).await;
    let pair = second.issue("jane", &["landfall"], KeyForm::Pkcs8).unwrap();
    let key = pair.key.lines().nth(1).unwrap().to_owned();
    store(
        &stage,
        &[
            context(&stage, "first", User::Token(TOKEN.to_owned())),
            context_of(&second, "second", User::Token(OTHER.to_owned())),
            context_of(&second, "third", User::Certificate(pair)),
        ],
    );
    world(&stage, |world| {
        world.behave(
            "leaky",
            Behaviour::CrashLoop {
                exit_code: 1,
                log: format!("the token is {OTHER}\n{key}\nand that is all\n"),
                reason: None,
            },
        );
    });
    let mut parameters = to("first", "leaky:1");
    parameters["patience"] = json!("1s");
    let (kind, message) = stage.deploy(parameters).await.failure();
    assert_eq!(kind, "JobFailed", "{message}");
    assert!(message.contains("[hidden]"), "{message}");
    assert!(message.contains("and that is all"), "{message}");
    assert_silent(&stage, &[OTHER, &key, TOKEN]);
    assert_eq!(requests(&second), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_is_not_continued_in_another_cluster_of_the_same_name() {
    let stage = empty(&[]).await;
    let second = another(TOKEN).await;
    let token = || User::Token(TOKEN.to_owned());
    store(&stage, &[context(&stage, "prod", token())]);
    stage.aws.reinvoke_after(std::time::Duration::from_secs(2));
    let mut stage = stage;
    let event = stage.event(&to("prod", "repo/app:2-after-4s"));
    let job = stage.aws.submit(event, SHORT);
    stage.written().await;
    store(&stage, &[context_of(&second, "prod", token())]);
    while stage.aws.reports().is_empty() {
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    // The next process reads the parameter anew.
    stage.function.kill();
    let within = LIFE;
    let outcome = stage.aws.outcome(&job, within).await;
    let told = format!("{outcome:?}");
    assert!(
        told.contains("Failed") && told.contains("ConfigurationError"),
        "{told}"
    );
    assert_eq!(image_of(&second), OLD_IMAGE);
    let writes = requests(&second).into_iter();
    let writes = writes.filter(|seen| seen.method != "GET");
    assert_eq!(writes.count(), 0);
    assert!(matches!(stage.cluster, Cluster::Sandbox(_)));
    assert_silent(&stage, &[TOKEN]);
}

/// The context leads to another cluster while a deploy is under way, whose own cluster then refuses
/// the credential: the deploy has no business in the other one.
#[tokio::test(flavor = "multi_thread")]
async fn a_context_that_moves_during_a_deploy_takes_the_deploy_nowhere() {
    let stage = empty(&[]).await;
    let second = another("the-0ther-token").await;
    let own = User::Token(TOKEN.to_owned());
    store(&stage, &[context(&stage, "prod", own)]);
    let job = stage
        .aws
        .submit(stage.event(&to("prod", "repo/app:2-after-4s")), LIFE);
    stage.written().await;
    let other = User::Token("the-0ther-token".to_owned());
    store(&stage, &[context_of(&second, "prod", other)]);
    world(&stage, |world| world.rotate_token("nobody-kn0ws"));
    let outcome = stage.aws.outcome(&job, LIFE).await;
    assert!(format!("{outcome:?}").contains("Failed"), "{outcome:?}");
    assert_eq!(requests(&second), []);
    assert_eq!(image_of(&second), OLD_IMAGE);
    assert_silent(&stage, &[TOKEN, "the-0ther-token"]);
}
