use super::*;
use crate::alarm::AlarmsError;
use crate::outcome::{ArtifactError, FileReference, KeyFault, KeysError, Place, StoreError};
use crate::report::{
    no_artifact, no_time, panicked, unusable_continuation, wrong_environment, wrong_parameters,
};
use crate::state::continuation::{ContinuationError, Phase};
use crate::strategy::{Failure, RollbackResult};

fn message(report: Report) -> String {
    match report {
        Report::Failure { message, .. } => message,
        other @ (Report::Success { .. } | Report::Progress { .. }) => panic!("{other:?}"),
    }
}

/// What a pipeline has and a caller does not.
const FOREIGN: [&str; 7] = [
    "stage",
    "pipeline's",
    "the action",
    "InputArtifacts",
    "UserParameters",
    "release the change",
    "the job",
];

#[test]
fn a_failure_speaks_of_nothing_that_a_caller_does_not_have() {
    let file = FileReference {
        artifact: None,
        path: "k8s".to_owned(),
    };
    let store = |error| ArtifactError::Store(Place::new("Build", "b", "k"), error);
    let said = || "AccessDenied".to_owned();
    let errors = [
        ArtifactError::NoArtifacts(file.clone()),
        ArtifactError::NoSuchArtifact(file, vec!["Build".to_owned()]),
        ArtifactError::NoKeys(KeysError::Absent),
        store(StoreError::Missing(said())),
        store(StoreError::Missing("NoSuchBucket".to_owned())),
        store(StoreError::Frozen),
        store(StoreError::Changed),
        store(StoreError::Denied(said())),
        store(StoreError::KeyDenied(said())),
        store(StoreError::KeyUnusable(KeyFault::Disabled, said())),
        store(StoreError::KeyUnusable(KeyFault::Other, said())),
        store(StoreError::Expired(said())),
        store(StoreError::NotSigned(said())),
        store(StoreError::Clock(said())),
        store(StoreError::NoUrl),
        store(StoreError::Busy(said())),
        store(StoreError::Refused(said())),
    ];
    let mut reports = errors
        .iter()
        .map(|error| no_artifact(error, &Phase::Start))
        .collect::<Vec<_>>();
    let faults = [Fault::new("deployment", "is missing")];
    reports.extend([
        wrong_parameters(&faults),
        wrong_environment(&faults),
        unusable_continuation(&ContinuationError::Foreign),
        unusable_continuation(&ContinuationError::Replaced),
        panicked("src/x.rs:1"),
        no_time(),
        wrong_call(&faults),
        foreign_buckets(&["Build"], None),
    ]);
    for report in reports {
        let message = message(report.for_caller(false));
        // A name of a section, and the one way to have both.
        let text = message.replace("an earlier job", "");
        for word in FOREIGN {
            let is_there = text.contains(word) && !text.contains("`events/");
            assert!(!is_there, "{word}: {message}");
        }
    }
}

#[test]
fn a_success_is_json_and_a_failure_an_error() {
    let success = Report::Success {
        summary: "It serves.".to_owned(),
        external_id: "shop/web@3".to_owned(),
        variables: vec![("Image", "web:2".to_owned())],
    };
    let expected = json!({"status": "SUCCEEDED", "summary": "It serves.",
        "externalExecutionId": "shop/web@3", "outputVariables": {"Image": "web:2"}});
    assert_eq!(success.for_caller(false).answer(), Answer::Value(expected));
    let progress = Report::Progress {
        token: "token".to_owned(),
        summary: "1 of 2".to_owned(),
        percent: 50,
    };
    let expected = json!({"status": "IN_PROGRESS", "summary": "1 of 2", "percentComplete": 50,
        "continuation": "token", "callBackDelay": 30});
    assert_eq!(progress.for_caller(false).answer(), Answer::Value(expected));
    let Answer::Failure(failure_type, message) = no_time().for_caller(false).answer() else {
        panic!("it must be a failure");
    };
    assert_eq!(failure_type, FailureType::SystemUnavailable);
    assert!(message.contains("call again"), "{message}");
}

/// A deploy that failed is not tried again under its `execution`: the next step must name another.
#[test]
fn the_next_step_names_another_execution_where_the_same_call_would_change_nothing() {
    for (is_final, failure_type, next, expected) in [
        (
            true,
            FailureType::JobFailed,
            "Correct the cause and release the change again.",
            "Correct the cause and call again with another `execution`.",
        ),
        (
            true,
            FailureType::JobFailed,
            "Make room, then retry the stage.",
            "Make room, then call again with another `execution`.",
        ),
        (
            true,
            FailureType::RevisionOutOfSync,
            "To deploy this version, release the change again.",
            "To deploy this version, call again with another `execution`.",
        ),
        (
            false,
            FailureType::RevisionOutOfSync,
            "Retry the stage when that execution has finished.",
            "Call again when that execution has finished.",
        ),
        (
            false,
            FailureType::ConfigurationError,
            "Correct the action's UserParameters and release the change again.",
            "Correct the user parameters in `deploy` and call again.",
        ),
        (
            true,
            FailureType::SystemUnavailable,
            "Retry the stage.",
            "Call again.",
        ),
    ] {
        let headline = "Deployment `web` was not changed.";
        let report = fail(FailureCode::NoProgress, failure_type, headline, &[], next);
        let told = message(report.for_caller(is_final));
        assert!(told.contains(expected), "{told}");
    }
}

/// Of a rollback under another `execution` that would be one version further back.
#[test]
fn a_deploy_that_had_not_begun_has_no_end_that_is_told_again() {
    let rolled = |rollback_result| Failure::Rollout {
        failure: Box::default(),
        rollback_result,
    };
    let locked = Failure::Locked {
        execution: "run-1".into(),
        until: "2026-01-01T00:00:00Z".parse().unwrap(),
    };
    let since = |wrote| Failure::OutOfSync { by: None, wrote };
    for (failure, is_final) in [
        (
            Failure::Faults(vec![Fault::new("images", "is missing")]),
            false,
        ),
        (Failure::Missing, false),
        (Failure::BeingDeleted, false),
        (Failure::Paused, false),
        (Failure::TooLate, false),
        (Failure::AlarmsUnreadable(AlarmsError::Throttled), false),
        (Failure::Forbidden(Vec::new()), false),
        (locked, false),
        (rolled(RollbackResult::NothingWritten), false),
        (rolled(RollbackResult::NothingToRollBackTo), true),
        (rolled(RollbackResult::RollbackDisabled), true),
        (since(false), true),
        (since(true), true),
        (Failure::Deleted(None), true),
        (Failure::EndUnseen, true),
    ] {
        assert_eq!(failure.is_final(), is_final, "{failure:?}");
    }
}

#[test]
fn the_one_bucket_is_named() {
    let text = message(foreign_buckets(&["A", "B"], Some("releases")));
    assert!(
        text.contains("`artifacts.A` is not in `releases`"),
        "{text}"
    );
    assert!(text.contains("`artifacts.B`"), "{text}");
    let text = message(foreign_buckets(&["A"], None));
    assert!(text.contains("reads no artifacts for calls"), "{text}");
}
