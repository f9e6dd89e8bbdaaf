//! The canary in every position of a kubeconfig, in every broken form.

use super::{CANARY, assert_silent, jwt, pems, tokens};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use landfall_core::kubeconfig::Kubeconfig;
use landfall_core::outcome::{
    CredentialSource, CredentialsError, KubeconfigError, KubeconfigPlace, ParameterPlace,
};
use landfall_core::report::{self, Report};
use landfall_core::request::{Parameters, Request};
use landfall_core::state::continuation::Phase;
use landfall_core::text::redaction::Mask;
use serde_json::{Value, json};

/// Where a value may stand that is not a name.
const POSITIONS: [&str; 24] = [
    "/kind",
    "/apiVersion",
    "/preferences",
    "/clusters/0/cluster",
    "/clusters/0/cluster/server",
    "/clusters/0/cluster/certificate-authority",
    "/clusters/0/cluster/certificate-authority-data",
    "/clusters/0/cluster/tls-server-name",
    "/clusters/0/cluster/proxy-url",
    "/clusters/0/cluster/insecure-skip-tls-verify",
    "/users/0/user",
    "/users/0/user/token",
    "/users/0/user/tokenFile",
    "/users/0/user/client-certificate-data",
    "/users/0/user/client-key-data",
    "/users/0/user/client-key",
    "/users/0/user/password",
    "/users/0/user/as",
    "/users/0/user/auth-provider",
    "/users/0/user/exec",
    "/users/0/user/exec/command",
    "/users/0/user/exec/args/1",
    "/users/0/user/exec/args/4",
    "/users/0/user/exec/env/0/value",
];

/// Where a name stands.
const NAMES: [&str; 7] = [
    "/current-context",
    "/clusters/0/name",
    "/contexts/0/name",
    "/contexts/0/context",
    "/contexts/0/context/cluster",
    "/contexts/0/context/user",
    "/users/0/name",
];

fn whole() -> Value {
    json!({"apiVersion": "v1", "kind": "Config", "current-context": "demo", "preferences": {},
        "clusters": [{"name": "prod", "cluster": {"server": "https://k8s.example.com"}}],
        "contexts": [{"name": "demo", "context": {"cluster": "prod", "user": "admin"}}],
        "users": [{"name": "admin", "user": {"exec": {"command": "aws-iam-authenticator",
            "args": ["token", "-i", "demo", "-e", "external", "-r", "arn:aws:iam::111122223333:role/a"],
            "env": [{"name": "AWS_PROFILE", "value": "a"}]}}}]})
}

/// The kubeconfig with a value at a position, which replaces the user's credential if it is one.
fn with(position: &str, value: &str) -> Value {
    let mut all = whole();
    let user = position.strip_prefix("/users/0/user/");
    if let Some(field) = user.filter(|field| !field.starts_with("exec")) {
        all["users"][0]["user"] = json!({field: value});
        return all;
    }
    let (parent, field) = position.rsplit_once('/').unwrap();
    match all.pointer_mut(position) {
        Some(place) => *place = json!(value),
        None => all.pointer_mut(parent).unwrap()[field] = json!(value),
    }
    all
}

/// The message of the report on a kubeconfig that cannot be used.
pub fn reported(error: &KubeconfigError) -> String {
    let source = CredentialSource::Kubeconfig(KubeconfigPlace {
        parameter: ParameterPlace::new("kubeconfig", None, None),
        context: None,
        user: None,
    });
    let parameters = json!({"deployment": "web", "restart": true}).to_string();
    let request = Request::parse(&Parameters::Text(parameters), "job").unwrap();
    let error = CredentialsError::Kubeconfig(error.clone());
    match report::access_lost(&request, &Phase::Start, &error, &source) {
        Report::Failure { message, .. } => message,
        Report::Success { .. } | Report::Progress { .. } => panic!("not a failure"),
    }
}

