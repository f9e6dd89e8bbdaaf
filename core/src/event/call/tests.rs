use super::*;
use crate::event::Event;
use serde_json::json;

fn read(event: &Value) -> Result<Call, Vec<Fault>> {
    match Event::read(event) {
        Event::Call(call) => call,
        other @ (Event::Deploy(_) | Event::Rotate(_) | Event::Unknown) => {
            panic!("{event}: {other:?}")
        }
    }
}

fn job(event: &Value) -> Job {
    read(event).expect("it is valid").job("request-1", None)
}

#[test]
fn a_call_is_a_job_of_somebody_who_waits() {
    let job = job(&json!({
        "deploy": {"deployment": "web", "restart": true},
        "continuation": "token",
        "artifacts": {"Build": "s3://releases/web/1.zip", "App": "s3://releases/a//b?c"}}));
    assert_eq!((&*job.id, job.caller), ("request-1", Caller::Waiting));
    assert_eq!(job.continuation.as_deref(), Some("token"));
    let fields = json!({"deployment": "web", "restart": true});
    let fields = Parameters::Object(fields.as_object().unwrap().clone());
    assert_eq!(job.parameters, fields);
    let artifacts = job.artifacts.iter();
    let artifacts = artifacts.map(|it| (&*it.name, &*it.bucket, &*it.key));
    assert_eq!(
        artifacts.collect::<Vec<_>>(),
        [
            ("App", "releases", "a//b?c"),
            ("Build", "releases", "web/1.zip")
        ]
    );
}

#[test]
fn the_same_execution_with_the_same_parameters_is_the_same_job() {
    let of = |event: Value| job(&event).id;
    let first = of(json!({"deploy": {"execution": "run-1", "restart": true}}));
    assert!(first.starts_with("call-"), "{first}");
    for same in [
        json!({"deploy": {"restart": true, "execution": "run-1"}}),
        json!({"deploy": {"execution": "run-1", "restart": true}, "continuation": "token"}),
        json!({"deploy": {"execution": "run-1", "restart": true}, "artifacts": {}}),
    ] {
        assert_eq!(of(same.clone()), first, "{same}");
    }
    for other in [
        json!({"deploy": {"execution": "run-2", "restart": true}}),
        json!({"deploy": {"execution": "run-1", "restart": false}}),
        json!({"deploy": {"execution": "run-1", "restart": true},
            "artifacts": {"A": "s3://b/c"}}),
    ] {
        assert_ne!(of(other.clone()), first, "{other}");
    }
    // Without one it is Lambda's own id, which its own repetitions have, too.
    assert_eq!(of(json!({"deploy": {"restart": true}})), "request-1");
    assert_eq!(of(json!({"deploy": {"execution": 1}})), "request-1");
}

#[test]
fn all_that_is_wrong_with_a_call_is_told() {
    for (event, expected) in [
        (json!({"deploy": null}), vec!["deploy"]),
        (json!({"deploy": "{}"}), vec!["deploy"]),
        (json!({"deploy": [{}]}), vec!["deploy"]),
        (
            json!({"deploy": {}, "continuation": 5}),
            vec!["continuation"],
        ),
        (
            json!({"deploy": {}, "continuation": ""}),
            vec!["continuation"],
        ),
        (
            json!({"deploy": 1, "Continuation": "x", "artifacts": []}),
            vec!["Continuation", "deploy", "artifacts"],
        ),
        (
            json!({"deploy": {}, "artifacts": {"A": "https://b/c", "B": "s3://b", "C": "s3:///k",
                "D": "s3://b/", "E": null, "F G": "s3://b/c", "": "s3://b/c"}}),
            vec![
                "artifacts.",
                "artifacts.A",
                "artifacts.B",
                "artifacts.C",
                "artifacts.D",
                "artifacts.E",
                "artifacts.F G",
            ],
        ),
    ] {
        let faults = read(&event).expect_err("it is wrong");
        let fields = faults.iter().map(|fault| &*fault.field).collect::<Vec<_>>();
        assert_eq!(fields, expected, "{event}");
    }
    let many = (0..=ARTIFACTS_LIMIT).map(|number| (format!("A{number}"), json!("s3://b/c")));
    let many = json!({"deploy": {}, "artifacts": many.collect::<Map<_, _>>()});
    assert_eq!(read(&many).expect_err("too many").len(), 1);
}

#[test]
fn a_value_is_not_quoted_where_it_may_be_a_secret() {
    let event = json!({"deploy": "hunter2", "continuation": ["hunter2"],
        "artifacts": {"A": "hunter2"}});
    let faults = format!("{:?}", read(&event).expect_err("it is wrong"));
    assert!(!faults.contains("hunter2"), "{faults}");
}

#[test]
fn a_continuation_and_artifacts_may_be_null() {
    let event = json!({"deploy": {}, "continuation": null, "artifacts": null});
    let call = read(&event).expect("a workflow passes what it has");
    assert_eq!((call.continuation, call.artifacts.len()), (None, 0));
}

#[test]
fn a_job_comes_first_then_a_renewal() {
    let all = json!({"CodePipeline.job": {"id": "job-1"}, "rotate": true, "deploy": {}});
    assert!(matches!(Event::read(&all), Event::Deploy(_)));
    let both = json!({"rotate": true, "deploy": {}});
    assert!(matches!(Event::read(&both), Event::Rotate(Err(_))));
}
