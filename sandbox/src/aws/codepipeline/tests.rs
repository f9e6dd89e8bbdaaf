use super::*;
use serde_json::json;

const JOB: &str = "11111111-abcd-1111-abcd-111111abcdef";

fn pipeline() -> CodePipeline {
    let event = json!({"CodePipeline.job": {"id": JOB, "data": {}}});
    let mut pipeline = CodePipeline::default();
    pipeline.open(JOB, 7, event, Duration::from_secs(3));
    pipeline
}

fn kind_of(operation: &str, body: &Value) -> (&'static str, String) {
    match pipeline().answer(operation, body, Timestamp::UNIX_EPOCH) {
        Ok(_) => ("", String::new()),
        Err(refusal) => (refusal.kind, refusal.message),
    }
}

fn success_of(fields: &Value) -> (&'static str, String) {
    let mut body = json!({"jobId": JOB});
    for (field, value) in fields.as_object().unwrap() {
        body[field] = value.clone();
    }
    kind_of("PutJobSuccessResult", &body)
}

#[test]
fn lengths_count_characters() {
    let fields = |path: &str, text: &str| match path.split_once('.') {
        Some((outer, inner)) => json!({(outer): {(inner): text}}),
        None => json!({(path): text}),
    };
    let cases = [
        ("continuationToken", 2048),
        ("executionDetails.summary", 2048),
        ("executionDetails.externalExecutionId", 1500),
    ];
    for (path, longest) in cases {
        for (length, fits) in [(0, false), (1, true), (longest, true), (longest + 1, false)] {
            let (kind, message) = success_of(&fields(path, &"é".repeat(length)));
            assert_eq!(kind.is_empty(), fits, "{path} {length}: {message}");
            assert!(fits || message.contains(path), "{path} {length}: {message}");
        }
    }
}

#[test]
fn output_variables_are_limited_together() {
    for (length, kind) in [
        (122_879, ""),
        (122_880, "OutputVariablesSizeExceededException"),
    ] {
        let fields = json!({"outputVariables": {"a": "x".repeat(length)}});
        assert_eq!(success_of(&fields).0, kind);
    }
}

#[test]
fn success_is_validated() {
    let invalid = "ValidationException";
    let mistyped = "SerializationException";
    let cases = [
        (r#"{}"#, "", ""),
        (r#"{"jobId": null}"#, invalid, "'jobId'"),
        (
            r#"{"jobId": "11111111-ABCD-1111-ABCD-111111ABCDEF"}"#,
            invalid,
            "pattern",
        ),
        (
            r#"{"jobId": "22222222-abcd-1111-abcd-111111abcdef"}"#,
            "JobNotFoundException",
            "",
        ),
        (r#"{"jobId": 1}"#, mistyped, ""),
        (r#"{"executionDetails": "done"}"#, mistyped, ""),
        (r#"{"executionDetails": {"percentComplete": 0}}"#, "", ""),
        (r#"{"executionDetails": {"percentComplete": 100}}"#, "", ""),
        (
            r#"{"executionDetails": {"percentComplete": 101}}"#,
            invalid,
            "less",
        ),
        (
            r#"{"executionDetails": {"percentComplete": -1}}"#,
            invalid,
            "greater",
        ),
        (
            r#"{"executionDetails": {"percentComplete": 0.5}}"#,
            mistyped,
            "",
        ),
        (r#"{"outputVariables": {"Image@a-b_c": "x"}}"#, "", ""),
        (r#"{"outputVariables": {"a b": "x"}}"#, invalid, "Map keys"),
        (r#"{"outputVariables": {"": "x"}}"#, invalid, "Map keys"),
        (r#"{"outputVariables": {"a": 1}}"#, mistyped, ""),
        (
            r#"{"outputVariables": {"a": "x"}, "continuationToken": "t"}"#,
            invalid,
            "",
        ),
        (
            r#"{"outputVariables": {}, "continuationToken": "t"}"#,
            "",
            "",
        ),
        (
            r#"{"currentRevision": {"revision": "1"}}"#,
            invalid,
            "changeIdentifier",
        ),
        (r#"{"unknown": 1}"#, "", ""),
    ];
    for (fields, kind, text) in cases {
        let (got, message) = success_of(&serde_json::from_str(fields).unwrap());
        assert_eq!(got, kind, "{fields}: {message}");
        assert!(message.contains(text), "{fields}: {message}");
    }
}

#[test]
fn failure_is_validated() {
    let invalid = "ValidationException";
    let cases = [
        (
            "complete",
            json!({"type": "JobFailed", "message": "x"}),
            "",
            "",
        ),
        ("no details", Value::Null, invalid, "'failureDetails'"),
        (
            "no type",
            json!({"message": "x"}),
            invalid,
            "failureDetails.type",
        ),
        (
            "no message",
            json!({"type": "JobFailed"}),
            invalid,
            "failureDetails.message",
        ),
        (
            "other type",
            json!({"type": "Failed", "message": "x"}),
            invalid,
            "enum value set",
        ),
        (
            "empty",
            json!({"type": "JobFailed", "message": ""}),
            invalid,
            "greater",
        ),
        (
            "fits",
            json!({"type": "JobFailed", "message": "€".repeat(5000)}),
            "",
            "",
        ),
        (
            "long",
            json!({"type": "JobFailed", "message": "€".repeat(5001)}),
            invalid,
            "5000",
        ),
        (
            "two faults",
            json!({"type": "x", "message": ""}),
            invalid,
            "2 validation errors",
        ),
        (
            "external id",
            json!({"type": "JobFailed", "message": "x", "externalExecutionId": ""}),
            invalid,
            "externalExecutionId",
        ),
    ];
    for (name, details, kind, text) in cases {
        let body = json!({"jobId": JOB, "failureDetails": details});
        let (got, message) = kind_of("PutJobFailureResult", &body);
        assert_eq!(got, kind, "{name}: {message}");
        assert!(message.contains(text), "{name}: {message}");
    }
}

#[test]
fn a_job_takes_one_result() {
    let mut pipeline = pipeline();
    let body = json!({"jobId": JOB});
    let now = Timestamp::UNIX_EPOCH;
    assert!(pipeline.answer("PutJobSuccessResult", &body, now).is_ok());
    let second = pipeline.answer("PutJobSuccessResult", &body, now);
    assert_eq!(second.err().unwrap().kind, "InvalidJobStateException");
    assert_eq!(pipeline.reports.len(), 1);
    assert!(pipeline.end(7).is_some());
}

#[test]
fn a_token_makes_a_new_job_with_the_same_event() {
    let mut pipeline = pipeline();
    let now = Timestamp::UNIX_EPOCH;
    let body = json!({"jobId": JOB, "continuationToken": "later"});
    let next = pipeline
        .answer("PutJobSuccessResult", &body, now)
        .ok()
        .flatten()
        .unwrap();
    assert_eq!(next.job, "11111111-abcd-1111-abcd-111111abcdf0");
    let job = &next.event["CodePipeline.job"];
    assert_eq!(job["id"], next.job);
    assert_eq!(job["data"]["continuationToken"], "later");
    assert_eq!(next.action, 7);
    assert!(pipeline.end(7).is_none());
    let last = json!({"jobId": next.job});
    assert!(pipeline.answer("PutJobSuccessResult", &last, now).is_ok());
    assert_eq!(pipeline.end(7).unwrap().job, next.job);
}
