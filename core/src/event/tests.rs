use super::*;
use crate::outcome::KeysError;
use crate::request::Parameters;
use serde_json::{Map, json};
use std::time::Duration;

fn event(job: Value) -> Value {
    json!({"CodePipeline.job": job})
}

fn with_parameters(parameters: Value) -> Value {
    event(json!({"id": "job-1", "data": {
            "actionConfiguration": {"configuration": {"UserParameters": parameters}}}}))
}

fn job(event: &Value) -> Job {
    match Event::read(event) {
        Event::Deploy(job) => job,
        other @ (Event::Call(_) | Event::Rotate(_) | Event::Unknown) => panic!("{other:?}"),
    }
}

fn bare() -> Job {
    Job {
        id: "job-1".into(),
        account: None,
        parameters: Parameters::Absent,
        continuation: None,
        artifacts: Vec::new(),
        output: None,
        keys: Err(KeysError::Absent),
        caller: Caller::Pipeline,
    }
}

#[test]
fn an_event_without_a_job_is_none() {
    for hostile in [
        json!(null),
        json!([]),
        json!("CodePipeline.job"),
        json!({}),
        json!({"id": "job-1"}),
        json!({"CodePipeline": {"job": {"id": "job-1"}}}),
        event(json!(null)),
        event(json!("job-1")),
        event(json!([{"id": "job-1"}])),
        event(json!({})),
        event(json!({"id": null})),
        event(json!({"id": 1})),
        event(json!({"id": ""})),
        event(json!({"id": {"id": "job-1"}})),
    ] {
        assert_eq!(Event::read(&hostile), Event::Unknown, "{hostile}");
        assert_eq!(secrets(&hostile).count(), 0, "{hostile}");
    }
}

#[test]
fn an_event_that_names_rotate_is_about_the_token_unless_it_has_a_job() {
    for rotate in [json!(true), json!(false), json!("true"), json!(null)] {
        let event = json!({"rotate": rotate, "CodePipeline.job": {"id": ""}});
        assert!(
            matches!(Event::read(&event), Event::Rotate(Err(_))),
            "{event}"
        );
    }
    let lifetime = Duration::from_secs(86_400);
    assert_eq!(
        Event::read(&json!({"rotate": true})),
        Event::Rotate(Ok(RotationRequest { lifetime }))
    );
    let both = json!({"rotate": true, "CodePipeline.job": {"id": "job-1"}});
    assert_eq!(Event::read(&both), Event::Deploy(bare()));
    assert_eq!(Event::read(&json!("rotate")), Event::Unknown);
}

#[test]
fn a_job_needs_no_more_than_its_id() {
    let configured = |configuration: Value| {
        event(json!({"id": "job-1", "data": {"actionConfiguration": configuration}}))
    };
    for poor in [
        event(json!({"id": "job-1"})),
        event(json!({"id": "job-1", "data": null})),
        event(json!({"id": "job-1", "data": "x"})),
        event(json!({"id": "job-1", "data": []})),
        event(json!({"id": "job-1", "data": {"continuationToken": null}})),
        event(json!({"id": "job-1", "data": {"continuationToken": ""}})),
        configured(json!(null)),
        configured(json!({})),
        configured(json!({"configuration": 3})),
        configured(json!({"configuration": {"FunctionName": "landfall"}})),
        with_parameters(json!(null)),
        with_parameters(json!("")),
        with_parameters(json!(" \n")),
    ] {
        assert_eq!(Event::read(&poor), Event::Deploy(bare()), "{poor}");
    }
}

