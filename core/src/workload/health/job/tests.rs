use super::*;
use crate::workload::Kind;
use serde_json::json;

fn job(spec: Value, status: Value) -> Workload {
    Workload::new(Kind::Job, json!({"spec": spec, "status": status}))
}

fn condition(kind: &str, status: &str, reason: &str) -> Value {
    json!([{"type": kind, "status": status, "reason": reason, "message": "because"}])
}

#[test]
fn only_its_conditions_end_a_job() {
    let ended = |conditions: Value| job(json!({}), json!({"conditions": conditions, "failed": 2}));
    let complete = ended(condition("Complete", "True", "CompletionsReached"));
    assert_eq!(verdict(&complete), Verdict::Complete);
    assert!(is_over(&complete) && failure(&complete).is_none());
    for (kind, reason) in [
        ("Failed", "BackoffLimitExceeded"),
        ("Failed", "DeadlineExceeded"),
        ("FailureTarget", "PodFailurePolicy"),
    ] {
        let failed = ended(condition(kind, "True", reason));
        let Verdict::Failed(progress) = verdict(&failed) else {
            panic!("{kind} goes on");
        };
        let runs = WaitsFor::Completion {
            active: 0,
            failed: 2,
        };
        assert_eq!(progress.waits_for, runs);
        assert_eq!(failure(&failed).unwrap().reason, reason);
        assert!(is_over(&failed));
    }
    // What it is failed for is said first, and is what counts.
    let both = ended(json!([
        {"type": "Failed", "status": "True", "reason": "Failed", "message": ""},
        {"type": "FailureTarget", "status": "True", "reason": "MaxFailedIndexesExceeded"},
    ]));
    assert_eq!(failure(&both).unwrap().reason, "MaxFailedIndexesExceeded");
}

#[test]
fn a_job_that_goes_on_says_what_it_waits_for() {
    let runs = |active, failed| WaitsFor::Completion { active, failed };
    let started = "2026-01-01T00:00:00Z";
    for (spec, status, expected) in [
        (json!({}), json!({}), WaitsFor::Observation),
        (
            json!({}),
            json!({"startTime": started, "active": 1}),
            runs(1, 0),
        ),
        // Counters are not a verdict: a pod that failed is tried again, and one that succeeded may not
        // have been the last.
        (
            json!({"backoffLimit": 1}),
            json!({"startTime": started, "failed": 5}),
            runs(0, 5),
        ),
        (
            json!({"completions": 1}),
            json!({"startTime": started, "succeeded": 1}),
            runs(0, 0),
        ),
        (
            json!({}),
            json!({"startTime": started, "active": 1,
                "conditions": condition("Failed", "False", "")}),
            runs(1, 0),
        ),
        (
            json!({}),
            json!({"startTime": started, "conditions": condition("SuccessCriteriaMet", "True", "")}),
            runs(0, 0),
        ),
        (
            json!({"suspend": true}),
            json!({"conditions": condition("Suspended", "True", "")}),
            WaitsFor::Unsuspension,
        ),
        (
            json!({"suspend": false}),
            json!({"startTime": started, "active": 1,
                "conditions": condition("Suspended", "False", "")}),
            runs(1, 0),
        ),
        (
            json!({"parallelism": 0}),
            json!({"startTime": started}),
            WaitsFor::Parallelism,
        ),
    ] {
        let found = job(spec, status.clone());
        let Verdict::Progressing(progress) = verdict(&found) else {
            panic!("{status} is over");
        };
        assert_eq!(progress.waits_for, expected, "{status}");
        assert!(!is_over(&found), "{status}");
    }
}
