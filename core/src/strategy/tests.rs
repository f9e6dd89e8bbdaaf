use super::context::other_author;
use super::*;
use crate::change;
use crate::kubernetes::call::{Call, Verb};
use crate::kubernetes::resource::SERVICES;
use crate::kubernetes::service::Service;
use crate::request::Request;
use crate::snapshot::Query;
use crate::state::continuation::Continuation;
use crate::state::marks;
use crate::tests;
use crate::workload::Kind;
use crate::workload::health::diagnosis::Evidence;
use serde_json::json;
use std::time::Duration;

fn request() -> Request {
    tests::request(
        "job-1",
        &json!({"deployment": "web", "namespace": "shop", "restart": true}),
    )
}

fn undo() -> Action {
    let live = Workload::new(Kind::Deployment, json!({"metadata": {"annotations": {}}}));
    let cause = "the pod says s3cret";
    Action::Undo {
        operations: change::undo(&live, &json!({"cause": "s3cret"}), "job-1", cause),
        revision: 1,
        failure: RecordedFailure {
            evidence: Evidence {
                log: vec!["my s3cret".into()],
                ..Evidence::default()
            },
            ..RecordedFailure::of(cause)
        },
    }
}

#[test]
fn an_action_is_one_write() {
    let body = || json!({"spec": {}});
    for (action, verb, path) in [
        (
            Action::Patch(body()),
            Verb::StrategicMergePatch,
            "deployments/web",
        ),
        (Action::Put(body()), Verb::Update, "deployments/web"),
        (Action::Create(body()), Verb::Create, "deployments"),
        (undo(), Verb::JsonPatch, "deployments/web"),
    ] {
        let call = action.call(&request());
        assert_eq!(call.verb, verb);
        assert_eq!(call.path, format!("/apis/apps/v1/namespaces/shop/{path}"));
        match action {
            Action::Undo { operations, .. } => assert_eq!(call.body, Some(operations)),
            Action::Patch(_) | Action::Put(_) | Action::Create(_) => {
                assert_eq!(call.body, Some(body()));
            }
            Action::Step(_) => unreachable!("a switch has its own rows"),
        }
    }
}

#[test]
fn only_cause_and_evidence_of_an_undo_are_masked() {
    let mask = |text: &str| text.replace("s3cret", "[hidden]");
    let Action::Undo {
        operations,
        failure,
        ..
    } = undo().hide(mask)
    else {
        panic!("it stays an undo")
    };
    assert_eq!(failure.cause, "the pod says [hidden]");
    assert_eq!(failure.evidence.log, ["my [hidden]"]);
    let written = operations.as_array().unwrap().last().unwrap();
    assert_eq!(written["value"], "the pod says [hidden]");
    // The template is what was there; a masked one would be another version.
    assert_eq!(operations[3]["value"], json!({"cause": "s3cret"}));
    let patch = Action::Patch(json!({"env": "s3cret"}));
    assert_eq!(patch.clone().hide(mask), patch);
}

#[test]
fn another_author_is_another_job() {
    let continuation = Continuation::begin("job-1", Timestamp::UNIX_EPOCH, Duration::from_secs(1));
    for (annotations, expected) in [
        (json!({}), None),
        (
            json!({marks::JOB: "job-1", marks::EXECUTION: "run-1"}),
            None,
        ),
        (
            json!({marks::JOB: "job-2", marks::EXECUTION: "run-2"}),
            Some("run-2"),
        ),
        (
            json!({marks::JOB: "job-2", marks::EXECUTION: "run-1"}),
            Some("run-1"),
        ),
        (json!({marks::EXECUTION: "run-2"}), None),
    ] {
        let live = Workload::new(
            Kind::Deployment,
            json!({"metadata": {"annotations": annotations}}),
        );
        assert_eq!(other_author(&live, &continuation).as_deref(), expected);
    }
}

fn step() -> Action {
    let notes = json!({"metadata": {"annotations": {marks::CAUSE: "my s3cret", "a": "s3cret"}}});
    Action::Step(Box::new(Step {
        call: Call::merge_patch(&SERVICES, "shop", "web", notes),
        then: Phase::SwitchRollback(RecordedFailure {
            evidence: Evidence {
                log: vec!["my s3cret".into()],
                ..Evidence::default()
            },
            ..RecordedFailure::of("my s3cret")
        }),
        clears: None,
    }))
}

#[test]
fn a_step_is_its_call_and_its_cause_is_masked() {
    let mask = |text: &str| text.replace("s3cret", "[hidden]");
    let hidden = step().hide(mask);
    let call = hidden.call(&request());
    assert_eq!(call.path, "/api/v1/namespaces/shop/services/web");
    let notes = &call.body.unwrap()["metadata"]["annotations"];
    assert_eq!(*notes, json!({marks::CAUSE: "my [hidden]", "a": "s3cret"}));
    let Action::Step(step) = hidden else {
        panic!("it stays a step")
    };
    let Phase::SwitchRollback(back) = step.then else {
        panic!("it stays a return")
    };
    assert_eq!(
        (&*back.cause, &*back.evidence.log[0]),
        ("my [hidden]", "my [hidden]")
    );
    assert_eq!(Phase::Switch.hide(mask), Phase::Switch);
}

#[test]
fn after_a_step_all_is_to_be_seen_again() {
    let after = || Workload::new(Kind::Deployment, json!({"metadata": {"name": "web"}}));
    let mut seen = Snapshot::of(after()).with(Query::service("web"), None::<Service>);
    seen.explanation.log = Some(Ok(Vec::new()));
    let explanation = seen.explanation.clone();
    let now = Timestamp::UNIX_EPOCH;
    seen_after(&mut seen, &step(), after(), now);
    assert_eq!(seen, Snapshot::default().with_explanation(explanation));
    seen_after(&mut seen, &Action::Patch(json!({})), after(), now);
    assert_eq!(seen, Snapshot::of(after()));
}

#[test]
fn only_a_switch_is_turned_back() {
    let turned = turn_back(&Phase::Switch, "the token may not", Some(Reason::Policy));
    assert!(
        matches!(turned, Some(Phase::SwitchRollback(back)) if back.cause == "the token may not")
    );
    let Action::Step(step) = step() else {
        panic!("it is a step")
    };
    for phase in [Phase::Start, step.then] {
        assert_eq!(turn_back(&phase, "x", None), None);
    }
}

#[test]
fn what_a_wait_watches() {
    let request = request();
    let until = Timestamp::UNIX_EPOCH;
    let candidate = || "web-blue".to_owned();
    let execution = "run-1".to_owned();
    for (stage, expected) in [
        (Stage::Rollout, Some("web")),
        (Stage::Watched(Some(until)), Some("web")),
        (Stage::Candidate(candidate()), Some("web-blue")),
        (
            Stage::Bake {
                candidate: candidate(),
                until: Some(until),
            },
            Some("web-blue"),
        ),
        (Stage::Lock { execution, until }, None),
        (Stage::Smoke, None),
        (Stage::Endpoints("web".into()), None),
        (Stage::Leaving(candidate()), None),
        (Stage::Settling("web".into()), None),
        (
            Stage::Turn {
                route: crate::kubernetes::route::RouteReference::parse("httproute/web").unwrap(),
                service: "api".into(),
            },
            None,
        ),
    ] {
        assert_eq!(stage.watched(&request), expected);
    }
}
