//! Kubeconfigs by somebody who means harm, or who lets a program write them: one report each, soon,
//! without a secret and without a call to the cluster.

use super::kubeconfig::{PARAMETER, empty};
use super::{NEW_IMAGE, assert_silent, by_iam, calls_in, described, world};
use crate::cluster::{Cluster, TOKEN};
use crate::stage::{Stage, demo_app, function, image};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::SignedDuration;
use landfall_sandbox::aws::{EksCluster, ParameterKind, Role};
use landfall_sandbox::function::Function;
use landfall_sandbox::kubernetes::Kubernetes;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const PASSWORD: &str = "a-pr0xy-passw0rd";
const OTHER: &str = "an0ther-clusters-t0ken";

fn store(stage: &Stage, text: &str) {
    let kind = ParameterKind::SecureString;
    stage.aws.put_parameter(PARAMETER, text, kind);
}

/// A kubeconfig of one context whose cluster has other fields as well.
fn with(stage: &Stage, more: Value) -> Value {
    let mut cluster = json!({
        "server": stage.cluster.url(),
        "certificate-authority-data": STANDARD.encode(stage.cluster.ca()),
    });
    let fields = cluster.as_object_mut().unwrap();
    fields.extend(more.as_object().unwrap().clone());
    json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "c", "cluster": cluster}],
        "users": [
            {"name": "u", "user": {"token": TOKEN}},
            {"name": "other", "user": {"token": OTHER}},
        ],
        "contexts": [{"name": "only", "context": {"cluster": "c", "user": "u"}}],
    })
}

