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

/// As the real controller writes it in the moment in which it gives a Job up.
#[test]
fn a_pod_that_is_noted_and_not_counted_yet_has_failed() {
    for (status, failed) in [
        (json!({"uncountedTerminatedPods": {"failed": ["u-1"]}}), 1),
        (
            json!({"failed": 2, "uncountedTerminatedPods": {"failed": ["u-3"]}}),
            3,
        ),
        (json!({"failed": 3, "uncountedTerminatedPods": {}}), 3),
        (
            json!({"uncountedTerminatedPods": {"succeeded": ["u-1"]}}),
            0,
        ),
    ] {
        assert_eq!(failed_pods(&job(json!({}), status)), failed);
    }
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

/// Indexed Jobs, and Jobs with a policy for success or for failed pods: only the
/// Job's conditions are a verdict, not what has happened to single pods or indexes.
#[test]
fn indexes_and_policies_are_judged_by_the_conditions_alone() {
    let started = "2026-01-01T00:00:00Z";
    let indexed = json!({"completionMode": "Indexed", "completions": 3, "parallelism": 3,
        "backoffLimitPerIndex": 1, "maxFailedIndexes": 1});
    let policy = json!({"completionMode": "Indexed", "completions": 3,
        "successPolicy": {"rules": [{"succeededIndexes": "0"}]}});
    let ignoring = json!({"backoffLimit": 0, "podFailurePolicy": {"rules": [
        {"action": "Ignore", "onPodConditions": [{"type": "DisruptionTarget"}]},
        {"action": "FailJob", "onExitCodes": {"operator": "In", "values": [42]}}]}});
    for (name, spec, status) in [
        (
            "an index has failed, others go on",
            &indexed,
            json!({"startTime": started, "active": 2, "failed": 2, "failedIndexes": "1"}),
        ),
        (
            "two of three are done",
            &indexed,
            json!({"startTime": started, "active": 1, "succeeded": 2, "completedIndexes": "0,2"}),
        ),
        (
            "the policy is met, and pods still end",
            &policy,
            json!({"startTime": started, "succeeded": 1, "terminating": 2,
                "conditions": condition("SuccessCriteriaMet", "True", "SuccessPolicy")}),
        ),
        (
            "a disruption does not count",
            &ignoring,
            json!({"startTime": started, "active": 1}),
        ),
    ] {
        let found = job(spec.clone(), status);
        assert!(matches!(verdict(&found), Verdict::Progressing(_)), "{name}");
        assert!(!is_over(&found), "{name}");
    }
    for (name, spec, kind, reason, completes) in [
        (
            "all indexes",
            &indexed,
            "Complete",
            "CompletionsReached",
            true,
        ),
        (
            "an index for good",
            &indexed,
            "Failed",
            "FailedIndexes",
            false,
        ),
        (
            "too many indexes",
            &indexed,
            "FailureTarget",
            "MaxFailedIndexesExceeded",
            false,
        ),
        (
            "one index is enough",
            &policy,
            "Complete",
            "SuccessPolicy",
            true,
        ),
        (
            "an exit code ends it",
            &ignoring,
            "FailureTarget",
            "PodFailurePolicy",
            false,
        ),
    ] {
        let status = json!({"startTime": started, "succeeded": 1, "failed": 2,
            "conditions": condition(kind, "True", reason)});
        let found = job(spec.clone(), status);
        match completes {
            true => assert_eq!(verdict(&found), Verdict::Complete, "{name}"),
            false => {
                assert!(matches!(verdict(&found), Verdict::Failed(_)), "{name}");
                assert_eq!(failure(&found).unwrap().reason, reason, "{name}");
            }
        }
    }
}

#[test]
fn the_events_of_a_job_that_is_gone_tell_its_end() {
    let event = |kind: &str, reason: &str| Event {
        kind: kind.to_owned(),
        reason: reason.to_owned(),
        message: "because".to_owned(),
        count: 1,
        ..Event::default()
    };
    let created = event("Normal", "SuccessfulCreate");
    let told = |more: &[Event]| told_end(&[std::slice::from_ref(&created), more].concat());
    assert_eq!(
        told(&[event("Normal", "Completed")]),
        Some(JobEnd::Completed)
    );
    for reason in [
        "BackoffLimitExceeded",
        "DeadlineExceeded",
        "PodFailurePolicy",
        "FailedIndexes",
        "MaxFailedIndexesExceeded",
    ] {
        let expected = JobFailure {
            reason: reason.to_owned(),
            message: "because".to_owned(),
            indexes: String::new(),
        };
        assert_eq!(
            told(&[event("Warning", reason)]),
            Some(JobEnd::Failed(expected))
        );
    }
    // Neither is an end of the Job.
    for (kind, reason) in [
        ("Warning", "FailedCreate"),
        ("Normal", "SuccessfulDelete"),
        ("Warning", "Completed"),
        ("Normal", "BackoffLimitExceeded"),
    ] {
        assert_eq!(told(&[event(kind, reason)]), None, "{kind} {reason}");
    }
    assert_eq!(told_end(&[]), None);
}
