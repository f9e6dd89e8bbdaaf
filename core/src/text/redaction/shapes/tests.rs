use crate::text::redaction::Mask;
use serde_json::json;

#[test]
fn what_looks_like_a_secret_is_hidden_whosever_it_is() {
    let jwt = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJodW50ZXIyc2VjcmV0In0.c2lnbmF0dXJl";
    let cases = [
        (
            "postgres://app:hunter2@db:5432/x",
            "postgres://app:[hidden]@db:5432/x",
        ),
        (
            "redis://:hunter2@cache:6379",
            "redis://:[hidden]@cache:6379",
        ),
        ("amqp://app:hun/ter2?@mq/x", "amqp://app:[hidden]@mq/x"),
        ("url postgres://app:hunt…", "url postgres://app:[hidden]"),
        (
            "https://ghs_0123456789abcdef@github.com/x",
            "https://[hidden]@github.com/x",
        ),
        ("app:hunter2@tcp(db:3306)/x", "app:[hidden]@tcp(db:3306)/x"),
        (
            "to app:hunter2@db.shop:5432/x",
            "to app:[hidden]@db.shop:5432/x",
        ),
        (
            "Unable to connect at password='hunter2 x' :",
            "Unable to connect at password='[hidden]' :",
        ),
        ("DB_PASSWORD=hunter2 DB=x", "DB_PASSWORD=[hidden] DB=x"),
        (
            "Server=db;Pwd=hunter2;Ssl=1",
            "Server=db;Pwd=[hidden];Ssl=1",
        ),
        ("run --api-key=hunter2 now", "run --api-key=[hidden] now"),
        (
            "GET /?api_key=hunter2&page=1",
            "GET /?api_key=[hidden]&page=1",
        ),
        (
            "GET /?X-Amz-Signature=hunter2",
            "GET /?X-Amz-Signature=[hidden]",
        ),
        ("secret = \"hunter2 x\"", "secret = \"[hidden]\""),
        (
            r#"{"password": "hunter2", "a": 1}"#,
            r#"{"password": "[hidden]", "a": 1}"#,
        ),
        (
            r#"{\"password\":\"hunter2\"}"#,
            r#"{\"password\":\"[hidden]\"}"#,
        ),
        (
            "{'clientSecret': 'hunter2'}",
            "{'clientSecret': '[hidden]'}",
        ),
        (
            "Authorization: Basic aHVudGVyMg==",
            "Authorization: Basic [hidden]",
        ),
        ("x-api-key: hunter2", "x-api-key: [hidden]"),
        ("sent Bearer abcdefghijklmnop1234", "sent Bearer [hidden]"),
        ("key ghp_0123456789abcdefghij!", "key [hidden]!"),
        (&format!("got {jwt}, bad"), "got [hidden], bad"),
        (
            "a -----BEGIN RSA PRIVATE KEY-----\nMIIE\nAAAA\n-----END RSA PRIVATE KEY-----\nerror",
            "a -----BEGIN RSA PRIVATE KEY-----[hidden]\nerror",
        ),
        (
            "start\nMIIEhunter2MIIEhunter2\n-----END PRIVATE KEY-----\nerror",
            "start[hidden]PRIVATE KEY-----\nerror",
        ),
    ];
    let mask = Mask::new();
    for (text, expected) in cases {
        assert_eq!(mask.text(text), expected, "{text}");
    }
}

/// What a reader needs to find the cause, or what is public anyway.
#[test]
fn what_only_resembles_one_is_shown() {
    let mut mask = Mask::new();
    mask.learn(&json!({"metadata": {"name": "web-credentials"}}));
    let texts = [
        "connect postgres://db:5432/x: refused",
        "mongodb://a:27017,b:27017/x",
        "https://registry.example.com:5000/web:2",
        "ssh://git@github.com/x",
        "postgres://app:$(DB_PASSWORD)@db/x",
        "DB_PASSWORD= is empty",
        "missing API_TOKEN=\nlevel=error",
        "DB_PASSWORD=undefined",
        "invalid token: unexpected ':'",
        "image registry.example.com/auth-token:1.2",
        "const token = process.env.TOKEN.trim();",
        "connect(password=os.environ[\"DB_PASSWORD\"])",
        "password authentication failed for user \"app\"",
        "secret \"db\" not found",
        "secret=web-credentials is not there",
        "the bearer token (HTTP 401)",
        "PWD=/home/app",
        "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
        "registry.example.com/web:1.4.2@sha256:0123456789abcdef0123456789abcdef0123456789",
        "{\"token\": null, \"password\": \"\"}",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    ];
    for text in texts {
        assert_eq!(mask.text(text), text);
    }
}
