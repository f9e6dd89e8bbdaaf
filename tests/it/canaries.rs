//! A canary in every place of token, CA, key, address and parameters, in every broken form: nothing
//! that is said or written has it, in any spelling.

pub mod kubeconfig;
pub mod spellings;

use crate::blue_green::switch;
use crate::stage::{Stage, TOKEN, demo_app, image};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use landfall::http::{self, Trust};
use landfall_core::environment::Environment;
use landfall_core::formats::certificate;
use landfall_core::kubernetes::token::Token;
use landfall_core::outcome;
use landfall_core::text::redaction::{HIDDEN, Mask};
use landfall_sandbox::aws::{JobResult, ParameterKind};
use landfall_sandbox::world::{Behaviour, sample_service};
use serde_json::json;
use spellings::{spelled, spellings};
use std::time::Duration;

/// How many spellings a pod prints.
const SAID: usize = 18;

pub(crate) const CANARY: &str = "C4n4ryV4lu37xQ9";

/// Where a secret stands in one of its spellings, with what is around it.
pub(crate) fn found(secret: &str, text: &str) -> Option<String> {
    let at = spellings(secret)
        .iter()
        .find_map(|spelling| text.find(spelling))?;
    let from = (0..=at.saturating_sub(80))
        .rev()
        .find(|from| text.is_char_boundary(*from))?;
    Some(text[from..].chars().take(200).collect())
}

#[track_caller]
fn assert_silent(what: &str, said: &str) {
    let lower = said.to_lowercase();
    let found = found(CANARY, said);
    assert_eq!(found, None, "{what}: {said}");
    // A part tells enough: nothing quotes the beginning or the end either.
    for part in [&CANARY[..8], &CANARY[7..]] {
        assert!(!lower.contains(&part.to_lowercase()), "{what}: {said}");
    }
}

fn jwt() -> String {
    format!(
        "eyJhbGciOiJSUzI1NiJ9.{}.{CANARY}",
        STANDARD.encode("{}").trim_end_matches('=')
    )
}

/// Certificates and keys with the canary somewhere, broken or not.
fn pems() -> Vec<String> {
    let (begin, end) = ("-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----");
    let coded = STANDARD.encode(CANARY);
    let key = format!("-----BEGIN PRIVATE KEY-----\n{coded}\n-----END PRIVATE KEY-----\n");
    let whole = [
        format!("{begin}\n{CANARY}\n{end}\n"),
        format!("{begin}\n{coded}\n{end}\n"),
        format!("{begin}\nMAA=\n{CANARY}!\n{end}\n"),
        format!("{begin}\n{coded}\n"),
        format!("{coded}\n{end}\n"),
        format!("-----BEGIN {CANARY}-----\n{coded}\n-----END {CANARY}-----\n"),
        format!("-----BEGIN CERTIFICATE{CANARY}\n{coded}\n{end}\n"),
        format!("{begin}\nProc-Type: {CANARY}\n\n{coded}\n{end}\n"),
        key.clone(),
        format!("{key}{begin}\n{coded}\n"),
        format!("{key}{begin}\n{CANARY}=\n{end}\n"),
        key.replace("-----END PRIVATE KEY-----", ""),
        format!("{CANARY}\n{begin}\n"),
        format!("{begin}{}{end}", jwt()),
        CANARY.to_owned(),
        coded,
    ];
    let forms = whole.iter().flat_map(|pem| {
        [
            pem.clone(),
            pem.replace('\n', "\\n"),
            pem.replace('\n', " "),
            pem.replace('\n', ""),
            pem.replace('\n', "\r\n    "),
            pem[..pem.len() * 2 / 3].to_owned(),
            pem[pem.len() / 3..].to_owned(),
            format!("\"{}\"", pem.replace('\n', "\\n")),
            STANDARD.encode(pem),
            format!("{}!", STANDARD.encode(pem)),
        ]
    });
    forms.collect()
}