/// A list of contexts with these names, and nothing else.
fn contexts(names: impl Iterator<Item = String>) -> String {
    let contexts = names.map(|name| json!({"name": name, "context": {"cluster": "c"}}));
    let contexts = contexts.collect::<Vec<_>>();
    json!({"apiVersion": "v1", "kind": "Config", "contexts": contexts}).to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_would_grow_or_hide_is_refused_soon() {
    let stage = empty(&[]).await;
    let bomb = (1..30).map(|level| {
        let former = level - 1;
        format!("x{level}: &a{level} [*a{former}, *a{former}, *a{former}, *a{former}]\n")
    });
    let bomb = format!("kind: Config\nx0: &a0 [lol]\n{}", bomb.collect::<String>());
    let deep = format!("kind: Config\nusers: {}", "[".repeat(65_000));
    let cycle = "kind: Config\nusers: &a [*a]\ncontexts: *a\n".to_owned();
    let merge = "kind: Config\ncontexts: &a\n- <<: *a\n  name: x\n".to_owned();
    let nameless = contexts((0..1_200).map(|_| String::new()));
    let many = contexts((0..1_200).map(|number| format!("context-{number}")));
    let equal = contexts((0..1_200).map(|_| "only".to_owned()));
    let odd = contexts(
        ["a\u{1b}[2J\u{202e}b\nc", "d"]
            .map(str::to_owned)
            .into_iter(),
    );
    let long = contexts(["a".repeat(300), "b".repeat(60_000)].into_iter());
    let large = contexts((0..10_000).map(|number| format!("context-{number}")));
    let wrapped = STANDARD.encode(STANDARD.encode(STANDARD.encode("kind: Config")));
    for text in [
        bomb, deep, cycle, merge, nameless, many, equal, odd, long, large, wrapped,
    ] {
        let start: String = text.chars().take(60).collect();
        store(&stage, &text);
        let begun = Instant::now();
        let (kind, message) = stage.refused(image(NEW_IMAGE)).await;
        let took = begun.elapsed();
        assert_eq!(kind, "ConfigurationError", "{start}: {message}");
        assert!(took < Duration::from_secs(3), "{start}: {took:?}");
        assert!(message.len() < 2_000, "{start}: {message}");
        let is_odd = |it: char| it.is_control() && it != '\n' || it == '\u{202e}';
        assert!(!message.contains(is_odd), "{start}: {message:?}");
    }
    assert_eq!(stage.requests(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_where_the_credential_does_not_belong_gets_nothing() {
    let stage = empty(&[]).await;
    for cluster in [
        json!({"server": "http://169.254.169.254/latest/meta-data"}),
        json!({"server": "http://169.254.169.254"}),
        json!({"server": "http://localhost.example.com"}),
        json!({"server": "https://user:pass@127.0.0.1"}),
        json!({"server": "https://127.0.0.1?a=b"}),
        json!({"server": "https://0/"}),
        json!({"server": "unix:///var/run/x"}),
        json!({"tls-server-name": "127.0.0.1"}),
        json!({"tls-server-name": "::1"}),
        json!({"tls-server-name": "0x7f.1"}),
        json!({"insecure-skip-tls-verify": true}),
        json!({"proxy-url": format!("socks5://u:{PASSWORD}@127.0.0.1:1")}),
    ] {
        store(&stage, &with(&stage, cluster.clone()).to_string());
        let (kind, message) = stage.refused(image(NEW_IMAGE)).await;
        assert_eq!(kind, "ConfigurationError", "{cluster}: {message}");
        assert_eq!(stage.requests(), []);
    }
    assert_silent(&stage, &[TOKEN, OTHER, PASSWORD]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_path_or_a_name_leads_to_the_server_and_nowhere_else() {
    let paths = ["/", "//", "/a/../", "/%2e%2e/.."];
    let paths = paths.map(|path| move |url: &str| json!({"server": format!("{url}{path}")}));
    for more in paths {
        let stage = empty(&[]).await;
        let cluster = more(stage.cluster.url());
        store(&stage, &with(&stage, cluster).to_string());
        stage.deploy(image(NEW_IMAGE)).await.success();
    }
    let stage = empty(&[]).await;
    let cluster = json!({"tls-server-name": "localhost"});
    store(&stage, &with(&stage, cluster).to_string());
    stage.deploy(image(NEW_IMAGE)).await.success();
    for (server, seen) in [
        ("https://127.0.0.1:PORT/a%2fb", true),
        ("https://127.0.0.1:PORT/k8s//clusters/c-1", true),
        ("https://[::1]:PORT", false),
        ("https://127.0.0.2:PORT", false),
    ] {
        let stage = empty(&[]).await;
        let server = server.replace("PORT", &stage.sandbox().port().to_string());
        store(&stage, &with(&stage, json!({"server": server})).to_string());
        let mut parameters = image(NEW_IMAGE);
        parameters["timeout"] = json!("3s");
        let begun = Instant::now();
        let (kind, message) = stage.refused(parameters).await;
        assert!(begun.elapsed() < Duration::from_secs(20), "{server}");
        assert_eq!(!stage.requests().is_empty(), seen, "{server}: {message}");
        let expected = if seen {
            "PermissionError"
        } else {
            "SystemUnavailable"
        };
        assert_eq!(kind, expected, "{server}: {message}");
        assert_silent(&stage, &[TOKEN, OTHER]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_corrected_counts_for_the_retry() {
    const NO_ROLE: &str = "arn:aws:iam::111122223333:role/none";
    let exec =
        json!({"command": "aws-iam-authenticator", "args": ["token", "-i", "c", "-r", NO_ROLE]});
    for (place, value) in [
        ("/clusters/0/cluster/server", json!("http://example.com")),
        ("/users/0/user", json!({"exec": exec})),
    ] {
        let stage = empty(&[]).await;
        let good = with(&stage, json!({}));
        let mut bad = good.clone();
        *bad.pointer_mut(place).unwrap() = value;
        store(&stage, &bad.to_string());
        stage.refused(image(NEW_IMAGE)).await;
        store(&stage, &good.to_string());
        stage.deploy(image(NEW_IMAGE)).await.success();
        // A context that is new.
        let mut two = good.clone();
        let second = json!({"name": "second", "context": {"cluster": "c", "user": "u"}});
        two["contexts"].as_array_mut().unwrap().push(second);
        store(&stage, &two.to_string());
        let mut parameters = image("repo/app:4");
        parameters["cluster"] = json!("second");
        stage.deploy(parameters).await.success();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_of_any_name_is_asked_for() {
    let stage = empty(&[]).await;
    store(&stage, &with(&stage, json!({})).to_string());
    let names = [
        "a".repeat(300),
        "a\u{1b}[2J\u{202e}b\nc`".to_owned(),
        OTHER.to_owned(),
    ];
    for name in names {
        let mut parameters = image(NEW_IMAGE);
        parameters["cluster"] = json!(name);
        let (kind, message) = stage.refused(parameters).await;
        assert_eq!(kind, "ConfigurationError", "{message}");
        let is_odd = |it: char| it.is_control() && it != '\n' || it == '\u{202e}';
        assert!(!message.contains(is_odd), "{message:?}");
    }
    assert_eq!(stage.requests(), []);
    assert_silent(&stage, &[TOKEN, OTHER]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxys_password_is_never_told() {
    let proxy = format!("http://user:{PASSWORD}@127.0.0.1:1");
    let by_file = empty(&[]).await;
    let cluster = json!({"proxy-url": proxy});
    store(&by_file, &with(&by_file, cluster).to_string());
    let by_variable = empty(&[("HTTPS_PROXY", Some(&*proxy)), ("NO_PROXY", None)]).await;
    store(&by_variable, &with(&by_variable, json!({})).to_string());
    for stage in [by_file, by_variable] {
        let mut parameters = image(NEW_IMAGE);
        parameters["timeout"] = json!("3s");
        let (kind, message) = stage.deploy(parameters).await.failure();
        assert_eq!(kind, "SystemUnavailable", "{message}");
        assert_eq!(stage.requests(), []);
        assert_silent(
            &stage,
            &[
                TOKEN,
                OTHER,
                PASSWORD,
                &STANDARD.encode(format!("user:{PASSWORD}")),
            ],
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_credential_is_read_again_once_and_no_more() {
    let stage = empty(&[]).await;
    store(
        &stage,
        &with(&stage, json!({})).to_string().replace(TOKEN, OTHER),
    );
    for deploys in 1..=2 {
        let (kind, message) = stage.refused(image(NEW_IMAGE)).await;
        assert_eq!(kind, "PermissionError", "{message}");
        assert!(stage.requests().len() <= 2 * deploys);
        assert!(calls_in(&stage).len() <= 2 * deploys);
    }
    assert_silent(&stage, &[TOKEN, OTHER]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_this_machine_passes_no_proxy() {
    let mut stage = Stage::in_sandbox(|world, now| world.apply(demo_app(600), now)).await;
    let copy = world(&stage, |world| world.clone());
    stage.cluster = Cluster::Sandbox(Kubernetes::start_plain(copy).await.unwrap());
    let endpoint = stage.aws.endpoint().replace("127.0.0.1", "localhost");
    let environment = [
        ("K8S_CLUSTER", stage.cluster.url()),
        ("AWS_ENDPOINT_URL", &*endpoint),
        ("HTTP_PROXY", "http://127.0.0.1:1"),
        ("NO_PROXY", "localhost"),
    ];
    stage.function = Function::supervise(&function(), &stage.aws, &environment).unwrap();
    stage.deploy(image(NEW_IMAGE)).await.success();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_eks_should_never_answer_is_not_used() {
    let endpoints = [
        "http://example.com",
        "https://user:pass@127.0.0.1",
        "https://127.0.0.1/k8s/clusters/c-1",
        "https://169.254.169.254/?x",
        "127.0.0.1:6443",
        "",
    ];
    let endpoints = endpoints.map(|endpoint| (endpoint, None));
    let authorities = [("", Some("no PEM")), ("", Some(""))];
    for (endpoint, ca) in endpoints.into_iter().chain(authorities) {
        let stage = by_iam(&[]).await;
        let good = described(&stage);
        let bad = EksCluster {
            endpoint: match ca {
                None => endpoint.to_owned(),
                Some(_) => good.endpoint.clone(),
            },
            ca: ca.map_or(good.ca.clone(), str::to_owned),
            ..good.clone()
        };
        stage.aws.put_cluster(bad);
        let (kind, message) = stage.refused(image(NEW_IMAGE)).await;
        assert_eq!(kind, "ConfigurationError", "{endpoint} {ca:?}: {message}");
        assert_eq!(stage.requests(), []);
        assert_silent(&stage, &["user:pass"]);
        stage.aws.put_cluster(good);
        stage.deploy(image(NEW_IMAGE)).await.success();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_have_expired_when_they_come_are_asked_for_twice_at_most() {
    const DEPLOYER: &str = "arn:aws:iam::111122223333:role/deployer";
    let stage = by_iam(&[("EKS_ROLE", Some(DEPLOYER))]).await;
    stage.aws.put_role(Role {
        life: -SignedDuration::from_mins(1),
        ..Role::new(DEPLOYER)
    });
    world(&stage, |world| world.enter(DEPLOYER, &["landfall"]));
    let (kind, message) = stage.refused(image(NEW_IMAGE)).await;
    assert_eq!(kind, "PermissionError", "{message}");
    let assumed = calls_in(&stage);
    let assumed = assumed.iter().filter(|call| *call == "STS.AssumeRole");
    assert!(assumed.count() <= 2);
    assert_silent(&stage, &[]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kubeconfig_as_large_as_can_be_slows_nothing_down() {
    let stage = empty(&[]).await;
    let mut kubeconfig = with(&stage, json!({}));
    let more =
        |number: usize| json!({"name": number, "user": {"token": format!("{OTHER}-{number}")}});
    let users = kubeconfig["users"].as_array_mut().unwrap();
    users.extend((0..1_050).map(more));
    let size = kubeconfig.to_string().len();
    assert!((60_000..65_536).contains(&size), "{size}");
    store(&stage, &kubeconfig.to_string());
    let begun = Instant::now();
    for version in [NEW_IMAGE, "repo/app:3"] {
        stage.deploy(image(version)).await.success();
    }
    assert!(begun.elapsed() < Duration::from_secs(10));
    assert_silent(&stage, &[TOKEN, OTHER]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_deploy_goes_where_the_current_context_leads_by_then_and_nowhere_else() {
    let mut stage = empty(&[]).await;
    let first = with(&stage, json!({}));
    let copy = world(&stage, |world| world.clone());
    let mut both = first.clone();
    store(&stage, &first.to_string());
    stage.deploy(image(NEW_IMAGE)).await.success();
    // Another cluster, with another token, under the context that is not named.
    let elsewhere = Kubernetes::start(copy).await.unwrap();
    elsewhere.world(|world, _| world.rotate_token(OTHER));
    let authority = STANDARD.encode(elsewhere.ca());
    let cluster = json!({"server": elsewhere.url(), "certificate-authority-data": authority});
    let context = json!({"cluster": "d", "user": "other"});
    let lists = [
        ("clusters", json!({"name": "d", "cluster": cluster})),
        ("contexts", json!({"name": "second", "context": context})),
    ];
    for (list, entry) in lists {
        both[list].as_array_mut().unwrap().push(entry);
    }
    both["current-context"] = json!("second");
    store(&stage, &both.to_string());
    // The first credential is refused there, so that the kubeconfig is read again.
    world(&stage, |world| world.rotate_token("n0body-kn0ws"));
    stage.deploy(image("repo/app:3")).await.success();
    assert_eq!(stage.image().await, NEW_IMAGE);
    let seen = elsewhere.world(|world, _| world.requests().to_vec());
    assert!(seen.iter().all(|seen| seen.status == 200), "{seen:?}");
    stage.cluster = Cluster::Sandbox(elsewhere);
    stage.deploy(image("repo/app:4")).await.success();
    assert_silent(&stage, &[TOKEN, OTHER]);
}