#[test]
fn user_parameters_are_kept_as_they_came() {
    let text = |text: &str| Parameters::Text(text.to_owned());
    let fields = json!({"b": 1, "a": {}});
    let object = Parameters::Object(fields.as_object().unwrap().clone());
    for (came, expected, identity) in [
        (json!(" {\"a\": 1} "), text(" {\"a\": 1} "), " {\"a\": 1} "),
        (json!("no JSON"), text("no JSON"), "no JSON"),
        (fields, object, r#"{"a":{},"b":1}"#),
        (json!({}), Parameters::Object(Map::new()), "{}"),
        (json!(true), text("true"), "true"),
        (json!(1.5), text("1.5"), "1.5"),
        (json!(["a"]), text("[\"a\"]"), "[\"a\"]"),
    ] {
        let job = job(&with_parameters(came));
        assert_eq!(job.parameters, expected);
        assert_eq!(job.parameters.identity(), identity);
    }
    assert_eq!(Parameters::Absent.identity(), "");
}

#[test]
fn a_continuation_and_the_credentials_are_found_in_a_real_event() {
    let event = event(json!({"id": "job-1", "accountId": "1", "data": {
            "continuationToken": "token",
            "artifactCredentials": {"accessKeyId": "id", "secretAccessKey": "secret",
                "sessionToken": "session", "expirationTime": 1},
            "inputArtifacts": []}}));
    let job = job(&event);
    assert_eq!(job.continuation.as_deref(), Some("token"));
    let found = secrets(&event).collect::<Vec<_>>();
    assert_eq!(found, ["id", "secret", "session"]);
    let shown = format!("{job:?}");
    assert!(
        !shown.contains("secret") && !shown.contains("session"),
        "{shown}"
    );
}

#[test]
fn artifacts_are_read_with_their_places_and_keys() {
    let place = |bucket: &str, key: &str| json!({"type": "S3", "s3Location": {"bucketName": bucket, "objectKey": key}});
    let event = event(json!({"id": "job-1", "data": {
            "artifactCredentials": {"accessKeyId": "id", "secretAccessKey": "5ecret"},
            "inputArtifacts": [
                {"name": "Source", "revision": "e0c7", "location": place("b", "p/Source/x")},
                {"name": "Build", "revision": null, "location": place("b", "p/Build/y")},
                {"name": "Nowhere", "location": {"type": "S3"}},
                {"location": place("b", "c")}, null, 7]}}));
    let job = job(&event);
    let artifact = |name: &str, revision: Option<&str>, key: &str| Artifact {
        name: name.into(),
        revision: revision.map(str::to_owned),
        bucket: "b".into(),
        key: key.into(),
    };
    let expected = [
        artifact("Source", Some("e0c7"), "p/Source/x"),
        artifact("Build", None, "p/Build/y"),
        Artifact {
            name: "Nowhere".into(),
            ..Artifact::default()
        },
    ];
    assert_eq!(job.artifacts, expected);
    let keys = job.keys.clone().unwrap();
    assert_eq!(
        (&*keys.id, &*keys.secret, keys.session),
        ("id", "5ecret", None)
    );
    assert!(!format!("{job:?}").contains("5ecret"));
}

#[test]
fn credentials_of_a_wrong_type_are_none() {
    let credentials = |credentials: Value| {
        let event = event(json!({"id": "1", "data": {"artifactCredentials": credentials}}));
        secrets(&event).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(credentials(json!(null)), Vec::<String>::new());
    assert_eq!(credentials(json!("secret")), Vec::<String>::new());
    let partial = json!({"accessKeyId": 1, "sessionToken": "session"});
    assert_eq!(credentials(partial), ["session"]);
}

#[test]
fn a_continuation_that_is_no_text_does_not_start_the_deploy_again() {
    for (given, expected) in [
        (json!(null), None),
        (json!(""), None),
        (json!("a"), Some("a")),
        (json!(7), Some("7")),
        (json!(false), Some("false")),
        (json!([]), Some("[]")),
        (json!({"a": 1}), Some(r#"{"a":1}"#)),
    ] {
        let event = event(json!({"id": "1", "data": {"continuationToken": given}}));
        assert_eq!(job(&event).continuation.as_deref(), expected);
    }
}

#[test]
fn credentials_that_cannot_work_are_told_by_their_field() {
    let read = |given: Value| {
        let event = event(json!({"id": "1", "data": {"artifactCredentials": given}}));
        job(&event).keys.map(|keys| keys.session)
    };
    for (given, expected) in [
        (json!(null), Err(KeysError::Absent)),
        (json!([1]), Err(KeysError::Absent)),
        (json!({}), Err(KeysError::Incomplete("accessKeyId"))),
        (
            json!({"accessKeyId": "a"}),
            Err(KeysError::Incomplete("secretAccessKey")),
        ),
        (
            json!({"accessKeyId": "a", "secretAccessKey": "b", "sessionToken": 5}),
            Err(KeysError::Incomplete("sessionToken")),
        ),
        (
            json!({"accessKeyId": "ASIA1", "secretAccessKey": "b", "sessionToken": null}),
            Err(KeysError::Incomplete("sessionToken")),
        ),
        (
            json!({"accessKeyId": "a\n", "secretAccessKey": "b"}),
            Err(KeysError::Unsendable("accessKeyId")),
        ),
        (
            json!({"accessKeyId": "a", "secretAccessKey": "b", "sessionToken": "ü"}),
            Err(KeysError::Unsendable("sessionToken")),
        ),
        (
            json!({"accessKeyId": "AKIA1", "secretAccessKey": "b"}),
            Ok(None),
        ),
        (
            json!({"accessKeyId": "ASIA1", "secretAccessKey": "b", "sessionToken": "c"}),
            Ok(Some("c".to_owned())),
        ),
    ] {
        assert_eq!(read(given), expected);
    }
}