/// What may be stored in a token's place.
fn tokens() -> Vec<String> {
    let jwt = jwt();
    let secret = format!(
        "apiVersion: v1\nkind: Secret\ndata:\n  token: {}\n",
        STANDARD.encode(&jwt)
    );
    let exec = format!(r#"{{"kind": "ExecCredential", "status": {{"token": "{CANARY}"}}}}"#);
    vec![
        format!("Bearer {jwt}"),
        format!("\"{jwt}\""),
        STANDARD.encode(&jwt),
        STANDARD.encode(format!("{jwt}\n")),
        STANDARD.encode(&secret),
        format!("file://{CANARY}"),
        format!("{CANARY},{CANARY}"),
        format!("{CANARY} {CANARY}"),
        format!("{CANARY}\n{CANARY}"),
        format!("\u{feff}{CANARY}"),
        format!("{CANARY}\u{200b}"),
        format!("{CANARY}é"),
        format!("{CANARY}\u{7}"),
        format!("{{{CANARY}"),
        format!("arn:aws:ssm:eu-west-1:1:parameter/{CANARY}"),
        format!("-----BEGIN PRIVATE KEY-----\n{CANARY}"),
        secret,
        exec[..exec.len() - 3].to_owned(),
        exec,
        format!("Authorization: Bearer {jwt}"),
        format!("token: {CANARY}"),
        format!("export TOKEN={CANARY}"),
        format!("TOKEN={jwt}"),
        format!("${{{CANARY}}}"),
        format!("<{CANARY}>"),
    ]
}

#[test]
fn no_error_of_a_reader_has_anything_of_what_it_read() {
    for pem in pems() {
        if let Err(why) = certificate::normalized(&pem) {
            assert_silent(&pem, &format!("{why} {why:?}"));
        }
        if let Err(why) = http::client(Trust::Only(&pem)) {
            assert_silent(&pem, &why);
        }
    }
    for token in tokens() {
        let checked = outcome::check(&Token::new(&token), "token", Timestamp::now());
        let why = checked.expect_err(&token);
        assert_silent(&token, &format!("{why} {why:?}"));
    }
    let addresses = [
        format!("https://u:{CANARY}@c"),
        format!("https://{CANARY}@c"),
        format!("https://c/{CANARY}"),
        format!("https://c?{CANARY}"),
        format!("https://c:{CANARY}"),
        format!("{CANARY}://c"),
        format!("{CANARY}.example.com:6443"),
        format!("https://{CANARY}..example.com"),
        format!("https://[{CANARY}]"),
    ];
    let given = addresses
        .into_iter()
        .chain(pems())
        .chain(tokens())
        .chain([jwt()]);
    for value in given {
        for variable in [
            "K8S_CLUSTER",
            "K8S_CA",
            "K8S_CA_PARAMETER",
            "K8S_TOKEN_PARAMETER",
        ] {
            let read = Environment::read(|name| match name {
                name if name == variable => Some(value.clone()),
                "K8S_CLUSTER" => Some("https://c".to_owned()),
                _ => None,
            });
            let faults = read.err().unwrap_or_default();
            for fault in faults {
                assert_silent(
                    &value,
                    &format!("{} {} {fault:?}", fault.field, fault.problem),
                );
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_it_is_reported_logged_or_written() {
    let key = format!(
        "-----BEGIN PRIVATE KEY-----{}-----END PRIVATE KEY----------BEGIN CERTIFICATE-----{CANARY}",
        STANDARD.encode(CANARY)
    );
    let exec = &tokens()[18];
    let rows = [
        ("a key in K8S_CA", Some(&*key), None, None),
        ("a key in the CA's parameter", None, Some(&*key), None),
        ("an ExecCredential", None, None, Some(&**exec)),
        (
            "base64 of a token",
            None,
            None,
            Some(&*STANDARD.encode(jwt())),
        ),
        (
            "a token of EKS",
            None,
            None,
            Some(&*format!("k8s-aws-v1.{CANARY}")),
        ),
        ("a JWT", None, None, Some(&*jwt())),
    ];
    for (what, ca, parameter, token) in rows {
        let variables = match (ca, parameter) {
            (Some(ca), _) => vec![("K8S_CA", Some(ca))],
            (_, Some(_)) => vec![("K8S_CA", None), ("K8S_CA_PARAMETER", Some("ca"))],
            _ => Vec::new(),
        };
        let stage = Stage::given_with([demo_app(600)], &variables).await;
        if let Some(parameter) = parameter {
            stage
                .aws
                .put_parameter("ca", parameter, ParameterKind::SecureString);
        }
        if let Some(token) = token {
            stage
                .aws
                .put_parameter("k8s-bear-token", token, ParameterKind::SecureString);
        }
        let (kind, message) = stage.refused(image("repo/app:2")).await;
        assert_silent(what, &format!("{kind} {message}"));
        assert_silent(what, &stage.log());
        assert_silent(what, &stage.deployment().await.to_string());
        let is_of_eks = what.contains("EKS");
        assert_eq!(
            message.contains("15 minutes") && token != Some(exec),
            is_of_eks,
            "{message}"
        );
    }
}

/// All that leaves the function: what it reports to CodePipeline, with the output variables and the
/// state of deploys that go on, decoded; its log; and what it notes on objects.
async fn all_that_leaves(stage: &Stage) -> Vec<(String, String)> {
    let mut all = vec![("the log".to_owned(), stage.log())];
    for report in stage.aws.reports() {
        if let JobResult::Success {
            continuation_token: Some(token),
            ..
        } = &report.result
        {
            let payload = token.split('.').nth(1).unwrap();
            let state = URL_SAFE_NO_PAD.decode(payload).unwrap();
            let state = String::from_utf8(state).unwrap();
            assert!(state.contains("deadline"), "no state: {state}");
            all.push(("the state of a deploy that goes on".to_owned(), state));
        }
        all.push(("a report".to_owned(), format!("{:?}", report.result)));
    }
    for resource in ["deployments", "services", "replicasets", "pods"] {
        for object in stage.cluster.objects(resource).await {
            let template = &object["spec"]["template"]["metadata"];
            let notes = json!([object["metadata"], template]).to_string();
            all.push((format!("a note on {}", object["metadata"]["name"]), notes));
        }
    }
    all
}

/// The canary is the value of a variable that a crashing pod prints in several spellings; beside it
/// are the real bearer token, in the pod's words as well, and the job's credentials.
#[tokio::test(flavor = "multi_thread")]
async fn no_variable_note_or_state_has_a_secret() {
    // A log's last lines are read.
    let told = spelled(CANARY);
    let said = told[told.len() - SAID..].join("\n") + "\n" + TOKEN;
    let secrets = [
        CANARY,
        TOKEN,
        "artifact-secret-access-key",
        "artifact-session-token",
    ];
    for strategy in ["rolling", "blueGreen", "immutable"] {
        let stage = Stage::in_sandbox_with(
            |world, now| {
                world.apply(demo_app(600), now);
                world.apply(sample_service("demo-app"), now);
                world.behave(
                    "echo",
                    Behaviour::CrashLoop {
                        exit_code: 1,
                        log: said.clone(),
                        reason: None,
                    },
                );
                let message = format!("no room for {CANARY} and {TOKEN}");
                world.behave("mute", Behaviour::ConfigError { message });
            },
            &[("RUST_LOG", Some("trace"))],
        )
        .await;
        let mut ends = Vec::new();
        for version in ["echo:1", "mute:1", "registry.example.com/demo-app:2.0.0"] {
            let mut parameters = match strategy {
                "rolling" => image(version),
                _ => switch(strategy, version),
            };
            parameters["env"] = json!({"PASSWORD": CANARY});
            parameters["patience"] = json!("1s");
            let life = Duration::from_millis(1500);
            let ended = stage.deploy_in(life, parameters).await;
            ends.push(ended.either().0);
        }
        assert_eq!(ends, ["JobFailed", "JobFailed", "success"], "{strategy}");
        let all = all_that_leaves(&stage).await;
        let is_there = |part: &str| all.iter().any(|(place, _)| place.contains(part));
        assert!(is_there("goes on") && is_there("note") && is_there("report"));
        for (place, text) in &all {
            for secret in secrets {
                let found = found(secret, text);
                assert_eq!(found, None, "{strategy}: {place} has {secret}");
            }
        }
        let variables = |(place, text): &&(String, String)| {
            place == "a report" && text.contains("output_variables")
        };
        assert!(all.iter().any(|it| variables(&it)), "{strategy}");
    }
}

#[test]
fn no_spelling_of_a_value_gets_through() {
    let mut mask = Mask::new();
    mask.add_values([CANARY]);
    for text in spelled(CANARY) {
        for around in ["it is …, and", "…", "key=…;", "[\"…\"]"] {
            let shown = mask.text(&around.replace('…', &text));
            assert_eq!(found(CANARY, &shown), None, "{text}: {shown}");
            assert!(shown.contains(HIDDEN), "{text}: {shown}");
        }
    }
}

/// The search itself finds a secret in every spelling.
#[test]
fn every_spelling_is_found() {
    for text in spellings(CANARY) {
        assert!(found(CANARY, &format!("é … {text} …")).is_some(), "{text}");
    }
    assert_eq!(found(CANARY, "[hidden]"), None);
}
