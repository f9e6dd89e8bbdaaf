use super::*;

const JWT_OF_TEST: &str = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl";

fn base64(text: &str) -> String {
    base64::engine::general_purpose::STANDARD.encode(text)
}

#[test]
fn what_is_no_token_is_told_by_its_looks() {
    let jwt = JWT_OF_TEST;
    let exec = format!(
        r#"{{"kind": "ExecCredential", "apiVersion": "client.authentication.k8s.io/v1beta1",
            "spec": {{}}, "status": {{"token": "{EKS}aHR0cHM"}}}}"#
    );
    let compact = exec.replace([' ', '\n'], "");
    let secret = format!(
        "apiVersion: v1\nkind: Secret\ndata:\n  token: {}\n",
        base64(jwt)
    );
    let kubeconfig = format!(
        "apiVersion: v1\nkind: Config\nclusters: []\nusers:\n- name: x\n  user:\n    token: {jwt}\n"
    );
    let json_secret = format!(
        r#"{{"kind":"Secret","data":{{"token":"{}"}}}}"#,
        base64(jwt)
    );
    let wrapped = base64(&jwt.repeat(3));
    let wrapped = wrapped.as_bytes().chunks(76).map(String::from_utf8_lossy);
    let wrapped = wrapped.collect::<Vec<_>>().join("\n");
    for (text, told) in [
        (String::new(), "is empty"),
        ("None".into(), "where it has no value"),
        ("null".into(), "where it has no value"),
        ("undefined".into(), "where it has no value"),
        (base64(jwt), "base64 of a token"),
        (base64(&format!("{jwt}\n")), "base64 of a token"),
        (
            base64(jwt).trim_end_matches('=').to_owned(),
            "base64 of a token",
        ),
        (base64(&base64(jwt)), "base64 of a token"),
        (base64("abcdef.0123456789abcdef"), "base64 of a token"),
        (
            base64(&format!("{EKS}aHR0cHM6Ly9zdHM")),
            "base64 of a token",
        ),
        (wrapped, "base64 of a token"),
        (base64(&secret), "base64 of a document"),
        (base64(&exec), "base64 of a document"),
        (base64(&format!("Bearer {jwt}")), "base64 of a token"),
        ("/prod/landfall/token".into(), "path of a file"),
        (
            "/var/run/secrets/kubernetes.io/serviceaccount/token".into(),
            "path of a file",
        ),
        ("bash: kubectl: command not found".into(), "error message"),
        (format!("Bearer {jwt}"), "word Bearer"),
        (format!("bearer {jwt}"), "word Bearer"),
        (
            format!("Authorization: Bearer {jwt}"),
            "`Authorization` header",
        ),
        (format!("TOKEN={jwt}"), "a name before it"),
        (format!("export TOKEN=\"{jwt}\""), "a name before it"),
        ("token: abc".into(), "a name before it"),
        ("${TOKEN}".into(), "placeholder"),
        ("{{ token }}".into(), "placeholder"),
        (format!("\"{jwt}\""), "quotes"),
        (format!("'{jwt}'"), "quotes"),
        (exec.clone(), "ExecCredential"),
        (compact, "ExecCredential"),
        (exec[..60].to_owned(), "ExecCredential"),
        (secret, "is a Secret"),
        (json_secret, "is a Secret"),
        (kubeconfig, "is a kubeconfig"),
        (format!(r#"{{"token":"{jwt}"}}"#), "JSON document"),
        (format!("token: {jwt}\nuser: x\n"), "YAML document"),
        ("file://token".into(), "address of a file"),
        ("fileb:///tmp/token".into(), "address of a file"),
        ("arn:aws:ssm:eu-west-1:1:parameter/token".into(), "an ARN"),
        (format!("{jwt},{jwt}"), "StringList"),
        (format!("\u{feff}{jwt}"), "does not show"),
        (
            format!("{}\u{200b}{}", &jwt[..9], &jwt[9..]),
            "does not show",
        ),
        (format!("{jwt}\u{a0}"), "does not show"),
        (
            format!("{} {}", &jwt[..9], &jwt[9..]),
            "line breaks or blanks",
        ),
        (
            format!("{}\n{}", &jwt[..9], &jwt[9..]),
            "line breaks or blanks",
        ),
        (format!("{jwt}%3D"), "percent signs"),
        ("***".into(), "placeholder"),
        ("(sensitive value)".into(), "placeholder"),
        ("CHANGE_ME".into(), "placeholder"),
        (format!("“{jwt}”"), "quotes around it"),
        (format!("{jwt}\\n"), "backslash"),
        ("AQICAHhQm1S5m3mM0c2cYJb1".into(), "KMS"),
        (format!("{jwt}\u{7}"), "does not show"),
        ("AKIAIOSFODNN7EXAMPLE".into(), "access key of AWS"),
        ("op://infra/k8s/token".into(), "address of where a token is"),
        ("C:\\token.txt".into(), "path of a file"),
        (
            "ENC[AES256_GCM,data:Zm9v,iv:YmFy]".into(),
            "encrypted, by sops",
        ),
        ("Basic YWRtaW46aHVudGVyMg==".into(), "Basic authentication"),
        ("<!DOCTYPE html><p>".into(), "HTML page"),
        (
            jwt.bytes().map(|byte| format!("{byte:02x}")).collect(),
            "hexadecimal digits",
        ),
        ("tökén".into(), "no bearer token has"),
        ("=".into(), "no bearer token has"),
        ("a=b".into(), "no bearer token has"),
        ("-----BEGIN CERTIFICATE-----\nAA==".into(), "in PEM"),
        ("eyJhbGciOiJSUzI1NiJ9".into(), "cut off"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0".into(), "cut off"),
        ("eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.".into(), "cut off"),
    ] {
        let why = why_refused(&text).unwrap_or("is sent");
        assert!(why.contains(told), "{text}: {why}");
    }
}

#[test]
fn tokens_are_sent() {
    for token in [
        JWT_OF_TEST,
        "abc",
        "a.b",
        "a.b.c",
        "abcdef.0123456789abcdef",
        "k8s-aws-v1.aHR0cHM6Ly9zdHMuZXUtd2VzdC0xLmFtYXpvbmF3cy5jb20v",
        "kubeconfig-u-abcdefgh:x".split(':').next().unwrap(),
        "0123456789abcdef0123456789abcdef",
        "dGhpcyBpcyBqdXN0IGEgc3RhdGljIHRva2Vu",
        "Zm9vYmFyYmF6cXV4cXV1eA==",
        "sha256~lNc3-0aB_x",
        "token-abcde:jx7gq4nm2c",
        "eyJhbGciOiJSU0EtT0FFUCJ9.a.b.c.d",
        "bearer-of-news",
        "nonesuch",
    ] {
        assert_eq!(why_refused(token), None, "{token}");
    }
}
