use super::*;
use crate::stage::input::{check_parameters, read_event};
use crate::stage::narration::{cluster_calls, gist, handed_on, log_line, log_time, request_line};
use landfall_sandbox::world::Seen;
use serde_json::json;

#[test]
fn user_parameters_must_fit_into_a_pipeline() {
    let event = |length: usize| {
        let configuration = json!({"UserParameters": "é".repeat(length)});
        json!({"CodePipeline.job": {"data": {
            "actionConfiguration": {"configuration": configuration},
        }}})
    };
    assert_eq!(check_parameters(&json!({})), Ok(()));
    assert_eq!(check_parameters(&event(1000)), Ok(()));
    let problem = "UserParameters have 1,902 characters; CodePipeline takes 1,000";
    assert_eq!(check_parameters(&event(1902)), Err(problem.to_owned()));
    assert!(check_parameters(&event(1001)).is_err());
}

#[test]
fn the_events_here_can_be_read() {
    let events = Path::new(env!("CARGO_MANIFEST_DIR")).join("../events");
    let mut read = 0;
    for file in std::fs::read_dir(events).unwrap() {
        read_event(&file.unwrap().path(), &mut BTreeSet::new()).unwrap();
        read += 1;
    }
    assert!(read > 0);
    let no_json = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let problem = read_event(&no_json, &mut BTreeSet::new()).unwrap_err();
    assert!(
        problem.contains("Cargo.toml is not an event: no JSON"),
        "{problem}"
    );
}

#[test]
fn only_the_log_level_is_handed_on() {
    let level = |name: &str| (name != "RUST_LOG").then(|| "debug".to_owned());
    let expected = ("AWS_LAMBDA_LOG_LEVEL".to_owned(), "debug".to_owned());
    assert_eq!(handed_on(level), [expected]);
    assert_eq!(handed_on(|_| None), []);
}

#[test]
fn a_log_line_is_told_in_words() {
    let same =
        r#""timestamp":"2026-01-01T00:00:00.5Z","jobId":"j","requestId":"r","execution":"e""#;
    let cases = [
        (
            r#""level":"INFO","message":"waiting","summary":"1 of 2""#,
            "INFO waiting: 1 of 2",
        ),
        (
            r#""level":"ERROR","message":"failed","cause":"a\nb""#,
            "ERROR failed: a b",
        ),
        (
            r#""level":"INFO","message":"answered","path":"/a","status":200,"why":"a b""#,
            "INFO answered path=/a status=200 why=\"a b\"",
        ),
        (
            r#""level":"INFO","message":"m","cause":"c","summary":"s""#,
            "INFO m cause=c summary=s",
        ),
        (r#""level":"INFO","message":"m""#, "INFO m"),
        (
            r#""level":"INFO","message":"counted","Deploys":1,"_aws":{"Timestamp":1}"#,
            "INFO counted Deploys=1",
        ),
    ];
    for (fields, text) in cases {
        let line = format!("{{{same},{fields}}}");
        assert_eq!(log_line(&line), text);
        assert!(log_time(&line).is_some());
    }
    for line in ["no JSON", "[1]", "{\"a\": 1}", "7"] {
        assert_eq!(log_line(line), line);
        assert_eq!(log_time(line), None);
    }
}

#[test]
fn reads_in_a_row_are_told_together_and_writes_by_what_they_do() {
    let seen = |method: &str, path: &str, body: Option<Value>, status: u16| Seen {
        method: method.to_owned(),
        path: format!("/api/v1/namespaces/default/{path}"),
        content_type: None,
        body,
        authorized: true,
        user: String::new(),
        status,
        time: Timestamp::UNIX_EPOCH,
    };
    let read = |path: &str| seen("GET", path, None, 200);
    let told = |requests: &[Seen]| {
        let lines = cluster_calls(requests).into_iter();
        lines.map(|(_, _, text)| text).collect::<Vec<_>>()
    };
    let few = [read("pods"), read("services/web"), read("pods?limit=50")];
    assert_eq!(told(&few).len(), 3);
    let mut many = few.to_vec();
    many.push(seen("GET", "services/preview", None, 404));
    assert_eq!(told(&many), ["→ 4 reads: pods, services"]);
    many.extend([
        seen(
            "PATCH",
            "services/web",
            Some(json!({"spec": {"selector": {"app": "web", "old": null}}})),
            200,
        ),
        seen(
            "PATCH",
            "services/web",
            Some(json!({"spec": {"selector": {"app": "web", "landfall/version": "blue"}}})),
            200,
        ),
        seen(
            "PATCH",
            "services/web",
            Some(json!({"metadata": {"annotations": {"landfall/lock": null}}})),
            200,
        ),
        seen(
            "PATCH",
            "deployments/web",
            Some(json!({"spec": {"replicas": 0}})),
            200,
        ),
        seen("GET", "pods", None, 503),
        seen("GET", "services/web:80/proxy/health", None, 200),
    ]);
    assert_eq!(
        told(&many),
        [
            "→ 4 reads: pods, services",
            "→ PATCH …/services/web  (selects app=web)  200",
            "→ PATCH …/services/web  (selects landfall/version=blue)  200",
            "→ PATCH …/services/web  (lock given up)  200",
            "→ PATCH …/deployments/web  (replicas: 0)  200",
            "→ GET …/pods  503",
            "→ GET …/services/web:80/proxy/health  200",
        ]
    );
    let review = json!({"kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes":
            {"verb": "get", "resource": "services", "subresource": "proxy"}}});
    assert_eq!(
        gist(Some(&review)).as_deref(),
        Some("may I get services/proxy?")
    );
    assert_eq!(
        gist(Some(
            &json!({"kind": "Deployment", "spec": {"replicas": 2}})
        )),
        None
    );
}

#[test]
fn a_request_line_is_short() {
    let deployments = "/apis/apps/v1/namespaces/default/deployments";
    let cases = [
        (
            "GET",
            format!("{deployments}/demo-app"),
            "GET …/deployments/demo-app",
        ),
        (
            "GET",
            format!("{deployments}?watch=true&fieldSelector=metadata.name%3Ddemo-app"),
            "watch …/deployments/demo-app",
        ),
        (
            "PATCH",
            format!("{deployments}/demo-app?dryRun=All&fieldManager=landfall"),
            "PATCH …/deployments/demo-app (dry run)",
        ),
        (
            "GET",
            "/api/v1/namespaces/default/pods?limit=9".to_owned(),
            "GET …/pods",
        ),
        ("GET", "/version".to_owned(), "GET /version"),
    ];
    for (method, path, line) in cases {
        assert_eq!(request_line(method, &path), line);
    }
}
