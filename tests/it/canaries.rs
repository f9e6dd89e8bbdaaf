//! A canary in every place of token, CA, key, address and parameters, in every broken form: nothing
//! that is said or written has it, in any spelling.

use crate::stage::{Stage, demo_app, image};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use landfall::environment::Environment;
use landfall::https::{self, Trust};
use landfall_core::formats::certificate;
use landfall_core::kubernetes::token::Token;
use landfall_core::outcome;
use landfall_sandbox::aws::ParameterKind;

const CANARY: &str = "C4n4ryV4lu37xQ9";

/// The canary as a parser might print it. Of base64 the part that is the same whatever is around.
fn spellings() -> Vec<String> {
    let bytes = CANARY.as_bytes();
    let joined = |format: fn(u8) -> String, between: &str| {
        let all = bytes.iter().map(|byte| format(*byte)).collect::<Vec<_>>();
        all.join(between)
    };
    let shifted = ["", "x", "xx"].map(|before| {
        let whole = STANDARD.encode(format!("{before}{CANARY}xx"));
        whole[4..whole.len() - 4].to_owned()
    });
    let mut all = vec![
        CANARY.to_owned(),
        joined(|byte| byte.to_string(), ", "),
        joined(|byte| byte.to_string(), ","),
        joined(|byte| format!("{byte:02x}"), ""),
        joined(|byte| format!("{byte:02X}"), ""),
        joined(|byte| format!("0x{byte:02x}"), ", "),
        joined(|byte| format!("%{byte:02X}"), ""),
        joined(|byte| format!("\\u{byte:04x}"), ""),
    ];
    all.extend(shifted);
    all
}

#[track_caller]
fn assert_silent(what: &str, said: &str) {
    let lower = said.to_lowercase();
    for spelling in spellings() {
        assert!(!said.contains(&spelling), "{what}: {said}");
    }
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
    ]
}

#[test]
fn no_error_of_a_reader_has_anything_of_what_it_read() {
    for pem in pems() {
        if let Err(why) = certificate::normalized(&pem) {
            assert_silent(&pem, &format!("{why} {why:?}"));
        }
        if let Err(why) = https::client(Trust::Only(&pem)) {
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