/// What is said about a text: the error and its report, or what Debug shows of what was read.
fn said(text: &str) -> String {
    let words = |error: &KubeconfigError| format!("{error:?} {}", reported(error));
    let kubeconfig = match Kubeconfig::read(text) {
        Ok(kubeconfig) => kubeconfig,
        Err(error) => return words(&error),
    };
    let selected = [None, Some("other")].map(|name| match kubeconfig.select(name) {
        // The address and the certificates are no secrets.
        Ok(selected) => format!("{:?}", selected.user),
        Err(error) => words(&error),
    });
    format!("{kubeconfig:?} {}", selected.join(" "))
}

#[test]
fn no_error_has_anything_of_a_kubeconfig() {
    let values = pems().into_iter().chain(tokens()).chain([
        jwt(),
        CANARY.to_owned(),
        STANDARD.encode(CANARY),
        format!("k8s-aws-v1.{CANARY}"),
        format!("https://{CANARY}@proxy:3128"),
        format!("socks5://u:{CANARY}@proxy:1080"),
        format!("--external-id={CANARY}"),
        format!("-e{CANARY}"),
        format!("/{CANARY}/{CANARY}"),
    ]);
    for value in values {
        for position in POSITIONS {
            let all = with(position, &value);
            let json = all.to_string();
            assert_silent(position, &said(&json));
            assert_silent(position, &said(&STANDARD.encode(&json)));
            assert_silent(position, &said(&json[..json.len() * 2 / 3]));
            // As it is, and so mostly damaged.
            let raw = serde_json::to_string(&value).unwrap();
            assert_silent(position, &said(&json.replace(&raw, &value)));
            let twice = json.replace(&raw, &format!("{raw}, {raw}: 1, {raw}: 2"));
            assert_silent(position, &said(&twice));
        }
        assert_silent("the text itself", &said(&value));
        assert_silent(
            "a field",
            &said(&format!("clusters: []\n{value}: 1\n{value}: 2\n")),
        );
    }
}

/// A token or a key is not shown as a name either, in its place or beside it.
#[test]
fn no_name_is_a_secret() {
    let key = format!("-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n");
    let values = [
        jwt(),
        format!("k8s-aws-v1.{CANARY}"),
        key.clone(),
        STANDARD.encode(&key),
    ];
    for position in NAMES {
        for value in &values {
            assert_silent(position, &said(&with(position, value).to_string()));
        }
        let mut all = with(position, CANARY);
        let other = json!({"name": "other", "user": {"token": CANARY}});
        all["users"].as_array_mut().unwrap().push(other);
        assert_silent(position, &said(&all.to_string()));
    }
}

/// What is read as a secret is redacted, also of contexts that are not used.
#[test]
fn every_secret_of_a_kubeconfig_is_redacted() {
    let key = format!("-----BEGIN PRIVATE KEY-----\n{CANARY}\n-----END PRIVATE KEY-----\n");
    let rows = [
        ("/users/0/user/token", CANARY.to_owned()),
        ("/users/0/user/password", CANARY.to_owned()),
        ("/users/0/user/client-key-data", STANDARD.encode(&key)),
        ("/users/0/user/exec/args/4", CANARY.to_owned()),
        (
            "/users/0/user/exec/args/1",
            format!("--external-id={CANARY}"),
        ),
        (
            "/clusters/0/cluster/proxy-url",
            format!("http://u:{CANARY}@proxy:3128"),
        ),
        (
            "/clusters/0/cluster/proxy-url",
            format!("http://{CANARY}@proxy:3128"),
        ),
        (
            "/clusters/0/cluster/server",
            format!("https://u:{CANARY}@k8s.example.com"),
        ),
    ];
    for (position, value) in rows {
        let kubeconfig = Kubeconfig::read(&with(position, &value).to_string()).unwrap();
        let mut mask = Mask::new();
        mask.add(kubeconfig.secrets());
        let log = format!("it said {CANARY}, {}, {value}", STANDARD.encode(CANARY));
        assert_silent(position, &mask.text(&log));
        assert_eq!(mask.text("admin of prod in demo"), "admin of prod in demo");
    }
}
